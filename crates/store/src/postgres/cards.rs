//! Cards. Those of a customer who was merged are their survivor's.

use patron_rules::card::Card;
use patron_rules::customer::CustomerId;

use super::connection::Connection;
use crate::rows::Row as _;
use crate::{Error, TenantId};

/// To whom the card of this number was issued.
pub(super) async fn issued_to(
    connection: &Connection,
    tenant: TenantId,
    number: &str,
) -> Result<Option<CustomerId>, Error> {
    let sql = "SELECT customer_id FROM card WHERE organisation_id = $1 AND number = $2";
    let read = |row: &tokio_postgres::Row| Ok(CustomerId(row.number("customer_id")?));
    connection.first(sql, &[&tenant.0, &number], read).await
}

/// The cards of a customer, in the order of their numbers.
pub(super) async fn of(
    connection: &Connection,
    tenant: TenantId,
    customer: CustomerId,
) -> Result<Vec<Card>, Error> {
    let sql = "SELECT d.number, d.series FROM customer c
         JOIN card d ON d.organisation_id = $1 AND d.customer_id = c.customer_id
         WHERE c.organisation_id = $1 AND (c.customer_id = $2 OR c.merged_into = $2)
         ORDER BY d.number";
    let read = |row: &tokio_postgres::Row| {
        Ok(Card { number: row.text("number")?, series: row.maybe_text("series")?, customer })
    };
    connection.list(sql, &[&tenant.0, &customer.0], read).await
}
