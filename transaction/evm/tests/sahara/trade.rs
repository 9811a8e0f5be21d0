//! Licences and the market in a real EVM: what protocols' own code and assets' accounts do there, and
//! what a sale costs.

use crate::world::{COIN, Draft, World, account, sign};
use alloy_primitives::{Address, B256, Bytes, U256};
use alloy_sol_types::{SolCall, SolError, SolEvent, SolStruct, SolValue, sol};
use sahara_abi::{
    ACCOUNT_REGISTRY, ASSET_ACCOUNT, ASSETS, COIN as COIN_PROTOCOL, IAssets, ICoin,
    ILicenses::{self, Purchase, Terms},
    IMarket::{self, Item, Listing},
    LICENSES, MARKET, signing,
};
use sahara_evm::BlockOutcome;
use sahara_protocols::licenses::templates;

sol! {
    event Received(address operator, address from, uint256 tokenId, bytes data, address ownerMeanwhile);
    function createAccount(address implementation, bytes32 salt, uint256 chainId, address tokenContract, uint256 tokenId) external returns (address);
    function execute(address to, uint256 value, bytes calldata data, uint8 operation) external payable returns (bytes memory);
}

const RECEIVER: &str = include_str!("../../contracts/Receiver.bin");

/// Sends a call of account `key` with coin.
fn send(world: &mut World, key: u8, to: Address, value: U256, data: Vec<u8>) -> BlockOutcome {
    let draft = Draft { value, ..Draft::call(key, world.nonce(key), to, data) };
    world.block(&[draft])
}

fn succeeds(world: &mut World, key: u8, to: Address, value: U256, data: Vec<u8>) -> BlockOutcome {
    let outcome = send(world, key, to, value, data);
    assert!(outcome.receipts[0].status);
    outcome
}

fn read<C: SolCall>(world: &World, to: Address, call: &C) -> C::Return {
    let request = alloy_rpc_types_eth::TransactionRequest::default().to(to);
    let request = request.input(Bytes::from(call.abi_encode()).into());
    let outcome = sahara_evm::call(world.rules, &world.state, &world.env, &request, None).unwrap();
    assert!(outcome.is_success(), "{}", outcome.output);
    C::abi_decode_returns(&outcome.output).unwrap()
}

/// An asset of account 1 and a licence of account 1's for it, without a seat.
fn with_licence() -> World {
    let mut world = World::new();
    let registration = crate::native::registration(vec![]);
    let data = IAssets::registerCall { registration }.abi_encode();
    succeeds(&mut world, 1, ASSETS, U256::ZERO, data);
    let data = Terms { price: 0, derivativeRoyalty: 500, ..templates::COMMERCIAL_REMIX };
    let terms = read(&world, LICENSES, &ILicenses::termsIdCall { data: data.clone() });
    let calls = [
        ILicenses::registerTermsCall { data }.abi_encode(),
        ILicenses::offerCall { asset: 1, terms }.abi_encode(),
        ILicenses::buyCall {
            purchase: Purchase {
                asset: 1,
                terms,
                quantity: 1,
                holder: account(1),
                user: Address::ZERO,
            },
        }
        .abi_encode(),
    ];
    for data in calls {
        succeeds(&mut world, 1, LICENSES, U256::ZERO, data);
    }
    world
}

#[test]
fn the_receiver_of_a_licence_is_asked() {
    for (mode, is_accepted) in [(0_u8, true), (1, false)] {
        let mut world = with_licence();
        let arguments = (U256::from(mode), Address::ZERO).abi_encode();
        let code = format!("{}{}", RECEIVER.trim(), alloy_primitives::hex::encode(arguments));
        let to = world.deploy(2, &code, U256::ZERO);
        let call = ILicenses::safeTransferFrom_0Call { from: account(1), to, tokenId: U256::ONE };
        let outcome = send(&mut world, 1, LICENSES, U256::ZERO, call.abi_encode());
        assert_eq!(outcome.receipts[0].status, is_accepted);
        let holder = read(&world, LICENSES, &ILicenses::ownerOfCall { tokenId: U256::ONE });
        assert_eq!(holder, if is_accepted { to } else { account(1) });
        if is_accepted {
            let logs = &outcome.receipts[0].logs;
            let asked = logs.iter().find(|log| log.address == to).unwrap();
            let asked = Received::decode_log(asked).unwrap();
            assert_eq!((asked.operator, asked.from), (account(1), account(1)));
        }
    }
}

/// A signed listing of asset 1 at one coin, as its account stands now.
fn listing(world: &World) -> (Listing, Bytes) {
    let (collection, token_id) = (ASSETS, U256::ONE);
    let state = read(world, MARKET, &IMarket::stateOfCall { collection, tokenId: token_id });
    let price = COIN.to();
    let listing = Listing {
        seller: account(1),
        buyer: Address::ZERO,
        startsAt: 0,
        endsAt: u64::MAX,
        referral: 0,
        refundSeconds: 0,
        nonce: 1,
        items: vec![Item { collection, tokenId: token_id, price, endPrice: price, state }],
    };
    let domain = signing::market_domain(world.rules.chain_id());
    let signature = sign(1, listing.eip712_signing_hash(&domain)).as_bytes().into();
    (listing, signature)
}

fn purchase((data, signature): (Listing, Bytes)) -> Vec<u8> {
    let (recipient, referrer) = (account(2), Address::ZERO);
    IMarket::buyCall { data, signature, recipient, referrer }.abi_encode()
}

fn entrust(world: &mut World) {
    let call = IAssets::setApprovalForAllCall { operator: MARKET, approved: true };
    succeeds(world, 1, ASSETS, U256::ZERO, call.abi_encode());
}

