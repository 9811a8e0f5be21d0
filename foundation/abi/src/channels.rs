//! Payers' deposits, reservations, key grants and claims.

#![expect(
    clippy::too_many_arguments,
    reason = "the macro's output carries the NatSpec of the interface"
)]

alloy_sol_types::sol! {
    #![sol(abi, all_derives, extra_derives(serde::Serialize, serde::Deserialize))]
    /// Pay as you go: bounded loss for both sides, a bill anyone can recompute.
    interface IChannels {
        /// EIP-712, signed by the payer: `gateway` may set aside `amount` of the payer's free deposit once, until `validUntil`;
        /// what it may collect needs vouchers of the payer.
        struct Reservation { address payer; address gateway; uint96 amount; uint64 nonce; uint64 validUntil; }
        /// EIP-712, signed by the payer once: under it the gateway asserts charges and the chain enforces the caps.
        /// An empty list of assets means any asset.
        struct KeyGrant {
            address payer; address gateway; bytes32 keyId; uint96 maxTotal; uint96 maxPerDay; uint64[] assets; uint64 validUntil; uint64 nonce;
        }
        /// EIP-712, signed by the payer: it owes `cumulativeAmount` on the channel, all in all.
        struct Voucher { bytes32 channelId; uint128 cumulativeAmount; }
        /// EIP-712, signed by the worker: what it and the asset earned on the channel, all in all.
        struct Earning { bytes32 channelId; uint64 asset; uint128 cumulativeWorker; uint128 cumulativeAsset; }

        /// Who earned how much since the last claim, proven by the worker's signature over its `Earning`.
        struct Line { uint64 asset; address worker; uint128 cumulativeWorker; uint128 cumulativeAsset; bytes signature; }
        struct Claim {
            bytes32 channelId;
            /// Everything charged on the channel, this claim included.
            uint96 cumulative;
            /// Receipts `seqFrom..seqTo`, the latter exclusive; `seqFrom` is the channel's next.
            uint24 seqFrom;
            uint24 seqTo;
            bytes32 receiptsRoot;
            /// The payer's voucher amount and signature; empty under a key grant.
            uint128 voucherAmount;
            bytes voucherSignature;
            Line[] lines;
        }
        /// Uses (or tokens) of a payer's licence that the receipts of its claim used up.
        struct Use { bytes32 channelId; uint256 license; uint64 count; }
        struct Channel {
            address payer;
            address gateway;
            /// Collected by the gateway, all parts together.
            uint96 settled;
            /// Set aside, the collected part included.
            uint96 deposit;
            /// Worker and asset parts of what was collected; fees are defined on it.
            uint96 base;
            uint24 seq;
            uint32 closeRequestedAt;
            bool isClosed;
            bool isGrant;
            uint16 protocolFee;
            uint16 gatewayFee;
        }
        struct GrantUse { uint96 total; uint96 today; uint64 day; bool isRevoked; }

        event Funded(address indexed payer, address indexed from, uint256 amount);
        event Withdrawn(address indexed payer, uint256 amount);
        event Opened(bytes32 indexed channelId, address indexed payer, address indexed gateway, uint96 amount, bool isGrant);
        event ToppedUp(bytes32 indexed channelId, uint96 amount);
        event Collected(bytes32 indexed channelId, address indexed payer, address indexed gateway, uint96 amount, uint24 seqFrom, uint24 seqTo, bytes32 receiptsRoot);
        /// One line of a claim: what was paid to the worker and for the asset.
        event Earned(bytes32 indexed channelId, uint64 indexed asset, address indexed worker, uint256 workerAmount, uint256 assetAmount);
        event FeesPaid(bytes32 indexed channelId, uint256 protocolFee, uint256 gatewayFee);
        event CloseRequested(bytes32 indexed channelId, uint64 closableAt);
        event Closed(bytes32 indexed channelId, uint96 returned);
        event Revoked(address indexed payer, bytes32 indexed grantHash);

        error InsufficientDeposit(address payer, uint256 free, uint256 needed);
        error UnknownChannel(bytes32 channelId);
        error ChannelClosed(bytes32 channelId);
        /// The payer asked for the rest: nothing can be added to the channel, and it can be asked only once.
        error ChannelClosing(bytes32 channelId, uint64 closableAt);
        error AlreadyOpened(bytes32 channelId);
        error Expired(uint64 validUntil, uint64 timestamp);
        error InvalidSignature(address expected);
        error NotGateway(address caller, address gateway);
        error NotPayer(address caller, address payer);
        /// Nobody can spend what the zero address holds.
        error InvalidPayer(address payer);
        error GatewayNotBonded(address gateway);
        error SelfPayment(address account);
        error GrantRevoked(bytes32 grantHash);
        error GrantTotalExceeded(uint256 total, uint256 maxTotal);
        error GrantDayExceeded(uint256 today, uint256 maxPerDay);
        error AssetNotGranted(uint64 asset);
        error TooManyAssets(uint256 assets, uint256 most);
        error NothingToCollect(bytes32 channelId);
        error StaleClaim(bytes32 channelId, uint24 seq, uint24 seqFrom);
        error EmptyRange(uint24 seqFrom, uint24 seqTo);
        error VoucherTooSmall(uint256 cumulative, uint256 voucherAmount);
        error DepositExceeded(uint256 cumulative, uint256 deposit);
        error PartsDoNotAddUp(uint256 expected, uint256 cumulative);
        error StaleLine(uint64 asset, address worker);
        error WorkerNotRegistered(address worker, uint64 asset);
        error TooManyLines(uint256 lines, uint256 most);
        error CloseNotRequested(bytes32 channelId);
        error TooEarly(uint64 closableAt, uint64 timestamp);
        error AmountTooLarge(uint256 amount, uint256 most);
        /// Uses are counted with a claim of their channel.
        error NotClaimed(bytes32 channelId);

        /// Adds the call's coin to `payer`'s free deposit.
        function fund(address payer) external payable;
        /// Returns coin from the caller's free deposit; what is set aside in channels is not touched.
        function withdraw(uint256 amount) external;

        /// Sets aside a reservation; only its gateway, once.
        function open(Reservation calldata reservation, bytes calldata signature) external returns (bytes32 channelId);
        /// Sets aside `amount` under a key grant; only its gateway. Again to add to it.
        function openGrant(KeyGrant calldata grant, bytes calldata signature, uint96 amount) external returns (bytes32 channelId);
        /// Ends a key grant at once and starts the close of its channel; only its payer.
        function revoke(KeyGrant calldata grant) external;

        /// Collects what receipts say and pays everyone they name, all in this call.
        function claimBatch(Claim[] calldata claims) external;
        /// As `claimBatch`; then counts uses of the payers' licences, as much as is left of each. What cannot be counted any
        /// more refuses nothing: served work is paid whatever became of the right to it.
        function claimAndCount(Claim[] calldata claims, Use[] calldata uses) external;

        /// The payer asks for the rest; after the delay anyone may `close`. The gateway closes at once.
        function requestClose(bytes32 channelId) external;
        function close(bytes32 channelId) external;

        function depositOf(address payer) external view returns (uint256);
        function channel(bytes32 channelId) external view returns (Channel memory);
        function grantUse(bytes32 channelId) external view returns (GrantUse memory);
        /// What the worker and the asset earned on the channel so far.
        function earning(bytes32 channelId, uint64 asset, address worker) external view returns (uint128 cumulativeWorker, uint128 cumulativeAsset);
        /// EIP-712 domain separator of all messages above.
        function DOMAIN_SEPARATOR() external view returns (bytes32);
        /// Seconds between `requestClose` and `close`.
        function closeDelay() external view returns (uint64);
        /// The protocol fee of channels opened now, in basis points.
        function protocolFee() external view returns (uint16);
    }
}
