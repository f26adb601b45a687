//! `/admin/api/v1/operators`: operators with a role in every organisation, for owners everywhere. Roles
//! in one organisation are listed, granted and revoked by the same functions.

use std::sync::Arc;

use axum::Extension;
use axum::extract::{Path, Request, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use patron_rules::organisation::{Invalid, check_name, read};
use patron_store::operators::{Grant, Role, Scope, Session};
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
use super::signed_in::{author, must_own_everything};
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
    fn of(Grant { operator, role }: &Grant) -> Self {
        Self { name: operator.clone(), role: role.name() }
    }
}

/// A page of the roles of a scope.
pub(super) async fn list_roles(app: &App, scope: Scope, page: &Page) -> Result<Response, Problem> {
    let found = app.store.grants(scope, &page.after, page.one_more()).await?;
    let listed = page.of_found(found, |grant: &Grant| &grant.operator);
    Ok(body::reply(&listed.of(OperatorListed::of)))
}

/// The role of an operator.
pub(super) async fn show_role(app: &App, scope: Scope, name: String) -> Result<Response, Problem> {
    let granted = app.store.granted(scope, &name).await?;
    let role = granted.ok_or_else(|| Error::NoOperator(name.clone()))?;
    Ok(body::reply(&OperatorListed { name, role: role.name() }))
}

/// Gives an operator a role, and makes an operator who is new.
pub(super) async fn put_role(
    app: &App,
    scope: Scope,
    name: &str,
    text: &str,
    author: Author,
) -> Result<Response, Problem> {
    let OperatorRole { role, password } = read(text)?;
    check_name(name, NAME_LIMIT)?;
    let role: Role = role.parse().map_err(|refused| Invalid::at("/role", format!("{refused}")))?;
    match (app.store.operator_password(name).await?, password) {
        (Some(_), Some(_)) => {
            let reason =
                "the operator exists already and keeps the password; leave this member out";
            return Err(Invalid::at("/password", reason).into());
        }
        (Some(_), None) => app.store.grant(name, scope, Some(role), author).await?,
        (None, None) => {
            let reason = "the operator is new and needs a password";
            return Err(Invalid::at("/password", reason).into());
        }
        (None, Some(plain)) => {
            let hash = password::hash(app, plain, name, "/password").await?;
            app.store.add_operator(name, hash, scope, role, author).await?;
        }
    }
    Ok((StatusCode::NO_CONTENT, Extension(GivenRole(role.name()))).into_response())
}

/// Takes an operator's role away.
pub(super) async fn remove_role(
    app: &App,
    scope: Scope,
    name: &str,
    author: Author,
) -> Result<StatusCode, Problem> {
    let granted = app.store.granted(scope, name).await?;
    granted.ok_or_else(|| Error::NoOperator(name.to_owned()))?;
    app.store.grant(name, scope, None, author).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// List every operator with a role everywhere
///
/// For owners everywhere.
#[utoipa::path(
    get, path = "/admin/api/v1/operators", tag = "operators",
    operation_id = "list_operators_everywhere", params(Page),
    responses((status = 200, body = Listed<OperatorListed>, description = "A page of the list"))
)]
async fn list(
    State(app): State<Arc<App>>,
    Extension(session): Extension<Session>,
    query: Result<Query<Page>, InvalidQuery>,
) -> Result<Response, Problem> {
    must_own_everything(&session)?;
    list_roles(&app, Scope::Everywhere, &Page::of(query)?).await
}

/// Show an operator's role everywhere
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
    Extension(session): Extension<Session>,
    Path(Name(name)): Path<Name>,
) -> Result<Response, Problem> {
    must_own_everything(&session)?;
    show_role(&app, Scope::Everywhere, name).await
}

/// Give an operator a role everywhere
///
/// It holds in every organisation, and in those made later. Makes an operator who is new, with the
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
    Extension(session): Extension<Session>,
    Path(Name(name)): Path<Name>,
    request: Request,
) -> Result<Response, Problem> {
    let text = body::text(&app, request).await?;
    must_own_everything(&session)?;
    let author = author(&session.operator, &app);
    put_role(&app, Scope::Everywhere, &name, &text, author).await
}

/// Take away an operator's role everywhere
///
/// The operator keeps the roles in single organisations. For owners everywhere.
#[utoipa::path(
    delete, path = "/admin/api/v1/operators/{name}", tag = "operators",
    operation_id = "remove_operator_everywhere",
    params(("name" = String, Path, description = "The operator's name")),
    responses(
        (status = 204, description = "Taken away"),
        (status = 409, body = Problem, content_type = "application/problem+json",
         description = "This is the last owner everywhere")
    )
)]
async fn remove(
    State(app): State<Arc<App>>,
    Extension(session): Extension<Session>,
    Path(Name(name)): Path<Name>,
    request: Request,
) -> Result<StatusCode, Problem> {
    body::drain(&app, request).await;
    must_own_everything(&session)?;
    remove_role(&app, Scope::Everywhere, &name, author(&session.operator, &app)).await
}
