use super::{Bundle, BundleError, ChainProof, LogProof, Opening, payments};
use crate::{Terms, sign};
use alloy_consensus::Header;
use alloy_primitives::{Address, B64, B256, Bytes, Log, U256, aliases::U24, keccak256};
use alloy_sol_types::SolEvent;
use commonware_consensus::{
    simplex::types::{Context, Finalization, Finalize, Proposal},
    types::{Epoch, Round, View},
};
use commonware_cryptography::keccak256::Digest;
use commonware_parallel::Sequential;
use commonware_utils::non_empty;
use sahara_abi::{
    ASSETS, CHANNELS,
    IAssets::{self, Kind, Relation},
    IChannels, ILicenses, LICENSES, purpose,
};
use sahara_client::SigningKey;
use sahara_finality::{
    Block, ChainIdentity, Handover, LightError, RoundSeal, Seal, TxReceipt, ValidatorKeys,
    ValidatorSet, encode_finalization, genesis_block, header_template, prove_receipt,
    receipts_root, signer,
};
use sahara_primitives::{
    Amount, AssetId, Bill, ChannelId, DeterminismClass, LicenseId, LoggedClaim, Price, Prices,
    Receipt, ReceiptSeq, Timestamp, Usage, UsageLog, merkle,
};

fn key(number: u8) -> SigningKey {
    SigningKey::from_bytes(&[number; 32]).unwrap()
}

fn log(event: &impl SolEvent) -> Log {
    Log { address: CHANNELS, data: event.encode_log_data() }
}

/// A chain of one validator after the other: each proposes and finalises one block.
struct Chain {
    identity: ChainIdentity,
    genesis: Block,
    tip: Block,
}

impl Chain {
    fn new(first: &ValidatorSet) -> Self {
        let header = Header {
            gas_limit: 30_000_000,
            base_fee_per_gas: Some(1),
            nonce: B64::new(1_800_000_000_000_u64.to_be_bytes()),
            ..Header::default()
        };
        let genesis = genesis_block(header, 1, first);
        let identity = ChainIdentity { chain_id: 1, genesis: genesis.hash() };
        Self { identity, tip: genesis.clone(), genesis }
    }

    /// The next block, in `epoch`, by the validator with secret `number`; returns its certificate.
    fn extend(
        &mut self,
        (number, epoch): (u8, u64),
        receipts: &[TxReceipt],
        next: Option<&ValidatorSet>,
    ) -> Bytes {
        let keys = secret(number);
        let me = keys.validator(Address::repeat_byte(1));
        let height = self.tip.header.number + 1;
        let round = Round::new(Epoch::new(epoch), View::new(height));
        let parent = (View::new(0), Digest(self.tip.hash().0));
        let context = Context { round, leader: me.network_key, parent };
        let seal = RoundSeal::sign(&context, height, &self.identity, &keys.consensus);
        let seal = match next {
            Some(next) => seal.closing(next.hash()),
            None => seal,
        };
        let milliseconds = self.tip.milliseconds() + 500;
        let mut header = header_template(&self.tip, milliseconds, &seal, me.fee_address);
        header.base_fee_per_gas = Some(1);
        header.receipts_root = receipts_root(receipts);
        self.tip = Block { header, seal: Seal::Round(seal), transactions: Vec::new() };
        let proposal = Proposal::new(round, View::new(0), Digest(self.tip.hash().0));
        let scheme = signer(&self.identity, &set(number), keys.consensus).unwrap();
        let votes = vec![Finalize::sign(&scheme, proposal).unwrap()];
        let certificate =
            Finalization::from_owned_finalizes(&scheme, non_empty![@votes], &Sequential).unwrap();
        encode_finalization(&certificate).into()
    }
}

fn secret(number: u8) -> ValidatorKeys {
    ValidatorKeys::from_secret(&[number; 32]).unwrap()
}

/// Its possession is not proven again each time.
fn set(number: u8) -> ValidatorSet {
    ValidatorSet::of_proven(vec![secret(number).validator(Address::repeat_byte(1))]).unwrap()
}

