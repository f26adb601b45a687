//! `/api_gateway/…`: where newer documents put what older ones have elsewhere.

pub mod v2;

use std::sync::Arc;

use axum::Router;

use crate::app::App;

/// The routes.
pub(crate) fn routes() -> Router<Arc<App>> {
    v2::routes()
}
