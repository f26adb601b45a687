//! `/v3/oauth/…`

pub mod token;
