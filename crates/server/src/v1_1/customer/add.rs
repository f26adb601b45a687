//! `POST /v1.1/customer/add`: "This API registers customers in the organization with the primary
//! identifiers being either the mobile number, email ID, or external ID."

use std::borrow::Cow;
use std::sync::Arc;

use axum::Extension;
use axum::body::{Body, Bytes};
use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::response::Response;
use patron_rules::audit::RequestId;
use patron_rules::codes;
use patron_rules::decide::Decision;
use patron_rules::settings::Settings;
use patron_store::{Error, Mode, Registered, STAGES, Tenant, WriteAnswer};
use tracing::trace_span;

use super::customers::Customers;
use super::decoded::{self, Decoded};
use super::examples;
use super::head::Head;
use super::members::{Body as Sent, Root};
use super::response::Item as Added;
use crate::app::{App, Items};
use crate::auth::Caller;
use crate::http::body;
use crate::observe::metrics::Limit;
use crate::v1_1::envelope::{self, Envelope, Refused, RefusedReply, Reply};
use crate::v1_1::idempotency::{Identity, replayed};
use crate::v1_1::parameters::{AnsweredOnce, Attributed, Formatted, Registering, UserContext};

/// How often a registration is validated anew because the organisation was changed meanwhile.
const TRIES: usize = 5;

/// Register customers
///
/// Each customer comes out on their own: `item_status` says how. The request's `status` has the code
/// 200 where all went through, 201 where some did, 500 where none did; the HTTP status is 200. Sent
/// again, a registration updates the customer; with an `Idempotency-Key` it changes nothing, and is
/// answered as it was.
#[utoipa::path(
    post, path = "/v1.1/customer/add", tag = "customers", operation_id = "add_customers",
    params(Formatted, Registering, AnsweredOnce, Attributed, UserContext),
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
    responses(
        (
            status = 200, description = "What became of each customer",
            headers(("Idempotent-Replayed", description = "`true` where this was answered before")),
            content(
                (Envelope<Added> = "application/json", example = json!(examples::registered())),
                (Reply<Added> = "application/xml"),
            ),
        ),
        (
            status = 422, description = "The idempotency key is that of another request",
            content((Refused = "application/json"), (RefusedReply = "application/xml")),
        ),
    )
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

/// What a request asks for.
struct Asked<'a> {
    head: Head<'a>,
    batch: Decoded<'a>,
    /// By what it is known again; `None` where it is carried out whatever was before.
    identity: Option<Identity>,
}

async fn handle(
    app: &App,
    caller: &Caller,
    tenant: Tenant,
    request_id: RequestId,
    request: Request,
) -> Result<Response, Response> {
    let (parts, body) = request.into_parts();
    let head = match Head::read(&parts, caller, request_id) {
        Ok(head) => head,
        Err(refused) => {
            body::drain(body, app.config.body_timeout()).await;
            return Err(refused.reply());
        }
    };
    let bytes = read(app, body).await?;
    let batch = trace_span!(target: STAGES, "decode")
        .in_scope(|| decoded::decode(&bytes, head.format, &parts.headers))
        .map_err(|error| envelope::invalid(&error))?;
    let identity = head.identity(&bytes, &tenant.organisation().settings);
    register(app, &Asked { head, batch, identity }, tenant).await
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

/// Registers the customers. Where the organisation is changed meanwhile, all of it is done again with
/// what holds now.
async fn register(app: &App, asked: &Asked<'_>, mut tenant: Tenant) -> Result<Response, Response> {
    let unavailable = |error: Error| {
        tracing::error!(error = error.chain(), "customers cannot be stored");
        envelope::unavailable()
    };
    for _ in 0..TRIES {
        match attempt(app, asked, &tenant).await {
            Ok(reply) => return Ok(reply),
            Err(Error::Stale) => {
                tenant = app.store.tenant(tenant.id()).await.map_err(unavailable)?;
            }
            Err(Error::KeyReused) => {
                let (http, count) = (StatusCode::UNPROCESSABLE_ENTITY, asked.batch.count());
                return Err(envelope::refusal(http, codes::KEY_REUSED, None, count));
            }
            Err(error) => return Err(unavailable(error)),
        }
    }
    Err(unavailable(Error::Stale))
}

/// Validates each customer, hands those who are valid to the store, and answers for all of them.
async fn attempt(app: &App, asked: &Asked<'_>, tenant: &Tenant) -> Result<Response, Error> {
    let Asked { head, batch, identity } = asked;
    let now = (app.clock)();
    let organisation = tenant.organisation();
    let posted_as = head.attribution.till(organisation);
    let origin = head.origin.posted_as(posted_as.ok(), organisation);
    let refusal = refusal(app, batch, &organisation.settings);
    let (customers, valid) = match &refusal {
        None => trace_span!(target: STAGES, "validate")
            .in_scope(|| Customers::validated(batch, organisation, posted_as, now)),
        Some(_) => Default::default(),
    };
    let customers = Arc::new(customers);
    let answer = answer(Arc::clone(&customers), tenant.clone(), head.explained);
    let registered = if let Some(identity) = identity {
        // Though nobody is valid by now, it may have been answered before.
        let once = identity.once(answer);
        app.store.register_once(tenant, valid, &origin, now, once).await?
    } else {
        let decisions = match valid.as_slice() {
            [] => Vec::new(),
            _ => app.store.register(tenant, valid, &origin, now, head.mode).await?,
        };
        Registered::Now { answer: answer(&decisions), decisions }
    };
    Ok(match (registered, refusal) {
        (Registered::Before(answer), _) => {
            app.metrics.replays.inc();
            replayed(envelope::written_items(answer))
        }
        (Registered::Now { .. }, Some(refusal)) => refusal,
        (Registered::Now { decisions, answer }, None) => {
            let items = count(app, head.mode, &customers.in_order(&decisions));
            let mut reply = envelope::written_items(answer);
            reply.extensions_mut().insert(items);
            reply
        }
    })
}

/// Writes the answer for these customers.
fn answer(customers: Arc<Customers>, tenant: Tenant, explained: bool) -> WriteAnswer {
    Arc::new(move |decisions| {
        let _encoding = trace_span!(target: STAGES, "encode").entered();
        customers.answer(decisions, tenant.organisation(), explained)
    })
}

/// Counts what became of each customer, if it counts.
fn count(app: &App, mode: Mode, decisions: &[Cow<'_, Decision>]) -> Items {
    if mode == Mode::Apply {
        for decision in decisions {
            app.metrics.decided(decision);
        }
    }
    let succeeded = decisions.iter().filter(|decision| decision.outcome.is_ok()).count();
    Items { total: decisions.len(), succeeded }
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
