//! Crashes at any moment, against what had been promised until then.

use std::{collections::BTreeMap, ops::RangeInclusive, time::Duration};

use commonware_runtime::{
    Blob, BlobVersion, Clock as _, Error, Handle, IoBufs, IoBufsMut, ReadOptions, Runner as _,
    Spawner as _, Storage, Supervisor as _, WriteOptions,
    deterministic::{
        Checkpoint, Context, FaultConfig, PartialWriteMode, ResizeConfig, Runner, WriteConfig,
    },
};
use commonware_utils::{Probability, probability};
use proptest::{collection::vec, prelude::*};

use super::{
    FORMAT, Files,
    frame::{Change, Changes, Frames, frame},
    refusal,
};

const VOTES: &str = "votes";
const ARCHIVES: &str = "archives";
const LOG: &str = "log";
const ANY: RangeInclusive<BlobVersion> = BlobVersion::new(0)..=BlobVersion::new(u16::MAX);

#[derive(Clone, Debug)]
enum Step {
    Write { file: u8, offset: u16, bytes: Vec<u8>, sync: bool },
    Resize { file: u8, length: u16 },
    Sync { file: u8 },
    Remove { file: u8 },
    Renew,
    Crash,
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let file = 0..6_u8;
    let step = prop_oneof![
        12 => (file.clone(), 0..3_000_u16, vec(any::<u8>(), 1..300), any::<bool>())
            .prop_map(|(file, offset, bytes, sync)| Step::Write { file, offset, bytes, sync }),
        3 => (file.clone(), 0..4_000_u16).prop_map(|(file, length)| Step::Resize { file, length }),
        4 => file.clone().prop_map(|file| Step::Sync { file }),
        2 => file.prop_map(|file| Step::Remove { file }),
        1 => Just(Step::Renew),
        1 => Just(Step::Crash),
    ];
    vec(step, 1..80)
}

/// Bytes of all files that are not an archive's that was only made.
type State = BTreeMap<u8, Vec<u8>>;

/// All states since the last sync, oldest first.
struct Promise(Vec<State>);

impl Promise {
    fn state(&self) -> State {
        self.0.last().cloned().unwrap_or_default()
    }

    fn synced(&mut self) {
        self.0 = vec![self.state()];
    }

    fn change(&mut self, file: u8, change: impl FnOnce(&mut Vec<u8>)) {
        let mut state = self.state();
        change(state.entry(file).or_default());
        self.0.push(state);
    }

    fn remove(&mut self, file: u8) {
        let mut state = self.state();
        state.remove(&file);
        self.0.push(state);
    }

    fn assert_holds(&self, found: &State) {
        let without_empty = |state: &State| -> State {
            let files = state.iter().filter(|(_, content)| !content.is_empty());
            files.map(|(file, content)| (*file, content.clone())).collect()
        };
        let found = without_empty(found);
        let place = self.0.iter().position(|state| without_empty(state) == found);
        assert!(place.is_some(), "no state since the last sync");
    }
}

/// Files below 3 are votes. Names of eight bytes, as those of views; they end with what divides partition and name.
const fn place(file: u8) -> (&'static str, [u8; 8]) {
    (if file < 3 { VOTES } else { ARCHIVES }, [0, 0, 0, 0, 0, 0, file, b'/'])
}

/// Takes steps until one is a crash or fails, and returns those that are left.
async fn take<'a>(
    (context, files): (&Context, &Files<Context>),
    steps: &'a [Step],
    promise: &mut Promise,
) -> &'a [Step] {
    for (at, step) in steps.iter().enumerate() {
        let taken = match step {
            Step::Crash => Err(Error::Closed),
            Step::Renew => files.renew().await.inspect(|()| promise.synced()),
            Step::Write { file, .. }
            | Step::Resize { file, .. }
            | Step::Sync { file }
            | Step::Remove { file }
                if *file < 3 =>
            {
                take_one(&files.votes(), *file, step, promise).await
            }
            Step::Write { file, .. }
            | Step::Resize { file, .. }
            | Step::Sync { file }
            | Step::Remove { file } => take_one(&files.archives(), *file, step, promise).await,
        };
        if taken.is_err() {
            return &steps[at + 1..];
        }
        let faults = set_faults(context, FaultConfig::default());
        assert_eq!(state_of(files).await, promise.state(), "before any crash");
        set_faults(context, faults);
    }
    &[]
}

