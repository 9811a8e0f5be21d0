//! Pools and the division of payments.

alloy_sol_types::sol! {
    #![sol(abi, all_derives, extra_derives(serde::Serialize, serde::Deserialize))]
    /// What is paid for using an asset is divided among those who made it possible.
    /// Where the owner alone earns, it is credited in the paying call and nothing is stored: `pool`, `earned` and `paidTo`
    /// are zero for such an asset, and its history is its parts of payments.
    interface IRoyalties {
        struct Pool {
            /// Everything ever deposited.
            uint256 deposited;
            /// Everything ever paid out.
            uint256 paid;
            /// Units of all members, owner included; 0 when the owner alone earns.
            uint96 units;
            uint64 members;
        }

        /// What an account holds of a pool and why it earns: of its units `u` among `U` it is due, of everything deposited `D`,
        /// `u * D / U` rounded down. A member's part can be one unit lower still: it is `u * floor(D * 2^128 / U) >> 128`.
        struct Statement {
            uint64 asset;
            /// As a member or contributor.
            uint96 units;
            /// That go with ownership; 0 for who does not own the asset.
            uint96 ownerUnits;
            uint96 poolUnits;
            /// Everything ever deposited.
            uint256 deposited;
            /// Credited so far, as a former owner included.
            uint256 paid;
            /// Earned and not yet credited.
            uint256 earned;
        }

        /// What a payment gave one asset.
        struct Part {
            uint64 asset;
            /// Who alone earns from it and was credited in the paying call; zero where members hold the pool.
            address account;
            uint256 amount;
        }

        /// A payment for the use of `asset` was divided: the parts of its ancestors, then its own. What a dispute holds back is in
        /// none, and a part that rounds to nothing is left out.
        event Paid(uint64 indexed asset, address indexed payer, uint256 amount, Part[] parts);
        /// The pool of `asset` took coin that a dispute had held.
        event Deposited(uint64 indexed asset, uint64 indexed source, uint256 amount);
        /// `account` was credited with what it earned in the pool of `asset`.
        event Settled(uint64 indexed asset, address indexed account, uint256 amount);

        error PoolFull(uint64 asset);
        error TooManyPools(uint256 pools, uint256 most);

        /// Pays the call's coin for the use of `asset`.
        function pay(uint64 asset) external payable;
        /// Credits `account` with what it earned in these pools; anyone may call. Returns the sum.
        function settle(address account, uint64[] calldata assets) external returns (uint256 amount);

        /// Earned and not yet credited, over all of the account's pools; exact in the same block.
        function earned(address account) external view returns (uint256);
        function earnedIn(address account, uint64 asset) external view returns (uint256);
        /// Credited so far from the pool of `asset`.
        function paidTo(address account, uint64 asset) external view returns (uint256);
        function pool(uint64 asset) external view returns (Pool memory);
        function unitsOf(uint64 asset, address account) external view returns (uint96);
        /// What the account holds and earned in its pools, from `start`, at most `count`.
        function statement(address account, uint256 start, uint256 count) external view returns (Statement[] memory statements, uint256 total);
        /// Pools in which the account is a member, from `start`, at most `count`.
        function poolsOf(address account, uint256 start, uint256 count) external view returns (uint64[] memory assets, uint256 total);
    }
}
