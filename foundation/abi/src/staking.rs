//! Staking: validators, delegations, slashing, voting power.

alloy_sol_types::sol! {
    #![sol(abi, all_derives, extra_derives(serde::Serialize, serde::Deserialize))]
    /// Validators and who stands behind them. A delegation is shares of its validator's stake, so that a slash is one division for all of them.
    interface IStaking {
        /// The keys of one seat: consensus key (BLS12-381, 96 bytes), proof that it is held (48 bytes), network key (ed25519); and where
        /// its node is reached: IPv6 or mapped IPv4, and port. Only seats of block 0 may have port 0: the nodes' own configuration says it then.
        struct SeatKey { bytes consensusKey; bytes possession; bytes32 networkKey; bytes16 ip; uint16 port; }
        struct Validator {
            uint256 stake; uint256 shares; uint256 unpaid; uint16 commission; uint64 commissionChangedAt; address feeAddress;
            uint64 jailedUntil; uint32 keys; uint32 slashes; uint32 delegators; bool isJailed; bool isTombstoned; bool isLeaving;
        }
        struct Delegation { uint256 shares; uint256 value; uint256 earned; uint256 lockedShares; }
        /// `amount` is what `withdraw` would pay if nothing more is slashed.
        struct Unbonding { uint256 amount; uint64 createdAt; uint64 completesAt; }
        struct Redelegation { address source; uint256 shares; uint64 createdAt; uint64 maturesAt; }
        /// Ratios in basis points, periods in seconds. For `epoch` seconds seats stay with who has them, unless one of them may not keep it.
        struct Parameters {
            uint32 epoch; uint32 unbonding; uint32 jail; uint16 seats; uint16 maxCommission; uint16 maxCommissionChange;
            uint16 doubleSignSlash; uint16 downtimeSlash; uint16 bounty; uint8 window; uint8 maxMissed;
        }

        event ValidatorCreated(address indexed validator, address feeAddress, uint16 commission);
        event ValidatorEdited(address indexed validator, address feeAddress, uint16 commission);
        event SeatKeyAdded(address indexed validator, uint32 index, bytes consensusKey, bytes32 networkKey);
        event ValidatorLeaving(address indexed validator);
        event Delegated(address indexed delegator, address indexed validator, uint256 amount, uint256 shares);
        event Undelegated(address indexed delegator, address indexed validator, uint256 amount, uint256 shares, uint64 completesAt);
        event Redelegated(address indexed delegator, address indexed source, address indexed destination, uint256 amount, uint256 shares, uint64 maturesAt);
        event Withdrawn(address indexed delegator, address indexed validator, uint256 amount);
        event Rewarded(address indexed validator, uint256 amount, uint256 commission);
        event Paid(address indexed delegator, address indexed validator, uint256 amount);
        event Slashed(address indexed validator, uint256 amount, uint16 ratio, uint64 faultAt, address reporter, uint256 bounty);
        /// An old fault reached stake that had left: `isUnbonding`, or gone over to `holder`'s present validator.
        event SlashReached(address indexed delegator, address indexed validator, address indexed holder, uint256 amount, bool isUnbonding);
        event Jailed(address indexed validator, uint64 until);
        event Unjailed(address indexed validator);
        event Tombstoned(address indexed validator);
        event SeatMoved(address indexed validator, uint32 index, bytes16 ip, uint16 port);
        /// Seats were apportioned anew, for this epoch of consensus and those after it.
        event EpochBegan(uint64 indexed epoch, uint64 startedAt, uint32 seats);
        event ParametersChanged(Parameters parameters);

        error UnknownValidator(address validator);
        error ValidatorExists(address validator);
        error TooManyValidators(uint256 most);
        error StakeTooSmall(uint256 stake, uint256 least);
        error CommissionTooHigh(uint16 commission, uint16 most);
        error CommissionChange(uint16 from, uint16 to, uint64 allowedAt);
        error InvalidFeeAddress(address account);
        /// Keys that are none, or not held; a place where no node can be: port 0, or the address of none, many or all; or no such seat.
        error InvalidSeatKey(uint256 index);
        error SeatKeyTaken(uint256 index);
        error TooManySeatKeys(uint256 keys, uint256 most);
        error ValidatorClosed(address validator);
        /// Slashes left nothing that shares of this validator could be bought with.
        error WorthlessShares(address validator);
        error DelegationTooSmall();
        error InsufficientStake(address validator, uint256 amount, uint256 available);
        error TooManyEntries(uint256 most);
        /// The account stands behind too many validators, past ones within the voting history included.
        error TooManyDelegations(uint256 most);
        error SameValidator(address validator);
        /// Old faults must be applied first: call `applySlashes`.
        error SlashesPending(address delegator, address validator);
        error NothingMature(uint64 next);
        error NotJailed(address validator);
        error JailedUntil(address validator, uint64 until);
        error ValidatorTombstoned(address validator);
        error InvalidEvidence();
        error EvidenceTooOld(uint64 faultAt, uint64 expiredAt);
        error UnknownEpoch(uint64 epoch);
        error OnlySystemCaller(address caller);
        /// ERC-5805.
        error ERC5805FutureLookup(uint256 timepoint, uint48 clock);

        /// Makes the caller a validator; the coin sent is its first delegation.
        function createValidator(uint16 commission, address feeAddress, SeatKey[] calldata keys) external payable;
        /// Changes commission (by at most the daily step, once a day) and fee address.
        function editValidator(uint16 commission, address feeAddress) external;
        /// A validator fills at most as many seats as it has keys.
        function addSeatKey(SeatKey calldata key) external;
        /// Says where the node of a seat is reached from the next apportionment on.
        function moveSeat(uint32 key, bytes16 ip, uint16 port) external;
        /// Takes no more delegations and no seats from the next epoch on.
        function leaveValidator() external;
        function unjail() external;

        function delegate(address validator) external payable;
        function undelegate(address validator, uint256 amount) external returns (uint64 completesAt);
        function redelegate(address source, address destination, uint256 amount) external;
        /// Pays what has finished unbonding; anyone may ask.
        function withdraw(address delegator, address validator) external returns (uint256 amount);
        /// Credits what a delegation earned; anyone may ask.
        function settle(address delegator, address validator) external returns (uint256 amount);
        /// Credits what the caller earned and delegates it to the same validator.
        function compound(address validator) external returns (uint256 amount);
        /// Applies old faults to what a delegator has with, or is unbonding from, a validator; anyone may ask.
        function applySlashes(address delegator, address validator) external returns (uint256 amount);
        /// Two votes of one seat's key that exclude each other, encoded as nodes keep them (an activity of the consensus library).
        function reportDoubleSign(address validator, uint32 key, bytes calldata evidence) external;
        /// Which validators led the last block, and which missed their turns before it.
        function participation(address[] calldata present, address[] calldata missed) external;
        function setParameters(Parameters calldata parameters) external;

        function validator(address validator) external view returns (Validator memory);
        function validators(uint256 start, uint256 count) external view returns (address[] memory validators, uint256 total);
        function seatKeys(address validator, uint256 start, uint256 count) external view returns (SeatKey[] memory keys, uint256 total);
        function delegation(address delegator, address validator) external view returns (Delegation memory);
        /// Validators that an account stands or stood behind.
        function delegationsOf(address delegator, uint256 start, uint256 count) external view returns (address[] memory validators, uint256 total);
        function delegators(address validator, uint256 start, uint256 count) external view returns (address[] memory delegators, uint256 total);
        function unbondings(address delegator, address validator) external view returns (Unbonding[] memory);
        function redelegations(address delegator, address validator) external view returns (Redelegation[] memory);
        function parameters() external view returns (Parameters memory);
        function currentEpoch() external view returns (uint64 epoch, uint64 startedAt);
        /// Who holds which seats in an epoch, by the validators' addresses.
        function seatsOf(uint64 epoch) external view returns (address[] memory validators, uint32[] memory keys);
        /// How the seats would be apportioned now.
        function nextSeats() external view returns (address[] memory validators, uint32[] memory seats);

        /// ERC-6372.
        function clock() external view returns (uint48);
        /// ERC-6372.
        function CLOCK_MODE() external view returns (string memory);
        /// ERC-5805: bonded coin of the account. Not transferable.
        function getVotes(address account) external view returns (uint256);
        /// ERC-5805.
        function getPastVotes(address account, uint256 timepoint) external view returns (uint256);
        /// ERC-5805: all bonded coin.
        function getPastTotalSupply(uint256 timepoint) external view returns (uint256);
        /// ERC-5805: everyone votes for itself.
        function delegates(address account) external view returns (address);
        /// All coin behind a validator at a time: what its vote weighs before its delegators vote themselves.
        function getPastStake(address validator, uint256 timepoint) external view returns (uint256);
        /// What an account had with one validator at a time.
        function getPastDelegation(address delegator, address validator, uint256 timepoint) external view returns (uint256);
    }
}
