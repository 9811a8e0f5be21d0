//! The steps of an asset's life, each one call: registered, licensed, sold, contributed to.
//!
//! They add nothing to the interfaces of `sahara-abi` but what every caller would have to repeat: the
//! exact payment is asked first, and what the chain named is read from the transaction's own events.

use crate::{chain::ChainClient, error::ClientError, key::SigningKey, outcome::TxOutcome};
use alloy_primitives::{Address, B256, Bytes, U256, aliases::U96};
use alloy_sol_types::SolEvent;
use sahara_abi::{
    ASSETS, CONTRIBUTIONS, IAssets,
    IContributions::{self, Activation, Sibling},
    ILicenses::{self, Missing, Purchase, Terms},
    IMarket::{self, Listing},
    LICENSES, MARKET, signing,
};
use sahara_primitives::{
    Amount, AssetId,
    merkle_sum::{Contribution, SumNode, SumProof, SumRoot},
};

/// The price of something and the protocol's fee on top.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Quote {
    /// Divided among seller, royalty and referral.
    pub price: Amount,
    /// For the incentive pool.
    pub fee: Amount,
}

/// Whether an account may use an asset.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Right {
    /// Whether it may.
    pub is_allowed: bool,
    /// The licence that allows it; 0 when none is needed.
    pub license: U256,
    /// What is missing otherwise.
    pub missing: Missing,
}

/// Something that the market sells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Thing {
    /// The ownership of an asset.
    Asset(u64),
    /// A licence.
    License(u64),
}

/// A purchase from a listing.
#[derive(Clone, Debug)]
pub struct ListingPurchase {
    /// What is bought.
    pub listing: Listing,
    /// Its seller's signature; empty for a published listing.
    pub signature: Bytes,
    /// Who gets the items.
    pub recipient: Address,
    /// Who brought the buyer; zero: nobody.
    pub referrer: Address,
}

impl Quote {
    /// What the buyer pays.
    ///
    /// # Errors
    /// [`ClientError::Decode`] for an answer that is no amount of coin.
    pub fn total(self) -> Result<Amount, ClientError> {
        self.price
            .checked_add(self.fee)
            .map_err(|error| ClientError::Decode { what: "quote", reason: error.to_string() })
    }

    pub(crate) const fn of((price, fee): (U256, U256)) -> Self {
        Self { price: Amount::from_base_units(price), fee: Amount::from_base_units(fee) }
    }
}

impl Thing {
    /// The contract whose token it is.
    #[must_use]
    pub const fn collection(self) -> Address {
        match self {
            Self::Asset(_) => ASSETS,
            Self::License(_) => LICENSES,
        }
    }

    /// Its token's id.
    #[must_use]
    pub fn token(self) -> U256 {
        match self {
            Self::Asset(id) | Self::License(id) => U256::from(id),
        }
    }
}

impl ChainClient {
    /// Registers an asset that the key's account owns.
    ///
    /// # Errors
    /// As [`Self::send`].
    pub async fn register(
        &self,
        key: &SigningKey,
        registration: IAssets::Registration,
    ) -> Result<(AssetId, TxOutcome), ClientError> {
        let call = IAssets::registerCall { registration };
        let outcome = self.send(key, ASSETS, Amount::ZERO, &call).await?;
        let id = logged::<IAssets::Registered>(&outcome)?.asset;
        Ok((AssetId(id), outcome))
    }

    /// Offers licences for an asset of the key's account, registering the terms if nobody has. Returns
    /// the terms' id.
    ///
    /// # Errors
    /// As [`Self::send`].
    pub async fn offer_terms(
        &self,
        key: &SigningKey,
        asset: AssetId,
        terms: &Terms,
    ) -> Result<(B256, TxOutcome), ClientError> {
        let id = self.register_terms(key, terms).await?;
        let offer = ILicenses::offerCall { asset: asset.0, terms: id };
        Ok((id, self.send(key, LICENSES, Amount::ZERO, &offer).await?))
    }

    /// Registers terms unless they are registered, and returns their id.
    ///
    /// # Errors
    /// As [`Self::send`].
    pub async fn register_terms(
        &self,
        key: &SigningKey,
        terms: &Terms,
    ) -> Result<B256, ClientError> {
        let id = self.call(LICENSES, &ILicenses::termsIdCall { data: terms.clone() }).await?;
        match self.call(LICENSES, &ILicenses::termsCall { terms: id }).await {
            Ok(_) => return Ok(id),
            Err(ClientError::Reverted(revert)) if revert.is::<ILicenses::UnknownTerms>() => {}
            Err(error) => return Err(error),
        }
        let call = ILicenses::registerTermsCall { data: terms.clone() };
        self.send(key, LICENSES, Amount::ZERO, &call).await?;
        Ok(id)
    }

    /// What a licence costs now.
    ///
    /// # Errors
    /// As [`Self::call`].
    pub async fn license_quote(&self, terms: B256, quantity: u32) -> Result<Quote, ClientError> {
        let quote = self.call(LICENSES, &ILicenses::quoteCall { terms, quantity }).await?;
        Ok(Quote::of((quote.price, quote.fee)))
    }

    /// Buys a licence for exactly what it costs and returns its id.
    ///
    /// # Errors
    /// As [`Self::send`].
    pub async fn buy_license(
        &self,
        key: &SigningKey,
        purchase: Purchase,
    ) -> Result<(U256, TxOutcome), ClientError> {
        let quote = self.license_quote(purchase.terms, purchase.quantity).await?;
        let call = ILicenses::buyCall { purchase };
        let outcome = self.send(key, LICENSES, quote.total()?, &call).await?;
        Ok((logged::<ILicenses::Issued>(&outcome)?.license, outcome))
    }

