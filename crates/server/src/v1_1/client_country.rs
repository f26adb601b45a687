//! `X-CAP-CLIENT-COUNTRYCODE`: the calling code of the client's mobile numbers that come without one.
//!
//! The documentation shows it with `customer/get`, without its meaning. Patron takes it with every
//! call that reads mobile numbers, so that one client means one number everywhere.

use axum::http::{HeaderMap, HeaderName};
use patron_rules::identifier::country;

/// The header.
pub(super) const HEADER: HeaderName = HeaderName::from_static("x-cap-client-countrycode");

/// The calling code; `None` where the header has none. A text that is no calling code counts as not
/// sent.
pub(super) fn calling_code(headers: &HeaderMap) -> Option<u16> {
    country::calling_code(headers.get(HEADER)?.to_str().ok()?)
}
