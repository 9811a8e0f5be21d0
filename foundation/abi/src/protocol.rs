//! What every protocol answers alike.

alloy_sol_types::sol! {
    #![sol(abi, all_derives)]
    /// Errors that any native protocol may raise.
    interface IProtocol {
        /// No function has this selector, or its arguments do not decode.
        error InvalidCall();
        /// The call carries coin and the function takes none.
        error NotPayable();
        /// The call would change state inside a static call.
        error StaticCall();
        /// Protocols answer to CALL and STATICCALL only.
        error DelegateCall();
        /// Only the protocol's own code, which calls receivers, may ask this.
        error OnlySelf(address caller);
        /// Parameters are set by governance alone.
        error OnlyGovernance(address caller);
        /// No chain could live with these parameters.
        error InvalidParameters();
        /// A sum does not fit its type.
        error Overflow();
    }
}
