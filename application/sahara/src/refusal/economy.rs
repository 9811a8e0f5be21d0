//! What refusals of licences, market, contributions and lineage mean, and what to do.

use super::coins;
use crate::{
    commands::license::words::{clause, missing, purposes},
    output::utc,
};
use sahara_abi::{ASSETS, IAssets, IContributions, ILicenses, IMarket};
use sahara_client::Revert;
use sahara_primitives::{Address, Amount, Timestamp, U256};

/// The words, if it is a refusal of the asset economy.
pub(super) fn words(revert: &Revert) -> Option<String> {
    lineage(revert)
        .or_else(|| terms(revert))
        .or_else(|| licence(revert))
        .or_else(|| seats(revert))
        .or_else(|| listing(revert))
        .or_else(|| waiting(revert))
        .or_else(|| contribution(revert))
}

fn at(seconds: u64) -> String {
    utc(Timestamp(seconds))
}

fn thing(collection: Address, token: U256) -> String {
    if collection == ASSETS { format!("asset {token}") } else { format!("licence {token}") }
}

fn lineage(revert: &Revert) -> Option<String> {
    if let Some(error) = revert.decode::<IAssets::RoyaltyCapExceeded>() {
        let parents: Vec<_> = error.parents.iter().map(ToString::to_string).collect();
        return Some(format!(
            "the ancestors would take {} basis points, at most {} are possible: give up parent {} to come within it",
            error.total,
            error.most,
            parents.join(", ")
        ));
    }
    if let Some(error) = revert.decode::<IAssets::NotOwner>() {
        return Some(format!(
            "asset {} belongs to {}, not to {}: name the owner's wallet with --wallet",
            error.asset, error.owner, error.caller
        ));
    }
    if let Some(error) = revert.decode::<IAssets::DerivativesRefused>() {
        let why = match error.policy {
            IAssets::Derivatives::Approval => "only with its owner's approval",
            _ => "never",
        };
        return Some(format!("asset {} lets others derive from it {why}", error.parent));
    }
    if let Some(error) = revert.decode::<IAssets::RoyaltyTooHigh>() {
        let (asked, most) = (error.derivativeRoyalty, error.most);
        return Some(format!("a derivative royalty is at most {most} basis points, not {asked}"));
    }
    if let Some(error) = revert.decode::<IAssets::InvalidRelation>() {
        let relation = crate::commands::asset_words::relation(error.relation);
        return Some(format!("an asset of this kind cannot be {relation} asset {}", error.parent));
    }
    let error = revert.decode::<IAssets::UnknownParent>()?;
    Some(format!(
        "there is no asset {} to derive from: `sahara asset list` shows all",
        error.parent
    ))
}

fn terms(revert: &Revert) -> Option<String> {
    if let Some(error) = revert.decode::<ILicenses::InvalidTerms>() {
        let (flag, value) = clause(error.clause, error.value);
        let (_, expected) = clause(error.clause, error.expected);
        return Some(format!(
            "the terms contradict themselves: --{flag} is {value}, the nearest that is allowed is {expected}"
        ));
    }
    if let Some(error) = revert.decode::<ILicenses::TermsDoNotFit>() {
        let (flag, value) = clause(error.clause, error.value);
        let (_, expected) = clause(error.clause, error.expected);
        return Some(format!(
            "the terms do not fit asset {}: --{flag} is {value}, it needs {expected}",
            error.asset
        ));
    }
    if let Some(error) = revert.decode::<ILicenses::NotAssetOwner>() {
        return Some(format!(
            "only its owner {} may do this with asset {}, not {}",
            error.owner, error.asset, error.caller
        ));
    }
    if let Some(error) = revert.decode::<ILicenses::NotOffered>() {
        return Some(format!(
            "asset {} does not offer these terms: `sahara license offers {}` shows what it does",
            error.asset, error.asset
        ));
    }
    if let Some(error) = revert.decode::<ILicenses::FreeTermsOffered>() {
        return Some(format!(
            "asset {} offers free terms already: withdraw {} first",
            error.asset, error.terms
        ));
    }
    if let Some(error) = revert.decode::<ILicenses::TermsCarried>() {
        return Some(format!(
            "asset {} derives from one with reciprocal terms: it offers {} and no others",
            error.asset, error.carried
        ));
    }
    if let Some(error) = revert.decode::<ILicenses::AlreadyOffered>() {
        return Some(format!("asset {} offers these terms already", error.asset));
    }
    let error = revert.decode::<ILicenses::UnknownTerms>()?;
    Some(format!(
        "there are no terms {}: `sahara license terms create` registers some",
        error.terms
    ))
}

