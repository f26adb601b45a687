//! `extended_fields`: "Extended fields are predefined, standardized fields that capture additional
//! information … To use them during registration, they must be pre-defined."
//!
//! Names are compared without case. A value is brought to the one form of its data type
//! ([`DataType`]) and must keep the field's rules ([`Rule`]). A field that is not defined, or whose
//! value is not valid, or would cost more than is left of the customer's [`Budget`], is dropped with
//! a 91015 that names it. Whether a field is mandatory is the
//! client's affair, as documented.

pub mod data_type;
pub mod list;
pub mod moment;
pub mod rule;
pub mod values;

pub use data_type::DataType;
pub use list::{Element, List};
pub use rule::Rule;
pub use values::Values;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::bounded::at_most;
use super::field::{self, COUNT_LIMIT, fits, put};
use super::{Budget, FieldValue};
use crate::codes::{self, Warning};
use crate::organisation::{Invalid, Organisation};
use crate::submission::{Member, SubmittedField, SubmittedValue};
use crate::text::canonical;

/// The most rules of a field.
pub const RULES_LIMIT: usize = 20;
/// How much of a name that was sent is repeated in a message, in characters.
const NAME_SHOWN_LIMIT: usize = 100;

/// An extended field that is defined for customers.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ExtendedField {
    /// Its name; compared without case.
    pub name: String,
    /// What its values are; texts where it is left out.
    #[serde(default)]
    pub data_type: DataType,
    /// The values, or entries, that it may have, at most 1,000, compared without case; any where the
    /// list is empty.
    #[serde(default)]
    #[schema(value_type = Vec<String>, max_items = 1_000)]
    pub values: Values,
    /// What its values, or each entry, must keep: at most 20 rules. A pattern takes at most 128 KiB
    /// compiled.
    #[serde(default, deserialize_with = "at_most::<RULES_LIMIT, _, _>")]
    #[schema(max_items = 20, value_type = Vec<String>, examples(json!([">= 18", "matches [0-9]+"])))]
    pub rules: Vec<Rule>,
    /// What a LIST holds.
    #[serde(default)]
    #[schema(inline)]
    pub list: List,
    /// Whether the audit tells of its changes.
    #[serde(default)]
    pub audit_trail: bool,
}

impl ExtendedField {
    /// Refuses a definition that no value can keep.
    ///
    /// # Errors
    /// An enumeration without values, a list of at least more entries than at most, a rule that
    /// compares what is neither number nor date.
    pub fn check_definition(&self) -> Result<(), Invalid> {
        let Self { data_type, values, rules, list, .. } = self;
        Invalid::unless(
            !data_type.is_enumeration() || !values.is_empty(),
            "/values",
            "an enumeration has values",
        )?;
        Invalid::unless(
            list.most.is_none_or(|most| list.least <= most),
            "/list/max_count",
            "at least as many as `min_count`",
        )?;
        match rules.iter().position(|rule| !rule.suits(*data_type, list.element)) {
            Some(index) => Err(Invalid::at(
                format!("/rules/{index}"),
                "only numbers and dates are compared, each with its like",
            )),
            None => Ok(()),
        }
    }

    /// A value in its one form; `None` where the field cannot have it.
    pub(crate) fn canonical(
        &self,
        sent: &str,
        organisation: &Organisation,
        budget: &mut Budget,
    ) -> Option<String> {
        // The length first: what is too long is not read.
        let sent = &field::readable(Some(sent).filter(|sent| fits(sent))?);
        let value = match self.data_type {
            DataType::StringSet => {
                list::set(sent, &mut |entry| self.entry(Element::Text, entry, budget))?
            }
            DataType::List => {
                let element = self.list.element;
                list::list(sent, self.list, &mut |entry| self.entry(element, entry, budget))?
            }
            _ => self.kept(self.data_type.read(sent, organisation)?, budget)?,
        };
        Some(value).filter(|value| fits(value))
    }

    fn entry(&self, element: Element, sent: &str, budget: &mut Budget) -> Option<String> {
        self.kept(element.read(sent)?, budget)
    }

    /// One value that is among those allowed, in their spelling, and keeps every rule.
    fn kept(&self, value: String, budget: &mut Budget) -> Option<String> {
        let spelt = if self.values.is_empty() {
            value
        } else {
            self.values.spelt(&without_case(&value)?)?.to_owned()
        };
        let mut rules = self.rules.iter();
        rules.all(|rule| rule.holds(&spelt, self.data_type, budget)).then_some(spelt)
    }
}

