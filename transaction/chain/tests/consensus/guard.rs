//! I15: a directory that lost votes is told from one that has them.

use std::{fs, path::PathBuf};

use alloy_primitives::B256;
use sahara_chain::consensus::{Guard, GuardError, LostVotes, VIEWS_AHEAD};
use serde_json::{Value, json};

/// The directory's own copy of the guard.
const MARK: &str = "signed.json";

const GENESIS: B256 = B256::repeat_byte(1);

/// Sits out until an epoch begins while the node runs.
const ONE_BEGINS: Option<u64> = Some(u64::MAX);
/// When an epoch began, in milliseconds since 1970: before every test, and after it.
const BEFORE: u64 = 1_700_000_000_000;
const LATER: u64 = 32_503_680_000_000;

struct Host {
    directory: tempfile::TempDir,
}

impl Host {
    fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        fs::create_dir(directory.path().join("consensus")).unwrap();
        Self { directory }
    }

    fn consensus(&self) -> PathBuf {
        self.directory.path().join("consensus")
    }

    fn guard(&self) -> PathBuf {
        self.directory.path().join("validator.guard")
    }

    fn open(&self, lost: LostVotes) -> Result<Guard, GuardError> {
        self.open_with(false, lost)
    }

    fn open_with(&self, has_blocks: bool, lost: LostVotes) -> Result<Guard, GuardError> {
        let of = (GENESIS, "0xab".into());
        Guard::open(&self.guard(), &self.consensus(), of, (has_blocks, lost))
    }
}

#[test]
fn i15_a_restart_with_its_directory_signs_on() {
    let host = Host::new();
    for start in 0..3 {
        let guard = host.open(LostVotes::Refuse).unwrap();
        assert_eq!(guard.sits_out(), None);
        for view in 1..30 {
            guard.before_vote(start, view).unwrap();
        }
    }
}

/// A newer program beside an older record has to know how far the key has signed.
#[test]
fn i15_the_record_is_read_and_written_as_it_was_before() {
    let host = Host::new();
    let file = host.directory.path().join("validator.guard");
    let record = |session: u64, view: u64| {
        json!({
            "genesis": GENESIS, "validator": "0xab", "session": session, "epoch": 2, "view": view,
        })
    };
    for path in [&file, &host.consensus().join(MARK)] {
        fs::write(path, record(4, 9).to_string()).unwrap();
    }
    let guard = host.open(LostVotes::Refuse).unwrap();
    let written = || -> Vec<Value> {
        let read = |path| serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap();
        vec![read(file.clone()), read(host.consensus().join(MARK))]
    };
    assert_eq!(written(), vec![record(5, 9); 2]);
    guard.before_vote(2, 9).unwrap();
    assert_eq!(written(), vec![record(5, 9); 2], "that far it may have signed");
    guard.before_vote(2, 10).unwrap();
    assert_eq!(written(), vec![record(5, 10 + VIEWS_AHEAD); 2]);
    drop(guard);
    fs::remove_file(host.consensus().join(MARK)).unwrap();
    drop(host.open(LostVotes::SitOut).unwrap());
    let sits_out = written().iter().map(|one| one["sitsOut"].clone()).collect::<Vec<_>>();
    assert_eq!(sits_out, [json!(u64::MAX), json!(u64::MAX)]);
}

#[test]
fn i15_a_lost_directory_is_refused_and_may_sit_out() {
    let host = Host::new();
    host.open(LostVotes::Refuse).unwrap().before_vote(3, 5).unwrap();
    fs::remove_file(host.consensus().join(MARK)).unwrap();
    let refused = host.open(LostVotes::Refuse).unwrap_err();
    assert!(matches!(refused, GuardError::LostVotes { epoch: 3, .. }), "{refused}");
    assert!(refused.to_string().contains("--lost-votes sit-out"), "{refused}");
    let guard = host.open(LostVotes::SitOut).unwrap();
    assert_eq!(guard.sits_out(), ONE_BEGINS);
    // Epochs that began before, of which its guard may not know.
    for epoch in 3..6 {
        assert!(!guard.signs_in(epoch, BEFORE).unwrap());
    }
    drop(guard);
    // The next start, which finds everything in order, still sits out.
    let guard = host.open(LostVotes::Refuse).unwrap();
    assert_eq!(guard.sits_out(), ONE_BEGINS);
    assert!(!guard.signs_in(5, BEFORE).unwrap());
    assert!(guard.signs_in(6, LATER).unwrap(), "this one begins while it runs");
    drop(guard);
    let guard = host.open(LostVotes::Refuse).unwrap();
    let signs = [4, 5, 6, 7].map(|epoch| guard.signs_in(epoch, BEFORE).unwrap());
    assert_eq!(signs, [false, false, true, true], "from then on it signs");
}

