//! What refusals of governance, incentives, vesting and disputes mean, and what to do.

use super::coins;
use crate::output::utc;
use sahara_abi::{
    IDisputes::{self, Phase},
    IGovernance::{self, ProposalState},
    IIncentives, IIntents, IVesting,
};
use sahara_client::Revert;
use sahara_primitives::{Timestamp, U256};

/// The words, if it is a refusal of what is decided together.
pub(super) fn words(revert: &Revert) -> Option<String> {
    proposal(revert)
        .or_else(|| dispute(revert))
        .or_else(|| award(revert))
        .or_else(|| intent(revert))
        .or_else(|| plan(revert))
}

fn at(seconds: U256) -> String {
    utc(Timestamp(seconds.saturating_to()))
}

const fn state_word(state: ProposalState) -> &'static str {
    match state {
        ProposalState::Pending => "its votes have not begun",
        ProposalState::Active => "votes are being taken",
        ProposalState::Canceled => "it was taken back",
        ProposalState::Defeated => "it was rejected",
        ProposalState::Succeeded => "it was accepted and is not queued",
        ProposalState::Queued => "it waits for its timelock",
        ProposalState::Expired => "its time to be executed is over",
        ProposalState::Executed => "it was executed",
        ProposalState::__Invalid => "its state is unknown",
    }
}

fn proposal(revert: &Revert) -> Option<String> {
    if let Some(error) = revert.decode::<IGovernance::GovernorUnexpectedProposalState>() {
        return Some(format!("not now: {}", state_word(error.current)));
    }
    if let Some(error) = revert.decode::<IGovernance::GovernorAlreadyCastVote>() {
        return Some(format!("{} has voted already, and a vote is not changed", error.voter));
    }
    if let Some(error) = revert.decode::<IGovernance::ExecutionTooEarly>() {
        return Some(format!("its timelock ends at {}", at(error.etaSeconds)));
    }
    if let Some(error) = revert.decode::<IGovernance::InsufficientDeposit>() {
        let (free, needed) = (coins(error.free), coins(error.needed));
        return Some(format!(
            "a proposal like this needs a deposit of {needed} SAHARA, {free} are there: `sahara gov deposit`"
        ));
    }
    if let Some(error) = revert.decode::<IGovernance::ProposalWouldFail>() {
        return Some(format!(
            "its call {} would be refused if it were executed now: {}",
            error.index, error.reason
        ));
    }
    if let Some(error) = revert.decode::<IGovernance::EntriesPaused>() {
        let until = utc(Timestamp(error.until));
        return Some(format!(
            "a vote or the guardian paused this until {until}; withdrawals go on"
        ));
    }
    None
}

const fn phase_word(phase: Phase) -> &'static str {
    match phase {
        Phase::Answering => "its owner may answer now",
        Phase::Committing => "jurors commit now",
        Phase::Revealing => "jurors reveal now",
        Phase::Appealable => "it can be appealed now",
        Phase::Appealed => "governance may decide it now",
        Phase::Closable => "it can only be closed now",
        Phase::Closed => "it is closed",
        Phase::__Invalid => "its phase is unknown",
    }
}

fn dispute(revert: &Revert) -> Option<String> {
    if let Some(error) = revert.decode::<IDisputes::UnknownComplaint>() {
        let number = error.complaint;
        return Some(format!("there is no complaint {number}: `sahara dispute list` shows all"));
    }
    if let Some(error) = revert.decode::<IDisputes::WrongPhase>() {
        let (number, phase) = (error.complaint, phase_word(error.phase));
        return Some(format!("not now: {phase}; `sahara dispute show {number}` shows the times"));
    }
    if let Some(error) = revert.decode::<IDisputes::AlreadyDisputed>() {
        return Some(format!(
            "your complaint {} about asset {} is open: you can file another when it is closed",
            error.complaint, error.asset
        ));
    }
    if let Some(error) = revert.decode::<IDisputes::BondTooSmall>() {
        let (bond, least) = (coins(error.bond), coins(error.least));
        return Some(format!("a bond is at least {least} SAHARA, not {bond}"));
    }
    if let Some(error) = revert.decode::<IDisputes::TooFewVotes>() {
        let (votes, needed) = (coins(error.votes), coins(error.needed));
        return Some(format!(
            "so many places need {needed} SAHARA of bonded coin, there are {votes}: `sahara stake delegate`"
        ));
    }
    if let Some(error) = revert.decode::<IDisputes::OnlyJuror>() {
        let (who, number) = (error.caller, error.complaint);
        return Some(format!("{who} is not on the jury of complaint {number}"));
    }
    if let Some(error) = revert.decode::<IDisputes::WrongReveal>() {
        return Some(format!(
            "{} committed to something else, or to nothing, or has spoken already",
            error.juror
        ));
    }
    if let Some(error) = revert.decode::<IDisputes::AssetDelisted>() {
        let asset = error.asset;
        return Some(format!("asset {asset} lost a dispute: it is not sold, licensed or built on"));
    }
    None
}

fn intent(revert: &Revert) -> Option<String> {
    if let Some(error) = revert.decode::<IIntents::UnknownAction>() {
        let action = error.action;
        return Some(format!(
            "`{action}` cannot be asked for: `sahara intent actions` lists what can"
        ));
    }
    if let Some(error) = revert.decode::<IIntents::IntentExpired>() {
        let until = utc(Timestamp(error.validUntil));
        return Some(format!("it could be brought until {until}: its account must sign a new one"));
    }
    if let Some(error) = revert.decode::<IIntents::IntentUsed>() {
        let (account, nonce) = (error.account, error.nonce);
        return Some(format!("intent {nonce} of {account} was brought already, or cancelled"));
    }
    if let Some(error) = revert.decode::<IIntents::InvalidIntentSigner>() {
        return Some(format!("{} did not sign this intent on this chain", error.account));
    }
    if let Some(error) = revert.decode::<IIntents::OnlyRelayer>() {
        return Some(format!("only {} may bring it", error.relayer));
    }
    None
}