/// A block with receipts. Validators 1 and 2 finalised one block each in turn, and handed over to the
/// other; after so many changes this block is final.
fn proof(receipts: &[TxReceipt], changes: u64) -> (ChainProof, B256) {
    let sets = [set(1), set(2)];
    let turn = |epoch: u64| if epoch.is_multiple_of(2) { (1, &sets[0]) } else { (2, &sets[1]) };
    let mut chain = Chain::new(&sets[0]);
    let handover = |epoch: u64| {
        let validators = turn(epoch + 1).1;
        let certificate = chain.extend((turn(epoch).0, epoch), &[], Some(validators));
        Handover {
            header: alloy_rlp::encode(&chain.tip.header).into(),
            seal: chain.tip.seal.encoded().into(),
            certificate,
            validators: validators.clone(),
        }
    };
    let handovers = (0..changes).map(handover).collect();
    let certificate = chain.extend((turn(changes).0, changes), receipts, None);
    let proof = ChainProof {
        chain_id: 1,
        genesis_header: alloy_rlp::encode(&chain.genesis.header).into(),
        validators: set(1),
        handovers,
        header: alloy_rlp::encode(&chain.tip.header).into(),
        descendants: Vec::new(),
        certificate,
        transaction_index: 1,
        receipt: receipts[1].encoded().into(),
        receipt_proof: prove_receipt(receipts, 1).unwrap(),
    };
    (proof, chain.genesis.hash())
}

fn terms() -> Terms {
    let prices = |price| Prices { input: Price(price), output: Price(price) };
    Terms {
        method: "POST".into(),
        url: "http://gateway/v1/chat/completions".into(),
        body_hash: keccak256("body"),
        asset: AssetId(3),
        purpose: purpose::INFERENCE,
        worker_prices: prices(1_000_000),
        asset_prices: prices(500_000),
        request_id: B256::repeat_byte(5),
        salt: B256::repeat_byte(6),
    }
}

fn receipt(seq: u32) -> Receipt {
    receipt_under(seq, LicenseId::NONE, terms().asset_prices)
}

/// A receipt under a licence, with what is charged for the asset.
fn receipt_under(seq: u32, license: LicenseId, asset_prices: Prices) -> Receipt {
    let (terms, usage) = (terms(), Usage { prompt_tokens: 4, completion_tokens: 6 });
    let charge = |prices: Prices| prices.charge(usage).unwrap();
    let (worker, asset) = (charge(terms.worker_prices), charge(asset_prices));
    Receipt {
        chain_id: 1,
        channel: ChannelId(B256::repeat_byte(8)),
        seq: ReceiptSeq(seq),
        request_hash: terms.hash(),
        asset: terms.asset,
        license,
        worker: key(1).address(),
        model_root: B256::repeat_byte(2),
        class: DeterminismClass::D1,
        usage,
        worker_prices: terms.worker_prices,
        asset_prices,
        output_hash: terms.output_hash("an answer"),
        bill: Bill::new(Default::default(), Amount::ZERO, worker, asset).unwrap(),
        cumulative: Amount::from_u128(15),
        cumulative_worker: worker,
        cumulative_asset: asset,
        previous: B256::ZERO,
    }
}

fn bundle() -> (Bundle, B256) {
    let (bundle, genesis, _) = bundle_of(receipt(5), Vec::new());
    (bundle, genesis)
}

/// A bundle of one receipt, whose claim's transaction logs more; and the claim.
fn bundle_of(second: Receipt, more: Vec<Log>) -> (Bundle, B256, LoggedClaim) {
    bundle_after(1, second, more)
}

