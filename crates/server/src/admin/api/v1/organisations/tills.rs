//! `…/tills/{name}/password`: what a till signs in with. The tills themselves are documents.

use std::sync::Arc;

use axum::Extension;
use axum::extract::{Path, Request, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use patron_rules::organisation::read;
use patron_store::operators::Role;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::super::body;
use super::super::name::Name;
use super::super::password::{check, hashed};
use super::super::problem::Problem;
use super::super::signed_in::Member;
use crate::app::App;
use crate::auth::password;
use crate::auth::password_rules::Account;

pub(super) fn passwords() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::new().routes(routes!(make, put))
}

/// A till's password.
#[derive(Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct TillPassword {
    /// The password as it is; a till sends a digest of it.
    #[schema(min_length = 8, max_length = 256)]
    password: String,
}

/// Make a new password for a till
///
/// Only this reply shows it. The previous password stops working at once.
#[utoipa::path(
    post, path = "/admin/api/v1/organisations/{organisation}/tills/{name}/password", tag = "tills",
    operation_id = "make_till_password",
    params(("organisation" = String, Path, description = "The organisation's name"), ("name" = String, Path, description = "The till's name")),
    responses((status = 201, body = TillPassword, description = "The new password"))
)]
async fn make(
    State(app): State<Arc<App>>,
    Extension(member): Extension<Member>,
    Path((_, Name(name))): Path<(String, Name)>,
    request: Request,
) -> Result<Response, Problem> {
    body::drain(&app, request).await;
    member.must_be(Role::Editor)?;
    let password = password::random().map_err(|_| Problem::unavailable())?;
    set(&app, &member, &name, password.clone()).await?;
    Ok((StatusCode::CREATED, body::reply(&TillPassword { password })).into_response())
}

/// Set a till's password
///
/// The previous password stops working at once. Common passwords are rejected.
#[utoipa::path(
    put, path = "/admin/api/v1/organisations/{organisation}/tills/{name}/password", tag = "tills",
    operation_id = "put_till_password", request_body = TillPassword,
    params(("organisation" = String, Path, description = "The organisation's name"), ("name" = String, Path, description = "The till's name")),
    responses((status = 204, description = "Set"))
)]
async fn put(
    State(app): State<Arc<App>>,
    Extension(member): Extension<Member>,
    Path((_, Name(name))): Path<(String, Name)>,
    request: Request,
) -> Result<StatusCode, Problem> {
    let text = body::text(&app, request).await?;
    member.must_be(Role::Editor)?;
    let TillPassword { password } = read(&text)?;
    check(Account::Till, &name, &password, "/password")?;
    set(&app, &member, &name, password).await?;
    Ok(StatusCode::NO_CONTENT)
}

async fn set(app: &App, member: &Member, till: &str, plain: String) -> Result<(), Problem> {
    let hashes = hashed(app, move || password::hash(&plain)).await?;
    Ok(app.store.set_till_password(member.tenant, till, hashes, member.author(app)).await?)
}
