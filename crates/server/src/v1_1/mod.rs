//! `/v1.1/…`: the API of the specification.

mod attribution;
pub mod customer;
pub mod envelope;
pub mod format;
pub mod query;
mod xml;

use std::sync::Arc;

use axum::Router;
use axum::routing::{get, post};

use crate::app::App;

/// The routes of this version.
pub(crate) fn routes() -> Router<Arc<App>> {
    Router::new()
        .route("/v1.1/customer/add", post(customer::add::add))
        .route("/v1.1/customer/get", get(customer::get::get))
}
