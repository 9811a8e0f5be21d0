//! What every block does by itself.

alloy_sol_types::sol! {
    #![sol(abi, all_derives, extra_derives(serde::Serialize, serde::Deserialize))]
    /// Called by the last transaction of a block, whose sender has no key; and what governance may set for the whole economy.
    interface ISystem {
        /// Fees and caps; ratios in basis points. What was agreed before a change keeps what was agreed: open channels
        /// their fees, registered assets their royalties, registered terms their parts. A listing is checked when it sells.
        struct Parameters {
            /// The incentive pool's part on top of a charge, in channels opened from now on.
            uint16 protocolFee;
            /// The incentive pool's part on top of a licence's price.
            uint16 licenseFee;
            /// The incentive pool's part on top of a price in the market.
            uint16 marketFee;
            /// What publishing a listing on chain costs, in base units.
            uint128 listingFee;
            /// The most of a price for whoever brought the buyer.
            uint16 maxReferral;
            /// The most that an asset asks of each descendant.
            uint16 maxDerivativeRoyalty;
            /// The most that all ancestors together take of an asset's income.
            uint16 maxLineageRoyalty;
            /// The most of a licence's resale that its terms ask.
            uint16 maxResaleRoyalty;
            /// The most that a gateway asks on top of a charge.
            uint16 maxGatewayFee;
        }

        /// What gas costs at least.
        struct GasParameters {
            /// Base units for a unit of gas, below which the base fee never falls: 1 gwei unless a vote says otherwise, from
            /// 0.1 to 10,000 gwei, and no more than ten times or less than a tenth of what it was.
            uint64 baseFeeFloor;
        }

        /// The block's gas fees were divided: validators by seats, the rest to the incentive pool.
        event FeesDistributed(uint256 total, uint256 validators, uint256 incentivePool);
        /// Coin that would have been destroyed went to the incentive pool.
        event Recovered(uint256 amount);
        /// Governance set fees and caps.
        event ParametersChanged(Parameters parameters);
        /// Governance set what gas costs at least.
        event GasParametersChanged(GasParameters parameters);

        error OnlySystem(address caller);

        /// Distributes the block's fees among `recipients` (one seat each; `leader` takes the remainder), credits
        /// members of pools that wait (at most 256 credits a block), and counts who `missed` turns to lead since the block before.
        function endBlock(address leader, address[] calldata recipients, address[] calldata missed) external;
        /// Genesis supply; the sum of all coin at any time.
        function supply() external view returns (uint256);
        /// Sets fees and caps from the next call on; only governance.
        function setParameters(Parameters calldata parameters) external;
        function parameters() external view returns (Parameters memory);
        /// Sets what gas costs at least, from the next block on; only governance.
        function setGasParameters(GasParameters calldata parameters) external;
        function gasParameters() external view returns (GasParameters memory);
    }
}
