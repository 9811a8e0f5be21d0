//! What this validator may have signed, written where a lost or restored directory cannot take it.
//!
//! # What the journal gives, and what not
//! Every vote is in simplex's journal, durable, before it is sent: a crash at any moment makes no
//! double vote. But the journal lies in the consensus directory. If that is lost, or replaced by an
//! older copy, the validator would sign again in views it signed in before. So a second file stands
//! beside the key: the guard. It says how far this key may have signed; the directory holds the same
//! in its mark. A directory whose mark is missing or older than the guard has lost votes. Without the
//! guard nothing tells how old the directory is, so votes may be lost as well; and a key with neither
//! beside blocks that are here already may be one that came back from paper.
//!
//! # How often
//! The guard runs ahead: it names a view that is up to [`VIEWS_AHEAD`] views later than those signed
//! in, and is written again when that is reached. Every start also counts up. What cannot be told
//! apart is a copy of a *running* validator's directory, put back within these views and without a
//! start between; and a machine restored as a whole, guard included.
//!
//! # What to do then
//! [`LostVotes::SitOut`] is safe: the node follows, and signs again from the first epoch on that begins
//! while it runs. Votes of one epoch mean nothing in another, and in that one the key cannot have signed
//! before, however old guard, directory and blocks are.
//!
//! # One process
//! Who opened a guard holds it until it ends: another process on this machine with the same key file is
//! refused, whatever its directory is.

use std::{
    fs::{self, File, TryLockError},
    io::{self, Write as _},
    path::{Path, PathBuf},
    sync::Arc,
    time::SystemTime,
};

use alloy_primitives::B256;
use commonware_actor::{Feedback, Unreliable};
use commonware_codec::ReadExt as _;
use commonware_consensus::types::Round;
use commonware_p2p::{CheckedSender, LimitedSender, Recipients, Sender};
use commonware_runtime::IoBufs;
use parking_lot::Mutex;
use serde::{Deserialize, Serialize};
use tracing::warn;

/// How many views the guard runs ahead of the votes: two files are synced for every 8 views, at 50
/// views a second 6 times a second.
pub const VIEWS_AHEAD: u64 = 8;

/// The directory's own copy of the guard.
const MARK: &str = "signed.json";

/// Sits out until an epoch begins while the node runs.
const UNTIL_ONE_BEGINS: u64 = u64::MAX;

/// How much later than a start an epoch must have begun to have begun after it, in milliseconds: clocks differ.
const CLOCKS_DIFFER: u64 = 1_000;

/// What to do when the consensus directory has lost votes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum LostVotes {
    /// Refuse to start.
    #[default]
    Refuse,
    /// Follow without signing until the next epoch.
    SitOut,
    /// Sign again at once. Whoever has the votes that were lost can prove a double vote.
    SignAnyway,
}

/// A guard that cannot be relied upon.
#[derive(Debug, thiserror::Error)]
pub enum GuardError {
    /// The directory misses votes that the key may have signed.
    #[error(
        "{guard} says that this key signed up to view {view} of epoch {epoch}, but {directory} is missing or older: it would sign again what it signed before. Put back the directory as it was when the validator stopped, or start with `--lost-votes sit-out` to follow without signing until the next epoch (safe), or with `--lost-votes sign-anyway` (a double vote can be proven against you)"
    )]
    LostVotes {
        /// The guard's file.
        guard: PathBuf,
        /// The consensus directory.
        directory: PathBuf,
        /// The last epoch it may have signed in.
        epoch: u64,
        /// The last view of it.
        view: u64,
    },
    /// There is no guard, and the directory may be older than what the key signed last.
    #[error(
        "{guard} is missing, and {directory} knows of votes of this key up to view {view} of epoch {epoch}: whether there were later ones, only the guard says. Put the guard back beside the key file (it has the key file's name, with another ending), or start with `--lost-votes sit-out` to follow without signing until the next epoch (safe), or with `--lost-votes sign-anyway` if the directory is that of the last start (if it is an older copy, a double vote can be proven against you)"
    )]
    NoGuard {
        /// Where the guard should be.
        guard: PathBuf,
        /// The consensus directory.
        directory: PathBuf,
        /// The last epoch that the directory knows of.
        epoch: u64,
        /// The last view of it.
        view: u64,
    },
    /// Another process has it open.
    #[error(
        "{0} is held by another process: a node with this key runs on this machine already. Two would sign twice, and a double vote can be proven against you"
    )]
    InUse(PathBuf),
    /// The file is of another key or network.
    #[error("{0} is the guard of another key or another network")]
    Other(PathBuf),
    /// The file is damaged.
    #[error("{file} is damaged: {source}")]
    Damaged {
        /// Which file.
        file: PathBuf,
        /// What is wrong.
        source: serde_json::Error,
    },
    /// The file cannot be read or written.
    #[error("cannot use {file}: {source}")]
    Disk {
        /// Which file.
        file: PathBuf,
        /// What the system says.
        source: io::Error,
    },
}

