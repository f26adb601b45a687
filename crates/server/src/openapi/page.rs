//! `/docs`: the document for people. The page is part of the program and loads nothing from anywhere
//! else.

use std::borrow::Cow;
use std::sync::{Arc, LazyLock};

use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::Method;
use axum::http::header::{CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE};
use axum::response::{IntoResponse, Redirect, Response};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use utoipa_swagger_ui::{Config, serve};

use crate::app::App;
use crate::http::path;
use crate::v1_1::envelope;

/// The page runs its own scripts and styles, draws its own pictures, and calls this server.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; \
    img-src 'self' data:; connect-src 'self'; frame-ancestors 'none'; base-uri 'none'; \
    form-action 'none'";

/// The page asks nobody whether the document is valid.
static CONFIG: LazyLock<Arc<Config<'static>>> = LazyLock::new(|| {
    let config = Config::new(["/openapi.json"]).validator_url("none");
    Arc::new(config.doc_expansion("none").filter(true).use_base_layout())
});

/// The part that starts the page, and the text in it at which the page's settings begin.
const START: &str = "swagger-initializer.js";
const SETTINGS: &str = "SwaggerUIBundle({";
/// The page tells the server that a script sends its requests, so that a refusal is shown on the page
/// and not taken by the browser's own prompt for a password.
const INTERCEPTOR: &str = "
    requestInterceptor: (request) => {
      request.headers['X-Requested-With'] = 'XMLHttpRequest';
      return request;
    },";

/// The part that starts the page; empty if it cannot be made.
static STARTER: LazyLock<Bytes> = LazyLock::new(|| {
    let file = serve(START, Arc::clone(&CONFIG)).ok().flatten();
    let text = file.and_then(|file| String::from_utf8(file.bytes.into_owned()).ok());
    let text = text.unwrap_or_default();
    Bytes::from(text.replacen(SETTINGS, &format!("{SETTINGS}{INTERCEPTOR}"), 1))
});

pub(super) fn routes() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::new().routes(routes!(docs)).routes(routes!(index)).routes(routes!(part))
}

/// Go to the page
#[utoipa::path(
    get, path = "/docs", tag = "operations",
    responses(
        (status = 308, description = "It is at `/docs/`"),
        (status = 404, description = "The configuration has `docs = false`"),
    )
)]
async fn docs(State(app): State<Arc<App>>) -> Response {
    if app.config.docs { Redirect::permanent("/docs/").into_response() } else { unknown("/docs") }
}

/// Show this document as a page
#[utoipa::path(
    get, path = "/docs/", tag = "operations",
    responses(
        (status = 200, content_type = "text/html", body = String, description = "The page"),
        (status = 404, description = "The configuration has `docs = false`"),
    )
)]
async fn index(State(app): State<Arc<App>>) -> Response {
    file(&app, "index.html")
}

/// Read a part of the page
#[utoipa::path(
    get, path = "/docs/{file}", tag = "operations",
    params(("file" = String, Path, description = "The part's name")),
    responses(
        (status = 200, description = "The part", content(
            (String = "text/css"), (String = "text/html"), (String = "text/javascript"), (Vec<u8> = "image/png"),
        )),
        (status = 404, description = "The page has no such part"),
    )
)]
async fn part(State(app): State<Arc<App>>, Path(name): Path<String>) -> Response {
    file(&app, &name)
}

/// Returns that there is nothing at this path.
pub(super) fn unknown(at: &str) -> Response {
    envelope::unknown_resource(&path::shown(&Method::GET, at))
}

fn file(app: &App, name: &str) -> Response {
    let unknown = || unknown(&format!("/docs/{name}"));
    if !app.config.docs {
        return unknown();
    }
    match serve(name, Arc::clone(&CONFIG)) {
        Ok(Some(file)) => {
            let headers = [
                (CONTENT_TYPE, file.content_type.as_str()),
                (CONTENT_SECURITY_POLICY, POLICY),
                (CACHE_CONTROL, "no-cache"),
            ];
            // All replies share the same bytes.
            let bytes = match file.bytes {
                Cow::Borrowed(bytes) => Bytes::from_static(bytes),
                Cow::Owned(_) => STARTER.clone(),
            };
            (headers, bytes).into_response()
        }
        Ok(None) => unknown(),
        Err(error) => {
            tracing::error!(error, "the page cannot be made");
            envelope::unexpected()
        }
    }
}
