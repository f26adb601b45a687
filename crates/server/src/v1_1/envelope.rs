//! The envelope of every reply: `{"response": {"status": …, "customers": …}}`.
//!
//! Replies are written as JSON; the outermost layer puts them into XML where that is asked for, so
//! that nobody who refuses or answers has to know the format.

use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::http::header::{CONTENT_LENGTH, CONTENT_TYPE, WWW_AUTHENTICATE};
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use jiff::Zoned;
use patron_rules::codes::{self, Code};
use patron_rules::organisation::CallerId;
use serde::Serialize;
use utoipa::ToSchema;

use super::format::Format;
use super::xml;
use crate::auth::Refusal;
use crate::http::json;
use crate::http::page::RefusalText;
use crate::limits::headers;

const XML: HeaderValue = HeaderValue::from_static("application/xml;charset=UTF-8");
pub(crate) const BASIC: HeaderValue =
    HeaderValue::from_static("Basic realm=\"Patron\", charset=\"UTF-8\"");
pub(crate) const BEARER: HeaderValue = HeaderValue::from_static("Bearer realm=\"Patron\"");
/// How long a client waits before it asks again, while the registry is not available.
const UNAVAILABLE_FOR: Duration = Duration::from_secs(1);

/// The JSON of a reply, kept beside its body.
#[derive(Clone)]
struct Written(Bytes);

/// A reply to a request whose customers were looked at, one by one.
#[derive(Debug, Serialize, ToSchema)]
pub struct Envelope<T> {
    response: Reply<T>,
}

/// The status of a request, and what became of each customer.
#[derive(Debug, Serialize, ToSchema)]
#[schema(xml(name = "response"))]
pub(crate) struct Reply<T> {
    status: Status,
    customers: Customers<T>,
}

/// The customers, in the order in which they were sent.
#[derive(Debug, Serialize, ToSchema)]
struct Customers<T> {
    customer: Vec<T>,
}

/// The status of a request.
#[derive(Debug, Serialize, ToSchema)]
struct Status {
    /// `true` where a customer went through, else `false`.
    success: &'static str,
    /// 200 where all went through, 201 where some did, 500 where none did; of a request that was
    /// refused as a whole, a code of `docs/errors.md`.
    code: u32,
    /// What the code means, and what was wrong with the request.
    message: String,
    /// How many customers there were.
    total: String,
    /// How many of them went through.
    success_count: String,
}

/// The one refusal whose members are documented in another way: no counts, no customers, and truth
/// that is no text.
#[derive(Serialize, ToSchema)]
pub(crate) struct Denial {
    response: DeniedReply,
}

#[derive(Serialize, ToSchema)]
struct DeniedReply {
    status: DeniedStatus,
}

#[derive(Serialize, ToSchema)]
struct DeniedStatus {
    code: u32,
    message: &'static str,
    success: bool,
    warnings: NoWarnings,
}

#[derive(Serialize, ToSchema)]
struct NoWarnings {
    #[schema(value_type = Vec<String>, max_items = 0)]
    warning: [(); 0],
}

/// A reply to a request that was refused as a whole.
#[derive(Serialize, ToSchema)]
pub(crate) struct Refused {
    response: RefusedReply,
}

/// Why a request was refused as a whole.
#[derive(Serialize, ToSchema)]
#[schema(xml(name = "response"))]
pub(crate) struct RefusedReply {
    status: Status,
    /// Always null.
    #[schema(value_type = Option<Object>)]
    customers: Option<()>,
}

impl<T> Envelope<T> {
    /// Of these customers, of whom so many went through.
    pub(crate) fn of(customers: Vec<T>, succeeded: usize) -> Self {
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
        let customers = Customers { customer: customers };
        Self { response: Reply { status, customers } }
    }
}

/// The reply to a request whose customers were looked at, one by one.
pub(crate) fn items<T: Serialize>(envelope: &Envelope<T>) -> Response {
    written(StatusCode::OK, envelope)
}

/// The same, of an envelope that is written already.
pub(crate) fn written_items(json: Vec<u8>) -> Response {
    in_json(StatusCode::OK, json)
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
    refused_as(http, code.number, message, total)
}

fn refused_as(http: StatusCode, code: u32, message: String, total: usize) -> Response {
    let status = Status {
        success: "false",
        code,
        message,
        total: total.to_string(),
        success_count: "0".to_owned(),
    };
    let text = vec![status.message.clone()];
    let mut reply = written(http, &Refused { response: RefusedReply { status, customers: None } });
    RefusalText::attach(&mut reply, text);
    reply
}