async fn take_one(
    files: &impl Storage,
    file: u8,
    step: &Step,
    promise: &mut Promise,
) -> Result<(), Error> {
    let (partition, name) = place(file);
    let (blob, length) = files.open(partition, &name).await?;
    let known = promise.state().get(&file).map_or(0, Vec::len);
    assert_eq!(usize::try_from(length).unwrap(), known);
    promise.change(file, |_| {});
    let is_vote = file < 3;
    match step {
        Step::Write { offset, bytes, sync, .. } => {
            let options = if *sync { WriteOptions::SYNC } else { WriteOptions::default() };
            promise.change(file, |content| {
                let (start, end) = (usize::from(*offset), usize::from(*offset) + bytes.len());
                content.resize(content.len().max(end), 0);
                content[start..end].copy_from_slice(bytes);
            });
            blob.write_at(u64::from(*offset), bytes.clone(), options).await?;
            if *sync && is_vote {
                promise.synced();
            }
        }
        Step::Resize { length, .. } => {
            promise.change(file, |content| content.resize(usize::from(*length), 0));
            blob.resize(u64::from(*length)).await?;
        }
        Step::Sync { .. } => {
            blob.sync().await?;
            if is_vote {
                promise.synced();
            }
        }
        Step::Remove { .. } => {
            drop(blob);
            promise.remove(file);
            files.remove(partition, Some(&name)).await?;
        }
        Step::Renew | Step::Crash => {}
    }
    Ok(())
}

async fn state_of(files: &Files<Context>) -> State {
    let mut state = State::new();
    read_into(&mut state, &files.votes(), VOTES).await;
    read_into(&mut state, &files.archives(), ARCHIVES).await;
    state
}

async fn read_into(state: &mut State, files: &impl Storage, partition: &str) {
    for name in files.scan(partition).await.unwrap_or_default() {
        let bytes = read_all(files, partition, &name).await;
        state.insert(name[6], bytes);
    }
}

async fn read_all(files: &impl Storage, partition: &str, name: &[u8]) -> Vec<u8> {
    let (blob, length, _) = files.open_versioned(partition, name, ANY).await.unwrap();
    let length = usize::try_from(length).unwrap();
    let bytes = blob.read_at(0, length, ReadOptions::default()).await.unwrap();
    bytes.freeze().coalesce().as_ref().to_vec()
}

/// How often what reads, makes or removes files fails. With more, hardly any run would be long.
const RARELY: Probability = probability!(0.01);

/// What may go wrong from now on; returns what might until now.
fn set_faults(context: &Context, faults: FaultConfig) -> FaultConfig {
    std::mem::replace(&mut *context.storage_fault_config().write(), faults)
}

fn faults(tears: bool, fails: bool) -> FaultConfig {
    let faults = FaultConfig::default().write(WriteConfig {
        failure_rate: if fails { probability!(0.02) } else { probability!(0.0) },
        retention_rate: if tears { probability!(0.5) } else { probability!(0.0) },
        mode: PartialWriteMode::Prefix,
    });
    if !fails {
        return faults;
    }
    let resize = ResizeConfig { failure_rate: RARELY, partial_rate: probability!(0.5) };
    let faults = faults.open(RARELY).read(RARELY).scan(RARELY).remove(RARELY).resize(resize);
    faults.sync(probability!(0.02))
}

/// Runs in one life of the machine; what it leaves is what the next one finds.
fn live<T>(
    seed: u64,
    before: Option<Checkpoint>,
    life: impl AsyncFnOnce(Context) -> T,
) -> (T, Checkpoint) {
    let runner = before.map_or_else(|| Runner::seeded(seed), Runner::from);
    runner.start_and_recover(|context| life(context))
}

