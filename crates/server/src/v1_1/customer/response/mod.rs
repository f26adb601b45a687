//! Writing what became of each customer: the members of the specification's samples, in their
//! order and with their JSON types.

mod confidential;

use jiff::Timestamp;
use jiff::tz::TimeZone;
use patron_rules::award::SideEffect;
use patron_rules::codes::{self, Failure, Warning};
use patron_rules::customer::{Customer, Enrolment};
use patron_rules::decide::Plan;
use patron_rules::enrol;
use patron_rules::identifier::{Email, ExternalId, Mobile};
use patron_rules::ledger::{Balance, EntryKind};
use patron_rules::organisation::Organisation;
use patron_rules::profile::extended_field::DataType;
use patron_rules::profile::{FieldValue, FraudStatus, Name, Subscription, date};
use patron_rules::submission::Submission;
use patron_rules::validate::Registration;
use rust_decimal::Decimal;
use rust_decimal::prelude::ToPrimitive;
use serde::{Serialize, Serializer};
use serde_json::value::RawValue;
use utoipa::ToSchema;

use super::explain::Explanation;
use super::place::Place;

/// The tier of a programme that has none.
const NO_TIER: &str = "NONE";
/// The serial number of a next tier where there is none.
pub(super) const NO_NEXT_TIER: &str = "-1";
/// What look-ups add to a day.
const MIDNIGHT: &str = " 00:00:00";
/// Where coupons come from: the points engine.
const COUPON_TYPE: &str = "PE";
/// The discount of a coupon that has none.
const NO_DISCOUNT: &str = "NO_VALUE";

/// One customer of a reply.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = CustomerAdded)]
#[serde(untagged)]
pub(super) enum Item {
    Registered(Box<Registered>),
    Failed(Box<Failed>),
}

/// A customer who went through.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = CustomerRegistered)]
pub(super) struct Registered {
    /// The customer's number.
    user_id: i64,
    /// The first name; empty where there is none.
    firstname: String,
    /// The last name; empty where there is none.
    lastname: String,
    /// The mobile number with its country code.
    mobile: Option<String>,
    /// The email address.
    email: Option<String>,
    /// The organisation's own identifier.
    external_id: Option<String>,
    /// The points that the customer ever got.
    lifetime_points: Number,
    /// The points that the customer has.
    loyalty_points: Number,
    /// The tier; `NONE` where the programme has none, empty where there is no programme.
    current_slab: String,
    /// The tier's last second, in the caller's time zone.
    tier_expiry_date: String,
    /// The same for each programme.
    points_summaries: PointsSummaries,
    /// The purchases that were ever recorded.
    lifetime_purchases: Number,
    /// When the customer registered, in the caller's time zone.
    registered_on: String,
    /// When the customer was last updated, in the caller's time zone.
    updated_on: String,
    /// `LOYALTY`, `NON_LOYALTY` or `NOT_INTERESTED`.
    #[serde(rename = "type")]
    customer_type: &'static str,
    /// From where the customer came, in lower case.
    source: String,
    /// The fraud status; absent where none was ever sent.
    #[serde(skip_serializing_if = "Option::is_none")]
    fraud_status: Option<String>,
    /// Empty; absent where there is no fraud status.
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<&'static str>,
    /// The custom fields.
    custom_fields: Fields,
    /// The extended fields.
    extended_fields: Fields,
    /// Which messages the customer wants.
    subscriptions: Subscriptions,
    /// What the registration earned.
    side_effects: SideEffects,
    /// What became of the request for this customer.
    item_status: ItemStatus,
    /// Only with `explain=true`.
    #[serde(skip_serializing_if = "Option::is_none")]
    explain: Option<Explanation>,
}

/// A customer who was refused: what they were sent with, and why.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = CustomerRefused)]
#[serde(deny_unknown_fields)]
pub(super) struct Failed {
    /// As it was sent.
    mobile: Option<String>,
    /// As it was sent.
    email: Option<String>,
    /// As it was sent.
    external_id: Option<String>,
    /// As it was sent.
    firstname: Option<String>,
    /// As it was sent.
    lastname: Option<String>,
    /// Why the customer was refused.
    item_status: ItemStatus,
    /// Only with `explain=true`.
    #[serde(skip_serializing_if = "Option::is_none")]
    explain: Option<Explanation>,
}

