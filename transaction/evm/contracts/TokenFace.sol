// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.28;

/// The rule behind the face: native, answers nobody but its own address.
interface ITokenRules {
    function transferFor(address operator, address from, address to, uint256 tokenId) external;
}

/// What a native ERC-721 protocol cannot do: call the receiver. This code stands at the protocol's own
/// address, so that events come from the address that wallets know. The protocol answers every selector
/// but these two before any code runs. The asset is moved first, the receiver is asked afterwards.
contract TokenFace {
    bytes4 private constant ACCEPTED = 0x150b7a02;

    /// ERC-6093.
    error ERC721InvalidReceiver(address receiver);

    function safeTransferFrom(address from, address to, uint256 tokenId) external {
        send(from, to, tokenId, "");
    }

    function safeTransferFrom(address from, address to, uint256 tokenId, bytes calldata data) external {
        send(from, to, tokenId, data);
    }

    function send(address from, address to, uint256 tokenId, bytes memory data) private {
        ITokenRules(address(this)).transferFor(msg.sender, from, to, tokenId);
        if (to.code.length == 0) return;
        (bool success, bytes memory answer) = to.call(
            abi.encodeWithSelector(ACCEPTED, msg.sender, from, tokenId, data)
        );
        if (!success && answer.length > 0) {
            assembly { revert(add(answer, 32), mload(answer)) }
        }
        if (!success || answer.length < 32 || bytes32(answer) != bytes32(ACCEPTED)) {
            revert ERC721InvalidReceiver(to);
        }
    }
}
