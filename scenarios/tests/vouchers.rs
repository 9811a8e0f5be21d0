//! Vouchers that prove nothing: forged, stale, replayed, malleable, of another chain. Each is refused
//! by name: by the chain, to whom a lying gateway shows them, and by the gateway, to whom a lying
//! client does.

use alloy_primitives::{
    Bytes, U256,
    aliases::{U24, U96},
};
use alloy_sol_types::SolStruct;
use base64::{Engine as _, engine::general_purpose::STANDARD};
use eyre::{ContextCompat, Result, ensure};
use sahara_abi::{
    CHANNELS, IChannels, IWorkers, WORKERS,
    signing::{channels_domain, reservation_channel},
};
use sahara_client::{ChainClient, SigningKey, TEST_MNEMONIC};
use sahara_primitives::{Address, Amount, B256, BasisPoints, Bill, FeeRates, LOCAL_CHAIN_ID};
use sahara_scenarios::{Network, Options, twin};
use serde_json::{Value, json};
use std::time::{SystemTime, UNIX_EPOCH};

/// One of the smallest parts that still has a fee.
const PART: u128 = 1_000_000;

fn account(index: u32) -> Result<SigningKey> {
    Ok(SigningKey::from_mnemonic(TEST_MNEMONIC, index)?)
}

fn sign(key: &SigningKey, chain_id: u64, message: &impl SolStruct) -> Bytes {
    key.sign_typed(message, &channels_domain(chain_id))
}

/// The other signature of the same hash, which anyone can make of the first.
fn high_s(signature: &Bytes) -> Result<Bytes> {
    Ok(Bytes::copy_from_slice(&twin(signature.as_ref().try_into()?)))
}

fn in_an_hour() -> Result<u64> {
    Ok(SystemTime::now().duration_since(UNIX_EPOCH)?.as_secs() + 3_600)
}

/// A channel of the payer with a gateway of ours, on which everything can be tried.
struct Channel {
    client: ChainClient,
    payer: SigningKey,
    gateway: SigningKey,
    worker: SigningKey,
    reservation: IChannels::Reservation,
    id: B256,
}

impl Channel {
    async fn open(network: &Network) -> Result<Self> {
        let client = ChainClient::new(&network.text("/rpc")?)?;
        let (payer, gateway, worker) = (account(9)?, account(6)?, account(4)?);
        let endpoint = String::from("http://127.0.0.1:1");
        let register = IWorkers::registerGatewayCall { endpoint, fee: 200 };
        client.send(&gateway, WORKERS, Amount::from_coins(1_000), &register).await?;
        let fund = IChannels::fundCall { payer: payer.address() };
        client.send(&payer, CHANNELS, Amount::from_coins(5), &fund).await?;
        let reservation = IChannels::Reservation {
            payer: payer.address(),
            gateway: gateway.address(),
            amount: U96::from(Amount::ONE_COIN.to_u128().wrap_err("a coin")?),
            nonce: 1,
            validUntil: in_an_hour()?,
        };
        let id = reservation_channel(LOCAL_CHAIN_ID, &reservation);
        Ok(Self { client, payer, gateway, worker, reservation, id })
    }

    /// The name of the error with which the chain refuses a call.
    async fn refusal<C: alloy_sol_types::SolCall>(
        &self,
        key: &SigningKey,
        call: &C,
    ) -> Result<String> {
        let sent = self.client.send(key, CHANNELS, Amount::ZERO, call).await;
        let error = sent.err().wrap_err("the chain accepted what it must refuse")?;
        let revert = error.revert().wrap_err_with(|| format!("no revert: {error}"))?;
        Ok(revert.name.clone())
    }

    async fn refused<C: alloy_sol_types::SolCall>(&self, call: &C, expected: &str) -> Result<()> {
        let name = self.refusal(&self.gateway, call).await?;
        ensure!(name == expected, "refused with {name}, expected {expected}");
        Ok(())
    }

    fn open_call(&self, signature: Bytes) -> IChannels::openCall {
        IChannels::openCall { reservation: self.reservation.clone(), signature }
    }

