//! What was promised in advance comes at its second and to the unit: to a claimant of the airdrop, to a member of
//! the team in the eleventh month and in the thirteenth, and, milestone by milestone, to whom a grant of the
//! incentive pool was given by a programme that a vote opened. By command, on real processes whose calendar
//! began that many months ago; a second grant goes the same way in a browser.

use alloy_primitives::U256;
use eyre::{ContextCompat, Result, ensure};
use sahara_abi::{
    IGovernance::{Rules, Settings, Setup},
    IIncentives, INCENTIVE_POOL, INCENTIVES, IVesting, TEAM, VESTING,
};
use sahara_client::{ChainClient, SigningKey, TEST_MNEMONIC};
use sahara_primitives::{Address, Amount, B256};
use sahara_scenarios::{Network, Options, node};
use serde_json::{Value, json};
use std::{
    fs,
    time::{SystemTime, UNIX_EPOCH},
};

// Accounts of the test mnemonic.
const AUTHORITY: u32 = 0;
const CLAIMANT: u32 = 1;
const MEMBER: u32 = 2;
const MANAGER: u32 = 3;
const REVIEWER: u32 = 4;
const GRANTEE: u32 = 5;
const STRANGER: u32 = 6;
const VALIDATOR: u32 = 7;

/// Where a member of the team wants its coin: nobody has anything there.
const SAVINGS: Address = Address::repeat_byte(0x5a);

/// The number of the first schedule after those of the five classes.
const FIRST_GRANT: &str = "6";

const ALLOCATION: u64 = 1_003;
const PROMISED: u64 = 999;

fn key(account: u32) -> Result<SigningKey> {
    Ok(SigningKey::from_mnemonic(TEST_MNEMONIC, account)?)
}

fn address(account: u32) -> Result<Address> {
    Ok(key(account)?.address())
}

/// Days from the beginning of 1970 to the first of a month; months are counted from January 1970.
const fn days_to(month: u64) -> u64 {
    let (mut days, mut past) = (0, 0);
    while past < month {
        days += length(past);
        past += 1;
    }
    days
}

const fn length(month: u64) -> u64 {
    let year = 1970 + month / 12;
    match month % 12 {
        1 if year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400)) => {
            29
        }
        1 => 28,
        3 | 5 | 8 | 10 => 30,
        _ => 31,
    }
}

/// The calendar of a chain whose first second was the first of a month, so many months before this one.
#[derive(Clone, Copy)]
struct Calendar {
    /// Counted from January 1970.
    first: u64,
}

impl Calendar {
    fn begun(months: u64) -> Result<Self> {
        let today = SystemTime::now().duration_since(UNIX_EPOCH)?.as_secs() / 86_400;
        let mut this = 0;
        while days_to(this + 1) <= today {
            this += 1;
        }
        Ok(Self { first: this - months })
    }

    /// The second at which so many months are over.
    const fn after(self, months: u64) -> u64 {
        days_to(self.first + months) * 86_400
    }

    /// What of `total` is free at a second: a part at once, and the rest evenly between two months.
    fn free(self, total: Amount, points: u64, (from, until): (u64, u64), second: u64) -> Amount {
        let (from, until) = (self.after(from), self.after(until));
        let total = total.base_units();
        let first = total * U256::from(points) / U256::from(10_000);
        let passed = second.clamp(from, until) - from;
        let rest = (total - first) * U256::from(passed) / U256::from(until - from);
        Amount::from_base_units(first + rest)
    }
}

