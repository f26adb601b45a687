//! `/api_gateway/…`: where newer documents put what older ones have elsewhere.

pub mod v2;

use std::sync::Arc;

use utoipa_axum::router::OpenApiRouter;

use crate::app::App;

/// The routes.
pub(crate) fn routes() -> OpenApiRouter<Arc<App>> {
    v2::routes()
}
