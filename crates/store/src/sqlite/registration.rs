//! Registration: load the facts, decide, apply the plan.

use jiff::Timestamp;
use patron_rules::codes::{self, Failure};
use patron_rules::customer::CustomerId;
use patron_rules::decide::{Facts, Plan, decide};
use patron_rules::identifier::{IdentifierKind, Identifiers};
use patron_rules::resolve::Holders;
use patron_rules::validate::Registration;
use rusqlite::{Connection, OptionalExtension};

use super::customer;
use super::writer::Writing;
use crate::{Error, Tenant, TenantId};

/// Registers one after the other; a fault with one of them leaves the others.
pub(super) fn register(
    writing: &mut Writing<'_>,
    tenant: &Tenant,
    registrations: Vec<Registration>,
    now: Timestamp,
) -> Result<Vec<Result<Plan, Failure>>, Error> {
    let mut outcomes = Vec::with_capacity(registrations.len());
    for registration in registrations {
        let attempted = writing.attempt(|writing| register_one(writing, tenant, registration, now));
        outcomes.push(match attempted {
            Ok(outcome) => outcome,
            Err(error) if writing.is_over() => return Err(error),
            Err(error) => {
                tracing::error!(error = error.chain(), "a customer could not be written");
                Err(codes::UNEXPECTED_ITEM.into())
            }
        });
    }
    Ok(outcomes)
}

fn register_one(
    writing: &mut Writing<'_>,
    tenant: &Tenant,
    registration: Registration,
    now: Timestamp,
) -> Result<Result<Plan, Failure>, Error> {
    let facts = load(writing, tenant.id, &registration.identifiers, now)?;
    let plan = match decide(tenant.organisation(), registration, &facts) {
        Ok(plan) => plan,
        Err(failure) => return Ok(Err(failure)),
    };
    apply(writing.connection, tenant.id, &plan, now)?;
    if plan.before.is_none() {
        writing.ids.give(tenant.id);
    }
    Ok(Ok(plan))
}

fn load(
    writing: &mut Writing<'_>,
    tenant: TenantId,
    identifiers: &Identifiers,
    now: Timestamp,
) -> Result<Facts, Error> {
    let mut holders = Holders::default();
    let mut customers = Vec::new();
    for (kind, key) in identifiers.keys() {
        let Some(holder) = holder(writing.connection, tenant, kind, key)? else {
            continue;
        };
        holders.add(kind, holder);
        if !customers.iter().any(|known: &patron_rules::customer::Customer| known.id == holder) {
            customers.push(customer::load(writing.connection, tenant, holder)?);
        }
    }
    let next_id = writing.ids.next(writing.connection, tenant)?;
    Ok(Facts { holders, customers, next_id, now })
}

fn holder(
    connection: &Connection,
    tenant: TenantId,
    kind: IdentifierKind,
    key: &str,
) -> Result<Option<CustomerId>, Error> {
    let found = connection
        .prepare_cached(
            "SELECT customer_id FROM identifier
             WHERE organisation_id = ?1 AND kind = ?2 AND value = ?3",
        )?
        .query_row((tenant.0, kind_number(kind), key), |row| row.get(0))
        .optional()?;
    Ok(found.map(CustomerId))
}

fn apply(
    connection: &Connection,
    tenant: TenantId,
    plan: &Plan,
    now: Timestamp,
) -> Result<(), Error> {
    let id = plan.customer.id;
    for (kind, key) in plan.released() {
        connection
            .prepare_cached(
                "DELETE FROM identifier WHERE organisation_id = ?1 AND kind = ?2 AND value = ?3",
            )?
            .execute((tenant.0, kind_number(kind), key))?;
    }
    for (kind, key) in plan.gained() {
        connection
            .prepare_cached(
                "INSERT INTO identifier (organisation_id, kind, value, customer_id, first_seen_at)
                 VALUES (?1, ?2, ?3, ?4, ?5)",
            )?
            .execute((tenant.0, kind_number(kind), key, id.0, now.as_millisecond()))?;
    }
    customer::save(connection, tenant, &plan.customer, plan.before.as_ref())?;
    for entry in &plan.ledger {
        customer::enter(connection, tenant, id, entry, now)?;
    }
    Ok(())
}

/// The kind's number in the table of identifiers.
const fn kind_number(kind: IdentifierKind) -> i64 {
    match kind {
        IdentifierKind::Mobile => 1,
        IdentifierKind::Email => 2,
        IdentifierKind::ExternalId => 3,
    }
}