    /// A claim of the `count`-th receipt, honest in everything.
    fn claim(&self, count: u32) -> Result<IChannels::Claim> {
        let cumulative = PART * u128::from(count);
        let earning = IChannels::Earning {
            channelId: self.id,
            asset: 2,
            cumulativeWorker: cumulative,
            cumulativeAsset: cumulative,
        };
        let rates =
            FeeRates { protocol: BasisPoints::constant(100), gateway: BasisPoints::constant(200) };
        let part = Amount::from_u128(cumulative);
        let total = Bill::new(rates, Amount::ZERO, part, part)?.total()?;
        let total = total.to_u128().wrap_err("a small bill")?;
        let voucher = self.voucher(total);
        Ok(IChannels::Claim {
            channelId: self.id,
            cumulative: U96::from(total),
            seqFrom: U24::from(count - 1),
            seqTo: U24::from(count),
            receiptsRoot: B256::repeat_byte(1),
            voucherAmount: total,
            voucherSignature: sign(&self.payer, LOCAL_CHAIN_ID, &voucher),
            lines: vec![IChannels::Line {
                asset: 2,
                worker: self.worker.address(),
                cumulativeWorker: cumulative,
                cumulativeAsset: cumulative,
                signature: sign(&self.worker, LOCAL_CHAIN_ID, &earning),
            }],
        })
    }

    const fn voucher(&self, amount: u128) -> IChannels::Voucher {
        IChannels::Voucher { channelId: self.id, cumulativeAmount: amount }
    }
}

