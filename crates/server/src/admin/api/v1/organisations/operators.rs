//! `…/operators`: who may do what for an organisation.

use std::sync::Arc;

use axum::Extension;
use axum::extract::{Path, Request, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use patron_rules::organisation::{Invalid, check_name, read};
use patron_store::Error;
use patron_store::operators::{Grant, Role, Scope};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::super::body;
use super::super::list::{Listed, Page};
use super::super::name::Name;
use super::super::password;
use super::super::problem::Problem;
use super::super::signed_in::Member;
use crate::app::App;
use crate::auth::operator::NAME_LIMIT;
use crate::http::query::{InvalidQuery, Query};

pub(super) fn routes() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::new().routes(routes!(list)).routes(routes!(put, remove))
}

/// An operator's role in an organisation.
#[derive(Serialize, ToSchema)]
struct OperatorListed {
    /// The operator's name.
    name: String,
    /// What they may do.
    #[schema(value_type = String)]
    role: &'static str,
}

/// The role that an operator is to have.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct OperatorRole {
    /// `reader` sees what is set up, `support` looks after customers as well, `editor` changes what is
    /// set up, `owner` decides who may do what.
    #[schema(examples("editor"))]
    role: String,
    /// The password of an operator who is new; one who is there already keeps theirs.
    #[schema(min_length = 12, max_length = 256)]
    password: Option<String>,
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
    let page = Page::of(query)?;
    let found = app.store.grants(member.tenant, &page.after, page.one_more()).await?;
    let listed = page.of_found(found, |grant: &Grant| &grant.operator);
    let shown =
        |grant: &Grant| OperatorListed { name: grant.operator.clone(), role: grant.role.name() };
    Ok(body::reply(&listed.of(shown)))
}

/// Give an operator a role
///
/// Makes an operator who is not there yet, with the password that is sent. For owners.
#[utoipa::path(
    put, path = "/admin/api/v1/organisations/{organisation}/operators/{name}", tag = "operators",
    operation_id = "put_operator", request_body = OperatorRole,
    params(("organisation" = String, Path, description = "The organisation's name"), ("name" = String, Path, description = "The operator's name")),
    responses(
        (status = 204, description = "Given"),
        (status = 409, body = Problem, content_type = "application/problem+json",
         description = "The organisation would have no owner any more")
    )
)]
async fn put(
    State(app): State<Arc<App>>,
    Extension(member): Extension<Member>,
    Path((_, Name(name))): Path<(String, Name)>,
    request: Request,
) -> Result<StatusCode, Problem> {
    let text = body::text(&app, request).await?;
    member.must_be(Role::Owner)?;
    let OperatorRole { role, password } = read(&text)?;
    check_name(&name, NAME_LIMIT)?;
    let role: Role = role.parse().map_err(|refused| Invalid::at("/role", format!("{refused}")))?;
    let scope = Scope::Organisation(member.tenant);
    let author = member.author(&app);
    match (app.store.operator_password(&name).await?, password) {
        (Some(_), Some(_)) => {
            return Err(Invalid::at(
                "/password",
                "this operator is there already, and keeps theirs",
            )
            .into());
        }
        (Some(_), None) => app.store.grant(&name, scope, Some(role), author).await?,
        (None, None) => {
            return Err(Invalid::at("/password", "this operator is new, and needs one").into());
        }
        (None, Some(plain)) => {
            let hash = password::hash(plain, "/password").await?;
            app.store.add_operator(&name, hash, scope, role, author).await?;
        }
    }
    Ok(StatusCode::NO_CONTENT)
}

/// Take an operator's role away
///
/// For owners. The operator stays known, without any rights here.
#[utoipa::path(
    delete, path = "/admin/api/v1/organisations/{organisation}/operators/{name}", tag = "operators",
    operation_id = "remove_operator",
    params(("organisation" = String, Path, description = "The organisation's name"), ("name" = String, Path, description = "The operator's name")),
    responses(
        (status = 204, description = "Taken away"),
        (status = 409, body = Problem, content_type = "application/problem+json",
         description = "The organisation would have no owner any more")
    )
)]
async fn remove(
    State(app): State<Arc<App>>,
    Extension(member): Extension<Member>,
    Path((_, Name(name))): Path<(String, Name)>,
    request: Request,
) -> Result<Response, Problem> {
    body::drain(&app, request).await;
    member.must_be(Role::Owner)?;
    let scope = Scope::Organisation(member.tenant);
    match app.store.grant(&name, scope, None, member.author(&app)).await {
        Ok(()) => Ok(StatusCode::NO_CONTENT.into_response()),
        Err(Error::NoOperator(_)) => Err(Problem::not_found()),
        Err(error) => Err(error.into()),
    }
}
