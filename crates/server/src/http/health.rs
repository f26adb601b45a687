//! `/livez`: the process runs. `/readyz`: it can serve.

use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::app::App;

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
async fn readyz(State(app): State<Arc<App>>) -> (StatusCode, &'static str) {
    match app.store.check().await {
        Ok(()) => (StatusCode::OK, "ready\n"),
        Err(error) => {
            tracing::warn!(error = error.chain(), "not ready");
            (StatusCode::SERVICE_UNAVAILABLE, "the store does not answer\n")
        }
    }
}
