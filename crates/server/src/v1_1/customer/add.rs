//! `POST /v1.1/customer/add`: "This API registers customers in the organization with the primary
//! identifiers being either the mobile number, email ID, or external ID."

use std::borrow::Cow;
use std::sync::Arc;

use axum::Extension;
use axum::body::{Body, Bytes};
use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::Response;
use patron_rules::audit::RequestId;
use patron_rules::codes;
use patron_rules::decide::Decision;
use patron_rules::settings::Settings;
use patron_store::{Error, Mode, Registered, STAGES, Tenant, WriteAnswer};
use tracing::trace_span;

use super::customers::Customers;
use super::decoded::{self, Decoded};
use super::head::Head;
use super::members::{Body as Sent, Root};
use super::response::Item as Added;
use super::{encoding, examples};
use crate::app::{App, Items};
use crate::auth::{Caller, Refusal};
use crate::http::endpoints::CUSTOMER_READ;
use crate::http::sniff::Looks;
use crate::http::{DRY_RUN, body};
use crate::limits::headers;
use crate::limits::shares::{self, Share};
use crate::observe::metrics::Limit;
use crate::v1_1::envelope::{self, Envelope, Refused, RefusedReply, Reply};
use crate::v1_1::format::{self, Format};
use crate::v1_1::idempotency::{Identity, Kept, replayed};
use crate::v1_1::parameters::{
    AnsweredOnce, Attributed, ClientCountry, Formatted, Registering, UserContext,
};

/// How often a registration is validated anew because the organisation was changed meanwhile.
const TRIES: usize = 5;

/// Register customers
///
/// Each customer comes out on their own: `item_status` says how. The request's `status` has the code
/// 200 where all went through, 201 where some did, 500 where none did; the HTTP status is 200. Sent
/// again, a registration updates the customer; with an `Idempotency-Key` it changes nothing, and is
/// answered as it was.
///
/// Needs write permission for customers. `dry_run` and `explain` need read permission as well. Without
/// it, the reply about a known customer has only the values that the request sent.
#[utoipa::path(
    post, path = "/v1.1/customer/add", tag = "customers", operation_id = "add_customers",
    params(Formatted, Registering, AnsweredOnce, Attributed, ClientCountry, UserContext),
    request_body(
        content(
            (Sent = "application/json", examples(
                ("Mobile and email" = (value = json!(examples::with_mobile_and_email()))),
                ("External id" = (value = json!(examples::with_external_id()))),
            )),
            (Root = "application/xml"),
        ),
        description = "At most 5 MB, unless Patron is configured otherwise. `Content-Encoding` may be `gzip` or `deflate`; the limit is for the body without it.",
    ),
    responses(
        (
            status = 200, description = "What became of each customer",
            headers(
                ("Idempotent-Replayed", description = "`true` where this was answered before"),
                ("Dry-Run", description = "`true` for a dry run: nothing is stored. Every other reply to a dry run has it as well"),
            ),
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
    let (parts, body) = request.into_parts();
    let head = match Head::read(&parts, &caller, request_id) {
        Ok(head) => head,
        Err(invalid) => {
            body::drain(body, app.config.body_timeout()).await;
            return invalid.reply();
        }
    };
    let mode = head.mode;
    let (Ok(mut reply) | Err(mut reply)) = handle(&app, head, tenant, &parts.headers, body).await;
    if mode == Mode::DryRun {
        reply.headers_mut().insert(DRY_RUN, HeaderValue::from_static("true"));
    }
    reply
}

/// What a request asks for.
struct Asked<'a> {
    head: Head<'a>,
    batch: Decoded<'a>,
    /// How long the body is, in bytes.
    length: usize,
    /// By what it is known again; `None` where it is carried out whatever was before.
    identity: Option<Identity>,
}

