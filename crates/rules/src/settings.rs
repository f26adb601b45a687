//! The registration configuration: each setting under its published name.
//!
//! [`TABLE`] is the one place that knows a setting's name, meaning, form and default. Values travel
//! as text; booleans are `0` and `1`, as the API's own listing of configurations gives them.

use crate::identifier::{Country, IdentifierKind, external_id, mobile};

/// What an organisation has configured for registration.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is a published setting of its own"
)]
pub struct Settings {
    /// The identifier that says who a customer is.
    pub primary_key: IdentifierKind,
    /// Whether a registration may come without the primary identifier.
    pub any_identifier: bool,
    /// How mobile numbers are validated.
    pub mobile: mobile::Rules,
    /// The form of external ids.
    pub external_id: external_id::Rules,
    /// Whether a registered mobile number may be replaced, where it is not the primary identifier.
    pub allow_mobile_update: bool,
    /// Whether a registered email address may be replaced, where it is not the primary identifier.
    pub allow_email_update: bool,
    /// Whether a registered external id may be replaced, where it is not the primary identifier.
    pub allow_external_id_update: bool,
    /// Whether a registration fails whose secondary identifier belongs to another customer.
    pub strict_check: bool,
    /// Whether such a secondary identifier is ignored instead; outranks the strict check.
    pub skip_secondary: bool,
    /// The most customers in one call.
    pub batch_limit: usize,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            primary_key: IdentifierKind::Mobile,
            any_identifier: true,
            mobile: mobile::Rules::default(),
            external_id: external_id::Rules::default(),
            allow_mobile_update: false,
            allow_email_update: false,
            allow_external_id_update: false,
            strict_check: false,
            skip_secondary: false,
            batch_limit: 100,
        }
    }
}

impl Settings {
    /// Whether a registered identifier of this kind may be replaced.
    #[must_use]
    pub const fn allows_update(&self, kind: IdentifierKind) -> bool {
        match kind {
            IdentifierKind::Mobile => self.allow_mobile_update,
            IdentifierKind::Email => self.allow_email_update,
            IdentifierKind::ExternalId => self.allow_external_id_update,
        }
    }

    /// Sets one setting from its text.
    ///
    /// # Errors
    /// [`Refused`] when there is no such setting, or the text is not of its form.
    pub fn set(&mut self, name: &str, value: &str) -> Result<(), Refused> {
        let setting = TABLE
            .iter()
            .find(|setting| setting.name == name || setting.alias == Some(name))
            .ok_or_else(|| Refused::Unknown(name.to_owned()))?;
        (setting.write)(self, value.trim()).ok_or_else(|| Refused::Form {
            name: setting.name,
            form: setting.form,
            value: value.to_owned(),
        })
    }

    /// Every setting's name with its text.
    pub fn texts(&self) -> impl Iterator<Item = (&'static str, String)> {
        TABLE
            .iter()
            .map(|setting| (setting.name, (setting.read)(self)))
    }
}

/// Why a setting was not set.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// There is none of that name.
    #[error("there is no setting `{0}`")]
    Unknown(String),
    /// The text is not of the setting's form.
    #[error("{name} takes {form}, not `{value}`")]
    Form {
        /// The setting.
        name: &'static str,
        /// What it takes.
        form: &'static str,
        /// What it was given.
        value: String,
    },
}

/// One row of the table of settings.
pub struct Setting {
    /// The published name, or ours where none is published.
    pub name: &'static str,
    /// Another published spelling of the name.
    pub alias: Option<&'static str>,
    /// What it decides.
    pub meaning: &'static str,
    /// What it takes.
    pub form: &'static str,
    read: fn(&Settings) -> String,
    write: fn(&mut Settings, &str) -> Option<()>,
}

const FLAG: &str = "0 or 1";
const KIND: &str = "MOBILE, EMAIL or EXTERNAL_ID";

macro_rules! flag {
    ($name:literal, $alias:expr, $member:ident, $meaning:literal) => {
        Setting {
            name: $name,
            alias: $alias,
            meaning: $meaning,
            form: FLAG,
            read: |settings| u8::from(settings.$member).to_string(),
            write: |settings, text| {
                settings.$member = match text {
                    "0" => false,
                    "1" => true,
                    _ => return None,
                };
                Some(())
            },
        }
    };
}

