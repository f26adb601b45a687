//! The path of a request as it is routed: repeated slashes folded, and a prefix taken off.
//!
//! This happens before routing, so that admission, rate limits, log and metrics see the routed path.

use std::convert::Infallible;
use std::sync::Arc;
use std::task::{Context, Poll};

use axum::Router;
use axum::body::{Body, Bytes, HttpBody};
use axum::extract::Request;
use axum::http::uri::PathAndQuery;
use axum::http::{Method, Uri};
use axum::response::Response;
use axum::routing::future::RouteFuture;
use percent_encoding::{CONTROLS, utf8_percent_encode};
use tower::{BoxError, Service};

use super::ADMIN;

/// What is served below the prefix as well: the API of tills and API clients. A proxy that passes on only
/// the prefix exposes neither the admin API nor the metrics.
const BELOW_PREFIX: [&str; 4] = ["/v1.1/", "/v2/", "/v3/", "/api_gateway/"];
/// The most characters of a path or a method that a reply repeats.
const SHOWN_LIMIT: usize = 200;

/// The router behind the folding of paths.
#[derive(Clone)]
pub(super) struct Folded {
    pub(super) router: Router,
    /// Empty for none.
    pub(super) prefix: Arc<str>,
}

impl<B> Service<Request<B>> for Folded
where
    B: HttpBody<Data = Bytes> + Send + 'static,
    B::Error: Into<BoxError>,
{
    type Response = Response;
    type Error = Infallible;
    type Future = RouteFuture<Infallible>;

    fn poll_ready(&mut self, _context: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        let mut request = request.map(Body::new);
        if let Some(uri) = folded(request.uri(), &self.prefix) {
            *request.uri_mut() = uri;
        }
        self.router.call(request)
    }
}

/// The URI with its path as it is routed; `None` if that is the path as it is.
fn folded(uri: &Uri, prefix: &str) -> Option<Uri> {
    let path = routed(uri.path(), prefix)?;
    let target = match uri.query() {
        Some(query) => format!("{path}?{query}"),
        None => path,
    };
    let mut parts = uri.clone().into_parts();
    parts.path_and_query = Some(PathAndQuery::try_from(target).ok()?);
    Uri::from_parts(parts).ok()
}

fn routed(path: &str, prefix: &str) -> Option<String> {
    let below = |path: &str| {
        let rest = path.strip_prefix(prefix).filter(|_| !prefix.is_empty())?;
        BELOW_PREFIX.iter().any(|api| rest.starts_with(api)).then(|| rest.to_owned())
    };
    if !path.contains("//") {
        return below(path);
    }
    let folded = format!("/{}", path.trim_start_matches('/'));
    // An empty name in a path of the admin API names nothing, rather than what follows it.
    let folded = if folded.starts_with(ADMIN) { folded } else { without_repeats(&folded) };
    Some(below(&folded).unwrap_or(folded)).filter(|routed| routed != path)
}

fn without_repeats(path: &str) -> String {
    let mut folded = String::with_capacity(path.len());
    for character in path.chars() {
        if character != '/' || !folded.ends_with('/') {
            folded.push(character);
        }
    }
    folded
}

/// A method and a path, for a reply that names them.
pub(crate) fn shown(method: &Method, path: &str) -> String {
    let shown = format!("{method} {path}");
    let encoded = utf8_percent_encode(&shown, CONTROLS).to_string();
    match encoded.char_indices().nth(SHOWN_LIMIT) {
        Some((end, _)) => format!("{}…", encoded.get(..end).unwrap_or_default()),
        None => encoded,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn uri(text: &str) -> Uri {
        text.parse().unwrap()
    }

    #[test]
    fn paths_are_routed_without_prefix_and_repeated_slashes() {
        for (sent, routed) in [
            ("/v1.1/customer/add?format=json", None),
            ("/api/v1.1/customer/add?a=//&b=1", Some("/v1.1/customer/add?a=//&b=1")),
            ("/api/v2/referral/validate", Some("/v2/referral/validate")),
            ("/api/v3/oauth/token/generate", Some("/v3/oauth/token/generate")),
            ("/api/api_gateway/v2/audits", Some("/api_gateway/v2/audits")),
            ("//v1.1/customer/add", Some("/v1.1/customer/add")),
            ("/v1.1//customer///add", Some("/v1.1/customer/add")),
            ("///api//v1.1/customer/add//", Some("/v1.1/customer/add/")),
            ("//livez", Some("/livez")),
            ("/api_gateway/v2/audits", None),
            ("/api/livez", None),
            ("/api/admin/api/v1/sessions", None),
            ("/api/metrics", None),
            ("/api/api/v1.1/customer/add", None),
            ("/apiv1.1/customer/add", None),
            ("/api/v1.10/customer/add", None),
            ("/api", None),
            ("/", None),
            ("//admin/api/v1/sessions", Some("/admin/api/v1/sessions")),
            ("/admin/api/v1/organisations//settings", None),
        ] {
            assert_eq!(folded(&uri(sent), "/api"), routed.map(uri), "{sent}");
        }
        assert_eq!(folded(&uri("/api/v1.1/customer/add"), ""), None);
        assert_eq!(folded(&uri("//v1.1/x"), ""), Some(uri("/v1.1/x")));
        let other = folded(&uri("/loyalty/eu/v1.1/x"), "/loyalty/eu");
        assert_eq!(other, Some(uri("/v1.1/x")));
    }

    #[test]
    fn what_is_shown_is_short() {
        assert_eq!(shown(&Method::GET, "/v1.1/x"), "GET /v1.1/x");
        assert_eq!(shown(&Method::GET, "/\u{e9}\n"), "GET /%C3%A9%0A");
        let long = shown(&Method::GET, &format!("/{}", "x".repeat(10_000)));
        assert_eq!(long.chars().count(), SHOWN_LIMIT + 1);
    }
}
