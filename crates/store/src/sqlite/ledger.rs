//! The ledger: writing entries, what was awarded, and whether balances are its sums.

use jiff::Timestamp;
use patron_rules::customer::CustomerId;
use patron_rules::ledger::{Award, Currency, Ending, LedgerEntry};
use rusqlite::{Connection, OptionalExtension, Row, Rows, params};

use super::rows::list;
use crate::ids::FIRST;
use crate::rows::ledger::{Part, Sums, add, differences, read_award, read_balances, read_entry};
use crate::rows::{self, Row as _};
use crate::{Error, LedgerCheck, TenantId};

/// Of how many customers at a time the check tells that they were looked at.
const STEP: u64 = 1_000;

/// Adds an entry to a customer's ledger.
pub(super) fn enter(
    connection: &Connection,
    tenant: TenantId,
    entry: &LedgerEntry,
    now: Timestamp,
) -> Result<(), Error> {
    let currency = match &entry.currency {
        Currency::Points => None,
        Currency::Alternate(identifier) => Some(identifier),
    };
    connection
        .prepare_cached(
            "INSERT INTO ledger_entry (
                organisation_id, customer_id, reason, rule, other_id, line, programme_id, currency,
                kind, amount, entered_at, expires_at)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12)",
        )?
        .execute(params![
            tenant.0,
            entry.customer.0,
            entry.reason.name(),
            entry.reason.rule().unwrap_or_default(),
            entry.reason.other().map_or(0, |other| other.0),
            entry.line,
            entry.programme.0,
            currency,
            entry.kind.name(),
            entry.amount.to_string(),
            now.as_millisecond(),
            entry.expires_at.map(Timestamp::as_millisecond),
        ])?;
    Ok(())
}

/// The reward rules that were awarded to a customer.
pub(super) fn awards(
    connection: &Connection,
    tenant: TenantId,
    customer: CustomerId,
) -> Result<Vec<Award>, Error> {
    let sql = "SELECT rule, programme_id FROM ledger_entry
         WHERE organisation_id = ?1 AND customer_id = ?2 AND reason = 'registration' AND line = 0";
    list(connection, sql, (tenant.0, customer.0), |row| read_award(row, customer))
}

/// What of a customer's ends, by its end.
pub(super) fn endings(
    connection: &Connection,
    tenant: TenantId,
    customer: CustomerId,
) -> Result<Vec<Ending>, Error> {
    let sql = "SELECT customer_id, programme_id, currency, kind, amount, expires_at
         FROM ledger_entry
         WHERE organisation_id = ?1 AND customer_id = ?2 AND expires_at IS NOT NULL";
    let entries = list(connection, sql, (tenant.0, customer.0), |row| {
        Ok((read_entry(row)?, row.time("expires_at")?))
    })?;
    rows::ledger::endings(entries)
}

/// Adds up the ledger of every customer of an organisation and compares it with their balances; all
/// of it as it was at one moment.
pub(super) fn check(
    connection: &Connection,
    organisation: &str,
    tell: &mut (dyn FnMut(LedgerCheck) + Send),
) -> Result<(), Error> {
    let moment = connection.unchecked_transaction()?;
    let tenant = moment
        .prepare("SELECT organisation_id FROM organisation WHERE name = ?1")?
        .query_row([organisation], |row| row.get(0))
        .optional()?
        .ok_or(Error::NoOrganisation)?;
    compare(&moment, TenantId(tenant), tell)
}

/// The same within a transaction. It keeps one customer in memory at a time.
pub(super) fn compare(
    connection: &Connection,
    tenant: TenantId,
    tell: &mut dyn FnMut(LedgerCheck),
) -> Result<(), Error> {
    let next_id: i64 = connection
        .prepare("SELECT next_customer_id FROM organisation WHERE organisation_id = ?1")?
        .query_row([tenant.0], |row| row.get(0))?;
    let mut kept = connection.prepare(
        "SELECT customer_id, programme_id, awarded, redeemed, expired, returned, adjusted, purchased,
                currencies
         FROM enrolment WHERE organisation_id = ?1 ORDER BY customer_id",
    )?;
    let mut entries = connection.prepare(
        "SELECT customer_id, programme_id, currency, kind, amount
         FROM ledger_entry WHERE organisation_id = ?1 ORDER BY customer_id",
    )?;
    let mut kept = ByCustomer::over(kept.query([tenant.0])?, |row| read_balances(row))?;
    let mut entries = ByCustomer::over(entries.query([tenant.0])?, |row| read_entry(row))?;
    let mut customers = 0_u64;
    while let Some(customer) = [kept.customer(), entries.customer()].into_iter().flatten().min() {
        let (found, expected) = (kept.sums_of(customer)?, entries.sums_of(customer)?);
        for difference in differences(customer, &expected, &found) {
            tell(LedgerCheck::Difference(difference));
        }
        customers = customers.saturating_add(1);
        if customers.is_multiple_of(STEP) {
            let [done, of] =
                [customer.0, next_id].map(|id| id.saturating_sub(FIRST).unsigned_abs());
            tell(LedgerCheck::Progress { done, of });
        }
    }
    tell(LedgerCheck::Done { customers });
    Ok(())
}

/// Rows in the order of their customers.
struct ByCustomer<'a> {
    rows: Rows<'a>,
    read: fn(&Row<'_>) -> Result<Part, Error>,
    next: Option<Part>,
}

impl<'a> ByCustomer<'a> {
    fn over(rows: Rows<'a>, read: fn(&Row<'_>) -> Result<Part, Error>) -> Result<Self, Error> {
        let mut over = Self { rows, read, next: None };
        over.step()?;
        Ok(over)
    }

    /// Whose the next row is.
    fn customer(&self) -> Option<CustomerId> {
        self.next.as_ref().map(|part| part.customer)
    }

    /// Adds up what is this customer's.
    fn sums_of(&mut self, customer: CustomerId) -> Result<Sums, Error> {
        let mut sums = Sums::new();
        while let Some(part) = self.next.take_if(|part| part.customer == customer) {
            add(&mut sums, part)?;
            self.step()?;
        }
        Ok(sums)
    }

    fn step(&mut self) -> Result<(), Error> {
        self.next = self.rows.next()?.map(self.read).transpose()?;
        Ok(())
    }
}
