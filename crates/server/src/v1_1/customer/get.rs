//! `GET /v1.1/customer/get`: customers by `mobile`, `email`, `external_id`, `id` or `card_number`;
//! several values of one of them separated by commas. The first of them that is there counts. With
//! `user_id=true` the id is told as well, as text; with `card_details=true` their cards; with
//! `referral_codes=true`, which is Patron's own, the referral codes that count now, by which they can
//! bring others. A code is made when it is first asked for.
//!
//! Who is not found has `item_status.code` 1012 under HTTP 200, and a request that finds nobody has
//! the code 500.

use std::sync::Arc;

use axum::Extension;
use axum::extract::{Request, State};
use axum::http::{StatusCode, Uri};
use axum::response::Response;
use jiff::Timestamp;
use jiff::tz::TimeZone;
use patron_rules::card::{self, Card};
use patron_rules::codes::{self, Code};
use patron_rules::customer::{Customer, CustomerId};
use patron_rules::enrol;
use patron_rules::identifier::{Email, ExternalId, IdentifierKind, Mobile};
use patron_rules::ledger::EntryKind;
use patron_rules::organisation::{Organisation, end_of};
use patron_rules::profile::{FraudStatus, Name, date};
use patron_rules::referral::ReferralCode;
use patron_rules::text;
use patron_store::{Error, Found, Lookup, Tenant};
use serde::Serialize;
use utoipa::ToSchema;

use super::place::Place;
use super::response::{
    Fields, ItemStatus, Number, PointsSummaries, fields, points_summaries, tier_name,
};
use crate::app::{App, Items};
use crate::auth::Caller;
use crate::http::{body, query};
use crate::observe::metrics::Limit;
use crate::v1_1::attribution::Attribution;
use crate::v1_1::envelope::{self, Envelope, Reply};
use crate::v1_1::parameters::{Attributed, Formatted, LookedUp};

/// The state of a card that a customer has; one that nobody has (`NOT_ISSUED`) is not kept.
const ISSUED: &str = "ACTIVE";

/// What is told of a customer only where it is asked for.
#[derive(Clone, Copy)]
struct Flags {
    user_id: bool,
    card_details: bool,
    referral_codes: bool,
}

impl From<&LookedUp> for Flags {
    fn from(parameters: &LookedUp) -> Self {
        let LookedUp { user_id, card_details, referral_codes, .. } = *parameters;
        Self { user_id, card_details, referral_codes }
    }
}

/// One customer of a reply.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = CustomerFound)]
#[serde(untagged)]
enum Item {
    Retrieved(Box<Retrieved>),
    NotFound(NotFound),
}

/// A customer who is there.
// The members of the documented reply, in its order.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = CustomerRetrieved)]
struct Retrieved {
    /// The first name; empty where there is none.
    firstname: String,
    /// The last name; empty where there is none.
    lastname: String,
    mobile: Option<String>,
    email: Option<String>,
    external_id: Option<String>,
    /// The points that the customer ever got.
    lifetime_points: Number,
    /// The purchases that were ever recorded.
    lifetime_purchases: Number,
    /// The points that the customer has.
    loyalty_points: Number,
    /// The tier; `NONE` where the programme has none, empty where there is no programme.
    current_slab: String,
    /// When the customer registered, local to the till that asks.
    registered_on: String,
    /// When the customer was last updated, local to the till that asks.
    updated_on: String,
    /// `LOYALTY`, `NON_LOYALTY` or `NOT_INTERESTED`.
    #[serde(rename = "type")]
    customer_type: &'static str,
    /// From where the customer came, in lower case.
    source: String,
    /// Always empty.
    #[schema(value_type = Vec<Object>)]
    identifiers: [(); 0],
    gender: Option<String>,
    /// The name of the till where the customer registered.
    registered_by: String,
    registered_store: CodeAndName,
    registered_till: CodeAndName,
    /// Always empty.
    #[schema(value_type = Vec<Object>)]
    user_groups2: [(); 0],
    fraud_details: FraudDetails,
    /// Always empty.
    trackers: &'static str,
    /// The customer's number, as text; only with `user_id=true`.
    #[serde(skip_serializing_if = "Option::is_none")]
    user_id: Option<String>,
    /// Always null.
    current_nps_status: Option<String>,
    custom_fields: Fields,
    extended_fields: Fields,
    transactions: Transactions,
    coupons: Coupons,
    /// Always empty.
    #[schema(value_type = Vec<Object>)]
    notes: [(); 0],
    points_summaries: PointsSummaries,
    /// The customer's cards; only with `card_details=true`.
    #[serde(skip_serializing_if = "Option::is_none")]
    card_details: Option<CardDetails>,
    /// The codes by which the customer refers others; only with `referral_codes=true`.
    #[serde(skip_serializing_if = "Option::is_none")]
    referral_codes: Option<ReferralCodes>,
    /// 1000, also for whoever is found by what another customer had who was merged into them.
    item_status: ItemStatus,
}

