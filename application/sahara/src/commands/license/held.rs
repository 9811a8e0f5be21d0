//! Licences that are held, and what they allow.

use super::{
    terms_of,
    words::{self, end, lines, missing, missing_word, price},
};
use crate::{
    failure::{Failure, Kind},
    output::{Format, from_now, now, pairs, table},
    refusal::refused,
};
use eyre::Result;
use sahara_abi::{
    ILicenses::{self, Missing},
    LICENSES,
};
use sahara_client::{ChainClient, Filter, Right};
use sahara_primitives::{Address, AssetId, B256, Timestamp, U256};
use serde::Serialize;
use serde_json::json;
use std::collections::BTreeSet;

/// A licence for programs and people.
#[derive(Serialize)]
struct Shown {
    license: u64,
    asset: u64,
    terms: B256,
    holder: Address,
    expires_at: u64,
    use_limit: u64,
    uses: u64,
    seats: u16,
    seats_taken: u16,
    locked_until: u64,
    is_revoked: bool,
    price: String,
}

/// One licence.
pub(super) async fn find(client: &ChainClient, license: u64) -> Result<ILicenses::License> {
    let call = ILicenses::licenseCall { license: U256::from(license) };
    client.call(LICENSES, &call).await.map_err(|error| match error.revert() {
        Some(revert) if revert.is::<ILicenses::ERC721NonexistentToken>() => {
            Failure::not_found(format!("there is no licence {license}"))
        }
        _ => refused(error),
    })
}

async fn shown(client: &ChainClient, id: u64) -> Result<(Shown, ILicenses::Terms)> {
    let found = find(client, id).await?;
    let terms = terms_of(client, found.terms).await?;
    let shown = Shown {
        license: id,
        asset: found.asset,
        terms: found.terms,
        holder: found.holder,
        expires_at: found.expiresAt,
        use_limit: found.useLimit,
        uses: found.uses,
        seats: found.seats,
        seats_taken: found.seatsTaken,
        locked_until: found.lockedUntil,
        is_revoked: found.isRevoked,
        price: price(&terms),
    };
    Ok((shown, terms))
}

fn used(license: &Shown) -> String {
    let limit = license.use_limit;
    if limit == 0 { license.uses.to_string() } else { format!("{} of {limit}", license.uses) }
}

fn standing(license: &Shown) -> &'static str {
    let is_over = license.expires_at != 0 && license.expires_at <= now().0;
    match (license.is_revoked, is_over) {
        (true, _) => "revoked",
        (false, true) => "expired",
        (false, false) => "valid",
    }
}

/// Shows one licence.
pub(super) async fn show(client: &ChainClient, license: u64, format: Format) -> Result<()> {
    let (shown, terms) = shown(client, license).await?;
    format.print(&shown, |shown| {
        let until = match shown.expires_at {
            0 => end(0),
            at => format!("{} ({})", end(at), from_now(Timestamp(at), now())),
        };
        let mut rows = vec![
            ("licence", shown.license.to_string()),
            ("standing", standing(shown).into()),
            ("for asset", shown.asset.to_string()),
            ("holder", shown.holder.to_string()),
            ("ends", until),
            ("uses counted", used(shown)),
            ("seats taken", format!("{} of {}", shown.seats_taken, shown.seats)),
            ("terms", shown.terms.to_string()),
        ];
        rows.extend(lines(&terms));
        pairs(rows)
    })
}

/// Shows what an account holds.
pub(super) async fn list(client: &ChainClient, account: Address, format: Format) -> Result<()> {
    let filter = Filter::new().address(LICENSES).from_block(0).topic2(account.into_word());
    let received = client.events::<ILicenses::Transfer>(filter).await.map_err(refused)?;
    let ids: BTreeSet<u64> =
        received.iter().map(|(_, event)| event.data.tokenId.saturating_to()).collect();
    let mut held = Vec::new();
    for id in ids {
        let (shown, _) = shown(client, id).await?;
        if shown.holder == account {
            held.push(shown);
        }
    }
    format.print(&held, |held| {
        if held.is_empty() {
            return format!("{account} holds no licence");
        }
        let head = ["ID", "ASSET", "STANDING", "ENDS", "USES", "SEATS", "PRICE"];
        let mut rows = vec![head.map(String::from).to_vec()];
        rows.extend(held.iter().map(|one| {
            vec![
                one.license.to_string(),
                one.asset.to_string(),
                standing(one).into(),
                end(one.expires_at),
                used(one),
                format!("{} of {}", one.seats_taken, one.seats),
                one.price.clone(),
            ]
        }));
        table(&rows)
    })
}

/// Says whether an account may use an asset; otherwise what is missing, and fails.
pub(super) async fn check(
    client: &ChainClient,
    (account, asset): (Address, AssetId),
    purposes: &[String],
    format: Format,
) -> Result<()> {
    let purpose = words::purpose(purposes);
    let right = client.can_use(account, asset, purpose).await.map_err(refused)?;
    let Right { is_allowed, license, missing: lack } = right;
    let license: u64 = license.saturating_to();
    let value = json!({
        "asset": asset, "account": account, "purposes": purposes, "is_allowed": is_allowed,
        "license": license, "missing": missing_word(lack), "needs": missing(lack, asset.0),
    });
    let what = words::purposes(purpose);
    if is_allowed {
        let why = if license == 0 {
            String::from("no licence is needed")
        } else {
            format!("under licence {license}")
        };
        return format
            .print(&value, |_| format!("{account} may use asset {asset} for {what}: {why}"));
    }
    let text =
        format!("{account} may not use asset {asset} for {what}; missing: {}", need(lack, asset));
    if format == Format::Json {
        format.print(&value, |_| String::new())?;
    }
    Err(Failure::said(Kind::Refused, text))
}

fn need(lack: Missing, asset: AssetId) -> String {
    missing(lack, asset.0)
}
