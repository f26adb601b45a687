//! Numbers that Patron makes itself: of cards, and as external ids.
//!
//! A number is a prefix, digits that are counted or drawn by chance, a checksum digit where the
//! algorithm has one, and a suffix. The algorithms go by their published names:
//!
//! | Name | Digits | Checksum digit |
//! | --- | --- | --- |
//! | `LUHN_ALGO` | counted | MOD10: the digit that makes the sum of Luhn's formula a multiple of ten |
//! | `MOD7_ALGO` | counted | the remainder of the digits, read as one number, divided by 7 |
//! | `AUTO_INC` | counted | none |
//! | `RANDOM` | by chance | none |
//! | `RANDOM_LUHN` | by chance | MOD10 |
//! | `RANDOM_MOD7` | by chance | as `MOD7_ALGO` |
//!
//! A number says nothing of who may know it: whoever has to prove something with it needs a
//! [`crate::random_code`].

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::random::{Random, symbols};

/// The longest number, in characters.
pub const LENGTH_LIMIT: usize = 50;

/// The highest count.
pub const COUNT_LIMIT: u64 = 999_999_999_999_999_999;

const DIGITS: &[u8; 10] = b"0123456789";

/// How the digits of a number come about.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Algorithm {
    /// Counted, with Luhn's digit.
    #[serde(rename = "LUHN_ALGO")]
    Luhn,
    /// Counted, with the remainder by 7.
    #[serde(rename = "MOD7_ALGO")]
    Mod7,
    /// Counted.
    #[default]
    AutoInc,
    /// By chance.
    Random,
    /// By chance, with Luhn's digit.
    RandomLuhn,
    /// By chance, with the remainder by 7.
    #[serde(rename = "RANDOM_MOD7")]
    RandomMod7,
}

impl Algorithm {
    /// Whether its digits are counted, and not drawn by chance.
    #[must_use]
    pub const fn counts(self) -> bool {
        matches!(self, Self::Luhn | Self::Mod7 | Self::AutoInc)
    }

    const fn checksum(self) -> Option<fn(&str) -> u32> {
        match self {
            Self::Luhn | Self::RandomLuhn => Some(luhn),
            Self::Mod7 | Self::RandomMod7 => Some(mod7),
            Self::AutoInc | Self::Random => None,
        }
    }
}

/// What besides the digits themselves the checksum digit vouches for.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum ChecksumOver {
    /// The prefix.
    Prefix,
    /// Nothing.
    #[default]
    None,
}

/// The form of the numbers of one series.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Form {
    /// How the digits come about.
    pub algorithm: Algorithm,
    /// What each number starts with.
    pub prefix: String,
    /// What each number ends with; for `AUTO_INC` alone.
    pub suffix: String,
    /// The number from which to count.
    pub offset: u64,
    /// How many characters each number has, all its parts together: 1 to 50.
    pub length: usize,
    /// What the checksum digit vouches for besides the digits.
    pub checksum_over: ChecksumOver,
}

impl Default for Form {
    fn default() -> Self {
        Self {
            algorithm: Algorithm::default(),
            prefix: String::new(),
            suffix: String::new(),
            offset: 1,
            length: 10,
            checksum_over: ChecksumOver::default(),
        }
    }
}

/// Why there can be no numbers of a form.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    /// The length is not 1 to 50.
    #[error("the length is 1 to {LENGTH_LIMIT}")]
    Length,
    /// The prefix or the suffix has other characters than it may.
    #[error("a prefix or suffix has letters a-z A-Z, digits, - and _ alone")]
    Characters,
    /// Another algorithm than `AUTO_INC` has a suffix.
    #[error("only AUTO_INC takes a suffix")]
    Suffix,
    /// The checksum is to vouch for a prefix that is no number.
    #[error("a checksum over the prefix needs a prefix of digits alone")]
    ChecksumOverPrefix,
    /// Prefix, suffix and checksum digit leave no place for digits.
    #[error("the length leaves no place for digits beside prefix, suffix and checksum digit")]
    NoPlace,
    /// The first number has more digits than there are places.
    #[error("the offset has more digits than the length leaves places")]
    Offset,
}

impl Form {
    /// Finds out whether there are numbers of this form.
    ///
    /// # Errors
    /// The first [`Fault`], in their order.
    pub fn check(&self) -> Result<(), Fault> {
        let is_number = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
        let checks_prefix =
            self.algorithm.checksum().is_some() && self.checksum_over == ChecksumOver::Prefix;
        let faults = [
            (Fault::Length, !(1..=LENGTH_LIMIT).contains(&self.length)),
            (Fault::Characters, !is_affix(&self.prefix) || !is_affix(&self.suffix)),
            (Fault::Suffix, self.algorithm != Algorithm::AutoInc && !self.suffix.is_empty()),
            (Fault::ChecksumOverPrefix, checks_prefix && !is_number(&self.prefix)),
            (Fault::NoPlace, self.places() == 0),
            (Fault::Offset, self.algorithm.counts() && self.counted(self.offset).is_none()),
        ];
        faults.into_iter().find(|(_, found)| *found).map_or(Ok(()), |(fault, _)| Err(fault))
    }

