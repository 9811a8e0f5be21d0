//! From a decoded call to its rule.

use super::{NAME, SYMBOL, offers, ownership, rights, sale, seats, templates, terms, views};
use crate::{
    assets,
    dispatch::Call,
    state::{Failure, Read, Write},
    system::parameters,
};
use alloy_primitives::{Bytes, FixedBytes, U256, fixed_bytes};
use sahara_abi::{
    ILicenses::{self, ILicensesCalls as Calls, Missing},
    IProtocol,
};
use sahara_primitives::{Amount, AssetId};

/// What `supportsInterface` affirms: ERC-165, ERC-721, ERC-721 metadata, ERC-2981.
const INTERFACES: [FixedBytes<4>; 4] = [
    fixed_bytes!("01ffc9a7"),
    fixed_bytes!("80ac58cd"),
    fixed_bytes!("5b5e139f"),
    fixed_bytes!("2a55205a"),
];

/// Answers a call.
pub(crate) fn call(state: &mut impl Write, call: &Call<'_>) -> Result<Bytes, Failure> {
    let (caller, value) = (call.caller, call.value);
    match call.decode()? {
        Calls::registerTerms(c) => call.change(c, |c| offers::register_terms(state, c.data)),
        Calls::offer(c) => call
            .change(c, |c| offers::offer(state, caller, AssetId(c.asset), c.terms).map(Into::into)),
        Calls::withdrawOffer(c) => call.change(c, |c| {
            offers::withdraw_offer(state, caller, AssetId(c.asset), c.terms).map(Into::into)
        }),
        Calls::buy(c) => {
            call.payable(c, |c| Ok(U256::from(sale::buy(state, caller, value, &c.purchase)?)))
        }
        Calls::renew(c) => call.payable(c, |c| {
            sale::renew(state, (caller, value), id(c.license), c.quantity).map(Into::into)
        }),
        Calls::assignSeat(c) => call.change(c, |c| {
            seats::assign_seat(state, caller, id(c.license), c.account).map(Into::into)
        }),
        Calls::freeSeat(c) => call.change(c, |c| {
            seats::free_seat(state, caller, id(c.license), c.account).map(Into::into)
        }),
        Calls::setMeter(c) => call
            .change(c, |c| seats::set_meter(state, caller, c.meter, c.isAllowed).map(Into::into)),
        Calls::countUses(c) => call.change(c, |c| {
            seats::count_uses(state, caller, (id(c.license), c.account), c.count).map(Into::into)
        }),
        Calls::revoke(c) => call
            .change(c, |c| seats::revoke(state, caller, id(c.license), c.reason).map(Into::into)),
        other => token(state, call, other),
    }
}

/// Answers what changes the ERC-721 token.
fn token(state: &mut impl Write, call: &Call<'_>, function: Calls) -> Result<Bytes, Failure> {
    let caller = call.caller;
    match function {
        Calls::approve(c) => {
            call.change(c, |c| ownership::approve(state, caller, c.to, c.tokenId).map(Into::into))
        }
        Calls::setApprovalForAll(c) => call.change(c, |c| {
            ownership::set_approval_for_all(state, caller, c.operator, c.approved).map(Into::into)
        }),
        Calls::transferFrom(c) => call.change(c, |c| {
            ownership::transfer_from(state, caller, (c.from, c.to), c.tokenId).map(Into::into)
        }),
        Calls::safeTransferFrom_0(c) => call.change(c, |_| Err(Failure::CallsOut)),
        Calls::safeTransferFrom_1(c) => call.change(c, |_| Err(Failure::CallsOut)),
        Calls::transferFor(c) => call.change(c, |c| {
            let path = (c.from, c.to);
            ownership::transfer_for(state, caller, c.operator, path, c.tokenId).map(Into::into)
        }),
        other => view(state, call, other),
    }
}

