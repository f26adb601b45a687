//! The audit: one row for each request and customer, in the commit of the change.
//!
//! A customer's entries are numbered from 1 without a gap and lie beside each other, so a page is
//! read at its place, whichever it is.

use std::ops::RangeInclusive;

use jiff::Timestamp;
use patron_rules::audit::{ChangeSet, Entry, Origin};
use patron_rules::customer::CustomerId;
use rusqlite::{Connection, params};

use crate::audit::{Keep, Order, Page, Query, SEARCH_LIMIT};
use crate::rows::audit::{caller_columns, from_row, numbers};
use crate::rows::to_json;
use crate::{Error, TenantId};

const NEWEST: &str =
    "SELECT max(entry) FROM audit_entry WHERE organisation_id = ?1 AND customer_id = ?2";

macro_rules! entries {
    ($order:literal) => {
        concat!(
            "SELECT recorded_at, request_id, caller_till, caller_client, till_id, store_id, source,
                    user_context, merge, events
             FROM audit_entry
             WHERE organisation_id = ?1 AND customer_id = ?2 AND entry BETWEEN ?3 AND ?4
             ORDER BY entry ",
            $order
        )
    };
}

const OLDEST_FIRST: &str = entries!("ASC");
const NEWEST_FIRST: &str = entries!("DESC");

/// Adds what a request changed of a customer, of whom there is nothing yet if they are new.
pub(super) fn append(
    connection: &Connection,
    tenant: TenantId,
    changes: &ChangeSet,
    is_new: bool,
    origin: &Origin,
    now: Timestamp,
) -> Result<(), Error> {
    let last = if is_new { 0 } else { newest(connection, tenant, changes.customer)? };
    let (caller_till, caller_client) = caller_columns(origin.caller);
    connection
        .prepare_cached(
            "INSERT INTO audit_entry (
                organisation_id, customer_id, entry, recorded_at, request_id, caller_till,
                caller_client, till_id, store_id, source, user_context, merge, events)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13)",
        )?
        .execute(params![
            tenant.0,
            changes.customer.0,
            last.saturating_add(1),
            now.as_millisecond(),
            origin.request_id.0.to_be_bytes(),
            caller_till,
            caller_client,
            origin.till.map(|till| till.0),
            origin.store,
            changes.source.name(),
            origin.user.as_ref().map(to_json).transpose()?,
            changes.merge.as_ref().map(to_json).transpose()?,
            to_json(&changes.events)?,
        ])?;
    Ok(())
}

/// Reads a page of a customer's entries; an empty one where there is no such customer.
pub(super) fn page(
    connection: &Connection,
    tenant: TenantId,
    query: &Query,
) -> Result<Page, Error> {
    let newest = newest(connection, tenant, query.customer)?;
    match &query.keep {
        None => at_its_place(connection, tenant, query, newest),
        Some(keep) => search(connection, tenant, query, newest, keep.as_ref()),
    }
}

/// How many entries a customer has.
fn newest(connection: &Connection, tenant: TenantId, customer: CustomerId) -> Result<i64, Error> {
    let found: Option<i64> =
        connection.prepare_cached(NEWEST)?.query_row((tenant.0, customer.0), |row| row.get(0))?;
    Ok(found.unwrap_or_default())
}

/// The page, by the numbers that its entries have.
fn at_its_place(
    connection: &Connection,
    tenant: TenantId,
    query: &Query,
    newest: i64,
) -> Result<Page, Error> {
    let mut entries = Vec::new();
    each(connection, tenant, query, &numbers(query, newest), |entry| entries.push(entry))?;
    Ok(Page { entries, total: newest, searched: None })
}

/// The page of those entries that are wanted, among the newest.
fn search(
    connection: &Connection,
    tenant: TenantId,
    query: &Query,
    newest: i64,
    keep: &Keep,
) -> Result<Page, Error> {
    let older = newest.saturating_sub(SEARCH_LIMIT).max(0);
    let wanted = query.wanted();
    let mut entries = Vec::new();
    let mut total = 0;
    each(connection, tenant, query, &(older + 1..=newest), |mut entry| {
        if keep(&mut entry) {
            if wanted.contains(&total) {
                entries.push(entry);
            }
            total += 1;
        }
    })?;
    Ok(Page { entries, total, searched: (older > 0).then_some(SEARCH_LIMIT) })
}

