//! `POST /v1.1/customer/add`: "This API registers customers in the organization with the primary
//! identifiers being either the mobile number, email ID, or external ID."

use std::sync::Arc;

use axum::Extension;
use axum::body::{Body, Bytes};
use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::response::Response;
use jiff::Timestamp;
use patron_rules::attribution::PostedAs;
use patron_rules::audit::{Origin, RequestId};
use patron_rules::codes::{self, Failure};
use patron_rules::decide::Decision;
use patron_rules::identifier::Identifiers;
use patron_rules::organisation::{Organisation, TillId};
use patron_rules::settings::Settings;
use patron_rules::submission::Submission;
use patron_rules::trace::Trace;
use patron_rules::validate::{Registration, Validated, validate};
use patron_store::{Error, Mode, STAGES, Tenant};
use tracing::trace_span;

use super::decoded::{self, Decoded};
use super::examples;
use super::explain::explain;
use super::members::{Body as Sent, Root};
use super::place::Place;
use super::response::{self, Item as Added};
use crate::app::{App, Items};
use crate::audit;
use crate::auth::Caller;
use crate::http::body;
use crate::observe::metrics::Limit;
use crate::v1_1::attribution::Attribution;
use crate::v1_1::envelope::{Envelope, Reply};
use crate::v1_1::parameters::{Attributed, Formatted, Registering, UserContext};
use crate::v1_1::{envelope, format, query};

/// How often a registration is validated anew because the organisation was changed meanwhile.
const TRIES: usize = 5;

/// Register customers
///
/// Each customer comes out on their own: `item_status` says how. The request's `status` has the code
/// 200 where all went through, 201 where some did, 500 where none did; the HTTP status is 200. Sent
/// again, a registration updates the customer.
#[utoipa::path(
    post, path = "/v1.1/customer/add", tag = "customers", operation_id = "add_customers",
    params(Formatted, Registering, Attributed, UserContext),
    request_body(
        content(
            (Sent = "application/json", examples(
                ("Mobile and email" = (value = json!(examples::with_mobile_and_email()))),
                ("External id" = (value = json!(examples::with_external_id()))),
            )),
            (Root = "application/xml"),
        ),
        description = "At most 5 MB, unless Patron is configured otherwise.",
    ),
    responses((
        status = 200, description = "What became of each customer",
        content(
            (Envelope<Added> = "application/json", example = json!(examples::registered())),
            (Reply<Added> = "application/xml"),
        ),
    ))
)]
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
    let attribution = Attribution::read(request.headers(), caller);
    let explained = query::flag(request.uri(), "explain");
    let mode = if query::flag(request.uri(), "dry_run") { Mode::DryRun } else { Mode::Apply };
    let origin = match audit::origin(request_id, caller, request.headers()) {
        Ok(origin) => origin,
        Err(refused) => {
            body::drain(request.into_body(), app.config.body_timeout()).await;
            return Err(envelope::invalid(&refused));
        }
    };
    let (parts, body) = request.into_parts();
    let Some(format) = format::of_request(&parts.uri, &parts.headers) else {
        body::drain(body, app.config.body_timeout()).await;
        let http = StatusCode::UNSUPPORTED_MEDIA_TYPE;
        let detail = "send JSON or XML, and say which by `Content-Type` or `?format=`";
        return Err(envelope::refusal(http, codes::UNSUPPORTED_MEDIA_TYPE, Some(detail), 0));
    };
    let bytes = read(app, body).await?;
    let batch = trace_span!(target: STAGES, "decode")
        .in_scope(|| decoded::decode(&bytes, format, &parts.headers))
        .map_err(|error| envelope::invalid(&error))?;
    let (tenant, registered) = register(app, &attribution, tenant, &batch, &origin, mode).await?;

    if mode == Mode::Apply {
        for (_, decision) in &registered {
            app.metrics.decided(decision);
        }
    }
    let _encoding = trace_span!(target: STAGES, "encode").entered();
    let organisation = tenant.organisation();
    let succeeded = registered.iter().filter(|(_, decision)| decision.outcome.is_ok()).count();
    let customers: Vec<_> = registered
        .into_iter()
        .map(|(Item { submission, place, till, identifiers, trace, .. }, decision)| {
            let settings = &organisation.settings;
            let explanation =
                explained.then(|| explain(&place, &identifiers, &trace, &decision, settings));
            response::item(submission, &place, decision.outcome, organisation, till, explanation)
        })
        .collect();
    let items = Items { total: customers.len(), succeeded };
    let mut reply = envelope::items(customers, succeeded);
    reply.extensions_mut().insert(items);
    Ok(reply)
}

