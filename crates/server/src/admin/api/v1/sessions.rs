//! `/admin/api/v1/sessions`: operators sign in and out.

use std::sync::Arc;

use axum::Extension;
use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::http::header::LOCATION;
use axum::response::{IntoResponse, Response};
use jiff::SignedDuration;
use patron_store::operators::NewSession;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::body;
use super::problem::Problem;
use super::signed_in::{SignedIn, SignedInBy};
use crate::app::App;
use crate::auth::Refusal;
use crate::auth::operator::Token;
use crate::auth::security_log::{self, Actor, Event, Kind, Subject};
use crate::http;
use crate::limits::headers;

/// The path of the session with whose token a request is sent.
const CURRENT: &str = "/admin/api/v1/sessions/current";

pub(super) fn begin() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::new().routes(routes!(sign_in))
}

pub(super) fn own() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::new().routes(routes!(current, sign_out))
}

/// What an operator signs in with.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct Credentials {
    /// The organisation to which the operator's account belongs. Left out by operators for everywhere.
    organisation: Option<String>,
    /// The operator's name.
    name: String,
    /// Their password.
    password: String,
}

/// A session that has begun.
#[derive(Serialize, ToSchema)]
struct Begun {
    /// To be sent as `Authorization: Bearer`; shown this once.
    token: String,
    /// When the session ends.
    #[schema(value_type = String, format = DateTime)]
    expires_at: jiff::Timestamp,
}

/// The session with whose token a request is sent.
#[derive(Serialize, ToSchema)]
struct Current {
    /// The operator's name.
    operator: String,
    /// The operator's organisation; absent for operators for everywhere.
    #[serde(skip_serializing_if = "Option::is_none")]
    organisation: Option<String>,
    /// What the operator may do there: `reader`, `support`, `editor` or `owner`.
    #[schema(value_type = String)]
    role: &'static str,
    /// When it ends.
    #[schema(value_type = String, format = DateTime)]
    expires_at: jiff::Timestamp,
}

/// Sign in
///
/// The reply to a wrong password, an unknown name and an unknown organisation is the same.
#[utoipa::path(
    post, path = "/admin/api/v1/sessions", tag = "sessions", request_body = Credentials, security(()),
    responses((status = 201, body = Begun, description = "Signed in"))
)]
async fn sign_in(State(app): State<Arc<App>>, request: Request) -> Result<Response, Problem> {
    let from = http::address(&app, &request);
    let Credentials { organisation, name, password } = body::sign_in(&app, request).await?;
    let account = (organisation.as_deref(), name.as_str());
    let verified = app.operators.verify(Event::SignIn, account, password, from).await;
    let operator = verified.map_err(|refusal| match refusal {
        Refusal::TooManyGuesses(wait) => Problem::too_many(wait),
        Refusal::Unauthorised => Problem::new(
            StatusCode::UNAUTHORIZED,
            "no operator has this organisation, name and password; operators for everywhere leave \
             `organisation` out",
        ),
        _ => Problem::unavailable(),
    })?;
    let now = (app.clock)();
    let quota = app.count_change(&operator, now).map_err(Problem::too_many_changes)?;
    let (token, text) = Token::make().map_err(|_| Problem::unavailable())?;
    let lasts = SignedDuration::from_mins(i64::from(app.config.session_minutes));
    let expires_at = now.checked_add(lasts).unwrap_or(now);
    let name = operator.name.clone();
    let new = NewSession { token: token.hash(), operator, opened_at: now, expires_at };
    app.store.open_session(new).await?;
    let account_of = organisation.as_deref();
    let actor = Actor { account_of, ..Actor::new(Kind::Operator, &name, from) };
    security_log::accepted(Event::SignIn, actor, Subject::default());
    let begun = Begun { token: text, expires_at };
    let mut reply =
        (StatusCode::CREATED, [(LOCATION, CURRENT)], body::reply(&begun)).into_response();
    if let Some(quota) = quota {
        headers::tell(quota, reply.headers_mut());
    }
    Ok(reply)
}

/// The own session
#[utoipa::path(
    get, path = "/admin/api/v1/sessions/current", tag = "sessions",
    responses((status = 200, body = Current, description = "Who is signed in, and what they may do"))
)]
async fn current(
    State(app): State<Arc<App>>,
    Extension(signed_in): Extension<Arc<SignedIn>>,
    request: Request,
) -> Result<Response, Problem> {
    body::drain(&app, request).await;
    let session = &signed_in.session;
    let current = Current {
        operator: session.operator.name.clone(),
        organisation: session.organisation.clone(),
        role: session.role.name(),
        expires_at: session.expires_at,
    };
    Ok(body::reply(&current))
}

/// Sign out
#[utoipa::path(
    delete, path = "/admin/api/v1/sessions/current", tag = "sessions",
    responses((status = 204, description = "Signed out"))
)]
async fn sign_out(
    State(app): State<Arc<App>>,
    Extension(SignedInBy(token)): Extension<SignedInBy>,
    request: Request,
) -> Result<StatusCode, Problem> {
    body::drain(&app, request).await;
    app.store.close_session(token.hash()).await?;
    Ok(StatusCode::NO_CONTENT)
}