/// Every setting.
pub const TABLE: &[Setting] = &[
    Setting {
        name: "CONF_REGISTRATION_PRIMARY_KEY",
        alias: None,
        meaning: "the identifier that says who a customer is",
        form: KIND,
        read: |settings| match settings.primary_key {
            IdentifierKind::Mobile => "MOBILE".to_owned(),
            IdentifierKind::Email => "EMAIL".to_owned(),
            IdentifierKind::ExternalId => "EXTERNAL_ID".to_owned(),
        },
        write: |settings, text| {
            settings.primary_key = match text.to_ascii_uppercase().as_str() {
                "MOBILE" => IdentifierKind::Mobile,
                "EMAIL" => IdentifierKind::Email,
                "EXTERNAL_ID" => IdentifierKind::ExternalId,
                _ => return None,
            };
            Some(())
        },
    },
    flag!(
        "CONF_ALLOW_REGISTRATION_FROM_ANY_IDENTIFIERS",
        None,
        any_identifier,
        "a registration may come without the primary identifier"
    ),
    flag!(
        "CONF_ALLOW_MOBILE_UPDATE",
        None,
        allow_mobile_update,
        "a registered mobile number that is not the primary identifier may be replaced"
    ),
    flag!(
        "CONF_ALLOW_EMAIL_UPDATE",
        None,
        allow_email_update,
        "a registered email address that is not the primary identifier may be replaced"
    ),
    flag!(
        "CONF_LOYALTY_ALLOW_EXTERNAL_ID_UPDATE",
        None,
        allow_external_id_update,
        "a registered external id that is not the primary identifier may be replaced"
    ),
    flag!(
        "CONF_PRIMARY_IDENTIFIER_STRICT_CHECK",
        None,
        strict_check,
        "a registration fails whose secondary identifier belongs to another customer"
    ),
    flag!(
        "CONFIG_SKIP_SECONDARY_ID_ON_PRIMARY_MISMATCH",
        Some("CONF_SKIP_SECONDARY_ID_ON_PRIMARY_MISMATCH"),
        skip_secondary,
        "a secondary identifier that belongs to another customer is ignored; outranks the strict check"
    ),
    Setting {
        name: "COUNTRY",
        alias: None,
        meaning: "the organisation's own country, by which mobile numbers are completed",
        form: "an ISO 3166-1 code of two capital letters, or nothing",
        read: |settings| {
            settings
                .mobile
                .base
                .map(|country| country.to_string())
                .unwrap_or_default()
        },
        write: |settings, text| {
            settings.mobile.base = optional(text, |text| text.parse::<Country>().ok())?;
            Some(())
        },
    },
    Setting {
        name: "SUPPORTED_COUNTRIES",
        alias: None,
        meaning: "further countries of mobile numbers, tried in this order",
        form: "ISO 3166-1 codes of two capital letters, separated by commas, or nothing",
        read: |settings| {
            let codes: Vec<String> = settings
                .mobile
                .supported
                .iter()
                .map(ToString::to_string)
                .collect();
            codes.join(",")
        },
        write: |settings, text| {
            let codes = text
                .split(',')
                .map(str::trim)
                .filter(|code| !code.is_empty());
            settings.mobile.supported =
                codes.map(|code| code.parse().ok()).collect::<Option<_>>()?;
            Some(())
        },
    },
    Setting {
        name: "MOBILE_VALIDATION",
        alias: None,
        meaning: "the rules for mobile numbers: those of the countries, those and then the generic one, or the generic one alone",
        form: "COUNTRY, COUNTRY_THEN_GENERIC or GENERIC",
        read: |settings| match settings.mobile.validation {
            mobile::Validation::Country => "COUNTRY".to_owned(),
            mobile::Validation::CountryThenGeneric => "COUNTRY_THEN_GENERIC".to_owned(),
            mobile::Validation::Generic => "GENERIC".to_owned(),
        },
        write: |settings, text| {
            settings.mobile.validation = match text.to_ascii_uppercase().as_str() {
                "COUNTRY" => mobile::Validation::Country,
                "COUNTRY_THEN_GENERIC" => mobile::Validation::CountryThenGeneric,
                "GENERIC" => mobile::Validation::Generic,
                _ => return None,
            };
            Some(())
        },
    },
    Setting {
        name: "EXTERNAL_ID_PREFIX",
        alias: None,
        meaning: "what every external id starts with",
        form: "text, or nothing",
        read: |settings| settings.external_id.prefix.clone().unwrap_or_default(),
        write: |settings, text| {
            settings.external_id.prefix = optional(text, |text| Some(text.to_owned()))?;
            Some(())
        },
    },
    Setting {
        name: "EXTERNAL_ID_LENGTH",
        alias: None,
        meaning: "how many characters every external id has, its prefix included",
        form: "a number from 1 to 250, or nothing",
        read: |settings| {
            settings
                .external_id
                .length
                .map(|length| length.to_string())
                .unwrap_or_default()
        },
        write: |settings, text| {
            settings.external_id.length =
                optional(text, |text| number(text, external_id::LENGTH_LIMIT))?;
            Some(())
        },
    },
    Setting {
        name: "BATCH_LIMIT",
        alias: None,
        meaning: "the most customers in one call",
        form: "a number from 1 to 1000",
        read: |settings| settings.batch_limit.to_string(),
        write: |settings, text| {
            settings.batch_limit = number(text, 1_000)?;
            Some(())
        },
    },
];

