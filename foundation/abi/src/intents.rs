//! Intents: what an account without coin signs, and anybody brings.

alloy_sol_types::sol! {
    #![sol(abi, all_derives, extra_derives(serde::Serialize, serde::Deserialize))]
    /// An account that has earned and holds no coin cannot pay for gas. It signs what it wants done, one of a closed list of actions; whoever
    /// brings it pays the gas and is repaid out of what the action yields, at most what its gas cost at the base fee. Where an action yields no
    /// coin, a sponsor's budget repays.
    interface IIntents {
        /// EIP-712, signed by `account`. `action` names a protocol and one of its functions as `actions` lists it, as in
        /// `staking.withdraw(address,address)`, and `arguments` is what `abi.encode` makes of the function's arguments. `value` is coin of the account that goes
        /// with the call. The account pays at most `maxFee`, and never more than the action brings it. `relayer` alone may bring it, anybody
        /// when it is zero. A nonce is any number the account never used; `validUntil` is the first second at which it is too late.
        struct Intent { address account; string action; bytes arguments; uint256 value; uint256 maxFee; address relayer; uint256 nonce; uint64 validUntil; }
        /// What a sponsor lets a relayer be repaid from; a day is 86,400 seconds of Unix time.
        struct Budget { uint256 left; uint96 perIntent; uint96 perDay; uint256 spentToday; }

        /// `fee` came out of what the action yielded, `sponsored` out of the budget of `sponsor`; `intent` is the hash that was signed.
        event Relayed(address indexed account, address indexed relayer, bytes32 indexed intent, address sponsor, uint256 fee, uint256 sponsored);
        event Cancelled(address indexed account, uint256 nonce);
        event BudgetSet(address indexed sponsor, address indexed relayer, uint256 left, uint96 perIntent, uint96 perDay);

        error UnknownAction(string action);
        error IntentExpired(uint64 validUntil);
        error IntentUsed(address account, uint256 nonce);
        /// The signature is malformed, malleable (high s) or another account's.
        error InvalidIntentSigner(address signer, address account);
        error OnlyRelayer(address relayer, address caller);
        error BudgetExceeded(uint256 amount, uint256 left);

        /// Does what an account signed, once, and repays the caller. Returns what the account paid, and what the function answered.
        function relay(Intent calldata intent, bytes calldata signature) external returns (uint256 fee, bytes memory result);
        /// As `relay`; what the action does not yield is paid out of the budget that `sponsor` gave the caller, as far as it goes.
        function relaySponsored(Intent calldata intent, bytes calldata signature, address sponsor) external returns (uint256 fee, uint256 sponsored, bytes memory result);
        /// Makes a nonce of the caller useless.
        function cancel(uint256 nonce) external;

        /// The caller adds the coin sent to what `relayer` may be repaid from and sets its limits: for each intent, and for each day.
        function sponsor(address relayer, uint96 perIntent, uint96 perDay) external payable;
        /// The caller takes coin out of a budget that it gave.
        function withdrawBudget(address relayer, uint256 amount) external;

        /// Whether a nonce was used or cancelled.
        function isUsed(address account, uint256 nonce) external view returns (bool);
        /// 256 nonces of an account, a bit each that is set when it was used or cancelled: those from `word * 256` on.
        function nonceBitmap(address account, uint256 word) external view returns (uint256);
        function budget(address sponsor, address relayer) external view returns (Budget memory);
        /// The hash that is signed.
        function intentHash(Intent calldata intent) external view returns (bytes32);
        /// What an intent may do.
        function actions() external view returns (string[] memory);
        /// EIP-712 domain separator of intents.
        function DOMAIN_SEPARATOR() external view returns (bytes32);
    }
}
