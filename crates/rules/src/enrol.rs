//! Enrolment in a programme: its base tier, and what becomes of a tier when its time is over.

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;

use crate::customer::{Customer, Enrolment};
use crate::ledger::Balances;
use crate::organisation::{Organisation, Programme};

/// The lowest tier, which a programme without tiers shows as well.
const BASE_TIER: u32 = 1;

/// A new customer's place in a programme: the base tier, no points. `zone` is that of the till that
/// registered the customer: "tier expiry = `registered_on` date + 100 years, time 23:59:59".
#[must_use]
pub fn enrol(
    programme: &Programme,
    registered_at: Timestamp,
    now: Timestamp,
    zone: &TimeZone,
) -> Enrolment {
    let [registered, today] = [registered_at, now].map(|instant| zone.to_datetime(instant).date());
    Enrolment {
        programme: programme.id,
        tier: BASE_TIER,
        tier_expires_at: tier_end(programme, BASE_TIER, registered, today, zone),
        balances: Balances::default(),
    }
}

/// The enrolment that speaks for the customer where only one can: in the default programme, else
/// the first.
#[must_use]
pub fn shown<'a>(customer: &'a Customer, organisation: &Organisation) -> Option<&'a Enrolment> {
    let default = organisation.default_programme().map(|programme| programme.id);
    let held = customer.enrolments.iter().find(|held| Some(held.programme) == default);
    held.or(customer.enrolments.first())
}

/// When this tier ends for a customer who entered it on this day.
pub(crate) fn tier_end(
    programme: &Programme,
    serial: u32,
    registered: Date,
    entered: Date,
    zone: &TimeZone,
) -> Option<Timestamp> {
    let own = programme.tier(serial).and_then(|tier| tier.expiry);
    own.unwrap_or(programme.tier_expiry).end(registered, entered, zone)
}

/// Brings a customer's tiers to this time: one whose time is over is followed by the base tier from
/// the next day on, and that by itself.
///
/// Days are those of the till that registered the customer. The result depends on nothing but what is
/// stored and the time, so every reader sees the same, written or not.
pub fn settle(customer: &mut Customer, organisation: &Organisation, now: Timestamp) {
    let zone = organisation.time_zone_of(customer.registered_till);
    let registered = zone.to_datetime(customer.registered_at).date();
    for enrolment in &mut customer.enrolments {
        let Some(programme) = organisation.programme(enrolment.programme) else { continue };
        while let Some(end) = enrolment.tier_expires_at.filter(|end| *end < now) {
            enrolment.tier = BASE_TIER;
            let Ok(next_day) = zone.to_datetime(end).date().tomorrow() else { break };
            let next_end = tier_end(programme, BASE_TIER, registered, next_day, zone);
            if next_end.is_some_and(|next_end| next_end <= end) {
                // The base tier is over as well, by a day that does not come again.
                break;
            }
            enrolment.tier_expires_at = next_end;
        }
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;
    use crate::award::tests::{customer, organisation};
    use crate::organisation::{Kind, TierExpiry};
    use crate::profile::date;

    fn at(local: &str, zone: &TimeZone) -> Timestamp {
        date::parse(local, zone).unwrap()
    }

    #[rstest]
    #[case("2024-08-01 07:28:32", "2124-08-01 23:59:59")]
    #[case("2012-12-31 23:59:59", "2112-12-31 23:59:59")]
    #[case("2000-02-29 00:00:00", "2100-02-28 23:59:59")]
    fn the_base_tier_counts_from_the_local_day_of_registration(
        #[case] registered: &str,
        #[case] end: &str,
    ) {
        let zone = TimeZone::get("Asia/Kolkata").unwrap();
        let organisation = organisation(&[]);
        let programme = organisation.default_programme().unwrap();
        let registered_at = at(registered, &zone);
        let enrolment = enrol(programme, registered_at, at("2026-01-15 10:30:00", &zone), &zone);
        assert_eq!(enrolment.tier, 1);
        assert_eq!(date::format(enrolment.tier_expires_at.unwrap(), &zone), end);
        assert_eq!(enrolment.balances, Balances::default());
    }

    #[test]
    fn a_programme_without_tiers_has_a_base_tier_too() {
        let mut organisation = Organisation::default();
        let programme = r#"{"name":"P","is_default":true}"#;
        organisation.documents_mut(Kind::Programmes).put(programme).unwrap();
        let now = at("2024-08-01 07:28:32", &TimeZone::UTC);
        let programme = organisation.default_programme().unwrap();
        let enrolment = enrol(programme, now, now, &TimeZone::UTC);
        let end = at("2124-08-01 23:59:59", &TimeZone::UTC);
        assert_eq!((enrolment.tier, enrolment.tier_expires_at), (1, Some(end)));
    }

    const MONTHS: TierExpiry = TierExpiry::FixedMonths { months: 1 };
    const ANNIVERSARY: TierExpiry = TierExpiry::RegistrationAnniversary { minimum_months: 0 };
    const AT_REGISTRATION: TierExpiry = TierExpiry::AfterRegistration { years: 1, months: 0 };

    /// A customer of tier 2 until the end of 1 February 2025, registered on 1 August 2024; the base
    /// tier has its own strategy.
    #[rstest]
    #[case::on_its_last_day(TierExpiry::Never, "2025-02-01 23:59:59", 2, Some("2025-02-01"))]
    #[case::on_the_next(TierExpiry::Never, "2025-02-02 00:00:00", 1, None)]
    #[case::base_for_a_month(MONTHS, "2025-02-02 00:00:00", 1, Some("2025-03-02"))]
    #[case::base_once_more(MONTHS, "2025-03-03 00:00:00", 1, Some("2025-04-03"))]
    #[case::after_years(MONTHS, "2026-01-01 00:00:00", 1, Some("2026-01-12"))]
    #[case::to_the_anniversary(ANNIVERSARY, "2025-02-02 00:00:00", 1, Some("2025-08-01"))]
    #[case::past_it(ANNIVERSARY, "2027-08-02 00:00:00", 1, Some("2028-08-01"))]
    #[case::of_the_registration(AT_REGISTRATION, "2025-02-02 00:00:00", 1, Some("2025-08-01"))]
    #[case::which_comes_once(AT_REGISTRATION, "2030-01-01 00:00:00", 1, Some("2025-08-01"))]
    fn a_tier_that_is_over_is_followed_by_the_base_tier(
        #[case] base: TierExpiry,
        #[case] now: &str,
        #[case] tier: u32,
        #[case] last_day: Option<&str>,
    ) {
        let mut organisation = organisation(&[]);
        let mut programme = organisation.default_programme().unwrap().clone();
        programme.tiers[0].expiry = Some(base);
        let json = serde_json::to_string(&programme).unwrap();
        organisation.documents_mut(Kind::Programmes).put(&json).unwrap();
        let end = |day: &str| at(&format!("{day} 23:59:59"), &TimeZone::UTC);
        let mut customer = customer();
        customer.enrolments.push(Enrolment {
            programme: programme.id,
            tier: 2,
            tier_expires_at: Some(end("2025-02-01")),
            balances: Balances::default(),
        });
        // Whether somebody looked in between makes no difference.
        for between in ["2025-02-01 12:00:00", "2025-02-15 00:00:00", now] {
            let between = at(between, &TimeZone::UTC).min(at(now, &TimeZone::UTC));
            settle(&mut customer, &organisation, between);
        }
        let [enrolment] = customer.enrolments.as_slice() else { panic!() };
        assert_eq!((enrolment.tier, enrolment.tier_expires_at), (tier, last_day.map(end)));
    }
}
