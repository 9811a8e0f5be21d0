//! The BLAKE3 tree of a file, cut at segments of [`SEGMENT`] bytes.
//!
//! A file's BLAKE3 hash is the root of a tree. The values of the subtrees over each segment are what
//! proves one segment at a time: they join to the root, which the manifest names, and each segment
//! joins to its value. So a wrong byte is noticed before the next segment is asked for, and the
//! manifest stays small.
//!
//! ```text
//!            BLAKE3 of the file
//!             /            \
//!          join            value 2
//!        /      \             |
//!    value 0   value 1     segment 2 (the rest)
//! ```

use blake3::{
    Hasher,
    hazmat::{HasherExt, Mode, left_subtree_len, merge_subtrees_non_root, merge_subtrees_root},
};

/// Bytes of a segment; the last one of a file may be shorter.
pub const SEGMENT: u64 = 1 << 20;

/// The hash of a segment.
pub type Value = [u8; 32];

/// Segments of a file of this size; an empty file has one, which is empty.
#[must_use]
pub const fn segments(size: u64) -> u64 {
    if size == 0 { 1 } else { size.div_ceil(SEGMENT) }
}

/// Bytes of the segment at this place; 0 beyond the end.
#[must_use]
pub const fn segment_len(size: u64, index: u64) -> u64 {
    let rest = size.saturating_sub(index.saturating_mul(SEGMENT));
    if rest < SEGMENT { rest } else { SEGMENT }
}

/// The value of a segment of a file of `size` bytes; none when it is not as long as it should be.
#[must_use]
pub fn value(size: u64, index: u64, segment: &[u8]) -> Option<Value> {
    // Others send segments, and the hasher takes neither an empty nor too long a subtree.
    if index >= segments(size) || u64::try_from(segment.len()).ok()? != segment_len(size, index) {
        return None;
    }
    if segments(size) == 1 {
        return Some(blake3::hash(segment).into());
    }
    let mut hasher = Hasher::new();
    hasher.set_input_offset(index.saturating_mul(SEGMENT));
    Some(hasher.update(segment).finalize_non_root())
}

/// The file's BLAKE3 hash; none when there are not as many values as segments.
#[must_use]
pub fn root(size: u64, values: &[Value]) -> Option<Value> {
    if u64::try_from(values.len()).ok()? != segments(size) {
        return None;
    }
    if let [only] = values {
        return Some(*only);
    }
    let (left, right) = halves(size, values)?;
    Some(merge_subtrees_root(&left, &right, Mode::Hash).into())
}

fn halves(size: u64, values: &[Value]) -> Option<(Value, Value)> {
    let left = left_subtree_len(size);
    let middle = usize::try_from(segments(left)).ok()?;
    let (before, after) = values.split_at_checked(middle)?;
    Some((inner(left, before)?, inner(size.checked_sub(left)?, after)?))
}

fn inner(size: u64, values: &[Value]) -> Option<Value> {
    if let [only] = values {
        return Some(*only);
    }
    let (left, right) = halves(size, values)?;
    Some(merge_subtrees_non_root(&left, &right, Mode::Hash))
}

#[cfg(test)]
#[expect(clippy::cast_possible_truncation, reason = "the tests' own numbers are small")]
mod tests {
    use super::{SEGMENT, Value, root, segment_len, segments, value};
    use proptest::prelude::{ProptestConfig, any, proptest};

    fn values(content: &[u8]) -> Vec<Value> {
        let size = content.len() as u64;
        let chunks: Vec<_> = content.chunks(SEGMENT as usize).collect();
        let chunks = if chunks.is_empty() { vec![&[][..]] } else { chunks };
        assert_eq!(chunks.len() as u64, segments(size));
        (0..).zip(chunks).map(|(index, chunk)| value(size, index, chunk).unwrap()).collect()
    }

    #[test]
    fn v1_values_join_to_the_hash_that_everybody_computes() {
        let content: Vec<u8> = (0..5 * SEGMENT + 77).map(|n| (n * 31 % 251) as u8).collect();
        let edges = [0, 1, 1023, 1024, 1025, SEGMENT - 1, SEGMENT, SEGMENT + 1, 2 * SEGMENT];
        let more = [3 * SEGMENT + 5, 4 * SEGMENT, 5 * SEGMENT, 5 * SEGMENT + 77];
        for size in edges.into_iter().chain(more) {
            let content = &content[..size as usize];
            let joined = root(size, &values(content)).unwrap();
            assert_eq!(joined, *blake3::hash(content).as_bytes(), "{size}");
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(24))]
        #[test]
        fn v1_a_wrong_byte_changes_its_segments_value_and_the_root(
            size in 1..3 * SEGMENT, place in any::<u64>(),
        ) {
            let mut content = vec![7_u8; size as usize];
            let right = values(&content);
            let place = place % size;
            content[place as usize] ^= 1;
            let wrong = values(&content);
            let index = (place / SEGMENT) as usize;
            for (at, (right, wrong)) in right.iter().zip(&wrong).enumerate() {
                assert_eq!(right == wrong, at != index);
            }
            assert_ne!(root(size, &right), root(size, &wrong));
        }
    }

    #[test]
    fn v1_a_segment_of_another_length_has_no_value() {
        let size = SEGMENT + 5;
        let content = vec![7_u8; size as usize + 1];
        for (index, length) in [(0, 0), (0, SEGMENT - 1), (0, size), (1, 0), (1, 6), (2, 0), (2, 5)]
        {
            assert_eq!(value(size, index, &content[..length as usize]), None, "{index} {length}");
        }
        assert!(value(size, 1, &content[..5]).is_some());
        assert!(value(0, 0, b"").is_some());
        assert_eq!(value(0, 0, b"x"), None);
    }

    #[test]
    fn as_many_values_as_segments_and_no_others() {
        assert_eq!(root(0, &[]), None);
        assert_eq!(root(SEGMENT, &[[1; 32]; 2]), None);
        assert_eq!(root(SEGMENT + 1, &[[1; 32]]), None);
        assert_eq!(root(u64::MAX, &[[1; 32]; 3]), None);
        assert_eq!(segment_len(SEGMENT + 5, 1), 5);
        assert_eq!(segment_len(SEGMENT + 5, 2), 0);
    }
}
