// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.28;

/// The rules behind the face: native.
interface IGovernorRules {
    function hashProposal(address[] memory targets, uint256[] memory values, bytes[] memory calldatas, bytes32 descriptionHash)
        external pure returns (uint256);
    function beginExecution(uint256 proposalId) external returns (address[] memory targets, bytes[] memory calldatas);
}

/// What native governance cannot do: call contracts. This code stands at its own address, so that calls come from the address that was
/// voted about. Governance answers every call before any code runs, except `execute` of a proposal that calls contracts. The proposal is
/// marked executed first; a call that is refused takes everything back, with its reason.
contract GovernorFace {
    error WithCoin();

    function execute(address[] memory targets, uint256[] memory values, bytes[] memory calldatas, bytes32 descriptionHash)
        external payable returns (uint256 proposalId)
    {
        proposalId = IGovernorRules(address(this)).hashProposal(targets, values, calldatas, descriptionHash);
        run(proposalId);
    }

    function execute(uint256 proposalId) external payable {
        run(proposalId);
    }

    function run(uint256 proposalId) private {
        if (msg.value != 0) revert WithCoin();
        (address[] memory targets, bytes[] memory calldatas) = IGovernorRules(address(this)).beginExecution(proposalId);
        for (uint256 i = 0; i < targets.length; i++) {
            (bool success, bytes memory answer) = targets[i].call(calldatas[i]);
            if (success) continue;
            assembly { revert(add(answer, 32), mload(answer)) }
        }
    }
}
