//! What of an audit is asked for.

use std::sync::Arc;

use axum::http::Uri;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use patron_rules::audit::Entry;
use patron_rules::customer::CustomerId;
use patron_rules::profile::date;
use patron_store::audit::{self, Keep, Order};

use super::event::{EventType, named};
use super::parameters::{Audited, ENTITY_ID, ENTITY_TYPE};
use crate::http::query::{self, InvalidQuery};

/// How many entries a page has unless said otherwise.
const LIMIT: u16 = 10;

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
    pub(super) fn read(uri: &Uri, zone: &TimeZone) -> Result<Self, InvalidQuery> {
        let sent: Audited = query::read(uri)?;
        let missing = InvalidQuery::value;
        Ok(Self {
            entity: sent.entity_type.ok_or_else(|| missing("entityType", ENTITY_TYPE))?,
            id: sent.entity_id.ok_or_else(|| missing("entityId", ENTITY_ID))?,
            order: sent.sort_order.unwrap_or(Order::NewestFirst),
            page: sent.page_no.unwrap_or(0),
            limit: sent.limit.unwrap_or(LIMIT),
            with_user_context: sent.include_user_context,
            filter: Filter::read(sent, zone)?,
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
    fn read(sent: Audited, zone: &TimeZone) -> Result<Self, InvalidQuery> {
        const DATE: &str = "a date of the form YYYY-MM-DD HH:MM:SS or YYYY-MM-DD";
        let date = |name, sent: Option<String>, read: fn(&str, &TimeZone) -> Option<Timestamp>| {
            let read =
                |text: String| read(&text, zone).ok_or_else(|| InvalidQuery::value(name, DATE));
            sent.map(read).transpose()
        };
        Ok(Self {
            source: sent.source,
            from: date("startDate", sent.start_date, date::parse)?,
            until: date("endDate", sent.end_date, end)?,
            event_type: sent.reference_type,
            updated_field: sent.reference_value,
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

/// The last millisecond of a second, or of a day where only a date is passed.
fn end(text: &str, zone: &TimeZone) -> Option<Timestamp> {
    let end_of_day = date::parse(&format!("{text} 23:59:59"), zone);
    let second = end_of_day.or_else(|| date::parse(text, zone))?;
    second.checked_add(SignedDuration::from_millis(999)).ok()
}
