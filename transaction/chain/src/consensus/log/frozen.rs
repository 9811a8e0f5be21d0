//! Consensus directories as programs of each format wrote them, file for file: an upgrade finds such a one, and
//! must not lose its votes.

use std::{fmt::Write as _, fs, path::Path};

use alloy_primitives::{Address, B256, hex};
use commonware_codec::Encode as _;
use commonware_consensus::{
    Viewable as _,
    simplex::types::{
        Artifact, Finalization, Finalize, Notarization, Notarize, Nullification, Nullify, Proposal,
    },
    types::{Epoch, Round, View},
};
use commonware_cryptography::keccak256::Digest;
use commonware_parallel::Sequential;
use commonware_runtime::{
    Blob as _, ReadOptions, Runner as _, Storage as _, Supervisor as _, WriteOptions,
    buffer::paged::CacheRef, tokio as runtime,
};
use commonware_storage::journal::segmented::variable;
use commonware_utils::{NZUsize, non_empty};
use sahara_finality::{ChainIdentity, Scheme, ValidatorKeys, ValidatorSet, signer};

use super::{Files, Votes, WithFiles};
use crate::consensus::engine::{BUFFER, PAGE, VIEW_BUFFER};

const CHAIN: ChainIdentity = ChainIdentity { chain_id: 724_272, genesis: B256::ZERO };
const VALIDATORS: u8 = 4;
const VOTES: &str = "validator-simplex-0";
const ARCHIVE: (&str, &[u8]) = ("validator-blocks-values", b"one");
const BLOCK: &[u8] = b"a block, or what an archive takes for one";
/// Bytes in a row of a directory's text.
const ROW: usize = 32;

/// As simplex keeps them, in files of the log.
type Item = Artifact<Scheme, Digest>;
type Journal = variable::Journal<WithFiles<runtime::Context, Votes<runtime::Context>>, Item>;

fn keys(seed: u8) -> ValidatorKeys {
    ValidatorKeys::from_secret(&[seed; 32]).unwrap()
}

/// Those of three of four validators, in the order of their seeds.
fn schemes() -> [Scheme; 3] {
    let seats = (1..=VALIDATORS).map(|seed| keys(seed).validator(Address::repeat_byte(seed)));
    let set = ValidatorSet::new(seats.collect()).unwrap();
    [1, 2, 3].map(|seed| signer(&CHAIN, &set, keys(seed).consensus).unwrap())
}

const fn round(view: u64) -> Round {
    Round::new(Epoch::zero(), View::new(view))
}

fn nullify(scheme: &Scheme, view: u64) -> Nullify<Scheme> {
    Nullify::sign::<Digest>(scheme, round(view)).unwrap()
}

/// Of each kind one, in the order in which a validator comes by them: view 8 is final, view 9 is skipped.
fn items() -> Vec<Item> {
    let schemes = schemes();
    let own = &schemes[0];
    let proposal = Proposal::new(round(8), View::new(7), Digest([9; 32]));
    let notarizes = schemes.iter().map(|one| Notarize::sign(one, proposal.clone()).unwrap());
    let notarizes = notarizes.collect::<Vec<_>>();
    let finalizes = schemes.iter().map(|one| Finalize::sign(one, proposal.clone()).unwrap());
    let finalizes = finalizes.collect::<Vec<_>>();
    let nullifies = schemes.iter().map(|one| nullify(one, 9)).collect::<Vec<_>>();
    let votes = (notarizes[0].clone(), finalizes[0].clone(), nullifies[0].clone());
    let notarized = Notarization::from_owned_notarizes(own, non_empty![@notarizes], &Sequential);
    let finalized = Finalization::from_owned_finalizes(own, non_empty![@finalizes], &Sequential);
    let nullified = Nullification::from_owned_nullifies(own, non_empty![@nullifies], &Sequential);
    vec![
        Artifact::Notarize(votes.0),
        Artifact::Notarization(notarized.unwrap()),
        Artifact::Certification(round(8), true),
        Artifact::Finalize(votes.1),
        Artifact::Finalization(finalized.unwrap()),
        Artifact::Nullify(votes.2),
        Artifact::Nullification(nullified.unwrap()),
    ]
}

fn encoded(items: &[Item]) -> Vec<Vec<u8>> {
    items.iter().map(|item| item.encode().to_vec()).collect()
}

/// Runs on the files of a directory until it has ended.
fn live<T>(directory: &Path, life: impl AsyncFnOnce(runtime::Context) -> T) -> T {
    let settings = runtime::Config::new().with_storage_directory(directory);
    runtime::Runner::new(settings).start(|context| life(context))
}

async fn files(context: &runtime::Context) -> Files<runtime::Context> {
    let log = ("validator-log".to_owned(), 7);
    Files::open(context.child("files"), context.child("log"), log).await.unwrap()
}

/// As simplex opens it.
async fn journal(context: &runtime::Context, votes: Votes<runtime::Context>) -> Journal {
    votes.take_over(VOTES).await.unwrap();
    let config = variable::Config {
        partition: VOTES.to_owned(),
        compression: None,
        codec_config: usize::from(VALIDATORS),
        page_cache: CacheRef::new(PAGE, NZUsize!(16)),
        write_buffer: VIEW_BUFFER,
    };
    Journal::init(WithFiles::new(context.child("journal"), votes), config).await.unwrap()
}

