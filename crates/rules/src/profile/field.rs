//! What custom and extended fields have in common: their values, their limits and the forms of
//! value that both know.

use std::borrow::Cow;

use rust_decimal::Decimal;
use serde::Serialize;
use serde_json::value::RawValue;

use crate::text::{self, Number};

/// The most fields of one sort that a request may carry for one customer.
pub const COUNT_LIMIT: usize = 200;
/// The longest value, in bytes.
pub const VALUE_LIMIT_BYTES: usize = 4_096;
/// The most values that a field's definition may allow.
pub const ALLOWED_LIMIT: usize = 1_000;

/// A field's value for one customer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FieldValue {
    /// The field's name, spelt as defined.
    pub name: String,
    /// The value, as text.
    pub value: String,
}

/// Why a definition cannot be set, for the operator.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Refused(String);

impl Refused {
    pub(super) fn new(reason: impl Into<String>) -> Self {
        Self(reason.into())
    }
}

impl From<Refused> for String {
    fn from(refused: Refused) -> Self {
        refused.0
    }
}

/// Sets a field among the values that a customer has; what is not named stays as it is.
pub fn put(values: &mut Vec<FieldValue>, name: &str, value: &str) {
    match values.iter_mut().find(|held| held.name == name) {
        Some(held) => value.clone_into(&mut held.value),
        None => values.push(FieldValue { name: name.to_owned(), value: value.to_owned() }),
    }
}

/// A value in its one form; a JSON array of texts, numbers and booleans is one of texts.
pub(super) fn readable(sent: &str) -> Cow<'_, str> {
    let value = text::readable(sent);
    let Some(entries) = json_entries(&value) else { return value };
    let entries: Vec<Cow<'_, str>> = entries.iter().map(|entry| text::readable(entry)).collect();
    json_texts(&entries).map_or(value, Cow::Owned)
}

/// Texts as a JSON array, the one form of several values.
pub(super) fn json_texts<T: Serialize>(texts: &[T]) -> Option<String> {
    serde_json::to_string(texts).ok()
}

/// Whether a value can be kept.
pub(super) fn fits(value: &str) -> bool {
    value.len() <= VALUE_LIMIT_BYTES && !value.contains('\0')
}

/// A whole number of 64 bits.
pub(super) fn integer(text: &str) -> Option<i64> {
    text.trim().parse().ok()
}

/// A decimal number of at most 28 digits, with or without an exponent.
pub(super) fn decimal(text: &str) -> Option<Decimal> {
    let text = text.trim();
    // The library would also read digits grouped by `_`.
    let plain =
        text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'+' | b'-' | b'.' | b'e' | b'E'));
    if !plain {
        return None;
    }
    text.parse().or_else(|_| Decimal::from_scientific(text)).ok()
}

/// The entries of a JSON array of texts, numbers and booleans, as texts; `None` where the text is
/// none.
pub(super) fn json_entries(text: &str) -> Option<Vec<String>> {
    if !text.trim_start().starts_with('[') {
        return None;
    }
    let entries: Vec<&RawValue> = serde_json::from_str(text).ok()?;
    let entry = |raw: &RawValue| match raw.get().as_bytes().first() {
        Some(b'"') => serde_json::from_str(raw.get()).ok(),
        Some(b'{' | b'[' | b'n') => None,
        Some(b't' | b'f') => Some(raw.get().to_owned()),
        _ => match Number::read(raw.get()) {
            Number::Whole(digits) => Some(digits.into_owned()),
            Number::Fraction => Some(raw.get().to_owned()),
            Number::TooLong => None,
        },
    };
    entries.into_iter().map(entry).collect()
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case("25", true)]
    #[case(" -25 ", true)]
    #[case("007", true)]
    #[case("9223372036854775807", true)]
    #[case("9223372036854775808", false)]
    #[case("2.5", false)]
    #[case("2e3", false)]
    #[case("", false)]
    #[case("٢٥", false)]
    fn integers(#[case] text: &str, #[case] valid: bool) {
        assert_eq!(integer(text).is_some(), valid);
    }

    #[rstest]
    #[case("2.5", Some("2.5"))]
    #[case(" -0.10 ", Some("-0.10"))]
    #[case("25", Some("25"))]
    #[case("2.5e3", Some("2500"))]
    #[case("1e300", None)]
    #[case("2,5", None)]
    #[case("1_000", None)]
    #[case("NaN", None)]
    #[case("inf", None)]
    #[case("-", None)]
    #[case("", None)]
    fn decimals(#[case] text: &str, #[case] expected: Option<&str>) {
        assert_eq!(decimal(text), expected.map(|text| text.parse().unwrap()));
    }

    #[rstest]
    #[case(r#"["puma", "nike"]"#, Some(&["puma", "nike"][..]))]
    #[case(r"[44, 4.50, true]", Some(&["44", "4.50", "true"][..]))]
    #[case(r"[44.0, 4.4e1]", Some(&["44", "44"][..]))]
    #[case(r"[1e400]", None)]
    #[case(r#"["caf\u00e9"]"#, Some(&["café"][..]))]
    #[case("[]", Some(&[][..]))]
    #[case("[null]", None)]
    #[case("[[1]]", None)]
    #[case(r#"[{"a": 1}]"#, None)]
    #[case("[“puma”]", None)]
    #[case("puma", None)]
    fn json_arrays(#[case] text: &str, #[case] expected: Option<&[&str]>) {
        let expected: Option<Vec<String>> =
            expected.map(|texts| texts.iter().map(ToString::to_string).collect());
        assert_eq!(json_entries(text), expected);
    }
}
