//! Parts of consensus that need no network.

#[cfg(test)]
mod guard;
#[cfg(test)]
mod leaders;
