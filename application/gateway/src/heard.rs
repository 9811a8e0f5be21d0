//! [`Heard`]: what workers said of themselves, and when each is asked again.

use crate::catalog::Model;
use alloy_primitives::Address;
use sahara_compute::Card;
use sahara_primitives::{AssetId, Prices};
use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};
use tokio::time::Instant;

/// After the first answer that was none; twice as long after each further one.
const FIRST_PAUSE: Duration = Duration::from_secs(1);
/// Doublings of it: the longest pause is 16 s.
const MOST_DOUBLINGS: u32 = 4;

/// An asset and who serves it, as the chain has it.
#[derive(Debug, Default)]
pub(crate) struct Listed {
    /// Without name and offers.
    pub(crate) model: Option<Model>,
    /// Cheapest output first; equal prices by address.
    pub(crate) offers: Vec<(Address, Prices)>,
}

/// Whom to ask, where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Source {
    pub(crate) worker: Address,
    pub(crate) endpoint: String,
}

#[derive(Debug, Default)]
struct Said {
    endpoint: String,
    cards: Vec<Card>,
    /// Answers in a row that were none, or left out an asset that the worker offers on chain.
    failures: u32,
    due: Option<Instant>,
    /// It was asked, and answered or did not.
    is_heard: bool,
}

impl Said {
    fn fail(&mut self, now: Instant) {
        let doublings = self.failures.min(MOST_DOUBLINGS);
        self.failures = self.failures.saturating_add(1);
        let pause = FIRST_PAUSE.saturating_mul(2_u32.saturating_pow(doublings));
        self.due = Some(now + pause);
    }
}

/// What workers on chain said.
#[derive(Debug, Default)]
pub(crate) struct Heard(BTreeMap<Address, Said>);

impl Heard {
    /// A worker offers something that was read again: it is asked, unless it is in a pause for not answering.
    pub(crate) fn expect(&mut self, worker: Address, endpoint: &str, now: Instant) {
        let said = self.0.entry(worker).or_default();
        if said.endpoint != endpoint {
            *said = Said { endpoint: endpoint.to_owned(), ..Said::default() };
        }
        if said.failures == 0 {
            said.due = Some(now);
        }
    }

    /// It sent a transaction: it is there again.
    pub(crate) fn forgive(&mut self, worker: Address, now: Instant) {
        if let Some(said) = self.0.get_mut(&worker) {
            said.failures = 0;
            said.due = Some(now);
        }
    }

    /// Forgets all others.
    pub(crate) fn keep_only(&mut self, workers: impl Iterator<Item = Address>) {
        let workers: BTreeSet<Address> = workers.collect();
        self.0.retain(|worker, _| workers.contains(worker));
    }

    /// At most so many that are to be asked by now, who waits longest first. They count as asked.
    pub(crate) fn due(&mut self, now: Instant, most: usize) -> Vec<Source> {
        let waiting = self.0.iter_mut().filter(|(_, said)| said.due.is_some_and(|due| due <= now));
        let mut waiting: Vec<_> = waiting.collect();
        waiting.sort_by_key(|(_, said)| said.due);
        let ask = |(worker, said): (&Address, &mut Said)| {
            said.due = None;
            Source { worker: *worker, endpoint: said.endpoint.clone() }
        };
        waiting.into_iter().take(most).map(ask).collect()
    }

    /// Takes an answer, none if there was none: of its cards those of the assets that are offered.
    pub(crate) fn hear(
        &mut self,
        source: &Source,
        offered: &BTreeSet<AssetId>,
        (answer, now): (Option<Vec<Card>>, Instant),
    ) {
        let Some(said) = self.0.get_mut(&source.worker) else { return };
        if said.endpoint != source.endpoint {
            return;
        }
        said.is_heard = true;
        // Who answered before and misses one question may be busy: its models go when it misses the next.
        if answer.is_none() && said.failures == 0 && !said.cards.is_empty() {
            said.fail(now);
            return;
        }
        let mut left = offered.clone();
        let mut cards = answer.unwrap_or_default();
        cards.retain(|card| left.remove(&card.asset));
        cards.shrink_to_fit();
        said.cards = cards;
        if left.is_empty() {
            said.failures = 0;
        } else {
            // It says on chain that it serves more; a worker that has just said so is still starting.
            said.fail(now);
        }
    }

