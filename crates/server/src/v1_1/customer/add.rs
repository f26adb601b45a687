//! `POST /v1.1/customer/add`: "This API registers customers in the organization with the primary
//! identifiers being either the mobile number, email ID, or external ID."

use std::sync::Arc;

use axum::Extension;
use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::response::Response;
use patron_rules::audit::{Origin, RequestId};
use patron_rules::codes::{self, Failure};
use patron_rules::decide::Decision;
use patron_rules::identifier::Identifiers;
use patron_rules::submission::Submission;
use patron_rules::validate::{registering_till, validate};
use patron_store::{Error, Mode, Tenant};

use super::explain::explain;
use super::{decoded, response};
use crate::app::{App, Items};
use crate::audit;
use crate::auth::Caller;
use crate::http::body;
use crate::v1_1::{envelope, format, query};

/// How often a registration is validated anew because the organisation was changed meanwhile.
const TRIES: usize = 5;

pub(crate) async fn add(
    State(app): State<Arc<App>>,
    Extension(caller): Extension<Caller>,
    Extension(tenant): Extension<Tenant>,
    Extension(request_id): Extension<RequestId>,
    request: Request,
) -> Response {
    match handle(&app, &caller, tenant, request_id, request).await {
        Ok(reply) | Err(reply) => reply,
    }
}

async fn handle(
    app: &App,
    caller: &Caller,
    tenant: Tenant,
    request_id: RequestId,
    request: Request,
) -> Result<Response, Response> {
    let explained = query::flag(request.uri(), "explain");
    let mode = if query::flag(request.uri(), "dry_run") { Mode::DryRun } else { Mode::Apply };
    let origin = match audit::origin(request_id, caller, request.headers()) {
        Ok(origin) => origin,
        Err(refused) => {
            body::drain(request.into_body(), app.config.body_timeout()).await;
            return Err(envelope::invalid(&refused));
        }
    };
    let received = decode(app, &tenant, request).await?;
    let (tenant, registered) =
        register(app, caller, tenant, &received.submissions, &origin, mode).await?;
    let organisation = tenant.organisation();

    let succeeded = registered.iter().filter(|item| item.decision.outcome.is_ok()).count();
    let customers: Vec<_> = received
        .submissions
        .into_iter()
        .zip(registered)
        .zip(received.places)
        .map(|((submission, item), place)| {
            let Registered { identifiers, decision } = item;
            let explanation = explained.then(|| {
                let settings = &organisation.settings;
                explain(&place, &submission, identifiers.as_ref(), &decision, settings)
            });
            let till = registering_till(&submission, organisation, Ok(caller.till));
            let till = till.unwrap_or(caller.till);
            response::item(submission, decision.outcome, organisation, till, explanation)
        })
        .collect();
    let items = Items { total: customers.len(), succeeded };
    let mut reply = envelope::items(customers, succeeded);
    reply.extensions_mut().insert(items);
    Ok(reply)
}

/// The customers of a request, and where each stands in its body.
struct Received {
    submissions: Vec<Submission>,
    places: Vec<String>,
}

async fn decode(app: &App, tenant: &Tenant, request: Request) -> Result<Received, Response> {
    let (parts, body) = request.into_parts();
    let Some(format) = format::of_request(&parts.uri, &parts.headers) else {
        body::drain(body, app.config.body_timeout()).await;
        let http = StatusCode::UNSUPPORTED_MEDIA_TYPE;
        let detail = "send JSON or XML, and say which by `Content-Type` or `?format=`";
        return Err(envelope::refusal(http, codes::UNSUPPORTED_MEDIA_TYPE, Some(detail), 0));
    };
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
    let batch = decoded::decode(&bytes, format, &parts.headers)
        .map_err(|error| envelope::invalid(&error))?;
    let limit = tenant.organisation().settings.batch_limit;
    let count = batch.count();
    if count > limit {
        let detail = format!("{count} customers in one call, at most {limit} are allowed");
        let http = StatusCode::BAD_REQUEST;
        return Err(envelope::refusal(http, codes::BATCH_LIMIT, Some(&detail), count));
    }
    let strict = tenant.organisation().settings.strict_extras;
    Ok(Received { submissions: batch.submissions(strict), places: batch.places() })
}

/// What became of one customer.
struct Registered {
    /// The identifiers as they are compared, where they are valid.
    identifiers: Option<Identifiers>,
    decision: Decision,
}

/// Validates each customer and hands those who are valid to the store; the others keep their place.
/// Where the organisation is changed meanwhile, all of it is done again with what holds now.
async fn register(
    app: &App,
    caller: &Caller,
    mut tenant: Tenant,
    submissions: &[Submission],
    origin: &Origin,
    mode: Mode,
) -> Result<(Tenant, Vec<Registered>), Response> {
    let unavailable = |error: Error| {
        tracing::error!(error = error.chain(), "customers cannot be stored");
        envelope::unavailable()
    };
    for _ in 0..TRIES {
        let now = (app.clock)();
        let mut valid = Vec::with_capacity(submissions.len());
        let validated: Vec<_> = submissions
            .iter()
            .map(|submission| {
                let registration =
                    validate(submission, tenant.organisation(), Ok(caller.till), now)?;
                let identifiers = registration.identifiers.clone();
                valid.push(registration);
                Ok(identifiers)
            })
            .collect();
        let stored = if valid.is_empty() {
            Ok(Vec::new())
        } else {
            app.store.register(&tenant, valid, origin, now, mode).await
        };
        match stored {
            Ok(decisions) => return Ok((tenant, in_order(validated, decisions))),
            Err(Error::Stale) => {
                tenant = app.store.tenant(caller.tenant).await.map_err(unavailable)?;
            }
            Err(error) => return Err(unavailable(error)),
        }
    }
    Err(unavailable(Error::Stale))
}

/// Puts the store's decisions in the places of those who were valid.
fn in_order(
    validated: Vec<Result<Identifiers, Failure>>,
    decisions: Vec<Decision>,
) -> Vec<Registered> {
    let mut decisions = decisions.into_iter();
    let registered = |result: Result<Identifiers, Failure>| match result {
        Err(failure) => Registered { identifiers: None, decision: failure.into() },
        Ok(identifiers) => Registered {
            identifiers: Some(identifiers),
            decision: decisions
                .next()
                .unwrap_or_else(|| Failure::from(codes::UNEXPECTED_ITEM).into()),
        },
    };
    validated.into_iter().map(registered).collect()
}
