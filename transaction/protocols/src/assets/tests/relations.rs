//! The table of relations: in the spec, in the code, and at the door.

use super::*;
use crate::assets::relations::{KINDS, RULES, rule};

const SPEC: &str = include_str!("../../../../../specs/0004-assets.md");

const RELATIONS: [Relation; 10] = [
    Relation::TrainedOn,
    Relation::FinetunedFrom,
    Relation::Embeds,
    Relation::DerivedFrom,
    Relation::EvaluatedOn,
    Relation::LabelledBy,
    Relation::VersionOf,
    Relation::GeneratedBy,
    Relation::TrainedWith,
    Relation::Records,
];

fn kind(name: &str) -> Kind {
    let names = [
        "dataset",
        "model",
        "agent",
        "pipeline",
        "checkpoint",
        "adapter",
        "recipe",
        "inference task",
        "usage log",
    ];
    let index = names.iter().position(|n| *n == name).unwrap_or_else(|| panic!("{name}?"));
    KINDS[index]
}

/// What the spec's row says of two kinds, and of income.
fn published(relation: Relation, child: Kind, parent: Kind) -> (bool, bool) {
    let name = format!("| {relation:?} |");
    let row = SPEC.lines().find(|line| line.starts_with(&name)).expect("a row of the spec");
    let cells: Vec<_> = row.split('|').map(str::trim).collect();
    let names = |cell: &str, this: Kind| match cell {
        "any" => true,
        "the same" => child == parent,
        list => list.split(", ").any(|name| kind(name) == this),
    };
    (names(cells[2], child) && names(cells[3], parent), cells[4] == "yes")
}

#[test]
fn the_spec_shows_the_table() {
    for relation in RELATIONS {
        let rule = rule(relation).unwrap();
        for child in KINDS {
            for parent in KINDS {
                let (holds, pays) = published(relation, *child, *parent);
                let case = format!("{child:?} {relation:?} {parent:?}");
                assert_eq!(rule.holds(*child, *parent), holds, "{case}");
                assert_eq!(rule.carries_income, pays, "{case}");
            }
        }
    }
    assert_eq!(RULES.len(), RELATIONS.len());
    assert!(rule(Relation::__Invalid).is_none());
}

#[test]
fn kinds_and_relations_keep_their_numbers() {
    let numbers: Vec<u8> = KINDS.iter().map(|kind| (*kind).into()).collect();
    assert_eq!(numbers, (0..9).collect::<Vec<_>>());
    let numbers: Vec<u8> = RELATIONS.map(Into::into).to_vec();
    assert_eq!(numbers, (0..10).collect::<Vec<_>>());
    assert!(RULES.iter().map(|rule| rule.relation).eq(RELATIONS));
}

#[test]
fn to_be_measured_on_something_gives_it_no_income_and_needs_no_leave() {
    let state = &mut MemoryState::default();
    let closed = Registration { derivatives: Derivatives::None, ..dataset(&[], 2_000) };
    let benchmark = register(state, ALICE, &closed).unwrap();
    let edge = Edge { parent: benchmark, relation: Relation::EvaluatedOn };
    let model = Registration { kind: Kind::Model, edges: vec![edge], ..dataset(&[], 500) };
    let id = register(state, BOB, &model).unwrap();
    assert_eq!((shares_of(state, id), edges(state, id)), (vec![], Ok(vec![edge])));
    let (parts, room) = preview(state, &[edge], BasisPoints::ZERO, Amount::from_u128(7)).unwrap();
    assert_eq!((parts.len(), parts[0].amount, room), (1, U256::from(7), 5_000));
    let twice = Registration { edges: vec![edge, edge], ..model };
    let error = IAssets::DuplicateEdge { parent: benchmark.0 };
    assert_eq!(refusal(state, &twice), error.into());
}

proptest! {
    #[test]
    fn i7_an_edge_stands_exactly_where_the_table_allows_it(
        child in 0usize..9, parent in 0usize..9, relation in 0usize..10,
    ) {
        let (child, parent, relation) = (KINDS[child], KINDS[parent], RELATIONS[relation]);
        let state = &mut MemoryState::default();
        let older = Registration { kind: parent, ..dataset(&[], 100) };
        let id = register(state, BOB, &older).unwrap();
        let edges = vec![Edge { parent: id, relation }];
        let younger = Registration { kind: child, edges, ..dataset(&[], 0) };
        let (holds, pays) = published(relation, child, parent);
        match state.atomically(|state| register(state, BOB, &younger)) {
            Ok(made) => {
                prop_assert!(holds);
                prop_assert_eq!(shares_of(state, made), if pays { vec![(1, 100)] } else { vec![] });
            }
            Err(failure) => {
                let error = IAssets::InvalidRelation { parent: 1, relation };
                prop_assert_eq!(failure, error.into());
                prop_assert!(!holds);
            }
        }
    }
}
