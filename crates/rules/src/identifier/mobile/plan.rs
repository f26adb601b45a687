//! Numbering plans, as the reading of mobile numbers asks for them.

use super::Country;
use crate::identifier::numbering::{Territory, parse_national, parse_whole};
use crate::text;

const ARGENTINA: u16 = 54;
const MEXICO: u16 = 52;

/// A number that has a country code, whether or not it fits a plan.
pub(super) struct Number {
    calling_code: u16,
    national: String,
}

impl Number {
    /// Reads digits that start with a country code.
    pub(super) fn whole(digits: &str) -> Option<Self> {
        Self::of(parse_whole(digits)?)
    }

    /// Reads digits as dialled in a country.
    pub(super) fn national(digits: &str, country: Country) -> Option<Self> {
        Self::of(parse_national(digits, country.territory())?)
    }

    fn of((calling_code, national): (u16, String)) -> Option<Self> {
        let (calling_code, national) = match mobile_form(calling_code, &national) {
            Some(national) => parse_whole(&format!("{calling_code}{national}"))?,
            None => (calling_code, national),
        };
        Some(Self { calling_code, national })
    }

    /// The digits with the country code.
    pub(super) fn digits(&self) -> String {
        format!("{}{}", self.calling_code, self.national)
    }

    /// The digits without the country code.
    pub(super) fn national_digits(&self) -> &str {
        &self.national
    }

    pub(super) const fn calling_code(&self) -> u16 {
        self.calling_code
    }

    /// Whether it is a mobile number of this country.
    pub(super) fn is_mobile_of(&self, country: Country) -> bool {
        self.calling_code == country.calling_code()
            && country.territory().is_valid(&self.national)
            && self.territory().is_some_and(|it| it.is_mobile(&self.national))
    }

    /// Whether it is a number of any kind of any country.
    pub(super) fn is_valid(&self) -> bool {
        self.territory().is_some_and(|it| it.is_valid(&self.national))
    }

    /// Whether its length is one of mobile numbers in the plan of its country code.
    pub(super) fn is_possible_mobile(&self) -> bool {
        self.allows_mobiles_of(self.national.len())
    }

    /// Whether mobile numbers in the plan of its country code are neither longer nor shorter.
    pub(super) fn is_of_only_mobile_length(&self) -> bool {
        let length = self.national.len();
        !self.allows_mobiles_of(length + 1) && !self.allows_mobiles_of(length.saturating_sub(1))
    }

    /// The country of a valid number; `None` for one of a satellite or another network of no country.
    pub(super) fn country(&self) -> Option<Country> {
        Country::of_territory(self.territory()?)
    }

    fn territory(&self) -> Option<&'static Territory> {
        Territory::of_number(self.calling_code, &self.national)
    }

    fn allows_mobiles_of(&self, length: usize) -> bool {
        Territory::by_calling_code(self.calling_code).is_some_and(|it| it.is_mobile_length(length))
    }
}

/// The national digits of a number in a mobile field, where they differ from those sent. Mobile
/// numbers of Argentina have a 9 after the country code. Those of Mexico had a 1 there, or 044, 045
/// or 01 before them, until 2019.
fn mobile_form(calling_code: u16, national: &str) -> Option<String> {
    if !matches!(calling_code, ARGENTINA | MEXICO) {
        return None;
    }
    if calling_code == ARGENTINA {
        let lacks_9 = national.len() == 10 && national.starts_with(['1', '2', '3']);
        return lacks_9.then(|| format!("9{national}"));
    }
    let old_prefixes = ["044", "045", "01", "1"];
    let stripped = old_prefixes.into_iter().find_map(|prefix| national.strip_prefix(prefix))?;
    (stripped.len() == 10).then(|| stripped.to_owned())
}

/// The ASCII digit of a decimal digit of any script.
pub(super) fn digit(character: char) -> Option<char> {
    let is_digit = |it: &u32| char::from_u32(*it).is_some_and(text::is_decimal_digit);
    // Unicode has the digits of each script in order, ten after another from its zero.
    let below = (0..=u32::from(character)).rev().take_while(is_digit).count();
    let value = below.checked_sub(1)? % 10;
    char::from_digit(u32::try_from(value).ok()?, 10)
}
