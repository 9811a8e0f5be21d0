//! Intents: what an account without coin signs, and anybody brings.
//!
//! # Model
//! Who has earned and holds no coin cannot pay for gas. It signs an *intent*: one of a closed list of
//! [actions](actions::ACTIONS), with its arguments. Whoever brings it pays the gas of the transaction; the
//! action is done as if the account had called it, and the bringer is repaid at the block's base fee out of
//! what the action yielded, never more. What an action yields is the rise of the account's balance while
//! it was done, so no account is poorer for a fee. For actions that yield no coin a *sponsor* lets a relayer
//! of its choice be repaid from a budget, within limits for each intent and each day.
//!
//! # What is repaid
//! The gas of the call as the machine counts it, less what will be given back; where the call is all that
//! its transaction does, also what the transaction costs by itself. So a relayer never earns by
//! relaying, whatever it relays, and cannot farm a budget.
//!
//! # Invariants (`specs/0022-intents.md`)
//! - I1 The account's coin is the budgets.
//! - I2 An intent acts once, in its time, as its account signed it; one that fails changes nothing.
//! - I3 A fee is at most what the intent names and what its action yielded.
//! - I4 A relayer is repaid at most what its transaction paid as base fee.
//! - I5 A budget pays its relayer only, at most its limits.

mod actions;
mod budgets;
mod dispatch;
mod relaying;
mod storage;
#[cfg(test)]
mod tests;
mod words;

pub(crate) use dispatch::call;
pub(crate) use storage::LAYOUT;
pub(crate) use storage::liability;
