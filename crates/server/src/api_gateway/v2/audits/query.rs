//! What of an audit is asked for.

use std::str::FromStr;
use std::sync::Arc;

use axum::http::Uri;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use patron_rules::audit::Entry;
use patron_rules::customer::CustomerId;
use patron_rules::profile::date;
use patron_store::audit::{self, Keep, Order};

use super::event::{EventType, named};
use crate::v1_1::query::{Refused, optional, required, text};

/// How many entries a page has unless said otherwise.
const LIMIT: u16 = 10;
/// The most entries of a page.
const LIMIT_MOST: u16 = 100;

/// Of what the audit is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Entity {
    Customer,
    Card,
}

/// The parameters, read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Query {
    pub(super) entity: Entity,
    pub(super) id: i64,
    pub(super) order: Order,
    pub(super) page: u32,
    pub(super) limit: u16,
    pub(super) with_user_context: bool,
    filter: Filter,
}

/// What is wanted of the entries.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Filter {
    source: Option<String>,
    /// The first instant that is wanted.
    from: Option<Timestamp>,
    /// The last instant that is wanted.
    until: Option<Timestamp>,
    event_type: Option<EventType>,
    updated_field: Option<String>,
}

impl Query {
    /// Reads the parameters; local times are of this zone.
    ///
    /// # Errors
    /// The first parameter that cannot be taken.
    pub(super) fn read(uri: &Uri, zone: &TimeZone) -> Result<Self, Refused> {
        let entity = required(uri, "entityType", "CUSTOMER or CARD", entity)?;
        let id = required(uri, "entityId", "the whole number of an entity", number)?;
        optional(uri, "sortBy", "autoUpdateTime", |text| {
            text.eq_ignore_ascii_case("autoUpdateTime").then_some(())
        })?;
        let order = optional(uri, "sortOrder", "ASC or DESC", order)?;
        let page = optional(uri, "pageNo", "a whole number from 0", number)?;
        let limit = optional(uri, "limit", "a whole number from 1 to 100", limit)?;
        let with_user_context = optional(uri, "includeUserContext", "true or false", truth)?;
        Ok(Self {
            entity,
            id,
            order: order.unwrap_or(Order::NewestFirst),
            page: page.unwrap_or(0),
            limit: limit.unwrap_or(LIMIT),
            with_user_context: with_user_context.unwrap_or(false),
            filter: Filter::read(uri, zone)?,
        })
    }

    /// What the store is asked.
    pub(super) fn to_store(&self) -> audit::Query {
        let Self { id, order, page, limit, .. } = *self;
        let filter = self.filter.clone();
        let keep = (filter != Filter::default())
            .then(|| Arc::new(move |entry: &mut Entry| filter.keeps(entry)) as Arc<Keep>);
        audit::Query { customer: CustomerId(id), order, page, limit, keep }
    }
}

impl Filter {
    fn read(uri: &Uri, zone: &TimeZone) -> Result<Self, Refused> {
        const DATE: &str = "a date of the form YYYY-MM-DD HH:MM:SS or YYYY-MM-DD";
        const TYPES: &str = "Identifier, StandardField, ExtendedField, CustomField, \
            CustomerStatus, CardStatus, SubscriptionStatus, CustomerMerge, CardCustomField, \
            CommChannel or CardExtendedField";
        Ok(Self {
            source: text(uri, "source"),
            from: optional(uri, "startDate", DATE, |text| date::parse(text, zone))?,
            until: optional(uri, "endDate", DATE, |text| end(text, zone))?,
            event_type: optional(uri, "referenceType", TYPES, EventType::parse)?,
            updated_field: text(uri, "referenceValue"),
        })
    }

    /// Whether an entry is wanted; what of it is not wanted is taken out.
    fn keeps(&self, entry: &mut Entry) -> bool {
        let source = entry.changes.source.name();
        let about = self.source.as_ref().is_none_or(|wanted| wanted.eq_ignore_ascii_case(source))
            && self.from.is_none_or(|from| from <= entry.at)
            && self.until.is_none_or(|until| entry.at <= until);
        entry.changes.events.retain(|event| {
            let (event_type, field) = named(event);
            self.event_type.is_none_or(|wanted| wanted == event_type)
                && self
                    .updated_field
                    .as_ref()
                    .is_none_or(|wanted| wanted.eq_ignore_ascii_case(&field))
        });
        about && !entry.changes.events.is_empty()
    }
}

fn entity(text: &str) -> Option<Entity> {
    match text.to_ascii_uppercase().as_str() {
        "CUSTOMER" => Some(Entity::Customer),
        "CARD" => Some(Entity::Card),
        _ => None,
    }
}

fn order(text: &str) -> Option<Order> {
    match text.to_ascii_uppercase().as_str() {
        "ASC" => Some(Order::OldestFirst),
        "DESC" => Some(Order::NewestFirst),
        _ => None,
    }
}

fn truth(text: &str) -> Option<bool> {
    match text.to_ascii_lowercase().as_str() {
        "true" | "1" => Some(true),
        "false" | "0" => Some(false),
        _ => None,
    }
}

fn number<T: FromStr>(text: &str) -> Option<T> {
    text.parse().ok()
}

fn limit(text: &str) -> Option<u16> {
    number(text).filter(|limit| (1..=LIMIT_MOST).contains(limit))
}

/// The last millisecond of a second, or of a day where only a date is passed.
fn end(text: &str, zone: &TimeZone) -> Option<Timestamp> {
    let end_of_day = date::parse(&format!("{text} 23:59:59"), zone);
    let second = end_of_day.or_else(|| date::parse(text, zone))?;
    second.checked_add(SignedDuration::from_millis(999)).ok()
}
