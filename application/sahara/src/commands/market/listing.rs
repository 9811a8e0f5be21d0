//! Listings: made, signed, published, found, taken back.

use super::{Cancelled, Item, Thing, send, thing::kept};
use crate::{
    cli::{ListingSpec, Span},
    commands::deed::{Actor, Deed, Line, coins, words as line},
    failure::Failure,
    output::{Format, now, utc},
    refusal::refused,
    session::Session,
};
use alloy_sol_types::SolStruct;
use eyre::{Result, WrapErr, eyre};
use sahara_abi::{
    ASSETS, IAssets,
    IMarket::{self, Listing},
    MARKET, signing,
};
use sahara_client::{ChainClient, Filter};
use sahara_primitives::{Address, Amount, B256, Bytes, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::json;
use std::{fs, io::Read, path::Path, time::SystemTime};

/// The longest file that is read as a listing.
const MAX_BYTES: u64 = 1 << 20;

/// A signed listing as it is passed on.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Signed {
    chain_id: u64,
    /// The hash that its seller signed.
    listing: B256,
    seller: Address,
    /// The only account that may buy; zero: anyone.
    #[serde(default)]
    buyer: Address,
    starts_at: u64,
    ends_at: u64,
    #[serde(default)]
    referral: u16,
    #[serde(default)]
    refund_seconds: u32,
    nonce: u64,
    items: Vec<SignedItem>,
    signature: Bytes,
}

#[derive(Debug, Serialize, Deserialize)]
struct SignedItem {
    thing: Thing,
    price: Amount,
    end_price: Amount,
    state: B256,
}

fn base_units(amount: Amount) -> Result<u128> {
    amount.to_u128().ok_or_else(|| Failure::usage(format!("{amount} SAHARA is no price")))
}

/// A length of time that the listing's field holds.
fn short(name: &str, span: Span) -> Result<u32> {
    u32::try_from(span.0).map_err(|_| Failure::usage(format!("--{name} {span} is too long")))
}

/// The listing that flags describe, with the state of everything as it is now.
async fn of_spec(client: &ChainClient, seller: Address, spec: &ListingSpec) -> Result<Listing> {
    let mut items = Vec::new();
    for Item { thing, price, end_price } in &spec.items {
        let mut item = client.item(thing.0, base_units(*price)?).await.map_err(refused)?;
        item.endPrice = base_units(*end_price)?;
        items.push(item);
    }
    // Clocks differ: a listing is on sale at once by the chain's.
    let starts_at = head_time(client).await?;
    let ends_at = starts_at
        .checked_add(spec.length.0)
        .ok_or_else(|| Failure::usage(format!("--for {} is too long", spec.length)))?;
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    let millis = u64::try_from(since.as_millis()).unwrap_or(u64::MAX);
    Ok(Listing {
        seller,
        buyer: spec.buyer.unwrap_or_default(),
        startsAt: starts_at,
        endsAt: ends_at,
        referral: spec.referral,
        refundSeconds: short("refund", spec.refund)?,
        nonce: spec.nonce.unwrap_or(millis),
        items,
    })
}

/// The time of the last block.
pub(super) async fn head_time(client: &ChainClient) -> Result<u64> {
    #[derive(Deserialize)]
    struct Head {
        timestamp: alloy_primitives::U64,
    }
    let head: Head =
        client.request("eth_getBlockByNumber", ("latest", false)).await.map_err(refused)?;
    Ok(head.timestamp.to())
}

/// What a listing's items are.
pub(super) fn names(listing: &Listing) -> String {
    let name = |item: &IMarket::Item| {
        Thing::at(item.collection, item.tokenId).map_or_else(
            || format!("{}/{}", item.collection, item.tokenId),
            |thing| thing.to_string(),
        )
    };
    listing.items.iter().map(name).collect::<Vec<_>>().join(" + ")
}

