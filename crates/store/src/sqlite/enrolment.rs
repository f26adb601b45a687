//! Customers' places in programmes.

use jiff::Timestamp;
use patron_rules::customer::{CustomerId, Enrolment};
use patron_rules::ledger::EntryKind;
use rusqlite::{Connection, params};

use super::rows::{InOrder, list};
use crate::rows::enrolment::{currencies, from_row, text};
use crate::{Error, TenantId};

pub(super) fn of_customer(
    connection: &Connection,
    tenant: TenantId,
    id: CustomerId,
) -> Result<Vec<Enrolment>, Error> {
    let sql = "SELECT programme_id, tier, tier_expires_at, awarded, redeemed, expired, returned,
                adjusted, purchased, currencies
         FROM enrolment WHERE organisation_id = ?1 AND customer_id = ?2 ORDER BY programme_id";
    list(connection, sql, (tenant.0, id.0), |row| from_row(&InOrder::of(row)))
}

pub(super) fn save(
    connection: &Connection,
    tenant: TenantId,
    id: CustomerId,
    enrolment: &Enrolment,
) -> Result<(), Error> {
    let Enrolment { programme, tier, tier_expires_at, balances } = enrolment;
    let points = |kind| text(balances.points.sum(kind));
    let sql = "INSERT OR REPLACE INTO enrolment (
            organisation_id, customer_id, programme_id, tier, tier_expires_at, awarded, redeemed,
            expired, returned, adjusted, purchased, currencies)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12)";
    connection.prepare_cached(sql)?.execute(params![
        tenant.0,
        id.0,
        programme.0,
        tier,
        tier_expires_at.map(Timestamp::as_millisecond),
        points(EntryKind::Awarded),
        points(EntryKind::Redeemed),
        points(EntryKind::Expired),
        points(EntryKind::Returned),
        points(EntryKind::Adjusted),
        points(EntryKind::Purchased),
        currencies(balances)?,
    ])?;
    Ok(())
}
