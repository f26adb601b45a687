//! When a tier ends: the strategies that a programme can choose.

use jiff::civil::{Date, Time};
use jiff::tz::TimeZone;
use jiff::{Span, Timestamp};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::Invalid;
use super::resource::{needed, unneeded};

/// The most years that a tier may last.
const YEARS_LIMIT: u16 = 1_000;
/// The most months that a tier may last.
const MONTHS_LIMIT: u16 = 12 * YEARS_LIMIT;
/// A leap year: whatever is a day in some year is one in this.
const LEAP_YEAR: i16 = 2024;

/// When a tier ends: at 23:59:59 of a day, in the time zone of the till that registered the customer. A day that a month lacks
/// is that month's last one: of 29 February in a common year, 28 February.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(tag = "strategy", rename_all = "snake_case", try_from = "SentExpiry")]
pub enum TierExpiry {
    /// So long after the day of registration, whenever the customer entered the tier.
    AfterRegistration {
        /// Years.
        #[serde(default)]
        years: u16,
        /// Months besides.
        #[serde(default)]
        months: u16,
    },
    /// So many months after the customer entered the tier.
    FixedMonths {
        /// Months.
        months: u16,
    },
    /// The next anniversary of the registration.
    RegistrationAnniversary {
        /// How many months the tier lasts at least; an anniversary before that does not count.
        #[serde(default)]
        minimum_months: u16,
    },
    /// The next time this day comes.
    FixedDate {
        /// The month, from 1.
        month: i8,
        /// The day of the month, from 1.
        day: i8,
        /// How many months the tier lasts at least; a year in which the day comes before that does
        /// not count.
        #[serde(default)]
        minimum_months: u16,
    },
    /// Never.
    Never,
}

/// A strategy as it is sent. A member is read before it is known what it is for, so that what is wrong
/// with it is told of itself.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SentExpiry {
    strategy: Strategy,
    years: Option<u16>,
    months: Option<u16>,
    minimum_months: Option<u16>,
    month: Option<i8>,
    day: Option<i8>,
}

#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
enum Strategy {
    AfterRegistration,
    FixedMonths,
    RegistrationAnniversary,
    FixedDate,
    Never,
}

impl TryFrom<SentExpiry> for TierExpiry {
    type Error = Invalid;

    fn try_from(sent: SentExpiry) -> Result<Self, Invalid> {
        let SentExpiry { strategy, mut years, mut months, mut minimum_months, mut month, mut day } =
            sent;
        let (name, expiry) = match strategy {
            Strategy::AfterRegistration => {
                let years = years.take().unwrap_or_default();
                let months = months.take().unwrap_or_default();
                ("after_registration", Self::AfterRegistration { years, months })
            }
            Strategy::FixedMonths => {
                let months = needed(months.take(), "/months")?;
                ("fixed_months", Self::FixedMonths { months })
            }
            Strategy::RegistrationAnniversary => {
                let minimum_months = minimum_months.take().unwrap_or_default();
                ("registration_anniversary", Self::RegistrationAnniversary { minimum_months })
            }
            Strategy::FixedDate => {
                let (month, day) = (needed(month.take(), "/month")?, needed(day.take(), "/day")?);
                let minimum_months = minimum_months.take().unwrap_or_default();
                ("fixed_date", Self::FixedDate { month, day, minimum_months })
            }
            Strategy::Never => ("never", Self::Never),
        };
        let left = [
            ("/years", years.is_some()),
            ("/months", months.is_some()),
            ("/minimum_months", minimum_months.is_some()),
            ("/month", month.is_some()),
            ("/day", day.is_some()),
        ];
        unneeded(&left, name)?;
        Ok(expiry)
    }
}

impl Default for TierExpiry {
    fn default() -> Self {
        Self::AfterRegistration { years: 100, months: 0 }
    }
}

impl TierExpiry {
    /// Why there is no such strategy; `None` where there is.
    #[must_use]
    pub fn fault(&self) -> Option<&'static str> {
        let too_long = |months: u16| months > MONTHS_LIMIT;
        match *self {
            Self::AfterRegistration { years: 0, months: 0 } | Self::FixedMonths { months: 0 } => {
                Some("a tier lasts some time")
            }
            Self::AfterRegistration { years, months }
                if years > YEARS_LIMIT || too_long(months) =>
            {
                Some("a tier lasts at most 1,000 years")
            }
            Self::FixedMonths { months: lasting }
            | Self::RegistrationAnniversary { minimum_months: lasting }
            | Self::FixedDate { minimum_months: lasting, .. }
                if too_long(lasting) =>
            {
                Some("a tier lasts at most 1,000 years")
            }
            Self::FixedDate { month, day, .. } if Date::new(LEAP_YEAR, month, day).is_err() => {
                Some("no year has this day")
            }
            _ => None,
        }
    }

    /// When the tier ends for a customer of this registration who entered it on this day. `None` is
    /// never, and past the calendar's end.
    #[must_use]
    pub fn end(&self, registered: Date, entered: Date, zone: &TimeZone) -> Option<Timestamp> {
        let day = match *self {
            Self::AfterRegistration { years, months } => after(registered, years, months)?,
            Self::FixedMonths { months } => after(entered, 0, months)?,
            Self::RegistrationAnniversary { minimum_months } => {
                first_yearly(entered, minimum_months, |year| {
                    let years = year.checked_sub(registered.year())?;
                    after(registered, u16::try_from(years).ok().filter(|years| *years > 0)?, 0)
                })?
            }
            Self::FixedDate { month, day, minimum_months } => {
                first_yearly(entered, minimum_months, |year| day_or_last(year, month, day))?
            }
            Self::Never => return None,
        };
        end_of(day, zone)
    }
}

