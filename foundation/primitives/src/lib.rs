//! Money, time, identifiers, usage and domain-separated hashes: pure values that every layer shares.
