//! Finding a customer. They are read by one statement, with all that is theirs.

use patron_rules::customer::CustomerId;

use super::cards;
use super::connection::{Connection, Parameter};
use super::working::{CUSTOMERS, kind_number, read_customers};
use crate::rows::{Row as _, corrupt};
use crate::{Error, Found, Lookup, TenantId};

/// Finds a customer, following whoever was merged to their survivor.
pub(super) async fn find(
    connection: &Connection,
    tenant: TenantId,
    by: &Lookup,
) -> Result<Option<Found>, Error> {
    match by {
        Lookup::Id(id) => by_id(connection, tenant, *id).await,
        Lookup::Card(number) => match cards::issued_to(connection, tenant, number).await? {
            Some(holder) => by_id(connection, tenant, holder).await,
            None => Ok(None),
        },
        Lookup::Identifier(kind, key) => {
            let sql = "SELECT customer_id FROM identifier
                 WHERE organisation_id = $1 AND kind = $2 AND value = $3";
            let parameters: [Parameter<'_>; 3] = [&tenant.0, &kind_number(*kind), key];
            let read = |row: &tokio_postgres::Row| Ok(CustomerId(row.number("customer_id")?));
            let Some(holder) = connection.first(sql, &parameters, read).await? else {
                return Ok(None);
            };
            let found = by_id(connection, tenant, holder).await?;
            let Found { customer, through_merge } =
                found.ok_or_else(|| corrupt("an identifier leads to no customer"))?;
            // What the survivor took over is their own.
            let own = customer.identifiers.key(*kind) == Some(key.as_str());
            Ok(Some(Found { customer, through_merge: through_merge && !own }))
        }
    }
}

/// Finds a customer by their id, following whoever was merged to their survivor.
pub(super) async fn by_id(
    connection: &Connection,
    tenant: TenantId,
    id: CustomerId,
) -> Result<Option<Found>, Error> {
    let rows = connection.query(CUSTOMERS, &[&tenant.0, &vec![id.0]]).await?;
    let found = read_customers(&rows)?.into_iter().next();
    Ok(found.map(|(asked, customer)| Found { through_merge: asked != customer.id, customer }))
}
