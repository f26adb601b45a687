//! What Patron tells of itself: its log, its metrics and its traces.

pub(crate) mod log;
pub mod metrics;
pub(crate) mod traces;
