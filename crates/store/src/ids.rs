//! Ids of customers, the same for every engine.

/// The first id of an organisation.
pub(crate) const FIRST: i64 = 100_000_001;
/// How many ids are reserved at a time.
pub(crate) const BLOCK: i64 = 256;