fn batch(claim: IChannels::Claim) -> IChannels::claimBatchCall {
    IChannels::claimBatchCall { claims: vec![claim] }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_chain_refuses_what_a_lying_gateway_shows() -> Result<()> {
    let network = Network::start(Options::default())?;
    let channel = Channel::open(&network).await?;
    reservations(&channel).await?;
    vouchers(&channel).await?;
    let held = network.balance(CHANNELS, "latest").await?;
    let client = &channel.client;
    let known = client.call(CHANNELS, &IChannels::channelCall { channelId: channel.id }).await?;
    ensure!(known.seq == U24::from(2), "two honest claims of all: {known:?}");
    let claim = channel.claim(2)?;
    ensure!(known.settled == claim.cumulative, "and paid to the unit: {known:?}");
    let funded = U256::from(1_005) * U256::from(10).pow(U256::from(18));
    ensure!(held + U256::from(known.settled) == funded, "{held} held of {funded}");
    Ok(())
}

async fn reservations(channel: &Channel) -> Result<()> {
    let good = sign(&channel.payer, LOCAL_CHAIN_ID, &channel.reservation);
    let forged = sign(&channel.gateway, LOCAL_CHAIN_ID, &channel.reservation);
    channel.refused(&channel.open_call(forged), "InvalidSignature").await?;
    channel.refused(&channel.open_call(high_s(&good)?), "InvalidSignature").await?;
    let elsewhere = sign(&channel.payer, 1, &channel.reservation);
    channel.refused(&channel.open_call(elsewhere), "InvalidSignature").await?;
    let mut stale = channel.reservation.clone();
    stale.validUntil = 1;
    let signature = sign(&channel.payer, LOCAL_CHAIN_ID, &stale);
    channel.refused(&IChannels::openCall { reservation: stale, signature }, "Expired").await?;
    let name = channel.refusal(&channel.payer, &channel.open_call(good.clone())).await?;
    ensure!(name == "NotGateway", "another opens it: {name}");
    channel.refused(&batch(channel.claim(1)?), "UnknownChannel").await?;
    channel
        .client
        .send(&channel.gateway, CHANNELS, Amount::ZERO, &channel.open_call(good.clone()))
        .await?;
    channel.refused(&channel.open_call(good), "AlreadyOpened").await
}

async fn vouchers(channel: &Channel) -> Result<()> {
    let good = channel.claim(1)?;
    let with =
        |signature: Bytes| batch(IChannels::Claim { voucherSignature: signature, ..good.clone() });
    let voucher = channel.voucher(good.voucherAmount);
    let forged = sign(&channel.gateway, LOCAL_CHAIN_ID, &voucher);
    channel.refused(&with(forged), "InvalidSignature").await?;
    channel.refused(&with(high_s(&good.voucherSignature)?), "InvalidSignature").await?;
    channel.refused(&with(sign(&channel.payer, 1, &voucher)), "InvalidSignature").await?;
    channel.refused(&with(Bytes::new()), "InvalidSignature").await?;
    let raised = batch(IChannels::Claim { voucherAmount: good.voucherAmount * 2, ..good.clone() });
    channel.refused(&raised, "InvalidSignature").await?;
    let stale = channel.voucher(good.voucherAmount - 1);
    let stale = batch(IChannels::Claim {
        voucherAmount: stale.cumulativeAmount,
        voucherSignature: sign(&channel.payer, LOCAL_CHAIN_ID, &stale),
        ..good.clone()
    });
    channel.refused(&stale, "VoucherTooSmall").await?;
    let greedy =
        batch(IChannels::Claim { cumulative: good.cumulative + U96::from(1), ..good.clone() });
    channel.refused(&greedy, "PartsDoNotAddUp").await?;
    let mut unearned = good.clone();
    if let Some(line) = unearned.lines.first_mut() {
        line.signature = high_s(&line.signature)?;
    }
    channel.refused(&batch(unearned), "InvalidSignature").await?;
    let name = channel.refusal(&channel.payer, &batch(good.clone())).await?;
    ensure!(name == "NotGateway", "another collects: {name}");

    let call = batch(good.clone());
    channel.client.send(&channel.gateway, CHANNELS, Amount::ZERO, &call).await?;
    channel.refused(&call, "StaleClaim").await?;
    let again = IChannels::Claim { lines: good.lines, ..channel.claim(2)? };
    channel.refused(&batch(again), "StaleLine").await?;
    let second = batch(channel.claim(2)?);
    channel.client.send(&channel.gateway, CHANNELS, Amount::ZERO, &second).await?;
    channel.refused(&second, "StaleClaim").await
}

mod payment {
    alloy_sol_types::sol! {
        #[derive(Debug)]
        struct RequestPayment { bytes32 channelId; uint128 cumulativeAmount; bytes32 requestHash; }
    }
}

/// A client that pays by voucher, and may lie.
struct Client {
    http: reqwest::Client,
    url: String,
    payer: SigningKey,
    body: Value,
}

/// What a payment says, and what it is signed for.
#[derive(Clone, Copy)]
struct Lie {
    chain_id: u64,
    /// Instead of the most that the request can cost.
    amount: Option<u128>,
    has_high_s: bool,
    is_forged: bool,
}

const HONEST: Lie =
    Lie { chain_id: LOCAL_CHAIN_ID, amount: None, has_high_s: false, is_forged: false };

impl Client {
    /// The challenge of an unpaid request.
    async fn challenge(&self) -> Result<Value> {
        let answer = self.http.post(&self.url).json(&self.body).send().await?;
        ensure!(answer.status().as_u16() == 402, "unpaid: {}", answer.status());
        let header = answer.headers().get("payment-required").wrap_err("a challenge")?;
        Ok(serde_json::from_slice(&STANDARD.decode(header.as_bytes())?)?)
    }

    /// The header that answers a challenge.
    fn pay(&self, challenge: &Value, nonce: u64, lie: Lie) -> Result<String> {
        let accepted = challenge.pointer("/accepts/0").wrap_err("an offer")?;
        let text = |path: &str| accepted.pointer(path).and_then(Value::as_str).wrap_err("a text");
        let worst: u128 = text("/amount")?.parse()?;
        let gateway: Address = text("/payTo")?.parse()?;
        let request_hash: B256 = text("/extra/requestHash")?.parse()?;
        let amount = lie.amount.unwrap_or(worst);
        let reservation = IChannels::Reservation {
            payer: self.payer.address(),
            gateway,
            amount: U96::from(worst * 2),
            nonce,
            validUntil: in_an_hour()?,
        };
        let channel = reservation_channel(LOCAL_CHAIN_ID, &reservation);
        let voucher = IChannels::Voucher { channelId: channel, cumulativeAmount: amount };
        let request = payment::RequestPayment {
            channelId: channel,
            cumulativeAmount: amount,
            requestHash: request_hash,
        };
        let thief = account(7)?;
        let signer = if lie.is_forged { &thief } else { &self.payer };
        let mut voucher = sign(signer, lie.chain_id, &voucher);
        if lie.has_high_s {
            voucher = high_s(&voucher)?;
        }
        let payment = json!({
            "x402Version": 2, "accepted": accepted,
            "payload": {
                "reservation": {
                    "payer": reservation.payer, "gateway": reservation.gateway,
                    "amount": reservation.amount.to_string(), "nonce": nonce.to_string(),
                    "validUntil": reservation.validUntil.to_string(),
                },
                "reservationSignature": sign(&self.payer, LOCAL_CHAIN_ID, &reservation),
                "cumulativeAmount": amount.to_string(),
                "voucherSignature": voucher,
                "requestSignature": sign(&self.payer, LOCAL_CHAIN_ID, &request),
            },
        });
        Ok(STANDARD.encode(payment.to_string()))
    }

    /// Status and error message of a paid request.
    async fn ask(&self, payment: &str, body: &Value) -> Result<(u16, Value)> {
        let request = self.http.post(&self.url).header("payment-signature", payment).json(body);
        let answer = request.send().await?;
        Ok((answer.status().as_u16(), answer.json().await?))
    }

    async fn refused(&self, payment: &str, status: u16, words: &str) -> Result<()> {
        let (found, answer) = self.ask(payment, &self.body).await?;
        let message = answer.pointer("/error/message").and_then(Value::as_str).unwrap_or_default();
        ensure!(
            found == status && message.contains(words),
            "{found}: {answer}, expected {words:?}"
        );
        Ok(())
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_gateway_refuses_what_a_lying_client_shows() -> Result<()> {
    let network = Network::start(Options::default())?;
    network.sahara(&["wallet", "fund", "1", "--dev-account", "9"])?;
    let client = Client {
        http: reqwest::Client::new(),
        url: format!("{}/v1/chat/completions", network.gateway()?),
        payer: account(9)?,
        body: json!({"model": "trail-guide", "max_tokens": 4, "messages": [{"role": "user", "content": "Hi"}]}),
    };
    let challenge = client.challenge().await?;
    let pay = |lie: Lie| client.pay(&challenge, 1, lie);
    for (lie, words) in [
        (Lie { is_forged: true, ..HONEST }, "does not make this voucher the payer's"),
        (Lie { chain_id: 1, ..HONEST }, "does not make this voucher the payer's"),
        (Lie { has_high_s: true, ..HONEST }, "high s"),
        (Lie { amount: Some(1), ..HONEST }, "voucher"),
    ] {
        client.refused(&pay(lie)?, 402, words).await?;
    }
    client.refused("not base64!", 400, "expected base64").await?;
    client.refused(&STANDARD.encode("{}"), 400, "PAYMENT-SIGNATURE").await?;

    let honest = pay(HONEST)?;
    let other = json!({"model": "trail-guide", "max_tokens": 4, "messages": [{"role": "user", "content": "Other"}]});
    let (status, answer) = client.ask(&honest, &other).await?;
    ensure!(status == 402, "a payment for one request pays for another: {answer}");
    let (status, first) = client.ask(&honest, &client.body).await?;
    ensure!(status == 200, "{first}");
    let (status, again) = client.ask(&honest, &client.body).await?;
    ensure!(status == 200, "sent again: {again}");
    ensure!(first == again, "sent again it is the same request: {first}, then {again}");

    let health = format!("{}/health", network.gateway()?);
    network
        .until("the one answer is settled", async || {
            let answer: Value = client.http.get(&health).send().await.ok()?.json().await.ok()?;
            (answer.get("unsettled_channels")?.as_u64()? == 0).then_some(())
        })
        .await?;
    let collected = collected(&network).await?;
    let cost = first.pointer("/usage/cost_base_units").and_then(Value::as_str);
    ensure!(collected == cost.wrap_err("a cost")?.parse::<U256>()?, "{collected} for {first}");
    Ok(())
}

/// Everything ever collected.
async fn collected(network: &Network) -> Result<U256> {
    let client = ChainClient::new(&network.text("/rpc")?)?;
    let filter = sahara_client::Filter::new().address(CHANNELS).from_block(0);
    let events = client.events::<IChannels::Collected>(filter).await?;
    Ok(events.iter().map(|(_, event)| U256::from(event.data.amount)).sum())
}
