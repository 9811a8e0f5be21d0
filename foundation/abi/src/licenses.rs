//! Licences: the right to use an asset, under terms that never change.

#![expect(
    missing_docs,
    clippy::doc_markdown,
    reason = "the macro's output carries the NatSpec of the interface"
)]

alloy_sol_types::sol! {
    #![sol(abi, all_derives, extra_derives(serde::Serialize, serde::Deserialize))]
    /// The right to use an asset: terms that never change, offers of its owner, and LicenseNFTs (ERC-721).
    /// A purpose is a sum of bits: 1 inference, 2 training, 4 derivative, 8 commercial.
    interface ILicenses {
        /// What a price is for: nothing (no licence is needed while the terms are offered), one licence, one use, 1,000,000
        /// tokens, one seat, or one period.
        enum Pricing { Free, Fixed, PerUse, PerMillionTokens, PerSeat, Subscription }
        /// Terms to start from.
        enum Template { OpenUse, NonCommercial, Commercial, CommercialRemix }
        /// What a right is short of, from far to near.
        enum Missing {
            /// Nothing is missing.
            Nothing,
            /// The account has no seat in a licence for the asset.
            License,
            /// The asset never allows derivatives.
            Derivatives,
            /// No licence of the account grants the purpose.
            Purpose,
            /// The licence was revoked.
            Revoked,
            /// The licence has expired; it may be renewable.
            Expired,
            /// Every use was counted.
            Uses,
            /// The asset's owner has not approved the account for derivatives.
            Approval,
            /// The asset lost a dispute: only licences that were bought before still grant its use.
            Listing
        }
        /// A clause of terms, named when it is refused.
        enum Clause { Pricing, Price, Period, Duration, Purposes, Approval, Reciprocity, DerivativeRoyalty, ResaleRoyalty, Uses, Seats, SeatWindow, Revocation }

        /// Terms; their id is the EIP-712 hash of this struct.
        struct Terms {
            Pricing pricing;
            /// Base units, for what `pricing` says; the protocol fee comes on top.
            uint128 price;
            /// Seconds of one period of a subscription; otherwise 0.
            uint32 period;
            /// Seconds from the sale to the end; 0: no end, or a subscription's.
            uint32 duration;
            /// What is granted, a sum of bits.
            uint8 purposes;
            /// Whether a derivative needs the owner's `approveDerivative` as well.
            bool needsApproval;
            /// Whether a derivative carries these same terms, and no others.
            bool isReciprocal;
            /// Whether a use must name the asset.
            bool needsAttribution;
            /// Whether the licence can be given or sold.
            bool isTransferable;
            /// Whether the asset's owner may revoke it.
            bool isRevocable;
            /// What a derivative pays to the asset, basis points: the asset's own number, 0 without derivatives.
            uint16 derivativeRoyalty;
            /// Part of a resale's price that goes to the asset, basis points.
            uint16 resaleRoyalty;
            /// Uses (or tokens) of a licence: for each price paid, or the most it may ever hold where uses are bought; 0: no cap.
            uint64 useCap;
            /// Seats of a licence, or the most where seats are bought; 0: one seat, or no cap.
            uint16 seatCap;
            /// Seconds after its assignment or last counted use in which a seat cannot be passed on.
            uint32 seatWindow;
            /// Hash of the text that says where; zero: everywhere.
            bytes32 territory;
            /// Hash of the text that says what is forbidden; zero: nothing beyond these fields.
            bytes32 restrictions;
        }
        struct License {
            uint64 asset;
            bytes32 terms;
            address holder;
            /// Seconds; 0: it does not expire.
            uint64 expiresAt;
            /// Uses granted; 0: no cap.
            uint64 useLimit;
            uint64 uses;
            uint16 seats;
            uint16 seatsTaken;
            /// Until when a seat is within its use window.
            uint64 lockedUntil;
            bool isRevoked;
        }
        /// What is bought: `quantity` counts what the pricing counts (1 where nothing is counted).
        struct Purchase {
            uint64 asset;
            bytes32 terms;
            uint32 quantity;
            /// Who gets the licence.
            address holder;
            /// Who gets its first seat; zero: nobody yet.
            address user;
        }

        event TermsRegistered(bytes32 indexed terms, Terms data);
        event Offered(uint64 indexed asset, bytes32 indexed terms);
        event OfferWithdrawn(uint64 indexed asset, bytes32 indexed terms);
        /// A derivative must carry the terms of its reciprocal parent.
        event Carried(uint64 indexed asset, bytes32 indexed terms, uint64 indexed parent);
        event Issued(uint256 indexed license, uint64 indexed asset, bytes32 indexed terms, address holder, uint32 quantity);
        event Renewed(uint256 indexed license, uint32 quantity, uint64 expiresAt, uint64 useLimit);
        /// A licence was paid: the price was divided among those who made the asset possible, the fee went to the incentive pool.
        event Sold(uint256 indexed license, address indexed payer, uint256 price, uint256 fee);
        event SeatAssigned(uint256 indexed license, address indexed account, uint64 lockedUntil);
        event SeatFreed(uint256 indexed license, address indexed account);
        event MeterChanged(address indexed holder, address indexed meter, bool isAllowed);
        event UsesCounted(uint256 indexed license, address indexed account, uint64 count, uint64 uses);
        /// A derivative was linked under a licence, or under free terms (licence 0).
        event Derived(uint256 indexed license, uint64 indexed parent, uint64 indexed asset, bytes32 terms);
        event Revoked(uint256 indexed license, bytes32 reason);
        event Transfer(address indexed from, address indexed to, uint256 indexed tokenId);
        event Approval(address indexed owner, address indexed approved, uint256 indexed tokenId);
        event ApprovalForAll(address indexed owner, address indexed operator, bool approved);

        error UnknownTerms(bytes32 terms);
        /// A clause contradicts the others; `expected` is the nearest value that is allowed.
        error InvalidTerms(Clause clause, uint256 value, uint256 expected);
        /// A clause contradicts the asset.
        error TermsDoNotFit(uint64 asset, Clause clause, uint256 value, uint256 expected);
        error NotAssetOwner(uint64 asset, address caller, address owner);
        error AlreadyOffered(uint64 asset, bytes32 terms);
        error NotOffered(uint64 asset, bytes32 terms);
        /// Free terms are offered one at a time.
        error FreeTermsOffered(uint64 asset, bytes32 terms);
        /// The asset derives from one with reciprocal terms: it offers these, and no others.
        error TermsCarried(uint64 asset, bytes32 carried);
        error WrongPayment(uint256 sent, uint256 expected);
        error WrongQuantity(uint32 quantity, uint32 least, uint64 most);
        error NotRenewable(uint256 license);
        error LicenseRevoked(uint256 license);
        error LicenseExpired(uint256 license, uint64 expiresAt);
        error NotRevocable(uint256 license, bytes32 terms);
        error NotHolder(uint256 license, address caller, address holder);
        error NoSeatLeft(uint256 license, uint16 seats);
        error NotSeated(uint256 license, address account);
        /// A seat cannot be passed on within its use window, nor a licence of which a gateway may still have uses to count (until the highest number: while
        /// its holder names one).
        error SeatInUse(uint256 license, address account, uint64 until);
        /// The account takes part in as many licences of the asset as it can; others may fill only half of the places.
        error TooManySeats(address account, uint64 asset, uint256 most);
        error NotMeter(uint256 license, address caller);
        error UsesExceeded(uint256 license, uint64 asked, uint64 left);
        error UnknownPurpose(uint8 purpose, uint8 known);
        /// `account` may not do this with `asset`, and what it is short of.
        error RightMissing(uint64 asset, address account, uint8 purpose, Missing missing);
        error NotTransferable(uint256 license, bytes32 terms);
        error ERC721NonexistentToken(uint256 tokenId);
        error ERC721InsufficientApproval(address operator, uint256 tokenId);
        error ERC721IncorrectOwner(address sender, uint256 tokenId, address owner);
        error ERC721InvalidReceiver(address receiver);
        error ERC721InvalidOwner(address owner);

        /// Registers terms, once; anyone may, and again without effect. Returns their id.
        function registerTerms(Terms calldata data) external returns (bytes32 terms);
        /// Offers licences of the caller's asset under these terms. From the first offer on, using the asset needs a licence.
        function offer(uint64 asset, bytes32 terms) external;
        /// Ends an offer for future sales and renewals; what was sold stays valid.
        function withdrawOffer(uint64 asset, bytes32 terms) external;
        /// Buys a licence; the call's coin is exactly the price and the protocol fee. Returns its id.
        function buy(Purchase calldata purchase) external payable returns (uint256 license);
        /// Pays for further periods, durations, uses or tokens; anyone may, while the terms are offered.
        function renew(uint256 license, uint32 quantity) external payable;
        /// Gives `account` a seat; only the holder or its operator.
        function assignSeat(uint256 license, address account) external;
        /// Takes a seat back after its use window; only the holder, its operator or the account itself.
        function freeSeat(uint256 license, address account) external;
        /// Lets a gateway count uses of all the caller's licences, or no longer; what it has served it counts with its claims for a day more.
        function setMeter(address meter, bool isAllowed) external;
        /// Counts uses (or tokens) by `account`; only that account or a meter of the holder.
        function countUses(uint256 license, address account, uint64 count) external;
        /// Ends a licence whose terms allow it; only the asset's owner. `reason` is the hash of a text.
        function revoke(uint256 license, bytes32 reason) external;

        /// Whether `account` may use `asset` for a purpose, under which licence (0: none is needed), or what is missing.
        function canUse(address account, uint64 asset, uint8 purpose) external view returns (bool isAllowed, uint256 license, Missing missing);
        function terms(bytes32 terms) external view returns (Terms memory);
        /// The id that terms have or would have.
        function termsId(Terms calldata data) external view returns (bytes32);
        /// A template's terms at a price (0 for the free ones), as the asset's derivative royalty asks.
        function template(Template template, uint128 price, uint16 derivativeRoyalty) external view returns (Terms memory);
        /// What `quantity` costs a buyer: the price, and the protocol fee on top.
        function quote(bytes32 terms, uint32 quantity) external view returns (uint256 price, uint256 fee);
        /// What renewing a licence costs.
        function renewalQuote(uint256 license, uint32 quantity) external view returns (uint256 price, uint256 fee);
        function license(uint256 license) external view returns (License memory);
        function licenseCount() external view returns (uint64);
        function isOffered(uint64 asset, bytes32 terms) external view returns (bool);
        /// Terms offered for an asset, from `start`, at most `count`.
        function offersOf(uint64 asset, uint256 start, uint256 count) external view returns (bytes32[] memory terms, uint256 total);
        /// Whether the asset was ever offered; the terms it must carry, or zero; its free terms, or zero.
        function licensing(uint64 asset) external view returns (bool isLicensed, bytes32 carried, bytes32 free);
        /// Licences of an asset in which the account was given a seat.
        function seatsOf(address account, uint64 asset) external view returns (uint256[] memory licenses);
        function seat(uint256 license, address account) external view returns (bool isSeated, uint64 lockedUntil);
        function isMeter(address holder, address meter) external view returns (bool);

        function balanceOf(address owner) external view returns (uint256);
        function ownerOf(uint256 tokenId) external view returns (address);
        function approve(address to, uint256 tokenId) external;
        function getApproved(uint256 tokenId) external view returns (address);
        function setApprovalForAll(address operator, bool approved) external;
        function isApprovedForAll(address owner, address operator) external view returns (bool);
        /// Moves a licence whose terms allow it, outside its seats' use windows; its seats become free.
        function transferFrom(address from, address to, uint256 tokenId) external;
        /// As `transferFrom`; then a receiver with code is asked, and its refusal undoes everything.
        function safeTransferFrom(address from, address to, uint256 tokenId) external;
        function safeTransferFrom(address from, address to, uint256 tokenId, bytes calldata data) external;
        /// `transferFrom` on behalf of `operator`: what this address's own code calls before it asks the receiver. Nobody else may.
        function transferFor(address operator, address from, address to, uint256 tokenId) external;
        function name() external view returns (string memory);
        function symbol() external view returns (string memory);
        /// The metadata of the licensed asset.
        function tokenURI(uint256 tokenId) external view returns (string memory);
        function supportsInterface(bytes4 interfaceId) external view returns (bool);
        /// ERC-2981: the receiver is the asset's owner, the amount is the terms' resale royalty of the price.
        function royaltyInfo(uint256 tokenId, uint256 salePrice) external view returns (address receiver, uint256 royaltyAmount);
    }
}
