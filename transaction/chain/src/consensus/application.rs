//! Proposing and voting: the order in which the ledger is asked.

use std::{sync::Arc, time::Duration};

use alloy_primitives::B256;
use commonware_consensus::{
    Application as ConsensusApplication, CertifiableBlock as _, marshal::ancestry::Ancestry,
};
use commonware_cryptography::{Digested, Digestible as _, keccak256::Digest};
use commonware_runtime::Clock;
use futures::{
    StreamExt as _,
    future::{Either, select},
    lock::Mutex,
    pin_mut,
};
use sahara_finality::{
    Block, ChainIdentity, ConsensusPrivateKey, EpochRules, MAX_CLOCK_DRIFT_MILLISECONDS,
    RoundContext, RoundSeal, Scheme, Seal, check_child, header_template,
};
use tracing::{error, warn};

use super::{
    engine::ValidatorConfig,
    epochs::Epochs,
    ledger::{BuildContext, SharedLedger},
    progress::Progress,
};

/// The most blocks above the last final one that are executed to reach a parent. The chain of
/// blocks that are notarised and not final is a handful; a longer one means that finality is
/// being caught up with, and that is awaited.
const MAX_REPLAYED_BLOCKS: usize = 64;

/// The node's part in a round.
#[derive(Clone)]
pub(super) struct Application {
    ledger: SharedLedger,
    progress: Progress,
    validator: Arc<ValidatorIdentity>,
    heartbeat: Duration,
    /// Locked while the ledger executes, so that two rounds do not execute the same ancestors.
    executing: Arc<Mutex<()>>,
}

/// Who this validator is, and among whom.
struct ValidatorIdentity {
    chain: ChainIdentity,
    epochs: Epochs,
    consensus_key: ConsensusPrivateKey,
}

impl<E: Clock> ConsensusApplication<E> for Application {
    type SigningScheme = Scheme;
    type Context = RoundContext;
    type Block = Block;
    type Input = ();

    async fn propose(
        &mut self,
        (clock, context): (E, RoundContext),
        mut ancestry: impl Ancestry<Block>,
        (): (),
    ) -> Option<Digested<Block>> {
        let parent = ancestry.next().await?;
        if !self.hold(&parent, ancestry).await {
            return None;
        }
        self.wait_for_turn(&clock, parent.inner()).await;
        let milliseconds = unix_milliseconds(&clock).max(parent.inner().milliseconds());
        let block = self.build(&context, parent.inner(), milliseconds).await?;
        let digest = block.digest();
        Some(Digested::precomputed(block, digest))
    }

    async fn verify(
        &mut self,
        (clock, context): (E, RoundContext),
        mut ancestry: impl Ancestry<Block>,
    ) -> bool {
        let (Some(block), Some(parent)) = (ancestry.next().await, ancestry.next().await) else {
            return false;
        };
        if block.inner().context() != context {
            warn!(hash = %block.digest(), "a proposal is sealed for another round");
            return false;
        }
        if !self.hold(&parent, ancestry).await || !self.follows_rules(parent.inner(), block.inner())
        {
            return false;
        }
        wait_until_current(&clock, block.inner().milliseconds()).await;
        let _executing = self.executing.lock().await;
        self.ledger.holds(hash(&block)) || self.ledger.check(parent.inner(), block.inner()).await
    }
}

impl Application {
    pub(super) fn new(
        config: &ValidatorConfig,
        epochs: Epochs,
        ledger: SharedLedger,
        progress: Progress,
    ) -> Self {
        let validator = ValidatorIdentity {
            chain: config.chain,
            epochs,
            consensus_key: config.keys.consensus.clone(),
        };
        Self {
            ledger,
            progress,
            validator: Arc::new(validator),
            heartbeat: config.timing.heartbeat,
            executing: Arc::default(),
        }
    }

    /// A proposal is made when there is work, or after a while without, so that time and
    /// finality go on. The while is measured from now and not from the parent's timestamp: no
    /// other clock is involved.
    async fn wait_for_turn(&self, clock: &impl Clock, parent: &Block) {
        let work = self.ledger.wait_for_work(parent);
        let heartbeat = clock.sleep(self.heartbeat);
        pin_mut!(heartbeat);
        match select(work, heartbeat).await {
            Either::Left(_) | Either::Right(_) => {}
        }
    }

