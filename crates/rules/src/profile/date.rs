//! Dates with a time of day.
//!
//! "Format: YYYY-MM-DD HH:MM:SS". The other spellings of [`moment`] are accepted too. A time without
//! an offset is local to the zone of the till as which the request is posted. A local time that a clock change skips
//! is read as the same distance after the gap; one that occurs twice as the first.
//!
//! Times of customers are instants, which end at 9999-12-30 22:00:00 UTC, so that every zone has
//! them. A later one, such as 9999-12-31 23:59:59, is not a date of registration, since
//! `FUTURE_REGISTRATION_DAYS` has a limit (1034), and not a date of a change (91003). Extended
//! fields accept it, since their dates are no instants.

use jiff::tz::TimeZone;
use jiff::{RoundMode, SignedDuration, Timestamp, TimestampRound, Unit};

use super::moment::{self, FORM};
use crate::codes::{self, Failure};
use crate::organisation::Organisation;
use crate::trace::{Step, Trace};

/// How far ahead of now the date of a change may be.
const UPDATE_AHEAD: SignedDuration = SignedDuration::from_hours(24);

/// Reads a date-time as sent, local to `zone`. `None` if it has another form.
#[must_use]
pub fn parse(sent: &str, zone: &TimeZone) -> Option<Timestamp> {
    let written = moment::read(sent)?;
    let instant = match written.offset {
        Some(offset) => offset.to_timestamp(written.clock).ok()?,
        None => zone.to_ambiguous_zoned(written.clock).compatible().ok()?.timestamp(),
    };
    // The form has four digits of a year.
    (1..=9999).contains(&zone.to_datetime(instant).year()).then_some(instant)
}

/// Reads the date of a registration, local to `zone`. A date earlier than
/// `CONF_MIN_REGISTRATION_DATE` is refused (1034), and one further in the future than
/// `FUTURE_REGISTRATION_DAYS` days of 24 hours.
///
/// # Errors
/// 1034 if the text is not a date, or outside these limits; the failure says which.
pub fn registration(
    sent: &str,
    zone: &TimeZone,
    organisation: &Organisation,
    now: Timestamp,
    trace: &mut Trace,
) -> Result<Timestamp, Failure> {
    let refused = |reason: String| Failure::because(codes::DATE_OUT_OF_RANGE, reason);
    let instant = parse(sent, zone).ok_or_else(|| refused(FORM.to_owned()))?;
    let Organisation { details, settings, .. } = organisation;
    let local = details.time_zone.to_datetime(instant);
    if let Some(earliest) = settings.earliest_registration
        && trace.flag(local < earliest, Step::TooEarly, Step::LateEnough)
    {
        let earliest = earliest.strftime("%Y-%m-%d %H:%M:%S");
        let reason = format!("expected {earliest} or later, CONF_MIN_REGISTRATION_DATE");
        return Err(refused(reason));
    }
    let ahead = SignedDuration::from_hours(i64::from(settings.future_registration_days) * 24);
    let latest = now.saturating_add(ahead).unwrap_or(Timestamp::MAX);
    if trace.flag(instant > latest, Step::TooFarAhead, Step::SoonEnough) {
        let days = settings.future_registration_days;
        let reason = format!("expected at most {days} days ahead, FUTURE_REGISTRATION_DAYS");
        return Err(refused(reason));
    }
    Ok(instant)
}

/// Reads the date of a change, local to `zone`: at most a day ahead of `now`, since a till's clock or
/// zone can be off, and a later date would stay the customer's for good.
///
/// # Errors
/// What would be right.
pub fn update(sent: &str, zone: &TimeZone, now: Timestamp) -> Result<Timestamp, &'static str> {
    let instant = parse(sent, zone).ok_or(FORM)?;
    let latest = now.saturating_add(UPDATE_AHEAD).unwrap_or(Timestamp::MAX);
    if instant > latest { Err("expected at most one day ahead of now") } else { Ok(instant) }
}

