//! Mobile numbers: one canonical form for all spellings of one number.
//!
//! "Add a mobile number with the country code. Only numeric characters are supported (0-9)."
//! Numbers are compared, stored and returned as digits with the country code. `dialled` reads the
//! digits from the text, `completion` gives them their canonical form, and [`Validation`] decides
//! only whether that form is accepted. So one number has one form under every setting.
//!
//! India has the documented rule: 10 digits that start with 6–9 (91 is put before them), or 12 digits
//! that start with 91. Every other country follows its numbering `plan`. The generic rule is: 9 to
//! 15 digits, the first of them 1–9.

mod completion;
mod dialled;
mod fault;
mod plan;
#[cfg(test)]
mod tests;

use std::borrow::Cow;

use completion::{By, Completed, Fit};
use dialled::Dialled;
pub use fault::{Fault, Own};

use super::Country;
use crate::codes::{self, Code};
use crate::trace::Step;

/// The calling code of India, which has a documented rule of its own.
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
    /// By the rules of the countries; a number of no such country by the generic rule.
    CountryThenGeneric,
    /// By the generic rule alone; no country is needed.
    Generic,
    /// Only the length counts, 9 to 15 digits, and that only where there is a base country.
    Off,
}

/// What a mobile number is completed by and validated against.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Rules {
    /// The organisation's own country.
    pub base: Option<Country>,
    /// Further countries, in the order in which they are tried.
    pub supported: Vec<Country>,
    /// Which rules apply.
    pub validation: Validation,
    /// The calling code that a client names for numbers without one. It changes the order in which
    /// the countries are tried, and admits no further country.
    pub preferred: Option<u16>,
}

impl Rules {
    /// These rules for a client that names this calling code.
    #[must_use]
    pub fn preferring(&self, calling_code: Option<u16>) -> Cow<'_, Self> {
        match calling_code {
            None => Cow::Borrowed(self),
            preferred => Cow::Owned(Self { preferred, ..self.clone() }),
        }
    }

    fn countries(&self) -> impl Iterator<Item = Country> {
        let all = || self.base.iter().chain(&self.supported).copied();
        let is_preferred = |country: &Country| Some(country.calling_code()) == self.preferred;
        all().filter(is_preferred).chain(all().filter(move |country| !is_preferred(country)))
    }

    fn is_base(&self, country: Country) -> bool {
        self.base == Some(country)
    }

    fn includes(&self, country: Country) -> bool {
        self.countries().any(|known| known == country)
    }

    /// Whether a number that is no mobile one of the countries falls under the generic rule: one that
    /// is of none of them, and one of India, whose documented rule takes any 10 digits after 91.
    fn leaves_to_generic(&self, fit: Fit) -> bool {
        match fit {
            Fit::Unknown | Fit::Valid(None) => true,
            Fit::Valid(Some(country)) => !self.includes(country) || country.calling_code() == INDIA,
            Fit::Possible(country) => country.calling_code() == INDIA,
            Fit::Mobile(..) | Fit::Unfit(_) => false,
        }
    }

    /// Whether this form is accepted, and by which setting.
    fn accept(&self, Completed { digits, fit }: &Completed) -> Result<Step, Fault> {
        match (self.validation, *fit) {
            (_, Fit::Unfit(country)) => Err(Fault::Unfit(self.own(country))),
            (Validation::Off, _) => match (self.base, digits.len()) {
                (Some(_), 9..=15) | (None, _) => Ok(Step::NumberOfLength),
                (Some(_), _) => Err(Fault::Length),
            },
            (Validation::Generic, _) => generic(digits),
            (_, Fit::Mobile(country, by)) => Ok(self.step(country, by)),
            (Validation::CountryThenGeneric, _) if self.leaves_to_generic(*fit) => generic(digits),
            (_, Fit::Valid(Some(country))) if self.includes(country) => {
                Err(Fault::NotMobile(self.own(country)))
            }
            (_, Fit::Valid(Some(country))) => {
                Err(self.base.map_or(Fault::Generic, |base| Fault::OtherCountry(country, base)))
            }
            (_, Fit::Possible(country)) => Err(Fault::NotInUse(self.own(country))),
            (_, Fit::Valid(None) | Fit::Unknown) => {
                Err(self.base.map_or(Fault::Generic, Fault::NotOfCountry))
            }
        }
    }

    fn own(&self, country: Country) -> Own {
        Own { country, is_base: self.is_base(country) }
    }

    fn step(&self, country: Country, by: By) -> Step {
        match (by, self.is_base(country)) {
            (By::Code, true) => Step::CodeOfBase,
            (By::Code, false) => Step::CodeOfSupported,
            (By::Completion, true) => Step::CompletedByBase,
            (By::Completion, false) => Step::CompletedBySupported,
        }
    }
}

fn generic(digits: &str) -> Result<Step, Fault> {
    let fits = (9..=15).contains(&digits.len()) && !digits.starts_with('0');
    if fits { Ok(Step::GenericNumber) } else { Err(Fault::Generic) }
}

impl Mobile {
    /// Reads a number as sent.
    ///
    /// # Errors
    /// 1001 when it fits no rule; 8014 when the rules need a country and none is configured.
    pub fn parse(sent: &str, rules: &Rules) -> Result<Self, &'static Code> {
        Self::read(sent, rules).1
    }

    /// Reads a number as sent, and says which rule decided.
    pub fn read(sent: &str, rules: &Rules) -> (Step, Result<Self, &'static Code>) {
        let needs_country =
            matches!(rules.validation, Validation::Country | Validation::CountryThenGeneric);
        let dialled = match Dialled::read(sent) {
            Err(fault) => return (Step::MobileRefused(fault), Err(codes::INVALID_MOBILE)),
            Ok(_) if needs_country && rules.base.is_none() => {
                return (Step::NoCountry, Err(codes::COUNTRY_MISSING));
            }
            Ok(dialled) => dialled,
        };
        let accepted = dialled
            .complete(rules)
            .and_then(|completed| Ok((rules.accept(&completed)?, completed.digits)));
        match accepted {
            Ok((step, digits)) => (step, Ok(Self { digits, sent: sent.trim().to_owned() })),
            Err(fault) => (Step::MobileRefused(fault), Err(codes::INVALID_MOBILE)),
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
