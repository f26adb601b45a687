//! Whether balances are the sums of their ledgers.

use std::collections::BTreeMap;

use patron_rules::customer::CustomerId;

use super::connection::Connection;
use crate::ids::FIRST;
use crate::rows::Row as _;
use crate::rows::ledger::{Part, Sums, add, differences, read_balances, read_entry};
use crate::{Error, LedgerCheck, TenantId};

/// How many ids of customers are looked at together.
const STEP: i64 = 1_000;

const BALANCES: &str = "SELECT customer_id, programme_id, awarded, redeemed, expired, returned,
            adjusted, purchased, currencies
     FROM enrolment WHERE organisation_id = $1 AND customer_id >= $2 AND customer_id < $3";
const ENTRIES: &str = "SELECT customer_id, programme_id, currency, kind, amount FROM ledger_entry
     WHERE organisation_id = $1 AND customer_id >= $2 AND customer_id < $3";

/// Adds up the ledger of every customer of an organisation and compares it with their balances; all
/// of it as it was at one moment.
pub(super) async fn check(
    connection: &Connection,
    organisation: &str,
    mut tell: Box<dyn FnMut(LedgerCheck) + Send>,
) -> Result<(), Error> {
    connection.is_open(true);
    connection.run("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY").await?;
    let checked = compare(connection, organisation, &mut *tell).await;
    connection.run("ROLLBACK").await?;
    connection.is_open(false);
    checked
}

/// The same within a transaction, or where nobody writes.
pub(super) async fn compare(
    connection: &Connection,
    organisation: &str,
    tell: &mut (dyn FnMut(LedgerCheck) + Send),
) -> Result<(), Error> {
    let sql = "SELECT o.organisation_id, b.next_customer_id FROM organisation o
         JOIN id_block b ON b.organisation_id = o.organisation_id WHERE o.name = $1";
    let read = |row: &tokio_postgres::Row| {
        Ok((TenantId(row.number("organisation_id")?), row.number("next_customer_id")?))
    };
    let found = connection.first(sql, &[&organisation], read).await?;
    let (tenant, end) = found.ok_or(Error::NoOrganisation)?;
    let of = end.saturating_sub(FIRST).unsigned_abs();
    let mut customers: u64 = 0;
    let mut start = FIRST;
    while start < end {
        let next = start.saturating_add(STEP).min(end);
        let mut sums: BTreeMap<CustomerId, (Sums, Sums)> = BTreeMap::new();
        for part in parts(connection, BALANCES, tenant, start..next, read_balances).await? {
            add(&mut sums.entry(part.customer).or_default().0, part)?;
        }
        for part in parts(connection, ENTRIES, tenant, start..next, read_entry).await? {
            add(&mut sums.entry(part.customer).or_default().1, part)?;
        }
        for (customer, (found, expected)) in &sums {
            for difference in differences(*customer, expected, found) {
                tell(LedgerCheck::Difference(difference));
            }
            customers = customers.saturating_add(1);
        }
        tell(LedgerCheck::Progress { done: next.saturating_sub(FIRST).unsigned_abs(), of });
        start = next;
    }
    tell(LedgerCheck::Done { customers });
    Ok(())
}

async fn parts(
    connection: &Connection,
    sql: &str,
    tenant: TenantId,
    ids: std::ops::Range<i64>,
    read: fn(&tokio_postgres::Row) -> Result<Part, Error>,
) -> Result<Vec<Part>, Error> {
    connection.list(sql, &[&tenant.0, &ids.start, &ids.end], read).await
}
