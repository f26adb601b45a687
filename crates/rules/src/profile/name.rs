//! First and last names.
//!
//! "Alphanumeric, spaces, hyphens, apostrophes are supported. The maximum length is 100
//! characters." People are called more than that, so every letter is kept; control characters are
//! not part of a name and fall away. What exceeds 100 characters is cut, as the API's second
//! version does.

use unicode_normalization::UnicodeNormalization;

/// The longest name, in characters.
pub const LENGTH_LIMIT: usize = 100;

/// A first or last name; never empty.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Name(String);

impl Name {
    /// Reads a name as sent: composed (Unicode NFC), without control characters or blanks around
    /// it, cut at 100 characters. `None` where nothing is left.
    #[must_use]
    pub fn parse(sent: &str) -> Option<Self> {
        let visible: String = sent.nfc().filter(|character| !character.is_control()).collect();
        let cut: String = visible.trim().chars().take(LENGTH_LIMIT).collect();
        let name = cut.trim_end();
        (!name.is_empty()).then(|| Self(name.to_owned()))
    }

    /// A name that was valid when it was stored.
    #[must_use]
    pub const fn stored(text: String) -> Self {
        Self(text)
    }

    /// The name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case("Raj", Some("Raj"))]
    #[case("  Anne-Marie O'Neill  ", Some("Anne-Marie O'Neill"))]
    #[case("李小龍", Some("李小龍"))]
    #[case("Ju\u{308}rgen", Some("Jürgen"))]
    #[case("a\u{0}b\tc\u{7f}", Some("abc"))]
    #[case(" \n ", None)]
    #[case("", None)]
    fn names(#[case] sent: &str, #[case] expected: Option<&str>) {
        assert_eq!(Name::parse(sent).as_ref().map(Name::as_str), expected);
    }

    #[test]
    fn a_long_name_is_cut() {
        assert_eq!(Name::parse(&"é".repeat(101)).unwrap().as_str(), "é".repeat(100));
    }

    proptest! {
        #[test]
        fn reading_twice_is_reading_once(sent in ".{0,120}") {
            if let Some(name) = Name::parse(&sent) {
                prop_assert_eq!(Name::parse(name.as_str()), Some(name));
            }
        }
    }
}
