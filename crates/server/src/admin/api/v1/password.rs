//! `/admin/api/v1/password`: an operator changes their own password.

use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;

use axum::Extension;
use axum::extract::{Request, State};
use axum::http::StatusCode;
use patron_rules::organisation::Invalid;
use serde::Deserialize;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::body;
use super::problem::Problem;
use super::signed_in::SignedIn;
use crate::app::App;
use crate::auth::password_rules::Account;
use crate::auth::security_log::Event;
use crate::auth::verifiers::{Overloaded, Turn};
use crate::auth::{Refusal, password};
use crate::http;
use crate::observe::metrics::Limit;

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
    Extension(signed_in): Extension<Arc<SignedIn>>,
    request: Request,
) -> Result<StatusCode, Problem> {
    let from = http::address(&app, &request);
    let NewPassword { current, new } = body::json(&app, request).await?;
    let session = &signed_in.session;
    let account = (session.organisation.as_deref(), session.operator.name.as_str());
    let verified = app.operators.verify(Event::PasswordChange, account, current, from).await;
    let operator = verified.map_err(|refusal| match refusal {
        Refusal::TooManyGuesses(wait) => Problem::too_many(wait),
        Refusal::Unauthorised => Invalid::at("/current", "not the operator's password").into(),
        _ => Problem::unavailable(),
    })?;
    let hash = hash(&app, new, &operator.name, "/new").await?;
    app.store.set_operator_password(operator, hash).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Hashes a new password of the operator of this name, sent as the member at this pointer.
pub(super) async fn hash(
    app: &App,
    plain: String,
    name: &str,
    pointer: &'static str,
) -> Result<String, Problem> {
    check(Account::Operator, name, &plain, pointer)?;
    hashed(app, move || password::argon2id(&plain)).await
}

/// Fails unless a password may be the one of this account.
pub(super) fn check(
    account: Account,
    name: &str,
    plain: &str,
    pointer: &str,
) -> Result<(), Problem> {
    let checked = account.check(name, plain);
    checked.map_err(|weak| Invalid::at(pointer, weak.to_string()).into())
}

/// Runs work that hashes passwords or secrets, a few at a time.
pub(super) async fn hashed<T: Send + 'static>(
    app: &App,
    work: impl FnOnce() -> anyhow::Result<T> + Send + 'static,
) -> Result<T, Problem> {
    // Operators share one queue.
    let turn = Turn { network: IpAddr::V4(Ipv4Addr::UNSPECIFIED), is_known: true };
    let done = app.hashing.run(turn, |_| work()).await.map_err(|Overloaded| {
        app.metrics.hit(Limit::PasswordChecks);
        Problem::busy("too many passwords and secrets are being set; try again in a second")
    })?;
    done.map_err(|error| {
        tracing::error!(error = format!("{error:#}"), "a password or secret cannot be hashed");
        Problem::unavailable()
    })
}
