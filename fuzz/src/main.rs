//! libFuzzer over the target that `SAHARA_FUZZ_TARGET` names.
#![no_main]
#![expect(clippy::panic, reason = "a wrong name ends the program")]
#![expect(clippy::disallowed_methods, reason = "libFuzzer owns the command line")]

use libfuzzer_sys::fuzz_target;
use sahara_fuzz::{TARGETS, Target, find};
use std::sync::OnceLock;

static TARGET: OnceLock<Target> = OnceLock::new();

fn target() -> Target {
    let name = std::env::var("SAHARA_FUZZ_TARGET").unwrap_or_default();
    find(&name).unwrap_or_else(|| {
        let names: Vec<_> = TARGETS.iter().map(|target| target.name).collect();
        panic!("SAHARA_FUZZ_TARGET is `{name}`, expected one of {names:?}")
    })
}

fuzz_target!(|data: &[u8]| {
    let target = TARGET.get_or_init(target);
    if data.len() <= target.longest {
        (target.run)(data);
    }
});
