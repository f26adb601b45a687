//! A customer who is found: the members of the documented reply, in its order.

use patron_rules::audit::Entry;
use patron_rules::card::Card;
use patron_rules::codes;
use patron_rules::coupon::IssuedCoupon;
use patron_rules::customer::{Customer, Enrolment};
use patron_rules::enrol;
use patron_rules::identifier::{Email, ExternalId, Mobile};
use patron_rules::ledger::EntryKind;
use patron_rules::profile::{Name, date};
use patron_rules::referral::ReferralCode;
use serde::Serialize;
use utoipa::ToSchema;

use super::Context;
use super::coupons::{Coupons, coupons};
use super::details::{
    CardDetail, FraudDetails, ReferralCodes, Subscriptions, card_details, fraud_details,
    referral_codes, subscriptions,
};
use super::points::{
    NextTier, PointsSummaries, ProgramsList, Totals, next_tier, programmes, summaries, totals,
};
use crate::v1_1::customer::place::Place;
use crate::v1_1::customer::response::{
    Fields, ItemStatus, Number, fields, fields_in_full, tier_name,
};

/// A `ndnc_status` or `optin_status` that is not stored.
const NOT_SET: &str = "NONE";

/// A customer, with what is stored besides.
pub(super) struct Stored {
    pub(super) customer: Customer,
    pub(super) through_merge: bool,
    pub(super) coupons: Vec<IssuedCoupon>,
    pub(super) cards: Option<Vec<Card>>,
    pub(super) referral_codes: Option<Vec<ReferralCode>>,
    /// The audit's entry of the fraud status.
    pub(super) fraud_mark: Option<Entry>,
}

/// A customer who is there.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = CustomerRetrieved)]
pub(super) struct Retrieved {
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
    /// The tier above; only with `next_slab=true`, as the two members after it.
    #[serde(skip_serializing_if = "Option::is_none")]
    next_slab: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_slab_serial_number: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_slab_description: Option<String>,
    /// When the customer registered, in the caller's time zone.
    registered_on: String,
    /// When the customer was last updated, in the caller's time zone.
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
    /// As it was sent, else `NONE`; only with `ndnc_status=true`.
    #[serde(skip_serializing_if = "Option::is_none")]
    ndnc_status: Option<String>,
    /// Always `NONE`; only with `optin_status=true`.
    #[serde(skip_serializing_if = "Option::is_none")]
    optin_status: Option<&'static str>,
    /// Always empty; only with `expiry_schedule=true`.
    #[schema(value_type = Option<Vec<Object>>)]
    #[serde(skip_serializing_if = "Option::is_none")]
    expiry_schedule: Option<[(); 0]>,
    /// Always empty; only with `expired_points=true`.
    #[schema(value_type = Option<Vec<Object>>)]
    #[serde(skip_serializing_if = "Option::is_none")]
    expired_points: Option<[(); 0]>,
    /// Only with `points_summary=true`.
    #[serde(skip_serializing_if = "Option::is_none")]
    points_summary: Option<Totals>,
    /// Only with `promotion_points=true`.
    #[serde(skip_serializing_if = "Option::is_none")]
    promotion_points: Option<PromotionPoints>,
    /// Only with `segments=true`.
    #[serde(skip_serializing_if = "Option::is_none")]
    segments: Option<Segments>,
    /// Always empty.
    trackers: &'static str,
    /// Only with `slab_history=true`.
    #[serde(skip_serializing_if = "Option::is_none")]
    slab_history: Option<SlabHistory>,
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
    /// The customer's programmes; only with `program_summary=true`.
    #[serde(skip_serializing_if = "Option::is_none")]
    programs_list: Option<ProgramsList>,
    points_summaries: PointsSummaries,
    /// Only with `subscriptions=true`.
    #[serde(skip_serializing_if = "Option::is_none")]
    subscriptions: Option<Subscriptions>,
    /// The customer's cards; only with `card_details=true`.
    #[serde(skip_serializing_if = "Option::is_none")]
    card_details: Option<Vec<CardDetail>>,
    /// The codes by which the customer refers others; only with `referral_codes=true`.
    #[serde(skip_serializing_if = "Option::is_none")]
    referral_codes: Option<ReferralCodes>,
    /// 1000, also for a customer found by an identifier of one who was merged into them.
    item_status: ItemStatus,
}

#[derive(Debug, Default, Serialize, ToSchema)]
struct CodeAndName {
    /// The code; the name of what has no code.
    code: String,
    name: String,
}

#[derive(Debug, Serialize, ToSchema)]
struct Transactions {
    /// Always empty.
    #[schema(value_type = Vec<Object>)]
    transaction: [(); 0],
}

#[derive(Debug, Serialize, ToSchema)]
struct SlabHistory {
    /// Always empty: earlier tiers are not stored.
    #[schema(value_type = Vec<Object>)]
    history: [(); 0],
}

