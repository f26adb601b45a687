//! Referral codes. Those of a customer who was merged are their survivor's.

use jiff::Timestamp;
use patron_rules::customer::CustomerId;
use patron_rules::organisation::ReferralCampaign;
use patron_rules::referral::{ReferralCode, Referrer};
use rand::Rng;
use rusqlite::{Connection, OptionalExtension};

use super::customer;
use super::rows::list;
use super::writer::Writing;
use crate::rows::corrupt;
use crate::rows::referral::{from_row, missing};
use crate::series::TRIES;
use crate::{Error, Tenant, TenantId};

/// Who has this code.
pub(super) fn referrer(
    connection: &Connection,
    tenant: TenantId,
    code: &str,
) -> Result<Option<Referrer>, Error> {
    let mut statement = connection.prepare_cached(
        "SELECT code, campaign, referrals, customer_id FROM referral_code
         WHERE organisation_id = ?1 AND code = ?2",
    )?;
    let mut rows = statement.query((tenant.0, code))?;
    let Some(row) = rows.next()? else { return Ok(None) };
    let (code, holder) = (from_row(row)?, CustomerId(row.get("customer_id")?));
    let found = customer::find_by_id(connection, tenant, holder)?;
    let customer = found.ok_or_else(|| corrupt("a referral code leads to no customer"))?.customer;
    Ok(Some(Referrer { code, customer }))
}

/// The codes of a customer, by campaign; of one campaign the oldest first.
pub(super) fn of(
    connection: &Connection,
    tenant: TenantId,
    customer: CustomerId,
) -> Result<Vec<ReferralCode>, Error> {
    list(
        connection,
        "SELECT code, campaign, referrals FROM referral_code
         WHERE organisation_id = ?1 AND customer_id IN (
            SELECT ?2
            UNION ALL
            SELECT customer_id FROM customer WHERE organisation_id = ?1 AND merged_into = ?2)
         ORDER BY campaign, issued_at, code",
        (tenant.0, customer.0),
        |row| from_row(row),
    )
}

/// Makes the codes that a customer has and that are not made yet. Where every code that was tried is
/// somebody's, the customer has none.
pub(super) fn make(
    writing: &mut Writing<'_>,
    tenant: &Tenant,
    customer: CustomerId,
    now: Timestamp,
) -> Result<Vec<ReferralCode>, Error> {
    let connection = writing.connection;
    let Some(found) = customer::find_by_id(connection, tenant.id, customer)? else {
        return Ok(Vec::new());
    };
    let customer = found.customer;
    let held = of(connection, tenant.id, customer.id)?;
    for campaign in missing(&held, &customer, tenant, now) {
        if let Some(code) = free(writing, tenant.id, campaign)? {
            connection
                .prepare_cached(
                    "INSERT INTO referral_code (
                        organisation_id, code, customer_id, campaign, referrals, issued_at)
                     VALUES (?1, ?2, ?3, ?4, 0, ?5)",
                )?
                .execute((
                    tenant.id.0,
                    code,
                    customer.id.0,
                    &campaign.name,
                    now.as_millisecond(),
                ))?;
        }
    }
    of(connection, tenant.id, customer.id)
}

/// Notes that a code brought one more customer.
pub(super) fn count(connection: &Connection, tenant: TenantId, code: &str) -> Result<(), Error> {
    connection
        .prepare_cached(
            "UPDATE referral_code SET referrals = referrals + 1
             WHERE organisation_id = ?1 AND code = ?2",
        )?
        .execute((tenant.0, code))?;
    Ok(())
}

/// A code that nobody has.
fn free(
    writing: &mut Writing<'_>,
    tenant: TenantId,
    campaign: &ReferralCampaign,
) -> Result<Option<String>, Error> {
    let connection = writing.connection;
    let mut is_taken = connection
        .prepare_cached("SELECT 1 FROM referral_code WHERE organisation_id = ?1 AND code = ?2")?;
    for _ in 0..TRIES {
        let code = campaign.code.code(&mut || writing.random.next_u64());
        if is_taken.query_row((tenant.0, &code), |_| Ok(())).optional()?.is_none() {
            return Ok(Some(code));
        }
    }
    Ok(None)
}
