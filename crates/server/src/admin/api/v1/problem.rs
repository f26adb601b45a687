//! What went wrong, as a problem document (RFC 9457).

use std::any::Any;
use std::iter;
use std::time::Duration;

use axum::http::header::{CONTENT_TYPE, RETRY_AFTER, WWW_AUTHENTICATE};
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use patron_rules::organisation::{Invalid, Kind, Refused};
use patron_store::Error;
use serde::Serialize;
use utoipa::ToSchema;

use crate::http::page::RefusalText;
use crate::limits;
use crate::limits::rate::Quota;

/// The media type of a problem document.
const MEDIA_TYPE: HeaderValue = HeaderValue::from_static("application/problem+json");

/// The most wrong members that a problem lists.
const ERRORS_LIMIT: usize = 100;

/// What went wrong (RFC 9457). Its type is `about:blank`: the status says what kind of problem it is.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Problem {
    /// The HTTP status.
    #[schema(value_type = u16, examples(422))]
    #[serde(serialize_with = "number")]
    status: StatusCode,
    /// The status in words.
    title: &'static str,
    /// What went wrong this time.
    detail: String,
    /// The members that are wrong; at most 100 of them.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    errors: Vec<Fault>,
    #[serde(skip)]
    retry_after: Option<Duration>,
    #[serde(skip)]
    quota: Option<Quota>,
}

/// A member that is wrong.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Fault {
    /// Where in the document, as a JSON pointer (RFC 6901); empty for the whole of it.
    pointer: String,
    /// What belongs there.
    detail: String,
    /// The kind of the document, where it is not the one that was sent.
    #[serde(skip_serializing_if = "Option::is_none")]
    resource: Option<&'static str>,
    /// The name of the document, where it is not the one that was sent.
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<String>,
}

impl Fault {
    fn into_text(self) -> String {
        let Self { pointer, detail, .. } = self;
        if pointer.is_empty() { detail } else { format!("{pointer}: {detail}") }
    }
}

impl Problem {
    pub(crate) fn new(status: StatusCode, detail: impl Into<String>) -> Self {
        let title = status.canonical_reason().unwrap_or_default();
        let (detail, errors) = (detail.into(), Vec::new());
        Self { status, title, detail, errors, retry_after: None, quota: None }
    }

    /// A member of the document that was sent is wrong.
    pub(super) fn invalid(invalid: Invalid) -> Self {
        let Invalid { pointer, reason } = invalid;
        let fault = Fault { pointer, detail: reason, resource: None, name: None };
        Self { errors: vec![fault], ..Self::unprocessable() }
    }

    fn unprocessable() -> Self {
        Self::new(
            StatusCode::UNPROCESSABLE_ENTITY,
            "the document is invalid; `errors` lists what to correct",
        )
    }

    /// The request has no valid session token.
    pub(super) fn unauthorised() -> Self {
        Self::new(
            StatusCode::UNAUTHORIZED,
            "sign in at /admin/api/v1/sessions and send the token as `Authorization: Bearer …`",
        )
    }

    /// The operator's role does not allow it.
    pub(super) fn forbidden(needed: &str) -> Self {
        Self::new(StatusCode::FORBIDDEN, format!("this needs the role {needed}"))
    }

    pub(super) fn not_found() -> Self {
        Self::new(StatusCode::NOT_FOUND, "no such resource, or no role in its organisation")
    }

    pub(super) fn too_many(wait: Duration) -> Self {
        let detail = "too many wrong passwords; wait before the next one";
        Self { retry_after: Some(wait), ..Self::new(StatusCode::TOO_MANY_REQUESTS, detail) }
    }

    /// The operator has requested as many changes as a minute admits.
    pub(super) fn too_many_changes(quota: Quota) -> Self {
        let detail = format!(
            "an operator may request {} changes a minute; wait before the next one",
            quota.limit
        );
        Self { quota: Some(quota), ..Self::new(StatusCode::TOO_MANY_REQUESTS, detail) }
    }

    /// More of this work waits than may.
    pub(super) fn busy(detail: &str) -> Self {
        let retry_after = Some(Duration::ZERO);
        Self { retry_after, ..Self::new(StatusCode::SERVICE_UNAVAILABLE, detail) }
    }