/// How far a key may have signed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Record {
    /// The network.
    genesis: B256,
    /// The network key, by which the validator is known.
    validator: String,
    /// Counts starts.
    session: u64,
    /// The last epoch signed in.
    epoch: u64,
    /// The view up to which it may have signed; 0 for none.
    view: u64,
    /// Up to this epoch nothing is signed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    sits_out: Option<u64>,
}

/// How far a key may have signed, as its guard says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Signed {
    /// The network.
    pub genesis: B256,
    /// The last epoch signed in.
    pub epoch: u64,
    /// The view up to which it may have signed; 0 for none.
    pub view: u64,
    /// Up to this epoch nothing is signed; [`u64::MAX`] until one begins while the node runs.
    pub sits_out: Option<u64>,
}

/// Stands between the engine and the network: no vote leaves before it is accounted for.
#[derive(Debug)]
pub struct Guard {
    file: PathBuf,
    mark: PathBuf,
    record: Mutex<Record>,
    /// When it was opened, in milliseconds since 1970.
    since: u64,
    /// Held by this process while it lives.
    _lock: File,
}

/// A guard that engines share.
pub(super) type SharedGuard = Arc<Guard>;

impl Guard {
    /// Opens the guard in `file` of the consensus directory `directory`, and holds it until it is dropped.
    /// `has_blocks` says whether the chain here has more than block 0.
    ///
    /// # Errors
    /// See [`GuardError`]. With [`LostVotes::SitOut`] and [`LostVotes::SignAnyway`] lost votes are no
    /// error.
    pub fn open(
        file: &Path,
        directory: &Path,
        (genesis, validator): (B256, String),
        (has_blocks, lost): (bool, LostVotes),
    ) -> Result<Self, GuardError> {
        let lock = lock(file)?;
        let mark = directory.join(MARK);
        let fresh = Record { genesis, validator, session: 0, epoch: 0, view: 0, sits_out: None };
        let read = |path: &Path| read(path, &fresh);
        let mut record = match (read(file)?, read(&mark)?) {
            (None, None) => unknown(fresh, has_blocks, lost),
            (None, Some(marked)) => of_mark(marked, (has_blocks, lost), (file, directory))?,
            (Some(guarded), marked) => {
                let lost_votes = guarded.is_ahead_of(marked.as_ref());
                after(guarded, lost_votes, lost, (file, directory))?
            }
        };
        if lost == LostVotes::SignAnyway {
            record.sits_out = None;
        }
        record.session = record.session.saturating_add(1);
        let since = milliseconds(SystemTime::now());
        let guard = Self {
            file: file.into(),
            mark,
            record: Mutex::new(record.clone()),
            since,
            _lock: lock,
        };
        guard.write(&record)?;
        Ok(guard)
    }

    /// Looks at the guard in `file` and at what the directory knows of it, and changes nothing; the validator
    /// may run meanwhile. None if the key never signed.
    ///
    /// # Errors
    /// As [`Self::open`] with [`LostVotes::Refuse`], but whose guard it is, is not asked.
    pub fn look(file: &Path, directory: &Path) -> Result<Option<Signed>, GuardError> {
        let mark = directory.join(MARK);
        // In this order: whoever signs meanwhile writes the mark first.
        let (guarded, marked) = (parse(file)?, parse(&mark)?);
        let known = match (guarded, marked) {
            (Some(guarded), Some(marked)) if !marked.is_of(&guarded) => {
                return Err(GuardError::Other(mark));
            }
            (Some(guarded), marked) => {
                let lost_votes = guarded.is_ahead_of(marked.as_ref());
                Some(after(guarded, lost_votes, LostVotes::Refuse, (file, directory))?)
            }
            (None, Some(marked)) => {
                Some(of_mark(marked, (true, LostVotes::Refuse), (file, directory))?)
            }
            (None, None) => None,
        };
        Ok(known.filter(|record| record.view > 0).map(|record| {
            let Record { genesis, epoch, view, sits_out, .. } = record;
            Signed { genesis, epoch, view, sits_out }
        }))
    }

    /// Up to this epoch nothing may be signed; [`u64::MAX`] until one begins while the node runs.
    #[must_use]
    pub fn sits_out(&self) -> Option<u64> {
        self.record.lock().sits_out
    }