/// Appends what must be durable before it is said.
async fn append(mut journal: Journal, items: &[Item]) -> Journal {
    for item in items {
        let view = item.view().get();
        (journal, ..) = journal.append(view, item).await.unwrap();
        journal = journal.sync(view).await.unwrap();
    }
    journal
}

/// All that was appended, as simplex finds it when it begins.
async fn replay(journal: Journal) -> (Journal, Vec<Vec<u8>>) {
    let mut replay = journal.replay(0, 0, BUFFER, ReadOptions::default()).await.unwrap();
    let mut found = Vec::new();
    while let Some(item) = replay.next().await {
        let (_, _, _, item) = item.unwrap();
        found.push(item.encode().to_vec());
    }
    (replay.finish().unwrap(), found)
}

/// What lies in a directory, in the order of its names.
fn within(directory: &Path) -> Vec<std::path::PathBuf> {
    let entries = fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().path());
    let mut entries = entries.collect::<Vec<_>>();
    entries.sort();
    entries
}

/// Each file's name and length, then its rows that are not zero throughout, each after its place.
fn text_of(directory: &Path) -> String {
    let mut text = String::new();
    // Beside the partitions there is the file by which the runtime holds the directory.
    let partitions = within(directory).into_iter().filter(|path| path.is_dir());
    for file in partitions.flat_map(|partition| within(&partition)) {
        let bytes = fs::read(&file).unwrap();
        let name = file.strip_prefix(directory).unwrap().display();
        writeln!(text, "{name} {}", bytes.len()).unwrap();
        for (row, bytes) in bytes.chunks(ROW).enumerate() {
            if bytes.iter().any(|byte| *byte != 0) {
                writeln!(text, "  {:05x} {}", row * ROW, hex::encode(bytes)).unwrap();
            }
        }
    }
    text
}

/// Writes the files of such a text.
fn restore(text: &str, directory: &Path) {
    let mut files = Vec::<(&str, Vec<u8>)>::new();
    for line in text.lines() {
        if let Some(row) = line.strip_prefix("  ") {
            let (place, bytes) = row.split_once(' ').unwrap();
            let (place, bytes) =
                (usize::from_str_radix(place, 16).unwrap(), hex::decode(bytes).unwrap());
            let (_, content) = files.last_mut().unwrap();
            content[place..place + bytes.len()].copy_from_slice(&bytes);
        } else {
            let (name, length) = line.split_once(' ').unwrap();
            files.push((name, vec![0; length.parse().unwrap()]));
        }
    }
    for (name, content) in files {
        let place = directory.join(name);
        fs::create_dir_all(place.parent().unwrap()).unwrap();
        fs::write(place, content).unwrap();
    }
}

/// A snapshot's text, without what stands above it.
fn snapshot(name: &str) -> String {
    let place = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/consensus/log/snapshots");
    let file = place.join(format!("sahara_chain__consensus__log__frozen__{name}.snap"));
    let text = fs::read_to_string(&file).unwrap_or_else(|error| panic!("{name}: {error}"));
    text.splitn(3, "---\n").nth(2).unwrap().to_owned()
}

/// A change here that the programs of this format do not read is a new [`super::FORMAT`], and one that they
/// read takes a snapshot of another name: the old one stays, and is opened below.
#[test]
fn i20_what_is_written_is_of_the_first_format() {
    let directory = tempfile::tempdir().unwrap();
    live(directory.path(), async |context| {
        let files = files(&context).await;
        let (block, _) = files.archives().open(ARCHIVE.0, ARCHIVE.1).await.unwrap();
        block.write_at(0, BLOCK.to_vec(), WriteOptions::default()).await.unwrap();
        drop(append(journal(&context, files.votes()).await, &items()).await);
    });
    insta::assert_snapshot!("format_1", text_of(directory.path()));
}

#[test]
fn i20_a_directory_of_the_first_format_opens_with_its_votes_and_goes_on() {
    let directory = tempfile::tempdir().unwrap();
    restore(&snapshot("format_1"), directory.path());
    let later = [Artifact::Nullify(nullify(&schemes()[0], 10))];
    let first = encoded(&items());
    let both = [first.clone(), encoded(&later)].concat();
    for (goes_on, expected) in [(true, first), (false, both)] {
        live(directory.path(), async |context| {
            let files = files(&context).await;
            let (block, length) = files.archives().open(ARCHIVE.0, ARCHIVE.1).await.unwrap();
            assert_eq!(usize::try_from(length).unwrap(), BLOCK.len());
            let bytes = block.read_at(0, BLOCK.len(), ReadOptions::default()).await.unwrap();
            assert_eq!(bytes.freeze().coalesce().as_ref().to_vec(), BLOCK);
            let (journal, found) = replay(journal(&context, files.votes()).await).await;
            assert_eq!(found, expected);
            if goes_on {
                drop(append(journal, &later).await);
            }
        });
    }
}
