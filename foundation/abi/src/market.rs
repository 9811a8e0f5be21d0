//! The market: ownership of assets, and licences, sold and resold.

#![expect(
    clippy::too_many_arguments,
    clippy::doc_markdown,
    reason = "the macro's output carries the NatSpec of the interface"
)]

alloy_sol_types::sol! {
    #![sol(abi, all_derives, extra_derives(serde::Serialize, serde::Deserialize))]
    /// Sales of OwnershipNFTs and LicenseNFTs: listings (fixed price, Dutch, bundles; on chain or signed), offers, English auctions.
    /// What is sold stays with its seller until it is sold; sellers let the market move it (`approve` or `setApprovalForAll`).
    /// The price is what the buyer pays before the protocol fee, which comes on top.
    interface IMarket {
        /// Something for sale. All parts of a bundle are sold together.
        struct Item {
            /// The address of assets or of licences.
            address collection;
            uint256 tokenId;
            /// Base units when the sale starts.
            uint128 price;
            /// Base units when it ends: lower in a Dutch auction, otherwise the same.
            uint128 endPrice;
            /// What `stateOf` must answer when it is sold.
            bytes32 state;
        }
        /// What a seller publishes, or signs (EIP-712) and publishes elsewhere. It sells once.
        struct Listing {
            address seller;
            /// The only account that may buy; zero: anyone.
            address buyer;
            /// Seconds; sold from then on, and before the end.
            uint64 startsAt;
            uint64 endsAt;
            /// Part of the price for whoever brought the buyer, basis points, at most 1,000.
            uint16 referral;
            /// Seconds in which a licence can be returned unused; 0: paid out at once.
            uint32 refundSeconds;
            /// Any number that the seller has not used; a sale or a cancellation uses it.
            uint64 nonce;
            Item[] items;
        }
        /// What a buyer would pay for one thing; its coin waits here.
        struct Offer { address bidder; address collection; uint256 tokenId; uint128 price; uint128 fee; uint64 endsAt; bytes32 state; }
        struct Auction {
            address seller;
            address collection;
            uint256 tokenId;
            uint128 reserve;
            uint64 endsAt;
            bytes32 state;
            /// Who bid most, what, and the fee that waits with it; zeros until the first bid.
            address bidder;
            uint128 price;
            uint128 fee;
        }
        /// A licence that can still be returned; its price waits here.
        struct Return { address buyer; address seller; uint256 license; uint128 price; uint128 fee; uint64 until; address referrer; uint16 referral; bytes32 state; }
        /// How a price is divided: they add up to it.
        struct Parts { uint256 seller; uint256 royalty; uint256 referral; }

        event Listed(bytes32 indexed listing, address indexed seller, Listing data);
        event NonceUsed(address indexed seller, uint64 nonce);
        event NonceFloorRaised(address indexed seller, uint64 floor);
        event Offered(uint64 indexed offer, address indexed bidder, address indexed collection, uint256 tokenId, uint128 price, uint64 endsAt);
        event OfferClosed(uint64 indexed offer, bool isAccepted);
        event AuctionOpened(uint64 indexed auction, address indexed seller, address indexed collection, uint256 tokenId, uint128 reserve, uint64 endsAt);
        event Bid(uint64 indexed auction, address indexed bidder, uint128 price, uint64 endsAt);
        /// The auction ended; without a sale nobody bid, or the item could not be moved and the bid went back.
        event AuctionClosed(uint64 indexed auction, bool isSold);
        event Sold(address indexed collection, uint256 indexed tokenId, address indexed seller, address buyer, uint256 price, uint256 royalty, uint256 referral);
        event FeePaid(address indexed payer, uint256 fee);
        event Referred(address indexed referrer, uint256 amount);
        /// A licence was sold that can be returned until then.
        event Held(uint64 indexed sale, uint256 indexed license, address indexed buyer, uint64 until);
        event Returned(uint64 indexed sale);
        event Released(uint64 indexed sale);

        error UnknownCollection(address collection);
        error NotSeller(address caller, address seller);
        error WrongListingFee(uint256 sent, uint256 expected);
        error WrongItems(uint256 items, uint256 least, uint256 most);
        error PriceRises(uint128 price, uint128 endPrice);
        error ReferralTooHigh(uint16 referral, uint16 most);
        error RefundNotPossible(uint32 refundSeconds, uint32 most);
        error WrongPeriod(uint64 startsAt, uint64 endsAt, uint64 now_);
        error NonceSpent(address seller, uint64 nonce);
        error NotListed(bytes32 listing);
        error InvalidSignature(address signer, address seller);
        error NotYetOnSale(uint64 startsAt);
        error NoLongerOnSale(uint64 endsAt);
        error NotForCaller(address caller, address buyer);
        /// The call's coin is the most the buyer pays; it is less than what is asked now.
        error PriceTooHigh(uint256 asked, uint256 sent);
        error WrongPayment(uint256 sent, uint256 expected);
        error InvalidReferrer(address referrer);
        error InvalidRecipient(address recipient);
        /// The seller does not own it, or the market may not move it.
        error NotMovable(address collection, uint256 tokenId, address seller);
        /// What is sold is not what was listed: its account has acted, it changed hands, licences of it were offered; or the licence was used or renewed.
        error StateChanged(address collection, uint256 tokenId, bytes32 state, bytes32 expected);
        error UnknownOffer(uint64 offer);
        error NotBidder(address caller, address bidder);
        error UnknownAuction(uint64 auction);
        error BidTooLow(uint128 price, uint128 least);
        error AuctionRunning(uint64 auction, uint64 endsAt);
        error AuctionHasBid(uint64 auction, address bidder);
        error UnknownSale(uint64 sale);
        error ReturnOver(uint64 sale, uint64 until);
        error ReturnOpen(uint64 sale, uint64 until);

        /// Publishes a listing; the call's coin is the listing fee. Signed listings cost nothing.
        function list(Listing calldata data) external payable returns (bytes32 listing);
        /// Makes the caller's listings with this nonce worthless.
        function cancel(uint64 nonce) external;
        /// Makes all the caller's listings with a lower nonce worthless.
        function cancelBelow(uint64 floor) external;
        /// Buys what a listing sells, for `recipient`. `signature` is empty for a published listing. The call's coin is the most
        /// that is paid; what is asked less comes back at once. `referrer` may be zero.
        /// Returns the number of the sale if its item can be returned, otherwise 0.
        function buy(Listing calldata data, bytes calldata signature, address recipient, address referrer) external payable returns (uint64 sale);
        /// Offers `price` for something, whether it is for sale or not; the call's coin is the price and the fee.
        function makeOffer(address collection, uint256 tokenId, uint128 price, uint64 endsAt, bytes32 state) external payable returns (uint64 offer);
        /// Takes an offer back, with its coin; anyone may return one that has ended.
        function cancelOffer(uint64 offer) external;
        /// Sells to whom made the offer; only the owner.
        function acceptOffer(uint64 offer) external;
        /// Opens an English auction.
        function openAuction(address collection, uint256 tokenId, uint128 reserve, uint64 endsAt, bytes32 state) external returns (uint64 auction);
        /// Bids `price`; the call's coin is the price and the fee. Whoever was outbid is paid back in the call.
        function bid(uint64 auction, uint128 price) external payable;
        /// Ends an auction without bids; only its seller.
        function cancelAuction(uint64 auction) external;
        /// After its end: sells to whom bid most, or gives the bid back if that is not possible. Anyone may call.
        function settleAuction(uint64 auction) external;
        /// Returns an unused licence and pays everything back; only its buyer, who holds it.
        function returnLicense(uint64 sale) external;
        /// After the time for returning: pays the sale out. Anyone may call.
        function release(uint64 sale) external;

        /// What a listing costs at this time: the price, and the fee on top.
        function quote(Listing calldata data) external view returns (uint256 price, uint256 fee);
        /// How a price would be divided.
        function parts(address collection, uint256 tokenId, uint256 price, uint16 referral) external view returns (Parts memory);
        /// The state that listings and offers commit to: of an asset what its own account did, what others took from it, its transfers, and how often licences were offered; of a licence its end, uses and standing.
        function stateOf(address collection, uint256 tokenId) external view returns (bytes32);
        function listingHash(Listing calldata data) external view returns (bytes32);
        function isListed(bytes32 listing) external view returns (bool);
        function isNonceSpent(address seller, uint64 nonce) external view returns (bool);
        function nonceFloor(address seller) external view returns (uint64);
        function offer(uint64 offer) external view returns (Offer memory);
        function auction(uint64 auction) external view returns (Auction memory);
        /// The least that is bid next.
        function leastBid(uint64 auction) external view returns (uint128);
        function heldSale(uint64 sale) external view returns (Return memory);
        function listingFee() external view returns (uint256);
        /// Basis points.
        function protocolFee() external view returns (uint16);
        function DOMAIN_SEPARATOR() external view returns (bytes32);
    }
}
