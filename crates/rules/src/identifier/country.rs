//! Countries, as far as a mobile number needs them.

use std::fmt;
use std::str::FromStr;

use super::numbering::Territory;

/// A country with a telephone numbering plan, named by its ISO 3166-1 code of two letters.
#[derive(Clone, Copy)]
pub struct Country(&'static Territory);

/// The text names no country with a numbering plan.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{0}` is not the ISO 3166-1 code (two capital letters) of a country with a numbering plan"
)]
pub struct UnknownCountry(String);

/// Codes that are in common use and not, or no longer, assigned by ISO 3166-1, each with the one that
/// is: those that ISO reserves at the wish of their users, and former ones, by the aliases of CLDR.
const ALIASES: [(&str, &str); 10] = [
    ("UK", "GB"),
    ("EL", "GR"),
    ("FX", "FR"),
    ("SU", "RU"),
    ("BU", "MM"),
    ("DD", "DE"),
    ("TP", "TL"),
    ("YD", "YE"),
    ("YU", "RS"),
    ("ZR", "CD"),
];

impl Country {
    /// The country calling code, such as 91 for India.
    #[must_use]
    pub const fn calling_code(self) -> u16 {
        self.0.calling_code
    }

    pub(super) const fn territory(self) -> &'static Territory {
        self.0
    }

    /// `None` for a network that belongs to no country.
    pub(super) fn of_territory(territory: &'static Territory) -> Option<Self> {
        territory.is_country().then_some(Self(territory))
    }

    /// The country that a text probably stands for that is no code: `UK`, `in`, `+91`.
    #[must_use]
    pub fn suggested(text: &str) -> Option<Self> {
        let upper = text.trim().to_ascii_uppercase();
        let alias = ALIASES.into_iter().find(|(alias, _)| *alias == upper);
        let of_code = || Self::of_territory(Territory::by_calling_code(calling_code(&upper)?)?);
        alias.map_or(upper.as_str(), |(_, code)| code).parse().ok().or_else(of_code)
    }
}

/// A calling code as written: `91`, `+91` or `0091`.
#[must_use]
pub fn calling_code(text: &str) -> Option<u16> {
    let text = text.trim();
    let digits = text.strip_prefix('+').or_else(|| text.strip_prefix("00")).unwrap_or(text);
    let is_code = (1..=3).contains(&digits.len()) && digits.bytes().all(|it| it.is_ascii_digit());
    if is_code { digits.parse().ok().filter(|code| *code > 0) } else { None }
}

impl PartialEq for Country {
    fn eq(&self, other: &Self) -> bool {
        self.0.id == other.0.id
    }
}

impl Eq for Country {}

impl FromStr for Country {
    type Err = UnknownCountry;

    fn from_str(iso: &str) -> Result<Self, Self::Err> {
        Territory::by_iso(iso).map(Self).ok_or_else(|| UnknownCountry(iso.to_owned()))
    }
}

impl fmt::Display for Country {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0.id)
    }
}

impl fmt::Debug for Country {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Country({self}, +{})", self.calling_code())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_country_is_named_by_its_iso_code() {
        let india: Country = "IN".parse().unwrap();
        assert_eq!((india.calling_code(), india.to_string().as_str()), (91, "IN"));
        for wrong in ["", "I", "IND", "ZZ", "91", "001"] {
            assert!(wrong.parse::<Country>().is_err(), "{wrong}");
        }
    }
    #[test]
    fn suggests_the_code_of_a_country_that_is_named_otherwise() {
        let suggested = |text| Country::suggested(text).map(|it| it.to_string());
        for (text, expected) in [
            ("UK", Some("GB")),
            ("uk", Some("GB")),
            ("EL", Some("GR")),
            ("in", Some("IN")),
            ("91", Some("IN")),
            ("+44", Some("GB")),
            ("ZZ", None),
            ("999", None),
            ("pigeon", None),
        ] {
            assert_eq!(suggested(text).as_deref(), expected, "{text}");
        }
        for (alias, code) in ALIASES {
            assert!(
                alias.parse::<Country>().is_err() && code.parse::<Country>().is_ok(),
                "{alias}"
            );
        }
    }

    #[test]
    fn reads_a_calling_code_in_every_spelling() {
        for text in ["91", "+91", "0091", " 91 "] {
            assert_eq!(calling_code(text), Some(91), "{text}");
        }
        for text in ["", "+", "0", "IN", "9191", "-1", "9 1"] {
            assert_eq!(calling_code(text), None, "{text}");
        }
    }
}
