//! Regular expressions that an operator sets for the values of a field.
//!
//! Compiled patterns are shared: as long as one is in use, its text is not compiled again. So a
//! configuration that is loaded again compiles only what is new in it.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use regex::{Error, Regex, RegexBuilder};
use serde::{Deserialize, Serialize};

use super::field::Refused;

/// The longest text of a pattern, in bytes.
pub const TEXT_LIMIT_BYTES: usize = 4_096;
/// The sizes that a compiled pattern may have, in bytes.
const SIZES: [usize; 8] =
    [1 << 10, 1 << 11, 1 << 12, 1 << 13, 1 << 14, 1 << 15, 1 << 16, SIZE_LIMIT_BYTES];
/// The largest compiled pattern, in bytes.
pub const SIZE_LIMIT_BYTES: usize = 1 << 17;
/// How many times its own size a pattern may use to remember states between matches, for each
/// thread. Where they do not fit, a match takes longer, but still in proportion to the size.
const STATES_PER_SIZE: usize = 4;

/// What the patterns of one customer's fields may cost.
pub const BUDGET: usize = 1 << 25;

/// The compiled patterns in use, by their texts.
static COMPILED: Mutex<BTreeMap<String, Weak<Compiled>>> = Mutex::new(BTreeMap::new());

/// A regular expression that a value must match from its first to its last character. Matching
/// takes time in proportion to [`Self::size`] and the value's length, whatever the pattern.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Pattern(Arc<Compiled>);

/// What is left of the cost that the patterns of one customer's fields may have. A match costs the
/// size of the pattern, in bytes, times the length of the value, in bytes and one more.
#[derive(Debug)]
pub struct Budget {
    left: usize,
}

#[derive(Debug)]
struct Compiled {
    text: String,
    whole: Regex,
    size: usize,
}

impl Pattern {
    /// Compiles a pattern, or shares the one in use that has this text.
    ///
    /// # Errors
    /// [`Refused`] if it is no regular expression, or too large a one.
    pub fn parse(text: &str) -> Result<Self, Refused> {
        if let Some(shared) = shared(&compiled_patterns(), text) {
            return Ok(Self(shared));
        }
        let (whole, size) = compile(text)?;
        let new = Arc::new(Compiled { text: text.to_owned(), whole, size });
        let mut patterns = compiled_patterns();
        // Another thread may have compiled it meanwhile.
        if let Some(shared) = shared(&patterns, text) {
            return Ok(Self(shared));
        }
        patterns.insert(text.to_owned(), Arc::downgrade(&new));
        Ok(Self(new))
    }

    /// The pattern as it was set.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0.text
    }

    /// The size of the compiled pattern: the least of eight, from 1 to 128 KiB, that it fits in.
    #[must_use]
    pub fn size(&self) -> usize {
        self.0.size
    }

    /// Whether the whole value matches. A value that costs more than the budget has left does not.
    #[must_use]
    pub fn matches(&self, value: &str, budget: &mut Budget) -> bool {
        let cost = self.size().saturating_mul(value.len().saturating_add(1));
        budget.spend(cost) && self.0.whole.is_match(value)
    }
}

impl Default for Budget {
    fn default() -> Self {
        Self { left: BUDGET }
    }
}

impl Budget {
    /// Spends a cost, if as much is left.
    const fn spend(&mut self, cost: usize) -> bool {
        match self.left.checked_sub(cost) {
            Some(left) => {
                self.left = left;
                true
            }
            None => false,
        }
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
        pattern.0.text.clone()
    }
}

impl PartialEq for Pattern {
    fn eq(&self, other: &Self) -> bool {
        self.0.text == other.0.text
    }
}

impl Eq for Pattern {}

impl Drop for Compiled {
    fn drop(&mut self) {
        let mut patterns = compiled_patterns();
        // The same text may have been compiled again since the last use of this one ended.
        if patterns.get(&self.text).is_some_and(|other| other.strong_count() == 0) {
            patterns.remove(&self.text);
        }
    }
}

fn compiled_patterns() -> MutexGuard<'static, BTreeMap<String, Weak<Compiled>>> {
    COMPILED.lock().unwrap_or_else(PoisonError::into_inner)
}

fn shared(patterns: &BTreeMap<String, Weak<Compiled>>, text: &str) -> Option<Arc<Compiled>> {
    patterns.get(text)?.upgrade()
}

