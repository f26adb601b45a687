//! `POST /v1.1/customer/add`: "This API registers customers in the organization with the primary
//! identifiers being either the mobile number, email ID, or external ID."

use std::sync::Arc;

use axum::Extension;
use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::response::Response;
use jiff::Timestamp;
use patron_rules::codes::{self, Failure};
use patron_rules::decide::Plan;
use patron_rules::submission::Submission;
use patron_rules::validate::{Registration, validate};
use patron_store::Tenant;

use super::{request, response};
use crate::auth::Caller;
use crate::http::{App, Items, body};
use crate::v1_1::{envelope, format};

/// What becomes of each customer, in the order in which they were sent.
type Outcomes = Vec<Result<Plan, Failure>>;

pub(crate) async fn add(
    State(app): State<Arc<App>>,
    Extension(caller): Extension<Caller>,
    Extension(tenant): Extension<Tenant>,
    request: Request,
) -> Response {
    match handle(&app, &caller, &tenant, request).await {
        Ok(reply) | Err(reply) => reply,
    }
}

async fn handle(
    app: &App,
    caller: &Caller,
    tenant: &Tenant,
    request: Request,
) -> Result<Response, Response> {
    let submissions = decode(app, tenant, request).await?;
    let now = (app.clock)();
    let registrations = submissions
        .iter()
        .map(|submission| validate(submission, tenant.organisation(), caller.till, now))
        .collect();
    let outcomes = register(app, tenant, registrations, now).await?;

    let succeeded = outcomes.iter().filter(|outcome| outcome.is_ok()).count();
    let customers: Vec<_> = submissions
        .into_iter()
        .zip(outcomes)
        .map(|(submission, outcome)| response::item(submission, outcome, tenant.organisation()))
        .collect();
    let items = Items { total: customers.len(), succeeded };
    let mut reply = envelope::items(customers, succeeded);
    reply.extensions_mut().insert(items);
    Ok(reply)
}

async fn decode(app: &App, tenant: &Tenant, request: Request) -> Result<Vec<Submission>, Response> {
    let (parts, body) = request.into_parts();
    if !format::is_json(&parts.uri, &parts.headers) {
        body::drain(body, app.config.body_timeout()).await;
        let http = StatusCode::UNSUPPORTED_MEDIA_TYPE;
        let detail = "send JSON, with `Content-Type: application/json` or `?format=json`";
        return Err(envelope::refusal(http, codes::UNSUPPORTED_MEDIA_TYPE, Some(detail), 0));
    }
    let limit = app.config.body_limit_bytes;
    let bytes = body::read(body, limit, app.config.body_timeout()).await.map_err(|error| {
        let (http, code, detail) = match error {
            body::Error::TooLarge => {
                let detail = format!("at most {limit} bytes");
                (StatusCode::PAYLOAD_TOO_LARGE, codes::TOO_LARGE, Some(detail))
            }
            body::Error::TimedOut => {
                let detail = "the body did not arrive in time".to_owned();
                (StatusCode::REQUEST_TIMEOUT, codes::UNREADABLE, Some(detail))
            }
            body::Error::BrokenOff => (StatusCode::BAD_REQUEST, codes::UNREADABLE, None),
        };
        envelope::refusal(http, code, detail.as_deref(), 0)
    })?;
    let batch = request::decode(&bytes).map_err(|error| {
        let detail = error.to_string();
        envelope::refusal(StatusCode::BAD_REQUEST, codes::UNREADABLE, Some(&detail), 0)
    })?;
    let limit = tenant.organisation().settings.batch_limit;
    if batch.count > limit {
        let detail = format!("{} customers in one call, at most {limit} are allowed", batch.count);
        let http = StatusCode::BAD_REQUEST;
        return Err(envelope::refusal(http, codes::BATCH_LIMIT, Some(&detail), batch.count));
    }
    Ok(batch.submissions(tenant.organisation().settings.strict_extras))
}

/// Hands what is valid to the store; what is not keeps its place among the outcomes.
async fn register(
    app: &App,
    tenant: &Tenant,
    validated: Vec<Result<Registration, Failure>>,
    now: Timestamp,
) -> Result<Outcomes, Response> {
    let mut valid = Vec::with_capacity(validated.len());
    let places: Vec<Option<Failure>> = validated
        .into_iter()
        .map(|result| result.map(|registration| valid.push(registration)).err())
        .collect();
    let mut registered = if valid.is_empty() {
        Vec::new().into_iter()
    } else {
        let stored = app.store.register(tenant, valid, now).await;
        stored
            .map_err(|error| {
                tracing::error!(error = error.chain(), "customers cannot be stored");
                envelope::unavailable()
            })?
            .into_iter()
    };
    let outcome = |refused: Option<Failure>| match refused {
        Some(failure) => Err(failure),
        None => registered.next().unwrap_or_else(|| Err(codes::UNEXPECTED_ITEM.into())),
    };
    Ok(places.into_iter().map(outcome).collect())
}
