//! Mobile numbers: one canonical form for all the ways in which one number is written.
//!
//! "Add a mobile number with the country code. Only numeric characters are supported (0-9)."
//! Numbers are compared, stored and returned as digits with the country code. A leading `+` or
//! `00` and the usual separators are understood, since a number must not become two customers by
//! the way it was typed.
//!
//! A number is first read as one that has its country code, as the specification asks, and then as
//! one that lacks it; each time countries are tried in order, the base country first. So a number
//! in canonical form always stays as it is. India has the documented rule: 10 digits that start
//! with 6–9 (91 is put before them), or 12 digits that start with 91. Every other country follows
//! the numbering plan of a maintained phone-number library. The generic rule is: 9 to 15 digits,
//! the first of them 1–9.

use rlibphonenumber::{PHONE_NUMBER_UTIL, PhoneNumber, PhoneNumberType};

use super::Country;
use crate::codes::{self, Code};
use crate::trace::Step;

/// The longest text that is looked at, in bytes.
const TEXT_LIMIT_BYTES: usize = 64;

const INDIA: u16 = 91;

/// A mobile number in its canonical form, with the text it was sent as.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mobile {
    digits: String,
    sent: String,
}

/// How an organisation validates mobile numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Validation {
    /// By the rules of the base country and the supported countries.
    #[default]
    Country,
    /// By the rules of the countries; a number that fits none of them by the generic rule.
    CountryThenGeneric,
    /// By the generic rule alone; no country is needed.
    Generic,
    /// Only the length counts, 9 to 15 digits, and that only where there is a base country.
    Off,
}

/// What a mobile number is validated against.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Rules {
    /// The organisation's own country.
    pub base: Option<Country>,
    /// Further countries, in the order in which they are tried.
    pub supported: Vec<Country>,
    /// Which rules apply.
    pub validation: Validation,
}

impl Rules {
    fn countries(&self) -> impl Iterator<Item = Country> {
        self.base.iter().chain(&self.supported).copied()
    }

    fn is_base(&self, country: Country) -> bool {
        self.base == Some(country)
    }
}

impl Mobile {
    /// Reads a number as sent.
    ///
    /// # Errors
    /// 1001 when it fits no rule; 8014 when the rules need a country and none is configured.
    pub fn parse(sent: &str, rules: &Rules) -> Result<Self, &'static Code> {
        Self::read(sent, rules).1
    }

    /// Reads a number as sent, and says by which setting. One that is no number at all is refused
    /// by none.
    pub fn read(sent: &str, rules: &Rules) -> (Option<Step>, Result<Self, &'static Code>) {
        let Some(dialled) = Dialled::read(sent) else {
            return (None, Err(codes::INVALID_MOBILE));
        };
        let fitting = match (rules.validation, rules.base) {
            (Validation::Generic, _) => dialled.generic().map(|it| (Step::GenericNumber, it)),
            (Validation::Off, base) => {
                dialled.unchecked(base.is_some()).map(|it| (Step::NumberOfLength, it))
            }
            (Validation::Country | Validation::CountryThenGeneric, None) => {
                return (Some(Step::NoCountry), Err(codes::COUNTRY_MISSING));
            }
            (Validation::Country, Some(_)) => dialled.by_country(rules),
            (Validation::CountryThenGeneric, Some(_)) => dialled
                .by_country(rules)
                .or_else(|| Some((Step::GenericNumber, dialled.of_no_country(rules)?))),
        };
        match fitting {
            Some((step, digits)) => (Some(step), Ok(Self { digits, sent: sent.trim().to_owned() })),
            None => (Some(Step::NoNumber), Err(codes::INVALID_MOBILE)),
        }
    }

    /// A number that was canonical when it was stored.
    #[must_use]
    pub fn stored(digits: String, sent: Option<String>) -> Self {
        let sent = sent.unwrap_or_else(|| digits.clone());
        Self { digits, sent }
    }

    /// Digits with the country code.
    #[must_use]
    pub fn digits(&self) -> &str {
        &self.digits
    }

    /// The number as it was sent.
    #[must_use]
    pub fn sent(&self) -> &str {
        &self.sent
    }
}

/// A number as a person would dial it.
struct Dialled {
    digits: String,
    /// Written with `+` or `00`: the country code is certainly there.
    international: bool,
}

