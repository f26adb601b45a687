//! `/v3/…`: tokens for API clients.

pub mod oauth;

use std::sync::Arc;

use axum::Router;
use axum::routing::post;

use crate::app::App;

/// The routes of this version.
pub(crate) fn routes() -> Router<Arc<App>> {
    Router::new().route("/v3/oauth/token/generate", post(oauth::token::generate::generate))
}
