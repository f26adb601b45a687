//! Dates of extended fields.
//!
//! `yyyy-MM-dd` is that day at 00:00:00 UTC; so is `yyyy/MM/dd`, which older documents send.
//! `yyyy-MM-ddTHH:mm:ssZ` and `yyyy-MM-ddTHH:mm:ss±hh:mm` are brought to UTC, and a time without an
//! offset is UTC. Digits alone are milliseconds since 1970 UTC. Fewer than nine of them (the first
//! 28 hours of 1970) are refused: they would rather be a year, or a day written in digits.

use jiff::civil::{DateTime, Time};
use jiff::fmt::temporal::Pieces;
use jiff::tz::{Offset, TimeZone};
use jiff::{SignedDuration, Timestamp};

/// The longest text that is looked at, in bytes.
const TEXT_LIMIT_BYTES: usize = 40;
/// The fewest digits of milliseconds.
const EPOCH_DIGITS: usize = 9;

/// Reads a date in any documented spelling: a date-time in UTC, whole seconds of the years 1 to
/// 9999, to the last of them. An instant would end a day earlier, so that every zone has it.
pub(super) fn read(sent: &str) -> Option<DateTime> {
    let text = sent.trim();
    let digits = text.strip_prefix('-').unwrap_or(text);
    let utc = if digits.bytes().all(|byte| byte.is_ascii_digit()) {
        from_epoch(text).filter(|_| digits.len() >= EPOCH_DIGITS)?
    } else {
        from_pieces(&text.replace('/', "-"))?
    };
    let second = utc.with().subsec_nanosecond(0).build().ok()?;
    (1..=9999).contains(&second.year()).then_some(second)
}

fn from_epoch(text: &str) -> Option<DateTime> {
    let instant = Timestamp::from_millisecond(text.parse().ok()?).ok()?;
    Some(TimeZone::UTC.to_datetime(instant))
}

fn from_pieces(text: &str) -> Option<DateTime> {
    // A zone behind the time, in brackets, would be read over.
    if text.len() > TEXT_LIMIT_BYTES || text.contains('[') {
        return None;
    }
    let pieces = Pieces::parse(text).ok()?;
    let local = pieces.date().to_datetime(pieces.time().unwrap_or(Time::midnight()));
    let offset = pieces.to_numeric_offset().unwrap_or(Offset::UTC);
    local.checked_sub(SignedDuration::from_secs(offset.seconds().into())).ok()
}

/// The day: `yyyy-MM-dd`.
pub(super) fn day(moment: DateTime) -> String {
    moment.strftime("%Y-%m-%d").to_string()
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
    #[case("2000-02-29", Some("2000-02-29"), "2000-02-29")]
    #[case(" 2000/02/29 ", Some("2000-02-29"), "2000-02-29")]
    #[case("1969-07-20", Some("1969-07-20"), "1969-07-20")]
    #[case("2000-02-29T00:00:00Z", Some("2000-02-29"), "2000-02-29")]
    #[case("2000-02-29T12:30:00Z", Some("2000-02-29"), "2000-02-29T12:30:00Z")]
    #[case("2000-03-01T01:00:00+05:30", Some("2000-02-29"), "2000-02-29T19:30:00Z")]
    #[case("2000-02-29T23:00:00-02:00", Some("2000-03-01"), "2000-03-01T01:00:00Z")]
    #[case("2000-02-29 12:30:00", Some("2000-02-29"), "2000-02-29T12:30:00Z")]
    #[case("951782400000", Some("2000-02-29"), "2000-02-29")]
    #[case("951782400999", Some("2000-02-29"), "2000-02-29")]
    #[case("-14182940000", Some("1969-07-20"), "1969-07-20T20:17:40Z")]
    #[case("0099-01-02", Some("0099-01-02"), "0099-01-02")]
    #[case("9999-12-31", Some("9999-12-31"), "9999-12-31")]
    #[case("9999-12-31 23:59:59", Some("9999-12-31"), "9999-12-31T23:59:59Z")]
    #[case("9999-12-31T23:59:59.999Z", Some("9999-12-31"), "9999-12-31T23:59:59Z")]
    #[case("9999-12-31T23:59:59+05:30", Some("9999-12-31"), "9999-12-31T18:29:59Z")]
    #[case("9999-12-31T23:59:59-01:00", None, "")]
    #[case("0001-01-01", Some("0001-01-01"), "0001-01-01")]
    #[case("0001-01-01T00:00:00+01:00", None, "")]
    #[case("1990", None, "")]
    #[case("19900102", None, "")]
    #[case("99999999999999999999", None, "")]
    #[case("253402300800000", None, "")]
    #[case("2001-02-29", None, "")]
    #[case("29/02/2000", None, "")]
    #[case("2000-02-29T12:30:00[Asia/Kolkata]", None, "")]
    #[case("yesterday", None, "")]
    #[case("-", None, "")]
    #[case("", None, "")]
    fn moments(#[case] sent: &str, #[case] as_day: Option<&str>, #[case] whole: &str) {
        let moment = read(sent);
        assert_eq!(moment.map(day).as_deref(), as_day);
        assert_eq!(moment.map(format).unwrap_or_default(), whole);
    }
}
