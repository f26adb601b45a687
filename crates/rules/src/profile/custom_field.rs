//! `custom_fields`: "Custom fields are used to store information specific to a brand's needs … To
//! use these fields during registration, you must define them beforehand."
//!
//! Names and options are compared in their one form, with case. A field that is not defined, is disabled, or has a value
//! that its definition does not allow is dropped with a 1017, which a reply tells once for the
//! customer, however many they are. So is one whose pattern would cost more than is left of the
//! customer's [`Budget`]. A String field takes several values as a JSON array or its text,
//! and where it has options also with commas between them; each must be allowed, and they are stored
//! as a JSON array of texts. Whether a field is compulsory is the client's affair, as documented.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::bounded::at_most;
use super::field::{
    ALLOWED_LIMIT, COUNT_LIMIT, decimal, fits, integer, json_entries, json_texts, put, readable,
};
use super::pattern::{Budget, Pattern};
use super::{FieldValue, flag};
use crate::codes::{self, Warning};
use crate::organisation::Collection;
use crate::submission::{Member, SubmittedField, SubmittedValue};
use crate::text::canonical;

/// A custom field that is defined for customers.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CustomField {
    /// Its name; compared exactly.
    pub name: String,
    /// What its values are; texts where it is left out.
    #[serde(default)]
    pub data_type: DataType,
    /// The values it may have, at most 1,000; any where the list is empty.
    #[serde(default, deserialize_with = "at_most::<ALLOWED_LIMIT, _, _>")]
    #[schema(max_items = 1_000)]
    pub options: Vec<String>,
    /// What each value must match: a regular expression for the whole of it. Compiled, it takes at
    /// most 128 KiB.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    pub regex: Option<Pattern>,
    /// Whether the audit tells of its changes.
    #[serde(default)]
    pub audit_trail: bool,
}

/// What the values of a custom field are.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(as = CustomFieldType)]
pub enum DataType {
    /// A text, or several.
    #[default]
    String,
    /// A whole number of 64 bits.
    Integer,
    /// A decimal number of at most 28 digits.
    Double,
    /// `true`, `false`, `1` or `0`, in any case.
    Boolean,
}

impl DataType {
    fn takes(self, value: &str) -> bool {
        match self {
            Self::String => true,
            Self::Integer => integer(value).is_some(),
            Self::Double => decimal(value).is_some(),
            Self::Boolean => flag(value).is_some(),
        }
    }
}

impl CustomField {
    /// A value in its one form; `None` where a customer cannot have it. A text that starts like a
    /// JSON array and is none is one value.
    pub(crate) fn canonical(&self, sent: &str, budget: &mut Budget) -> Option<String> {
        // The length first: what is too long is not read.
        let value = readable(Some(sent).filter(|sent| fits(sent))?);
        let value = self.separated(&value, budget).map_or(value, Cow::Owned);
        let several = match self.data_type {
            DataType::String => json_entries(&value),
            _ => None,
        };
        let takes = match several {
            None => self.takes_one(&value, budget),
            Some(values) => values.iter().all(|value| self.takes_one(value, budget)),
        };
        (takes && fits(&value)).then(|| value.into_owned())
    }

    /// Options with commas between them, as the JSON array that they are. Any other text with a comma
    /// is one value.
    fn separated(&self, value: &str, budget: &mut Budget) -> Option<String> {
        let is_text = self.data_type == DataType::String;
        if !is_text || self.options.is_empty() || !value.contains(',') {
            return None;
        }
        if self.takes_one(value, budget) {
            return None;
        }
        let values: Vec<&str> = value.split(',').map(str::trim).collect();
        values.iter().all(|value| self.takes_one(value, budget)).then(|| json_texts(&values))?
    }

    fn takes_one(&self, value: &str, budget: &mut Budget) -> bool {
        self.data_type.takes(value)
            && (self.options.is_empty() || self.options.iter().any(|option| option == value))
            && self.regex.as_ref().is_none_or(|pattern| pattern.matches(value, budget))
    }
}

