//! Whether the data are whole: the file, and what must hold between its rows.
//!
//! All of it is read in one transaction, so it is one state, whoever writes meanwhile. Nothing
//! is written.

mod customers;
mod ledgers;
mod references;

use patron_rules::organisation::Organisation;
use rusqlite::Connection;

use super::Tuning;
use super::configuration;
use super::damage::is_damage;
use super::recent::Recent;
use super::rows::list;
use crate::maintenance::{Checked, Part, Watch};
use crate::{Error, TenantId};

/// The name of the part that is about the file.
const FILE: &str = "database file";

/// Checks everything.
pub(super) fn check(connection: &Connection, watch: &mut dyn Watch) -> Result<Checked, Error> {
    connection.execute_batch("BEGIN")?;
    let mut parts = vec![file(connection, watch)?];
    // What SQLite itself cannot make sense of is not worth a second look.
    if parts.iter().all(|part| part.faults == 0) {
        let (part, organisations) = organisations(connection, watch)?;
        parts.push(part);
        let (part_of_recent, recent) = recent(connection, watch)?;
        parts.extend(customers::check(connection, &recent, &organisations, watch)?);
        parts.push(ledgers::check(connection, &organisations, watch)?);
        parts.push(references::identifiers(connection, &organisations, watch)?);
        parts.push(part_of_recent);
        parts.push(being_merged(connection, &recent, watch)?);
        parts.push(references::rows_of_nobody(connection, watch)?);
    }
    connection.execute_batch("COMMIT")?;
    Ok(Checked { parts })
}

/// Data of which SQLite can make nothing are as damaged as those in which it finds a fault.
pub(super) fn or_damage(checked: Result<Checked, Error>) -> Result<Checked, Error> {
    match checked {
        Err(error) if is_damage(&error) => {
            let mut part = Part::new(FILE);
            part.fault(|| error.chain());
            Ok(Checked { parts: vec![part] })
        }
        checked => checked,
    }
}

/// The organisations that can be read.
type Organisations = Vec<(TenantId, Organisation)>;

/// Whether the pages of the file make up tables, each in the order of its key and each key once.
fn file(connection: &Connection, watch: &mut dyn Watch) -> Result<Part, Error> {
    watch.begin(FILE, None);
    let mut part = Part::new(FILE);
    let said = list(connection, "PRAGMA integrity_check", [], |row| Ok(row.get::<_, String>(0)?))?;
    part.looked();
    for text in said.into_iter().filter(|text| text != "ok") {
        part.fault(|| text);
    }
    Ok(part)
}

/// Whether what is set up for each organisation can be read, and no id of a customer would be
/// given twice.
fn organisations(
    connection: &Connection,
    watch: &mut dyn Watch,
) -> Result<(Part, Organisations), Error> {
    watch.begin("organisations", None);
    let mut part = Part::new("organisations");
    let mut loaded = Vec::new();
    for id in list(
        connection,
        "SELECT organisation_id FROM organisation ORDER BY organisation_id",
        [],
        |row| Ok(TenantId(row.get(0)?)),
    )? {
        part.looked();
        match configuration::load(connection, id) {
            Ok(organisation) => loaded.push((id, organisation)),
            Err(error) => part.fault(|| format!("organisation {}: {}", id.0, error.chain())),
        }
        if gives_ids_again(connection, id)? {
            part.fault(|| {
                format!(
                    "organisation {}: the next customers would be given ids that are taken",
                    id.0
                )
            });
        }
    }
    Ok((part, loaded))
}

/// Whether the identifiers that are not in the table yet can be read.
fn recent(connection: &Connection, watch: &mut dyn Watch) -> Result<(Part, Recent), Error> {
    const NAME: &str = "recent identifiers";
    watch.begin(NAME, None);
    let mut part = Part::new(NAME);
    // None are gathered here.
    let limit = Tuning::default().recent_identifiers;
    let recent = match Recent::load(connection, limit) {
        Err(error @ Error::Corrupt(_)) => {
            part.fault(|| error.chain());
            Recent::none(limit)
        }
        loaded => loaded?,
    };
    part.looked_at_more(recent.count());
    Ok((part, recent))
}

/// Whether those of them that are in the table, since the process ended while they were merged, lead
/// to the same customers there.
fn being_merged(
    connection: &Connection,
    recent: &Recent,
    watch: &mut dyn Watch,
) -> Result<Part, Error> {
    const NAME: &str = "identifiers being merged";
    watch.begin(NAME, None);
    let mut part = Part::new(NAME);
    recent.for_each_in_table(connection, |tenant, customer, found| {
        part.looked();
        if found != customer {
            part.fault(|| {
                format!(
                    "organisation {}: a recent identifier of customer {} leads to customer {}",
                    tenant.0, customer.0, found.0
                )
            });
        }
    })?;
    Ok(part)
}

fn gives_ids_again(connection: &Connection, id: TenantId) -> Result<bool, Error> {
    Ok(connection.query_row(
        "SELECT EXISTS (
            SELECT 1 FROM customer
            JOIN organisation USING (organisation_id)
            WHERE organisation_id = ?1 AND customer_id >= next_customer_id)",
        [id.0],
        |row| row.get(0),
    )?)
}