fn licence(revert: &Revert) -> Option<String> {
    if let Some(error) = revert.decode::<ILicenses::RightMissing>() {
        return Some(format!(
            "{} has no right to use asset {} for {}; missing: {}",
            error.account,
            error.asset,
            purposes(error.purpose),
            missing(error.missing, error.asset)
        ));
    }
    if let Some(error) = revert.decode::<ILicenses::WrongPayment>() {
        let (sent, expected) = (coins(error.sent), coins(error.expected));
        return Some(format!("{sent} SAHARA were sent, exactly {expected} are expected"));
    }
    if let Some(error) = revert.decode::<ILicenses::WrongQuantity>() {
        return Some(format!(
            "a quantity of {} is not sold: expected {} to {}",
            error.quantity, error.least, error.most
        ));
    }
    if let Some(error) = revert.decode::<ILicenses::NotHolder>() {
        return Some(format!(
            "licence {} is held by {}, not by {}",
            error.license, error.holder, error.caller
        ));
    }
    if let Some(error) = revert.decode::<ILicenses::UsesExceeded>() {
        return Some(format!(
            "licence {} has {} uses left, {} were asked: `sahara license renew {}`",
            error.license, error.left, error.asked, error.license
        ));
    }
    if let Some(error) = revert.decode::<ILicenses::LicenseExpired>() {
        return Some(format!("licence {} has expired at {}", error.license, at(error.expiresAt)));
    }
    let (license, what) = if let Some(error) = revert.decode::<ILicenses::NotRenewable>() {
        (error.license, "cannot be renewed")
    } else if let Some(error) = revert.decode::<ILicenses::LicenseRevoked>() {
        (error.license, "was revoked")
    } else if let Some(error) = revert.decode::<ILicenses::NotRevocable>() {
        (error.license, "cannot be revoked: its terms do not allow it")
    } else if let Some(error) = revert.decode::<ILicenses::NotTransferable>() {
        (error.license, "cannot be passed on: its terms do not allow it")
    } else {
        return None;
    };
    Some(format!("licence {license} {what}"))
}

fn seats(revert: &Revert) -> Option<String> {
    if let Some(error) = revert.decode::<ILicenses::NoSeatLeft>() {
        return Some(format!(
            "all {} seats of licence {} are taken: free one with `sahara license seat free`",
            error.seats, error.license
        ));
    }
    if let Some(error) = revert.decode::<ILicenses::NotSeated>() {
        return Some(format!("{} has no seat in licence {}", error.account, error.license));
    }
    if let Some(error) = revert.decode::<ILicenses::SeatInUse>() {
        let (account, license) = (error.account, error.license);
        if error.until == u64::MAX {
            return Some(format!(
                "a gateway may still count uses of licence {license}: {account} withdraws it with \
                 `sahara license meter --forbid`, and passes the licence on a day later"
            ));
        }
        return Some(format!(
            "{account} uses its seat in licence {license}: it can be passed on from {}",
            at(error.until)
        ));
    }
    let error = revert.decode::<ILicenses::NotMeter>()?;
    Some(format!(
        "{} may not count uses of licence {}: its holder allows it with `sahara license meter`",
        error.caller, error.license
    ))
}