async fn handle(
    app: &App,
    head: Head<'_>,
    tenant: Tenant,
    headers: &HeaderMap,
    body: Body,
) -> Result<Response, Response> {
    if head.reads() && !may_read(&head, &tenant) {
        body::drain(body, app.config.body_timeout()).await;
        return Err(envelope::refused(&Refusal::Denied(head.origin.caller)));
    }
    let bytes = read(app, headers, body).await?;
    let format = head.format.ok_or_else(|| unsupported(&bytes))?;
    let unreadable = |error| unreadable(&bytes, format, &error);
    let length = bytes.len();
    let share = take_share(app, &tenant, length).await?;
    let span = trace_span!(target: STAGES, "decode");
    let text = share
        .run(|| span.in_scope(|| encoding::text(&bytes, format, format::charset(headers))))
        .map_err(unreadable)?;
    let batch =
        share.run(|| span.in_scope(|| decoded::decode(&text, format))).map_err(unreadable)?;
    drop(span);
    let identity = share.run(|| head.identity(&bytes, &tenant.organisation().settings));
    register(app, &Asked { head, batch, length, identity }, tenant, share).await
}

/// Waits for the organisation's turn to have a body of this length read and validated.
async fn take_share(app: &App, tenant: &Tenant, length: usize) -> Result<Share, Response> {
    let is_heavy = shares::is_heavy(length, tenant.organisation());
    app.shares.take(tenant.id(), is_heavy).await.map_err(|_| {
        app.metrics.hit(Limit::LargeBodies);
        envelope::unavailable()
    })
}

/// Whether the caller may read customers, and not only write them.
fn may_read(head: &Head<'_>, tenant: &Tenant) -> bool {
    tenant.organisation().permits(head.origin.caller, CUSTOMER_READ)
}

/// The reply to a body that is neither JSON nor XML by its media type.
fn unsupported(body: &[u8]) -> Response {
    let generic = "send JSON or XML, and say which by `Content-Type` or `?format=`".to_owned();
    let (http, code) = (StatusCode::UNSUPPORTED_MEDIA_TYPE, codes::UNSUPPORTED_MEDIA_TYPE);
    envelope::refusal(http, code, Some(&hint(body).unwrap_or(generic)), 0)
}

/// The reply to a body that is not what this format takes.
fn unreadable(body: &[u8], format: Format, error: &decoded::Error) -> Response {
    let is_as_expected = match Looks::of(body) {
        Some(Looks::Json) => format == Format::Json,
        Some(Looks::Xml) => format == Format::Xml,
        _ => false,
    };
    match hint(body).filter(|_| !is_as_expected) {
        Some(hint) => envelope::invalid(&hint),
        None => envelope::invalid(error),
    }
}

/// How to send a body that looks like this.
fn hint(body: &[u8]) -> Option<String> {
    let looks = Looks::of(body)?;
    Some(match looks {
        Looks::Json => {
            "this looks like JSON; send `format=json` or `Content-Type: application/json`"
                .to_owned()
        }
        Looks::Xml => {
            "this looks like XML; send `format=xml` or `Content-Type: application/xml`".to_owned()
        }
        Looks::Form | Looks::Multipart => {
            format!("this looks like {looks}; send JSON or XML as the whole body")
        }
        Looks::Gzip => "this looks like gzip; send `Content-Encoding: gzip`".to_owned(),
    })
}

/// Reads a body whole.
async fn read(app: &App, headers: &HeaderMap, body: Body) -> Result<Bytes, Response> {
    let limit = app.config.body_limit_bytes;
    body::read(app, headers, body, limit).await.map_err(|error| {
        envelope::refusal(error.status(), error.code(), Some(&error.to_string()), 0)
    })
}

