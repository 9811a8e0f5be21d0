//! Counting: what votes decide. Pure.

use super::{parameters::Rules, words::Tally};

/// Kinds of support, by their numbers: Governor Bravo's, and veto.
pub(super) const COUNTING_MODE: &str =
    "support=bravo,veto&quorum=against,for,abstain,veto&overridable=true";

/// The number of support of a vote for.
pub const IN_FAVOUR: u8 = 1;
/// The number of support of a veto.
pub const VETO: u8 = 3;

/// What a vote decided.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Too few voted; their vetoes do not count either.
    NoQuorum,
    /// It is rejected, and the deposit with it.
    Vetoed,
    /// It is rejected.
    Rejected,
    /// It is accepted.
    Passed,
}

/// `votes * 10,000` against `points` of `all`; bonded coin is below 2^96.
const fn scaled(votes: u128, points: u16, all: u128) -> (u128, u128) {
    #[expect(clippy::as_conversions, reason = "u16 to u128, in a constant function")]
    let points = points as u128;
    (votes.saturating_mul(10_000), all.saturating_mul(points))
}

impl Tally {
    /// All votes.
    pub(crate) fn cast(&self) -> u128 {
        self.votes.iter().fold(0, |sum, votes| sum.saturating_add(*votes))
    }

    /// What the votes so far decide under `rules`.
    pub(crate) fn verdict(&self, rules: &Rules) -> Verdict {
        let [_, in_favour, abstained, vetoed] = self.votes;
        let cast = self.cast();
        let (has, needs) = scaled(cast, rules.quorum, self.all);
        if has < needs || cast == 0 {
            return Verdict::NoQuorum;
        }
        let (has, bound) = scaled(vetoed, rules.veto, cast);
        if has > bound {
            return Verdict::Vetoed;
        }
        let (has, bound) = scaled(in_favour, rules.threshold, cast.saturating_sub(abstained));
        if has > bound { Verdict::Passed } else { Verdict::Rejected }
    }
}

/// The least number of votes that `points` of `all` are.
pub(super) const fn quorum(all: u128, points: u16) -> u128 {
    let (_, needs) = scaled(0, points, all);
    needs.div_ceil(10_000)
}