/// Votes within seconds, moves on a notice of two, and a calendar that began long ago.
#[expect(clippy::indexing_slicing, reason = "a test writes what it wants")]
fn begin(genesis: &mut Value, calendar: Calendar) -> Result<()> {
    let rules = Rules {
        delay: 3,
        period: 12,
        timelock: 2,
        quorum: 3_340,
        threshold: 5_000,
        veto: 3_340,
        deposit: Amount::from_coins(1_000).base_units(),
    };
    let settings = Settings {
        patience: 2,
        grace: 3_600,
        pauseFor: 60,
        pauseRest: 600,
        guardian: Address::ZERO,
        proposalVotes: U256::ZERO,
    };
    let rules = std::array::from_fn(|_| rules.clone());
    genesis["config"]["governance"] = json!(Setup { rules, settings });
    let vesting = &mut genesis["config"]["vesting"];
    vesting["start"] = json!(calendar.after(0));
    vesting["authority"] = json!(address(AUTHORITY)?);
    vesting["notice"] = json!(2);
    vesting["window"] = json!(3_600);
    vesting["grants"] = json!([{
        "pool": TEAM, "beneficiary": address(MEMBER)?, "amount": Amount::from_coins(PROMISED),
        "delay": 0, "isRevocable": false,
    }]);
    // One validator with a stake, and blocks in twos, so that votes are counted within seconds.
    genesis["epochLength"] = json!(2);
    genesis["validators"][0]["feeAddress"] = json!(address(VALIDATOR)?);
    genesis["staking"] = json!({
        "stakes": [{
            "operator": address(VALIDATOR)?, "stake": Amount::from_coins(600_000),
            "commission": 1_000, "feeAddress": address(VALIDATOR)?,
        }],
        "parameters": {
            "epoch": 2, "unbonding": 1_814_400, "jail": 600, "seats": 100, "maxCommission": 2_000,
            "maxCommissionChange": 100, "doubleSignSlash": 500, "downtimeSlash": 100,
            "bounty": 500, "window": 100, "maxMissed": 50,
        },
    });
    Ok(())
}

struct Story {
    network: Network,
    client: ChainClient,
    calendar: Calendar,
    /// Who gets what of the airdrop.
    list: String,
    /// Something to be hashed.
    paper: String,
}

impl Story {
    fn begin(months: u64) -> Result<Self> {
        let calendar = Calendar::begun(months)?;
        let mut network = Network::start(Options { demo: false, ..Options::default() })?;
        let mut edited = Ok(());
        network.regenesis(|genesis| edited = begin(genesis, calendar))?;
        edited?;
        let client = ChainClient::new(&network.text("/rpc")?)?;
        let place = |name: &str| network.directory().join(name).display().to_string();
        let (list, paper) = (place("list.csv"), place("paper.md"));
        let lines = [CLAIMANT, STRANGER]
            .map(|account| address(account).map(|account| format!("{account},{ALLOCATION}\n")));
        fs::write(&list, lines.into_iter().collect::<Result<String>>()?)?;
        fs::write(&paper, "what was asked, and what was done")?;
        Ok(Self { network, client, calendar, list, paper })
    }

    /// A command of an account's.
    fn run(&self, arguments: &[&str], account: u32) -> Result<Value> {
        let account = account.to_string();
        self.network.sahara(&[arguments, &["--dev-account", &account]].concat())
    }

    /// What an account is told that may not do something.
    fn refused(&self, arguments: &[&str], account: u32) -> Result<String> {
        let account = account.to_string();
        let (code, error) =
            self.network.refused(&[arguments, &["--dev-account", &account]].concat())?;
        ensure!(code == 4, "{code}: {error}");
        Ok(error.to_string())
    }

    /// The second of the block that a command's transaction is in.
    async fn second_of(&self, done: &Value) -> Result<u64> {
        let hash = done.get("transaction").wrap_err_with(|| format!("{done}"))?;
        let rpc = self.network.rpc(0)?;
        let receipt = rpc.call("eth_getTransactionReceipt", json!([hash])).await?;
        let number = receipt.get("blockNumber").wrap_err("a block")?;
        let block = rpc.call("eth_getBlockByNumber", json!([number, false])).await?;
        let second = block.get("timestamp").and_then(Value::as_str).wrap_err("a time")?;
        Ok(u64::from_str_radix(second.trim_start_matches("0x"), 16)?)
    }

