//! "Several logical (`> < >= <= =`) or regex rules per field, checked before saving."
//!
//! A rule is text: an operator with a number or a date behind it, such as `>= 18` and
//! `< 2010-01-01`, or `matches` with a pattern for the whole value, such as `matches [0-9]{6}`.

use std::cmp::Ordering;

use jiff::Timestamp;
use rust_decimal::Decimal;

use super::super::field::{Refused, decimal};
use super::super::pattern::Pattern;
use super::{DataType, Element, moment};

/// What the values of an extended field must keep.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rule {
    text: String,
    test: Test,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Test {
    Number(Operator, Decimal),
    Moment(Operator, Timestamp),
    Matches(Pattern),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Operator {
    AtLeast,
    AtMost,
    More,
    Less,
    Equal,
}

/// The longer ones first, since the shorter ones begin them.
const OPERATORS: [(&str, Operator); 5] = [
    (">=", Operator::AtLeast),
    ("<=", Operator::AtMost),
    (">", Operator::More),
    ("<", Operator::Less),
    ("=", Operator::Equal),
];

impl Operator {
    fn holds(self, order: Ordering) -> bool {
        match self {
            Self::AtLeast => order.is_ge(),
            Self::AtMost => order.is_le(),
            Self::More => order.is_gt(),
            Self::Less => order.is_lt(),
            Self::Equal => order.is_eq(),
        }
    }
}

impl Rule {
    /// Reads the rule of a field of this data type; a LIST is compared entry by entry.
    ///
    /// # Errors
    /// [`Refused`] when it is no rule, or compares what is neither number nor date.
    pub fn parse(sent: &str, data_type: DataType, element: Element) -> Result<Self, Refused> {
        let text = sent.trim();
        let kept = if let Some(pattern) = text.strip_prefix("matches ") {
            Test::Matches(Pattern::parse(pattern.trim())?)
        } else {
            comparison(text, data_type, element).ok_or_else(|| {
                Refused::new(format!(
                    "`{text}` is no rule for {}: a number or a date behind one of >= <= > < =, or `matches` and a pattern",
                    data_type.name()
                ))
            })?
        };
        Ok(Self { text: text.to_owned(), test: kept })
    }

    /// The rule as it was set.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Whether a value, in its one form, keeps the rule.
    pub(super) fn holds(&self, value: &str) -> bool {
        match &self.test {
            Test::Number(operator, bound) => {
                decimal(value).is_some_and(|number| operator.holds(number.cmp(bound)))
            }
            Test::Moment(operator, bound) => {
                moment::read(value).is_some_and(|instant| operator.holds(instant.cmp(bound)))
            }
            Test::Matches(pattern) => pattern.matches(value),
        }
    }
}

fn comparison(text: &str, data_type: DataType, element: Element) -> Option<Test> {
    let (operator, bound) = OPERATORS
        .iter()
        .find_map(|(sign, operator)| Some((*operator, text.strip_prefix(sign)?)))?;
    match data_type {
        DataType::Date | DataType::DateTime => Some(Test::Moment(operator, moment::read(bound)?)),
        DataType::Integer | DataType::Double => Some(Test::Number(operator, decimal(bound)?)),
        DataType::List if element != Element::Text => Some(Test::Number(operator, decimal(bound)?)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case(DataType::Integer, "> 18", "19", "18")]
    #[case(DataType::Integer, ">= 18", "18", "17")]
    #[case(DataType::Integer, ">=18", "18", "17")]
    #[case(DataType::Integer, "< 18", "17", "18")]
    #[case(DataType::Integer, "<= 18", "18", "19")]
    #[case(DataType::Integer, "= 18", "018", "19")]
    #[case(DataType::Double, "= 0.1", "0.10", "0.100000000000000000001")]
    #[case(DataType::Double, "> -1e3", "-999.9", "-1000")]
    #[case(DataType::Date, "< 2010/01/01", "2009-12-31", "2010-01-01")]
    #[case(DataType::DateTime, ">= 2010-01-01T12:00:00Z", "2010-01-01T12:00:00Z", "2010-01-01")]
    #[case(DataType::String, "matches [0-9]{6}", "560076", "5600761")]
    #[case(DataType::List, "> 40", "41", "40")]
    fn rules(
        #[case] data_type: DataType,
        #[case] rule: &str,
        #[case] keeps: &str,
        #[case] breaks: &str,
    ) {
        let rule = Rule::parse(rule, data_type, Element::Decimal).unwrap();
        assert!(rule.holds(keeps));
        assert!(!rule.holds(breaks));
        assert_eq!(Rule::parse(rule.as_str(), data_type, Element::Decimal).unwrap(), rule);
    }

    #[rstest]
    #[case(DataType::Integer, "18")]
    #[case(DataType::Integer, "> eighteen")]
    #[case(DataType::Integer, "<> 18")]
    #[case(DataType::Integer, "")]
    #[case(DataType::Date, "> 18")]
    #[case(DataType::String, "> 18")]
    #[case(DataType::List, "> 18")]
    #[case(DataType::String, "matches [a-")]
    fn what_is_no_rule_is_refused(#[case] data_type: DataType, #[case] rule: &str) {
        assert!(Rule::parse(rule, data_type, Element::Text).is_err());
    }
}
