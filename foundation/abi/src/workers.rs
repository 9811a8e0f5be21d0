//! Workers and gateways.

alloy_sol_types::sol! {
    #![sol(abi, all_derives, extra_derives(serde::Serialize, serde::Deserialize))]
    /// Who computes and who sells: bonds, served assets, prices.
    interface IWorkers {
        struct Worker { string endpoint; uint256 bond; uint64 registeredAt; uint64 leavingAt; }
        struct Gateway { string endpoint; uint256 bond; uint16 fee; uint64 registeredAt; uint64 leavingAt; }
        struct Offer { uint128 inputPrice; uint128 outputPrice; bool isServed; }

        event WorkerRegistered(address indexed worker, string endpoint, uint256 bond);
        event GatewayRegistered(address indexed gateway, string endpoint, uint256 bond, uint16 fee);
        event Served(address indexed worker, uint64 indexed asset, uint128 inputPrice, uint128 outputPrice);
        event Unserved(address indexed worker, uint64 indexed asset);
        event Leaving(address indexed account, uint64 leavingAt);
        event Left(address indexed account, uint256 bond);

        error BondTooSmall(uint256 bond, uint256 least);
        error AlreadyRegistered(address account);
        error NotRegistered(address account);
        error AccountLeaving(address account, uint64 leavingAt);
        error BondLocked(uint64 until);
        error GatewayFeeTooHigh(uint16 fee, uint16 most);
        error EndpointTooLong(uint256 bytes_, uint256 most);
        error UnknownServedAsset(uint64 asset);
        error NotServed(address worker, uint64 asset);
        /// A worker leaves after it has unserved its last asset.
        error StillServing(address worker, uint32 assets);
        error WorkerPriceTooHigh(uint128 price, uint128 most);

        /// Registers the caller as a worker; the coin sent is its bond.
        function registerWorker(string calldata endpoint) external payable;
        /// Registers the caller as a gateway; the coin sent is its bond, `fee` its part of worker and asset price in basis points.
        function registerGateway(string calldata endpoint, uint16 fee) external payable;
        /// Offers an asset at these prices (base units per 1,000,000 tokens); again to change them.
        function serve(uint64 asset, uint128 inputPrice, uint128 outputPrice) external;
        /// Withdraws an offer; what was earned before can be collected for one notice period.
        function unserve(uint64 asset) external;
        /// Starts the notice period after which `withdrawBond` returns the bonds, of the worker and of the gateway that the caller is.
        function leave() external;
        /// Returns the caller's bonds whose notice has ended; it can register again.
        function withdrawBond() external;

        function worker(address account) external view returns (Worker memory);
        function gateway(address account) external view returns (Gateway memory);
        function offer(address worker, uint64 asset) external view returns (Offer memory);
        /// Workers that serve an asset, from `start`, at most `count`.
        function workersOf(uint64 asset, uint256 start, uint256 count) external view returns (address[] memory workers, uint256 total);
        function minimumBond() external view returns (uint256);
        /// Seconds between `leave` and `withdrawBond`.
        function noticePeriod() external view returns (uint64);
    }
}
