//! [`Bill`]: what a payer owes, and to whom, for one answer.
//!
//! A channel's *base* is the sum of worker and asset parts over its whole life. Fees are defined on
//! the running base, so that any run of receipts can be claimed at once and still gives the same
//! units as claiming them one by one:
//!
//! `fee(base) = floor(base * rate / 10,000)`, and a receipt's fee is `fee(after) - fee(before)`.

use crate::{Amount, BasisPoints, Overflow};
use serde::{Deserialize, Serialize};

/// The fee rates of a channel, fixed when it is opened.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct FeeRates {
    /// To the incentive pool.
    pub protocol: BasisPoints,
    /// To the gateway.
    pub gateway: BasisPoints,
}

/// One charge and its parts, which always add up to it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Bill {
    /// To the worker, whole.
    pub worker: Amount,
    /// To the asset's pool and its ancestors' pools.
    pub asset: Amount,
    /// To the incentive pool.
    pub protocol_fee: Amount,
    /// To the gateway.
    pub gateway_fee: Amount,
}

impl Bill {
    /// The bill for `worker` and `asset` parts on a channel whose base was `base` before.
    ///
    /// # Errors
    /// [`Overflow`].
    pub fn new(
        rates: FeeRates,
        base: Amount,
        worker: Amount,
        asset: Amount,
    ) -> Result<Self, Overflow> {
        let after = base.checked_add(worker)?.checked_add(asset)?;
        let fee = |rate: BasisPoints| rate.of(after)?.checked_sub(rate.of(base)?);
        Ok(Self {
            worker,
            asset,
            protocol_fee: fee(rates.protocol)?,
            gateway_fee: fee(rates.gateway)?,
        })
    }

    /// Worker and asset parts: what the bill adds to the channel's base.
    ///
    /// # Errors
    /// [`Overflow`].
    pub fn base(&self) -> Result<Amount, Overflow> {
        self.worker.checked_add(self.asset)
    }

    /// The charge: the sum of all parts.
    ///
    /// # Errors
    /// [`Overflow`].
    pub fn total(&self) -> Result<Amount, Overflow> {
        Amount::sum([self.worker, self.asset, self.protocol_fee, self.gateway_fee])
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn claiming_at_once_equals_claiming_one_by_one(
            parts in proptest::collection::vec((0u128..1 << 80, 0u128..1 << 80), 1..20),
            protocol in 0u16..=500, gateway in 0u16..=500,
        ) {
            let rates = FeeRates { protocol: BasisPoints::new(protocol).unwrap(), gateway: BasisPoints::new(gateway).unwrap() };
            let (mut base, mut total) = (Amount::ZERO, Amount::ZERO);
            for (worker, asset) in &parts {
                let bill = Bill::new(rates, base, Amount::from_u128(*worker), Amount::from_u128(*asset)).unwrap();
                base = base.checked_add(bill.base().unwrap()).unwrap();
                total = total.checked_add(bill.total().unwrap()).unwrap();
            }
            let sum = |pick: fn(&(u128, u128)) -> u128| Amount::from_u128(parts.iter().map(pick).sum());
            let once = Bill::new(rates, Amount::ZERO, sum(|p| p.0), sum(|p| p.1)).unwrap();
            prop_assert_eq!(once.total().unwrap(), total);
        }
    }
}
