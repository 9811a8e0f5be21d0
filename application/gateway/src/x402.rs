//! Paying without an account: HTTP 402 as x402 version 2 knows it.
//!
//! The challenge names the most the request can cost and the hash of the request. The client
//! answers with a reservation of its deposit (once a channel), a voucher for the cumulative amount,
//! and its signature that this voucher pays for this request and no other: a payment seen on its
//! way is no use for another URL or body. Sent again, it is the same request and is paid once.

use crate::{
    account::Account,
    admit::{limits, worst_cost},
    catalog::Model,
    drive::random,
    error::ApiError,
    gateway::Gateway,
    openai::Ask,
    repeat::Identity,
    rows::{Authority, RequestRow, Voucher},
    store::get,
};
use alloy_primitives::{Address, B256, Bytes};
use alloy_sol_types::SolStruct;
use axum::http::HeaderMap;
use base64::{Engine as _, engine::general_purpose::STANDARD};
use sahara_abi::{
    CHANNELS, COIN, IChannels,
    signing::{channels_domain, reservation_channel},
};
use sahara_compute::{Terms, recover};
use sahara_primitives::{Amount, ChannelId};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::sync::Arc;

/// The scheme: a reservation and vouchers of a Sahara channel.
pub(crate) const SCHEME: &str = "sahara-channel";
/// How long a reservation should last: an hour of requests over one channel.
const RESERVATION_SECONDS: u64 = 3_600;
/// How long an answer may take.
const TIMEOUT_SECONDS: u64 = 300;
/// Requests that one suggested reservation pays for.
const SUGGESTED_REQUESTS: u64 = 20;

mod payment {
    alloy_sol_types::sol! {
        /// EIP-712 in the domain of channels, signed by the payer: this voucher pays for this
        /// request. It never goes on chain.
        #[derive(Debug)]
        struct RequestPayment { bytes32 channelId; uint128 cumulativeAmount; bytes32 requestHash; }
    }
}
pub use payment::RequestPayment;

/// A reservation in JSON: numbers as decimal strings, as x402 writes amounts.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct ReservationText {
    payer: Address,
    gateway: Address,
    amount: String,
    nonce: String,
    valid_until: String,
}

/// What a client puts into `PAYMENT-SIGNATURE`.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Envelope {
    x402_version: u32,
    accepted: Value,
    payload: Payload,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Payload {
    reservation: ReservationText,
    reservation_signature: Bytes,
    cumulative_amount: String,
    voucher_signature: Bytes,
    request_signature: Bytes,
}

/// What a payment says, before it is checked.
#[derive(Clone, Debug)]
pub(crate) struct Offered {
    payload: Payload,
    pub(crate) request_id: B256,
    pub(crate) salt: B256,
}

/// A payment that fits its request.
#[derive(Clone, Debug)]
pub(crate) struct Paid {
    pub(crate) account: Arc<Account>,
    pub(crate) request_id: B256,
}

/// The `PAYMENT-REQUIRED` header of a challenge.
pub(crate) fn challenge(gateway: &Gateway, terms: &Terms, worst: Amount, error: &str) -> String {
    let suggested = worst.checked_mul(SUGGESTED_REQUESTS).unwrap_or(worst);
    let valid_until = gateway.now().timestamp().saturating_add(RESERVATION_SECONDS).0;
    let required = json!({
        "x402Version": 2,
        "error": error,
        "resource": {
            "url": terms.url,
            "description": "An answer of a language model, paid by the token",
            "mimeType": "application/json",
        },
        "accepts": [{
            "scheme": SCHEME,
            "network": format!("eip155:{}", gateway.chain_id()),
            "amount": worst.base_units().to_string(),
            "asset": COIN,
            "payTo": gateway.address(),
            "maxTimeoutSeconds": TIMEOUT_SECONDS,
            "extra": {
                "name": "Sahara Channels",
                "version": "1",
                "channels": CHANNELS,
                "requestHash": terms.hash(),
                "request": terms,
                "reservation": {
                    "gateway": gateway.address(),
                    "amount": suggested.base_units().to_string(),
                    "validUntil": valid_until.to_string(),
                },
            },
        }],
    });
    STANDARD.encode(required.to_string())
}

