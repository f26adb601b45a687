//! What a reply tells of its key's quota: `RateLimit-Policy` and `RateLimit`, as
//! draft-ietf-httpapi-ratelimit-headers-10 has them.
//!
//! ```text
//! RateLimit-Policy: "minute";q=1000;w=60
//! RateLimit: "minute";r=999;t=60
//! ```
//!
//! `q` calls in `w` seconds are admitted; `r` more of them, until the count begins anew in `t` seconds.

use std::time::Duration;

use axum::http::header::RETRY_AFTER;
use axum::http::{HeaderMap, HeaderName, HeaderValue};

use super::rate::{Quota, WINDOW};

pub(crate) const POLICY: HeaderName = HeaderName::from_static("ratelimit-policy");
pub(crate) const STATE: HeaderName = HeaderName::from_static("ratelimit");

/// Adds them to a reply's headers.
pub(crate) fn tell(quota: Quota, headers: &mut HeaderMap) {
    let Quota { limit, remaining, resets_in } = quota;
    let policy = format!("\"minute\";q={limit};w={}", WINDOW.as_secs());
    let state = format!("\"minute\";r={remaining};t={}", whole_seconds(resets_in));
    for (name, value) in [(POLICY, policy), (STATE, state)] {
        if let Ok(value) = HeaderValue::try_from(value) {
            headers.insert(name, value);
        }
    }
}

/// Says in a reply's headers how long to wait.
pub(crate) fn retry_after(wait: Duration, headers: &mut HeaderMap) {
    headers.insert(RETRY_AFTER, whole_seconds(wait).into());
}

/// A wait in whole seconds, rounded up, so that whoever waits for them has waited long enough.
fn whole_seconds(wait: Duration) -> u64 {
    wait.as_secs().saturating_add(u64::from(wait.subsec_nanos() > 0))
}
