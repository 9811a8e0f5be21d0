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
use commonware_runtime::buffer::paged::CacheRef;
use commonware_storage::archive::immutable;
use commonware_utils::{NZU64, NZUsize};
use sahara_finality::{Block, Finalization, Scheme, verify_with};

use super::{
    delivery::{MAX_UNDER_WAY, Marshal},
    engine::{BUFFER, MAILBOX, Runtime, VIEW_RETENTION},
    epochs::Epochs,
    ledger::Base,
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
pub(super) type MarshalActor<E> =
    core::Actor<E, Standard<Block>, Epochs, Certificates<E>, Blocks<E>, FixedEpocher, Sequential>;

/// Opens the archives and what marshal had under way.
///
/// # Panics
/// When the archives cannot be read: a validator must not go on without its past.
pub(super) async fn marshal<E: Runtime>(
    context: &E,
    partition: &str,
    epochs: &Epochs,
    start: Start<Scheme, Digest, Digested<Block>>,
    cache: &CacheRef,
) -> (MarshalActor<E>, Marshal) {
    let certificate_codec = Scheme::certificate_codec_config_unbounded();
    let certificates = immutable::Archive::init(
        context.child("certificates"),
        archive(&format!("{partition}-certificates"), cache, certificate_codec),
    );
    #[expect(clippy::expect_used, reason = "a node may stop, it may not guess")]
    let certificates = certificates.await.expect("the archive of certificates opens");
    let blocks = immutable::Archive::init(
        context.child("blocks"),
        archive(&format!("{partition}-blocks"), cache, ()),
    );
    #[expect(clippy::expect_used, reason = "a node may stop, it may not guess")]
    let blocks = blocks.await.expect("the archive of blocks opens");
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
        core::Actor::init(context.child("marshal"), certificates, blocks, config).await;
    (actor, mailbox)
}

/// Where the archives begin: at block 0, or at the block that a state sync began with.
///
/// # Panics
/// When the certificate that a state sync verified is damaged.
pub(super) fn beginning(
    epochs: &Epochs,
    genesis: Block,
    base: Option<Base>,
) -> Start<Scheme, Digest, Digested<Block>> {
    let Some(Base { number, hash, certificate }) = base else {
        let digest = genesis.digest();
        return Start::Genesis(Digested::precomputed(genesis, digest));
    };
    let epoch = epochs.epoch_of(number);
    let members = epochs.members(epoch);
    let floor =
        members.and_then(|members| verify_with((epoch, &members.scheme), hash, &certificate).ok());
    #[expect(clippy::expect_used, reason = "a node may stop, it may not guess")]
    Start::Floor(floor.expect("the certificate of the block that the state began with holds"))
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
