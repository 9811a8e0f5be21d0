//! An asset's life: registered, licensed, bought, sold, contributed to, bargained for.
//!
//! Against `sahara up` in another terminal: `cargo run -p sahara-client --example economy`, or with the
//! URL of a node. The scenario `the_library` runs the same functions against a real node and checks what
//! everyone holds afterwards. Keys are those of the public test mnemonic: a local network only.
#![expect(clippy::print_stdout, reason = "an example shows what it did")]

use sahara_abi::{ASSETS, IAssets, ILicenses, IMarket::Listing, LICENSES, ROYALTIES};
use sahara_client::{
    AccountCall, ChainClient, ClientError, ListingPurchase, SigningKey, TEST_MNEMONIC, Thing,
    activation,
};
use sahara_primitives::{
    Address, Amount, AssetId, B256, Bytes, Timestamp, U256,
    merkle_sum::{Contribution, SumTree},
};
use std::error::Error;

type Outcome<T> = Result<T, Box<dyn Error + Send + Sync>>;

/// Everything that is fixed when an asset is registered. Nothing of the content goes on chain but its hash.
pub(crate) fn registration(kind: IAssets::Kind, name: &str) -> IAssets::Registration {
    IAssets::Registration {
        kind,
        contentHash: sahara_primitives::keccak256(name),
        metadataURI: format!("data:application/json,{{\"name\":\"{name}\"}}"),
        inputPrice: 0,
        outputPrice: 0,
        // Every descendant pays 10 % of its income here, for ever.
        derivativeRoyalty: 1_000,
        derivatives: IAssets::Derivatives::Open,
        edges: Vec::new(),
        members: Vec::new(),
        ownerUnits: alloy_primitives::aliases::U96::ZERO,
        isOpen: false,
    }
}

/// Registers a dataset and a model trained on it, after looking at who would be paid. Returns both.
pub(crate) async fn register(
    client: &ChainClient,
    creator: &SigningKey,
) -> Outcome<(AssetId, AssetId)> {
    let (dataset, _) =
        client.register(creator, registration(IAssets::Kind::Dataset, "trails")).await?;
    let edge = IAssets::Edge { parent: dataset.0, relation: IAssets::Relation::TrainedOn };
    let preview = IAssets::previewCall {
        edges: vec![edge.clone()],
        derivativeRoyalty: 1_000,
        amount: Amount::ONE_COIN.base_units(),
    };
    for part in client.call(ASSETS, &preview).await?.parts {
        println!("asset {}: {} of 1 SAHARA", part.asset, Amount::from_base_units(part.amount));
    }
    let mut model = registration(IAssets::Kind::Model, "guide");
    model.edges.push(edge);
    let (model, _) = client.register(creator, model).await?;
    Ok((dataset, model))
}

/// Offers licences for commercial use and derivatives at 25 SAHARA. Returns the terms' id.
pub(crate) async fn license(
    client: &ChainClient,
    creator: &SigningKey,
    asset: AssetId,
) -> Outcome<B256> {
    let template = ILicenses::templateCall {
        template: ILicenses::Template::CommercialRemix,
        price: 25_000_000_000_000_000_000,
        derivativeRoyalty: 1_000,
    };
    let terms = client.call(LICENSES, &template).await?;
    let (id, _) = client.offer_terms(creator, asset, &terms).await?;
    Ok(id)
}

/// Buys a licence for the key's own account and checks what it allows. Returns the licence.
pub(crate) async fn buy(
    client: &ChainClient,
    buyer: &SigningKey,
    (asset, terms): (AssetId, B256),
) -> Outcome<U256> {
    let quote = client.license_quote(terms, 1).await?;
    println!("a licence costs {} and a fee of {}", quote.price, quote.fee);
    let (holder, user) = (buyer.address(), buyer.address());
    let purchase = ILicenses::Purchase { asset: asset.0, terms, quantity: 1, holder, user };
    let (license, _) = client.buy_license(buyer, purchase).await?;
    // 2 training, 4 derivative: one licence must grant both.
    let right = client.can_use(buyer.address(), asset, 2 | 4).await?;
    println!("may train on it: {} (licence {})", right.is_allowed, right.license);
    Ok(license)
}

/// Signs a listing of an asset, which costs nothing, and lets somebody else buy from it.
pub(crate) async fn sell(
    client: &ChainClient,
    (seller, buyer): (&SigningKey, &SigningKey),
    asset: AssetId,
) -> Outcome<Amount> {
    let thing = Thing::Asset(asset.0);
    client.let_market_move(seller, thing).await?;
    let item = client.item(thing, 100_000_000_000_000_000_000).await?;
    let listing = Listing {
        seller: seller.address(),
        buyer: Address::ZERO,
        startsAt: 0,
        endsAt: u64::MAX,
        referral: 0,
        refundSeconds: 0,
        nonce: 1,
        items: vec![item],
    };
    let signature = client.sign_listing(seller, &listing).await?;
    // Listing and signature travel as the seller likes; whoever has both can buy.
    let paid = client.listing_quote(&listing).await?.total()?;
    let (recipient, referrer) = (buyer.address(), Address::ZERO);
    let purchase = ListingPurchase { listing, signature, recipient, referrer };
    client.buy_listing(buyer, purchase.clone()).await?;
    // It sells once: the chain's refusal comes back by its name.
    match client.buy_listing(buyer, ListingPurchase { signature: Bytes::new(), ..purchase }).await {
        Err(ClientError::Reverted(revert)) => println!("a second time: {}", revert.name),
        other => return Err(format!("a listing sold twice: {other:?}").into()),
    }
    Ok(paid)
}

