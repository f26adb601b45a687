//! Referral codes. Those of a customer who was merged are their survivor's.

use jiff::Timestamp;
use patron_rules::customer::CustomerId;
use patron_rules::organisation::ReferralCampaign;
use patron_rules::referral::{ReferralCode, Referrer};

use super::connection::{Connection, Parameter};
use super::customer;
use super::random::Randomness;
use crate::rows::referral::{from_row, missing};
use crate::rows::{Row as _, corrupt};
use crate::series::TRIES;
use crate::{Error, Tenant, TenantId};

/// Who has this code.
pub(super) async fn referrer(
    connection: &Connection,
    tenant: TenantId,
    code: &str,
) -> Result<Option<Referrer>, Error> {
    let sql = "SELECT code, campaign, referrals, customer_id FROM referral_code
         WHERE organisation_id = $1 AND code = $2";
    let read =
        |row: &tokio_postgres::Row| Ok((from_row(row)?, CustomerId(row.number("customer_id")?)));
    let found = connection.first(sql, &[&tenant.0, &code], read).await?;
    let Some((code, holder)) = found else { return Ok(None) };
    let found = customer::by_id(connection, tenant, holder).await?;
    let customer = found.ok_or_else(|| corrupt("a referral code leads to no customer"))?.customer;
    Ok(Some(Referrer { code, customer }))
}

/// The codes of a customer, by campaign; of one campaign the oldest first.
pub(super) async fn of(
    connection: &Connection,
    tenant: TenantId,
    customer: CustomerId,
) -> Result<Vec<ReferralCode>, Error> {
    let sql = "SELECT r.code, r.campaign, r.referrals FROM customer c
         JOIN referral_code r ON r.organisation_id = $1 AND r.customer_id = c.customer_id
         WHERE c.organisation_id = $1 AND (c.customer_id = $2 OR c.merged_into = $2)
         ORDER BY r.campaign, r.issued_at, r.code";
    connection.list(sql, &[&tenant.0, &customer.0], from_row).await
}

/// Makes the codes that a customer has and that are not made yet. Where every code that was tried is
/// somebody's, the customer has none.
pub(super) async fn make(
    connection: &Connection,
    tenant: &Tenant,
    customer: CustomerId,
    now: Timestamp,
    random: &Randomness,
) -> Result<Vec<ReferralCode>, Error> {
    let Some(found) = customer::by_id(connection, tenant.id, customer).await? else {
        return Ok(Vec::new());
    };
    let customer = found.customer;
    let held = of(connection, tenant.id, customer.id).await?;
    for campaign in missing(&held, &customer, tenant, now) {
        if let Some(code) = free(connection, tenant.id, campaign, random).await? {
            let sql = "INSERT INTO referral_code (
                    organisation_id, code, customer_id, campaign, referrals, issued_at)
                 VALUES ($1, $2, $3, $4, 0, $5)";
            let parameters: [Parameter<'_>; 5] =
                [&tenant.id.0, &code, &customer.id.0, &campaign.name, &now.as_millisecond()];
            connection.execute(sql, &parameters).await?;
        }
    }
    of(connection, tenant.id, customer.id).await
}

/// A code that nobody has.
async fn free(
    connection: &Connection,
    tenant: TenantId,
    campaign: &ReferralCampaign,
    random: &Randomness,
) -> Result<Option<String>, Error> {
    let sql = "SELECT 1 FROM referral_code WHERE organisation_id = $1 AND code = $2";
    for _ in 0..TRIES {
        let code = campaign.code.code(&mut || random.u64());
        if connection.query(sql, &[&tenant.0, &code]).await?.is_empty() {
            return Ok(Some(code));
        }
    }
    Ok(None)
}
