//! Numbering plans, by a maintained phone-number library: the one place that calls it.

use rlibphonenumber::{
    PHONE_NUMBER_UTIL, PhoneNumber, PhoneNumberType, get_national_significant_number_owned,
};

use super::Country;

const ARGENTINA: u16 = 54;
const MEXICO: u16 = 52;

/// A number that has a country code, whether or not it fits a plan.
pub(super) struct Number {
    number: PhoneNumber,
    calling_code: u16,
}

impl Number {
    /// Reads digits that start with a country code.
    pub(super) fn whole(digits: &str) -> Option<Self> {
        Self::of(PHONE_NUMBER_UTIL.parse(format!("+{digits}"), None).ok()?)
    }

    /// Reads digits as dialled in a country.
    pub(super) fn national(digits: &str, country: Country) -> Option<Self> {
        Self::of(PHONE_NUMBER_UTIL.parse(digits, Some(country.region())).ok()?)
    }

    fn of(number: PhoneNumber) -> Option<Self> {
        let calling_code = u16::try_from(number.country_code).ok()?;
        match mobile_form(calling_code, &number) {
            Some(national) => {
                let number = PHONE_NUMBER_UTIL.parse(format!("+{calling_code}{national}"), None);
                Some(Self { number: number.ok()?, calling_code })
            }
            None => Some(Self { number, calling_code }),
        }
    }

    /// The digits with the country code.
    pub(super) fn digits(&self) -> String {
        format!("{}{}", self.calling_code, self.national_digits())
    }

    /// The digits without the country code.
    pub(super) fn national_digits(&self) -> String {
        get_national_significant_number_owned(&self.number)
    }

    pub(super) const fn calling_code(&self) -> u16 {
        self.calling_code
    }

    /// Whether it is a mobile number of this country.
    pub(super) fn is_mobile_of(&self, country: Country) -> bool {
        self.calling_code == country.calling_code()
            && PHONE_NUMBER_UTIL.is_valid_number_for_region(&self.number, country.region())
            && matches!(
                PHONE_NUMBER_UTIL.get_number_type(&self.number),
                PhoneNumberType::Mobile | PhoneNumberType::FixedLineOrMobile
            )
    }

    /// Whether it is a number of any kind of any country.
    pub(super) fn is_valid(&self) -> bool {
        PHONE_NUMBER_UTIL.is_valid_number(&self.number)
    }

    /// Whether its length is one of mobile numbers in the plan of its country code.
    pub(super) fn is_possible_mobile(&self) -> bool {
        PHONE_NUMBER_UTIL.is_possible_number_for_type(&self.number, PhoneNumberType::Mobile)
    }

    /// Whether mobile numbers in the plan of its country code are neither longer nor shorter.
    pub(super) fn is_of_only_mobile_length(&self) -> bool {
        let is_possible = |national_number| {
            let number = PhoneNumber { national_number, ..self.number.clone() };
            PHONE_NUMBER_UTIL.is_possible_number_for_type(&number, PhoneNumberType::Mobile)
        };
        let national = self.number.national_number;
        !is_possible(national.saturating_mul(10)) && !is_possible(national / 10)
    }

    /// The country of a valid number; `None` for one of a satellite or another network of no country.
    pub(super) fn country(&self) -> Option<Country> {
        Country::of_region(PHONE_NUMBER_UTIL.get_region_for_number(&self.number)?)
    }
}

/// The national digits of a number in a mobile field, where they differ from those sent. Mobile
/// numbers of Argentina have a 9 after the country code. Those of Mexico had a 1 there, or 044, 045
/// or 01 before them, until 2019.
fn mobile_form(calling_code: u16, number: &PhoneNumber) -> Option<String> {
    if !matches!(calling_code, ARGENTINA | MEXICO) {
        return None;
    }
    let national = get_national_significant_number_owned(number);
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
    let text = character.encode_utf8(&mut [0; 4]).to_owned();
    PHONE_NUMBER_UTIL.normalize_digits_only(text).chars().next()
}
