//! How often a caller may call.

pub(crate) mod headers;
pub mod rate;
