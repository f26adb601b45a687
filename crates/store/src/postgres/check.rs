//! Whether the data are whole: what must hold between the rows of a database.
//!
//! All of it is read in one transaction, so it is one state while servers go on writing. Nothing is
//! written.

use std::sync::Arc;

use patron_rules::customer::CustomerId;
use patron_rules::identifier::IdentifierKind;
use patron_rules::organisation::Organisation;
use tokio_postgres::Row;

use super::connection::{Connection, Connections, Parameter, PostgresOptions};
use super::copying::rows_of;
use super::working::OWN_ROWS;
use super::{configuration, ledger, migration, organisation};
use crate::maintenance::{Checked, Part, Watch};
use crate::rows::references::{CUSTOMER, ORGANISATION, Orphans, Reference};
use crate::rows::{self, Row as _, identifier_value, kind_number, ledger as rows_of_ledgers};
use crate::{Error, LedgerCheck, OrganisationName, TenantId};

/// The most rows that a query for faults returns.
const FAULTS: usize = 1_000;
/// How many customers are checked together.
const PAGE: i64 = 1_000;

/// The organisations that can be read.
type Organisations = [(TenantId, Organisation)];

/// Checks a database, whether it is served or not.
///
/// # Errors
/// A database that cannot be reached, or whose schema is not the one that this program knows.
pub async fn check(
    options: &PostgresOptions,
    watch: &mut (dyn Watch + Send),
) -> Result<Checked, Error> {
    let connections = Connections::new(options, 1, None, Arc::default())?;
    let connection = connections.get().await?;
    migration::check(&connection).await?;
    connection.is_open(true);
    connection.run("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY").await?;
    let parts = parts(&connection, watch).await?;
    connection.run("ROLLBACK").await?;
    connection.is_open(false);
    Ok(Checked { parts })
}

async fn parts(
    connection: &Connection,
    watch: &mut (dyn Watch + Send),
) -> Result<Vec<Part>, Error> {
    let (part, organisations) = organisations(connection, watch).await?;
    let mut parts = vec![part, ids(connection, watch).await?];
    parts.extend(customers(connection, &organisations, watch).await?);
    parts.push(ledgers(connection, watch).await?);
    parts.push(identifiers(connection, &organisations, watch).await?);
    parts.push(orphans(connection, watch).await?);
    Ok(parts)
}

/// Whether the configuration of each organisation can be read.
async fn organisations(
    connection: &Connection,
    watch: &mut (dyn Watch + Send),
) -> Result<(Part, Vec<(TenantId, Organisation)>), Error> {
    const NAME: &str = "organisations";
    watch.begin(NAME, None);
    let mut part = Part::new(NAME);
    let mut loaded = Vec::new();
    for OrganisationName { id, .. } in organisation::all(connection).await? {
        part.looked();
        match configuration::load(connection, id).await {
            Ok((_, organisation)) => loaded.push((id, organisation)),
            Err(error @ (Error::Corrupt(_) | Error::NoOrganisation | Error::Invalid(_))) => {
                part.fault(|| format!("organisation {}: {}", id.0, error.chain()));
            }
            Err(error) => return Err(error),
        }
    }
    Ok((part, loaded))
}

/// The parts of the check that look at each customer.
struct Customers {
    readable: Part,
    found: Part,
    merged: Part,
    audited: Part,
}

/// Customers of one organisation with ids from the first to the last.
struct Page<'a> {
    connection: &'a Connection,
    tenant: TenantId,
    first: i64,
    last: i64,
}

