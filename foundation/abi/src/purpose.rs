//! What may be asked of a right to an asset, as bits of a purpose.

/// Computing answers.
pub const INFERENCE: u8 = 1;
/// Training a model.
pub const TRAINING: u8 = 2;
/// Linking a derivative.
pub const DERIVATIVE: u8 = 4;
/// Earning money with it.
pub const COMMERCIAL: u8 = 8;
/// Every bit that has a meaning.
pub const ALL: u8 = INFERENCE | TRAINING | DERIVATIVE | COMMERCIAL;
/// The bits by name.
pub const NAMES: [(&str, u8); 4] = [
    ("inference", INFERENCE),
    ("training", TRAINING),
    ("derivative", DERIVATIVE),
    ("commercial", COMMERCIAL),
];

/// The names of a purpose's bits.
pub fn names(bits: u8) -> Vec<&'static str> {
    let set = |(name, bit): (&'static str, u8)| (bits & bit != 0).then_some(name);
    NAMES.into_iter().filter_map(set).collect()
}
