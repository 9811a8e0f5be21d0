//! The consensus directory's files, made durable by one log.
//!
//! The consensus library keeps votes, blocks and certificates in some twenty files and makes each durable
//! by itself: 25 syncs for one block, four of them one after the other before the first vote of a view may leave,
//! since every view has a file of its own (its directory, the directory above, its header, the vote). Each is a
//! write to the disk and a switch of threads or two. But nothing of this is known to anyone before a vote leaves.
//! So all changes of all files go to one log in their order, and only a vote waits for it: what was written
//! before the vote is durable with it. The block that is voted for is, and what the last one left in the archives.
//!
//! [`Votes`] are simplex's files, a few KiB for each view from 64 below the last final one on: they are kept in
//! memory, and on disk in nothing but the log. Their syncs are the log's. [`Archives`] are marshal's files. They
//! are written to their places once the log has been synced, many changes at a time; until then reads see the
//! changes in memory. Their syncs do nothing.
//!
//! # What holds
//! After a crash all files are as they were after some change: the last before the last sync of a vote's file, or
//! one after it (specification 0001, I16). Files of archives that were only made may be there, empty.
//!
//! A crash is therefore one that came a little earlier, but after the last vote that left. Two things know more than
//! that: the ledger, which syncs its own commits and may be ahead of the archives (`super::delivery`), and peers.
//!
//! # On disk
//! The log is a file `log` ‖ generation (u64), a row of [`frame`]s. When it has grown, the archives' files are synced
//! and the next generation is begun with the votes and with what has changed meanwhile; then the old one
//! is removed. A task of its own does this ([`Files::tend`]), beside votes and archives. So it is at every start, and
//! what a crash left unfinished is never appended to.
//!
//! # Formats
//! The header of each log has the number of the whole directory's format ([`FORMAT`]), archives included. One of
//! another number is refused before anything is written, so that neither an older nor a newer program takes for its
//! own what it cannot read. A directory without a log is of the format before the logs, whose votes are taken over
//! ([`Votes::take_over`]), or new.
//!
//! # Damage
//! A frame that is not whole ends the log, as a crash leaves it. If a whole frame follows, then that was written
//! after the other was synced, and the disk has lost what it had promised to keep. Such a log does not open (I17):
//! votes that are not known any more could be contradicted. A log that is gone with all its generations is missed
//! as well: beside the votes of an epoch, a file outside says that they are in a log, and an entry in the log that they
//! are in this one ([`Votes::take_over`]). What a disk lost at the end of the log, and not before it, is a crash's.

mod archives;
mod context;
mod file;
mod frame;
#[cfg(test)]
mod frozen;
mod shared;
mod steps;
#[cfg(test)]
mod tests;
mod votes;

use commonware_runtime::BlobVersion;

pub(super) use archives::Archives;
pub(super) use context::WithFiles;
pub(super) use file::refusal;
pub(super) use shared::Files;
pub(super) use votes::Votes;

/// Of a consensus directory. Whatever cannot be read as before takes the next number, and the program that
/// writes the next one opens this one with its votes (specification 0001, I20).
const FORMAT: BlobVersion = BlobVersion::new(1);
