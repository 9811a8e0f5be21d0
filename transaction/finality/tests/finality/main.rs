//! The invariants of `specs/0001-finality.md` that need no running network; the others are tested
//! by `sahara-chain`'s simulation.

#[cfg(test)]
mod epochs;
#[cfg(test)]
mod formats;
#[cfg(test)]
mod frozen;
#[cfg(test)]
mod light;
#[cfg(test)]
mod proofs;
#[cfg(test)]
mod rules;
#[cfg(test)]
mod support;
