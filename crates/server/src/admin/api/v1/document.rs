//! A document as it is sent and shown: its own members, and beside them `is_active` and `version`.

use std::collections::BTreeMap;
use std::fmt;

use axum::http::header::{ETAG, IF_MATCH, IF_NONE_MATCH};
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::Response;
use patron_rules::organisation::{Invalid, read};
use patron_rules::text;
use patron_store::{Expected, Stored};
use serde::de::{Error as _, MapAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::value::{RawValue, to_raw_value};

use super::body;
use super::problem::Problem;

const NAME: &str = "name";
const IS_ACTIVE: &str = "is_active";
const VERSION: &str = "version";
/// The settings that a PUT did not name and that lost their value by it: in its reply alone.
pub(super) const RESET: &str = "reset_to_default";

/// A document as it was sent.
pub(super) struct Sent {
    /// Its own members.
    members: Members,
    /// Whether it is to be in use, where that was said.
    pub(super) is_active: Option<bool>,
    /// The version that it is to replace, where that was said.
    version: Option<u32>,
}

/// The members of an object, each once.
#[derive(Default, Serialize)]
#[serde(transparent)]
struct Members(BTreeMap<String, Box<RawValue>>);

impl Sent {
    /// Reads a document from a text of JSON.
    pub(super) fn read(text: &str) -> Result<Self, Problem> {
        let mut members: Members = read(&text::document(text))?;
        let is_active = members.take(IS_ACTIVE)?;
        let version = members.take(VERSION)?;
        // A reply may be sent back as it is.
        members.0.remove(RESET);
        Ok(Self { members, is_active, version })
    }

    /// The name that it was sent with.
    pub(super) fn name(&self) -> Option<String> {
        let name = self.members.0.get(NAME)?;
        serde_json::from_str(name.get()).ok()
    }

    /// Gives it this name where it was sent without one.
    pub(super) fn name_if_unnamed(&mut self, name: &str) {
        if let Ok(name) = to_raw_value(name) {
            self.members.0.entry(NAME.to_owned()).or_insert(name);
        }
    }

    /// The names of its own members.
    pub(super) fn member_names(&self) -> impl Iterator<Item = &str> {
        self.members.0.keys().map(String::as_str)
    }

    /// Its own members, as JSON.
    pub(super) fn json(&self) -> String {
        // Each member is JSON already.
        serde_json::to_string(&self.members).unwrap_or_default()
    }
}

impl Members {
    fn take<T: for<'de> Deserialize<'de>>(&mut self, name: &str) -> Result<Option<T>, Invalid> {
        let Some(raw) = self.0.remove(name) else { return Ok(None) };
        let read = serde_json::from_str(raw.get()).map(Some);
        read.map_err(|error| Invalid::at(format!("/{name}"), error.to_string()))
    }
}

impl<'de> Deserialize<'de> for Members {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct Each;
        impl<'de> Visitor<'de> for Each {
            type Value = Members;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Members, A::Error> {
                let mut members = Members::default();
                while let Some((name, value)) = map.next_entry::<String, Box<RawValue>>()? {
                    if members.0.contains_key(&name) {
                        return Err(A::Error::custom(format!("the member `{name}` occurs twice")));
                    }
                    members.0.insert(name, value);
                }
                Ok(members)
            }
        }
        from.deserialize_map(Each)
    }
}

/// What the sender expects to be there.
pub(super) enum Precondition {
    /// This was said.
    Said(Expected),
    /// Nothing was said: then nothing may be there.
    Unsaid,
}

impl Precondition {
    /// Reads `If-Match` and `If-None-Match` (RFC 9110, 13.1), and the version in the document.
    pub(super) fn read(headers: &HeaderMap, sent: Option<&Sent>) -> Result<Self, Problem> {
        let version = sent.and_then(|sent| sent.version).map(Expected::Version);
        let header =
            |name| headers.get(name).map(|value: &HeaderValue| value.to_str().unwrap_or(""));
        let said = match (header(IF_MATCH), header(IF_NONE_MATCH)) {
            (None, None) => version,
            (Some("*"), None) => Some(Expected::Existing),
            (Some(tag), None) => {
                let quoted = tag.strip_prefix('"').and_then(|rest| rest.strip_suffix('"'));
                let number = quoted.and_then(|version| version.parse().ok());
                Some(Expected::Version(number.ok_or_else(|| bad("If-Match: \"3\", or *"))?))
            }
            (None, Some("*")) => Some(Expected::Nothing),
            _ => return Err(bad("either If-Match: \"3\" or If-None-Match: *")),
        };
        if let (Some(Expected::Version(said)), Some(Expected::Version(sent))) = (said, version)
            && said != sent
        {
            return Err(bad("If-Match and the document's `version` differ"));
        }
        Ok(said.map_or(Self::Unsaid, Self::Said))
    }

