//! Who asks for a change, as the audit tells it.

pub mod user_context;

use axum::http::HeaderMap;
use patron_rules::audit::{Origin, RequestId};

use crate::auth::Caller;

/// The origin of what a request changes.
///
/// # Errors
/// What is wrong with a header that tells who acts.
pub fn origin(
    request_id: RequestId,
    caller: &Caller,
    headers: &HeaderMap,
) -> Result<Origin, user_context::Refused> {
    Ok(Origin { request_id, till: caller.till, user: user_context::read(headers)? })
}
