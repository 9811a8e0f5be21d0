//! Buying and renewing.

use super::{
    held,
    terms::offered,
    terms_of,
    words::{end, lines, price, unit},
};
use crate::{
    cli::BuyLicense,
    commands::deed::{Actor, Deed, coins, words as line},
    failure::Failure,
    output::{Format, pairs},
    refusal::refused,
    session::Session,
};
use eyre::Result;
use sahara_abi::{
    ILicenses::{self, Pricing, Purchase, Terms},
    LICENSES,
};
use sahara_client::{ChainClient, Quote};
use sahara_primitives::{Address, Amount, AssetId, B256, U256};
use serde_json::json;

/// Shows what something costs.
pub(super) async fn quote(
    client: &ChainClient,
    what: (Option<B256>, Option<u64>),
    quantity: u32,
    format: Format,
) -> Result<()> {
    let quote = match what {
        (Some(terms), _) => client.license_quote(terms, quantity).await.map_err(refused)?,
        (None, Some(license)) => renewal(client, license, quantity).await?,
        (None, None) => return Err(Failure::usage("expected terms, or --renew LICENSE")),
    };
    let total = quote.total().map_err(refused)?;
    let value = json!({"price": quote.price, "fee": quote.fee, "total": total});
    format.print(&value, |_| {
        pairs([
            ("price", format!("{} SAHARA", quote.price)),
            ("protocol fee", format!("{} SAHARA", quote.fee)),
            ("together", format!("{total} SAHARA")),
        ])
    })
}

async fn renewal(client: &ChainClient, license: u64, quantity: u32) -> Result<Quote> {
    let call = ILicenses::renewalQuoteCall { license: U256::from(license), quantity };
    let quote = client.call(LICENSES, &call).await.map_err(refused)?;
    Ok(Quote {
        price: Amount::from_base_units(quote.price),
        fee: Amount::from_base_units(quote.fee),
    })
}

/// The terms that are meant when none are named: the only ones that are sold.
async fn choose(
    client: &ChainClient,
    asset: AssetId,
    named: Option<B256>,
) -> Result<(B256, Terms)> {
    if let Some(id) = named {
        return Ok((id, terms_of(client, id).await?));
    }
    let mut sold = Vec::new();
    for id in offered(client, asset).await? {
        let terms = terms_of(client, id).await?;
        if terms.pricing != Pricing::Free {
            sold.push((id, terms));
        }
    }
    let names = sold.iter().map(|(id, terms)| format!("\n  {id}  {}", price(terms)));
    let names = names.collect::<String>();
    match <[_; 1]>::try_from(sold) {
        Ok([only]) => Ok(only),
        Err(none) if none.is_empty() => Err(Failure::not_found(format!(
            "no licence is sold for asset {asset}: `sahara license offers {asset}` shows what it asks"
        ))),
        Err(_) => Err(Failure::usage(format!(
            "several licences are sold: choose one with --terms{names}"
        ))),
    }
}

/// Buys a licence.
pub(super) async fn buy(buy: &BuyLicense, session: &Session, format: Format) -> Result<()> {
    let actor = Actor::new(session, &buy.signer, Some(&buy.consent), format).await?;
    let (id, terms) = choose(&actor.client, buy.asset, buy.terms).await?;
    let holder = buy.holder.unwrap_or_else(|| actor.address());
    let user = if buy.no_user { Address::ZERO } else { buy.user.unwrap_or(holder) };
    let quantity = buy.quantity;
    let quote = actor.client.license_quote(id, quantity).await.map_err(refused)?;
    let total = quote.total().map_err(refused)?;
    let purchase = Purchase { asset: buy.asset.0, terms: id, quantity, holder, user };
    let call = ILicenses::buyCall { purchase };
    let mut preview = vec![
        line("buy a licence for asset", buy.asset.to_string()),
        line("holder", holder.to_string()),
        line("first seat", if user.is_zero() { String::from("free") } else { user.to_string() }),
        line("quantity", format!("{quantity} x {}", unit(terms.pricing))),
    ];
    preview.extend(lines(&terms).into_iter().map(|(name, text)| line(name, text)));
    preview.extend([coins("to pay", total), coins("of it the protocol fee", quote.fee)]);
    let deed = Deed { to: LICENSES, value: total, call: &call, preview };
    let Some(outcome) = actor.send(deed).await? else { return Ok(()) };
    let issued = outcome.events::<ILicenses::Issued>();
    let license = issued.first().map(|issued| issued.data.license).unwrap_or_default();
    let facts = json!({
        "license": license.saturating_to::<u64>(), "asset": buy.asset, "terms": id, "holder": holder,
        "price": quote.price, "protocol_fee": quote.fee, "paid": total,
    });
    actor.done(
        &outcome,
        facts,
        &format!("licence {license} for asset {}: {total} SAHARA", buy.asset),
    )
}

/// Pays for more of a licence.
pub(super) async fn renew(actor: &Actor<'_>, license: u64, quantity: u32) -> Result<()> {
    let before = held::find(&actor.client, license).await?;
    let terms = terms_of(&actor.client, before.terms).await?;
    let quote = renewal(&actor.client, license, quantity).await?;
    let total = quote.total().map_err(refused)?;
    let call = ILicenses::renewCall { license: U256::from(license), quantity };
    let preview = vec![
        line("renew licence", license.to_string()),
        line("for asset", before.asset.to_string()),
        line("quantity", format!("{quantity} x {}", unit(terms.pricing))),
        line("ends now", end(before.expiresAt)),
        coins("to pay", total),
        coins("of it the protocol fee", quote.fee),
    ];
    let deed = Deed { to: LICENSES, value: total, call: &call, preview };
    let Some(outcome) = actor.send(deed).await? else { return Ok(()) };
    let after = held::find(&actor.client, license).await?;
    let facts = json!({
        "license": license, "expires_at": after.expiresAt, "use_limit": after.useLimit,
        "price": quote.price, "protocol_fee": quote.fee, "paid": total,
    });
    let text = format!(
        "licence {license} is renewed for {total} SAHARA; it ends: {}",
        end(after.expiresAt)
    );
    actor.done(&outcome, facts, &text)
}