/// Nothing for no text, else what the text says.
#[expect(
    clippy::option_option,
    reason = "the outer one is the refusal, the inner one the value"
)]
fn optional<T>(text: &str, read: impl FnOnce(&str) -> Option<T>) -> Option<Option<T>> {
    if text.is_empty() {
        Some(None)
    } else {
        read(text).map(Some)
    }
}

fn number(text: &str, most: usize) -> Option<usize> {
    text.parse()
        .ok()
        .filter(|number| (1..=most).contains(number))
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case("CONF_REGISTRATION_PRIMARY_KEY", &["MOBILE", "EMAIL", "EXTERNAL_ID"], &["", "PHONE"])]
    #[case("CONF_ALLOW_REGISTRATION_FROM_ANY_IDENTIFIERS", &["0", "1"], &["", "true", "2"])]
    #[case("CONF_ALLOW_MOBILE_UPDATE", &["0", "1"], &["yes"])]
    #[case("CONF_ALLOW_EMAIL_UPDATE", &["0", "1"], &["yes"])]
    #[case("CONF_LOYALTY_ALLOW_EXTERNAL_ID_UPDATE", &["0", "1"], &["yes"])]
    #[case("CONF_PRIMARY_IDENTIFIER_STRICT_CHECK", &["0", "1"], &["yes"])]
    #[case("CONFIG_SKIP_SECONDARY_ID_ON_PRIMARY_MISMATCH", &["0", "1"], &["yes"])]
    #[case("COUNTRY", &["IN", "", "DE"], &["India", "91"])]
    #[case("SUPPORTED_COUNTRIES", &["", "DE", "DE,SG"], &["DE;SG", "XX"])]
    #[case("MOBILE_VALIDATION", &["COUNTRY", "COUNTRY_THEN_GENERIC", "GENERIC"], &["", "OFF"])]
    #[case("EXTERNAL_ID_PREFIX", &["", "PA"], &[])]
    #[case("EXTERNAL_ID_LENGTH", &["", "1", "250"], &["0", "251", "x"])]
    #[case("BATCH_LIMIT", &["1", "100", "1000"], &["", "0", "1001", "-1"])]
    fn every_setting_takes_its_form_and_nothing_else(
        #[case] name: &str,
        #[case] taken: &[&str],
        #[case] refused: &[&str],
    ) {
        let mut settings = Settings::default();
        for text in taken {
            assert_eq!(settings.set(name, text), Ok(()), "{name} = {text}");
            let read = settings
                .texts()
                .find(|(known, _)| *known == name)
                .unwrap()
                .1;
            assert_eq!(&read, text, "{name}");
        }
        for text in refused {
            let before = settings.clone();
            assert!(settings.set(name, text).is_err(), "{name} = {text}");
            assert_eq!(settings, before);
        }
    }

    #[test]
    fn every_row_of_the_table_has_a_case_above() {
        assert_eq!(TABLE.len(), 13);
    }

    #[test]
    fn both_published_spellings_are_one_setting() {
        let mut settings = Settings::default();
        settings
            .set("CONF_SKIP_SECONDARY_ID_ON_PRIMARY_MISMATCH", "1")
            .unwrap();
        assert!(settings.skip_secondary);
    }

    #[test]
    fn a_refusal_says_what_is_taken() {
        let refused = Settings::default()
            .set("CONF_ALLOW_EMAIL_UPDATE", "yes")
            .unwrap_err();
        assert_eq!(
            refused.to_string(),
            "CONF_ALLOW_EMAIL_UPDATE takes 0 or 1, not `yes`"
        );
        let refused = Settings::default().set("CONF_X", "1").unwrap_err();
        assert_eq!(refused.to_string(), "there is no setting `CONF_X`");
    }
}
