//! Why a caller is not let in.

use std::time::Duration;

use axum::http::HeaderMap;
use jiff::Zoned;
use patron_rules::organisation::CallerId;

use crate::limits::headers;
use crate::limits::rate::Quota;

/// How long a client waits before it asks again, while credentials cannot be verified.
const UNAVAILABLE_FOR: Duration = Duration::from_secs(1);

/// Why a caller is not let in.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// No credentials, or wrong ones.
    #[error("no credentials, or wrong ones")]
    Unauthorised,
    /// The header `Authorization: Basic` is not of its form.
    #[error("`Authorization: Basic` takes the Base64 of `TILL:DIGEST`")]
    UnreadableHeader,
    /// The password is not a digest.
    #[error("the password must be the lower-case MD5 or SHA-256 of the till's password")]
    NotADigest,
    /// A token that nobody may call with.
    #[error("a token that nobody may call with")]
    UnknownToken,
    /// A token that was good until then, in the organisation's zone.
    #[error("a token that was good until {0}")]
    TokenExpired(Box<Zoned>),
    /// The access group does not permit it.
    #[error("the access group does not permit it")]
    Denied(CallerId),
    /// Too many wrong passwords or secrets.
    #[error("too many wrong passwords; try again in {0:?}")]
    TooManyGuesses(Duration),
    /// As many calls as a minute admits.
    #[error("as many calls as a minute admits")]
    TooManyCalls(Quota),
    /// The credentials cannot be looked up or verified at the moment.
    #[error("credentials cannot be verified at the moment")]
    Unavailable,
}

impl Refusal {
    /// Tells by a reply's headers when to ask again, where that helps.
    pub(crate) fn tell(&self, reply: &mut HeaderMap) {
        match self {
            Self::TooManyGuesses(wait) => headers::retry_after(*wait, reply),
            Self::TooManyCalls(quota) => {
                headers::retry_after(quota.resets_in, reply);
                headers::tell(*quota, reply);
            }
            Self::Unavailable => headers::retry_after(UNAVAILABLE_FOR, reply),
            _ => {}
        }
    }
}
