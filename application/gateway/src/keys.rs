//! API keys: a secret of the client's, whose hash a payer's grant names.

use crate::{
    error::ApiError,
    gateway::Gateway,
    rows::{Authority, ChannelRow, KeyRow},
    store::put,
};
use alloy_primitives::{Address, B256, Bytes, keccak256};
use sahara_abi::{IChannels, signing::grant_channel};
use sahara_compute::recover;
use sahara_primitives::{Amount, AssetId, ChannelId};
use serde::Deserialize;
use serde_json::{Value, json};
use std::collections::HashMap;

/// A grant in JSON: amounts as decimal strings of base units.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct GrantText {
    payer: Address,
    gateway: Address,
    key_id: B256,
    max_total: Value,
    max_per_day: Value,
    #[serde(default)]
    assets: Vec<u64>,
    valid_until: Value,
    nonce: Value,
}

#[derive(Clone, Debug, Deserialize)]
struct Registration {
    grant: GrantText,
    signature: Bytes,
}

/// The id of a key: the hash of its secret, `sk-` included.
pub(crate) fn key_id(secret: &str) -> B256 {
    keccak256(secret.as_bytes())
}

fn number<T: std::str::FromStr>(value: &Value, field: &str) -> Result<T, ApiError> {
    let text = match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    };
    text.parse().map_err(|_| {
        let expected = "a whole number, as a decimal string";
        ApiError::invalid(format!("grant.{field}: expected {expected}"))
            .param(format!("grant.{field}"))
    })
}

impl GrantText {
    fn parse(self) -> Result<IChannels::KeyGrant, ApiError> {
        Ok(IChannels::KeyGrant {
            payer: self.payer,
            gateway: self.gateway,
            keyId: self.key_id,
            maxTotal: number(&self.max_total, "maxTotal")?,
            maxPerDay: number(&self.max_per_day, "maxPerDay")?,
            assets: self.assets,
            validUntil: number(&self.valid_until, "validUntil")?,
            nonce: number(&self.nonce, "nonce")?,
        })
    }
}

/// A grant as a payer sends it, unchecked.
pub(crate) fn registration(body: &[u8]) -> Result<KeyRow, ApiError> {
    let registration: Registration = serde_json::from_slice(body).map_err(|error| {
        ApiError::invalid(format!(
            "{error}: expected {{\"grant\": {{payer, gateway, keyId, maxTotal, maxPerDay, assets, validUntil, nonce}}, \"signature\": \"0x...\"}}"
        ))
    })?;
    Ok(KeyRow { grant: registration.grant.parse()?, signature: registration.signature })
}

impl Gateway {
    /// Takes a key's grant. It authenticates itself: only its payer can have signed it.
    pub(crate) async fn register_key(&self, body: &[u8]) -> Result<Value, ApiError> {
        let KeyRow { grant, signature } = registration(body)?;
        if grant.gateway != self.address() {
            let expected = format!("grant.gateway: expected {}", self.address());
            return Err(ApiError::invalid(expected).param("grant.gateway"));
        }
        if grant.payer == self.address() {
            return Err(ApiError::invalid("grant.payer: a gateway cannot pay itself"));
        }
        if self.now().timestamp().0 >= grant.validUntil {
            return Err(ApiError::invalid("grant.validUntil: expected a time to come"));
        }
        let channel = ChannelId(grant_channel(self.chain_id(), &grant));
        let signer = recover(channel.0, &signature)
            .map_err(|error| ApiError::unauthorised(error.to_string()))?;
        if signer != grant.payer {
            return Err(ApiError::unauthorised(format!(
                "the grant is not signed by its payer {} for chain {}",
                grant.payer,
                self.chain_id()
            )));
        }
        self.check_unbound(&grant)?;
        self.check_payable(grant.payer, channel).await?;
        let row = KeyRow { grant, signature };
        let authority = Authority::Grant(row.clone());
        let account = self.account(channel, authority).await?;
        if self.follow(&account).await?.is_some() {
            self.follow_day(&account).await?;
        }
        account.update(self.store(), |_| ())?;
        self.bind_key(&row)?;
        Ok(self.key_limits(&account.row()))
    }

    pub(crate) fn channel_of_key(&self, row: &KeyRow) -> ChannelId {
        ChannelId(grant_channel(self.chain_id(), &row.grant))
    }

