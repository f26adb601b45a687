//! `/v2/…`: of the API's second version, what registration needs.

pub mod audit_log;
pub mod referral;

use std::sync::Arc;

use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::app::App;

/// The routes of this version.
pub(crate) fn routes() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::new()
        .routes(routes!(audit_log::get::get))
        .routes(routes!(referral::validate::get))
}
