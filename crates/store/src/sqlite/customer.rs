//! A customer's row, and what they were before they were merged.

use jiff::Timestamp;
use patron_rules::customer::{Customer, CustomerId};
use patron_rules::decide::{Merged, Plan};
use patron_rules::identifier::{Email, ExternalId, Identifiers, Mobile};
use patron_rules::profile::{FraudStatus, Name};
use rusqlite::{Connection, params};

use super::recent::Holders;
use super::rows::InOrder;
use super::{cards, enrolment};
use crate::rows::customer::{field_pairs, kept_pairs, snapshot};
use crate::rows::{self, Row as _, corrupt, list_to_json};
use crate::{Error, Found, Lookup, TenantId};

/// How many merges may lie between an identifier and its customer.
const MERGES_LIMIT: usize = 1_000;

/// Finds a customer, following whoever was merged to their survivor.
pub(super) fn find(
    connection: &Connection,
    holders: &impl Holders,
    tenant: TenantId,
    by: &Lookup,
) -> Result<Option<Found>, Error> {
    let (kind, key) = match by {
        Lookup::Id(id) => return find_by_id(connection, tenant, *id),
        Lookup::Card(number) => {
            let holder = cards::issued_to(connection, tenant, number)?;
            return holder.map(|id| led_to(connection, tenant, id)).transpose();
        }
        Lookup::Identifier(kind, key) => (*kind, key.as_str()),
    };
    let Some(holder) = holders.holder(connection, tenant, kind, key)? else { return Ok(None) };
    let Found { customer, through_merge } = led_to(connection, tenant, holder)?;
    // What the survivor took over is their own.
    let own = customer.identifiers.key(kind) == Some(key);
    Ok(Some(Found { customer, through_merge: through_merge && !own }))
}

/// Finds a customer by their id, following whoever was merged to their survivor.
pub(super) fn find_by_id(
    connection: &Connection,
    tenant: TenantId,
    mut id: CustomerId,
) -> Result<Option<Found>, Error> {
    for merges in 0..MERGES_LIMIT {
        match load(connection, tenant, id)? {
            Some((_, Some(survivor))) => id = survivor,
            Some((customer, None)) => {
                return Ok(Some(Found { customer, through_merge: merges > 0 }));
            }
            None if merges == 0 => return Ok(None),
            None => return Err(corrupt("a merge leads to no customer")),
        }
    }
    Err(corrupt("merges lead to no end"))
}

/// The customer to whom something of theirs leads.
fn led_to(connection: &Connection, tenant: TenantId, id: CustomerId) -> Result<Found, Error> {
    let found = find_by_id(connection, tenant, id)?;
    found.ok_or_else(|| corrupt("an identifier leads to no customer"))
}

/// Into whom a customer was merged; they themselves where they were not.
pub(super) fn survivor(
    connection: &Connection,
    tenant: TenantId,
    id: CustomerId,
) -> Result<CustomerId, Error> {
    let survivor: Option<i64> = connection
        .prepare_cached(
            "SELECT merged_into FROM customer WHERE organisation_id = ?1 AND customer_id = ?2",
        )?
        .query_row((tenant.0, id.0), |row| row.get(0))?;
    Ok(survivor.map_or(id, CustomerId))
}

/// Loads a customer whole, and the id of whom they were merged into.
pub(super) fn load(
    connection: &Connection,
    tenant: TenantId,
    id: CustomerId,
) -> Result<Option<(Customer, Option<CustomerId>)>, Error> {
    let mut statement = connection.prepare_cached(
        "SELECT mobile, mobile_sent, email, external_id, first_name, last_name, type, source,
                account_id, registered_at, updated_at, registered_till, associated_till,
                fraud_status, channels, subscriptions, kept, custom_fields, extended_fields,
                merged_into
         FROM customer WHERE organisation_id = ?1 AND customer_id = ?2",
    )?;
    let mut rows = statement.query((tenant.0, id.0))?;
    let Some(row) = rows.next()? else { return Ok(None) };
    let row = InOrder::of(row);
    let enrolments = enrolment::of_customer(connection, tenant, id)?;
    let customer = rows::customer::from_row(&row, id, enrolments)?;
    Ok(Some((customer, row.maybe_number("merged_into")?.map(CustomerId))))
}