    /// The number of this count; `None` where it has more digits than there are places or is past
    /// [`COUNT_LIMIT`], so that the series is used up.
    #[must_use]
    pub fn counted(&self, count: u64) -> Option<String> {
        let digits = format!("{count:0>places$}", places = self.places());
        let fits = count <= COUNT_LIMIT && digits.len() == self.places();
        fits.then(|| self.complete(&digits))
    }

    /// A number by chance.
    #[must_use]
    pub fn random(&self, random: &mut Random<'_>) -> String {
        self.complete(&symbols(DIGITS, self.places(), random))
    }

    /// Whether a number that somebody else made is of this form, its checksum digit included.
    #[must_use]
    pub fn fits(&self, number: &str) -> bool {
        let digits = number
            .strip_prefix(self.prefix.as_str())
            .and_then(|rest| rest.strip_suffix(self.suffix.as_str()))
            .and_then(|rest| rest.get(..self.places()))
            .filter(|digits| digits.bytes().all(|byte| byte.is_ascii_digit()));
        digits.is_some_and(|digits| self.complete(digits) == number)
    }

    /// How many digits are counted or drawn.
    fn places(&self) -> usize {
        let checksum = usize::from(self.algorithm.checksum().is_some());
        self.length.saturating_sub(self.prefix.len() + self.suffix.len() + checksum)
    }

    fn complete(&self, digits: &str) -> String {
        let Self { prefix, suffix, .. } = self;
        let Some(checksum) = self.algorithm.checksum() else {
            return format!("{prefix}{digits}{suffix}");
        };
        let check = match self.checksum_over {
            ChecksumOver::Prefix => checksum(&format!("{prefix}{digits}")),
            ChecksumOver::None => checksum(digits),
        };
        format!("{prefix}{digits}{check}{suffix}")
    }
}

/// Whether a prefix or a suffix can be of this text: letters a-z A-Z, digits, `-` and `_`.
#[must_use]
pub fn is_affix(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'))
}

/// The digit that makes the sum of Luhn's formula a multiple of ten (ISO/IEC 7812-1, annex B):
/// every other digit is doubled, beginning with the last, and the digits of the results added.
fn luhn(digits: &str) -> u32 {
    let summand = |(place, digit): (usize, u32)| match digit * 2 {
        _ if place % 2 == 1 => digit,
        double @ 10.. => double - 9,
        double => double,
    };
    let sum: u32 = values(digits).rev().enumerate().map(summand).sum();
    (10 - sum % 10) % 10
}

/// The remainder of the digits, read as one number, divided by 7.
fn mod7(digits: &str) -> u32 {
    values(digits).fold(0, |remainder, digit| (remainder * 10 + digit) % 7)
}