/// The directory may be an older copy: only the guard would say so.
#[test]
fn i15_a_lost_guard_is_refused_and_may_sit_out() {
    let host = Host::new();
    host.open(LostVotes::Refuse).unwrap().before_vote(3, 5).unwrap();
    let kept = fs::read(host.guard()).unwrap();
    fs::remove_file(host.guard()).unwrap();
    let refused = host.open_with(true, LostVotes::Refuse).unwrap_err();
    assert!(matches!(refused, GuardError::NoGuard { epoch: 3, .. }), "{refused}");
    assert!(refused.to_string().contains("--lost-votes sit-out"), "{refused}");
    assert!(!host.guard().exists(), "a refusal makes none");
    // Back in its place it is as if nothing had been.
    fs::write(host.guard(), kept).unwrap();
    assert_eq!(host.open_with(true, LostVotes::Refuse).unwrap().sits_out(), None);
    fs::remove_file(host.guard()).unwrap();
    assert_eq!(host.open_with(true, LostVotes::SitOut).unwrap().sits_out(), ONE_BEGINS);
    assert_eq!(host.open_with(true, LostVotes::Refuse).unwrap().sits_out(), ONE_BEGINS);
    fs::remove_file(host.guard()).unwrap();
    assert_eq!(host.open_with(true, LostVotes::SignAnyway).unwrap().sits_out(), None);
}

#[test]
fn i15_a_key_that_may_be_back_from_paper_sits_out() {
    // A new network begins at once; its keys are known from then on.
    let host = Host::new();
    assert_eq!(host.open_with(false, LostVotes::Refuse).unwrap().sits_out(), None);
    assert_eq!(host.open_with(true, LostVotes::Refuse).unwrap().sits_out(), None);
    for (has_blocks, lost) in
        [(true, LostVotes::Refuse), (true, LostVotes::SitOut), (false, LostVotes::SitOut)]
    {
        let host = Host::new();
        let guard = host.open_with(has_blocks, lost).unwrap();
        assert_eq!(guard.sits_out(), ONE_BEGINS);
        // While the past is replayed, however many starts that takes, and until an epoch begins.
        assert!(!guard.signs_in(0, 0).unwrap() && !guard.signs_in(4, BEFORE).unwrap());
        drop(guard);
        let guard = host.open_with(true, LostVotes::Refuse).unwrap();
        assert!(!guard.signs_in(5, BEFORE).unwrap());
        assert!(guard.signs_in(6, LATER).unwrap() && guard.signs_in(7, LATER).unwrap());
        assert_eq!(guard.sits_out(), Some(5));
    }
    // A mark of no vote is no better: it may be a copy from before the first.
    let host = Host::new();
    drop(host.open(LostVotes::Refuse).unwrap());
    fs::remove_file(host.guard()).unwrap();
    assert_eq!(host.open_with(true, LostVotes::Refuse).unwrap().sits_out(), ONE_BEGINS);
}

/// Where no epoch can end, all agree to sign anyway.
#[test]
fn who_sits_out_may_be_told_to_sign_anyway() {
    let host = Host::new();
    assert_eq!(host.open_with(true, LostVotes::SitOut).unwrap().sits_out(), ONE_BEGINS);
    let guard = host.open_with(true, LostVotes::SignAnyway).unwrap();
    assert!(guard.sits_out().is_none() && guard.signs_in(0, 0).unwrap());
}

#[test]
fn i15_one_process_has_a_key_whatever_its_directory() {
    let host = Host::new();
    let guard = host.open(LostVotes::Refuse).unwrap();
    guard.before_vote(0, 1).unwrap();
    let copy = tempfile::tempdir().unwrap();
    fs::copy(host.consensus().join(MARK), copy.path().join(MARK)).unwrap();
    let usual = (false, LostVotes::Refuse);
    let second = || Guard::open(&host.guard(), copy.path(), (GENESIS, "0xab".into()), usual);
    assert!(matches!(second(), Err(GuardError::InUse(of)) if of == host.guard()));
    guard.before_vote(0, 100).unwrap();
    assert!(matches!(second(), Err(GuardError::InUse(_))));
    drop(guard);
    assert!(matches!(second(), Err(GuardError::LostVotes { .. })), "its copy is older");
    host.open(LostVotes::Refuse).unwrap();
}

