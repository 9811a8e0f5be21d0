//! Several complaints about one asset, and income of several owners.

use super::*;

fn escrows(world: &mut Undo, asset: u64) -> Vec<(Address, u128, Vec<u64>)> {
    let shown = ask(world, PAYER, &IDisputes::escrowsOfCall { asset }).unwrap();
    shown.into_iter().map(|one| (one.earner, one.amount.to::<u128>(), one.complaints)).collect()
}

fn held(world: &mut Undo, complaint: u64) -> u128 {
    shown(world, complaint).held.to()
}

fn crowd(world: &mut Undo, people: u8) {
    for number in 0..people {
        let rich = Amount::from_u128(1_000_000 * COIN);
        world.state.fund(complainant(number), rich);
    }
}

#[test]
fn i9_several_complaints_claim_the_same_income_and_it_is_held_once() {
    let mut world = world(9);
    crowd(&mut world, 2);
    let asset = asset(&mut world, &[], false);
    let first = file(&mut world, asset, 100 * COIN).unwrap();
    let second = file_by(&mut world, complainant(0), asset, 150 * COIN).unwrap();
    let before = world.held(OWNER);
    pay(&mut world, asset, 60 * COIN);
    assert_eq!(escrows(&mut world, asset), [(OWNER, 60 * COIN, vec![first, second])]);
    // The first has room for 40 of it, the second for 90.
    pay(&mut world, asset, 100 * COIN);
    assert_eq!(world.held(OWNER) - before, 10 * COIN);
    let expected = [(OWNER, 100 * COIN, vec![first, second]), (OWNER, 50 * COIN, vec![second])];
    assert_eq!(escrows(&mut world, asset), expected);
    assert_eq!((held(&mut world, first), held(&mut world, second)), (100 * COIN, 150 * COIN));
    check_books(&world);
    // The first is upheld and closed first: what both claim is its complainant's.
    rule_all(&mut world, &[(first, true), (second, true)]);
    until(&mut world, first, APPEAL);
    let victim = world.held(VICTIM);
    close(&mut world, first).unwrap();
    assert_eq!(events::<IDisputes::Closed>(&world)[0].held, U256::from(100 * COIN));
    assert_eq!(world.held(VICTIM) - victim, 200 * COIN - JURY_FEE);
    assert_eq!(escrows(&mut world, asset), [(OWNER, 50 * COIN, vec![second])]);
    close(&mut world, second).unwrap();
    assert_eq!(events::<IDisputes::Closed>(&world)[0].held, U256::from(50 * COIN));
    assert_eq!((world.held(DISPUTES), escrows(&mut world, asset).len()), (0, 0));
    assert_eq!(world.held(OWNER) - before, 10 * COIN);
    check_books(&world);
}

#[test]
fn i9_a_friends_complaint_shields_nothing_whenever_it_is_filed() {
    for is_first in [true, false] {
        let mut world = world(9);
        crowd(&mut world, 1);
        let asset = asset(&mut world, &[], true);
        let friends = |world: &mut Undo| file_by(world, complainant(0), asset, 500 * COIN).unwrap();
        let mut sham = 0;
        if is_first {
            sham = friends(&mut world);
        }
        let just = file(&mut world, asset, 100 * COIN).unwrap();
        if !is_first {
            sham = friends(&mut world);
        }
        pay(&mut world, asset, 300 * COIN);
        rule_all(&mut world, &[(just, true), (sham, false)]);
        pay(&mut world, asset, 20 * COIN);
        until(&mut world, just, APPEAL);
        let owner = world.held(OWNER);
        close(&mut world, sham).unwrap();
        // 200 of it nobody else claimed; half of the bond less the fee is the owner's.
        assert_eq!(deposited(&mut world, asset), 200 * COIN);
        assert_eq!(world.held(OWNER) - owner, (500 * COIN - JURY_FEE) / 2);
        let victim = world.held(VICTIM);
        close(&mut world, just).unwrap();
        let alone = 100 * COIN + 20 * COIN;
        assert_eq!(world.held(VICTIM) - victim, 100 * COIN - JURY_FEE + alone);
        assert_eq!(world.held(DISPUTES), 0);
        check_books(&world);
    }
}

