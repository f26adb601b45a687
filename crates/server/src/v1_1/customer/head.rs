//! What the head of a registration says: its query and its headers.

use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::Response;
use patron_rules::audit::{Origin, RequestId};
use patron_rules::codes;
use patron_rules::settings::Settings;
use patron_store::Mode;

use crate::audit::{self, user_context};
use crate::auth::Caller;
use crate::v1_1::attribution::{self, Attribution};
use crate::v1_1::format::Format;
use crate::v1_1::idempotency::{self, Identity, Key};
use crate::v1_1::{envelope, format, query};

/// What the head of a registration says.
pub(super) struct Head<'a> {
    headers: &'a HeaderMap,
    key: Option<Key<'a>>,
    pub(super) format: Format,
    pub(super) attribution: Attribution,
    pub(super) origin: Origin,
    pub(super) mode: Mode,
    pub(super) explained: bool,
}

/// Why it cannot be taken.
#[derive(Debug, thiserror::Error)]
pub(super) enum Refused {
    #[error(transparent)]
    UserContext(#[from] user_context::Refused),
    #[error(transparent)]
    Key(#[from] idempotency::Refused),
    #[error("send JSON or XML, and say which by `Content-Type` or `?format=`")]
    Format,
}

impl Refused {
    pub(super) fn reply(&self) -> Response {
        match self {
            Self::UserContext(_) | Self::Key(_) => envelope::invalid(self),
            Self::Format => {
                let (http, code) =
                    (StatusCode::UNSUPPORTED_MEDIA_TYPE, codes::UNSUPPORTED_MEDIA_TYPE);
                envelope::refusal(http, code, Some(&self.to_string()), 0)
            }
        }
    }
}

impl<'a> Head<'a> {
    pub(super) fn read(
        parts: &'a Parts,
        caller: &Caller,
        request_id: RequestId,
    ) -> Result<Self, Refused> {
        let Parts { uri, headers, .. } = parts;
        Ok(Self {
            headers,
            origin: audit::origin(request_id, caller, headers)?,
            key: Key::read(headers)?,
            format: format::of_request(uri, headers).ok_or(Refused::Format)?,
            attribution: Attribution::read(headers, caller),
            mode: if query::flag(uri, "dry_run") { Mode::DryRun } else { Mode::Apply },
            explained: query::flag(uri, "explain"),
        })
    }

    /// By what the request with this body is known again; `None` where it is carried out whatever was
    /// before. A dry run changes nothing, so its key is left free.
    pub(super) fn identity(&self, body: &[u8], settings: &Settings) -> Option<Identity> {
        let (window, caller) = (settings.repeat_window_seconds, self.origin.caller);
        match self.mode {
            Mode::DryRun => None,
            Mode::Apply => Identity::of(self.key, caller, window, || self.content(body)),
        }
    }

    /// A digest of everything that decides what becomes of the customers and what is told of them. Who
    /// acts through the caller does neither.
    fn content(&self, body: &[u8]) -> [u8; 32] {
        let sent = |name| self.headers.get(name).map_or(b"".as_slice(), HeaderValue::as_bytes);
        let [entity_type, entity_code, till_code] = attribution::HEADERS.map(sent);
        let flags = [u8::from(self.format == Format::Xml), u8::from(self.explained)];
        let charset = format::charset(self.headers).unwrap_or_default().as_bytes();
        idempotency::digest(&[
            b"customer/add",
            &flags,
            charset,
            entity_type,
            entity_code,
            till_code,
            body,
        ])
    }
}
