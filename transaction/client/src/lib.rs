//! The chain seen from outside: typed calls, nonces, events, keys.
