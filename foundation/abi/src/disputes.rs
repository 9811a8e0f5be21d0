//! Disputes: complaints against assets, decided by drawn stakers and, on appeal, by governance.

alloy_sol_types::sol! {
    #![sol(abi, all_derives, extra_derives(serde::Serialize, serde::Deserialize))]
    /// A complaint names what should happen; a jury of drawn stakers says yes or no by commit and reveal; a vote of governance may say otherwise.
    /// Until then new income of the asset is held, at most as much as the complaint's bond, and nothing later than 14 days after the filing. Several
    /// complaints about an asset may be open: they claim the same income, and the first of them that is upheld gets what it claims.
    interface IDisputes {
        enum Ground {
            /// It contains what its creator had no right to.
            StolenData,
            /// It hides or invents what it was made from.
            FalseLineage,
            /// It breaks the terms of a licence it was made under.
            BreachedTerms
        }
        enum Phase {
            /// The owner may answer; then a jury is drawn.
            Answering,
            /// Jurors commit to what they will say.
            Committing,
            /// Jurors say it.
            Revealing,
            /// Both sides may appeal to governance.
            Appealable,
            /// Governance may decide.
            Appealed,
            /// Anyone may close it.
            Closable,
            /// Everything was paid out.
            Closed
        }
        enum Ruling {
            /// Neither side has more than half of all the jury's seats.
            Open,
            /// What the complaint asks for happens.
            Upheld,
            /// The complaint loses its bond.
            Dismissed
        }
        /// A part of the asset's future income in basis points.
        struct Share { address account; uint16 share; }
        struct Complaint {
            uint64 asset; Ground ground; Phase phase; Ruling ruling; bool isDelisting; address complainant; address answerer; address appellant;
            uint64 filedAt; uint64 phaseEndsAt; uint32 seats; uint32 forIt; uint32 against;
            uint256 bond; uint256 held; uint256 answerBond; uint256 appealBond; bytes32 evidence; bytes32 answer;
        }
        /// Income that waits: who earned it (none: who owns the asset when it is given back), and the open complaints that claim it.
        struct Escrow { address earner; uint256 amount; uint64[] complaints; }
        struct Juror { address account; uint32 seats; bool hasCommitted; bool hasRevealed; }
        /// What governance may set: the times of a complaint in seconds, one after another from its filing on, at most 14 days together; the least
        /// bond; what a seat of the jury is paid, of seven seats at most half of the least bond; and the bonded coin behind a juror's place.
        struct Parameters {
            uint32 answer; uint32 commit; uint32 reveal; uint32 appeal; uint32 decision; uint256 leastBond; uint256 seatFee; uint256 place;
        }

        event Filed(uint64 indexed complaint, uint64 indexed asset, address indexed complainant, Ground ground, uint256 bond, bytes32 evidence);
        event Answered(uint64 indexed complaint, address indexed answerer, uint256 bond, bytes32 evidence);
        /// One entry for each seat; none when nobody could be drawn.
        event JuryDrawn(uint64 indexed complaint, address[] jurors);
        event Committed(uint64 indexed complaint, address indexed juror);
        event Revealed(uint64 indexed complaint, address indexed juror, bool isUpheld, uint32 seats);
        event Appealed(uint64 indexed complaint, address indexed appellant, uint256 bond, bytes32 reason);
        event Decided(uint64 indexed complaint, bool isUpheld);
        /// `held`: what of the income that waited went to the complainant, or back to who earned it.
        event Closed(uint64 indexed complaint, uint64 indexed asset, Ruling ruling, uint256 held);
        event JurorPaid(uint64 indexed complaint, address indexed juror, uint256 amount);
        /// A part of the asset's income waits for the open complaints' rulings.
        event Held(uint64 indexed asset, uint256 amount);
        /// A part of the asset's income went where an upheld complaint said.
        event Redirected(uint64 indexed complaint, uint64 indexed asset, address indexed account, uint256 amount);
        /// What holds for the asset from now on: whose shares, and whether it is sold.
        event Corrected(uint64 indexed asset, uint64 indexed complaint, bool isDelisted);
        event Enlisted(address indexed juror, uint32 places);
        event Discharged(address indexed juror, uint32 places);
        /// Governance set times and coin, for complaints from now on.
        event ParametersChanged(Parameters parameters);

        error UnknownComplaint(uint64 complaint);
        /// The caller's own complaint about the asset is open.
        error AlreadyDisputed(uint64 asset, uint64 complaint);
        error BondTooSmall(uint256 bond, uint256 least);
        error InvalidShares();
        error WrongPhase(uint64 complaint, Phase phase);
        error OnlyOwner(uint64 asset, address caller);
        error OnlyParty(uint64 complaint, address caller);
        error OnlyJuror(uint64 complaint, address caller);
        error AlreadyAnswered(uint64 complaint);
        error WrongReveal(uint64 complaint, address juror);
        error InvalidComplainant(address account);
        /// The asset lost a dispute: it is not sold, licensed or derived from.
        error AssetDelisted(uint64 asset);
        /// Every place on the list of jurors needs its own bonded coin.
        error TooFewVotes(uint256 votes, uint256 needed);
        error TooManyPlaces(uint32 most);

        /// Complains about an asset; the coin sent is the bond and the most that is held before a jury spoke. Upheld, the asset's future income
        /// is divided by `shares` first, and it is no longer sold if `isDelisting`.
        function file(uint64 asset, Ground ground, bytes32 evidence, bool isDelisting, Share[] calldata shares) external payable returns (uint64 complaint);
        /// The owner's answer, with a bond as large as the least, or as the complaint's where that is less.
        function answer(uint64 complaint, bytes32 evidence) external payable;
        /// A juror's promise: `commitment` is `commitmentOf` what it will reveal. The last one counts.
        function commit(uint64 complaint, bytes32 commitment) external;
        function reveal(uint64 complaint, bool isUpheld, bytes32 salt) external;
        /// The complainant or the owner asks governance, with a bond as for an answer.
        function appeal(uint64 complaint, bytes32 reason) external payable;
        /// By a proposal: decides an appeal.
        function decide(uint64 complaint, bool isUpheld) external;
        /// Pays what the ruling says and makes it hold; anyone may ask.
        function close(uint64 complaint) external;
        /// By a proposal: takes back what an upheld complaint changed, for the future.
        function restore(uint64 asset) external;
        /// By a proposal: sets times and coin for complaints that are filed from now on.
        function setParameters(Parameters calldata parameters) external;
        /// Puts the caller on the list of jurors, `places` times; each place needs its own bonded coin, `parameters` says how much.
        function enlist(uint32 places) external;
        /// Takes the caller off the list.
        function discharge() external;

        function complaint(uint64 complaint) external view returns (Complaint memory);
        function sharesOf(uint64 complaint) external view returns (Share[] memory);
        function jury(uint64 complaint) external view returns (Juror[] memory);
        function commitmentOf(uint64 complaint, address juror, bool isUpheld, bytes32 salt) external view returns (bytes32);
        /// What holds for an asset: how many complaints are open, the one whose shares are paid (0 for none), and whether it is not sold.
        function standing(uint64 asset) external view returns (uint64 open, uint64 corrected, bool isDelisted);
        /// What waits of an asset's income.
        function escrowsOf(uint64 asset) external view returns (Escrow[] memory);
        function parameters() external view returns (Parameters memory);
        function placesOf(address juror) external view returns (uint32);
        /// Complaints filed so far (numbers begin with 1), and places on the list of jurors.
        function counts() external view returns (uint64 complaints, uint64 places);
    }
}