/// The same after so many changes of the validators.
fn bundle_after(changes: u64, second: Receipt, more: Vec<Log>) -> (Bundle, B256, LoggedClaim) {
    let first = receipt(4);
    let leaves = [first.hash(), second.hash()];
    let channel_id = second.channel.0;
    let (payer, gateway) = (key(3).address(), key(2).address());
    let earned = IChannels::Earned {
        channelId: channel_id,
        asset: 3,
        worker: key(1).address(),
        workerAmount: U256::from(20),
        assetAmount: U256::from(10),
    };
    let collected = IChannels::Collected {
        channelId: channel_id,
        payer,
        gateway,
        amount: alloy_primitives::aliases::U96::from(30),
        seqFrom: U24::from(4),
        seqTo: U24::from(6),
        receiptsRoot: merkle::root(&leaves),
    };
    let transaction = |logs: Vec<Log>| TxReceipt {
        type_byte: 2,
        status: true,
        cumulative_gas_used: 9,
        logs: logs.into(),
    };
    let mut logs = vec![log(&earned), log(&collected)];
    logs.extend(more);
    let claim = LoggedClaim {
        channel: second.channel,
        from: ReceiptSeq(4),
        to: ReceiptSeq(6),
        receipts_root: collected.receiptsRoot,
    };
    let (chain, genesis) = proof(&[transaction(Vec::new()), transaction(logs)], changes);
    let bundle = Bundle {
        gateway,
        gateway_signature: sign(&key(2), second.hash()),
        worker_signature: sign(&key(1), second.hash()),
        receipt: second,
        inclusion: merkle::prove(&leaves, 1).unwrap(),
        log_index: 1,
        chain,
        opening: Some(Opening { request: terms(), text: "an answer".into() }),
        log: None,
    };
    (bundle, genesis, claim)
}

#[test]
fn w5_a_true_bundle_verifies_also_after_a_trip_through_json() {
    let (bundle, genesis) = bundle();
    let text = serde_json::to_string(&bundle).unwrap();
    let bundle: Bundle = serde_json::from_str(&text).unwrap();
    let verified = bundle.verify(genesis).unwrap();
    assert_eq!((verified.block.0, verified.payer), (2, key(3).address()));
    assert!(verified.is_opened);
    assert_eq!(verified.payments.len(), 1);
}

type Change = fn(&mut Bundle);

#[test]
fn w5_any_change_is_found() {
    let changes: [Change; 19] = [
        |bundle| bundle.receipt.license = LicenseId(1),
        |bundle| bundle.opening.as_mut().unwrap().request.purpose = purpose::COMMERCIAL,
        |bundle| bundle.receipt.usage.completion_tokens += 1,
        |bundle| bundle.receipt.seq = ReceiptSeq(4),
        |bundle| bundle.receipt.channel = ChannelId(B256::ZERO),
        |bundle| bundle.receipt.worker = Address::ZERO,
        |bundle| bundle.gateway = Address::ZERO,
        |bundle| bundle.gateway_signature = bundle.worker_signature.clone(),
        |bundle| bundle.worker_signature = Bytes::new(),
        |bundle| bundle.inclusion.index = 0,
        |bundle| bundle.log_index = 0,
        |bundle| bundle.chain.transaction_index = 0,
        |bundle| bundle.chain.chain_id = 2,
        |bundle| bundle.chain.certificate = Bytes::from(vec![0; 84]),
        |bundle| bundle.chain.header = bundle.chain.genesis_header.clone(),
        |bundle| bundle.opening.as_mut().unwrap().text.push('!'),
        |bundle| bundle.chain.handovers.clear(),
        |bundle| bundle.chain.handovers[0].validators = set(3),
        |bundle| bundle.chain.handovers[0].certificate = bundle.chain.certificate.clone(),
    ];
    let (good, genesis) = bundle();
    for (index, change) in changes.into_iter().enumerate() {
        let mut wrong = good.clone();
        change(&mut wrong);
        assert!(wrong.verify(genesis).is_err(), "change {index} was not found");
    }
    assert!(matches!(good.verify(B256::ZERO), Err(BundleError::Header(_))));
}