async fn files(context: &Context) -> Result<Files<Context>, Error> {
    Files::open(context.child("files"), context.child("log"), (LOG.into(), 0x5a5a_0000_0000_5a5a))
        .await
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, ..ProptestConfig::default() })]

    #[test]
    fn i16_after_a_crash_all_files_are_as_they_were_after_some_change(
        steps in steps(), seed: u64, tears: bool, fails: bool,
    ) {
        let (mut rest, mut before) = (steps.as_slice(), None);
        let mut promise = Promise(vec![State::new()]);
        // A start may fail as well, and the next one does not.
        let mut may_fail = fails;
        loop {
            let (left, checkpoint) = live(seed, before.take(), async |context| {
                set_faults(&context, faults(tears, may_fail));
                let files = files(&context).await;
                set_faults(&context, FaultConfig::default());
                let files = match files {
                    Ok(files) => files,
                    Err(error) => {
                        assert!(may_fail && matches!(error, Error::Io(_)), "{error}");
                        return None;
                    }
                };
                let found = state_of(&files).await;
                promise.assert_holds(&found);
                promise = Promise(vec![found]);
                set_faults(&context, faults(tears, fails));
                Some(take((&context, &files), rest, &mut promise).await)
            });
            before = Some(checkpoint);
            may_fail = fails && left.is_some();
            match left {
                Some(_) if rest.is_empty() => break,
                Some(left) => rest = left,
                None => {}
            }
        }
    }

    #[test]
    fn i17_a_byte_that_decayed_before_the_last_frame_is_noticed(
        steps in steps(), seed: u64, at in any::<prop::sample::Index>(), flip in 1..=255_u8,
    ) {
        let name = [b"log".as_slice(), &1_u64.to_be_bytes()].concat();
        let ((), before) = live(seed, None, async |context| {
            let files = files(&context).await.unwrap();
            let mut promise = Promise(vec![State::new()]);
            for step in steps.iter().filter(|step| !matches!(step, Step::Renew | Step::Crash)) {
                take((&context, &files), std::slice::from_ref(step), &mut promise).await;
            }
            let last = Step::Write { file: 0, offset: 0, bytes: vec![1], sync: true };
            take_one(&files.votes(), 0, &last, &mut promise).await.unwrap();
        });
        live(seed, Some(before), async |context| {
            let mut bytes = read_all(&context, LOG, &name).await;
            let mut frames = Frames::new(&bytes);
            let mut last = 0;
            while frames.left() > 0 {
                last = bytes.len() - frames.left();
                frames.next().unwrap();
            }
            let at = at.index(last);
            bytes[at] ^= flip;
            let (blob, ..) = context.open_versioned(LOG, &name, ANY).await.unwrap();
            blob.write_at(0, bytes, WriteOptions::SYNC).await.unwrap();
            drop(blob);
            prop_assert!(matches!(files(&context).await, Err(Error::PartitionCorrupt(_))));
            Ok(())
        }).0?;
    }

    #[test]
    fn any_bytes_are_read_as_frames_or_not(bytes in vec(any::<u8>(), 0..400)) {
        let _read: Vec<_> = Frames::new(&bytes).changes().collect();
        let mut frames = Frames::new(&bytes);
        while frames.next().is_some() {}
        let _followed = frames.is_followed();
        let whole = frame(0, 0, &Changes::raw(bytes)).unwrap();
        let _read: Vec<_> = Frames::new(&whole).changes().collect();
    }
}

#[test]
fn the_votes_of_an_older_program_are_taken_over_and_it_refuses_ours() {
    let views = [1_u64, 2].map(|view| (view.to_be_bytes().to_vec(), vec![7; 5_000]));
    let ((), before) = live(1, None, async |context| {
        for (name, content) in &views {
            let (blob, _) = context.open(VOTES, name).await.unwrap();
            blob.write_at(0, content.clone(), WriteOptions::default()).await.unwrap();
            blob.sync().await.unwrap();
        }
    });
    let has_views = async |context: &Context| {
        let votes = files(context).await.unwrap().votes();
        votes.take_over(VOTES).await.unwrap();
        assert_eq!(votes.scan(VOTES).await.unwrap().len(), 2);
        for (name, content) in &views {
            assert_eq!(&read_all(&votes, VOTES, name).await, content);
        }
    };
    let (names, before) = live(1, Some(before), async |context| {
        has_views(&context).await;
        context.scan(VOTES).await.unwrap()
    });
    // Simplex takes every name in its partition for a view's number of eight bytes, and stops at this one.
    assert_eq!(names, [b"moved to the log"]);
    live(1, Some(before), async |context| has_views(&context).await);
}

