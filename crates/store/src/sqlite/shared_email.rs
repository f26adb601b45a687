//! Email addresses that several customers may share.

use patron_rules::customer::CustomerId;
use patron_rules::decide::Plan;
use patron_rules::identifier::IdentifierKind;
use patron_rules::settings::Settings;
use rusqlite::Connection;

use super::customer;
use super::rows::list;
use crate::rows::customer::shared_email;
use crate::rows::{corrupt, identifier_value};
use crate::{Error, Found, TenantId};

const HOLDERS: &str = "SELECT e.customer_id
     FROM shared_email e JOIN customer c USING (organisation_id, customer_id)
     WHERE e.organisation_id = ?1 AND e.value = ?2 AND c.merged_into IS NULL
     ORDER BY e.customer_id LIMIT 2";
const SURVIVORS: &str = "SELECT DISTINCT c.merged_into
     FROM shared_email e JOIN customer c USING (organisation_id, customer_id)
     WHERE e.organisation_id = ?1 AND e.value = ?2 AND c.merged_into IS NOT NULL
     ORDER BY c.merged_into LIMIT 2";

/// The first two customers who have this address; where none has it, those into whom its holders were
/// merged.
pub(super) fn holders(
    connection: &Connection,
    tenant: TenantId,
    email: &str,
) -> Result<Vec<Found>, Error> {
    let ids = |sql| list(connection, sql, (tenant.0, email), |row| Ok(CustomerId(row.get(0)?)));
    let mut through_merge = false;
    let mut found = ids(HOLDERS)?;
    if found.is_empty() {
        (through_merge, found) = (true, ids(SURVIVORS)?);
    }
    let whole = |id| {
        let found = customer::find_by_id(connection, tenant, id)?;
        let found = found.ok_or_else(|| corrupt("an email address leads to no customer"))?;
        Ok(Found { through_merge, ..found })
    };
    found.into_iter().map(whole).collect()
}

/// Writes what changes of the address of a plan's customer.
pub(super) fn apply(
    connection: &Connection,
    tenant: TenantId,
    plan: &Plan,
    settings: &Settings,
) -> Result<(), Error> {
    let id = plan.customer.id.0;
    let (released, gained) = shared_email(plan, settings);
    if let Some(value) = released {
        let sql = "DELETE FROM shared_email
             WHERE organisation_id = ?1 AND value = ?2 AND customer_id = ?3";
        connection.prepare_cached(sql)?.execute((tenant.0, value, id))?;
    }
    if let Some(value) = gained {
        let sql = "INSERT OR IGNORE INTO shared_email (organisation_id, value, customer_id)
             VALUES (?1, ?2, ?3)";
        connection.prepare_cached(sql)?.execute((tenant.0, value, id))?;
    }
    Ok(())
}

/// Makes the table follow a change of settings: it has the addresses of all customers, or none.
pub(super) fn follow(
    connection: &Connection,
    tenant: TenantId,
    before: &Settings,
    after: &Settings,
) -> Result<(), Error> {
    let kind = IdentifierKind::Email;
    let sql = match (before.identifies(kind), after.identifies(kind)) {
        (true, false) => &format!(
            "INSERT INTO shared_email (organisation_id, value, customer_id)
             SELECT organisation_id, {value}, customer_id FROM customer
             WHERE organisation_id = ?1 AND {value} IS NOT NULL",
            value = identifier_value(kind)
        ),
        (false, true) => "DELETE FROM shared_email WHERE organisation_id = ?1",
        _ => return Ok(()),
    };
    connection.execute(sql, [tenant.0])?;
    Ok(())
}
