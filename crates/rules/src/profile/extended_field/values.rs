//! The values that an extended field allows.

use std::collections::BTreeMap;

use serde::{Deserialize, Deserializer, Serialize};

use super::super::bounded::at_most;
use super::super::field::ALLOWED_LIMIT;

/// The values that an extended field allows, found without case.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[serde(into = "Vec<String>")]
pub struct Values {
    spelt: Vec<String>,
    /// Where in the list each value stands, by its text in lower case.
    places: BTreeMap<String, usize>,
}

impl Values {
    /// Whether the list is empty, so that any value is allowed.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.spelt.is_empty()
    }

    /// The first value that is this one in lower case.
    pub(super) fn spelt(&self, lower: &str) -> Option<&str> {
        let place = self.places.get(lower)?;
        self.spelt.get(*place).map(String::as_str)
    }
}

impl From<Vec<String>> for Values {
    fn from(spelt: Vec<String>) -> Self {
        let mut places = BTreeMap::new();
        for (place, value) in spelt.iter().enumerate() {
            places.entry(value.to_lowercase()).or_insert(place);
        }
        Self { spelt, places }
    }
}

impl From<Values> for Vec<String> {
    fn from(values: Values) -> Self {
        values.spelt
    }
}

impl<'de> Deserialize<'de> for Values {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        at_most::<ALLOWED_LIMIT, _, _>(deserializer).map(Vec::into)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_of_several_spellings_counts() {
        let json = r#"["Red","ÉTÉ","red","ΟΔΟΣ"]"#;
        let values: Values = serde_json::from_str(json).unwrap();
        assert_eq!(values.spelt("red"), Some("Red"));
        assert_eq!(values.spelt("été"), Some("ÉTÉ"));
        assert_eq!(values.spelt("οδος"), Some("ΟΔΟΣ"));
        assert_eq!(values.spelt("blue"), None);
        assert_eq!(serde_json::to_string(&values).unwrap(), json);
    }
}
