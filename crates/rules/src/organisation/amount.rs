//! An amount that an operator sets: points, or a value in a currency.

use std::fmt;

use rust_decimal::Decimal;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use utoipa::ToSchema;

/// The most that an amount may be.
const MOST: u64 = 999_999_999_999;
/// How many digits may stand behind the point.
const PLACES: u32 = 6;

/// More than nothing, at most 999,999,999,999, with at most six digits behind the point. In a
/// document it is a text, or a whole number: never a float, which would not be exact.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ToSchema)]
#[schema(value_type = String, examples("100", "2.50"))]
pub struct Amount(Decimal);

impl Amount {
    /// This amount; `None` outside the limits.
    #[must_use]
    pub fn new(decimal: Decimal) -> Option<Self> {
        let decimal = decimal.normalize();
        let fits =
            decimal > Decimal::ZERO && decimal <= Decimal::from(MOST) && decimal.scale() <= PLACES;
        fits.then_some(Self(decimal))
    }

    /// 1.
    #[must_use]
    pub const fn one() -> Self {
        Self(Decimal::ONE)
    }

    /// The amount as a decimal.
    #[must_use]
    pub const fn get(self) -> Decimal {
        self.0
    }
}

impl Serialize for Amount {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for Amount {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(AmountVisitor)
    }
}

struct AmountVisitor;

impl de::Visitor<'_> for AmountVisitor {
    type Value = Amount;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "an amount such as \"100\" or \"2.50\", above 0 and up to {MOST}, with at most {PLACES} digits behind the point"
        )
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<Amount, E> {
        let decimal = Decimal::from_str_exact(text).ok().and_then(Amount::new);
        decimal.ok_or_else(|| E::invalid_value(de::Unexpected::Str(text), &self))
    }

    fn visit_u64<E: de::Error>(self, whole: u64) -> Result<Amount, E> {
        let amount = Amount::new(Decimal::from(whole));
        amount.ok_or_else(|| E::invalid_value(de::Unexpected::Unsigned(whole), &self))
    }

    fn visit_i64<E: de::Error>(self, whole: i64) -> Result<Amount, E> {
        let amount = Amount::new(Decimal::from(whole));
        amount.ok_or_else(|| E::invalid_value(de::Unexpected::Signed(whole), &self))
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case(r#""100""#, Some("100"))]
    #[case("100", Some("100"))]
    #[case(r#""0.10""#, Some("0.1"))]
    #[case(r#""0.000001""#, Some("0.000001"))]
    #[case(r#""999999999999""#, Some("999999999999"))]
    #[case(r#""1000000000000""#, None)]
    #[case("1000000000000", None)]
    #[case(r#""0.0000001""#, None)]
    #[case(r#""0""#, None)]
    #[case("0", None)]
    #[case("-1", None)]
    #[case("0.1", None)]
    #[case(r#""1e3""#, None)]
    #[case(r#""ten""#, None)]
    #[case("null", None)]
    fn amounts(#[case] json: &str, #[case] expected: Option<&str>) {
        let read: Result<Amount, _> = serde_json::from_str(json);
        let written = read.ok().map(|amount| serde_json::to_string(&amount).unwrap());
        assert_eq!(written, expected.map(|text| format!("\"{text}\"")));
    }
}
