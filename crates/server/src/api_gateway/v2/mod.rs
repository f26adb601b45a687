//! `/api_gateway/v2/…`.

pub mod audits;

use std::sync::Arc;

use axum::Router;
use axum::routing::get;

use crate::app::App;

/// The routes of this version.
pub(crate) fn routes() -> Router<Arc<App>> {
    Router::new().route("/api_gateway/v2/audits", get(audits::get))
}