#[test]
fn a_log_that_has_grown_is_renewed_and_keeps_everything() {
    let big = vec![9; 1 << 20];
    let ((), before) = live(1, None, async |context| {
        let files = files(&context).await.unwrap();
        let (small, _) = files.votes().open(VOTES, b"small").await.unwrap();
        let (large, _) = files.archives().open(ARCHIVES, b"large").await.unwrap();
        let _tended = context.child("renewal").spawn(move |_| files.tend());
        for round in 0..40_u8 {
            large.write_at(u64::from(round) << 20, big.clone(), WriteOptions::SYNC).await.unwrap();
            small.write_at(0, big.clone(), WriteOptions::SYNC).await.unwrap();
        }
        let logs = context.scan(LOG).await.unwrap();
        let [log] = logs.as_slice() else { panic!("one log, and not {logs:?}") };
        assert!(log > &[b"log".as_slice(), &2_u64.to_be_bytes()].concat(), "not renewed");
    });
    live(1, Some(before), async |context| {
        let files = files(&context).await.unwrap();
        assert_eq!(read_all(&files.votes(), VOTES, b"small").await, big);
        assert_eq!(read_all(&files.archives(), ARCHIVES, b"large").await, vec![9; 40 << 20]);
    });
}

/// A disk at which every operation is awaited twice: before it is done, and after.
struct Slow(Context);

struct SlowFile<B>(B);

async fn give_way() {
    let mut is_first = true;
    std::future::poll_fn(move |context| {
        if std::mem::take(&mut is_first) {
            context.waker().wake_by_ref();
            return std::task::Poll::Pending;
        }
        std::task::Poll::Ready(())
    })
    .await;
}

async fn slowly<T>(work: impl Future<Output = T>) -> T {
    give_way().await;
    let done = work.await;
    give_way().await;
    done
}

impl Storage for Slow {
    type Blob = SlowFile<<Context as Storage>::Blob>;

    async fn open_versioned(
        &self,
        partition: &str,
        name: &[u8],
        versions: std::ops::RangeInclusive<commonware_runtime::BlobVersion>,
    ) -> Result<(Self::Blob, u64, commonware_runtime::BlobVersion), Error> {
        let opened = slowly(self.0.open_versioned(partition, name, versions)).await?;
        Ok((SlowFile(opened.0), opened.1, opened.2))
    }

    async fn remove(&self, partition: &str, name: Option<&[u8]>) -> Result<(), Error> {
        slowly(self.0.remove(partition, name)).await
    }

    async fn scan(&self, partition: &str) -> Result<Vec<Vec<u8>>, Error> {
        self.0.scan(partition).await
    }
}

impl<B: Blob> Blob for SlowFile<B> {
    async fn read_at(&self, at: u64, len: usize, how: ReadOptions) -> Result<IoBufsMut, Error> {
        self.0.read_at(at, len, how).await
    }

    async fn read_at_buf(
        &self,
        at: u64,
        len: usize,
        bufs: impl Into<IoBufsMut> + Send,
        how: ReadOptions,
    ) -> Result<IoBufsMut, Error> {
        self.0.read_at_buf(at, len, bufs, how).await
    }

    async fn write_at(
        &self,
        at: u64,
        bufs: impl Into<IoBufs> + Send,
        how: WriteOptions,
    ) -> Result<(), Error> {
        slowly(self.0.write_at(at, bufs, how)).await
    }

    async fn resize(&self, len: u64) -> Result<(), Error> {
        slowly(self.0.resize(len)).await
    }

    async fn sync(&self) -> Result<(), Error> {
        slowly(self.0.sync()).await
    }

    async fn start_sync(&self) -> Handle<()> {
        self.0.start_sync().await
    }
}

/// An epoch's engine is ended in the middle of whatever it does.
#[test]
fn a_sync_that_nobody_waits_for_any_more_loses_nothing() {
    for (polls, renews) in (0..40).flat_map(|polls| [(polls, false), (polls, true)]) {
        let ((), before) = live(1, None, async |context| {
            let (places, log) = (Slow(context.child("files")), Slow(context.child("log")));
            let files = Files::open(places, log, (LOG.into(), 7)).await.unwrap();
            let (vote, _) = files.votes().open(VOTES, b"vote").await.unwrap();
            let (block, _) = files.archives().open(ARCHIVES, b"block").await.unwrap();
            block.write_at(0, vec![1; 9], WriteOptions::default()).await.unwrap();
            let mut given_up = Box::pin(async {
                vote.write_at(0, vec![1; 9], WriteOptions::SYNC).await.unwrap();
                if renews {
                    files.renew().await.unwrap();
                }
            });
            for _ in 0..polls {
                if futures::poll!(given_up.as_mut()).is_ready() {
                    break;
                }
            }
            drop(given_up);
            block.write_at(9, vec![2; 9], WriteOptions::default()).await.unwrap();
            vote.write_at(9, vec![2; 9], WriteOptions::SYNC).await.unwrap();
        });
        live(1, Some(before), async |context| {
            let files = files(&context).await.unwrap();
            let first = if polls == 0 { vec![0; 9] } else { vec![1; 9] };
            let expected = [first, vec![2; 9]].concat();
            assert_eq!(read_all(&files.votes(), VOTES, b"vote").await, expected, "{polls}");
            let expected = [vec![1; 9], vec![2; 9]].concat();
            assert_eq!(read_all(&files.archives(), ARCHIVES, b"block").await, expected, "{polls}");
        });
    }
}

