//! Vesting: which coin of the classes comes free when, and moves that are announced.

alloy_sol_types::sol! {
    #![sol(abi, all_derives, extra_derives(serde::Serialize, serde::Deserialize))]
    /// Schedules of the token's classes and of their beneficiaries, the airdrop, and announced moves.
    interface IVesting {
        /// `pool` is the account without key that holds the class. `held` schedules have no beneficiary yet: grants (or claims) are cut from
        /// them. A schedule whose beneficiary is its own pool comes free where it lies.
        struct Schedule {
            address pool; address beneficiary; address offeredTo; uint256 total; uint256 released;
            uint64 cliff; uint64 start; uint64 end; uint16 atCliff; uint16 steps;
            bool isRevocable; bool needsNotice; bool isHeld; bool isRevoked;
        }
        /// `amount` comes free between `begins` and `ends`: at once when they are equal, else evenly by the second.
        struct Unlock { uint64 begins; uint64 ends; uint256 amount; }
        enum MoveState {
            /// It waits, or it expired.
            Announced,
            /// It was executed.
            Executed,
            /// It was taken back.
            Cancelled
        }
        /// `schedule` is 0 for a move of what has come free in a pool.
        struct Move {
            uint64 schedule; MoveState state; address from; address to; uint256 amount;
            uint64 announcedAt; uint64 executableAt; uint64 expiresAt;
        }
        struct Airdrop { bytes32 root; uint64 opens; uint64 closes; uint256 unclaimed; }

        event Granted(uint64 indexed schedule, address indexed pool, address indexed beneficiary, uint256 total, uint64 delay, bool isRevocable);
        event Released(uint64 indexed schedule, address indexed beneficiary, uint256 amount);
        event Revoked(uint64 indexed schedule, address indexed beneficiary, uint256 kept, uint256 returned);
        event BeneficiaryOffered(uint64 indexed schedule, address indexed from, address indexed to);
        event BeneficiaryChanged(uint64 indexed schedule, address indexed from, address indexed to);
        event MoveAnnounced(uint64 indexed id, address indexed from, address indexed to, uint256 amount, uint64 schedule, uint64 executableAt, uint64 expiresAt);
        event MoveExecuted(uint64 indexed id, address indexed from, address indexed to, uint256 amount);
        event MoveCancelled(uint64 indexed id);
        event AirdropPublished(bytes32 root);
        event Claimed(uint64 indexed index, address indexed account, uint256 amount, uint64 schedule);
        event AirdropClosed(uint256 unclaimed);
        event AuthorityOffered(address indexed from, address indexed to);
        event AuthorityChanged(address indexed from, address indexed to);

        error UnknownSchedule(uint64 schedule);
        error NotABeneficiary(address account);
        /// Coin of this schedule leaves only by an announced move.
        error NoticeRequired(uint64 schedule);
        /// The schedule is not for release: it has no beneficiary, or comes free where it lies.
        error NothingToRelease(uint64 schedule);
        error OnlyBeneficiary(uint64 schedule, address caller);
        error OnlyAuthority(address caller);
        error OnlyOffered(address caller);
        error NotRevocable(uint64 schedule);
        error NotAPool(address account);
        /// The pool's class has no schedule that grants are cut from.
        error NoGrants(address pool);
        error GrantTooLarge(uint256 amount, uint256 left);
        error DelayTooLong(uint64 delay, uint64 most);
        error InvalidMove(address to, uint256 amount);
        error UnknownMove(uint64 id);
        error MoveNotPending(uint64 id);
        error MoveTooEarly(uint64 id, uint64 executableAt);
        error MoveExpired(uint64 id, uint64 expiresAt);
        error InsufficientUnlocked(uint256 amount, uint256 unlocked);
        error AirdropAlreadyPublished(bytes32 root);
        error AirdropNotOpen(uint64 opens);
        error AirdropOver(uint64 closes);
        error AirdropNotOver(uint64 closes);
        error AlreadyClaimed(uint64 index);
        error InvalidAirdropProof(uint64 index);

        /// Pays the beneficiary what came free; anyone may ask. Returns the amount.
        function release(uint64 schedule) external returns (uint256 amount);
        /// Offers the caller's schedule to another account, which must accept; the zero address takes the offer back.
        function offerBeneficiary(uint64 schedule, address to) external;
        /// Takes over a schedule that was offered to the caller.
        function acceptBeneficiary(uint64 schedule) external;

        /// Announces a move from the caller's schedule that needs notice. Returns the move's number.
        function announce(uint64 schedule, address to, uint256 amount) external returns (uint64 id);
        /// The authority announces a move of what has come free in a pool. Returns the move's number.
        function announceFromPool(address pool, address to, uint256 amount) external returns (uint64 id);
        /// Executes an announced move, from `executableAt` on and before `expiresAt`; anyone may ask.
        function execute(uint64 id) external;
        /// Cancels an announced move; whoever could announce it now may.
        function cancel(uint64 id) external;

        /// The authority gives a part of a pool's class to a beneficiary, on the class's curve, `delay` seconds later. Returns the schedule's number.
        function grant(address pool, address beneficiary, uint256 amount, uint64 delay, bool isRevocable) external returns (uint64 schedule);
        /// The authority ends a revocable schedule: what came free stays the beneficiary's, the rest goes back to the class.
        function revoke(uint64 schedule) external;
        function offerAuthority(address to) external;
        function acceptAuthority() external;

        /// The authority sets the airdrop's root, once.
        function publishAirdrop(bytes32 root) external;
        /// Claims an allocation for its account; anyone may ask. Leaves are keccak256(keccak256(abi.encode(chainId, this, index, account, amount))),
        /// nodes hash their sorted children. Returns the number of the allocation's schedule.
        function claim(uint64 index, address account, uint256 amount, bytes32[] calldata proof) external returns (uint64 schedule);
        /// Returns to the treasury what nobody claimed; from `closes` on anyone may ask.
        function closeAirdrop() external;

        function schedule(uint64 schedule) external view returns (Schedule memory);
        function scheduleCount() external view returns (uint64);
        /// Numbers of the schedules that an account holds or ever held, from `start`, at most `count`.
        function schedulesOf(address account, uint256 start, uint256 count) external view returns (uint64[] memory schedules, uint256 total);
        /// How much of a schedule has come free at a time.
        function vestedAt(uint64 schedule, uint64 time) external view returns (uint256);
        function releasable(uint64 schedule) external view returns (uint256);
        /// Everything of a schedule that comes free after a time, in order.
        function unlocks(uint64 schedule, uint64 afterTime) external view returns (Unlock[] memory);
        /// What schedules still bind of a pool's coin.
        function lockedIn(address pool) external view returns (uint256);
        /// What announced moves may take from a pool.
        function unlockedIn(address pool) external view returns (uint256);
        function announcedMove(uint64 id) external view returns (Move memory);
        function moveCount() external view returns (uint64);
        /// Announced moves from number `first` on, at most `count`, whatever became of them.
        function moves(uint64 first, uint256 count) external view returns (Move[] memory);
        function airdrop() external view returns (Airdrop memory);
        function isClaimed(uint64 index) external view returns (bool);
        function airdropLeaf(uint64 index, address account, uint256 amount) external view returns (bytes32);
        function authority() external view returns (address);
        function offeredAuthority() external view returns (address);
        /// Seconds between an announcement and the first moment of its execution.
        function noticePeriod() external view returns (uint64);
        /// Seconds in which an announced move may be executed.
        function executionWindow() external view returns (uint64);
    }
}
