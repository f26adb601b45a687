//! Texts in headers of a request.

use std::borrow::Cow;

use axum::http::HeaderValue;
use encoding_rs::mem::decode_latin1;

/// The text of a header. One that is not UTF-8 is Latin-1, as HTTP headers were (RFC 9110, 5.5).
pub(crate) fn text(value: &HeaderValue) -> Cow<'_, str> {
    let bytes = value.as_bytes();
    str::from_utf8(bytes).map_or_else(|_| decode_latin1(bytes), Cow::Borrowed)
}
