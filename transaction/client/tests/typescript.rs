//! The TypeScript package's generated part is exactly what the interfaces say.
//!
//! `SAHARA_GENERATE=1 cargo test -p sahara-client --test typescript` writes it anew.

use sahara_abi::{IAssets, IChannels, IIntents, ILicenses, IMarket, PROTOCOLS, signing};
use std::{fmt::Write as _, fs, path::Path};

type Outcome<T = ()> = Result<T, Box<dyn std::error::Error>>;

/// Name, domain and members of a message that is signed by EIP-712.
struct Message {
    domain: &'static str,
    encoded: String,
}

fn messages() -> Vec<Message> {
    use alloy_sol_types::SolStruct as _;
    let of = |domain, encoded: std::borrow::Cow<'static, str>| Message {
        domain,
        encoded: encoded.into_owned(),
    };
    vec![
        of("channels", IChannels::Reservation::eip712_encode_type()),
        of("channels", IChannels::KeyGrant::eip712_encode_type()),
        of("channels", IChannels::Voucher::eip712_encode_type()),
        of("market", IMarket::Listing::eip712_encode_type()),
        of("intents", IIntents::Intent::eip712_encode_type()),
        of("coin", signing::Permit::eip712_encode_type()),
        of("coin", signing::TransferWithAuthorization::eip712_encode_type()),
        of("coin", signing::ReceiveWithAuthorization::eip712_encode_type()),
        of("coin", signing::CancelAuthorization::eip712_encode_type()),
    ]
}

/// One struct, `Name(type member,...`, as viem wants it.
fn members(encoded: &str) -> Outcome<(&str, String)> {
    let (name, list) = encoded.split_once('(').ok_or("a struct has members")?;
    let mut text = String::new();
    for member in list.split(',') {
        let (kind, name) = member.split_once(' ').ok_or("a member has a type and a name")?;
        writeln!(text, "    {{ name: \"{name}\", type: \"{kind}\" }},")?;
    }
    Ok((name, text))
}

/// The variants of a Solidity enum in order of their values, as an object of numbers.
fn variants<E: TryFrom<u8> + std::fmt::Debug>(name: &str, what: &str) -> Outcome<String> {
    let mut text = format!("\n/** {what} */\nexport const {name} = {{\n");
    for (value, variant) in (0..=u8::MAX).map_while(|value| Some((value, E::try_from(value).ok()?)))
    {
        // The macro adds a last variant for values that Solidity does not know.
        let variant = format!("{variant:?}");
        if variant != "__Invalid" {
            let (first, rest) = variant.split_at(1);
            writeln!(text, "  {}{rest}: {value},", first.to_lowercase())?;
        }
    }
    text.push_str("} as const;\n");
    Ok(text)
}

fn generated() -> Outcome<String> {
    let mut text = String::from(
        "// Made from the interfaces in `foundation/abi` by `cargo xtask generate`; do not edit.\n",
    );
    text.push_str("\n/** Where each protocol is called. */\nexport const addresses = {\n");
    for protocol in PROTOCOLS {
        writeln!(text, "  {}: \"{}\",", protocol.name, protocol.address)?;
    }
    text.push_str("} as const;\n");
    for protocol in PROTOCOLS {
        let name = protocol.name;
        writeln!(text, "\n/** Interface of `{name}`, common errors included. */")?;
        writeln!(text, "export const {name}Abi = [")?;
        let abi = serde_json::to_value(protocol.interface())?;
        for item in abi.as_array().ok_or("an ABI is a list")? {
            writeln!(text, "  {item},")?;
        }
        text.push_str("] as const;\n");
    }
    text.push_str(&variants::<IAssets::Kind>("Kind", "What an asset is.")?);
    text.push_str(&variants::<IAssets::Relation>("Relation", "What an edge says of the child.")?);
    text.push_str(&variants::<IAssets::Derivatives>("Derivatives", "Who may derive.")?);
    text.push_str(&variants::<ILicenses::Template>("Template", "Terms to start from.")?);
    text.push_str(&variants::<ILicenses::Pricing>("Pricing", "What a price is for.")?);
    text.push_str(&variants::<ILicenses::Missing>("Missing", "What a right is short of.")?);
    text.push_str("\n/** EIP-712 domains without the chain's id. */\nexport const domains = {\n");
    for (name, domain) in [
        ("channels", signing::channels_domain(0)),
        ("market", signing::market_domain(0)),
        ("intents", signing::intents_domain(0)),
        ("coin", signing::coin_domain(0)),
    ] {
        let title = domain.name.as_deref().ok_or("a domain has a name")?;
        let version = domain.version.as_deref().ok_or("a domain has a version")?;
        let contract = domain.verifying_contract.ok_or("a domain has a contract")?;
        writeln!(
            text,
            "  {name}: {{ name: \"{title}\", version: \"{version}\", verifyingContract: \"{contract}\" }},"
        )?;
    }
    text.push_str("} as const;\n\n/** EIP-712 types of everything a payer signs. */\nexport const messageTypes = {\n");
    for message in messages() {
        let domain = message.domain;
        // The signed struct comes first, then those that it refers to.
        for encoded in message.encoded.split_terminator(')') {
            let (name, members) = members(encoded)?;
            writeln!(text, "  /** Under the domain `{domain}`. */\n  {name}: [\n{members}  ],")?;
        }
    }
    text.push_str("} as const;\n");
    Ok(text)
}

#[test]
fn generated_part_is_current() -> Outcome {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("typescript/src/generated.ts");
    let wanted = generated()?;
    if std::env::var_os("SAHARA_GENERATE").is_some() {
        fs::write(&path, &wanted)?;
    }
    let found = fs::read_to_string(&path)?;
    let line = found.lines().zip(wanted.lines()).position(|(found, wanted)| found != wanted);
    assert!(found == wanted, "line {line:?} of {}: run `cargo xtask generate`", path.display());
    Ok(())
}
