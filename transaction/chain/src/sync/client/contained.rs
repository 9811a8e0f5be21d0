//! Work whose panic is not to end the newcomer.

use std::panic::{AssertUnwindSafe, catch_unwind};

use tracing::error;

/// What the work gives; nothing if it panicked. Whoever calls puts right what it left half done.
pub(super) fn contained<T>(what: &'static str, work: impl FnOnce() -> T) -> Option<T> {
    let done = catch_unwind(AssertUnwindSafe(work));
    done.inspect_err(|_| error!(what, "this panicked")).ok()
}

/// What the work gives the first time it does not panic; nothing if it panicked each of `times`.
pub(super) fn tried<T>(what: &'static str, times: u32, mut work: impl FnMut() -> T) -> Option<T> {
    (0..times).find_map(|_| contained(what, &mut work))
}

#[cfg(test)]
mod tests {
    use super::tried;

    #[test]
    fn what_panics_once_is_done_the_second_time_and_what_panics_always_is_given_up() {
        let mut calls = 0;
        let once = tried("a test", 2, || {
            calls += 1;
            assert!(calls > 1, "an injected panic");
            calls
        });
        assert_eq!((once, calls), (Some(2), 2));
        let mut calls = 0;
        let always = tried("a test", 2, || {
            calls += 1;
            assert!(calls > 9, "an injected panic");
        });
        assert_eq!((always, calls), (None, 2));
    }
}
