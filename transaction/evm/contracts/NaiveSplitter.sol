// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.30;

/// The peer of benchmarks ROY-1 and ROY-2: what one writes without native royalties. A payment is sent on to
/// every payee in a loop, in equal parts; it logs nothing.
contract NaiveSplitter {
    address payable[] private payees;

    function add(address payable[] calldata more) external {
        for (uint256 i = 0; i < more.length; i++) payees.push(more[i]);
    }

    function pay() external payable {
        uint256 count = payees.length;
        uint256 part = msg.value / count;
        for (uint256 i = 0; i < count; i++) {
            (bool isPaid,) = payees[i].call{value: part}("");
            require(isPaid);
        }
    }
}

/// Logs as a payment's part does, to see what a log costs a node.
contract LogProbe {
    event Deposited(uint64 indexed asset, uint64 indexed source, uint256 amount);

    function log(uint64 count) external {
        for (uint64 i = 0; i < count; i++) emit Deposited(i, count, 1 ether);
    }
}
