//! [`Economy`]: people who register, serve, pay and trade on a real chain.

use crate::node::{TestNode, key};
use sahara_abi::{
    ASSETS, CHANNELS, COIN, IAssets, IChannels, ICoin, IRoyalties, IWorkers, ROYALTIES, WORKERS,
    signing,
};
use sahara_client::{ChainClient, TxOutcome, TxRequest};
use sahara_primitives::{
    Address, Amount, AssetId, B256, BasisPoints, Bill, FeeRates, LOCAL_CHAIN_ID, U256,
};
use std::collections::BTreeMap;

/// Owns the first assets; rich at genesis.
pub(crate) const CREATOR: u32 = 0;
/// Pays; rich at genesis, so nobody funded it.
pub(crate) const STRANGER: u32 = 1;
pub(crate) const WORKER: u32 = 2;
pub(crate) const MEMBERS: [u32; 2] = [3, 4];
pub(crate) const GATEWAY: u32 = 5;
/// A payer whose coin comes from the creator.
pub(crate) const PUPPET: u32 = 6;
/// A payer whose coin comes from the stranger.
pub(crate) const CUSTOMER: u32 = 7;
/// Derives from the creator's model.
pub(crate) const REMIXER: u32 = 8;

pub(crate) const GATEWAY_FEE: u16 = 200;

/// A chain with people, and what their channels have earned so far.
pub(crate) struct Economy {
    pub(crate) node: TestNode,
    channels: BTreeMap<u32, Channel>,
}

#[derive(Clone, Debug, Default)]
struct Channel {
    id: B256,
    base: Amount,
    cumulative: Amount,
    seq: u32,
    earnings: BTreeMap<u64, (u128, u128)>,
}

pub(crate) fn address(index: u32) -> Address {
    key(index).address()
}

pub(crate) fn coins(coins: u64) -> Amount {
    Amount::from_coins(coins)
}

/// What to register; the rest has defaults.
#[derive(Clone, Debug)]
pub(crate) struct New<'a> {
    pub(crate) kind: IAssets::Kind,
    pub(crate) uri: &'a str,
    pub(crate) price: u128,
    pub(crate) royalty: u16,
    pub(crate) edges: &'a [(u64, IAssets::Relation)],
    pub(crate) members: &'a [(u32, u64)],
    pub(crate) is_open: bool,
}

impl Default for New<'_> {
    fn default() -> Self {
        let kind = IAssets::Kind::Dataset;
        Self { kind, uri: "", price: 0, royalty: 0, edges: &[], members: &[], is_open: false }
    }
}

impl New<'_> {
    pub(crate) fn call(&self) -> IAssets::registerCall {
        let members = self.members.iter().map(|(index, units)| IAssets::Member {
            account: address(*index),
            units: alloy_primitives::aliases::U96::from(*units),
        });
        let edges = self
            .edges
            .iter()
            .map(|(parent, relation)| IAssets::Edge { parent: *parent, relation: *relation });
        let registration = IAssets::Registration {
            kind: self.kind,
            contentHash: B256::repeat_byte(9),
            metadataURI: self.uri.to_owned(),
            inputPrice: self.price / 2,
            outputPrice: self.price,
            derivativeRoyalty: self.royalty,
            derivatives: IAssets::Derivatives::Open,
            edges: edges.collect(),
            members: members.collect(),
            ownerUnits: alloy_primitives::aliases::U96::from(10),
            isOpen: self.is_open,
        };
        IAssets::registerCall { registration }
    }
}

impl Economy {
    /// Three assets (a dataset with members, a model trained on it, a fine-tuned one), a worker, a
    /// gateway, and payers with deposits.
    pub(crate) async fn start() -> Self {
        let economy = Self { node: TestNode::start(0).await, channels: BTreeMap::new() };
        economy.fund().await;
        let members = MEMBERS.map(|member| (member, 45));
        let data = r#"data:application/json,{"name":"Ibu Kota","description":"Questions about capitals","tags":["geography","id"]}"#;
        let dataset = New { uri: data, royalty: 1_000, members: &members, ..New::default() };
        economy.register(CREATOR, &dataset).await;
        let model = New {
            kind: IAssets::Kind::Model,
            uri: r#"data:application/json,{"name":"SmolLM2 135M Instruct"}"#,
            price: 4_000_000,
            royalty: 500,
            edges: &[(1, IAssets::Relation::TrainedOn)],
            ..New::default()
        };
        economy.register(CREATOR, &model).await;
        let remix = New {
            kind: IAssets::Kind::Model,
            uri: r#"data:application/json,{"name":"Kancil","description":"SmolLM2 that tells fables","tags":["smollm2"]}"#,
            price: 9_000_000,
            edges: &[(2, IAssets::Relation::FinetunedFrom)],
            ..New::default()
        };
        economy.register(REMIXER, &remix).await;
        economy.open_for_business().await;
        economy
    }