/// How each item's price would be divided.
pub(super) async fn division(
    client: &ChainClient,
    listing: &Listing,
) -> Result<(Amount, Amount, Amount)> {
    let mut sums = (Amount::ZERO, Amount::ZERO, Amount::ZERO);
    for item in &listing.items {
        let call = IMarket::partsCall {
            collection: item.collection,
            tokenId: item.tokenId,
            price: alloy_primitives::U256::from(item.price),
            referral: listing.referral,
        };
        let parts = client.call(MARKET, &call).await.map_err(refused)?;
        let add = |sum: Amount, part| sum.checked_add(Amount::from_base_units(part));
        sums =
            (add(sums.0, parts.seller)?, add(sums.1, parts.royalty)?, add(sums.2, parts.referral)?);
    }
    Ok(sums)
}

async fn preview(client: &ChainClient, listing: &Listing) -> Result<Vec<Line>> {
    let quote = client.listing_quote(listing).await.map_err(refused)?;
    let (seller, royalty, referral) = division(client, listing).await?;
    let is_falling = listing.items.iter().any(|item| item.endPrice < item.price);
    let end: u128 = listing.items.iter().map(|item| item.endPrice).fold(0, u128::saturating_add);
    let mut lines = vec![
        line("sell", names(listing)),
        coins("price", quote.price),
        coins("for you", seller),
        coins("royalty", royalty),
        coins("referral", referral),
        line("until", utc(Timestamp(listing.endsAt))),
    ];
    if is_falling {
        lines.push(coins("price at the end", Amount::from_u128(end)));
    }
    if !listing.buyer.is_zero() {
        lines.push(line("only to", listing.buyer.to_string()));
    }
    if listing.refundSeconds != 0 {
        let span = Span(u64::from(listing.refundSeconds));
        lines.push(line("paid to you after", format!("{span}, unless it is returned unused")));
    }
    Ok(lines)
}

/// Things that the market may not move yet.
async fn unmovable(actor: &Actor<'_>, listing: &Listing) -> Result<Vec<sahara_client::Thing>> {
    let mut found = Vec::new();
    for item in &listing.items {
        let approved = IAssets::getApprovedCall { tokenId: item.tokenId };
        let all = IAssets::isApprovedForAllCall { owner: actor.address(), operator: MARKET };
        let client = &actor.client;
        let approved = client.call(item.collection, &approved).await.map_err(refused)? == MARKET;
        if !approved && !client.call(item.collection, &all).await.map_err(refused)? {
            let thing = Thing::at(item.collection, item.tokenId);
            found.push(
                thing.ok_or_else(|| eyre!("the market does not know {}", item.collection))?.0,
            );
        }
    }
    Ok(found)
}

/// Refuses to sell what is somebody else's, before anything is sent.
async fn check_owner(actor: &Actor<'_>, listing: &Listing) -> Result<()> {
    for item in &listing.items {
        let call = IAssets::ownerOfCall { tokenId: item.tokenId };
        let owner = actor.client.call(item.collection, &call).await.map_err(refused)?;
        if owner != actor.address() {
            let thing = Thing::at(item.collection, item.tokenId);
            let thing = thing.map(|thing| thing.to_string()).unwrap_or_default();
            return Err(Failure::refused(format!(
                "{thing} belongs to {owner}, not to {}: name the owner's wallet with --wallet",
                actor.address()
            )));
        }
    }
    Ok(())
}

/// Lets the market move what is for sale.
async fn let_move(actor: &Actor<'_>, listing: &Listing) -> Result<()> {
    for thing in unmovable(actor, listing).await? {
        actor.client.let_market_move(&actor.key, thing).await.map_err(refused)?;
    }
    Ok(())
}

