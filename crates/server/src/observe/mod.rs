//! What Patron tells of itself: its log and its metrics.

pub(crate) mod log;
pub mod metrics;