async fn customers(
    connection: &Connection,
    organisations: &Organisations,
    watch: &mut (dyn Watch + Send),
) -> Result<[Part; 4], Error> {
    let mut parts = Customers {
        readable: Part::new("customers"),
        found: Part::new("customers found by their identifiers"),
        merged: Part::new("customers merged into others"),
        audited: Part::new("audit of customers"),
    };
    watch.begin("customers", Some(rows_of(connection, "customer").await?));
    for (tenant, organisation) in organisations {
        let mut last = i64::MIN;
        loop {
            let sql = "SELECT customer_id FROM customer
                 WHERE organisation_id = $1 AND customer_id > $2 ORDER BY customer_id LIMIT $3";
            let parameters: [Parameter<'_>; 3] = [&tenant.0, &last, &PAGE];
            let ids = connection.list(sql, &parameters, |row| row.number("customer_id")).await?;
            let (Some(first), Some(end)) = (ids.first(), ids.last()) else { break };
            let page = Page { connection, tenant: *tenant, first: *first, last: *end };
            last = *end;
            page.read(&mut parts.readable).await?;
            page.find(organisation, &mut parts.found).await?;
            page.merged(&mut parts.merged).await?;
            page.audited(&mut parts.audited).await?;
            let looked = u64::try_from(ids.len()).unwrap_or_default();
            for part in
                [&mut parts.readable, &mut parts.found, &mut parts.merged, &mut parts.audited]
            {
                part.looked_at_more(looked);
            }
            watch.reach(parts.readable.looked_at);
        }
    }
    let Customers { readable, found, merged, audited } = parts;
    Ok([readable, found, merged, audited])
}

impl Page<'_> {
    /// The rows of a statement that takes the organisation, the first and the last customer.
    async fn rows(&self, sql: &str) -> Result<Vec<Row>, Error> {
        self.connection.query(sql, &[&self.tenant.0, &self.first, &self.last]).await
    }

    fn describe(&self, row: &Row, what: &str) -> Result<String, Error> {
        let customer = row.number("customer_id")?;
        Ok(format!("organisation {}, customer {customer}: {what}", self.tenant.0))
    }

    /// Whether each customer and enrolment can be read.
    async fn read(&self, part: &mut Part) -> Result<(), Error> {
        for row in self.rows(OWN_ROWS).await? {
            let enrolment = match row.maybe_number("programme_id")? {
                Some(_) => rows::enrolment::from_row(&row).map(|one| vec![one]),
                None => Ok(Vec::new()),
            };
            let id = CustomerId(row.number("customer_id")?);
            let read = enrolment.and_then(|own| rows::customer::from_row(&row, id, own));
            if let Err(error) = read {
                let what = self.describe(&row, &error.chain())?;
                part.fault(|| what);
            }
        }
        Ok(())
    }

    /// Whether each customer is found by their identifiers, so that no other customer has them.
    async fn find(&self, organisation: &Organisation, part: &mut Part) -> Result<(), Error> {
        let kinds = IdentifierKind::ALL.into_iter();
        for kind in kinds.filter(|kind| organisation.settings.identifies(*kind)) {
            let sql = format!(
                "SELECT c.customer_id, COALESCE(h.merged_into, i.customer_id) AS holder
                 FROM (SELECT customer_id, {} AS value FROM customer
                       WHERE organisation_id = $1 AND customer_id BETWEEN $2 AND $3
                           AND merged_into IS NULL) c
                 LEFT JOIN identifier i
                     ON i.organisation_id = $1 AND i.kind = {} AND i.value = c.value
                 LEFT JOIN customer h
                     ON h.organisation_id = $1 AND h.customer_id = i.customer_id
                 WHERE c.value IS NOT NULL
                     AND COALESCE(h.merged_into, h.customer_id) IS DISTINCT FROM c.customer_id",
                identifier_value(kind),
                kind_number(kind),
            );
            for row in self.rows(&sql).await? {
                let what = match row.maybe_number("holder")? {
                    Some(holder) => format!("their {kind} leads to customer {holder}"),
                    None => format!("their {kind} leads to no customer"),
                };
                let what = self.describe(&row, &what)?;
                part.fault(|| what);
            }
        }
        Ok(())
    }

    /// Whether each merged customer leads to one who is not, and the merge can be undone.
    async fn merged(&self, part: &mut Part) -> Result<(), Error> {
        let sql = "SELECT c.customer_id, c.merged_into, s.customer_id AS survivor,
                s.merged_into AS next, m.victim_id AS kept
             FROM customer c
             LEFT JOIN customer s
                 ON s.organisation_id = c.organisation_id AND s.customer_id = c.merged_into
             LEFT JOIN merge m
                 ON m.organisation_id = c.organisation_id AND m.victim_id = c.customer_id
             WHERE c.organisation_id = $1 AND c.customer_id BETWEEN $2 AND $3
                 AND (c.merged_into IS NOT NULL OR m.victim_id IS NOT NULL)";
        for row in self.rows(sql).await? {
            let is_merged = row.maybe_number("merged_into")?.is_some();
            let is_kept = row.maybe_number("kept")?.is_some();
            let survivor = row.maybe_number("survivor")?;
            let faults = [
                (is_merged && survivor.is_none(), "they were merged into no customer"),
                (row.maybe_number("next")?.is_some(), "their survivor was merged as well"),
                (is_merged && !is_kept, "what they were before they were merged is lost"),
                (!is_merged && is_kept, "a merge of them is stored, but they were not merged"),
            ];
            for (_, what) in faults.into_iter().filter(|(is_fault, _)| *is_fault) {
                let what = self.describe(&row, what)?;
                part.fault(|| what);
            }
        }
        Ok(())
    }

    /// Whether the audit has every entry of each customer.
    async fn audited(&self, part: &mut Part) -> Result<(), Error> {
        let sql = "SELECT c.customer_id, count(a.entry) AS entries,
                COALESCE(max(a.entry), 0) AS newest
             FROM customer c
             LEFT JOIN audit_entry a
                 ON a.organisation_id = c.organisation_id AND a.customer_id = c.customer_id
             WHERE c.organisation_id = $1 AND c.customer_id BETWEEN $2 AND $3
             GROUP BY c.customer_id
             HAVING count(a.entry) = 0 OR count(a.entry) <> COALESCE(max(a.entry), 0)";
        for row in self.rows(sql).await? {
            let (entries, newest) = (row.number("entries")?, row.number("newest")?);
            let what = match entries {
                0 => "the audit has no entry".to_owned(),
                _ => format!("the audit has {entries} entries, up to number {newest}"),
            };
            let what = self.describe(&row, &what)?;
            part.fault(|| what);
        }
        Ok(())
    }
}

