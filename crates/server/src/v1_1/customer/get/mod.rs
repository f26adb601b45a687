//! `GET /v1.1/customer/get`: customers by `mobile`, `email`, `external_id`, `id`, `card_number` or
//! `card_external_id`; several values of one of them are separated by commas. The first parameter that is
//! passed counts, in this order. `flags` lists what else a reply can have.
//!
//! A customer who is not found has `item_status.code` 1012 under HTTP 200, and a request that finds no
//! customer has the code 500. A value that cannot be an identifier has the item code 400.

mod coupons;
mod details;
mod failed;
mod flags;
mod lookup;
mod points;
mod retrieved;

use std::sync::Arc;

use axum::Extension;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, StatusCode, Uri};
use axum::response::Response;
use jiff::Timestamp;
use jiff::tz::TimeZone;
use patron_rules::codes::{self, Code};
use patron_rules::enrol;
use patron_rules::organisation::Organisation;
use patron_store::{Error, Found, Tenant};
use serde::Serialize;
use utoipa::ToSchema;

pub(crate) use self::coupons::Selection;
use self::failed::{Failed, Unreadable};
pub(crate) use self::flags::Flags;
use self::lookup::{Missing, Query};
use self::retrieved::{Retrieved, Stored};
use crate::app::{App, Items};
use crate::auth::Caller;
use crate::http::body;
use crate::http::query::{InvalidQuery, read_first};
use crate::observe::metrics::Limit;
use crate::v1_1::attribution::Attribution;
use crate::v1_1::envelope::{self, Envelope, Reply};
use crate::v1_1::parameters::{Attributed, ClientCountry, Formatted, LookedUp};

/// One customer of a reply.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = CustomerFound)]
#[serde(untagged)]
enum Item {
    Retrieved(Box<Retrieved>),
    Failed(Failed),
    Unreadable(Unreadable),
}

/// The parameters of a request.
struct Parameters {
    identifiers: LookedUp,
    flags: Flags,
    selection: Selection,
}

impl Parameters {
    /// Repeated names must not hurt, so the first one counts.
    fn read(uri: &Uri) -> Result<Self, InvalidQuery> {
        let _: Formatted = read_first(uri)?;
        let (identifiers, flags) = (read_first(uri)?, read_first(uri)?);
        Ok(Self { identifiers, flags, selection: read_first(uri)? })
    }
}

/// What every customer of a reply depends on.
struct Context<'a> {
    organisation: &'a Organisation,
    /// The caller's time zone: every local time of the reply is in it.
    zone: &'a TimeZone,
    now: Timestamp,
    flags: Flags,
    selection: Selection,
}

/// Look customers up
///
/// A customer who is not found has `item_status.code` 1012; a value that cannot be an identifier has
/// 400. A request that finds no customer has the code 500, under the HTTP status 200.
#[utoipa::path(
    get, path = "/v1.1/customer/get", tag = "customers", operation_id = "get_customers",
    params(Formatted, LookedUp, Flags, Selection, ClientCountry, Attributed),
    responses((
        status = 200, description = "What is known of each customer",
        content((Envelope<Item> = "application/json"), (Reply<Item> = "application/xml"))
    ))
)]
pub(crate) async fn get(
    State(app): State<Arc<App>>,
    Extension(caller): Extension<Caller>,
    Extension(tenant): Extension<Tenant>,
    request: Request,
) -> Response {
    let (parts, body) = request.into_parts();
    let attribution = Attribution::read(&parts.headers, &caller);
    body::drain(body, app.config.body_timeout()).await;
    match handle(&app, &attribution, &tenant, &parts.uri, &parts.headers).await {
        Ok(reply) | Err(reply) => reply,
    }
}

async fn handle(
    app: &App,
    attribution: &Attribution,
    tenant: &Tenant,
    uri: &Uri,
    headers: &HeaderMap,
) -> Result<Response, Response> {
    let organisation = tenant.organisation();
    let Parameters { identifiers, flags, selection } =
        Parameters::read(uri).map_err(|invalid| envelope::invalid(&invalid))?;
    let query = Query::of(identifiers, headers)
        .ok_or_else(|| refuse(codes::NO_IDENTIFIER_TO_GET, None, 0))?;
    let (limit, count) = (organisation.settings.batch_limit, query.values.len());
    if count > limit {
        app.metrics.hit(Limit::Batch);
        let detail = format!("{count} customers in one call, at most {limit} are allowed");
        return Err(refuse(codes::BATCH_LIMIT, Some(&detail), count));
    }
    let zone = attribution.zone(organisation);
    let context = Context { organisation, zone, now: (app.clock)(), flags, selection };
    let mut items = Vec::with_capacity(count);
    for value in &query.values {
        let item = item(app, tenant, &query, value, &context).await;
        items.push(item.map_err(|error| {
            tracing::error!(error = error.chain(), "a customer cannot be looked up");
            envelope::unavailable()
        })?);
    }
    let succeeded = items.iter().filter(|item| matches!(item, Item::Retrieved(_))).count();
    let counted = Items { total: items.len(), succeeded };
    let mut reply = envelope::items(&Envelope::of(items, succeeded));
    reply.extensions_mut().insert(counted);
    Ok(reply)
}

fn refuse(code: &Code, detail: Option<&str>, total: usize) -> Response {
    envelope::refusal(StatusCode::BAD_REQUEST, code, detail, total)
}

/// The reply about one value.
async fn item(
    app: &App,
    tenant: &Tenant,
    query: &Query,
    value: &str,
    context: &Context<'_>,
) -> Result<Item, Error> {
    Ok(match query.find(app, tenant, value).await? {
        Ok(found) => {
            let stored = load(app, tenant, found, context).await?;
            Item::Retrieved(Box::new(retrieved::retrieved(stored, context)))
        }
        Err(Missing::NoIdentifier) => Item::Unreadable(Unreadable::item()),
        Err(Missing::NotFound(reason)) => {
            Item::Failed(Failed::not_found(query.name, value, reason))
        }
    })
}

/// Loads what the reply has besides the customer.
async fn load(
    app: &App,
    tenant: &Tenant,
    found: Found,
    context: &Context<'_>,
) -> Result<Stored, Error> {
    let Found { mut customer, through_merge } = found;
    let Context { organisation, now, flags, .. } = context;
    let (store, id) = (&app.store, customer.id);
    let coupons = if organisation.coupon_series.is_empty() {
        Vec::new()
    } else {
        store.coupons(tenant, id).await?
    };
    let cards = if flags.card_details { Some(store.cards(tenant, id).await?) } else { None };
    let referral_codes = if flags.referral_codes {
        Some(store.referral_codes(tenant, &customer, *now).await?)
    } else {
        None
    };
    let fraud_mark = details::fraud_mark(store.as_ref(), tenant, &customer).await?;
    enrol::settle(&mut customer, organisation, *now);
    Ok(Stored { customer, through_merge, coupons, cards, referral_codes, fraud_mark })
}
