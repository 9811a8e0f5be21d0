//! [`Registry`]: what a vault asks the chain, in final state.

use crate::error::VaultError;
use futures::{FutureExt, future::BoxFuture};
use sahara_abi::{
    ASSETS, DISPUTES,
    IAssets::{self, Derivatives, Kind},
    IDisputes,
    ILicenses::{self, Missing},
    LICENSES,
};
use sahara_client::{ChainClient, ClientError};
use sahara_primitives::{Address, AssetId, B256};

/// Every purpose that a licence may grant: whoever may use an asset for any may read it.
const PURPOSES: [u8; 4] = [1, 2, 4, 8];

/// An asset as the chain has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Registered {
    /// What it is.
    pub kind: Kind,
    /// Who owns it now.
    pub owner: Address,
    /// Its content hash.
    pub content: B256,
    /// Its metadata URI.
    pub uri: String,
    /// When it was registered, Unix seconds.
    pub at: u64,
    /// Who registered the first of its versions.
    pub creator: Address,
    /// The metadata URI of the first of its versions.
    pub first_uri: String,
}

/// Whether somebody may read an asset's content.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Access {
    /// Anyone may: nothing was ever sold, or it is offered for free.
    Public,
    /// This account may.
    Granted,
    /// It may not; what it would need.
    Refused(String),
}

/// The chain, as far as a vault needs it. Everything it says is final.
pub trait Registry: Send + Sync + std::fmt::Debug {
    /// An asset; none if there is no such.
    fn asset(&self, asset: AssetId) -> BoxFuture<'_, Result<Option<Registered>, VaultError>>;

    /// Whether `account` (none: a stranger) may read the content.
    fn access(
        &self,
        asset: AssetId,
        account: Option<Address>,
    ) -> BoxFuture<'_, Result<Access, VaultError>>;
}

#[expect(
    clippy::needless_pass_by_value,
    reason = "every caller is a `map_err`, which gives it away"
)]
fn silent(error: ClientError) -> VaultError {
    VaultError::Silent(error.to_string())
}

impl Registry for ChainClient {
    fn asset(&self, asset: AssetId) -> BoxFuture<'_, Result<Option<Registered>, VaultError>> {
        async move {
            let found = match self.call(ASSETS, &IAssets::assetCall { asset: asset.0 }).await {
                Ok(found) => found,
                Err(error) if error.revert().is_some() => return Ok(None),
                Err(error) => return Err(silent(error)),
            };
            let owner = IAssets::ownerOfCall { tokenId: asset.into() };
            let owner = self.call(ASSETS, &owner).await.map_err(silent)?;
            let version = IAssets::versionOfCall { asset: asset.0 };
            let version = self.call(ASSETS, &version).await.map_err(silent)?;
            let first = IAssets::assetCall { asset: version.first };
            let first = self.call(ASSETS, &first).await.map_err(silent)?;
            Ok(Some(Registered {
                kind: found.kind,
                owner,
                content: found.contentHash,
                uri: found.metadataURI,
                at: found.registeredAt,
                creator: first.creator,
                first_uri: first.metadataURI,
            }))
        }
        .boxed()
    }

    fn access(
        &self,
        asset: AssetId,
        account: Option<Address>,
    ) -> BoxFuture<'_, Result<Access, VaultError>> {
        async move {
            let licensing = ILicenses::licensingCall { asset: asset.0 };
            let licensing = self.call(LICENSES, &licensing).await.map_err(silent)?;
            let standing = IDisputes::standingCall { asset: asset.0 };
            let is_delisted = self.call(DISPUTES, &standing).await.map_err(silent)?.isDelisted;
            if !is_delisted && !licensing.isLicensed {
                return self.unlicensed(asset, account).await;
            }
            if !is_delisted && !licensing.free.is_zero() {
                return Ok(Access::Public);
            }
            let Some(account) = account else {
                return Ok(Access::Refused("a licence is needed, and nobody said who asks".into()));
            };
            let mut nearest = Missing::License;
            for purpose in PURPOSES {
                let call = ILicenses::canUseCall { account, asset: asset.0, purpose };
                let answer = self.call(LICENSES, &call).await.map_err(silent)?;
                if answer.isAllowed {
                    return Ok(Access::Granted);
                }
                if !matches!(answer.missing, Missing::Purpose | Missing::Derivatives) {
                    nearest = answer.missing;
                }
            }
            Ok(Access::Refused(refusal(account, nearest)))
        }
        .boxed()
    }
}

/// What an asset's owner has to do with a vault, of a chain seen from outside.
trait Unlicensed {
    async fn unlicensed(
        &self,
        asset: AssetId,
        account: Option<Address>,
    ) -> Result<Access, VaultError>;
}

impl Unlicensed for ChainClient {
    /// Before its first offer an asset is free to use; but one that is not open to derivatives is
    /// not handed out whole either, for who has it whole can derive from it.
    async fn unlicensed(
        &self,
        asset: AssetId,
        account: Option<Address>,
    ) -> Result<Access, VaultError> {
        let found = self.call(ASSETS, &IAssets::assetCall { asset: asset.0 }).await;
        if found.map_err(silent)?.derivatives == Derivatives::Open {
            return Ok(Access::Public);
        }
        let owner = IAssets::ownerOfCall { tokenId: asset.into() };
        let owner = self.call(ASSETS, &owner).await.map_err(silent)?;
        Ok(match account {
            Some(account) if account == owner => Access::Granted,
            _ => Access::Refused(
                "only its owner may read it: it is not open to derivatives, and no licence is for sale"
                    .into(),
            ),
        })
    }
}

fn refusal(account: Address, missing: Missing) -> String {
    let what = match missing {
        Missing::Revoked => "its licence was revoked",
        Missing::Expired => "its licence has expired",
        Missing::Uses => "every use of its licence was counted",
        Missing::Approval => "the owner has not approved it",
        Missing::Listing => "the asset lost a dispute and is no longer given away",
        _ => "it has no licence for this asset",
    };
    format!("{account} may not read this: {what}")
}
