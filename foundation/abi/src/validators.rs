//! Validators.

alloy_sol_types::sol! {
    #![sol(abi, all_derives, extra_derives(serde::Serialize, serde::Deserialize))]
    /// Who proposes and votes, by epoch.
    interface IValidators {
        /// From `epoch` on the set with this hash validates.
        event ValidatorsChanged(uint64 indexed epoch, bytes32 validators, uint256 seats);

        error WrongEpoch(uint64 expected, uint64 got);
        /// In the last block of an epoch it is too late for the next.
        error EpochCloses(uint64 epoch);
        error AlreadyChanged(uint64 epoch);
        error ChangeRefused(string reason);

        /// Replaces the validators from the next epoch on. `signedChange` carries the new set and the signature of more than two thirds of the current seats; anyone may send it.
        function change(bytes calldata signedChange) external;

        /// The epoch of this block.
        function epoch() external view returns (uint64);
        /// Blocks in an epoch.
        function epochLength() external view returns (uint64);
        /// What every signed change names, so that it is of this network.
        function origin() external view returns (bytes32);
        /// The set of an epoch, encoded, and its first epoch; of the next epoch as it is decided so far.
        function validatorsOf(uint64 epoch) external view returns (bytes memory validators, uint64 since);
        /// The first epochs of the sets there have been, from `start`, at most `count`.
        function changes(uint256 start, uint256 count) external view returns (uint64[] memory epochs, uint256 total);
    }
}
