//! [`Payment`]: who was paid by a claim, read from the logs of its transaction.

use alloy_primitives::{Address, Log};
use alloy_sol_types::SolEvent;
use sahara_abi::{CHANNELS, IChannels, INCENTIVE_POOL, IRoyalties, ROYALTIES};
use sahara_primitives::{Amount, AssetId, ChannelId};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// One payment of a claim.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "kind")]
pub enum Payment {
    /// The worker's whole part.
    Worker {
        /// Who computed.
        to: Address,
        /// For which asset.
        asset: AssetId,
        /// How much.
        amount: Amount,
    },
    /// A part of the asset's price that went to a pool: its own, or an ancestor's.
    Pool {
        /// Whose pool.
        asset: AssetId,
        /// The asset that was used.
        source: AssetId,
        /// How much.
        amount: Amount,
    },
    /// Coin credited to an account from a pool, in the same transaction.
    Member {
        /// Who.
        to: Address,
        /// From which pool.
        asset: AssetId,
        /// How much.
        amount: Amount,
    },
    /// The gateway's fee.
    Gateway {
        /// Who sold.
        to: Address,
        /// How much.
        amount: Amount,
    },
    /// The protocol's fee.
    Protocol {
        /// The incentive pool.
        to: Address,
        /// How much.
        amount: Amount,
    },
}

impl Payment {
    /// How much.
    pub const fn amount(&self) -> Amount {
        match self {
            Self::Worker { amount, .. }
            | Self::Pool { amount, .. }
            | Self::Member { amount, .. }
            | Self::Gateway { amount, .. }
            | Self::Protocol { amount, .. } => *amount,
        }
    }
}

/// Who a claim of `channel` paid, from the logs of its transaction.
///
/// Worker parts and fees are the channel's own. A transaction pays each asset once per payer, so
/// pool parts are those of all the payer's channels that the transaction claims.
pub fn payments(logs: &[Log], channel: ChannelId, gateway: Address) -> Vec<Payment> {
    let own: Vec<_> = logs
        .iter()
        .filter(|log| log.address == CHANNELS && log.topics().get(1) == Some(&channel.0))
        .collect();
    let payer = own.iter().find_map(|log| IChannels::Collected::decode_log(log).ok());
    let payer = payer.map(|collected| collected.payer).unwrap_or_default();
    let assets: BTreeSet<u64> = own
        .iter()
        .filter_map(|log| IChannels::Earned::decode_log(log).ok())
        .map(|earned| earned.asset)
        .collect();
    let paid = logs.iter().filter(|log| log.address == ROYALTIES);
    let paid = paid.filter_map(|log| IRoyalties::Paid::decode_log(log).ok());
    let paid = paid.filter(|paid| paid.payer == payer && assets.contains(&paid.asset));
    own.into_iter()
        .flat_map(|log| payments_of(log, gateway))
        .chain(paid.flat_map(|paid| parts_of(&paid)))
        .filter(|payment| !payment.amount().is_zero())
        .collect()
}

fn payments_of(log: &Log, gateway: Address) -> Vec<Payment> {
    let amount = Amount::from_base_units;
    if log.address == CHANNELS {
        if let Ok(earned) = IChannels::Earned::decode_log(log) {
            let (to, asset) = (earned.worker, AssetId(earned.asset));
            return vec![Payment::Worker { to, asset, amount: amount(earned.workerAmount) }];
        }
        if let Ok(fees) = IChannels::FeesPaid::decode_log(log) {
            return vec![
                Payment::Gateway { to: gateway, amount: amount(fees.gatewayFee) },
                Payment::Protocol { to: INCENTIVE_POOL, amount: amount(fees.protocolFee) },
            ];
        }
    }
    Vec::new()
}

/// The part of each asset, and who was credited with it at once.
fn parts_of(paid: &IRoyalties::Paid) -> Vec<Payment> {
    let source = AssetId(paid.asset);
    let mut payments = Vec::new();
    for part in &paid.parts {
        let (asset, amount) = (AssetId(part.asset), Amount::from_base_units(part.amount));
        payments.push(Payment::Pool { asset, source, amount });
        if !part.account.is_zero() {
            payments.push(Payment::Member { to: part.account, asset, amount });
        }
    }
    payments
}