fn listing(revert: &Revert) -> Option<String> {
    if let Some(error) = revert.decode::<IMarket::StateChanged>() {
        let what = if error.collection == ASSETS {
            "its own account has acted or was taken from, further licences of it were offered, a complaint about it was upheld, or it changed hands"
        } else {
            "it was used, renewed or passed on"
        };
        let thing = thing(error.collection, error.tokenId);
        return Some(format!(
            "{thing} is not what was put up for sale: {what}; ask for a new listing"
        ));
    }
    if let Some(error) = revert.decode::<IMarket::NotMovable>() {
        return Some(format!(
            "{} does not own {}, or does not let the market move it",
            error.seller,
            thing(error.collection, error.tokenId)
        ));
    }
    if let Some(error) = revert.decode::<IMarket::NonceSpent>() {
        let (nonce, seller) = (error.nonce, error.seller);
        return Some(format!("the listing was sold or taken back (nonce {nonce} of {seller})"));
    }
    if let Some(error) = revert.decode::<IMarket::NoLongerOnSale>() {
        return Some(format!("the sale has ended at {}", at(error.endsAt)));
    }
    if let Some(error) = revert.decode::<IMarket::NotYetOnSale>() {
        return Some(format!("the sale begins at {}", at(error.startsAt)));
    }
    if let Some(error) = revert.decode::<IMarket::NotForCaller>() {
        return Some(format!("the listing is for {} only, not for {}", error.buyer, error.caller));
    }
    if let Some(error) = revert.decode::<IMarket::InvalidSignature>() {
        return Some(format!(
            "the listing is signed by {}, not by its seller {}",
            error.signer, error.seller
        ));
    }
    if let Some(error) = revert.decode::<IMarket::PriceTooHigh>() {
        let (asked, sent) = (coins(error.asked), coins(error.sent));
        return Some(format!("{asked} SAHARA are asked now, {sent} were sent"));
    }
    if let Some(error) = revert.decode::<IMarket::ReferralTooHigh>() {
        let (asked, most) = (error.referral, error.most);
        return Some(format!("a referral is at most {most} basis points, not {asked}"));
    }
    if let Some(error) = revert.decode::<IMarket::RefundNotPossible>() {
        let (asked, most) = (error.refundSeconds, error.most);
        return Some(if most == 0 {
            String::from("only a single licence can be returned: leave --refund out")
        } else {
            format!("a licence can be returned within at most {most} seconds, not {asked}")
        });
    }
    let error = revert.decode::<IMarket::WrongPeriod>()?;
    let (from, to, now) = (at(error.startsAt), at(error.endsAt), at(error.now_));
    Some(format!("a sale from {from} to {to} is not possible now, at {now}"))
}

fn waiting(revert: &Revert) -> Option<String> {
    if let Some(error) = revert.decode::<IMarket::BidTooLow>() {
        let (price, least) = (Amount::from_u128(error.price), Amount::from_u128(error.least));
        return Some(format!("a bid of {price} SAHARA is too low: at least {least}"));
    }
    if let Some(error) = revert.decode::<IMarket::WrongPayment>() {
        let (sent, expected) = (coins(error.sent), coins(error.expected));
        return Some(format!("{sent} SAHARA were sent, exactly {expected} are expected"));
    }
    if let Some(error) = revert.decode::<IMarket::AuctionRunning>() {
        return Some(format!("auction {} runs until {}", error.auction, at(error.endsAt)));
    }
    if let Some(error) = revert.decode::<IMarket::AuctionHasBid>() {
        let (auction, bidder) = (error.auction, error.bidder);
        return Some(format!("auction {auction} has a bid of {bidder}: it can only be settled"));
    }
    if let Some(error) = revert.decode::<IMarket::ReturnOver>() {
        let (sale, until) = (error.sale, at(error.until));
        return Some(format!("sale {sale} could be returned until {until}"));
    }
    if let Some(error) = revert.decode::<IMarket::ReturnOpen>() {
        let (sale, until) = (error.sale, at(error.until));
        return Some(format!(
            "sale {sale} can be returned until {until}: it is paid out afterwards"
        ));
    }
    if let Some(error) = revert.decode::<IMarket::NotBidder>() {
        return Some(format!("only {} may do this, not {}", error.bidder, error.caller));
    }
    let text = if let Some(error) = revert.decode::<IMarket::UnknownOffer>() {
        format!(
            "there is no offer {} that waits, or the asset changed hands whose own account made it",
            error.offer
        )
    } else if let Some(error) = revert.decode::<IMarket::UnknownAuction>() {
        format!("there is no auction {} that runs", error.auction)
    } else {
        let error = revert.decode::<IMarket::UnknownSale>()?;
        format!("there is no sale {} that can be returned", error.sale)
    };
    Some(format!("{text}: `sahara market show` shows what there is"))
}

