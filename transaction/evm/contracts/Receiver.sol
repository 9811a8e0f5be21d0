// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.28;

/// Receives assets in every way a contract can: used by tests only.
contract Receiver {
    enum Mode { Accept, AnswerWrongly, AnswerNothing, RevertSilently, RevertWithReason, RevertWithError, PassOn, SendAgain }

    error NotToday(uint256 tokenId);
    event Received(address operator, address from, uint256 tokenId, bytes data, address ownerMeanwhile);

    Mode public immutable mode;
    address public immutable next;

    constructor(Mode mode_, address next_) { mode = mode_; next = next_; }

    function onERC721Received(address operator, address from, uint256 tokenId, bytes calldata data)
        external returns (bytes4)
    {
        (, bytes memory owner) = msg.sender.staticcall(abi.encodeWithSignature("ownerOf(uint256)", tokenId));
        emit Received(operator, from, tokenId, data, abi.decode(owner, (address)));
        if (mode == Mode.AnswerWrongly) return 0xdeadbeef;
        if (mode == Mode.AnswerNothing) assembly { return(0, 0) }
        if (mode == Mode.RevertSilently) assembly { revert(0, 0) }
        if (mode == Mode.RevertWithReason) revert("not today");
        if (mode == Mode.RevertWithError) revert NotToday(tokenId);
        if (mode == Mode.PassOn) call("safeTransferFrom(address,address,uint256)", address(this), next, tokenId);
        if (mode == Mode.SendAgain) call("safeTransferFrom(address,address,uint256)", from, next, tokenId);
        return 0x150b7a02;
    }

    function call(string memory function_, address from, address to, uint256 tokenId) private {
        (bool success, bytes memory answer) = msg.sender.call(abi.encodeWithSignature(function_, from, to, tokenId));
        if (!success) assembly { revert(add(answer, 32), mload(answer)) }
    }
}
