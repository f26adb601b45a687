//! Reading the audit.

use std::ops::RangeInclusive;

use patron_rules::audit::Entry;
use patron_rules::customer::CustomerId;

use super::connection::{Connection, Parameter};
use crate::audit::{Order, Page, Query, SEARCH_LIMIT};
use crate::rows::Row as _;
use crate::rows::audit::{from_row, numbers};
use crate::{Error, TenantId};

const NEWEST: &str = "SELECT COALESCE(max(entry), 0) AS entry FROM audit_entry
     WHERE organisation_id = $1 AND customer_id = $2";

macro_rules! entries {
    ($order:literal) => {
        concat!(
            "SELECT recorded_at, request_id, caller_till, caller_client, till_id, store_id, source,
                    user_context, merge, events
             FROM audit_entry
             WHERE organisation_id = $1 AND customer_id = $2 AND entry BETWEEN $3 AND $4
             ORDER BY entry ",
            $order
        )
    };
}

/// How many entries are read at a time where not all are wanted.
const STEP: i64 = 500;

/// Reads a page of a customer's entries; an empty one where there is no such customer.
pub(super) async fn page(
    connection: &Connection,
    tenant: TenantId,
    query: &Query,
) -> Result<Page, Error> {
    let newest = newest(connection, tenant, query.customer).await?;
    if query.keep.is_some() {
        return search(connection, tenant, query, newest).await;
    }
    let entries = read(connection, tenant, query, &numbers(query, newest)).await?;
    Ok(Page { entries, total: newest, searched: None })
}

/// How many entries a customer has.
async fn newest(
    connection: &Connection,
    tenant: TenantId,
    customer: CustomerId,
) -> Result<i64, Error> {
    let read = |row: &tokio_postgres::Row| row.number("entry");
    let found = connection.first(NEWEST, &[&tenant.0, &customer.0], read).await?;
    Ok(found.unwrap_or_default())
}

/// The page of those entries that are wanted, among the newest.
async fn search(
    connection: &Connection,
    tenant: TenantId,
    query: &Query,
    newest: i64,
) -> Result<Page, Error> {
    let older = newest.saturating_sub(SEARCH_LIMIT).max(0);
    let wanted = query.wanted();
    let mut entries = Vec::new();
    let mut total = 0;
    for numbers in steps(query.order, older.saturating_add(1), newest) {
        for mut entry in read(connection, tenant, query, &numbers).await? {
            if query.keep.as_ref().is_none_or(|keep| keep(&mut entry)) {
                if wanted.contains(&total) {
                    entries.push(entry);
                }
                total += 1;
            }
        }
    }
    Ok(Page { entries, total, searched: (older > 0).then_some(SEARCH_LIMIT) })
}

/// The numbers from the first to the last a few at a time, in this order.
fn steps(order: Order, first: i64, last: i64) -> Vec<RangeInclusive<i64>> {
    let mut steps = Vec::new();
    let mut start = first;
    while start <= last {
        let end = start.saturating_add(STEP - 1).min(last);
        steps.push(start..=end);
        start = end.saturating_add(1);
    }
    if order == Order::NewestFirst {
        steps.reverse();
    }
    steps
}

async fn read(
    connection: &Connection,
    tenant: TenantId,
    query: &Query,
    numbers: &RangeInclusive<i64>,
) -> Result<Vec<Entry>, Error> {
    let sql = match query.order {
        Order::OldestFirst => entries!("ASC"),
        Order::NewestFirst => entries!("DESC"),
    };
    let parameters: [Parameter<'_>; 4] =
        [&tenant.0, &query.customer.0, numbers.start(), numbers.end()];
    connection.list(sql, &parameters, |row| from_row(row, query.customer)).await
}
