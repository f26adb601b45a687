//! Pages for people: the start page at `/`, and refusals in a browser. They work without scripts
//! and load nothing.

use std::sync::{Arc, LazyLock};

use askama::Template;
use axum::extract::State;
use axum::http::header::{
    CONTENT_LENGTH, CONTENT_SECURITY_POLICY, CONTENT_TYPE, HeaderName, HeaderValue,
};
use axum::http::{HeaderMap, StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest, Sha256};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::access_log::REQUEST_ID;
use crate::app::App;
use crate::demo::{self, Example};
use crate::v1_1::format;

const HTML: HeaderValue = HeaderValue::from_static("text/html; charset=utf-8");
/// The style sheet, which each page contains between `<style>` and `</style>`.
const STYLE: &str = include_str!("../../templates/page.css");

/// Allows the style sheet, by its hash, and nothing else.
static POLICY: LazyLock<HeaderValue> = LazyLock::new(|| {
    let hash = STANDARD.encode(Sha256::digest(STYLE.trim_end_matches('\n')));
    let policy = format!(
        "default-src 'none'; style-src 'sha256-{hash}'; base-uri 'none'; form-action 'none'; \
         frame-ancestors 'none'"
    );
    HeaderValue::try_from(policy).unwrap_or(HeaderValue::from_static("default-src 'none'"))
});

#[derive(Template)]
#[template(path = "landing.html")]
struct Landing {
    version: &'static str,
    has_docs: bool,
    demo: Option<Example>,
}

#[derive(Template)]
#[template(path = "refusal.html")]
struct RefusalPage<'a> {
    status: StatusCode,
    lines: &'a [String],
    request_id: &'a str,
}

/// What a refusal says, line by line. Refusals carry it as an extension beside their body.
#[derive(Debug, Clone)]
pub(crate) struct RefusalText(pub(crate) Vec<String>);

impl RefusalText {
    /// Adds this text to a refusal.
    pub(crate) fn attach(reply: &mut Response, lines: Vec<String>) {
        reply.extensions_mut().insert(Self(lines));
    }
}

pub(super) fn routes() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::new().routes(routes!(landing))
}

/// Show what this server is
#[utoipa::path(
    get, path = "/", tag = "operations", operation_id = "landing",
    responses((status = 200, content_type = "text/html", body = String, description = "A page with links"))
)]
async fn landing(State(app): State<Arc<App>>) -> Response {
    let demo = app.has_demo.then(|| demo::example(app.config.scheme(), app.config.listen));
    page(&Landing { version: env!("CARGO_PKG_VERSION"), has_docs: app.config.docs, demo })
}

/// Whether the refusal of this request is a page: the caller is a browser, and the query names no
/// format.
pub(super) fn is_wanted(uri: &Uri, headers: &HeaderMap) -> bool {
    format::prefers_html(uri, headers)
}

pub(super) fn is_refusal(reply: &Response) -> bool {
    reply.status().is_client_error() || reply.status().is_server_error()
}

/// Makes a refusal a page with the same status, headers and text.
pub(super) fn of_refusal(mut reply: Response) -> Response {
    let status = reply.status();
    let RefusalText(lines) =
        reply.extensions_mut().remove().unwrap_or_else(|| RefusalText(Vec::new()));
    let request_id = reply.headers().get(&REQUEST_ID).and_then(|id| id.to_str().ok());
    let page =
        page(&RefusalPage { status, lines: &lines, request_id: request_id.unwrap_or_default() });
    let (parts, body) = page.into_parts();
    *reply.body_mut() = body;
    reply.headers_mut().remove(CONTENT_LENGTH);
    reply.headers_mut().extend(parts.headers);
    reply
}

/// Returns a refusal as one line of plain text.
pub(super) fn plain_refusal(status: StatusCode, text: &str) -> Response {
    let mut reply = (status, format!("{text}\n")).into_response();
    RefusalText::attach(&mut reply, vec![text.to_owned()]);
    reply
}

fn page(template: &impl Template) -> Response {
    let headers: [(HeaderName, HeaderValue); 2] =
        [(CONTENT_TYPE, HTML), (CONTENT_SECURITY_POLICY, POLICY.clone())];
    match template.render() {
        Ok(html) => (headers, html).into_response(),
        Err(error) => {
            tracing::error!(%error, "a page cannot be rendered");
            StatusCode::INTERNAL_SERVER_ERROR.into_response()
        }
    }
}