/// The last second of a day.
#[must_use]
pub fn end_of(day: Date, zone: &TimeZone) -> Option<Timestamp> {
    let last_second = day.to_datetime(Time::constant(23, 59, 59, 0));
    Some(zone.to_ambiguous_zoned(last_second).compatible().ok()?.timestamp())
}

fn after(day: Date, years: u16, months: u16) -> Option<Date> {
    day.checked_add(Span::new().try_years(years).ok()?.try_months(months).ok()?).ok()
}

/// The first of the days that come once a year that is later than `entered`, and not before it has
/// lasted so many months.
fn first_yearly(
    entered: Date,
    minimum_months: u16,
    in_year: impl Fn(i16) -> Option<Date>,
) -> Option<Date> {
    let earliest = after(entered, 0, minimum_months)?;
    // The day of the year itself may have gone by, and the registration may lie in it or ahead.
    (earliest.year()..).take(3).filter_map(in_year).find(|day| *day > entered && *day >= earliest)
}

fn day_or_last(year: i16, month: i8, day: i8) -> Option<Date> {
    let first = Date::new(year, month, 1).ok()?;
    Date::new(year, month, day.min(first.days_in_month())).ok()
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;
    use rstest::rstest;

    use super::*;

    const fn after_registration(years: u16, months: u16) -> TierExpiry {
        TierExpiry::AfterRegistration { years, months }
    }

    const fn anniversary(minimum_months: u16) -> TierExpiry {
        TierExpiry::RegistrationAnniversary { minimum_months }
    }

    const fn fixed(month: i8, day: i8, minimum_months: u16) -> TierExpiry {
        TierExpiry::FixedDate { month, day, minimum_months }
    }

    const fn months(months: u16) -> TierExpiry {
        TierExpiry::FixedMonths { months }
    }

    /// The day at whose end the tier is over; registered and entered in UTC.
    #[rstest]
    // The samples of the specification.
    #[case(TierExpiry::default(), "2024-08-01", "2024-08-01", "2124-08-01")]
    #[case(TierExpiry::default(), "2023-09-12", "2023-09-12", "2123-09-12")]
    #[case(TierExpiry::default(), "2012-02-05", "2019-07-01", "2112-02-05")]
    // 2100 is no leap year, 2000 and 2400 are.
    #[case(TierExpiry::default(), "2000-02-29", "2000-02-29", "2100-02-28")]
    #[case(after_registration(400, 0), "2000-02-29", "2000-02-29", "2400-02-29")]
    #[case(after_registration(1, 6), "2024-08-31", "2025-01-01", "2026-02-28")]
    #[case(after_registration(0, 1), "2024-01-31", "2024-01-31", "2024-02-29")]
    // Months count from the day of entering, and end with the month where it has no such day.
    #[case(months(12), "2020-01-01", "2024-02-29", "2025-02-28")]
    #[case(months(48), "2020-01-01", "2024-02-29", "2028-02-29")]
    #[case(months(1), "2020-01-01", "2025-01-31", "2025-02-28")]
    #[case(months(1), "2020-01-01", "2024-03-31", "2024-04-30")]
    #[case(months(3), "2020-01-01", "2024-11-30", "2025-02-28")]
    #[case(months(6), "2024-08-01", "2024-08-01", "2025-02-01")]
    // The anniversary that is next, never the day itself.
    #[case(anniversary(0), "2024-08-01", "2024-08-01", "2025-08-01")]
    #[case(anniversary(0), "2012-08-01", "2024-07-31", "2024-08-01")]
    #[case(anniversary(0), "2012-08-01", "2024-08-01", "2025-08-01")]
    #[case(anniversary(0), "2012-08-01", "2024-08-02", "2025-08-01")]
    #[case(anniversary(0), "2012-12-31", "2024-01-01", "2024-12-31")]
    // Of 29 February, 28 February in common years, and itself again in leap years.
    #[case(anniversary(0), "2024-02-29", "2024-02-29", "2025-02-28")]
    #[case(anniversary(0), "2024-02-29", "2025-02-28", "2026-02-28")]
    #[case(anniversary(0), "2024-02-29", "2027-03-01", "2028-02-29")]
    // One that comes too early for the minimum does not count; one on its last day does.
    #[case(anniversary(6), "2020-08-01", "2024-03-01", "2025-08-01")]
    #[case(anniversary(6), "2020-08-01", "2024-02-01", "2024-08-01")]
    #[case(anniversary(12), "2024-08-01", "2024-08-01", "2025-08-01")]
    #[case(anniversary(18), "2024-08-01", "2024-08-01", "2026-08-01")]
    // Whoever is registered a day ahead has their first anniversary a year later.
    #[case(anniversary(0), "2026-01-16", "2026-01-15", "2027-01-16")]
    #[case(anniversary(0), "2027-01-01", "2026-12-31", "2028-01-01")]
    // A fixed day.
    #[case(fixed(12, 31, 0), "2020-01-01", "2024-12-30", "2024-12-31")]
    #[case(fixed(12, 31, 0), "2020-01-01", "2024-12-31", "2025-12-31")]
    #[case(fixed(3, 31, 0), "2020-01-01", "2024-04-01", "2025-03-31")]
    #[case(fixed(3, 31, 3), "2020-01-01", "2024-12-31", "2025-03-31")]
    #[case(fixed(3, 31, 3), "2020-01-01", "2025-01-01", "2026-03-31")]
    #[case(fixed(12, 31, 12), "2020-01-01", "2024-06-01", "2025-12-31")]
    #[case(fixed(2, 29, 0), "2020-01-01", "2023-03-01", "2024-02-29")]
    #[case(fixed(2, 29, 0), "2020-01-01", "2024-02-29", "2025-02-28")]
    fn ends(
        #[case] expiry: TierExpiry,
        #[case] registered: Date,
        #[case] entered: Date,
        #[case] last_day: Date,
    ) {
        assert_eq!(expiry.fault(), None);
        let end = expiry.end(registered, entered, &TimeZone::UTC).unwrap();
        assert_eq!(TimeZone::UTC.to_datetime(end), last_day.at(23, 59, 59, 0));
    }

    /// The last second of a day is another instant in every zone; clocks that change at midnight
    /// leave a day without it, or with two of it.
    #[rstest]
    #[case("Asia/Kolkata", "2025-08-01T18:29:59Z")]
    #[case("America/New_York", "2025-08-02T03:59:59Z")]
    #[case("Pacific/Kiritimati", "2025-08-01T09:59:59Z")]
    #[case("Etc/GMT+12", "2025-08-02T11:59:59Z")]
    fn zones(#[case] zone: &str, #[case] instant: Timestamp) {
        let zone = TimeZone::get(zone).unwrap();
        let registered = date(2024, 8, 1);
        assert_eq!(anniversary(0).end(registered, registered, &zone), Some(instant));
    }

    #[rstest]
    // In Havana clocks go back from 01:00 to 00:00: the day before ends once.
    #[case("America/Havana", date(2025, 11, 1), "2025-11-02T03:59:59Z")]
    // In Beirut clocks went back from 24:00 to 23:00: that day has the last hour twice.
    #[case("Asia/Beirut", date(2024, 10, 26), "2024-10-26T20:59:59Z")]
    // Samoa had no 30 December 2011: its last second is read as much after the gap.
    #[case("Pacific/Apia", date(2011, 12, 30), "2011-12-31T09:59:59Z")]
    fn days_that_clocks_change(#[case] zone: &str, #[case] day: Date, #[case] instant: Timestamp) {
        assert_eq!(end_of(day, &TimeZone::get(zone).unwrap()), Some(instant));
    }

    #[test]
    fn never_and_past_the_end_of_the_calendar_there_is_no_end() {
        let late = date(9950, 1, 1);
        for expiry in [TierExpiry::Never, TierExpiry::default(), months(MONTHS_LIMIT)] {
            assert_eq!(expiry.end(late, late, &TimeZone::UTC), None);
        }
        let last = date(9999, 12, 31);
        for expiry in [anniversary(0), fixed(12, 31, 0), fixed(1, 1, 24)] {
            assert_eq!(expiry.end(last, last, &TimeZone::UTC), None);
        }
    }

    #[rstest]
    #[case(after_registration(0, 0), false)]
    #[case(after_registration(0, 1), true)]
    #[case(after_registration(1_000, 0), true)]
    #[case(after_registration(1_001, 0), false)]
    #[case(months(0), false)]
    #[case(months(12_001), false)]
    #[case(anniversary(12_001), false)]
    #[case(fixed(2, 29, 0), true)]
    #[case(fixed(2, 30, 0), false)]
    #[case(fixed(13, 1, 0), false)]
    #[case(fixed(0, 1, 0), false)]
    #[case(TierExpiry::Never, true)]
    fn strategies_that_can_be(#[case] expiry: TierExpiry, #[case] valid: bool) {
        assert_eq!(expiry.fault().is_none(), valid);
    }

    #[rstest]
    #[case(r#"{"strategy":"after_registration","years":100,"months":0}"#)]
    #[case(r#"{"strategy":"fixed_months","months":12}"#)]
    #[case(r#"{"strategy":"registration_anniversary","minimum_months":0}"#)]
    #[case(r#"{"strategy":"fixed_date","month":12,"day":31,"minimum_months":3}"#)]
    #[case(r#"{"strategy":"never"}"#)]
    fn documents(#[case] json: &str) {
        let expiry: TierExpiry = serde_json::from_str(json).unwrap();
        assert_eq!(serde_json::to_string(&expiry).unwrap(), json);
    }
}
