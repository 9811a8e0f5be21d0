// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.28;

interface IOwned {
    function ownerOf(uint256 tokenId) external view returns (address);
}

interface ISigner {
    function isValidSignature(bytes32 hash, bytes calldata signature) external view returns (bytes4);
}

/// ERC-6551's registry: the same interface, the same addresses, our own code.
contract AccountRegistry {
    error AccountCreationFailed();

    event ERC6551AccountCreated(
        address account,
        address indexed implementation,
        bytes32 salt,
        uint256 chainId,
        address indexed tokenContract,
        uint256 indexed tokenId
    );

    function createAccount(
        address implementation, bytes32 salt, uint256 chainId, address tokenContract, uint256 tokenId
    ) external returns (address made) {
        bytes memory code = creationCode(implementation, salt, chainId, tokenContract, tokenId);
        made = place(salt, keccak256(code));
        if (made.code.length > 0) return made;
        address created;
        assembly { created := create2(0, add(code, 32), mload(code), salt) }
        if (created != made) revert AccountCreationFailed();
        emit ERC6551AccountCreated(made, implementation, salt, chainId, tokenContract, tokenId);
    }

    function account(
        address implementation, bytes32 salt, uint256 chainId, address tokenContract, uint256 tokenId
    ) external view returns (address) {
        return place(salt, keccak256(creationCode(implementation, salt, chainId, tokenContract, tokenId)));
    }

    /// ERC-1167 proxy followed by four words.
    function creationCode(
        address implementation, bytes32 salt, uint256 chainId, address tokenContract, uint256 tokenId
    ) private pure returns (bytes memory) {
        return abi.encodePacked(
            hex"3d60ad80600a3d3981f3363d3d373d3d3d363d73", implementation,
            hex"5af43d82803e903d91602b57fd5bf3", abi.encode(salt, chainId, tokenContract, tokenId)
        );
    }

    function place(bytes32 salt, bytes32 codeHash) private view returns (address) {
        return address(uint160(uint256(keccak256(abi.encodePacked(hex"ff", address(this), salt, codeHash)))));
    }
}

/// An asset's own account: it receives, holds, and acts through whoever owns the asset.
contract AssetAccount {
    error NotOwner(address caller);
    /// CALL (0) only: other operations could change what the account is.
    error InvalidOperation(uint8 operation);
    /// An account cannot own the asset it belongs to.
    error OwnsItself();

    bytes32 private constant DOMAIN = keccak256(
        "EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)"
    );
    bytes32 private constant MESSAGE = keccak256("Message(bytes32 hash)");
    uint256 private constant HALF_ORDER = 0x7fffffffffffffffffffffffffffffff5d576e7357a4501ddfe92f46681b20a0;

    /// Grows with every outgoing action, so that a listing can commit to it. Slot 0: native rules read it.
    uint256 public state;

    receive() external payable {}

    function execute(address to, uint256 value, bytes calldata data, uint8 operation)
        external payable returns (bytes memory answer)
    {
        if (msg.sender != owner()) revert NotOwner(msg.sender);
        if (operation != 0) revert InvalidOperation(operation);
        ++state;
        bool success;
        (success, answer) = to.call{value: value}(data);
        if (!success) assembly { revert(add(answer, 32), mload(answer)) }
    }

    /// Chain, contract and id of the asset, from the end of the proxy's code.
    function token() public view returns (uint256 chainId, address tokenContract, uint256 tokenId) {
        bytes memory footer = new bytes(96);
        assembly { extcodecopy(address(), add(footer, 32), 0x4d, 0x60) }
        return abi.decode(footer, (uint256, address, uint256));
    }

    /// The asset's owner; nobody on another chain or for an asset that does not exist.
    function owner() public view returns (address) {
        (uint256 chainId, address tokenContract, uint256 tokenId) = token();
        if (chainId != block.chainid || tokenContract.code.length == 0) return address(0);
        try IOwned(tokenContract).ownerOf(tokenId) returns (address found) { return found; }
        catch { return address(0); }
    }

    function isValidSigner(address signer, bytes calldata) external view returns (bytes4) {
        return signer != address(0) && signer == owner() ? bytes4(0x523e3260) : bytes4(0);
    }

    /// ERC-1271. The owner signs `Message(hash)` in this account's own domain, so that one signature
    /// speaks for one account and not for everything its owner holds.
    function isValidSignature(bytes32 hash, bytes calldata signature) external view returns (bytes4) {
        address signer = owner();
        bytes32 digest = messageHash(hash);
        if (signer == address(0)) return 0xffffffff;
        if (recover(digest, signature) == signer) return 0x1626ba7e;
        if (signer.code.length == 0) return 0xffffffff;
        (bool success, bytes memory answer) = signer.staticcall(
            abi.encodeCall(ISigner.isValidSignature, (digest, signature))
        );
        bool accepts = success && answer.length >= 32 && bytes32(answer) == bytes32(bytes4(0x1626ba7e));
        return accepts ? bytes4(0x1626ba7e) : bytes4(0xffffffff);
    }

    /// What the owner signs so that this account says yes to `hash`.
    function messageHash(bytes32 hash) public view returns (bytes32) {
        bytes32 domain = keccak256(
            abi.encode(DOMAIN, keccak256("Sahara Asset Account"), keccak256("1"), block.chainid, address(this))
        );
        return keccak256(abi.encodePacked(hex"1901", domain, keccak256(abi.encode(MESSAGE, hash))));
    }

    function recover(bytes32 digest, bytes calldata signature) private pure returns (address) {
        if (signature.length != 65) return address(0);
        bytes32 s = bytes32(signature[32:64]);
        if (uint256(s) > HALF_ORDER) return address(0);
        return ecrecover(digest, uint8(signature[64]), bytes32(signature[:32]), s);
    }

    function onERC721Received(address, address, uint256 tokenId, bytes calldata) external view returns (bytes4) {
        (uint256 chainId, address tokenContract, uint256 own) = token();
        if (chainId == block.chainid && msg.sender == tokenContract && tokenId == own) revert OwnsItself();
        return 0x150b7a02;
    }

    function onERC1155Received(address, address, uint256, uint256, bytes calldata) external pure returns (bytes4) {
        return 0xf23a6e61;
    }

    function onERC1155BatchReceived(address, address, uint256[] calldata, uint256[] calldata, bytes calldata)
        external pure returns (bytes4)
    {
        return 0xbc197c81;
    }

    /// ERC-165, ERC-6551 account and executable, ERC-1271, ERC-721 and ERC-1155 receiver.
    function supportsInterface(bytes4 id) external pure returns (bool) {
        return id == 0x01ffc9a7 || id == 0x6faff5f1 || id == 0x51945447
            || id == 0x1626ba7e || id == 0x150b7a02 || id == 0x4e2312e0;
    }
}
