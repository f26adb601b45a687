//! Replies in JSON.

use axum::http::header::CONTENT_TYPE;
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use serde::Serialize;

/// The media type of every reply in JSON.
pub const MEDIA_TYPE: HeaderValue = HeaderValue::from_static("application/json;charset=UTF-8");

/// Writes a reply.
pub fn reply<T: Serialize>(status: StatusCode, value: &T) -> Response {
    match serde_json::to_vec(value) {
        Ok(body) => (status, [(CONTENT_TYPE, MEDIA_TYPE)], body).into_response(),
        Err(error) => unwritten(&error),
    }
}

/// What is left to say where a reply cannot be written.
pub(crate) fn unwritten(error: &serde_json::Error) -> Response {
    tracing::error!(%error, "a reply cannot be written");
    StatusCode::INTERNAL_SERVER_ERROR.into_response()
}
