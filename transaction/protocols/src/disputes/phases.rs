//! Where a complaint stands: a function of its record and the time.

use super::{storage::COMPLAINTS, words::Complaint};
use crate::state::{Failure, Read, Write};
use sahara_abi::IDisputes::{self, Phase, Ruling};

/// The complaint with a number.
///
/// # Errors
/// `UnknownComplaint`.
pub(super) fn find(state: &mut impl Read, number: u64) -> Result<Complaint, Failure> {
    let index = number.checked_sub(1).ok_or_else(|| unknown(number))?;
    if index >= COMPLAINTS.len(state, ())? {
        return Err(unknown(number));
    }
    COMPLAINTS.get(state, (), index)
}

fn unknown(complaint: u64) -> Failure {
    IDisputes::UnknownComplaint { complaint }.into()
}

/// Writes a complaint back.
pub(super) fn keep(
    state: &mut impl Write,
    number: u64,
    complaint: &Complaint,
) -> Result<(), Failure> {
    COMPLAINTS.replace(state, (), number.saturating_sub(1), complaint)
}

impl Complaint {
    /// Its phase at a second, and the first second after that; 0 for the last two.
    pub(super) fn phase(&self, now: u64) -> (Phase, u64) {
        let at = |offset: u64| self.filed_at.saturating_add(offset);
        if self.is_closed {
            return (Phase::Closed, 0);
        }
        let windows = &self.windows;
        let jury = [
            (Phase::Answering, at(windows.answer)),
            (Phase::Committing, at(windows.commit_end())),
            (Phase::Revealing, at(windows.reveal_end())),
        ];
        if let Some(present) = jury.into_iter().find(|(_, end)| now < *end) {
            return present;
        }
        let is_appealed = !self.appellant.is_zero();
        if !is_appealed && now < at(windows.appeal_end()) {
            return (Phase::Appealable, at(windows.appeal_end()));
        }
        if is_appealed && self.decision.is_none() && now < at(windows.end()) {
            return (Phase::Appealed, at(windows.end()));
        }
        (Phase::Closable, 0)
    }

    /// What the jury said so far: more than half of all its seats must have said the same. A seat that stays
    /// silent is on neither side, so that silence makes no majority cheaper.
    pub(super) const fn verdict(&self) -> Ruling {
        if self.for_it.saturating_mul(2) > self.seats {
            return Ruling::Upheld;
        }
        if self.against.saturating_mul(2) > self.seats { Ruling::Dismissed } else { Ruling::Open }
    }

    /// What holds: governance's decision, otherwise the jury's.
    pub(super) const fn ruling(&self) -> Ruling {
        match self.decision {
            Some(true) => Ruling::Upheld,
            Some(false) => Ruling::Dismissed,
            None => self.verdict(),
        }
    }

    /// Whether the jury may still speak at a second.
    pub(super) const fn is_before_ruling(&self, now: u64) -> bool {
        now < self.filed_at.saturating_add(self.windows.reveal_end())
    }

    /// How much more of new income it claims at a second: before the ruling as much as its bond, unless nobody is to
    /// judge it or the asset is spared; if it was upheld, everything.
    pub(super) const fn room(&self, now: u64, spared_until: u64) -> u128 {
        if self.is_closed || now >= self.filed_at.saturating_add(self.windows.end()) {
            return 0;
        }
        if self.is_before_ruling(now) {
            let is_unjudged = self.is_drawn && self.seats == 0;
            let is_spared = now < spared_until;
            return if is_unjudged || is_spared {
                0
            } else {
                self.bond.saturating_sub(self.claimed)
            };
        }
        match self.ruling() {
            // A word of coin never overflows: all coin there is is far less.
            Ruling::Upheld => u128::MAX,
            _ => 0,
        }
    }

    /// Refuses another phase than the expected one.
    ///
    /// # Errors
    /// `WrongPhase`.
    pub(super) fn expect(&self, number: u64, now: u64, expected: Phase) -> Result<(), Failure> {
        let (phase, _) = self.phase(now);
        if phase == expected {
            return Ok(());
        }
        Err(IDisputes::WrongPhase { complaint: number, phase }.into())
    }
}