/// A thousand changes are a third of what a year of a block a second can bring.
#[test]
fn w5_a_receipt_of_an_old_chain_verifies_from_block_zero_or_from_where_one_trusts() {
    let (bundle, genesis, _) = bundle_after(1_000, receipt(5), Vec::new());
    let verified = bundle.verify(genesis).unwrap();
    assert_eq!(verified.block.0, 1_001);
    let end = |index: usize| keccak256(&bundle.chain.handovers[index].header);
    let start = end(989);
    assert_eq!(bundle.verify_since(genesis, start), Ok(verified.clone()));

    // From there on it takes eleven handovers, and who trusts block 0 alone needs the others too.
    let mut short = bundle.clone();
    short.chain.handovers.drain(..989);
    assert_eq!(short.chain.handovers.len(), 11);
    assert_eq!(short.verify_since(genesis, start), Ok(verified.clone()));
    assert_eq!(short.verify_since(genesis, end(999)), Ok(verified), "the last alone suffices");
    assert!(matches!(short.verify(genesis), Err(BundleError::Header(_))));
    let bytes = |bundle: &Bundle| serde_json::to_vec(bundle).unwrap().len();
    let (whole, rest) = (bytes(&bundle), bytes(&short));
    assert!(rest < 64 << 10 && (whole - rest) / 989 < 2_600, "{whole} and {rest} bytes");

    let elsewhere = B256::repeat_byte(7);
    let refused = short.verify_since(genesis, elsewhere);
    assert_eq!(refused, Err(BundleError::StartsElsewhere(elsewhere)));
    assert_eq!(short.verify_since(genesis, end(3)), Err(BundleError::StartsElsewhere(end(3))));
    assert!(short.verify_since(B256::ZERO, start).is_err(), "of another chain");
    let mut gap = short.clone();
    gap.chain.handovers.remove(1);
    assert!(gap.verify_since(genesis, start).is_err());
    let mut other = short;
    other.chain.handovers[0].validators = set(3);
    assert!(other.verify_since(genesis, start).is_err());
}

#[test]
fn w5_what_was_settled_before_the_end_that_one_trusts_is_not_proven() {
    let (mut bundle, genesis) = bundle();
    let (later, same, _) = bundle_after(4, receipt(5), Vec::new());
    assert_eq!(genesis, same);
    bundle.chain.handovers = later.chain.handovers;
    bundle.verify(genesis).unwrap();
    let end = keccak256(&bundle.chain.handovers[2].header);
    let refused = bundle.verify_since(genesis, end);
    assert_eq!(refused, Err(BundleError::Header(LightError::UnknownEpoch(1))));
}

#[test]
fn payments_are_those_of_the_channel() {
    let (bundle, _) = bundle();
    let logs = TxReceipt::decode(&bundle.chain.receipt).unwrap().logs;
    assert_eq!(payments(&logs, bundle.receipt.channel, bundle.gateway).len(), 1);
    assert!(payments(&logs, ChannelId(B256::ZERO), bundle.gateway).is_empty());
}

#[test]
fn w5_a_licence_may_cover_the_assets_price_and_nothing_else_may() {
    let (payer, licence) = (key(3).address(), LicenseId(7));
    let counted = |account, license: u64| Log {
        address: LICENSES,
        data: ILicenses::UsesCounted { license: U256::from(license), account, count: 2, uses: 9 }
            .encode_log_data(),
    };
    let others = vec![counted(payer, 7), counted(payer, 8), counted(Address::ZERO, 7)];
    let covered = receipt_under(5, licence, Prices::default());
    let (bundle, genesis, _) = bundle_of(covered, others);
    let verified = bundle.verify(genesis).unwrap();
    assert_eq!((verified.license, verified.counted), (licence, 2));
    let (free, genesis, _) =
        bundle_of(receipt_under(5, LicenseId::NONE, Prices::default()), Vec::new());
    assert_eq!(free.verify(genesis), Err(BundleError::OtherPrices));
}

