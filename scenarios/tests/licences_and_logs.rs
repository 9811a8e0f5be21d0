//! An agent that is licensed by the use, and the log of its use, which its owner sells.

use alloy_primitives::U256;
use eyre::{ContextCompat, Result, ensure};
use sahara_abi::{
    ASSETS, IAssets,
    ILicenses::{self, Pricing, Purchase, Template, Terms},
    IRoyalties, LICENSES, ROYALTIES,
};
use sahara_client::{ChainClient, SigningKey, TEST_MNEMONIC};
use sahara_primitives::{Amount, B256};
use sahara_scenarios::{Network, Options};
use serde_json::{Value, json};

/// The demonstration's agent.
const AGENT: u64 = 3;

struct People {
    client: ChainClient,
    payer: SigningKey,
    owner: SigningKey,
    buyer: SigningKey,
}

impl People {
    fn of(network: &Network) -> Result<Self> {
        let key = |index| SigningKey::from_mnemonic(TEST_MNEMONIC, index);
        let client = ChainClient::new(&network.text("/rpc")?)?;
        let (payer, owner, buyer) = (key(0)?, key(3)?, key(6)?);
        ensure!(payer.address() == network.address("/accounts/payer")?, "the payer is account 0");
        ensure!(owner.address() == network.address("/accounts/agent_creator")?, "and 3 the owner");
        Ok(Self { client, payer, owner, buyer })
    }

    /// The commercial template at one SAHARA for what a pricing counts, offered by the owner.
    async fn offer(&self, asset: u64, pricing: Pricing) -> Result<B256> {
        let registered = self.client.call(ASSETS, &IAssets::assetCall { asset }).await?;
        let template = ILicenses::templateCall {
            template: Template::Commercial,
            price: Amount::ONE_COIN.to_u128().wrap_err("a coin")?,
            derivativeRoyalty: registered.derivativeRoyalty,
        };
        let template = self.client.call(LICENSES, &template).await?;
        let data = Terms { pricing, ..template };
        let call = ILicenses::termsIdCall { data: data.clone() };
        let terms = self.client.call(LICENSES, &call).await?;
        let register = ILicenses::registerTermsCall { data };
        self.client.send(&self.owner, LICENSES, Amount::ZERO, &register).await?;
        let offer = ILicenses::offerCall { asset, terms };
        self.client.send(&self.owner, LICENSES, Amount::ZERO, &offer).await?;
        Ok(terms)
    }

    async fn buy(
        &self,
        buyer: &SigningKey,
        asset: u64,
        terms: B256,
        quantity: u32,
    ) -> Result<U256> {
        let quote = ILicenses::quoteCall { terms, quantity };
        let quote = self.client.call(LICENSES, &quote).await?;
        let (holder, user) = (buyer.address(), buyer.address());
        let purchase = Purchase { asset, terms, quantity, holder, user };
        let value = Amount::from_base_units(quote.price + quote.fee);
        let call = ILicenses::buyCall { purchase };
        let bought = self.client.send(buyer, LICENSES, value, &call).await?;
        let issued = bought.events::<ILicenses::Issued>();
        Ok(issued.first().wrap_err("issued")?.data.license)
    }

    async fn uses(&self, license: U256) -> Result<u64> {
        Ok(self.client.call(LICENSES, &ILicenses::licenseCall { license }).await?.uses)
    }
}

fn receipt_id(chat: &Value) -> Result<String> {
    let id = chat.pointer("/usage/receipt").and_then(Value::as_str);
    Ok(id.wrap_err_with(|| format!("no receipt in {chat}"))?.to_owned())
}

/// The receipt with its proof, once `holds`.
async fn receipt_when(
    network: &Network,
    id: &str,
    holds: impl Fn(&Value) -> bool,
) -> Result<Value> {
    network
        .until(&format!("receipt {id} is proven"), async || {
            network.sahara(&["receipt", "get", id]).ok().filter(|receipt| holds(receipt))
        })
        .await
}

fn verify(network: &Network, receipt: &Value) -> Result<Value> {
    let file = network.directory().join("receipt.json");
    std::fs::write(&file, receipt.to_string())?;
    let (file, genesis) = (file.display().to_string(), network.genesis()?.to_string());
    network.sahara(&["receipt", "verify", &file, "--genesis", &genesis])
}

#[tokio::test(flavor = "multi_thread")]
async fn use_is_licensed_counted_and_logged_and_the_log_is_sold() -> Result<()> {
    let mut network = Network::start_with(Options::default(), &["--log-period", "5"])?;
    let people = People::of(&network)?;
    let chat = ["chat", "--max-tokens", "3", "Hello!"];

    let answer = network.sahara(&chat)?;
    logged(&network, &people, &receipt_id(&answer)?).await?;
    licensed(&network, &people, &chat).await?;

    network.stop()?;
    let recount = network.sahara(&["supply", "--recount"])?;
    ensure!(recount.get("holds") == Some(&json!(true)), "{recount}");
    Ok(())
}

