//! Governance: proposals, votes, what the votes decide, pauses and upgrades.

alloy_sol_types::sol! {
    #![sol(abi, all_derives, extra_derives(serde::Serialize, serde::Deserialize))]
    /// `OpenZeppelin`'s Governor, with its counting, storage and timelock readings, over bonded coin. Proposals have types with rules of
    /// their own; a deposit stands behind each; whoever stands behind a validator may vote for itself at any time.
    interface IGovernance {
        enum ProposalState {
            /// Votes are not taken yet.
            Pending,
            /// Votes are taken.
            Active,
            /// Its proposer took it back.
            Canceled,
            /// It was rejected, vetoed, or too few voted.
            Defeated,
            /// It was accepted and can be queued.
            Succeeded,
            /// It waits for its time, or for someone to execute it.
            Queued,
            /// Nobody could execute it in time.
            Expired,
            /// It was executed.
            Executed
        }
        /// What a proposal is about, from the mildest to the strictest. It follows from what it calls.
        enum Kind {
            /// Calls nothing: its only targets are the zero address, without data.
            Text,
            /// Pauses entries, or ends a pause.
            Emergency,
            /// Sets parameters of a protocol.
            Parameter,
            /// Moves or grants coin of the classes.
            Treasury,
            /// Changes governance itself, schedules an upgrade, calls a contract, or does anything else.
            Upgrade
        }
        /// Seconds, basis points, base units. `threshold` is exceeded by votes for among all but abstentions, `veto` by vetoes among all,
        /// `quorum` is reached by all votes among all bonded coin.
        struct Rules { uint32 delay; uint32 period; uint32 timelock; uint16 quorum; uint16 threshold; uint16 veto; uint256 deposit; }
        /// `patience`: seconds after which the chain itself does what anyone may do. `grace`: seconds in which a queued proposal can be
        /// executed. `proposalVotes`: bonded coin a proposer needs. The guardian may pause for `pauseFor` seconds at most, and not again
        /// until `pauseRest` seconds after the pause was to end.
        struct Settings { uint32 patience; uint32 grace; uint32 pauseFor; uint32 pauseRest; address guardian; uint256 proposalVotes; }
        /// What genesis sets: rules in the order of kinds.
        struct Setup { Rules[5] rules; Settings settings; }
        struct Tally { uint256 against; uint256 inFavour; uint256 abstained; uint256 vetoed; uint256 all; uint64 countedAt; }
        struct Upgrade { uint32 version; uint64 height; }

        event ProposalCreated(uint256 proposalId, address proposer, address[] targets, uint256[] values, string[] signatures, bytes[] calldatas, uint256 voteStart, uint256 voteEnd, string description);
        event ProposalQueued(uint256 proposalId, uint256 etaSeconds);
        event ProposalExecuted(uint256 proposalId);
        event ProposalCanceled(uint256 proposalId);
        event VoteCast(address indexed voter, uint256 proposalId, uint8 support, uint256 weight, string reason);
        event VoteCastWithParams(address indexed voter, uint256 proposalId, uint8 support, uint256 weight, string reason, bytes params);
        /// As in `GovernorCountingOverridable`: someone behind this validator voted after it, and for itself.
        event VoteReduced(address indexed delegate, uint256 proposalId, uint8 support, uint256 weight);
        event DepositAdded(address indexed account, address indexed from, uint256 amount);
        event DepositWithdrawn(address indexed account, uint256 amount);
        /// The deposit behind a proposal went back, or, vetoed, to the incentive pool.
        event DepositSettled(uint256 proposalId, address indexed to, uint256 amount);
        /// The chain tried to execute a proposal, which was refused; anyone may still, until it expires.
        event ExecutionFailed(uint256 proposalId, bytes reason);
        event RulesChanged(Kind kind, Rules rules);
        event SettingsChanged(Settings settings);
        event Paused(address indexed protocol, uint64 until, address by);
        event Unpaused(address indexed protocol, address by);
        event UpgradeScheduled(uint32 version, uint64 height);
        event UpgradeCancelled(uint32 version, uint64 height);

        error GovernorInvalidProposalLength(uint256 targets, uint256 calldatas, uint256 values);
        error GovernorAlreadyCastVote(address voter);
        error GovernorOnlyExecutor(address account);
        error GovernorNonexistentProposal(uint256 proposalId);
        error GovernorUnexpectedProposalState(uint256 proposalId, ProposalState current, bytes32 expectedStates);
        error GovernorInsufficientProposerVotes(address proposer, uint256 votes, uint256 threshold);
        error GovernorRestrictedProposer(address proposer);
        error GovernorInvalidVoteType();
        error GovernorNotQueuedProposal(uint256 proposalId);
        error GovernorInvalidSignature(address voter);
        error GovernorUnableToCancel(uint256 proposalId, address account);
        /// ERC-5805.
        error ERC5805FutureLookup(uint256 timepoint, uint48 clock);
        /// The free deposit does not cover the proposal: call `depositFor` first.
        error InsufficientDeposit(address account, uint256 free, uint256 needed);
        /// Governance holds no coin of its own: coin of the classes moves by announced moves of `vesting`.
        error ProposalWithCoin(uint256 index);
        /// What cannot be proposed: a call of governance that only people make, too much data, too many calls. Of an
        /// execution: a call after which a protocol would not hold what it owes, or that breaks what it finds.
        error InvalidAction(uint256 index);
        /// Executed now, the call with this number would be refused, with `reason`.
        error ProposalWouldFail(uint256 index, bytes reason);
        error ExecutionTooEarly(uint256 proposalId, uint256 etaSeconds);
        error InvalidRules();
        error InvalidSettings();
        error OnlyGuardian(address caller);
        error NotPausable(address protocol);
        error PauseTooLong(uint64 duration, uint64 most);
        error GuardianRests(uint64 until);
        /// Entries of this protocol are paused; what leads out of it is not.
        error EntriesPaused(address protocol, uint64 until);
        error InvalidUpgrade(uint32 version, uint64 height);

        function name() external view returns (string memory);
        function version() external view returns (string memory);
        function COUNTING_MODE() external view returns (string memory);
        function BALLOT_TYPEHASH() external view returns (bytes32);
        function EXTENDED_BALLOT_TYPEHASH() external view returns (bytes32);
        function supportsInterface(bytes4 interfaceId) external view returns (bool);
        /// ERC-5267.
        function eip712Domain() external view returns (bytes1 fields, string memory name, string memory version, uint256 chainId, address verifyingContract, bytes32 salt, uint256[] memory extensions);
        function nonces(address owner) external view returns (uint256);
        /// ERC-6372.
        function clock() external view returns (uint48);
        /// ERC-6372.
        function CLOCK_MODE() external view returns (string memory);
        /// Whose votes count: staking.
        function token() external view returns (address);
        /// Who executes: governance itself.
        function timelock() external view returns (address);

        function hashProposal(address[] memory targets, uint256[] memory values, bytes[] memory calldatas, bytes32 descriptionHash) external pure returns (uint256);
        function getProposalId(address[] memory targets, uint256[] memory values, bytes[] memory calldatas, bytes32 descriptionHash) external view returns (uint256);
        function state(uint256 proposalId) external view returns (ProposalState);
        function proposalThreshold() external view returns (uint256);
        /// When voting begins. Votes are those of the end of the epoch before: `getVotes(account, proposalSnapshot(id))`.
        function proposalSnapshot(uint256 proposalId) external view returns (uint256);
        function proposalDeadline(uint256 proposalId) external view returns (uint256);
        function proposalProposer(uint256 proposalId) external view returns (address);
        function proposalEta(uint256 proposalId) external view returns (uint256);
        function proposalNeedsQueuing(uint256 proposalId) external view returns (bool);
        /// Of a parameter proposal, as `votingPeriod` and `quorum`; see `rulesOf` and `proposalRules` for the others.
        function votingDelay() external view returns (uint256);
        function votingPeriod() external view returns (uint256);
        function quorum(uint256 timepoint) external view returns (uint256);
        /// Bonded coin of the account, and for a validator all coin behind it, at the last second before the timepoint's epoch.
        function getVotes(address account, uint256 timepoint) external view returns (uint256);
        function getVotesWithParams(address account, uint256 timepoint, bytes memory params) external view returns (uint256);
        function hasVoted(uint256 proposalId, address account) external view returns (bool);
        /// Vetoes are shown by `tally`.
        function proposalVotes(uint256 proposalId) external view returns (uint256 againstVotes, uint256 forVotes, uint256 abstainVotes);

        /// Takes the deposit of its type from what was deposited for the proposer.
        function propose(address[] memory targets, uint256[] memory values, bytes[] memory calldatas, string memory description) external returns (uint256 proposalId);
        function queue(address[] memory targets, uint256[] memory values, bytes[] memory calldatas, bytes32 descriptionHash) external returns (uint256 proposalId);
        function execute(address[] memory targets, uint256[] memory values, bytes[] memory calldatas, bytes32 descriptionHash) external payable returns (uint256 proposalId);
        function cancel(address[] memory targets, uint256[] memory values, bytes[] memory calldatas, bytes32 descriptionHash) external returns (uint256 proposalId);
        /// 0 against, 1 for, 2 abstain, 3 veto.
        function castVote(uint256 proposalId, uint8 support) external returns (uint256 weight);
        function castVoteWithReason(uint256 proposalId, uint8 support, string calldata reason) external returns (uint256 weight);
        function castVoteWithReasonAndParams(uint256 proposalId, uint8 support, string calldata reason, bytes memory params) external returns (uint256 weight);
        function castVoteBySig(uint256 proposalId, uint8 support, address voter, bytes memory signature) external returns (uint256 weight);
        function castVoteWithReasonAndParamsBySig(uint256 proposalId, uint8 support, address voter, string calldata reason, bytes memory params, bytes memory signature) external returns (uint256 weight);

        /// `GovernorStorage`: proposals are known by their number of storage too.
        function queue(uint256 proposalId) external;
        function execute(uint256 proposalId) external payable;
        function cancel(uint256 proposalId) external;
        function proposalCount() external view returns (uint256);
        function proposalDetails(uint256 proposalId) external view returns (address[] memory targets, uint256[] memory values, bytes[] memory calldatas, bytes32 descriptionHash);
        function proposalDetailsAt(uint256 index) external view returns (uint256 proposalId, address[] memory targets, uint256[] memory values, bytes[] memory calldatas, bytes32 descriptionHash);

        /// Adds the coin sent to what the account may put behind proposals.
        function depositFor(address account) external payable;
        function withdrawDeposit(uint256 amount) external;
        function depositOf(address account) external view returns (uint256);
        /// What a proposal is about.
        function proposalKind(uint256 proposalId) external view returns (Kind);
        /// The rules it began with.
        function proposalRules(uint256 proposalId) external view returns (Rules memory);
        function tally(uint256 proposalId) external view returns (Tally memory);
        /// When the chain last tried to do what this proposal decided and could not, 0 when nothing failed, and the first
        /// bytes of the refusal. Such a proposal stays queued: anyone may execute it until it expires.
        function failedExecution(uint256 proposalId) external view returns (uint64 at, bytes4 selector);
        function kindOf(address[] memory targets, bytes[] memory calldatas) external view returns (Kind);
        function rulesOf(Kind kind) external view returns (Rules memory);
        function settings() external view returns (Settings memory);

        /// By a proposal.
        function setRules(Kind kind, Rules calldata rules) external;
        /// By a proposal.
        function setSettings(Settings calldata settings) external;
        /// Stops what leads into protocols, until a second. By the guardian, with rests, or by a proposal.
        function pause(address[] calldata protocols, uint64 duration) external;
        /// Ends pauses early. By the guardian or by a proposal.
        function unpause(address[] calldata protocols) external;
        /// Until when entries of a protocol are paused; 0 when they are not.
        function pausedUntil(address protocol) external view returns (uint64);
        /// From when on the guardian may pause again.
        function guardianRestsUntil() external view returns (uint64);
        /// By a proposal: from this height on only nodes with this version go on. It is at least as many blocks away as the timelock of
        /// upgrades has seconds, 86,400 at most.
        function scheduleUpgrade(uint32 version, uint64 height) external;
        /// By a proposal, before the height.
        function cancelUpgrade() external;
        /// The last upgrade that was scheduled.
        function upgrade() external view returns (Upgrade memory);
        /// The protocol's own code begins an execution that calls contracts.
        function beginExecution(uint256 proposalId) external returns (address[] memory targets, bytes[] memory calldatas);
    }
}
