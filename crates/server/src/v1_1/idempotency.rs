//! Requests that are answered once: by the header `Idempotency-Key`, or, where the organisation says
//! so, by being the same as another one of the last seconds.
//!
//! No document of the API has the like: there, whoever repeats a registration updates the customer.
//! That stays so for whoever sends no key.

use std::time::Duration;

use axum::http::{HeaderMap, HeaderName, HeaderValue};
use axum::response::Response;
use jiff::{SignedDuration, Timestamp};
use patron_rules::organisation::{ApiClientId, CallerId, TillId};
use patron_store::{Once, WriteAnswer};
use sha2::{Digest, Sha256};

use crate::app::App;
use crate::auth;
use crate::limits::kept::Budget;

const KEY: HeaderName = HeaderName::from_static("idempotency-key");
/// The header of a reply that was given before.
pub(crate) const REPLAYED: HeaderName = HeaderName::from_static("idempotent-replayed");
/// The longest key, in characters.
pub const LENGTH_LIMIT: usize = 255;
/// For how long an answer is kept under its key: a till that is cut off in the evening asks again when
/// it is switched on in the morning.
pub(crate) const KEPT_FOR: SignedDuration = SignedDuration::from_hours(24);

/// What a caller calls a request, to be known by it again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Key<'a>(&'a [u8]);

/// Why a header is no key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// It came more than once.
    #[error("header IDEMPOTENCY-KEY: sent more than once")]
    Repeated,
    /// It is empty, too long, or has other characters.
    #[error("header IDEMPOTENCY-KEY: takes 1 to {LENGTH_LIMIT} visible ASCII characters")]
    Form,
}

impl<'a> Key<'a> {
    /// The key that was sent, if any.
    ///
    /// # Errors
    /// The header is no key.
    pub fn read(headers: &'a HeaderMap) -> Result<Option<Self>, Refused> {
        let mut values = headers.get_all(&KEY).iter().map(HeaderValue::as_bytes);
        match (values.next(), values.next()) {
            (None, _) => Ok(None),
            (Some(_), Some(_)) => Err(Refused::Repeated),
            (Some(key), None) => {
                let is_key =
                    (1..=LENGTH_LIMIT).contains(&key.len()) && key.iter().all(u8::is_ascii_graphic);
                if is_key { Ok(Some(Self(key))) } else { Err(Refused::Form) }
            }
        }
    }
}

/// By what a request is known again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Identity {
    key: [u8; 32],
    content: [u8; 32],
    keep_for: SignedDuration,
}

impl Identity {
    /// A request's identity: by its key, else by its content where a window is open in which the same
    /// content is taken for a repeat; `None` where it is to be carried out whatever was before.
    pub(super) fn of(
        key: Option<Key<'_>>,
        caller: CallerId,
        window_seconds: u16,
        content: impl FnOnce() -> [u8; 32],
    ) -> Option<Self> {
        let (kind, id) = match caller {
            CallerId::Till(TillId(id)) => (b"till".as_slice(), id),
            CallerId::ApiClient(ApiClientId(id)) => (b"client".as_slice(), id),
        };
        let id = id.to_be_bytes();
        match (key, window_seconds) {
            (Some(Key(key)), _) => {
                let key = digest(&[b"key", kind, &id, key]);
                Some(Self { key, content: content(), keep_for: KEPT_FOR })
            }
            (None, 0) => None,
            (None, seconds) => {
                let content = content();
                let key = digest(&[b"content", kind, &id, &content]);
                let keep_for = SignedDuration::from_secs(seconds.into());
                Some(Self { key, content, keep_for })
            }
        }
    }

    /// The request, with what writes its answer.
    pub(super) fn once(self, may_keep: bool, answer: WriteAnswer) -> Once {
        let Self { key, content, keep_for } = self;
        Once { key, content, keep_for, may_keep, answer }
    }
}

/// What is kept for a caller's repeats, where that has a limit.
#[derive(Clone, Copy)]
pub(super) struct Kept {
    key: (auth::Key, SignedDuration),
    budget: Budget,
}

impl Kept {
    pub(super) fn of(app: &App, caller: auth::Key, identity: Identity) -> Option<Self> {
        let (limit, keep_for) = (app.config.kept_replies_limit_bytes, identity.keep_for);
        let budget = Budget { limit, period: keep_for.unsigned_abs() };
        (limit > 0).then_some(Self { key: (caller, keep_for), budget })
    }