#[derive(Debug, Serialize, ToSchema)]
struct CodeAndName {
    code: String,
    name: String,
}

#[derive(Debug, Serialize, ToSchema)]
struct FraudDetails {
    status: String,
    marked_by: &'static str,
    modified_on: &'static str,
    reason: &'static str,
}

#[derive(Debug, Serialize, ToSchema)]
struct Transactions {
    /// Always empty.
    #[schema(value_type = Vec<Object>)]
    transaction: [(); 0],
}

#[derive(Debug, Serialize, ToSchema)]
struct CardDetails {
    card: Vec<CardDetail>,
}

#[derive(Debug, Serialize, ToSchema)]
struct CardDetail {
    card_number: String,
    series_code: Option<String>,
    status: &'static str,
}

#[derive(Debug, Serialize, ToSchema)]
struct ReferralCodes {
    referral_code: Vec<ReferralCodeDetail>,
}

#[derive(Debug, Serialize, ToSchema)]
struct ReferralCodeDetail {
    /// The code.
    code: String,
    /// The campaign's name.
    campaign: String,
    /// The code's last second, in the organisation's zone.
    valid_till: String,
    /// How many customers came by it.
    referrals: u64,
}

#[derive(Debug, Serialize, ToSchema)]
struct Coupons {
    /// Always empty.
    #[schema(value_type = Vec<Object>)]
    coupon: [(); 0],
}

/// Somebody who was not found: what they were looked up by.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = CustomerNotFound)]
#[serde(deny_unknown_fields)]
struct NotFound {
    mobile: Option<String>,
    email: Option<String>,
    external_id: Option<String>,
    item_status: ItemStatus,
}

/// Look customers up
///
/// Who is not found has `item_status.code` 1012. A request that finds nobody has the code 500, under
/// the HTTP status 200.
#[utoipa::path(
    get, path = "/v1.1/customer/get", tag = "customers", operation_id = "get_customers",
    params(Formatted, LookedUp, Attributed),
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
    let organisation = tenant.organisation();
    let _: Formatted = query::read_first(uri).map_err(|invalid| envelope::invalid(&invalid))?;
    let parameters: LookedUp =
        query::read_first(uri).map_err(|invalid| envelope::invalid(&invalid))?;
    let flags = Flags::from(&parameters);
    let (name, values) =
        identifiers(parameters).ok_or_else(|| refuse(codes::NO_IDENTIFIER_TO_GET, None, 0))?;
    let limit = organisation.settings.batch_limit;
    if values.len() > limit {
        app.metrics.hit(Limit::Batch);
        let detail = format!("{} customers in one call, at most {limit} are allowed", values.len());
        return Err(refuse(codes::BATCH_LIMIT, Some(&detail), values.len()));
    }
    let zone = attribution.zone(organisation);
    let mut items = Vec::with_capacity(values.len());
    for value in values {
        let item = match lookup(name, &value, organisation) {
            Some(by) => look_up(app, tenant, by, zone, flags).await.map_err(|error| {
                tracing::error!(error = error.chain(), "a customer cannot be looked up");
                envelope::unavailable()
            })?,
            None => None,
        };
        items.push(item.map_or_else(
            || Item::NotFound(not_found(name, &value)),
            |found| Item::Retrieved(Box::new(found)),
        ));
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

async fn look_up(
    app: &App,
    tenant: &Tenant,
    by: Lookup,
    zone: &TimeZone,
    flags: Flags,
) -> Result<Option<Retrieved>, Error> {
    let Some(found) = app.store.find(tenant, by).await? else { return Ok(None) };
    let cards = if flags.card_details {
        Some(app.store.cards(tenant, found.customer.id).await?)
    } else {
        None
    };
    let seen = Seen { zone, now: (app.clock)() };
    let codes = if flags.referral_codes {
        Some(app.store.referral_codes(tenant, &found.customer, seen.now).await?)
    } else {
        None
    };
    let organisation = tenant.organisation();
    let mut item = retrieved(found, organisation, &seen, flags.user_id);
    item.card_details = cards.map(card_details);
    item.referral_codes = codes.map(|codes| referral_codes(codes, organisation, &seen));
    Ok(Some(item))
}

fn card_details(cards: Vec<Card>) -> CardDetails {
    let detail = |Card { number, series, .. }| CardDetail {
        card_number: number,
        series_code: series,
        status: ISSUED,
    };
    CardDetails { card: cards.into_iter().map(detail).collect() }
}

/// The codes that count now.
fn referral_codes(
    codes: Vec<ReferralCode>,
    organisation: &Organisation,
    Seen { zone, now }: &Seen<'_>,
) -> ReferralCodes {
    let detail = |held: ReferralCode| {
        let last_day = held.campaign(organisation, *now)?.to;
        let last = last_day.and_then(|day| end_of(day, &organisation.details.time_zone));
        let ReferralCode { code, campaign, referrals } = held;
        let valid_till = last.map(|last| date::format(last, zone)).unwrap_or_default();
        Some(ReferralCodeDetail { code, campaign, valid_till, referrals })
    };
    ReferralCodes { referral_code: codes.into_iter().filter_map(detail).collect() }
}

/// The first parameter that identifies customers, and its values.
fn identifiers(parameters: LookedUp) -> Option<(&'static str, Vec<String>)> {
    let LookedUp { mobile, email, external_id, id, card_number, .. } = parameters;
    let identifiers = [
        ("mobile", mobile),
        ("email", email),
        ("external_id", external_id),
        ("id", id),
        ("card_number", card_number),
    ];
    identifiers.into_iter().find(|(_, values)| !values.is_empty())
}

/// `None` where the value has not the form, so that nobody can have it.
fn lookup(name: &str, value: &str, organisation: &Organisation) -> Option<Lookup> {
    let settings = &organisation.settings;
    let value = text::canonical(value);
    let value = value.as_ref();
    let (kind, key) = match name {
        "mobile" => {
            let mobile = Mobile::parse(value, &settings.mobile).ok()?;
            (IdentifierKind::Mobile, mobile.digits().to_owned())
        }
        "email" => (IdentifierKind::Email, Email::parse(value).ok()?.key().to_owned()),
        "external_id" => {
            let external_id = ExternalId::look_up(value)?;
            (IdentifierKind::ExternalId, external_id.as_str().to_owned())
        }
        "card_number" => return Some(Lookup::Card(card::look_up(value)?)),
        _ => return Some(Lookup::Id(CustomerId(value.parse().ok()?))),
    };
    settings.identifies(kind).then_some(Lookup::Identifier(kind, key))
}

fn not_found(name: &str, value: &str) -> NotFound {
    let asked = |wanted: &str| (name == wanted).then(|| value.to_owned());
    let code = codes::CUSTOMER_NOT_FOUND;
    NotFound {
        mobile: asked("mobile"),
        email: asked("email"),
        external_id: asked("external_id"),
        item_status: ItemStatus::refused(code.number, code.message.to_owned()),
    }
}

/// From where, and when, a customer is looked at.
struct Seen<'a> {
    zone: &'a TimeZone,
    now: Timestamp,
}