    /// Executes a move once its notice is over.
    async fn execute(&self, number: &str) -> Result<Value> {
        let execute = async || self.run(&["vesting", "execute", number], STRANGER).ok();
        self.network.until(&format!("move {number} is executed"), execute).await
    }

    /// What an account is told about a move once its notice is over.
    async fn too_much(&self, number: &str) -> Result<()> {
        let told = async || {
            let told = self.refused(&["vesting", "execute", number], STRANGER).ok()?;
            told.contains("that came free").then_some(())
        };
        self.network.until(&format!("move {number} is more than is free"), told).await
    }

    /// An allocation is claimed by somebody else: its account gets what is free at that second.
    async fn claim(&self) -> Result<()> {
        let root = self.network.sahara(&["airdrop", "root", &self.list])?;
        let root: B256 = serde_json::from_value(root.get("root").cloned().unwrap_or_default())?;
        let publish = IVesting::publishAirdropCall { root };
        self.client.send(&key(AUTHORITY)?, VESTING, Amount::ZERO, &publish).await?;
        let claimant = address(CLAIMANT)?;
        let before = self.client.balance(claimant).await?;
        let claimed = self.run(&["airdrop", "claim", &self.list, "0"], STRANGER)?;
        let second = self.second_of(&claimed).await?;
        let gained = self.client.balance(claimant).await?.checked_sub(before)?;
        let total = Amount::from_coins(ALLOCATION);
        assert_eq!(gained, self.calendar.free(total, 4_400, (6, 12), second));
        let again = self.refused(&["airdrop", "claim", &self.list, "0"], STRANGER)?;
        ensure!(again.contains("claimed"), "{again}");
        Ok(())
    }

    /// A programme with a budget, by an announced move and a vote.
    async fn open_programme(&self) -> Result<()> {
        let amount = Amount::from_coins(1_000).base_units();
        let (pool, to) = (INCENTIVE_POOL, INCENTIVES);
        let announce = IVesting::announceFromPoolCall { pool, to, amount };
        self.client.send(&key(AUTHORITY)?, VESTING, Amount::ZERO, &announce).await?;
        self.execute("1").await?;
        let manager = address(MANAGER)?.to_string();
        let call =
            self.network.sahara(&["award", "budget", &manager, "500", "--terms", &self.paper])?;
        let part = |name| call.get(name).and_then(Value::as_str).wrap_err("a call");
        let call = format!("{}:{}", part("target")?, part("data")?);
        self.run(&["gov", "deposit", "1000"], VALIDATOR)?;
        self.run(&["gov", "propose", "A programme", "--call", &call], VALIDATOR)?;
        self.proposal_is("active").await?;
        self.run(&["gov", "vote", "1", "for"], VALIDATOR)?;
        // The chain queues and executes it by itself.
        self.proposal_is("executed").await
    }

    async fn proposal_is(&self, state: &str) -> Result<()> {
        let there = async || {
            let shown = self.network.sahara(&["gov", "show", "1"]).ok()?;
            (shown.get("state")?.as_str()? == state).then_some(())
        };
        self.network.until(&format!("the proposal is {state}"), there).await
    }

    /// A grant of two milestones: one is delivered twice and paid, the other never; the manager takes it back.
    async fn earn_a_grant(&self) -> Result<()> {
        let paper = self.paper.as_str();
        let milestones = ["--milestone", "100@1d", "--milestone", "200@30d"];
        let propose = ["award", "propose", "1", "--proposal", paper];
        self.run(&[propose.as_slice(), &milestones].concat(), GRANTEE)?;
        let reviewer = address(REVIEWER)?.to_string();
        self.run(&["award", "approve", "1", "--reviewer", &reviewer], MANAGER)?;
        let deliver = ["award", "deliver", "1", "--evidence", paper];
        self.run(&deliver, GRANTEE)?;
        self.run(&["award", "review", "1", "reject", "--reason", paper], REVIEWER)?;
        self.run(&deliver, GRANTEE)?;
        self.refused(&["award", "review", "1", "accept"], GRANTEE)?;
        let grantee = address(GRANTEE)?;
        let before = self.client.balance(grantee).await?;
        self.run(&["award", "review", "1", "accept"], REVIEWER)?;
        let gained = self.client.balance(grantee).await?.checked_sub(before)?;
        assert_eq!(gained, Amount::from_coins(100));
        self.refused(&["award", "end", "1"], STRANGER)?;
        self.run(&["award", "end", "1"], MANAGER)?;
        let call = IIncentives::programmeCall { programme: 1 };
        let programme = self.client.call(INCENTIVES, &call).await?;
        assert_eq!(programme.left, Amount::from_coins(400).base_units(), "all but what was paid");
        assert_eq!(self.client.balance(INCENTIVES).await?, Amount::from_coins(900));
        Ok(())
    }

