//! The asset registry.

#![expect(
    missing_docs,
    clippy::doc_markdown,
    reason = "the macro's output carries the NatSpec of the interface"
)]

alloy_sol_types::sol! {
    #![sol(abi, all_derives, extra_derives(serde::Serialize, serde::Deserialize))]
    /// Assets with owners (ERC-721), content, prices and immutable lineage.
    interface IAssets {
        /// Checkpoint, Adapter and Recipe are training parameters; an InferenceTask is work offered, a UsageLog what was used.
        enum Kind { Dataset, Model, Agent, Pipeline, Checkpoint, Adapter, Recipe, InferenceTask, UsageLog }
        /// What an edge says: the child was TRAINED_ON, FINETUNED_FROM, EMBEDS, is DERIVED_FROM, was EVALUATED_ON, LABELLED_BY,
        /// is a VERSION_OF, was GENERATED_BY, TRAINED_WITH its parent, RECORDS its use. EVALUATED_ON alone carries no income.
        enum Relation { TrainedOn, FinetunedFrom, Embeds, DerivedFrom, EvaluatedOn, LabelledBy, VersionOf, GeneratedBy, TrainedWith, Records }
        /// Who may derive: anyone, those whom the owner approves, or nobody.
        enum Derivatives { Open, Approval, None }

        struct Edge { uint64 parent; Relation relation; }
        /// Units of a pool held by one account.
        struct Member { address account; uint96 units; }
        /// Everything that is fixed when an asset is registered, and its first prices.
        struct Registration {
            Kind kind;
            /// keccak256 or BLAKE3 of the content, as the metadata says.
            bytes32 contentHash;
            string metadataURI;
            /// Base units per 1,000,000 prompt and completion tokens.
            uint128 inputPrice;
            uint128 outputPrice;
            /// Part of every descendant's asset income that comes here, 0 to 2,000 basis points.
            uint16 derivativeRoyalty;
            Derivatives derivatives;
            Edge[] edges;
            /// Holders of units. With none, the owner alone earns.
            Member[] members;
            /// Units that go with ownership; ignored without members.
            uint96 ownerUnits;
            /// Whether more members follow by `addMembers`; such an asset earns nothing until `seal`.
            bool isOpen;
        }
        struct Asset {
            Kind kind;
            address creator;
            bytes32 contentHash;
            string metadataURI;
            uint128 inputPrice;
            uint128 outputPrice;
            uint16 derivativeRoyalty;
            Derivatives derivatives;
            uint64 registeredAt;
            bool isSealed;
        }
        /// One row of the flattened lineage: the ancestor's part of this asset's income, once, whatever the number of paths.
        struct Ancestor { uint64 asset; uint16 share; }
        /// What a payee would get of a payment.
        struct Part { uint64 asset; uint16 share; uint256 amount; }

        event Registered(uint64 indexed asset, address indexed creator, Kind kind, bytes32 contentHash, string metadataURI);
        event Linked(uint64 indexed asset, uint64 indexed parent, Relation relation);
        event MembersAdded(uint64 indexed asset, uint256 count, uint96 units);
        event Sealed(uint64 indexed asset, uint96 units);
        event PricesChanged(uint64 indexed asset, uint128 inputPrice, uint128 outputPrice);
        event DerivativeApproved(uint64 indexed parent, address indexed creator, bool isApproved);
        event Transfer(address indexed from, address indexed to, uint256 indexed tokenId);
        event Approval(address indexed owner, address indexed approved, uint256 indexed tokenId);
        event ApprovalForAll(address indexed owner, address indexed operator, bool approved);

        error UnknownAsset(uint64 asset);
        /// An edge must point to an older asset.
        error UnknownParent(uint64 parent);
        error DuplicateEdge(uint64 parent);
        /// The relation does not hold between these kinds (specs/0004-assets.md has the table), or a version has two predecessors.
        error InvalidRelation(uint64 parent, Relation relation);
        /// A version follows the latest one: history is a line.
        error NotLatestVersion(uint64 parent, uint64 latest);
        error TooManyParents(uint256 parents, uint256 most);
        error TooManyAncestors(uint256 ancestors, uint256 most);
        /// The ancestors' shares pass the cap; without these parents, whose lines add most, the rest would be within it.
        error RoyaltyCapExceeded(uint256 total, uint256 most, uint64[] parents);
        error RoyaltyTooHigh(uint16 derivativeRoyalty, uint16 most);
        error DerivativesRefused(uint64 parent, Derivatives policy);
        error TooManyMembers(uint256 members, uint256 most);
        error InvalidMember(address account, uint96 units);
        error DuplicateMember(address account);
        error AlreadySealed(uint64 asset);
        error NotSealed(uint64 asset);
        error NotOwner(uint64 asset, address caller, address owner);
        error MetadataTooLong(uint256 bytes_, uint256 most);
        error PriceTooHigh(uint128 price, uint128 most);
        /// ERC-6093.
        error ERC721NonexistentToken(uint256 tokenId);
        error ERC721InsufficientApproval(address operator, uint256 tokenId);
        error ERC721IncorrectOwner(address sender, uint256 tokenId, address owner);
        error ERC721InvalidReceiver(address receiver);
        error ERC721InvalidOwner(address owner);
        /// The receiver is the asset's own account, or one that the asset owns through others.
        error OwnershipCycle(uint64 asset, address to);
        /// Accounts that own each other stand at most so deep.
        error OwnershipTooDeep(address to, uint256 most);

        /// Registers an asset owned by the caller and returns its id.
        function register(Registration calldata registration) external returns (uint64 asset);
        /// Adds members to an open asset; only its owner.
        function addMembers(uint64 asset, Member[] calldata members) external;
        /// Closes the list of members for ever; from then on the asset earns.
        function seal(uint64 asset) external;
        /// Changes prices for future requests; only the owner.
        function setPrices(uint64 asset, uint128 inputPrice, uint128 outputPrice) external;
        /// Lets `creator` link derivatives of `parent` whose policy is Approval; only the owner.
        function approveDerivative(uint64 parent, address creator, bool isApproved) external;

        function assetCount() external view returns (uint64);
        function asset(uint64 asset) external view returns (Asset memory);
        function edges(uint64 asset) external view returns (Edge[] memory);
        function ancestors(uint64 asset) external view returns (Ancestor[] memory);
        /// Before linking: who would get what of `amount` of asset income, and how much room (basis points) is left for descendants.
        /// The first part, with asset 0, is the new asset's own.
        function preview(Edge[] calldata edges, uint16 derivativeRoyalty, uint256 amount) external view returns (Part[] memory parts, uint16 room);

        /// The asset's place in its line of versions: the first of them, its own number from 1, the latest.
        function versionOf(uint64 asset) external view returns (uint64 first, uint64 number, uint64 latest);
        /// The line of versions to which the asset belongs, oldest first: at most `count` from `start`, and the number of all.
        function history(uint64 asset, uint256 start, uint256 count) external view returns (uint64[] memory versions, uint256 total);

        function balanceOf(address owner) external view returns (uint256);
        function ownerOf(uint256 tokenId) external view returns (address);
        function approve(address to, uint256 tokenId) external;
        function getApproved(uint256 tokenId) external view returns (address);
        function setApprovalForAll(address operator, bool approved) external;
        function isApprovedForAll(address owner, address operator) external view returns (bool);
        /// Settles what the past earned, then moves the asset and its future income.
        function transferFrom(address from, address to, uint256 tokenId) external;
        /// As `transferFrom`; then a receiver with code is asked, and its refusal undoes everything.
        function safeTransferFrom(address from, address to, uint256 tokenId) external;
        function safeTransferFrom(address from, address to, uint256 tokenId, bytes calldata data) external;
        /// `transferFrom` on behalf of `operator`: what this address's own code calls before it asks the receiver. Nobody else may.
        function transferFor(address operator, address from, address to, uint256 tokenId) external;
        /// The asset's own account (ERC-6551), whether its code stands there already or not. Its owner acts through it.
        function accountOf(uint64 asset) external view returns (address);
        /// The asset whose own account this is; 0 for any other address.
        function assetOf(address account) external view returns (uint64);
        function name() external view returns (string memory);
        function symbol() external view returns (string memory);
        function tokenURI(uint256 tokenId) external view returns (string memory);
        function supportsInterface(bytes4 interfaceId) external view returns (bool);
        /// ERC-2981: the receiver is the owner, the amount is the derivative royalty of the price.
        function royaltyInfo(uint256 tokenId, uint256 salePrice) external view returns (address receiver, uint256 royaltyAmount);
    }
}
