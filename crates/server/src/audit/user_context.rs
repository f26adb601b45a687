//! The four `USER-CONTEXT-…` headers: "Refers to the classification of the user. This field does
//! not have predefined validations, and you can define any values according to your specific
//! requirements."
//!
//! They are kept exactly as sent. What cannot be kept is refused: more than 255 bytes, bytes that
//! are not UTF-8, control characters, a header sent more than once.

use axum::http::{HeaderMap, HeaderName, HeaderValue};
use patron_rules::audit::UserContext;

/// The longest value, in bytes.
pub const LENGTH_LIMIT_BYTES: usize = 255;

const ENTITY_TYPE: HeaderName = HeaderName::from_static("user-context-entity-type");
const ENTITY_ID: HeaderName = HeaderName::from_static("user-context-entity-id");
const ENTITY_SOURCE: HeaderName = HeaderName::from_static("user-context-entity-source");
const ENTITY_SOURCE_ID: HeaderName = HeaderName::from_static("user-context-entity-source-id");

/// Why a header cannot be kept.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("header {}: {reason}", name.as_str().to_uppercase())]
pub struct Refused {
    name: HeaderName,
    reason: Reason,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
enum Reason {
    #[error("sent more than once")]
    Repeated,
    #[error("longer than {LENGTH_LIMIT_BYTES} bytes")]
    TooLong,
    #[error("not UTF-8")]
    NotUtf8,
    #[error("holds a control character")]
    Control,
}

/// Reads who acts; `None` where none of the headers says anything.
///
/// # Errors
/// The first header that cannot be kept.
pub fn read(headers: &HeaderMap) -> Result<Option<UserContext>, Refused> {
    let user = UserContext {
        entity_type: value(headers, ENTITY_TYPE)?,
        entity_id: value(headers, ENTITY_ID)?,
        source: value(headers, ENTITY_SOURCE)?,
        source_id: value(headers, ENTITY_SOURCE_ID)?,
    };
    Ok((user != UserContext::default()).then_some(user))
}

/// The header's value; an empty one says nothing.
fn value(headers: &HeaderMap, name: HeaderName) -> Result<Option<String>, Refused> {
    let mut values = headers.get_all(&name).iter();
    let Some(first) = values.next() else { return Ok(None) };
    let text = if values.next().is_none() { text(first) } else { Err(Reason::Repeated) };
    let text = text.map_err(|reason| Refused { name, reason })?;
    Ok((!text.is_empty()).then(|| text.to_owned()))
}

fn text(value: &HeaderValue) -> Result<&str, Reason> {
    if value.len() > LENGTH_LIMIT_BYTES {
        return Err(Reason::TooLong);
    }
    let text = str::from_utf8(value.as_bytes()).map_err(|_| Reason::NotUtf8)?;
    if text.contains(char::is_control) { Err(Reason::Control) } else { Ok(text) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(pairs: &[(HeaderName, &[u8])]) -> HeaderMap {
        let value = |bytes| HeaderValue::from_bytes(bytes).unwrap();
        let mut headers = HeaderMap::new();
        for (name, bytes) in pairs {
            headers.append(name, value(bytes));
        }
        headers
    }

    #[test]
    fn what_is_sent_is_kept_as_it_is() {
        let longest = "x".repeat(LENGTH_LIMIT_BYTES);
        for text in
            ["Intouch Admin User", "3124587", "anything, at all; \"<b>\"", "李小龍", &longest]
        {
            let read = read(&headers(&[(ENTITY_ID, text.as_bytes())]));
            let expected = UserContext { entity_id: Some(text.to_owned()), ..Default::default() };
            assert_eq!(read, Ok(Some(expected)));
        }
        let all = [
            (ENTITY_TYPE, b"a".as_slice()),
            (ENTITY_ID, b"b"),
            (ENTITY_SOURCE, b"c"),
            (ENTITY_SOURCE_ID, b"d"),
        ];
        let [entity_type, entity_id, source, source_id] =
            ["a", "b", "c", "d"].map(|text| Some(text.to_owned()));
        let expected = UserContext { entity_type, entity_id, source, source_id };
        assert_eq!(read(&headers(&all)), Ok(Some(expected)));
    }

    #[test]
    fn nothing_is_nothing() {
        assert_eq!(read(&headers(&[])), Ok(None));
        assert_eq!(read(&headers(&[(ENTITY_TYPE, b""), (ENTITY_SOURCE, b"")])), Ok(None));
    }

    #[test]
    fn what_cannot_be_kept_is_refused_by_name() {
        let long = [b'x'; LENGTH_LIMIT_BYTES + 1];
        for (name, value, reason) in [
            (ENTITY_TYPE, long.as_slice(), "ENTITY-TYPE: longer than 255 bytes"),
            (ENTITY_ID, b"caf\xe9", "ENTITY-ID: not UTF-8"),
            (ENTITY_SOURCE, b"API\tIMPORT", "ENTITY-SOURCE: holds a control character"),
            (ENTITY_SOURCE_ID, b"\xc2\x85", "ENTITY-SOURCE-ID: holds a control character"),
        ] {
            let refused = read(&headers(&[(name, value)])).unwrap_err();
            assert_eq!(refused.to_string(), format!("header USER-CONTEXT-{reason}"));
        }
        let twice = headers(&[(ENTITY_ID, b"1"), (ENTITY_ID, b"1")]);
        let refused = read(&twice).unwrap_err();
        assert_eq!(refused.to_string(), "header USER-CONTEXT-ENTITY-ID: sent more than once");
    }
}
