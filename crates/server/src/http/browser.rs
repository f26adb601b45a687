//! Requests of scripts in a browser.

use axum::http::header::WWW_AUTHENTICATE;
use axum::http::{HeaderMap, HeaderName};

use crate::v1_1::envelope::{BASIC, BEARER};

const FETCH_MODE: HeaderName = HeaderName::from_static("sec-fetch-mode");
/// Scripts that run where browsers send no `Sec-Fetch-Mode`, as over plain HTTP from another
/// machine, say so by this header.
pub(crate) const REQUESTED_WITH: HeaderName = HeaderName::from_static("x-requested-with");

/// Whether a script sent the request, not a person who opened its address.
pub(super) fn is_from_script(headers: &HeaderMap) -> bool {
    let mode = headers.get(FETCH_MODE);
    headers.contains_key(REQUESTED_WITH) || mode.is_some_and(|mode| mode != "navigate")
}

/// Replaces a challenge for Basic credentials by the other one that Patron has, for a token. At a
/// challenge for Basic, a browser asks the person for a password itself, and the script never
/// receives the reply.
pub(super) fn avoid_prompt(headers: &mut HeaderMap) {
    if headers.get(WWW_AUTHENTICATE).is_some_and(|challenge| challenge == BASIC) {
        headers.insert(WWW_AUTHENTICATE, BEARER);
    }
}