    fn client(&self) -> &ChainClient {
        &self.node.client
    }

    pub(crate) async fn transfer(&self, from: u32, to: u32, amount: Amount) -> TxOutcome {
        self.client().transfer(&key(from), address(to), amount).await.unwrap()
    }

    async fn fund(&self) {
        for member in [WORKER, GATEWAY] {
            self.transfer(CREATOR, member, coins(2_000)).await;
        }
        self.transfer(CREATOR, PUPPET, coins(10_000)).await;
        self.transfer(STRANGER, CUSTOMER, coins(10_000)).await;
        // By the coin's ERC-20 face.
        let call = ICoin::transferCall { to: address(REMIXER), value: coins(5).base_units() };
        self.client().send(&key(STRANGER), COIN, Amount::ZERO, &call).await.unwrap();
    }

    pub(crate) async fn register(&self, creator: u32, asset: &New<'_>) -> u64 {
        let outcome = self.client().send(&key(creator), ASSETS, Amount::ZERO, &asset.call()).await;
        outcome.unwrap().events::<IAssets::Registered>()[0].data.asset
    }

    async fn open_for_business(&self) {
        let worker = IWorkers::registerWorkerCall { endpoint: "http://worker.example".into() };
        self.client().send(&key(WORKER), WORKERS, coins(1_000), &worker).await.unwrap();
        let gateway = IWorkers::registerGatewayCall {
            endpoint: "http://gateway.example".into(),
            fee: GATEWAY_FEE,
        };
        self.client().send(&key(GATEWAY), WORKERS, coins(1_000), &gateway).await.unwrap();
        for asset in [2, 3] {
            self.serve(asset).await;
        }
    }

    pub(crate) async fn serve(&self, asset: u64) {
        let call = IWorkers::serveCall { asset, inputPrice: 1_000_000, outputPrice: 2_000_000 };
        self.client().send(&key(WORKER), WORKERS, Amount::ZERO, &call).await.unwrap();
    }

    /// Deposits and opens a channel of vouchers with the gateway.
    pub(crate) async fn open(&mut self, payer: u32, amount: Amount) {
        let fund = IChannels::fundCall { payer: address(payer) };
        self.client().send(&key(payer), CHANNELS, amount, &fund).await.unwrap();
        let reservation = IChannels::Reservation {
            payer: address(payer),
            gateway: address(GATEWAY),
            amount: amount.base_units().to(),
            nonce: 1,
            validUntil: u64::from(u32::MAX),
        };
        let domain = signing::channels_domain(LOCAL_CHAIN_ID);
        let signature = key(payer).sign_typed(&reservation, &domain);
        let id = signing::reservation_channel(LOCAL_CHAIN_ID, &reservation);
        let open = IChannels::openCall { reservation, signature };
        self.client().send(&key(GATEWAY), CHANNELS, Amount::ZERO, &open).await.unwrap();
        self.channels.insert(payer, Channel { id, ..Channel::default() });
    }