#[test]
fn i15_an_older_copy_of_the_directory_is_refused() {
    let host = Host::new();
    let mark = host.consensus().join(MARK);
    let guard = host.open(LostVotes::Refuse).unwrap();
    guard.before_vote(0, 1).unwrap();
    let copy = fs::read(&mark).unwrap();
    guard.before_vote(0, 2 + VIEWS_AHEAD).unwrap();
    drop(guard);
    fs::write(&mark, copy).unwrap();
    assert!(matches!(host.open(LostVotes::Refuse), Err(GuardError::LostVotes { .. })));
    assert_eq!(host.open(LostVotes::SignAnyway).unwrap().sits_out(), None);

    // A copy from before the last start is old whatever was signed since.
    let copy = fs::read(&mark).unwrap();
    host.open(LostVotes::Refuse).unwrap();
    fs::write(&mark, copy).unwrap();
    assert!(matches!(host.open(LostVotes::Refuse), Err(GuardError::LostVotes { .. })));
}

#[test]
fn a_crash_between_mark_and_guard_is_no_loss() {
    let host = Host::new();
    let file = host.directory.path().join("validator.guard");
    let guard = host.open(LostVotes::Refuse).unwrap();
    guard.before_vote(0, 1).unwrap();
    let before = fs::read(&file).unwrap();
    guard.before_vote(0, 100).unwrap();
    drop(guard);
    fs::write(&file, before).unwrap();
    assert_eq!(host.open(LostVotes::Refuse).unwrap().sits_out(), None);
}

#[test]
fn a_key_that_never_signed_may_start_anywhere() {
    let host = Host::new();
    host.open(LostVotes::Refuse).unwrap();
    fs::remove_file(host.consensus().join(MARK)).unwrap();
    host.open(LostVotes::Refuse).unwrap();
}

/// What a start would refuse is seen before, and seeing it changes nothing.
#[test]
fn i15_a_look_at_the_guard_says_what_a_start_would_and_leaves_it_as_it_is() {
    let host = Host::new();
    let (file, mark) = (host.directory.path().join("validator.guard"), host.consensus().join(MARK));
    let look = || Guard::look(&file, &host.consensus());
    assert_eq!(look().unwrap(), None);
    assert!(!file.exists() && !mark.exists());
    let guard = host.open(LostVotes::Refuse).unwrap();
    assert_eq!(look().unwrap(), None, "opened, and nothing signed");
    for view in 1..30 {
        guard.before_vote(3, view).unwrap();
        let seen = look().unwrap().unwrap();
        assert!(seen.epoch == 3 && (view..=view + VIEWS_AHEAD).contains(&seen.view), "{seen:?}");
        assert!(seen.genesis == GENESIS && seen.sits_out.is_none(), "{seen:?}");
    }
    let kept = [&file, &mark].map(|path| fs::read(path).unwrap());

    fs::remove_file(&file).unwrap();
    assert!(matches!(look(), Err(GuardError::NoGuard { epoch: 3, .. })));
    fs::write(&file, &kept[0]).unwrap();
    fs::remove_file(&mark).unwrap();
    assert!(matches!(look(), Err(GuardError::LostVotes { epoch: 3, .. })));
    let other = String::from_utf8_lossy(&kept[1]).replace("0xab", "0xcd");
    fs::write(&mark, other).unwrap();
    assert!(matches!(look(), Err(GuardError::Other(of)) if of == mark));
    fs::write(&mark, "{").unwrap();
    assert!(matches!(look(), Err(GuardError::Damaged { .. })));
    fs::write(&mark, &kept[1]).unwrap();
    look().unwrap().unwrap();
    assert_eq!([&file, &mark].map(|path| fs::read(path).unwrap()), kept);
}

#[test]
fn a_guard_of_another_key_or_a_damaged_one_is_refused() {
    let host = Host::new();
    let file = host.directory.path().join("validator.guard");
    host.open(LostVotes::Refuse).unwrap();
    let usual = (false, LostVotes::Refuse);
    let other = Guard::open(&file, &host.consensus(), (GENESIS, "0xcd".into()), usual);
    assert!(matches!(other, Err(GuardError::Other(_))));
    fs::write(&file, "{").unwrap();
    assert!(matches!(host.open(LostVotes::SignAnyway), Err(GuardError::Damaged { .. })));
}

#[test]
fn a_vote_that_cannot_be_accounted_for_is_an_error() {
    let host = Host::new();
    let guard = host.open(LostVotes::Refuse).unwrap();
    fs::remove_dir_all(host.consensus()).unwrap();
    assert!(matches!(guard.before_vote(0, 1), Err(GuardError::Disk { .. })));
}
