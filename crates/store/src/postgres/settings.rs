//! What a change of settings means for the customers who are there.

use patron_rules::identifier::{IdentifierKind, Mobile, mobile};
use patron_rules::settings::Settings;
use tokio_postgres::Row;

use super::connection::{Connection, Parameter};
use super::shared_email;
use super::working::kind_number;
use crate::rows::{Row as _, identifier_value};
use crate::{Error, TenantId};

/// How many customers are looked at together.
const STEP: i64 = 5_000;

/// Makes the identifiers by which customers are found follow the settings.
///
/// # Errors
/// [`Error::Clash`] and [`Error::Reread`] where the customers who are there forbid the change.
pub(super) async fn follow(
    connection: &Connection,
    tenant: TenantId,
    before: &Settings,
    after: &Settings,
) -> Result<(), Error> {
    if before.mobile != after.mobile {
        check_mobiles(connection, tenant, &after.mobile).await?;
    }
    for kind in IdentifierKind::ALL {
        match (before.identifies(kind), after.identifies(kind)) {
            (false, true) => claim(connection, tenant, kind).await?,
            (true, false) => {
                let sql = "DELETE FROM identifier WHERE organisation_id = $1 AND kind = $2";
                connection.execute(sql, &[&tenant.0, &kind_number(kind)]).await?;
            }
            _ => {}
        }
    }
    shared_email::follow(connection, tenant, before, after).await
}

/// Makes the identifiers that customers have, of a kind by which they were not found until now,
/// belong to them; refused where several have the same.
async fn claim(
    connection: &Connection,
    tenant: TenantId,
    kind: IdentifierKind,
) -> Result<(), Error> {
    let value = identifier_value(kind);
    let owners = format!(
        "FROM customer WHERE organisation_id = $1 AND merged_into IS NULL AND {value} IS NOT NULL"
    );
    let clashes = format!(
        "SELECT count(*) AS clashes FROM (
            SELECT 1 {owners} GROUP BY {value} HAVING count(*) > 1) AS shared"
    );
    let read = |row: &Row| row.number("clashes");
    let count = connection.first(&clashes, &[&tenant.0], read).await?.unwrap_or_default();
    if count > 0 {
        return Err(Error::Clash { kind, count });
    }
    let claim = format!(
        "INSERT INTO identifier (organisation_id, kind, value, customer_id)
         SELECT organisation_id, $2::SMALLINT, {value}, customer_id {owners}"
    );
    let parameters: [Parameter<'_>; 2] = [&tenant.0, &kind_number(kind)];
    connection.execute(&claim, &parameters).await?;
    // Those of customers who were merged lead to their survivors, where nobody living has them.
    let aliases = format!(
        "INSERT INTO identifier (organisation_id, kind, value, customer_id)
         SELECT organisation_id, $2::SMALLINT, {value}, customer_id FROM customer
         WHERE organisation_id = $1 AND merged_into IS NOT NULL AND {value} IS NOT NULL
         ORDER BY customer_id
         ON CONFLICT (organisation_id, kind, value) DO NOTHING"
    );
    connection.execute(&aliases, &parameters).await.map(drop)
}

/// Refuses rules by which numbers that are stored would be read as others: the same person would
/// be registered again.
async fn check_mobiles(
    connection: &Connection,
    tenant: TenantId,
    rules: &mobile::Rules,
) -> Result<(), Error> {
    let sql = "SELECT customer_id, mobile FROM customer
         WHERE organisation_id = $1 AND customer_id > $2 AND mobile IS NOT NULL
         ORDER BY customer_id LIMIT $3";
    let read = |row: &Row| Ok((row.number("customer_id")?, row.text("mobile")?));
    let mut count: u64 = 0;
    let mut last = 0;
    loop {
        let customers = connection.list(sql, &[&tenant.0, &last, &STEP], read).await?;
        let Some((id, _)) = customers.last() else { break };
        last = *id;
        for (_, stored) in &customers {
            let read = Mobile::parse(stored, rules);
            if read.is_ok_and(|mobile| mobile.digits() != stored) {
                count = count.saturating_add(1);
            }
        }
    }
    if count > 0 { Err(Error::Reread { count }) } else { Ok(()) }
}