fn award(revert: &Revert) -> Option<String> {
    if let Some(error) = revert.decode::<IIncentives::BudgetExceeded>() {
        let (amount, left) = (coins(error.amount), coins(error.left));
        return Some(format!("{amount} SAHARA are more than the {left} that are left"));
    }
    if let Some(error) = revert.decode::<IIncentives::OnlyManager>() {
        return Some(format!("{} does not manage programme {}", error.caller, error.programme));
    }
    if let Some(error) = revert.decode::<IIncentives::TooEarly>() {
        return Some(format!("not before {}", utc(Timestamp(error.from))));
    }
    if let Some(error) = revert.decode::<IIncentives::TooLate>() {
        return Some(format!("this was possible until {}", utc(Timestamp(error.until))));
    }
    if let Some(error) = revert.decode::<IIncentives::OnlyReviewer>() {
        return Some(format!("{} does not review grant {}", error.caller, error.grant));
    }
    if let Some(error) = revert.decode::<IIncentives::OnlyGrantee>() {
        return Some(format!("grant {} is not {}'s", error.grant, error.caller));
    }
    if let Some(error) = revert.decode::<IIncentives::OnlyJudge>() {
        return Some(format!("{} does not judge hackathon {}", error.caller, error.hackathon));
    }
    if let Some(error) = revert.decode::<IIncentives::OwnInterest>() {
        return Some(format!("nobody decides about coin for itself, and {} would", error.account));
    }
    if let Some(error) = revert.decode::<IIncentives::NothingDelivered>() {
        return Some(format!("nothing of grant {} waits for a review", error.grant));
    }
    if let Some(error) = revert.decode::<IIncentives::AwaitsReview>() {
        return Some(format!("a delivery of grant {} waits for its review", error.grant));
    }
    if let Some(error) = revert.decode::<IIncentives::ProgrammeOver>() {
        return Some(format!("programme {} is over: `sahara award list`", error.programme));
    }
    if let Some(error) = revert.decode::<IIncentives::NothingToAward>() {
        return Some(format!(
            "asset {} has nothing to get in round {}, or has it",
            error.asset, error.round
        ));
    }
    if let Some(error) = revert.decode::<IIncentives::NothingToCount>() {
        return Some(format!(
            "nothing new counts for asset {}: fees count once, and only those of unrelated payers",
            error.asset
        ));
    }
    award_number(revert)
}

fn award_number(revert: &Revert) -> Option<String> {
    if let Some(error) = revert.decode::<IIncentives::AlreadyAwarded>() {
        return Some(format!("award {} of round {} was paid", error.index, error.round));
    }
    if revert.decode::<IIncentives::InvalidProof>().is_some() {
        return Some(
            "the award is not in the round's list: check amount, account and index".into(),
        );
    }
    let unknown = if let Some(error) = revert.decode::<IIncentives::UnknownGrant>() {
        format!("grant {}", error.grant)
    } else if let Some(error) = revert.decode::<IIncentives::UnknownProgramme>() {
        format!("programme {}", error.programme)
    } else if let Some(error) = revert.decode::<IIncentives::UnknownHackathon>() {
        format!("hackathon {}", error.hackathon)
    } else {
        format!("round {}", revert.decode::<IIncentives::UnknownRound>()?.round)
    };
    Some(format!("there is no {unknown}: `sahara award list` shows all"))
}

fn plan(revert: &Revert) -> Option<String> {
    if let Some(error) = revert.decode::<IVesting::InvalidMove>() {
        let amount = coins(error.amount);
        return Some(format!("{amount} SAHARA cannot be moved to {}", error.to));
    }
    if revert.decode::<IVesting::NothingToRelease>().is_some() {
        return Some("nothing came free since the last release: `sahara vesting calendar`".into());
    }
    if let Some(error) = revert.decode::<IVesting::MoveTooEarly>() {
        return Some(format!("its notice ends at {}", utc(Timestamp(error.executableAt))));
    }
    if let Some(error) = revert.decode::<IVesting::MoveExpired>() {
        let at = utc(Timestamp(error.expiresAt));
        return Some(format!("it could be executed until {at}: announce it again"));
    }
    if let Some(error) = revert.decode::<IVesting::InsufficientUnlocked>() {
        let (amount, free) = (coins(error.amount), coins(error.unlocked));
        return Some(format!("{amount} SAHARA are more than the {free} that came free"));
    }
    if let Some(error) = revert.decode::<IVesting::AirdropNotOpen>() {
        return Some(format!("claims begin at {}", utc(Timestamp(error.opens))));
    }
    if let Some(error) = revert.decode::<IVesting::AirdropOver>() {
        return Some(format!("claims ended at {}", utc(Timestamp(error.closes))));
    }
    if let Some(error) = revert.decode::<IVesting::AlreadyClaimed>() {
        return Some(format!("allocation {} was claimed", error.index));
    }
    if let Some(error) = revert.decode::<IVesting::InvalidAirdropProof>() {
        return Some(format!(
            "allocation {} with this account and amount is not in the airdrop's list",
            error.index
        ));
    }
    None
}
