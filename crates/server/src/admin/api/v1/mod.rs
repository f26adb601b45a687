//! `/admin/api/v1/…`: everything that an operator sets up, over HTTP.
//!
//! An operator signs in at `sessions` and sends the token that they get as `Authorization: Bearer`.
//! Bodies are JSON; what is refused is told as a problem document (RFC 9457). See `docs/setup.md`.

pub(crate) mod body;
mod describe;
mod document;
mod documents;
mod list;
pub(crate) mod local;
mod name;
mod operators;
mod organisations;
mod password;
pub(crate) mod problem;
mod security;
mod sessions;
mod signed_in;

use std::sync::Arc;

use axum::Router;
use axum::middleware::from_fn_with_state;
use tower_http::catch_panic::CatchPanicLayer;
use utoipa::openapi::OpenApi;
use utoipa_axum::router::OpenApiRouter;

use crate::app::App;

/// The routes of this version.
pub(crate) fn routes(app: &Arc<App>) -> OpenApiRouter<Arc<App>> {
    let guard = from_fn_with_state(Arc::clone(app), signed_in::check);
    guarded()
        .route_layer(guard)
        .merge(sessions::begin())
        .layer(CatchPanicLayer::custom(problem::unexpected))
}

/// The routes for commands on the same machine, which act as an owner everywhere without a sign-in.
pub(crate) fn local_routes(app: &Arc<App>) -> Router<Arc<App>> {
    let guard = from_fn_with_state(Arc::clone(app), signed_in::act_for_command_line);
    Router::from(organisations::routes())
        .merge(Router::from(operators::routes()))
        .merge(local::routes())
        .route_layer(guard)
        .layer(CatchPanicLayer::custom(problem::unexpected))
}

/// The routes that only operators reach who are signed in.
fn guarded() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::new()
        .merge(sessions::own())
        .merge(password::routes())
        .merge(operators::routes())
        .merge(organisations::routes())
}

/// What the OpenAPI document says of them.
pub(crate) fn document() -> OpenApi {
    let mut guarded = guarded().into_openapi();
    describe::guarded(&mut guarded);
    let mut document = guarded.merge_from(sessions::begin().into_openapi());
    describe::problems(&mut document);
    document
}
