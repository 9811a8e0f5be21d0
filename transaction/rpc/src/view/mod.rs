//! Blocks, transactions, receipts and logs in the words of JSON-RPC.
//!
//! System transactions have the type `0x53`, the system caller as sender and a signature of
//! zeros, so that clients that expect a signature can parse the block they stand in.

mod block;
mod logs;
mod receipt;
mod transaction;

pub(crate) use block::{BlockView, HeaderView, block_view, header_view};
pub(crate) use logs::{found_log_view, log_filter};
pub(crate) use receipt::{ReceiptView, log_views, receipt_view, receipt_views};
pub(crate) use transaction::{TransactionView, pooled_view, transaction_view};
