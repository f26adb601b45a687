//! A request's body: limited in size and in time.

use std::time::Duration;

use axum::body::{Body, Bytes, HttpBody};
use axum::http::{HeaderMap, StatusCode};
use bytes::BytesMut;
use http_body_util::BodyExt;
use patron_rules::codes::{self, Code};
use tokio::time::timeout;

use super::coding::{self, Coding};
use crate::app::App;
use crate::observe::metrics::Limit;

/// How much of a body that nobody wants is read, so that its sender comes to read the reply.
const DRAIN_LIMIT_BYTES: usize = 64_000_000;

/// Why a body was not read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// It is larger than this many bytes, as it is sent or without its content coding.
    #[error("at most {0} bytes")]
    TooLarge(usize),
    /// It did not arrive in time.
    #[error("the body did not arrive in time")]
    TimedOut,
    /// The connection broke, or what it carried was no HTTP.
    #[error("the body broke off")]
    BrokenOff,
    /// Its content coding is not known.
    #[error("`Content-Encoding` takes gzip, deflate or identity")]
    UnknownCoding,
    /// It is not in its content coding.
    #[error("the body is not {0}, as `Content-Encoding` says")]
    NotInCoding(&'static str),
}

impl Error {
    /// The HTTP status of the reply.
    pub(crate) const fn status(self) -> StatusCode {
        match self {
            Self::TooLarge(_) => StatusCode::PAYLOAD_TOO_LARGE,
            Self::TimedOut => StatusCode::REQUEST_TIMEOUT,
            Self::BrokenOff | Self::NotInCoding(_) => StatusCode::BAD_REQUEST,
            Self::UnknownCoding => StatusCode::UNSUPPORTED_MEDIA_TYPE,
        }
    }

    /// The code of the reply.
    pub(crate) const fn code(self) -> &'static Code {
        match self {
            Self::TooLarge(_) => codes::TOO_LARGE,
            Self::UnknownCoding => codes::UNSUPPORTED_MEDIA_TYPE,
            Self::TimedOut | Self::BrokenOff | Self::NotInCoding(_) => codes::UNREADABLE,
        }
    }
}

/// Reads a whole body, in the time that the configuration allows, and undoes its content coding.
///
/// # Errors
/// Why it was not read.
pub(crate) async fn read(
    app: &App,
    headers: &HeaderMap,
    mut body: Body,
    limit_bytes: usize,
) -> Result<Bytes, Error> {
    let within = app.config.body_timeout();
    let coding = match Coding::of(headers) {
        Ok(coding) => coding,
        Err(error) => {
            drain(body, within).await;
            return Err(error);
        }
    };
    let collected = timeout(within, collect(&mut body, limit_bytes)).await;
    if let Ok(Err(Error::TooLarge(_))) = collected {
        drain(body, within).await;
    }
    let whole = collected.unwrap_or(Err(Error::TimedOut));
    let read = whole.and_then(|whole| coding::decode(whole, coding, limit_bytes));
    read.inspect_err(|error| match error {
        Error::TimedOut => app.metrics.hit(Limit::BodyTime),
        Error::TooLarge(_) => app.metrics.hit(Limit::BodySize),
        Error::BrokenOff | Error::UnknownCoding | Error::NotInCoding(_) => {}
    })
}

/// Copies the parts of a body together: each part by itself may keep much more memory than it has
/// bytes.
async fn collect(body: &mut Body, limit_bytes: usize) -> Result<Bytes, Error> {
    let mut whole = BytesMut::new();
    while let Some(frame) = body.frame().await {
        let Ok(part) = frame.map_err(|_| Error::BrokenOff)?.into_data() else { continue };
        if part.len() > limit_bytes.saturating_sub(whole.len()) {
            return Err(Error::TooLarge(limit_bytes));
        }
        if whole.is_empty() && body.is_end_stream() {
            return Ok(part);
        }
        whole.extend_from_slice(&part);
    }
    Ok(whole.freeze())
}

/// Reads a body and throws it away, up to a limit.
pub async fn drain(mut body: Body, within: Duration) {
    let all = async {
        let mut bytes: usize = 0;
        while let Some(Ok(frame)) = body.frame().await {
            bytes = bytes.saturating_add(frame.data_ref().map_or(0, Bytes::len));
            if bytes > DRAIN_LIMIT_BYTES {
                break;
            }
        }
    };
    // Whether it came to its end or not: the reply is the same.
    drop(timeout(within, all).await);
}
