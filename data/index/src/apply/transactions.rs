//! Transactions, who takes part in them, and what they move.

use super::{Apply, Place};
use crate::{
    database::{Value, coin, integer, money},
    decode,
    error::IndexError,
    source::{Receipt, Transaction},
};
use alloy_primitives::{Address, B256, U256, b256};
use sahara_abi::{COIN, protocol_at};
use sahara_client::Log;

/// `Transfer(address,address,uint256)` of ERC-20 and ERC-721.
const TRANSFER: B256 = b256!("ddf252ad1be2c89b69c2b068fc378daa952ba7f163c4a11628f55a4df523b3ef");

impl Apply<'_> {
    /// All transactions of the block with their logs; returns how many logs.
    pub(super) async fn transactions(&mut self) -> Result<i64, IndexError> {
        let mut log_index = 0_i64;
        for (position, (transaction, receipt)) in (0_i64..).zip(&self.data.transactions) {
            self.transaction(position, transaction, receipt).await?;
            for log in &receipt.logs {
                self.log(Place { position, log_index, transaction }, log).await?;
                log_index = log_index.saturating_add(1);
            }
        }
        Ok(log_index)
    }

    async fn transaction(
        &mut self,
        position: i64,
        transaction: &Transaction,
        receipt: &Receipt,
    ) -> Result<(), IndexError> {
        let is_success = receipt.status.to::<u64>() == 1;
        let method = transaction.to.and_then(|to| decode::method(to, &transaction.input));
        let row = [
            ("block", Value::Int(self.block)),
            ("position", position.into()),
            ("hash", transaction.hash.into()),
            ("type", integer(transaction.type_byte.to())?.into()),
            ("sender", transaction.from.into()),
            ("recipient", transaction.to.into()),
            ("created", receipt.contract_address.into()),
            ("nonce", integer(transaction.nonce.to())?.into()),
            ("value", money(coin(transaction.value)?)),
            ("input", transaction.input.to_vec().into()),
            ("method", method.map(str::to_owned).into()),
            ("is_success", is_success.into()),
            ("gas_limit", integer(transaction.gas.to())?.into()),
            ("gas_used", integer(receipt.gas_used.to())?.into()),
            ("gas_price", money(receipt.effective_gas_price.to())),
        ];
        self.later("transactions", row).await?;
        self.tally.chain("transactions", 1)?;
        self.tally.takes_part(transaction.from, position);
        let recipient = transaction.to.or(receipt.contract_address);
        if let Some(to) = recipient {
            if is_success && !transaction.value.is_zero() {
                self.native_move(position, (transaction.from, to), transaction.value).await?;
            }
            self.tally.takes_part(to, position);
        }
        Ok(())
    }

    async fn native_move(
        &mut self,
        position: i64,
        (sender, recipient): (Address, Address),
        value: U256,
    ) -> Result<(), IndexError> {
        if protocol_at(sender).is_none() && protocol_at(recipient).is_none() {
            self.tally.funds(recipient, sender, position);
        }
        let moved = Move { kind: "coin", token: None, sender, recipient, value };
        self.write_move((position, -1), &moved).await
    }

    /// A transfer of a token, of the coin's ERC-20 face too.
    pub(super) async fn token_move(
        &mut self,
        place: Place<'_>,
        log: &Log,
    ) -> Result<(), IndexError> {
        let (emitter, data) = (log.inner.address, &log.inner.data.data);
        let topics = log.inner.data.topics();
        let (kind, from, to, value) = match topics {
            [TRANSFER, from, to] if data.len() == 32 => {
                let kind = if emitter == COIN { "coin" } else { "erc20" };
                (kind, from, to, U256::from_be_slice(data))
            }
            [TRANSFER, from, to, id] if data.is_empty() => ("erc721", from, to, (*id).into()),
            _ => return Ok(()),
        };
        let (sender, recipient) = (Address::from_word(*from), Address::from_word(*to));
        if emitter == COIN {
            self.tally.funds(recipient, sender, place.position);
        }
        for account in [sender, recipient].into_iter().filter(|account| !account.is_zero()) {
            self.tally.takes_part(account, place.position);
        }
        let token = (emitter != COIN).then_some(emitter);
        let moved = Move { kind, token, sender, recipient, value };
        self.write_move((place.position, place.log_index), &moved).await
    }

    async fn write_move(
        &mut self,
        (position, log_index): (i64, i64),
        moved: &Move,
    ) -> Result<(), IndexError> {
        let row = [
            ("block", Value::Int(self.block)),
            ("position", position.into()),
            ("log_index", log_index.into()),
            ("kind", moved.kind.into()),
            ("token", moved.token.into()),
            ("sender", moved.sender.into()),
            ("recipient", moved.recipient.into()),
            // A stranger's token may move any number; it is never sorted by.
            ("value", moved.value.to_string().into()),
        ];
        self.later("moves", row).await
    }
}

struct Move {
    kind: &'static str,
    token: Option<Address>,
    sender: Address,
    recipient: Address,
    /// Base units, or the number of an ERC-721 token.
    value: U256,
}