/// Always empty.
#[derive(Debug, Serialize, ToSchema)]
struct PromotionPoints {
    #[schema(value_type = Vec<Object>)]
    customer: [(); 0],
    #[schema(value_type = Vec<Object>)]
    transactions: [(); 0],
    #[schema(value_type = Vec<Object>)]
    lineitems: [(); 0],
}

#[derive(Debug, Serialize, ToSchema)]
struct Segments {
    /// Always empty.
    #[schema(value_type = Vec<Object>)]
    segment: [(); 0],
}

/// The reply about a customer who is found.
pub(super) fn retrieved(stored: Stored, context: &Context<'_>) -> Retrieved {
    let Stored { customer, through_merge, .. } = &stored;
    let Context { organisation, zone, flags, .. } = context;
    let warnings = if *through_merge { vec![codes::SURVIVOR_FOUND.into()] } else { Vec::new() };
    let name = |name: &Option<Name>| name.as_ref().map(Name::as_str).unwrap_or_default().to_owned();
    let identifiers = &customer.identifiers;
    let current = enrol::shown(customer, organisation);
    let points = current.map(|held| held.balances.points).unwrap_or_default();
    let [registered_store, registered_till] = places(customer, context);
    let (next_slab, next_slab_serial_number, next_slab_description) = next_slab(current, context);
    Retrieved {
        firstname: name(&customer.first_name),
        lastname: name(&customer.last_name),
        mobile: identifiers.mobile.as_ref().map(Mobile::digits).map(str::to_owned),
        email: identifiers.email.as_ref().map(Email::as_str).map(str::to_owned),
        external_id: identifiers.external_id.as_ref().map(ExternalId::as_str).map(str::to_owned),
        lifetime_points: Number::of(points.lifetime()),
        lifetime_purchases: Number::of(points.sum(EntryKind::Purchased)),
        loyalty_points: Number::of(points.available()),
        current_slab: current.map(|held| tier_name(held, organisation)).unwrap_or_default(),
        next_slab,
        next_slab_serial_number,
        next_slab_description,
        registered_on: date::format(customer.registered_at, zone),
        updated_on: date::format(customer.updated_at, zone),
        customer_type: customer.customer_type.name(),
        source: customer.source.name().to_lowercase(),
        identifiers: [],
        gender: customer.kept.gender.clone(),
        registered_by: registered_till.name.clone(),
        registered_store,
        registered_till,
        user_groups2: [],
        fraud_details: fraud_details(customer, stored.fraud_mark.as_ref(), context),
        ndnc_status: flags
            .ndnc_status
            .then(|| customer.kept.ndnc_status.clone().unwrap_or_else(|| NOT_SET.to_owned())),
        optin_status: flags.optin_status.then_some(NOT_SET),
        expiry_schedule: flags.expiry_schedule.then_some([]),
        expired_points: flags.expired_points.then_some([]),
        points_summary: flags.points_summary.then(|| totals(current)),
        promotion_points: flags.promotion_points.then_some(PromotionPoints {
            customer: [],
            transactions: [],
            lineitems: [],
        }),
        segments: flags.segments.then_some(Segments { segment: [] }),
        trackers: "",
        slab_history: flags.slab_history.then_some(SlabHistory { history: [] }),
        user_id: flags.user_id.then(|| customer.id.0.to_string()),
        current_nps_status: None,
        custom_fields: fields(&customer.custom_fields),
        extended_fields: fields_in_full(&customer.extended_fields, organisation),
        transactions: Transactions { transaction: [] },
        notes: [],
        programs_list: flags.program_summary.then(|| programmes(customer, organisation)),
        points_summaries: summaries(customer, context),
        subscriptions: flags.subscriptions.then(|| subscriptions(&customer.subscriptions)),
        coupons: coupons(stored.coupons, context),
        card_details: stored.cards.map(card_details),
        referral_codes: stored.referral_codes.map(|codes| referral_codes(codes, context)),
        item_status: ItemStatus::success(codes::RETRIEVED_MESSAGE, &warnings, &Place::default()),
    }
}

/// The store and the till where the customer registered.
fn places(customer: &Customer, Context { organisation, .. }: &Context<'_>) -> [CodeAndName; 2] {
    let till = organisation.till(customer.registered_till);
    let store = organisation.store_of(customer.registered_till);
    let store = store.map(|store| (store.shown_code(), &store.name));
    let till = till.map(|till| (till.shown_code(), &till.name));
    [store, till].map(|place| {
        let place = place.map(|(code, name)| (code.to_owned(), name.clone()));
        place.map(|(code, name)| CodeAndName { code, name }).unwrap_or_default()
    })
}

/// The tier above, where the request asks for it.
fn next_slab(
    current: Option<&Enrolment>,
    Context { organisation, flags, .. }: &Context<'_>,
) -> (Option<String>, Option<String>, Option<String>) {
    if !flags.next_slab {
        return (None, None, None);
    }
    let NextTier { name, serial_number, description } = next_tier(current, organisation);
    (Some(name), Some(serial_number), Some(description))
}
