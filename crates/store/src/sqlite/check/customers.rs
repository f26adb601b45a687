//! What must hold of each customer.

use patron_rules::customer::{Customer, CustomerId};
use patron_rules::organisation::Organisation;
use rusqlite::Connection;

use super::Organisations;
use crate::maintenance::{Part, Watch};
use crate::sqlite::customer;
use crate::sqlite::recent::Recent;
use crate::sqlite::rows::list;
use crate::{Error, Lookup, TenantId};

/// How many customers are read between two words on how far it has come.
const PAGE: u32 = 1_000;

/// A customer, as far as it is read for a check.
struct Subject<'a> {
    /// What is not in the table of identifiers.
    recent: &'a Recent,
    tenant: TenantId,
    organisation: &'a Organisation,
    customer: &'a Customer,
    /// Into whom they were merged.
    survivor: Option<CustomerId>,
}

/// Something that must hold of each customer.
struct Rule {
    name: &'static str,
    /// What is wrong, in words.
    faults: fn(&Connection, &Subject<'_>) -> Result<Vec<String>, Error>,
}

const RULES: [Rule; 3] = [
    Rule { name: "customers found by their identifiers", faults: identifiers },
    Rule { name: "customers merged into others", faults: merged },
    Rule { name: "audit of customers", faults: audited },
];

/// Checks each customer: whether they can be read, and each of [`RULES`].
pub(super) fn check(
    connection: &Connection,
    recent: &Recent,
    organisations: &Organisations,
    watch: &mut dyn Watch,
) -> Result<Vec<Part>, Error> {
    let mut readable = Part::new("customers");
    let mut rules: Vec<_> = RULES.into_iter().map(|rule| (Part::new(rule.name), rule)).collect();
    let all: i64 = connection.query_row("SELECT count(*) FROM customer", [], |row| row.get(0))?;
    watch.begin("customers", u64::try_from(all).ok());
    for (tenant, organisation) in organisations {
        let mut last = i64::MIN;
        loop {
            let ids = ids_after(connection, *tenant, last)?;
            let Some(id) = ids.last() else { break };
            last = *id;
            for id in ids.into_iter().map(CustomerId) {
                readable.looked();
                let told =
                    |what: String| format!("organisation {}, customer {}: {what}", tenant.0, id.0);
                let (customer, survivor) = match customer::load(connection, *tenant, id) {
                    Ok(Some(loaded)) => loaded,
                    Ok(None) => continue,
                    Err(error) => {
                        readable.fault(|| told(error.chain()));
                        continue;
                    }
                };
                let subject = Subject {
                    recent,
                    tenant: *tenant,
                    organisation,
                    customer: &customer,
                    survivor,
                };
                for (part, rule) in &mut rules {
                    part.looked();
                    for what in (rule.faults)(connection, &subject)? {
                        part.fault(|| told(what));
                    }
                }
            }
            watch.reach(readable.looked_at);
        }
    }
    let rules = rules.into_iter().map(|(part, _)| part);
    Ok(std::iter::once(readable).chain(rules).collect())
}

fn ids_after(connection: &Connection, tenant: TenantId, last: i64) -> Result<Vec<i64>, Error> {
    list(
        connection,
        "SELECT customer_id FROM customer
         WHERE organisation_id = ?1 AND customer_id > ?2 ORDER BY customer_id LIMIT ?3",
        (tenant.0, last, PAGE),
        |row| Ok(row.get(0)?),
    )
}

/// Whoever has an identifier by which customers are found is found by it. So nobody else has it.
fn identifiers(connection: &Connection, subject: &Subject<'_>) -> Result<Vec<String>, Error> {
    let Subject { recent, tenant, organisation, customer, survivor } = subject;
    // Those of a customer who was merged may have gone to somebody else since.
    if survivor.is_some() {
        return Ok(Vec::new());
    }
    let mut faults = Vec::new();
    for (kind, key) in customer.identifiers.keys() {
        if !organisation.settings.identifies(kind) {
            continue;
        }
        let by = Lookup::Identifier(kind, key.to_owned());
        match customer::find(connection, *recent, *tenant, &by) {
            Ok(Some(found)) if found.customer.id == customer.id => {}
            Ok(Some(found)) => {
                faults.push(format!("their {kind} leads to customer {}", found.customer.id.0));
            }
            Ok(None) => faults.push(format!("nobody is found by their {kind}")),
            Err(error @ Error::Corrupt(_)) => faults.push(format!("their {kind}: {error}")),
            Err(error) => return Err(error),
        }
    }
    Ok(faults)
}

/// Whoever was merged leads to a customer who was not, and can be told apart again.
fn merged(connection: &Connection, subject: &Subject<'_>) -> Result<Vec<String>, Error> {
    let Subject { tenant, customer, survivor, .. } = subject;
    let mut faults = Vec::new();
    if survivor.is_some() {
        match customer::find_by_id(connection, *tenant, customer.id) {
            Ok(Some(_)) => {}
            Ok(None) => faults.push("they were merged into nobody".to_owned()),
            Err(error @ Error::Corrupt(_)) => faults.push(format!("they were merged: {error}")),
            Err(error) => return Err(error),
        }
    }
    let kept: bool = connection
        .prepare_cached(
            "SELECT EXISTS (SELECT 1 FROM merge WHERE organisation_id = ?1 AND victim_id = ?2)",
        )?
        .query_row((tenant.0, customer.id.0), |row| row.get(0))?;
    let fault = match (survivor, kept) {
        (Some(_), false) => Some("what they were before they were merged is lost"),
        (None, true) => Some("a merge is kept of them, but they were not merged"),
        _ => None,
    };
    faults.extend(fault.map(str::to_owned));
    Ok(faults)
}

/// The audit tells of them from their first entry on, and none of its entries is missing.
fn audited(connection: &Connection, subject: &Subject<'_>) -> Result<Vec<String>, Error> {
    let (count, newest): (i64, i64) = connection
        .prepare_cached(
            "SELECT count(*), coalesce(max(entry), 0) FROM audit_entry
             WHERE organisation_id = ?1 AND customer_id = ?2",
        )?
        .query_row((subject.tenant.0, subject.customer.id.0), |row| {
            Ok((row.get(0)?, row.get(1)?))
        })?;
    Ok(match (count, newest) {
        (0, _) => vec!["the audit does not tell of them".to_owned()],
        _ if count != newest => {
            vec![format!("the audit has {count} entries, up to number {newest}")]
        }
        _ => Vec::new(),
    })
}