/// Reads a body whole.
async fn read(app: &App, body: Body) -> Result<Bytes, Response> {
    let limit = app.config.body_limit_bytes;
    body::read(app, body, limit).await.map_err(|error| {
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
    })
}

/// One customer of a request, once they are validated.
struct Item {
    submission: Submission,
    place: Place,
    /// The till to which the reply's times are local.
    till: TillId,
    /// The identifiers that are valid, as they are compared.
    identifiers: Identifiers,
    /// What validation decided.
    trace: Trace,
    refusal: Option<Failure>,
}

/// Validates each customer and hands those who are valid to the store; the others keep their place.
/// Where the organisation is changed meanwhile, all of it is done again with what holds now.
async fn register(
    app: &App,
    attribution: &Attribution,
    mut tenant: Tenant,
    batch: &Decoded<'_>,
    origin: &Origin,
    mode: Mode,
) -> Result<(Tenant, Vec<(Item, Decision)>), Response> {
    let unavailable = |error: Error| {
        tracing::error!(error = error.chain(), "customers cannot be stored");
        envelope::unavailable()
    };
    for _ in 0..TRIES {
        let now = (app.clock)();
        let organisation = tenant.organisation();
        if let Some(refusal) = refusal(app, batch, &organisation.settings) {
            return Err(refusal);
        }
        let posted_as = attribution.till(organisation);
        let origin = origin.posted_as(posted_as.ok(), organisation);
        let (items, valid) = trace_span!(target: STAGES, "validate")
            .in_scope(|| validated(batch, organisation, posted_as, now));
        let stored = if valid.is_empty() {
            Ok(Vec::new())
        } else {
            app.store.register(&tenant, valid, &origin, now, mode).await
        };
        match stored {
            Ok(decisions) => return Ok((tenant, in_order(items, decisions))),
            Err(Error::Stale) => {
                tenant = app.store.tenant(tenant.id()).await.map_err(unavailable)?;
            }
            Err(error) => return Err(unavailable(error)),
        }
    }
    Err(unavailable(Error::Stale))
}

/// Why the organisation does not take a request at all.
fn refusal(app: &App, batch: &Decoded<'_>, settings: &Settings) -> Option<Response> {
    let (count, limit) = (batch.count(), settings.batch_limit);
    if count > limit {
        app.metrics.hit(Limit::Batch);
        let detail = format!("{count} customers in one call, at most {limit} are allowed");
        let http = StatusCode::BAD_REQUEST;
        return Some(envelope::refusal(http, codes::BATCH_LIMIT, Some(&detail), count));
    }
    let unknown = batch.unknown().filter(|_| settings.strict_extras)?;
    Some(envelope::invalid(&format!("unknown member at {unknown}")))
}

/// Reads and validates each customer, as the organisation has it; whoever is valid is a
/// registration besides.
fn validated(
    batch: &Decoded<'_>,
    organisation: &Organisation,
    posted_as: PostedAs,
    now: Timestamp,
) -> (Vec<Item>, Vec<Registration>) {
    let mut valid = Vec::with_capacity(batch.count());
    let customers = batch.customers(organisation.settings.strict_extras).into_iter();
    let items = customers.map(|(submission, place)| {
        let Validated { identifiers, trace, outcome } =
            validate(&submission, organisation, posted_as, now);
        let till = outcome.as_ref().map(|registration| registration.registered_till);
        let till = till.unwrap_or(posted_as.unwrap_or_default());
        let refusal = outcome.map(|registration| valid.push(registration)).err();
        Item { submission, place, till, identifiers, trace, refusal }
    });
    (items.collect(), valid)
}

/// Puts the store's decisions beside those who were valid.
fn in_order(items: Vec<Item>, decisions: Vec<Decision>) -> Vec<(Item, Decision)> {
    let mut decisions = decisions.into_iter();
    let mut decided = || decisions.next().ok_or_else(|| Failure::from(codes::UNEXPECTED_ITEM));
    let decision = |item: Item| {
        let decision = match &item.refusal {
            Some(refusal) => refusal.clone().into(),
            None => decided().unwrap_or_else(Into::into),
        };
        (item, decision)
    };
    items.into_iter().map(decision).collect()
}