/// Whether no id of a customer would be given twice.
pub(super) async fn ids(
    connection: &Connection,
    watch: &mut (dyn Watch + Send),
) -> Result<Part, Error> {
    const NAME: &str = "ids of customers";
    watch.begin(NAME, None);
    let mut part = Part::new(NAME);
    let sql = format!(
        "SELECT b.organisation_id FROM id_block b WHERE EXISTS (
            SELECT 1 FROM customer c WHERE c.organisation_id = b.organisation_id
                AND c.customer_id >= b.next_customer_id)
         ORDER BY b.organisation_id LIMIT {FAULTS}"
    );
    for organisation in connection.list(&sql, &[], |row| row.number("organisation_id")).await? {
        part.fault(|| {
            format!(
                "organisation {organisation}: the next customers would be given ids that are taken"
            )
        });
    }
    part.looked_at_more(rows_of(connection, "id_block").await?);
    Ok(part)
}

/// Whether balances are the sums of their ledgers.
pub(super) async fn ledgers(
    connection: &Connection,
    watch: &mut (dyn Watch + Send),
) -> Result<Part, Error> {
    const NAME: &str = "ledgers";
    watch.begin(NAME, None);
    let mut part = Part::new(NAME);
    for OrganisationName { id, name, .. } in organisation::all(connection).await? {
        let mut tell = |told| match told {
            LedgerCheck::Progress { .. } => {}
            LedgerCheck::Difference(difference) => {
                part.fault(|| rows_of_ledgers::describe(id, &difference));
            }
            LedgerCheck::Done { customers } => part.looked_at_more(customers),
        };
        ledger::compare(connection, &name, &mut tell).await?;
    }
    Ok(part)
}

