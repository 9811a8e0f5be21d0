//! Assets' own accounts (ERC-6551): found, made, used and sold with the asset.

use crate::world::{COIN, Draft, STRANGER, World, account, sign};
use alloy_primitives::{Address, B256, Bytes, U256, keccak256};
use alloy_sol_types::{SolCall, SolError, SolEvent, sol};
use sahara_abi::{
    ACCOUNT_REGISTRY, ASSET_ACCOUNT, ASSETS, COIN as COIN_PROTOCOL, IAssets, ICoin, IRoyalties,
    ROYALTIES,
};

sol! {
    function createAccount(address implementation, bytes32 salt, uint256 chainId, address tokenContract, uint256 tokenId) external returns (address);
    function account_(address implementation, bytes32 salt, uint256 chainId, address tokenContract, uint256 tokenId) external view returns (address);
    event ERC6551AccountCreated(address account, address indexed implementation, bytes32 salt, uint256 chainId, address indexed tokenContract, uint256 indexed tokenId);

    interface IAccount {
        error NotOwner(address caller);
        error InvalidOperation(uint8 operation);
        error OwnsItself();
        function state() external view returns (uint256);
        function owner() external view returns (address);
        function token() external view returns (uint256 chainId, address tokenContract, uint256 tokenId);
        function execute(address to, uint256 value, bytes calldata data, uint8 operation) external payable returns (bytes memory);
        function isValidSigner(address signer, bytes calldata context) external view returns (bytes4);
        function isValidSignature(bytes32 hash, bytes calldata signature) external view returns (bytes4);
        function messageHash(bytes32 hash) external view returns (bytes32);
        function supportsInterface(bytes4 id) external pure returns (bool);
    }
}

fn ask(world: &World, from: Address, to: Address, data: Vec<u8>) -> (bool, Bytes) {
    let request = alloy_rpc_types_eth::TransactionRequest::default().from(from).to(to);
    let request = request.input(Bytes::from(data).into());
    let outcome = sahara_evm::call(world.rules, &world.state, &world.env, &request, None).unwrap();
    (outcome.is_success(), outcome.output)
}

pub(crate) fn read<C: SolCall>(world: &World, to: Address, call: &C) -> C::Return {
    let (success, output) = ask(world, STRANGER, to, call.abi_encode());
    assert!(success, "{output}");
    C::abi_decode_returns(&output).unwrap()
}

pub(crate) fn send(
    world: &mut World,
    key: u8,
    to: Address,
    data: Vec<u8>,
) -> (bool, Vec<alloy_primitives::Log>) {
    let outcome = world.block(&[Draft::call(key, world.nonce(key), to, data)]);
    (outcome.receipts[0].status, outcome.receipts[0].logs.to_vec())
}

/// Registers an asset for account `key` and returns its id and its account.
pub(crate) fn asset(world: &mut World, key: u8) -> (u64, Address) {
    let registration = crate::native::registration(vec![]);
    let (success, logs) =
        send(world, key, ASSETS, IAssets::registerCall { registration }.abi_encode());
    assert!(success);
    let id = logs.iter().find_map(|l| IAssets::Registered::decode_log(l).ok()).unwrap().asset;
    let found = read(world, ASSETS, &IAssets::accountOfCall { asset: id });
    (id, found)
}

/// Places the account's code; anyone may.
pub(crate) fn make(world: &mut World, id: u64) -> (bool, Vec<alloy_primitives::Log>) {
    let call = createAccountCall {
        implementation: ASSET_ACCOUNT,
        salt: B256::ZERO,
        chainId: U256::from(world.rules.chain_id()),
        tokenContract: ASSETS,
        tokenId: U256::from(id),
    };
    send(world, 2, ACCOUNT_REGISTRY, call.abi_encode())
}

pub(crate) fn execute(to: Address, value: U256, data: Vec<u8>) -> Vec<u8> {
    IAccount::executeCall { to, value, data: data.into(), operation: 0 }.abi_encode()
}

fn give(world: &mut World, key: u8, to: Address, id: u64) -> (bool, Vec<alloy_primitives::Log>) {
    let call = IAssets::safeTransferFrom_0Call { from: account(key), to, tokenId: U256::from(id) };
    send(world, key, ASSETS, call.abi_encode())
}

