//! Codes that nobody can guess: of coupons and of referrers.
//!
//! Whoever knows such a code may use it, so it is as long as guessing it is to be hard. Without
//! further ado a code has 13 symbols of an alphabet of 32, which is 65 bits: with a thousand
//! million codes about, one guess in 37 thousand million hits. A shorter pattern has
//! `length × log2(symbols of the alphabet)` bits, told by [`CodePattern::bits`].

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::random::{Random, symbols};
use crate::text;

/// The longest code, in characters.
pub const LENGTH_LIMIT: usize = 50;
/// Capital letters and digits, without those that look alike: I and 1, O and 0.
const ALPHABET: &str = "23456789ABCDEFGHJKLMNPQRSTUVWXYZ";
/// How many codes a pattern has at least for each that may be issued, so that free ones are found.
const ROOM: u128 = 10;

/// How codes look. Codes are compared without case.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
pub struct CodePattern {
    /// What each code starts with: capital letters, digits and `-`.
    pub prefix: String,
    /// What the rest is made of: two or more capital letters and digits, each once.
    pub alphabet: String,
    /// How many symbols of the alphabet follow the prefix: 1 to 50, the prefix included.
    pub length: usize,
}

impl Default for CodePattern {
    fn default() -> Self {
        Self { prefix: String::new(), alphabet: ALPHABET.to_owned(), length: 13 }
    }
}

/// Why there can be no codes of a pattern.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    /// The prefix has other characters than it may.
    #[error("a prefix has capital letters, digits and - alone")]
    Prefix,
    /// The alphabet has other characters than it may, one of them twice, or too few.
    #[error("an alphabet has two or more capital letters and digits, each once")]
    Alphabet,
    /// There are no symbols behind the prefix, or too many.
    #[error("a code has 1 to {LENGTH_LIMIT} characters, at least one of them behind the prefix")]
    Length,
    /// There are too few codes for as many as may be issued.
    #[error("the pattern has fewer than {ROOM} codes for each that may be issued")]
    Room,
}

impl CodePattern {
    /// Finds out whether so many codes of this pattern can be issued; without a limit, whether any.
    ///
    /// # Errors
    /// The first [`Fault`], in their order.
    pub fn check(&self, limit: Option<u64>) -> Result<(), Fault> {
        let symbol = |byte: u8| byte.is_ascii_uppercase() || byte.is_ascii_digit();
        let mut distinct = self.alphabet.as_bytes().to_vec();
        distinct.sort_unstable();
        distinct.dedup();
        let is_alphabet = distinct.len() > 1
            && distinct.len() == self.alphabet.len()
            && distinct.into_iter().all(symbol);
        let needed = u128::from(limit.unwrap_or(1)).saturating_mul(ROOM);
        let faults = [
            (Fault::Prefix, !self.prefix.bytes().all(|byte| symbol(byte) || byte == b'-')),
            (Fault::Alphabet, !is_alphabet),
            (
                Fault::Length,
                self.length == 0 || self.prefix.len().saturating_add(self.length) > LENGTH_LIMIT,
            ),
            (Fault::Room, limit.is_some() && self.codes() < needed),
        ];
        faults.into_iter().find(|(_, found)| *found).map_or(Ok(()), |(fault, _)| Err(fault))
    }

    /// A code by chance.
    #[must_use]
    pub fn code(&self, random: &mut Random<'_>) -> String {
        format!("{}{}", self.prefix, symbols(self.alphabet.as_bytes(), self.length, random))
    }

    /// How hard a code is to guess, in whole bits; at most 127.
    #[must_use]
    pub fn bits(&self) -> u32 {
        self.codes().checked_ilog2().unwrap_or_default()
    }

    /// How many codes there are, as far as that can be counted.
    fn codes(&self) -> u128 {
        let size = u128::try_from(self.alphabet.len()).unwrap_or(u128::MAX);
        size.saturating_pow(u32::try_from(self.length).unwrap_or(u32::MAX))
    }
}