/// Takes the fields that are defined and can have their value; the others are dropped, each with a
/// warning.
pub fn read(
    submitted: &[SubmittedField],
    organisation: &Organisation,
    budget: &mut Budget,
    warnings: &mut Vec<Warning>,
) -> Vec<FieldValue> {
    if submitted.is_empty() {
        return Vec::new();
    }
    let defined = organisation.extended_fields.active();
    let defined: BTreeMap<String, &ExtendedField> =
        defined.map(|field| (field.name.to_lowercase(), field)).collect();
    let mut taken = Vec::with_capacity(submitted.len().min(COUNT_LIMIT));
    for (index, field) in submitted.iter().take(COUNT_LIMIT).enumerate() {
        let known = without_case(&field.name).and_then(|name| defined.get(&name).copied());
        let value = match (known, &field.value) {
            (Some(_), SubmittedValue::NotPassed) => continue,
            (Some(definition), SubmittedValue::Text(sent)) => {
                definition.canonical(sent, organisation, budget)
            }
            _ => None,
        };
        match known.zip(value) {
            Some((definition, value)) => put(&mut taken, &definition.name, &value),
            None => {
                warnings.push(dropped(&field.name, known).at(Member::ExtendedField(index)));
            }
        }
    }
    if let Some(first) = submitted.get(COUNT_LIMIT) {
        warnings.push(dropped(&first.name, None).at(Member::ExtendedField(COUNT_LIMIT)));
    }
    taken
}

/// Names the field that was dropped, at a length fit for a message. A store that does not exist
/// has a warning of its own.
fn dropped(name: &str, definition: Option<&ExtendedField>) -> Warning {
    if definition.is_some_and(|definition| definition.data_type == DataType::OrgEntity) {
        return codes::STORE_NOT_FOUND.into();
    }
    let shown: String = name.chars().take(NAME_SHOWN_LIMIT).collect();
    Warning::about(codes::INVALID_EXTENDED_FIELD, &shown, "")
}

/// The longest name that is compared, in bytes.
const NAME_LIMIT_BYTES: usize = 1_024;

