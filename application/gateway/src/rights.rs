//! [`Rights`]: whether a payer may use an asset, and what its licences still hold.
//!
//! ```text
//! limit  >=  counted on chain + taken                          G9, as far as one gateway sees
//! taken   =  what running requests may use + what receipts used that no claim has counted yet
//! ```
//!
//! What the chain said is used again until the next final block, and for [`FRESH_MILLISECONDS`] at
//! most. `taken` is in memory: it is added up from unsettled receipts at the start.

use crate::{
    account::Hold,
    catalog::Model,
    chain::{Chain, ChainError},
    error::ApiError,
    gateway::Gateway,
    licensing::missing,
};
use alloy_primitives::Address;
use parking_lot::Mutex;
use sahara_abi::{
    ILicenses::{self, Missing, Pricing},
    LICENSES, purpose,
};
use sahara_primitives::{AssetId, LicenseId, Milliseconds, Prices, Usage};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::{
    collections::{BTreeMap, HashMap},
    sync::Arc,
};

/// How long what the chain said is good while no block is seen: as long as a heartbeat, so that a
/// silent node cannot keep a right alive that was revoked.
const FRESH_MILLISECONDS: u64 = 1_000;
/// Answers remembered for one block.
const MOST_REMEMBERED: usize = 10_000;
/// Looks at a licence that keeps changing.
const TURNS: usize = 5;

/// What a request takes from its licence.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Counts {
    /// Nothing: it has no cap.
    #[default]
    Nothing,
    /// One use.
    Uses,
    /// Tokens, read and written.
    Tokens,
}

/// The right under which a request runs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Right {
    /// None for owners, open assets and free terms.
    pub(crate) license: LicenseId,
    /// Whether what was paid for the licence covers the asset's price.
    pub(crate) covers_price: bool,
    pub(crate) counts: Counts,
}

/// A right as the chain sees it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Live {
    pub(crate) right: Right,
    /// What can still be counted on chain.
    left: u64,
    holder: Address,
    is_meter: bool,
}

/// A right, or what is missing.
pub(crate) type Found = Result<Live, Missing>;

/// Who asks, for which asset, for which purpose.
pub(crate) type Question = (Address, AssetId, u8);

impl Right {
    /// What a usage counts.
    pub(crate) fn uses(self, usage: Usage) -> u64 {
        match self.counts {
            Counts::Nothing => 0,
            Counts::Uses => 1,
            Counts::Tokens => {
                u64::from(usage.prompt_tokens).saturating_add(u64::from(usage.completion_tokens))
            }
        }
    }

    /// What is charged for the asset.
    pub(crate) fn asset_prices(self, ordinary: Prices) -> Prices {
        if self.covers_price { Prices::default() } else { ordinary }
    }
}

impl Live {
    const OPEN: Self = Self {
        right: Right { license: LicenseId::NONE, covers_price: false, counts: Counts::Nothing },
        left: u64::MAX,
        holder: Address::ZERO,
        is_meter: true,
    };
}

impl Chain {
    /// The right that final state grants.
    async fn right(&self, question: Question, gateway: Address) -> Result<Found, ChainError> {
        let (account, asset, purpose) = question;
        let call = ILicenses::canUseCall { account, asset: asset.0, purpose };
        let answer = self.call(LICENSES, call).await?;
        if !answer.isAllowed {
            return Ok(Err(answer.missing));
        }
        let license = LicenseId(answer.license.saturating_to());
        if license == LicenseId::NONE {
            return Ok(Ok(Live::OPEN));
        }
        let held = self.call(LICENSES, ILicenses::licenseCall { license: answer.license }).await?;
        let terms = self.call(LICENSES, ILicenses::termsCall { terms: held.terms }).await?;
        let counts = match terms.pricing {
            _ if held.useLimit == 0 => Counts::Nothing,
            Pricing::PerMillionTokens => Counts::Tokens,
            _ => Counts::Uses,
        };
        let is_meter = counts == Counts::Nothing || {
            let call = ILicenses::isMeterCall { holder: held.holder, meter: gateway };
            gateway == account || self.call(LICENSES, call).await?
        };
        let covers_price = terms.pricing != Pricing::Free;
        let left = match counts {
            Counts::Nothing => u64::MAX,
            Counts::Uses | Counts::Tokens => held.useLimit.saturating_sub(held.uses),
        };
        let right = Right { license, covers_price, counts };
        Ok(Ok(Live { right, left, holder: held.holder, is_meter }))
    }
}

/// What is known of rights now.
#[derive(Debug, Default)]
pub(crate) struct Rights(Arc<Mutex<State>>);

#[derive(Debug, Default)]
struct State {
    /// Counts what made earlier answers of the chain worthless.
    generation: u64,
    found: HashMap<Question, (Milliseconds, Found)>,
    taken: BTreeMap<LicenseId, u64>,
}

