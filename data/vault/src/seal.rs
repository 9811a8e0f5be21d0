//! How content lies on disk: segments under XChaCha20-Poly1305, in the STREAM construction.
//!
//! ```text
//! magic 8 | wrapping nonce 24 | wrapped data key 32 + 16 | segment 0 + 16 | segment 1 + 16 | ...
//! ```
//!
//! Every file has a random data key, wrapped under the vault's key with the asset and the file's
//! hash as bound data: a file put in another's place does not open. The nonce of a segment is its
//! number and whether it is the last, so segments cannot be left out, swapped or cut off. A segment
//! is encrypted only after it was proved against the file's tree; written again after a crash it is
//! the same plaintext, so no nonce ever serves two.
//!
//! Whoever has the vault's key reads everything in it: see `specs/0020-vault.md`.

use crate::{error::VaultError, tree};
use chacha20poly1305::{
    KeyInit, XChaCha20Poly1305, XNonce,
    aead::{Aead, Payload},
};
use zeroize::Zeroizing;

/// Bytes that authenticate a segment.
const TAG: u64 = 16;
const MAGIC: &[u8; 8] = b"SAHVLT1\0";
const NONCE: usize = 24;
/// Bytes before the first segment.
pub(crate) const HEADER: u64 = 8 + 24 + 32 + TAG;

/// Which file of which asset: what its key is bound to.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Place {
    pub(crate) asset: u64,
    pub(crate) blake3: [u8; 32],
    pub(crate) size: u64,
}

impl Place {
    fn bound(&self) -> Vec<u8> {
        let parts: [&[u8]; 4] = [
            b"sahara/vault/key/1",
            &self.asset.to_be_bytes(),
            &self.size.to_be_bytes(),
            &self.blake3,
        ];
        parts.concat()
    }
}

/// Where a segment begins on disk.
pub(crate) const fn offset(index: u64) -> u64 {
    HEADER.saturating_add(index.saturating_mul(tree::SEGMENT.saturating_add(TAG)))
}

/// How many whole segments a file of this length on disk holds.
pub(crate) const fn held(size: u64, length: u64) -> u64 {
    let segments = tree::segments(size);
    if length >= length_of(size) {
        return segments;
    }
    let whole = match length.saturating_sub(HEADER).checked_div(tree::SEGMENT.saturating_add(TAG)) {
        Some(whole) => whole,
        None => 0,
    };
    if whole < segments { whole } else { segments.saturating_sub(1) }
}

/// Length on disk of a whole file.
pub(crate) const fn length_of(size: u64) -> u64 {
    HEADER.saturating_add(size).saturating_add(tree::segments(size).saturating_mul(TAG))
}

/// Length on disk of one segment.
pub(crate) const fn sealed_len(size: u64, index: u64) -> u64 {
    tree::segment_len(size, index).saturating_add(TAG)
}

/// A file's cipher.
pub(crate) struct Sealer {
    cipher: XChaCha20Poly1305,
    segments: u64,
}

impl Sealer {
    /// A new data key and the header that keeps it.
    pub(crate) fn create(master: &[u8; 32], place: &Place) -> Result<(Self, Vec<u8>), VaultError> {
        let key = Zeroizing::new(rand::random::<[u8; 32]>());
        Self::wrap(master, place, (&key, rand::random()))
    }

    /// The header that keeps a data key. Both are drawn anew for every file.
    fn wrap(
        master: &[u8; 32],
        place: &Place,
        (key, nonce): (&[u8; 32], [u8; NONCE]),
    ) -> Result<(Self, Vec<u8>), VaultError> {
        let wrapped = XChaCha20Poly1305::new(master.into())
            .encrypt(
                XNonce::from_slice(&nonce),
                Payload { msg: key.as_slice(), aad: &place.bound() },
            )
            .map_err(|_| VaultError::Damaged("a data key could not be wrapped".into()))?;
        let header = [MAGIC.as_slice(), &nonce, &wrapped].concat();
        Ok((Self::with(key, place), header))
    }

    /// Opens a file's header.
    pub(crate) fn open(
        master: &[u8; 32],
        place: &Place,
        header: &[u8],
    ) -> Result<Self, VaultError> {
        let damaged = || {
            VaultError::Damaged(
                "a stored file's key does not open: it is another vault's, or was changed".into(),
            )
        };
        let rest = header.strip_prefix(MAGIC.as_slice()).ok_or_else(damaged)?;
        let (nonce, wrapped) = rest.split_at_checked(NONCE).ok_or_else(damaged)?;
        let key = XChaCha20Poly1305::new(master.into())
            .decrypt(XNonce::from_slice(nonce), Payload { msg: wrapped, aad: &place.bound() })
            .map_err(|_| damaged())?;
        let key: [u8; 32] = Zeroizing::new(key).as_slice().try_into().map_err(|_| damaged())?;
        Ok(Self::with(&Zeroizing::new(key), place))
    }

    fn with(key: &[u8; 32], place: &Place) -> Self {
        Self { cipher: XChaCha20Poly1305::new(key.into()), segments: tree::segments(place.size) }
    }

