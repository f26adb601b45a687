//! Who asks for a change, as the audit tells it.

pub mod user_context;

use axum::http::HeaderMap;
use patron_rules::audit::{Origin, RequestId};

use crate::auth::Caller;

/// The origin of what a request changes, but for the till: as which one a request is posted depends
/// on what is set up.
#[must_use]
pub fn origin(request_id: RequestId, caller: &Caller, headers: &HeaderMap) -> Origin {
    let user = user_context::read(headers);
    Origin { request_id, caller: caller.id, till: None, store: None, user }
}
