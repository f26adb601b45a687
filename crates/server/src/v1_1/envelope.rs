//! The envelope of every reply: `{"response": {"status": …, "customers": …}}`.
//!
//! Replies are written as JSON; the outermost layer puts them into XML where that is asked for, so
//! that nobody who refuses or answers has to know the format.

use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::http::header::{CONTENT_LENGTH, CONTENT_TYPE, RETRY_AFTER, WWW_AUTHENTICATE};
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use patron_rules::codes::{self, Code};
use serde::Serialize;

use super::xml;
use crate::auth::Refusal;
use crate::http::json;
use crate::limits::headers;

const XML: HeaderValue = HeaderValue::from_static("application/xml;charset=UTF-8");
const CHALLENGE: HeaderValue =
    HeaderValue::from_static("Basic realm=\"Patron\", charset=\"UTF-8\"");
/// How long a client waits before it asks again, while the registry is not available.
const UNAVAILABLE_FOR: Duration = Duration::from_secs(1);

/// The JSON of a reply, kept beside its body.
#[derive(Clone)]
struct Written(Bytes);

/// A whole reply.
#[derive(Debug, Serialize)]
pub struct Envelope<T> {
    response: Reply<T>,
}

#[derive(Debug, Serialize)]
struct Reply<T> {
    status: Status,
    customers: Option<Customers<T>>,
}

#[derive(Debug, Serialize)]
struct Customers<T> {
    customer: Vec<T>,
}

#[derive(Debug, Serialize)]
struct Status {
    success: &'static str,
    code: u32,
    message: String,
    total: String,
    success_count: String,
}

/// The reply to a request whose items were looked at, one by one.
pub(crate) fn items<T: Serialize>(customers: Vec<T>, succeeded: usize) -> Response {
    let total = customers.len();
    let code = match succeeded {
        0 => codes::ALL_FAILED,
        all if all == total => codes::SUCCESS,
        _ => codes::SOME_FAILED,
    };
    let status = Status {
        success: if succeeded > 0 { "true" } else { "false" },
        code: code.number,
        message: code.message.to_owned(),
        total: total.to_string(),
        success_count: succeeded.to_string(),
    };
    let customers = Some(Customers { customer: customers });
    written(StatusCode::OK, &Envelope { response: Reply { status, customers } })
}

/// The reply to a request that was refused as a whole.
pub(crate) fn refusal(
    http: StatusCode,
    code: &Code,
    detail: Option<&str>,
    total: usize,
) -> Response {
    let message = match detail {
        Some(detail) => format!("{}: {detail}", code.message.trim_end_matches('.')),
        None => code.message.to_owned(),
    };
    let status = Status {
        success: "false",
        code: code.number,
        message,
        total: total.to_string(),
        success_count: "0".to_owned(),
    };
    written(http, &Envelope::<()> { response: Reply { status, customers: None } })
}

/// 400, with what cannot be taken of the request.
pub(crate) fn invalid(why: &impl ToString) -> Response {
    refusal(StatusCode::BAD_REQUEST, codes::UNREADABLE, Some(&why.to_string()), 0)
}

/// 404.
pub(crate) fn unknown_resource() -> Response {
    refusal(StatusCode::NOT_FOUND, codes::UNKNOWN_RESOURCE, None, 0)
}

/// 405.
pub(crate) fn wrong_method() -> Response {
    refusal(StatusCode::METHOD_NOT_ALLOWED, codes::WRONG_METHOD, None, 0)
}

/// The reply to a caller who is not let in.
pub(crate) fn refused(why: &Refusal) -> Response {
    match why {
        Refusal::Unauthorised => unauthorised(),
        Refusal::TooManyGuesses(wait) => too_many_requests(*wait),
        Refusal::TooManyCalls(quota) => {
            let mut reply = too_many_requests(quota.resets_in);
            headers::tell(*quota, reply.headers_mut());
            reply
        }
        Refusal::Unavailable => unavailable(),
    }
}

/// 401, asking for Basic credentials.
fn unauthorised() -> Response {
    let mut response = refusal(StatusCode::UNAUTHORIZED, codes::UNAUTHORISED, None, 0);
    response.headers_mut().insert(WWW_AUTHENTICATE, CHALLENGE);
    response
}

/// 429.
fn too_many_requests(wait: Duration) -> Response {
    let http = StatusCode::TOO_MANY_REQUESTS;
    retry_after(refusal(http, codes::TOO_MANY_REQUESTS, None, 0), wait)
}

/// 503.
pub(crate) fn unavailable() -> Response {
    let http = StatusCode::SERVICE_UNAVAILABLE;
    retry_after(refusal(http, codes::UNAVAILABLE, None, 0), UNAVAILABLE_FOR)
}

/// 500: what a request gets that ran into a fault of ours.
pub(crate) fn unexpected() -> Response {
    refusal(StatusCode::INTERNAL_SERVER_ERROR, codes::UNEXPECTED, None, 0)
}

fn retry_after(mut response: Response, wait: Duration) -> Response {
    response.headers_mut().insert(RETRY_AFTER, headers::whole_seconds(wait).into());
    response
}

/// Puts a reply of ours into XML, with the same members in the same order.
pub(super) fn into_xml(mut reply: Response) -> Response {
    let Some(Written(json)) = reply.extensions_mut().remove() else { return reply };
    match xml::from_json(&json) {
        Ok(xml) => {
            *reply.body_mut() = Body::from(xml);
            reply.headers_mut().insert(CONTENT_TYPE, XML);
            reply.headers_mut().remove(CONTENT_LENGTH);
            reply
        }
        Err(error) => json::unwritten(&error),
    }
}

fn written<T: Serialize>(status: StatusCode, envelope: &Envelope<T>) -> Response {
    match serde_json::to_vec(envelope) {
        Ok(body) => {
            let body = Bytes::from(body);
            let mut reply =
                (status, [(CONTENT_TYPE, json::MEDIA_TYPE)], body.clone()).into_response();
            reply.extensions_mut().insert(Written(body));
            reply
        }
        Err(error) => json::unwritten(&error),
    }
}
