//! What the head of a registration says: its query and its headers.

use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue};
use axum::response::Response;
use patron_rules::audit::{Origin, RequestId};
use patron_rules::settings::Settings;
use patron_store::Mode;

use crate::audit;
use crate::auth::Caller;
use crate::http::query::{self, InvalidQuery};
use crate::v1_1::attribution::{self, Attribution};
use crate::v1_1::format::Format;
use crate::v1_1::idempotency::{self, Identity, Key};
use crate::v1_1::parameters::{Formatted, Registering};
use crate::v1_1::{client_country, envelope, format};

/// What the head of a registration says.
pub(super) struct Head<'a> {
    headers: &'a HeaderMap,
    key: Option<Key<'a>>,
    /// `None` for a body that is neither JSON nor XML.
    pub(super) format: Option<Format>,
    pub(super) attribution: Attribution,
    pub(super) origin: Origin,
    pub(super) mode: Mode,
    pub(super) explained: bool,
    pub(super) client_calling_code: Option<u16>,
}

/// Why the head of a registration is refused. An idempotency key that is not valid is one of the reasons:
/// without it the registration would not be protected against a repeat, as the caller expects.
#[derive(Debug, thiserror::Error)]
pub(super) enum InvalidHead {
    #[error(transparent)]
    Query(#[from] InvalidQuery),
    #[error(transparent)]
    Key(#[from] idempotency::Refused),
}

impl InvalidHead {
    pub(super) fn reply(&self) -> Response {
        envelope::invalid(self)
    }
}

impl<'a> Head<'a> {
    pub(super) fn read(
        parts: &'a Parts,
        caller: &Caller,
        request_id: RequestId,
    ) -> Result<Self, InvalidHead> {
        let Parts { uri, headers, .. } = parts;
        let Formatted { format } = query::read(uri)?;
        let Registering { dry_run, explain } = query::read(uri)?;
        Ok(Self {
            headers,
            origin: audit::origin(request_id, caller, headers),
            key: Key::read(headers)?,
            format: format::of_request(format.as_deref(), headers),
            attribution: Attribution::read(headers, caller),
            mode: if dry_run { Mode::DryRun } else { Mode::Apply },
            explained: explain,
            client_calling_code: client_country::calling_code(headers),
        })
    }

    /// Whether the reply says more of customers than a registration does, so that it needs read
    /// permission.
    pub(super) fn reads(&self) -> bool {
        self.mode == Mode::DryRun || self.explained
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
        let flags = [u8::from(self.format == Some(Format::Xml)), u8::from(self.explained)];
        let charset = format::charset(self.headers).unwrap_or_default().as_bytes();
        idempotency::digest(&[
            b"customer/add",
            &flags,
            charset,
            entity_type,
            entity_code,
            till_code,
            sent(client_country::HEADER),
            body,
        ])
    }
}
