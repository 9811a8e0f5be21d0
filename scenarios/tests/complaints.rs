//! Complaints on a running network, by command, with times of seconds out of genesis: about stolen data, which a
//! jury of drawn stakers upholds; about the same, by a friend of the thief's who holds more and proves nothing; and
//! about an honest asset. To the unit: what is held, who gets it, what the losers pay, what comes of the assets.

use alloy_primitives::{U256, aliases::U96};
use eyre::{ContextCompat, Result, ensure};
use sahara_abi::{
    ASSETS, DISPUTES, IAssets,
    IDisputes::{self, Phase},
    IRoyalties, ROYALTIES,
};
use sahara_client::{ChainClient, Filter, SigningKey, TEST_MNEMONIC};
use sahara_primitives::{Address, Amount, B256, BlockNumber};
use sahara_scenarios::{Network, Options};
use serde_json::{Value, json};
use std::fs;

// Accounts of the test mnemonic.
const PAYER: u32 = 0;
const OWNER: u32 = 1;
const VICTIM: u32 = 2;
const RIVAL: u32 = 3;
const STRANGER: u32 = 6;
const FRIEND: u32 = 7;
const JURORS: std::ops::Range<u32> = 11..17;

/// Long enough for every command of a window, on a machine that does other things as well.
#[expect(clippy::indexing_slicing, reason = "a test writes what it wants")]
fn short(genesis: &mut Value) {
    let coins = |coins: u64| Amount::from_coins(coins).base_units();
    genesis["config"]["disputes"] = json!(IDisputes::Parameters {
        answer: 30,
        commit: 60,
        reveal: 60,
        appeal: 20,
        decision: 5,
        leastBond: coins(50),
        seatFee: coins(3),
        place: coins(500),
    });
}

fn dataset(number: u8) -> IAssets::Registration {
    IAssets::Registration {
        kind: IAssets::Kind::Dataset,
        contentHash: B256::repeat_byte(number),
        metadataURI: format!("data:application/json,{{\"name\":\"letters {number}\"}}"),
        inputPrice: 0,
        outputPrice: 0,
        derivativeRoyalty: 1_000,
        derivatives: IAssets::Derivatives::Open,
        edges: Vec::new(),
        members: Vec::new(),
        ownerUnits: U96::ZERO,
        isOpen: false,
    }
}

fn key(account: u32) -> Result<SigningKey> {
    Ok(SigningKey::from_mnemonic(TEST_MNEMONIC, account)?)
}

fn address(account: u32) -> Result<Address> {
    Ok(key(account)?.address())
}

/// Tenths of a coin.
fn tenths(tenths: u64) -> Amount {
    Amount::from_base_units(Amount::from_coins(tenths).base_units() / U256::from(10))
}

/// A running network with jurors and two assets.
struct Story {
    network: Network,
    client: ChainClient,
    /// A file.
    evidence: String,
    stolen: u64,
    honest: u64,
}

impl Story {
    async fn begin() -> Result<Self> {
        let mut network = Network::start(Options { demo: false, ..Options::default() })?;
        network.regenesis(short)?;
        let client = ChainClient::new(&network.text("/rpc")?)?;
        let evidence = network.directory().join("evidence.txt");
        fs::write(&evidence, "a letter")?;
        let evidence = evidence.display().to_string();
        let mut story = Self { network, client, evidence, stolen: 0, honest: 0 };
        story.enlist().await?;
        story.stolen = story.register(1).await?;
        story.honest = story.register(2).await?;
        Ok(story)
    }

    /// A command of an account's.
    fn dispute(&self, arguments: &[&str], account: u32) -> Result<Value> {
        let account = account.to_string();
        self.network.sahara(&[&["dispute"], arguments, &["--dev-account", &account]].concat())
    }

    /// What an account is told that may not do something.
    fn refused(&self, arguments: &[&str], account: u32) -> Result<String> {
        let account = account.to_string();
        let arguments = [&["dispute"], arguments, &["--dev-account", &account]].concat();
        let (code, error) = self.network.refused(&arguments)?;
        ensure!(code == 4, "{code}: {error}");
        Ok(error.to_string())
    }

    /// The timestamp of the last block.
    async fn now(&self) -> Option<u64> {
        let asked = json!(["latest", false]);
        let block = self.network.rpc(0).ok()?.call("eth_getBlockByNumber", asked).await.ok()?;
        let time = block.get("timestamp")?.as_str()?.trim_start_matches("0x").to_owned();
        u64::from_str_radix(&time, 16).ok()
    }

