//! Parts of a reply that the rows of a customer do not have: cards, referral codes, subscriptions, and
//! who set the fraud status.

use std::sync::Arc;

use jiff::Timestamp;
use patron_rules::audit::{Entry, Event, Field};
use patron_rules::card::Card;
use patron_rules::customer::Customer;
use patron_rules::organisation::{Organisation, end_of};
use patron_rules::profile::subscription::{Channel, Priority};
use patron_rules::profile::{FraudStatus, Subscription, date};
use patron_rules::referral::ReferralCode;
use patron_store::audit::{Order, Query};
use patron_store::{Error, Store, Tenant};
use serde::Serialize;
use utoipa::ToSchema;

use super::Context;

/// The state of a card that a customer has. Cards that were not issued (`NOT_ISSUED`) are not stored.
const ISSUED: &str = "ACTIVE";
/// The fraud status of a customer who has none.
const NO_FRAUD: &str = "NONE";
/// The channels of subscriptions, in the documents' order, and what Patron stores for each.
const CHANNELS: [(&str, Option<Channel>); 3] =
    [("SMS", Some(Channel::Sms)), ("POSTMAIL", None), ("EMAIL", Some(Channel::Email))];
const PRIORITIES: [Priority; 2] = [Priority::Transactional, Priority::Bulk];
/// The only scope of a subscription.
const EVERYWHERE: &str = "ALL";

#[derive(Debug, Serialize, ToSchema)]
pub(super) struct FraudDetails {
    status: String,
    /// The till or API client that set the status; empty while it is `NONE`.
    marked_by: String,
    /// When the status was set; empty while it is `NONE`.
    modified_on: String,
    /// Always empty.
    reason: &'static str,
}

/// A card of the customer; every member is a text.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct CardDetail {
    card_number: String,
    /// The name of the card series; empty for a card of none.
    series_name: String,
    /// The code of the card series, which is its name.
    series_code: String,
    status: &'static str,
}

#[derive(Debug, Serialize, ToSchema)]
pub(super) struct ReferralCodes {
    referral_code: Vec<ReferralCodeDetail>,
}

#[derive(Debug, Serialize, ToSchema)]
struct ReferralCodeDetail {
    /// The code.
    code: String,
    /// The campaign's name.
    campaign: String,
    /// The code's last second, in the caller's time zone.
    valid_till: String,
    /// How many customers came by it.
    referrals: u64,
}

/// Which messages the customer wants.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = SubscriptionsFound)]
pub(super) struct Subscriptions {
    channel: Vec<SubscribedChannel>,
    /// Always empty.
    #[schema(rename = "orgUnitSubscriptions", value_type = Vec<Object>)]
    #[serde(rename = "orgUnitSubscriptions")]
    org_units: [(); 0],
}

#[derive(Debug, Serialize, ToSchema)]
struct SubscribedChannel {
    name: &'static str,
    priority: Vec<SubscribedPriority>,
}

#[derive(Debug, Serialize, ToSchema)]
struct SubscribedPriority {
    name: String,
    /// `ALL` or empty.
    subscribed: &'static str,
    /// `ALL` or empty.
    unsubscribed: &'static str,
    /// `SUBSCRIBED`, `UNSUBSCRIBED` or `NOT_SET`.
    user_preference: &'static str,
}

/// The audit's entry of the fraud status that a customer has; `None` while it is `NONE`.
pub(super) async fn fraud_mark(
    store: &dyn Store,
    tenant: &Tenant,
    customer: &Customer,
) -> Result<Option<Entry>, Error> {
    if fraud_status(customer) == NO_FRAUD {
        return Ok(None);
    }
    let is_mark = |entry: &mut Entry| entry.changes.events.iter().any(is_fraud_status);
    let query = Query {
        customer: customer.id,
        order: Order::NewestFirst,
        page: 0,
        limit: 1,
        keep: Some(Arc::new(is_mark)),
    };
    Ok(store.audit(tenant, query).await?.entries.pop())
}

const fn is_fraud_status(event: &Event) -> bool {
    matches!(event, Event::Field(Field::FraudStatus, _))
}

fn fraud_status(customer: &Customer) -> &str {
    customer.fraud_status.as_ref().map_or(NO_FRAUD, FraudStatus::name)
}

/// The status, with who set it and when.
pub(super) fn fraud_details(
    customer: &Customer,
    mark: Option<&Entry>,
    Context { organisation, zone, .. }: &Context<'_>,
) -> FraudDetails {
    let marked_by = |entry: &Entry| {
        let till = entry.origin.till.and_then(|id| organisation.till(id));
        let till = till.map(|till| till.name.as_str());
        till.or_else(|| organisation.caller_name(entry.origin.caller)).map(str::to_owned)
    };
    FraudDetails {
        status: fraud_status(customer).to_owned(),
        marked_by: mark.and_then(marked_by).unwrap_or_default(),
        modified_on: mark.map(|entry| date::format(entry.at, zone)).unwrap_or_default(),
        reason: "",
    }
}

pub(super) fn card_details(cards: Vec<Card>) -> Vec<CardDetail> {
    let detail = |Card { number, series, .. }| {
        let series: String = series.unwrap_or_default();
        CardDetail {
            card_number: number,
            series_name: series.clone(),
            series_code: series,
            status: ISSUED,
        }
    };
    cards.into_iter().map(detail).collect()
}

/// The codes that count now.
pub(super) fn referral_codes(
    codes: Vec<ReferralCode>,
    Context { organisation, zone, now, .. }: &Context<'_>,
) -> ReferralCodes {
    let detail = |held: ReferralCode| {
        let last = last_second(&held, organisation, *now)?;
        let ReferralCode { code, campaign, referrals } = held;
        let valid_till = last.map(|last| date::format(last, zone)).unwrap_or_default();
        Some(ReferralCodeDetail { code, campaign, valid_till, referrals })
    };
    ReferralCodes { referral_code: codes.into_iter().filter_map(detail).collect() }
}

/// The code's last second, if it ends; `None` if the code does not count now.
#[expect(clippy::option_option, reason = "a code that counts may never end")]
fn last_second(
    code: &ReferralCode,
    organisation: &Organisation,
    now: Timestamp,
) -> Option<Option<Timestamp>> {
    let last_day = code.campaign(organisation, now)?.to;
    Some(last_day.and_then(|day| end_of(day, &organisation.details.time_zone)))
}

/// Every channel and priority, whether or not the customer has a preference for it.
pub(super) fn subscriptions(held: &[Subscription]) -> Subscriptions {
    let channel = |(name, channel): (&'static str, Option<Channel>)| SubscribedChannel {
        name,
        priority: PRIORITIES.map(|priority| preference(held, channel, priority)).into(),
    };
    Subscriptions { channel: CHANNELS.map(channel).into(), org_units: [] }
}

fn preference(
    held: &[Subscription],
    channel: Option<Channel>,
    priority: Priority,
) -> SubscribedPriority {
    let is = |held: &&Subscription| Some(held.channel) == channel && held.priority == priority;
    let (subscribed, unsubscribed, user_preference) =
        match held.iter().find(is).map(|held| held.subscribed) {
            Some(true) => (EVERYWHERE, "", "SUBSCRIBED"),
            Some(false) => ("", EVERYWHERE, "UNSUBSCRIBED"),
            None => (EVERYWHERE, "", "NOT_SET"),
        };
    SubscribedPriority { name: priority.to_string(), subscribed, unsubscribed, user_preference }
}