/// The one form in which codes are kept and compared; `None` where the text can be no code.
#[must_use]
pub fn canonical(code: &str) -> Option<String> {
    let code = text::canonical(code);
    let code = code.trim();
    let is_code = (1..=LENGTH_LIMIT).contains(&code.len())
        && code.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
    is_code.then(|| code.to_ascii_uppercase())
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    fn pattern(prefix: &str, alphabet: &str, length: usize) -> CodePattern {
        CodePattern { prefix: prefix.to_owned(), alphabet: alphabet.to_owned(), length }
    }

    #[rstest]
    #[case(CodePattern::default(), 65)]
    #[case(pattern("SUMMER-", ALPHABET, 4), 20)]
    #[case(pattern("", "0123456789", 6), 19)]
    #[case(pattern("", ALPHABET, 50), 127)]
    fn how_hard_a_code_is_to_guess(#[case] pattern: CodePattern, #[case] bits: u32) {
        assert_eq!(pattern.bits(), bits);
    }

    #[test]
    fn a_code_has_its_pattern() {
        let pattern = pattern("WEL-", "ABC123", 20);
        let mut word = 77;
        let code = pattern.code(&mut || {
            word += 1_000_000_007;
            word
        });
        let rest = code.strip_prefix("WEL-").unwrap();
        assert_eq!(rest.len(), 20);
        assert!(rest.chars().all(|symbol| pattern.alphabet.contains(symbol)), "{code}");
        assert_eq!(canonical(&code), Some(code.clone()));
    }

    #[rstest]
    #[case(CodePattern::default(), None, Ok(()))]
    #[case(CodePattern::default(), Some(u64::MAX), Err(Fault::Room))]
    #[case(pattern("", ALPHABET, 14), Some(u64::MAX), Ok(()))]
    #[case(pattern("", "0123456789", 3), Some(100), Ok(()))]
    #[case(pattern("", "0123456789", 3), Some(101), Err(Fault::Room))]
    #[case(pattern("", "01", 1), None, Ok(()))]
    #[case(pattern("wel", "01", 9), None, Err(Fault::Prefix))]
    #[case(pattern("W L", "01", 9), None, Err(Fault::Prefix))]
    #[case(pattern("", "0", 9), None, Err(Fault::Alphabet))]
    #[case(pattern("", "", 9), None, Err(Fault::Alphabet))]
    #[case(pattern("", "010", 9), None, Err(Fault::Alphabet))]
    #[case(pattern("", "ab", 9), None, Err(Fault::Alphabet))]
    #[case(pattern("", "ÄB", 9), None, Err(Fault::Alphabet))]
    #[case(pattern("", "01", 0), None, Err(Fault::Length))]
    #[case(pattern("W", "01", 49), None, Ok(()))]
    #[case(pattern("W", "01", 50), None, Err(Fault::Length))]
    #[case(pattern("", "01", usize::MAX), None, Err(Fault::Length))]
    fn patterns(
        #[case] pattern: CodePattern,
        #[case] limit: Option<u64>,
        #[case] checked: Result<(), Fault>,
    ) {
        assert_eq!(pattern.check(limit), checked);
    }

    #[rstest]
    #[case("SDX123", Some("SDX123"))]
    #[case(" sdx123 ", Some("SDX123"))]
    #[case("wel-9", Some("WEL-9"))]
    #[case("\u{feff}sdx\u{200b}123", Some("SDX123"))]
    #[case("SDX\0-123", None)]
    #[case("SDX 123", None)]
    #[case("", None)]
    #[case("ß", None)]
    #[case("A'--", None)]
    #[case("AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA", None)]
    fn the_one_form_of_a_code(#[case] sent: &str, #[case] code: Option<&str>) {
        assert_eq!(canonical(sent).as_deref(), code);
    }
}
