//! Names of repositories: what the Hugging Face Hub calls `owner/name`.
//!
//! Names of assets are not unique, addresses are: the owner part is the address that registered the
//! first version, and the name part is the asset's name in the characters that hubs allow. All
//! versions are one repository; `asset/ID` names one of them and needs no name at all.

use sahara_primitives::{Address, AssetId};

/// With the address and the slash this leaves room within a hub's 96 characters.
const MAX_NAME: usize = 48;

/// The repository of an asset.
pub(crate) fn name(creator: Address, name: &str, asset: AssetId) -> String {
    let slug = slug(name);
    let slug = if slug.is_empty() { format!("asset-{asset}") } else { slug };
    format!("0x{}/{slug}", hex::encode(creator))
}

/// A name in small ASCII letters, digits and single `-`, `_` and `.`, as hubs allow.
#[must_use]
pub fn slug(name: &str) -> String {
    let mut slug = String::new();
    for character in name.chars().map(|c| c.to_ascii_lowercase()) {
        let allowed = if character.is_ascii_alphanumeric() || "_.".contains(character) {
            character
        } else {
            '-'
        };
        let is_repeated = "-.".contains(allowed) && slug.ends_with(['-', '.']);
        if slug.len() < MAX_NAME && !is_repeated {
            slug.push(allowed);
        }
    }
    let slug = slug.trim_matches(['-', '.']);
    slug.strip_suffix(".git").unwrap_or(slug).to_owned()
}

#[cfg(test)]
mod tests {
    use super::{MAX_NAME, name, slug};
    use proptest::prelude::{any, proptest};
    use sahara_primitives::{Address, AssetId};

    #[test]
    fn names_become_what_hubs_allow() {
        assert_eq!(slug("SmolLM2 135M Instruct"), "smollm2-135m-instruct");
        assert_eq!(slug("Ünïcode / ../x.git"), "n-code-x");
        assert_eq!(slug("…"), "");
        let zero = "0x0000000000000000000000000000000000000000";
        assert_eq!(name(Address::ZERO, "…", AssetId(7)), format!("{zero}/asset-7"));
    }

    proptest! {
        #[test]
        fn no_name_makes_a_name_that_hubs_refuse(text in any::<String>()) {
            let slug = slug(&text);
            assert!(slug.len() <= MAX_NAME);
            assert!(slug.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || "-_.".contains(c)));
            assert!(!slug.contains("--") && !slug.contains("..") && !slug.ends_with(".git"));
            assert!(!slug.starts_with(['-', '.']) && !slug.ends_with(['-', '.']));
        }
    }
}
