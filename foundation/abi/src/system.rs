//! What every block does by itself.

alloy_sol_types::sol! {
    #![sol(abi, all_derives, extra_derives(serde::Serialize, serde::Deserialize))]
    /// Called by the last transaction of a block, whose sender has no key.
    interface ISystem {
        /// The block's gas fees were divided: validators by seats, the rest to the incentive pool.
        event FeesDistributed(uint256 total, uint256 validators, uint256 incentivePool);
        /// Coin that would have been destroyed went to the incentive pool.
        event Recovered(uint256 amount);

        error OnlySystem(address caller);

        /// Distributes the block's fees among `recipients` (one seat each; `leader` takes the remainder) and credits
        /// members of pools that wait (at most 256 credits a block).
        function endBlock(address leader, address[] calldata recipients) external;
        /// Genesis supply; the sum of all coin at any time.
        function supply() external view returns (uint256);
    }
}
