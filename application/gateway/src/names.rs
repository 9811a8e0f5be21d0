//! [`Names`]: what models are called.
//!
//! A name is its first asset's creator's, whether anybody serves that asset now or not: nobody takes over
//! a name by registering it again while its workers are away. Of the creator's own versions the oldest
//! that is served has it. All others are called `name-<asset>`, or `asset-<asset>` if that is somebody's
//! name too. Numbers, and names like `asset-7`, mean assets by number and are nobody's names.

use crate::catalog::metadata;
use alloy_primitives::Address;
use sahara_abi::IAssets::Kind;
use sahara_primitives::AssetId;
use std::collections::{BTreeMap, BTreeSet};

/// Names of all assets that could be served.
#[derive(Debug, Default)]
pub(crate) struct Names {
    declared: BTreeMap<AssetId, Option<(String, Address)>>,
    called: BTreeMap<AssetId, Called>,
    is_stale: bool,
}

#[derive(Clone, Debug)]
struct Called {
    /// One that the creator's versions share.
    shared: Option<String>,
    /// One that is this asset's alone.
    own: String,
}

impl Names {
    pub(crate) fn knows(&self, asset: AssetId) -> bool {
        self.declared.contains_key(&asset)
    }

    pub(crate) fn learn(&mut self, asset: AssetId, name: Option<String>, creator: Address) {
        let declared = name.map(|name| (name, creator));
        if self.declared.get(&asset) != Some(&declared) {
            self.declared.insert(asset, declared);
            self.is_stale = true;
        }
    }

    /// Gives names to what is served.
    pub(crate) fn give(&mut self) -> Given<'_> {
        if std::mem::take(&mut self.is_stale) {
            self.called = called(&self.declared);
        }
        Given { called: &self.called, taken: BTreeSet::new() }
    }
}

/// Who is called what, decided from the oldest asset to the newest.
fn called(declared: &BTreeMap<AssetId, Option<(String, Address)>>) -> BTreeMap<AssetId, Called> {
    // Whose a name is; nobody's if it was made here.
    let mut owners: BTreeMap<String, Option<Address>> = BTreeMap::new();
    let call = |(asset, declared): (&AssetId, &Option<(String, Address)>)| {
        let numbered = format!("asset-{asset}");
        let Some((name, creator)) = declared else {
            return (*asset, Called { shared: None, own: numbered });
        };
        let owner = *owners.entry(name.clone()).or_insert(Some(*creator));
        let longer = format!("{name}-{asset}");
        let is_free = !owners.contains_key(&longer);
        let own = if is_free { longer } else { numbered };
        // What somebody is called, nobody can declare later.
        owners.insert(own.clone(), None);
        (*asset, Called { shared: (owner == Some(*creator)).then(|| name.clone()), own })
    };
    declared.iter().map(call).collect()
}

/// Names as they are given, to the oldest served asset first.
pub(crate) struct Given<'a> {
    called: &'a BTreeMap<AssetId, Called>,
    taken: BTreeSet<&'a str>,
}

impl Given<'_> {
    pub(crate) fn next(&mut self, asset: AssetId) -> String {
        match self.called.get(&asset) {
            Some(Called { shared: Some(name), .. }) if self.taken.insert(name) => name.clone(),
            Some(Called { own, .. }) => own.clone(),
            None => format!("asset-{asset}"),
        }
    }
}

/// Whether a model is named by its number.
pub(crate) fn is_number(name: &str) -> bool {
    !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_digit())
}

/// The name in an asset's metadata, written as model ids are: `SmolLM2 135M` is `smollm2-135m`; none for
/// what cannot be served, for a number and for what looks like the name of an asset without one.
pub(crate) fn name(kind: Kind, uri: &str) -> Option<String> {
    if matches!(kind, Kind::Dataset | Kind::Recipe | Kind::UsageLog) {
        return None;
    }
    let metadata = metadata(uri)?;
    let name = metadata.get("name")?.as_str()?;
    let letter = |letter: char| {
        if letter.is_alphanumeric() || "._:/-".contains(letter) { letter } else { '-' }
    };
    let name: String = name.trim().to_lowercase().chars().take(80).map(letter).collect();
    let is_reserved = is_number(name.strip_prefix("asset-").unwrap_or(&name));
    (!name.is_empty() && !is_reserved).then_some(name)
}

#[cfg(test)]
mod tests {
    use super::{Names, name};
    use alloy_primitives::Address;
    use sahara_abi::IAssets::Kind;
    use sahara_primitives::AssetId;

    fn learned(assets: &[(u64, &str, u8)]) -> Names {
        let mut names = Names::default();
        for (asset, name, creator) in assets {
            let name = (!name.is_empty()).then(|| (*name).to_owned());
            names.learn(AssetId(*asset), name, Address::repeat_byte(*creator));
        }
        names
    }

    fn given(names: &mut Names, served: &[u64]) -> Vec<String> {
        let mut given = names.give();
        served.iter().map(|asset| given.next(AssetId(*asset))).collect()
    }

    #[test]
    fn a_copycat_never_has_the_name_of_the_original() {
        let mut names =
            learned(&[(3, "llama", 1), (7, "llama", 2), (9, "llama-7", 2), (11, "", 2)]);
        assert_eq!(given(&mut names, &[3, 7, 9]), ["llama", "llama-7", "llama-7-9"]);
        // The original's workers are away.
        assert_eq!(given(&mut names, &[7, 9, 11]), ["llama-7", "llama-7-9", "asset-11"]);
        // One that was sealed later, and is older.
        names.learn(AssetId(2), Some("llama-7".into()), Address::repeat_byte(4));
        assert_eq!(given(&mut names, &[2, 3, 7, 9]), ["llama-7", "llama", "asset-7", "llama-7-9"]);
    }

    #[test]
    fn a_name_goes_on_with_its_creators_next_version() {
        let mut names = learned(&[(3, "llama", 1), (5, "llama", 1), (6, "llama-5", 2)]);
        assert_eq!(given(&mut names, &[3, 5, 6]), ["llama", "llama-5", "llama-5-6"]);
        assert_eq!(given(&mut names, &[5, 6]), ["llama", "llama-5-6"]);
    }

    #[test]
    fn numbers_are_no_names_and_nobody_is_called_like_an_asset_without_one() {
        let of = |kind, text: &str| {
            name(kind, &format!("data:application/json,{{\"name\":\"{text}\"}}"))
        };
        assert_eq!(of(Kind::Model, "SmolLM2 135M").as_deref(), Some("smollm2-135m"));
        for text in ["7", " 007 ", "asset-7", "Asset 7", ""] {
            assert_eq!(of(Kind::Model, text), None, "{text}");
        }
        assert_eq!(of(Kind::Dataset, "llama"), None);
    }
}
