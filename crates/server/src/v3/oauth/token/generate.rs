//! `POST /v3/oauth/token/generate`: a token for an API client that sends its key and secret.
//!
//! The token is random, and says nothing by itself: whose it is and how long it is good stands in
//! the store, so that it can be revoked at once and is good at every process of the store.

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::response::Response;
use jiff::SignedDuration;
use patron_rules::codes::{self, Code};
use patron_rules::organisation::CallerId;
use patron_store::{NewToken, Tenant};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::app::App;
use crate::auth::token::{self, Purpose};
use crate::auth::{Caller, Refusal};
use crate::http::admission::{self, Admitted};
use crate::http::page::RefusalText;
use crate::http::{body, json, sniff};
use crate::limits::headers;

/// The largest body, in bytes.
pub(crate) const BODY_LIMIT: usize = 10_000;

/// What an API client signs in with.
#[derive(Deserialize, ToSchema)]
#[schema(as = ClientCredentials)]
struct Credentials {
    /// The client's key.
    key: String,
    /// Its secret.
    secret: String,
}

/// A token, or what was wrong.
#[derive(Serialize, ToSchema)]
#[schema(as = TokenReply)]
struct Reply {
    data: Option<Generated>,
    #[schema(value_type = Option<Vec<Wrong>>)]
    errors: Option<[Wrong; 1]>,
}

/// A token.
#[derive(Serialize, ToSchema)]
#[schema(as = GeneratedToken)]
#[serde(rename_all = "camelCase")]
struct Generated {
    /// To be sent as `X-CAP-API-OAUTH-TOKEN`.
    access_token: String,
    /// How many seconds it is good.
    ttl_seconds: u32,
}

/// Why there is no token.
#[derive(Serialize, ToSchema)]
#[schema(as = TokenError)]
struct Wrong {
    /// A code of `docs/errors.md`.
    code: u32,
    message: String,
}

/// Generate a token
#[utoipa::path(
    post, path = "/v3/oauth/token/generate", tag = "tokens", operation_id = "generate_token",
    request_body = Credentials,
    responses(
        (status = 200, body = Reply, description = "A token"),
        (status = 400, body = Reply, description = "The body is no key and secret in JSON"),
        (status = 401, body = Reply, description = "No client that is in use has this key and secret"),
        (status = 408, body = Reply, description = "The body did not arrive in time"),
        (status = 413, body = Reply, description = "The body is larger than 10,000 bytes"),
        (status = 415, body = Reply, description = "`Content-Encoding` is neither gzip nor deflate"),
        (status = 429, body = Reply, description = "Too many wrong secrets, or too many calls",
         headers(("Retry-After" = u64, description = "How many seconds to wait"))),
        (status = 503, body = Reply, description = "The store does not answer",
         headers(("Retry-After" = u64, description = "How many seconds to wait"))),
    )
)]
pub(crate) async fn generate(State(app): State<Arc<App>>, request: Request) -> Response {
    match handle(&app, request).await {
        Ok(reply) | Err(reply) => reply,
    }
}

async fn handle(app: &App, request: Request) -> Result<Response, Response> {
    let from = admission::address(app, &request);
    let Credentials { key, secret } = read(app, request).await?;
    let admitted = async {
        let caller = app.authenticator.client(&key, &secret, from).await?;
        admission::let_in(app, caller, from).await
    };
    let Admitted { caller, tenant, quota, .. } = admitted.await.map_err(|why| refused(&why))?;
    let generated = keep(app, &caller, &tenant).await.map_err(|error| {
        tracing::error!(error, "a token cannot be generated");
        refused(&Refusal::Unavailable)
    })?;
    let mut reply = json::reply(StatusCode::OK, &Reply { data: Some(generated), errors: None });
    if let Some(quota) = quota {
        headers::tell(quota, reply.headers_mut());
    }
    Ok(reply)
}

async fn read(app: &App, request: Request) -> Result<Credentials, Response> {
    let (parts, body) = request.into_parts();
    let refuse = |http, code: &Code, detail: &str| {
        wrong(http, code.number, format!("{}: {detail}", code.message))
    };
    let bytes = body::read(app, &parts.headers, body, BODY_LIMIT)
        .await
        .map_err(|error| refuse(error.status(), error.code(), &error.to_string()))?;
    serde_json::from_slice(&bytes).map_err(|error| {
        let detail = sniff::instead_of_json(&bytes).unwrap_or_else(|| error.to_string());
        refuse(StatusCode::BAD_REQUEST, codes::UNREADABLE, &detail)
    })
}

/// Makes a token for the client and keeps its hash.
async fn keep(app: &App, caller: &Caller, tenant: &Tenant) -> Result<Generated, String> {
    let CallerId::ApiClient(client) = caller.id else {
        return Err("a till has no tokens".to_owned());
    };
    let known = tenant.organisation().api_clients.active_with_id(client.0);
    let ttl_seconds = known.ok_or("the client is out of use")?.token_seconds;
    let access_token = token::generate(Purpose::Token).map_err(|error| error.to_string())?;
    let hash = token::hash(&access_token).ok_or("a token of a wrong form")?;
    let issued_at = (app.clock)();
    let expires_at = issued_at
        .checked_add(SignedDuration::from_secs(ttl_seconds.into()))
        .map_err(|error| error.to_string())?;
    let new = NewToken { client, hash, issued_at, expires_at };
    app.store.keep_token(tenant.id(), new).await.map_err(|error| error.chain())?;
    Ok(Generated { access_token, ttl_seconds })
}

/// The reply to a client that gets no token.
fn refused(why: &Refusal) -> Response {
    let (http, code) = match why {
        Refusal::TooManyGuesses(_) | Refusal::TooManyCalls(_) => {
            (StatusCode::TOO_MANY_REQUESTS, codes::TOO_MANY_REQUESTS)
        }
        Refusal::Unavailable => (StatusCode::SERVICE_UNAVAILABLE, codes::ACCESS_UNKNOWN),
        _ => (StatusCode::UNAUTHORIZED, codes::INVALID_CLIENT),
    };
    let mut reply = wrong(http, code.number, code.message.to_owned());
    why.tell(reply.headers_mut());
    reply
}

fn wrong(http: StatusCode, code: u32, message: String) -> Response {
    let text = vec![message.clone()];
    let mut reply =
        json::reply(http, &Reply { data: None, errors: Some([Wrong { code, message }]) });
    RefusalText::attach(&mut reply, text);
    reply
}