/// A customer's points.
#[derive(Debug, Serialize, ToSchema)]
struct PointsSummaries {
    points_summary: Vec<PointsSummary>,
}

/// A customer's points and tier in a programme; amounts as text.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct PointsSummary {
    program_id: String,
    redeemed: String,
    expired: String,
    returned: String,
    adjusted: String,
    lifetime_points: String,
    loyalty_points: String,
    cumulative_purchases: String,
    current_slab: String,
    next_slab: String,
    next_slab_serial_number: String,
    next_slab_description: String,
    #[serde(rename = "slabSNo")]
    slab_serial_number: String,
    slab_expiry_date: String,
    total_points: &'static str,
}

/// The fields of a customer.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = FieldsHeld)]
pub(super) struct Fields {
    field: Vec<Field>,
}

/// A field of a customer.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = FieldHeld)]
struct Field {
    name: String,
    value: String,
}

#[derive(Debug, Serialize, ToSchema)]
struct Subscriptions {
    subscription: Vec<SubscriptionEcho>,
}

#[derive(Debug, Serialize, ToSchema)]
struct SubscriptionEcho {
    channel: String,
    priority: String,
    scope: &'static str,
    status: &'static str,
}

#[derive(Debug, Serialize, ToSchema)]
struct SideEffects {
    effect: Vec<Effect>,
}

/// What a registration earned: points, an alternate currency or a coupon.
// The members of each kind are in the samples' order, its name last.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = SideEffect)]
#[serde(untagged)]
enum Effect {
    Points {
        awarded_points: Number,
        #[serde(skip_serializing_if = "Option::is_none")]
        total_points: Option<Number>,
        #[serde(skip_serializing_if = "Option::is_none")]
        customer_id: Option<String>,
        #[serde(skip_serializing_if = "Option::is_none")]
        is_referrer: Option<&'static str>,
        #[serde(rename = "type")]
        kind: &'static str,
    },
    Currency {
        alternate_currency_identifier: String,
        alternate_currency_name: String,
        awarded_value: String,
        #[serde(rename = "type")]
        kind: &'static str,
    },
    Coupon {
        id: i64,
        coupon_type: &'static str,
        coupon_code: String,
        valid_till: String,
        description: String,
        discount_code: String,
        #[serde(rename = "type")]
        kind: &'static str,
    },
}

/// What became of the request for a customer.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct ItemStatus {
    /// `true` or `false`.
    success: &'static str,
    /// 1000 for a customer who went through; else the code of the refusal.
    code: String,
    /// The code's message, and of each warning after it.
    message: String,
    /// What was left out or corrected.
    warnings: Warnings,
}

#[derive(Debug, Serialize, ToSchema)]
struct Warnings {
    /// The codes of the warnings, each once.
    warning: Vec<String>,
}

/// An amount as a JSON integer, as the specification has points and purchases; a fraction is
/// rounded down, so that no reply promises more than the customer has. The texts of
/// `points_summaries` are exact.
#[derive(Debug, Clone, Copy, ToSchema)]
#[schema(value_type = i64)]
pub(super) struct Number(Decimal);

impl Number {
    pub(super) const fn of(amount: Decimal) -> Self {
        Self(amount)
    }
}

impl Serialize for Number {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let whole = self.0.floor();
        // Most fit an integer of 64 bits.
        if let Some(whole) = whole.to_i64() {
            return serializer.serialize_i64(whole);
        }
        let exact = RawValue::from_string(plain(whole));
        exact.map_err(serde::ser::Error::custom)?.serialize(serializer)
    }
}

/// A decimal without superfluous zeros.
pub(super) fn plain(decimal: Decimal) -> String {
    whole(decimal).map_or_else(|| decimal.normalize().to_string(), |whole| whole.to_string())
}

/// A whole number; `None` for a fraction, and beyond 64 bits.
fn whole(decimal: Decimal) -> Option<i64> {
    decimal.is_integer().then(|| decimal.to_i64()).flatten()
}

/// The reply about one customer who was sent at this place, in the caller's time zone. `sent_only` is
/// the registration of a caller who may not read customers.
pub(super) fn item(
    submission: &Submission,
    place: &Place,
    outcome: &Result<Plan, Failure>,
    sent_only: Option<&Registration>,
    organisation: &Organisation,
    zone: &TimeZone,
    explanation: Option<Explanation>,
) -> Item {
    match outcome {
        Ok(plan) => {
            let registered = registered(plan, place, organisation, zone, explanation);
            Item::Registered(Box::new(match sent_only {
                Some(sent) if plan.before.is_some() => registered.confidential(plan, sent),
                _ => registered,
            }))
        }
        Err(failure) => Item::Failed(Box::new(failed(submission, place, failure, explanation))),
    }
}

