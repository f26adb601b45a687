//! The texts of a JSON document.

use std::borrow::Cow;

use serde_json::Deserializer;

use super::readable;

/// A JSON document whose texts and member names are [`readable`]. From the first text that JSON does
/// not allow, the document stays as it is: its reader says what is wrong.
#[must_use]
pub fn document(json: &str) -> Cow<'_, str> {
    // An escape can stand for any character.
    if json.is_ascii() && !json.contains("\\u") {
        return Cow::Borrowed(json);
    }
    let mut written = String::with_capacity(json.len());
    let mut rest = json;
    while let Some((before, from)) = rest.find('"').and_then(|at| rest.split_at_checked(at)) {
        let mut texts = Deserializer::from_str(from).into_iter::<String>();
        let Some(Ok(text)) = texts.next() else { break };
        let Ok(text) = serde_json::to_string(&readable(&text)) else { break };
        written.push_str(before);
        written.push_str(&text);
        rest = from.get(texts.byte_offset()..).unwrap_or_default();
    }
    written.push_str(rest);
    Cow::Owned(written)
}