/// The form in which names and allowed values are compared; `None` where none is as long.
fn without_case(sent: &str) -> Option<String> {
    (sent.len() <= NAME_LIMIT_BYTES).then(|| canonical(sent).trim().to_lowercase())
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;
    use crate::organisation::{Collection, Till};

    fn organisation(extended_fields: Vec<ExtendedField>) -> Organisation {
        let till = Till { name: "till.001".to_owned(), ..Till::default() };
        Organisation {
            tills: Collection::of([till]).unwrap(),
            extended_fields: Collection::of(extended_fields).unwrap(),
            ..Organisation::default()
        }
    }

    fn field(data_type: DataType, values: &[&str], rules: &[&str]) -> ExtendedField {
        let list = List { element: Element::Integer, least: 1, most: Some(3) };
        let rule = |text: &&str| Rule::parse(text).unwrap();
        ExtendedField {
            name: "Field".to_owned(),
            data_type,
            values: values.iter().map(ToString::to_string).collect::<Vec<_>>().into(),
            rules: rules.iter().map(rule).collect(),
            list,
            audit_trail: false,
        }
    }

    const SEXES: &[&str] = &["Male", "Female"];

    #[rstest]
    #[case(DataType::Integer, &[], &[], "25", Some("25"))]
    #[case(DataType::Integer, &[], &[], "25.5", None)]
    #[case(DataType::Integer, &[], &[">= 18", "< 120"], "18", Some("18"))]
    #[case(DataType::Integer, &[], &[">= 18", "< 120"], "17", None)]
    #[case(DataType::Integer, &[], &[">= 18", "< 120"], "120", None)]
    #[case(DataType::Double, &[], &["<= 2.5"], "2.50", Some("2.50"))]
    #[case(DataType::Double, &[], &["<= 2.5"], "2.51", None)]
    #[case(DataType::String, &[], &[], "Pune", Some("Pune"))]
    #[case(DataType::String, &[], &["matches [0-9]{6}"], "560076", Some("560076"))]
    #[case(DataType::String, &[], &["matches [0-9]{6}"], "5600761", None)]
    #[case(DataType::String, &["Pune"], &[], "pune", Some("Pune"))]
    #[case(DataType::StandardEnum, SEXES, &[], "female", Some("Female"))]
    #[case(DataType::StandardEnum, SEXES, &[], " MALE ", Some("Male"))]
    #[case(DataType::StandardEnum, SEXES, &[], "f", None)]
    #[case(DataType::CustomEnum, &["ÉTÉ"], &[], "été", Some("ÉTÉ"))]
    #[case(DataType::Date, &[], &["< 2010-01-01"], "2009/12/31", Some("2009-12-31"))]
    #[case(DataType::Date, &[], &["< 2010-01-01"], "2010-01-01", None)]
    #[case(DataType::OrgEntity, &[], &[], "till.001", Some("till.001"))]
    #[case(DataType::OrgEntity, &[], &[], "elsewhere", None)]
    #[case(DataType::StringSet, &[], &[], "a, b,a", Some(r#"["a","b"]"#))]
    #[case(DataType::StringSet, &["Red", "Blue"], &[], "red,RED", Some(r#"["Red"]"#))]
    #[case(DataType::StringSet, &["Red", "Blue"], &[], "red,green", None)]
    #[case(DataType::List, &[], &[], "44,45", Some("[44,45]"))]
    #[case(DataType::List, &[], &[], "[44, \"45\"]", Some("[44,45]"))]
    #[case(DataType::List, &[], &[], "1,2,3,4", None)]
    #[case(DataType::List, &[], &[], "1,x", None)]
    #[case(DataType::List, &["1", "2"], &[], "1,3", None)]
    #[case(DataType::List, &[], &["> 40"], "44,40", None)]
    fn values(
        #[case] data_type: DataType,
        #[case] allowed: &[&str],
        #[case] rules: &[&str],
        #[case] sent: &str,
        #[case] expected: Option<&str>,
    ) {
        let field = field(data_type, allowed, rules);
        field.check_definition().unwrap();
        let organisation = organisation(Vec::new());
        let canonical = |sent| field.canonical(sent, &organisation, &mut Budget::default());
        let value = canonical(sent);
        assert_eq!(value.as_deref(), expected);
        if let Some(value) = value {
            assert_eq!(canonical(&value).as_deref(), expected, "once more");
        }
    }

    #[rstest]
    #[case(field(DataType::StandardEnum, &[], &[]), "/values")]
    #[case(field(DataType::CustomEnum, &[], &[]), "/values")]
    #[case(field(DataType::Date, &[], &["> 2010-01-01", "> 18"]), "/rules/1")]
    #[case(
        ExtendedField { list: List { least: 3, most: Some(2), ..List::default() }, ..ExtendedField::default() },
        "/list/max_count"
    )]
    fn definitions_that_nothing_keeps_are_refused(
        #[case] field: ExtendedField,
        #[case] pointer: &str,
    ) {
        assert_eq!(field.check_definition().unwrap_err().pointer, pointer);
    }

    fn named(name: &str, data_type: DataType) -> ExtendedField {
        ExtendedField { name: name.to_owned(), data_type, ..ExtendedField::default() }
    }

    #[test]
    fn what_is_dropped_is_named_and_what_is_not_passed_is_not() {
        let organisation = organisation(vec![
            named("Age", DataType::Integer),
            named("preferred_store", DataType::OrgEntity),
            named("dob", DataType::Date),
        ]);
        let text = |value: &str| SubmittedValue::Text(value.to_owned());
        let sent = [
            ("AGE", text("old")),
            (" dob ", text("2000/01/02")),
            ("zip", text("1")),
            ("preferred_store", text("elsewhere")),
            ("age", SubmittedValue::NotPassed),
            ("dob", SubmittedValue::Malformed),
        ]
        .map(|(name, value)| SubmittedField { name: name.to_owned(), value });
        let mut warnings = Vec::new();
        let taken = read(&sent, &organisation, &mut Budget::default(), &mut warnings);
        assert_eq!(taken, [FieldValue { name: "dob".to_owned(), value: "2000-01-02".to_owned() }]);
        let about = |name| Warning::about(codes::INVALID_EXTENDED_FIELD, name, "");
        let expected = [
            about("AGE").at(Member::ExtendedField(0)),
            about("zip").at(Member::ExtendedField(2)),
            Warning::from(codes::STORE_NOT_FOUND).at(Member::ExtendedField(3)),
            about("dob").at(Member::ExtendedField(5)),
        ];
        assert_eq!(warnings, expected);
    }

    #[test]
    fn values_and_fields_beyond_the_limits_are_dropped() {
        let organisation = organisation(vec![named("city", DataType::String)]);
        let city = |value: String| SubmittedField {
            name: "city".to_owned(),
            value: SubmittedValue::Text(value),
        };
        let mut warnings = Vec::new();
        assert_eq!(
            read(&[city("x".repeat(4_097))], &organisation, &mut Budget::default(), &mut warnings),
            []
        );
        read(
            &vec![city("x".to_owned()); COUNT_LIMIT + 2],
            &organisation,
            &mut Budget::default(),
            &mut warnings,
        );
        assert_eq!(warnings.len(), 2);
    }

    /// The budget is for 256 bytes of values and a pattern of 128 KiB: each entry costs it for each
    /// of two rules.
    #[test]
    fn a_value_beyond_the_budget_is_dropped() {
        let costly = field(DataType::StringSet, &[], &["matches (?:a?){900}a*b{900}|a*"; 2]);
        let organisation = organisation(vec![costly, named("plain", DataType::String)]);
        let text = |name: &str, value: String| SubmittedField {
            name: name.to_owned(),
            value: SubmittedValue::Text(value),
        };
        let sent = [
            text("field", format!("{},{}", "a".repeat(50), "a".repeat(90))),
            text("field", "a".repeat(5)),
            text("plain", "a".repeat(4_096)),
        ];
        let mut warnings = Vec::new();
        let taken = read(&sent, &organisation, &mut Budget::default(), &mut warnings);
        assert_eq!(taken.len(), 2);
        let about = Warning::about(codes::INVALID_EXTENDED_FIELD, "field", "");
        assert_eq!(warnings, [about.at(Member::ExtendedField(0))]);
    }
}
