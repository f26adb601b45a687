//! The digits of a mobile number, out of the text in which they were sent.

use super::{Fault, plan};
use crate::text;

/// The longest number, separators included, in characters.
pub(super) const TEXT_LIMIT: usize = 64;
/// The longest text that is looked at, blanks and characters without width included.
const SENT_LIMIT: usize = 4 * TEXT_LIMIT;

/// A number as a person would dial it.
pub(super) struct Dialled {
    /// The digits in order, a `0` in brackets among them.
    digits: String,
    /// The digits without a `0` in brackets, where there is one.
    without_optional_zero: Option<String>,
    /// Written with `+`: the country code is certainly there.
    pub(super) plus: bool,
}

impl Dialled {
    /// Reads a text: digits of any script, a leading `+`, and the blanks and separators that people
    /// write.
    ///
    /// # Errors
    /// The character, or else, that no number has.
    pub(super) fn read(sent: &str) -> Result<Self, Fault> {
        let text = sent.trim();
        if text.chars().nth(SENT_LIMIT).is_some() {
            return Err(Fault::TooLong);
        }
        let plain = plain(text)?;
        if plain.len() > TEXT_LIMIT {
            return Err(Fault::TooLong);
        }
        if is_negative_or_decimal(&plain) {
            return Err(Fault::NotWhole);
        }
        let unopened = plain.trim_start_matches('(');
        let (plus, rest) =
            unopened.strip_prefix('+').map_or((false, plain.as_str()), |rest| (true, rest));
        if rest.contains('+') {
            return Err(Fault::Plus);
        }
        let digits = digits_of(rest);
        let without_optional_zero =
            rest.contains("(0)").then(|| digits_of(&rest.replace("(0)", "")));
        if digits.is_empty() {
            return Err(Fault::NoDigits);
        }
        let dialled = Self { digits, without_optional_zero, plus };
        if dialled.is_international() && dialled.whole().starts_with('0') {
            return Err(Fault::NoCode);
        }
        Ok(dialled)
    }

    /// These digits, without anything that says whether they have a country code.
    pub(super) fn bare(digits: &str) -> Self {
        Self { digits: digits.to_owned(), without_optional_zero: None, plus: false }
    }

    /// The same number without the `0` in brackets, where it has one.
    pub(super) fn without_optional_zero(&self) -> Option<Self> {
        let digits = self.without_optional_zero.clone()?;
        (!digits.is_empty()).then_some(Self {
            digits,
            without_optional_zero: None,
            plus: self.plus,
        })
    }

    /// Whether the country code is certainly there, after `+` or `00`.
    pub(super) fn is_international(&self) -> bool {
        self.plus || self.digits.starts_with("00")
    }

    /// The digits, read as those of a number that has its country code.
    pub(super) fn whole(&self) -> &str {
        let exit = if self.digits.starts_with("00") { 2 } else { 0 };
        self.digits.get(exit..).unwrap_or_default()
    }

    /// The digits, read as those of a number that may lack its country code.
    pub(super) fn national(&self) -> Option<&str> {
        (!self.plus).then_some(&self.digits)
    }
}

fn digits_of(plain: &str) -> String {
    plain.chars().filter(char::is_ascii_digit).collect()
}

/// A JSON number that is no whole one is no mobile number written with separators.
fn is_negative_or_decimal(plain: &str) -> bool {
    let digits_and_dot = |c: char| c.is_ascii_digit() || c == '.';
    let decimal = plain.matches('.').count() == 1 && plain.chars().all(digits_and_dot);
    plain.starts_with(['-', '.']) || decimal
}

/// The text in ASCII digits, `+`, `(`, `)`, `.` and `-`; blanks and characters without width fall away.
fn plain(sent: &str) -> Result<String, Fault> {
    let mut plain = String::with_capacity(sent.len());
    for character in text::canonical(sent).chars() {
        match character {
            '0'..='9' | '+' | '(' | ')' | '-' | '.' => plain.push(character),
            // As a minus sign starts a negative number, so does the mathematical one.
            '\u{2212}' | '\u{ff0d}' => plain.push('-'),
            '\u{ff0b}' => plain.push('+'),
            '\u{ff08}' => plain.push('('),
            '\u{ff09}' => plain.push(')'),
            _ if separates(character) => plain.push(' '),
            _ => plain.push(plan::digit(character).ok_or(Fault::Character(character))?),
        }
    }
    plain.retain(|character| character != ' ');
    Ok(plain)
}

/// What people and phone books write between digits, besides ASCII's `-`, `.`, `(` and `)`.
const fn separates(character: char) -> bool {
    character.is_whitespace()
        || matches!(
            character,
            '/' | '[' | ']' | '~' | '\u{2010}'
                ..='\u{2015}'
                    | '\u{2053}'
                    | '\u{223c}'
                    | '\u{30fc}'
                    | '\u{ff0e}'
                    | '\u{ff0f}'
                    | '\u{ff3b}'
                    | '\u{ff3d}'
                    | '\u{ff5e}'
        )
}
