//! What an intent does, and what it is refused for.

use super::*;
use crate::{assets, licenses::tests::town};
use sahara_abi::{ASSETS, IAssets, IMarket, MARKET};
use sahara_primitives::AssetId;

#[test]
fn an_earner_without_coin_gets_what_it_earned_less_the_gas() {
    let (mut world, earner) = world();
    let intent = earner.withdrawal(4 * COIN, 0);
    let before = world.held(RELAYER);
    let fee = relay(&mut world, RELAYER, &intent, earner.sign(&intent)).unwrap();
    // 80,000 gas were counted, the log and the relayer's credit are to come.
    assert_eq!(fee, (80_000 + 2_600 + 900) * u128::from(GWEI));
    assert_eq!(world.held(earner.account), 4 * COIN - fee);
    assert_eq!(world.held(RELAYER), before + fee);
    check_books(&world);
}

#[test]
fn the_transactions_own_gas_is_repaid_only_to_who_pays_nothing_else_with_it() {
    let (mut world, earner) = world();
    world.state.cost =
        Cost { base_fee: 1, gas: 80_000, refund: 4_800, is_transaction: true, included: 0 };
    let intent = earner.withdrawal(4 * COIN, 0);
    let call = IIntents::relayCall { signature: earner.sign(&intent), intent: intent.clone() };
    let data = call.abi_encode();
    let bytes: u128 = data.iter().map(|byte| if *byte == 0 { 4 } else { 16 }).sum();
    let fee = relay(&mut world, RELAYER, &intent, call.signature).unwrap();
    assert_eq!(fee, 21_000 + bytes + 80_000 - 4_800 + 2_600 + 900);
    world.state.cost.is_transaction = false;
    let intent = earner.withdrawal(COIN, 1);
    let fee = relay(&mut world, RELAYER, &intent, earner.sign(&intent)).unwrap();
    assert_eq!(fee, 80_000 - 4_800 + 2_600 + 900, "by a contract");
}

#[test]
fn what_a_transaction_has_paid_for_is_not_repaid_again() {
    let (mut world, earner) = world();
    world.state.cost.included = 500;
    let intent = earner.withdrawal(COIN, 0);
    let fee = relay(&mut world, RELAYER, &intent, earner.sign(&intent)).unwrap();
    assert_eq!(fee, (80_000 + 2_600 + 400) * u128::from(GWEI));
}

#[test]
fn bytes_that_nobody_reads_are_not_repaid() {
    let mut fees = Vec::new();
    for padding in [0, 10_000] {
        let (mut world, earner) = world();
        world.state.cost.is_transaction = true;
        let intent = earner.withdrawal(4 * COIN, 0);
        let call = IIntents::relayCall { signature: earner.sign(&intent), intent };
        let data = [call.abi_encode(), vec![0xff; padding]].concat();
        let request =
            crate::Call { caller: RELAYER, value: Amount::ZERO, data: &data, is_static: false };
        world.atomically(|state| crate::call(INTENTS, state, request)).unwrap();
        fees.push(4 * COIN - world.held(earner.account));
    }
    assert_eq!(fees[0], fees[1]);
}

#[test]
fn i2_an_intent_acts_once() {
    let (mut world, earner) = world();
    let intent = earner.withdrawal(COIN, 300);
    let signature = earner.sign(&intent);
    relay(&mut world, RELAYER, &intent, signature.clone()).unwrap();
    let used: Failure =
        IIntents::IntentUsed { account: earner.account, nonce: U256::from(300) }.into();
    assert_eq!(relay(&mut world, RELAYER, &intent, signature), Err(used.clone()));
    let other = earner.withdrawal(2 * COIN, 300);
    assert_eq!(relay(&mut world, RELAYER, &other, earner.sign(&other)), Err(used));
    // Its neighbours in the same word are free, and so is another account's.
    for nonce in [299, 301, 44] {
        assert!(!is_used(&mut world, earner.account, nonce));
        let next = earner.withdrawal(COIN, nonce);
        relay(&mut world, RELAYER, &next, earner.sign(&next)).unwrap();
        assert!(is_used(&mut world, earner.account, nonce));
    }
    assert!(!is_used(&mut world, RELAYER, 300));
    let second = IIntents::nonceBitmapCall { account: earner.account, word: U256::from(1) };
    let bits = U256::from(0b111_u64 << 43);
    assert_eq!(ask(&mut world, RELAYER, &second), Ok(bits), "299 to 301 are 43 to 45 of its bits");
}