fn values(digits: &str) -> impl DoubleEndedIterator<Item = u32> + ExactSizeIterator {
    let places: Vec<u32> = digits.chars().filter_map(|digit| digit.to_digit(10)).collect();
    places.into_iter()
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    fn form(algorithm: Algorithm, prefix: &str, length: usize) -> Form {
        Form { algorithm, prefix: prefix.to_owned(), length, ..Form::default() }
    }

    /// Payloads and digits that others publish: the example of ISO/IEC 7812, test numbers of card
    /// schemes, an IMEI, a Canadian social insurance number.
    #[rstest]
    #[case("7992739871", 3)]
    #[case("411111111111111", 1)]
    #[case("37828224631000", 5)]
    #[case("601111111111111", 7)]
    #[case("49015420323751", 8)]
    #[case("04645428", 6)]
    #[case("0", 0)]
    fn luhns_digit(#[case] digits: &str, #[case] check: u32) {
        assert_eq!(luhn(digits), check);
    }

    /// The serial number of an air waybill ends like this (12345675); the other remainders follow
    /// from 1,000,000 being one more than a multiple of 7.
    #[rstest]
    #[case("1234567", 5)]
    #[case("1000000", 1)]
    #[case("1000000000001", 2)]
    #[case("0", 0)]
    #[case("6", 6)]
    #[case("7", 0)]
    #[case("99999999999999999999999999999999999999999999999999", 1)]
    fn the_remainder_by_seven(#[case] digits: &str, #[case] check: u32) {
        assert_eq!(mod7(digits), check);
    }

    #[rstest]
    #[case(form(Algorithm::AutoInc, "", 10), 10, Some("0000000010"))]
    #[case(form(Algorithm::AutoInc, "1", 10), 10, Some("1000000010"))]
    #[case(Form { suffix: "-X".to_owned(), ..form(Algorithm::AutoInc, "PA", 8) }, 12, Some("PA0012-X"))]
    #[case(form(Algorithm::AutoInc, "PA", 4), 99, Some("PA99"))]
    #[case(form(Algorithm::AutoInc, "PA", 4), 100, None)]
    #[case(
        form(Algorithm::AutoInc, "", 50),
        COUNT_LIMIT,
        Some("00000000000000000000000000000000999999999999999999")
    )]
    #[case(form(Algorithm::AutoInc, "", 50), COUNT_LIMIT + 1, None)]
    // 411111111111111 with Luhn's digit, counted behind the prefix 4111 or as a whole.
    #[case(form(Algorithm::Luhn, "", 16), 411_111_111_111_111, Some("4111111111111111"))]
    #[case(
        Form { checksum_over: ChecksumOver::Prefix, ..form(Algorithm::Luhn, "4111", 16) },
        11_111_111_111,
        Some("4111111111111111")
    )]
    #[case(form(Algorithm::Luhn, "PA", 13), 7_992_739_871, Some("PA79927398713"))]
    #[case(form(Algorithm::Luhn, "PA", 4), 9, Some("PA91"))]
    #[case(form(Algorithm::Luhn, "PA", 4), 10, None)]
    #[case(form(Algorithm::Mod7, "", 8), 1_234_567, Some("12345675"))]
    #[case(
        Form { checksum_over: ChecksumOver::Prefix, ..form(Algorithm::Mod7, "123", 8) },
        4_567,
        Some("12345675")
    )]
    fn counted_numbers(#[case] form: Form, #[case] count: u64, #[case] number: Option<&str>) {
        assert_eq!(form.counted(count).as_deref(), number);
        if let Some(number) = number {
            assert_eq!(number.len(), form.length);
            assert!(form.fits(number));
        }
    }

    #[rstest]
    #[case(form(Algorithm::Random, "PA", 12))]
    #[case(form(Algorithm::RandomLuhn, "PA", 12))]
    #[case(form(Algorithm::RandomMod7, "77", 50))]
    fn numbers_by_chance_have_their_form(#[case] form: Form) {
        let mut word = 12_345;
        let number = form.random(&mut || {
            word += 1_000_003;
            word
        });
        assert_eq!(number.len(), form.length);
        assert!(number.starts_with(&form.prefix));
        assert!(form.fits(&number));
    }

    #[rstest]
    #[case("PA79927398713", true)]
    #[case("PA79927398714", false)]
    #[case("pa79927398713", false)]
    #[case("79927398713", false)]
    #[case("PA7992739871", false)]
    #[case("PA079927398713", false)]
    #[case("PA7992739871３", false)]
    #[case("", false)]
    fn numbers_of_others_have_the_form_or_not(#[case] number: &str, #[case] fits: bool) {
        assert_eq!(form(Algorithm::Luhn, "PA", 13).fits(number), fits);
    }

    #[rstest]
    #[case(Form::default(), Ok(()))]
    #[case(form(Algorithm::Luhn, "PA", 50), Ok(()))]
    #[case(form(Algorithm::AutoInc, "", 0), Err(Fault::Length))]
    #[case(form(Algorithm::AutoInc, "", 51), Err(Fault::Length))]
    #[case(form(Algorithm::AutoInc, "P A", 9), Err(Fault::Characters))]
    #[case(form(Algorithm::AutoInc, "Ä", 9), Err(Fault::Characters))]
    #[case(Form { suffix: "X".to_owned(), ..form(Algorithm::AutoInc, "", 9) }, Ok(()))]
    #[case(Form { suffix: "X".to_owned(), ..form(Algorithm::Luhn, "", 9) }, Err(Fault::Suffix))]
    #[case(Form { suffix: "X".to_owned(), ..form(Algorithm::Random, "", 9) }, Err(Fault::Suffix))]
    #[case(
        Form { checksum_over: ChecksumOver::Prefix, ..form(Algorithm::Luhn, "PA", 9) },
        Err(Fault::ChecksumOverPrefix)
    )]
    #[case(Form { checksum_over: ChecksumOver::Prefix, ..form(Algorithm::Luhn, "41", 9) }, Ok(()))]
    // Without a checksum digit there is nothing to vouch for.
    #[case(Form { checksum_over: ChecksumOver::Prefix, ..form(Algorithm::Random, "PA", 9) }, Ok(()))]
    #[case(form(Algorithm::AutoInc, "PA", 3), Ok(()))]
    #[case(form(Algorithm::AutoInc, "PAX", 3), Err(Fault::NoPlace))]
    #[case(form(Algorithm::Luhn, "PA", 3), Err(Fault::NoPlace))]
    #[case(Form { offset: 99, ..form(Algorithm::AutoInc, "PA", 4) }, Ok(()))]
    #[case(Form { offset: 100, ..form(Algorithm::AutoInc, "PA", 4) }, Err(Fault::Offset))]
    // Chance does not count.
    #[case(Form { offset: 100, ..form(Algorithm::Random, "PA", 4) }, Ok(()))]
    fn forms(#[case] form: Form, #[case] checked: Result<(), Fault>) {
        assert_eq!(form.check(), checked);
    }
}
