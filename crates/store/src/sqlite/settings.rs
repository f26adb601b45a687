//! What a change of settings means for the customers who are there.

use patron_rules::identifier::{IdentifierKind, Mobile, mobile};
use patron_rules::settings::Settings;
use rusqlite::{Connection, params};

use super::shared_email;
use super::writer::Writing;
use crate::rows::{identifier_value, kind_number};
use crate::{Error, TenantId};

/// Makes the identifiers by which customers are found follow the settings.
///
/// # Errors
/// [`Error::Clash`] and [`Error::Reread`] where the customers who are there forbid the change.
pub(super) fn follow(
    writing: &mut Writing<'_>,
    tenant: TenantId,
    before: &Settings,
    after: &Settings,
) -> Result<(), Error> {
    let connection = writing.connection;
    if before.mobile != after.mobile {
        check_mobiles(connection, tenant, &after.mobile)?;
    }
    let differs = |kind| before.identifies(kind) != after.identifies(kind);
    if IdentifierKind::ALL.into_iter().any(differs) {
        writing.recent.settle_all(connection, tenant)?;
    }
    for kind in IdentifierKind::ALL {
        match (before.identifies(kind), after.identifies(kind)) {
            (false, true) => claim(connection, tenant, kind)?,
            (true, false) => {
                connection
                    .prepare_cached(
                        "DELETE FROM identifier WHERE organisation_id = ?1 AND kind = ?2",
                    )?
                    .execute((tenant.0, kind_number(kind)))?;
            }
            _ => {}
        }
    }
    shared_email::follow(connection, tenant, before, after)
}

/// Makes the identifiers that customers have, of a kind by which they were not found until now,
/// belong to them; refused where several have the same.
fn claim(connection: &Connection, tenant: TenantId, kind: IdentifierKind) -> Result<(), Error> {
    let value = identifier_value(kind);
    let owners = format!(
        "FROM customer WHERE organisation_id = ?1 AND merged_into IS NULL AND {value} IS NOT NULL"
    );
    let clashes =
        format!("SELECT count(*) FROM (SELECT 1 {owners} GROUP BY {value} HAVING count(*) > 1)");
    let count: i64 = connection.query_row(&clashes, [tenant.0], |row| row.get(0))?;
    if count > 0 {
        return Err(Error::Clash { kind, count });
    }
    let claim = format!(
        "INSERT INTO identifier (organisation_id, kind, value, customer_id)
         SELECT organisation_id, ?2, {value}, customer_id {owners}"
    );
    connection.execute(&claim, params![tenant.0, kind_number(kind)])?;
    // Those of customers who were merged lead to their survivors, where nobody living has them.
    let aliases = format!(
        "INSERT OR IGNORE INTO identifier (organisation_id, kind, value, customer_id)
         SELECT organisation_id, ?2, {value}, customer_id FROM customer
         WHERE organisation_id = ?1 AND merged_into IS NOT NULL AND {value} IS NOT NULL"
    );
    connection.execute(&aliases, params![tenant.0, kind_number(kind)])?;
    Ok(())
}

/// Refuses rules by which numbers that are stored would be read as others: the same person would
/// be registered again.
fn check_mobiles(
    connection: &Connection,
    tenant: TenantId,
    rules: &mobile::Rules,
) -> Result<(), Error> {
    let mut statement = connection.prepare_cached(
        "SELECT mobile FROM customer WHERE organisation_id = ?1 AND mobile IS NOT NULL",
    )?;
    let mut rows = statement.query([tenant.0])?;
    let mut count: u64 = 0;
    while let Some(row) = rows.next()? {
        let stored: String = row.get(0)?;
        let read = Mobile::parse(&stored, rules);
        if read.is_ok_and(|mobile| mobile.digits() != stored) {
            count = count.saturating_add(1);
        }
    }
    if count > 0 { Err(Error::Reread { count }) } else { Ok(()) }
}