#[test]
fn i2_only_the_accounts_own_signature_counts_on_its_own_chain() {
    let (mut world, earner) = world();
    let intent = earner.withdrawal(COIN, 0);
    let good = earner.sign(&intent);
    let order = U256::from_be_bytes(secp256k1::constants::CURVE_ORDER);
    let s = order - U256::from_be_slice(&good[32..64]);
    let twin: Bytes = [&good[..32], &s.to_be_bytes::<32>(), &[55 - good[64]]].concat().into();
    let stranger = Earner::new(8).sign(&intent);
    let elsewhere = earner.sign_on(1, &intent);
    for wrong in [twin, stranger, elsewhere, good.slice(..64), Bytes::new()] {
        let answer = relay(&mut world, RELAYER, &intent, wrong);
        let Err(Failure::Revert(bytes)) = answer else { panic!("{answer:?}") };
        assert!(
            bytes.starts_with(
                &<IIntents::InvalidIntentSigner as alloy_sol_types::SolError>::SELECTOR
            )
        );
    }
    let changed = [
        Intent { arguments: U256::from(2 * COIN).abi_encode().into(), ..intent.clone() },
        Intent { maxFee: U256::MAX, ..intent.clone() },
        Intent { nonce: U256::from(9), ..intent.clone() },
        Intent { validUntil: u64::MAX, ..intent.clone() },
        Intent { relayer: RELAYER, ..intent.clone() },
        Intent { value: U256::from(1), ..intent.clone() },
        Intent { account: SPONSOR, ..intent.clone() },
        Intent { action: "governance.withdrawDeposit(uint256)".into(), ..intent.clone() },
    ];
    for altered in changed {
        assert!(relay(&mut world, RELAYER, &altered, good.clone()).is_err(), "{altered:?}");
    }
    assert!(relay(&mut world, RELAYER, &intent, good).is_ok());
}

#[test]
fn i2_an_intent_ends_with_its_second() {
    for (late, is_taken) in [(999, true), (1_000, false)] {
        let (mut world, earner) = world();
        world.state.block.timestamp = Timestamp(START + late);
        let intent = earner.withdrawal(COIN, 0);
        let answer = relay(&mut world, RELAYER, &intent, earner.sign(&intent));
        assert_eq!(answer.is_ok(), is_taken, "{answer:?}");
    }
}

#[test]
fn i2_an_intent_for_one_relayer_is_of_no_use_to_another() {
    let (mut world, earner) = world();
    let intent = Intent { relayer: RELAYER, ..earner.withdrawal(COIN, 0) };
    let refused: Failure = IIntents::OnlyRelayer { relayer: RELAYER, caller: SPONSOR }.into();
    assert_eq!(relay(&mut world, SPONSOR, &intent, earner.sign(&intent)), Err(refused));
    relay(&mut world, RELAYER, &intent, earner.sign(&intent)).unwrap();
}

#[test]
fn i2_an_action_that_is_refused_leaves_the_intent_unused() {
    let (mut world, earner) = world();
    let intent = earner.withdrawal(11 * COIN, 0);
    let words = world.state.words.clone();
    assert!(relay(&mut world, RELAYER, &intent, earner.sign(&intent)).is_err());
    assert_eq!(world.state.words, words);
    earn(&mut world, earner, COIN);
    relay(&mut world, RELAYER, &intent, earner.sign(&intent)).unwrap();
}

#[test]
fn i2_a_cancelled_intent_never_acts() {
    let (mut world, earner) = world();
    let intent = earner.withdrawal(COIN, 5);
    ask(&mut world, earner.account, &IIntents::cancelCall { nonce: U256::from(5) }).unwrap();
    assert!(relay(&mut world, RELAYER, &intent, earner.sign(&intent)).is_err());
    // Who has no coin has it cancelled by an intent.
    let cancel = earner.intent("intents.cancel(uint256)", U256::from(6).abi_encode(), 7);
    assert_eq!(relay(&mut world, RELAYER, &cancel, earner.sign(&cancel)), Ok(0));
    assert!(is_used(&mut world, earner.account, 6) && is_used(&mut world, earner.account, 7));
    assert!(!is_used(&mut world, RELAYER, 6));
}

#[test]
fn only_what_is_on_the_list_can_be_done() {
    let (mut world, earner) = world();
    world.state.fund(earner.account, Amount::from_u128(COIN));
    let transfer = (RELAYER, U256::from(1)).abi_encode();
    for action in [
        "coin.transfer(address,uint256)",
        "assets.transferFrom(address,address,uint256)",
        "intents.relay((address,string,bytes,uint256,uint256,address,uint256,uint64),bytes)",
        "channels.withdraw",
        "withdraw(uint256)",
        "",
    ] {
        let intent = earner.intent(action, transfer.clone(), 0);
        let unknown: Failure = IIntents::UnknownAction { action: action.into() }.into();
        assert_eq!(relay(&mut world, RELAYER, &intent, earner.sign(&intent)), Err(unknown));
    }
    let listed = ask(&mut world, RELAYER, &IIntents::actionsCall {}).unwrap();
    assert_eq!(listed.len(), ACTIONS.len());
    for (action, text) in ACTIONS.iter().zip(&listed) {
        let protocol = PROTOCOLS.iter().find(|one| one.address == action.protocol).unwrap();
        assert_eq!(*text, format!("{}.{}", protocol.name, action.signature));
        let abi = (protocol.abi)();
        let function = abi.functions().find(|one| one.signature() == action.signature).unwrap();
        assert_eq!(function.selector().0, action.selector);
        assert!(!matches!(function.state_mutability.as_json_str(), "view" | "pure"), "{text}");
        assert_eq!(listed.iter().filter(|other| *other == text).count(), 1);
    }
}