#[test]
fn a_log_that_is_full_is_renewed_once() {
    live(1, None, async |context| {
        let files = files(&context).await.unwrap();
        let (votes, archives) = (files.votes(), files.archives());
        let _tended = context.child("renewal").spawn(move |_| files.tend());
        let (vote, _) = votes.open(VOTES, b"vote").await.unwrap();
        let (block, _) = archives.open(ARCHIVES, b"block").await.unwrap();
        block.write_at(0, vec![1; 5 << 20], WriteOptions::default()).await.unwrap();
        vote.write_at(0, vec![1; 9], WriteOptions::SYNC).await.unwrap();
        context.sleep(Duration::from_secs(1)).await;
        let second = [b"log".as_slice(), &2_u64.to_be_bytes()].concat();
        assert_eq!(context.scan(LOG).await.unwrap(), [second]);
    });
}

/// Else each log could be four times as long as what was written while the one before was renewed.
#[test]
fn what_archives_write_while_a_log_is_renewed_does_not_let_the_next_grow() {
    live(1, None, async |context| {
        let (places, log) = (Slow(context.child("files")), Slow(context.child("log")));
        let files = Files::open(places, log, (LOG.into(), 7)).await.unwrap();
        let (block, _) = files.archives().open(ARCHIVES, b"block").await.unwrap();
        block.write_at(0, vec![1; 9], WriteOptions::default()).await.unwrap();
        let mut renewal = Box::pin(files.renew());
        while !files.is_placing() {
            assert!(futures::poll!(renewal.as_mut()).is_pending(), "it has not begun");
        }
        for round in 1..10 {
            block.write_at(round << 20, vec![1; 1 << 20], WriteOptions::default()).await.unwrap();
        }
        renewal.await.unwrap();
        assert_eq!(files.times_full(8 << 20).await, 1, "it has the nine MiB");
        assert_eq!(files.times_full(4 << 20).await, 2, "and is to be renewed again");
    });
}

#[test]
fn a_start_that_fails_leaves_no_log_behind() {
    let first = || [[b"log".as_slice(), &1_u64.to_be_bytes()].concat()];
    live(1, None, async |context| {
        drop(files(&context).await.unwrap());
        assert_eq!(context.scan(LOG).await.unwrap(), first());
        *context.storage_fault_config().write() = FaultConfig::default().sync(probability!(1.0));
        for _ in 0..3 {
            assert!(files(&context).await.is_err());
            assert_eq!(context.scan(LOG).await.unwrap(), first());
        }
        *context.storage_fault_config().write() = FaultConfig::default();
        files(&context).await.unwrap();
    });
}

#[test]
fn a_file_of_somebody_else_is_no_loss_of_votes() {
    let place = tempfile::tempdir().unwrap();
    let open = || {
        let settings =
            commonware_runtime::tokio::Config::new().with_storage_directory(place.path());
        commonware_runtime::tokio::Runner::new(settings).start(|context| async move {
            let (files, log) = (context.child("files"), context.child("log"));
            Files::open(files, log, (LOG.into(), 7)).await.map(drop)
        })
    };
    open().unwrap();
    let stray = place.path().join(LOG).join("copy.bak");
    std::fs::write(&stray, "x").unwrap();
    let said = refusal(&open().unwrap_err());
    assert!(said.contains("a file that the node did not make lies in log"), "{said}");
    std::fs::remove_file(&stray).unwrap();
    open().unwrap();
}

