//! Enrolment in a programme: its base tier, and when that ends.

use jiff::tz::TimeZone;
use jiff::{Span, Timestamp};
use rust_decimal::Decimal;

use crate::customer::Enrolment;
use crate::organisation::Programme;

/// The tier of a programme that has none.
const BASE_TIER: u32 = 1;

/// A new customer's place in a programme: the base tier, no points.
#[must_use]
pub fn enrol(programme: &Programme, registered_at: Timestamp, zone: &TimeZone) -> Enrolment {
    Enrolment {
        programme: programme.id,
        tier: programme.tiers.first().map_or(BASE_TIER, |tier| tier.serial),
        tier_expires_at: tier_expiry(programme, registered_at, zone),
        lifetime_points: Decimal::ZERO,
        loyalty_points: Decimal::ZERO,
    }
}

/// The registration date plus the programme's years, at 23:59:59 local time; 29 February becomes
/// 28 February in a year without it. `None` past the calendar's end.
fn tier_expiry(
    programme: &Programme,
    registered_at: Timestamp,
    zone: &TimeZone,
) -> Option<Timestamp> {
    let years = Span::new().try_years(programme.tier_years).ok()?;
    let last_day = zone.to_datetime(registered_at).date().checked_add(years).ok()?;
    let last_second = last_day.at(23, 59, 59, 0);
    Some(zone.to_ambiguous_zoned(last_second).compatible().ok()?.timestamp())
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;
    use crate::organisation::{ProgrammeId, Tier};
    use crate::profile::date;

    fn programme(tiers: &[u32]) -> Programme {
        let tier = |serial: &u32| Tier {
            serial: *serial,
            name: String::new(),
            description: String::new(),
        };
        Programme {
            id: ProgrammeId(1),
            name: "Programme".to_owned(),
            is_default: true,
            tier_years: 100,
            tiers: tiers.iter().map(tier).collect(),
            registration_rewards: Vec::new(),
        }
    }

    #[rstest]
    #[case("2024-08-01 07:28:32", "2124-08-01 23:59:59")]
    #[case("2012-12-31 23:59:59", "2112-12-31 23:59:59")]
    #[case("2000-02-29 00:00:00", "2100-02-28 23:59:59")]
    fn the_base_tier_lasts_to_the_end_of_its_last_day(
        #[case] registered: &str,
        #[case] expiry: &str,
    ) {
        let zone = TimeZone::get("Asia/Kolkata").unwrap();
        let registered_at = date::parse(registered, &zone).unwrap();
        let enrolment = enrol(&programme(&[1, 2]), registered_at, &zone);
        assert_eq!(enrolment.tier, 1);
        assert_eq!(date::format(enrolment.tier_expires_at.unwrap(), &zone), expiry);
    }

    #[test]
    fn past_the_end_of_the_calendar_no_tier_expires() {
        let registered_at = date::parse("9950-01-01", &TimeZone::UTC).unwrap();
        assert_eq!(enrol(&programme(&[]), registered_at, &TimeZone::UTC).tier_expires_at, None);
    }
}
