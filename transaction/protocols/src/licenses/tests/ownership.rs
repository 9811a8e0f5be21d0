//! The LicenseNFT.

use super::town::{ask, buy, can, license, model, offer, register, remix, send, world};
use crate::{
    Failure,
    channels::tests::world::{Actor, World},
    licenses::{self, NAME, SYMBOL, purpose::INFERENCE},
};
use alloy_primitives::{Address, B256, U256, fixed_bytes};
use sahara_abi::{
    ILicenses::{self, Missing, Terms},
    IProtocol, LICENSES,
};

fn held(data: &Terms) -> (World, u64, U256) {
    let mut world = world();
    let (owner, buyer) = (world.creator, world.payers[0]);
    let asset = register(&mut world, owner, model()).unwrap();
    let id = offer(&mut world, owner, asset, data);
    let number = buy(&mut world, buyer, asset, id, 1).unwrap();
    (world, asset, number)
}

fn transfer(world: &mut World, by: Actor, to: Address, number: U256) -> Result<(), Failure> {
    let from = world.payers[0].address;
    send(world, by, ILicenses::transferFromCall { from, to, tokenId: number })
}

fn balance(world: &mut World, owner: Address) -> u64 {
    ask(world, world.stranger, ILicenses::balanceOfCall { owner }).unwrap().to()
}

#[test]
fn a_transfer_moves_the_licence_and_frees_its_seats() {
    let (mut world, asset, number) = held(&remix(1));
    let [holder, next] = world.payers;
    let approval = ILicenses::approveCall { to: world.stranger.address, tokenId: number };
    send(&mut world, holder, approval).unwrap();
    transfer(&mut world, holder, next.address, number).unwrap();
    assert_eq!((balance(&mut world, holder.address), balance(&mut world, next.address)), (0, 1));
    let shown = license(&mut world, number);
    assert_eq!((shown.holder, shown.seatsTaken), (next.address, 0));
    let call = ILicenses::getApprovedCall { tokenId: number };
    assert_eq!(ask(&mut world, next, call).unwrap(), Address::ZERO);
    assert_eq!(can(&mut world, holder.address, asset, INFERENCE), Err(Missing::License));
    let call = ILicenses::assignSeatCall { license: number, account: next.address };
    send(&mut world, next, call).unwrap();
    assert_eq!(can(&mut world, next.address, asset, INFERENCE), Ok(1));
    // Back again: the seat of the first time stays gone.
    let call =
        ILicenses::transferFromCall { from: next.address, to: holder.address, tokenId: number };
    send(&mut world, next, call).unwrap();
    assert_eq!(can(&mut world, holder.address, asset, INFERENCE), Err(Missing::License));
}

#[test]
fn a_licence_is_not_passed_on_within_a_use_window() {
    let (mut world, _, number) = held(&Terms { seatWindow: 60, ..remix(1) });
    let [holder, next] = world.payers;
    let until = world.now() + 60;
    world.wait(59);
    let account = holder.address;
    let refused = ILicenses::SeatInUse { license: number, account, until };
    assert_eq!(transfer(&mut world, holder, next.address, number), Err(refused.into()));
    world.wait(1);
    transfer(&mut world, holder, next.address, number).unwrap();
}

#[test]
fn every_transfer_without_the_right_is_refused() {
    let (mut world, _, number) = held(&remix(1));
    let ([holder, next], stranger) = (world.payers, world.stranger);
    let operator = stranger.address;
    let refused: Failure =
        ILicenses::ERC721InsufficientApproval { operator, tokenId: number }.into();
    assert_eq!(transfer(&mut world, stranger, next.address, number), Err(refused.clone()));
    let approve = || ILicenses::approveCall { to: operator, tokenId: number };
    assert_eq!(send(&mut world, stranger, approve()), Err(refused.clone()));
    let receiver = Address::ZERO;
    let invalid: Failure = ILicenses::ERC721InvalidReceiver { receiver }.into();
    assert_eq!(transfer(&mut world, holder, receiver, number), Err(invalid));
    let unknown = U256::MAX;
    let missing: Failure = ILicenses::ERC721NonexistentToken { tokenId: unknown }.into();
    assert_eq!(transfer(&mut world, holder, next.address, unknown), Err(missing.clone()));
    let call = ILicenses::ownerOfCall { tokenId: unknown };
    assert_eq!(send(&mut world, holder, call), Err(missing));
    let call =
        ILicenses::transferFromCall { from: next.address, to: stranger.address, tokenId: number };
    let wrong = ILicenses::ERC721IncorrectOwner {
        sender: next.address,
        tokenId: number,
        owner: holder.address,
    };
    assert_eq!(send(&mut world, holder, call), Err(wrong.into()));
    send(&mut world, holder, approve()).unwrap();
    transfer(&mut world, stranger, next.address, number).unwrap();
    let call =
        ILicenses::transferFromCall { from: next.address, to: stranger.address, tokenId: number };
    assert_eq!(send(&mut world, stranger, call), Err(refused), "an approval is for one transfer");
}

