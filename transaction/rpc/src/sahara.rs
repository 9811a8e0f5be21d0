//! The `sahara` namespace: what this chain has beyond Ethereum, and what a stranger needs to check
//! it without a node.

use crate::{error::Failure, handovers::page, node::Node};
use alloy_eips::{BlockId, BlockNumberOrTag};
use alloy_primitives::{Address, B256, Bytes, U64, U256};
use alloy_rpc_types_eth::TransactionRequest;
use alloy_sol_types::SolCall;
use jsonrpsee::proc_macros::rpc;
use sahara_abi::{IRoyalties, ISystem, ROYALTIES, SYSTEM};
use sahara_chain::consensus::Evidence;
use sahara_evm::call;
use sahara_finality::{Handover, MAX_DESCENDANTS, Validator, ValidatorSet, prove_receipt};
use serde::Serialize;

#[rpc(server, namespace = "sahara")]
pub(crate) trait SaharaApi {
    /// The proof that a block is final; see [`Finality`].
    #[method(name = "getCertificate")]
    async fn certificate(&self, block: BlockNumberOrTag) -> Result<Option<Finality>, Failure>;
    /// Who validates in an epoch, the next block's unless one is named.
    #[method(name = "getValidators")]
    async fn validators(&self, epoch: Option<U64>) -> Result<Option<Validators>, Failure>;
    /// The ends of epochs above a block after which others validate, oldest first: with them, who
    /// trusts the genesis hash, or the end of an epoch, follows the validators to the last final block.
    ///
    /// From the first on unless a block is named; a page of them, at most `most`. Who wants the rest
    /// asks again, above the block of the last; an empty page means that there are no more.
    #[method(name = "getHandovers")]
    async fn handovers(
        &self,
        above: Option<U64>,
        most: Option<U64>,
    ) -> Result<Vec<Handover>, Failure>;
    /// All coin at the latest block, as the system protocol says.
    #[method(name = "supply")]
    async fn supply(&self) -> Result<Supply, Failure>;
    /// All coin at the latest block, counted account by account.
    #[method(name = "recount")]
    async fn recount(&self) -> Result<Recount, Failure>;
    /// Base units earned and not yet credited.
    #[method(name = "earned")]
    async fn earned(&self, account: Address, block: Option<BlockId>) -> Result<U256, Failure>;
    /// The proof that a transaction did what its receipt says.
    #[method(name = "getReceiptProof")]
    async fn receipt_proof(&self, hash: B256) -> Result<Option<ReceiptProof>, Failure>;
    /// Proofs that validators contradicted themselves, as far as this node saw them.
    #[method(name = "evidence")]
    async fn evidence(&self) -> Result<Vec<Accusation>, Failure>;
    #[method(name = "nodeInfo")]
    fn node_info(&self) -> Result<NodeInfo, Failure>;
}

/// A header and why it is final: a quorum's certificate of it, or of the last of `path`, the
/// headers above it.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Finality {
    number: U64,
    hash: B256,
    /// RLP.
    header: Bytes,
    /// The seal the header commits to, RLP.
    seal: Bytes,
    /// RLP headers of the blocks above, lowest first; mostly none.
    path: Vec<Bytes>,
    /// Absent for block 0, which everyone knows, and while no block above is certified.
    certificate: Option<Bytes>,
}

#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Validators {
    epoch: U64,
    /// What genesis, or the last header of an earlier epoch, commits to.
    hash: B256,
    validators: ValidatorSet,
}

#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Supply {
    block_number: U64,
    block_hash: B256,
    total: U256,
}

#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Recount {
    block_number: U64,
    block_hash: B256,
    total: U256,
    accounts: U64,
    words: U64,
    /// Computed from what was counted; equals the header's.
    state_root: B256,
}

#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ReceiptProof {
    transaction_hash: B256,
    transaction_index: U64,
    /// The EIP-2718 encoding, the leaf of the receipts trie.
    receipt: Bytes,
    /// The trie's nodes, the root's first.
    proof: Vec<Bytes>,
    finality: Finality,
}

/// Two votes of one validator for one view that contradict each other.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Accusation {
    /// Position in the validator set.
    validator_index: U64,
    /// Whoever stands there.
    validator: Option<Validator>,
    epoch: U64,
    view: U64,
    fault: String,
    /// Both votes, as the consensus library encodes an activity.
    proof: Bytes,
}

#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct NodeInfo {
    version: String,
    chain_id: U64,
    genesis_hash: B256,
    head_number: U64,
    head_hash: B256,
    oldest_state: U64,
    /// The first block that is here with its receipts; 0 if all are.
    first_block: U64,
    /// Older blocks that are still to be fetched.
    missing_blocks: U64,
    peers: U64,
    validators: U64,
}

#[derive(Debug)]
pub(crate) struct Sahara(pub(crate) Node);

#[jsonrpsee::core::async_trait]
impl SaharaApiServer for Sahara {
    async fn certificate(&self, block: BlockNumberOrTag) -> Result<Option<Finality>, Failure> {
        let Some(number) = self.0.number(block.into())? else { return Ok(None) };
        self.0.compute(move |node| finality(node, number)).await
    }

    async fn validators(&self, epoch: Option<U64>) -> Result<Option<Validators>, Failure> {
        self.0.compute(move |node| Ok(validators(node, epoch.map(|epoch| epoch.to())))).await
    }

    async fn handovers(
        &self,
        above: Option<U64>,
        most: Option<U64>,
    ) -> Result<Vec<Handover>, Failure> {
        let (above, most) = (above.map_or(0, |above| above.to()), most.map(|most| most.to()));
        self.0.compute(move |node| handovers(node, above, most)).await
    }

    async fn supply(&self) -> Result<Supply, Failure> {
        self.0.compute(supply).await
    }

