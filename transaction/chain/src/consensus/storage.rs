//! What marshal keeps on disk: every final block and every certificate, in archives that are
//! only added to and cost no memory however long the chain gets.

use std::{
    num::{NonZeroU64, NonZeroUsize},
    sync::Arc,
};

use commonware_consensus::{
    marshal::{Config, Start, core, standard::Standard},
    types::FixedEpocher,
};
use commonware_cryptography::{
    Digested, Digestible as _, certificate::Verifier as _, keccak256::Digest,
};
use commonware_parallel::Sequential;
use commonware_runtime::{Handle, buffer::paged::CacheRef};
use commonware_storage::archive::{Archive as _, Identifier, immutable};
use commonware_utils::{NZU64, NZUsize};
use sahara_finality::{Block, Finalization, Scheme, verify_with};
use tracing::info;

use super::{
    delivery::{MAX_UNDER_WAY, Marshal},
    engine::{BUFFER, MAILBOX, Runtime, VIEW_RETENTION},
    epochs::Epochs,
    ledger::{AnyLedger, Certified},
    log::{Archives, Files, WithFiles, refusal},
};

/// How many missing heights are asked for at once when catching up.
const MAX_REPAIR: NonZeroUsize = NZUsize!(16);
/// Heights are indexed in sections of 64 Ki: a day of heartbeats takes a little more than one.
const ITEMS_PER_SECTION: NonZeroU64 = NZU64!(65_536);
const PRUNABLE_ITEMS_PER_SECTION: NonZeroU64 = NZU64!(1024);
/// The hash table starts with room for 16 Ki entries and grows in steps.
const TABLE_SIZE: u32 = 1 << 14;
const TABLE_RESIZE_FREQUENCY: u8 = 4;
const TABLE_RESIZE_CHUNK: u32 = 1 << 12;
/// Files are cut at 1 GiB.
const VALUES_PER_FILE: u64 = 1 << 30;
/// Zstandard, level 3: transactions of one kind resemble each other.
const COMPRESSION: Option<u8> = Some(3);

type Certificates<E> = immutable::Archive<E, Digest, Finalization>;
type Blocks<E> = immutable::Archive<E, Digest, Arc<Block>>;

/// The concrete marshal.
pub(super) type MarshalActor<E> = core::Actor<
    Archiving<E>,
    Standard<Block>,
    Epochs,
    Certificates<Archiving<E>>,
    Blocks<Archiving<E>>,
    FixedEpocher,
    Sequential,
>;

/// The runtime with files that are durable with the next vote.
type Archiving<E> = WithFiles<E, Archives<E>>;

/// Opens the files of the consensus directory, and keeps their log from growing as long as the handle's task runs.
///
/// # Panics
/// When the disk refuses, or has lost what was synced, or another program's format is found.
pub(super) async fn files<E: Runtime>(context: &E, partition: &str) -> (Files<E>, Handle<()>) {
    let (inner, log) = (context.child("files"), context.child("log"));
    let mask = context.child("mask").next_u64();
    let files = Files::open(inner, log, (format!("{partition}-log"), mask)).await;
    #[expect(clippy::panic, reason = "a validator may stop, it may not forget its votes")]
    let files = files.unwrap_or_else(|error| panic!("{}", refusal(&error)));
    let tended = files.clone();
    // Before anything is written: archives that open may fill the log.
    (files, context.child("renewal").spawn(move |_| tended.tend()))
}

/// Opens the archives and what marshal had under way.
///
/// # Panics
/// When the archives cannot be read: a validator must not go on without its past.
pub(super) async fn marshal<E: Runtime>(
    (context, files): (&E, Archives<E>),
    partition: &str,
    epochs: &Epochs,
    ledger: &dyn AnyLedger,
    cache: &CacheRef,
) -> (MarshalActor<E>, Marshal) {
    let with_files = |label| WithFiles::new(context.child(label), files.clone());
    let certificate_codec = Scheme::certificate_codec_config_unbounded();
    let certificates = immutable::Archive::init(
        with_files("certificates"),
        archive(&format!("{partition}-certificates"), cache, certificate_codec),
    );
    #[expect(clippy::expect_used, reason = "a node may stop, it may not guess")]
    let certificates = certificates.await.expect("the archive of certificates opens");
    let blocks = immutable::Archive::init(
        with_files("blocks"),
        archive(&format!("{partition}-blocks"), cache, ()),
    );
    #[expect(clippy::expect_used, reason = "a node may stop, it may not guess")]
    let blocks = blocks.await.expect("the archive of blocks opens");
    let (blocks, start) = beginning(epochs, ledger, &certificates, blocks).await;
    let config = Config {
        provider: epochs.clone(),
        epocher: FixedEpocher::new(epochs.length()),
        start,
        partition_prefix: format!("{partition}-marshal"),
        mailbox_size: MAILBOX,
        view_retention: VIEW_RETENTION,
        prunable_items_per_section: PRUNABLE_ITEMS_PER_SECTION,
        page_cache: cache.clone(),
        replay_buffer: BUFFER,
        key_write_buffer: BUFFER,
        value_write_buffer: BUFFER,
        block_codec_config: (),
        max_repair: MAX_REPAIR,
        max_pending_acks: MAX_UNDER_WAY,
        strategy: Sequential,
    };
    let (actor, mailbox, _floor) =
        core::Actor::init(with_files("marshal"), certificates, blocks, config).await;
    (actor, mailbox)
}

