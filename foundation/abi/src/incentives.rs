//! Incentives: what the incentive pool's coin is spent on, and how.

alloy_sol_types::sol! {
    #![sol(abi, all_derives, extra_derives(serde::Serialize, serde::Deserialize))]
    /// Programmes with a budget that governance gave them: grants by milestones, hackathons, rounds of awards. Coin comes from the incentive
    /// pool by an announced move; what is not spent goes back there.
    interface IIncentives {
        enum GrantState {
            /// It waits for the programme's manager.
            Proposed,
            /// Milestones are delivered and paid.
            Running,
            /// Every milestone was paid.
            Completed,
            /// What was unspent went back.
            Ended
        }
        struct Programme { address manager; uint64 endsAt; bool isClosed; uint256 budget; uint256 left; bytes32 terms; }
        struct Grant {
            uint64 programme; address grantee; address reviewer; GrantState state; uint32 milestones; uint32 paid; uint64 deliveredAt;
            uint256 total; uint256 left; bytes32 proposal;
        }
        struct Milestone { uint256 amount; uint64 dueAt; bytes32 evidence; }
        struct Hackathon { uint64 programme; uint64 submitUntil; uint64 judgeUntil; uint32 prizes; uint32 judges; uint32 judged; uint32 entries; bool isFinished; uint256 left; bytes32 terms; }
        /// `isByUsage`: an award is at most the protocol fees named with it.
        struct Round { uint64 programme; uint64 closesAt; bool isByUsage; uint256 total; uint256 left; bytes32 root; bytes32 terms; uint64 claimsFrom; }
        /// A round by settled usage: fees are counted before `countUntil`, awards paid from then on and before `closesAt`. `counted`: the fees of
        /// all assets.
        struct UsageRound { uint64 programme; uint64 countUntil; uint64 closesAt; uint256 total; uint256 left; uint256 counted; bytes32 terms; }
        /// What a worker served on a channel.
        struct Served { bytes32 channelId; address worker; }
        struct Award { uint64 index; address account; uint64 asset; uint256 fees; uint256 amount; }

        event Received(uint256 amount);
        event ProgrammeOpened(uint64 indexed programme, address indexed manager, uint256 budget, uint64 endsAt, bytes32 terms);
        event ProgrammeClosed(uint64 indexed programme, uint256 returned);
        event GrantProposed(uint64 indexed grant, uint64 indexed programme, address indexed grantee, uint256 total, bytes32 proposal);
        event GrantApproved(uint64 indexed grant, address indexed reviewer);
        event MilestoneDelivered(uint64 indexed grant, uint32 milestone, bytes32 evidence);
        event MilestoneReviewed(uint64 indexed grant, uint32 milestone, bool isAccepted, bytes32 reason);
        event MilestonePaid(uint64 indexed grant, uint32 milestone, address indexed grantee, uint256 amount);
        event GrantEnded(uint64 indexed grant, uint256 returned);
        event HackathonOpened(uint64 indexed hackathon, uint64 indexed programme, uint256 prizes, uint64 submitUntil, uint64 judgeUntil, bytes32 terms);
        event Submitted(uint64 indexed hackathon, address indexed entrant, bytes32 work);
        event Judged(uint64 indexed hackathon, address indexed judge, address[] ranking);
        event PrizePaid(uint64 indexed hackathon, address indexed winner, uint32 place, uint256 amount);
        event HackathonFinished(uint64 indexed hackathon, uint256 returned);
        event RoundOpened(uint64 indexed round, uint64 indexed programme, uint256 total, uint64 closesAt, bool isByUsage, bytes32 root, bytes32 terms);
        event AwardPaid(uint64 indexed round, uint64 index, address indexed account, uint64 indexed asset, uint256 fees, uint256 amount);
        event UsageRoundOpened(uint64 indexed round, uint64 indexed programme, uint256 total, uint64 countUntil, uint64 closesAt, bytes32 terms);
        event UsageCounted(uint64 indexed round, uint64 indexed asset, bytes32 indexed channelId, address worker, address payer, uint256 fees);
        event UsageAwarded(uint64 indexed round, uint64 indexed asset, uint256 fees, uint256 amount);
        event UsageRoundClosed(uint64 indexed round, uint256 returned);
        event RoundClosed(uint64 indexed round, uint256 returned);

        error OnlyManager(uint64 programme, address caller);
        error OnlyReviewer(uint64 grant, address caller);
        error OnlyGrantee(uint64 grant, address caller);
        error OnlyJudge(uint64 hackathon, address caller);
        error UnknownProgramme(uint64 programme);
        error UnknownGrant(uint64 grant);
        error UnknownHackathon(uint64 hackathon);
        error UnknownRound(uint64 round);
        error ProgrammeOver(uint64 programme);
        error BudgetExceeded(uint256 amount, uint256 left);
        error InvalidPlan();
        /// Nobody decides about coin for itself.
        error OwnInterest(address account);
        error WrongState(uint64 grant, GrantState state);
        error NothingDelivered(uint64 grant);
        error AwaitsReview(uint64 grant);
        error TooLate(uint64 until);
        error TooEarly(uint64 from);
        error AlreadySubmitted(address account);
        error NotAnEntrant(address account);
        error AlreadyFinished(uint64 hackathon);
        error AlreadyAwarded(uint64 round, uint64 index);
        error InvalidProof(uint64 round, uint64 index);
        /// An award by usage is at most the protocol fees of that usage.
        error MoreThanFees(uint256 amount, uint256 fees);
        /// Every entry was counted before, or its payer is related to the asset or to who served it.
        error NothingToCount(uint64 round, uint64 asset);
        error NothingToAward(uint64 round, uint64 asset);

        /// By a proposal: gives a programme its budget from what was received.
        function openProgramme(address manager, uint256 budget, uint64 endsAt, bytes32 terms) external returns (uint64 programme);
        /// Ends a programme: by a proposal at any time, by anyone after its end. What is not promised goes back to the pool.
        function closeProgramme(uint64 programme) external;

        /// Asks a programme for a grant, to be paid by milestones.
        function proposeGrant(uint64 programme, uint256[] calldata amounts, uint64[] calldata dueTimes, bytes32 proposal) external returns (uint64 grant);
        /// The manager sets the grant's coin aside and names who reviews.
        function approveGrant(uint64 grant, address reviewer) external;
        /// The grantee delivers the next milestone, before it is due.
        function deliver(uint64 grant, bytes32 evidence) external;
        /// The reviewer accepts a delivery, which pays it, or says why not.
        function review(uint64 grant, bool isAccepted, bytes32 reason) external;
        /// Pays a delivery that nobody reviewed for 14 days; anyone may ask.
        function settleReview(uint64 grant) external;
        /// Claws back what is unspent: the manager while nothing waits for review, anyone when a milestone is overdue.
        function endGrant(uint64 grant) external;

        function openHackathon(uint64 programme, address[] calldata judges, uint256[] calldata prizes, uint64 submitUntil, uint64 judgeUntil, bytes32 terms) external returns (uint64 hackathon);
        function submit(uint64 hackathon, bytes32 work) external;
        /// A judge names the best entrants, best first: the first of n prizes is worth n points.
        function judge(uint64 hackathon, address[] calldata ranking) external;
        /// Pays the prizes by points, equal ones by the earlier work; anyone may ask when the judges are done.
        function finish(uint64 hackathon) external;

        /// The manager opens a round of awards: leaves are keccak256(keccak256(abi.encode(chainId, this, round, index, account, asset, fees, amount))).
        function openRound(uint64 programme, bytes32 root, uint256 total, uint64 closesAt, bool isByUsage, bytes32 terms) external returns (uint64 round);
        /// Pays an award to its account; anyone may ask.
        function claim(uint64 round, Award calldata award, bytes32[] calldata proof) external;
        /// From `closesAt` on anyone may return what nobody claimed.
        function closeRound(uint64 round) external;

        /// The manager opens a round that is divided by the protocol fees that channels settled.
        function openUsageRound(uint64 programme, uint256 total, uint64 countUntil, uint64 closesAt, bytes32 terms) external returns (uint64 round);
        /// An asset's owner counts fees that its use brought, at most 64 entries a call. Fees count once, in one round, and only those of payers
        /// who are neither owner, account, member or owner of an ancestor of the asset, nor the worker that served.
        function countUsage(uint64 round, uint64 asset, Served[] calldata served) external returns (uint256 fees);
        /// When counting is over, pays an asset its part as income: `total * fees / counted`, at most its fees. Anyone may ask.
        function awardUsage(uint64 round, uint64 asset) external returns (uint256 amount);
        /// From `closesAt` on anyone may return what no asset got.
        function closeUsageRound(uint64 round) external;

        /// What was received and is in no programme.
        function unassigned() external view returns (uint256);
        function programme(uint64 programme) external view returns (Programme memory);
        function grant(uint64 grant) external view returns (Grant memory);
        function milestone(uint64 grant, uint32 index) external view returns (Milestone memory);
        function hackathon(uint64 hackathon) external view returns (Hackathon memory);
        function points(uint64 hackathon, address entrant) external view returns (uint64);
        function round(uint64 round) external view returns (Round memory);
        function usageRound(uint64 round) external view returns (UsageRound memory);
        /// What was counted for an asset, and what it gets if nothing more is counted for anyone.
        function usage(uint64 round, uint64 asset) external view returns (uint256 fees, uint256 amount, bool isPaid);
        /// What counting an entry would add now, unless its payer is related.
        function countable(uint64 asset, Served calldata served) external view returns (address payer, uint256 fees, bool isRelated);
        /// How many rounds by settled usage there are; their numbers begin with 1.
        function usageRounds() external view returns (uint64);
        function isAwarded(uint64 round, uint64 index) external view returns (bool);
        function awardLeaf(uint64 round, Award calldata award) external view returns (bytes32);
        /// How many programmes, grants, hackathons and rounds there are; their numbers begin with 1.
        function counts() external view returns (uint64 programmes, uint64 grants, uint64 hackathons, uint64 rounds);
    }
}
