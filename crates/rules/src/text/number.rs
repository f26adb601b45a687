//! JSON numbers as texts.

use std::borrow::Cow;

/// The most digits to which a point or an exponent is resolved: as many as the longest identifier has.
pub const DIGITS_LIMIT: usize = 250;

/// A JSON number (RFC 8259) as the text that it stands for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Number<'a> {
    /// A whole number: its digits, however it was written.
    Whole(Cow<'a, str>),
    /// A number with a fraction.
    Fraction,
    /// A whole number of more than [`DIGITS_LIMIT`] digits, written with a point or an exponent.
    TooLong,
}

impl<'a> Number<'a> {
    /// Reads a number as JSON writes it. Digits are never rounded.
    #[must_use]
    pub fn read(json: &'a str) -> Self {
        if json == "-0" {
            return Self::Whole("0".into());
        }
        if !json.contains(['.', 'e', 'E']) {
            return Self::Whole(json.into());
        }
        let (mantissa, exponent) = json.split_once(['e', 'E']).unwrap_or((json, "0"));
        let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
        let (sign, whole) = whole.strip_prefix('-').map_or(("", whole), |whole| ("-", whole));
        let fraction = fraction.trim_end_matches('0');
        let all = format!("{whole}{fraction}");
        let digits = all.trim_matches('0');
        if digits.is_empty() {
            return Self::Whole("0".into());
        }
        let trailing = all.len().saturating_sub(all.trim_end_matches('0').len());
        // The zeros that follow the last other digit; below 0, that many digits follow the point.
        let zeros = exponent.parse::<i64>().ok().and_then(|exponent| {
            let behind = i64::try_from(fraction.len()).ok()?;
            exponent.checked_sub(behind)?.checked_add(i64::try_from(trailing).ok()?)
        });
        let zeros = match zeros {
            None if exponent.starts_with('-') => return Self::Fraction,
            None => return Self::TooLong,
            Some(zeros) if zeros < 0 => return Self::Fraction,
            Some(zeros) => usize::try_from(zeros).unwrap_or(usize::MAX),
        };
        if digits.len().saturating_add(zeros) > DIGITS_LIMIT {
            return Self::TooLong;
        }
        Self::Whole(format!("{sign}{digits}{}", "0".repeat(zeros)).into())
    }
}
