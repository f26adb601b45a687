//! What every kind of resource has in common.

use std::fmt;

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_path_to_error::{Path, Segment};

use super::distinct::Distinct;
use super::{Collection, Kind, Organisation};
use crate::text;

/// How many levels of parents there may be.
const DEPTH_LIMIT: usize = 10;

/// A thing that is set up: a document with a name of its own within its kind.
///
/// Its members are named in snake case. Those that are not known are refused; those that have a
/// sensible default may be left out.
pub trait Resource: Clone + fmt::Debug + Eq + Serialize + DeserializeOwned {
    /// Its kind.
    const KIND: Kind;
    /// The most of its kind that an organisation has, active or not.
    const COUNT_LIMIT: usize;
    /// The longest name, in characters.
    const NAME_LIMIT: usize = 50;

    /// Its name, by which it is known for good.
    fn name(&self) -> &str;

    /// Its number, where its kind has numbers; 0 is to be replaced by the next one that is free.
    fn id(&self) -> Option<i64> {
        None
    }

    /// Gives it its number.
    fn set_id(&mut self, _id: i64) {}

    /// Texts that nothing else in use of its kind has, each with the pointer of its member.
    fn unique(&self) -> Vec<(&'static str, String)> {
        Vec::new()
    }

    /// Whether it can be in use beside everything else that is set up.
    ///
    /// # Errors
    /// The first member that is wrong.
    fn check(&self, organisation: &Organisation) -> Result<(), Invalid>;
}

/// A member that is wrong.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub struct Invalid {
    /// Where in the document, as a JSON pointer (RFC 6901); empty for the whole of it.
    pub pointer: String,
    /// What belongs there.
    pub reason: String,
}

impl Invalid {
    /// The member at this pointer is wrong.
    pub fn at(pointer: impl Into<String>, reason: impl Into<String>) -> Self {
        Self { pointer: pointer.into(), reason: reason.into() }
    }

    /// Fails with the member at this pointer unless something holds.
    ///
    /// # Errors
    /// That failure.
    pub fn unless(holds: bool, pointer: &str, reason: &str) -> Result<(), Self> {
        if holds { Ok(()) } else { Err(Self::at(pointer, reason)) }
    }
}

impl fmt::Display for Invalid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.pointer.as_str() {
            "" => f.write_str(&self.reason),
            pointer => write!(f, "{pointer}: {}", self.reason),
        }
    }
}

/// A document that is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{}: {invalid}", kind.label(name))]
pub struct Refused {
    /// Its kind.
    pub kind: Kind,
    /// Its name; empty where it has none that can be read.
    pub name: String,
    /// What is wrong with it.
    pub invalid: Invalid,
}

/// Reads a document from a text of JSON, which names each member once.
///
/// # Errors
/// The member that cannot be read or occurs twice, or what keeps the text from being one object.
pub fn read<T: DeserializeOwned>(document: &str) -> Result<T, Invalid> {
    let read = read_object(document)?;
    // A map would take the last of several members of one name.
    read_object::<Distinct>(document)?;
    Ok(read)
}

/// As [`read`], of a type that refuses members that occur twice by itself.
pub(super) fn read_object<T: DeserializeOwned>(document: &str) -> Result<T, Invalid> {
    // Members without their names, in a list, would be read as well.
    Invalid::unless(document.trim_start().starts_with('{'), "", "a document is a JSON object")?;
    let mut json = serde_json::Deserializer::from_str(document);
    let read: T = serde_path_to_error::deserialize(&mut json).map_err(|error| {
        let pointer = pointer(error.path());
        let reason = error.into_inner().to_string();
        // Where in the text says nothing that the pointer does not.
        let reason = reason.rsplit_once(" at line ").map_or(reason.as_str(), |parts| parts.0);
        // What is made of several members says itself, as `Invalid`, which of them is wrong.
        match reason.split_once(": ") {
            Some((within, reason)) if within.starts_with('/') => {
                Invalid::at(pointer + within, reason)
            }
            _ => Invalid::at(pointer, reason),
        }
    })?;
    json.end().map_err(|error| Invalid::at("", error.to_string()))?;
    Ok(read)
}