/// The `PAYMENT-RESPONSE` header of an accepted payment.
pub(crate) fn accepted(gateway: &Gateway, paid: &Account) -> String {
    let row = paid.row();
    STANDARD.encode(
        json!({
            "success": true,
            "transaction": "",
            "network": format!("eip155:{}", gateway.chain_id()),
            "payer": row.authority.payer(),
            "extensions": { SCHEME: {
                "channelId": paid.channel,
                "spent": row.spent.base_units().to_string(),
                "deposit": row.deposit.base_units().to_string(),
            }},
        })
        .to_string(),
    )
}

/// Reads a `PAYMENT-SIGNATURE` header.
pub(crate) fn read(header: &str) -> Result<Offered, ApiError> {
    let malformed = |what: &str| ApiError::invalid(format!("PAYMENT-SIGNATURE: {what}"));
    let bytes = STANDARD
        .decode(header.trim())
        .map_err(|_| malformed("expected base64 of an x402 payment payload"))?;
    let envelope: Envelope =
        serde_json::from_slice(&bytes).map_err(|error| malformed(&error.to_string()))?;
    let scheme = envelope.accepted.get("scheme").and_then(Value::as_str);
    if envelope.x402_version != 2 || scheme != Some(SCHEME) {
        return Err(malformed(&format!("expected x402 version 2 and scheme {SCHEME}")));
    }
    let field = |name: &str| {
        let value = envelope.accepted.pointer(&format!("/extra/request/{name}"));
        let value = value.and_then(Value::as_str).and_then(|text| text.parse::<B256>().ok());
        value.ok_or_else(|| malformed(&format!("expected accepted.extra.request.{name}")))
    };
    let (request_id, salt) = (field("requestId")?, field("salt")?);
    Ok(Offered { payload: envelope.payload, request_id, salt })
}

impl Offered {
    /// The terms of this very request, if it was answered before: prices may have changed since.
    fn answered(&self, gateway: &Gateway) -> Result<Option<Terms>, ApiError> {
        let Some(reservation) = self.payload.reservation.parse() else { return Ok(None) };
        let channel = reservation_channel(gateway.chain_id(), &reservation);
        let identity = Gateway::named(channel, &self.request_id.to_string());
        let Identity::Named(id) = identity else { return Ok(None) };
        let row = get::<RequestRow>(&gateway.store().requests, id.as_slice())?;
        Ok(row.filter(|row| row.outcome.is_some()).map(|row| row.terms))
    }
}

impl ReservationText {
    fn parse(&self) -> Option<IChannels::Reservation> {
        Some(IChannels::Reservation {
            payer: self.payer,
            gateway: self.gateway,
            amount: self.amount.parse().ok()?,
            nonce: self.nonce.parse().ok()?,
            validUntil: self.valid_until.parse().ok()?,
        })
    }
}

/// Checks that a payment is by its payer, for this gateway, and for a request with these terms. The
/// voucher is kept; whether it covers the request is decided when the request is held.
pub(crate) async fn check(
    gateway: &Gateway,
    offered: &Offered,
    terms: &Terms,
) -> Result<Paid, ApiError> {
    let invalid = |message: String| ApiError::invalid_payment(message);
    let payload = &offered.payload;
    let reservation = payload.reservation.parse();
    let reservation = reservation.ok_or_else(|| invalid("the reservation is malformed".into()))?;
    let amount = payload.cumulative_amount.parse::<u128>().ok();
    let amount = amount.ok_or_else(|| invalid("the cumulative amount is malformed".into()))?;
    if reservation.gateway != gateway.address() {
        return Err(invalid(format!("expected a reservation for {}", gateway.address())));
    }
    let domain = channels_domain(gateway.chain_id());
    let channel = reservation_channel(gateway.chain_id(), &reservation);
    let voucher = IChannels::Voucher { channelId: channel, cumulativeAmount: amount };
    let request =
        RequestPayment { channelId: channel, cumulativeAmount: amount, requestHash: terms.hash() };
    let signatures = [
        ("reservation", channel, &payload.reservation_signature),
        ("voucher", voucher.eip712_signing_hash(&domain), &payload.voucher_signature),
        ("request", request.eip712_signing_hash(&domain), &payload.request_signature),
    ];
    for (what, hash, signature) in signatures {
        let signer = recover(hash, signature)
            .map_err(|error| invalid(format!("the {what}'s signature: {error}")))?;
        if signer != reservation.payer {
            return Err(invalid(format!(
                "the signature does not make this {what} the payer's: expected one by {} over this chain, gateway, URL, body and these prices",
                reservation.payer
            )));
        }
    }
    let channel = ChannelId(channel);
    if gateway.known_account(channel).is_none() {
        check_covered(gateway, &reservation, channel).await?;
    }
    let authority =
        Authority::Reservation { reservation, signature: payload.reservation_signature.clone() };
    let account = gateway.account(channel, authority).await?;
    let voucher = Voucher { amount, signature: payload.voucher_signature.clone() };
    account.accept_voucher(gateway.store(), voucher)?;
    Ok(Paid { account, request_id: offered.request_id })
}