impl Dialled {
    fn read(sent: &str) -> Option<Self> {
        let text = sent.trim();
        // A negative or a decimal number is no mobile number written with separators.
        let a_number = text.starts_with(['-', '.']) || text.matches('.').count() == 1;
        if text.len() > TEXT_LIMIT_BYTES || a_number {
            return None;
        }
        let (plus, rest) = text.strip_prefix('+').map_or((false, text), |rest| (true, rest));
        let mut digits = String::with_capacity(rest.len());
        for character in rest.replace("(0)", "").chars() {
            match character {
                '0'..='9' => digits.push(character),
                ' ' | '-' | '.' | '(' | ')' | '/' | '\u{a0}' => {}
                _ => return None,
            }
        }
        match digits.strip_prefix("00") {
            Some(rest) if !plus => Some(Self { digits: rest.to_owned(), international: true }),
            _ => Some(Self { digits, international: plus }),
        }
    }

    /// The number by the first country that it fits: as it is, else completed.
    fn by_country(&self, rules: &Rules) -> Option<(Step, String)> {
        let countries = || rules.countries();
        let whole = |country| {
            let step =
                if rules.is_base(country) { Step::CodeOfBase } else { Step::CodeOfSupported };
            Some((step, self.with_code(country)?))
        };
        let completed = |country| {
            let by_base = rules.is_base(country);
            let step = if by_base { Step::CompletedByBase } else { Step::CompletedBySupported };
            Some((step, self.without_code(country)?))
        };
        countries().find_map(whole).or_else(|| countries().find_map(completed))
    }

    /// The number by the generic rule. What a country would complete, once the `+` is gone, is
    /// nobody's number.
    fn of_no_country(&self, rules: &Rules) -> Option<String> {
        let digits = self.generic()?;
        let bare = Self { digits, international: false };
        let completed = rules.countries().any(|country| bare.without_code(country).is_some());
        (!completed).then_some(bare.digits)
    }

    /// The number read as one that has this country's code already.
    fn with_code(&self, country: Country) -> Option<String> {
        if country.calling_code() == INDIA {
            let fits = self.digits.len() == 12 && self.digits.starts_with("91");
            return fits.then(|| self.digits.clone());
        }
        let number = PHONE_NUMBER_UTIL.parse(format!("+{}", self.digits), None).ok()?;
        mobile_of(&number, country)
    }

    /// The number read as one that still lacks this country's code.
    fn without_code(&self, country: Country) -> Option<String> {
        if self.international {
            return None;
        }
        if country.calling_code() == INDIA {
            let national = self.digits.strip_prefix('0').unwrap_or(&self.digits);
            let fits = national.len() == 10 && national.starts_with(['6', '7', '8', '9']);
            return fits.then(|| format!("{INDIA}{national}"));
        }
        let number = PHONE_NUMBER_UTIL.parse(&self.digits, Some(country.region())).ok()?;
        mobile_of(&number, country)
    }

    fn unchecked(&self, length_counts: bool) -> Option<String> {
        let lengths = if length_counts { 9..=15 } else { 1..=TEXT_LIMIT_BYTES };
        lengths.contains(&self.digits.len()).then(|| self.digits.clone())
    }

    fn generic(&self) -> Option<String> {
        let fits = (9..=15).contains(&self.digits.len()) && !self.digits.starts_with('0');
        fits.then(|| self.digits.clone())
    }
}

