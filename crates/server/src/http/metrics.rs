//! `/metrics`: what is measured, for Prometheus to read.
//!
//! It tells of no customer, but of how the business goes, so not everybody may read it: where a token
//! is configured, whoever has it; else who comes from the same machine.

use std::fs;
use std::net::IpAddr;
use std::path::Path;
use std::sync::Arc;

use anyhow::{Context, ensure};
use axum::extract::{Request, State};
use axum::http::header::{AUTHORIZATION, CONTENT_TYPE, FORWARDED, WWW_AUTHENTICATE};
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::{address, page};
use crate::app::App;

const OPEN_METRICS: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";
const X_FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");
/// How many characters a token has at least.
const TOKEN_LEAST: usize = 16;

/// Who may read the metrics.
#[derive(Debug)]
pub struct Scrapers {
    /// The SHA-256 of the token; `None` where there is none.
    token: Option<[u8; 32]>,
}

/// Why somebody may not.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Refusal {
    NoToken,
    NotLocal,
}

impl Scrapers {
    /// Those who have the token in this file; where its name is empty, those of the same machine.
    ///
    /// # Errors
    /// A file that cannot be read, or has no token that is long enough.
    pub fn configured(token_file: &Path) -> anyhow::Result<Self> {
        if token_file.as_os_str().is_empty() {
            return Ok(Self { token: None });
        }
        let file = token_file.display();
        let text = fs::read_to_string(token_file)
            .with_context(|| format!("cannot read the metrics' token in {file}"))?;
        let token = text.trim();
        ensure!(
            token.len() >= TOKEN_LEAST,
            "{file} has a token of {TOKEN_LEAST} characters or more"
        );
        Ok(Self { token: Some(Sha256::digest(token).into()) })
    }

    fn admit(&self, from: IpAddr, headers: &HeaderMap) -> Result<(), Refusal> {
        let Some(token) = &self.token else {
            // A proxy on the same machine passes on what comes from others.
            let is_passed_on =
                [FORWARDED, X_FORWARDED_FOR].iter().any(|name| headers.contains_key(name));
            let is_local = from.is_loopback() && !is_passed_on;
            return is_local.then_some(()).ok_or(Refusal::NotLocal);
        };
        let sent = headers.get(AUTHORIZATION).and_then(|header| header.to_str().ok());
        let sent = sent.and_then(|header| header.split_once(' '));
        let sent = sent.filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer"));
        let (_, sent) = sent.ok_or(Refusal::NoToken)?;
        let is_same = Sha256::digest(sent.trim()).ct_eq(token);
        bool::from(is_same).then_some(()).ok_or(Refusal::NoToken)
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let (status, text) = match self {
            Self::NoToken => (StatusCode::UNAUTHORIZED, "send the token of `metrics_token_file`"),
            Self::NotLocal => (
                StatusCode::FORBIDDEN,
                "only for the same machine, unless `metrics_token_file` is configured",
            ),
        };
        let mut reply = page::plain_refusal(status, text);
        if self == Self::NoToken {
            let challenge = HeaderValue::from_static("Bearer realm=\"Patron metrics\"");
            reply.headers_mut().insert(WWW_AUTHENTICATE, challenge);
        }
        reply
    }
}

pub(super) fn routes() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::new().routes(routes!(metrics))
}

/// Read what is measured
///
/// For the same machine, not through a proxy; or, where Patron is configured with a token, for
/// whoever sends that as `Authorization: Bearer …`.
#[utoipa::path(
    get, path = "/metrics", tag = "operations",
    responses(
        (status = 200, body = String, content_type = OPEN_METRICS, description = "The metrics, as OpenMetrics 1.0"),
        (status = 401, body = String, content_type = "text/plain", description = "Without the token that is configured"),
        (status = 403, body = String, content_type = "text/plain", description = "No token is configured, and it is asked from elsewhere"),
    )
)]
async fn metrics(State(app): State<Arc<App>>, request: Request) -> Response {
    if let Err(refusal) = app.scrapers.admit(address(&app, &request), request.headers()) {
        return refusal.into_response();
    }
    match app.metrics.written(app.store.as_ref()).await {
        Ok(text) => ([(CONTENT_TYPE, OPEN_METRICS)], text).into_response(),
        Err(error) => {
            tracing::error!(%error, "the metrics cannot be written");
            StatusCode::INTERNAL_SERVER_ERROR.into_response()
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use axum::http::HeaderValue;
    use rstest::rstest;
    use tempfile::NamedTempFile;

    use super::*;

    fn with_token(text: &str) -> anyhow::Result<Scrapers> {
        let mut file = NamedTempFile::new().unwrap();
        file.write_all(text.as_bytes()).unwrap();
        Scrapers::configured(file.path())
    }

    fn admit(
        scrapers: &Scrapers,
        from: &str,
        header: (HeaderName, &'static str),
    ) -> Result<(), Refusal> {
        let headers = [(header.0, HeaderValue::from_static(header.1))].into_iter().collect();
        scrapers.admit(from.parse().unwrap(), &headers)
    }

    const NOTHING: (HeaderName, &str) = (CONTENT_TYPE, "text/plain");

    #[rstest]
    #[case::itself("127.0.0.1", NOTHING, Ok(()))]
    #[case::itself_by_ipv6("::1", NOTHING, Ok(()))]
    #[case::another("192.0.2.7", NOTHING, Err(Refusal::NotLocal))]
    #[case::another_by_a_proxy("127.0.0.1", (X_FORWARDED_FOR, "192.0.2.7"), Err(Refusal::NotLocal))]
    #[case::another_by_a_modern_proxy("127.0.0.1", (FORWARDED, "for=192.0.2.7"), Err(Refusal::NotLocal))]
    #[case::another_with_any_token("192.0.2.7", (AUTHORIZATION, "Bearer "), Err(Refusal::NotLocal))]
    fn without_a_token_the_same_machine_reads(
        #[case] from: &str,
        #[case] header: (HeaderName, &'static str),
        #[case] expected: Result<(), Refusal>,
    ) {
        let scrapers = Scrapers::configured(Path::new("")).unwrap();
        assert_eq!(admit(&scrapers, from, header), expected);
    }

    #[rstest]
    #[case::right("Bearer sixteen characters", Ok(()))]
    #[case::scheme_in_lower_case("bearer sixteen characters", Ok(()))]
    #[case::wrong("Bearer sixteen character", Err(Refusal::NoToken))]
    #[case::empty("Bearer ", Err(Refusal::NoToken))]
    #[case::of_another_scheme("Basic sixteen characters", Err(Refusal::NoToken))]
    fn with_a_token_whoever_has_it_reads(
        #[case] header: &'static str,
        #[case] expected: Result<(), Refusal>,
    ) {
        let scrapers = with_token(" sixteen characters\n").unwrap();
        for from in ["127.0.0.1", "192.0.2.7"] {
            assert_eq!(admit(&scrapers, from, (AUTHORIZATION, header)), expected);
        }
    }

    #[test]
    fn a_token_is_not_short() {
        assert!(with_token("fifteen charact\n").is_err());
        assert!(with_token("").is_err());
        assert!(Scrapers::configured(Path::new("/nowhere/token")).is_err());
    }
}
