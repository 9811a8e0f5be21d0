//! Who validated when, fetched page by page.

use crate::{chain::ChainClient, error::ClientError};
use alloy_primitives::U64;
use sahara_finality::{Handover, decode_header};
use sahara_primitives::BlockNumber;
use serde_json::value::RawValue;
use std::sync::{Mutex, MutexGuard, PoisonError};
use tokio::task::spawn_blocking;

const METHOD: &str = "sahara_getHandovers";

/// How many seats are remembered, of the oldest handovers on: with 700 bytes each, about 45 MiB.
const MAX_SEATS: usize = 1 << 16;

/// A handover and the block that ends its epoch.
type Ended = (BlockNumber, Handover);

/// The first handovers of the chain: they never change.
#[derive(Debug, Default)]
pub(crate) struct Handovers(Mutex<Remembered>);

#[derive(Debug, Default)]
struct Remembered {
    /// Without gaps from the first on.
    handovers: Vec<Ended>,
    seats: usize,
}

impl Handovers {
    fn lock(&self) -> MutexGuard<'_, Remembered> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Those from a block on.
    fn since(&self, since: BlockNumber) -> Vec<Ended> {
        let remembered = self.lock();
        let first = remembered.handovers.partition_point(|(end, _)| *end < since);
        remembered.handovers.get(first..).unwrap_or_default().to_vec()
    }

    /// Remembers the page above a block, if it follows on what is remembered.
    fn remember(&self, above: BlockNumber, page: &[Ended]) {
        let mut remembered = self.lock();
        let last = remembered.handovers.last().map_or(BlockNumber(0), |(end, _)| *end);
        if last == above && remembered.seats < MAX_SEATS {
            remembered.handovers.extend_from_slice(page);
            let seats = page.iter().map(|(_, handover)| handover.validators.len());
            remembered.seats = seats.fold(remembered.seats, usize::saturating_add);
        }
    }
}

impl ChainClient {
    /// A page of the ends of epochs above a block after which others validated, oldest first, each with
    /// its block. The next page begins above the last; an empty one means that there are no more.
    ///
    /// Each validator's proof of possession is checked, the rest is not: see
    /// [`LightClient`](sahara_finality::LightClient).
    ///
    /// # Errors
    /// See [`ClientError`].
    pub async fn handovers(
        &self,
        above: BlockNumber,
    ) -> Result<Vec<(BlockNumber, Handover)>, ClientError> {
        let page: Box<RawValue> = self.request(METHOD, (U64::from(above.0),)).await?;
        // A millisecond for each seat.
        let checked = spawn_blocking(move || read(above, page.get())).await;
        checked.map_err(|error| malformed(&error))?
    }

    /// All of them from a block on and below another, page by page. What was fetched from the chain's
    /// first on is remembered, within a limit.
    ///
    /// # Errors
    /// See [`ClientError`].
    pub async fn handovers_between(
        &self,
        since: BlockNumber,
        below: BlockNumber,
    ) -> Result<Vec<Handover>, ClientError> {
        let mut found = self.known_handovers().since(since);
        let mut above = BlockNumber(since.0.saturating_sub(1));
        loop {
            above = found.last().map_or(above, |(end, _)| *end);
            if above.0.saturating_add(1) >= below.0 {
                break;
            }
            let page = self.handovers(above).await?;
            if page.is_empty() {
                break;
            }
            self.known_handovers().remember(above, &page);
            found.extend(page);
        }
        let wanted = found.into_iter().filter(|(end, _)| *end < below);
        Ok(wanted.map(|(_, handover)| handover).collect())
    }
}

/// Reads a page. Its blocks must rise, or who asks for the rest would ask for ever.
fn read(above: BlockNumber, page: &str) -> Result<Vec<Ended>, ClientError> {
    let page: Vec<Handover> = serde_json::from_str(page).map_err(|error| malformed(&error))?;
    let mut last = above;
    let end = |handover: Handover| {
        let header = decode_header(&handover.header).map_err(|error| malformed(&error))?;
        let end = BlockNumber(header.number);
        if end <= last {
            return Err(malformed(&format!("block {end} is not above block {last}")));
        }
        last = end;
        Ok((end, handover))
    };
    page.into_iter().map(end).collect()
}

fn malformed(reason: &impl std::fmt::Display) -> ClientError {
    ClientError::Answer { method: METHOD.to_owned(), reason: reason.to_string() }
}
