use super::{
    attack::{fewest, least, least_beside, spread, thresholds},
    chart::{logarithm, short},
    demand::{Decline, Demand, FIRST_MONTH, all},
    ledger::{MONTHS, Rules, Run},
    show::{csv, years},
};
use crate::cli::Distribution;
use sahara_primitives::{Amount, BasisPoints, Timestamp};
use sahara_protocols::{GENESIS_SUPPLY, staking::seats::seats};

fn runs() -> Vec<Run> {
    all().iter().map(|demand| Run::new(&Rules::default(), demand).unwrap()).collect()
}

#[test]
fn the_same_inputs_give_the_same_bytes() {
    assert_eq!(csv(&runs()), csv(&runs()));
    assert_eq!(csv(&runs()).lines().count(), 1 + 5 * 121);
}

#[test]
fn ten_years_end_ten_calendar_years_after_the_genesis() {
    let rules = Rules::default();
    let years = years(&runs(), &rules).unwrap();
    assert_eq!(years.len(), 50);
    // 2037-01-01 00:00:00 UTC.
    assert_eq!(years[9].ends, 2_114_380_800);
    assert_eq!(rules.time(MONTHS), Timestamp(years[9].ends));
}

#[test]
fn what_is_free_is_what_the_token_page_says() {
    let rules = Rules::default();
    let free = |month: u32, seconds: i64| {
        let at = rules.time(month).0.checked_add_signed(seconds).unwrap();
        Amount::sum(rules.free(Timestamp(at))).unwrap()
    };
    let coins = Amount::from_coins;
    // Sale, liquidity and 44 % of the airdrop; then a 48th of 5,468 million a month.
    assert_eq!(free(0, 0), coins(600_600_000));
    assert_eq!(free(1, -1), coins(600_600_000));
    let step = coins(2_075_000_000).div_floor(48).unwrap();
    let step = step.checked_add(coins(3_393_000_000).div_floor(48).unwrap()).unwrap();
    assert_eq!(free(1, 0), coins(600_600_000).checked_add(step).unwrap());
    // At month 12 a quarter of 3,475 million beside the last of the airdrop.
    let before = free(12, -1);
    let cliff = coins(3_475_000_000 / 4);
    assert!(free(12, 0) > before.checked_add(cliff).unwrap());
    assert!(free(48, -1) < GENESIS_SUPPLY);
    assert_eq!(free(48, 0), GENESIS_SUPPLY);
}

#[test]
fn coin_is_neither_made_nor_lost_whatever_people_do() {
    // Each run is held against the supply, month by month, when it is made.
    let extreme = [0_u16, 1, 3_333, 10_000];
    for claimed in extreme {
        for spent in extreme {
            for programme in extreme {
                let ratio = |points| BasisPoints::new(points).unwrap();
                let demand = Demand {
                    claimed: ratio(claimed),
                    spent: ratio(spent),
                    programme: ratio(programme),
                    loyal: ratio(spent),
                    wanted: ratio(programme),
                    ..all().remove(2)
                };
                let run = Run::new(&Rules::default(), &demand).unwrap();
                for month in &run.months {
                    assert!(month.staked <= month.circulating);
                    assert!(month.pool_free <= month.pool);
                    assert!(month.treasury_free <= month.treasury);
                }
            }
        }
    }
}

#[test]
fn use_grows_to_its_ceiling_and_falls_when_it_declines() {
    let rate = BasisPoints::constant(5_000);
    let demand = Demand {
        growth: 10_000,
        ceiling: 8,
        decline: Some(Decline { begins: 6, months: 2, rate }),
        ..all().remove(1)
    };
    let shown: Vec<_> = demand.activity(10).iter().map(|one| one * 10 / FIRST_MONTH).collect();
    assert_eq!(shown, [10, 20, 40, 80, 80, 80, 40, 20, 20, 20]);
}

#[test]
fn gas_beyond_the_target_is_dearer_and_not_more() {
    let high = &runs()[2];
    let floor = Rules::default().fees.base_fee_floor;
    assert_eq!(high.months[1].gas_price, floor);
    assert!(high.months[120].gas_price > 2 * floor, "{}", high.months[120].gas_price);
    let parts = [high.months[120].validators, high.months[120].tax];
    assert_eq!(Amount::sum(parts).unwrap(), high.months[120].gas_fees);
}

#[test]
fn an_attack_costs_a_coin_less_at_no_other_stake() {
    let (halt, decide) = thresholds(100);
    assert_eq!((halt, decide), (34, 67));
    for honest in [1_000_000, 77_777_777] {
        let coins = least(Amount::from_coins(honest), 100, halt);
        let part = Amount::from_coins(honest).div_floor(100).unwrap().to_u128().unwrap();
        let won = |coins: u64| {
            let mut stakes = vec![part; 100];
            stakes.push(Amount::from_coins(coins).to_u128().unwrap());
            seats(&stakes, 100)[100]
        };
        assert_eq!((won(coins - 1), won(coins)), (halt - 1, halt));
    }
}

#[test]
fn stake_lies_as_it_was_asked_and_adds_up() {
    let honest = Amount::from_coins(100_000_000);
    for (validators, how) in
        [(1, Distribution::Zipf), (20, Distribution::Equal), (512, Distribution::Zipf)]
    {
        let parts = spread(honest, validators, how);
        assert_eq!(parts.len(), usize::try_from(validators).unwrap());
        let sum: u128 = parts.iter().sum();
        let whole = honest.to_u128().unwrap();
        assert!(sum <= whole && whole - sum < u128::from(validators));
        assert!(parts.is_sorted_by(|one, next| one >= next));
    }
    let parts = spread(honest, 3, Distribution::Zipf);
    let coins: Vec<_> = parts.iter().map(|part| part / 1_000_000_000_000_000_000).collect();
    // 6, 3 and 2 of eleven parts, a third of a billion rounded down.
    assert_eq!(coins, [54_545_454, 27_272_727, 18_181_818]);
}

#[test]
fn fewer_and_larger_validators_halt_in_smaller_company_and_are_dearer_to_outbid() {
    let honest = Amount::from_coins(100_000_000);
    let (halt, _) = thresholds(100);
    let cost = |validators, how| {
        let parts = spread(honest, validators, how);
        (least_beside(&parts, 100, halt), fewest(&parts, 100, halt))
    };
    assert_eq!(cost(100, Distribution::Equal), (least(honest, 100, halt), 34));
    assert_eq!(cost(1, Distribution::Equal).1, 1);
    let counts = [1, 20, 100, 512];
    let equal = counts.map(|validators| cost(validators, Distribution::Equal));
    assert!(equal.is_sorted_by(|fewer, more| fewer.0 > more.0 && fewer.1 <= more.1), "{equal:?}");
    let (_, company) = cost(100, Distribution::Zipf);
    assert!(company < 5, "{company} of a hundred");
}

#[test]
fn numbers_are_short_and_logarithms_grow() {
    for (number, text) in
        [(0, "0"), (999, "999"), (1_000, "1 k"), (1_550_000, "1.5 M"), (20_000_000_000, "20 B")]
    {
        assert_eq!(short(number), text);
    }
    assert_eq!([1, 2, 4, 1 << 40].map(logarithm), [0, 1_024, 2_048, 40 * 1_024]);
    // 1024 * log2(10) = 3401.65
    assert_eq!(logarithm(10), 3_401);
    assert!((1..5_000).all(|value| logarithm(value) <= logarithm(value + 1)));
}
