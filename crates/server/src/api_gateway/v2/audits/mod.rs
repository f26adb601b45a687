//! `GET /api_gateway/v2/audits`: what changed of a customer, who asked for it, and by which request.
//!
//! Of somebody who is not there, or is another organisation's, the page is empty.

mod event;
pub(crate) mod parameters;
mod query;
mod response;

use std::sync::Arc;

use axum::Extension;
use axum::extract::{Request, State};
use axum::http::{StatusCode, Uri};
use axum::response::Response;
use patron_store::Tenant;
use patron_store::audit::Page;

pub(crate) use self::parameters::Audited;
use self::query::{Entity, Query};
pub(crate) use self::response::Page as AuditPage;
use crate::app::App;
use crate::auth::Caller;
use crate::http::{body, json};
use crate::v1_1::attribution::Attribution;
use crate::v1_1::envelope;
use crate::v1_1::parameters::Attributed;

/// Read the audit of a customer
///
/// What changed, who asked for it, and by which request.
#[utoipa::path(
    get, path = "/api_gateway/v2/audits", tag = "audits", operation_id = "get_audits",
    params(Audited, Attributed),
    responses((status = 200, body = AuditPage, description = "A page of the changes"))
)]
pub(crate) async fn get(
    State(app): State<Arc<App>>,
    Extension(caller): Extension<Caller>,
    Extension(tenant): Extension<Tenant>,
    request: Request,
) -> Response {
    let uri = request.uri().clone();
    let attribution = Attribution::read(request.headers(), &caller);
    body::drain(request.into_body(), app.config.body_timeout()).await;
    match handle(&app, &attribution, &tenant, &uri).await {
        Ok(reply) | Err(reply) => reply,
    }
}

async fn handle(
    app: &App,
    attribution: &Attribution,
    tenant: &Tenant,
    uri: &Uri,
) -> Result<Response, Response> {
    let query = Query::read(uri, attribution.zone(tenant.organisation()))
        .map_err(|invalid| envelope::invalid(&invalid))?;
    let page = match query.entity {
        Entity::Customer => app.store.audit(tenant, query.to_store()).await.map_err(|error| {
            tracing::error!(error = error.chain(), "an audit cannot be read");
            envelope::unavailable()
        })?,
        // Nothing of a card is recorded: it is not an entity of its own here.
        Entity::Card => Page { entries: Vec::new(), total: 0, searched: None },
    };
    Ok(json::reply(StatusCode::OK, &response::page(page, &query, tenant)))
}