    /// Whether the key signs in `epoch`, which began with what followed on a block of `begun` milliseconds
    /// since 1970.
    ///
    /// # Errors
    /// When it cannot be written that no further epoch is sat out.
    pub fn signs_in(&self, epoch: u64, begun: u64) -> Result<bool, GuardError> {
        let mut record = self.record.lock();
        match record.sits_out {
            None => Ok(true),
            Some(UNTIL_ONE_BEGINS) => {
                if begun <= self.since.saturating_add(CLOCKS_DIFFER) {
                    return Ok(false);
                }
                let settled = Record { sits_out: epoch.checked_sub(1), ..record.clone() };
                self.write(&settled)?;
                *record = settled;
                Ok(true)
            }
            Some(last) => Ok(epoch > last),
        }
    }

    /// Accounts for a vote in `view` of `epoch`; only then may it leave.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn before_vote(&self, epoch: u64, view: u64) -> Result<(), GuardError> {
        let mut record = self.record.lock();
        if (epoch, view) <= (record.epoch, record.view) {
            return Ok(());
        }
        let view = view.saturating_add(VIEWS_AHEAD);
        let ahead = Record { epoch, view, ..record.clone() };
        self.write(&ahead)?;
        *record = ahead;
        Ok(())
    }

    /// The mark first: a crash between leaves it newer than the guard, which is no loss of votes.
    fn write(&self, record: &Record) -> Result<(), GuardError> {
        for file in [&self.mark, &self.file] {
            let disk = |source| GuardError::Disk { file: file.clone(), source };
            replace(file, record).map_err(disk)?;
        }
        Ok(())
    }
}

impl Record {
    const fn position(&self) -> (u64, u64, u64) {
        (self.session, self.epoch, self.view)
    }

    /// Whether it tells of votes that the directory, whose mark this is, has not.
    fn is_ahead_of(&self, mark: Option<&Self>) -> bool {
        self.view > 0 && mark.is_none_or(|mark| mark.position() < self.position())
    }

    fn is_of(&self, other: &Self) -> bool {
        self.genesis == other.genesis && self.validator == other.validator
    }
}

/// Of a key of which neither guard nor directory tells anything: new, or back from paper. With block 0 alone
/// it is taken for new unless the operator says otherwise.
fn unknown(fresh: Record, has_blocks: bool, lost: LostVotes) -> Record {
    if lost == LostVotes::SignAnyway || (lost == LostVotes::Refuse && !has_blocks) {
        return fresh;
    }
    warn!("nothing here tells what this key signed: it signs from the next epoch on that begins");
    Record { sits_out: Some(UNTIL_ONE_BEGINS), ..fresh }
}

/// Of a key whose guard is gone: the directory may be an older copy. A crash before the first guard was
/// written leaves the mark alone, and nothing signed; so does a copy from before the first vote.
fn of_mark(
    marked: Record,
    (has_blocks, lost): (bool, LostVotes),
    (file, directory): (&Path, &Path),
) -> Result<Record, GuardError> {
    let Record { epoch, view, .. } = marked;
    match lost {
        _ if view == 0 => Ok(unknown(marked, has_blocks, lost)),
        LostVotes::Refuse => Err(GuardError::NoGuard {
            guard: file.into(),
            directory: directory.into(),
            epoch,
            view,
        }),
        LostVotes::SitOut => {
            warn!("the guard is gone: the key signs from the next epoch on that begins");
            Ok(Record { sits_out: Some(UNTIL_ONE_BEGINS), ..marked })
        }
        LostVotes::SignAnyway => {
            warn!(
                epoch,
                view, "the guard is gone, and the key signs on from what its directory says"
            );
            Ok(marked)
        }
    }
}

fn after(
    guarded: Record,
    lost_votes: bool,
    lost: LostVotes,
    (file, directory): (&Path, &Path),
) -> Result<Record, GuardError> {
    let Record { epoch, view, .. } = guarded;
    match lost {
        _ if !lost_votes => Ok(guarded),
        LostVotes::Refuse => Err(GuardError::LostVotes {
            guard: file.into(),
            directory: directory.into(),
            epoch,
            view,
        }),
        LostVotes::SitOut => {
            warn!(epoch, view, "votes were lost: the key signs from the next epoch on that begins");
            Ok(Record { sits_out: Some(UNTIL_ONE_BEGINS), ..guarded })
        }
        LostVotes::SignAnyway => {
            warn!(epoch, view, "votes were lost, and it signs again at the operator's risk");
            Ok(guarded)
        }
    }
}