/// A reservation that was never seen counts when it is open, or when the payer's deposit covers it
/// now: anybody can sign one.
async fn check_covered(
    gateway: &Gateway,
    reservation: &IChannels::Reservation,
    channel: ChannelId,
) -> Result<(), ApiError> {
    if gateway.now().timestamp().0 > reservation.validUntil {
        return Err(ApiError::invalid_payment("the reservation has ended"));
    }
    // In this order: an opening that becomes final between the two questions moves the deposit into the
    // channel, and the payment is covered before and after.
    let free = gateway.chain().free_deposit(reservation.payer).await?;
    let amount = Amount::from_u128(reservation.amount.to());
    if free < amount && gateway.chain().channel(channel).await?.is_none() {
        return Err(ApiError::invalid_payment(format!(
            "the payer's deposit has {free} SAHARA free, the reservation is of {amount} SAHARA: expected coin in IChannels.fund"
        )));
    }
    Ok(())
}

/// A request without a key.
pub(crate) struct Unpaid<'a> {
    pub(crate) gateway: &'a Gateway,
    pub(crate) model: &'a Model,
    pub(crate) ask: &'a Ask,
    pub(crate) url: &'a str,
    pub(crate) purpose: u8,
}

impl Unpaid<'_> {
    /// Checks a payment, or asks for one.
    pub(crate) async fn pay(
        &self,
        body_hash: B256,
        headers: &HeaderMap,
    ) -> Result<(Paid, B256), ApiError> {
        let offer = self.model.offers.first();
        let offer = offer.ok_or_else(|| ApiError::model_not_found(&self.model.name))?;
        let terms = |request_id, salt| Terms {
            method: "POST".into(),
            url: self.url.to_owned(),
            body_hash,
            asset: self.model.asset,
            purpose: self.purpose,
            worker_prices: offer.prices,
            asset_prices: self.model.prices,
            request_id,
            salt,
        };
        let ask = |error: &str| {
            let limits = limits(self.gateway, self.ask, offer);
            let worst = worst_cost(self.gateway, None, (offer.prices, self.model.prices), limits)?;
            let header = challenge(self.gateway, &terms(random(), random()), worst, error);
            Err(ApiError::payment_required(error, header))
        };
        let Some(payment) = headers.get("payment-signature") else {
            return ask(
                "this needs an API key (Authorization: Bearer sk-...) or a payment (PAYMENT-SIGNATURE answers the PAYMENT-REQUIRED header)",
            );
        };
        let payment = payment.to_str().map_err(|_| ApiError::invalid("PAYMENT-SIGNATURE"))?;
        let offered = read(payment)?;
        let (request_id, salt) = (offered.request_id, offered.salt);
        let mut asked = terms(request_id, salt);
        if let Some(first) = offered.answered(self.gateway)? {
            (asked.worker_prices, asked.asset_prices) = (first.worker_prices, first.asset_prices);
        }
        match check(self.gateway, &offered, &asked).await {
            Ok(paid) => Ok((paid, salt)),
            Err(error) if error.status == 402 => ask(&error.message),
            Err(error) => Err(error),
        }
    }
}