/// Takes the fields that are defined and allow their value; the others are dropped, each with a 1017.
pub fn read(
    submitted: &[SubmittedField],
    defined: &Collection<CustomField>,
    budget: &mut Budget,
    warnings: &mut Vec<Warning>,
) -> Vec<FieldValue> {
    let mut taken = Vec::with_capacity(submitted.len().min(COUNT_LIMIT));
    let mut dropped = |index| {
        warnings.push(Warning::from(codes::INVALID_CUSTOM_FIELD).at(Member::CustomField(index)));
    };
    for (index, field) in submitted.iter().take(COUNT_LIMIT).enumerate() {
        match (defined.named(&canonical(&field.name)), &field.value) {
            (Some(_), SubmittedValue::NotPassed) => {}
            (Some(definition), SubmittedValue::Text(sent)) => {
                match definition.canonical(sent, budget) {
                    Some(value) => put(&mut taken, &definition.name, &value),
                    None => dropped(index),
                }
            }
            _ => dropped(index),
        }
    }
    if submitted.len() > COUNT_LIMIT {
        dropped(COUNT_LIMIT);
    }
    taken
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;
    use crate::organisation::Documents as _;

    fn field(data_type: DataType, options: &[&str], pattern: &str) -> CustomField {
        CustomField {
            name: "field".to_owned(),
            data_type,
            options: options.iter().map(ToString::to_string).collect(),
            regex: (!pattern.is_empty()).then(|| Pattern::parse(pattern).unwrap()),
            audit_trail: false,
        }
    }

    const BRANDS: &[&str] = &["puma", "nike"];

    #[rstest]
    #[case(DataType::String, &[], "", "BTM, 2nd stage", true)]
    #[case(DataType::String, &[], "", "李小龍", true)]
    #[case(DataType::String, &[], "", "a\0b", false)]
    #[case(DataType::Integer, &[], "", "25", true)]
    #[case(DataType::Integer, &[], "", "-25", true)]
    #[case(DataType::Integer, &[], "", "2.5", false)]
    #[case(DataType::Integer, &[], "", "[1, 2]", false)]
    #[case(DataType::Double, &[], "", "2.5", true)]
    #[case(DataType::Double, &[], "", "2,5", false)]
    #[case(DataType::Boolean, &[], "", "TRUE", true)]
    #[case(DataType::Boolean, &[], "", "0", true)]
    #[case(DataType::Boolean, &[], "", "yes", false)]
    #[case(DataType::String, BRANDS, "", "puma", true)]
    #[case(DataType::String, BRANDS, "", "Puma", false)]
    #[case(DataType::String, BRANDS, "", "[\"puma\", \"nike\"]", true)]
    #[case(DataType::String, BRANDS, "", "[\"puma\", \"asics\"]", false)]
    #[case(DataType::String, BRANDS, "", "[“puma”]", false)]
    #[case(DataType::String, BRANDS, "", "puma,asics", false)]
    #[case(DataType::String, BRANDS, "", "puma,", false)]
    #[case(DataType::Integer, &["1", "2"], "", "1,2", false)]
    #[case(DataType::String, &[], "", "[“puma”]", true)]
    #[case(DataType::Integer, &["1", "2"], "", "2", true)]
    #[case(DataType::Integer, &["1", "2"], "", "3", false)]
    #[case(DataType::String, &[], "[1-9][0-9]{5}", "560076", true)]
    #[case(DataType::String, &[], "[1-9][0-9]{5}", "x560076", false)]
    #[case(DataType::String, &[], "[1-9][0-9]{5}", "[560076, 560001]", true)]
    #[case(DataType::String, &[], "[1-9][0-9]{5}", "[560076, 1]", false)]
    #[case(DataType::Integer, &[], "[1-9].*", "0", false)]
    fn values(
        #[case] data_type: DataType,
        #[case] options: &[&str],
        #[case] pattern: &str,
        #[case] value: &str,
        #[case] expected: bool,
    ) {
        let field = field(data_type, options, pattern);
        assert_eq!(field.canonical(value, &mut Budget::default()).is_some(), expected);
    }

    /// The same list, however it is written.
    #[rstest]
    #[case(&[], r#"["puma","nike"]"#, r#"["puma","nike"]"#)]
    #[case(&[], " [ \"puma\" ,\n\"nike\"] ", r#"["puma","nike"]"#)]
    #[case(&[], r#"["\u0070uma","ni\u200bke"]"#, r#"["puma","nike"]"#)]
    #[case(&[], r#"["caf\u0065\u0301"]"#, r#"["café"]"#)]
    #[case(&[], "[560076, 5.60001e5, 4.50, true]", r#"["560076","560001","4.50","true"]"#)]
    #[case(&[], "[ ]", "[]")]
    #[case(&[], r#"["puma", "nike""#, r#"["puma", "nike""#)]
    #[case(&[], r#"[["puma"]]"#, r#"[["puma"]]"#)]
    #[case(&[], "puma,nike", "puma,nike")]
    #[case(BRANDS, "puma,nike", r#"["puma","nike"]"#)]
    #[case(BRANDS, " puma , nike", r#"["puma","nike"]"#)]
    #[case(BRANDS, "puma", "puma")]
    #[case(&["a,b", "a", "b"], "a,b", "a,b")]
    #[case(&["a,b", "a", "b"], "b,a", r#"["b","a"]"#)]
    fn a_list_has_one_form(#[case] options: &[&str], #[case] sent: &str, #[case] stored: &str) {
        let field = field(DataType::String, options, "");
        assert_eq!(field.canonical(sent, &mut Budget::default()).as_deref(), Some(stored));
        assert_eq!(field.canonical(stored, &mut Budget::default()).as_deref(), Some(stored));
    }

    #[test]
    fn a_value_longer_than_the_limit_is_dropped() {
        let field = field(DataType::String, &[], "");
        assert!(field.canonical(&"x".repeat(4_096), &mut Budget::default()).is_some());
        assert_eq!(field.canonical(&"x".repeat(4_097), &mut Budget::default()), None);
        // Each entry of a list gains quotation marks.
        assert_eq!(
            field.canonical(&format!("[{}1]", "1,".repeat(2_000)), &mut Budget::default()),
            None
        );
    }

    #[test]
    fn a_field_that_is_disabled_takes_nothing() {
        let mut defined = Collection::of([field(DataType::String, &[], "")]).unwrap();
        defined.set_active("field", false).unwrap();
        let mut warnings = Vec::new();
        assert_eq!(
            read(&sent(&[("field", text("a"))]), &defined, &mut Budget::default(), &mut warnings),
            []
        );
        assert_eq!(warnings, [invalid(0)]);
    }

    #[rstest]
    #[case("String", true)]
    #[case("Integer", true)]
    #[case("Double", true)]
    #[case("Boolean", true)]
    #[case("Date", false)]
    #[case("", false)]
    fn types_have_their_published_names(#[case] name: &str, #[case] known: bool) {
        let document = format!(r#"{{"name":"field","data_type":"{name}"}}"#);
        let put = Collection::<CustomField>::default().put(&document);
        assert_eq!(put.map_err(|invalid| invalid.pointer).is_ok(), known);
    }

    fn sent(fields: &[(&str, SubmittedValue)]) -> Vec<SubmittedField> {
        let field = |(name, value): &(&str, SubmittedValue)| SubmittedField {
            name: (*name).to_owned(),
            value: value.clone(),
        };
        fields.iter().map(field).collect()
    }

    fn text(value: &str) -> SubmittedValue {
        SubmittedValue::Text(value.to_owned())
    }

    fn invalid(index: usize) -> Warning {
        Warning::from(codes::INVALID_CUSTOM_FIELD).at(Member::CustomField(index))
    }

    #[rstest]
    #[case::taken(&[("field", text("BTM"))], &["BTM"], &[])]
    #[case::in_one_form(&[("fi\u{200b}eld", text("cafe\u{301}\u{feff}"))], &["café"], &[])]
    #[case::several_in_one_form(
        &[("field", text(r#"["caf\u0065\u0301"]"#))],
        &[r#"["café"]"#],
        &[]
    )]
    #[case::not_passed(&[("field", SubmittedValue::NotPassed)], &[], &[])]
    #[case::the_last_one_counts(&[("field", text("a")), ("field", text("b"))], &["b"], &[])]
    #[case::names_are_exact(&[("Field", text("a")), (" field", text("b"))], &[], &[0, 1])]
    #[case::malformed(&[("field", SubmittedValue::Malformed)], &[], &[0])]
    #[case::undefined_and_empty(&[("city", SubmittedValue::NotPassed)], &[], &[0])]
    #[case::one_by_one(&[("x", text("1")), ("field", text("c")), ("y", text("2"))], &["c"], &[0, 2])]
    fn fields(
        #[case] submitted: &[(&str, SubmittedValue)],
        #[case] expected: &[&str],
        #[case] dropped: &[usize],
    ) {
        let mut warnings = Vec::new();
        let defined = Collection::of([field(DataType::String, &[], "")]).unwrap();
        let taken = read(&sent(submitted), &defined, &mut Budget::default(), &mut warnings);
        let values: Vec<&str> = taken.iter().map(|field| field.value.as_str()).collect();
        assert_eq!(values, expected);
        assert_eq!(warnings, dropped.iter().map(|index| invalid(*index)).collect::<Vec<_>>());
    }

    #[test]
    fn more_fields_than_the_limit_are_dropped() {
        let many = vec![("field", text("a")); COUNT_LIMIT + 1];
        let mut warnings = Vec::new();
        let defined = Collection::of([field(DataType::String, &[], "")]).unwrap();
        read(&sent(&many), &defined, &mut Budget::default(), &mut warnings);
        assert_eq!(warnings, [invalid(COUNT_LIMIT)]);
    }

    /// The budget is for 256 bytes of values and a pattern of 128 KiB. What it still has is for
    /// shorter values, and a field without a pattern costs nothing.
    #[test]
    fn a_value_beyond_the_budget_is_dropped() {
        let costly = field(DataType::String, &[], "(?:a?){900}a*b{900}|a*");
        let plain = CustomField { name: "plain".to_owned(), ..field(DataType::String, &[], "") };
        let defined = Collection::of([costly, plain]).unwrap();
        let long = "a".repeat(100);
        let several = format!(r#"["{long}","{long}","{long}"]"#);
        let sent = sent(&[
            ("field", text(&long)),
            ("field", text(&several)),
            ("field", text("aa")),
            ("plain", text(&several)),
        ]);
        let mut warnings = Vec::new();
        let taken = read(&sent, &defined, &mut Budget::default(), &mut warnings);
        let values: Vec<&str> = taken.iter().map(|field| field.value.as_str()).collect();
        assert_eq!(values, ["aa", several.as_str()]);
        assert_eq!(warnings, [invalid(1)]);
    }
}
