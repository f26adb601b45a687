//! `/v2/…`: of the API's second version, what registration needs.

pub mod audit_log;
pub mod referral;

use std::sync::Arc;

use axum::Router;
use axum::routing::get;

use crate::app::App;

/// The routes of this version.
pub(crate) fn routes() -> Router<Arc<App>> {
    Router::new()
        .route("/v2/auditLog/get", get(audit_log::get::get))
        .route("/v2/referral/validate", get(referral::validate::get))
}