    /// Six stakers with a place each, who stood in an earlier second than any filing.
    async fn enlist(&self) -> Result<()> {
        let validator = self.network.text("/accounts/validator_0")?;
        for juror in JURORS {
            let coins = Amount::from_coins(600);
            self.client.transfer(&key(PAYER)?, address(juror)?, coins).await?;
            let account = juror.to_string();
            let delegate = ["stake", "delegate", &validator, "500", "--dev-account", &account];
            self.network.sahara(&delegate)?;
            self.dispute(&["enlist", "1"], juror)?;
            let told = self.refused(&["enlist", "1"], juror)?;
            ensure!(told.contains("need 1000 SAHARA of bonded coin"), "{told}");
        }
        let enlisted = self.now().await.wrap_err("a block")?;
        let later = async || self.now().await.filter(|now| *now > enlisted);
        self.network.until("a second has passed", later).await.map(drop)
    }

    async fn register(&self, number: u8) -> Result<u64> {
        let call = IAssets::registerCall { registration: dataset(number) };
        let outcome = self.client.send(&key(OWNER)?, ASSETS, Amount::ZERO, &call).await?;
        let registered = outcome.events::<IAssets::Registered>();
        Ok(registered.first().wrap_err("registered")?.data.asset)
    }

    /// Pays for a use; returns the block.
    async fn pay(&self, asset: u64, coins: u64) -> Result<u64> {
        let (payer, coins) = (key(PAYER)?, Amount::from_coins(coins));
        let call = IRoyalties::payCall { asset };
        Ok(self.client.send(&payer, ROYALTIES, coins, &call).await?.block_number)
    }

    fn file(&self, asset: u64, account: u32, bond: &str, asked: &[&str]) -> Result<u64> {
        let asset = asset.to_string();
        let file = ["file", &asset, "--ground", "stolen-data", "--evidence", &self.evidence];
        let filed = self.dispute(&[file.as_slice(), &["--bond", bond], asked].concat(), account)?;
        filed.get("complaint").and_then(Value::as_u64).wrap_err_with(|| format!("{filed}"))
    }

    /// What an account has more after a block than before it.
    async fn gained(&self, account: Address, block: u64) -> Result<Amount> {
        let before = BlockNumber(block.saturating_sub(1));
        let before = self.client.balance_at(account, before).await?;
        Ok(self.client.balance_at(account, BlockNumber(block)).await?.checked_sub(before)?)
    }

    async fn reaches(&self, complaint: u64, phase: Phase) -> Result<IDisputes::Complaint> {
        let call = IDisputes::complaintCall { complaint };
        let there = async || {
            let shown = self.client.call(DISPUTES, &call).await.ok()?;
            (shown.phase == phase).then_some(shown)
        };
        self.network.until(&format!("complaint {complaint} is {phase:?}"), there).await
    }

    /// Who sits on a jury, by account, once it was drawn.
    async fn jury(&self, complaint: u64) -> Result<Vec<(u32, u32)>> {
        let call = IDisputes::juryCall { complaint };
        let drawn = async || {
            let jurors = self.client.call(DISPUTES, &call).await.ok()?;
            (!jurors.is_empty()).then_some(jurors)
        };
        let drawn = self.network.until("a jury is drawn", drawn).await?;
        let seats: u32 = drawn.iter().map(|juror| juror.seats).sum();
        ensure!(drawn.len() >= 5 && seats == 7, "{drawn:?}");
        let known = JURORS.map(|juror| Ok((juror, address(juror)?))).collect::<Result<Vec<_>>>()?;
        let of = |juror: &IDisputes::Juror| {
            let known = known.iter().find(|(_, account)| *account == juror.account);
            known.map(|(number, _)| (*number, juror.seats)).wrap_err("somebody else sits")
        };
        drawn.iter().map(of).collect()
    }

    /// Closes a complaint as nobody concerned; returns the block.
    fn close(&self, complaint: &str) -> Result<u64> {
        let closed = self.dispute(&["close", complaint], STRANGER)?;
        closed.get("block").and_then(Value::as_u64).wrap_err_with(|| format!("{closed}"))
    }
}

