//! What the values of an extended field are, by the published names of the data types.
//!
//! Countries, currencies and languages are checked by their form alone, an ISO code or a name in
//! letters: which of them exist changes, and documents send both `IN` and `Indian`. Associates are
//! not kept here, so an ASSOCIATE_USER is any text. CARD is not a type of a customer's fields.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::super::field::{decimal, integer};
use super::{Element, moment};
use crate::organisation::Organisation;

/// The longest name of a country, a currency or a language, in characters.
const NAME_LIMIT: usize = 100;

/// What the values of an extended field are.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
#[schema(as = ExtendedFieldType)]
pub enum DataType {
    /// A whole number of 64 bits.
    Integer,
    /// A text.
    #[default]
    String,
    /// A decimal number of at most 28 digits.
    Double,
    /// A day.
    Date,
    /// A day, with a time of day where one is passed.
    #[serde(rename = "DATETIME")]
    DateTime,
    /// A text of a standard field.
    StandardString,
    /// One of the values of a standard field.
    StandardEnum,
    /// One of the values that the organisation has set.
    CustomEnum,
    /// A country.
    Country,
    /// A currency.
    Currency,
    /// A language.
    Language,
    /// Somebody who works for the organisation.
    AssociateUser,
    /// A store or a till of the organisation.
    OrgEntity,
    /// Several texts, each once.
    StringSet,
    /// Several texts or numbers.
    List,
}

impl DataType {
    pub(super) const fn is_enumeration(self) -> bool {
        matches!(self, Self::StandardEnum | Self::CustomEnum)
    }

    /// Whether its values, or a list's entries, are days or times.
    pub(super) const fn is_moment(self) -> bool {
        matches!(self, Self::Date | Self::DateTime)
    }

    /// Whether its values, or a list's entries, are numbers.
    pub(super) fn is_number(self, element: Element) -> bool {
        match self {
            Self::Integer | Self::Double => true,
            Self::List => element != Element::Text,
            _ => false,
        }
    }

    /// One value in its one form; texts and numbers stay as they are.
    pub(super) fn read(self, sent: &str, organisation: &Organisation) -> Option<String> {
        let text = sent.trim();
        let as_it_is = || text.to_owned();
        match self {
            Self::Integer => integer(text).map(|_| as_it_is()),
            Self::Double => decimal(text).map(|_| as_it_is()),
            Self::Date => moment::day(text),
            Self::DateTime => moment::read(text).map(moment::format),
            Self::Country | Self::Currency => is_name(text).then(as_it_is),
            Self::Language => (is_name(text) || is_language_tag(text)).then(as_it_is),
            Self::OrgEntity => organisation.entity_named(text).map(str::to_owned),
            Self::StandardEnum | Self::CustomEnum => Some(as_it_is()),
            Self::String
            | Self::StandardString
            | Self::AssociateUser
            | Self::StringSet
            | Self::List => Some(sent.to_owned()),
        }
    }
}

/// An ISO code of two or three letters, or a name in letters.
fn is_name(text: &str) -> bool {
    let letters = text.chars().filter(|character| character.is_alphabetic()).count();
    let in_names = |character: char| {
        character.is_alphabetic()
            || matches!(character, ' ' | '-' | '\'' | '’' | '.' | ',' | '(' | ')' | '&')
    };
    letters >= 2 && text.chars().count() <= NAME_LIMIT && text.chars().all(in_names)
}

/// A language with a script or a country: `en-GB`, `zh_Hant_TW`.
fn is_language_tag(text: &str) -> bool {
    let mut parts = text.split(['-', '_']);
    let language = parts.next().unwrap_or_default();
    let is_subtag = |part: &str| {
        (2..=8).contains(&part.len()) && part.bytes().all(|byte| byte.is_ascii_alphanumeric())
    };
    (2..=3).contains(&language.len())
        && language.bytes().all(|byte| byte.is_ascii_alphabetic())
        && parts.all(is_subtag)
        && text.len() <= NAME_LIMIT
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case("IN", true)]
    #[case("IND", true)]
    #[case("Indian", true)]
    #[case("Côte d'Ivoire", true)]
    #[case("Bonaire, Sint Eustatius (NL)", true)]
    #[case("中国", true)]
    #[case("₹", false)]
    #[case("I", false)]
    #[case("356", false)]
    #[case("IN1", false)]
    #[case("", false)]
    fn countries_and_currencies(#[case] text: &str, #[case] valid: bool) {
        assert_eq!(is_name(text), valid);
    }

    #[rstest]
    #[case("en", true)]
    #[case("en-GB", true)]
    #[case("zh_Hant_TW", true)]
    #[case("es-419", true)]
    #[case("en-", false)]
    #[case("1n", false)]
    fn language_tags(#[case] text: &str, #[case] valid: bool) {
        assert_eq!(is_language_tag(text), valid);
    }

    #[rstest]
    #[case(DataType::DateTime, "DATETIME")]
    #[case(DataType::StandardEnum, "STANDARD_ENUM")]
    #[case(DataType::OrgEntity, "ORG_ENTITY")]
    #[case(DataType::StringSet, "STRING_SET")]
    fn types_have_their_published_names(#[case] data_type: DataType, #[case] name: &str) {
        assert_eq!(serde_json::to_value(data_type).unwrap(), name);
        assert_eq!(serde_json::from_value::<DataType>(name.into()).unwrap(), data_type);
    }

    #[rstest]
    #[case("CARD")]
    #[case("TEXT")]
    #[case("")]
    fn other_types_are_refused(#[case] name: &str) {
        let refused = serde_json::from_value::<DataType>(name.into()).unwrap_err().to_string();
        assert!(refused.contains("STANDARD_ENUM"), "{refused}");
    }
}
