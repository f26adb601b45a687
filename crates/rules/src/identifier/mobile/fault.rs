//! Why a text is no mobile number of an organisation.

use std::fmt;

use super::Country;

/// Why a text is no mobile number of an organisation. The sentence names the settings that would
/// change it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    /// A character that no number has.
    #[error("{0:?} cannot stand in a mobile number; digits, a leading + and separators can")]
    Character(char),
    /// A `+` that is not the first character.
    #[error("the mobile number has a + that is not its first character")]
    Plus,
    /// A negative or a decimal number.
    #[error("the mobile number is a negative or decimal number")]
    NotWhole,
    /// There is no digit.
    #[error("the mobile number has no digits")]
    NoDigits,
    /// A text beyond the limit.
    #[error("the mobile number is longer than {} characters", super::dialled::TEXT_LIMIT)]
    TooLong,
    /// A country code cannot start with 0.
    #[error("no country code starts with 0, as the mobile number does after + or 00")]
    NoCode,
    /// The number fits no country of the organisation, of which this is the base country.
    #[error("not a valid mobile number for {0} (COUNTRY) or a country of SUPPORTED_COUNTRIES")]
    NotOfCountry(Country),
    /// The number starts with the code of this country, without fitting its plan.
    #[error("not a valid mobile number for {0}, though it starts with +{code}", code = .0.country.calling_code())]
    Unfit(Own),
    /// The number is as long as the mobile numbers of this country, in a range that is not in use.
    #[error(
        "not a valid mobile number for {0}: the range is not in use. SUPPORTED_COUNTRIES admits \
         numbers of further countries, MOBILE_VALIDATION = GENERIC or OFF any of a valid length"
    )]
    NotInUse(Own),
    /// The number of a fixed line or a service of this country.
    #[error("not a valid mobile number for {0}: it is a fixed line or a service")]
    NotMobile(Own),
    /// The number of a country that is none of the organisation's, and the base country.
    #[error(
        "not a valid mobile number for {1} (COUNTRY): it belongs to {0}. Add {0} to \
         SUPPORTED_COUNTRIES to accept it"
    )]
    OtherCountry(Country, Country),
    /// The digits alone, as they would be stored, are another number, of this country.
    #[error(
        "without +, the mobile number is another one of {0}. Add its own country to \
         SUPPORTED_COUNTRIES to accept it"
    )]
    Ambiguous(Country),
    /// The generic rule does not fit.
    #[error("a mobile number has 9 to 15 digits with its country code and starts with 1 to 9")]
    Generic,
    /// The length is not accepted.
    #[error("a mobile number has 9 to 15 digits")]
    Length,
}

/// A country of the organisation, with the setting that names it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Own {
    /// The country.
    pub country: Country,
    /// Whether it is the base country.
    pub is_base: bool,
}

impl Own {
    const fn setting(self) -> &'static str {
        if self.is_base { "COUNTRY" } else { "SUPPORTED_COUNTRIES" }
    }
}

impl fmt::Display for Own {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({})", self.country, self.setting())
    }
}

impl Fault {
    /// The published name of the setting that decided, where one did.
    #[must_use]
    pub const fn setting(self) -> Option<&'static str> {
        match self {
            Self::Character(_)
            | Self::Plus
            | Self::NotWhole
            | Self::NoDigits
            | Self::TooLong
            | Self::NoCode => None,
            Self::NotOfCountry(_) => Some("COUNTRY"),
            Self::Unfit(own) | Self::NotInUse(own) | Self::NotMobile(own) => Some(own.setting()),
            Self::OtherCountry(..) | Self::Ambiguous(_) => Some("SUPPORTED_COUNTRIES"),
            Self::Generic | Self::Length => Some("MOBILE_VALIDATION"),
        }
    }
}
