//! Dates of extended fields.
//!
//! `yyyy-MM-dd` is that day at 00:00:00 UTC; so is `yyyy/MM/dd`, which older documents send.
//! `yyyy-MM-ddTHH:mm:ssZ` and `yyyy-MM-ddTHH:mm:ss±hh:mm` are brought to UTC, and a time without an
//! offset is UTC. Digits alone are milliseconds since 1970 UTC. Fewer than nine of them (the first
//! 28 hours of 1970) are refused: they would rather be a year, or a day written in digits.

use jiff::Timestamp;
use jiff::tz::TimeZone;

use crate::profile::date;

/// The fewest digits of milliseconds.
const EPOCH_DIGITS: usize = 9;

/// Reads a date in any documented spelling.
pub(super) fn read(sent: &str) -> Option<Timestamp> {
    let text = sent.trim();
    let digits = text.strip_prefix('-').unwrap_or(text);
    if digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return from_epoch(text).filter(|_| digits.len() >= EPOCH_DIGITS);
    }
    date::parse(&text.replace('/', "-"), &TimeZone::UTC)
}

fn from_epoch(text: &str) -> Option<Timestamp> {
    let instant = Timestamp::from_millisecond(text.parse().ok()?).ok()?;
    // The same limits as for every other date.
    date::parse(&instant.to_string(), &TimeZone::UTC)
}

/// The day of an instant in UTC: `yyyy-MM-dd`.
pub(super) fn day(instant: Timestamp) -> String {
    instant.strftime("%Y-%m-%d").to_string()
}

/// The day where the time is midnight, else `yyyy-MM-ddTHH:mm:ssZ`.
pub(super) fn format(instant: Timestamp) -> String {
    let form =
        if instant.as_second().rem_euclid(86_400) == 0 { "%Y-%m-%d" } else { "%Y-%m-%dT%H:%M:%SZ" };
    instant.strftime(form).to_string()
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
        let instant = read(sent);
        assert_eq!(instant.map(day).as_deref(), as_day);
        assert_eq!(instant.map(format).unwrap_or_default(), whole);
    }
}
