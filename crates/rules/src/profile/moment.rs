//! Dates and times as text, in every spelling that is accepted:
//!
//! - `YYYY-MM-DD` and `YYYY/MM/DD`, which older documents send; both are 00:00:00 of that day;
//! - either with a time of day behind a blank or a `T`: `YYYY-MM-DD HH:MM:SS`;
//! - with an offset as well: `YYYY-MM-DDTHH:MM:SSZ`, `YYYY-MM-DDTHH:MM:SS+05:30`;
//! - digits alone since 1970 UTC: ten are seconds, eleven to thirteen milliseconds, on either side of
//!   1970. Fewer or more digits are refused, since they can be a year, or a day or a time without
//!   separators; so are twelve that read as `YYYYMMDDHHMM`.
//!
//! Fractions of a second are cut off. A 60th second is refused: rounding would move it to another
//! minute, and on the last day of a year to another day.

use std::ops::RangeInclusive;

use jiff::Timestamp;
use jiff::civil::{Date, DateTime, Time};
use jiff::fmt::temporal::Pieces;
use jiff::tz::{Offset, TimeZone};
use serde::{Deserialize, Deserializer, de};

/// The form that messages ask for.
pub const FORM: &str = "expected YYYY-MM-DD HH:MM:SS";
/// The longest text that is looked at, in bytes.
const TEXT_LIMIT_BYTES: usize = 40;
/// How many digits seconds since 1970 have, from 2001-09-09 to 2286-11-20.
const SECOND_DIGITS: usize = 10;
/// How many digits milliseconds since 1970 have, from 1970-04-26 to 2286-11-20.
const MILLISECOND_DIGITS: RangeInclusive<usize> = 11..=13;

/// A date-time as it was written: a clock of the years 1 to 9999, in whole seconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Written {
    /// What the clock shows.
    pub clock: DateTime,
    /// Its offset from UTC; `None` if none was written.
    pub offset: Option<Offset>,
}

/// Reads a date-time; `None` if it has none of the spellings above.
pub(crate) fn read(sent: &str) -> Option<Written> {
    let text = sent.trim();
    let digits = text.strip_prefix('-').unwrap_or(text);
    let written = if !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit()) {
        from_epoch(text, digits)?
    } else {
        from_pieces(&text.replace('/', "-"))?
    };
    let clock = written.clock.with().subsec_nanosecond(0).build().ok()?;
    (1..=9999).contains(&clock.year()).then_some(Written { clock, ..written })
}

fn from_epoch(text: &str, digits: &str) -> Option<Written> {
    let number: i64 = text.parse().ok().filter(|_| !digits.starts_with('0'))?;
    let instant = if digits.len() == SECOND_DIGITS {
        Timestamp::from_second(number)
    } else if MILLISECOND_DIGITS.contains(&digits.len()) && !is_without_separators(text) {
        Timestamp::from_millisecond(number)
    } else {
        return None;
    };
    let clock = TimeZone::UTC.to_datetime(instant.ok()?);
    Some(Written { clock, offset: Some(Offset::UTC) })
}

/// Whether these digits read as a time of the years 1900 to 2099 without separators, `YYYYMMDDHHMM`.
fn is_without_separators(digits: &str) -> bool {
    let has_century = digits.starts_with("19") || digits.starts_with("20");
    has_century && digits.len() == 12 && DateTime::strptime("%Y%m%d%H%M", digits).is_ok()
}

fn from_pieces(text: &str) -> Option<Written> {
    // The parser would skip a zone in brackets behind the time.
    if text.len() > TEXT_LIMIT_BYTES || text.contains('[') || has_60th_second(text) {
        return None;
    }
    let pieces = Pieces::parse(text).ok()?;
    let clock = pieces.date().to_datetime(pieces.time().unwrap_or(Time::midnight()));
    Some(Written { clock, offset: pieces.to_numeric_offset() })
}

/// Whether the seconds are 60, which the parser would read as 59.
fn has_60th_second(text: &str) -> bool {
    let time = text.split_once([' ', 'T', 't']).map_or("", |(_, time)| time);
    let clock = time.chars().take_while(|character| matches!(character, '0'..='9' | ':'));
    clock.filter(char::is_ascii_digit).skip(4).take(2).eq("60".chars())
}

/// Reads a date-time without an offset.
pub(crate) fn local(sent: &str) -> Option<DateTime> {
    read(sent).filter(|written| written.offset.is_none()).map(|written| written.clock)
}