/// Answers a function that only reads.
fn view(state: &mut impl Read, call: &Call<'_>, function: Calls) -> Result<Bytes, Failure> {
    match function {
        Calls::canUse(c) => call.view(c, |c| {
            let found = rights::can_use(state, c.account, AssetId(c.asset), c.purpose)?;
            let (license, missing) = match found {
                Ok(right) => (right.license, Missing::Nothing),
                Err(missing) => (0, missing),
            };
            let (is_allowed, license) = (found.is_ok(), U256::from(license));
            Ok(ILicenses::canUseReturn { isAllowed: is_allowed, license, missing })
        }),
        Calls::terms(c) => call.view(c, |c| views::terms_of(state, c.terms)),
        Calls::termsId(c) => call.view(c, |c| {
            terms::check(&c.data, &parameters(state)?)?;
            terms::charged_id(state, &c.data)
        }),
        Calls::template(c) => call.view(c, |c| {
            let caps = parameters(state)?;
            templates::template(c.template, c.price, c.derivativeRoyalty, &caps)
        }),
        Calls::quote(c) => call.view(c, |c| {
            let terms = views::terms_of(state, c.terms)?;
            let quote = sale::quote(state, &terms, c.quantity)?;
            let (price, fee) = (quote.price.base_units(), quote.fee.base_units());
            Ok(ILicenses::quoteReturn { price, fee })
        }),
        Calls::renewalQuote(c) => call.view(c, |c| {
            let quote = views::renewal(state, c.license, c.quantity)?;
            let (price, fee) = (quote.price.base_units(), quote.fee.base_units());
            Ok(ILicenses::renewalQuoteReturn { price, fee })
        }),
        Calls::license(c) => call.view(c, |c| views::license(state, c.license)),
        Calls::licenseCount(c) => call.view(c, |_| views::count(state)),
        Calls::isOffered(c) => {
            call.view(c, |c| offers::is_offered(state, AssetId(c.asset), c.terms))
        }
        Calls::offersOf(c) => call.view(c, |c| {
            let (terms, total) = views::offers_of(state, AssetId(c.asset), c.start, c.count)?;
            Ok(ILicenses::offersOfReturn { terms, total: U256::from(total) })
        }),
        Calls::licensing(c) => call.view(c, |c| {
            let (is_licensed, carried, free) = views::licensing(state, AssetId(c.asset))?;
            Ok(ILicenses::licensingReturn { isLicensed: is_licensed, carried, free })
        }),
        Calls::seatsOf(c) => call.view(c, |c| views::seats_of(state, c.account, AssetId(c.asset))),
        Calls::seat(c) => call.view(c, |c| {
            let (is_seated, locked_until) = views::seat(state, c.license, c.account)?;
            Ok(ILicenses::seatReturn { isSeated: is_seated, lockedUntil: locked_until })
        }),
        Calls::isMeter(c) => call.view(c, |c| views::is_meter(state, c.holder, c.meter)),
        other => token_view(state, call, other),
    }
}

/// Answers what is read of the ERC-721 token.
fn token_view(state: &mut impl Read, call: &Call<'_>, function: Calls) -> Result<Bytes, Failure> {
    match function {
        Calls::balanceOf(c) => {
            call.view(c, |c| Ok(U256::from(ownership::balance_of(state, c.owner)?)))
        }
        Calls::ownerOf(c) => call.view(c, |c| ownership::owner_of(state, c.tokenId)),
        Calls::getApproved(c) => call.view(c, |c| ownership::approved(state, c.tokenId)),
        Calls::isApprovedForAll(c) => {
            call.view(c, |c| ownership::TOKENS.is_operator(state, c.owner, c.operator))
        }
        Calls::name(c) => call.view(c, |_| Ok(NAME.into())),
        Calls::symbol(c) => call.view(c, |_| Ok(SYMBOL.into())),
        Calls::tokenURI(c) => call.view(c, |c| {
            let asset = views::license(state, c.tokenId)?.asset;
            assets::metadata(state, AssetId(asset))
        }),
        Calls::supportsInterface(c) => call.view(c, |c| Ok(INTERFACES.contains(&c.interfaceId))),
        Calls::royaltyInfo(c) => call.view(c, |c| {
            let price = Amount::from_base_units(c.salePrice);
            let (receiver, amount) = ownership::royalty_info(state, c.tokenId, price)?;
            let amount = amount.base_units();
            Ok(ILicenses::royaltyInfoReturn { receiver, royaltyAmount: amount })
        }),
        _ => Err(IProtocol::InvalidCall {}.into()),
    }
}

/// A licence's number; what exceeds it names no licence, as 0 does.
fn id(license: U256) -> u64 {
    u64::try_from(license).unwrap_or_default()
}
