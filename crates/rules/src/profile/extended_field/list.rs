//! Several values in one extended field.
//!
//! They come as comma-separated text or as a JSON array, and are kept as a JSON array. A text that
//! starts with `[` is read as an array alone, so that a broken one does not become entries.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::super::field::{decimal, integer, json_entries, json_texts};

/// What a LIST holds.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct List {
    /// What each entry is; texts where it is left out.
    #[serde(default, rename = "element_type")]
    pub element: Element,
    /// The fewest entries.
    #[serde(default, rename = "min_count")]
    pub least: u16,
    /// The most entries; any number where there is none.
    #[serde(default, rename = "max_count", skip_serializing_if = "Option::is_none")]
    pub most: Option<u16>,
}

/// What each entry of a LIST is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "UPPERCASE")]
#[schema(as = ListElement)]
pub enum Element {
    /// A text.
    #[default]
    Text,
    /// A whole number of 64 bits.
    Integer,
    /// A decimal number of at most 28 digits.
    Decimal,
}

impl Element {
    /// One entry, a number in the form that JSON has for it.
    pub(super) fn read(self, sent: &str) -> Option<String> {
        match self {
            Self::Text => Some(sent.trim().to_owned()),
            Self::Integer => integer(sent).map(|number| number.to_string()),
            Self::Decimal => decimal(sent).map(|number| number.to_string()),
        }
    }
}

/// A LIST: every entry must be taken, and their number be within its limits.
pub(super) fn list(
    sent: &str,
    list: List,
    take: &mut dyn FnMut(&str) -> Option<String>,
) -> Option<String> {
    let taken: Vec<String> =
        entries(sent)?.iter().map(|entry| take(entry)).collect::<Option<_>>()?;
    let enough = taken.len() >= usize::from(list.least);
    let few = list.most.is_none_or(|most| taken.len() <= usize::from(most));
    if enough && few { json(&taken, list.element) } else { None }
}

/// A STRING_SET: every entry must be taken; each is kept once.
pub(super) fn set(sent: &str, take: &mut dyn FnMut(&str) -> Option<String>) -> Option<String> {
    let entries = entries(sent)?;
    let mut taken: Vec<String> = entries.iter().map(|entry| take(entry)).collect::<Option<_>>()?;
    let mut seen = BTreeSet::new();
    taken.retain(|entry| seen.insert(entry.clone()));
    json(&taken, Element::Text)
}

/// The entries as texts; blank ones are not passed.
fn entries(sent: &str) -> Option<Vec<String>> {
    let text = sent.trim();
    let mut entries = if text.starts_with('[') {
        json_entries(text)?
    } else {
        text.split(',').map(str::to_owned).collect()
    };
    entries.retain(|entry| !entry.trim().is_empty());
    Some(entries)
}

fn json(entries: &[String], element: Element) -> Option<String> {
    match element {
        Element::Text => json_texts(entries),
        Element::Integer | Element::Decimal => Some(format!("[{}]", entries.join(","))),
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case(Element::Text, "a, b", Some(r#"["a","b"]"#))]
    #[case(Element::Text, r#"["a, b", "c\"d"]"#, Some(r#"["a, b","c\"d"]"#))]
    #[case(Element::Text, "a,a", Some(r#"["a","a"]"#))]
    #[case(Element::Text, "a,,b,", Some(r#"["a","b"]"#))]
    #[case(Element::Text, "a", None)]
    #[case(Element::Text, "a,b,c,d", None)]
    #[case(Element::Text, "[\"a\", ", None)]
    #[case(Element::Text, "[[1],[2]]", None)]
    #[case(Element::Integer, "007, -1", Some("[7,-1]"))]
    #[case(Element::Integer, "1, 2.5", None)]
    #[case(Element::Decimal, ".5, 2.50", Some("[0.5,2.50]"))]
    #[case(Element::Decimal, "1, x", None)]
    fn lists(#[case] element: Element, #[case] sent: &str, #[case] expected: Option<&str>) {
        let limits = List { element, least: 2, most: Some(3) };
        let taken = list(sent, limits, &mut |entry| element.read(entry));
        assert_eq!(taken.as_deref(), expected);
    }

    #[rstest]
    #[case("b, a,b", Some(r#"["b","a"]"#))]
    #[case("[\"a\",\"a\"]", Some(r#"["a"]"#))]
    #[case("a,no", None)]
    fn sets(#[case] sent: &str, #[case] expected: Option<&str>) {
        let mut take = |entry: &str| Element::Text.read(entry).filter(|entry| entry != "no");
        assert_eq!(set(sent, &mut take).as_deref(), expected);
    }

    #[rstest]
    #[case("TEXT", Some(Element::Text))]
    #[case("INTEGER", Some(Element::Integer))]
    #[case("DECIMAL", Some(Element::Decimal))]
    #[case("STRING", None)]
    fn elements_have_their_published_names(#[case] name: &str, #[case] expected: Option<Element>) {
        assert_eq!(serde_json::from_value(name.into()).ok(), expected);
    }
}