/// Registers the customers. Where the organisation is changed meanwhile, all of it is done again with
/// what holds now.
async fn register(
    app: &App,
    asked: &Asked<'_>,
    mut tenant: Tenant,
    first: Share,
) -> Result<Response, Response> {
    let unavailable = |error: Error| {
        tracing::error!(error = error.chain(), "customers cannot be stored");
        envelope::unavailable()
    };
    let mut first = Some(first);
    for _ in 0..TRIES {
        let share = match first.take() {
            Some(share) => share,
            None => take_share(app, &tenant, asked.length).await?,
        };
        match attempt(app, asked, &tenant, share).await {
            Ok(reply) => return Ok(reply),
            Err(Error::Stale) => {
                tenant = app.store.tenant(tenant.id()).await.map_err(unavailable)?;
            }
            Err(Error::KeyReused) => {
                let (http, count) = (StatusCode::UNPROCESSABLE_ENTITY, asked.batch.count());
                return Err(envelope::refusal(http, codes::KEY_REUSED, None, count));
            }
            Err(Error::AnswersFull) => return Err(full(app, asked, &tenant)),
            Err(error) => return Err(unavailable(error)),
        }
    }
    Err(unavailable(Error::Stale))
}

/// Validates each customer, hands those who are valid to the store, and answers for all of them.
async fn attempt(
    app: &App,
    asked: &Asked<'_>,
    tenant: &Tenant,
    share: Share,
) -> Result<Response, Error> {
    let Asked { head, batch, identity, .. } = asked;
    let now = (app.clock)();
    let organisation = tenant.organisation();
    let posted_as = head.attribution.till(organisation);
    let origin = head.origin.posted_as(posted_as.ok(), organisation);
    let refusal = refusal(app, batch, &organisation.settings);
    let may_read = may_read(head, tenant);
    let (customers, valid) = match &refusal {
        None => share.run(|| {
            let _validating = trace_span!(target: STAGES, "validate").entered();
            let code = head.client_calling_code;
            Customers::validated(batch, organisation, posted_as, code, may_read, now)
        }),
        Some(_) => Default::default(),
    };
    // The store has shares of its own.
    drop(share);
    let customers = Arc::new(customers);
    let explained = head.explained && may_read;
    let answer = answer(Arc::clone(&customers), tenant.clone(), explained);
    let registered = if let Some(identity) = identity {
        // Though nobody is valid by now, it may have been answered before.
        let kept = Kept::of(app, (tenant.id(), head.origin.caller), *identity);
        let may_keep = kept.is_none_or(|kept| kept.check(app, now).is_ok());
        let once = identity.once(may_keep, answer);
        let registered = app.store.register_once(tenant, valid, &origin, now, once).await?;
        if let (Some(kept), Registered::Now { kept_bytes, .. }) = (kept, &registered) {
            kept.take(app, *kept_bytes, now);
        }
        registered
    } else {
        let decisions = match valid.as_slice() {
            [] => Vec::new(),
            _ => app.store.register(tenant, valid, &origin, now, head.mode).await?,
        };
        Registered::Now { answer: answer(&decisions), decisions, kept_bytes: 0 }
    };
    Ok(match (registered, refusal) {
        (Registered::Before(answer), _) => {
            app.metrics.replays.inc();
            replayed(envelope::written_items(answer))
        }
        (Registered::Now { .. }, Some(refusal)) => refusal,
        (Registered::Now { decisions, answer, .. }, None) => {
            let items = count(app, head.mode, &customers.in_order(&decisions));
            let mut reply = envelope::written_items(answer);
            reply.extensions_mut().insert(items);
            reply
        }
    })
}

/// The reply to a request that was not carried out, since its answer could not be kept.
fn full(app: &App, asked: &Asked<'_>, tenant: &Tenant) -> Response {
    app.metrics.hit(Limit::KeptReplies);
    let caller = (tenant.id(), asked.head.origin.caller);
    let kept = asked.identity.and_then(|identity| Kept::of(app, caller, identity));
    let wait = kept.and_then(|kept| kept.check(app, (app.clock)()).err()).unwrap_or_default();
    let detail = "no further replies are kept for this caller (`kept_replies_limit_bytes`); wait, or \
                  send the request without `Idempotency-Key`";
    let (http, count) = (StatusCode::TOO_MANY_REQUESTS, asked.batch.count());
    let mut reply = envelope::refusal(http, codes::TOO_MANY_REQUESTS, Some(detail), count);
    headers::retry_after(wait, reply.headers_mut());
    reply
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