/// Commits a dataset to its contributors, pays for its use, and makes the last of them a member: it is
/// paid at once. Returns the dataset.
pub(crate) async fn contribute(
    client: &ChainClient,
    (creator, anyone): (&SigningKey, &SigningKey),
    contributions: &[Contribution],
) -> Outcome<AssetId> {
    let open = IAssets::Registration {
        isOpen: true,
        ..registration(IAssets::Kind::Dataset, "photographs")
    };
    let (dataset, _) = client.register(creator, open).await?;
    let tree = SumTree::new(contributions)?;
    client.commit_contributions(creator, dataset, &tree.root()).await?;
    let seal = IAssets::sealCall { asset: dataset.0 };
    client.send(creator, ASSETS, Amount::ZERO, &seal).await?;

    let pay = sahara_abi::IRoyalties::payCall { asset: dataset.0 };
    client.send(anyone, ROYALTIES, Amount::from_coins(10), &pay).await?;

    let last = tree.root().count - 1;
    let proof = tree.prove(last).ok_or("a tree proves its leaves")?;
    let who = contributions.last().ok_or("there are contributors")?;
    let one = activation(who, &proof)?;
    let (activated, _) = client.activate_contributions(anyone, dataset, vec![one]).await?;
    println!(
        "{activated} contributor is active and holds {}",
        client.balance(who.contributor).await?
    );
    Ok(dataset)
}

/// Leases an asset by the hour and pays for a second one. Returns when the lease ends.
pub(crate) async fn lease(
    client: &ChainClient,
    (owner, tenant): (&SigningKey, &SigningKey),
    asset: AssetId,
) -> Outcome<Timestamp> {
    let template = ILicenses::templateCall {
        template: ILicenses::Template::CommercialRemix,
        price: 2_000_000_000_000_000_000,
        derivativeRoyalty: 1_000,
    };
    let mut terms = client.call(LICENSES, &template).await?;
    (terms.pricing, terms.period) = (ILicenses::Pricing::Subscription, 3_600);
    let (terms, _) = client.offer_terms(owner, asset, &terms).await?;
    let (holder, user) = (tenant.address(), tenant.address());
    let purchase = ILicenses::Purchase { asset: asset.0, terms, quantity: 1, holder, user };
    let (license, _) = client.buy_license(tenant, purchase).await?;
    client.renew_license(tenant, license, 1).await?;
    let leased = client.call(LICENSES, &ILicenses::licenseCall { license }).await?;
    Ok(Timestamp(leased.expiresAt))
}

/// Buys an asset by an offer that its owner accepts, and puts it up for others, one of whom bids. Returns the bid.
pub(crate) async fn bargain(
    client: &ChainClient,
    (owner, trader): (&SigningKey, &SigningKey),
    (asset, ends_at): (AssetId, Timestamp),
) -> Outcome<Amount> {
    let thing = Thing::Asset(asset.0);
    // The coin waits on chain: an offer is as good as its price.
    let (offer, _) = client.make_offer(trader, thing, Amount::from_coins(40), ends_at).await?;
    client.cancel_offer(trader, offer).await?;
    let (offer, _) = client.make_offer(trader, thing, Amount::from_coins(45), ends_at).await?;
    client.accept_offer(owner, offer).await?;
    client.let_market_move(trader, thing).await?;
    let reserve = Amount::from_coins(50);
    let (auction, _) = client.open_auction(trader, thing, reserve, ends_at).await?;
    let (bid, _) = client.bid_least(owner, auction).await?;
    println!("auction {auction}: {bid} SAHARA so far");
    Ok(bid)
}

/// Pays an asset's own account, and has it pay somebody else, as its owner may. Returns what it keeps.
pub(crate) async fn treasury(
    client: &ChainClient,
    owner: &SigningKey,
    asset: AssetId,
) -> Outcome<Amount> {
    let account = client.asset_account(asset).await?.address;
    client.transfer(owner, account, Amount::from_coins(5)).await?;
    let (to, value) = (SigningKey::random().address(), Amount::from_coins(2));
    let call = AccountCall { to, value, ..AccountCall::default() };
    client.act_through(owner, asset, &call).await?;
    Ok(client.balance(account).await?)
}

#[tokio::main]
async fn main() -> Outcome<()> {
    let url = std::env::args().nth(1).unwrap_or_else(|| String::from("http://127.0.0.1:8545"));
    let client = ChainClient::new(&url)?;
    let [creator, buyer] = [
        SigningKey::from_mnemonic(TEST_MNEMONIC, 6)?,
        SigningKey::from_mnemonic(TEST_MNEMONIC, 7)?,
    ];
    let (dataset, model) = register(&client, &creator).await?;
    println!("dataset {dataset} and model {model}");
    let terms = license(&client, &creator, model).await?;
    let license = buy(&client, &buyer, (model, terms)).await?;
    println!("licence {license} under terms {terms}");
    let paid = sell(&client, (&creator, &buyer), model).await?;
    println!("model {model} was sold for {paid} SAHARA with its fee");
    let one = |units| Contribution { contributor: SigningKey::random().address(), units };
    let contributed = contribute(&client, (&creator, &buyer), &[one(1), one(2), one(7)]).await?;
    println!("dataset {contributed} has contributors");
    let until = lease(&client, (&creator, &buyer), dataset).await?;
    println!("dataset {dataset} is leased until {}", until.0);
    let bid = bargain(&client, (&creator, &buyer), (dataset, until)).await?;
    println!("dataset {dataset} changed hands, and is up for {bid} SAHARA");
    let kept = treasury(&client, &buyer, model).await?;
    println!("model {model} holds {kept} SAHARA of its own");
    Ok(())
}
