//! Cards. Those of a customer who was merged are their survivor's.

use jiff::Timestamp;
use patron_rules::card::{Card, CardFacts, CardRequest};
use patron_rules::customer::{Customer, CustomerId};
use rusqlite::{Connection, OptionalExtension};

use super::customer;
use super::rows::list;
use crate::rows::Row as _;
use crate::{Error, TenantId};

/// To whom the card of this number was issued.
pub(super) fn issued_to(
    connection: &Connection,
    tenant: TenantId,
    number: &str,
) -> Result<Option<CustomerId>, Error> {
    let found = connection
        .prepare_cached("SELECT customer_id FROM card WHERE organisation_id = ?1 AND number = ?2")?
        .query_row((tenant.0, number), |row| row.get(0))
        .optional()?;
    Ok(found.map(CustomerId))
}

/// The cards of a customer, in the order of their numbers.
pub(super) fn of(
    connection: &Connection,
    tenant: TenantId,
    customer: CustomerId,
) -> Result<Vec<Card>, Error> {
    list(
        connection,
        "SELECT number, series FROM card WHERE organisation_id = ?1 AND customer_id IN (
            SELECT ?2
            UNION ALL
            SELECT customer_id FROM customer WHERE organisation_id = ?1 AND merged_into = ?2)
         ORDER BY number",
        (tenant.0, customer.0),
        |row| Ok(Card { number: row.text("number")?, series: row.maybe_text("series")?, customer }),
    )
}

/// What bears on the card that is called for.
pub(super) fn facts(
    connection: &Connection,
    tenant: TenantId,
    asked: &CardRequest,
    customers: &[Customer],
) -> Result<CardFacts, Error> {
    let mut held = Vec::new();
    for customer in customers {
        held.extend(of(connection, tenant, customer.id)?);
    }
    let holder = match &asked.number {
        Some(number) => issued_to(connection, tenant, number)?,
        None => None,
    };
    let holder = holder.map(|id| customer::survivor(connection, tenant, id)).transpose()?;
    Ok(CardFacts { held, holder })
}

/// Issues a card.
pub(super) fn insert(
    connection: &Connection,
    tenant: TenantId,
    card: &Card,
    now: Timestamp,
) -> Result<(), Error> {
    connection
        .prepare_cached(
            "INSERT INTO card (organisation_id, number, customer_id, series, issued_at)
             VALUES (?1, ?2, ?3, ?4, ?5)",
        )?
        .execute((tenant.0, &card.number, card.customer.0, &card.series, now.as_millisecond()))?;
    Ok(())
}
