//! `/v2/referral/…`.

pub mod validate;