#[test]
fn the_registry_makes_the_account_where_the_protocol_says() {
    let mut world = World::new();
    let (id, place) = asset(&mut world, 1);
    assert!(!world.state.accounts.contains_key(&place));
    // ERC-6551 names the view `account`, which is the name of a test's helper here.
    let mut data = account_Call {
        implementation: ASSET_ACCOUNT,
        salt: B256::ZERO,
        chainId: U256::from(world.rules.chain_id()),
        tokenContract: ASSETS,
        tokenId: U256::from(id),
    }
    .abi_encode();
    let name = "account(address,bytes32,uint256,address,uint256)";
    data[..4].copy_from_slice(&keccak256(name)[..4]);
    let (_, output) = ask(&world, STRANGER, ACCOUNT_REGISTRY, data);
    assert_eq!(Address::from_word(B256::from_slice(&output)), place);

    let (success, logs) = make(&mut world, id);
    assert!(success);
    let made = ERC6551AccountCreated::decode_log(&logs[0]).unwrap();
    assert_eq!((made.account, made.tokenId, logs[0].address), (place, U256::ONE, ACCOUNT_REGISTRY));
    let token = read(&world, place, &IAccount::tokenCall {});
    let chain = U256::from(world.rules.chain_id());
    assert_eq!((token.chainId, token.tokenContract, token.tokenId), (chain, ASSETS, U256::ONE));
    assert_eq!(read(&world, place, &IAccount::ownerCall {}), account(1));
    assert_eq!(read(&world, ASSETS, &IAssets::assetOfCall { account: place }), id);
    let (again, logs) = make(&mut world, id);
    assert!(again && logs.is_empty(), "it stands already");
    for (interface, is_supported) in [
        ([0x6f, 0xaf, 0xf5, 0xf1], true),
        ([0x51, 0x94, 0x54, 0x47], true),
        ([0x01, 0xff, 0xc9, 0xa7], true),
        ([0xff; 4], false),
    ] {
        let call = IAccount::supportsInterfaceCall { id: interface.into() };
        assert_eq!(read(&world, place, &call), is_supported);
    }
}

#[test]
fn an_account_holds_from_the_start_and_acts_for_whoever_owns_the_asset() {
    let mut world = World::new();
    let (id, place) = asset(&mut world, 1);
    // Coin arrives before the code, and after it like to any wallet.
    let nonce = world.nonce(2);
    world.block(&[Draft::transfer(2, nonce, place, COIN)]);
    make(&mut world, id);
    let nonce = world.nonce(2);
    world.block(&[Draft { gas: 60_000, ..Draft::transfer(2, nonce, place, COIN) }]);
    assert_eq!(world.state.balance(place), COIN * U256::from(2));

    let spend = execute(STRANGER, U256::from(7), vec![]);
    let (success, output) = ask(&world, account(2), place, spend.clone());
    assert!(!success);
    assert_eq!(output, IAccount::NotOwner { caller: account(2) }.abi_encode());
    assert!(send(&mut world, 1, place, spend.clone()).0);
    assert_eq!(world.state.balance(STRANGER), U256::from(7));
    assert_eq!(read(&world, place, &IAccount::stateCall {}), U256::ONE);
    let word = world.state.storage[&place][&U256::ZERO];
    assert_eq!(word, U256::ONE, "slot 0, where native rules read it");

    let call = ICoin::transferCall { to: STRANGER, value: U256::from(3) }.abi_encode();
    let (success, logs) = send(&mut world, 1, place, execute(COIN_PROTOCOL, U256::ZERO, call));
    assert!(success);
    assert_eq!(ICoin::Transfer::decode_log(&logs[0]).unwrap().from, place);
    assert_eq!(read(&world, place, &IAccount::stateCall {}), U256::from(2));

    // The asset is sold: what it holds goes with it.
    assert!(give(&mut world, 1, account(2), id).0);
    let (success, output) = ask(&world, account(1), place, spend.clone());
    assert!(!success);
    assert_eq!(output, IAccount::NotOwner { caller: account(1) }.abi_encode());
    assert!(send(&mut world, 2, place, spend).0);
    assert_eq!(world.state.balance(STRANGER), U256::from(17));
}

#[test]
fn an_action_that_fails_says_why_and_leaves_the_state_alone() {
    let mut world = World::new();
    let (id, place) = asset(&mut world, 1);
    make(&mut world, id);
    let too_much = ICoin::transferCall { to: STRANGER, value: COIN }.abi_encode();
    let data = execute(COIN_PROTOCOL, U256::ZERO, too_much);
    let (success, output) = ask(&world, account(1), place, data.clone());
    let error =
        ICoin::ERC20InsufficientBalance { sender: place, balance: U256::ZERO, needed: COIN };
    assert!(!success);
    assert_eq!(output, error.abi_encode());
    assert!(!send(&mut world, 1, place, data).0);
    assert_eq!(read(&world, place, &IAccount::stateCall {}), U256::ZERO);
    for operation in 1..4 {
        let call = IAccount::executeCall {
            to: STRANGER,
            value: U256::ZERO,
            data: Bytes::new(),
            operation,
        };
        let (success, output) = ask(&world, account(1), place, call.abi_encode());
        assert!(!success);
        assert_eq!(output, IAccount::InvalidOperation { operation }.abi_encode());
    }
}