/// The bundle of [`bundle`] with its usage log: asset 9, over three claims.
fn logged(
    change: impl Fn(&mut UsageLog, &mut IAssets::Registered, &mut IAssets::Linked),
) -> (Bundle, B256) {
    let (mut bundle, genesis, claim) = bundle_of(receipt(5), Vec::new());
    let mut covers = UsageLog {
        chain_id: 1,
        gateway: bundle.gateway,
        asset: AssetId(3),
        from: Timestamp(1_800_000_000 - 100),
        to: Timestamp(1_800_000_000 + 100),
    };
    let other = LoggedClaim { to: ReceiptSeq(7), ..claim };
    let claims = [other, claim, other];
    let leaves: Vec<_> = claims.iter().map(LoggedClaim::hash).collect();
    let mut registered = IAssets::Registered {
        asset: 9,
        creator: bundle.gateway,
        kind: Kind::UsageLog,
        contentHash: B256::ZERO,
        metadataURI: String::new(),
    };
    let mut linked = IAssets::Linked { asset: 9, parent: 3, relation: Relation::Records };
    change(&mut covers, &mut registered, &mut linked);
    if registered.contentHash.is_zero() {
        registered.contentHash = covers.root_of(&claims);
    }
    let log = |data| Log { address: ASSETS, data };
    let logs = vec![log(registered.encode_log_data()), log(linked.encode_log_data())];
    let transaction = |logs: Vec<Log>| TxReceipt {
        type_byte: 2,
        status: true,
        cumulative_gas_used: 9,
        logs: logs.into(),
    };
    let (chain, _) = proof(&[transaction(Vec::new()), transaction(logs)], 1);
    bundle.log = Some(LogProof {
        log: AssetId(9),
        from: covers.from,
        to: covers.to,
        claims_root: merkle::root(&leaves),
        inclusion: merkle::prove(&leaves, 1).unwrap(),
        log_index: 0,
        chain,
    });
    (bundle, genesis)
}

#[test]
fn l3_a_receipt_is_proven_into_its_log() {
    let (bundle, genesis) = logged(|_, _, _| ());
    let text = serde_json::to_string(&bundle).unwrap();
    let bundle: Bundle = serde_json::from_str(&text).unwrap();
    assert_eq!(bundle.verify(genesis).unwrap().log, Some(AssetId(9)));
    let end = keccak256(&bundle.chain.handovers[0].header);
    assert_eq!(bundle.verify_since(genesis, end), bundle.verify(genesis));
    let mut late = bundle;
    late.log.as_mut().unwrap().chain.handovers.clear();
    assert_eq!(late.verify_since(genesis, end), Err(BundleError::StartsElsewhere(end)));
}

#[test]
fn l3_no_other_log_holds_it() {
    type Registration = fn(&mut UsageLog, &mut IAssets::Registered, &mut IAssets::Linked);
    let registrations: [Registration; 9] = [
        |_, registered, _| registered.creator = Address::ZERO,
        |_, registered, _| registered.kind = Kind::Dataset,
        |_, registered, _| registered.asset = 8,
        |_, registered, _| registered.contentHash = B256::repeat_byte(1),
        |_, _, linked| linked.parent = 4,
        |_, _, linked| linked.asset = 8,
        |_, _, linked| linked.relation = Relation::DerivedFrom,
        |covers, _, _| covers.to = covers.from,
        |covers, _, _| covers.asset = AssetId(4),
    ];
    for (index, change) in registrations.into_iter().enumerate() {
        let (bundle, genesis) = logged(change);
        let refused = bundle.verify(genesis);
        assert!(matches!(refused, Err(BundleError::NotLogged { .. })), "{index}: {refused:?}");
    }
    let changes: [fn(&mut LogProof); 7] = [
        |log| log.log = AssetId(1),
        |log| log.from = Timestamp(log.from.0 + 1),
        |log| log.to = Timestamp(log.to.0 + 1),
        |log| log.claims_root = B256::ZERO,
        |log| log.inclusion.index = 0,
        |log| log.log_index = 1,
        |log| log.chain.header = log.chain.genesis_header.clone(),
    ];
    for (index, change) in changes.into_iter().enumerate() {
        let (mut bundle, genesis) = logged(|_, _, _| ());
        change(bundle.log.as_mut().unwrap());
        assert!(bundle.verify(genesis).is_err(), "change {index} was not found");
    }
}