/// What is filed, answered and held; returns the complaints: the friend's, the victim's and the rival's.
async fn filed(story: &Story) -> Result<[u64; 3]> {
    let (owner, victim) = (address(OWNER)?, address(VICTIM)?);
    let rules = story.network.sahara(&["dispute", "rules"])?;
    ensure!(rules.get("answer") == Some(&json!(30)), "{rules}");
    let asset = story.stolen.to_string();
    let file = ["file", &asset, "--ground", "stolen-data", "--evidence", &story.evidence];
    let told = story.refused(&[file.as_slice(), &["--bond", "49"]].concat(), VICTIM)?;
    ensure!(told.contains("a bond is at least 50 SAHARA, not 49"), "{told}");

    // What came before is nobody's business.
    let paid = story.pay(story.stolen, 7).await?;
    ensure!(story.gained(owner, paid).await? == Amount::from_coins(7), "her income");
    let share = format!("{victim}=4000");
    let sham = story.file(story.stolen, FRIEND, "200", &[])?;
    let stolen = story.file(story.stolen, VICTIM, "100", &["--share", &share, "--delist"])?;
    // First of all, as the time to answer runs.
    let number = stolen.to_string();
    story.dispute(&["answer", &number, "--evidence", &story.evidence], OWNER)?;
    ensure!(story.reaches(stolen, Phase::Answering).await?.answerer == owner, "she answered");
    let honest = story.file(story.honest, RIVAL, "100", &["--delist"])?;
    let again = ["file", &asset, "--ground", "stolen-data", "--evidence", &story.evidence];
    let told = story.refused(&again, VICTIM)?;
    ensure!(
        told.contains(&format!("your complaint {stolen} about asset {asset} is open")),
        "{told}"
    );

    // At most the bond is held, of this asset only, and once what both claim.
    for (asset, coins, income, held) in
        [(story.stolen, 30, 0, 30), (story.stolen, 200, 30, 170), (story.honest, 40, 0, 40)]
    {
        let paid = story.pay(asset, coins).await?;
        let got = [story.gained(owner, paid).await?, story.gained(DISPUTES, paid).await?];
        ensure!(got == [income, held].map(Amount::from_coins), "{asset} {coins}: {got:?}");
    }
    for (complaint, held) in [(sham, 200), (stolen, 100), (honest, 40)] {
        let shown = story.network.sahara(&["dispute", "show", &complaint.to_string()])?;
        let held = Amount::from_coins(held);
        ensure!(shown.get("held") == Some(&json!(held)), "{complaint} claims {held}: {shown}");
    }
    Ok([sham, stolen, honest])
}

/// A complaint, whether the jury upholds it, and who sits.
type Sitting = (u64, bool, Vec<(u32, u32)>);

/// The first of a jury by command, the others with the calls that it makes: a window is the chain's time,
/// and a busy machine starts few programs in it.
async fn all_do(story: &Story, step: &str, (complaint, is_upheld, jury): &Sitting) -> Result<()> {
    let mut jurors = jury.iter().map(|(juror, _)| *juror);
    let (first, number) = (jurors.next().wrap_err("a juror")?, complaint.to_string());
    let verdict = if *is_upheld { "uphold" } else { "dismiss" };
    story.dispute(&[step, &number, verdict], first)?;
    for juror in jurors {
        does(story, step, (*complaint, *is_upheld), juror).await?;
    }
    Ok(())
}

async fn does(
    story: &Story,
    step: &str,
    (complaint, is_upheld): (u64, bool),
    juror: u32,
) -> Result<()> {
    let (key, salt) = (key(juror)?, B256::repeat_byte(0x5a));
    if step == "reveal" {
        let call = IDisputes::revealCall { complaint, isUpheld: is_upheld, salt };
        story.client.send(&key, DISPUTES, Amount::ZERO, &call).await?;
        return Ok(());
    }
    let juror = key.address();
    let asked = IDisputes::commitmentOfCall { complaint, juror, isUpheld: is_upheld, salt };
    let commitment = story.client.call(DISPUTES, &asked).await?;
    let call = IDisputes::commitCall { complaint, commitment };
    story.client.send(&key, DISPUTES, Amount::ZERO, &call).await?;
    Ok(())
}

/// Jurors say yes to the second complaint and no to the others; returns the second's.
async fn ruled(story: &Story, complaints: [u64; 3]) -> Result<Vec<(u32, u32)>> {
    let [_, stolen, last] = complaints;
    let mut juries: Vec<Sitting> = Vec::new();
    for complaint in complaints {
        juries.push((complaint, complaint == stolen, story.jury(complaint).await?));
    }
    story.reaches(last, Phase::Committing).await?;
    let told = story.refused(&["commit", &stolen.to_string(), "uphold"], STRANGER)?;
    ensure!(told.contains("is not on the jury"), "{told}");
    for sitting in &juries {
        all_do(story, "commit", sitting).await?;
    }
    for complaint in complaints {
        story.reaches(complaint, Phase::Revealing).await?;
    }
    let (_, _, jury) = juries.get(1).cloned().wrap_err("the second jury")?;
    let (liar, _) = jury.first().wrap_err("a juror")?;
    let told = story.refused(&["reveal", &stolen.to_string(), "dismiss"], *liar)?;
    ensure!(told.contains("committed to something else"), "{told}");
    for sitting in &juries {
        all_do(story, "reveal", sitting).await?;
    }
    Ok(jury)
}