/// Writes a customer and what changed of their enrolments; `recent` are the bits of those
/// identifiers of theirs that are not in the table yet.
pub(super) fn save(
    connection: &Connection,
    tenant: TenantId,
    customer: &Customer,
    before: Option<&Customer>,
    recent: i64,
) -> Result<(), Error> {
    let Identifiers { mobile, email, external_id } = &customer.identifiers;
    let mobile_sent = mobile.as_ref().filter(|mobile| mobile.sent() != mobile.digits());
    connection
        .prepare_cached(
            "INSERT INTO customer (
                organisation_id, customer_id, mobile, mobile_sent, email, external_id, first_name,
                last_name, type, source, account_id, registered_at, updated_at, registered_till,
                associated_till, fraud_status, channels, subscriptions, kept, custom_fields,
                extended_fields, recent)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17,
                ?18, ?19, ?20, ?21, ?22)
             ON CONFLICT (organisation_id, customer_id) DO UPDATE SET
                mobile = excluded.mobile, mobile_sent = excluded.mobile_sent,
                email = excluded.email, external_id = excluded.external_id,
                first_name = excluded.first_name, last_name = excluded.last_name,
                type = excluded.type, source = excluded.source, account_id = excluded.account_id,
                registered_at = excluded.registered_at, updated_at = excluded.updated_at,
                registered_till = excluded.registered_till,
                associated_till = excluded.associated_till, fraud_status = excluded.fraud_status,
                channels = excluded.channels, subscriptions = excluded.subscriptions,
                kept = excluded.kept, custom_fields = excluded.custom_fields,
                extended_fields = excluded.extended_fields, recent = excluded.recent",
        )?
        .execute(params![
            tenant.0,
            customer.id.0,
            mobile.as_ref().map(Mobile::digits),
            mobile_sent.map(Mobile::sent),
            email.as_ref().map(Email::as_str),
            external_id.as_ref().map(ExternalId::as_str),
            customer.first_name.as_ref().map(Name::as_str),
            customer.last_name.as_ref().map(Name::as_str),
            customer.customer_type.name(),
            customer.source.name(),
            customer.account_id,
            customer.registered_at.as_millisecond(),
            customer.updated_at.as_millisecond(),
            customer.registered_till.0,
            customer.associated_till.map(|till| till.0),
            customer.fraud_status.as_ref().map(FraudStatus::name),
            list_to_json(&customer.channels)?,
            list_to_json(&customer.subscriptions)?,
            list_to_json(&kept_pairs(&customer.kept))?,
            list_to_json(&field_pairs(&customer.custom_fields))?,
            list_to_json(&field_pairs(&customer.extended_fields))?,
            recent,
        ])?;
    for held in &customer.enrolments {
        if !before.is_some_and(|before| before.enrolments.contains(held)) {
            enrolment::save(connection, tenant, customer.id, held)?;
        }
    }
    Ok(())
}

/// Writes what becomes of a customer who is merged into another, and both as they were before.
pub(super) fn save_merged(
    connection: &Connection,
    tenant: TenantId,
    merged: &Merged,
    plan: &Plan,
    now: Timestamp,
) -> Result<(), Error> {
    let Merged { survivor, before, after } = merged;
    connection.prepare_cached("INSERT INTO merge VALUES (?1, ?2, ?3, ?4, ?5, ?6)")?.execute(
        params![
            tenant.0,
            before.id.0,
            plan.customer.id.0,
            now.as_millisecond(),
            snapshot(before).to_string(),
            snapshot(survivor).to_string(),
        ],
    )?;
    save(connection, tenant, after, Some(before), 0)?;
    // Whoever was merged into the victim is one step from the survivor, too.
    connection
        .prepare_cached(
            "UPDATE customer SET merged_into = ?3
             WHERE organisation_id = ?1 AND (customer_id = ?2 OR merged_into = ?2)",
        )?
        .execute((tenant.0, before.id.0, plan.customer.id.0))?;
    Ok(())
}