#[test]
fn i3_a_fee_is_at_most_what_the_intent_names_and_what_came() {
    let (mut world, earner) = world();
    let small = Intent { maxFee: U256::from(1_000), ..earner.withdrawal(COIN, 0) };
    assert_eq!(relay(&mut world, RELAYER, &small, earner.sign(&small)), Ok(1_000));
    let free = Intent { maxFee: U256::ZERO, ..earner.withdrawal(COIN, 1) };
    assert_eq!(relay(&mut world, RELAYER, &free, earner.sign(&free)), Ok(0));
    // It holds two coins now, but what brings nine units costs nine units.
    let before = world.held(earner.account);
    let little = earner.withdrawal(9, 2);
    assert_eq!(relay(&mut world, RELAYER, &little, earner.sign(&little)), Ok(9));
    assert_eq!(world.held(earner.account), before);
    let nothing = earner.withdrawal(0, 3);
    assert_eq!(relay(&mut world, RELAYER, &nothing, earner.sign(&nothing)), Ok(0));
    assert_eq!(world.held(earner.account), before);
}

#[test]
fn coin_goes_with_a_call_and_is_no_yield() {
    let (mut world, earner) = world();
    let validator = Address::repeat_byte(0x14);
    world.state.fund(validator, Amount::from_u128(10_000 * COIN));
    let create =
        IStaking::createValidatorCall { commission: 0, feeAddress: validator, keys: Vec::new() };
    world.call(validator, STAKING, 5_000 * COIN, &create).unwrap();
    world.state.fund(earner.account, Amount::from_u128(3 * COIN));
    let arguments = validator.abi_encode();
    let stake = earner.intent("staking.delegate(address)", arguments, 0);
    let stake = Intent { value: U256::from(3 * COIN), ..stake };
    assert_eq!(relay(&mut world, RELAYER, &stake, earner.sign(&stake)), Ok(0));
    let votes = IStaking::getVotesCall { account: earner.account };
    assert_eq!(world.call(RELAYER, STAKING, 0, &votes), Ok(U256::from(3 * COIN)));
    assert_eq!(world.held(earner.account), 0);
    let more = Intent { nonce: U256::from(1), ..stake };
    assert!(relay(&mut world, RELAYER, &more, earner.sign(&more)).is_err(), "it has no more");
}

#[test]
fn a_sponsor_pays_what_the_action_does_not_yield() {
    let (mut world, earner) = world();
    sponsor(&mut world, COIN, COIN, COIN);
    let due = (80_000 + 2_600 + 900 + 1_600) * u128::from(GWEI);
    let nothing = earner.withdrawal(0, 0);
    let before = world.held(RELAYER);
    let paid = relay_sponsored(&mut world, RELAYER, &nothing, earner.sign(&nothing));
    assert_eq!(paid, Ok((0, due)));
    // The account's own proceeds come first.
    let some = Intent { maxFee: U256::from(GWEI), ..earner.withdrawal(COIN, 1) };
    let paid = relay_sponsored(&mut world, RELAYER, &some, earner.sign(&some));
    let second = 900 * u128::from(GWEI);
    assert_eq!(paid, Ok((u128::from(GWEI), due + second - u128::from(GWEI))));
    let all = earner.withdrawal(COIN, 2);
    let paid = relay_sponsored(&mut world, RELAYER, &all, earner.sign(&all));
    assert_eq!(paid, Ok((due - 1_600 * u128::from(GWEI), 0)));
    let spent = 2 * due + second - u128::from(GWEI);
    assert_eq!(budget(&mut world).left, U256::from(COIN - spent));
    assert_eq!(world.held(RELAYER), before + spent + due - 1_599 * u128::from(GWEI));
    check_books(&world);
}