fn failed(
    submission: &Submission,
    place: &Place,
    failure: &Failure,
    explain: Option<Explanation>,
) -> Failed {
    let message = failure.message(|member| place.pointer(member)).into_owned();
    Failed {
        mobile: submission.mobile.clone(),
        email: submission.email.clone(),
        external_id: submission.external_id.clone(),
        firstname: submission.first_name.clone(),
        lastname: submission.last_name.clone(),
        item_status: ItemStatus::refused(failure.code.number, message),
        explain,
    }
}

fn registered(
    plan: &Plan,
    place: &Place,
    organisation: &Organisation,
    zone: &TimeZone,
    explain: Option<Explanation>,
) -> Registered {
    let Plan { customer, side_effects, warnings, .. } = plan;
    let current = enrol::shown(customer, organisation);
    let name = |name: &Option<Name>| name.as_ref().map(Name::as_str).unwrap_or_default().to_owned();
    let points = current.map(|held| held.balances.points).unwrap_or_default();
    let identifiers = &customer.identifiers;
    Registered {
        user_id: customer.id.0,
        firstname: name(&customer.first_name),
        lastname: name(&customer.last_name),
        mobile: identifiers.mobile.as_ref().map(Mobile::digits).map(str::to_owned),
        email: identifiers.email.as_ref().map(Email::as_str).map(str::to_owned),
        external_id: identifiers.external_id.as_ref().map(ExternalId::as_str).map(str::to_owned),
        lifetime_points: Number(points.lifetime()),
        loyalty_points: Number(points.available()),
        current_slab: current.map(|held| tier_name(held, organisation)).unwrap_or_default(),
        tier_expiry_date: current.map(|held| expiry(held, zone)).unwrap_or_default(),
        points_summaries: points_summaries(customer, organisation, zone),
        lifetime_purchases: Number(points.sum(EntryKind::Purchased)),
        registered_on: date::format(customer.registered_at, zone),
        updated_on: date::format(customer.updated_at, zone),
        customer_type: customer.customer_type.name(),
        source: customer.source.name().to_lowercase(),
        fraud_status: customer.fraud_status.as_ref().map(FraudStatus::name).map(str::to_owned),
        reason: customer.fraud_status.as_ref().map(|_| ""),
        custom_fields: fields(&customer.custom_fields),
        extended_fields: fields(&customer.extended_fields),
        subscriptions: subscriptions(&customer.subscriptions),
        side_effects: SideEffects {
            effect: side_effects.iter().map(|one| effect(one, zone)).collect(),
        },
        item_status: ItemStatus::success(codes::REGISTERED.message, warnings, place),
        explain,
    }
}

fn points_summaries(
    customer: &Customer,
    organisation: &Organisation,
    zone: &TimeZone,
) -> PointsSummaries {
    let summary = |enrolment| points_summary(enrolment, organisation, zone);
    PointsSummaries { points_summary: customer.enrolments.iter().map(summary).collect() }
}

pub(super) fn points_summary(
    enrolment: &Enrolment,
    organisation: &Organisation,
    zone: &TimeZone,
) -> PointsSummary {
    let points = &enrolment.balances.points;
    let programme = organisation.programme(enrolment.programme);
    let next = programme.and_then(|programme| programme.tier_above(enrolment.tier));
    PointsSummary {
        program_id: enrolment.programme.0.to_string(),
        redeemed: lost(points, EntryKind::Redeemed),
        expired: lost(points, EntryKind::Expired),
        returned: lost(points, EntryKind::Returned),
        adjusted: plain(points.sum(EntryKind::Adjusted)),
        lifetime_points: plain(points.lifetime()),
        loyalty_points: plain(points.available()),
        cumulative_purchases: plain(points.sum(EntryKind::Purchased)),
        current_slab: tier_name(enrolment, organisation),
        next_slab: next.map(|tier| tier.name.clone()).unwrap_or_default(),
        next_slab_serial_number: next
            .map_or_else(|| NO_NEXT_TIER.to_owned(), |tier| tier.serial.to_string()),
        next_slab_description: next.map(|tier| tier.description.clone()).unwrap_or_default(),
        slab_serial_number: enrolment.tier.to_string(),
        slab_expiry_date: expiry(enrolment, zone),
        total_points: "",
    }
}

