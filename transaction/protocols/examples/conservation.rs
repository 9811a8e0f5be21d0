//! ROY-3: random events through the royalties, every unit accounted for, and what an event costs.
//!
//! `cargo run --release -p sahara-protocols --example conservation -- 1000000`

#![expect(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::print_stdout,
    clippy::integer_division,
    reason = "a measurement prints, and fails by panicking"
)]

#[path = "../tests/conservation/events.rs"]
mod events;

use std::time::Instant;

fn main() {
    let asked = std::env::args().nth(1);
    let count: u32 = asked.map_or(100_000, |text| text.parse().expect("a number of events"));
    let mut economy = events::Economy::new(0x5a4a_4a52);
    let (mut spent, mut left) = (std::time::Duration::ZERO, count);
    while left > 0 {
        let batch = left.min(10_000);
        let start = Instant::now();
        (0..batch).for_each(|_| economy.step());
        spent += start.elapsed();
        economy.check();
        left -= batch;
    }
    let each = spent.as_nanos() / u128::from(count.max(1));
    println!("{count} events, {} base units paid, none lost; {each} ns an event", economy.paid());
}
