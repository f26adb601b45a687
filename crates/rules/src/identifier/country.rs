//! Countries, as far as a mobile number needs them.

use std::fmt;
use std::str::FromStr;

use rlibphonenumber::{PHONE_NUMBER_UTIL, Region};

/// A country with a telephone numbering plan, named by its ISO 3166-1 code of two letters.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Country {
    region: Region,
    calling_code: u16,
}

/// The text names no country with a numbering plan.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{0}` is not the ISO 3166-1 code (two capital letters) of a country with a numbering plan"
)]
pub struct UnknownCountry(String);

impl Country {
    /// The country calling code, such as 91 for India.
    #[must_use]
    pub const fn calling_code(self) -> u16 {
        self.calling_code
    }

    pub(super) const fn region(self) -> Region {
        self.region
    }
}

impl FromStr for Country {
    type Err = UnknownCountry;

    fn from_str(iso: &str) -> Result<Self, Self::Err> {
        let known = || {
            let region = iso.parse::<Region>().ok()?;
            let code = PHONE_NUMBER_UTIL.get_country_code_for_region(region)?;
            Some(Self { region, calling_code: u16::try_from(code).ok()? })
        };
        known().ok_or_else(|| UnknownCountry(iso.to_owned()))
    }
}

impl fmt::Display for Country {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.region.as_region_str())
    }
}

impl fmt::Debug for Country {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Country({self}, +{})", self.calling_code)
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
}