/// The instant without a fraction of a second, which the wire cannot have: so what a reply says and
/// a caller sends again is the same instant.
#[must_use]
pub fn whole_second(instant: Timestamp) -> Timestamp {
    let floor = TimestampRound::new().smallest(Unit::Second).mode(RoundMode::Floor);
    instant.round(floor).unwrap_or(instant)
}

/// The wire's form of an instant, local to `zone`: `YYYY-MM-DD HH:MM:SS`.
#[must_use]
pub fn format(instant: Timestamp, zone: &TimeZone) -> String {
    let local = zone.to_datetime(instant);
    format!(
        "{:04}-{:02}-{:02} {:02}:{:02}:{:02}",
        local.year(),
        local.month(),
        local.day(),
        local.hour(),
        local.minute(),
        local.second()
    )
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;
    use crate::settings::Settings;

    #[rstest]
    #[case("2025-05-29 09:10:00", Some("2025-05-29T03:40:00Z"))]
    #[case(" 2025-05-29 09:10:00 ", Some("2025-05-29T03:40:00Z"))]
    #[case("2025-05-29", Some("2025-05-28T18:30:00Z"))]
    #[case("2025-05-29T09:10:00", Some("2025-05-29T03:40:00Z"))]
    #[case("2025-05-29T09:10:00Z", Some("2025-05-29T09:10:00Z"))]
    #[case("2025-05-29T09:10:00+02:00", Some("2025-05-29T07:10:00Z"))]
    #[case("2025/05/29 09:10:00", Some("2025-05-29T03:40:00Z"))]
    #[case("1748509800000", Some("2025-05-29T09:10:00Z"))]
    #[case("1748509800", Some("2025-05-29T09:10:00Z"))]
    #[case("174850980000", Some("1975-07-17T17:43:00Z"))]
    #[case("197507171643", None)]
    #[case("2025-05-29 09:10:60", None)]
    #[case("1969-12-31T23:59:59.9Z", Some("1969-12-31T23:59:59Z"))]
    #[case("2024-02-29 00:00:00", Some("2024-02-28T18:30:00Z"))]
    #[case("2025-02-29 00:00:00", None)]
    #[case("2025-13-01 00:00:00", None)]
    #[case("2025-05-29 24:00:00", None)]
    #[case("9999-12-31 03:29:59", Some("9999-12-30T21:59:59Z"))]
    #[case("9999-12-31 23:59:59", None)]
    #[case("29/05/2025", None)]
    #[case("-000500-01-01 00:00:00", None)]
    #[case("0000-01-01 00:00:00", None)]
    #[case("2025-05-29 09:10:00[America/New_York]", None)]
    #[case("yesterday", None)]
    #[case("", None)]
    fn dates(#[case] sent: &str, #[case] expected: Option<&str>) {
        let zone = TimeZone::get("Asia/Kolkata").unwrap();
        assert_eq!(parse(sent, &zone), expected.map(|instant| instant.parse().unwrap()));
    }

    #[rstest]
    #[case::skipped("2025-03-30 02:30:00", "2025-03-30 03:30:00")]
    #[case::twice("2025-10-26 02:30:00", "2025-10-26 02:30:00")]
    fn clock_changes(#[case] sent: &str, #[case] formatted: &str) {
        let zone = TimeZone::get("Europe/Berlin").unwrap();
        assert_eq!(format(parse(sent, &zone).unwrap(), &zone), formatted);
    }

    #[rstest]
    #[case::earliest("2020-01-01 00:00:00", true)]
    #[case::too_early("2019-12-31 23:59:59", false)]
    #[case::too_early_elsewhere("2019-12-31T18:29:59Z", false)]
    #[case::earliest_elsewhere("2019-12-31T18:30:00Z", true)]
    #[case::now("2026-01-15 10:30:00", true)]
    #[case::latest("2026-01-17 10:30:00", true)]
    #[case::too_late("2026-01-17 10:30:01", false)]
    #[case::no_date("yesterday", false)]
    fn registration_dates(#[case] sent: &str, #[case] allowed: bool) {
        let zone = TimeZone::get("Asia/Kolkata").unwrap();
        let settings = Settings {
            earliest_registration: Some(jiff::civil::date(2020, 1, 1).at(0, 0, 0, 0)),
            future_registration_days: 2,
            ..Settings::default()
        };
        let mut organisation = Organisation { settings, ..Organisation::default() };
        organisation.details.time_zone = zone.clone();
        let now = "2026-01-15T05:00:00Z".parse().unwrap();
        let read = registration(sent, &zone, &organisation, now, &mut Trace::default());
        assert_eq!(read.is_ok(), allowed, "{read:?}");
        organisation.settings =
            Settings { future_registration_days: u16::MAX, ..Settings::default() };
        let read = registration(sent, &zone, &organisation, now, &mut Trace::default());
        assert_eq!(read.ok(), parse(sent, &zone));
    }

    #[rstest]
    #[case("0001-01-01", "expected 1900-01-01 00:00:00 or later, CONF_MIN_REGISTRATION_DATE")]
    #[case("0024-07-29", "expected 1900-01-01 00:00:00 or later, CONF_MIN_REGISTRATION_DATE")]
    #[case(
        "1899-12-31 23:59:59",
        "expected 1900-01-01 00:00:00 or later, CONF_MIN_REGISTRATION_DATE"
    )]
    #[case("2026-01-16 05:00:01", "expected at most 1 days ahead, FUTURE_REGISTRATION_DAYS")]
    #[case("2024-7-9 1:2:3", "expected YYYY-MM-DD HH:MM:SS")]
    #[case("2024-07-29 11:11:60", "expected YYYY-MM-DD HH:MM:SS")]
    fn refused_registration_dates_say_what_is_expected(#[case] sent: &str, #[case] reason: &str) {
        let now = "2026-01-15T05:00:00Z".parse().unwrap();
        let organisation = Organisation::default();
        let zone = TimeZone::UTC;
        let refused = registration(sent, &zone, &organisation, now, &mut Trace::default());
        assert_eq!(refused, Err(Failure::because(codes::DATE_OUT_OF_RANGE, reason.to_owned())));
        let earliest = "1900-01-01 00:00:00";
        assert!(registration(earliest, &zone, &organisation, now, &mut Trace::default()).is_ok());
    }

    #[rstest]
    #[case::latest("2026-01-16 10:30:00", Ok("2026-01-16T05:00:00Z"))]
    #[case::too_late("2026-01-16 10:30:01", Err("expected at most one day ahead of now"))]
    #[case::past("0001-01-02 00:00:00", Ok("0001-01-01T18:06:32Z"))]
    #[case::no_date("yesterday", Err(FORM))]
    fn dates_of_changes(#[case] sent: &str, #[case] expected: Result<&str, &'static str>) {
        let zone = TimeZone::get("Asia/Kolkata").unwrap();
        let now = "2026-01-15T05:00:00Z".parse().unwrap();
        assert_eq!(update(sent, &zone, now), expected.map(|instant| instant.parse().unwrap()));
    }

    #[rstest]
    #[case("2026-01-15T05:00:00.999999999Z", "2026-01-15T05:00:00Z")]
    #[case("2026-01-15T05:00:00Z", "2026-01-15T05:00:00Z")]
    #[case("1969-12-31T23:59:58.5Z", "1969-12-31T23:59:58Z")]
    fn whole_seconds(#[case] instant: Timestamp, #[case] expected: Timestamp) {
        assert_eq!(whole_second(instant), expected);
    }

    #[test]
    fn the_earliest_date_is_local_to_the_organisation_wherever_the_till_stands() {
        let earliest = Some(jiff::civil::date(2020, 1, 1).at(0, 0, 0, 0));
        let settings = Settings { earliest_registration: earliest, ..Settings::default() };
        let organisation = Organisation { settings, ..Organisation::default() };
        let now = "2026-01-15T05:00:00Z".parse().unwrap();
        let zone = TimeZone::get("Asia/Kolkata").unwrap();
        let allowed =
            |sent| registration(sent, &zone, &organisation, now, &mut Trace::default()).is_ok();
        assert!(!allowed("2020-01-01 05:29:59"));
        assert!(allowed("2020-01-01 05:30:00"));
    }
}