/// Compiles a pattern for whole values, and returns its size too.
fn compile(text: &str) -> Result<(Regex, usize), Refused> {
    if text.len() > TEXT_LIMIT_BYTES {
        let length = text.len();
        let reason = format!("the pattern has {length} bytes; at most {TEXT_LIMIT_BYTES}");
        return Err(Refused::new(reason));
    }
    let refused = |error| match error {
        Error::CompiledTooBig(_) => Refused::new(format!(
            "the pattern `{text}` takes more than {} KiB compiled; use shorter repetitions, and ASCII classes such as [0-9] in place of \\d",
            SIZE_LIMIT_BYTES >> 10,
        )),
        error => Refused::new(format!("the pattern `{text}` is refused: {error}")),
    };
    // By itself first: `a)|(b` is a pattern only once it stands in brackets.
    compile_within(text, SIZE_LIMIT_BYTES).map_err(refused)?;
    let whole = format!(r"\A(?:{text})\z");
    for size in SIZES {
        match compile_within(&whole, size) {
            Err(Error::CompiledTooBig(_)) if size < SIZE_LIMIT_BYTES => {}
            compiled => return compiled.map(|whole| (whole, size)).map_err(refused),
        }
    }
    Err(refused(Error::CompiledTooBig(SIZE_LIMIT_BYTES)))
}

fn compile_within(text: &str, size: usize) -> Result<Regex, Error> {
    let states = size.saturating_mul(STATES_PER_SIZE);
    RegexBuilder::new(text).size_limit(size).dfa_size_limit(states).build()
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
        assert_eq!(
            Pattern::parse(pattern).unwrap().matches(value, &mut Budget::default()),
            expected
        );
    }

    #[rstest]
    #[case("[a-")]
    #[case("a)|(b")]
    #[case("(?x)a # ")]
    #[case("(?=a)")]
    #[case("(")]
    fn what_is_no_pattern_is_refused(#[case] pattern: &str) {
        let refused = Pattern::parse(pattern).unwrap_err().to_string();
        assert!(refused.contains("is refused"), "{refused}");
    }

    #[rstest]
    #[case("[1-9][0-9]{5}", 1)]
    #[case("(?i)male|female|other", 2)]
    #[case("[a-z]{60}", 8)]
    #[case(r"\d{6}", 32)]
    #[case(r"\w+", 64)]
    #[case("(?:a?){900}a{900}", 128)]
    fn a_pattern_has_the_least_size_that_it_fits_in(#[case] pattern: &str, #[case] kib: usize) {
        assert_eq!(Pattern::parse(pattern).unwrap().size(), kib << 10);
    }

    #[rstest]
    #[case(r"(?:a?){900}a{900}[\p{L}]{2}")]
    #[case(r"(\w{1000}){1000}")]
    #[case(r"\w{50}")]
    fn a_pattern_that_is_too_large_is_refused(#[case] pattern: &str) {
        let refused = Pattern::parse(pattern).unwrap_err().to_string();
        assert!(refused.contains("takes more than 128 KiB compiled"), "{refused}");
    }

    #[test]
    fn a_text_that_is_too_long_is_refused() {
        assert!(Pattern::parse(&"a".repeat(4_096)).unwrap_err().to_string().contains("128 KiB"));
        let refused = Pattern::parse(&"a".repeat(4_097)).unwrap_err().to_string();
        assert_eq!(refused, "the pattern has 4097 bytes; at most 4096");
    }

    #[test]
    fn a_match_costs_the_size_times_the_length() {
        let pattern = Pattern::parse("(?:a?){900}a{900}").unwrap();
        assert_eq!(pattern.size(), 128 << 10);
        let mut budget = Budget::default();
        assert!(!pattern.matches(&"a".repeat(255), &mut budget), "255 characters are too few");
        assert_eq!(budget.left, 0);

        let least = Pattern::parse("a*").unwrap();
        assert!(!least.matches("", &mut budget));
        budget.left = 4 << 10;
        assert!(!least.matches("aaaa", &mut budget), "it costs 5 KiB");
        assert!(least.matches("aaa", &mut budget), "what is too long costs nothing");
        assert_eq!(budget.left, 0);
    }

    /// The text is of this test alone.
    #[test]
    fn a_pattern_in_use_is_not_compiled_again() {
        let text = "interned [0-9]{3}";
        let first = Pattern::parse(text).unwrap();
        let second = Pattern::parse(text).unwrap();
        assert!(Arc::ptr_eq(&first.0, &second.0));
        drop(first);
        let third = Pattern::parse(text).unwrap();
        assert!(Arc::ptr_eq(&second.0, &third.0));
        drop((second, third));
        assert!(!compiled_patterns().contains_key(text));
    }

    #[test]
    fn threads_share_what_they_compile_at_once() {
        let parse = || Pattern::parse("interned at once [0-9]{4}").unwrap();
        let start = std::sync::Barrier::new(8);
        let patterns = std::thread::scope(|scope| {
            let parse = || {
                start.wait();
                parse()
            };
            let threads: Vec<_> = (0..8).map(|_| scope.spawn(parse)).collect();
            threads.into_iter().map(|thread| thread.join().unwrap()).collect::<Vec<_>>()
        });
        assert!(patterns.iter().all(|pattern| Arc::ptr_eq(&pattern.0, &patterns[0].0)));
    }
}
