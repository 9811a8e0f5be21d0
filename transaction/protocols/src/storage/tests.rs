use super::*;
use crate::memory::MemoryState;
use alloy_primitives::{address, keccak256};
use proptest::prelude::*;

const HERE: Address = address!("00000000000000000000000000000000000000ff");
const NUMBERS: Map<u64, U256> = Map::at(HERE, 3);
const ITEMS: List<Address, u64> = List::at(HERE, 4);
const TEXTS: Text<AssetId> = Text::at(HERE, 5);

#[test]
fn a_slot_names_its_map_its_key_and_its_word() {
    let hash = keccak256([[3].as_slice(), &7_u64.to_be_bytes()].concat());
    let mut slot = [0; 32];
    slot[0] = 3;
    slot[1..31].copy_from_slice(&hash[..30]);
    assert_eq!(NUMBERS.slot(7).to_be_bytes::<32>(), slot);
    slot[31] = 9;
    assert_eq!(NUMBERS.starting_at(9).slot(7).to_be_bytes::<32>(), slot);
}

#[test]
fn fields_stand_from_the_highest_bit_down() {
    let word = Pack::new().number(8, 0xab).flag(true).number(7, 1).address(HERE).finish().unwrap();
    let mut fields = Unpack::new(word);
    assert_eq!(word >> 240, U256::from(0xab81));
    assert_eq!(fields.number::<u8>(8), Ok(0xab));
    assert!(fields.flag());
    assert_eq!(fields.number::<u8>(7), Ok(1));
    assert_eq!(fields.address(), HERE);
}

#[test]
fn a_field_wider_than_its_place_is_never_written() {
    assert!(Pack::new().number(8, 256).finish().is_err());
    assert!(Pack::new().number(255, 1).number(2, 0).finish().is_err());
}

#[test]
fn an_unchanged_word_is_not_written() {
    let state = &mut MemoryState::default();
    NUMBERS.set(state, 1, &U256::from(5)).unwrap();
    let stores = state.count.stores;
    NUMBERS.update(state, 1, |_| Ok(())).unwrap();
    assert_eq!(state.count.stores, stores);
}

proptest! {
    #[test]
    fn a_text_reads_what_was_last_written(
        texts in proptest::collection::vec(proptest::collection::vec(any::<u8>(), 0..300), 1..6),
    ) {
        let state = &mut MemoryState::default();
        for text in &texts {
            TEXTS.set(state, AssetId(1), text).unwrap();
            prop_assert_eq!(&TEXTS.get(state, AssetId(1)).unwrap(), text);
            let words = if text.is_empty() { 0 } else { 1 + text.len().saturating_sub(30).div_ceil(32) };
            prop_assert!(state.words.len() <= words);
        }
    }

    #[test]
    fn a_list_behaves_as_a_vector(steps in proptest::collection::vec((any::<bool>(), any::<u64>()), 1..60)) {
        let (state, mut model) = (&mut MemoryState::default(), Vec::<u64>::new());
        for (is_push, number) in steps {
            if is_push || model.is_empty() {
                ITEMS.push(state, HERE, &number).unwrap();
                model.push(number);
            } else {
                let index = usize::try_from(number).unwrap() % model.len();
                let moved = ITEMS.swap_remove(state, HERE, u64::try_from(index).unwrap()).unwrap();
                model.swap_remove(index);
                prop_assert_eq!(moved, model.get(index).copied());
            }
            let (items, total) = ITEMS.page(state, HERE, U256::ZERO, U256::MAX).unwrap();
            prop_assert_eq!(usize::try_from(total).unwrap(), model.len());
            prop_assert_eq!(&items, &model);
        }
    }
}

#[test]
fn the_longest_text_fits_and_a_longer_one_is_refused() {
    let state = &mut MemoryState::default();
    let text = vec![0xff; Text::<AssetId>::MOST];
    TEXTS.set(state, AssetId(1), &text).unwrap();
    assert_eq!(TEXTS.get(state, AssetId(1)).unwrap(), text);
    assert!(TEXTS.set(state, AssetId(1), &[text, vec![0]].concat()).is_err());
}
