//! HTTP: what every request passes before and after its endpoint.

mod accept;
mod access_log;
mod admission;
pub mod body;
mod cors;
mod health;
mod protection;
mod serve;
pub mod tls;

use std::sync::Arc;

use axum::Router;
use axum::extract::{Request, State};
use axum::middleware::{from_fn, from_fn_with_state};
use axum::response::Response;
use axum::routing::get;
use tower_http::catch_panic::CatchPanicLayer;

pub(crate) use admission::address;
pub use serve::{Server, bind};

use crate::admin::api::v1 as admin;
use crate::app::App;
use crate::v1_1::{self, envelope, format};

/// What is under here speaks of refusals as problem documents.
const ADMIN: &str = "/admin/";

/// Every route, the outermost layer last.
pub fn router(app: &Arc<App>) -> Router {
    let (admin, _) = admin::routes(app).split_for_parts();
    let endpoints = Router::new()
        .merge(admin)
        .merge(admission::guard(app, v1_1::routes(), envelope::refused))
        .route("/livez", get(health::livez))
        .route("/readyz", get(health::readyz))
        .method_not_allowed_fallback(wrong_method)
        .fallback(unknown_resource)
        .layer(CatchPanicLayer::custom(|_| envelope::unexpected()));
    let endpoints = match cors::layer(&app.config) {
        Some(cors) => endpoints.layer(cors),
        None => endpoints,
    };
    endpoints
        .layer(from_fn(access_log::record))
        .layer(from_fn(format::of_every_reply))
        .layer(from_fn_with_state(app.config.tls().is_some(), protection::of_every_reply))
        .with_state(Arc::clone(app))
}

async fn unknown_resource(State(app): State<Arc<App>>, request: Request) -> Response {
    let is_admin = request.uri().path().starts_with(ADMIN);
    body::drain(request.into_body(), app.config.body_timeout()).await;
    if is_admin { admin::problem::unknown_resource() } else { envelope::unknown_resource() }
}

async fn wrong_method(State(app): State<Arc<App>>, request: Request) -> Response {
    let is_admin = request.uri().path().starts_with(ADMIN);
    body::drain(request.into_body(), app.config.body_timeout()).await;
    if is_admin { admin::problem::wrong_method() } else { envelope::wrong_method() }
}
