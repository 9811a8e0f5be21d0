//! [`Parameters`]: fees and caps of the whole economy, in one place with their defaults.
//!
//! Genesis may name others ([`found`]), governance may set them. They act on what is agreed from then
//! on: a channel has the fee with which it was opened, an asset the royalty with which it was registered.

use super::gas::GasParameters;
use crate::{
    dispatch::require_governance,
    liabilities::RawSlot,
    state::{Failure, Read, Write},
    storage::{Pack, Slot, Unpack, Value, storage},
};
use alloy_primitives::{Address, U256};
use sahara_abi::{IProtocol, ISystem, SYSTEM};
use sahara_primitives::{Amount, BasisPoints};

storage! { SYSTEM:
    /// Fees and caps.
    PARAMETERS: Slot<Parameters> = 0;
    /// What gas costs at least.
    GAS: Slot<GasParameters> = 1;
}

/// The system's account holds nothing for anyone.
#[expect(clippy::unnecessary_wraps, reason = "the table's shape: other protocols read words")]
pub(crate) const fn liability(_: RawSlot, _: U256) -> Result<U256, Failure> {
    Ok(U256::ZERO)
}

/// Fees and caps of the whole economy; see `ISystem.Parameters`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Parameters {
    /// The incentive pool's part on top of worker and asset price: 1 %, of an answer of 1 SAHARA 0.01.
    pub protocol_fee: BasisPoints,
    /// The incentive pool's part on top of a licence's price: 1 %.
    pub license_fee: BasisPoints,
    /// The incentive pool's part on top of a price in the market: 1 %.
    pub market_fee: BasisPoints,
    /// What publishing a listing on chain costs: 0.01 SAHARA, so that the index is not filled for nothing.
    pub listing_fee: Amount,
    /// The most of a price for whoever brought the buyer: 10 %.
    pub max_referral: BasisPoints,
    /// The most that an asset asks of each descendant: 20 %.
    pub max_derivative_royalty: BasisPoints,
    /// The most that all ancestors together take of an asset's income: half, the rest is its makers'.
    pub max_lineage_royalty: BasisPoints,
    /// The most of a licence's resale that its terms ask: 20 %, as for derivatives.
    pub max_resale_royalty: BasisPoints,
    /// The most that a gateway asks on top of a charge: 5 %.
    pub max_gateway_fee: BasisPoints,
}

impl Parameters {
    /// What holds until governance sets something else.
    pub const DEFAULT: Self = Self {
        protocol_fee: BasisPoints::constant(100),
        license_fee: BasisPoints::constant(100),
        market_fee: BasisPoints::constant(100),
        listing_fee: Amount::from_base_units(U256::from_limbs([10_000_000_000_000_000, 0, 0, 0])),
        max_referral: BasisPoints::constant(1_000),
        max_derivative_royalty: BasisPoints::constant(2_000),
        max_lineage_royalty: BasisPoints::constant(5_000),
        max_resale_royalty: BasisPoints::constant(2_000),
        max_gateway_fee: BasisPoints::constant(500),
    };

    /// The most that governance may set: fees of a tenth, so that no vote can take what others earn, and
    /// parts of a price that leave something to its seller whatever was agreed under earlier caps.
    pub const MOST: Self = Self {
        protocol_fee: BasisPoints::constant(1_000),
        license_fee: BasisPoints::constant(1_000),
        market_fee: BasisPoints::constant(1_000),
        listing_fee: Amount::from_base_units(U256::from_limbs([0, 5, 0, 0])),
        max_referral: BasisPoints::constant(2_000),
        max_derivative_royalty: BasisPoints::constant(5_000),
        max_lineage_royalty: BasisPoints::constant(9_000),
        max_resale_royalty: BasisPoints::constant(5_000),
        max_gateway_fee: BasisPoints::constant(1_000),
    };

    const fn ratios(&self) -> [BasisPoints; 8] {
        [
            self.protocol_fee,
            self.license_fee,
            self.market_fee,
            self.max_referral,
            self.max_derivative_royalty,
            self.max_lineage_royalty,
            self.max_resale_royalty,
            self.max_gateway_fee,
        ]
    }

    /// Whether an economy could live with them: nothing above [`Self::MOST`], and lineage possible.
    pub fn is_valid(&self) -> bool {
        self.ratios().iter().zip(Self::MOST.ratios()).all(|(ratio, most)| *ratio <= most)
            && self.listing_fee <= Self::MOST.listing_fee
            && self.max_derivative_royalty <= self.max_lineage_royalty
            && self.max_lineage_royalty > BasisPoints::ZERO
    }
}

