//! Contributions: who made an asset, a million at a time, each a token that cannot be moved.

alloy_sol_types::sol! {
    #![sol(abi, all_derives, extra_derives(serde::Serialize, serde::Deserialize))]
    /// ContributionNFT (ERC-5192) and the commitment to contributors too many to write down one by one.
    /// Token id: `asset << 32 | index`, where `index` is the leaf's place in the committed tree, or `1 << 31 | position` for a
    /// member that was enrolled by name. Units never change, and a contribution never moves: what it earns goes to its contributor.
    interface IContributions {
        /// A node of the Merkle-sum tree: its hash, and the units below it.
        struct Sibling { bytes32 hash; uint96 sum; }
        /// A leaf and its proof, siblings from the bottom up.
        struct Activation { uint32 index; address contributor; uint96 units; Sibling[] proof; }
        struct Commitment {
            bytes32 root;
            /// Units of all leaves; part of the pool from the seal on.
            uint96 units;
            uint32 count;
            /// Units and leaves activated so far.
            uint96 activatedUnits;
            uint32 activated;
        }
        struct Contribution { uint64 asset; uint32 index; address contributor; uint96 units; }

        event Committed(uint64 indexed asset, bytes32 root, uint96 units, uint32 count);
        event Activated(uint64 indexed asset, address indexed contributor, uint32 index, uint96 units);
        event Transfer(address indexed from, address indexed to, uint256 indexed tokenId);
        /// ERC-5192: for ever.
        event Locked(uint256 tokenId);

        error AlreadyCommitted(uint64 asset);
        error NotCommitted(uint64 asset);
        /// A commitment needs units and contributions, at most `most` of them.
        error InvalidCommitment(uint96 units, uint32 count, uint32 most);
        /// The proof does not lead from this leaf to the committed root.
        error InvalidProof(uint64 asset, uint32 index);
        error InvalidContribution(uint64 asset, uint32 index, address contributor, uint96 units);
        /// More units than committed would be activated.
        error OverAllocated(uint64 asset, uint32 index);
        error TooManyActivations(uint256 activations, uint256 most);
        /// A contribution cannot be moved or lent.
        error ContributionLocked(uint256 tokenId);
        /// ERC-6093.
        error ERC721NonexistentToken(uint256 tokenId);
        /// ERC-6093.
        error ERC721InvalidOwner(address owner);

        /// Commits an open asset to its contributors, once; only its owner. `units` and `count` are the tree's own.
        function commit(uint64 asset, bytes32 root, uint96 units, uint32 count) external;
        /// Makes contributors members of a sealed asset, each leaf once, and pays what they earned since the first payment. Anyone may
        /// call for anyone; what is activated already is passed over. Returns how many were not.
        function activate(uint64 asset, Activation[] calldata activations) external returns (uint256 activated);

        function commitment(uint64 asset) external view returns (Commitment memory);
        function isActivated(uint64 asset, uint32 index) external view returns (bool);
        /// What a contribution of so many units was due since the first payment, activated or not.
        function dueFor(uint64 asset, uint96 units) external view returns (uint256);
        function contribution(uint256 tokenId) external view returns (Contribution memory);

        /// ERC-5192: true for every contribution.
        function locked(uint256 tokenId) external view returns (bool);
        function balanceOf(address owner) external view returns (uint256);
        function ownerOf(uint256 tokenId) external view returns (address);
        function name() external view returns (string memory);
        function symbol() external view returns (string memory);
        /// The asset's metadata.
        function tokenURI(uint256 tokenId) external view returns (string memory);
        function supportsInterface(bytes4 interfaceId) external view returns (bool);
        function getApproved(uint256 tokenId) external view returns (address);
        function isApprovedForAll(address owner, address operator) external view returns (bool);
        /// Refused, as everything that would move a contribution.
        function approve(address to, uint256 tokenId) external;
        function setApprovalForAll(address operator, bool approved) external;
        function transferFrom(address from, address to, uint256 tokenId) external;
        function safeTransferFrom(address from, address to, uint256 tokenId) external;
        function safeTransferFrom(address from, address to, uint256 tokenId, bytes calldata data) external;
    }
}
