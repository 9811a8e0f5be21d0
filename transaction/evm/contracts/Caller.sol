// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.28;

interface ICoin {
    function balanceOf(address account) external view returns (uint256);
    function totalSupply() external view returns (uint256);
    function transfer(address to, uint256 value) external returns (bool);
}

/// How Solidity meets the native protocols: used by tests only.
contract Caller {
    address constant COIN = 0x5341484152410000000000000000000000000001;
    event Answered(uint256 kind, bool success, bytes data);

    constructor() payable {}
    receive() external payable {}

    /// Through an interface, as any contract would: the compiler checks for code first.
    function sendCoin(address to, uint256 value) external returns (uint256 left) {
        require(ICoin(COIN).transfer(to, value), "no");
        return ICoin(COIN).balanceOf(address(this));
    }

    /// kind: 0 call, 1 staticcall, 2 delegatecall, 3 callcode.
    function forward(uint256 kind, address target, uint256 value, uint256 gasLimit, bytes calldata data)
        external payable returns (bool success, bytes memory answer)
    {
        if (kind == 0) (success, answer) = target.call{value: value, gas: gasLimit}(data);
        else if (kind == 1) (success, answer) = target.staticcall{gas: gasLimit}(data);
        else if (kind == 2) (success, answer) = target.delegatecall{gas: gasLimit}(data);
        else {
            bytes memory copy = data;
            assembly { success := callcode(gasLimit, target, value, add(copy, 32), mload(copy), 0, 0)
                answer := mload(0x40) mstore(answer, returndatasize()) returndatacopy(add(answer, 32), 0, returndatasize())
                mstore(0x40, add(add(answer, 64), returndatasize())) }
        }
        emit Answered(kind, success, answer);
    }

    function forwardThenRevert(address target, uint256 value, bytes calldata data) external payable {
        (bool success, ) = target.call{value: value}(data);
        require(!success, "undone");
        revert("failed");
    }

    function codeSize(address target) external view returns (uint256) { return target.code.length; }
    function destroyTo(address payable target) external { selfdestruct(target); }
}

/// Destroys itself where it is made, its coin sent to itself.
contract Burner {
    constructor() payable { selfdestruct(payable(address(this))); }
}

/// Destroys itself where it is made, its coin sent to whom it is told.
contract Forcer {
    constructor(address payable target) payable { selfdestruct(target); }
}
