//! `…/operators`: the operators with a role in an organisation.

use std::sync::Arc;

use axum::Extension;
use axum::extract::{Path, Request, State};
use axum::http::StatusCode;
use axum::response::Response;
use patron_store::operators::{Role, Scope};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::super::body;
use super::super::list::{Listed, Page};
use super::super::name::Name;
use super::super::operators::{
    OperatorListed, OperatorRole, list_roles, put_role, remove_role, show_role,
};
use super::super::problem::Problem;
use super::super::signed_in::Member;
use crate::app::App;
use crate::http::query::{InvalidQuery, Query};

pub(super) fn routes() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::new().routes(routes!(list)).routes(routes!(show, put, remove))
}

/// List every operator with a role in the organisation
#[utoipa::path(
    get, path = "/admin/api/v1/organisations/{organisation}/operators", tag = "operators",
    operation_id = "list_operators",
    params(("organisation" = String, Path, description = "The organisation's name"), Page),
    responses((status = 200, body = Listed<OperatorListed>, description = "A page of the list"))
)]
async fn list(
    State(app): State<Arc<App>>,
    Extension(member): Extension<Member>,
    query: Result<Query<Page>, InvalidQuery>,
) -> Result<Response, Problem> {
    list_roles(&app, Scope::Organisation(member.tenant), &Page::of(query)?).await
}

/// Show an operator's role
#[utoipa::path(
    get, path = "/admin/api/v1/organisations/{organisation}/operators/{name}", tag = "operators",
    operation_id = "show_operator",
    params(("organisation" = String, Path, description = "The organisation's name"), ("name" = String, Path, description = "The operator's name")),
    responses((status = 200, body = OperatorListed, description = "The role"))
)]
async fn show(
    State(app): State<Arc<App>>,
    Extension(member): Extension<Member>,
    Path((_, Name(name))): Path<(String, Name)>,
) -> Result<Response, Problem> {
    show_role(&app, Scope::Organisation(member.tenant), name).await
}

/// Give an operator a role
///
/// Makes an operator who is new, with the password in the request. For owners.
#[utoipa::path(
    put, path = "/admin/api/v1/organisations/{organisation}/operators/{name}", tag = "operators",
    operation_id = "put_operator", request_body = OperatorRole,
    params(("organisation" = String, Path, description = "The organisation's name"), ("name" = String, Path, description = "The operator's name")),
    responses(
        (status = 204, description = "Given"),
        (status = 409, body = Problem, content_type = "application/problem+json",
         description = "This is the organisation's last owner")
    )
)]
async fn put(
    State(app): State<Arc<App>>,
    Extension(member): Extension<Member>,
    Path((_, Name(name))): Path<(String, Name)>,
    request: Request,
) -> Result<Response, Problem> {
    let text = body::text(&app, request).await?;
    member.must_be(Role::Owner)?;
    let scope = Scope::Organisation(member.tenant);
    put_role(&app, scope, &name, &text, member.author(&app)).await
}

/// Take away an operator's role
///
/// For owners. The operator still exists, without any rights here.
#[utoipa::path(
    delete, path = "/admin/api/v1/organisations/{organisation}/operators/{name}", tag = "operators",
    operation_id = "remove_operator",
    params(("organisation" = String, Path, description = "The organisation's name"), ("name" = String, Path, description = "The operator's name")),
    responses(
        (status = 204, description = "Taken away"),
        (status = 409, body = Problem, content_type = "application/problem+json",
         description = "This is the organisation's last owner")
    )
)]
async fn remove(
    State(app): State<Arc<App>>,
    Extension(member): Extension<Member>,
    Path((_, Name(name))): Path<(String, Name)>,
    request: Request,
) -> Result<StatusCode, Problem> {
    body::drain(&app, request).await;
    member.must_be(Role::Owner)?;
    remove_role(&app, Scope::Organisation(member.tenant), &name, member.author(&app)).await
}
