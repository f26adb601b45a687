//! `…/operators`: the operators of an organisation.

use std::sync::Arc;

use axum::Extension;
use axum::extract::{Path, Request, State};
use axum::http::StatusCode;
use axum::response::Response;
use patron_store::operators::{OperatorId, Role, Scope};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::super::body;
use super::super::list::{Listed, Page};
use super::super::name::Name;
use super::super::operators::{OperatorListed, OperatorRole, list_of, put_role, show_role};
use super::super::problem::Problem;
use super::super::signed_in::Member;
use crate::app::App;
use crate::http::query::{InvalidQuery, Query};

pub(super) fn routes() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::new().routes(routes!(list)).routes(routes!(show, put, remove))
}

/// List every operator of the organisation
///
/// Operators for everywhere are not listed.
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
    list_of(&app, Scope::Organisation(member.tenant), &Page::of(query)?).await
}

/// Show an operator
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
    show_role(&app, of(&member, name)).await
}

/// Give an operator a role
///
/// Adds an operator who is new, with the password in the request. Other organisations may have operators
/// of the same name: they are other accounts. For owners.
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
    put_role(&app, of(&member, name), &text, member.author(&app)).await
}

/// Remove an operator
///
/// Ends the operator's sessions. For owners.
#[utoipa::path(
    delete, path = "/admin/api/v1/organisations/{organisation}/operators/{name}", tag = "operators",
    operation_id = "remove_operator",
    params(("organisation" = String, Path, description = "The organisation's name"), ("name" = String, Path, description = "The operator's name")),
    responses(
        (status = 204, description = "Removed"),
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
    app.store.remove_operator(of(&member, name), member.author(&app)).await?;
    Ok(StatusCode::NO_CONTENT)
}

const fn of(member: &Member, name: String) -> OperatorId {
    OperatorId { scope: Scope::Organisation(member.tenant), name }
}
