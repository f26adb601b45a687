//! `/v3/oauth/token/…`

pub mod generate;