/// Whether the customer to whom each identifier leads has it, and whether the organisation looks
/// customers up by its kind.
pub(super) async fn identifiers(
    connection: &Connection,
    organisations: &Organisations,
    watch: &mut (dyn Watch + Send),
) -> Result<Part, Error> {
    const NAME: &str = "identifiers";
    watch.begin(NAME, None);
    let mut part = Part::new(NAME);
    for kind in IdentifierKind::ALL {
        let sql = format!(
            "SELECT i.organisation_id, i.customer_id FROM identifier i
             LEFT JOIN customer c ON c.organisation_id = i.organisation_id
                AND c.customer_id = i.customer_id
             WHERE i.kind = {} AND {} IS DISTINCT FROM i.value
             ORDER BY i.organisation_id, i.customer_id LIMIT {FAULTS}",
            kind_number(kind),
            identifier_value(kind),
        );
        let read = |row: &tokio_postgres::Row| {
            Ok((row.number("organisation_id")?, row.number("customer_id")?))
        };
        for (organisation, customer) in connection.list(&sql, &[], read).await? {
            part.fault(|| {
                format!(
                    "organisation {organisation}: one {kind} leads to customer {customer}, who does \
                     not have it"
                )
            });
        }
    }
    for (tenant, organisation) in organisations {
        unused_identifiers(connection, *tenant, organisation, &mut part).await?;
    }
    part.looked_at_more(rows_of(connection, "identifier").await?);
    Ok(part)
}

/// Counts identifiers of kinds by which the organisation looks no customer up.
async fn unused_identifiers(
    connection: &Connection,
    tenant: TenantId,
    organisation: &Organisation,
    part: &mut Part,
) -> Result<(), Error> {
    for kind in
        IdentifierKind::ALL.into_iter().filter(|one| !organisation.settings.identifies(*one))
    {
        let sql = "SELECT customer_id FROM identifier
             WHERE organisation_id = $1 AND kind = $2::BIGINT ORDER BY customer_id LIMIT $3";
        let limit = i64::try_from(FAULTS).unwrap_or(i64::MAX);
        let parameters: [Parameter<'_>; 3] = [&tenant.0, &kind_number(kind), &limit];
        for customer in connection.list(sql, &parameters, |row| row.number("customer_id")).await? {
            part.fault(|| {
                format!(
                    "organisation {}: one {kind} leads to customer {customer}, though customers are \
                     not looked up by that",
                    tenant.0
                )
            });
        }
    }
    Ok(())
}

/// Whether each row belongs to a customer and an organisation that exist.
async fn orphans(connection: &Connection, watch: &mut (dyn Watch + Send)) -> Result<Part, Error> {
    const NAME: &str = "rows of customers and organisations";
    let mut part = Part::new(NAME);
    let sql = "SELECT c.relname::TEXT AS table_name, a.attname::TEXT AS column_name
         FROM pg_catalog.pg_class c
         JOIN pg_catalog.pg_attribute a ON a.attrelid = c.oid
         WHERE c.relkind IN ('r', 'p') AND c.relnamespace = current_schema()::regnamespace
             AND a.attname::TEXT IN ($1, $2) ORDER BY 1, 2";
    let read = |row: &Row| {
        Ok(Reference { table: row.text("table_name")?, column: row.text("column_name")? })
    };
    let references = Reference::all(connection.list(sql, &[&CUSTOMER, &ORGANISATION], read).await?);
    watch.begin(NAME, u64::try_from(references.len()).ok());
    for (done, reference) in (1..).zip(references) {
        let sql = format!("{} ORDER BY 1, 2 LIMIT {FAULTS}", reference.orphans());
        let read = |row: &Row| {
            let [organisation, id, rows] =
                ["organisation", "id", "count"].map(|name| row.number(name));
            Ok(Orphans { organisation: organisation?, id: id?, rows: rows? })
        };
        for orphans in connection.list(&sql, &[], read).await? {
            part.fault(|| reference.describe(&orphans));
        }
        part.looked();
        watch.reach(done);
    }
    Ok(part)
}
