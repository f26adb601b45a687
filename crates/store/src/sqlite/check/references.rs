//! Rows that name a customer or an organisation: whether there is one.

use patron_rules::identifier::IdentifierKind;
use rusqlite::Connection;

use super::Organisations;
use crate::Error;
use crate::maintenance::{Part, Watch};
use crate::rows::{identifier_value, kind_number};
use crate::sqlite::rows::list;

/// By these names a column names a customer or an organisation, in every table.
const CUSTOMER: &str = "customer_id";
const ORGANISATION: &str = "organisation_id";
/// Which customer or organisation nobody is.
const NOBODY: i64 = 0;
/// Columns that name a customer by another name.
const CUSTOMERS: [(&str, &str); 4] = [
    ("customer", "merged_into"),
    ("ledger_entry", "other_id"),
    ("merge", "survivor_id"),
    ("merge", "victim_id"),
];

/// Whether the customer to whom each identifier leads has it, and customers are found by its kind.
pub(super) fn identifiers(
    connection: &Connection,
    organisations: &Organisations,
    watch: &mut dyn Watch,
) -> Result<Part, Error> {
    let mut part = Part::new("identifiers");
    watch.begin("identifiers", None);
    for (tenant, organisation) in organisations {
        for kind in IdentifierKind::ALL {
            let sql = format!(
                "SELECT i.customer_id, {} IS i.value FROM identifier i
                 LEFT JOIN customer c USING (organisation_id, customer_id)
                 WHERE i.organisation_id = ?1 AND i.kind = ?2",
                identifier_value(kind)
            );
            let mut statement = connection.prepare(&sql)?;
            let mut rows = statement.query((tenant.0, kind_number(kind)))?;
            while let Some(row) = rows.next()? {
                part.looked();
                let (customer, is_theirs): (i64, bool) = (row.get(0)?, row.get(1)?);
                let told = |what| {
                    format!(
                        "organisation {}: one {kind} leads to customer {customer}, {what}",
                        tenant.0
                    )
                };
                if !is_theirs {
                    part.fault(|| told("who does not have it"));
                } else if !organisation.settings.identifies(kind) {
                    part.fault(|| told("though nobody is found by that"));
                }
            }
        }
    }
    Ok(part)
}

/// Whether each row belongs to a customer and an organisation that are there.
pub(super) fn rows_of_nobody(
    connection: &Connection,
    watch: &mut dyn Watch,
) -> Result<Part, Error> {
    let mut part = Part::new("rows of customers and organisations");
    let references = references(connection)?;
    watch.begin("rows of customers and organisations", u64::try_from(references.len()).ok());
    for (done, Reference { table, column }) in (1..).zip(references) {
        let (owner, key) = if column == ORGANISATION {
            ("organisation", format!("owner.{ORGANISATION} = row.{ORGANISATION}"))
        } else {
            let organisation = format!("owner.{ORGANISATION} = row.{ORGANISATION}");
            ("customer", format!("{organisation} AND owner.{CUSTOMER} = row.{column}"))
        };
        let sql = format!(
            "SELECT {ORGANISATION}, {column}, count(*) FROM {table} AS row
             WHERE {column} <> {NOBODY}
                 AND NOT EXISTS (SELECT 1 FROM {owner} AS owner WHERE {key})
             GROUP BY {ORGANISATION}, {column}"
        );
        let orphans = list(connection, &sql, [], |row| {
            Ok((row.get::<_, i64>(0)?, row.get::<_, i64>(1)?, row.get::<_, i64>(2)?))
        })?;
        for (organisation, id, count) in orphans {
            part.fault(|| {
                format!(
                    "organisation {organisation}: `{table}` names {owner} {id} in {column}, \
                     which does not exist (rows: {count})"
                )
            });
        }
        part.looked();
        watch.reach(done);
    }
    Ok(part)
}

/// A column that names a customer or an organisation.
struct Reference {
    table: String,
    column: String,
}

fn references(connection: &Connection) -> Result<Vec<Reference>, Error> {
    let named = list(
        connection,
        "SELECT t.name, c.name FROM sqlite_schema AS t, pragma_table_info(t.name) AS c
         WHERE t.type = 'table' AND c.name IN (?1, ?2) ORDER BY t.name, c.name",
        (CUSTOMER, ORGANISATION),
        |row| Ok(Reference { table: row.get(0)?, column: row.get(1)? }),
    )?;
    let owns = |reference: &Reference| {
        matches!(
            (reference.table.as_str(), reference.column.as_str()),
            ("customer", CUSTOMER) | ("organisation", ORGANISATION)
        )
    };
    let others = CUSTOMERS
        .into_iter()
        .map(|(table, column)| Reference { table: table.to_owned(), column: column.to_owned() });
    Ok(named.into_iter().filter(|reference| !owns(reference)).chain(others).collect())
}
