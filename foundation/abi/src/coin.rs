//! The native coin, readable as an ERC-20.

alloy_sol_types::sol! {
    #![sol(abi, all_derives, extra_derives(serde::Serialize, serde::Deserialize))]
    /// The native coin's ERC-20 face with EIP-2612 and EIP-3009: balances are the accounts' native balances.
    interface ICoin {
        event Transfer(address indexed from, address indexed to, uint256 value);
        event Approval(address indexed owner, address indexed spender, uint256 value);

        /// EIP-3009.
        event AuthorizationUsed(address indexed authorizer, bytes32 indexed nonce);
        /// EIP-3009.
        event AuthorizationCanceled(address indexed authorizer, bytes32 indexed nonce);

        /// ERC-6093.
        error ERC20InsufficientBalance(address sender, uint256 balance, uint256 needed);
        /// ERC-6093.
        error ERC20InsufficientAllowance(address spender, uint256 allowance, uint256 needed);
        /// ERC-6093: coin cannot be sent to the zero address, where it would be lost.
        error ERC20InvalidReceiver(address receiver);
        /// ERC-6093: what a protocol holds is others'.
        error ERC20InvalidSender(address sender);
        /// ERC-6093: what a protocol holds is others'.
        error ERC20InvalidApprover(address approver);
        /// ERC-6093.
        error ERC20InvalidSpender(address spender);
        /// EIP-2612: the deadline, in seconds, has passed.
        error ERC2612ExpiredSignature(uint256 deadline);
        /// EIP-2612: the signature is malformed, malleable (high s) or another account's.
        error ERC2612InvalidSigner(address signer, address owner);
        /// EIP-3009: valid only after this second.
        error AuthorizationNotYetValid(uint256 validAfter);
        /// EIP-3009: valid only before this second.
        error AuthorizationExpired(uint256 validBefore);
        /// EIP-3009: the nonce was used or cancelled.
        error AuthorizationUsedOrCanceled(address authorizer, bytes32 nonce);
        /// EIP-3009: the signature is malformed, malleable (high s) or another account's.
        error AuthorizationInvalidSigner(address signer, address authorizer);
        /// EIP-3009: only the receiver may use it.
        error AuthorizationNotForCaller(address caller, address to);

        function name() external view returns (string memory);
        function symbol() external view returns (string memory);
        function decimals() external view returns (uint8);
        function totalSupply() external view returns (uint256);
        function balanceOf(address account) external view returns (uint256);
        function transfer(address to, uint256 value) external returns (bool);
        function allowance(address owner, address spender) external view returns (uint256);
        function approve(address spender, uint256 value) external returns (bool);
        function transferFrom(address from, address to, uint256 value) external returns (bool);
        function permit(address owner, address spender, uint256 value, uint256 deadline, uint8 v, bytes32 r, bytes32 s) external;
        function nonces(address owner) external view returns (uint256);
        function DOMAIN_SEPARATOR() external view returns (bytes32);

        /// EIP-3009: moves coin by its owner's signature; anyone may bring it. Nonces are random, so that several wait at once.
        function transferWithAuthorization(address from, address to, uint256 value, uint256 validAfter, uint256 validBefore, bytes32 nonce, uint8 v, bytes32 r, bytes32 s) external;
        function transferWithAuthorization(address from, address to, uint256 value, uint256 validAfter, uint256 validBefore, bytes32 nonce, bytes calldata signature) external;
        /// EIP-3009: as `transferWithAuthorization`, but only the receiver may bring it: a contract that counts on the call is not forestalled.
        function receiveWithAuthorization(address from, address to, uint256 value, uint256 validAfter, uint256 validBefore, bytes32 nonce, uint8 v, bytes32 r, bytes32 s) external;
        function receiveWithAuthorization(address from, address to, uint256 value, uint256 validAfter, uint256 validBefore, bytes32 nonce, bytes calldata signature) external;
        function cancelAuthorization(address authorizer, bytes32 nonce, uint8 v, bytes32 r, bytes32 s) external;
        function cancelAuthorization(address authorizer, bytes32 nonce, bytes calldata signature) external;
        /// EIP-3009: whether the nonce was used or cancelled.
        function authorizationState(address authorizer, bytes32 nonce) external view returns (bool);
    }
}
