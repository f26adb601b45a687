//! Regular expressions that an operator sets for the values of a field.

use regex::{Regex, RegexBuilder};
use serde::{Deserialize, Serialize};

use super::field::Refused;

/// How much memory a compiled pattern may take, in bytes.
const SIZE_LIMIT_BYTES: usize = 1 << 20;

/// A regular expression that a value must match from its first to its last character. Matching
/// takes time in proportion to the value's length, whatever the pattern.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Pattern {
    text: String,
    whole: Regex,
}

impl Pattern {
    /// Compiles a pattern.
    ///
    /// # Errors
    /// [`Refused`] when it is no regular expression, or too large a one.
    pub fn parse(text: &str) -> Result<Self, Refused> {
        // By itself first: `a)|(b` is a pattern only once it stands in brackets.
        let compiled = compile(text).and_then(|_| compile(&format!(r"\A(?:{text})\z")));
        let whole = compiled
            .map_err(|error| Refused::new(format!("the pattern `{text}` is refused: {error}")))?;
        Ok(Self { text: text.to_owned(), whole })
    }

    /// The pattern as it was set.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Whether the whole value matches.
    #[must_use]
    pub fn matches(&self, value: &str) -> bool {
        self.whole.is_match(value)
    }
}

impl TryFrom<String> for Pattern {
    type Error = Refused;

    fn try_from(text: String) -> Result<Self, Refused> {
        Self::parse(&text)
    }
}

impl From<Pattern> for String {
    fn from(pattern: Pattern) -> Self {
        pattern.text
    }
}

impl PartialEq for Pattern {
    fn eq(&self, other: &Self) -> bool {
        self.text == other.text
    }
}

impl Eq for Pattern {}

fn compile(text: &str) -> Result<Regex, regex::Error> {
    RegexBuilder::new(text).size_limit(SIZE_LIMIT_BYTES).dfa_size_limit(SIZE_LIMIT_BYTES).build()
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case(r"\d{6}", "560076", true)]
    #[case(r"\d{6}", "5600761", false)]
    #[case(r"\d{6}", "560076\n", false)]
    #[case("a|bc", "abc", false)]
    #[case("a|bc", "bc", true)]
    #[case("^a$", "a", true)]
    #[case("(?i)male", "MALE", true)]
    #[case("", "", true)]
    #[case("", "a", false)]
    #[case("(a*)*b", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", false)]
    fn the_whole_value_matches(#[case] pattern: &str, #[case] value: &str, #[case] expected: bool) {
        assert_eq!(Pattern::parse(pattern).unwrap().matches(value), expected);
    }

    #[rstest]
    #[case("[a-")]
    #[case("a)|(b")]
    #[case("(?x)a # ")]
    #[case("(?=a)")]
    #[case(r"(\w{1000}){1000}")]
    fn what_is_no_pattern_is_refused(#[case] pattern: &str) {
        let refused = Pattern::parse(pattern).unwrap_err().to_string();
        assert!(refused.contains("is refused"), "{refused}");
    }
}
