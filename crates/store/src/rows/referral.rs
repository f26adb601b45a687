//! Referral codes.

use jiff::Timestamp;
use patron_rules::customer::Customer;
use patron_rules::organisation::ReferralCampaign;
use patron_rules::referral::{ReferralCode, campaigns_of};

use super::{Row, count};
use crate::{Error, Tenant};

/// The code of a row.
pub(crate) fn from_row(row: &impl Row) -> Result<ReferralCode, Error> {
    Ok(ReferralCode {
        code: row.text("code")?,
        campaign: row.text("campaign")?,
        referrals: count(row.number("referrals")?)?,
    })
}

/// Of the campaigns of which a customer has a code now, those whose code is not made yet.
pub(crate) fn missing<'a>(
    held: &[ReferralCode],
    customer: &Customer,
    tenant: &'a Tenant,
    now: Timestamp,
) -> Vec<&'a ReferralCampaign> {
    let mut campaigns = campaigns_of(customer, tenant.organisation(), now);
    campaigns.retain(|campaign| !held.iter().any(|code| code.campaign == campaign.name));
    campaigns
}
