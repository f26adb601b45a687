//! Dates of extended fields.
//!
//! A date is in one of the spellings of [`moment`]. A DATE keeps the day that was written, whatever
//! the offset. A DATETIME is brought to UTC; a time without an offset is UTC.

use jiff::SignedDuration;
use jiff::civil::{DateTime, Time};

use super::super::moment;

/// Reads a date-time in UTC, of the years 1 to 9999. An instant would end a day earlier, so that
/// every zone has it.
pub(super) fn read(sent: &str) -> Option<DateTime> {
    let written = moment::read(sent)?;
    let east = written.offset.map_or(0, |offset| offset.seconds().into());
    let utc = written.clock.checked_sub(SignedDuration::from_secs(east)).ok()?;
    (1..=9999).contains(&utc.year()).then_some(utc)
}

/// Reads the day that was written: `yyyy-MM-dd`.
pub(super) fn day(sent: &str) -> Option<String> {
    Some(moment::read(sent)?.clock.strftime("%Y-%m-%d").to_string())
}

/// The day where the time is midnight, else `yyyy-MM-ddTHH:mm:ssZ`.
pub(super) fn format(moment: DateTime) -> String {
    let form = if moment.time() == Time::midnight() { "%Y-%m-%d" } else { "%Y-%m-%dT%H:%M:%SZ" };
    moment.strftime(form).to_string()
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case("2000-02-29", "2000-02-29", Some("2000-02-29"))]
    #[case("2000-02-29T00:00:00Z", "2000-02-29", Some("2000-02-29"))]
    #[case("2000-02-29T12:30:00Z", "2000-02-29", Some("2000-02-29T12:30:00Z"))]
    #[case("1990-05-15T00:00:00+05:30", "1990-05-15", Some("1990-05-14T18:30:00Z"))]
    #[case("2000-03-01T01:00:00+05:30", "2000-03-01", Some("2000-02-29T19:30:00Z"))]
    #[case("2000-02-29T23:00:00-02:00", "2000-02-29", Some("2000-03-01T01:00:00Z"))]
    #[case("2000-02-29 12:30:00", "2000-02-29", Some("2000-02-29T12:30:00Z"))]
    #[case("1709164800", "2024-02-29", Some("2024-02-29"))]
    #[case("1709164800000", "2024-02-29", Some("2024-02-29"))]
    #[case("951782400000", "2000-02-29", Some("2000-02-29"))]
    #[case("-1182940000000", "1932-07-07", Some("1932-07-07T13:33:20Z"))]
    #[case("9999-12-31T23:59:59+05:30", "9999-12-31", Some("9999-12-31T18:29:59Z"))]
    #[case("9999-12-31T23:59:59-01:00", "9999-12-31", None)]
    #[case("0001-01-01T00:00:00+01:00", "0001-01-01", None)]
    fn moments(#[case] sent: &str, #[case] written_day: &str, #[case] utc: Option<&str>) {
        assert_eq!(day(sent).as_deref(), Some(written_day));
        assert_eq!(read(sent).map(format).as_deref(), utc);
    }

    #[rstest]
    #[case("642729600")]
    #[case("200002291230")]
    #[case("2000-12-31T23:59:60Z")]
    #[case("yesterday")]
    fn refuses(#[case] sent: &str) {
        assert_eq!((day(sent), read(sent)), (None, None));
    }
}
