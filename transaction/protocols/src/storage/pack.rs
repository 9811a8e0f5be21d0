//! Values as words: fields stand in a word from the highest bit down, in the order they are put.

use crate::state::Failure;
use alloy_primitives::{Address, B256, U256};
use sahara_primitives::AssetId;

/// A value that fills a fixed number of words. Its zero words must be its default.
pub(crate) trait Value: Sized {
    /// `[U256; N]`.
    type Words: AsRef<[U256]> + AsMut<[U256]> + Default;

    /// The words.
    ///
    /// # Errors
    /// [`Failure::Fatal`] when a field is wider than its place: rules check before they write.
    fn pack(&self) -> Result<Self::Words, Failure>;

    /// The value of words that [`Value::pack`] made, or of zero words.
    ///
    /// # Errors
    /// [`Failure::Fatal`] for words that no value packs to.
    fn unpack(words: &Self::Words) -> Result<Self, Failure>;
}

/// Builds one word.
#[derive(Debug, Default)]
pub(crate) struct Pack {
    word: U256,
    used: usize,
    is_broken: bool,
}

impl Pack {
    /// An empty word.
    pub(crate) fn new() -> Self {
        Self::default()
    }

    /// Puts the next field, `bits` wide.
    #[must_use]
    pub(crate) fn put(mut self, bits: usize, value: U256) -> Self {
        self.used = self.used.saturating_add(bits);
        match 256_usize.checked_sub(self.used) {
            Some(shift) if value.bit_len() <= bits => self.word |= value.wrapping_shl(shift),
            _ => self.is_broken = true,
        }
        self
    }

    /// Puts a number.
    #[must_use]
    pub(crate) fn number(self, bits: usize, value: u128) -> Self {
        self.put(bits, U256::from(value))
    }

    /// Puts 160 bits.
    #[must_use]
    pub(crate) fn address(self, value: Address) -> Self {
        self.put(160, U256::from_be_slice(value.as_slice()))
    }

    /// Puts one bit.
    #[must_use]
    pub(crate) fn flag(self, value: bool) -> Self {
        self.put(1, U256::from(u8::from(value)))
    }

    /// The word; unused bits are zero.
    ///
    /// # Errors
    /// [`Failure::Fatal`] when a field did not fit.
    pub(crate) fn finish(self) -> Result<U256, Failure> {
        if self.is_broken {
            return Err(Failure::Fatal("a value does not fit its place in storage".into()));
        }
        Ok(self.word)
    }
}

/// Reads one word's fields in the order they were put.
#[derive(Debug)]
pub(crate) struct Unpack {
    rest: U256,
}

impl Unpack {
    /// Reads `word`.
    pub(crate) const fn new(word: U256) -> Self {
        Self { rest: word }
    }

    /// The next field, `bits` wide.
    pub(crate) const fn bits(&mut self, bits: usize) -> U256 {
        let field = self.rest.wrapping_shr(256_usize.saturating_sub(bits));
        self.rest = self.rest.wrapping_shl(bits);
        field
    }

    /// The next field as a number.
    ///
    /// # Errors
    /// [`Failure::Fatal`] when `T` is narrower than the field's value.
    pub(crate) fn number<T: TryFrom<U256>>(&mut self, bits: usize) -> Result<T, Failure> {
        T::try_from(self.bits(bits))
            .map_err(|_| Failure::Fatal("a stored field is wider than its type".into()))
    }

    /// The next 160 bits.
    pub(crate) fn address(&mut self) -> Address {
        Address::from_word(B256::from(self.bits(160)))
    }

    /// The next bit.
    pub(crate) fn flag(&mut self) -> bool {
        !self.bits(1).is_zero()
    }
}

impl Value for U256 {
    type Words = [Self; 1];

    fn pack(&self) -> Result<Self::Words, Failure> {
        Ok([*self])
    }

    fn unpack([word]: &Self::Words) -> Result<Self, Failure> {
        Ok(*word)
    }
}

impl Value for bool {
    type Words = [U256; 1];

    fn pack(&self) -> Result<Self::Words, Failure> {
        Ok([U256::from(u8::from(*self))])
    }

    fn unpack([word]: &Self::Words) -> Result<Self, Failure> {
        Ok(!word.is_zero())
    }
}

impl Value for u64 {
    type Words = [U256; 1];

    fn pack(&self) -> Result<Self::Words, Failure> {
        Ok([U256::from(*self)])
    }

    fn unpack([word]: &Self::Words) -> Result<Self, Failure> {
        Self::try_from(*word).map_err(|_| Failure::Fatal("a stored number exceeds 64 bits".into()))
    }
}

impl Value for AssetId {
    type Words = [U256; 1];

    fn pack(&self) -> Result<Self::Words, Failure> {
        self.0.pack()
    }

    fn unpack(words: &Self::Words) -> Result<Self, Failure> {
        u64::unpack(words).map(Self)
    }
}

impl Value for Address {
    type Words = [U256; 1];

    fn pack(&self) -> Result<Self::Words, Failure> {
        Ok([U256::from_be_slice(self.as_slice())])
    }

    fn unpack([word]: &Self::Words) -> Result<Self, Failure> {
        Ok(Self::from_word(B256::from(*word)))
    }
}

impl Value for B256 {
    type Words = [U256; 1];

    fn pack(&self) -> Result<Self::Words, Failure> {
        Ok([U256::from_be_bytes(self.0)])
    }

    fn unpack([word]: &Self::Words) -> Result<Self, Failure> {
        Ok(Self::from(*word))
    }
}