impl Default for Parameters {
    fn default() -> Self {
        Self::DEFAULT
    }
}

/// A word of zeros stands for the defaults, so that genesis needs to write none; valid ones are never zeros.
impl Value for Parameters {
    type Words = [U256; 1];

    fn pack(&self) -> Result<Self::Words, Failure> {
        let fee = self.listing_fee.to_u128().unwrap_or(u128::MAX);
        let ratios = self.ratios().into_iter();
        ratios
            .fold(Pack::new().number(128, fee), |pack, ratio| {
                pack.number(16, ratio.points().into())
            })
            .finish()
            .map(|word| [word])
    }

    fn unpack([word]: &Self::Words) -> Result<Self, Failure> {
        if word.is_zero() {
            return Ok(Self::DEFAULT);
        }
        let mut word = Unpack::new(*word);
        let listing_fee = Amount::from_u128(word.number(128)?);
        let mut ratio = || {
            let broken = |_| Failure::Fatal("a stored ratio is above one".into());
            BasisPoints::new(word.number(16)?).map_err(broken)
        };
        Ok(Self {
            protocol_fee: ratio()?,
            license_fee: ratio()?,
            market_fee: ratio()?,
            listing_fee,
            max_referral: ratio()?,
            max_derivative_royalty: ratio()?,
            max_lineage_royalty: ratio()?,
            max_resale_royalty: ratio()?,
            max_gateway_fee: ratio()?,
        })
    }
}

impl TryFrom<&ISystem::Parameters> for Parameters {
    type Error = Failure;

    fn try_from(shown: &ISystem::Parameters) -> Result<Self, Failure> {
        let ratio = |points| BasisPoints::new(points).map_err(|_| IProtocol::InvalidParameters {});
        let parameters = Self {
            protocol_fee: ratio(shown.protocolFee)?,
            license_fee: ratio(shown.licenseFee)?,
            market_fee: ratio(shown.marketFee)?,
            listing_fee: Amount::from_u128(shown.listingFee),
            max_referral: ratio(shown.maxReferral)?,
            max_derivative_royalty: ratio(shown.maxDerivativeRoyalty)?,
            max_lineage_royalty: ratio(shown.maxLineageRoyalty)?,
            max_resale_royalty: ratio(shown.maxResaleRoyalty)?,
            max_gateway_fee: ratio(shown.maxGatewayFee)?,
        };
        if parameters.is_valid() {
            Ok(parameters)
        } else {
            Err(IProtocol::InvalidParameters {}.into())
        }
    }
}

impl From<Parameters> for ISystem::Parameters {
    fn from(stored: Parameters) -> Self {
        Self {
            protocolFee: stored.protocol_fee.points(),
            licenseFee: stored.license_fee.points(),
            marketFee: stored.market_fee.points(),
            listingFee: stored.listing_fee.to_u128().unwrap_or(u128::MAX),
            maxReferral: stored.max_referral.points(),
            maxDerivativeRoyalty: stored.max_derivative_royalty.points(),
            maxLineageRoyalty: stored.max_lineage_royalty.points(),
            maxResaleRoyalty: stored.max_resale_royalty.points(),
            maxGatewayFee: stored.max_gateway_fee.points(),
        }
    }
}

/// Fees and caps as they stand.
///
/// # Errors
/// Those of the state.
pub fn parameters(state: &mut impl Read) -> Result<Parameters, Failure> {
    PARAMETERS.get(state)
}

/// Writes the parameters that genesis names.
///
/// # Errors
/// `InvalidParameters`.
pub fn found_parameters(
    state: &mut impl Write,
    shown: &ISystem::Parameters,
) -> Result<(), Failure> {
    let parameters = Parameters::try_from(shown)?;
    PARAMETERS.update(state, |stored| {
        *stored = parameters;
        Ok(())
    })
}

/// Sets what governance may set.
///
/// # Errors
/// `OnlyGovernance`, `InvalidParameters`.
pub(super) fn set_parameters(
    state: &mut impl Write,
    caller: Address,
    shown: &ISystem::Parameters,
) -> Result<(), Failure> {
    require_governance(caller)?;
    found_parameters(state, shown)?;
    state.emit(SYSTEM, ISystem::ParametersChanged { parameters: shown.clone() })
}
