//! The native coin, readable as an ERC-20.

alloy_sol_types::sol! {
    #![sol(abi, all_derives, extra_derives(serde::Serialize, serde::Deserialize))]
    /// The native coin's ERC-20 face with EIP-2612: balances are the accounts' native balances.
    interface ICoin {
        event Transfer(address indexed from, address indexed to, uint256 value);
        event Approval(address indexed owner, address indexed spender, uint256 value);

        /// ERC-6093.
        error ERC20InsufficientBalance(address sender, uint256 balance, uint256 needed);
        /// ERC-6093.
        error ERC20InsufficientAllowance(address spender, uint256 allowance, uint256 needed);
        /// ERC-6093: coin cannot be sent to the zero address, where it would be lost.
        error ERC20InvalidReceiver(address receiver);
        /// ERC-6093.
        error ERC20InvalidSpender(address spender);
        /// EIP-2612: the deadline, in seconds, has passed.
        error ERC2612ExpiredSignature(uint256 deadline);
        /// EIP-2612: the signature is malformed, malleable (high s) or another account's.
        error ERC2612InvalidSigner(address signer, address owner);

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
    }
}
