//! Referral campaigns: the codes by which customers bring others, and when they count.

use jiff::civil::Date;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{Invalid, Kind, Organisation, Resource, coupon_series};
use crate::profile::moment;
use crate::random_code::CodePattern;

/// A campaign under which customers bring others. Each customer of the default programme has a code
/// of it, which is made when it is first asked for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ReferralCampaign {
    /// Its code, by which a reward rule names it.
    pub name: String,
    /// How the customers' codes look.
    #[serde(default)]
    pub code: CodePattern,
    /// The first day on which codes are made and count, in the organisation's time zone.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "moment::day")]
    #[schema(value_type = Option<String>, format = Date)]
    pub from: Option<Date>,
    /// The last such day.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "moment::day")]
    #[schema(value_type = Option<String>, format = Date)]
    pub to: Option<Date>,
    /// The most customers whom one code brings; any number where it is left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub referrals_per_code: Option<u32>,
}

impl ReferralCampaign {
    /// Whether its codes count on this day.
    #[must_use]
    pub fn runs_on(&self, day: Date) -> bool {
        self.from.is_none_or(|first| first <= day) && self.to.is_none_or(|last| day <= last)
    }

    /// Whether a code that has brought so many customers brings no more.
    #[must_use]
    pub fn is_used_up(&self, referrals: u64) -> bool {
        self.referrals_per_code.is_some_and(|most| u64::from(most) <= referrals)
    }
}

impl Resource for ReferralCampaign {
    const KIND: Kind = Kind::ReferralCampaigns;
    /// A customer has a code of each that runs.
    const COUNT_LIMIT: usize = 100;

    fn name(&self) -> &str {
        &self.name
    }

    fn check(&self, _organisation: &Organisation) -> Result<(), Invalid> {
        self.code.check(None).map_err(|fault| {
            let member = coupon_series::pointer(fault);
            Invalid::at(format!("/code{member}"), fault.to_string())
        })?;
        let ordered = self.from.zip(self.to).is_none_or(|(first, last)| first <= last);
        Invalid::unless(ordered, "/to", "the last day is not before the first")?;
        let some = self.referrals_per_code != Some(0);
        Invalid::unless(some, "/referrals_per_code", "1 or more")
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;
    use crate::organisation::Documents as _;

    #[rstest]
    #[case(r#"{"name":"F"}"#, true)]
    #[case(r#"{"name":"F","from":"2025-03-01","to":"2025-03-01"}"#, true)]
    #[case(r#"{"name":"F","from":"2025-03-02"}"#, false)]
    #[case(r#"{"name":"F","to":"2025-02-28"}"#, false)]
    fn a_campaign_runs_from_its_first_to_its_last_day(#[case] json: &str, #[case] expected: bool) {
        let campaign: ReferralCampaign = serde_json::from_str(json).unwrap();
        assert_eq!(campaign.runs_on("2025-03-01".parse().unwrap()), expected);
    }

    #[rstest]
    #[case(r#"{"name":"F"}"#, "")]
    #[case(r#"{"name":"F","code":{"prefix":"FRIEND-","length":8},"referrals_per_code":1}"#, "")]
    #[case(r#"{"name":"F","code":{"prefix":"friend"}}"#, "/code/prefix")]
    #[case(r#"{"name":"F","code":{"alphabet":"AA"}}"#, "/code/alphabet")]
    #[case(r#"{"name":"F","code":{"length":51}}"#, "/code/length")]
    #[case(r#"{"name":"F","from":"2025-02-30"}"#, "/from")]
    #[case(r#"{"name":"F","from":"2025-03-02","to":"2025-03-01"}"#, "/to")]
    #[case(r#"{"name":"F","referrals_per_code":0}"#, "/referrals_per_code")]
    #[case(r#"{"name":"F","referrals_per_code":-1}"#, "/referrals_per_code")]
    #[case(r#"{"name":"F","colour":"red"}"#, "/colour")]
    fn what_is_wrong_is_named(#[case] json: &str, #[case] pointer: &str) {
        let mut organisation = Organisation::default();
        let put = organisation.referral_campaigns.put(json);
        let check = || organisation.referral_campaigns.check(&organisation).pop();
        let refused = put.err().or_else(|| check().map(|one| one.invalid));
        assert_eq!(refused.map(|invalid| invalid.pointer).unwrap_or_default(), pointer);
    }
}