    /// Whether everybody was asked, and answered or did not.
    pub(crate) fn is_everybody_heard(&self) -> bool {
        self.0.values().all(|said| said.is_heard)
    }

    /// Where a worker is, and what it said of an asset.
    pub(crate) fn card(&self, worker: Address, asset: AssetId) -> Option<(&str, &Card)> {
        let said = self.0.get(&worker)?;
        let card = said.cards.iter().find(|card| card.asset == asset)?;
        Some((&said.endpoint, card))
    }
}

#[cfg(test)]
mod tests {
    use super::{Heard, Source};
    use alloy_primitives::{Address, B256};
    use sahara_compute::Card;
    use sahara_primitives::{AssetId, DeterminismClass, Prices};
    use std::{collections::BTreeSet, slice, time::Duration};
    use tokio::time::Instant;

    #[test]
    fn who_does_not_answer_is_asked_once_a_round_and_ever_less() {
        let (mut heard, mut now) = (Heard::default(), Instant::now());
        let bad = Source { worker: Address::repeat_byte(1), endpoint: "http://bad".into() };
        let offered = BTreeSet::from([1, 2, 3].map(AssetId));
        // Three assets, one question.
        (0..3).for_each(|_| heard.expect(bad.worker, &bad.endpoint, now));
        assert_eq!(heard.due(now, 16), slice::from_ref(&bad));
        assert!(!heard.is_everybody_heard());
        for pause in [1, 2, 4, 8, 16, 16] {
            heard.hear(&bad, &offered, (None, now));
            // Its assets are read again, for its or another's news: it is not asked for that.
            heard.expect(bad.worker, &bad.endpoint, now);
            now += Duration::from_millis(pause * 1_000 - 1);
            assert!(heard.due(now, 16).is_empty(), "{pause}");
            now += Duration::from_millis(1);
            assert_eq!(heard.due(now, 16), slice::from_ref(&bad), "{pause}");
        }
        assert!(heard.is_everybody_heard(), "no answer is one");
        heard.hear(&bad, &offered, (None, now));
        heard.forgive(bad.worker, now);
        assert_eq!(heard.due(now, 16), slice::from_ref(&bad));
        // Where it is now, it is asked at once.
        heard.hear(&bad, &offered, (None, now));
        heard.expect(bad.worker, "http://moved", now);
        assert_eq!(heard.due(now, 16)[0].endpoint, "http://moved");
    }

    #[test]
    fn who_misses_one_question_keeps_its_models_until_the_next() {
        let (mut heard, mut now) = (Heard::default(), Instant::now());
        let busy = Source { worker: Address::repeat_byte(1), endpoint: "http://busy".into() };
        let offered = BTreeSet::from([AssetId(1)]);
        let card = Card {
            asset: AssetId(1),
            class: DeterminismClass::D1,
            model_root: B256::ZERO,
            context_length: 1,
            overhead_tokens: 0,
            prices: Prices::default(),
        };
        heard.expect(busy.worker, &busy.endpoint, now);
        assert_eq!(heard.due(now, 1), slice::from_ref(&busy));
        heard.hear(&busy, &offered, (Some(vec![card]), now));
        for (has_missed, is_known) in [(1, true), (2, false)] {
            heard.expect(busy.worker, &busy.endpoint, now);
            now += Duration::from_secs(1);
            assert_eq!(heard.due(now, 1), slice::from_ref(&busy), "{has_missed}");
            heard.hear(&busy, &offered, (None, now));
            assert_eq!(heard.card(busy.worker, AssetId(1)).is_some(), is_known, "{has_missed}");
        }
    }

    #[test]
    fn who_waits_longest_is_asked_first() {
        let (mut heard, now) = (Heard::default(), Instant::now());
        let later = now + Duration::from_secs(1);
        heard.expect(Address::repeat_byte(1), "http://one", later);
        heard.expect(Address::repeat_byte(2), "http://two", now);
        assert_eq!(heard.due(later, 1)[0].endpoint, "http://two");
        assert_eq!(heard.due(later, 1)[0].endpoint, "http://one");
        heard.keep_only(std::iter::empty());
        heard.forgive(Address::repeat_byte(1), now);
        assert!(heard.due(later, 1).is_empty());
    }
}
