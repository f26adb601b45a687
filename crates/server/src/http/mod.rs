//! HTTP: what every request passes before and after its endpoint.

mod accept;
mod access_log;
pub(crate) mod admission;
pub mod body;
mod browser;
mod coding;
#[cfg(unix)]
pub mod command_socket;
mod cors;
pub mod endpoints;
pub(crate) mod header;
pub(crate) mod health;
pub mod json;
pub mod metrics;
mod observed;
pub(crate) mod page;
pub(crate) mod path;
mod preconditions;
mod protection;
pub(crate) mod query;
pub(crate) mod serve;
pub(crate) mod sniff;
pub mod tls;

use std::sync::Arc;

use axum::Router;
use axum::extract::{Request, State};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::Response;
use tower_http::catch_panic::CatchPanicLayer;
use utoipa_axum::router::OpenApiRouter;

pub(crate) use access_log::DRY_RUN;
pub(crate) use admission::address;
pub use serve::{Server, bind};

use crate::admin::api::v1 as admin;
use crate::app::App;
use crate::v1_1::{self, envelope, format};
use crate::{api_gateway, openapi, v2, v3};

/// What is under here speaks of refusals as problem documents.
const ADMIN: &str = "/admin/";

/// Every route, the outermost layer last.
pub fn router(app: &Arc<App>) -> Router {
    let (admin, _) = admin::routes(app).split_for_parts();
    let (endpoints, _) = endpoints().split_for_parts();
    let endpoints = endpoints
        .route_layer(from_fn_with_state(Arc::clone(app), admission::admit))
        // Its operators are let in by itself.
        .merge(admin)
        .method_not_allowed_fallback(wrong_method)
        .fallback(unknown_resource)
        .layer(CatchPanicLayer::custom(|_| envelope::unexpected()));
    let endpoints = match cors::layer(&app.config) {
        Some(cors) => endpoints.layer(cors),
        None => endpoints,
    };
    endpoints
        // One layer, since each has the request and its reply boxed anew.
        .layer(from_fn_with_state(Arc::clone(app), handle))
        .with_state(Arc::clone(app))
}

/// The admin API for commands on the same machine: without a sign-in, so never for a network.
pub fn local_router(app: &Arc<App>) -> Router {
    admin::local_routes(app)
        .method_not_allowed_fallback(wrong_method)
        .fallback(unknown_resource)
        .layer(from_fn_with_state(Arc::clone(app), record))
        .with_state(Arc::clone(app))
}

async fn record(State(app): State<Arc<App>>, request: Request, next: Next) -> Response {
    access_log::record(app, request, next).await
}

/// What every request passes: the log and the metrics, the format of its reply, the headers of its reply.
async fn handle(State(app): State<Arc<App>>, request: Request, next: Next) -> Response {
    let (uri, headers) = (request.uri(), request.headers());
    let format = format::of_reply(uri, headers);
    let wants_page = page::is_wanted(uri, headers);
    let is_from_script = browser::is_from_script(headers);
    let secured = app.config.tls().is_some();
    let reply = access_log::record(app, request, next).await;
    let mut reply = if wants_page && page::is_refusal(&reply) {
        page::of_refusal(reply)
    } else {
        envelope::into_format(reply, format)
    };
    if is_from_script {
        browser::avoid_prompt(reply.headers_mut());
    }
    protection::protect(reply.headers_mut(), secured);
    reply
}

/// Every route but the admin API's, with what the OpenAPI document says of it.
pub(crate) fn endpoints() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::new()
        .merge(v1_1::routes())
        .merge(v2::routes())
        .merge(v3::routes())
        .merge(api_gateway::routes())
        .merge(health::routes())
        .merge(metrics::routes())
        .merge(page::routes())
        .merge(openapi::routes())
}

async fn unknown_resource(State(app): State<Arc<App>>, request: Request) -> Response {
    let is_admin = request.uri().path().starts_with(ADMIN);
    let looked_for = path::shown(request.method(), request.uri().path());
    body::drain(request.into_body(), app.config.body_timeout()).await;
    if is_admin {
        admin::problem::unknown_resource(&looked_for)
    } else {
        envelope::unknown_resource(&looked_for)
    }
}

async fn wrong_method(State(app): State<Arc<App>>, request: Request) -> Response {
    let is_admin = request.uri().path().starts_with(ADMIN);
    body::drain(request.into_body(), app.config.body_timeout()).await;
    if is_admin { admin::problem::wrong_method() } else { envelope::wrong_method() }
}