#[test]
fn an_operator_moves_everything_of_its_principal() {
    let (mut world, _, number) = held(&remix(1));
    let ([holder, next], operator) = (world.payers, world.stranger);
    let call = |approved| ILicenses::setApprovalForAllCall { operator: operator.address, approved };
    send(&mut world, holder, call(true)).unwrap();
    let question =
        ILicenses::isApprovedForAllCall { owner: holder.address, operator: operator.address };
    assert!(ask(&mut world, next, question).unwrap());
    transfer(&mut world, operator, next.address, number).unwrap();
}

#[test]
fn terms_and_revocation_hold_a_licence_back() {
    let fixed = Terms { isTransferable: false, resaleRoyalty: 0, ..remix(1) };
    let (mut world, _, number) = held(&fixed);
    let [holder, next] = world.payers;
    let terms = license(&mut world, number).terms;
    let refused = ILicenses::NotTransferable { license: number, terms };
    assert_eq!(transfer(&mut world, holder, next.address, number), Err(refused.into()));

    let (mut world, _, number) = held(&Terms { isRevocable: true, ..remix(1) });
    let owner = world.creator;
    let call = ILicenses::revokeCall { license: number, reason: B256::ZERO };
    send(&mut world, owner, call).unwrap();
    let refused = ILicenses::LicenseRevoked { license: number };
    assert_eq!(transfer(&mut world, holder, next.address, number), Err(refused.into()));
}

#[test]
fn a_resale_owes_what_the_terms_say() {
    let (mut world, _, number) = held(&Terms { resaleRoyalty: 750, ..remix(1) });
    let (owner, anyone) = (world.creator, world.stranger);
    let call = ILicenses::royaltyInfoCall { tokenId: number, salePrice: U256::from(1_999) };
    let answer = ask(&mut world, anyone, call).unwrap();
    assert_eq!((answer.receiver, answer.royaltyAmount), (owner.address, U256::from(149)));
}

#[test]
fn the_collection_answers_as_an_nft() {
    let (mut world, _, number) = held(&remix(1));
    let anyone = world.stranger;
    assert_eq!(ask(&mut world, anyone, ILicenses::nameCall {}).unwrap(), NAME);
    assert_eq!(ask(&mut world, anyone, ILicenses::symbolCall {}).unwrap(), SYMBOL);
    let uri = ask(&mut world, anyone, ILicenses::tokenURICall { tokenId: number }).unwrap();
    assert_eq!(uri, "ipfs://card");
    for (id, expected) in [
        (fixed_bytes!("01ffc9a7"), true),
        (fixed_bytes!("80ac58cd"), true),
        (fixed_bytes!("5b5e139f"), true),
        (fixed_bytes!("2a55205a"), true),
        (fixed_bytes!("ffffffff"), false),
    ] {
        let call = ILicenses::supportsInterfaceCall { interfaceId: id };
        assert_eq!(ask(&mut world, anyone, call).unwrap(), expected);
    }
    let call = ILicenses::balanceOfCall { owner: Address::ZERO };
    let refused = ILicenses::ERC721InvalidOwner { owner: Address::ZERO };
    assert_eq!(send(&mut world, anyone, call), Err(refused.into()));
}

#[test]
fn safe_transfers_are_left_to_the_code_that_can_call() {
    let (mut world, _, number) = held(&remix(1));
    let [holder, next] = world.payers;
    let (from, to, token) = (holder.address, next.address, number);
    let call = ILicenses::safeTransferFrom_0Call { from, to, tokenId: token };
    assert_eq!(send(&mut world, holder, call), Err(Failure::CallsOut));
    let data = vec![1].into();
    let call = ILicenses::safeTransferFrom_1Call { from, to, tokenId: token, data };
    assert_eq!(send(&mut world, holder, call), Err(Failure::CallsOut));
    // Nobody but that code speaks for an operator.
    let call = ILicenses::transferForCall { operator: from, from, to, tokenId: token };
    let refused = IProtocol::OnlySelf { caller: from };
    assert_eq!(send(&mut world, holder, call), Err(refused.into()));
    let operator = to;
    let state = &mut world.state;
    let refused = ILicenses::ERC721InsufficientApproval { operator, tokenId: token };
    let forged = licenses::transfer_for(state, LICENSES, operator, (from, to), token);
    assert_eq!(forged, Err(refused.into()));
    licenses::transfer_for(state, LICENSES, from, (from, to), token).unwrap();
    assert_eq!(license(&mut world, number).holder, to);
}
