//! Assets' own accounts (ERC-6551): what an asset holds, and calls that it makes for its owner.
//!
//! An account has its address from the asset's registration on and receives coin, assets and licences at once; the
//! code with which it acts is placed there by whoever needs it first.

use crate::{ChainClient, ClientError, Revert, SigningKey, TxOutcome, TxRequest};
use alloy_primitives::{Address, B256, Bytes, U256, keccak256};
use alloy_sol_types::{SolCall, SolError, SolValue};
use sahara_abi::{ACCOUNT_REGISTRY, ASSET_ACCOUNT, ASSETS, IAssets};
use sahara_primitives::{Amount, AssetId};
use serde_json::json;

/// ERC-6551: places the code of an account.
const CREATE: &str = "createAccount(address,bytes32,uint256,address,uint256)";
/// ERC-6551: has an account call somebody; the last word is the operation, 0 for `CALL`.
const EXECUTE: &str = "execute(address,uint256,bytes,uint8)";

/// An asset's own account as it stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AssetAccount {
    /// The asset whose it is.
    pub asset: AssetId,
    /// Where it is.
    pub address: Address,
    /// Who acts through it: the asset's owner.
    pub owner: Address,
    /// Whether its code stands there already.
    pub has_code: bool,
    /// How often it has acted.
    pub actions: U256,
}

/// A call that an asset's own account makes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AccountCall {
    /// Who is called, or paid.
    pub to: Address,
    /// The account's coin that is sent along.
    pub value: Amount,
    /// Call data; empty to send coin only.
    pub data: Bytes,
}

fn encoded(signature: &str, parameters: &[u8]) -> Bytes {
    let hash = keccak256(signature);
    let selector = hash.iter().take(4).copied();
    selector.chain(parameters.iter().copied()).collect()
}

impl AccountCall {
    /// A typed call.
    #[must_use]
    pub fn of<C: SolCall>(to: Address, value: Amount, call: &C) -> Self {
        Self { to, value, data: call.abi_encode().into() }
    }

    /// As an account takes it from its owner.
    fn execute(&self) -> Bytes {
        let call = (self.to, self.value.base_units(), self.data.clone(), U256::ZERO);
        encoded(EXECUTE, &call.abi_encode_params())
    }

    /// The same, made by accounts that own each other, the lowest first: what the owner of the highest calls.
    fn through(&self, accounts: &[AssetAccount]) -> Self {
        accounts.iter().fold(self.clone(), |call, account| Self {
            to: account.address,
            value: Amount::ZERO,
            data: call.execute(),
        })
    }
}

impl ChainClient {
    /// An asset's own account.
    ///
    /// # Errors
    /// As [`Self::call`].
    pub async fn asset_account(&self, asset: AssetId) -> Result<AssetAccount, ClientError> {
        let address = self.call(ASSETS, &IAssets::accountOfCall { asset: asset.0 }).await?;
        let owner = self.call(ASSETS, &IAssets::ownerOfCall { tokenId: asset.into() }).await?;
        let has_code = !self.code(address).await?.is_empty();
        let actions: B256 = self.request("eth_getStorageAt", (address, "0x0", "latest")).await?;
        let actions = U256::from_be_bytes(actions.0);
        Ok(AssetAccount { asset, address, owner, has_code, actions })
    }

    /// The account of an asset and those above it, up to one that `caller` acts through; an asset may belong to
    /// another one's account.
    async fn accounts_below(
        &self,
        caller: Address,
        asset: AssetId,
    ) -> Result<Vec<AssetAccount>, ClientError> {
        let mut accounts = Vec::new();
        let mut next = asset;
        loop {
            let account = self.asset_account(next).await?;
            accounts.push(account);
            if account.owner == caller {
                return Ok(accounts);
            }
            let above = IAssets::assetOfCall { account: account.owner };
            let above = self.call(ASSETS, &above).await?;
            if above == 0 {
                return Err(refused(&accounts, caller));
            }
            next = AssetId(above);
        }
    }

    /// Runs a call of an asset's own account as its owner `from` would have it made, without sending it.
    ///
    /// # Errors
    /// As [`Self::call`]; [`IAssets::NotOwner`] for everybody but the owner.
    pub async fn try_through(
        &self,
        from: Address,
        asset: AssetId,
        call: &AccountCall,
    ) -> Result<(), ClientError> {
        let accounts = self.accounts_below(from, asset).await?;
        // Without code an account cannot be asked yet: what it would call is tried as its own.
        let with_code = accounts.iter().take_while(|account| account.has_code).count();
        let (asked, rest) = accounts.split_at(with_code);
        let from = rest.first().map_or(from, |account| account.address);
        let AccountCall { to, value, data } = call.through(asked);
        let value = value.base_units();
        let request = json!({ "from": from, "to": to, "value": value, "input": data });
        self.request::<Bytes>("eth_call", (request, "latest")).await.map(drop)
    }

    /// Has an asset's own account make a call for the asset's owner, through the accounts above it where the asset
    /// belongs to another one's. Places the accounts' code before if nobody has, each with a transaction. The
    /// outcome is that of the call.
    ///
    /// # Errors
    /// As [`Self::send`]; [`IAssets::NotOwner`] for everybody but the owner, who sends nothing.
    pub async fn act_through(
        &self,
        key: &SigningKey,
        asset: AssetId,
        call: &AccountCall,
    ) -> Result<TxOutcome, ClientError> {
        let accounts = self.accounts_below(key.address(), asset).await?;
        let chain = U256::from(self.chain_id().await?);
        for account in accounts.iter().filter(|account| !account.has_code) {
            let place = (ASSET_ACCOUNT, B256::ZERO, chain, ASSETS, U256::from(account.asset.0));
            let input = encoded(CREATE, &place.abi_encode_params());
            let to = Some(ACCOUNT_REGISTRY);
            self.send_request(key, TxRequest { to, input, ..TxRequest::default() }).await?;
        }
        let AccountCall { to, data: input, .. } = call.through(&accounts);
        self.send_request(key, TxRequest { to: Some(to), input, ..TxRequest::default() }).await
    }
}

/// The refusal of who does not own the lowest of these accounts' assets, in the registry's words.
fn refused(accounts: &[AssetAccount], caller: Address) -> ClientError {
    let Some(AssetAccount { asset, owner, .. }) = accounts.first().copied() else {
        return Revert::from_data(Bytes::new()).into();
    };
    let refused = IAssets::NotOwner { asset: asset.0, caller, owner };
    Revert::from_data(refused.abi_encode().into()).into()
}

#[cfg(test)]
mod tests {
    use super::{AccountCall, CREATE, EXECUTE, encoded};
    use alloy_primitives::{Address, bytes, hex};
    use sahara_primitives::Amount;

    #[test]
    fn calls_of_accounts_are_those_of_the_standard() {
        // ERC-6551's selectors.
        assert_eq!(encoded(EXECUTE, &[])[..], hex!("51945447"));
        assert_eq!(encoded(CREATE, &[])[..], hex!("8a54c52f"));
        let to = Address::repeat_byte(0x11);
        let call = AccountCall { to, value: Amount::from_u128(5), data: bytes!("abcd") };
        let expected = hex!(
            "51945447"
            "0000000000000000000000001111111111111111111111111111111111111111"
            "0000000000000000000000000000000000000000000000000000000000000005"
            "0000000000000000000000000000000000000000000000000000000000000080"
            "0000000000000000000000000000000000000000000000000000000000000000"
            "0000000000000000000000000000000000000000000000000000000000000002"
            "abcd000000000000000000000000000000000000000000000000000000000000"
        );
        assert_eq!(call.execute()[..], expected);
    }
}