/// Publishes a listing.
pub(super) async fn publish(spec: &ListingSpec, session: &Session, format: Format) -> Result<()> {
    let actor = Actor::new(session, &spec.signer, Some(&spec.consent), format).await?;
    let listing = of_spec(&actor.client, actor.address(), spec).await?;
    check_owner(&actor, &listing).await?;
    let fee = actor.client.call(MARKET, &IMarket::listingFeeCall {}).await.map_err(refused)?;
    let fee = Amount::from_base_units(fee);
    let mut lines = preview(&actor.client, &listing).await?;
    lines.push(coins("listing fee, now", fee));
    let call = IMarket::listCall { data: listing.clone() };
    let deed = Deed { to: MARKET, value: fee, call: &call, preview: lines };
    let Some(outcome) = actor.send(deed).await? else { return Ok(()) };
    let_move(&actor, &listing).await?;
    let hash = hash(&actor.client, &listing).await?;
    let facts = json!({"listing": hash, "nonce": listing.nonce, "ends_at": listing.endsAt});
    let text = format!("{} is on sale\nlisting {hash}", names(&listing));
    actor.done(&outcome, facts, &text)
}

async fn hash(client: &ChainClient, listing: &Listing) -> Result<B256> {
    let chain = client.chain_id().await.map_err(refused)?;
    Ok(listing.eip712_signing_hash(&signing::market_domain(chain)))
}

/// Signs a listing and prints it.
pub(super) async fn sign(spec: &ListingSpec, session: &Session, format: Format) -> Result<()> {
    // A signature is no transaction: nothing is asked, but everything can be looked at.
    let consent = Some(&spec.consent).filter(|consent| consent.dry_run);
    let actor = Actor::new(session, &spec.signer, consent, format).await?;
    let listing = of_spec(&actor.client, actor.address(), spec).await?;
    check_owner(&actor, &listing).await?;
    if !actor.agrees(&preview(&actor.client, &listing).await?)? {
        return Ok(());
    }
    if !unmovable(&actor, &listing).await?.is_empty() {
        eprintln!("the market may not move it yet: allowing that, once, with a transaction");
        let_move(&actor, &listing).await?;
    }
    let signature = actor.client.sign_listing(&actor.key, &listing).await.map_err(refused)?;
    let items = listing.items.iter().zip(&spec.items).map(|(item, spec)| SignedItem {
        thing: spec.thing,
        price: spec.price,
        end_price: spec.end_price,
        state: item.state,
    });
    let signed = Signed {
        chain_id: actor.client.chain_id().await.map_err(refused)?,
        listing: hash(&actor.client, &listing).await?,
        seller: listing.seller,
        buyer: listing.buyer,
        starts_at: listing.startsAt,
        ends_at: listing.endsAt,
        referral: listing.referral,
        refund_seconds: listing.refundSeconds,
        nonce: listing.nonce,
        items: items.collect(),
        signature,
    };
    // A listing is for a buyer's program, whoever looks at it now.
    Format::Json.print(&signed, |_| String::new())
}

/// A signed listing and its signature, from a file or standard input.
pub(super) async fn read(client: &ChainClient, path: &Path) -> Result<(Listing, Bytes)> {
    let mut text = String::new();
    if path == Path::new("-") {
        std::io::stdin().lock().take(MAX_BYTES).read_to_string(&mut text)?;
    } else {
        let file = fs::File::open(path);
        let file = file.wrap_err_with(|| format!("could not read {}", path.display()))?;
        file.take(MAX_BYTES).read_to_string(&mut text)?;
    }
    let signed: Signed = serde_json::from_str(&text).map_err(|error| {
        Failure::usage(format!(
            "{} is no signed listing, as `sahara market sign` prints it: {error}",
            path.display()
        ))
    })?;
    let chain = client.chain_id().await.map_err(refused)?;
    if signed.chain_id != chain {
        return Err(Failure::refused(format!(
            "the listing is for chain {}, this is chain {chain}",
            signed.chain_id
        )));
    }
    let items = signed.items.iter().map(|item| {
        Ok(IMarket::Item {
            collection: item.thing.0.collection(),
            tokenId: item.thing.0.token(),
            price: base_units(item.price)?,
            endPrice: base_units(item.end_price)?,
            state: item.state,
        })
    });
    let listing = Listing {
        seller: signed.seller,
        buyer: signed.buyer,
        startsAt: signed.starts_at,
        endsAt: signed.ends_at,
        referral: signed.referral,
        refundSeconds: signed.refund_seconds,
        nonce: signed.nonce,
        items: items.collect::<Result<_>>()?,
    };
    let found = hash(client, &listing).await?;
    if found != signed.listing {
        return Err(Failure::refused(format!(
            "the listing was altered: it says {}, its fields hash to {found}",
            signed.listing
        )));
    }
    Ok((listing, signed.signature))
}

