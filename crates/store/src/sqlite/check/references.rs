//! Rows that name a customer or an organisation: whether there is one.

use patron_rules::identifier::IdentifierKind;
use rusqlite::Connection;

use super::Organisations;
use crate::Error;
use crate::maintenance::{Part, Watch};
use crate::rows::references::{CUSTOMER, ORGANISATION, Orphans, Reference};
use crate::rows::{identifier_value, kind_number};
use crate::sqlite::rows::list;

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
    for (done, reference) in (1..).zip(references) {
        let orphans = list(connection, &reference.orphans(), [], |row| {
            Ok(Orphans { organisation: row.get(0)?, id: row.get(1)?, rows: row.get(2)? })
        })?;
        for orphans in orphans {
            part.fault(|| reference.describe(&orphans));
        }
        part.looked();
        watch.reach(done);
    }
    Ok(part)
}

fn references(connection: &Connection) -> Result<Vec<Reference>, Error> {
    let named = list(
        connection,
        "SELECT t.name, c.name FROM sqlite_schema AS t, pragma_table_info(t.name) AS c
         WHERE t.type = 'table' AND c.name IN (?1, ?2) ORDER BY t.name, c.name",
        (CUSTOMER, ORGANISATION),
        |row| Ok(Reference { table: row.get(0)?, column: row.get(1)? }),
    )?;
    Ok(Reference::all(named))
}
