//! Coupon series: where coupons come from, and for how long they can be used.

use jiff::Span;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{Invalid, Kind, Organisation, Resource};
use crate::profile::moment;
use crate::random_code::{CodePattern, Fault};

/// The longest description, in characters.
const DESCRIPTION_LIMIT: usize = 500;
/// The longest discount code, in characters.
const DISCOUNT_CODE_LIMIT: usize = 100;

/// A series of coupons.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CouponSeries {
    /// Its code, by which a reward rule names it.
    pub name: String,
    /// What its coupons are for, as customers are told: at most 500 characters.
    #[serde(default)]
    pub description: String,
    /// How its codes look.
    #[serde(default)]
    pub code: CodePattern,
    /// How many days after the day of issue a coupon can be used, to the end of the last one.
    #[serde(default)]
    pub valid_days: Option<u16>,
    /// The last day on which a coupon can be used, whenever it was issued.
    #[serde(default, deserialize_with = "moment::day")]
    #[schema(value_type = Option<String>, format = Date)]
    pub valid_until: Option<Date>,
    /// The most coupons that come from it; as many as there are codes where it is left out.
    #[serde(default)]
    pub limit: Option<u64>,
    /// The discount that tills know its coupons by: at most 100 characters.
    #[serde(default)]
    pub discount_code: Option<String>,
}

impl CouponSeries {
    /// The last day on which a coupon can be used that is issued on this one; `None` is any day.
    #[must_use]
    pub fn last_day(&self, issued: Date) -> Option<Date> {
        let counted = self.valid_days.and_then(|days| {
            let span = Span::new().try_days(days).ok()?;
            issued.checked_add(span).ok()
        });
        counted.into_iter().chain(self.valid_until).min()
    }
}

impl Resource for CouponSeries {
    const KIND: Kind = Kind::CouponSeries;
    const COUNT_LIMIT: usize = 1_000;

    fn name(&self) -> &str {
        &self.name
    }

    fn check(&self, _organisation: &Organisation) -> Result<(), Invalid> {
        let check = self.code.check(self.limit);
        check
            .map_err(|fault| Invalid::at(format!("/code{}", pointer(fault)), fault.to_string()))?;
        let short = self.description.chars().count() <= DESCRIPTION_LIMIT;
        Invalid::unless(short, "/description", "at most 500 characters")?;
        let short = self
            .discount_code
            .as_ref()
            .is_none_or(|code| (1..=DISCOUNT_CODE_LIMIT).contains(&code.chars().count()));
        Invalid::unless(short, "/discount_code", "1 to 100 characters")
    }
}

/// The member of a pattern that a fault is about.
pub(super) const fn pointer(fault: Fault) -> &'static str {
    match fault {
        Fault::Prefix => "/prefix",
        Fault::Alphabet => "/alphabet",
        Fault::Length | Fault::Room => "/length",
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;
    use crate::organisation::Documents as _;

    fn series(json: &str) -> CouponSeries {
        serde_json::from_str(json).unwrap()
    }

    #[rstest]
    #[case(r#"{"name":"W"}"#, None)]
    #[case(r#"{"name":"W","valid_days":0}"#, Some("2025-02-28"))]
    #[case(r#"{"name":"W","valid_days":1}"#, Some("2025-03-01"))]
    #[case(r#"{"name":"W","valid_days":365}"#, Some("2026-02-28"))]
    #[case(r#"{"name":"W","valid_until":"2025-12-31"}"#, Some("2025-12-31"))]
    #[case(r#"{"name":"W","valid_days":7,"valid_until":"2025-12-31"}"#, Some("2025-03-07"))]
    #[case(r#"{"name":"W","valid_days":7,"valid_until":"2025-03-01"}"#, Some("2025-03-01"))]
    #[case(r#"{"name":"W","valid_days":7,"valid_until":"2024-12-31"}"#, Some("2024-12-31"))]
    fn coupons_are_valid_up_to_a_day(#[case] json: &str, #[case] expected: Option<&str>) {
        let issued = "2025-02-28".parse().unwrap();
        let last_day = series(json).last_day(issued).map(|day| day.to_string());
        assert_eq!(last_day.as_deref(), expected);
    }

    #[rstest]
    #[case(r#"{"name":"W"}"#, "")]
    #[case(r#"{"name":"W","code":{"prefix":"WEL-","length":9},"limit":1000}"#, "")]
    #[case(r#"{"name":"W","code":{"prefix":"wel-"}}"#, "/code/prefix")]
    #[case(r#"{"name":"W","code":{"alphabet":"AA"}}"#, "/code/alphabet")]
    #[case(r#"{"name":"W","code":{"length":51}}"#, "/code/length")]
    #[case(r#"{"name":"W","code":{"alphabet":"01","length":4},"limit":2}"#, "/code/length")]
    #[case(r#"{"name":"W","valid_days":-1}"#, "/valid_days")]
    #[case(r#"{"name":"W","valid_until":"2025-02-30"}"#, "/valid_until")]
    #[case(r#"{"name":"W","discount_code":""}"#, "/discount_code")]
    #[case(r#"{"name":"W","colour":"red"}"#, "/colour")]
    fn what_is_wrong_is_named(#[case] json: &str, #[case] pointer: &str) {
        let mut organisation = Organisation::default();
        let refused = match organisation.coupon_series.put(json) {
            Err(invalid) => Some(invalid),
            Ok(_) => organisation.coupon_series.check(&organisation).pop().map(|one| one.invalid),
        };
        assert_eq!(refused.map(|invalid| invalid.pointer).unwrap_or_default(), pointer);
    }
}