#[test]
fn i5_a_budget_pays_its_relayer_only_and_within_its_limits() {
    let (mut world, earner) = world();
    sponsor(&mut world, 250, 100, 150);
    let play = |world: &mut Undo, who, nonce| {
        let intent = Intent { validUntil: u64::MAX, ..earner.withdrawal(0, nonce) };
        relay_sponsored(world, who, &intent, earner.sign(&intent)).unwrap().1
    };
    assert_eq!(play(&mut world, SPONSOR, 0), 0, "nobody gave this one a budget");
    assert_eq!(play(&mut world, RELAYER, 1), 100, "for each intent");
    assert_eq!(play(&mut world, RELAYER, 2), 50, "for each day");
    assert_eq!(play(&mut world, RELAYER, 3), 0);
    assert_eq!(budget(&mut world).spentToday, U256::from(150));
    // The last second of the day, and the first of the next.
    let midnight = START.div_ceil(86_400) * 86_400;
    world.state.block.timestamp = Timestamp(midnight - 1);
    assert_eq!(play(&mut world, RELAYER, 4), 0);
    world.state.block.timestamp = Timestamp(midnight);
    assert_eq!(play(&mut world, RELAYER, 5), 100);
    assert_eq!(play(&mut world, RELAYER, 6), 0, "nothing is left");
    check_books(&world);
}

/// I5: of an asset's own account, who the asset is sold to did not choose the relayer.
#[test]
fn i5_what_an_assets_own_account_let_a_relayer_have_ends_with_the_sale() {
    let (mut world, earner) = world();
    let registration = town::model();
    let register = IAssets::registerCall { registration };
    let asset = world.call(SPONSOR, ASSETS, 0, &register).unwrap();
    let account = assets::account_of(&mut world, AssetId(asset)).unwrap();
    world.state.fund(account, Amount::from_u128(1_000));
    let give = |limit: u64| IIntents::sponsorCall {
        relayer: RELAYER,
        perIntent: U96::from(limit),
        perDay: U96::from(1_000),
    };
    world.call(account, INTENTS, 700, &give(100)).unwrap();
    let play = |world: &mut Undo, nonce| {
        let intent = earner.withdrawal(0, nonce);
        let signature = earner.sign(&intent);
        let call = IIntents::relaySponsoredCall { intent, signature, sponsor: account };
        ask(world, RELAYER, &call).unwrap().sponsored
    };
    // What is drawn between listing and sale voids the listing.
    let state = IMarket::stateOfCall { collection: ASSETS, tokenId: U256::from(asset) };
    let before = world.call(RELAYER, MARKET, 0, &state).unwrap();
    assert_eq!(play(&mut world, 0), U256::from(100));
    assert_ne!(world.call(RELAYER, MARKET, 0, &state).unwrap(), before);
    let (from, to, token_id) = (SPONSOR, earner.account, U256::from(asset));
    let sale = IAssets::transferFromCall { from, to, tokenId: token_id };
    world.call(SPONSOR, ASSETS, 0, &sale).unwrap();
    assert_eq!(play(&mut world, 1), U256::ZERO);
    let shown = IIntents::budgetCall { sponsor: account, relayer: RELAYER };
    let shown = ask(&mut world, RELAYER, &shown).unwrap();
    assert_eq!(
        (shown.left, shown.perIntent, shown.perDay),
        (U256::from(600), U96::ZERO, U96::ZERO)
    );
    // The coin is still the account's: its next owner takes it back, or chooses anew.
    let take = IIntents::withdrawBudgetCall { relayer: RELAYER, amount: U256::from(200) };
    ask(&mut world, account, &take).unwrap();
    assert_eq!((play(&mut world, 2), world.held(account)), (U256::ZERO, 500));
    world.call(account, INTENTS, 0, &give(7)).unwrap();
    assert_eq!(play(&mut world, 3), U256::from(7));
    check_books(&world);
}

#[test]
fn a_sponsor_takes_back_what_is_left() {
    let (mut world, _) = world();
    sponsor(&mut world, 250, 100, 150);
    sponsor(&mut world, 50, 7, 8);
    let shown = budget(&mut world);
    assert_eq!((shown.left, shown.perIntent), (U256::from(300), U96::from(7)));
    let take =
        |amount: u64| IIntents::withdrawBudgetCall { relayer: RELAYER, amount: U256::from(amount) };
    let much: Failure =
        IIntents::BudgetExceeded { amount: U256::from(301), left: U256::from(300) }.into();
    assert_eq!(ask(&mut world, SPONSOR, &take(301)).map(drop), Err(much));
    assert!(ask(&mut world, RELAYER, &take(1)).is_err(), "it is not the relayer's");
    let before = world.held(SPONSOR);
    ask(&mut world, SPONSOR, &take(300)).unwrap();
    assert_eq!(world.held(SPONSOR), before + 300);
    check_books(&world);
}

#[test]
fn the_hash_is_what_wallets_sign() {
    let (mut world, earner) = world();
    let intent = earner.withdrawal(COIN, 0);
    let hash = ask(&mut world, RELAYER, &IIntents::intentHashCall { intent: intent.clone() });
    assert_eq!(hash, Ok(intent.eip712_signing_hash(&intents_domain(LOCAL_CHAIN_ID))));
    assert_ne!(hash, Ok(B256::ZERO));
}
