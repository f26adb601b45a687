//! `/livez`: the process runs. `/readyz`: it can serve.

use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::page;
use crate::app::App;

/// The paths of probes, which are answered even where the connections for others are used up.
pub(super) const PROBES: [&str; 2] = ["/livez", "/readyz"];

pub(super) fn routes() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::new().routes(routes!(livez)).routes(routes!(readyz))
}

/// Ask whether the process runs
#[utoipa::path(
    get, path = "/livez", tag = "operations",
    responses((status = 200, body = String, content_type = "text/plain", description = "It runs"))
)]
async fn livez() -> &'static str {
    "alive\n"
}

/// Ask whether it can serve
#[utoipa::path(
    get, path = "/readyz", tag = "operations",
    responses(
        (status = 200, body = String, content_type = "text/plain", description = "It can"),
        (status = 503, body = String, content_type = "text/plain", description = "The store does not answer"),
    )
)]
async fn readyz(State(app): State<Arc<App>>) -> Response {
    match app.store.check().await {
        Ok(()) => "ready\n".into_response(),
        Err(error) => {
            tracing::warn!(error = error.chain(), "not ready");
            page::plain_refusal(StatusCode::SERVICE_UNAVAILABLE, "the store does not answer")
        }
    }
}
