//! Intents: what an account without coin signs, and anybody brings.

use crate::{ChainClient, ClientError, SigningKey, TxOutcome};
use alloy_primitives::{Address, Bytes, U256};
use alloy_sol_types::SolCall;
use sahara_abi::{
    IIntents::{self, Intent},
    INTENTS, protocol_at, signing,
};
use sahara_primitives::Amount;

/// Words of nonces that are looked through for a free one: 16,384 intents of one account.
const WORDS: u64 = 64;

/// What an account grants for an action.
#[derive(Clone, Copy, Debug)]
pub struct IntentTerms {
    /// The most that it pays, out of what the action yields.
    pub max_fee: Amount,
    /// Who alone may bring it; anybody when zero.
    pub relayer: Address,
    /// The first second, of Unix time, at which it is too late.
    pub valid_until: u64,
}

/// What relaying brought.
#[derive(Clone, Debug)]
pub struct Relayed {
    /// What the account paid.
    pub fee: Amount,
    /// What the sponsor paid.
    pub sponsored: Amount,
    /// The relayer's transaction.
    pub outcome: TxOutcome,
}

/// An intent to call a protocol's function; `nonce` is one that the account never used
/// ([`ChainClient::free_nonce`]). Whether it is on the list of actions, the chain says.
#[must_use]
pub fn intent<C: SolCall>(
    (account, nonce): (Address, U256),
    protocol: Address,
    call: &C,
    terms: IntentTerms,
) -> Intent {
    let name = protocol_at(protocol).map_or("unknown", |found| found.name);
    let IntentTerms { max_fee, relayer, valid_until } = terms;
    Intent {
        account,
        action: format!("{name}.{}", C::SIGNATURE),
        arguments: call.abi_encode().split_off(C::SELECTOR.len()).into(),
        value: U256::ZERO,
        maxFee: max_fee.base_units(),
        relayer,
        nonce,
        validUntil: valid_until,
    }
}

impl ChainClient {
    /// The lowest nonce that an account has not used for an intent.
    ///
    /// # Errors
    /// As [`Self::call`]; when it used the first 16,384.
    pub async fn free_nonce(&self, account: Address) -> Result<U256, ClientError> {
        for word in 0..WORDS {
            let call = IIntents::nonceBitmapCall { account, word: U256::from(word) };
            let used = self.call(INTENTS, &call).await?;
            let bit = used.trailing_ones();
            if bit < 256 {
                return Ok(U256::from(word).saturating_mul(U256::from(256)) + U256::from(bit));
            }
        }
        let reason = format!("{account} has used its first {} nonces", WORDS.saturating_mul(256));
        Err(ClientError::Answer { method: "nonceBitmap".into(), reason })
    }

    /// Signs an intent: nothing is sent and nothing paid.
    ///
    /// # Errors
    /// When the node does not tell its chain's id.
    pub async fn sign_intent(
        &self,
        key: &SigningKey,
        intent: &Intent,
    ) -> Result<Bytes, ClientError> {
        Ok(key.sign_typed(intent, &signing::intents_domain(self.chain_id().await?)))
    }

    /// Brings what an account signed; the key pays the gas and is repaid out of what the action
    /// yields, and then out of the sponsor's budget, if one is named.
    ///
    /// # Errors
    /// As [`Self::send`].
    pub async fn relay(
        &self,
        key: &SigningKey,
        (intent, signature): (Intent, Bytes),
        sponsor: Option<Address>,
    ) -> Result<Relayed, ClientError> {
        let outcome = match sponsor {
            None => {
                let call = IIntents::relayCall { intent, signature };
                self.send(key, INTENTS, Amount::ZERO, &call).await?
            }
            Some(sponsor) => {
                let call = IIntents::relaySponsoredCall { intent, signature, sponsor };
                self.send(key, INTENTS, Amount::ZERO, &call).await?
            }
        };
        let relayed = outcome.events::<IIntents::Relayed>();
        let paid = relayed.first().map(|event| (event.data.fee, event.data.sponsored));
        let (fee, sponsored) = paid.unwrap_or_default();
        let (fee, sponsored) = (Amount::from_base_units(fee), Amount::from_base_units(sponsored));
        Ok(Relayed { fee, sponsored, outcome })
    }
}