    /// Binds a key to its grant, in the store and in memory. A key's id stands on chain for everybody to
    /// read: whoever bound it first keeps it, and alone may bind it to another grant.
    fn bind_key(&self, row: &KeyRow) -> Result<(), ApiError> {
        let mut keys = self.keys.write();
        self.check_payer(&keys, &row.grant)?;
        put(&self.store().keys, row.grant.keyId.as_slice(), row)?;
        keys.insert(row.grant.keyId, self.channel_of_key(row));
        Ok(())
    }

    /// Refuses a grant whose key is another payer's.
    fn check_unbound(&self, grant: &IChannels::KeyGrant) -> Result<(), ApiError> {
        self.check_payer(&self.keys.read(), grant)
    }

    fn check_payer(
        &self,
        keys: &HashMap<B256, ChannelId>,
        grant: &IChannels::KeyGrant,
    ) -> Result<(), ApiError> {
        let bound = keys.get(&grant.keyId).and_then(|channel| self.known_account(*channel));
        match bound {
            Some(account) if account.row().authority.payer() != grant.payer => {
                Err(ApiError::conflict(
                    "grant.keyId: this key is another payer's here: expected the hash of a secret of your own",
                )
                .param("grant.keyId"))
            }
            _ => Ok(()),
        }
    }

    /// Who granted an API key that is good for this asset now.
    #[must_use]
    pub fn payer_of_key(&self, secret: &str, asset: AssetId) -> Option<Address> {
        let row = self.account_of_key(secret)?.row();
        let Authority::Grant(KeyRow { grant, .. }) = &row.authority else { return None };
        let is_named = grant.assets.is_empty() || grant.assets.contains(&asset.0);
        let holds = !row.is_closing && self.now().timestamp().0 < grant.validUntil;
        (is_named && holds).then_some(grant.payer)
    }

    /// Refuses before a key is believed to work: an unbonded gateway can collect nothing, an empty
    /// deposit pays nothing. Nothing is written before.
    async fn check_payable(&self, payer: Address, channel: ChannelId) -> Result<(), ApiError> {
        let own = self.chain().gateway(self.address()).await?;
        let least = self.chain().minimum_bond().await?;
        if Amount::from_base_units(own.bond) < least || own.leavingAt > 0 {
            return Err(ApiError::unavailable("this gateway has no bond on chain"));
        }
        if self.known_account(channel).is_some() {
            return Ok(());
        }
        let most = self.config.bounds.channels_per_payer;
        if self.accounts_of(payer).len() >= most {
            return Err(ApiError::forbidden(format!(
                "{payer} has {most} keys here: expected the use of one of them"
            )));
        }
        let set_aside = match self.chain().channel(channel).await? {
            Some(known) => known.deposit > known.settled,
            None => false,
        };
        if !set_aside && self.chain().free_deposit(payer).await?.is_zero() {
            return Err(ApiError::insufficient(format!(
                "{payer} has no free deposit: expected coin in IChannels.fund"
            )));
        }
        Ok(())
    }

    /// What a key may do, and what its holder may lose.
    #[expect(clippy::unused_self, reason = "reads as a property of the gateway")]
    pub(crate) fn key_limits(&self, row: &ChannelRow) -> Value {
        let Authority::Grant(KeyRow { grant, .. }) = &row.authority else { return Value::Null };
        let total = Amount::from_u128(grant.maxTotal.to());
        let left = total.saturating_sub(row.spent);
        json!({
            "object": "key",
            "key_id": grant.keyId,
            "payer": grant.payer,
            "gateway": grant.gateway,
            "limit": total.to_string(),
            "limit_base_units": total.base_units().to_string(),
            "limit_per_day": Amount::from_u128(grant.maxPerDay.to()).to_string(),
            "spent": row.spent.to_string(),
            "spent_base_units": row.spent.base_units().to_string(),
            "set_aside": row.deposit.saturating_sub(row.settled).to_string(),
            "remaining": left.to_string(),
            "remaining_base_units": left.base_units().to_string(),
            "assets": if grant.assets.is_empty() { json!("any") } else { json!(grant.assets) },
            "valid_until": grant.validUntil,
            "is_closing": row.is_closing,
            "risk": format!(
                "Whoever holds this key, or a lying gateway together with a worker, can take at most {left} SAHARA, and at most {} SAHARA a day, from the payer's deposit, until the grant ends or the payer revokes it.",
                Amount::from_u128(grant.maxPerDay.to())
            ),
        })
    }
}