/// 400, with what cannot be taken of the request.
pub(crate) fn invalid(why: &impl ToString) -> Response {
    refusal(StatusCode::BAD_REQUEST, codes::UNREADABLE, Some(&why.to_string()), 0)
}

/// 404, with the method and path that were looked for.
pub(crate) fn unknown_resource(looked_for: &str) -> Response {
    refusal(StatusCode::NOT_FOUND, codes::UNKNOWN_RESOURCE, Some(looked_for), 0)
}

/// 405.
pub(crate) fn wrong_method() -> Response {
    refusal(StatusCode::METHOD_NOT_ALLOWED, codes::WRONG_METHOD, None, 0)
}

/// The reply to a caller who is not let in.
pub(crate) fn refused(why: &Refusal) -> Response {
    let mut reply = match why {
        Refusal::Unauthorised => {
            challenged(refusal(StatusCode::UNAUTHORIZED, codes::UNAUTHORISED, None, 0), BASIC)
        }
        Refusal::NotADigest | Refusal::UnreadableHeader => {
            let (http, code) = (StatusCode::UNAUTHORIZED, codes::UNAUTHORISED);
            challenged(refusal(http, code, Some(&why.to_string()), 0), BASIC)
        }
        Refusal::UnknownToken => challenged(
            refusal(StatusCode::UNAUTHORIZED, codes::UNAUTHORISED_TOKEN, None, 0),
            BEARER,
        ),
        Refusal::TokenExpired(at) => challenged(expired(at), BEARER),
        Refusal::Denied(CallerId::Till(_)) => {
            refusal(StatusCode::FORBIDDEN, codes::TILL_DENIED, None, 0)
        }
        Refusal::Denied(CallerId::ApiClient(_)) => client_denied(),
        Refusal::TooManyGuesses(_) | Refusal::TooManyCalls(_) => {
            refusal(StatusCode::TOO_MANY_REQUESTS, codes::TOO_MANY_REQUESTS, None, 0)
        }
        Refusal::Unavailable => {
            refusal(StatusCode::SERVICE_UNAVAILABLE, codes::ACCESS_UNKNOWN, None, 0)
        }
    };
    why.tell(reply.headers_mut());
    reply
}

/// Says by which credentials a caller may come.
fn challenged(mut reply: Response, challenge: HeaderValue) -> Response {
    reply.headers_mut().insert(WWW_AUTHENTICATE, challenge);
    reply
}

/// "Token expired at 2019-12-02T12:31:15.000+0530".
fn expired(at: &Zoned) -> Response {
    let at = at.strftime("%Y-%m-%dT%H:%M:%S.%3f%z").to_string();
    let message = codes::TOKEN_EXPIRED.message.replace("{x}", &at);
    refused_as(StatusCode::UNAUTHORIZED, codes::TOKEN_EXPIRED.number, message, 0)
}

fn client_denied() -> Response {
    let Code { number, message, .. } = *codes::CLIENT_DENIED;
    let warnings = NoWarnings { warning: [] };
    let status = DeniedStatus { code: number, message, success: false, warnings };
    let mut reply = written(StatusCode::FORBIDDEN, &Denial { response: DeniedReply { status } });
    RefusalText::attach(&mut reply, vec![message.to_owned()]);
    reply
}

/// 503.
pub(crate) fn unavailable() -> Response {
    let mut reply = refusal(StatusCode::SERVICE_UNAVAILABLE, codes::UNAVAILABLE, None, 0);
    headers::retry_after(UNAVAILABLE_FOR, reply.headers_mut());
    reply
}

/// 500: what a request gets that ran into a fault of ours.
pub(crate) fn unexpected() -> Response {
    refusal(StatusCode::INTERNAL_SERVER_ERROR, codes::UNEXPECTED, None, 0)
}

/// Puts a reply of ours into this format; in XML it has the same members in the same order.
pub(crate) fn into_format(reply: Response, format: Format) -> Response {
    match format {
        Format::Json => reply,
        Format::Xml => into_xml(reply),
    }
}

fn into_xml(mut reply: Response) -> Response {
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

fn written<T: Serialize>(status: StatusCode, envelope: &T) -> Response {
    match serde_json::to_vec(envelope) {
        Ok(body) => in_json(status, body),
        Err(error) => json::unwritten(&error),
    }
}

fn in_json(status: StatusCode, body: Vec<u8>) -> Response {
    let body = Bytes::from(body);
    let mut reply = (status, [(CONTENT_TYPE, json::MEDIA_TYPE)], body.clone()).into_response();
    reply.extensions_mut().insert(Written(body));
    reply
}
