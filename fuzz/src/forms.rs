//! What somebody's browser sends to sign in, the header of a trace, and what operators write down.

use sahara_compute::ConfigFile as WorkerFile;
use sahara_gateway::{ConfigFile as GatewayFile, SignIn};
use sahara_telemetry::rewritten;
use serde_json::from_slice;

/// Lines of a text of EIP-4361.
const LINES: usize = 10;

/// A page's words stay on their lines, and nobody here signs: whatever is sent, nobody is signed in.
pub(crate) fn sign_in(data: &[u8]) {
    const ORIGIN: (&str, &str) = ("https", "gateway.example");
    let Ok(sign_in) = from_slice::<SignIn>(data) else { return };
    if sign_in.is_plain() {
        let lines = sign_in.text(ORIGIN, 724_272).lines().count();
        assert_eq!(lines, LINES, "a field begins a line of its own");
    }
    assert!(!sign_in.is_signed(ORIGIN, 724_272), "a text that nobody signed");
}

/// Trace, span and flags of a header are sent on as they came, whatever a later version says behind them.
pub(crate) fn traceparent(data: &[u8]) {
    let Ok(header) = std::str::from_utf8(data) else { return };
    let Some(again) = rewritten(header) else { return };
    assert_eq!(again.get(2..), header.trim().get(2..again.len()), "another trace is sent on");
    assert_eq!(rewritten(&again), Some(again), "written in two ways");
}

/// A configuration that is understood says the same when it is written again.
pub(crate) fn config_file(data: &[u8]) {
    if let Ok(file) = from_slice::<GatewayFile>(data) {
        let again = serde_json::to_vec(&file).unwrap_or_default();
        assert_eq!(from_slice::<GatewayFile>(&again).ok(), Some(file), "understood in two ways");
    }
    if let Ok(file) = WorkerFile::read(data) {
        let again = serde_json::to_vec(&file).unwrap_or_default();
        assert_eq!(WorkerFile::read(&again).ok(), Some(file), "understood in two ways");
    }
}
