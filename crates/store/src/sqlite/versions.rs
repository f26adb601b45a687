//! Versions of what operators configure, so that a copy in memory knows when it is out of date.

use std::collections::{HashMap, HashSet};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

use crate::TenantId;

/// Counts the commits that changed a configuration. One process owns the data, so the counts live
/// in memory.
#[derive(Debug, Default)]
pub(super) struct Versions {
    /// Commits that changed any organisation or any credential.
    all: AtomicU64,
    /// Commits that changed the documents of one organisation. An absent one is at 0.
    by_organisation: Mutex<HashMap<TenantId, u64>>,
}

/// What one group of writes changes of the configuration.
#[derive(Debug, Default)]
pub(super) struct Touched {
    /// Organisations with changed documents.
    pub(super) organisations: HashSet<TenantId>,
    /// A credential was changed.
    pub(super) credentials: bool,
}

impl Versions {
    /// The count of changes of any organisation or credential.
    pub(super) fn all(&self) -> u64 {
        self.all.load(Ordering::Acquire)
    }

    /// The count of changes of one organisation's documents.
    pub(super) fn of(&self, organisation: TenantId) -> u64 {
        let versions = self.by_organisation.lock().unwrap_or_else(PoisonError::into_inner);
        versions.get(&organisation).copied().unwrap_or_default()
    }

    /// Counts a group's changes, after its commit.
    pub(super) fn advance(&self, touched: &Touched) {
        if touched.organisations.is_empty() && !touched.credentials {
            return;
        }
        let mut versions = self.by_organisation.lock().unwrap_or_else(PoisonError::into_inner);
        for organisation in &touched.organisations {
            let version = versions.entry(*organisation).or_default();
            *version = version.saturating_add(1);
        }
        drop(versions);
        self.all.fetch_add(1, Ordering::Release);
    }
}
