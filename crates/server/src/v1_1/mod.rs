//! `/v1.1/…`: the API of the specification.

pub(crate) mod attribution;
mod client_country;
pub mod customer;
pub mod envelope;
pub mod format;
pub mod idempotency;
pub(crate) mod parameters;
mod xml;

use std::sync::Arc;

use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::app::App;

/// The routes of this version.
pub(crate) fn routes() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::new().routes(routes!(customer::add::add)).routes(routes!(customer::get::get))
}