/// Visits the entries of these numbers, in the order that is asked for.
fn each(
    connection: &Connection,
    tenant: TenantId,
    query: &Query,
    numbers: &RangeInclusive<i64>,
    mut visit: impl FnMut(Entry),
) -> Result<(), Error> {
    let sql = match query.order {
        Order::OldestFirst => OLDEST_FIRST,
        Order::NewestFirst => NEWEST_FIRST,
    };
    let mut statement = connection.prepare_cached(sql)?;
    let key = (tenant.0, query.customer.0, numbers.start(), numbers.end());
    let mut rows = statement.query(key)?;
    while let Some(row) = rows.next()? {
        visit(from_row(row, query.customer)?);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use patron_rules::audit::{Change, Event, Field, RequestId};
    use patron_rules::organisation::{CallerId, TillId};
    use patron_rules::profile::Source;
    use rusqlite::StatementStatus;

    use super::*;
    use crate::sqlite::{Location, Tuning, open};

    const TENANT: TenantId = TenantId(3);
    const CUSTOMER: CustomerId = CustomerId(7);

    /// A registry in which a customer, between two others, has so many entries.
    fn with_entries(count: i64) -> Connection {
        let connection = open::open(&Location::Memory, &Tuning::default()).unwrap().writer;
        let origin = Origin {
            request_id: RequestId(1),
            caller: CallerId::Till(TillId(1)),
            till: None,
            store: None,
            user: None,
        };
        connection.execute_batch("BEGIN").unwrap();
        for (customer, count) in [(CustomerId(6), 5), (CUSTOMER, count), (CustomerId(8), 5)] {
            for number in 0..count {
                let change = Change { before: None, after: Some(number.to_string()) };
                let changes = ChangeSet {
                    customer,
                    source: Source::default(),
                    merge: None,
                    events: vec![Event::Field(Field::FirstName, change)],
                };
                let now = Timestamp::from_millisecond(number).unwrap();
                append(&connection, TENANT, &changes, false, &origin, now).unwrap();
            }
        }
        connection.execute_batch("COMMIT").unwrap();
        connection
    }

    /// How many steps of SQLite's machine the page takes, and its entries' times.
    fn cost(connection: &Connection, query: &Query) -> (i32, Vec<i64>) {
        let sql = match query.order {
            Order::OldestFirst => OLDEST_FIRST,
            Order::NewestFirst => NEWEST_FIRST,
        };
        connection.flush_prepared_statement_cache();
        let page = page(connection, TENANT, query).unwrap();
        let times = page.entries.iter().map(|entry| entry.at.as_millisecond()).collect();
        let steps = [NEWEST, sql]
            .map(|sql| connection.prepare_cached(sql).unwrap().get_status(StatementStatus::VmStep));
        (steps.iter().sum(), times)
    }

    #[test]
    fn a_page_costs_the_same_wherever_it_is_and_however_many_entries_there_are() {
        let (few, many) = (with_entries(10), with_entries(5_000));
        for order in [Order::NewestFirst, Order::OldestFirst] {
            let query = |page| Query { customer: CUSTOMER, order, page, limit: 10, keep: None };
            let (expected, _) = cost(&few, &query(0));
            assert!(expected > 10, "it counts");
            for page in [0, 1, 250, 499] {
                let (steps, times) = cost(&many, &query(page));
                assert_eq!(steps, expected, "page {page}");
                let first = i64::from(page) * 10;
                let places = first..first + 10;
                let expected: Vec<_> = match order {
                    Order::OldestFirst => places.collect(),
                    Order::NewestFirst => places.map(|place| 4_999 - place).collect(),
                };
                assert_eq!(times, expected);
            }
        }
    }

    #[test]
    fn a_search_looks_at_the_newest_entries_alone() {
        let connection = with_entries(SEARCH_LIMIT + 10);
        for order in [Order::NewestFirst, Order::OldestFirst] {
            let keep: Arc<Keep> = Arc::new(|entry: &mut Entry| entry.at.as_millisecond() < 13);
            let keep = Some(keep);
            let query = Query { customer: CUSTOMER, order, page: 0, limit: 10, keep };
            let found = page(&connection, TENANT, &query).unwrap();
            let mut times: Vec<_> =
                found.entries.iter().map(|entry| entry.at.as_millisecond()).collect();
            times.sort_unstable();
            assert_eq!(times, [10, 11, 12]);
            assert_eq!((found.total, found.searched), (3, Some(SEARCH_LIMIT)));
        }
    }
}