    async fn build(
        &self,
        context: &RoundContext,
        parent: &Block,
        milliseconds: u64,
    ) -> Option<Block> {
        let ValidatorIdentity { chain, epochs, consensus_key } = &*self.validator;
        let height = parent.header.number.checked_add(1)?;
        let members = epochs.members(epochs.epoch_of(height))?;
        let beneficiary = members.validators.find(&context.leader)?.fee_address;
        let seal = RoundSeal::sign(context, height, chain, consensus_key);
        let seal = match epochs.next_validators(parent.hash(), height) {
            Some(next) => seal.closing(next),
            None => seal,
        };
        let header = header_template(parent, milliseconds, &seal, beneficiary);
        let expected = Seal::Round(seal.clone());
        let _executing = self.executing.lock().await;
        let block = self.ledger.build(parent, BuildContext { header, seal }).await?;
        // What every other validator would refuse is not sent.
        let kept = block.seal == expected && block.check_commitments().is_ok();
        if kept && self.follows_rules(parent, &block) {
            return Some(block);
        }
        error!(height, "the ledger built a block that breaks the rules; it is not proposed");
        None
    }

    /// `parent` must be held: its state says who validates after the epoch.
    fn follows_rules(&self, parent: &Block, block: &Block) -> bool {
        let ValidatorIdentity { chain, epochs, .. } = &*self.validator;
        let height = block.header.number;
        let Some(members) = epochs.members(epochs.epoch_of(height)) else {
            warn!(height, "refused a block of an epoch that has not begun here");
            return false;
        };
        let epoch = EpochRules {
            length: epochs.length(),
            validators: &members.validators,
            next_validators: epochs.next_validators(parent.hash(), height),
        };
        check_child(parent, block, chain, &epoch)
            .inspect_err(|violation| warn!(hash = %block.hash(), %violation, "refused a block"))
            .is_ok()
    }

    /// Makes the ledger hold `block`, of which `ancestry` yields the parents: whatever it misses
    /// back to the last final block is executed, oldest first. Blocks that are final are not
    /// executed here but awaited, because they are on their way in order.
    ///
    /// False when `block` cannot become final any more, or is wrong.
    async fn hold(&self, block: &Digested<Block>, mut ancestry: impl Ancestry<Block>) -> bool {
        // From `block` down to one that is held.
        let mut branch = vec![block.clone()];
        while let Some(lowest) = branch.last().filter(|one| !self.ledger.holds(hash(one))) {
            let height = lowest.inner().header.number;
            if branch.len() > MAX_REPLAYED_BLOCKS || height <= self.progress.finalized_height() {
                self.progress.wait_applied(height).await;
                break;
            }
            let Some(parent) = ancestry.next().await else { return false };
            branch.push(parent);
        }
        // Meanwhile finality may have moved up the branch.
        if let Some(highest) = branch.iter().position(|one| self.ledger.holds(hash(one))) {
            branch.truncate(highest.saturating_add(1));
        }
        self.replay(&branch).await;
        self.ledger.holds(hash(block))
    }

    /// Executes `branch` (newest first) upwards from its last block, which is held. Stops where
    /// finality overtakes it.
    async fn replay(&self, branch: &[Digested<Block>]) {
        let _executing = self.executing.lock().await;
        for pair in branch.windows(2).rev() {
            let [child, parent] = pair else { return };
            if self.ledger.holds(hash(child)) {
                continue;
            }
            if !self.ledger.holds(hash(parent)) {
                return;
            }
            let valid = self.follows_rules(parent.inner(), child.inner())
                && self.ledger.check(parent.inner(), child.inner()).await;
            if !valid {
                warn!(hash = %child.digest(), "an ancestor of the proposal does not hold here");
                return;
            }
        }
    }
}

/// Waits until a block is not too far ahead of the clock. Refusing would be final; a clock that
/// is a little slow must not decide for good.
async fn wait_until_current(clock: &impl Clock, milliseconds: u64) {
    let latest = unix_milliseconds(clock).saturating_add(MAX_CLOCK_DRIFT_MILLISECONDS);
    clock.sleep(Duration::from_millis(milliseconds.saturating_sub(latest))).await;
}

fn unix_milliseconds(clock: &impl Clock) -> u64 {
    let elapsed = clock.current().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
    u64::try_from(elapsed.as_millis()).unwrap_or(u64::MAX)
}

fn hash(block: &Digested<Block>) -> B256 {
    let Digest(bytes) = block.digest();
    B256::from(bytes)
}
