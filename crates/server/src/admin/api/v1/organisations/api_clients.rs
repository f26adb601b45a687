//! `…/api_clients/{name}/secret` and `…/tokens`: what an API client signs in with. The clients
//! themselves are documents.

use std::sync::Arc;

use axum::Extension;
use axum::extract::{Path, Request, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use patron_store::NewSecret;
use patron_store::operators::Role;
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::super::body;
use super::super::name::Name;
use super::super::password::hashed;
use super::super::problem::Problem;
use super::super::signed_in::Member;
use crate::app::App;
use crate::auth::password;
use crate::auth::token::{self, Purpose};

pub(super) fn secrets() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::new().routes(routes!(make)).routes(routes!(revoke))
}

/// What an API client generates tokens with.
#[derive(Serialize, ToSchema)]
struct ClientSecret {
    /// Its key, which stays.
    key: String,
    /// Its secret; shown this once.
    secret: String,
}

/// Make a new secret for an API client
///
/// Only this reply shows it. The previous secret and every token stop working at once.
#[utoipa::path(
    post, path = "/admin/api/v1/organisations/{organisation}/api_clients/{name}/secret",
    tag = "api_clients", operation_id = "make_client_secret",
    params(("organisation" = String, Path, description = "The organisation's name"), ("name" = String, Path, description = "The client's name")),
    responses((status = 201, body = ClientSecret, description = "The key and the new secret"))
)]
async fn make(
    State(app): State<Arc<App>>,
    Extension(member): Extension<Member>,
    Path((_, Name(name))): Path<(String, Name)>,
    request: Request,
) -> Result<Response, Problem> {
    body::drain(&app, request).await;
    member.must_be(Role::Editor)?;
    let (secret, new) = hashed(&app, || {
        let secret = token::generate(Purpose::Secret)?;
        let new = NewSecret { key: token::generate_key()?, hash: password::argon2id(&secret)? };
        Ok((secret, new))
    })
    .await?;
    let author = member.author(&app);
    let key = app.store.set_client_secret(member.tenant, &name, new, author).await?;
    Ok((StatusCode::CREATED, body::reply(&ClientSecret { key, secret })).into_response())
}

/// Revoke every token of an API client
#[utoipa::path(
    delete, path = "/admin/api/v1/organisations/{organisation}/api_clients/{name}/tokens",
    tag = "api_clients", operation_id = "revoke_client_tokens",
    params(("organisation" = String, Path, description = "The organisation's name"), ("name" = String, Path, description = "The client's name")),
    responses((status = 204, description = "Revoked"))
)]
async fn revoke(
    State(app): State<Arc<App>>,
    Extension(member): Extension<Member>,
    Path((_, Name(name))): Path<(String, Name)>,
    request: Request,
) -> Result<StatusCode, Problem> {
    body::drain(&app, request).await;
    member.must_be(Role::Editor)?;
    app.store.revoke_tokens(member.tenant, &name, member.author(&app)).await?;
    Ok(StatusCode::NO_CONTENT)
}
