//! The tags of a well-formed XML document: names, attributes and prefixes, which the parser does not
//! check.

use quick_xml::events::attributes::{AttrError, Attributes};

/// Whether XML 1.0 allows this character anywhere in a document (its production 2).
pub(super) const fn is_character(character: char) -> bool {
    matches!(character,
        '\t' | '\n' | '\r' | '\u{20}'..='\u{d7ff}' | '\u{e000}'..='\u{fffd}' | '\u{10000}'..)
}

/// The prefixes that the open elements declare.
#[derive(Default)]
pub(super) struct Prefixes<'a> {
    /// Each with how many elements are open inside which it holds.
    declared: Vec<(usize, &'a str)>,
}

impl<'a> Prefixes<'a> {
    /// Reads a start tag from its `<`, inside this many open elements; returns its name without the
    /// prefix.
    pub(super) fn open(&mut self, tag: &'a str, open: usize) -> Result<&'a str, &'static str> {
        let inside = tag.trim_start_matches('<').trim_end_matches('>').trim_end_matches('/');
        let end = inside.find(is_space).unwrap_or(inside.len());
        let name = inside.get(..end).unwrap_or_default();
        if name.is_empty() {
            return Err("an element without a name");
        }
        let mut used = Vec::new();
        for attribute in Attributes::new(inside, end) {
            let attribute = attribute.map_err(|error| match error {
                AttrError::Duplicated(..) => "an element has two attributes of one name",
                _ => "an attribute is not of the form `name=\"value\"`",
            })?;
            if attribute.value.contains('<') {
                return Err("the value of an attribute has the character `<`");
            }
            match qualified(attribute.key.0)? {
                (Some("xmlns"), prefix) => self.declared.push((open, prefix)),
                (Some(prefix), _) => used.push(prefix),
                (None, _) => {}
            }
        }
        let (prefix, local) = qualified(name)?;
        used.extend(prefix);
        if used.iter().all(|prefix| self.is_declared(prefix)) {
            Ok(local)
        } else {
            Err("a prefix is not declared by `xmlns:prefix`")
        }
    }

    /// Forgets what the element declares that closed, inside this many open elements.
    pub(super) fn close(&mut self, open: usize) {
        while self.declared.last().is_some_and(|(depth, _)| *depth >= open) {
            self.declared.pop();
        }
    }

    fn is_declared(&self, prefix: &str) -> bool {
        prefix == "xml" || self.declared.iter().any(|(_, declared)| *declared == prefix)
    }
}

/// A name's prefix and its local part.
fn qualified(name: &str) -> Result<(Option<&str>, &str), &'static str> {
    let (prefix, local) =
        name.split_once(':').map_or((None, name), |(prefix, local)| (Some(prefix), local));
    if prefix.is_none_or(is_name) && is_name(local) {
        Ok((prefix, local))
    } else {
        Err("the name of an element or of an attribute is not a name of XML")
    }
}

/// Whether this is a name without a colon (Namespaces in XML 1.0, production 4).
fn is_name(text: &str) -> bool {
    let begins = |c: char| {
        matches!(c, 'A'..='Z' | '_' | 'a'..='z' | '\u{c0}'..='\u{d6}' | '\u{d8}'..='\u{f6}'
            | '\u{f8}'..='\u{2ff}' | '\u{370}'..='\u{37d}' | '\u{37f}'..='\u{1fff}'
            | '\u{200c}'..='\u{200d}' | '\u{2070}'..='\u{218f}' | '\u{2c00}'..='\u{2fef}'
            | '\u{3001}'..='\u{d7ff}' | '\u{f900}'..='\u{fdcf}' | '\u{fdf0}'..='\u{fffd}'
            | '\u{10000}'..='\u{effff}')
    };
    let continues = |c: char| {
        begins(c)
            || matches!(c, '-' | '.' | '0'..='9' | '\u{b7}' | '\u{300}'..='\u{36f}'
                | '\u{203f}'..='\u{2040}')
    };
    text.starts_with(begins) && text.chars().all(continues)
}

const fn is_space(character: char) -> bool {
    matches!(character, ' ' | '\t' | '\r' | '\n')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn open(tags: &[&'static str]) -> Result<&'static str, &'static str> {
        let mut prefixes = Prefixes::default();
        let names = tags.iter().enumerate().map(|(depth, tag)| prefixes.open(tag, depth));
        names.last().unwrap()
    }

    #[test]
    fn well_formed() {
        for (tags, name) in [
            (&["<m>"][..], "m"),
            (&["<m/>"], "m"),
            (&["<m a='1' b=\"2>\" >"], "m"),
            (&["<m a = '1'/>"], "m"),
            (&["<x:m xmlns:x='u' x:a='1' a='2'>"], "m"),
            (&["<r xmlns:x='u'>", "<x:m>"], "m"),
            (&["<m xml:lang='de' xmlns='u'>"], "m"),
            (&["<größe-1.a>"], "größe-1.a"),
        ] {
            assert_eq!(open(tags), Ok(name), "{tags:?}");
        }
    }

    #[test]
    fn not_well_formed() {
        for (tags, reason) in [
            (&["< m>"][..], "an element without a name"),
            (&["<m a='1' a='2'>"], "an element has two attributes of one name"),
            (&["<m a=1>"], "an attribute is not of the form `name=\"value\"`"),
            (&["<m a=1 <b>"], "an attribute is not of the form `name=\"value\"`"),
            (&["<m a>"], "an attribute is not of the form `name=\"value\"`"),
            (&["<m a='<'>"], "the value of an attribute has the character `<`"),
            (&["<m a<b='1'>"], "the name of an element or of an attribute is not a name of XML"),
            (&["<m\0>"], "the name of an element or of an attribute is not a name of XML"),
            (&["<1m>"], "the name of an element or of an attribute is not a name of XML"),
            (&["<:m>"], "the name of an element or of an attribute is not a name of XML"),
            (&["<m,n>"], "the name of an element or of an attribute is not a name of XML"),
            (&["<x:m>"], "a prefix is not declared by `xmlns:prefix`"),
            (&["<m x:a='1'>"], "a prefix is not declared by `xmlns:prefix`"),
        ] {
            assert_eq!(open(tags), Err(reason), "{tags:?}");
        }
    }

    #[test]
    fn a_prefix_holds_inside_its_element() {
        let mut prefixes = Prefixes::default();
        assert_eq!(prefixes.open("<x:m xmlns:x='u'>", 1), Ok("m"));
        prefixes.close(1);
        assert!(prefixes.open("<x:m>", 1).is_err());
    }
}