fn retrieved(
    found: Found,
    organisation: &Organisation,
    Seen { zone, now }: &Seen<'_>,
    with_id: bool,
) -> Retrieved {
    let Found { mut customer, through_merge } = found;
    enrol::settle(&mut customer, organisation, *now);
    let warnings = if through_merge { vec![codes::SURVIVOR_FOUND.into()] } else { Vec::new() };
    let text = |name: &Option<Name>| name.as_ref().map(Name::as_str).unwrap_or_default().to_owned();
    let till = till_name(&customer, organisation);
    let identifiers = &customer.identifiers;
    let current = enrol::shown(&customer, organisation);
    let points = current.map(|held| held.balances.points).unwrap_or_default();
    Retrieved {
        firstname: text(&customer.first_name),
        lastname: text(&customer.last_name),
        mobile: identifiers.mobile.as_ref().map(Mobile::digits).map(str::to_owned),
        email: identifiers.email.as_ref().map(Email::as_str).map(str::to_owned),
        external_id: identifiers.external_id.as_ref().map(ExternalId::as_str).map(str::to_owned),
        lifetime_points: Number::of(points.lifetime()),
        lifetime_purchases: Number::of(points.sum(EntryKind::Purchased)),
        loyalty_points: Number::of(points.available()),
        current_slab: current.map(|held| tier_name(held, organisation)).unwrap_or_default(),
        registered_on: date::format(customer.registered_at, zone),
        updated_on: date::format(customer.updated_at, zone),
        customer_type: customer.customer_type.name(),
        source: customer.source.name().to_lowercase(),
        identifiers: [],
        gender: customer.kept.gender.clone(),
        registered_by: till.clone(),
        registered_store: CodeAndName { code: String::new(), name: String::new() },
        registered_till: CodeAndName { code: till.clone(), name: till },
        user_groups2: [],
        fraud_details: FraudDetails {
            status: customer.fraud_status.as_ref().map_or("NONE", FraudStatus::name).to_owned(),
            marked_by: "",
            modified_on: "",
            reason: "",
        },
        trackers: "",
        user_id: with_id.then(|| customer.id.0.to_string()),
        current_nps_status: None,
        points_summaries: points_summaries(&customer, organisation),
        custom_fields: fields(&customer.custom_fields),
        extended_fields: fields(&customer.extended_fields),
        transactions: Transactions { transaction: [] },
        coupons: Coupons { coupon: [] },
        notes: [],
        card_details: None,
        referral_codes: None,
        item_status: ItemStatus::success(codes::RETRIEVED_MESSAGE, &warnings, &Place::default()),
    }
}

fn till_name(customer: &Customer, organisation: &Organisation) -> String {
    let till = organisation.tills.with_id(customer.registered_till.0);
    till.map(|till| till.name.clone()).unwrap_or_default()
}
