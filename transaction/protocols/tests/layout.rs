//! The slots of every protocol are part of the consensus rules: a change here is a reviewed decision.

use sahara_protocols::{Region, layout, protocols};
use std::collections::BTreeSet;

fn regions() -> impl Iterator<Item = (&'static str, &'static [Region])> {
    let name = |address| sahara_abi::protocol_at(address).map_or("unpublished", |p| p.name);
    protocols().iter().map(move |address| (name(*address), layout(*address).unwrap_or_default()))
}

#[test]
fn every_protocol_keeps_its_slots() {
    let lines = regions().flat_map(|(protocol, regions)| {
        regions.iter().map(move |r| {
            format!("{protocol:<10} {:>2}.{} {:<12} {}", r.number, r.first_word, r.name, r.kind)
        })
    });
    insta::assert_snapshot!(lines.collect::<Vec<_>>().join("\n"));
}

#[test]
fn no_two_regions_share_a_first_slot() {
    for (protocol, regions) in regions() {
        let places: BTreeSet<_> = regions.iter().map(|r| (r.number, r.first_word)).collect();
        assert_eq!(places.len(), regions.len(), "{protocol} uses a number twice");
    }
}