fn read(file: &Path, expected: &Record) -> Result<Option<Record>, GuardError> {
    let record = parse(file)?;
    if record.as_ref().is_some_and(|record| !record.is_of(expected)) {
        return Err(GuardError::Other(file.into()));
    }
    Ok(record)
}

fn parse(file: &Path) -> Result<Option<Record>, GuardError> {
    let bytes = match fs::read(file) {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(source) => return Err(GuardError::Disk { file: file.into(), source }),
    };
    serde_json::from_slice(&bytes)
        .map(Some)
        .map_err(|source| GuardError::Damaged { file: file.into(), source })
}

/// The guard itself is replaced with every write, so beside it lies a file that is not.
fn lock(file: &Path) -> Result<File, GuardError> {
    let path = file.with_extension("lock");
    let disk = |source| GuardError::Disk { file: path.clone(), source };
    let opened = match File::options().write(true).create(true).truncate(false).open(&path) {
        // Somebody else's, as after a start as another user: to hold it, to read it is enough.
        Err(error) if error.kind() == io::ErrorKind::PermissionDenied => File::open(&path),
        opened => opened,
    };
    let lock = opened.map_err(disk)?;
    match lock.try_lock() {
        Ok(()) => Ok(lock),
        Err(TryLockError::WouldBlock) => Err(GuardError::InUse(file.into())),
        Err(TryLockError::Error(error)) if error.kind() == io::ErrorKind::Unsupported => {
            warn!(file = %path.display(), "the file system knows no locks: nothing keeps a second process with this key from starting");
            Ok(lock)
        }
        Err(TryLockError::Error(source)) => Err(disk(source)),
    }
}

fn milliseconds(time: SystemTime) -> u64 {
    let since = time.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}

/// Replaces a file so that after a power cut the old or the new one is there, whole.
fn replace(file: &Path, record: &Record) -> io::Result<()> {
    let draft = file.with_extension("draft");
    let mut written = File::create(&draft)?;
    written.write_all(&serde_json::to_vec_pretty(record)?)?;
    written.sync_all()?;
    fs::rename(&draft, file)?;
    match file.parent() {
        Some(directory) if !directory.as_os_str().is_empty() => File::open(directory)?.sync_all(),
        _ => Ok(()),
    }
}

/// The sender of votes behind a guard.
#[derive(Clone, Debug)]
pub(super) struct Guarded<S> {
    inner: S,
    epoch: u64,
    guard: Option<SharedGuard>,
}

impl<S> Guarded<S> {
    pub(super) const fn new(inner: S, epoch: u64, guard: Option<SharedGuard>) -> Self {
        Self { inner, epoch, guard }
    }
}

/// A checked sender of votes behind a guard.
pub(super) struct GuardedChecked<'a, S: Sender> {
    inner: S::Checked<'a>,
    epoch: u64,
    guard: Option<&'a Guard>,
}

impl<S: Sender> LimitedSender for Guarded<S> {
    type PublicKey = S::PublicKey;
    type Checked<'a> = GuardedChecked<'a, S>;

    fn check(
        &mut self,
        recipients: Recipients<S::PublicKey>,
    ) -> Result<GuardedChecked<'_, S>, SystemTime> {
        let inner = self.inner.check(recipients)?;
        Ok(GuardedChecked { inner, epoch: self.epoch, guard: self.guard.as_deref() })
    }
}

impl<S: Sender> CheckedSender for GuardedChecked<'_, S> {
    type PublicKey = S::PublicKey;

    fn recipients(&self) -> Vec<S::PublicKey> {
        self.inner.recipients()
    }

    /// # Panics
    /// When the vote cannot be accounted for: it must not leave, and without votes the validator is
    /// of no use.
    fn send(self, message: impl Into<IoBufs> + Send, priority: bool) -> Unreliable<Feedback> {
        let message = message.into();
        if let Some(guard) = self.guard {
            #[expect(clippy::expect_used, reason = "every kind of vote begins with tag and round")]
            let view = view_of(&message).expect("a vote says its view");
            #[expect(clippy::expect_used, reason = "a validator may stop, it may not forget")]
            guard.before_vote(self.epoch, view).expect("the guard of votes is written");
        }
        self.inner.send(message, priority)
    }
}

/// Every kind of vote begins with its tag and its round.
fn view_of(vote: &IoBufs) -> Result<u64, commonware_codec::Error> {
    let mut bytes = vote.clone();
    let _tag = u8::read(&mut bytes)?;
    Ok(Round::read(&mut bytes)?.view().get())
}
