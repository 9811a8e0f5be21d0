//! The jury: drawn by the chain, then it commits and reveals.

use super::{
    ANSWER, JURY,
    list::{check_votes, discharge, places_of},
    phases::{find, keep},
    storage::{COMPLAINTS, DRAWN, JURIES, PLACES, SEATS},
    words::{Complaint, Seat},
};
use crate::{
    assets,
    state::{Failure, Read, Write},
};
use alloy_primitives::{Address, B256, U256, keccak256};
use alloy_sol_types::SolValue;
use sahara_abi::{
    DISPUTES as ADDRESS,
    IDisputes::{self, Phase},
};
use sahara_primitives::AssetId;

/// Places looked at for one jury: of a list that is half empty or stale, seven of 64 are found.
const LOOKS: u64 = 64;

/// Jurors whose bonded coin is counted anew for one jury, at up to 32 validators each.
const CHECKS: usize = 16;

/// Gas for drawing one jury: 16 checks of at most 210,000, 64 looks of 2,200, 7 seats of 60,000, and taking
/// at most nine stale jurors' 16 places off the list, 40,000 each.
pub const DRAW_GAS: u64 = 12_000_000;

/// At the end of every block: draws one jury that is due. Blocks' randomness comes after everything that
/// decides who can be drawn.
pub(crate) fn turn(state: &mut impl Write) -> Result<(), Failure> {
    let drawn = DRAWN.get(state)?;
    if drawn >= COMPLAINTS.len(state, ())? {
        return Ok(());
    }
    let complaint = COMPLAINTS.get(state, (), drawn)?;
    if state.block().timestamp.0 < complaint.filed_at.saturating_add(ANSWER) {
        return Ok(());
    }
    DRAWN.update(state, |number| {
        *number = drawn.saturating_add(1);
        Ok(())
    })?;
    let number = drawn.saturating_add(1);
    // A draw that cannot be paid for leaves the complaint without a jury, never the chain without a block.
    match state.attempt(DRAW_GAS, |state| draw(state, number, complaint))? {
        Ok(()) => Ok(()),
        Err(_) => keep(state, number, &Complaint { is_drawn: true, ..complaint }),
    }
}

fn draw(state: &mut impl Write, number: u64, mut complaint: Complaint) -> Result<(), Failure> {
    let jurors = candidates(state, number, &complaint)?;
    let mut seated = Vec::new();
    for juror in jurors {
        let seat = SEATS.update(state, (number, juror), |seat| {
            seat.seats = seat.seats.saturating_add(1);
            Ok(seat.seats)
        })?;
        if seat == 1 {
            JURIES.push(state, number, &juror)?;
        }
        seated.push(juror);
    }
    complaint.is_drawn = true;
    complaint.seats = u32::try_from(seated.len()).unwrap_or(JURY);
    keep(state, number, &complaint)?;
    state.emit(ADDRESS, IDisputes::JuryDrawn { complaint: number, jurors: seated })
}

/// Who is drawn: a place at a time, each as likely as any other of those that stood when the complaint was
/// filed.
fn candidates(
    state: &mut impl Write,
    number: u64,
    complaint: &Complaint,
) -> Result<Vec<Address>, Failure> {
    let parties = [
        complaint.complainant,
        complaint.answerer,
        assets::title(state, AssetId(complaint.asset))?.owner,
    ];
    let seed = keccak256((state.block().randomness, number).abi_encode());
    let (mut found, mut checked) = (Vec::new(), Vec::<(Address, bool)>::new());
    for look in 0..LOOKS {
        if found.len() >= JURY_SEATS || complaint.places == 0 {
            break;
        }
        let word = U256::from_be_bytes(keccak256((seed, look).abi_encode()).0);
        let index = word.checked_rem(U256::from(complaint.places)).unwrap_or_default();
        let place = PLACES.get(state, (), u64::try_from(index).unwrap_or_default())?;
        let account = place.account;
        if account.is_zero() || place.since >= complaint.filed_at || parties.contains(&account) {
            continue;
        }
        let known = checked.iter().find(|(one, _)| *one == account).map(|(_, stands)| *stands);
        let stands = match known {
            Some(stands) => stands,
            None if checked.len() >= CHECKS => break,
            None => {
                let stands = is_bonded(state, account)?;
                checked.push((account, stands));
                stands
            }
        };
        if stands {
            found.push(account);
        }
    }
    Ok(found)
}

/// Seats of a jury.
const JURY_SEATS: usize = 7;

/// Whether an account still has the bonded coin that its places need; otherwise it loses them.
fn is_bonded(state: &mut impl Write, account: Address) -> Result<bool, Failure> {
    let places = places_of(state, account)?;
    match check_votes(state, account, places) {
        Ok(()) => Ok(true),
        Err(Failure::Revert(_)) => discharge(state, account).map(|()| false),
        Err(failure) => Err(failure),
    }
}

/// What a juror must commit to for what it will say.
pub(super) fn commitment(
    state: &mut impl Read,
    number: u64,
    juror: Address,
    is_upheld: bool,
    salt: B256,
) -> B256 {
    let chain_id = U256::from(state.block().chain_id);
    keccak256((chain_id, ADDRESS, number, juror, is_upheld, salt).abi_encode())
}

fn seat(state: &mut impl Read, number: u64, caller: Address) -> Result<Seat, Failure> {
    let seat = SEATS.get(state, (number, caller))?;
    if seat.seats == 0 {
        return Err(IDisputes::OnlyJuror { complaint: number, caller }.into());
    }
    Ok(seat)
}

/// Takes a juror's commitment; the last one counts.
///
/// # Errors
/// `UnknownComplaint`, `WrongPhase`, `OnlyJuror`.
pub(super) fn commit(
    state: &mut impl Write,
    caller: Address,
    number: u64,
    commitment: B256,
) -> Result<(), Failure> {
    let complaint = find(state, number)?;
    complaint.expect(number, state.block().timestamp.0, Phase::Committing)?;
    let seat = Seat { commitment, ..seat(state, number, caller)? };
    SEATS.replace(state, (number, caller), &seat)?;
    state.emit(ADDRESS, IDisputes::Committed { complaint: number, juror: caller })
}

/// Takes what a juror committed to, once.
///
/// # Errors
/// `UnknownComplaint`, `WrongPhase`, `OnlyJuror`, `WrongReveal`.
pub(super) fn reveal(
    state: &mut impl Write,
    caller: Address,
    number: u64,
    (is_upheld, salt): (bool, B256),
) -> Result<(), Failure> {
    let mut complaint = find(state, number)?;
    complaint.expect(number, state.block().timestamp.0, Phase::Revealing)?;
    let seat = seat(state, number, caller)?;
    let said = commitment(state, number, caller, is_upheld, salt);
    if seat.has_revealed || seat.commitment != said {
        return Err(IDisputes::WrongReveal { complaint: number, juror: caller }.into());
    }
    let side = if is_upheld { &mut complaint.for_it } else { &mut complaint.against };
    *side = side.saturating_add(seat.seats);
    SEATS.replace(state, (number, caller), &Seat { has_revealed: true, is_upheld, ..seat })?;
    keep(state, number, &complaint)?;
    let (juror, seats) = (caller, seat.seats);
    let event = IDisputes::Revealed { complaint: number, juror, isUpheld: is_upheld, seats };
    state.emit(ADDRESS, event)
}