#[test]
fn archives_that_fill_a_log_which_cannot_grow_are_told_so() {
    live(1, None, async |context| {
        let files = files(&context).await.unwrap();
        let archives = files.archives();
        let _tended = context.child("renewal").spawn(move |_| files.tend());
        let (block, _) = archives.open(ARCHIVES, b"block").await.unwrap();
        *context.storage_fault_config().write() = FaultConfig::default().sync(probability!(1.0));
        let fill = async |from: u64| {
            for round in from..from + 40 {
                block.write_at(round << 20, vec![1; 1 << 20], WriteOptions::default()).await?;
            }
            Ok::<_, Error>(())
        };
        assert!(fill(0).await.is_err());
        assert!(fill(40).await.is_err(), "it stays broken");
    });
}

#[test]
fn what_looks_like_a_frame_in_a_block_does_not_close_a_log_that_was_cut_off() {
    let name = [b"log".as_slice(), &1_u64.to_be_bytes()].concat();
    let bait: Vec<_> =
        (0..50).flat_map(|number| frame(0, number, &Changes::default()).unwrap()).collect();
    let ((), before) = live(1, None, async |context| {
        let files = files(&context).await.unwrap();
        let (vote, _) = files.votes().open(VOTES, b"vote").await.unwrap();
        vote.write_at(0, vec![1; 9], WriteOptions::SYNC).await.unwrap();
        vote.write_at(9, bait.clone(), WriteOptions::SYNC).await.unwrap();
    });
    live(1, Some(before), async |context| {
        let (blob, length, _) = context.open_versioned(LOG, &name, ANY).await.unwrap();
        blob.resize(length - 1).await.unwrap();
        blob.sync().await.unwrap();
        drop(blob);
        let files = files(&context).await.unwrap();
        assert_eq!(read_all(&files.votes(), VOTES, b"vote").await, vec![1; 9]);
    });
}

#[test]
fn a_log_that_is_gone_is_missed_at_every_start() {
    let (others, before) = live(1, None, async |context| {
        let files = files(&context).await.unwrap();
        files.votes().take_over(VOTES).await.unwrap();
        assert!(files.votes().scan(VOTES).await.unwrap().is_empty(), "no view");
        files.votes().partitions()
    });
    assert_eq!(others, [VOTES]);
    let ((), mut before) = live(1, Some(before), async |context| {
        context.remove(LOG, None).await.unwrap();
        // A start that ends before it asks for the votes.
        drop(files(&context).await.unwrap());
    });
    for _ in 0..2 {
        let ((), after) = live(1, Some(before), async |context| {
            let votes = files(&context).await.unwrap().votes();
            let refused = votes.take_over(VOTES).await.err().unwrap();
            assert!(matches!(refused, Error::PartitionCorrupt(_)));
            let said = refusal(&refused);
            assert!(said.contains("lost votes") && said.contains("--lost-votes sit-out"), "{said}");
        });
        before = after;
    }
}

#[test]
fn a_file_that_is_removed_does_not_return_as_it_was_before() {
    let half = vec![1; 9];
    for polls in 0..30 {
        let ((), before) = live(1, None, async |context| {
            let (places, log) = (Slow(context.child("files")), Slow(context.child("log")));
            let files = Files::open(places, log, (LOG.into(), 7)).await.unwrap();
            let archives = files.archives();
            let (block, _) = archives.open(ARCHIVES, b"block").await.unwrap();
            block.write_at(0, half.clone(), WriteOptions::default()).await.unwrap();
            files.renew().await.unwrap();
            block.write_at(9, half.clone(), WriteOptions::default()).await.unwrap();
            archives.sync().await.unwrap();
            let mut removal = Box::pin(archives.remove(ARCHIVES, Some(b"block")));
            for _ in 0..polls {
                if futures::poll!(removal.as_mut()).is_ready() {
                    break;
                }
            }
            // It waits where it is; if it holds the log, this waits for it.
            let mut renewal = Box::pin(files.renew());
            for _ in 0..200 {
                if futures::poll!(renewal.as_mut()).is_ready() {
                    break;
                }
            }
        });
        live(1, Some(before), async |context| {
            let archives = files(&context).await.unwrap().archives();
            let names = archives.scan(ARCHIVES).await.unwrap_or_default();
            if let Some(name) = names.first() {
                let found = read_all(&archives, ARCHIVES, name).await;
                assert_eq!(found, half.repeat(2), "{polls}");
            }
        });
    }
}