    pub(super) fn unavailable() -> Self {
        let detail = "the store does not answer; try again, and read what was to be changed first";
        Self::new(StatusCode::SERVICE_UNAVAILABLE, detail)
    }

    /// What the store refused to do with a document; `None` where the request named none.
    pub(super) fn of_document(error: Error, sent: Option<(Kind, &str)>) -> Self {
        let fault = |refused: Refused| {
            let Refused { kind, name, invalid } = refused;
            let is_other = sent != Some((kind, name.as_str()));
            Fault {
                pointer: invalid.pointer,
                detail: invalid.reason,
                resource: is_other.then(|| kind.name()),
                name: is_other.then_some(name),
            }
        };
        let detail = error.to_string();
        match error {
            Error::Invalid(refused) => {
                let errors = refused.into_iter().take(ERRORS_LIMIT).map(fault).collect();
                Self { errors, ..Self::unprocessable() }
            }
            Error::DocumentInUse { kind, name, by } => {
                // The reason alone would say that a document which is still in use is not.
                let without = |fault: Fault| Fault {
                    detail: format!("invalid without {}: {}", kind.label(&name), fault.detail),
                    ..fault
                };
                let users = by.into_iter().take(ERRORS_LIMIT).map(fault);
                let errors = users.map(without).collect();
                Self { detail, errors, ..Self::unprocessable() }
            }
            error => error.into(),
        }
    }
}

impl From<Error> for Problem {
    fn from(error: Error) -> Self {
        let status = match &error {
            Error::Invalid(_) | Error::DocumentInUse { .. } => {
                return Self::of_document(error, None);
            }
            Error::Changed { .. } => StatusCode::PRECONDITION_FAILED,
            Error::Taken(_) | Error::Clash { .. } | Error::Reread { .. } | Error::LastOwner => {
                StatusCode::CONFLICT
            }
            Error::NoSuch { .. } | Error::NoOperator(_) | Error::NoOrganisation => {
                StatusCode::NOT_FOUND
            }
            _ => {
                tracing::error!(
                    error = error.chain(),
                    "documents or operators cannot be read or changed"
                );
                return Self::unavailable();
            }
        };
        Self::new(status, error.to_string())
    }
}

impl From<Invalid> for Problem {
    fn from(invalid: Invalid) -> Self {
        Self::invalid(invalid)
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        // A problem is made of texts and a number, which JSON always has.
        let body = serde_json::to_vec(&self).unwrap_or_default();
        let mut reply = (self.status, [(CONTENT_TYPE, MEDIA_TYPE)], body).into_response();
        let faults = self.errors.into_iter().map(Fault::into_text);
        RefusalText::attach(&mut reply, iter::once(self.detail).chain(faults).collect());
        let headers = reply.headers_mut();
        if self.status == StatusCode::UNAUTHORIZED {
            headers.insert(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        if let Some(wait) = self.retry_after {
            headers.insert(RETRY_AFTER, HeaderValue::from(wait.as_secs().saturating_add(1)));
        }
        if let Some(quota) = self.quota {
            limits::headers::retry_after(quota.resets_in, headers);
            limits::headers::tell(quota, headers);
        }
        reply
    }
}

/// No such resource under `/admin`, with the method and path that were looked for.
pub(crate) fn unknown_resource(looked_for: &str) -> Response {
    Problem::new(StatusCode::NOT_FOUND, format!("no resource matches {looked_for}")).into_response()
}

/// A method that the resource does not support.
pub(crate) fn wrong_method() -> Response {
    let detail = "this resource does not support the method";
    Problem::new(StatusCode::METHOD_NOT_ALLOWED, detail).into_response()
}

/// Too many requests are handled at the moment.
pub(crate) fn busy() -> Response {
    let detail = "as many requests are handled as the limits of connections allow";
    let problem = Problem::new(StatusCode::SERVICE_UNAVAILABLE, detail);
    Problem { retry_after: Some(Duration::ZERO), ..problem }.into_response()
}

/// A fault of Patron's own.
pub(super) fn unexpected(_panic: Box<dyn Any + Send>) -> Response {
    let detail = "an unexpected error; the log has the details";
    Problem::new(StatusCode::INTERNAL_SERVER_ERROR, detail).into_response()
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands the member over as it is")]
fn number<S: serde::Serializer>(status: &StatusCode, to: S) -> Result<S::Ok, S::Error> {
    to.serialize_u16(status.as_u16())
}
