//! Alternate currencies: what an organisation gives besides points.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{Invalid, Kind, Organisation, Resource};

/// The longest identifier, in characters.
const IDENTIFIER_LIMIT: usize = 50;

/// A currency besides points, such as stars or miles.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AlternateCurrency {
    /// Its name.
    pub name: String,
    /// By what the ledger knows it: under another identifier it is another currency. Letters a-z A-Z,
    /// digits, `-` and `_`.
    pub identifier: String,
}

impl Resource for AlternateCurrency {
    const KIND: Kind = Kind::Currencies;
    const COUNT_LIMIT: usize = 100;

    fn name(&self) -> &str {
        &self.name
    }

    fn check(&self, organisation: &Organisation) -> Result<(), Invalid> {
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
        let valid = (1..=IDENTIFIER_LIMIT).contains(&self.identifier.len())
            && self.identifier.bytes().all(plain);
        Invalid::unless(valid, "/identifier", "1 to 50 letters a-z A-Z, digits, - and _")?;
        let mut others = organisation.currencies.active().filter(|other| other.name != self.name);
        let is_own = others.all(|other| other.identifier != self.identifier);
        Invalid::unless(is_own, "/identifier", "another currency has this identifier")
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;
    use crate::organisation::Documents as _;

    #[rstest]
    #[case("rgpws7", true)]
    #[case("A-b_9", true)]
    #[case("", false)]
    #[case("two words", false)]
    #[case("é", false)]
    #[case("taken", false)]
    fn identifiers(#[case] identifier: &str, #[case] valid: bool) {
        let mut organisation = Organisation::default();
        for (name, identifier) in [("other", "taken"), ("this", identifier)] {
            let currency = AlternateCurrency { name: name.into(), identifier: identifier.into() };
            organisation.currencies.put(&serde_json::to_string(&currency).unwrap()).unwrap();
        }
        let this = organisation.currencies.named("this").unwrap();
        let expected = if valid { Ok(()) } else { Err("/identifier".to_owned()) };
        assert_eq!(this.check(&organisation).map_err(|invalid| invalid.pointer), expected);
    }
}
