//! A reply in XML: "Natural shape", as the older documentation shows it.
//!
//! It is made from the JSON text, member by member in its order: numbers keep their digits, a list
//! is its element repeated, and null is an empty element.

use std::fmt;

use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;

const PROLOG: &str = "<?xml version=\"1.0\" encoding=\"UTF-8\" ?>";

/// The members of a JSON object, in its order.
struct Members<'a>(Vec<(String, &'a RawValue)>);

/// Writes a JSON object of one member, which becomes the document element, as XML.
pub(super) fn from_json(json: &[u8]) -> serde_json::Result<String> {
    let mut xml = PROLOG.to_owned();
    let Members(members) = serde_json::from_slice(json)?;
    for (name, value) in members {
        write(&mut xml, &name, value.get())?;
    }
    Ok(xml)
}

/// Writes a member as an element, or as several where it is a list.
fn write(xml: &mut String, name: &str, json: &str) -> serde_json::Result<()> {
    if json.starts_with('[') {
        let entries: Vec<&RawValue> = serde_json::from_str(json)?;
        return entries.into_iter().try_for_each(|entry| write(xml, name, entry.get()));
    }
    open(xml, name, "<");
    match json.as_bytes().first() {
        Some(b'{') => {
            let Members(members) = serde_json::from_str(json)?;
            for (name, value) in members {
                write(xml, &name, value.get())?;
            }
        }
        Some(b'"') => escape(xml, &serde_json::from_str::<String>(json)?),
        Some(b'n') => {}
        // A number or a boolean, as it stands.
        _ => xml.push_str(json),
    }
    open(xml, name, "</");
    Ok(())
}

/// Writes a tag; of a name, what XML does not allow in one becomes `_`.
fn open(xml: &mut String, name: &str, bracket: &str) {
    xml.push_str(bracket);
    if !name.starts_with(|c: char| c.is_alphabetic() || c == '_') {
        xml.push('_');
    }
    let allowed = |c: char| c.is_alphanumeric() || matches!(c, '_' | '-' | '.');
    xml.extend(name.chars().map(|c| if allowed(c) { c } else { '_' }));
    xml.push('>');
}

/// Writes a text; what XML 1.0 cannot carry becomes U+FFFD.
fn escape(xml: &mut String, text: &str) {
    for character in text.chars() {
        match character {
            '&' => xml.push_str("&amp;"),
            '<' => xml.push_str("&lt;"),
            '>' => xml.push_str("&gt;"),
            // As it stands it would be read as a line feed.
            '\r' => xml.push_str("&#13;"),
            '\t' | '\n' => xml.push(character),
            '\0'..' ' | '\u{fffe}' | '\u{ffff}' => xml.push('\u{fffd}'),
            _ => xml.push(character),
        }
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Members<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(InOrder)
    }
}

struct InOrder;

impl<'de> Visitor<'de> for InOrder {
    type Value = Members<'de>;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut members = Vec::new();
        while let Some(member) = map.next_entry()? {
            members.push(member);
        }
        Ok(Members(members))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn elements() {
        for (json, xml) in [
            (r#"{"a": {}}"#, "<a></a>"),
            (r#"{"a": null}"#, "<a></a>"),
            (r#"{"a": ""}"#, "<a></a>"),
            (r#"{"a": {"b": []}}"#, "<a></a>"),
            (
                r#"{"a": {"z": 1, "b": [1, "x", {"c": true}]}}"#,
                "<a><z>1</z><b>1</b><b>x</b><b><c>true</c></b></a>",
            ),
            (r#"{"a": 12345678901234567890.10}"#, "<a>12345678901234567890.10</a>"),
            (r#"{"a": "<b>&amp;\"'"}"#, "<a>&lt;b&gt;&amp;amp;\"'</a>"),
            (
                r#"{"a": "1\u0000\u001f\ufffe\t\r\n2"}"#,
                "<a>1\u{fffd}\u{fffd}\u{fffd}\t&#13;\n2</a>",
            ),
            (r#"{"a": "गुड़गाँव 🎉"}"#, "<a>गुड़गाँव 🎉</a>"),
            (r#"{"1 <": "x"}"#, "<_1__>x</_1__>"),
        ] {
            assert_eq!(from_json(json.as_bytes()).unwrap(), format!("{PROLOG}{xml}"), "{json}");
        }
    }
}