/// Uses taken from a licence; let go when dropped, but for what was kept.
#[derive(Debug)]
pub(crate) struct UsesHold {
    rights: Arc<Mutex<State>>,
    license: LicenseId,
    amount: u64,
}

/// Everything held for a running request.
#[derive(Debug)]
pub(crate) struct Holds {
    /// Let go when dropped.
    #[expect(dead_code, reason = "held, not read")]
    pub(crate) money: Hold,
    pub(crate) uses: Option<UsesHold>,
}

impl Holds {
    /// Of the uses held, so many were used: they stay taken until their claim counts them.
    pub(crate) fn keep(mut self, uses: u64) {
        if let Some(hold) = &mut self.uses {
            hold.amount = hold.amount.saturating_sub(uses);
        }
    }
}

impl Drop for UsesHold {
    fn drop(&mut self) {
        self.rights.lock().release(self.license, self.amount);
    }
}

impl State {
    fn release(&mut self, license: LicenseId, amount: u64) {
        if let Some(taken) = self.taken.get_mut(&license) {
            *taken = taken.saturating_sub(amount);
            if *taken == 0 {
                self.taken.remove(&license);
            }
        }
    }

    fn forget(&mut self) {
        self.generation = self.generation.wrapping_add(1);
        self.found.clear();
    }

    fn known(&self, question: &Question, now: Milliseconds) -> Option<Found> {
        let (at, found) = self.found.get(question)?;
        (now.0.saturating_sub(at.0) < FRESH_MILLISECONDS).then_some(*found)
    }
}

impl Rights {
    /// There is a new final block: what was known is old.
    pub(crate) fn forget(&self) {
        self.0.lock().forget();
    }

    /// Whether no licence has anything taken.
    pub(crate) fn is_idle(&self) -> bool {
        self.0.lock().taken.is_empty()
    }

    /// A claim counted these uses: they are on chain now.
    pub(crate) fn counted(&self, uses: &BTreeMap<LicenseId, u64>) {
        let mut state = self.0.lock();
        if !uses.is_empty() {
            state.forget();
        }
        for (license, amount) in uses {
            state.release(*license, *amount);
        }
    }

    /// Takes what unsettled receipts used; at the start.
    pub(crate) fn take_again(&self, uses: &BTreeMap<LicenseId, u64>) {
        let mut state = self.0.lock();
        for (license, amount) in uses.iter().filter(|(_, amount)| **amount > 0) {
            let taken = state.taken.entry(*license).or_default();
            *taken = taken.saturating_add(*amount);
        }
    }

    /// Holds uses that were held when the request was admitted, before the process ended.
    pub(crate) fn hold_again(&self, right: Right, amount: u64) -> Option<UsesHold> {
        if right.counts == Counts::Nothing {
            return None;
        }
        self.take_again(&[(right.license, amount)].into());
        Some(UsesHold { rights: Arc::clone(&self.0), license: right.license, amount })
    }

    fn known(&self, question: &Question, now: Milliseconds) -> Result<Found, u64> {
        let state = self.0.lock();
        state.known(question, now).ok_or(state.generation)
    }

    fn remember(&self, question: Question, now: Milliseconds, answer: (u64, Found)) {
        let mut state = self.0.lock();
        let (generation, found) = answer;
        if state.generation != generation {
            return; // a block came while the chain was asked
        }
        if state.found.len() >= MOST_REMEMBERED {
            state.found.clear();
        }
        state.found.insert(question, (now, found));
    }

    /// Takes `most` uses, or what is left if that is at least `least`; or says how many are left.
    /// None if nothing is known any more.
    fn take(
        &self,
        question: &Question,
        (least, most): (u64, u64),
        now: Milliseconds,
    ) -> Option<Result<UsesHold, u64>> {
        let mut state = self.0.lock();
        let live = state.known(question, now)?.ok()?;
        let license = live.right.license;
        let taken = state.taken.get(&license).copied().unwrap_or_default();
        let left = live.left.saturating_sub(taken);
        let amount = most.min(left);
        if amount < least {
            return Some(Err(left));
        }
        state.taken.insert(license, taken.saturating_add(amount));
        drop(state);
        Some(Ok(UsesHold { rights: Arc::clone(&self.0), license, amount }))
    }
}

impl UsesHold {
    /// How many.
    pub(crate) const fn amount(&self) -> u64 {
        self.amount
    }
}

impl Gateway {
    /// G8: the right of a payer in final state, or a refusal that says what is missing.
    pub(crate) async fn right(
        &self,
        model: &Model,
        payer: Address,
        purpose: u8,
    ) -> Result<Right, ApiError> {
        if !model.licensing.needs_right {
            return Ok(Live::OPEN.right);
        }
        let question = (payer, model.asset, purpose);
        let found = match self.rights.known(&question, self.now()) {
            Ok(found) => found,
            Err(generation) => {
                let asked = self.now();
                let found = self.chain().right(question, self.address()).await?;
                self.rights.remember(question, asked, (generation, found));
                found
            }
        };
        match found {
            Ok(live) if live.is_meter => Ok(live.right),
            Ok(live) => Err(self.no_meter(model, live)),
            Err(short) => Err(refusal(model, question, short)),
        }
    }

