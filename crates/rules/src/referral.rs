//! Referrals: who brings a customer. `referral_code` is a "unique code made by a referral campaign
//! for a referrer".
//!
//! A customer who is in the default programme has a code of each campaign that runs. Whoever enters
//! that programme with a code of somebody else was referred, and the reward rules reward both; so
//! nobody is referred twice.
//!
//! No document says what becomes of a code that does not count. Here the registration goes on
//! without it, and a warning says so (1205):
//!
//! | The code | Sent of one who is not in the programme | Sent of one who is |
//! | --- | --- | --- |
//! | is nobody's | 1205 | 1205 |
//! | is of a campaign that is out of use, or does not run today | 1205 | 1205 |
//! | is the customer's own, or of one who is merged into them | 1205 | 1205 |
//! | has brought as many customers as one code may | 1205 | nothing |
//! | counts | they are referred, if they enter it now | nothing |

use jiff::Timestamp;
use jiff::civil::Date;

use crate::codes::{self, Warning};
use crate::customer::{Customer, Enrolment};
use crate::decide::{Facts, Merged};
use crate::organisation::{Organisation, ReferralCampaign};
use crate::submission::Member;
use crate::validate::Registration;

/// A customer's code, to be passed on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReferralCode {
    /// The code, which is one customer's within the organisation.
    pub code: String,
    /// The name of the campaign that it belongs to.
    pub campaign: String,
    /// How many customers it has brought.
    pub referrals: u64,
}

impl ReferralCode {
    /// The campaign, where the code counts at this time.
    #[must_use]
    pub fn campaign<'a>(
        &self,
        organisation: &'a Organisation,
        now: Timestamp,
    ) -> Option<&'a ReferralCampaign> {
        let campaign = organisation.referral_campaigns.named(&self.campaign);
        campaign.filter(|campaign| campaign.runs_on(today(organisation, now)))
    }

    /// Whether it brings a further customer at this time.
    #[must_use]
    pub fn brings_another(&self, organisation: &Organisation, now: Timestamp) -> bool {
        let campaign = self.campaign(organisation, now);
        campaign.is_some_and(|campaign| !campaign.is_used_up(self.referrals))
    }
}

/// The holder of a referral code.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Referrer {
    /// The code.
    pub code: ReferralCode,
    /// The customer, whole: the survivor, where the one who was given the code was merged.
    pub customer: Customer,
}

/// What a customer who was referred brings about for whoever referred them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Referral {
    /// Who referred them, as that one was before, and by which code.
    pub referrer: Referrer,
    /// The referrer's place in the programme afterwards, where they were rewarded.
    pub reward: Option<Enrolment>,
}

/// The campaigns of which a customer has a code at this time.
#[must_use]
pub fn campaigns_of<'a>(
    customer: &Customer,
    organisation: &'a Organisation,
    now: Timestamp,
) -> Vec<&'a ReferralCampaign> {
    if !is_enrolled(customer, organisation) {
        return Vec::new();
    }
    let today = today(organisation, now);
    organisation.referral_campaigns.active().filter(|campaign| campaign.runs_on(today)).collect()
}

/// Who refers a customer by the code that was passed; `None` where none was.
///
/// # Errors
/// The code does not count.
pub(crate) fn referrer<'a>(
    registration: &Registration,
    customer: &Customer,
    merged: &[Merged],
    organisation: &Organisation,
    facts: &'a Facts,
) -> Result<Option<&'a Referrer>, Warning> {
    if registration.referral_code.is_none() {
        return Ok(None);
    }
    let counts = |referrer: &&Referrer| {
        let holder = referrer.customer.id;
        let is_other = holder != customer.id && merged.iter().all(|one| one.before.id != holder);
        // Who is there already takes nobody's place.
        let counts = if is_enrolled(customer, organisation) {
            referrer.code.campaign(organisation, facts.now).is_some()
        } else {
            referrer.code.brings_another(organisation, facts.now)
        };
        is_other && counts
    };
    facts.referrer.as_ref().filter(counts).map(Some).ok_or_else(not_found)
}

/// The warning of a code that does not count.
pub(crate) fn not_found() -> Warning {
    Warning::from(codes::REFERRER_NOT_FOUND).at(Member::ReferralCode)
}

fn is_enrolled(customer: &Customer, organisation: &Organisation) -> bool {
    organisation.default_programme().is_some_and(|programme| {
        customer.enrolments.iter().any(|held| held.programme == programme.id)
    })
}

fn today(organisation: &Organisation, now: Timestamp) -> Date {
    organisation.details.time_zone.to_datetime(now).date()
}
