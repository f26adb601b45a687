//! Reading the audit of a customer.

use std::ops::Range;
use std::sync::Arc;

use patron_rules::audit::Entry;
use patron_rules::customer::CustomerId;

/// How many of a customer's newest entries are looked at where not all are wanted.
pub const SEARCH_LIMIT: i64 = 10_000;

/// Whether an entry is wanted; it may be left with less than it had.
pub type Keep = dyn Fn(&mut Entry) -> bool + Send + Sync;

/// Which entries of a customer's audit are wanted.
#[derive(Clone)]
pub struct Query {
    /// The customer.
    pub customer: CustomerId,
    /// Which come first.
    pub order: Order,
    /// The page, counted from 0.
    pub page: u32,
    /// The most entries of a page.
    pub limit: u16,
    /// Which entries are wanted; all, where it is `None`. Then only as many entries are read as the
    /// page has, whichever page it is; otherwise the newest [`SEARCH_LIMIT`].
    pub keep: Option<Arc<Keep>>,
}

impl Query {
    /// The places of the page's entries among all that are wanted, in their order.
    pub(crate) fn wanted(&self) -> Range<i64> {
        let start = i64::from(self.page) * i64::from(self.limit);
        start..start + i64::from(self.limit)
    }
}

/// In which order entries are read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Order {
    /// The newest first.
    NewestFirst,
    /// The oldest first.
    OldestFirst,
}

/// Some entries of a customer's audit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page {
    /// The page's entries.
    pub entries: Vec<Entry>,
    /// How many are wanted, on all pages together.
    pub total: i64,
    /// How many of the newest entries were searched, where the customer has more.
    pub searched: Option<i64>,
}