    /// Holds what a request may use of a counted licence: at least `least`, so that it can begin.
    pub(crate) async fn hold_uses(
        &self,
        model: &Model,
        question: Question,
        (right, least, most): (Right, u64, u64),
    ) -> Result<Option<UsesHold>, ApiError> {
        if right.counts == Counts::Nothing {
            return Ok(None);
        }
        for _ in 0..TURNS {
            if self.right(model, question.0, question.2).await? != right {
                break;
            }
            match self.rights.take(&question, (least, most), self.now()) {
                Some(Ok(hold)) => return Ok(Some(hold)),
                Some(Err(left)) => return Err(used_up(model, question, (right, left, least))),
                None => {}
            }
        }
        Err(ApiError::busy("the payer's licence changed meanwhile: expected a retry"))
    }

    /// Refuses who may not read a usage log: its owner may, and who holds a licence. Without terms it
    /// is nobody else's to read.
    pub(crate) async fn may_read(&self, log: AssetId, reader: Address) -> Result<(), ApiError> {
        if self.chain().owner(log).await? == reader {
            return Ok(());
        }
        if self.chain().licensing(log).await?.needs_right {
            for purpose in [purpose::INFERENCE, purpose::TRAINING] {
                let question = (reader, log, purpose);
                if self.chain().right(question, self.address()).await?.is_ok() {
                    return Ok(());
                }
            }
        }
        Err(ApiError::forbidden(format!(
            "{reader} neither owns the usage log {log} nor holds a licence of it: expected ILicenses.buy at {LICENSES}, if its owner offers terms"
        )))
    }

    fn no_meter(&self, model: &Model, live: Live) -> ApiError {
        let (gateway, holder, license) = (self.address(), live.holder, live.right.license);
        let message = format!(
            "licence {license} of asset {} counts uses, and this gateway may not count them: expected its holder {holder} to call ILicenses.setMeter({gateway}, true) at {LICENSES}",
            model.asset
        );
        let details = json!({
            "asset": model.asset, "missing": "meter", "license": license, "holder": holder,
            "call": { "to": LICENSES, "function": "setMeter(address,bool)", "arguments": [gateway, true] },
        });
        ApiError::unlicensed((403, "license_meter_missing"), message, details)
    }
}

/// Which terms there are, and how to get a licence under them.
fn details(model: &Model, question: Question, what: &str) -> Value {
    let mut details = json!({
        "asset": model.asset,
        "account": question.0,
        "purposes": purpose::names(question.2),
        "missing": what,
        "buy": {
            "to": LICENSES,
            "function": "buy((uint64,bytes32,uint32,address,address))",
            "value": "price and fee, as quote(terms, quantity) says",
            "renew": "renew(license, quantity)",
        },
    });
    if let (Some(fields), Value::Object(licensing)) =
        (details.as_object_mut(), model.licensing.json())
    {
        fields.extend(licensing);
    }
    details
}

/// What is on offer, in a sentence.
fn on_offer(model: &Model, purpose: u8) -> String {
    match model.licensing.cheapest(purpose) {
        Some(cheapest) => format!(
            "expected a licence bought with ILicenses.buy at {LICENSES} (`sahara license`), the cheapest costs {cheapest}"
        ),
        None => "its owner offers no terms that grant it now".into(),
    }
}

fn refusal(model: &Model, question: Question, short: Missing) -> ApiError {
    let (what, why) = missing(short);
    let status = match short {
        Missing::Uses => (402, "license_uses_exhausted"),
        Missing::Expired => (402, "license_expired"),
        Missing::Revoked => (403, "license_revoked"),
        Missing::Purpose => (403, "license_purpose_missing"),
        _ => (403, "license_required"),
    };
    let message = format!(
        "{} may not use asset {} for {}: {why}; {}",
        question.0,
        model.asset,
        purpose::names(question.2).join(" and "),
        on_offer(model, question.2)
    );
    ApiError::unlicensed(status, message, details(model, question, what))
}

/// What is left is taken by requests that run and receipts that wait for their claim.
fn used_up(model: &Model, question: Question, short: (Right, u64, u64)) -> ApiError {
    let (Right { license, counts, .. }, left, least) = short;
    let unit = if counts == Counts::Tokens { "tokens" } else { "uses" };
    let message = format!(
        "licence {license} has {left} {unit} left that no running request holds, this one needs {least}: expected ILicenses.renew or a smaller request; {}",
        on_offer(model, question.2)
    );
    let status = (402, "license_uses_exhausted");
    ApiError::unlicensed(status, message, details(model, question, "uses"))
}