/// Makes asset 1's own account, with one coin.
fn own_account(world: &mut World) -> Address {
    let place = read(world, ASSETS, &IAssets::accountOfCall { asset: 1 });
    let make = createAccountCall {
        implementation: ASSET_ACCOUNT,
        salt: B256::ZERO,
        chainId: U256::from(world.rules.chain_id()),
        tokenContract: ASSETS,
        tokenId: U256::ONE,
    };
    succeeds(world, 2, ACCOUNT_REGISTRY, U256::ZERO, make.abi_encode());
    succeeds(world, 1, place, COIN, vec![]);
    place
}

#[test]
fn an_account_that_acts_after_the_listing_is_not_sold() {
    let mut world = with_licence();
    entrust(&mut world);
    let place = own_account(&mut world);
    let before = listing(&world);
    // What was offered on terms counts in it too.
    let listed = before.0.items[0].state;
    // The owner empties the account before the sale.
    let empty = executeCall { to: account(1), value: COIN, data: Bytes::new(), operation: 0 };
    succeeds(&mut world, 1, place, U256::ZERO, empty.abi_encode());
    let paid = COIN + COIN / U256::from(100);
    let request = alloy_rpc_types_eth::TransactionRequest::default().from(account(2)).to(MARKET);
    let request = request.value(paid).input(Bytes::from(purchase(before.clone())).into());
    let asked = sahara_evm::call(world.rules, &world.state, &world.env, &request, None).unwrap();
    let outcome = send(&mut world, 2, MARKET, paid, purchase(before));
    assert!(!outcome.receipts[0].status);
    let refused = IMarket::StateChanged {
        collection: ASSETS,
        tokenId: U256::ONE,
        state: B256::from(U256::from_be_bytes(listed.0) + U256::ONE),
        expected: listed,
    };
    assert_eq!(asked.output, Bytes::from(refused.abi_encode()));
    let now = listing(&world);
    succeeds(&mut world, 2, MARKET, paid, purchase(now));
    assert_eq!(read(&world, ASSETS, &IAssets::ownerOfCall { tokenId: U256::ONE }), account(2));
}

#[test]
fn an_old_allowance_of_an_account_neither_empties_it_before_a_sale_nor_after() {
    let mut world = with_licence();
    entrust(&mut world);
    let place = own_account(&mut world);
    // Before it lists the asset the seller lets itself take the account's coin later.
    let data = ICoin::approveCall { spender: account(1), value: U256::MAX }.abi_encode().into();
    let leave = executeCall { to: COIN_PROTOCOL, value: U256::ZERO, data, operation: 0 };
    succeeds(&mut world, 1, place, U256::ZERO, leave.abi_encode());
    let before = listing(&world);
    let call = ICoin::transferFromCall { from: place, to: account(1), value: COIN };
    succeeds(&mut world, 1, COIN_PROTOCOL, U256::ZERO, call.abi_encode());
    assert_eq!(world.state.balance(place), U256::ZERO);
    let paid = COIN + COIN / U256::from(100);
    let outcome = send(&mut world, 2, MARKET, paid, purchase(before));
    assert!(!outcome.receipts[0].status);
    assert_eq!(read(&world, ASSETS, &IAssets::ownerOfCall { tokenId: U256::ONE }), account(1));
    // Whoever lists it anew says that it is empty.
    let now = listing(&world);
    succeeds(&mut world, 2, MARKET, paid, purchase(now));
    // What comes in after the sale is the next owner's: the allowance has ended with it.
    succeeds(&mut world, 2, place, COIN, vec![]);
    let taken = send(&mut world, 1, COIN_PROTOCOL, U256::ZERO, call.abi_encode());
    assert!(!taken.receipts[0].status);
    assert_eq!(world.state.balance(place), COIN);
}

#[test]
fn a_signed_sale_is_paid_out_and_affordable() {
    let mut world = with_licence();
    entrust(&mut world);
    let signed = listing(&world);
    let paid = COIN + COIN / U256::from(100);
    let outcome = succeeds(&mut world, 2, MARKET, paid, purchase(signed));
    let logs = &outcome.receipts[0].logs;
    let sold = logs.iter().find_map(|log| IMarket::Sold::decode_log(log).ok()).unwrap();
    assert_eq!((sold.seller, sold.buyer, sold.price), (account(1), account(2), COIN));
    let gas = outcome.executions[0].gas_used;
    assert!(gas < 250_000, "{gas} gas for a signed sale");
}

#[test]
fn a_purchase_estimated_before_the_price_fell_gets_the_rest_back() {
    let mut world = with_licence();
    entrust(&mut world);
    let (mut data, _) = listing(&world);
    (data.startsAt, data.endsAt) = (world.env.timestamp, world.env.timestamp + 1_000);
    data.items[0].endPrice = 0;
    let domain = signing::market_domain(world.rules.chain_id());
    let signature = sign(1, data.eip712_signing_hash(&domain)).as_bytes().into();
    let input = purchase((data, signature));
    let paid = COIN + COIN / U256::from(100);
    let request = alloy_rpc_types_eth::TransactionRequest::default().from(account(2)).to(MARKET);
    let request = request.value(paid).input(Bytes::from(input.clone()).into());
    let gas =
        sahara_evm::estimate_gas(world.rules, &world.state, &world.env, &request, None).unwrap();
    world.env.timestamp += 1;
    let draft = Draft::call(2, world.nonce(2), MARKET, input);
    let outcome = world.block(&[Draft { value: paid, gas, ..draft }]);
    assert!(outcome.receipts[0].status, "estimated {gas}");
}
