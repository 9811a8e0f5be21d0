//! Terms and their offers.

use super::{
    terms_of,
    words::{self, PRICINGS, TEMPLATES, lines, price},
};
use crate::{
    cli::{Offer, Span, TermsSpec},
    commands::{
        asset_words::{value, word},
        deed::{Actor, Deed, words as line},
    },
    failure::Failure,
    output::{Format, pairs},
    refusal::refused,
    session::Session,
};
use eyre::Result;
use sahara_abi::{
    ASSETS, IAssets,
    ILicenses::{self, Terms},
    LICENSES,
};
use sahara_client::ChainClient;
use sahara_primitives::{Amount, AssetId, B256, keccak256};
use serde::Serialize;
use serde_json::json;

/// Offers asked for at once.
const PAGE: u64 = 100;

/// Terms for programs and people.
#[derive(Serialize)]
#[expect(clippy::struct_excessive_bools, reason = "the terms' own flags")]
pub(super) struct Shown {
    terms: B256,
    pricing: &'static str,
    price: Amount,
    period: u32,
    duration: u32,
    purposes: Vec<String>,
    needs_approval: bool,
    is_reciprocal: bool,
    needs_attribution: bool,
    is_transferable: bool,
    is_revocable: bool,
    derivative_royalty: u16,
    resale_royalty: u16,
    use_cap: u64,
    seat_cap: u16,
    seat_window: u32,
    territory: B256,
    restrictions: B256,
}

impl Shown {
    pub(super) fn of(id: B256, terms: &Terms) -> Self {
        Self {
            terms: id,
            pricing: word(PRICINGS, &terms.pricing),
            price: Amount::from_u128(terms.price),
            period: terms.period,
            duration: terms.duration,
            purposes: words::purposes(terms.purposes).split(", ").map(str::to_owned).collect(),
            needs_approval: terms.needsApproval,
            is_reciprocal: terms.isReciprocal,
            needs_attribution: terms.needsAttribution,
            is_transferable: terms.isTransferable,
            is_revocable: terms.isRevocable,
            derivative_royalty: terms.derivativeRoyalty,
            resale_royalty: terms.resaleRoyalty,
            use_cap: terms.useCap,
            seat_cap: terms.seatCap,
            seat_window: terms.seatWindow,
            territory: terms.territory,
            restrictions: terms.restrictions,
        }
    }
}

/// Every template, at one SAHARA where there is a price.
pub(super) async fn templates(client: &ChainClient, format: Format) -> Result<()> {
    let mut shown = Vec::new();
    for (name, _) in TEMPLATES {
        shown.push((*name, template(client, name, None, 0).await?));
    }
    let value: Vec<_> = shown
        .iter()
        .map(|(name, terms)| json!({"template": name, "terms": Shown::of(B256::ZERO, terms)}))
        .collect();
    format.print(&value, |_| {
        let text = |(name, terms): &(&str, Terms)| {
            let example = if terms.price == 0 { "" } else { " (the price is yours to set)" };
            format!("{name}{example}\n{}", pairs(lines(terms)))
        };
        shown.iter().map(text).collect::<Vec<_>>().join("\n\n")
    })
}

async fn template(
    client: &ChainClient,
    name: &str,
    price: Option<Amount>,
    royalty: u16,
) -> Result<Terms> {
    let template =
        value(TEMPLATES, name).ok_or_else(|| Failure::usage(format!("`{name}` is no template")))?;
    let is_free =
        matches!(template, ILicenses::Template::OpenUse | ILicenses::Template::NonCommercial);
    let default = if is_free { Amount::ZERO } else { Amount::ONE_COIN };
    let price = base_units(price.unwrap_or(default))?;
    let call = ILicenses::templateCall { template, price, derivativeRoyalty: royalty };
    client.call(LICENSES, &call).await.map_err(refused)
}

fn base_units(amount: Amount) -> Result<u128> {
    amount.to_u128().ok_or_else(|| Failure::usage(format!("{amount} SAHARA is no price")))
}

