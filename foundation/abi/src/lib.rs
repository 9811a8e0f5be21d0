//! What the chain says to the world: one Solidity interface per protocol, the EIP-712 types, the one table of addresses.
