//! [`Plan`]: the schedules as genesis writes them.

use super::{
    Grant,
    calendar::add_months,
    curve::{Curve, CurveWord, Times},
    grants::grant,
    storage::{AUTHORITY, BOUND, CURVES, ROOT, SCHEDULES, SETTINGS, STEPS},
    words::{POOLS, Schedule, Settings},
};
use crate::state::{Failure, Write};
use alloy_primitives::{Address, B256, U256};
use sahara_abi::{COMMUNITY, INCENTIVE_POOL};
use sahara_primitives::{Amount, BasisPoints, Timestamp};

/// What of the airdrop is free at once: 44 %.
const AIRDROP_AT_ONCE: BasisPoints = BasisPoints::constant(4_400);
/// Months until the rest of the airdrop begins to come free, until it is all free, and until claims
/// close.
const AIRDROP_MONTHS: [u64; 3] = [6, 12, 15];
/// What of the team's and investors' coin is free at the cliff: 25 %.
const CLIFF_PART: BasisPoints = BasisPoints::constant(2_500);
/// Months until the cliff.
const CLIFF_MONTHS: u64 = 12;
/// Months until everything is free.
const MONTHS: u64 = 48;

/// A beneficiary named in genesis.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PlannedGrant {
    /// The pool of the class: the team's or the investors'.
    pub pool: Address,
    /// Whose it is.
    pub beneficiary: Address,
    /// How much.
    pub amount: Amount,
    /// Seconds after the class's curve.
    pub delay: u64,
    /// Whether the authority may end it.
    pub is_revocable: bool,
}

/// Everything that genesis says about vesting.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Plan {
    /// When the calendar begins.
    pub start: Timestamp,
    /// Who grants, revokes, and announces moves from pools.
    pub authority: Address,
    /// Seconds between an announcement and the first moment of its execution.
    pub notice: u64,
    /// Seconds in which an announced move may be executed.
    pub window: u64,
    /// The root of the airdrop's leaves; zero: it is published later.
    pub airdrop_root: B256,
    /// What the pools hold, in the order airdrop, community, incentive pool, team, investors.
    pub classes: [Amount; 5],
    /// Beneficiaries of the team's and the investors' coin.
    pub grants: Vec<PlannedGrant>,
}

/// Why a plan cannot be written.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PlanError {
    /// A grant was refused.
    #[error(
        "grant {index} of the genesis plan is refused: expected a beneficiary with a key and \
             an amount that its class still has"
    )]
    Grant {
        /// Its place in the list.
        index: usize,
    },
    /// The state could not be written.
    #[error("the genesis plan does not fit its storage: {0}")]
    Storage(String),
}

fn broken(failure: &Failure) -> PlanError {
    PlanError::Storage(format!("{failure:?}"))
}

impl Plan {
    /// The curves of the five pools, in their order.
    pub fn curves(&self) -> [Curve; 5] {
        let after = |months| add_months(self.start, months);
        let [later, all, _] = AIRDROP_MONTHS;
        let airdrop = Curve {
            cliff: self.start,
            start: after(later),
            end: after(all),
            at_cliff: AIRDROP_AT_ONCE,
            steps: Vec::new(),
        };
        let monthly = Curve::stepped((1..=MONTHS).map(after).collect());
        let cliff = after(CLIFF_MONTHS);
        let insiders = Curve {
            cliff,
            start: cliff,
            end: after(MONTHS),
            at_cliff: CLIFF_PART,
            steps: Vec::new(),
        };
        [airdrop, monthly.clone(), monthly, insiders.clone(), insiders]
    }

    /// The first second at which the airdrop takes no claims any more.
    pub fn airdrop_closes(&self) -> Timestamp {
        let [_, _, months] = AIRDROP_MONTHS;
        add_months(self.start, months)
    }
}

/// Writes a plan into a state in which nothing of this protocol stands yet.
///
/// # Errors
/// See [`PlanError`].
pub fn found(state: &mut impl Write, plan: &Plan) -> Result<(), PlanError> {
    write(state, plan).map_err(|failure| broken(&failure))?;
    for (index, planned) in plan.grants.iter().enumerate() {
        let PlannedGrant { pool, beneficiary, amount, delay, is_revocable } = *planned;
        let given = Grant { pool, beneficiary, amount, delay, is_revocable };
        grant(state, plan.authority, &given).map_err(|failure| match failure {
            Failure::Revert(_) => PlanError::Grant { index },
            other => broken(&other),
        })?;
    }
    Ok(())
}

fn write(state: &mut impl Write, plan: &Plan) -> Result<(), Failure> {
    let (opens, closes) = (plan.start, plan.airdrop_closes());
    let Plan { notice, window, authority, airdrop_root, .. } = *plan;
    SETTINGS.update(state, |settings| {
        *settings = Settings { notice, window, opens, closes };
        Ok(())
    })?;
    AUTHORITY.update(state, |stored| {
        *stored = authority;
        Ok(())
    })?;
    ROOT.update(state, |root| {
        *root = airdrop_root;
        Ok(())
    })?;
    for ((pool, curve), amount) in (0_u8..).zip(plan.curves()).zip(plan.classes) {
        write_curve(state, u32::from(pool), &curve)?;
        let account = POOLS.get(usize::from(pool)).copied().unwrap_or_default();
        let is_in_place = account == COMMUNITY || account == INCENTIVE_POOL;
        let total = amount.to_u128().unwrap_or(u128::MAX);
        let class = Schedule {
            total,
            curve: u16::from(pool),
            pool,
            beneficiary: if is_in_place { account } else { Address::ZERO },
            ..Schedule::default()
        };
        SCHEDULES.push(state, (), &class)?;
        let bound = if is_in_place { U256::ZERO } else { U256::from(total) };
        BOUND.set(state, u32::from(pool), &bound)?;
    }
    Ok(())
}

fn write_curve(state: &mut impl Write, number: u32, curve: &Curve) -> Result<(), Failure> {
    let steps = u16::try_from(curve.steps.len())
        .map_err(|_| Failure::Fatal("a curve has too many steps".into()))?;
    let Curve { cliff, start, end, at_cliff, .. } = *curve;
    CURVES.set(state, number, &CurveWord { cliff, start, end, at_cliff, steps })?;
    for (word, four) in (0_u32..).zip(curve.steps.chunks(4)) {
        let mut times = Times::default();
        for (place, step) in times.0.iter_mut().zip(four) {
            *place = step.0;
        }
        STEPS.set(state, (number, word), &times)?;
    }
    Ok(())
}
