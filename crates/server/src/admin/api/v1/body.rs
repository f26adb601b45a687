//! Bodies of requests: JSON, read whole.

use axum::body::Bytes;
use axum::extract::Request;
use axum::http::header::CONTENT_TYPE;
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode};
use axum::response::{IntoResponse, Response};
use patron_rules::organisation::read;
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::problem::Problem;
use crate::app::App;
use crate::http::body::{self, Error};
use crate::http::sniff;

/// The largest body, in bytes.
pub(crate) const LIMIT_BYTES: usize = 256 * 1024;
/// The largest body of a caller who is not signed in yet, in bytes.
pub(crate) const SIGN_IN_LIMIT_BYTES: usize = 10_000;

/// The media type of JSON.
pub(super) const JSON: &str = "application/json";
/// The media type of merge patches (RFC 7396), which is what PATCH takes JSON for.
pub(super) const MERGE_PATCH: &str = "application/merge-patch+json";
/// The media type of another kind of patch (RFC 6902), which is not supported.
const JSON_PATCH: &str = "application/json-patch+json";

/// Fails unless a body of this type is what the method takes: a patch must not replace a document,
/// nor a document be taken for a patch.
fn check_type(method: &Method, headers: &HeaderMap) -> Result<(), Problem> {
    let Some(header) = headers.get(CONTENT_TYPE) else { return Ok(()) };
    let text = header.to_str().unwrap_or_default();
    let media_type = text.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    let is_patch = [MERGE_PATCH, JSON_PATCH].contains(&media_type.as_str());
    let (is_taken, wanted) = if method == Method::PATCH {
        ([JSON, MERGE_PATCH].contains(&media_type.as_str()), [MERGE_PATCH, JSON].join(" or "))
    } else {
        (media_type == JSON || (media_type.ends_with("+json") && !is_patch), JSON.to_owned())
    };
    if is_taken {
        return Ok(());
    }
    let detail = format!("the Content-Type is `{media_type}`; send {wanted}");
    Err(Problem::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, detail))
}

/// Reads a body as a text of JSON.
pub(super) async fn text(app: &App, request: Request) -> Result<String, Problem> {
    text_within(app, request, LIMIT_BYTES).await
}

/// Reads a body of at most this many bytes as a text of JSON.
async fn text_within(app: &App, request: Request, limit: usize) -> Result<String, Problem> {
    let (parts, body) = request.into_parts();
    if let Err(problem) = check_type(&parts.method, &parts.headers) {
        body::drain(body, app.config.body_timeout()).await;
        return Err(problem);
    }
    let bytes = body::read(app, &parts.headers, body, limit).await.map_err(refused)?;
    if let Some(hint) = sniff::instead_of_json(&bytes) {
        return Err(Problem::new(StatusCode::BAD_REQUEST, hint));
    }
    String::from_utf8(Bytes::into(bytes))
        .map_err(|_| Problem::new(StatusCode::BAD_REQUEST, "the body is not UTF-8"))
}

/// Reads a body as something of its own.
pub(super) async fn json<T: DeserializeOwned>(app: &App, request: Request) -> Result<T, Problem> {
    json_within(app, request, LIMIT_BYTES).await
}

/// Reads a body of at most this many bytes as something of its own.
pub(super) async fn json_within<T: DeserializeOwned>(
    app: &App,
    request: Request,
    limit: usize,
) -> Result<T, Problem> {
    Ok(read(&text_within(app, request, limit).await?)?)
}

/// Reads the body of a caller who is not signed in yet.
pub(super) async fn sign_in<T: DeserializeOwned>(
    app: &App,
    request: Request,
) -> Result<T, Problem> {
    json_within(app, request, SIGN_IN_LIMIT_BYTES).await
}

/// A reply in JSON.
pub(super) fn reply<T: Serialize>(value: &T) -> Response {
    // What is replied is made of texts, numbers, lists and named members, which JSON always has.
    let body = serde_json::to_vec(value).unwrap_or_default();
    ([(CONTENT_TYPE, HeaderValue::from_static(JSON))], body).into_response()
}

/// Reads the rest of a body that nobody wants, so that its sender comes to read the reply.
pub(super) async fn drain(app: &App, request: Request) {
    body::drain(request.into_body(), app.config.body_timeout()).await;
}

fn refused(error: Error) -> Problem {
    let detail = match error {
        Error::TooLarge(limit) => format!("the body is larger than allowed: at most {limit} bytes"),
        error => error.to_string(),
    };
    Problem::new(error.status(), detail)
}
