//! Lines as deep and families as wide as they may be.

use super::*;

/// Royalty at which a line of 64 fits: 64 * 78 = 4,992 basis points.
const THIN: u16 = 78;

fn owner(number: u64) -> Address {
    Address::left_padding_from(&(number + 0x1_0000).to_be_bytes())
}

fn sole(
    state: &mut MemoryState,
    number: u64,
    parents: &[u64],
    royalty: u16,
) -> Result<AssetId, Failure> {
    let asset = plan(parents, royalty, &[], 0);
    state.atomically(|state| assets::register(state, owner(number), &asset))
}

#[test]
fn a_line_is_sixty_four_deep_and_everyone_in_it_is_paid() {
    let state = &mut rich();
    sole(state, 1, &[], THIN).unwrap();
    for number in 2..=65 {
        assert_eq!(sole(state, number, &[number - 1], THIN), Ok(AssetId(number)));
    }
    assert!(sole(state, 66, &[65], 0).is_err(), "the sixty-fifth ancestor");
    let (tip, paid) = (AssetId(65), 1_000_003);
    pay(state, tip, paid).unwrap();
    let part = paid * u128::from(THIN) / 10_000;
    for number in 1..=64 {
        assert_eq!(balance(state, owner(number)), part, "ancestor {number}");
    }
    assert_eq!(balance(state, owner(65)), paid - 64 * part);
}

#[test]
fn a_family_of_sixteen_parents_is_paid_once_each() {
    let state = &mut rich();
    // A grandparent common to all, by sixteen paths.
    sole(state, 1, &[], 200).unwrap();
    for number in 2..=17 {
        sole(state, number, &[1], 300).unwrap();
    }
    let parents: Vec<u64> = (2..=17).collect();
    let tip = sole(state, 18, &parents, 0).unwrap();
    pay(state, tip, 10_000).unwrap();
    assert_eq!(balance(state, owner(1)), 200);
    assert!((2..=17).all(|number| balance(state, owner(number)) == 300));
    assert_eq!(balance(state, owner(18)), 10_000 - 200 - 16 * 300);
    let seventeen = [parents, vec![1]].concat();
    assert!(sole(state, 19, &seventeen, 0).is_err());
}
