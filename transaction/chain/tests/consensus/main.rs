//! Parts of consensus that need no network.

#[cfg(test)]
mod frozen;
#[cfg(test)]
mod gossip;
#[cfg(test)]
mod guard;
#[cfg(test)]
mod leaders;
