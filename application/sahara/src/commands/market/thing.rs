//! What the market sells, as people type it.

use alloy_primitives::U256;
use sahara_abi::{ASSETS, LICENSES};
use sahara_primitives::{Address, Amount, B256};
use serde::{Deserialize, Serialize};
use std::{fmt, path::PathBuf, str::FromStr};

/// `asset:3` or `license:7`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub(crate) struct Thing(pub(crate) sahara_client::Thing);

/// A thing and its price, at first and at the end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Item {
    pub(crate) thing: Thing,
    pub(crate) price: Amount,
    pub(crate) end_price: Amount,
}

/// What is taken back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Cancelled {
    /// A published listing.
    Listing(B256),
    /// A signed one.
    File(PathBuf),
    /// Any listing with this nonce.
    Nonce(u64),
    /// All listings with a lower nonce.
    Below(u64),
    /// An auction without bids.
    Auction(u64),
}

/// A text says nothing that is sold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ParseThingError {
    text: String,
    expected: &'static str,
}

impl ParseThingError {
    fn new(text: &str, expected: &'static str) -> Self {
        Self { text: text.chars().take(60).collect(), expected }
    }
}

impl fmt::Display for ParseThingError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{}`: expected {}", self.text, self.expected)
    }
}

impl std::error::Error for ParseThingError {}

impl Thing {
    /// By its token; `None` for a contract that the market does not know.
    pub(crate) fn at(collection: Address, token: U256) -> Option<Self> {
        let id = u64::try_from(token).ok()?;
        match collection {
            ASSETS => Some(Self(sahara_client::Thing::Asset(id))),
            LICENSES => Some(Self(sahara_client::Thing::License(id))),
            _ => None,
        }
    }
}

impl FromStr for Thing {
    type Err = ParseThingError;

    fn from_str(text: &str) -> Result<Self, ParseThingError> {
        let error = || ParseThingError::new(text, "asset:ID or license:ID, as asset:3");
        let (kind, id) = text.split_once(':').ok_or_else(error)?;
        let id = id.parse().map_err(|_| error())?;
        match kind {
            "asset" => Ok(Self(sahara_client::Thing::Asset(id))),
            "license" => Ok(Self(sahara_client::Thing::License(id))),
            _ => Err(error()),
        }
    }
}

impl fmt::Display for Thing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            sahara_client::Thing::Asset(id) => f.pad(&format!("asset:{id}")),
            sahara_client::Thing::License(id) => f.pad(&format!("license:{id}")),
        }
    }
}

impl From<Thing> for String {
    fn from(thing: Thing) -> Self {
        thing.to_string()
    }
}

impl TryFrom<String> for Thing {
    type Error = ParseThingError;

    fn try_from(text: String) -> Result<Self, ParseThingError> {
        text.parse()
    }
}

impl FromStr for Item {
    type Err = ParseThingError;

    fn from_str(text: &str) -> Result<Self, ParseThingError> {
        let expected =
            "asset:ID=PRICE or license:ID=PRICE in SAHARA, as asset:3=100 or asset:3=100..40";
        let error = || ParseThingError::new(text, expected);
        let (thing, prices) = text.split_once('=').ok_or_else(error)?;
        let (price, end_price) = prices.split_once("..").unwrap_or((prices, prices));
        let price: Amount = price.parse().map_err(|_| error())?;
        let end_price = end_price.parse().map_err(|_| error())?;
        if end_price > price {
            return Err(ParseThingError::new(
                text,
                "a price that falls or stays: START..END with END at most START",
            ));
        }
        Ok(Self { thing: thing.parse().map_err(|_| error())?, price, end_price })
    }
}

impl FromStr for Cancelled {
    type Err = ParseThingError;

    fn from_str(text: &str) -> Result<Self, ParseThingError> {
        let expected = "a listing's hash or file, nonce:N, below:N or auction:N";
        let error = || ParseThingError::new(text, expected);
        let number = |number: &str| number.parse().map_err(|_| error());
        match text.split_once(':') {
            Some(("nonce", nonce)) => return Ok(Self::Nonce(number(nonce)?)),
            Some(("below", floor)) => return Ok(Self::Below(number(floor)?)),
            Some(("auction", auction)) => return Ok(Self::Auction(number(auction)?)),
            _ => {}
        }
        if text.starts_with("0x") {
            return text.parse().map(Self::Listing).map_err(|_| error());
        }
        if text.is_empty() { Err(error()) } else { Ok(Self::File(PathBuf::from(text))) }
    }
}

/// What a licence's state says beside its end and its limit, which others may move by paying a renewal:
/// its window, uses, transfers, revocation, and its holder's renewals (`specs/0011-licenses.md`, 5.1).
pub(super) fn kept(state: B256) -> Vec<u8> {
    let is_moved = |place: usize| place < 5 || (10..18).contains(&place);
    let bytes = state.iter().enumerate().filter(|(place, _)| !is_moved(*place));
    bytes.map(|(_, byte)| *byte).collect()
}

#[cfg(test)]
mod tests {
    use super::{Cancelled, Item, Thing, kept};
    use alloy_primitives::B256;
    use sahara_primitives::Amount;

    #[test]
    fn things_read_what_they_wrote() {
        for text in ["asset:3", "license:7"] {
            assert_eq!(text.parse::<Thing>().unwrap().to_string(), text);
        }
        for text in ["3", "asset", "asset:", "asset:-1", "coin:3", "asset:x"] {
            assert!(text.parse::<Thing>().is_err(), "{text:?} was read");
        }
    }

    #[test]
    fn prices_are_exact_and_never_rise() {
        let item: Item = "asset:3=0.000000000000000001".parse().unwrap();
        assert_eq!((item.price, item.end_price), (Amount::from_u128(1), Amount::from_u128(1)));
        let item: Item = "license:2=100..40.5".parse().unwrap();
        assert_eq!(
            (item.price.to_string(), item.end_price.to_string()),
            ("100".into(), "40.5".into())
        );
        for text in
            ["asset:3", "asset:3=", "asset:3=1..2", "asset:3=-1", "asset:3=1e3", "asset:3=1,5"]
        {
            assert!(text.parse::<Item>().is_err(), "{text:?} was read");
        }
    }

    #[test]
    fn what_is_cancelled_is_named_by_its_form() {
        assert_eq!("nonce:5".parse(), Ok(Cancelled::Nonce(5)));
        assert_eq!("below:5".parse(), Ok(Cancelled::Below(5)));
        assert_eq!("auction:5".parse(), Ok(Cancelled::Auction(5)));
        assert_eq!("listing.json".parse(), Ok(Cancelled::File("listing.json".into())));
        assert!(matches!(format!("0x{}", "11".repeat(32)).parse(), Ok(Cancelled::Listing(_))));
        for text in ["", "0x11", "nonce:x"] {
            assert!(text.parse::<Cancelled>().is_err(), "{text:?} was read");
        }
    }

    #[test]
    fn a_renewal_by_others_leaves_a_listing_standing() {
        let listed: B256 = B256::repeat_byte(7);
        let changed = |place: usize| {
            let mut state = listed;
            state[place] = 8;
            kept(state) != kept(listed)
        };
        // Five bytes of its end, five of its window, eight of its limit, eight of its uses, and the rest.
        let noticed: Vec<_> = (0..32).filter(|place| changed(*place)).collect();
        assert_eq!(noticed, (5..10).chain(18..32).collect::<Vec<_>>());
    }
}