    /// Whether an account may use an asset for a sum of purposes, and what is missing otherwise.
    ///
    /// # Errors
    /// As [`Self::call`].
    pub async fn can_use(
        &self,
        account: Address,
        asset: AssetId,
        purpose: u8,
    ) -> Result<Right, ClientError> {
        let call = ILicenses::canUseCall { account, asset: asset.0, purpose };
        let ILicenses::canUseReturn { isAllowed, license, missing } =
            self.call(LICENSES, &call).await?;
        Ok(Right { is_allowed: isAllowed, license, missing })
    }

    /// An item for a listing, in the state in which it is now, at a price that stays.
    ///
    /// # Errors
    /// As [`Self::call`].
    pub async fn item(&self, thing: Thing, price: u128) -> Result<IMarket::Item, ClientError> {
        let (collection, token_id) = (thing.collection(), thing.token());
        let call = IMarket::stateOfCall { collection, tokenId: token_id };
        let state = self.call(MARKET, &call).await?;
        Ok(IMarket::Item { collection, tokenId: token_id, price, endPrice: price, state })
    }

    /// Lets the market move one thing of the key's account, which a sale needs.
    ///
    /// # Errors
    /// As [`Self::send`].
    pub async fn let_market_move(
        &self,
        key: &SigningKey,
        thing: Thing,
    ) -> Result<TxOutcome, ClientError> {
        // Both collections are ERC-721: one selector.
        let call = IAssets::approveCall { to: MARKET, tokenId: thing.token() };
        self.send(key, thing.collection(), Amount::ZERO, &call).await
    }

    /// Signs a listing: it is for sale without a transaction.
    ///
    /// # Errors
    /// When the node does not tell its chain's id.
    pub async fn sign_listing(
        &self,
        key: &SigningKey,
        listing: &Listing,
    ) -> Result<Bytes, ClientError> {
        Ok(key.sign_typed(listing, &signing::market_domain(self.chain_id().await?)))
    }

    /// What a listing costs now.
    ///
    /// # Errors
    /// As [`Self::call`].
    pub async fn listing_quote(&self, listing: &Listing) -> Result<Quote, ClientError> {
        let quote = self.call(MARKET, &IMarket::quoteCall { data: listing.clone() }).await?;
        Ok(Quote::of((quote.price, quote.fee)))
    }

    /// Buys what a listing sells for at most what it costs now: a falling price returns the rest at once.
    /// The number is that of the sale, when its licence can be returned.
    ///
    /// # Errors
    /// As [`Self::send`].
    pub async fn buy_listing(
        &self,
        key: &SigningKey,
        purchase: ListingPurchase,
    ) -> Result<(Option<u64>, TxOutcome), ClientError> {
        let ListingPurchase { listing: data, signature, recipient, referrer } = purchase;
        let quote = self.listing_quote(&data).await?;
        let call = IMarket::buyCall { data, signature, recipient, referrer };
        let outcome = self.send(key, MARKET, quote.total()?, &call).await?;
        let held = outcome.events::<IMarket::Held>();
        Ok((held.first().map(|held| held.data.sale), outcome))
    }

    /// Commits an open asset of the key's account to its contributors, for ever.
    ///
    /// # Errors
    /// As [`Self::send`].
    pub async fn commit_contributions(
        &self,
        key: &SigningKey,
        asset: AssetId,
        root: &SumRoot,
    ) -> Result<TxOutcome, ClientError> {
        let units = units(root.units)?;
        let (asset, root, count) = (asset.0, root.root, root.count);
        let call = IContributions::commitCall { asset, root, units, count };
        self.send(key, CONTRIBUTIONS, Amount::ZERO, &call).await
    }

    /// Makes contributors members of their asset and pays what they earned so far; anyone may. Returns
    /// how many were none before.
    ///
    /// # Errors
    /// As [`Self::send`].
    pub async fn activate_contributions(
        &self,
        key: &SigningKey,
        asset: AssetId,
        activations: Vec<Activation>,
    ) -> Result<(usize, TxOutcome), ClientError> {
        let call = IContributions::activateCall { asset: asset.0, activations };
        let outcome = self.send(key, CONTRIBUTIONS, Amount::ZERO, &call).await?;
        Ok((outcome.events::<IContributions::Activated>().len(), outcome))
    }
}

/// A contribution and its proof as the chain takes them.
///
/// # Errors
/// [`ClientError::Decode`] for units of more than 96 bits.
pub fn activation(
    contribution: &Contribution,
    proof: &SumProof,
) -> Result<Activation, ClientError> {
    let sibling = |node: &SumNode| Ok(Sibling { hash: node.hash, sum: units(node.sum)? });
    Ok(Activation {
        index: proof.index,
        contributor: contribution.contributor,
        units: units(contribution.units)?,
        proof: proof.siblings.iter().map(sibling).collect::<Result<_, ClientError>>()?,
    })
}

fn units(units: u128) -> Result<U96, ClientError> {
    U96::try_from(units).map_err(|_| ClientError::Decode {
        what: "uint96",
        reason: format!("{units} units are more than 96 bits hold"),
    })
}

pub(crate) fn logged<E: SolEvent + Clone>(outcome: &TxOutcome) -> Result<E, ClientError> {
    let event = outcome.events::<E>().into_iter().next();
    event.map(|log| log.data).ok_or_else(|| ClientError::Decode {
        what: E::SIGNATURE,
        reason: format!("transaction {} logged none", outcome.hash),
    })
}
