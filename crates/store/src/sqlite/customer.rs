//! A customer's row, and what they were before they were merged.

use jiff::Timestamp;
use patron_rules::customer::{Customer, CustomerId, Enrolment};
use patron_rules::decide::{Merged, Plan};
use patron_rules::identifier::{Email, ExternalId, Identifiers, Mobile};
use patron_rules::organisation::TillId;
use patron_rules::profile::{CustomerType, FieldValue, FraudStatus, Name, Source};
use patron_rules::submission::Kept;
use rusqlite::{Connection, Row, params};
use serde::{Serialize, de::DeserializeOwned};

use super::recent::Holders;
use super::rows::{corrupt, from_json, timestamp, to_json};
use super::{cards, enrolment};
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
    let survivor: Option<i64> = row.get("merged_into")?;
    let customer = from_row(row, id, enrolment::of_customer(connection, tenant, id)?)?;
    Ok(Some((customer, survivor.map(CustomerId))))
}

fn from_row(row: &Row<'_>, id: CustomerId, enrolments: Vec<Enrolment>) -> Result<Customer, Error> {
    let customer_type: String = row.get("type")?;
    let mobile: Option<String> = row.get("mobile")?;
    let mobile_sent: Option<String> = row.get("mobile_sent")?;
    let email: Option<String> = row.get("email")?;
    let external_id: Option<String> = row.get("external_id")?;
    let first_name: Option<String> = row.get("first_name")?;
    let last_name: Option<String> = row.get("last_name")?;
    let associated_till: Option<i64> = row.get("associated_till")?;
    let fraud_status: Option<String> = row.get("fraud_status")?;
    Ok(Customer {
        id,
        identifiers: Identifiers {
            mobile: mobile.map(|digits| Mobile::stored(digits, mobile_sent)),
            email: email.map(Email::stored),
            external_id: external_id.map(ExternalId::stored),
        },
        first_name: first_name.map(Name::stored),
        last_name: last_name.map(Name::stored),
        customer_type: CustomerType::parse(&customer_type)
            .ok_or_else(|| corrupt("a customer of no known type"))?,
        source: Source::stored(row.get("source")?),
        account_id: row.get("account_id")?,
        registered_at: timestamp(row.get("registered_at")?)?,
        updated_at: timestamp(row.get("updated_at")?)?,
        registered_till: TillId(row.get("registered_till")?),
        associated_till: associated_till.map(TillId),
        fraud_status: fraud_status.map(FraudStatus::stored),
        channels: list_from_json(row.get("channels")?)?,
        subscriptions: list_from_json(row.get("subscriptions")?)?,
        kept: kept(row.get("kept")?)?,
        custom_fields: field_values(row.get("custom_fields")?)?,
        extended_fields: field_values(row.get("extended_fields")?)?,
        enrolments,
    })
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
            "INSERT OR REPLACE INTO customer (
                organisation_id, customer_id, mobile, mobile_sent, email, external_id, first_name,
                last_name, type, source, account_id, registered_at, updated_at, registered_till,
                associated_till, fraud_status, channels, subscriptions, kept, custom_fields,
                extended_fields, recent)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17,
                ?18, ?19, ?20, ?21, ?22)",
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

/// A customer as JSON, whole.
fn snapshot(customer: &Customer) -> serde_json::Value {
    let Identifiers { mobile, email, external_id } = &customer.identifiers;
    serde_json::json!({
        "mobile": mobile.as_ref().map(Mobile::digits),
        "mobile_sent": mobile.as_ref().map(Mobile::sent),
        "email": email.as_ref().map(Email::as_str),
        "external_id": external_id.as_ref().map(ExternalId::as_str),
        "first_name": customer.first_name.as_ref().map(Name::as_str),
        "last_name": customer.last_name.as_ref().map(Name::as_str),
        "type": customer.customer_type.name(),
        "source": customer.source.name(),
        "account_id": customer.account_id,
        "registered_at": customer.registered_at.as_millisecond(),
        "updated_at": customer.updated_at.as_millisecond(),
        "registered_till": customer.registered_till.0,
        "associated_till": customer.associated_till.map(|till| till.0),
        "fraud_status": customer.fraud_status.as_ref().map(FraudStatus::name),
        "channels": customer.channels,
        "subscriptions": customer.subscriptions,
        "kept": kept_pairs(&customer.kept),
        "custom_fields": field_pairs(&customer.custom_fields),
        "extended_fields": field_pairs(&customer.extended_fields),
        "enrolments": customer.enrolments.iter().map(enrolment::snapshot).collect::<Vec<_>>(),
    })
}

fn kept_pairs(kept: &Kept) -> Vec<(&'static str, &str)> {
    let Kept { gender, ndnc_status, test_control_status } = kept;
    [("gender", gender), ("ndnc_status", ndnc_status), ("test_control_status", test_control_status)]
        .into_iter()
        .filter_map(|(name, value)| Some((name, value.as_deref()?)))
        .collect()
}

fn kept(json: Option<String>) -> Result<Kept, Error> {
    let mut kept = Kept::default();
    for (name, value) in list_from_json::<(String, String)>(json)? {
        let member = match name.as_str() {
            "gender" => &mut kept.gender,
            "ndnc_status" => &mut kept.ndnc_status,
            "test_control_status" => &mut kept.test_control_status,
            _ => return Err(corrupt("something kept under no known name")),
        };
        *member = Some(value);
    }
    Ok(kept)
}

fn field_pairs(values: &[FieldValue]) -> Vec<(&str, &str)> {
    values.iter().map(|field| (field.name.as_str(), field.value.as_str())).collect()
}

fn field_values(json: Option<String>) -> Result<Vec<FieldValue>, Error> {
    let pairs: Vec<(String, String)> = list_from_json(json)?;
    Ok(pairs.into_iter().map(|(name, value)| FieldValue { name, value }).collect())
}

/// The list as JSON; `None` where it is empty.
fn list_to_json<T: Serialize>(list: &[T]) -> Result<Option<String>, Error> {
    (!list.is_empty()).then(|| to_json(list)).transpose()
}

fn list_from_json<T: DeserializeOwned>(json: Option<String>) -> Result<Vec<T>, Error> {
    json.map_or_else(|| Ok(Vec::new()), |text| from_json(&text))
}