    async fn recount(&self) -> Result<Recount, Failure> {
        self.0.walk(recount).await
    }

    async fn earned(&self, account: Address, block: Option<BlockId>) -> Result<U256, Failure> {
        let work =
            move |node: &Node| view(node, block, ROYALTIES, &IRoyalties::earnedCall { account });
        self.0.compute(work).await
    }

    async fn receipt_proof(&self, hash: B256) -> Result<Option<ReceiptProof>, Failure> {
        self.0.compute(move |node| prove(node, hash)).await
    }

    async fn evidence(&self) -> Result<Vec<Accusation>, Failure> {
        self.0.compute(evidence).await
    }

    fn node_info(&self) -> Result<NodeInfo, Failure> {
        let store = self.0.store();
        let head = store.head();
        let (_, validators) = self.0.validators(head.number.saturating_add(1));
        Ok(NodeInfo {
            version: self.0.version().to_owned(),
            chain_id: U64::from(self.0.rules().chain_id()),
            genesis_hash: store.genesis_hash(),
            head_number: U64::from(head.number),
            head_hash: head.hash,
            oldest_state: U64::from(store.oldest_state()),
            first_block: U64::from(store.first_block()),
            missing_blocks: U64::from(store.missing_past()),
            peers: U64::from(self.0.peers()),
            validators: U64::from(validators.map_or(0, |set| set.len())),
        })
    }
}

fn validators(node: &Node, epoch: Option<u64>) -> Option<Validators> {
    let (current, _) = node.validators(node.store().head().number.saturating_add(1));
    let epoch = epoch.unwrap_or(current);
    let set = node.ledger().validators_of(epoch)?;
    let validators = ValidatorSet::clone(&set);
    Some(Validators { epoch: U64::from(epoch), hash: validators.hash(), validators })
}

fn handovers(node: &Node, above: u64, most: Option<u64>) -> Result<Vec<Handover>, Failure> {
    let ends = node.ledger().handovers().into_iter().filter(|end| *end > above);
    page(ends, most, |end| Ok(node.ledger().handover(end)?))
}

fn evidence(node: &Node) -> Result<Vec<Accusation>, Failure> {
    let accuse = |one: Evidence| {
        let index = usize::try_from(one.signer).unwrap_or(usize::MAX);
        let set = node.ledger().validators_of(one.epoch);
        Accusation {
            validator_index: U64::from(one.signer),
            validator: set.and_then(|set| set.as_slice().get(index).cloned()),
            epoch: U64::from(one.epoch),
            view: U64::from(one.view),
            fault: one.fault.to_string(),
            proof: one.proof.into(),
        }
    };
    Ok(node.store().evidence()?.into_iter().map(accuse).collect())
}

fn supply(node: &Node) -> Result<Supply, Failure> {
    let head = node.store().head();
    let block = BlockId::from(head.number);
    let total = view(node, Some(block), SYSTEM, &ISystem::supplyCall {})?;
    Ok(Supply { block_number: U64::from(head.number), block_hash: head.hash, total })
}

fn recount(node: &Node) -> Result<Recount, Failure> {
    let counted = node.store().recount()?;
    Ok(Recount {
        block_number: U64::from(counted.head.number),
        block_hash: counted.head.hash,
        total: counted.total,
        accounts: U64::from(counted.accounts),
        words: U64::from(counted.words),
        state_root: counted.root,
    })
}

fn finality(node: &Node, number: u64) -> Result<Option<Finality>, Failure> {
    let Some(block) = node.store().block(number)? else { return Ok(None) };
    let (path, certificate) = certified_path(node, number)?;
    Ok(Some(Finality {
        number: U64::from(number),
        hash: block.hash(),
        header: alloy_rlp::encode(&block.header).into(),
        seal: block.seal.encoded().into(),
        path,
        certificate,
    }))
}

/// The certificate of a block, or of the first block above it that has one, with the headers
/// between.
fn certified_path(node: &Node, number: u64) -> Result<(Vec<Bytes>, Option<Bytes>), Failure> {
    let mut path = Vec::new();
    let mut next = number;
    while number != 0 && path.len() <= MAX_DESCENDANTS {
        if let Some(certificate) = node.store().certificate(next)? {
            return Ok((path, Some(certificate)));
        }
        next = next.saturating_add(1);
        let Some(above) = node.store().header(next)? else { break };
        path.push(alloy_rlp::encode(&above.header).into());
    }
    Ok((Vec::new(), None))
}

fn prove(node: &Node, hash: B256) -> Result<Option<ReceiptProof>, Failure> {
    let Some((full, index)) = node.find_transaction(hash)? else { return Ok(None) };
    let missing = || Failure::internal(format!("transaction {hash} lacks its receipt"));
    let receipt = full.receipts.get(index).ok_or_else(missing)?;
    let proof = prove_receipt(&full.receipts, index).ok_or_else(missing)?;
    let finality = finality(node, full.block.header.number)?.ok_or_else(missing)?;
    Ok(Some(ReceiptProof {
        transaction_hash: hash,
        transaction_index: U64::from(index),
        receipt: receipt.encoded().into(),
        proof,
        finality,
    }))
}

/// Asks a view of a protocol.
fn view<C: SolCall>(
    node: &Node,
    block: Option<BlockId>,
    to: Address,
    question: &C,
) -> Result<C::Return, Failure> {
    let (state, env) = node.surroundings(block)?;
    let request = TransactionRequest::default().to(to).input(question.abi_encode().into());
    let outcome = call(node.rules(), state, &env, &request, None)?;
    if !outcome.is_success() {
        return Err(Failure::Call(Box::new(outcome)));
    }
    C::abi_decode_returns(&outcome.output).map_err(Failure::internal)
}
