//! Email addresses that several customers may share.

use std::collections::BTreeMap;

use patron_rules::customer::CustomerId;
use patron_rules::decide::Plan;
use patron_rules::identifier::IdentifierKind;
use patron_rules::settings::Settings;

use super::connection::{Connection, Parameter};
use super::customer;
use super::working::Working;
use crate::rows::customer::shared_email;
use crate::rows::{Row as _, corrupt, identifier_value};
use crate::{Error, Found, TenantId};

/// Which addresses customers have by now: `true` is gained, `false` given up.
pub(super) type SharedEmails = BTreeMap<(String, CustomerId), bool>;

const HOLDERS: &str = "SELECT e.customer_id FROM shared_email e
     JOIN customer c ON c.organisation_id = $1 AND c.customer_id = e.customer_id
     WHERE e.organisation_id = $1 AND e.value = $2 AND c.merged_into IS NULL
     ORDER BY e.customer_id LIMIT 2";
const SURVIVORS: &str = "SELECT DISTINCT c.merged_into AS customer_id FROM shared_email e
     JOIN customer c ON c.organisation_id = $1 AND c.customer_id = e.customer_id
     WHERE e.organisation_id = $1 AND e.value = $2 AND c.merged_into IS NOT NULL
     ORDER BY 1 LIMIT 2";
const RELEASED: &str = "DELETE FROM shared_email e USING unnest($2::TEXT[], $3::BIGINT[])
        AS r (value, customer_id)
     WHERE e.organisation_id = $1 AND e.value = r.value AND e.customer_id = r.customer_id";
const GAINED: &str = "INSERT INTO shared_email (organisation_id, value, customer_id)
     SELECT $1::BIGINT, * FROM unnest($2::TEXT[], $3::BIGINT[])
     ON CONFLICT (organisation_id, value, customer_id) DO NOTHING";

/// The first two customers who have this address; where none has it, those into whom its holders were
/// merged.
pub(super) async fn holders(
    connection: &Connection,
    tenant: TenantId,
    email: &str,
) -> Result<Vec<Found>, Error> {
    let mut found = Vec::new();
    for (sql, through_merge) in [(HOLDERS, false), (SURVIVORS, true)] {
        let read = |row: &tokio_postgres::Row| Ok(CustomerId(row.number("customer_id")?));
        for id in connection.list(sql, &[&tenant.0, &email], read).await? {
            let holder = customer::by_id(connection, tenant, id).await?;
            let holder = holder.ok_or_else(|| corrupt("an email address leads to no customer"))?;
            found.push(Found { through_merge, ..holder });
        }
        if !found.is_empty() {
            break;
        }
    }
    Ok(found)
}

/// Makes the table follow a change of settings: it has the addresses of all customers, or none.
pub(super) async fn follow(
    connection: &Connection,
    tenant: TenantId,
    before: &Settings,
    after: &Settings,
) -> Result<(), Error> {
    let kind = IdentifierKind::Email;
    let sql = match (before.identifies(kind), after.identifies(kind)) {
        (true, false) => &format!(
            "INSERT INTO shared_email (organisation_id, value, customer_id)
             SELECT organisation_id, {value}, customer_id FROM customer
             WHERE organisation_id = $1 AND {value} IS NOT NULL",
            value = identifier_value(kind)
        ),
        (false, true) => "DELETE FROM shared_email WHERE organisation_id = $1",
        _ => return Ok(()),
    };
    connection.execute(sql, &[&tenant.0]).await.map(drop)
}

impl Working {
    /// Notes what changes of the address of a plan's customer.
    pub(super) fn share_email(&mut self, plan: &Plan, settings: &Settings) {
        let (released, gained) = shared_email(plan, settings);
        let values = [(released, false), (gained, true)];
        for (value, is_gained) in values.into_iter().filter_map(|(v, is)| Some((v?, is))) {
            let key = (value.to_owned(), plan.customer.id);
            self.changes.shared_emails.insert(key, is_gained);
        }
    }

    /// Writes what was noted.
    pub(super) async fn write_shared_emails(&self) -> Result<(), Error> {
        for (sql, wanted) in [(RELEASED, false), (GAINED, true)] {
            let rows = self.changes.shared_emails.iter().filter(|(_, is)| **is == wanted);
            let (values, ids): (Vec<&str>, Vec<i64>) =
                rows.map(|((value, id), _)| (value.as_str(), id.0)).unzip();
            if !values.is_empty() {
                let parameters: [Parameter<'_>; 3] = [&self.tenant.0, &values, &ids];
                self.connection.execute(sql, &parameters).await?;
            }
        }
        Ok(())
    }
}
