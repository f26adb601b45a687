//! A request's body: limited in size and in time.

use std::time::Duration;

use axum::body::{Body, Bytes};
use http_body_util::{BodyExt, LengthLimitError, Limited};
use tokio::time::timeout;

use crate::app::App;
use crate::observe::metrics::Limit;

/// How much of a body that nobody wants is read, so that its sender comes to read the reply.
const DRAIN_LIMIT_BYTES: usize = 64_000_000;

/// Why a body was not read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// It is larger than allowed.
    #[error("the body is larger than allowed")]
    TooLarge,
    /// It did not arrive in time.
    #[error("the body did not arrive in time")]
    TimedOut,
    /// The connection broke, or what it carried was no HTTP.
    #[error("the body broke off")]
    BrokenOff,
}

/// Reads a whole body, in the time that the configuration allows.
///
/// # Errors
/// Why it was not read.
pub(crate) async fn read(app: &App, mut body: Body, limit_bytes: usize) -> Result<Bytes, Error> {
    let within = app.config.body_timeout();
    let collected = timeout(within, Limited::new(&mut body, limit_bytes).collect()).await;
    match collected {
        Err(_) => {
            app.metrics.hit(Limit::BodyTime);
            Err(Error::TimedOut)
        }
        Ok(Ok(whole)) => Ok(whole.to_bytes()),
        Ok(Err(error)) if error.is::<LengthLimitError>() => {
            app.metrics.hit(Limit::BodySize);
            drain(body, within).await;
            Err(Error::TooLarge)
        }
        Ok(Err(_)) => Err(Error::BrokenOff),
    }
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