fn seconds(name: &str, span: Span) -> Result<u32> {
    u32::try_from(span.0)
        .map_err(|_| Failure::usage(format!("--{name} {span} is too long: expected up to 49710d")))
}

/// What a template and the flags beside it say.
async fn from_spec(client: &ChainClient, spec: &TermsSpec, royalty: u16) -> Result<Terms> {
    let needs_price = matches!(spec.template.as_str(), "commercial" | "commercial-remix");
    let is_free = spec.pricing.as_deref() == Some("free");
    if needs_price && spec.price.is_none() && !is_free {
        return Err(Failure::usage(format!(
            "the template {} needs --price, in SAHARA; open-use and non-commercial are free",
            spec.template
        )));
    }
    // A template is asked with a price it takes; what the flags say comes after.
    let mut terms = template(client, &spec.template, None, royalty).await?;
    terms.price = if is_free { 0 } else { spec.price.map_or(Ok(terms.price), base_units)? };
    if let Some(pricing) = &spec.pricing {
        terms.pricing = value(PRICINGS, pricing).unwrap_or(terms.pricing);
    }
    if !spec.purposes.is_empty() {
        terms.purposes = words::purpose(&spec.purposes);
    }
    terms.derivativeRoyalty = if terms.purposes & 4 == 0 { 0 } else { royalty };
    terms.period = spec.period.map_or(Ok(terms.period), |span| seconds("period", span))?;
    terms.duration = spec.duration.map_or(Ok(terms.duration), |span| seconds("duration", span))?;
    terms.seatWindow =
        spec.seat_window.map_or(Ok(terms.seatWindow), |span| seconds("seat-window", span))?;
    terms.needsApproval = spec.needs_approval.unwrap_or(terms.needsApproval);
    terms.isReciprocal = spec.reciprocal.unwrap_or(terms.isReciprocal);
    terms.needsAttribution = spec.attribution.unwrap_or(terms.needsAttribution);
    terms.isTransferable = spec.transferable.unwrap_or(terms.isTransferable);
    terms.isRevocable = spec.revocable.unwrap_or(terms.isRevocable);
    let resale = if terms.isTransferable { terms.resaleRoyalty } else { 0 };
    terms.resaleRoyalty = spec.resale_royalty.unwrap_or(resale);
    terms.useCap = spec.use_cap.unwrap_or(terms.useCap);
    terms.seatCap = spec.seat_cap.unwrap_or(terms.seatCap);
    let hash = |text: &Option<String>, default| text.as_ref().map_or(default, keccak256);
    terms.territory = hash(&spec.territory, terms.territory);
    terms.restrictions = hash(&spec.restrictions, terms.restrictions);
    Ok(terms)
}

/// What descendants of an asset pay to it.
async fn royalty_of(client: &ChainClient, asset: AssetId) -> Result<u16> {
    let found = client.call(ASSETS, &IAssets::assetCall { asset: asset.0 }).await;
    Ok(found.map_err(refused)?.derivativeRoyalty)
}

/// Shows registered terms.
pub(super) async fn show(client: &ChainClient, id: B256, format: Format) -> Result<()> {
    let terms = terms_of(client, id).await?;
    format.print(&Shown::of(id, &terms), |_| format!("{id}\n{}", pairs(lines(&terms))))
}

/// Registers terms, or only shows them.
pub(super) async fn create(
    actor: &Actor<'_>,
    spec: &TermsSpec,
    asset: Option<AssetId>,
    is_dry_run: bool,
) -> Result<()> {
    let royalty = match (asset, spec.derivative_royalty) {
        (_, Some(royalty)) => royalty,
        (Some(asset), None) => royalty_of(&actor.client, asset).await?,
        (None, None) => 0,
    };
    let terms = from_spec(&actor.client, spec, royalty).await?;
    let call = ILicenses::registerTermsCall { data: terms.clone() };
    let tried = actor.client.simulate(actor.address(), LICENSES, Amount::ZERO, &call).await;
    let id = tried.map_err(refused)?;
    if !is_dry_run {
        actor.client.register_terms(&actor.key, &terms).await.map_err(refused)?;
    }
    actor.print(&Shown::of(id, &terms), || {
        let registered = if is_dry_run { "nothing was sent" } else { "registered for ever" };
        format!("{id}\n{}\n{registered}", pairs(lines(&terms)))
    })
}

