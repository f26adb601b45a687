//! Ids of customers, the same for every engine.

/// The first id of an organisation.
pub(crate) const FIRST: i64 = 100_000_001;
