//! Four validators in one process: over a simulated network, disk and clock, where the same seed
//! gives the same run, and over TCP as they run in a node. Invariants: `specs/0001-finality.md`.

#[cfg(test)]
mod byzantine;
#[cfg(test)]
mod clocks;
#[cfg(test)]
mod disks;
#[cfg(test)]
mod epochs;
#[cfg(test)]
mod ledger;
#[cfg(test)]
mod simulated;
#[cfg(test)]
mod tcp;
#[cfg(test)]
mod twins;