/// Reads a day of a document, `YYYY-MM-DD` of the years 1 to 9999, or none.
///
/// # Errors
/// The text has another form.
pub(crate) fn day<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Date>, D::Error> {
    let Some(text) = Option::<String>::deserialize(deserializer)? else { return Ok(None) };
    // The parser would also read a time behind the day, and drop it.
    let day = text.parse().ok().filter(|_| text.len() == "YYYY-MM-DD".len());
    let day = day.filter(|day: &Date| (1..=9999).contains(&day.year()));
    let wrong =
        || de::Error::invalid_value(de::Unexpected::Str(&text), &"a day of the form YYYY-MM-DD");
    day.map(Some).ok_or_else(wrong)
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case("2000-02-29", "2000-02-29T00:00:00", None)]
    #[case(" 2000/02/29 ", "2000-02-29T00:00:00", None)]
    #[case("2000/02/29 11:11:11", "2000-02-29T11:11:11", None)]
    #[case("2000-02-29 12:30:00", "2000-02-29T12:30:00", None)]
    #[case("2000-02-29T12:30:00.999", "2000-02-29T12:30:00", None)]
    #[case("2000-02-29T12:30:00Z", "2000-02-29T12:30:00", Some(0))]
    #[case("2000-03-01T01:00:00+05:30", "2000-03-01T01:00:00", Some(19_800))]
    #[case("1748509800", "2025-05-29T09:10:00", Some(0))]
    #[case("1748509800999", "2025-05-29T09:10:00", Some(0))]
    #[case("1000000000", "2001-09-09T01:46:40", Some(0))]
    #[case("9999999999", "2286-11-20T17:46:39", Some(0))]
    #[case("1000000000000", "2001-09-09T01:46:40", Some(0))]
    #[case("482284800000", "1985-04-14T00:00:00", Some(0))]
    #[case("200013010000", "1976-05-03T23:10:10", Some(0))]
    #[case("10000000000", "1970-04-26T17:46:40", Some(0))]
    #[case("-14182940000", "1969-07-20T20:17:40", Some(0))]
    #[case("-199912312359", "1963-09-01T04:48:07", Some(0))]
    #[case("9999999999999", "2286-11-20T17:46:39", Some(0))]
    #[case("-1000000000", "1938-04-24T22:13:20", Some(0))]
    #[case("-1000000000001", "1938-04-24T22:13:19", Some(0))]
    #[case("0001-01-01", "0001-01-01T00:00:00", None)]
    #[case("9999-12-31 23:59:59", "9999-12-31T23:59:59", None)]
    fn reads(#[case] sent: &str, #[case] clock: DateTime, #[case] seconds: Option<i32>) {
        let offset = seconds.map(|seconds| Offset::from_seconds(seconds).unwrap());
        assert_eq!(read(sent), Some(Written { clock, offset }));
        assert_eq!(local(sent), offset.is_none().then_some(clock));
    }

    #[rstest]
    #[case::no_date("yesterday")]
    #[case::empty("")]
    #[case::sign("-")]
    #[case::day_first("29/02/2000")]
    #[case::no_such_day("2001-02-29")]
    #[case::one_digit("2024-7-9 1:2:3")]
    #[case::year_0("0000-01-01 00:00:00")]
    #[case::before_christ("-000500-01-01 00:00:00")]
    #[case::after_midnight("2025-05-29 24:00:00")]
    #[case::zone("2000-02-29T12:30:00[Asia/Kolkata]")]
    #[case::second_60("2000-12-31 23:59:60")]
    #[case::second_60_with_offset("2000-12-31T23:59:60Z")]
    #[case::second_60_with_fraction("2000-12-31T23:59:60.5+00:00")]
    #[case::second_60_without_separators("20001231T235960")]
    #[case::seconds("642729600")]
    #[case::negative_seconds("-642729600")]
    #[case::padded_seconds("0000642729600")]
    #[case::padded_to_ten("0642729600")]
    #[case::padded_to_thirteen("0951782400999")]
    #[case::minute_without_separators("200002291230")]
    #[case::second_without_separators("20000229123000")]
    #[case::microseconds("1748509800000000")]
    #[case::plus("+1748509800")]
    #[case::other_digits("١٧٤٨٥٠٩٨٠٠")]
    #[case::year("1990")]
    #[case::day("19900102")]
    #[case::fourteen("17485098000000")]
    #[case::fifteen("253402300800000")]
    #[case::too_many_digits("99999999999999999999")]
    fn refuses(#[case] sent: &str) {
        assert_eq!(read(sent), None);
    }

    #[rstest]
    #[case(r#""2025-05-29""#, Ok(Some("2025-05-29")))]
    #[case("null", Ok(None))]
    #[case(r#""2025-05-29T23:00:00""#, Err(()))]
    #[case(r#""2025-05-29 23:59:60""#, Err(()))]
    #[case(r#""2025/05/29""#, Err(()))]
    #[case(r#""0000-05-29""#, Err(()))]
    #[case("1748476800000", Err(()))]
    fn days_of_documents_have_one_form(
        #[case] sent: &str,
        #[case] expected: Result<Option<&str>, ()>,
    ) {
        let read = day(&mut serde_json::Deserializer::from_str(sent)).map_err(|_| ());
        assert_eq!(read, expected.map(|day| day.map(|day| day.parse().unwrap())));
    }
}
