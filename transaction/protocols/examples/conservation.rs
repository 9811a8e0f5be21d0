//! ROY-3: random events through the royalties, and every unit accounted for.
//!
//! `time cargo run --release -p sahara-protocols --example conservation -- 1000000`

#![expect(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "a soak prints, and fails by panicking"
)]

#[path = "../tests/conservation/events.rs"]
mod events;

fn main() {
    let asked = std::env::args().nth(1);
    let count: u32 = asked.map_or(100_000, |text| text.parse().expect("a number of events"));
    let mut economy = events::Economy::new(0x5a4a_4a52);
    let mut left = count;
    while left > 0 {
        let batch = left.min(10_000);
        (0..batch).for_each(|_| economy.step());
        economy.check();
        left -= batch;
    }
    println!("{count} events, {} base units paid, none lost", economy.paid());
}
