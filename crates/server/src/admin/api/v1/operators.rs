//! `/admin/api/v1/operators`: operators for everywhere, for owners everywhere. Operators of one
//! organisation are listed, added, changed and removed by the same functions.

use std::sync::Arc;

use axum::Extension;
use axum::extract::{Path, Request, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use patron_rules::organisation::{Invalid, check_name, read};
use patron_store::operators::{Operator, OperatorId, Role, Scope};
use patron_store::{Author, Error};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::body;
use super::list::{Listed, Page};
use super::name::Name;
use super::password;
use super::problem::Problem;
use super::security::GivenRole;
use super::signed_in::SignedIn;
use crate::app::App;
use crate::auth::operator::NAME_LIMIT;
use crate::http::query::{InvalidQuery, Query};

pub(super) fn routes() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::new().routes(routes!(list)).routes(routes!(show, put, remove))
}

/// An operator's role.
#[derive(Serialize, ToSchema)]
pub(super) struct OperatorListed {
    /// The operator's name.
    name: String,
    /// The role: `reader`, `support`, `editor` or `owner`.
    #[schema(value_type = String)]
    role: &'static str,
}

/// The role to give an operator.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct OperatorRole {
    /// `reader` sees what is set up, `support` looks after customers as well, `editor` changes what is
    /// set up, `owner` decides who may do what.
    #[schema(examples("editor"))]
    role: String,
    /// The password of a new operator; one who exists already keeps the password.
    #[schema(min_length = 12, max_length = 256)]
    password: Option<String>,
}

impl OperatorListed {
    fn of(Operator { name, role }: &Operator) -> Self {
        Self { name: name.clone(), role: role.name() }
    }
}

/// A page of the operators of a scope.
pub(super) async fn list_of(app: &App, scope: Scope, page: &Page) -> Result<Response, Problem> {
    let found = app.store.operators(scope, &page.after, page.one_more()).await?;
    let listed = page.of_found(found, |operator: &Operator| &operator.name);
    Ok(body::reply(&listed.of(OperatorListed::of)))
}

/// The role of an operator.
pub(super) async fn show_role(app: &App, operator: OperatorId) -> Result<Response, Problem> {
    let name = operator.name.clone();
    let found = app.store.operator_role(operator).await?;
    let role = found.ok_or_else(|| Error::NoOperator(name.clone()))?;
    Ok(body::reply(&OperatorListed { name, role: role.name() }))
}

/// Gives an operator a role, and adds an operator who is new.
pub(super) async fn put_role(
    app: &App,
    operator: OperatorId,
    text: &str,
    author: Author,
) -> Result<Response, Problem> {
    let OperatorRole { role, password } = read(text)?;
    check_name(&operator.name, NAME_LIMIT)?;
    let role: Role = role.parse().map_err(|refused| Invalid::at("/role", format!("{refused}")))?;
    match (app.store.operator_role(operator.clone()).await?, password) {
        (Some(_), Some(_)) => {
            let reason =
                "the operator exists already and keeps the password; leave this member out";
            return Err(Invalid::at("/password", reason).into());
        }
        (Some(_), None) => app.store.change_role(operator, role, author).await?,
        (None, None) => {
            let reason = "the operator is new and needs a password";
            return Err(Invalid::at("/password", reason).into());
        }
        (None, Some(plain)) => {
            let hash = password::hash(app, plain, &operator.name, "/password").await?;
            app.store.add_operator(operator, hash, role, author).await?;
        }
    }
    Ok((StatusCode::NO_CONTENT, Extension(GivenRole(role.name()))).into_response())
}

/// List every operator for everywhere
///
/// For owners everywhere.
#[utoipa::path(
    get, path = "/admin/api/v1/operators", tag = "operators",
    operation_id = "list_operators_everywhere", params(Page),
    responses((status = 200, body = Listed<OperatorListed>, description = "A page of the list"))
)]
async fn list(
    State(app): State<Arc<App>>,
    Extension(signed_in): Extension<Arc<SignedIn>>,
    query: Result<Query<Page>, InvalidQuery>,
) -> Result<Response, Problem> {
    signed_in.must_own_everything()?;
    list_of(&app, Scope::Everywhere, &Page::of(query)?).await
}

/// Show an operator for everywhere
///
/// For owners everywhere.
#[utoipa::path(
    get, path = "/admin/api/v1/operators/{name}", tag = "operators",
    operation_id = "show_operator_everywhere",
    params(("name" = String, Path, description = "The operator's name")),
    responses((status = 200, body = OperatorListed, description = "The role"))
)]
async fn show(
    State(app): State<Arc<App>>,
    Extension(signed_in): Extension<Arc<SignedIn>>,
    Path(Name(name)): Path<Name>,
) -> Result<Response, Problem> {
    signed_in.must_own_everything()?;
    show_role(&app, everywhere(name)).await
}

/// Give an operator for everywhere a role
///
/// It holds in every organisation, and in those made later. Adds an operator who is new, with the
/// password in the request. For owners everywhere.
#[utoipa::path(
    put, path = "/admin/api/v1/operators/{name}", tag = "operators",
    operation_id = "put_operator_everywhere", request_body = OperatorRole,
    params(("name" = String, Path, description = "The operator's name")),
    responses(
        (status = 204, description = "Given"),
        (status = 409, body = Problem, content_type = "application/problem+json",
         description = "This is the last owner everywhere")
    )
)]
async fn put(
    State(app): State<Arc<App>>,
    Extension(signed_in): Extension<Arc<SignedIn>>,
    Path(Name(name)): Path<Name>,
    request: Request,
) -> Result<Response, Problem> {
    let text = body::text(&app, request).await?;
    signed_in.must_own_everything()?;
    put_role(&app, everywhere(name), &text, signed_in.author(&app)).await
}

/// Remove an operator for everywhere
///
/// Ends the operator's sessions. For owners everywhere.
#[utoipa::path(
    delete, path = "/admin/api/v1/operators/{name}", tag = "operators",
    operation_id = "remove_operator_everywhere",
    params(("name" = String, Path, description = "The operator's name")),
    responses(
        (status = 204, description = "Removed"),
        (status = 409, body = Problem, content_type = "application/problem+json",
         description = "This is the last owner everywhere")
    )
)]
async fn remove(
    State(app): State<Arc<App>>,
    Extension(signed_in): Extension<Arc<SignedIn>>,
    Path(Name(name)): Path<Name>,
    request: Request,
) -> Result<StatusCode, Problem> {
    body::drain(&app, request).await;
    signed_in.must_own_everything()?;
    app.store.remove_operator(everywhere(name), signed_in.author(&app)).await?;
    Ok(StatusCode::NO_CONTENT)
}

const fn everywhere(name: String) -> OperatorId {
    OperatorId { scope: Scope::Everywhere, name }
}
