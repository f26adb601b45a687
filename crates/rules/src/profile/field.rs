//! Custom and extended fields: "To use these fields during registration, you must define them
//! beforehand."

use crate::codes::{self, Warning};
use crate::organisation::{CustomField, ExtendedField};
use crate::submission::{SubmittedField, SubmittedValue};

/// The most fields of one sort that a request may carry for one customer.
pub const COUNT_LIMIT: usize = 200;
/// How much of a name that was sent is repeated in a message, in characters.
const NAME_SHOWN_LIMIT: usize = 100;
/// The longest value, in bytes.
pub const VALUE_LIMIT_BYTES: usize = 4_096;

/// A field's value for one customer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FieldValue {
    /// The field's name, spelt as defined.
    pub name: String,
    /// The value, as text.
    pub value: String,
}

/// Takes the custom fields that are defined; names are compared exactly. The others are dropped,
/// with one 1017 however many they are.
pub fn custom(
    submitted: &[SubmittedField],
    defined: &[CustomField],
    warnings: &mut Vec<Warning>,
) -> Vec<FieldValue> {
    let mut taken = Vec::with_capacity(submitted.len().min(COUNT_LIMIT));
    let mut dropped = submitted.len() > COUNT_LIMIT;
    for field in submitted.iter().take(COUNT_LIMIT) {
        let known = defined.iter().find(|definition| definition.name == field.name);
        match (known, &field.value) {
            (Some(_), SubmittedValue::NotPassed) => {}
            (Some(definition), SubmittedValue::Text(value)) if fits(value) => {
                put(&mut taken, &definition.name, value);
            }
            _ => dropped = true,
        }
    }
    if dropped {
        warnings.push(codes::INVALID_CUSTOM_FIELD.into());
    }
    taken
}

/// Takes the extended fields that are defined; names are compared without case, and an
/// enumeration's value is brought to its defined spelling. The others are dropped, each with a
/// 91015 that names it.
pub fn extended(
    submitted: &[SubmittedField],
    defined: &[ExtendedField],
    warnings: &mut Vec<Warning>,
) -> Vec<FieldValue> {
    let mut taken = Vec::with_capacity(submitted.len().min(COUNT_LIMIT));
    for field in submitted.iter().take(COUNT_LIMIT) {
        let known = defined.iter().find(|definition| same_name(&definition.name, &field.name));
        let value = match (known, &field.value) {
            (Some(_), SubmittedValue::NotPassed) => continue,
            (Some(definition), SubmittedValue::Text(value)) => canonical(definition, value),
            _ => None,
        };
        match known.zip(value) {
            Some((definition, value)) => put(&mut taken, &definition.name, &value),
            None => warnings.push(dropped(&field.name)),
        }
    }
    if let Some(first) = submitted.get(COUNT_LIMIT) {
        warnings.push(dropped(&first.name));
    }
    taken
}

/// Names the field that was dropped, at a length fit for a message.
fn dropped(name: &str) -> Warning {
    let shown: String = name.chars().take(NAME_SHOWN_LIMIT).collect();
    Warning::about(codes::INVALID_EXTENDED_FIELD, &shown, "")
}

/// Sets a field among the values that a customer has; what is not named stays as it is.
pub fn put(values: &mut Vec<FieldValue>, name: &str, value: &str) {
    match values.iter_mut().find(|held| held.name == name) {
        Some(held) => value.clone_into(&mut held.value),
        None => values.push(FieldValue { name: name.to_owned(), value: value.to_owned() }),
    }
}

fn canonical(definition: &ExtendedField, value: &str) -> Option<String> {
    if !fits(value) {
        return None;
    }
    if definition.values.is_empty() {
        return Some(value.to_owned());
    }
    definition.values.iter().find(|known| same_name(known, value)).cloned()
}

fn fits(value: &str) -> bool {
    value.len() <= VALUE_LIMIT_BYTES && !value.contains('\0')
}

fn same_name(one: &str, other: &str) -> bool {
    one.to_lowercase() == other.trim().to_lowercase()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sent(fields: &[(&str, &str)]) -> Vec<SubmittedField> {
        fields
            .iter()
            .map(|(name, value)| SubmittedField {
                name: (*name).to_owned(),
                value: SubmittedValue::Text((*value).to_owned()),
            })
            .collect()
    }

    fn pairs(values: &[FieldValue]) -> Vec<(&str, &str)> {
        values.iter().map(|field| (field.name.as_str(), field.value.as_str())).collect()
    }

    #[test]
    fn undefined_custom_fields_are_dropped_with_one_warning() {
        let defined = [CustomField { name: "address".into() }];
        let mut warnings = Vec::new();
        let submitted = sent(&[("Address", "x"), ("address", "BTM"), ("city", "y")]);
        let taken = custom(&submitted, &defined, &mut warnings);
        assert_eq!(pairs(&taken), [("address", "BTM")]);
        assert_eq!(warnings, [codes::INVALID_CUSTOM_FIELD.into()]);
    }

    #[test]
    fn an_enumeration_has_one_spelling() {
        let defined = [
            ExtendedField { name: "gender".into(), values: vec!["Male".into(), "Female".into()] },
            ExtendedField { name: "city".into(), values: Vec::new() },
        ];
        let mut warnings = Vec::new();
        let submitted =
            sent(&[("GENDER", "female"), ("city", "Pune"), ("gender", "x"), ("zip", "1")]);
        let taken = extended(&submitted, &defined, &mut warnings);
        assert_eq!(pairs(&taken), [("gender", "Female"), ("city", "Pune")]);
        let about = |name| Warning::about(codes::INVALID_EXTENDED_FIELD, name, "");
        assert_eq!(warnings, [about("gender"), about("zip")]);
    }

    #[test]
    fn a_value_longer_than_the_limit_is_dropped() {
        let defined = [CustomField { name: "address".into() }];
        let mut warnings = Vec::new();
        let long = "x".repeat(VALUE_LIMIT_BYTES + 1);
        assert_eq!(custom(&sent(&[("address", &long)]), &defined, &mut warnings), []);
        assert_eq!(warnings.len(), 1);
    }
}