    /// STREAM's nonce: number and end. The prefix may be zero, for each key serves one file.
    fn nonce(&self, index: u64) -> [u8; NONCE] {
        let mut nonce = [0_u8; NONCE];
        let is_last = index.checked_add(1) == Some(self.segments);
        if let Some(place) = nonce.get_mut(15..23) {
            place.copy_from_slice(&index.to_be_bytes());
        }
        if let Some(place) = nonce.get_mut(23) {
            *place = u8::from(is_last);
        }
        nonce
    }

    pub(crate) fn seal(&self, index: u64, segment: &[u8]) -> Result<Vec<u8>, VaultError> {
        self.cipher
            .encrypt(XNonce::from_slice(&self.nonce(index)), segment)
            .map_err(|_| VaultError::Damaged("a segment could not be encrypted".into()))
    }

    pub(crate) fn unseal(&self, index: u64, sealed: &[u8]) -> Result<Vec<u8>, VaultError> {
        self.cipher.decrypt(XNonce::from_slice(&self.nonce(index)), sealed).map_err(|_| {
            VaultError::Damaged(format!("segment {index} of a stored file was changed on disk"))
        })
    }
}

impl std::fmt::Debug for Sealer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Sealer").field("segments", &self.segments).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::{HEADER, Place, Sealer, held, length_of, offset};
    use crate::tree::SEGMENT;

    const MASTER: [u8; 32] = [9; 32];

    fn place(asset: u64) -> Place {
        Place { asset, blake3: [3; 32], size: 3 * SEGMENT }
    }

    #[test]
    fn v3_what_is_swapped_cut_or_changed_does_not_open() {
        let (sealer, header) = Sealer::create(&MASTER, &place(1)).unwrap();
        assert_eq!(header.len() as u64, HEADER);
        let sealed = sealer.seal(1, b"hello").unwrap();
        assert!(!sealed.windows(5).any(|window| window == b"hello"));
        let again = Sealer::open(&MASTER, &place(1), &header).unwrap();
        assert_eq!(again.unseal(1, &sealed).unwrap(), b"hello");
        assert!(again.unseal(0, &sealed).is_err(), "in another place");
        assert!(again.unseal(1, &sealed[1..]).is_err(), "cut");
        let mut changed = sealed;
        changed[0] ^= 1;
        assert!(again.unseal(1, &changed).is_err(), "changed");
        // The last segment of a shorter file is not a segment in the middle of a longer one.
        let short = Place { size: 2 * SEGMENT, ..place(1) };
        assert!(Sealer::open(&MASTER, &short, &header).is_err(), "another size");
        assert!(Sealer::open(&MASTER, &place(2), &header).is_err(), "another asset");
        assert!(Sealer::open(&[8; 32], &place(1), &header).is_err(), "another vault");
        assert!(Sealer::open(&MASTER, &place(1), &header[..40]).is_err(), "a short header");
    }

    /// Computed by another program, from the drawing above: who changes a byte can no longer read what was
    /// stored, and needs another magic and a way to it.
    #[test]
    fn a_stored_file_is_frozen() {
        let (sealer, header) = Sealer::wrap(&MASTER, &place(1), (&[4; 32], [5; 24])).unwrap();
        let parts = [
            "534148564c543100",
            "050505050505050505050505050505050505050505050505",
            "c0c27094b302a6b5c95f455cedb7711f128e3755e1d8143a6e7bf9b6eb432ab0",
            "8d54f82deb400f346c2bd04a63c32e16",
        ];
        assert_eq!(hex::encode(header), parts.concat());
        // The first, one in the middle, and the last.
        let segments = [
            "9844b6b86b05777e2a7ff6e732db68b1fac7d47416",
            "0bbbbec3bd0d7ed5d9397eebdcd2c9350682c7f25d",
            "e3f7d4575078614d93c46906e6b1fb0be5fe21592f",
        ];
        for (index, expected) in (0..).zip(segments) {
            assert_eq!(hex::encode(sealer.seal(index, b"hello").unwrap()), expected, "{index}");
        }
        assert_eq!([offset(0), offset(1), offset(2)], [80, 80 + 1_048_592, 80 + 2 * 1_048_592]);
        let again =
            Sealer::open(&MASTER, &place(1), &hex::decode(parts.concat()).unwrap()).unwrap();
        let last = hex::decode(segments[2]).unwrap();
        assert_eq!(again.unseal(2, &last).unwrap(), b"hello");
    }

    #[test]
    fn whole_segments_are_counted_from_the_length_on_disk() {
        let size = 2 * SEGMENT + 10;
        assert_eq!(held(size, 0), 0);
        assert_eq!(held(size, HEADER), 0);
        assert_eq!(held(size, offset(1) - 1), 0);
        assert_eq!(held(size, offset(1)), 1);
        assert_eq!(held(size, offset(2) + 25), 2);
        assert_eq!(held(size, length_of(size)), 3);
        assert_eq!(held(0, HEADER), 0);
        assert_eq!(held(0, length_of(0)), 1);
    }
}
