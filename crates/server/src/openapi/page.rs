//! `/docs`: the document for people. The page is part of the program and loads nothing from anywhere
//! else.

use std::sync::{Arc, LazyLock};

use axum::extract::Path;
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

pub(super) fn routes() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::new().routes(routes!(docs)).routes(routes!(index)).routes(routes!(part))
}

/// Go to the page
#[utoipa::path(
    get, path = "/docs", tag = "operations",
    responses((status = 308, description = "It is at `/docs/`"))
)]
async fn docs() -> Redirect {
    Redirect::permanent("/docs/")
}

/// Show this document as a page
#[utoipa::path(
    get, path = "/docs/", tag = "operations",
    responses((status = 200, content_type = "text/html", body = String, description = "The page"))
)]
async fn index() -> Response {
    file("index.html")
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
async fn part(Path(name): Path<String>) -> Response {
    file(&name)
}

fn file(name: &str) -> Response {
    match serve(name, Arc::clone(&CONFIG)) {
        Ok(Some(file)) => {
            let headers = [
                (CONTENT_TYPE, file.content_type.as_str()),
                (CONTENT_SECURITY_POLICY, POLICY),
                (CACHE_CONTROL, "no-cache"),
            ];
            (headers, file.bytes.into_owned()).into_response()
        }
        Ok(None) => {
            envelope::unknown_resource(&path::shown(&Method::GET, &format!("/docs/{name}")))
        }
        Err(error) => {
            tracing::error!(error, "the page cannot be made");
            envelope::unexpected()
        }
    }
}
