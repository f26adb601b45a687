//! A request's id, its line in the log, and its part in the metrics.
//!
//! They name the route, never the path or the query as sent: those may carry what belongs to a
//! customer.

use std::sync::Arc;
use std::time::Instant;

use axum::extract::{MatchedPath, Request};
use axum::http::{HeaderName, HeaderValue};
use axum::middleware::Next;
use axum::response::Response;
use patron_rules::audit::RequestId;
use patron_store::STAGES;
use tracing::field::Empty;
use tracing::{Instrument, Span, trace_span};

use super::admission::CalledBy;
use super::preconditions;
use crate::app::{App, Items};
use crate::observe::metrics::method_name;
use crate::v1_1::envelope;

/// The header that carries the request's id, on every reply.
pub(super) const REQUEST_ID: HeaderName = HeaderName::from_static("x-cap-requestid");
/// The header of every reply to a dry run.
pub(crate) const DRY_RUN: HeaderName = HeaderName::from_static("dry-run");

pub(super) async fn record(app: Arc<App>, request: Request, next: Next) -> Response {
    // In a task of its own: what a client began is finished and logged, though it hangs up.
    let span = span(&request);
    let handled = tokio::spawn(handle_and_tell(app, request, next).instrument(span));
    handled.await.unwrap_or_else(|_| envelope::unexpected())
}

async fn handle_and_tell(app: Arc<App>, mut request: Request, next: Next) -> Response {
    let started = Instant::now();
    let id = request_id();
    let method = request.method().clone();
    let route = request.extensions().get::<MatchedPath>().cloned();

    request.extensions_mut().insert(id);
    let mut response = match preconditions::refusal(&app, &request) {
        Some(refusal) => refusal,
        None => next.run(request).await,
    };

    if let Ok(value) = HeaderValue::from_str(&id.to_string()) {
        response.headers_mut().insert(REQUEST_ID, value);
    }
    let took = started.elapsed();
    let caller = response.extensions().get::<CalledBy>();
    let items = response.extensions().get::<Items>();
    tracing::info!(
        request_id = %id,
        method = %method,
        route = route.as_ref().map_or("none", MatchedPath::as_str),
        status = response.status().as_u16(),
        duration_us = u64::try_from(took.as_micros()).unwrap_or(u64::MAX),
        organisation = caller.map(|caller| caller.organisation.as_ref()),
        till = caller.and_then(CalledBy::till),
        client = caller.and_then(CalledBy::client),
        items = items.map(|items| items.total),
        succeeded = items.map(|items| items.succeeded),
        dry_run = response.headers().contains_key(DRY_RUN).then_some(true),
        "request"
    );
    // OpenTelemetry has no unsigned numbers.
    let status = i64::from(response.status().as_u16());
    Span::current().record("http.response.status_code", status);
    app.metrics.answered(&method, route, response.status(), took);
    response
}

/// The request's part in its trace, named as OpenTelemetry names what servers do.
fn span(request: &Request) -> Span {
    let route = request.extensions().get::<MatchedPath>().map_or("none", MatchedPath::as_str);
    trace_span!(
        target: STAGES,
        "request",
        otel.kind = "server",
        otel.name = route,
        http.request.method = method_name(request.method()),
        http.route = route,
        http.response.status_code = Empty,
    )
}

/// An id at random.
fn request_id() -> RequestId {
    let mut bytes = [0; 16];
    // Without randomness the id is of no use for finding a request, but the request goes on.
    let _ = getrandom::fill(&mut bytes);
    RequestId(u128::from_be_bytes(bytes))
}
