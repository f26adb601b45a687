//! Numbering plans of all countries: reads numbers as libphonenumber does, by its metadata.
//!
//! Only what mobile numbers need: no formatting, no extensions, no carrier codes.

#[rustfmt::skip]
mod metadata;
mod parse;
#[cfg(test)]
mod tests;

use std::sync::OnceLock;

use metadata::TERRITORIES;
pub(super) use parse::{parse_national, parse_whole};
use regex::{Captures, Regex, RegexBuilder};

/// The most memory that one compiled pattern, and each of its caches, can take, in bytes.
const PATTERN_SIZE_LIMIT: usize = 1 << 20;
const PATTERN_CACHE_LIMIT: usize = 1 << 18;
/// The `id` of networks that belong to no country, such as satellites.
const NO_COUNTRY: &str = "001";

/// The numbering plan of a country, or of a network of no country.
#[derive(Debug)]
pub(super) struct Territory {
    /// The ISO 3166-1 code.
    pub(super) id: &'static str,
    pub(super) calling_code: u16,
    /// What the numbers start with, where several territories share a code.
    leading: Option<Pattern>,
    /// What is dialled before a country code.
    exit: Option<Pattern>,
    /// What is dialled before a number within the country.
    trunk: Option<Pattern>,
    /// What replaces the trunk prefix; empty where it is only removed.
    transform: &'static str,
    /// Lengths of mobile numbers, with those that work within an area only.
    mobile_lengths: &'static [u8],
    /// All numbers.
    general: Kind,
    mobile: Option<Kind>,
    fixed: Option<Kind>,
    /// Numbers that are neither of a mobile telephone nor of a fixed line.
    services: [Option<Kind>; 8],
}

/// A kind of number in a plan.
#[derive(Debug)]
struct Kind {
    pattern: Pattern,
    /// In ascending order.
    lengths: &'static [u8],
}

/// A regular expression over digits, compiled at its first use.
#[derive(Debug)]
struct Pattern {
    text: &'static str,
    is_prefix: bool,
    compiled: OnceLock<Option<Regex>>,
}

impl Pattern {
    /// Matches a whole text.
    const fn whole(text: &'static str) -> Self {
        Self { text, is_prefix: false, compiled: OnceLock::new() }
    }

    /// Matches the start of a text.
    const fn prefix(text: &'static str) -> Self {
        Self { text, is_prefix: true, compiled: OnceLock::new() }
    }

    /// `None` for a pattern that does not compile; a test compiles all of them.
    fn compiled(&self) -> Option<&Regex> {
        let compile = || {
            let end = if self.is_prefix { "" } else { "$" };
            RegexBuilder::new(&format!("^(?:{}){end}", self.text))
                .unicode(false)
                .size_limit(PATTERN_SIZE_LIMIT)
                .dfa_size_limit(PATTERN_CACHE_LIMIT)
                .build()
                .ok()
        };
        self.compiled.get_or_init(compile).as_ref()
    }

    fn matches(&self, digits: &str) -> bool {
        self.compiled().is_some_and(|it| it.is_match(digits))
    }

    fn captures<'a>(&self, digits: &'a str) -> Option<Captures<'a>> {
        self.compiled()?.captures(digits)
    }
}

impl Kind {
    fn includes(&self, national: &str) -> bool {
        contains(self.lengths, national.len()) && self.pattern.matches(national)
    }
}

fn contains(lengths: &[u8], length: usize) -> bool {
    u8::try_from(length).is_ok_and(|length| lengths.contains(&length))
}

impl Territory {
    /// The country with this ISO 3166-1 code.
    pub(super) fn by_iso(iso: &str) -> Option<&'static Self> {
        TERRITORIES.iter().find(|it| it.id == iso && it.is_country())
    }

    /// The main territory of a country code.
    pub(super) fn by_calling_code(calling_code: u16) -> Option<&'static Self> {
        sharing(calling_code).first()
    }

    /// The territory that a number belongs to, if it is valid or only one has its code.
    pub(super) fn of_number(calling_code: u16, national: &str) -> Option<&'static Self> {
        match sharing(calling_code) {
            [only] => Some(only),
            several => several.iter().find(|it| it.has_range_of(national)),
        }
    }

    fn has_range_of(&self, national: &str) -> bool {
        self.leading.as_ref().map_or_else(|| self.is_valid(national), |it| it.matches(national))
    }

    /// Whether it is a country, and no network of none.
    pub(super) fn is_country(&self) -> bool {
        self.id != NO_COUNTRY
    }

    /// Whether a number is one of any kind in this plan.
    pub(super) fn is_valid(&self, national: &str) -> bool {
        let lines = [&self.fixed, &self.mobile].into_iter();
        self.general.includes(national)
            && lines.chain(&self.services).flatten().any(|it| it.includes(national))
    }

    /// Whether a number is of a mobile telephone, or of a range shared with fixed lines.
    pub(super) fn is_mobile(&self, national: &str) -> bool {
        self.general.includes(national)
            && !self.services.iter().flatten().any(|it| it.includes(national))
            && self.mobile.as_ref().is_some_and(|it| it.includes(national))
    }

    /// Whether mobile numbers can have this length.
    pub(super) fn is_mobile_length(&self, length: usize) -> bool {
        contains(self.mobile_lengths, length)
    }
}

/// The territories of a country code, the main one first.
fn sharing(calling_code: u16) -> &'static [Territory] {
    let start = TERRITORIES.partition_point(|it| it.calling_code < calling_code);
    let end = TERRITORIES.partition_point(|it| it.calling_code <= calling_code);
    TERRITORIES.get(start..end).unwrap_or_default()
}