#[test]
fn i9_what_the_last_complaint_gives_up_goes_back() {
    let mut world = world(9);
    crowd(&mut world, 1);
    let asset = asset(&mut world, &[], false);
    let first = file(&mut world, asset, 100 * COIN).unwrap();
    let second = file_by(&mut world, complainant(0), asset, 100 * COIN).unwrap();
    pay(&mut world, asset, 80 * COIN);
    rule_all(&mut world, &[(first, false), (second, false)]);
    until(&mut world, first, APPEAL);
    let half = (100 * COIN - JURY_FEE) / 2;
    let owner = world.held(OWNER);
    close(&mut world, first).unwrap();
    assert_eq!(world.held(OWNER) - owner, half, "the other one claims it");
    close(&mut world, second).unwrap();
    assert_eq!(world.held(OWNER) - owner, 2 * half + 80 * COIN);
    assert_eq!(world.held(DISPUTES), 0);
    check_books(&world);
}

#[test]
fn beyond_eight_a_complaint_holds_nothing_and_is_decided_all_the_same() {
    let mut world = world(9);
    crowd(&mut world, 9);
    let asset = asset(&mut world, &[], false);
    let mut complaints = Vec::new();
    for number in 0..9 {
        complaints.push(file_by(&mut world, complainant(number), asset, 100 * COIN).unwrap());
    }
    let standing = ask(&mut world, PAYER, &IDisputes::standingCall { asset }).unwrap();
    assert_eq!(standing.open, 9);
    pay(&mut world, asset, 100 * COIN);
    let (places, last) = (complaints[..8].to_vec(), complaints[8]);
    assert_eq!(escrows(&mut world, asset), [(OWNER, 100 * COIN, places)]);
    assert_eq!(held(&mut world, last), 0);
    let rulings: Vec<_> = complaints.iter().map(|one| (*one, *one == last)).collect();
    rule_all(&mut world, &rulings);
    until(&mut world, last, APPEAL);
    close(&mut world, last).unwrap();
    let standing = ask(&mut world, PAYER, &IDisputes::standingCall { asset }).unwrap();
    assert_eq!((standing.open, standing.corrected, standing.isDelisted), (8, last, true));
    for complaint in &complaints[..8] {
        close(&mut world, *complaint).unwrap();
    }
    assert_eq!(world.held(DISPUTES), 0);
    check_books(&world);
}

#[test]
fn one_who_complains_twice_is_refused_until_the_first_is_closed() {
    let mut world = world(9);
    let (first, other) = (asset(&mut world, &[], false), asset(&mut world, &[], false));
    let complaint = file(&mut world, first, 100 * COIN).unwrap();
    file(&mut world, other, 100 * COIN).unwrap();
    let twice: Failure = IDisputes::AlreadyDisputed { asset: first, complaint }.into();
    assert_eq!(file(&mut world, first, 100 * COIN), Err(twice));
    rule(&mut world, complaint, false);
    until(&mut world, complaint, APPEAL);
    close(&mut world, complaint).unwrap();
    file(&mut world, first, 100 * COIN).unwrap();
}

#[test]
fn i10_after_a_complaint_that_cost_nothing_the_asset_is_spared() {
    let mut world = world(2);
    crowd(&mut world, 1);
    let asset = asset(&mut world, &[], false);
    let complaint = file(&mut world, asset, 100 * COIN).unwrap();
    pay(&mut world, asset, 30 * COIN);
    // Two jurors are too few: from then on nothing more is held.
    until(&mut world, complaint, ANSWER);
    let owner = world.held(OWNER);
    pay(&mut world, asset, 10 * COIN);
    assert_eq!(world.held(OWNER) - owner, 10 * COIN);
    until(&mut world, complaint, APPEAL);
    close(&mut world, complaint).unwrap();
    assert_eq!(world.held(OWNER) - owner, 40 * COIN);
    // Closed and filed anew in the same second, by whomever.
    let again = file(&mut world, asset, 100 * COIN).unwrap();
    file_by(&mut world, complainant(0), asset, 100 * COIN).unwrap();
    pay(&mut world, asset, 10 * COIN);
    assert!(escrows(&mut world, asset).is_empty());
    until(&mut world, again, APPEAL);
    close(&mut world, again).unwrap();
    // Fourteen days after the last of them.
    pass(&mut world, HOLDING - 1);
    let third = file(&mut world, asset, 100 * COIN).unwrap();
    pay(&mut world, asset, 10 * COIN);
    assert_eq!(held(&mut world, third), 0);
    pass(&mut world, 1);
    pay(&mut world, asset, 10 * COIN);
    assert_eq!(held(&mut world, third), 10 * COIN);
    check_books(&world);
}