/// What was lost is negative in the ledger; the reply has how much was lost.
pub(super) fn lost(points: &Balance, kind: EntryKind) -> String {
    plain(-points.sum(kind))
}

pub(super) fn tier_name(enrolment: &Enrolment, organisation: &Organisation) -> String {
    let programme = organisation.programme(enrolment.programme);
    let tier = programme.and_then(|programme| programme.tier(enrolment.tier));
    tier.map_or_else(|| NO_TIER.to_owned(), |tier| tier.name.clone())
}

pub(super) fn expiry(enrolment: &Enrolment, zone: &TimeZone) -> String {
    let format = |instant: Timestamp| date::format(instant, zone);
    enrolment.tier_expires_at.map(format).unwrap_or_default()
}

fn subscriptions(held: &[Subscription]) -> Subscriptions {
    let echo = |held: &Subscription| SubscriptionEcho {
        channel: held.channel.to_string(),
        priority: held.priority.to_string(),
        scope: "ALL",
        status: if held.subscribed { "1" } else { "0" },
    };
    Subscriptions { subscription: held.iter().map(echo).collect() }
}

pub(super) fn fields(values: &[FieldValue]) -> Fields {
    let field = |FieldValue { name, value }: &FieldValue| Field {
        name: name.clone(),
        value: value.clone(),
    };
    Fields { field: values.iter().map(field).collect() }
}

/// Extended fields as look-ups show them: a day has its time, `1998-09-01 00:00:00`.
pub(super) fn fields_in_full(values: &[FieldValue], organisation: &Organisation) -> Fields {
    let mut shown = fields(values);
    for field in &mut shown.field {
        let definition = organisation.extended_fields.get_any(&field.name);
        if definition.is_some_and(|field| field.data_type == DataType::Date) {
            field.value.push_str(MIDNIGHT);
        }
    }
    shown
}

fn effect(effect: &SideEffect, zone: &TimeZone) -> Effect {
    match effect {
        SideEffect::Points { customer, awarded, total } => Effect::Points {
            awarded_points: Number(*awarded),
            total_points: Some(Number(*total)),
            customer_id: customer.map(|id| id.0.to_string()),
            is_referrer: None,
            kind: "points",
        },
        SideEffect::ReferrerPoints { customer, awarded } => Effect::Points {
            awarded_points: Number(*awarded),
            total_points: None,
            customer_id: Some(customer.0.to_string()),
            is_referrer: Some("true"),
            kind: "points",
        },
        SideEffect::Currency { identifier, name, awarded } => Effect::Currency {
            alternate_currency_identifier: identifier.clone(),
            alternate_currency_name: name.clone(),
            awarded_value: plain(*awarded),
            kind: "alternate_currency",
        },
        SideEffect::Coupon(coupon) => Effect::Coupon {
            id: coupon.id,
            coupon_type: COUPON_TYPE,
            coupon_code: coupon.code.clone(),
            valid_till: coupon.valid_till.map(|last| date::format(last, zone)).unwrap_or_default(),
            description: coupon.description.clone(),
            discount_code: coupon.discount_code.as_deref().unwrap_or(NO_DISCOUNT).to_owned(),
            kind: "coupon",
        },
    }
}

impl ItemStatus {
    /// The message, with each warning's text after a comma and each warning's code once.
    pub(super) fn success(message: &str, warnings: &[Warning], place: &Place) -> Self {
        let mut texts = vec![message.to_owned()];
        let mut numbers: Vec<String> = Vec::new();
        for warning in warnings {
            let text = warning.message(|member| place.name(member));
            let text = text.trim_end_matches('.').to_owned();
            if !texts.contains(&text) {
                texts.push(text);
            }
            let number = warning.code.number.to_string();
            if !numbers.contains(&number) {
                numbers.push(number);
            }
        }
        Self {
            success: "true",
            code: codes::REGISTERED.number.to_string(),
            message: texts.join(", "),
            warnings: Warnings { warning: numbers },
        }
    }

    pub(super) fn refused(code: u32, message: String) -> Self {
        let warnings = Warnings { warning: Vec::new() };
        Self { success: "false", code: code.to_string(), message, warnings }
    }
}
