//! Nothing is made or lost over many random events; `examples/conservation.rs` runs a million.

#![expect(
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "helpers of tests fail by panicking"
)]

mod events;

#[test]
fn many_random_events_keep_every_unit() {
    for seed in [1, 0x5a4a_4a52, u64::MAX] {
        let mut economy = events::Economy::new(seed);
        for _ in 0..8 {
            (0..150).for_each(|_| economy.step());
            economy.check();
        }
        assert!(economy.paid() > 0);
    }
}