/// Where marshal begins, and the archive of blocks.
///
/// Archives that began at block 0 go on from there, others from their first certificate, as long as
/// the ledger has that block: marshal never goes back behind what it has processed. Archives without
/// either are new, or were lost. They begin at the ledger's newest block with a certificate of its
/// own, which is put into them, so that no peer is needed for it. What is below stays the ledger's
/// alone.
///
/// # Panics
/// When the archives cannot be used, or the ledger's certificate is damaged.
async fn beginning<E: Runtime>(
    epochs: &Epochs,
    ledger: &dyn AnyLedger,
    certificates: &Certificates<E>,
    blocks: Blocks<E>,
) -> (Blocks<E>, Start<Scheme, Digest, Digested<Block>>) {
    if blocks.first_index() == Some(0) {
        return (blocks, genesis(ledger));
    }
    let first = certificates.first_index().filter(|first| *first <= ledger.last_finalized());
    if let Some(first) = first {
        let floor = certificates.get(Identifier::Index(first)).await;
        #[expect(clippy::expect_used, reason = "a node may stop, it may not guess")]
        let floor = floor.ok().flatten().expect("the first certificate of the archive is read");
        return (blocks, Start::Floor(floor));
    }
    let Some(Certified { number, hash, certificate }) = ledger.newest_certified() else {
        return (blocks, genesis(ledger));
    };
    let epoch = epochs.epoch_of(number);
    let members = epochs.members(epoch);
    let floor =
        members.and_then(|members| verify_with((epoch, &members.scheme), hash, &certificate).ok());
    #[expect(clippy::expect_used, reason = "a node may stop, it may not guess")]
    let floor = floor.expect("the certificate of the ledger's block holds");
    info!(height = number, "the archives begin at a block of the ledger");
    // Of the block that a state sync began with, there may be no more than the header.
    let block = ledger.final_block(number).filter(|_| blocks.first_index().is_none());
    let Some(block) = block else { return (blocks, Start::Floor(floor)) };
    let blocks = blocks.put_sync(number, Digest(hash.0), &block).await;
    #[expect(clippy::expect_used, reason = "a node may stop, it may not guess")]
    let blocks = blocks.expect("the archive of blocks takes its first");
    (blocks, Start::Floor(floor))
}

fn genesis(ledger: &dyn AnyLedger) -> Start<Scheme, Digest, Digested<Block>> {
    let genesis = ledger.genesis();
    let digest = genesis.digest();
    Start::Genesis(Digested::precomputed(genesis, digest))
}

fn archive<C>(partition: &str, cache: &CacheRef, codec_config: C) -> immutable::Config<C> {
    immutable::Config {
        metadata_partition: format!("{partition}-metadata"),
        freezer_table_partition: format!("{partition}-table"),
        freezer_table_initial_size: TABLE_SIZE,
        freezer_table_resize_frequency: TABLE_RESIZE_FREQUENCY,
        freezer_table_resize_chunk_size: TABLE_RESIZE_CHUNK,
        freezer_key_partition: format!("{partition}-keys"),
        freezer_key_page_cache: cache.clone(),
        freezer_value_partition: format!("{partition}-values"),
        freezer_value_target_size: VALUES_PER_FILE,
        freezer_value_compression: COMPRESSION,
        ordinal_partition: format!("{partition}-heights"),
        items_per_section: ITEMS_PER_SECTION,
        freezer_key_write_buffer: BUFFER,
        freezer_value_write_buffer: BUFFER,
        ordinal_write_buffer: BUFFER,
        replay_buffer: BUFFER,
        codec_config,
    }
}
