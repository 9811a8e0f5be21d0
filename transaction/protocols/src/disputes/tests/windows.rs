//! Every window ends with its second.

use super::*;

fn late<T>(answer: Result<T, Failure>, complaint: u64, phase: Phase) {
    let refused: Failure = IDisputes::WrongPhase { complaint, phase }.into();
    assert_eq!(answer.map(drop), Err(refused));
}

#[test]
fn each_step_is_taken_up_to_the_second_before_its_end() {
    // In each round one step more is in time: the first that is late meets the next phase.
    for (number, phase) in
        [Phase::Committing, Phase::Revealing, Phase::Appealable, Phase::Closable].iter().enumerate()
    {
        let mut world = world(9);
        let asset = asset(&mut world, &[], false);
        let complaint = file(&mut world, asset, 100 * COIN).unwrap();
        let is_late = |step: usize| u64::from(step == number);
        let answer = IDisputes::answerCall { complaint, evidence: B256::ZERO };
        until(&mut world, complaint, ANSWER - 1 + is_late(0));
        let answered = world.call(OWNER, DISPUTES, 100 * COIN, &answer);
        if number == 0 {
            late(answered, complaint, *phase);
            continue;
        }
        answered.unwrap();
        until(&mut world, complaint, ANSWER);
        let first = jury(&mut world, complaint)[0].account;
        until(&mut world, complaint, COMMIT - 1 + is_late(1));
        let promised = promise(&mut world, complaint, first, true);
        if number == 1 {
            late(promised, complaint, *phase);
            continue;
        }
        promised.unwrap();
        until(&mut world, complaint, REVEAL - 1 + is_late(2));
        let said = reveal(&mut world, complaint, first, true);
        if number == 2 {
            late(said, complaint, *phase);
            continue;
        }
        said.unwrap();
        until(&mut world, complaint, APPEAL - 1 + is_late(3));
        let appeal = IDisputes::appealCall { complaint, reason: B256::ZERO };
        late(world.call(OWNER, DISPUTES, 100 * COIN, &appeal), complaint, *phase);
        close(&mut world, complaint).unwrap();
    }
}

#[test]
fn each_step_begins_with_its_second() {
    let mut world = world(9);
    let asset = asset(&mut world, &[], false);
    let complaint = file(&mut world, asset, 100 * COIN).unwrap();
    until(&mut world, complaint, ANSWER - 1);
    assert!(jury(&mut world, complaint).is_empty(), "nobody is drawn before");
    late(promise(&mut world, complaint, juror(0), true), complaint, Phase::Answering);
    until(&mut world, complaint, ANSWER);
    let jurors = jury(&mut world, complaint);
    for juror in &jurors {
        promise(&mut world, complaint, juror.account, true).unwrap();
    }
    until(&mut world, complaint, COMMIT - 1);
    let first = jurors[0].account;
    late(reveal(&mut world, complaint, first, true), complaint, Phase::Committing);
    until(&mut world, complaint, COMMIT);
    for juror in &jurors {
        reveal(&mut world, complaint, juror.account, true).unwrap();
    }
    let appeal = IDisputes::appealCall { complaint, reason: B256::ZERO };
    until(&mut world, complaint, REVEAL - 1);
    late(world.call(OWNER, DISPUTES, 100 * COIN, &appeal), complaint, Phase::Revealing);
    until(&mut world, complaint, REVEAL);
    late(close(&mut world, complaint), complaint, Phase::Appealable);
    world.call(OWNER, DISPUTES, 100 * COIN, &appeal).unwrap();
    let decide = IDisputes::decideCall { complaint, isUpheld: false };
    until(&mut world, complaint, HOLDING - 1);
    late(close(&mut world, complaint), complaint, Phase::Appealed);
    until(&mut world, complaint, HOLDING);
    late(ask(&mut world, GOVERNANCE, &decide), complaint, Phase::Closable);
    close(&mut world, complaint).unwrap();
}
