//! ERC-721 against a model of owners, approvals and operators in plain maps.

use super::*;

const PEOPLE: [Address; 4] = [ALICE, BOB, CAROL, Address::repeat_byte(0xda)];

#[derive(Clone, Debug)]
enum Step {
    Register { by: usize },
    Approve { by: usize, to: usize, id: u64 },
    Operate { by: usize, operator: usize, is_on: bool },
    Transfer { by: usize, from: usize, to: usize, id: u64, is_asked: bool },
}

fn step() -> impl Strategy<Value = Step> {
    let who = || 0..PEOPLE.len();
    prop_oneof![
        1 => who().prop_map(|by| Step::Register { by }),
        3 => (who(), who(), 0u64..7).prop_map(|(by, to, id)| Step::Approve { by, to, id }),
        2 => (who(), who(), any::<bool>())
            .prop_map(|(by, operator, is_on)| Step::Operate { by, operator, is_on }),
        6 => (who(), who(), who(), 0u64..7, any::<bool>())
            .prop_map(|(by, from, to, id, is_asked)| Step::Transfer { by, from, to, id, is_asked }),
    ]
}

#[derive(Default)]
struct Tokens {
    owners: BTreeMap<u64, Address>,
    approved: BTreeMap<u64, Address>,
    operators: BTreeSet<(Address, Address)>,
}

impl Tokens {
    fn may(&self, by: Address, id: u64) -> bool {
        self.owners.get(&id).is_some_and(|owner| {
            by == *owner
                || self.operators.contains(&(*owner, by))
                || self.approved.get(&id) == Some(&by)
        })
    }
}

fn run(state: &mut MemoryState, model: &mut Tokens, step: &Step) {
    match *step {
        Step::Register { by } => {
            let id = register(state, PEOPLE[by], &dataset(&[], 0)).unwrap();
            model.owners.insert(id.0, PEOPLE[by]);
        }
        Step::Approve { by, to, id } => {
            let (by, to) = (PEOPLE[by], PEOPLE[to]);
            let owner = model.owners.get(&id).copied();
            let may = owner.is_some_and(|o| o == by || model.operators.contains(&(o, by)));
            let done = state.atomically(|state| approve(state, by, to, U256::from(id)));
            assert_eq!(done.is_ok(), may);
            if may {
                model.approved.insert(id, to);
            }
        }
        Step::Operate { by, operator, is_on } => {
            let pair = (PEOPLE[by], PEOPLE[operator]);
            set_approval_for_all(state, pair.0, pair.1, is_on).unwrap();
            if is_on {
                model.operators.insert(pair)
            } else {
                model.operators.remove(&pair)
            };
        }
        Step::Transfer { by, from, to, id, is_asked } => {
            let (by, from, to) = (PEOPLE[by], PEOPLE[from], PEOPLE[to]);
            let may = model.may(by, id) && model.owners.get(&id) == Some(&from);
            let done = state.atomically(|state| {
                let (path, token) = ((from, to), U256::from(id));
                // Directly, or as the registry's own code asks after `safeTransferFrom`.
                if is_asked {
                    return transfer_for(state, sahara_abi::ASSETS, by, path, token);
                }
                transfer_from(state, by, path, token)
            });
            assert_eq!(done.is_ok(), may);
            if may {
                model.owners.insert(id, to);
                model.approved.remove(&id);
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn i4_i8_tokens_move_as_the_naive_model_says(steps in proptest::collection::vec(step(), 1..80)) {
        let (state, mut model) = (&mut MemoryState::default(), Tokens::default());
        for step in &steps {
            run(state, &mut model, step);
            for (id, owner) in &model.owners {
                prop_assert_eq!(owner_of(state, U256::from(*id)), Ok(*owner));
                let approved = model.approved.get(id).copied().unwrap_or_default();
                prop_assert_eq!(ownership::approved(state, U256::from(*id)), Ok(approved));
            }
            for person in PEOPLE {
                let held = model.owners.values().filter(|owner| **owner == person).count();
                prop_assert_eq!(usize::try_from(balance_of(state, person).unwrap()).unwrap(), held);
            }
        }
    }
}

#[test]
fn look_alike_names_and_equal_contents_are_told_apart_by_id_and_creator() {
    let state = &mut MemoryState::default();
    let named = |name: &str| Registration {
        metadata: format!("data:application/json,{{\"name\":\"{name}\"}}"),
        ..dataset(&[], 0)
    };
    let honest = register(state, ALICE, &named("Sahara")).unwrap();
    let copy = register(state, BOB, &named("S\u{430}har\u{430}")).unwrap();
    let [first, second] = [honest, copy].map(|id| views::asset(state, id).unwrap());
    assert_eq!(first.contentHash, second.contentHash);
    assert_ne!(first.metadataURI, second.metadataURI, "not folded into one another");
    assert_eq!((first.creator, second.creator), (ALICE, BOB));
    assert!(first.registeredAt <= second.registeredAt && honest < copy);
}
