//! State sync: what is taken is proven, what is interrupted goes on, who lies is dropped.
//! Invariants: `specs/0021-state-sync.md`.

#[cfg(test)]
mod frozen;
#[cfg(test)]
mod links;
#[cfg(test)]
mod network;
#[cfg(test)]
mod parts;
#[cfg(test)]
mod past;
#[cfg(test)]
mod rows;
#[cfg(test)]
mod serving;
#[cfg(test)]
mod world;
