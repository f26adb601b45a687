//! How much memory and log a store uses.

/// How much memory and log a store uses. What it keeps is the same whatever this is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Tuning {
    /// How many identifiers of new customers are gathered in memory before they are merged into
    /// their table, at least 1. In memory are twice as many at most, at about 100 bytes each.
    pub recent_identifiers: usize,
    /// How much of the database the writer keeps in memory at most, in MiB, at least 1.
    pub writer_cache_mib: u32,
    /// How much is written to the log before that is copied into the database, in MiB, at least 1.
    pub checkpoint_mib: u32,
}

impl Default for Tuning {
    /// What was measured to be as fast as more.
    fn default() -> Self {
        Self { recent_identifiers: 300_000, writer_cache_mib: 16, checkpoint_mib: 16 }
    }
}
