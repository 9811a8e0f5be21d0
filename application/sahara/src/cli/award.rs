//! Flags of `sahara award`.

use super::{Signer, Span};
use clap::{Args, Subcommand, ValueHint};
use sahara_primitives::{Address, Amount};
use std::path::PathBuf;

/// Who signs, and whether anything is sent.
#[derive(Args, Clone, Debug)]
pub(crate) struct Doing {
    /// Only try it: say whether it would be taken now, and send nothing.
    #[arg(long)]
    pub(crate) dry_run: bool,
    /// Who signs.
    #[command(flatten)]
    pub(crate) signer: Signer,
}

/// `sahara award`.
#[derive(Debug, Subcommand)]
pub(crate) enum Award {
    /// Programmes, and every grant, hackathon and round with where it stands.
    #[command(after_help = "Example: sahara award list")]
    List,
    /// A grant with its milestones.
    #[command(after_help = "Example: sahara award show 1")]
    Show {
        /// The grant's number in `sahara award list`.
        grant: u64,
    },
    /// The call by which a proposal gives a programme its budget.
    #[command(
        after_help = "Coin reaches programmes by an announced move from the incentive pool.\nExample: sahara award budget 0x7099...79C8 50000 --runs 365d --terms programme.md"
    )]
    Budget {
        /// Who will spend it.
        manager: Address,
        /// How much, in SAHARA.
        budget: Amount,
        /// How long it runs from now on.
        #[arg(long, default_value = "365d")]
        runs: Span,
        /// What it is for; only its keccak256 goes on chain.
        #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
        terms: PathBuf,
    },
    /// Ask a programme for a grant.
    #[command(
        after_help = "Example: sahara award propose 1 --milestone 500@30d --milestone 1500@90d --proposal plan.md --dry-run"
    )]
    Propose {
        /// The programme.
        programme: u64,
        /// SAHARA and the time from now until it is due, as 500@30d. Repeat for each, at most 16.
        #[arg(long = "milestone", value_name = "SAHARA@SPAN", required = true)]
        milestones: Vec<String>,
        /// What is proposed; only its keccak256 goes on chain.
        #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
        proposal: PathBuf,
        /// The grantee.
        #[command(flatten)]
        doing: Doing,
    },
    /// As a programme's manager, set a grant's coin aside and name who reviews it.
    #[command(after_help = "Example: sahara award approve 1 --reviewer 0x7099...79C8")]
    Approve {
        /// The grant.
        grant: u64,
        /// Who accepts milestones: not the grantee.
        #[arg(long)]
        reviewer: Address,
        /// The manager.
        #[command(flatten)]
        doing: Doing,
    },
    /// As a grantee, deliver the next milestone.
    #[command(after_help = "Example: sahara award deliver 1 --evidence release.tar.gz")]
    Deliver {
        /// The grant.
        grant: u64,
        /// What is delivered; only its keccak256 goes on chain.
        #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
        evidence: PathBuf,
        /// The grantee.
        #[command(flatten)]
        doing: Doing,
    },
    /// As a reviewer, accept a delivery, which pays it, or send it back.
    #[command(
        after_help = "A delivery that nobody reviews for 14 days is paid.\nExample: sahara award review 1 accept"
    )]
    Review {
        /// The grant.
        grant: u64,
        /// What you say.
        #[arg(value_parser = ["accept", "reject"])]
        verdict: String,
        /// Why not; only its keccak256 goes on chain.
        #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
        reason: Option<PathBuf>,
        /// The reviewer.
        #[command(flatten)]
        doing: Doing,
    },
    /// Pay a delivery that nobody reviewed for 14 days; anyone may.
    #[command(after_help = "Example: sahara award pay 1")]
    Pay {
        /// The grant.
        grant: u64,
        /// Who sends it.
        #[command(flatten)]
        doing: Doing,
    },
    /// Take back what a grant has not spent: its manager, or anyone when a milestone is overdue.
    #[command(after_help = "Example: sahara award end 1 --dry-run")]
    End {
        /// The grant.
        grant: u64,
        /// Who sends it.
        #[command(flatten)]
        doing: Doing,
    },
    /// Hackathons: open one, enter it, judge it, pay its prizes.
    #[command(subcommand)]
    Hackathon(Hackathon),
    /// Rounds by settled usage: rewards for fees that an asset's use has brought.
    #[command(subcommand)]
    Usage(Usage),
    /// Rounds of awards by a list, as for early builders.
    #[command(subcommand)]
    Round(Round),
}

