//! What waits, and where it goes, as an observer knows it.

use super::*;

/// Entries of an asset that name who earned them.
const MOST_NAMED: usize = 32;

/// Coin that waits: who earned it, and the complaints that claim it.
pub(super) type Waits = BTreeMap<(Address, BTreeSet<usize>), u128>;

impl Play {
    /// Writes down what complaints claim of a payment; returns how much is held.
    pub(super) fn wait(&mut self, asset: u64, claims: &BTreeMap<usize, u128>) -> u128 {
        // Every coin up to the largest claim is claimed by all who claim that much.
        let mut held = 0;
        for level in claims.values().copied().collect::<BTreeSet<_>>() {
            let by = claims.iter().filter(|(_, claimed)| **claimed >= level);
            let by: BTreeSet<_> = by.map(|(place, _)| *place).collect();
            let waits = self.waits.entry(asset).or_default();
            let mut key = (self.owners[&asset], by);
            if waits.len() >= MOST_NAMED && !waits.contains_key(&key) {
                key.0 = Address::ZERO;
            }
            *waits.entry(key).or_default() += level - held;
            held = level;
        }
        held
    }

    /// I9, entry by entry.
    pub(super) fn check_escrows(&mut self, asset: u64) {
        let shown = ask(&mut self.world, PAYER, &IDisputes::escrowsOfCall { asset }).unwrap();
        let number = shown.len();
        let entry = |one: IDisputes::Escrow| {
            let by =
                one.complaints.iter().map(|complaint| usize::try_from(*complaint).unwrap() - 1);
            ((one.earner, by.collect()), one.amount.to::<u128>())
        };
        let shown: Waits = shown.into_iter().map(entry).collect();
        assert_eq!(shown.len(), number, "one entry for an earner and its claims");
        assert_eq!(shown, self.waits.get(&asset).cloned().unwrap_or_default());
    }

    /// The asset goes to one of three.
    pub(super) fn give(&mut self) {
        let asset = 1 + self.dice.below(ASSETS_PLAYED);
        let to = [OWNER, complainant(0), PAYER][self.index(3)];
        let from = self.owners[&asset];
        if from != to {
            give(&mut self.world, asset, from, to).unwrap();
            self.owners.insert(asset, to);
        }
    }

    /// Takes a complaint off what waits; returns how much leaves, and to whom it goes back.
    pub(super) fn leave(
        &mut self,
        place: usize,
        is_upheld: bool,
    ) -> (u128, BTreeMap<Address, u128>) {
        let asset = self.seen[place].asset;
        let (mut left, mut given) = (0, BTreeMap::new());
        for ((earner, mut by), amount) in std::mem::take(self.waits.entry(asset).or_default()) {
            let is_claimed = by.remove(&place);
            if is_claimed && is_upheld {
                left += amount;
            } else if by.is_empty() {
                left += amount;
                let earner = if earner.is_zero() { self.owners[&asset] } else { earner };
                *given.entry(earner).or_default() += amount;
            } else {
                self.shared += u64::from(is_claimed);
                *self.waits.entry(asset).or_default().entry((earner, by)).or_default() += amount;
            }
        }
        self.former += u64::from(given.keys().any(|earner| *earner != self.owners[&asset]));
        (left, given)
    }

    /// Who alone owned the asset has it at once; of a pool with a member a former owner has half.
    pub(super) fn check_given(&self, asset: u64, given: &BTreeMap<Address, u128>) {
        let mut settled = BTreeMap::<Address, u128>::new();
        for one in events::<IRoyalties::Settled>(&self.world) {
            *settled.entry(one.account).or_default() += one.amount.to::<u128>();
        }
        let mut deposited: Vec<u128> = Vec::new();
        for one in events::<IRoyalties::Deposited>(&self.world) {
            deposited.push(one.amount.to());
        }
        assert_eq!(deposited.iter().sum::<u128>(), given.values().sum::<u128>());
        if asset.is_multiple_of(2) {
            assert_eq!(&settled, given);
            return;
        }
        let owner = self.owners[&asset];
        for (earner, amount) in given.iter().filter(|(earner, _)| **earner != owner) {
            let got = settled.get(earner).copied().unwrap_or_default();
            assert!((got * 2).abs_diff(*amount) <= 2, "{got} of {amount}");
        }
    }
}