/// The period closes, the log appears, the receipt proves into it, its owner sells a licence to it.
async fn logged(network: &Network, people: &People, id: &str) -> Result<()> {
    let has_log = |receipt: &Value| receipt.pointer("/bundle/log/log").is_some_and(Value::is_u64);
    let receipt = receipt_when(network, id, has_log).await?;
    let log = receipt.pointer("/bundle/log/log").and_then(Value::as_u64).wrap_err("a log")?;
    let proven = verify(network, &receipt)?;
    ensure!(proven.get("log") == Some(&json!(log)), "{proven}");
    for (field, forged) in [
        ("/bundle/log/log", json!(1)),
        ("/bundle/log/to", json!(1)),
        ("/bundle/log/claimsRoot", json!(B256::ZERO)),
    ] {
        let mut altered = receipt.clone();
        *altered.pointer_mut(field).wrap_err_with(|| format!("no {field}"))? = forged;
        ensure!(verify(network, &altered).is_err(), "a forged {field} was accepted");
    }

    let asset = people.client.call(ASSETS, &IAssets::assetCall { asset: log }).await?;
    ensure!(asset.kind == IAssets::Kind::UsageLog, "{asset:?}");
    let token_id = U256::from(log);
    let owner = || async {
        people.client.call(ASSETS, &IAssets::ownerOfCall { tokenId: token_id }).await.ok()
    };
    let expected = people.owner.address();
    network
        .until("the agent's owner has the log", async || {
            owner().await.filter(|owner| *owner == expected)
        })
        .await?;
    let edges = people.client.call(ASSETS, &IAssets::edgesCall { asset: log }).await?;
    let edge = IAssets::Edge { parent: AGENT, relation: IAssets::Relation::Records };
    ensure!(edges == vec![edge], "{edges:?}");

    let terms = people.offer(log, Pricing::Fixed).await?;
    people.buy(&people.buyer, log, terms, 1).await?;
    let payer = people.payer.address();
    for account in [expected, payer, network.address("/accounts/gateway")?] {
        let owed = IRoyalties::earnedInCall { account, asset: log };
        let paid = IRoyalties::paidToCall { account, asset: log };
        let owed = people.client.call(ROYALTIES, &owed).await?;
        let paid = people.client.call(ROYALTIES, &paid).await?;
        ensure!(!(owed + paid).is_zero(), "{account} earns nothing with the log {log}");
    }
    Ok(())
}

/// From the first offer on a stranger is refused; who buys uses is counted once for each.
async fn licensed(network: &Network, people: &People, chat: &[&str]) -> Result<()> {
    let terms = people.offer(AGENT, Pricing::PerUse).await?;
    network
        .until("the gateway asks for a licence of 1 SAHARA", async || {
            let (code, error) = network.refused(chat).ok()?;
            let message = error.get("message")?.as_str()?;
            (code == 4 && message.contains("1 SAHARA")).then_some(())
        })
        .await?;

    let license = people.buy(&people.payer, AGENT, terms, 2).await?;
    let error = network
        .until("the gateway asks to be a meter", async || {
            let (_, error) = network.refused(chat).ok()?;
            error.to_string().contains("setMeter").then_some(error)
        })
        .await?;
    let meter = network.address("/accounts/gateway")?;
    ensure!(
        error.to_string().to_lowercase().contains(&format!("{meter:?}").to_lowercase()),
        "{error}"
    );
    let call = ILicenses::setMeterCall { meter, isAllowed: true };
    people.client.send(&people.payer, LICENSES, Amount::ZERO, &call).await?;
    let answer =
        network.until("the licensed payer is served", async || network.sahara(chat).ok()).await?;
    let is_settled = |receipt: &Value| receipt.pointer("/bundle/receipt").is_some();
    let receipt = receipt_when(network, &receipt_id(&answer)?, is_settled).await?;
    ensure!(people.uses(license).await? == 1, "one request is one use");
    let proven = verify(network, &receipt)?;
    ensure!(proven.get("license") == Some(&json!(license.to::<u64>())), "{proven}");
    ensure!(proven.get("counted") == Some(&json!(1)), "{proven}");
    let asset_part = receipt.pointer("/bundle/receipt/bill/asset");
    ensure!(asset_part == Some(&json!("0x0")), "the licence covers the asset's price: {receipt}");
    Ok(())
}
