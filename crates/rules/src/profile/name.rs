//! First and last names.
//!
//! "Alphanumeric, spaces, hyphens, apostrophes are supported. The maximum length is 100
//! characters." Names of people have more than that, so every visible character stays: a name is a
//! [`text::line`]. A longer name is cut between two grapheme clusters, as the API's second version
//! cuts it. A cluster that is longer than any script writes it, such as a letter with hundreds of
//! marks, is refused.

use crate::text;

/// The longest name, in characters.
pub const LENGTH_LIMIT: usize = 100;

/// The most characters in one grapheme cluster: those of a Stream-Safe text (UAX #15), which is "far
/// beyond what is required for any linguistic or technical usage".
const CLUSTER_LIMIT: usize = 30;
/// What is expected of a name whose clusters are longer.
const CLUSTER_FORM: &str =
    "expected at most 30 characters that make up one, such as a letter with marks";

/// A first or last name; never empty.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Name(String);

impl Name {
    /// Reads a name as sent and cuts it at 100 characters. `None` if no character is visible, so that
    /// it counts as not passed.
    ///
    /// # Errors
    /// What would be right.
    pub fn read(sent: &str) -> Result<Option<Self>, &'static str> {
        let line = text::line(sent);
        if text::has_longer_cluster(&line, CLUSTER_LIMIT) {
            return Err(CLUSTER_FORM);
        }
        // The cut may leave a blank or a joiner at the end.
        let name = text::line(text::cut(&line, LENGTH_LIMIT));
        Ok((!text::is_blank(&name)).then_some(Self(name)))
    }

    /// As [`Self::read`]; `None` for a name that is refused, too.
    #[must_use]
    pub fn parse(sent: &str) -> Option<Self> {
        Self::read(sent).ok().flatten()
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
    #[case("a\u{0}b\tc\u{7f}", Some("ab c"))]
    #[case("Mary\tJane", Some("Mary Jane"))]
    #[case("van\nder  Berg", Some("van der Berg"))]
    #[case("\u{202e}Rajesh\u{202c}", Some("Rajesh"))]
    #[case("می\u{200c}خواهم", Some("می\u{200c}خواهم"))]
    #[case("\u{200b}", None)]
    #[case("\u{3164}", None)]
    #[case(" \n ", None)]
    #[case("", None)]
    fn names(#[case] sent: &str, #[case] expected: Option<&str>) {
        assert_eq!(Name::parse(sent).as_ref().map(Name::as_str), expected);
    }

    #[test]
    fn a_long_name_is_cut() {
        assert_eq!(Name::parse(&"é".repeat(101)).unwrap().as_str(), "é".repeat(100));
        let name = |last: &str| Name::parse(&("a".repeat(98) + last)).unwrap().as_str().to_owned();
        assert_eq!(name("👩\u{200d}👩\u{200d}👧"), "a".repeat(98));
        assert_eq!(name("कनि"), format!("{}क", "a".repeat(98)));
        assert_eq!(name("a \u{200d}b"), "a".repeat(99));
    }

    #[rstest]
    #[case::marks("e", '\u{301}')]
    #[case::vowel_signs("न", 'ि')]
    #[case::family("👩\u{200d}", '👩')]
    fn a_cluster_has_a_limit(#[case] base: &str, #[case] further: char) {
        let joiner = if further == '👩' { "\u{200d}" } else { "" };
        let cluster = |length: usize| {
            let mut text = base.to_owned();
            while text.chars().count() < length {
                text.push(further);
                text.push_str(joiner);
            }
            format!("Asha {text} Rao")
        };
        // Composed, é is one character.
        let most = CLUSTER_LIMIT + usize::from(base == "e") - usize::from(!joiner.is_empty());
        assert!(Name::read(&cluster(most)).unwrap().is_some());
        for longer in [most + 2, 100, 1_000] {
            assert_eq!(Name::read(&cluster(longer)), Err(CLUSTER_FORM), "{longer}");
        }
    }

    proptest! {
        #[test]
        fn reading_twice_is_reading_once(sent in "(\\PC|[ \t\u{200c}\u{200d}\u{fe0f}\u{301}]){0,120}") {
            if let Some(name) = Name::parse(&sent) {
                prop_assert_eq!(Name::parse(name.as_str()), Some(name));
            }
        }
    }
}
