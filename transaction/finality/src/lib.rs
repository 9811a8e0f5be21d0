//! Headers, certificates, validator sets and trie proofs: what a stranger needs to verify the chain.