/// `sahara award hackathon`.
#[derive(Debug, Subcommand)]
pub(crate) enum Hackathon {
    /// As a programme's manager, open one and set its prizes aside.
    #[command(
        after_help = "Example: sahara award hackathon open 1 --judge 0x7099...79C8 --prize 500 --prize 200 --terms rules.md"
    )]
    Open {
        /// The programme.
        programme: u64,
        /// A judge. Repeat for each, at most 16.
        #[arg(long = "judge", required = true)]
        judges: Vec<Address>,
        /// A prize in SAHARA, the first one first. Repeat for each, at most 16.
        #[arg(long = "prize", required = true)]
        prizes: Vec<Amount>,
        /// How long works are taken.
        #[arg(long, default_value = "30d")]
        submit: Span,
        /// How long judges have after that.
        #[arg(long, default_value = "14d")]
        judging: Span,
        /// What it is about; only its keccak256 goes on chain.
        #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
        terms: PathBuf,
        /// The manager.
        #[command(flatten)]
        doing: Doing,
    },
    /// Enter a work.
    #[command(after_help = "Example: sahara award hackathon enter 1 --work entry.zip")]
    Enter {
        /// The hackathon.
        hackathon: u64,
        /// The work; only its keccak256 goes on chain.
        #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
        work: PathBuf,
        /// Who enters.
        #[command(flatten)]
        doing: Doing,
    },
    /// As a judge, name the best entrants, best first.
    #[command(after_help = "Example: sahara award hackathon judge 1 0x7099...79C8 0x3c44...93bc")]
    Judge {
        /// The hackathon.
        hackathon: u64,
        /// Entrants, the best first; at most as many as there are prizes.
        #[arg(required = true)]
        ranking: Vec<Address>,
        /// The judge.
        #[command(flatten)]
        doing: Doing,
    },
    /// Pay the prizes, when all judges judged or their time is over; anyone may.
    #[command(after_help = "Example: sahara award hackathon finish 1")]
    Finish {
        /// The hackathon.
        hackathon: u64,
        /// Who sends it.
        #[command(flatten)]
        doing: Doing,
    },
}

/// `sahara award usage`.
#[derive(Debug, Subcommand)]
pub(crate) enum Usage {
    /// As a programme's manager, open a round that is divided by settled fees.
    #[command(after_help = "Example: sahara award usage open 1 1000 --counting 30d --paying 30d")]
    Open {
        /// The programme.
        programme: u64,
        /// How much at most, in SAHARA.
        total: Amount,
        /// How long owners count their fees.
        #[arg(long, default_value = "30d")]
        counting: Span,
        /// How long awards are paid after that.
        #[arg(long, default_value = "30d")]
        paying: Span,
        /// The manager.
        #[command(flatten)]
        doing: Doing,
    },
    /// As an asset's owner, count the fees that strangers paid for its use and that no round counted yet.
    #[command(after_help = "Example: sahara award usage count 1 3 --dry-run")]
    Count {
        /// The round.
        round: u64,
        /// The asset.
        asset: u64,
        /// The asset's owner.
        #[command(flatten)]
        doing: Doing,
    },
    /// When counting is over, pay an asset its part; anyone may.
    #[command(after_help = "Example: sahara award usage pay 1 3")]
    Pay {
        /// The round.
        round: u64,
        /// The asset.
        asset: u64,
        /// Who sends it.
        #[command(flatten)]
        doing: Doing,
    },
    /// Return what no asset got, when the round is over; anyone may.
    #[command(after_help = "Example: sahara award usage close 1")]
    Close {
        /// The round.
        round: u64,
        /// Who sends it.
        #[command(flatten)]
        doing: Doing,
    },
}

/// `sahara award round`.
#[derive(Debug, Subcommand)]
pub(crate) enum Round {
    /// As a programme's manager, open a round for a list of lines ACCOUNT,SAHARA.
    #[command(
        after_help = "Publish the list: claims need it.\nExample: sahara award round open 1 builders.csv --claims 90d --terms how.md"
    )]
    Open {
        /// The programme.
        programme: u64,
        /// The list.
        #[arg(value_hint = ValueHint::FilePath)]
        list: PathBuf,
        /// How long awards can be claimed.
        #[arg(long, default_value = "90d")]
        claims: Span,
        /// How the list was made; only its keccak256 goes on chain.
        #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
        terms: PathBuf,
        /// The manager.
        #[command(flatten)]
        doing: Doing,
    },
    /// Claim an award of the list for its account; anyone may.
    #[command(after_help = "Example: sahara award round claim 1 builders.csv 17 --dry-run")]
    Claim {
        /// The round.
        round: u64,
        /// The list, as it was published.
        #[arg(value_hint = ValueHint::FilePath)]
        list: PathBuf,
        /// The award's line, from 0.
        index: u64,
        /// Who sends it.
        #[command(flatten)]
        doing: Doing,
    },
    /// Return what nobody claimed, when the round is over; anyone may.
    #[command(after_help = "Example: sahara award round close 1")]
    Close {
        /// The round.
        round: u64,
        /// Who sends it.
        #[command(flatten)]
        doing: Doing,
    },
}