#[test]
fn i10_what_was_held_goes_back_to_who_owned_the_asset_then() {
    for is_shared in [false, true] {
        let mut world = world(9);
        let buyer = complainant(1);
        crowd(&mut world, 3);
        let asset = asset(&mut world, &[], is_shared);
        let complaint = file(&mut world, asset, 300 * COIN).unwrap();
        pay(&mut world, asset, 100 * COIN);
        give(&mut world, asset, OWNER, buyer).unwrap();
        pay(&mut world, asset, 60 * COIN);
        // She has it again, and her income is one.
        give(&mut world, asset, buyer, OWNER).unwrap();
        pay(&mut world, asset, 20 * COIN);
        give(&mut world, asset, OWNER, buyer).unwrap();
        let expected = [(OWNER, 120 * COIN, vec![complaint]), (buyer, 60 * COIN, vec![complaint])];
        assert_eq!(escrows(&mut world, asset), expected);
        rule(&mut world, complaint, false);
        until(&mut world, complaint, APPEAL);
        let before = [OWNER, buyer, MEMBER].map(|who| world.held(who));
        close(&mut world, complaint).unwrap();
        pass(&mut world, 1);
        let half = (300 * COIN - JURY_FEE) / 2;
        let after = [OWNER, buyer, MEMBER].map(|who| world.held(who));
        let gained: Vec<_> =
            after.iter().zip(before).map(|(after, before)| after - before).collect();
        let coins: [u128; 3] = if is_shared { [60, 30, 90] } else { [120, 60, 0] };
        let parts = coins.map(|one| one * COIN);
        // Half of the bond is hers whom the complaint was about.
        assert_eq!(gained, [parts[0] + half, parts[1], parts[2]]);
        if is_shared {
            let paid = IRoyalties::paidToCall { account: OWNER, asset };
            let paid = world.call(PAYER, ROYALTIES, 0, &paid).unwrap();
            assert_eq!(paid, U256::from(60 * COIN));
        }
        check_books(&world);
    }
}

#[test]
fn an_asset_that_goes_from_hand_to_hand_stays_cheap_to_pay_and_to_close() {
    let mut world = world(9);
    let asset = asset(&mut world, &[], false);
    let complaint = file(&mut world, asset, 300 * COIN).unwrap();
    let mut owner = OWNER;
    for number in 0..40_u8 {
        pay(&mut world, asset, COIN);
        let next = Address::repeat_byte(0xb0 + number);
        give(&mut world, asset, owner, next).unwrap();
        owner = next;
    }
    let all = escrows(&mut world, asset);
    assert_eq!(all.len(), 33);
    assert_eq!(all[32], (Address::ZERO, 8 * COIN, vec![complaint]));
    rule(&mut world, complaint, false);
    until(&mut world, complaint, APPEAL);
    close(&mut world, complaint).unwrap();
    assert_eq!(world.held(owner), 8 * COIN, "the last has what no other is named for");
    assert_eq!(world.held(Address::repeat_byte(0xb0)), COIN);
    check_books(&world);
}

#[test]
fn of_upheld_complaints_the_one_filed_last_says_whose_shares_are_paid() {
    let mut world = world(9);
    crowd(&mut world, 1);
    let asset = asset(&mut world, &[], false);
    let first = file(&mut world, asset, 100 * COIN).unwrap();
    let rival = complainant(0);
    let call = filing(asset, &[(rival, 1_000)]);
    let second = world.call(rival, DISPUTES, 100 * COIN, &call).unwrap();
    rule_all(&mut world, &[(first, true), (second, true)]);
    until(&mut world, first, APPEAL);
    close(&mut world, second).unwrap();
    close(&mut world, first).unwrap();
    let standing = ask(&mut world, PAYER, &IDisputes::standingCall { asset }).unwrap();
    assert_eq!(standing.corrected, second);
    let before = world.held(rival);
    pay(&mut world, asset, 10 * COIN);
    assert_eq!(world.held(rival) - before, COIN);
}

#[test]
fn i4_a_rival_complainant_never_judges() {
    let mut world = world(6);
    let asset = asset(&mut world, &[], false);
    let first = file(&mut world, asset, 100 * COIN).unwrap();
    file_by(&mut world, juror(0), asset, 100 * COIN).unwrap();
    until(&mut world, first, ANSWER);
    let jurors = jury(&mut world, first);
    assert!(jurors.len() == 5 && jurors.iter().all(|one| one.account != juror(0)));
}
