//! What is to be done to a file.

use commonware_runtime::{Blob, Error, IoBuf, WriteOptions};

/// Writes and resizes in their order. A write that begins in the last one or at its end becomes part of it:
/// archives append a few dozen bytes at a time, and each write to a file is a switch of threads, beside the votes
/// that a block waits for.
#[derive(Default)]
pub(super) struct Steps(Vec<Step>);

enum Step {
    Write(u64, Vec<u8>),
    Resize(u64),
}

impl Steps {
    pub(super) fn write(&mut self, at: u64, bytes: &[u8]) {
        let Self(steps) = self;
        if let Some(Step::Write(start, written)) = steps.last_mut()
            && let Some(from) = at.checked_sub(*start).and_then(|from| usize::try_from(from).ok())
            && from <= written.len()
        {
            let (over, rest) = bytes.split_at(bytes.len().min(written.len().saturating_sub(from)));
            written.iter_mut().skip(from).zip(over).for_each(|(to, byte)| *to = *byte);
            written.extend_from_slice(rest);
        } else {
            steps.push(Step::Write(at, bytes.to_vec()));
        }
    }

    pub(super) fn resize(&mut self, length: u64) {
        let Self(steps) = self;
        steps.push(Step::Resize(length));
    }

    /// Does them, without a sync.
    pub(super) async fn take_on<B: Blob>(self, blob: &B) -> Result<(), Error> {
        let Self(steps) = self;
        for step in steps {
            match step {
                Step::Write(at, bytes) => {
                    blob.write_at(at, IoBuf::from(bytes), WriteOptions::default()).await?;
                }
                Step::Resize(length) => blob.resize(length).await?,
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use proptest::{collection::vec, prelude::*};

    use super::*;

    fn done(steps: &[Step]) -> Vec<u8> {
        let mut file = Vec::new();
        for step in steps {
            match step {
                Step::Write(at, bytes) => {
                    let start = usize::try_from(*at).unwrap();
                    let end = start + bytes.len();
                    file.resize(file.len().max(end), 0);
                    file[start..end].copy_from_slice(bytes);
                }
                Step::Resize(length) => file.resize(usize::try_from(*length).unwrap(), 0),
            }
        }
        file
    }

    proptest! {
        #[test]
        fn joined_steps_do_what_each_by_itself_does(
            given in vec((0..40_u64, vec(any::<u8>(), 0..20), proptest::bool::weighted(0.2)), 0..20),
        ) {
            let (mut joined, mut single) = (Steps::default(), Vec::new());
            for (at, bytes, resizes) in given {
                if resizes {
                    joined.resize(at);
                    single.push(Step::Resize(at));
                } else {
                    joined.write(at, &bytes);
                    single.push(Step::Write(at, bytes));
                }
            }
            prop_assert_eq!(done(&joined.0), done(&single));
        }
    }

    #[test]
    fn what_is_appended_is_one_write() {
        let mut steps = Steps::default();
        (0..1_000_u64).for_each(|at| steps.write(at * 7, &[1; 7]));
        // Its end is written again, as a header or a page is.
        steps.write(6_990, &[2; 30]);
        let Steps(steps) = &steps;
        assert!(matches!(steps.as_slice(), [Step::Write(0, bytes)] if bytes.len() == 7_020));
    }
}
