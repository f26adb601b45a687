//! "Several logical (`> < >= <= =`) or regex rules per field, checked before saving."
//!
//! A rule is text: an operator with a number or a date behind it, such as `>= 18` and
//! `< 2010-01-01`, or `matches` with a pattern for the whole value, such as `matches [0-9]{6}`.

use std::cmp::Ordering;

use jiff::civil::DateTime;
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

use super::super::field::{Refused, decimal};
use super::super::pattern::{Budget, Pattern};
use super::{DataType, Element, moment};

/// What the values of an extended field must keep.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Rule {
    text: String,
    test: Test,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Test {
    Compare(Operator, Bound),
    Matches(Pattern),
}

/// What values are compared with. Digits can be a number and a moment: the data type decides.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Bound {
    number: Option<Decimal>,
    moment: Option<DateTime>,
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
    /// Reads a rule.
    ///
    /// # Errors
    /// [`Refused`] when it is none.
    pub fn parse(sent: &str) -> Result<Self, Refused> {
        let text = sent.trim();
        let kept = if let Some(pattern) = text.strip_prefix("matches ") {
            Test::Matches(Pattern::parse(pattern.trim())?)
        } else {
            comparison(text).ok_or_else(|| {
                Refused::new(format!(
                    "`{text}` is no rule: a number or a date behind one of >= <= > < =, or `matches` and a pattern"
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

    /// The pattern that values must match, if the rule has one.
    #[must_use]
    pub const fn pattern(&self) -> Option<&Pattern> {
        match &self.test {
            Test::Compare(..) => None,
            Test::Matches(pattern) => Some(pattern),
        }
    }

    /// Whether values of this type can be held against the rule; a LIST is compared entry by entry.
    pub(super) fn suits(&self, data_type: DataType, element: Element) -> bool {
        match &self.test {
            Test::Compare(_, bound) if data_type.is_moment() => bound.moment.is_some(),
            Test::Compare(_, bound) => data_type.is_number(element) && bound.number.is_some(),
            Test::Matches(_) => true,
        }
    }

    /// Whether a value of this type, in its one form, keeps the rule.
    pub(super) fn holds(&self, value: &str, data_type: DataType, budget: &mut Budget) -> bool {
        let order = |bound: &Bound| {
            if data_type.is_moment() {
                Some(moment::read(value)?.cmp(&bound.moment?))
            } else {
                Some(decimal(value)?.cmp(&bound.number?))
            }
        };
        match &self.test {
            Test::Compare(operator, bound) => {
                order(bound).is_some_and(|order| operator.holds(order))
            }
            Test::Matches(pattern) => pattern.matches(value, budget),
        }
    }
}

impl TryFrom<String> for Rule {
    type Error = Refused;

    fn try_from(text: String) -> Result<Self, Refused> {
        Self::parse(&text)
    }
}

impl From<Rule> for String {
    fn from(rule: Rule) -> Self {
        rule.text
    }
}

fn comparison(text: &str) -> Option<Test> {
    let (operator, bound) = OPERATORS
        .iter()
        .find_map(|(sign, operator)| Some((*operator, text.strip_prefix(sign)?)))?;
    let bound = Bound { number: decimal(bound), moment: moment::read(bound) };
    let some = bound.number.is_some() || bound.moment.is_some();
    some.then_some(Test::Compare(operator, bound))
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
        let rule = Rule::parse(rule).unwrap();
        assert!(rule.suits(data_type, Element::Decimal));
        assert!(rule.holds(keeps, data_type, &mut Budget::default()));
        assert!(!rule.holds(breaks, data_type, &mut Budget::default()));
        assert_eq!(Rule::parse(rule.as_str()).unwrap(), rule);
    }

    #[rstest]
    #[case("18")]
    #[case("> eighteen")]
    #[case("<> 18")]
    #[case("")]
    #[case("matches [a-")]
    fn what_is_no_rule_is_refused(#[case] rule: &str) {
        assert!(Rule::parse(rule).is_err());
    }

    #[rstest]
    #[case(DataType::Date, "> 18", false)]
    #[case(DataType::Date, "> 1709164800", true)]
    #[case(DataType::Integer, "> 1709164800", true)]
    #[case(DataType::Integer, "> 2010-01-01", false)]
    #[case(DataType::String, "> 18", false)]
    #[case(DataType::List, "> 18", false)]
    #[case(DataType::List, "matches [0-9]", true)]
    fn a_rule_suits_its_data_type(
        #[case] data_type: DataType,
        #[case] rule: &str,
        #[case] suits: bool,
    ) {
        assert_eq!(Rule::parse(rule).unwrap().suits(data_type, Element::Text), suits);
    }
}
