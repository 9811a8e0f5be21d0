//! Assets, their lineage and their members.

use super::{Apply, Place, for_sale::Thing, read};
use crate::{
    database::{Dialect, Read as _, Value, coin, integer, money},
    error::IndexError,
    metadata::{Metadata, clean},
    source::AssetFacts,
    words::vector,
};
use alloy_sol_types::{SolCall, SolEvent};
use sahara_abi::{ASSETS, IAssets};
use sahara_client::Log;
use std::collections::BTreeMap;

/// The most ancestors kept of an asset, the nearest first: lines that ask for no share are not
/// bounded by the chain.
const MAX_LINEAGE: usize = 256;
/// Longer than any URI the chain takes.
const MAX_URI: usize = 65_536;

impl Apply<'_> {
    pub(super) async fn assets_log(
        &mut self,
        place: Place<'_>,
        log: &Log,
    ) -> Result<(), IndexError> {
        match log.inner.data.topics().first().copied() {
            Some(IAssets::Registered::SIGNATURE_HASH) => {
                let Some(event) = read::<IAssets::Registered>(log) else { return Ok(()) };
                self.registered(place, &event).await
            }
            Some(IAssets::Linked::SIGNATURE_HASH) => {
                let Some(event) = read::<IAssets::Linked>(log) else { return Ok(()) };
                self.linked(&event).await
            }
            Some(IAssets::DerivativeApproved::SIGNATURE_HASH) => {
                let Some(event) = read::<IAssets::DerivativeApproved>(log) else { return Ok(()) };
                if !event.isApproved {
                    return Ok(());
                }
                self.end_listings(Thing::asset(integer(event.parent)?)).await
            }
            Some(IAssets::PricesChanged::SIGNATURE_HASH) => {
                let Some(event) = read::<IAssets::PricesChanged>(log) else { return Ok(()) };
                let prices = [money(event.inputPrice), money(event.outputPrice)];
                self.set(event.asset, "input_price = $2, output_price = $3", &prices).await
            }
            Some(IAssets::MembersAdded::SIGNATURE_HASH) => {
                let Some(event) = read::<IAssets::MembersAdded>(log) else { return Ok(()) };
                self.members_added(place, &event).await
            }
            Some(IAssets::Sealed::SIGNATURE_HASH) => {
                let Some(event) = read::<IAssets::Sealed>(log) else { return Ok(()) };
                let units = money(event.units.to());
                self.set(event.asset, "is_sealed = 1, units = $2", &[units]).await
            }
            Some(IAssets::Transfer::SIGNATURE_HASH) => {
                let Some(event) = read::<IAssets::Transfer>(log) else { return Ok(()) };
                let Ok(asset) = u64::try_from(event.tokenId) else { return Ok(()) };
                let thing = Thing::asset(integer(asset)?);
                self.end_listings(thing).await?;
                self.end_words_of(thing.token).await?;
                self.may_sell(Some(thing));
                self.set(asset, "owner = $2", &[event.to.into()]).await
            }
            _ => Ok(()),
        }
    }

    async fn set(&mut self, asset: u64, what: &str, values: &[Value]) -> Result<(), IndexError> {
        self.touched.insert(asset);
        let mut all = vec![Value::Int(integer(asset)?)];
        all.extend_from_slice(values);
        let sql = format!("UPDATE assets SET {what} WHERE asset = $1");
        self.sql.run(&sql, &all).await.map(drop)
    }

    async fn registered(
        &mut self,
        place: Place<'_>,
        event: &IAssets::Registered,
    ) -> Result<(), IndexError> {
        let id = integer(event.asset)?;
        let facts = self.data.assets.get(&event.asset);
        let missing = || IndexError::malformed("an asset", &"the node does not know it");
        let facts: &AssetFacts = facts.ok_or_else(missing)?;
        let metadata = Metadata::read(&event.metadataURI);
        let [names, tags, texts] = metadata.words(&event.metadataURI);
        let registration = registration(place, event);
        let owner_units = registration.map(|registration| money(registration.ownerUnits.to()));
        let row = [
            ("asset", Value::Int(id)),
            ("kind", kind_name(event.kind).into()),
            ("creator", event.creator.into()),
            ("owner", event.creator.into()),
            ("account", facts.account.into()),
            ("content_hash", event.contentHash.into()),
            ("uri", clean(&event.metadataURI, MAX_URI).into()),
            ("name", metadata.name.into()),
            ("description", metadata.description.into()),
            ("tags", metadata.tags.join("\n").into()),
            ("name_words", names.as_str().into()),
            ("tag_words", tags.as_str().into()),
            ("text_words", texts.as_str().into()),
            ("input_price", money(0)),
            ("output_price", money(0)),
            ("derivative_royalty", i64::from(facts.derivative_royalty).into()),
            ("derivatives", policy_name(facts.derivatives).into()),
            ("is_sealed", false.into()),
            ("members", 0.into()),
            ("units", money(0)),
            ("owner_units", owner_units.unwrap_or(Value::NoText)),
            ("committed", 0.into()),
            ("committed_units", money(0)),
            ("block", self.block.into()),
            ("log_index", place.log_index.into()),
            ("registered_at", integer(self.data.header.nonce.to())?.into()),
            ("revenue", money(0)),
            ("fees", money(0)),
            ("uses", 0.into()),
            ("patrons", 0.into()),
            ("quality", money(0)),
        ];
        self.sql.insert("assets", &row).await?;
        self.touched.insert(event.asset);
        self.tally.chain("assets", 1)?;
        self.make_findable(id, [&names, &tags, &texts]).await
    }

    async fn make_findable(
        &mut self,
        id: i64,
        [name, tags, text]: [&str; 3],
    ) -> Result<(), IndexError> {
        let (sql, values) = match self.dialect {
            Dialect::Sqlite => (
                "INSERT INTO words (rowid, name, tags, text) VALUES ($1, $2, $3, $4)",
                vec![id.into(), name.into(), tags.into(), text.into()],
            ),
            Dialect::Postgres => (
                "INSERT INTO words (asset, words) VALUES ($1, CAST($2 AS tsvector))",
                vec![id.into(), vector(name, tags, text).into()],
            ),
        };
        self.sql.run(sql, &values).await.map(drop)
    }

    /// An edge, and with it the parent's whole line. Edges follow the registration, in its block.
    async fn linked(&mut self, event: &IAssets::Linked) -> Result<(), IndexError> {
        let (asset, parent) = (integer(event.asset)?, integer(event.parent)?);
        let row = [
            ("asset", Value::Int(asset)),
            ("parent", parent.into()),
            ("relation", relation_name(event.relation).into()),
        ];
        self.sql.insert("edges", &row).await?;
        self.tally.chain("edges", 1)?;
        self.end_listings_of_own(event).await?;
        let known = "SELECT ancestor, distance FROM ancestors WHERE asset = $1";
        let mut line = BTreeMap::new();
        for row in self.sql.rows(known, &[asset.into()]).await? {
            line.insert(row.number("ancestor")?, row.int("distance")?);
        }
        let mut nearer = |ancestor, distance: i64| {
            let known = line.entry(ancestor).or_insert(distance);
            *known = distance.min(*known);
        };
        nearer(event.parent, 1);
        for row in self.sql.rows(known, &[parent.into()]).await? {
            nearer(row.number("ancestor")?, row.int("distance")?.saturating_add(1));
        }
        let mut line: Vec<_> = line.into_iter().map(|(id, distance)| (distance, id)).collect();
        line.sort_unstable();
        self.sql.run("DELETE FROM ancestors WHERE asset = $1", &[asset.into()]).await?;
        let facts = self.data.assets.get(&event.asset);
        for (distance, ancestor) in line.into_iter().take(MAX_LINEAGE) {
            let share = facts.and_then(|facts| facts.shares.get(&ancestor)).copied();
            let row = [
                ("asset", Value::Int(asset)),
                ("ancestor", integer(ancestor)?.into()),
                ("distance", distance.into()),
                ("share", i64::from(share.unwrap_or_default()).into()),
            ];
            self.sql.insert("ancestors", &row).await?;
        }
        Ok(())
    }

    /// Ends what was listed of an asset from which its owner derives, or to which it adds a version: whoever buys
    /// it commits to that (0012). A measurement is no right; records are gateways' own.
    async fn end_listings_of_own(&mut self, event: &IAssets::Linked) -> Result<(), IndexError> {
        if matches!(event.relation, IAssets::Relation::EvaluatedOn | IAssets::Relation::Records) {
            return Ok(());
        }
        let sql = "SELECT p.asset FROM assets a JOIN assets p ON p.owner = a.creator \
            WHERE a.asset = $1 AND p.asset = $2";
        let values = [integer(event.asset)?.into(), integer(event.parent)?.into()];
        let Some(row) = self.sql.row(sql, &values).await? else { return Ok(()) };
        self.end_listings(Thing::asset(row.int("asset")?)).await
    }

    /// Their number and units are in the event, who they are only in the call: members enrolled by a
    /// contract are known as payees, from `Settled`, but not before they are paid.
    async fn members_added(
        &mut self,
        place: Place<'_>,
        event: &IAssets::MembersAdded,
    ) -> Result<(), IndexError> {
        let (asset, count) = (integer(event.asset)?, coin(event.count)?);
        let sql = "SELECT members, units FROM assets WHERE asset = $1";
        let Some(row) = self.sql.row(sql, &[asset.into()]).await? else { return Ok(()) };
        let count = i64::try_from(count).unwrap_or(i64::MAX);
        let members = row.int("members")?.saturating_add(count);
        let units = row.money("units")?.saturating_add(event.units.to());
        self.set(event.asset, "members = $2, units = $3", &[members.into(), money(units)]).await?;
        for member in members_of(place, event).unwrap_or_default() {
            let row = [
                ("asset", Value::Int(asset)),
                ("account", member.account.into()),
                ("units", money(member.units.to())),
            ];
            self.sql.insert_new("members", &row).await?;
            self.tally.takes_part(member.account, place.position);
        }
        Ok(())
    }
}

