//! What a store tells of how it does, for whoever measures it.

use std::sync::{Arc, OnceLock};
use std::time::Duration;

/// The target of the spans (`tracing`) of a request's stages, all of them of the level `TRACE`:
/// `queue`, `load`, `decide`, `apply` and `commit` are the store's.
pub const STAGES: &str = "patron::stages";

/// Requests that were written and committed together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Group {
    /// How many requests.
    pub requests: usize,
    /// How many customers they are about.
    pub customers: usize,
    /// How long it took from the first request's work until the commit was on disk.
    pub took: Duration,
    /// How long the commit alone took, its sync to disk included, and copying the log into the
    /// database where it was long enough; `None` where it failed.
    pub commit: Option<Duration>,
}

/// How much room the data take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Size {
    /// The database, in bytes.
    pub database_bytes: u64,
    /// Its log, in bytes; 0 where it has none.
    pub log_bytes: u64,
}

/// Is told how a store does.
pub trait Watch: Send + Sync {
    /// After each group, before its requests are answered: everybody waits for it. Of what is refused
    /// alone, an engine need not tell.
    fn wrote(&self, group: Group);

    /// A request is refused because too many wait.
    fn refused(&self);
}

/// Whoever watches, once there is somebody.
#[derive(Clone, Default)]
pub(crate) struct Watched(Arc<OnceLock<Arc<dyn Watch>>>);

impl Watched {
    /// The first who watches stays.
    pub(crate) fn by(&self, watch: Arc<dyn Watch>) {
        drop(self.0.set(watch));
    }

    pub(crate) fn wrote(&self, group: Group) {
        if let Some(watch) = self.0.get() {
            watch.wrote(group);
        }
    }

    pub(crate) fn refused(&self) {
        if let Some(watch) = self.0.get() {
            watch.refused();
        }
    }
}