/// Offers terms for an asset, registering them first if they are new.
pub(super) async fn offer(offer: &Offer, session: &Session, format: Format) -> Result<()> {
    let actor = Actor::new(session, &offer.signer, Some(&offer.consent), format).await?;
    let (client, asset) = (&actor.client, offer.asset);
    let terms = match offer.terms {
        Some(id) => terms_of(client, id).await?,
        None => {
            let royalty = match offer.spec.derivative_royalty {
                Some(royalty) => royalty,
                None => royalty_of(client, asset).await?,
            };
            from_spec(client, &offer.spec, royalty).await?
        }
    };
    let register = ILicenses::registerTermsCall { data: terms.clone() };
    let id = client.simulate(actor.address(), LICENSES, Amount::ZERO, &register).await;
    let id = id.map_err(refused)?;
    let licensing = ILicenses::licensingCall { asset: asset.0 };
    let is_licensed = client.call(LICENSES, &licensing).await.map_err(refused)?.isLicensed;
    let effect = if is_licensed {
        "the asset needs a licence already"
    } else {
        "from now on, for ever, every use of the asset needs a right"
    };
    let mut preview =
        vec![line("offer for asset", asset.to_string()), line("terms", id.to_string())];
    preview.extend(lines(&terms).into_iter().map(|(name, text)| line(name, text)));
    preview.push(line("effect", effect));
    if offer.consent.dry_run || !offer.consent.yes {
        // The offer cannot be tried before its terms are registered.
        if !actor.agrees(&preview)? {
            return Ok(());
        }
    }
    client.register_terms(&actor.key, &terms).await.map_err(refused)?;
    let call = ILicenses::offerCall { asset: asset.0, terms: id };
    let deed = Deed { to: LICENSES, value: Amount::ZERO, call: &call, preview: Vec::new() };
    let outcome = actor.agreed().send(deed).await?;
    let Some(outcome) = outcome else { return Ok(()) };
    let text = format!("licences for asset {asset} are offered: {}\nterms {id}", price(&terms));
    actor.done(&outcome, json!({"asset": asset, "terms": id}), &text)
}

/// Ids of everything that is offered for an asset.
pub(super) async fn offered(client: &ChainClient, asset: AssetId) -> Result<Vec<B256>> {
    let mut found = Vec::new();
    loop {
        let start = sahara_primitives::U256::from(found.len());
        let count = sahara_primitives::U256::from(PAGE);
        let call = ILicenses::offersOfCall { asset: asset.0, start, count };
        let page = client.call(LICENSES, &call).await.map_err(refused)?;
        let is_empty = page.terms.is_empty();
        found.extend(page.terms);
        if is_empty || sahara_primitives::U256::from(found.len()) >= page.total {
            return Ok(found);
        }
    }
}

/// Shows what is offered for an asset.
pub(super) async fn offers(client: &ChainClient, asset: AssetId, format: Format) -> Result<()> {
    royalty_of(client, asset).await?;
    let licensing = ILicenses::licensingCall { asset: asset.0 };
    let licensing = client.call(LICENSES, &licensing).await.map_err(refused)?;
    let mut offers = Vec::new();
    for id in offered(client, asset).await? {
        offers.push((id, terms_of(client, id).await?));
    }
    let shown: Vec<_> = offers.iter().map(|(id, terms)| Shown::of(*id, terms)).collect();
    let value = json!({
        "asset": asset, "is_licensed": licensing.isLicensed, "carried": licensing.carried, "offers": shown,
    });
    format.print(&value, |_| {
        if !licensing.isLicensed {
            return format!("asset {asset} needs no licence: nothing was ever offered");
        }
        if offers.is_empty() {
            return format!("asset {asset} needs a licence, and none is offered now");
        }
        let text = |(id, terms): &(B256, Terms)| format!("{id}\n{}", pairs(lines(terms)));
        offers.iter().map(text).collect::<Vec<_>>().join("\n\n")
    })
}