#[test]
fn an_account_owns_other_assets_but_never_its_own() {
    let mut world = World::new();
    let (upper, above) = asset(&mut world, 1);
    let (lower, below) = asset(&mut world, 1);
    make(&mut world, upper);
    make(&mut world, lower);
    for to in [above, below] {
        let own = if to == above { upper } else { lower };
        let (from, token) = (account(1), U256::from(own));
        let call = IAssets::safeTransferFrom_0Call { from, to, tokenId: token }.abi_encode();
        let (success, output) = ask(&world, account(1), ASSETS, call);
        assert!(!success);
        assert_eq!(output, IAssets::OwnershipCycle { asset: own, to }.abi_encode());
    }
    assert!(give(&mut world, 1, above, lower).0, "the account accepts an asset");
    let (from, token) = (account(1), U256::from(upper));
    let call = IAssets::transferFromCall { from, to: below, tokenId: token }.abi_encode();
    let (success, output) = ask(&world, account(1), ASSETS, call);
    assert!(!success);
    assert_eq!(output, IAssets::OwnershipCycle { asset: upper, to: below }.abi_encode());

    // The owner of the upper asset acts through both accounts.
    let nonce = world.nonce(2);
    world.block(&[Draft { gas: 60_000, ..Draft::transfer(2, nonce, below, COIN) }]);
    let inner = execute(STRANGER, U256::from(5), vec![]);
    assert!(send(&mut world, 1, above, execute(below, U256::ZERO, inner)).0);
    assert_eq!(world.state.balance(STRANGER), U256::from(5));
    // And takes the lower one out again.
    let call = IAssets::transferFromCall { from: above, to: STRANGER, tokenId: U256::from(lower) };
    assert!(send(&mut world, 1, above, execute(ASSETS, U256::ZERO, call.abi_encode())).0);
    assert_eq!(read(&world, below, &IAccount::ownerCall {}), STRANGER);
}

#[test]
fn an_account_signs_through_its_owner_and_for_itself_alone() {
    let mut world = World::new();
    let (id, place) = asset(&mut world, 1);
    let (other, elsewhere) = asset(&mut world, 1);
    make(&mut world, id);
    make(&mut world, other);
    let hash = keccak256("an offer");
    let digest = read(&world, place, &IAccount::messageHashCall { hash });
    let bytes = |digest| Bytes::from(sign(1, digest).as_bytes().to_vec());
    let valid = |world: &World, place, signature: Bytes| {
        let call = IAccount::isValidSignatureCall { hash, signature };
        read(world, place, &call) == [0x16, 0x26, 0xba, 0x7e]
    };
    assert!(valid(&world, place, bytes(digest)));
    assert!(!valid(&world, place, bytes(hash)), "a plain hash speaks for every account");
    assert!(!valid(&world, elsewhere, bytes(digest)));
    assert!(!valid(&world, place, Bytes::new()));
    assert!(!valid(&world, place, bytes(digest)[..64].to_vec().into()));
    // An account that owns: the owner of the owner signs, once per account on the way.
    assert!(give(&mut world, 1, elsewhere, id).0);
    assert!(!valid(&world, place, bytes(digest)));
    let outer = read(&world, elsewhere, &IAccount::messageHashCall { hash: digest });
    assert!(valid(&world, place, bytes(outer)));
    let signer = IAccount::isValidSignerCall { signer: elsewhere, context: Bytes::new() };
    assert_eq!(read(&world, place, &signer), [0x52, 0x3e, 0x32, 0x60]);
    let signer = IAccount::isValidSignerCall { signer: account(1), context: Bytes::new() };
    assert_eq!(read(&world, place, &signer), [0; 4]);
}

#[test]
fn an_account_earns_what_its_assets_earn() {
    let mut world = World::new();
    let (upper, above) = asset(&mut world, 1);
    let (lower, _) = asset(&mut world, 1);
    make(&mut world, upper);
    assert!(give(&mut world, 1, above, lower).0);
    let data = IRoyalties::payCall { asset: lower }.abi_encode();
    let nonce = world.nonce(2);
    world.block(&[Draft { value: COIN, ..Draft::call(2, nonce, ROYALTIES, data) }]);
    assert_eq!(world.state.balance(above), COIN);
}

#[test]
fn an_account_of_another_chain_or_of_no_asset_has_no_owner() {
    let mut world = World::new();
    asset(&mut world, 1);
    for (chain, token) in [(world.rules.chain_id(), 9), (1, 1)] {
        let call = createAccountCall {
            implementation: ASSET_ACCOUNT,
            salt: B256::ZERO,
            chainId: U256::from(chain),
            tokenContract: ASSETS,
            tokenId: U256::from(token),
        };
        let (success, logs) = send(&mut world, 2, ACCOUNT_REGISTRY, call.abi_encode());
        assert!(success);
        let place = ERC6551AccountCreated::decode_log(&logs[0]).unwrap().account;
        assert_eq!(read(&world, place, &IAccount::ownerCall {}), Address::ZERO);
        let (success, _) = ask(&world, account(1), place, execute(STRANGER, U256::ZERO, vec![]));
        assert!(!success);
    }
}
