//! `/v2/auditLog/…`.

pub mod get;