    /// # Errors
    /// No further reply may be kept before this time is over.
    pub(super) fn check(self, app: &App, now: Timestamp) -> Result<(), Duration> {
        app.kept_replies.check(&self.key, self.budget, now)
    }

    /// A reply was kept that takes so many bytes.
    pub(super) fn take(self, app: &App, bytes: usize, now: Timestamp) {
        if bytes > 0 {
            app.kept_replies.take(self.key, self.budget, bytes, now);
        }
    }
}

/// SHA-256 over parts, each with its length, so that none runs into the next.
pub(super) fn digest(parts: &[&[u8]]) -> [u8; 32] {
    let mut digest = Sha256::new();
    for part in parts {
        digest.update(part.len().to_be_bytes());
        digest.update(part);
    }
    digest.finalize().into()
}

/// Says of a reply that it was given before.
pub(super) fn replayed(mut reply: Response) -> Response {
    reply.headers_mut().insert(REPLAYED, HeaderValue::from_static("true"));
    reply
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    fn read(values: &[&[u8]]) -> Result<Option<Vec<u8>>, Refused> {
        let mut headers = HeaderMap::new();
        for value in values {
            headers.append(KEY, HeaderValue::from_bytes(value).unwrap());
        }
        Key::read(&headers).map(|key| key.map(|Key(key)| key.to_owned()))
    }

    #[test]
    fn what_is_visible_is_a_key() {
        let longest = [b'x'; LENGTH_LIMIT];
        for key in [
            b"1".as_slice(),
            b"8e03978e-40d5-43dd-bc93-6894a57f9324",
            b"\"8e03978e-40d5-43dd-bc93-6894a57f9324\"",
            b"!~#/=?,;",
            &longest,
        ] {
            assert_eq!(read(&[key]), Ok(Some(key.to_owned())));
        }
        assert_eq!(read(&[]), Ok(None));
    }

    #[rstest]
    #[case::empty(&[b"".as_slice()])]
    #[case::too_long(&[[b'x'; LENGTH_LIMIT + 1].as_slice()])]
    #[case::a_blank_within(&[b"a b".as_slice()])]
    #[case::a_tab(&[b"a\tb".as_slice()])]
    #[case::a_letter_beyond_ascii(&["é".as_bytes()])]
    fn what_is_not_is_none(#[case] values: &[&[u8]]) {
        assert_eq!(read(values), Err(Refused::Form));
    }

    #[test]
    fn two_are_none() {
        assert_eq!(read(&[b"a", b"a"]), Err(Refused::Repeated));
    }

    const TILL: CallerId = CallerId::Till(TillId(1));

    fn key(key: Option<&[u8]>, caller: CallerId, window: u16, content: u8) -> Option<[u8; 32]> {
        Identity::of(key.map(Key), caller, window, || [content; 32]).map(|identity| identity.key)
    }

    /// Whose request it is, and what it is called, never meet those of another.
    #[test]
    fn another_caller_or_key_is_another_request() {
        let client = CallerId::ApiClient(ApiClientId(1));
        let keys = [
            key(Some(b"a"), TILL, 0, 1),
            key(Some(b"b"), TILL, 0, 1),
            key(Some(b"a"), CallerId::Till(TillId(2)), 0, 1),
            key(Some(b"a"), client, 0, 1),
            key(None, TILL, 60, 1),
            key(None, TILL, 60, 2),
            key(None, client, 60, 1),
            key(Some(&[1; 32]), TILL, 60, 1),
        ];
        for (place, key) in keys.iter().enumerate() {
            assert!(key.is_some());
            assert!(!keys[..place].contains(key), "{place}");
        }
    }

    #[test]
    fn a_key_counts_for_a_day_whatever_the_window_is() {
        let by_key = |window| Identity::of(Some(Key(b"a")), TILL, window, || [1; 32]).unwrap();
        assert_eq!(by_key(0), by_key(60));
        assert_eq!(by_key(0).keep_for, SignedDuration::from_hours(24));
        let by_content = Identity::of(None, TILL, 60, || [1; 32]).unwrap();
        assert_eq!(by_content.keep_for, SignedDuration::from_mins(1));
        assert_eq!(Identity::of(None, TILL, 0, || panic!("nobody asks")), None);
    }

    #[test]
    fn parts_do_not_run_into_each_other() {
        assert_ne!(digest(&[b"ab", b"c"]), digest(&[b"a", b"bc"]));
        assert_ne!(digest(&[b"ab"]), digest(&[b"ab", b""]));
    }
}