fn contribution(revert: &Revert) -> Option<String> {
    if let Some(error) = revert.decode::<IAssets::AlreadySealed>() {
        return Some(format!(
            "asset {} is sealed: contributors are committed before, in an asset registered with --open",
            error.asset
        ));
    }
    if let Some(error) = revert.decode::<IAssets::NotSealed>() {
        return Some(format!(
            "asset {} is still open: `sahara asset seal {}` closes it, for ever",
            error.asset, error.asset
        ));
    }
    if let Some(error) = revert.decode::<IContributions::AlreadyCommitted>() {
        return Some(format!("asset {} is committed to its contributors already", error.asset));
    }
    if let Some(error) = revert.decode::<IContributions::NotCommitted>() {
        return Some(format!("asset {} is committed to no contributors", error.asset));
    }
    let error = revert.decode::<IContributions::InvalidProof>()?;
    Some(format!(
        "the proof of contribution {} does not lead to what asset {} is committed to",
        error.index, error.asset
    ))
}

#[cfg(test)]
mod tests {
    use super::words;
    use alloy_sol_types::SolError;
    use sahara_abi::{
        ASSETS,
        ILicenses::{self, Clause, Missing},
        IMarket,
    };
    use sahara_client::Revert;
    use sahara_primitives::{Address, B256, U256};

    fn said(error: &impl SolError) -> String {
        words(&Revert::from_data(error.abi_encode().into())).unwrap()
    }

    #[test]
    fn a_missing_right_says_what_to_buy() {
        let (account, missing) = (Address::ZERO, Missing::License);
        let text = said(&ILicenses::RightMissing { asset: 7, account, purpose: 6, missing });
        assert!(text.contains("training, derivative"), "{text}");
        assert!(text.contains("sahara license buy 7"), "{text}");
    }

    #[test]
    fn amounts_are_told_in_coins_and_clauses_by_their_flags() {
        let coin = 1_000_000_000_000_000_000_u128;
        let text = said(&IMarket::BidTooLow { price: coin, least: coin * 3 / 2 });
        assert_eq!(text, "a bid of 1 SAHARA is too low: at least 1.5");
        let (value, expected) = (U256::from(60), U256::from(3_600));
        let text = said(&ILicenses::InvalidTerms { clause: Clause::Period, value, expected });
        assert!(text.contains("--period is 1m, the nearest that is allowed is 1h"), "{text}");
    }

    #[test]
    fn a_drained_account_is_called_one() {
        let (state, expected) = (B256::ZERO, B256::repeat_byte(1));
        let token_id = U256::from(3);
        let error =
            IMarket::StateChanged { collection: ASSETS, tokenId: token_id, state, expected };
        let text = said(&error);
        assert!(
            text.starts_with("asset 3 is not what was put up for sale: its own account"),
            "{text}"
        );
    }
}