/// The canonical digits of a number that is a mobile one of this country.
fn mobile_of(number: &PhoneNumber, country: Country) -> Option<String> {
    let fits = number.country_code == i32::from(country.calling_code())
        && PHONE_NUMBER_UTIL.is_valid_number_for_region(number, country.region())
        && matches!(
            PHONE_NUMBER_UTIL.get_number_type(number),
            PhoneNumberType::Mobile | PhoneNumberType::FixedLineOrMobile
        );
    fits.then(|| {
        let national = rlibphonenumber::get_national_significant_number_owned(number);
        format!("{}{national}", country.calling_code())
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use rstest::rstest;

    use super::*;

    fn rules(base: &str, supported: &[&str], validation: Validation) -> Rules {
        Rules {
            base: Some(base.parse().unwrap()),
            supported: supported.iter().map(|iso| iso.parse().unwrap()).collect(),
            validation,
        }
    }

    #[rstest]
    // India: 10 digits from 6, or 12 digits from 91.
    #[case("IN", "9876543210", Some("919876543210"))]
    #[case("IN", "6000000000", Some("916000000000"))]
    #[case("IN", "919876543210", Some("919876543210"))]
    #[case("IN", "+91 98765 43210", Some("919876543210"))]
    #[case("IN", "+91-98765-43210", Some("919876543210"))]
    #[case("IN", "00919876543210", Some("919876543210"))]
    #[case("IN", "09876543210", Some("919876543210"))]
    #[case("IN", " 9876543210 ", Some("919876543210"))]
    #[case("IN", "(987) 654-3210", Some("919876543210"))]
    #[case("IN", "5876543210", None)]
    #[case("IN", "987654321", None)]
    #[case("IN", "98765432101", None)]
    #[case("IN", "91987654321", None)]
    #[case("IN", "9198765432101", None)]
    #[case("IN", "+9876543210", None)]
    #[case("IN", "9177xx811213", None)]
    #[case("IN", "98765+43210", None)]
    #[case("IN", "++919876543210", None)]
    #[case("IN", "", None)]
    #[case("IN", "+", None)]
    #[case("IN", "0", None)]
    #[case("IN", "९८७६५४३२१०", None)]
    #[case("IN", "9876543210;DROP", None)]
    #[case("IN", "-9876543210", None)]
    #[case("IN", "9.876543210", None)]
    #[case("FR", "06.12.34.56.78", Some("33612345678"))]
    // Every other country: its numbering plan.
    #[case("DE", "0176 12345678", Some("4917612345678"))]
    #[case("DE", "+49 176 12345678", Some("4917612345678"))]
    #[case("DE", "0049 176 12345678", Some("4917612345678"))]
    #[case("DE", "4917612345678", Some("4917612345678"))]
    #[case("DE", "+49 (0)176 12345678", Some("4917612345678"))]
    #[case("DE", "030 901820", None)]
    #[case("GB", "07400 123456", Some("447400123456"))]
    #[case("GB", "+447400123456", Some("447400123456"))]
    #[case("GB", "447400123456", Some("447400123456"))]
    #[case("GB", "020 7946 0018", None)]
    #[case("US", "(202) 555-0143", Some("12025550143"))]
    #[case("US", "(102) 555-0143", None)]
    #[case("US", "201-555-0123", Some("12015550123"))]
    #[case("US", "12015550123", Some("12015550123"))]
    #[case("US", "+1 201 555 0123", Some("12015550123"))]
    #[case("FR", "06 12 34 56 78", Some("33612345678"))]
    #[case("FR", "+33 6 12 34 56 78", Some("33612345678"))]
    #[case("FR", "33612345678", Some("33612345678"))]
    #[case("IT", "312 345 6789", Some("393123456789"))]
    #[case("IT", "+39 312 345 6789", Some("393123456789"))]
    #[case("ES", "612 34 56 78", Some("34612345678"))]
    #[case("ES", "34612345678", Some("34612345678"))]
    #[case("SG", "8123 4567", Some("6581234567"))]
    #[case("SG", "6581234567", Some("6581234567"))]
    #[case("AE", "050 123 4567", Some("971501234567"))]
    #[case("AE", "971501234567", Some("971501234567"))]
    #[case("SA", "0512345678", Some("966512345678"))]
    #[case("SA", "+966 51 234 5678", Some("966512345678"))]
    #[case("ID", "0812 345 678", Some("62812345678"))]
    #[case("ID", "62812345678", Some("62812345678"))]
    #[case("MY", "012-345 6789", Some("60123456789"))]
    #[case("MY", "60123456789", Some("60123456789"))]
    #[case("TH", "081 234 5678", Some("66812345678"))]
    #[case("CN", "131 2345 6789", Some("8613123456789"))]
    #[case("CN", "+86 131 2345 6789", Some("8613123456789"))]
    #[case("BR", "(11) 96123-4567", Some("5511961234567"))]
    #[case("ZA", "071 123 4567", Some("27711234567"))]
    #[case("AU", "0412 345 678", Some("61412345678"))]
    #[case("JP", "090-1234-5678", Some("819012345678"))]
    #[case("NG", "0802 123 4567", Some("2348021234567"))]
    #[case("PH", "0905 123 4567", Some("639051234567"))]
    #[case("NL", "06 12345678", Some("31612345678"))]
    fn by_country(#[case] base: &str, #[case] sent: &str, #[case] expected: Option<&str>) {
        let parsed = Mobile::parse(sent, &rules(base, &[], Validation::Country));
        match expected {
            Some(digits) => assert_eq!(parsed.map(|mobile| mobile.digits), Ok(digits.to_owned())),
            None => assert_eq!(parsed, Err(codes::INVALID_MOBILE)),
        }
    }

    #[rstest]
    #[case("9876543210", Some("919876543210"))]
    #[case("+65 8123 4567", Some("6581234567"))]
    #[case("81234567", Some("6581234567"))]
    #[case("+49 176 12345678", Some("4917612345678"))]
    #[case("+33 6 12 34 56 78", None)]
    // With the country code, as the specification asks, although India could complete it as well.
    #[case("6581234567", Some("6581234567"))]
    #[case("6591", None)]
    fn supported_countries_follow_in_order(#[case] sent: &str, #[case] expected: Option<&str>) {
        let parsed = Mobile::parse(sent, &rules("IN", &["SG", "DE"], Validation::Country));
        assert_eq!(parsed.ok().map(|mobile| mobile.digits).as_deref(), expected);
    }

    #[rstest]
    #[case(Validation::Country, "919876543210", Step::CodeOfBase)]
    #[case(Validation::Country, "6581234567", Step::CodeOfSupported)]
    #[case(Validation::Country, "9876543210", Step::CompletedByBase)]
    #[case(Validation::Country, "81234567", Step::CompletedBySupported)]
    #[case(Validation::Country, "123", Step::NoNumber)]
    #[case(Validation::CountryThenGeneric, "9876543210", Step::CompletedByBase)]
    #[case(Validation::CountryThenGeneric, "447400123456", Step::GenericNumber)]
    #[case(Validation::Generic, "9876543210", Step::GenericNumber)]
    #[case(Validation::Off, "5000000000", Step::NumberOfLength)]
    #[case(Validation::Off, "0", Step::NoNumber)]
    fn the_setting_that_decided_is_told(
        #[case] validation: Validation,
        #[case] sent: &str,
        #[case] expected: Step,
    ) {
        let step = |sent, rules: &Rules| Mobile::read(sent, rules).0;
        let rules = rules("IN", &["SG"], validation);
        assert_eq!(step(sent, &rules), Some(expected));
        assert_eq!(step("pigeon", &rules), None);
        assert_eq!(step(sent, &Rules::default()), Some(Step::NoCountry));
    }

    #[rstest]
    #[case("9876543210", Some("919876543210"))]
    #[case("5876543210", Some("5876543210"))]
    #[case("123456789012345", Some("123456789012345"))]
    #[case("1234567890123456", None)]
    #[case("12345678", None)]
    #[case("0123456789", None)]
    #[case("+44 7400 123456", Some("447400123456"))]
    fn india_and_other(#[case] sent: &str, #[case] expected: Option<&str>) {
        let parsed = Mobile::parse(sent, &rules("IN", &[], Validation::CountryThenGeneric));
        assert_eq!(parsed.ok().map(|mobile| mobile.digits).as_deref(), expected);
    }

    #[test]
    fn without_validation_only_the_length_counts() {
        let with_country = rules("IN", &[], Validation::Off);
        let without = Rules { base: None, ..with_country.clone() };
        for (sent, by_length, at_all) in [
            ("012345678", true, true),
            ("12345", false, true),
            ("12x45", false, false),
            ("", false, false),
        ] {
            assert_eq!(Mobile::parse(sent, &with_country).is_ok(), by_length, "{sent}");
            assert_eq!(Mobile::parse(sent, &without).is_ok(), at_all, "{sent}");
        }
    }

    #[test]
    fn without_a_country_only_the_generic_rule_works() {
        let mut rules = Rules::default();
        assert_eq!(Mobile::parse("919876543210", &rules), Err(codes::COUNTRY_MISSING));
        rules.validation = Validation::Generic;
        assert_eq!(Mobile::parse("919876543210", &rules).unwrap().digits(), "919876543210");
    }

    proptest! {
        #[test]
        fn canonical_stays_canonical(
            sent in "(\\+|00|0)?[0-9]{7,13}",
            base in prop::sample::select(vec!["IN", "DE", "US", "SG", "ID", "AE", "IT", "BR"]),
            generic: bool,
        ) {
            let validation = if generic { Validation::CountryThenGeneric } else { Validation::Country };
            let rules = rules(base, &["IN", "SG", "CN", "GB"], validation);
            if let Ok(mobile) = Mobile::parse(&sent, &rules) {
                let again = Mobile::parse(mobile.digits(), &rules).map(|again| again.digits);
                prop_assert_eq!(again, Ok(mobile.digits));
            }
        }

        #[test]
        fn no_text_panics(sent in ".{0,80}") {
            let _ = Mobile::parse(&sent, &rules("DE", &["IN"], Validation::CountryThenGeneric));
        }
    }

    #[test]
    fn the_number_as_sent_is_kept() {
        let rules = rules("IN", &[], Validation::Country);
        assert_eq!(Mobile::parse("98765 43210", &rules).unwrap().sent(), "98765 43210");
    }
}