/// Writes a document in its one form.
pub(super) fn write<T: Serialize>(resource: &T) -> String {
    // A document is made of texts, numbers, lists and named members, which JSON always has.
    serde_json::to_string(resource).unwrap_or_default()
}

fn pointer(path: &Path) -> String {
    let segment = |segment: &Segment| match segment {
        Segment::Seq { index } => format!("/{index}"),
        Segment::Map { key } => format!("/{}", key.replace('~', "~0").replace('/', "~1")),
        Segment::Enum { .. } | Segment::Unknown => String::new(),
    };
    path.iter().map(segment).collect()
}

/// Checks the audit trail of a field, of whose kind so many have one.
pub(super) fn check_audit_trail(own: bool, audited: usize, limit: usize) -> Result<(), Invalid> {
    let reason = format!("{audited} fields of this kind have an audit trail, at most {limit} may");
    Invalid::unless(!own || audited <= limit, "/audit_trail", &reason)
}

/// Checks a name by which a document is found: so many characters at most, no blanks around them, no
/// control characters, and the canonical form.
///
/// # Errors
/// [`Invalid`], at `/name`.
pub fn check_name(name: &str, limit: usize) -> Result<(), Invalid> {
    check_key("/name", name, limit)
}

/// As [`check_name`], of the member at this pointer.
pub(super) fn check_key(pointer: &str, key: &str, limit: usize) -> Result<(), Invalid> {
    check_line(pointer, key, limit)?;
    check_canonical(pointer, key)
}

/// Checks a name that people read and by which nothing is found: as [`check_name`], with joiners and
/// variation selectors that shape a word.
pub(super) fn check_display_name(pointer: &str, name: &str, limit: usize) -> Result<(), Invalid> {
    check_line(pointer, name, limit)?;
    let is_readable = text::readable(name) == name && !text::is_blank(name);
    Invalid::unless(is_readable, pointer, "at least one visible character, in Unicode NFC")
}

fn check_line(pointer: &str, text: &str, limit: usize) -> Result<(), Invalid> {
    let has_length = (1..=limit).contains(&text.chars().count()) && text.trim() == text;
    let reason = format!("1 to {limit} characters, no blanks around them");
    Invalid::unless(has_length, pointer, &reason)?;
    check_control(pointer, text)
}

fn check_control(pointer: &str, text: &str) -> Result<(), Invalid> {
    match text::find(text, char::is_control) {
        Some(found) => Err(Invalid::at(pointer, format!("no control characters; {found}"))),
        None => Ok(()),
    }
}

/// Checks that a text by which something is found has no invisible characters.
pub(super) fn check_canonical(pointer: &str, text: &str) -> Result<(), Invalid> {
    if let Some(found) = text::find_invisible(text) {
        return Err(Invalid::at(pointer, format!("no invisible characters; {found}")));
    }
    Invalid::unless(text::canonical(text) == text, pointer, "composed characters (Unicode NFC)")
}

/// A member that what is made of several members needs.
pub(super) fn needed<T>(member: Option<T>, pointer: &str) -> Result<T, Invalid> {
    member.ok_or_else(|| Invalid::at(pointer, "is missing"))
}

/// Fails with the first member that was sent, and that what is made of the members has no use for.
pub(super) fn unneeded(members: &[(&str, bool)], of: &str) -> Result<(), Invalid> {
    match members.iter().find(|(_, is_left)| *is_left) {
        Some((pointer, _)) => Err(Invalid::at(*pointer, format!("`{of}` has no such member"))),
        None => Ok(()),
    }
}