/// The call that registered the asset, if it is the transaction itself.
fn registration(place: Place<'_>, event: &IAssets::Registered) -> Option<IAssets::Registration> {
    let call = direct::<IAssets::registerCall>(place)?;
    (place.transaction.from == event.creator).then_some(call.registration)
}

fn members_of(place: Place<'_>, event: &IAssets::MembersAdded) -> Option<Vec<IAssets::Member>> {
    if let Some(call) = direct::<IAssets::addMembersCall>(place) {
        return (call.asset == event.asset).then_some(call.members);
    }
    direct::<IAssets::registerCall>(place).map(|call| call.registration.members)
}

/// The transaction as a call to the registry.
fn direct<C: SolCall>(place: Place<'_>) -> Option<C> {
    let transaction = place.transaction;
    if transaction.to != Some(ASSETS) {
        return None;
    }
    C::abi_decode(&transaction.input).ok()
}

/// A kind as `inference_task`.
fn kind_name(kind: IAssets::Kind) -> String {
    words_of(&format!("{kind:?}")).to_lowercase()
}

fn policy_name(policy: IAssets::Derivatives) -> String {
    format!("{policy:?}").to_lowercase()
}

/// As `TRAINED_ON`.
fn relation_name(relation: IAssets::Relation) -> String {
    words_of(&format!("{relation:?}")).to_uppercase()
}

/// `InferenceTask` as `Inference_Task`.
fn words_of(name: &str) -> String {
    let mut words = String::new();
    for character in name.chars() {
        if character.is_ascii_uppercase() && !words.is_empty() {
            words.push('_');
        }
        words.push(character);
    }
    words
}
