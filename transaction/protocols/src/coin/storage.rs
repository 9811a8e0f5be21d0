//! The slots.

use crate::storage::{Map, storage};
use alloy_primitives::{Address, B256, U256};
use sahara_abi::COIN;

storage! { COIN:
    /// What a spender may move, by the owner's name (`assets::giver`) and the spender; the highest number means without limit.
    ALLOWANCES: Map<(Address, Address), U256> = 0;
    /// Permits used, by owner.
    NONCES: Map<Address, U256> = 1;
    /// EIP-3009: nonces used or cancelled, by `(authorizer, nonce)`.
    AUTHORIZATIONS: Map<(Address, B256), bool> = 2;
}
