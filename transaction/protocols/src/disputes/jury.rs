//! The jury: drawn by the chain, then it commits and reveals.

use super::{
    JURY,
    list::{check_votes, discharge, places_of},
    parameters::parameters,
    phases::{find, keep},
    storage::{CLAIMANTS, COMPLAINTS, DRAWN, JURIES, PLACES, SEATS},
    words::{Complaint, Seat},
};
use crate::{
    assets, staking,
    state::{Failure, Read, Write},
};
use alloy_primitives::{Address, B256, U256, keccak256};
use alloy_sol_types::SolValue;
use sahara_abi::{
    DISPUTES as ADDRESS,
    IDisputes::{self, Phase},
};
use sahara_primitives::AssetId;

/// Places looked at for one jury: where all but one of 70 were left, seven are still found.
const LOOKS: u64 = 512;

/// Jurors whose bonded coin is counted anew for one jury, at up to 32 validators each.
const CHECKS: usize = 16;

/// Jurors without the coin for their places that one draw takes off the list; the next block goes on.
const MOST_STALE: usize = 6;

/// Gas for drawing one jury: 16 checks of at most 345,000, 512 looks of 2,200, 7 seats of 75,000, 8 complaints of 19,000 beside it, and taking
/// six jurors' 16 places off the list, 62,000 each where the list becomes shorter by it.
pub const DRAW_GAS: u64 = 14_000_000;

/// How a draw ended.
pub(super) enum Draw {
    /// Enough jurors, a seat each time one was drawn.
    Jury(Vec<Address>),
    /// Too few, and none of those who could be drawn lost its places: there are no more.
    Nobody,
    /// Too few, among those who lost their places now.
    Cleaned,
}

/// At the end of every block: draws one jury that is due. Blocks' randomness comes after everything that
/// decides who can be drawn.
pub(crate) fn turn(state: &mut impl Write) -> Result<(), Failure> {
    let drawn = DRAWN.get(state)?;
    if drawn >= COMPLAINTS.len(state, ())? {
        return Ok(());
    }
    let complaint = COMPLAINTS.get(state, (), drawn)?;
    let now = state.block().timestamp.0;
    if now < complaint.filed_at.saturating_add(complaint.windows.answer) {
        return Ok(());
    }
    let number = drawn.saturating_add(1);
    // A draw that cannot be paid for leaves the complaint without a jury, never the chain without a block.
    let draw = state.attempt(DRAW_GAS, |state| draw(state, number, complaint))?;
    if matches!(draw, Ok(Draw::Cleaned))
        && now < complaint.filed_at.saturating_add(complaint.windows.drawing_end())
    {
        let places = complaint.places.min(PLACES.len(state, ())?);
        return keep(state, number, &Complaint { places, ..complaint });
    }
    if !matches!(draw, Ok(Draw::Jury(_))) {
        keep(state, number, &Complaint { is_drawn: true, ..complaint })?;
        state.emit(ADDRESS, IDisputes::JuryDrawn { complaint: number, jurors: Vec::new() })?;
    }
    DRAWN.update(state, |count| {
        *count = number;
        Ok(())
    })
}

fn draw(state: &mut impl Write, number: u64, mut complaint: Complaint) -> Result<Draw, Failure> {
    let draw = candidates(state, number, &complaint)?;
    let Draw::Jury(jurors) = &draw else { return Ok(draw) };
    for juror in jurors {
        let seat = SEATS.update(state, (number, *juror), |seat| {
            seat.seats = seat.seats.saturating_add(1);
            Ok(seat.seats)
        })?;
        if seat == 1 {
            JURIES.push(state, number, juror)?;
        }
    }
    complaint.is_drawn = true;
    complaint.seats = u32::try_from(jurors.len()).unwrap_or(JURY);
    keep(state, number, &complaint)?;
    state.emit(ADDRESS, IDisputes::JuryDrawn { complaint: number, jurors: jurors.clone() })?;
    Ok(draw)
}

/// Who is drawn: a place at a time, each as likely as any other of those that stood when the complaint was
/// filed. Who has [`MOST_SEATS`] is passed over.
pub(super) fn candidates(
    state: &mut impl Write,
    number: u64,
    complaint: &Complaint,
) -> Result<Draw, Failure> {
    if is_thin(state, complaint)? {
        return Ok(Draw::Nobody);
    }
    let parties = parties(state, complaint)?;
    let seed = keccak256((state.block().randomness, number).abi_encode());
    let (mut found, mut checked) = (Vec::<Address>::new(), Vec::<(Address, bool)>::new());
    for look in 0..LOOKS {
        let stale = checked.iter().filter(|(_, stands)| !stands).count();
        if found.len() >= JURY_SEATS || complaint.places == 0 || stale >= MOST_STALE {
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
        let standing = checked.iter().filter(|(_, stands)| *stands).count();
        let seats = found.iter().filter(|one| **one == account).count();
        // Whoever stands has a seat, so that what is more are second ones.
        let seconds = found.len().saturating_sub(standing);
        if stands && (seats == 0 || seats < MOST_SEATS && seconds < MOST_SECONDS) {
            found.push(account);
        }
    }
    let standing = checked.iter().filter(|(_, stands)| *stands).count();
    Ok(match (standing >= LEAST_JURORS, standing < checked.len()) {
        (true, _) => Draw::Jury(found),
        (false, true) => Draw::Cleaned,
        (false, false) => Draw::Nobody,
    })
}

/// Who must not judge: the sides, and who has income of the same asset held by another complaint.
fn parties(state: &mut impl Read, complaint: &Complaint) -> Result<Vec<Address>, Failure> {
    let asset = AssetId(complaint.asset);
    let owner = assets::title(state, asset)?.owner;
    let mut parties = vec![complaint.complainant, complaint.answerer, complaint.owner, owner];
    for (number, _) in CLAIMANTS.get(state, asset)?.all() {
        parties.push(find(state, number)?.complainant);
    }
    Ok(parties)
}

/// Of all bonded coin, what the places of a list must stand for: a thousandth. Where 100 million are bonded,
/// five accounts with a place each are nobody's jury; a hundred places are.
const LEAST_PART: u128 = 1_000;

/// Whether a list is too short to speak for the stakers: whoever has five places where hardly anyone else
/// enlisted would be the jury.
fn is_thin(state: &mut impl Read, complaint: &Complaint) -> Result<bool, Failure> {
    let before = U256::from(complaint.filed_at.saturating_sub(1));
    let bonded = staking::past_total(state, before)?.base_units();
    let behind = parameters(state)?.place.saturating_mul(complaint.places.into());
    Ok(U256::from(behind.saturating_mul(LEAST_PART)) < bonded)
}

/// Seats of a jury.
const JURY_SEATS: usize = 7;

/// The most seats of one juror.
const MOST_SEATS: usize = 2;

/// Second seats of a jury: the other jurors are as many as [`LEAST_JURORS`].
const MOST_SECONDS: usize = JURY_SEATS - LEAST_JURORS;

/// The fewest jurors of a jury: nobody alone is more than half of the seats.
const LEAST_JURORS: usize = 5;

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
