//! Text in the one form in which it is compared and stored.
//!
//! Two texts that look the same are one text. All forms are in Unicode NFC and without the
//! characters that no reader sees; they differ in what else they drop:
//!
//! | Form | For | Also |
//! | --- | --- | --- |
//! | [`canonical`] | identifiers, card numbers, codes, names of documents and fields | drops all format characters |
//! | [`key`] | names and keys that a caller looks up | the same; `None` with a control character |
//! | [`readable`] | field values, texts of documents | keeps joiners and variation selectors that shape a word |
//! | [`line()`] | names of persons | the same; any white space is one blank, drops control characters |
//!
//! Control characters stay in the first three forms: the rule of each member rejects them.

mod document;
mod number;

use std::borrow::Cow;
use std::fmt;

use icu_properties::props::{
    DefaultIgnorableCodePoint, GeneralCategory, JoinControl, NoncharacterCodePoint,
    VariationSelector,
};
use icu_properties::{CodePointMapData, CodePointSetData};
use unicode_normalization::UnicodeNormalization;
use unicode_segmentation::UnicodeSegmentation;

pub use document::document;
pub use number::{DIGITS_LIMIT, Number};

/// The form in which identifiers, codes and names are compared and stored: NFC, without format,
/// default-ignorable and non-characters.
#[must_use]
pub fn canonical(sent: &str) -> Cow<'_, str> {
    if sent.is_ascii() {
        return Cow::Borrowed(sent);
    }
    let visible =
        sent.chars().filter(|character| !is_invisible(*character) && !is_format(*character));
    Cow::Owned(visible.nfc().collect())
}

/// A character within a text, for messages: its place, counted from 1, and its code point, since it
/// may not be seen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Found {
    place: usize,
    character: char,
}

impl fmt::Display for Found {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "character {} is U+{:04X}", self.place, u32::from(self.character))
    }
}

/// Returns the first character of this sort.
pub fn find(text: &str, is_sought: impl Fn(char) -> bool) -> Option<Found> {
    let mut characters = (1..).zip(text.chars());
    let found = characters.find(|(_, character)| is_sought(*character));
    found.map(|(place, character)| Found { place, character })
}

/// Returns the first character that [`canonical`] drops.
#[must_use]
pub fn find_invisible(text: &str) -> Option<Found> {
    find(text, |character| is_invisible(character) || is_format(character))
}

/// The canonical form of a name or a key that is looked up; `None` if it contains a control
/// character, which no name has and which a database may reject.
#[must_use]
pub fn key(sent: &str) -> Option<Cow<'_, str>> {
    let key = canonical(sent);
    (!key.contains(char::is_control)).then_some(key)
}

/// The form in which people read a text: NFC, without default-ignorable and non-characters. A
/// variation selector after a visible character stays, and so does a joiner between two of them.
#[must_use]
pub fn readable(sent: &str) -> Cow<'_, str> {
    if sent.is_ascii() {
        return Cow::Borrowed(sent);
    }
    let mut shaped = Shaped::default();
    sent.chars().for_each(|character| shaped.push(character));
    Cow::Owned(shaped.text.nfc().collect())
}

/// A readable text on one line: any run of white space is one blank, without blanks around the text
/// and without control characters.
#[must_use]
pub fn line(sent: &str) -> String {
    let printed = |character: &char| character.is_whitespace() || !character.is_control();
    let printed: String = sent.chars().filter(printed).collect();
    readable(&printed).split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Whether a text has no visible character, so that it counts as not passed.
#[must_use]
pub fn is_blank(text: &str) -> bool {
    !text.chars().any(is_visible)
}

/// At most this many characters of a text, cut between two grapheme clusters.
#[must_use]
pub fn cut(text: &str, most: usize) -> &str {
    // No text has more characters than bytes.
    if text.len() <= most {
        return text;
    }
    let mut count: usize = 0;
    for (start, cluster) in text.grapheme_indices(true) {
        count = count.saturating_add(cluster.chars().count());
        if count > most {
            return text.get(..start).unwrap_or_default();
        }
    }
    text
}

/// Whether more characters than these follow each other as one that a reader sees, such as a letter
/// with marks.
#[must_use]
pub fn has_longer_cluster(text: &str, most: usize) -> bool {
    // No text has more characters than bytes.
    !text.is_ascii()
        && text.graphemes(true).any(|one| one.len() > most && one.chars().count() > most)
}

/// A text whose joiners and variation selectors wait until they shape something.
#[derive(Default)]
struct Shaped {
    text: String,
    /// A joiner that stays if a visible character follows.
    joiner: Option<char>,
}

impl Shaped {
    fn push(&mut self, character: char) {
        let last = self.text.chars().next_back();
        if is_joiner(character) {
            let in_word = |last| is_visible(last) || is_selector(last);
            self.joiner = self.joiner.or(last.filter(|last| in_word(*last)).and(Some(character)));
        } else if is_selector(character) {
            if self.joiner.is_none() && last.is_some_and(is_visible) {
                self.text.push(character);
            }
        } else if !is_invisible(character) {
            let joiner = self.joiner.take().filter(|_| is_visible(character));
            self.text.extend(joiner);
            self.text.push(character);
        }
    }
}

fn is_visible(character: char) -> bool {
    !(character.is_whitespace()
        || character.is_control()
        || is_invisible(character)
        || is_format(character))
}

/// Whether a character shows nothing, whatever stands beside it.
fn is_invisible(character: char) -> bool {
    !character.is_ascii()
        && (CodePointSetData::new::<DefaultIgnorableCodePoint>().contains(character)
            || CodePointSetData::new::<NoncharacterCodePoint>().contains(character))
}

/// Whether a character is of the general category Cf.
fn is_format(character: char) -> bool {
    let category = CodePointMapData::<GeneralCategory>::new();
    !character.is_ascii() && category.get(character) == GeneralCategory::Format
}

/// Whether a character is a decimal digit of any script.
pub(crate) fn is_decimal_digit(character: char) -> bool {
    let category = CodePointMapData::<GeneralCategory>::new();
    category.get(character) == GeneralCategory::DecimalNumber
}

/// Whether a character is the zero-width joiner or non-joiner.
fn is_joiner(character: char) -> bool {
    !character.is_ascii() && CodePointSetData::new::<JoinControl>().contains(character)
}

/// Whether a character chooses the shape of the one before it.
fn is_selector(character: char) -> bool {
    !character.is_ascii() && CodePointSetData::new::<VariationSelector>().contains(character)
}

#[cfg(test)]
mod tests;