    /// What is expected, with this for a request that does not say.
    pub(super) fn or(self, unsaid: Expected) -> Expected {
        match self {
            Self::Said(expected) => expected,
            Self::Unsaid => unsaid,
        }
    }
}

fn bad(detail: &str) -> Problem {
    Problem::new(StatusCode::BAD_REQUEST, detail)
}

/// A document as it is shown.
pub(super) fn shown(stored: &Stored) -> Box<RawValue> {
    shown_with(stored, "")
}

fn shown_with(stored: &Stored, further: &str) -> Box<RawValue> {
    let json = stored.document.shown();
    let members = json.strip_suffix('}').unwrap_or(&json);
    let json = format!(r#"{members},"{VERSION}":{}{further}}}"#, stored.version);
    RawValue::from_string(json).unwrap_or_else(|_| RawValue::NULL.to_owned())
}

/// A document as a reply, with its version as the entity tag.
pub(super) fn reply(status: StatusCode, stored: &Stored) -> Response {
    reply_with(status, stored, &[])
}

/// As [`reply`], with the names of the settings that the request reset to their default.
pub(super) fn reply_with(status: StatusCode, stored: &Stored, reset: &[&str]) -> Response {
    let further = match serde_json::to_string(reset) {
        Ok(names) if !reset.is_empty() => format!(r#","{RESET}":{names}"#),
        _ => String::new(),
    };
    let mut reply = body::reply(&shown_with(stored, &further));
    *reply.status_mut() = status;
    if let Ok(tag) = HeaderValue::from_str(&format!("\"{}\"", stored.version)) {
        reply.headers_mut().insert(ETAG, tag);
    }
    reply
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderName;

    use super::*;

    #[test]
    fn what_is_beside_the_document_is_taken_out_of_it() {
        let mut sent = Sent::read(r#"{"version":3,"regex":"a","is_active":false}"#).unwrap();
        sent.name_if_unnamed("zip");
        assert_eq!((sent.is_active, sent.version), (Some(false), Some(3)));
        assert_eq!(sent.json(), r#"{"name":"zip","regex":"a"}"#);
        sent.name_if_unnamed("other");
        assert_eq!(sent.name().as_deref(), Some("zip"));
    }

    #[test]
    fn a_member_stands_there_once() {
        for text in [r#"{"a":1,"a":2}"#, "[]", "3", "", r#"{"version":"x"}"#, r#"{"is_active":1}"#]
        {
            assert!(Sent::read(text).is_err(), "{text}");
        }
    }

    #[test]
    fn what_is_expected() {
        use Expected::{Existing, Nothing, Version};
        let read = |header: Option<(HeaderName, &str)>, document: &str| {
            let mut headers = HeaderMap::new();
            if let Some((name, value)) = header {
                headers.insert(name, HeaderValue::from_str(value).unwrap());
            }
            let sent = Sent::read(document).unwrap();
            Precondition::read(&headers, Some(&sent)).ok().map(|read| match read {
                Precondition::Said(expected) => Some(expected),
                Precondition::Unsaid => None,
            })
        };
        assert_eq!(read(None, "{}"), Some(None));
        assert_eq!(read(None, r#"{"version":3}"#), Some(Some(Version(3))));
        assert_eq!(read(Some((IF_MATCH, r#""3""#)), "{}"), Some(Some(Version(3))));
        assert_eq!(read(Some((IF_MATCH, r#""3""#)), r#"{"version":3}"#), Some(Some(Version(3))));
        assert_eq!(read(Some((IF_MATCH, "*")), "{}"), Some(Some(Existing)));
        assert_eq!(read(Some((IF_NONE_MATCH, "*")), "{}"), Some(Some(Nothing)));
        assert_eq!(read(Some((IF_MATCH, r#""3""#)), r#"{"version":4}"#), None);
        for tag in ["3", r#"W/"3""#, r#""x""#, ""] {
            assert_eq!(read(Some((IF_MATCH, tag)), "{}"), None, "{tag}");
        }
        assert_eq!(read(Some((IF_NONE_MATCH, r#""3""#)), "{}"), None);
    }
}