/// The friend loses half of its bond to the owner; the victim's claims stay.
async fn shields_nothing(story: &Story, complaint: u64) -> Result<()> {
    let owner = address(OWNER)?;
    story.reaches(complaint, Phase::Closable).await?;
    let block = story.close(&complaint.to_string())?;
    let got = story.gained(owner, block).await?;
    ensure!(got == tenths(895 + 1_000), "the owner got {got}");
    Ok(())
}

/// Upheld: everything is held until the end, and is the victim's with both bonds, less the jury's fee.
async fn upheld(story: &Story, [sham, complaint]: [u64; 2], jury: &[(u32, u32)]) -> Result<()> {
    let (owner, victim) = (address(OWNER)?, address(VICTIM)?);
    story.reaches(complaint, Phase::Appealable).await?;
    let paid = story.pay(story.stolen, 5).await?;
    ensure!(story.gained(DISPUTES, paid).await? == Amount::from_coins(5), "after the ruling all");
    shields_nothing(story, sham).await?;
    story.reaches(complaint, Phase::Closable).await?;
    let block = story.close(&complaint.to_string())?;
    let won = story.gained(victim, block).await?;
    ensure!(won == Amount::from_coins(100 - 21 + 100 + 30 + 70 + 5), "the victim got {won}");
    ensure!(story.gained(owner, block).await?.is_zero(), "and the owner nothing");
    // Jurors' balances also get what their stake earns in the same block.
    let filter = Filter::new().address(DISPUTES).from_block(block).to_block(block);
    let logs = story.client.logs(&filter).await?;
    let mut fees: Vec<_> = logs
        .iter()
        .filter_map(|log| log.log_decode::<IDisputes::JurorPaid>().ok())
        .map(|log| (log.inner.data.juror, Amount::from_base_units(log.inner.data.amount)))
        .collect();
    let due = jury
        .iter()
        .map(|(juror, seats)| Ok((address(*juror)?, Amount::from_coins(u64::from(*seats) * 3))));
    let mut due = due.collect::<Result<Vec<_>>>()?;
    fees.sort();
    due.sort();
    ensure!(fees == due, "jurors got {fees:?}, not {due:?}");
    let shown = story.network.sahara(&["dispute", "show", &complaint.to_string()])?;
    ensure!(shown.get("ruling") == Some(&json!("upheld")), "{shown}");
    ensure!(shown.get("phase") == Some(&json!("closed")), "{shown}");

    // Corrected for the future, and no longer built on.
    let paid = story.pay(story.stolen, 10).await?;
    ensure!(story.gained(victim, paid).await? == Amount::from_coins(4), "four tenths");
    ensure!(story.gained(owner, paid).await? == Amount::from_coins(6), "six tenths");
    let edge = IAssets::Edge { parent: story.stolen, relation: IAssets::Relation::TrainedOn };
    let registration =
        IAssets::Registration { kind: IAssets::Kind::Model, edges: vec![edge], ..dataset(3) };
    let call = IAssets::registerCall { registration };
    let built = story.client.send(&key(STRANGER)?, ASSETS, Amount::ZERO, &call).await;
    let told = built.err().wrap_err("a delisted asset was built on")?.to_string();
    ensure!(told.contains("AssetDelisted"), "{told}");
    Ok(())
}

/// Dismissed: what was held is the owner's with half of what is left of the bond.
async fn dismissed(story: &Story, complaint: u64) -> Result<()> {
    let (owner, rival) = (address(OWNER)?, address(RIVAL)?);
    story.reaches(complaint, Phase::Closable).await?;
    let block = story.close(&complaint.to_string())?;
    let got = story.gained(owner, block).await?;
    ensure!(got == tenths(395 + 400), "the owner got {got}");
    ensure!(story.gained(rival, block).await?.is_zero(), "the bond is lost");
    let paid = story.pay(story.honest, 10).await?;
    ensure!(story.gained(owner, paid).await? == Amount::from_coins(10), "as before");
    let left = story.client.balance(DISPUTES).await?;
    ensure!(left.is_zero(), "nothing is left: {left}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_jury_of_stakers_upholds_one_complaint_and_dismisses_others() -> Result<()> {
    let mut story = Story::begin().await?;
    let complaints = filed(&story).await?;
    let jury = ruled(&story, complaints).await?;
    let [sham, stolen, honest] = complaints;
    upheld(&story, [sham, stolen], &jury).await?;
    dismissed(&story, honest).await?;
    story.network.stop()?;
    let recount = story.network.sahara(&["supply", "--recount"])?;
    ensure!(recount.get("holds") == Some(&json!(true)), "{recount}");
    Ok(())
}