    /// Another is asked for, approved, delivered and paid on the governance page.
    async fn earn_a_grant_in_a_browser(&self) -> Result<()> {
        let pictures = tempfile::tempdir()?;
        let pictures = pictures.path().display().to_string();
        let (gateway, rpc) = (self.network.gateway()?, self.network.rpc(0)?.url);
        let seen = node("web.mjs", &[&gateway, &rpc, &pictures, "grants"], &[])?;
        assert_eq!(seen.get("problems"), Some(&json!([])));
        let says = |name: &str, parts: &[&str]| -> Result<()> {
            let shown = seen.pointer(&format!("/grants/{name}")).and_then(Value::as_str);
            let shown = shown.unwrap_or_default();
            let missing: Vec<_> = parts.iter().filter(|part| !shown.contains(**part)).collect();
            ensure!(missing.is_empty(), "{name} does not say {missing:?}: {shown}");
            Ok(())
        };
        says("before", &["Ended", "1 of 2 milestones paid", "300 SAHARA"])?;
        says("programme", &["#1", "500", "400"])?;
        says("after", &["Completed", "1 of 1 milestones paid", "50 SAHARA"])?;
        let call = IIncentives::programmeCall { programme: 1 };
        let programme = self.client.call(INCENTIVES, &call).await?;
        assert_eq!(programme.left, Amount::from_coins(350).base_units());
        Ok(())
    }

    fn announce(&self, coins: u64) -> Result<()> {
        let (to, coins) = (SAVINGS.to_string(), coins.to_string());
        let announce = ["vesting", "announce", FIRST_GRANT, &to, &coins];
        self.refused(&announce, STRANGER)?;
        self.run(&announce, MEMBER).map(drop)
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn in_the_eleventh_month_a_claimant_is_paid_a_grantee_earns_and_the_team_waits() -> Result<()>
{
    let story = Story::begin(11)?;
    story.claim().await?;
    story.open_programme().await?;
    story.earn_a_grant().await?;
    story.earn_a_grant_in_a_browser().await?;
    // Announced is not free: the cliff is next month.
    story.announce(1)?;
    story.too_much("2").await?;
    assert_eq!(story.client.balance(SAVINGS).await?, Amount::ZERO);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn in_the_thirteenth_month_all_of_the_airdrop_is_free_and_a_quarter_of_the_teams_coin()
-> Result<()> {
    let story = Story::begin(13)?;
    story.claim().await?;
    story.announce(249)?;
    let executed = story.execute("1").await?;
    let second = story.second_of(&executed).await?;
    assert_eq!(story.client.balance(SAVINGS).await?, Amount::from_coins(249));
    let free = story.calendar.free(Amount::from_coins(PROMISED), 2_500, (12, 48), second);
    ensure!(free > Amount::from_coins(249) && free < Amount::from_coins(PROMISED), "{free}");
    // The rest comes free by the second, until month 48.
    let call = IVesting::vestedAtCall { schedule: 6, time: second };
    assert_eq!(story.client.call(VESTING, &call).await?, free.base_units());
    story.announce(PROMISED - 249)?;
    story.too_much("2").await?;
    assert_eq!(story.client.balance(SAVINGS).await?, Amount::from_coins(249));
    Ok(())
}
