//! `/admin/api/v1/password`: an operator changes their own password.

use std::sync::Arc;

use axum::Extension;
use axum::extract::{Request, State};
use axum::http::StatusCode;
use patron_rules::organisation::Invalid;
use patron_store::operators::Session;
use serde::Deserialize;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::body;
use super::problem::Problem;
use crate::app::App;
use crate::auth::{Refusal, operator};
use crate::http;

pub(super) fn routes() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::new().routes(routes!(change))
}

/// An operator's own password, and what it is to be.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct NewPassword {
    /// The password as it is.
    current: String,
    /// The password as it is to be: 12 to 256 characters.
    #[schema(min_length = 12, max_length = 256)]
    new: String,
}

/// Change the own password
///
/// Ends all sessions of the operator, this one too.
#[utoipa::path(
    put, path = "/admin/api/v1/password", tag = "sessions", request_body = NewPassword,
    responses((status = 204, description = "Changed"))
)]
async fn change(
    State(app): State<Arc<App>>,
    Extension(session): Extension<Session>,
    request: Request,
) -> Result<StatusCode, Problem> {
    let from = http::address(&app, &request);
    let NewPassword { current, new } = body::json(&app, request).await?;
    app.operators.verify(&session.operator, current, from).await.map_err(
        |refusal| match refusal {
            Refusal::TooManyGuesses(wait) => Problem::too_many(wait),
            Refusal::Unauthorised => Invalid::at("/current", "not the operator's password").into(),
            _ => Problem::unavailable(),
        },
    )?;
    let hash = hash(new, "/new").await?;
    app.store.set_operator_password(&session.operator, hash).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Hashes a password that was sent as this member.
pub(super) async fn hash(plain: String, pointer: &'static str) -> Result<String, Problem> {
    let hashed = tokio::task::spawn_blocking(move || operator::hash(&plain)).await;
    let hashed = hashed.map_err(|_| Problem::unavailable())?;
    hashed.map_err(|error| Invalid::at(pointer, error.to_string()).into())
}
