//! The packed words are read by the supply check and by nodes of other versions: bit by bit.

use crate::channels::allowance::Allowance;
use crate::channels::words::{Balance, Earning, Progress, Terms};
use crate::storage::Value;
use alloy_primitives::{Address, U256, uint};
use proptest::prelude::*;
use sahara_primitives::{BasisPoints, FeeRates};

const NARROW: std::ops::Range<u128> = 0..1 << 96;

#[test]
fn every_field_has_its_place() {
    let balance = Balance {
        settled: 0x11,
        deposit: 0x22,
        close_requested_at: 0x33,
        is_closed: true,
        is_grant: false,
        is_restricted: true,
        seq: 0x44,
    };
    let word = uint!(0x000000000000000000000011_000000000000000000000022_00000033_05_000044_U256);
    assert_eq!(balance.pack(), Ok([word]));
    assert_eq!(balance.held(), 0x11);

    let progress = Progress { base: 0x11, gateway: Address::repeat_byte(0xaa) };
    let word = uint!(0x000000000000000000000011_aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa_U256);
    assert_eq!(progress.pack(), Ok([word]));

    let rates =
        FeeRates { protocol: BasisPoints::constant(0x64), gateway: BasisPoints::constant(0x1f4) };
    let terms = Terms { payer: Address::repeat_byte(0xbb), rates, opened_at: 0x55 };
    let word = uint!(0xbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb_0064_01f4_0000000000000055_U256);
    assert_eq!(terms.pack(), Ok([word]));

    let allowance = Allowance { max_per_day: 0x11, used: 0x22, day: 0x33, valid_until: 0x44 };
    let word = uint!(0x000000000000000000000011_000000000000000000000022_000033_0000000044_U256);
    assert_eq!(allowance.pack(), Ok([word]));

    let earning = Earning { worker: 0x11, asset: 0x22 };
    let word = uint!(0x00000000000000000000000000000011_00000000000000000000000000000022_U256);
    assert_eq!(earning.pack(), Ok([word]));
}

#[test]
fn a_word_that_no_rule_writes_is_fatal() {
    let fee_above_the_whole = U256::from(10_001) << 80;
    assert!(Terms::unpack(&[fee_above_the_whole]).is_err());
    assert!(Balance { settled: 1 << 96, ..Balance::default() }.pack().is_err());
    assert!(Balance { seq: 1 << 24, ..Balance::default() }.pack().is_err());
}

#[test]
fn a_grant_without_end_is_clipped_to_the_last_second_there_is() {
    let allowance = Allowance::new(1, u64::MAX);
    assert_eq!(allowance.valid_until, (1 << 40) - 1);
    assert!(allowance.pack().is_ok());
}

proptest! {
    #[test]
    fn a_balance_reads_what_it_wrote(
        settled in NARROW, deposit in NARROW, close_requested_at in any::<u32>(),
        (is_closed, is_grant, is_restricted) in any::<(bool, bool, bool)>(), seq in 0u32..1 << 24,
    ) {
        let balance = Balance {
            settled, deposit, close_requested_at, is_closed, is_grant, is_restricted, seq,
        };
        prop_assert_eq!(Balance::unpack(&balance.pack().unwrap()), Ok(balance));
    }

    #[test]
    fn terms_progress_allowance_and_earning_read_what_they_wrote(
        (base, used, max_per_day) in (NARROW, NARROW, NARROW), day in 0u64..1 << 24,
        valid_until in 0u64..1 << 40, account in any::<[u8; 20]>(), opened_at in any::<u64>(),
        (protocol, gateway) in (0u16..=10_000, 0u16..=10_000), parts in any::<(u128, u128)>(),
    ) {
        let account = Address::from(account);
        let rate = |points| BasisPoints::new(points).unwrap();
        let rates = FeeRates { protocol: rate(protocol), gateway: rate(gateway) };
        let terms = Terms { payer: account, rates, opened_at };
        prop_assert_eq!(Terms::unpack(&terms.pack().unwrap()), Ok(terms));
        let progress = Progress { base, gateway: account };
        prop_assert_eq!(Progress::unpack(&progress.pack().unwrap()), Ok(progress));
        let allowance = Allowance { max_per_day, used, day, valid_until };
        prop_assert_eq!(Allowance::unpack(&allowance.pack().unwrap()), Ok(allowance));
        let earning = Earning { worker: parts.0, asset: parts.1 };
        prop_assert_eq!(Earning::unpack(&earning.pack().unwrap()), Ok(earning));
    }
}
