//! Dates with a time of day.
//!
//! "Format: YYYY-MM-DD HH:MM:SS". A date alone and ISO 8601 are understood too. Without an offset
//! the time is local: that of the till's zone, else the organisation's. A local time that a clock
//! change skips is read as the same distance after the gap; one that occurs twice as the first.

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;

/// The longest text that is looked at, in bytes.
const TEXT_LIMIT_BYTES: usize = 40;

/// Reads a date-time as sent, local to `zone`. `None` where it is none.
#[must_use]
pub fn parse(sent: &str, zone: &TimeZone) -> Option<Timestamp> {
    let text = sent.trim();
    // A zone behind the time, in brackets, would be read over.
    if text.len() > TEXT_LIMIT_BYTES || text.contains('[') {
        return None;
    }
    let instant = text.parse::<Timestamp>().ok().or_else(|| {
        let local: DateTime = text.parse().ok()?;
        Some(zone.to_ambiguous_zoned(local).compatible().ok()?.timestamp())
    })?;
    // Four digits of a year and whole seconds are all that the form has.
    let second = Timestamp::from_second(instant.as_millisecond().div_euclid(1_000)).ok()?;
    (1..=9999).contains(&zone.to_datetime(second).year()).then_some(second)
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

    #[rstest]
    #[case("2025-05-29 09:10:00", Some("2025-05-29T03:40:00Z"))]
    #[case(" 2025-05-29 09:10:00 ", Some("2025-05-29T03:40:00Z"))]
    #[case("2025-05-29", Some("2025-05-28T18:30:00Z"))]
    #[case("2025-05-29T09:10:00", Some("2025-05-29T03:40:00Z"))]
    #[case("2025-05-29T09:10:00Z", Some("2025-05-29T09:10:00Z"))]
    #[case("2025-05-29T09:10:00+02:00", Some("2025-05-29T07:10:00Z"))]
    #[case("1969-12-31T23:59:59.9Z", Some("1969-12-31T23:59:59Z"))]
    #[case("2024-02-29 00:00:00", Some("2024-02-28T18:30:00Z"))]
    #[case("2025-02-29 00:00:00", None)]
    #[case("2025-13-01 00:00:00", None)]
    #[case("2025-05-29 24:00:00", None)]
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
}
