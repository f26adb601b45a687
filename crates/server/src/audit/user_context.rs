//! The four `USER-CONTEXT-…` headers: "Refers to the classification of the user. This field does
//! not have predefined validations, and you can define any values according to your specific
//! requirements."
//!
//! So no value fails a registration. Of each header the first value counts that is not empty, without
//! control characters and without what follows its first 255 characters.

use axum::http::{HeaderMap, HeaderName, HeaderValue};
use patron_rules::audit::UserContext;

use crate::http::header;

/// The longest value that is kept, in characters.
pub const LENGTH_LIMIT: usize = 255;

const ENTITY_TYPE: HeaderName = HeaderName::from_static("user-context-entity-type");
const ENTITY_ID: HeaderName = HeaderName::from_static("user-context-entity-id");
const ENTITY_SOURCE: HeaderName = HeaderName::from_static("user-context-entity-source");
const ENTITY_SOURCE_ID: HeaderName = HeaderName::from_static("user-context-entity-source-id");

/// Reads who acts; `None` if all of the headers are absent or empty.
#[must_use]
pub fn read(headers: &HeaderMap) -> Option<UserContext> {
    let user = UserContext {
        entity_type: value(headers, &ENTITY_TYPE),
        entity_id: value(headers, &ENTITY_ID),
        source: value(headers, &ENTITY_SOURCE),
        source_id: value(headers, &ENTITY_SOURCE_ID),
    };
    (user != UserContext::default()).then_some(user)
}

fn value(headers: &HeaderMap, name: &HeaderName) -> Option<String> {
    headers.get_all(name).iter().map(text).find(|text| !text.trim().is_empty())
}

fn text(value: &HeaderValue) -> String {
    let text = header::text(value);
    text.chars().filter(|character| !character.is_control()).take(LENGTH_LIMIT).collect()
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
    fn keeps_texts_as_they_are() {
        let longest = "x".repeat(LENGTH_LIMIT);
        for text in
            ["Intouch Admin User", "3124587", "anything, at all; \"<b>\"", "李小龍", &longest]
        {
            let read = read(&headers(&[(ENTITY_ID, text.as_bytes())]));
            let expected = UserContext { entity_id: Some(text.to_owned()), ..Default::default() };
            assert_eq!(read, Some(expected));
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
        assert_eq!(read(&headers(&all)), Some(expected));
    }

    #[test]
    fn empty_headers_are_not_passed() {
        assert_eq!(read(&headers(&[])), None);
        assert_eq!(read(&headers(&[(ENTITY_TYPE, b""), (ENTITY_SOURCE, b"\t \x80")])), None);
    }

    #[test]
    fn keeps_what_it_can_of_any_value() {
        let long = "é".repeat(LENGTH_LIMIT + 1);
        let cut = "é".repeat(LENGTH_LIMIT);
        let latin = [b'\xe9'; 300];
        let tabs = [b'\t'; 300];
        for (values, kept) in [
            ([long.as_bytes()].as_slice(), cut.as_str()),
            (&[&latin], &cut),
            (&[b"caf\xe9"], "café"),
            (&[b"API\tIMPORT"], "APIIMPORT"),
            (&[b"a\xc2\x85b"], "ab"),
            (&[&[&tabs, b"a".as_slice()].concat()], "a"),
            (&[b"1", b"2"], "1"),
            (&[b"\t", b"2", b"3"], "2"),
        ] {
            for name in [ENTITY_TYPE, ENTITY_ID, ENTITY_SOURCE, ENTITY_SOURCE_ID] {
                let pairs: Vec<_> = values.iter().map(|value| (name.clone(), *value)).collect();
                let user = read(&headers(&pairs)).unwrap();
                let members = [user.entity_type, user.entity_id, user.source, user.source_id];
                let read: Vec<_> = members.into_iter().flatten().collect();
                assert_eq!(read, [kept], "{name}: {values:?}");
            }
        }
    }
}