#[test]
fn who_asks_for_a_sync_of_a_broken_log_is_told_so() {
    live(1, None, async |context| {
        let files = files(&context).await.unwrap();
        let (vote, _) = files.votes().open(VOTES, b"vote").await.unwrap();
        let (block, _) = files.archives().open(ARCHIVES, b"block").await.unwrap();
        *context.storage_fault_config().write() =
            FaultConfig::default().sync(probability!(1.0)).write(WriteConfig {
                failure_rate: probability!(1.0),
                retention_rate: probability!(0.0),
                mode: PartialWriteMode::Prefix,
            });
        assert!(vote.write_at(0, vec![1], WriteOptions::SYNC).await.is_err());
        *context.storage_fault_config().write() = FaultConfig::default();
        assert!(vote.sync().await.is_err(), "what the log has is not known");
        assert!(block.sync().await.is_err());
        assert!(block.write_at(0, vec![1], WriteOptions::SYNC).await.is_err());
        assert!(files.archives().sync().await.is_err());
    });
}

#[test]
fn what_is_too_long_for_a_frame_makes_none() {
    let mut changes = Changes::default();
    changes.push(&Change::Remove { name: &[1; 255] });
    assert!(frame(0, 0, &changes).is_ok());
    changes.push(&Change::Remove { name: &[1; 256] });
    assert!(frame(0, 0, &changes).is_err());
    assert!(frame(0, 0, &Changes::default().followed_by(&changes)).is_err());
}

/// As a newer program leaves it, which wrote the same directory on.
#[test]
fn i18_a_directory_of_another_format_is_refused_and_left_as_it_is() {
    let name = [b"log".as_slice(), &1_u64.to_be_bytes()].concat();
    let newer = BlobVersion::new(FORMAT.get() + 1);
    let ((), before) = live(1, None, async |context| {
        let files = files(&context).await.unwrap();
        let (vote, _) = files.votes().open(VOTES, b"vote").await.unwrap();
        vote.write_at(0, vec![1; 9], WriteOptions::SYNC).await.unwrap();
    });
    let (kept, before) = live(1, Some(before), async |context| {
        let kept = read_all(&context, LOG, &name).await;
        context.remove(LOG, Some(&name)).await.unwrap();
        let (blob, ..) = context.open_versioned(LOG, &name, newer..=newer).await.unwrap();
        blob.write_at(0, kept.clone(), WriteOptions::SYNC).await.unwrap();
        kept
    });
    live(1, Some(before), async |context| {
        let refused = files(&context).await.err().unwrap();
        assert!(matches!(refused, Error::BlobVersionMismatch { found, .. } if found == newer));
        let said = refusal(&refused);
        assert!(said.contains("is of format 2, and this program reads format 1"), "{said}");
        assert!(said.contains("--lost-votes sit-out"), "{said}");
        assert_eq!(context.scan(LOG).await.unwrap(), std::slice::from_ref(&name));
        let (blob, length, _) = context.open_versioned(LOG, &name, newer..=newer).await.unwrap();
        assert_eq!(usize::try_from(length).unwrap(), kept.len());
        let found = blob.read_at(0, kept.len(), ReadOptions::default()).await.unwrap();
        assert_eq!(found.freeze().coalesce().as_ref().to_vec(), kept);
    });
}

/// A change here is a new [`FORMAT`].
#[test]
fn frames_stay_as_they_are() {
    assert_eq!(FORMAT.get(), 1);
    let mut changes = Changes::default();
    let name = b"v";
    changes.push(&Change::Create { name, version: commonware_runtime::DEFAULT_BLOB_VERSION });
    changes.push(&Change::Write { name, offset: 258, bytes: &[1, 2] });
    changes.push(&Change::Resize { name, length: 3 });
    changes.push(&Change::Remove { name });
    let expected = "00000024 checksum 0000000000000007 \
                    0001760000 \
                    01017600000000000001020000000201 02 \
                    0201760000000000000003 \
                    030176";
    let frame = alloy_primitives::hex::encode(frame(0, 7, &changes).unwrap());
    let checksum = &frame[8..16];
    assert_eq!(frame, expected.replace(' ', "").replace("checksum", checksum));
    assert_eq!(checksum, "ad7dc1f3");
}