/// A published listing, from the event that published it.
pub(super) async fn published(client: &ChainClient, listing: B256) -> Result<Listing> {
    let filter = Filter::new().address(MARKET).from_block(0).topic1(listing);
    let found = client.events::<IMarket::Listed>(filter).await.map_err(refused)?;
    let found = found.into_iter().next();
    found.map(|(_, event)| event.data.data).ok_or_else(|| {
        Failure::not_found(format!(
            "no listing {listing} was published: `sahara market show` lists what is on sale"
        ))
    })
}

/// Takes something back.
pub(super) async fn cancel(actor: &Actor<'_>, what: &Cancelled) -> Result<()> {
    let listing = match what {
        Cancelled::Auction(auction) => {
            let call = IMarket::cancelAuctionCall { auction: *auction };
            let text = format!("auction {auction} is over, nothing was sold");
            return send(actor, &call, json!({ "auction": auction }), &text).await;
        }
        Cancelled::Below(floor) => {
            let call = IMarket::cancelBelowCall { floor: *floor };
            let text = format!("your listings with nonces below {floor} sell nothing any more");
            return send(actor, &call, json!({ "floor": floor }), &text).await;
        }
        Cancelled::Nonce(nonce) => return cancel_nonce(actor, *nonce).await,
        Cancelled::Listing(hash) => published(&actor.client, *hash).await?,
        Cancelled::File(path) => read(&actor.client, path).await?.0,
    };
    if listing.seller != actor.address() {
        return Err(Failure::refused(format!(
            "only its seller {} may take it back, not {}",
            listing.seller,
            actor.address()
        )));
    }
    cancel_nonce(actor, listing.nonce).await
}

async fn cancel_nonce(actor: &Actor<'_>, nonce: u64) -> Result<()> {
    let call = IMarket::cancelCall { nonce };
    let text = format!("your listings with nonce {nonce} sell nothing any more");
    send(actor, &call, json!({ "nonce": nonce }), &text).await
}

/// Whether a listing can still be bought, in a word.
pub(super) async fn standing(client: &ChainClient, listing: &Listing) -> Result<&'static str> {
    let (seller, nonce) = (listing.seller, listing.nonce);
    let spent = IMarket::isNonceSpentCall { seller, nonce };
    let floor = IMarket::nonceFloorCall { seller };
    if client.call(MARKET, &spent).await.map_err(refused)?
        || nonce < client.call(MARKET, &floor).await.map_err(refused)?
    {
        return Ok("sold or taken back");
    }
    let time = head_time(client).await?.max(now().0);
    if time >= listing.endsAt {
        return Ok("ended");
    }
    for item in &listing.items {
        let call = IAssets::ownerOfCall { tokenId: item.tokenId };
        let state = IMarket::stateOfCall { collection: item.collection, tokenId: item.tokenId };
        let owner = client.call(item.collection, &call).await.map_err(refused)?;
        let state = client.call(MARKET, &state).await.map_err(refused)?;
        let is_asset = item.collection == ASSETS;
        let is_kept = state == item.state || (!is_asset && kept(state) == kept(item.state));
        if owner != seller || !is_kept {
            return Ok(if owner != seller {
                "void: it has another owner"
            } else if is_asset {
                "void: since then it changed hands, its account has acted or was taken from, or its owner took or gave rights to it"
            } else {
                "void: the licence was used, or renewed by its holder, since"
            });
        }
    }
    Ok("on sale")
}