    /// The gateway collects for `requests` answers; each line is an asset and what it and the worker
    /// earned.
    pub(crate) async fn claim(
        &mut self,
        payer: u32,
        requests: u32,
        lines: &[(u64, Amount, Amount)],
    ) {
        let domain = signing::channels_domain(LOCAL_CHAIN_ID);
        let channel = self.channels.get_mut(&payer).unwrap();
        let mut signed = Vec::new();
        let (mut work, mut income) = (Amount::ZERO, Amount::ZERO);
        for (asset, worker_part, asset_part) in lines {
            let sums = channel.earnings.entry(*asset).or_default();
            sums.0 += worker_part.to_u128().unwrap();
            sums.1 += asset_part.to_u128().unwrap();
            let earning = IChannels::Earning {
                channelId: channel.id,
                asset: *asset,
                cumulativeWorker: sums.0,
                cumulativeAsset: sums.1,
            };
            signed.push(IChannels::Line {
                asset: *asset,
                worker: address(WORKER),
                cumulativeWorker: sums.0,
                cumulativeAsset: sums.1,
                signature: key(WORKER).sign_typed(&earning, &domain),
            });
            work = work.checked_add(*worker_part).unwrap();
            income = income.checked_add(*asset_part).unwrap();
        }
        let bill = bill(channel.base, work, income);
        channel.base = channel.base.checked_add(bill.base().unwrap()).unwrap();
        channel.cumulative = channel.cumulative.checked_add(bill.total().unwrap()).unwrap();
        let voucher = IChannels::Voucher {
            channelId: channel.id,
            cumulativeAmount: channel.cumulative.to_u128().unwrap(),
        };
        let claim = IChannels::Claim {
            channelId: channel.id,
            cumulative: channel.cumulative.base_units().to(),
            seqFrom: channel.seq.try_into().unwrap(),
            seqTo: (channel.seq + requests).try_into().unwrap(),
            receiptsRoot: B256::repeat_byte(1),
            voucherAmount: voucher.cumulativeAmount,
            voucherSignature: key(payer).sign_typed(&voucher, &domain),
            lines: signed,
        };
        channel.seq += requests;
        let call = IChannels::claimBatchCall { claims: vec![claim] };
        self.client().send(&key(GATEWAY), CHANNELS, Amount::ZERO, &call).await.unwrap();
    }

    pub(crate) async fn pay(&self, payer: u32, asset: u64, amount: Amount) {
        let call = IRoyalties::payCall { asset };
        self.client().send(&key(payer), ROYALTIES, amount, &call).await.unwrap();
    }

    pub(crate) async fn give(&self, from: u32, to: u32, asset: AssetId) {
        let call = IAssets::transferFromCall {
            from: address(from),
            to: address(to),
            tokenId: asset.into(),
        };
        self.client().send(&key(from), ASSETS, Amount::ZERO, &call).await.unwrap();
    }

    pub(crate) async fn set_prices(&self, owner: u32, asset: u64, price: u128) {
        let call = IAssets::setPricesCall { asset, inputPrice: price, outputPrice: price };
        self.client().send(&key(owner), ASSETS, Amount::ZERO, &call).await.unwrap();
    }

    /// A transaction that reverts, and one that creates a contract.
    pub(crate) async fn stumble(&self) {
        let call = IAssets::sealCall { asset: 77 };
        let mut request = TxRequest::call(ASSETS, Amount::ZERO, &call);
        request.gas = Some(200_000);
        self.client().send_request(&key(STRANGER), request).await.unwrap_err();
        let create = TxRequest { input: vec![0].into(), ..TxRequest::default() };
        self.client().send_request(&key(STRANGER), create).await.unwrap();
    }

    /// A little of everything.
    pub(crate) async fn live(&mut self) {
        for payer in [STRANGER, PUPPET, CUSTOMER] {
            self.open(payer, coins(500)).await;
        }
        self.claim(STRANGER, 3, &[(2, coins(2), coins(10))]).await;
        self.claim(PUPPET, 9, &[(2, coins(1), coins(300))]).await;
        self.claim(CUSTOMER, 2, &[(2, coins(1), coins(1)), (3, coins(4), coins(40))]).await;
        self.pay(STRANGER, 1, coins(7)).await;
        self.set_prices(CREATOR, 2, 5_000_000).await;
        self.give(CREATOR, CUSTOMER, AssetId(1)).await;
        self.stumble().await;
        self.claim(STRANGER, 1, &[(3, Amount::ZERO, coins(3))]).await;
        let close = IChannels::requestCloseCall { channelId: self.channels[&PUPPET].id };
        self.client().send(&key(PUPPET), CHANNELS, Amount::ZERO, &close).await.unwrap();
    }

    pub(crate) fn channel(&self, payer: u32) -> B256 {
        self.channels[&payer].id
    }

    pub(crate) async fn balance(&self, account: Address) -> U256 {
        self.client().balance(account).await.unwrap().base_units()
    }
}

/// What a claim costs on a channel of the gateway.
pub(crate) fn bill(base: Amount, work: Amount, income: Amount) -> Bill {
    let rates = FeeRates {
        protocol: BasisPoints::constant(100),
        gateway: BasisPoints::constant(GATEWAY_FEE),
    };
    Bill::new(rates, base, work, income).unwrap()
}