/// Those members that are there.
pub(super) fn present(members: &[(&'static str, &Option<String>)]) -> Vec<(&'static str, String)> {
    members.iter().filter_map(|(pointer, text)| Some((*pointer, (*text).clone()?))).collect()
}

/// Checks members that are texts of limited length, where they are there.
pub(super) fn check_texts(members: &[(&str, &Option<String>, usize)]) -> Result<(), Invalid> {
    for (pointer, text, limit) in members {
        let Some(text) = text else { continue };
        let has_length = (1..=*limit).contains(&text.chars().count());
        Invalid::unless(has_length, pointer, &format!("1 to {limit} characters"))?;
        check_control(pointer, text)?;
    }
    Ok(())
}

/// Why a member cannot name this document.
pub(super) fn not_in_use(kind: Kind, name: &str) -> String {
    format!("{} does not exist or is out of use", kind.label(name))
}

/// Checks a member that names something of another kind.
pub(super) fn check_reference<T: Resource>(
    pointer: &str,
    name: Option<&str>,
    to: &Collection<T>,
) -> Result<(), Invalid> {
    match name {
        Some(name) if to.named(name).is_none() => {
            Err(Invalid::at(pointer, not_in_use(T::KIND, name)))
        }
        _ => Ok(()),
    }
}

/// Checks a member that names something of the same kind, of which this one is a part.
pub(super) fn check_parent<T: Resource>(
    all: &Collection<T>,
    child: &T,
    parent: impl Fn(&T) -> Option<&str>,
) -> Result<(), Invalid> {
    check_reference("/parent", parent(child), all)?;
    // A circle has no end.
    let levels = std::iter::successors(Some(child), |one| all.named(parent(one)?));
    let depth = levels.take(DEPTH_LIMIT + 1).count();
    Invalid::unless(depth <= DEPTH_LIMIT, "/parent", "at most ten levels, and no circle")
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case("Orchard 1", None)]
    #[case("می\u{200c}خواهم", Some("no invisible characters; character 3 is U+200C"))]
    #[case("❤\u{fe0f}", Some("no invisible characters; character 2 is U+FE0F"))]
    #[case("e\u{200c}\u{301}", Some("no invisible characters; character 2 is U+200C"))]
    #[case("a\u{600}", Some("no invisible characters; character 2 is U+0600"))]
    #[case("ab\u{7}", Some("no control characters; character 3 is U+0007"))]
    #[case("e\u{301}", Some("composed characters (Unicode NFC)"))]
    #[case(" a", Some("1 to 10 characters, no blanks around them"))]
    #[case("", Some("1 to 10 characters, no blanks around them"))]
    #[case("abcdefghijk", Some("1 to 10 characters, no blanks around them"))]
    fn a_name_that_is_refused_says_which_character(
        #[case] name: &str,
        #[case] reason: Option<&str>,
    ) {
        let expected = reason.map_or(Ok(()), |reason| Err(Invalid::at("/name", reason)));
        assert_eq!(check_name(name, 10), expected);
    }

    #[rstest]
    #[case("می\u{200c}خواهم", None)]
    #[case("ශ්\u{200d}රී", None)]
    #[case("👩\u{200d}👧", None)]
    #[case("❤\u{fe0f}", None)]
    #[case("\u{200d}", Some("at least one visible character, in Unicode NFC"))]
    #[case("a\u{200d}", Some("at least one visible character, in Unicode NFC"))]
    #[case("e\u{301}", Some("at least one visible character, in Unicode NFC"))]
    #[case("a\u{7}", Some("no control characters; character 2 is U+0007"))]
    #[case("\u{3000}", Some("1 to 10 characters, no blanks around them"))]
    fn a_name_that_people_read_has_joiners(#[case] name: &str, #[case] reason: Option<&str>) {
        let expected = reason.map_or(Ok(()), |reason| Err(Invalid::at("/name", reason)));
        assert_eq!(check_display_name("/name", name, 10), expected);
    }
}
