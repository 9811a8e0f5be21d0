//! A vault over HTTP, beside a registry that says what the test wants.

#[cfg(test)]
mod hub;
#[cfg(test)]
mod lying;
#[cfg(test)]
mod rights;
#[cfg(test)]
#[expect(clippy::cast_possible_truncation, reason = "the tests' own numbers are small")]
mod world;
