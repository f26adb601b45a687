//! The registration configuration: each setting under its published name.
//!
//! [`TABLE`] is the one place that knows a setting's name, meaning, form and default. Replies give
//! every value as text; booleans are `0` and `1`, as the API's own listing of configurations gives
//! them. Numbers, `true` and `false` are read as well ([`Value`]).

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use jiff::civil::{DateTime, date};
use serde::{Deserialize, Serialize};

use crate::identifier::generated::{SourceAccount, When};
use crate::identifier::{Country, IdentifierKind, external_id, generated, mobile};
use crate::number::{self, Algorithm, COUNT_LIMIT, ChecksumOver, Fault, LENGTH_LIMIT};
use crate::profile::moment;
use crate::text;

/// The most customers in one call that an organisation may allow.
pub const BATCH_LIMIT_MOST: usize = 1_000;
/// The largest whole number up to which floats are exact: 2^53.
const EXACT_FLOAT_MOST: f64 = 9_007_199_254_740_992.0;
/// How many fields of a kind may have an audit trail unless said otherwise.
const AUDITED: usize = 5;

/// What an organisation has configured for registration.
///
/// Written as the names of all settings with their texts; read from the names and values of any of
/// them. The others have their default.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "BTreeMap<String, Value>", into = "BTreeMap<String, String>")]
#[expect(clippy::struct_excessive_bools, reason = "each is a published setting of its own")]
pub struct Settings {
    /// The identifier that says who a customer is.
    pub primary_key: IdentifierKind,
    /// Whether every registration must come with the primary identifier.
    pub primary_key_required: bool,
    /// Whether a new customer may come without the primary identifier.
    pub any_identifier: bool,
    /// Whether a new customer must have a mobile number.
    pub mobile_required: bool,
    /// Whether a new customer must have an email address.
    pub email_required: bool,
    /// Whether a new customer must have an external id.
    pub external_id_required: bool,
    /// Whether an email address belongs to one customer, who is found by it.
    pub email_unique: bool,
    /// Whether customers have external ids.
    pub use_external_id: bool,
    /// How mobile numbers are validated.
    pub mobile: mobile::Rules,
    /// The form of external ids.
    pub external_id: external_id::Rules,
    /// For whom external ids are made, and how.
    pub generated_id: generated::Rules,
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
    /// Whether customers are merged whose identifiers come together.
    pub merge: bool,
    /// Whether look-ups return summaries of points only to a request for several programmes.
    pub points_summaries_need_mlp: bool,
    /// What becomes of a registration whose customer is known.
    pub known_customer: KnownCustomer,
    /// What an invalid identifier does that is neither the primary nor the only one.
    pub invalid_secondary: InvalidSecondary,
    /// How a registration is handled that is older than the customer's last update.
    pub older_update: OlderUpdate,
    /// The earliest registration date-time, local to the organisation.
    pub earliest_registration: Option<DateTime>,
    /// How many days a registration date may lie in the future.
    pub future_registration_days: u16,
    /// Whether unknown members, unknown fraud statuses and optional members of a wrong form are
    /// refused.
    pub strict_extras: bool,
    /// Whether a warning names unknown members and unknown fraud statuses.
    pub warn_extras: bool,
    /// The most customers in one call.
    pub batch_limit: usize,
    /// For how many seconds a request that is sent again is taken for a repeat; 0 is never.
    pub repeat_window_seconds: u16,
    /// Whether the audit tells of custom fields that have an audit trail.
    pub audit_custom_fields: bool,
    /// The most custom fields that have an audit trail.
    pub audited_custom_fields: usize,
    /// The most extended fields that have an audit trail.
    pub audited_extended_fields: usize,
    /// The most cards of one customer.
    pub card_limit: usize,
}

/// What becomes of a registration whose customer is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KnownCustomer {
    /// The customer is updated.
    Update,
    /// The registration is refused (1014).
    Refuse,
}

/// What an invalid identifier does that is neither the primary nor the only one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum InvalidSecondary {
    /// It fails the registration.
    Fail,
    /// It is dropped with a warning.
    Drop,
}

/// How a registration is handled whose `updated_on` is before the customer's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OlderUpdate {
    /// Its details are ignored, with a warning.
    Ignore,
    /// Its details replace those of the customer.
    Apply,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            primary_key: IdentifierKind::Mobile,
            primary_key_required: false,
            any_identifier: true,
            mobile_required: false,
            email_required: false,
            external_id_required: false,
            email_unique: true,
            use_external_id: true,
            mobile: mobile::Rules::default(),
            external_id: external_id::Rules::default(),
            generated_id: generated::Rules::default(),
            allow_mobile_update: false,
            allow_email_update: false,
            allow_external_id_update: false,
            strict_check: false,
            skip_secondary: false,
            merge: false,
            points_summaries_need_mlp: false,
            known_customer: KnownCustomer::Update,
            invalid_secondary: InvalidSecondary::Fail,
            older_update: OlderUpdate::Ignore,
            earliest_registration: Some(date(1900, 1, 1).at(0, 0, 0, 0)),
            future_registration_days: 1,
            strict_extras: false,
            warn_extras: true,
            batch_limit: 100,
            repeat_window_seconds: 0,
            audit_custom_fields: true,
            audited_custom_fields: AUDITED,
            audited_extended_fields: AUDITED,
            card_limit: 10,
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

    /// The name of the setting that says whether a registered identifier of this kind may be replaced.
    #[must_use]
    pub const fn name_of_update(kind: IdentifierKind) -> &'static str {
        match kind {
            IdentifierKind::Mobile => "CONF_ALLOW_MOBILE_UPDATE",
            IdentifierKind::Email => "CONF_ALLOW_EMAIL_UPDATE",
            IdentifierKind::ExternalId => "CONF_LOYALTY_ALLOW_EXTERNAL_ID_UPDATE",
        }
    }

    /// Whether a customer is found by an identifier of this kind, so that it belongs to one alone.
    #[must_use]
    pub const fn identifies(&self, kind: IdentifierKind) -> bool {
        match kind {
            IdentifierKind::Mobile => true,
            IdentifierKind::Email => self.email_unique,
            IdentifierKind::ExternalId => self.use_external_id,
        }
    }

    /// Whether a new customer must have an identifier of this kind, whatever the primary one is.
    #[must_use]
    pub const fn requires(&self, kind: IdentifierKind) -> bool {
        match kind {
            IdentifierKind::Mobile => self.mobile_required,
            IdentifierKind::Email => self.email_required,
            IdentifierKind::ExternalId => self.external_id_required,
        }
    }

    /// The name of the setting that says whether a new customer must have an identifier of this kind.
    #[must_use]
    pub const fn name_of_requirement(kind: IdentifierKind) -> &'static str {
        match kind {
            IdentifierKind::Mobile => "CONF_USERS_IS_MOBILE_REQUIRED",
            IdentifierKind::Email => "CONF_USERS_IS_EMAIL_REQUIRED",
            IdentifierKind::ExternalId => "CONF_USERS_IS_EXTERNAL_ID_REQUIRED",
        }
    }

    /// These settings with some of them set from their texts: all of them, or none.
    ///
    /// # Errors
    /// [`Refused`] when there is no such setting, a text is not of its form, or what would come of
    /// it contradicts itself.
    pub fn with<'a>(
        &self,
        changes: impl IntoIterator<Item = (&'a str, &'a str)>,
    ) -> Result<Self, Refused> {
        let changes = changes.into_iter();
        self.with_values(changes.map(|(name, text)| (name, Some(Value::Text(text.to_owned())))))
    }

    /// These settings with the members of a document changed, as [`Self::with`]; `None` is the
    /// default.
    ///
    /// # Errors
    /// As [`Self::with`], and a setting that is given by both of its names.
    pub fn with_members(&self, members: &BTreeMap<String, Option<Value>>) -> Result<Self, Refused> {
        let mut names = BTreeMap::new();
        for name in members.keys() {
            if let Some(other) = names.insert(setting(name)?.name, name) {
                return Err(Refused::Twice { name: name.clone(), other: other.clone() });
            }
        }
        self.with_values(members.iter().map(|(name, value)| (name.as_str(), value.clone())))
    }

    fn with_values<'a>(
        &self,
        changes: impl IntoIterator<Item = (&'a str, Option<Value>)>,
    ) -> Result<Self, Refused> {
        let mut settings = self.clone();
        for (name, value) in changes {
            let setting = setting(name)?;
            let value = value.unwrap_or_else(|| Value::Text((setting.read)(&Self::default())));
            settings.set(setting, &value)?;
        }
        match CONTRADICTIONS.iter().find(|contradiction| (contradiction.holds)(&settings)) {
            Some(contradiction) => Err(Refused::Contradiction(contradiction.reason)),
            None => Ok(settings),
        }
    }

    fn set(&mut self, setting: &Setting, value: &Value) -> Result<(), Refused> {
        let text = value.text_for(setting);
        let text = text.as_deref().map(text::canonical);
        text.and_then(|text| (setting.write)(self, text.trim())).ok_or_else(|| Refused::Form {
            name: setting.name,
            form: setting.form,
            value: value.to_string(),
            advice: advice(setting.name, &value.to_string()),
        })
    }

    /// The names of the settings that a document which replaces these resets to their default
    /// without naming them.
    #[must_use]
    pub fn reset_by<'a>(&self, named: impl IntoIterator<Item = &'a str>) -> Vec<&'static str> {
        let named: BTreeSet<&str> =
            named.into_iter().filter_map(|name| Some(setting(name).ok()?.name)).collect();
        let defaults = Self::default();
        let is_reset = |setting: &&Setting| {
            !named.contains(setting.name) && (setting.read)(self) != (setting.read)(&defaults)
        };
        TABLE.iter().filter(is_reset).map(|setting| setting.name).collect()
    }

    /// The text of the setting of this name.
    #[must_use]
    pub fn text(&self, name: &str) -> Option<String> {
        TABLE.iter().find(|setting| setting.name == name).map(|setting| (setting.read)(self))
    }

    /// Every setting's name with its text.
    pub fn texts(&self) -> impl Iterator<Item = (&'static str, String)> {
        TABLE.iter().map(|setting| (setting.name, (setting.read)(self)))
    }
}

impl TryFrom<BTreeMap<String, Value>> for Settings {
    type Error = Refused;

    fn try_from(values: BTreeMap<String, Value>) -> Result<Self, Refused> {
        let values = values.into_iter().map(|(name, value)| (name, Some(value))).collect();
        Self::default().with_members(&values)
    }
}

impl From<Settings> for BTreeMap<String, String> {
    fn from(settings: Settings) -> Self {
        settings.texts().map(|(name, text)| (name.to_owned(), text)).collect()
    }
}

/// A setting's value as JSON and TOML give it.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(untagged, expecting = "a text, a number, true or false")]
pub enum Value {
    /// True or false, for settings that take 0 or 1.
    Flag(bool),
    /// A whole number.
    Whole(i64),
    /// A number that may be written as a whole one, such as `10.0`.
    Float(f64),
    /// A text.
    Text(String),
}

impl Value {
    /// The text that a setting is set from; `None` where it does not take such a value.
    fn text_for(&self, setting: &Setting) -> Option<String> {
        match self {
            Self::Flag(flag) => setting.is_flag().then(|| u8::from(*flag).to_string()),
            Self::Whole(number) => Some(number.to_string()),
            Self::Float(number) => (number.fract() == 0.0 && number.abs() <= EXACT_FLOAT_MOST)
                .then(|| format!("{number:.0}")),
            Self::Text(text) => Some(text.clone()),
        }
    }
}

impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Flag(flag) => flag.fmt(f),
            Self::Whole(number) => number.fmt(f),
            Self::Float(number) => number.fmt(f),
            Self::Text(text) => f.write_str(text),
        }
    }
}

/// The setting of this name, in either of its published spellings.
fn setting(name: &str) -> Result<&'static Setting, Refused> {
    let is_it = |setting: &&Setting| setting.name == name || setting.alias == Some(name);
    TABLE.iter().find(is_it).ok_or_else(|| Refused::Unknown(name.to_owned()))
}

/// Settings that cannot stand beside each other.
pub struct Contradiction {
    /// Why not, naming them.
    pub reason: &'static str,
    holds: fn(&Settings) -> bool,
}

/// Every contradiction.
pub const CONTRADICTIONS: &[Contradiction] = &[
    Contradiction {
        reason: "CONF_REGISTRATION_PRIMARY_KEY is EMAIL, so CONF_USERS_IS_EMAIL_UNIQUE must be 1: customers are found by their email address",
        holds: |settings| settings.primary_key == IdentifierKind::Email && !settings.email_unique,
    },
    Contradiction {
        reason: "CONF_REGISTRATION_PRIMARY_KEY is EXTERNAL_ID, so CONF_USERS_USE_EXTERNAL_ID must be 1: customers are found by their external id",
        holds: |settings| {
            settings.primary_key == IdentifierKind::ExternalId && !settings.use_external_id
        },
    },
    Contradiction {
        reason: "CONF_USERS_IS_EXTERNAL_ID_REQUIRED is 1, so CONF_USERS_USE_EXTERNAL_ID must be 1",
        holds: |settings| settings.external_id_required && !settings.use_external_id,
    },
    Contradiction {
        reason: "CONF_REGISTRATION_PRIMARY_KEY_REQUIRED and CONF_ALLOW_REGISTRATION_FROM_ANY_IDENTIFIERS cannot both be 1: the first requires the primary identifier, the second waives it",
        holds: |settings| settings.primary_key_required && settings.any_identifier,
    },
    Contradiction {
        reason: "MERGE_ON_CONFLICT and CONFIG_SKIP_SECONDARY_ID_ON_PRIMARY_MISMATCH cannot both be 1: a conflict either merges customers or skips the identifier",
        holds: |settings| settings.merge && settings.skip_secondary,
    },
    Contradiction {
        reason: "MERGE_ON_CONFLICT and CONF_PRIMARY_IDENTIFIER_STRICT_CHECK cannot both be 1: a conflict either merges customers or fails",
        holds: |settings| settings.merge && settings.strict_check,
    },
    Contradiction {
        reason: "MERGE_ON_CONFLICT cannot be 1 if KNOWN_CUSTOMER is REFUSE: known customers are rejected before they can be merged",
        holds: |settings| settings.merge && settings.known_customer == KnownCustomer::Refuse,
    },
    Contradiction {
        reason: "SUPPORTED_COUNTRIES needs COUNTRY: it lists further countries",
        holds: |settings| settings.mobile.base.is_none() && !settings.mobile.supported.is_empty(),
    },
    Contradiction {
        reason: "EXTERNAL_ID_PREFIX must be shorter than EXTERNAL_ID_LENGTH: otherwise all external ids are the same",
        holds: |settings| {
            let prefix =
                settings.external_id.prefix.as_deref().map(|prefix| prefix.chars().count());
            prefix.zip(settings.external_id.length).is_some_and(|(prefix, length)| prefix >= length)
        },
    },
    Contradiction {
        reason: "CONF_GEN_CARD_NUMBER_AS_EXTERNAL_ID_ENABLED is 1, so CONF_CARD_NUMBER_GENERATION_ENABLED must be 1",
        holds: |settings| settings.generated_id.every_source && !settings.generated_id.enabled,
    },
    Contradiction {
        reason: "CONF_CARD_NUMBER_GENERATION_ENABLED is 1, so CONF_USERS_USE_EXTERNAL_ID must be 1",
        holds: |settings| settings.generated_id.enabled && !settings.use_external_id,
    },
    Contradiction {
        reason: "CONF_REGISTRATION_PRIMARY_KEY is EXTERNAL_ID, so GENERATED_EXTERNAL_ID cannot be ALWAYS: customers could not be found by the external id that they were registered with",
        holds: |settings| {
            settings.primary_key == IdentifierKind::ExternalId
                && settings.generated_id.when == When::Always
        },
    },
    Contradiction {
        reason: "CONF_CARD_NUMBER_SUFFIX is for CONF_CARD_CHECKSUM_DIGIT_ALGO = AUTO_INC alone",
        holds: |settings| settings.generated_id.form.check() == Err(Fault::Suffix),
    },
    Contradiction {
        reason: "CONF_VALUES_TO_INCLUDE_FOR_CHECKSUM_DIGIT is PREFIX, so CONF_CARD_NUMBER_PREFIX must be digits alone: CONF_CARD_CHECKSUM_DIGIT_ALGO counts with it",
        holds: |settings| settings.generated_id.form.check() == Err(Fault::ChecksumOverPrefix),
    },
    Contradiction {
        reason: "CONF_CARD_NUMBER_LENGTH leaves no place for digits beside CONF_CARD_NUMBER_PREFIX, CONF_CARD_NUMBER_SUFFIX and the digit of CONF_CARD_CHECKSUM_DIGIT_ALGO",
        holds: |settings| settings.generated_id.form.check() == Err(Fault::NoPlace),
    },
    Contradiction {
        reason: "CONF_CARD_NUMBER_OFFSET has more digits than CONF_CARD_NUMBER_LENGTH leaves places",
        holds: |settings| settings.generated_id.form.check() == Err(Fault::Offset),
    },
    Contradiction {
        reason: "CONF_CARD_NUMBER_GENERATION_ENABLED is 1, so CONF_CARD_NUMBER_PREFIX and CONF_CARD_NUMBER_LENGTH must be what EXTERNAL_ID_PREFIX and EXTERNAL_ID_LENGTH ask for",
        holds: |settings| {
            let (form, asked) = (&settings.generated_id.form, &settings.external_id);
            let fits = asked.prefix.as_ref().is_none_or(|prefix| form.prefix.starts_with(prefix))
                && asked.length.is_none_or(|length| form.length == length);
            settings.generated_id.enabled && !fits
        },
    },
];

/// Why a setting was not set.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// There is none of that name.
    #[error("there is no setting `{0}`")]
    Unknown(String),
    /// The text is not of the setting's form.
    #[error("{name} takes {form}, not `{value}`{advice}")]
    Form {
        /// The setting.
        name: &'static str,
        /// What it takes.
        form: &'static str,
        /// What it was given.
        value: String,
        /// What to use instead, behind a colon; empty where nothing is likely to be meant.
        advice: String,
    },
    /// Both of its names are given.
    #[error("{name} and {other} are two names of one setting; give one of them")]
    Twice {
        /// One name.
        name: String,
        /// The other name.
        other: String,
    },
    /// It contradicts another setting.
    #[error("{0}")]
    Contradiction(&'static str),
}

/// The codes of the countries that are probably meant.
fn advice(name: &str, value: &str) -> String {
    if !matches!(name, "COUNTRY" | "SUPPORTED_COUNTRIES") {
        return String::new();
    }
    let wrong = value.split(',').map(str::trim).filter(|code| code.parse::<Country>().is_err());
    let codes: Vec<_> = wrong
        .filter_map(|code| Some(format!("use {} instead of {code}", Country::suggested(code)?)))
        .collect();
    if codes.is_empty() { String::new() } else { format!(": {}", codes.join(", ")) }
}

/// One row of the table of settings.
#[derive(Clone, Copy)]
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

impl Setting {
    /// Whether it is a boolean.
    #[must_use]
    pub fn is_flag(&self) -> bool {
        self.form == FLAG
    }
}

macro_rules! flag {
    ($name:literal, $alias:expr, $($member:ident).+, $meaning:literal) => {
        Setting {
            name: $name,
            alias: $alias,
            meaning: $meaning,
            form: FLAG,
            read: |settings| u8::from(settings.$($member).+).to_string(),
            write: |settings, text| {
                settings.$($member).+ = match text.to_ascii_lowercase().as_str() {
                    "0" | "false" => false,
                    "1" | "true" => true,
                    _ => return None,
                };
                Some(())
            },
        }
    };
}

macro_rules! choice {
    ($name:literal, $($member:ident).+, $meaning:literal, $form:literal, $($text:literal => $value:path),*) => {
        Setting {
            name: $name,
            alias: None,
            meaning: $meaning,
            form: $form,
            read: |settings| match settings.$($member).+ {
                $($value => $text.to_owned(),)*
            },
            write: |settings, text| {
                settings.$($member).+ = match text.to_ascii_uppercase().as_str() {
                    $($text => $value,)*
                    _ => return None,
                };
                Some(())
            },
        }
    };
}

macro_rules! affix {
    ($name:literal, $member:ident, $meaning:literal) => {
        Setting {
            name: $name,
            alias: None,
            meaning: $meaning,
            form: "letters a-z A-Z, digits, - and _, at most 49 of them, or nothing",
            read: |settings| settings.generated_id.form.$member.clone(),
            write: |settings, text| {
                let fits = text.len() < LENGTH_LIMIT && number::is_affix(text);
                settings.generated_id.form.$member = fits.then(|| text.to_owned())?;
                Some(())
            },
        }
    };
}

/// Every setting.
pub const TABLE: &[Setting] = &[
    choice!(
        "CONF_REGISTRATION_PRIMARY_KEY", primary_key,
        "the identifier that says who a customer is",
        "MOBILE, EMAIL or EXTERNAL_ID",
        "MOBILE" => IdentifierKind::Mobile,
        "EMAIL" => IdentifierKind::Email,
        "EXTERNAL_ID" => IdentifierKind::ExternalId
    ),
    flag!(
        "CONF_ALLOW_REGISTRATION_FROM_ANY_IDENTIFIERS",
        None,
        any_identifier,
        "a new customer may come without the primary identifier"
    ),
    flag!(
        "CONF_REGISTRATION_PRIMARY_KEY_REQUIRED",
        None,
        primary_key_required,
        "every registration must come with the primary identifier"
    ),
    flag!(
        "CONF_USERS_IS_MOBILE_REQUIRED",
        None,
        mobile_required,
        "a new customer must have a mobile number"
    ),
    flag!(
        "CONF_USERS_IS_EMAIL_REQUIRED",
        None,
        email_required,
        "a new customer must have an email address"
    ),
    flag!(
        "CONF_USERS_IS_EXTERNAL_ID_REQUIRED",
        None,
        external_id_required,
        "a new customer must have an external id"
    ),
    flag!(
        "CONF_USERS_IS_EMAIL_UNIQUE",
        None,
        email_unique,
        "an email address belongs to one customer, who is found by it"
    ),
    flag!(
        "CONF_USERS_USE_EXTERNAL_ID",
        None,
        use_external_id,
        "customers have external ids; otherwise one that is passed is refused (1008)"
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
            settings.mobile.base.map(|country| country.to_string()).unwrap_or_default()
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
            let codes: Vec<String> =
                settings.mobile.supported.iter().map(ToString::to_string).collect();
            codes.join(",")
        },
        write: |settings, text| {
            let codes = text.split(',').map(str::trim).filter(|code| !code.is_empty());
            settings.mobile.supported =
                codes.map(|code| code.parse().ok()).collect::<Option<_>>()?;
            Some(())
        },
    },
    Setting {
        name: "MOBILE_VALIDATION",
        alias: None,
        meaning: "which mobile numbers are accepted: by the rules of the countries; by those and then the generic one; by the generic one alone; or by the length alone. It never changes how a number is completed",
        form: "COUNTRY, COUNTRY_THEN_GENERIC, GENERIC or OFF",
        read: |settings| match settings.mobile.validation {
            mobile::Validation::Country => "COUNTRY".to_owned(),
            mobile::Validation::CountryThenGeneric => "COUNTRY_THEN_GENERIC".to_owned(),
            mobile::Validation::Generic => "GENERIC".to_owned(),
            mobile::Validation::Off => "OFF".to_owned(),
        },
        write: |settings, text| {
            settings.mobile.validation = match text.to_ascii_uppercase().as_str() {
                "COUNTRY" => mobile::Validation::Country,
                "COUNTRY_THEN_GENERIC" => mobile::Validation::CountryThenGeneric,
                "GENERIC" => mobile::Validation::Generic,
                "OFF" => mobile::Validation::Off,
                _ => return None,
            };
            Some(())
        },
    },
    Setting {
        name: "EXTERNAL_ID_PREFIX",
        alias: None,
        meaning: "what every external id starts with",
        form: "at most 100 characters, or nothing",
        read: |settings| settings.external_id.prefix.clone().unwrap_or_default(),
        write: |settings, text| {
            settings.external_id.prefix =
                optional(text, |text| (text.chars().count() <= 100).then(|| text.to_owned()))?;
            Some(())
        },
    },
    Setting {
        name: "EXTERNAL_ID_LENGTH",
        alias: None,
        meaning: "how many characters every external id has, its prefix included",
        form: "a number from 1 to 250, or nothing",
        read: |settings| {
            settings.external_id.length.map(|length| length.to_string()).unwrap_or_default()
        },
        write: |settings, text| {
            settings.external_id.length =
                optional(text, |text| number_to(text, external_id::LENGTH_LIMIT))?;
            Some(())
        },
    },
    flag!(
        "CONF_CARD_NUMBER_GENERATION_ENABLED",
        None,
        generated_id.enabled,
        "external ids are made for customers who come without one, for the sources that the next two name"
    ),
    flag!(
        "CONF_GEN_CARD_NUMBER_AS_EXTERNAL_ID_ENABLED",
        None,
        generated_id.every_source,
        "external ids are made whatever the source"
    ),
    Setting {
        name: "SOURCE_ACCOUNTS_EXTERNALID_ENABLED",
        alias: None,
        meaning: "the sources for which external ids are made, each with one of its accounts, or with none for all of them",
        form: "a JSON array such as [\"INSTORE:\",\"WEB_ENGAGE:1234\"], or nothing",
        read: |settings| {
            let pairs: Vec<String> =
                settings.generated_id.sources.iter().map(SourceAccount::text).collect();
            // A list of texts can always be written.
            if pairs.is_empty() {
                String::new()
            } else {
                serde_json::to_string(&pairs).unwrap_or_default()
            }
        },
        write: |settings, text| {
            let pairs: Option<Vec<String>> =
                optional(text, |text| serde_json::from_str(text).ok())?;
            let pairs = pairs.unwrap_or_default();
            settings.generated_id.sources =
                pairs.iter().map(|pair| SourceAccount::parse(pair)).collect::<Option<_>>()?;
            Some(())
        },
    },
    choice!(
        "GENERATED_EXTERNAL_ID", generated_id.when,
        "where external ids are made: only for customers who come without one, or always, so that one that is passed for a new customer is replaced",
        "WHEN_MISSING or ALWAYS", "WHEN_MISSING" => When::Missing, "ALWAYS" => When::Always
    ),
    choice!(
        "CONF_CARD_CHECKSUM_DIGIT_ALGO", generated_id.form.algorithm,
        "how made external ids come about: counted or by chance, with a digit by MOD10, the remainder by 7, or none",
        "LUHN_ALGO, MOD7_ALGO, AUTO_INC, RANDOM, RANDOM_LUHN or RANDOM_MOD7",
        "LUHN_ALGO" => Algorithm::Luhn,
        "MOD7_ALGO" => Algorithm::Mod7,
        "AUTO_INC" => Algorithm::AutoInc,
        "RANDOM" => Algorithm::Random,
        "RANDOM_LUHN" => Algorithm::RandomLuhn,
        "RANDOM_MOD7" => Algorithm::RandomMod7
    ),
    choice!(
        "CONF_VALUES_TO_INCLUDE_FOR_CHECKSUM_DIGIT", generated_id.form.checksum_over,
        "what the digit of CONF_CARD_CHECKSUM_DIGIT_ALGO counts with besides the digits before it",
        "PREFIX or NONE", "PREFIX" => ChecksumOver::Prefix, "NONE" => ChecksumOver::None
    ),
    Setting {
        name: "CONF_CARD_NUMBER_LENGTH",
        alias: None,
        meaning: "how many characters a made external id has, prefix, suffix and checksum digit included",
        form: "a number from 1 to 50",
        read: |settings| settings.generated_id.form.length.to_string(),
        write: |settings, text| {
            settings.generated_id.form.length = number_to(text, LENGTH_LIMIT)?;
            Some(())
        },
    },
    affix!("CONF_CARD_NUMBER_PREFIX", prefix, "what every made external id starts with"),
    affix!(
        "CONF_CARD_NUMBER_SUFFIX",
        suffix,
        "what every made external id ends with, where it is counted by AUTO_INC"
    ),
    Setting {
        name: "CONF_CARD_NUMBER_OFFSET",
        alias: None,
        meaning: "the number from which made external ids are counted; raised later it skips, lowered it changes nothing",
        form: "a number from 0 to 999999999999999999",
        read: |settings| settings.generated_id.form.offset.to_string(),
        write: |settings, text| {
            let offset = text.parse().ok().filter(|offset| *offset <= COUNT_LIMIT)?;
            settings.generated_id.form.offset = offset;
            Some(())
        },
    },
    Setting {
        name: "CONF_MAX_CARDS_PER_ORG",
        alias: None,
        meaning: "the most cards of one customer",
        form: "a number from 1 to 100",
        read: |settings| settings.card_limit.to_string(),
        write: |settings, text| {
            settings.card_limit = number_to(text, 100)?;
            Some(())
        },
    },
    flag!(
        "MERGE_ON_CONFLICT",
        None,
        merge,
        "customers whose identifiers come together are merged into one"
    ),
    flag!(
        "POINTS_SUMMARIES_NEED_MLP",
        None,
        points_summaries_need_mlp,
        "customer/get fills points_summaries only with mlp=true"
    ),
    choice!(
        "KNOWN_CUSTOMER", known_customer,
        "a registration whose customer is known updates them, or is refused (1014)",
        "UPDATE or REFUSE", "UPDATE" => KnownCustomer::Update, "REFUSE" => KnownCustomer::Refuse
    ),
    choice!(
        "INVALID_SECONDARY_IDENTIFIER", invalid_secondary,
        "an invalid identifier that is neither the primary nor the only one fails the registration, or is dropped with a warning (91003)",
        "FAIL or DROP", "FAIL" => InvalidSecondary::Fail, "DROP" => InvalidSecondary::Drop
    ),
    choice!(
        "OLDER_UPDATE", older_update,
        "the details of a registration whose `updated_on` is before the customer's are ignored with a warning (91003), or applied; the customer's `updated_on` never goes back",
        "IGNORE or APPLY", "IGNORE" => OlderUpdate::Ignore, "APPLY" => OlderUpdate::Apply
    ),
    Setting {
        name: "CONF_MIN_REGISTRATION_DATE",
        alias: None,
        meaning: "the earliest registration date-time, local to the organisation; an earlier one is refused (1034)",
        form: "YYYY-MM-DD HH:MM:SS, or nothing",
        read: |settings| {
            let text = |earliest: DateTime| earliest.strftime("%Y-%m-%d %H:%M:%S").to_string();
            settings.earliest_registration.map(text).unwrap_or_default()
        },
        write: |settings, text| {
            settings.earliest_registration = optional(text, moment::local)?;
            Some(())
        },
    },
    Setting {
        name: "FUTURE_REGISTRATION_DAYS",
        alias: None,
        meaning: "how many days a registration date may lie in the future; a later one is refused (1034)",
        form: "a number from 0 to 36500",
        read: |settings| settings.future_registration_days.to_string(),
        write: |settings, text| {
            settings.future_registration_days = text.parse().ok().filter(|days| *days <= 36_500)?;
            Some(())
        },
    },
    flag!(
        "STRICT_EXTRAS",
        None,
        strict_extras,
        "unknown members, unknown fraud statuses and optional members of a wrong form are refused"
    ),
    flag!(
        "WARN_EXTRAS",
        None,
        warn_extras,
        "a warning (91003) names unknown members and unknown fraud statuses, where STRICT_EXTRAS does not refuse them"
    ),
    Setting {
        name: "BATCH_LIMIT",
        alias: None,
        meaning: "the most customers in one call",
        form: "a number from 1 to 1000",
        read: |settings| settings.batch_limit.to_string(),
        write: |settings, text| {
            settings.batch_limit = number_to(text, BATCH_LIMIT_MOST)?;
            Some(())
        },
    },
    Setting {
        name: "REPEAT_WINDOW_SECONDS",
        alias: None,
        meaning: "for how many seconds the same registration by the same caller, without an `Idempotency-Key`, is taken for a repeat: it gets the first answer again and changes nothing",
        form: "a number from 0, which is never, to 3600",
        read: |settings| settings.repeat_window_seconds.to_string(),
        write: |settings, text| {
            settings.repeat_window_seconds = text.parse().ok().filter(|window| *window <= 3_600)?;
            Some(())
        },
    },
    flag!(
        "AUDIT_CUSTOM_FIELDS",
        None,
        audit_custom_fields,
        "the audit tells of custom fields that have an audit trail"
    ),
    Setting {
        name: "PRODUCT_CONF_ORG_AUDITABLE_CUSTOM_FIELDS_LIMIT",
        alias: None,
        meaning: "the most custom fields that have an audit trail",
        form: AUDITED_FORM,
        read: |settings| settings.audited_custom_fields.to_string(),
        write: |settings, text| {
            settings.audited_custom_fields = audited(text)?;
            Some(())
        },
    },
    Setting {
        name: "PRODUCT_CONF_ORG_AUDITABLE_EXTENDED_FIELDS_LIMIT",
        alias: None,
        meaning: "the most extended fields that have an audit trail",
        form: AUDITED_FORM,
        read: |settings| settings.audited_extended_fields.to_string(),
        write: |settings, text| {
            settings.audited_extended_fields = audited(text)?;
            Some(())
        },
    },
];

const AUDITED_FORM: &str = "a number from 0 to 100";

fn audited(text: &str) -> Option<usize> {
    text.parse().ok().filter(|count| *count <= 100)
}

/// Nothing for no text, else what the text says.
#[expect(clippy::option_option, reason = "the outer one is the refusal, the inner one the value")]
fn optional<T>(text: &str, read: impl FnOnce(&str) -> Option<T>) -> Option<Option<T>> {
    if text.is_empty() { Some(None) } else { read(text).map(Some) }
}

fn number_to(text: &str, most: usize) -> Option<usize> {
    text.parse().ok().filter(|number| (1..=most).contains(number))
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case("COUNTRY", "UK", ": use GB instead of UK")]
    #[case("COUNTRY", "+49", ": use DE instead of +49")]
    #[case("COUNTRY", "Wakanda", "")]
    #[case("SUPPORTED_COUNTRIES", "DE,UK, EL", ": use GB instead of UK, use GR instead of EL")]
    #[case("KNOWN_CUSTOMER", "UK", "")]
    fn advises_the_code_of_a_misnamed_country(
        #[case] name: &'static str,
        #[case] value: &str,
        #[case] expected: &str,
    ) {
        let refused = Settings::default().with([(name, value)]).unwrap_err().to_string();
        let message = format!("not `{value}`{expected}");
        assert!(refused.ends_with(&message), "{refused}");
    }

    /// Every setting: texts that it takes, and texts that it refuses.
    const FORMS: &[(&str, &[&str], &[&str])] = &[
        ("CONF_REGISTRATION_PRIMARY_KEY", &["MOBILE", "EMAIL", "EXTERNAL_ID"], &["", "PHONE"]),
        ("CONF_ALLOW_REGISTRATION_FROM_ANY_IDENTIFIERS", &["0", "1"], &["", "yes", "2"]),
        ("CONF_REGISTRATION_PRIMARY_KEY_REQUIRED", &["0", "1"], &["yes"]),
        ("CONF_USERS_IS_MOBILE_REQUIRED", &["0", "1"], &["yes"]),
        ("CONF_USERS_IS_EMAIL_REQUIRED", &["0", "1"], &["yes"]),
        ("CONF_USERS_IS_EXTERNAL_ID_REQUIRED", &["0", "1"], &["yes"]),
        ("CONF_USERS_IS_EMAIL_UNIQUE", &["0", "1"], &["yes"]),
        ("CONF_USERS_USE_EXTERNAL_ID", &["0", "1"], &["yes"]),
        ("MERGE_ON_CONFLICT", &["0", "1"], &["yes"]),
        ("POINTS_SUMMARIES_NEED_MLP", &["0", "1"], &["yes"]),
        ("KNOWN_CUSTOMER", &["UPDATE", "REFUSE"], &["", "IGNORE"]),
        ("INVALID_SECONDARY_IDENTIFIER", &["FAIL", "DROP"], &["", "KEEP"]),
        (
            "CONF_MIN_REGISTRATION_DATE",
            &["", "2020-01-01 00:00:00"],
            &["then", "2020-13-01", "2020-01-01 00:00:60", "2020-01-01T00:00:00Z", "0000-01-01"],
        ),
        ("OLDER_UPDATE", &["IGNORE", "APPLY"], &["", "1"]),
        ("WARN_EXTRAS", &["0", "1"], &["yes"]),
        ("FUTURE_REGISTRATION_DAYS", &["0", "1", "36500"], &["", "-1", "36501"]),
        ("STRICT_EXTRAS", &["0", "1"], &["yes"]),
        ("CONF_ALLOW_MOBILE_UPDATE", &["0", "1"], &["yes"]),
        ("CONF_ALLOW_EMAIL_UPDATE", &["0", "1"], &["yes"]),
        ("CONF_LOYALTY_ALLOW_EXTERNAL_ID_UPDATE", &["0", "1"], &["yes"]),
        ("CONF_PRIMARY_IDENTIFIER_STRICT_CHECK", &["0", "1"], &["yes"]),
        ("CONFIG_SKIP_SECONDARY_ID_ON_PRIMARY_MISMATCH", &["0", "1"], &["yes"]),
        ("COUNTRY", &["IN", "", "DE"], &["India", "91"]),
        ("SUPPORTED_COUNTRIES", &["", "DE", "DE,SG"], &["DE;SG", "XX"]),
        (
            "MOBILE_VALIDATION",
            &["COUNTRY", "COUNTRY_THEN_GENERIC", "GENERIC", "OFF"],
            &["", "NONE"],
        ),
        ("EXTERNAL_ID_PREFIX", &["", "PA"], &[]),
        ("EXTERNAL_ID_LENGTH", &["", "1", "250"], &["0", "251", "x"]),
        ("BATCH_LIMIT", &["1", "100", "1000"], &["", "0", "1001", "-1"]),
        ("REPEAT_WINDOW_SECONDS", &["0", "60", "3600"], &["", "-1", "3601", "99999", "1.5"]),
        ("AUDIT_CUSTOM_FIELDS", &["0", "1"], &["yes"]),
        ("PRODUCT_CONF_ORG_AUDITABLE_CUSTOM_FIELDS_LIMIT", &["0", "5", "100"], &["", "101", "-1"]),
        ("PRODUCT_CONF_ORG_AUDITABLE_EXTENDED_FIELDS_LIMIT", &["0", "100"], &["", "101", "-1"]),
        ("CONF_CARD_NUMBER_GENERATION_ENABLED", &["0", "1"], &["yes"]),
        ("CONF_GEN_CARD_NUMBER_AS_EXTERNAL_ID_ENABLED", &["0", "1"], &["yes"]),
        (
            "SOURCE_ACCOUNTS_EXTERNALID_ENABLED",
            &["", r#"["INSTORE:"]"#, r#"["INSTORE:","WEB_ENGAGE:1234"]"#],
            &["INSTORE:", r#"["INSTORE"]"#, "[1]", "{}"],
        ),
        ("GENERATED_EXTERNAL_ID", &["WHEN_MISSING", "ALWAYS"], &["", "NEVER"]),
        (
            "CONF_CARD_CHECKSUM_DIGIT_ALGO",
            &["LUHN_ALGO", "MOD7_ALGO", "AUTO_INC", "RANDOM", "RANDOM_LUHN", "RANDOM_MOD7"],
            &["", "LUHN"],
        ),
        ("CONF_VALUES_TO_INCLUDE_FOR_CHECKSUM_DIGIT", &["PREFIX", "NONE"], &["", "SUFFIX"]),
        ("CONF_CARD_NUMBER_LENGTH", &["1", "50"], &["", "0", "51"]),
        (
            "CONF_CARD_NUMBER_PREFIX",
            &["", "PA-7_x"],
            &["P A", "Ä", "99999999999999999999999999999999999999999999999999"],
        ),
        ("CONF_CARD_NUMBER_SUFFIX", &["", "X"], &["/"]),
        (
            "CONF_CARD_NUMBER_OFFSET",
            &["0", "1", "999999999999999999"],
            &["", "-1", "1000000000000000000"],
        ),
        ("CONF_MAX_CARDS_PER_ORG", &["1", "100"], &["", "0", "101"]),
    ];

    fn set(settings: &mut Settings, name: &str, text: &str) -> Result<(), Refused> {
        settings.set(setting(name)?, &Value::Text(text.to_owned()))
    }

    #[test]
    fn every_setting_takes_its_form_and_nothing_else() {
        let mut names: Vec<&str> = FORMS.iter().map(|(name, ..)| *name).collect();
        let mut known: Vec<&str> = TABLE.iter().map(|setting| setting.name).collect();
        names.sort_unstable();
        known.sort_unstable();
        assert_eq!(names, known, "each setting has its row, once");
        for (name, taken, refused) in FORMS {
            let mut settings = Settings::default();
            for text in *taken {
                assert_eq!(set(&mut settings, name, text), Ok(()), "{name} = {text}");
                assert_eq!(settings.text(name).as_deref(), Some(*text), "{name}");
            }
            for text in *refused {
                let before = settings.clone();
                assert!(set(&mut settings, name, text).is_err(), "{name} = {text}");
                assert_eq!(settings, before);
            }
        }
    }

    #[test]
    fn both_published_spellings_are_one_setting() {
        let mut settings = Settings::default();
        set(&mut settings, "CONF_SKIP_SECONDARY_ID_ON_PRIMARY_MISMATCH", "1").unwrap();
        assert!(settings.skip_secondary);
    }

    #[rstest]
    #[case(&[("CONF_REGISTRATION_PRIMARY_KEY", "EMAIL"), ("CONF_USERS_IS_EMAIL_UNIQUE", "0")])]
    #[case(&[("CONF_REGISTRATION_PRIMARY_KEY", "EXTERNAL_ID"), ("CONF_USERS_USE_EXTERNAL_ID", "0")])]
    #[case(&[("CONF_USERS_IS_EXTERNAL_ID_REQUIRED", "1"), ("CONF_USERS_USE_EXTERNAL_ID", "0")])]
    #[case(&[("CONF_REGISTRATION_PRIMARY_KEY_REQUIRED", "1")])]
    #[case(&[("MERGE_ON_CONFLICT", "1"), ("CONF_SKIP_SECONDARY_ID_ON_PRIMARY_MISMATCH", "1")])]
    #[case(&[("MERGE_ON_CONFLICT", "1"), ("CONF_PRIMARY_IDENTIFIER_STRICT_CHECK", "1")])]
    #[case(&[("EXTERNAL_ID_PREFIX", "PA"), ("EXTERNAL_ID_LENGTH", "2")])]
    #[case(&[("MERGE_ON_CONFLICT", "1"), ("KNOWN_CUSTOMER", "REFUSE")])]
    #[case(&[("SUPPORTED_COUNTRIES", "DE")])]
    #[case(&[("CONF_GEN_CARD_NUMBER_AS_EXTERNAL_ID_ENABLED", "1")])]
    #[case(&[("CONF_CARD_NUMBER_GENERATION_ENABLED", "1"), ("CONF_USERS_USE_EXTERNAL_ID", "0")])]
    #[case(&[("CONF_REGISTRATION_PRIMARY_KEY", "EXTERNAL_ID"), ("GENERATED_EXTERNAL_ID", "ALWAYS")])]
    #[case(&[("CONF_CARD_NUMBER_SUFFIX", "X"), ("CONF_CARD_CHECKSUM_DIGIT_ALGO", "LUHN_ALGO")])]
    #[case(&[
        ("CONF_CARD_NUMBER_PREFIX", "PA"),
        ("CONF_CARD_CHECKSUM_DIGIT_ALGO", "LUHN_ALGO"),
        ("CONF_VALUES_TO_INCLUDE_FOR_CHECKSUM_DIGIT", "PREFIX"),
    ])]
    #[case(&[("CONF_CARD_NUMBER_PREFIX", "PATRON-100"), ("CONF_CARD_NUMBER_LENGTH", "10")])]
    #[case(&[("CONF_CARD_NUMBER_OFFSET", "100"), ("CONF_CARD_NUMBER_LENGTH", "2")])]
    #[case(&[
        ("CONF_CARD_NUMBER_GENERATION_ENABLED", "1"),
        ("CONF_CARD_NUMBER_LENGTH", "9"),
        ("EXTERNAL_ID_LENGTH", "10"),
    ])]
    fn contradictions_are_refused(#[case] changes: &[(&str, &str)]) {
        let refused = Settings::default().with(changes.iter().copied()).unwrap_err();
        let Refused::Contradiction(reason) = refused else { panic!("{refused}") };
        for (name, _) in changes {
            let spelt = name.replace("CONF_SKIP", "CONFIG_SKIP");
            assert!(reason.contains(&spelt), "{reason} does not name {name}");
        }
    }

    #[test]
    fn skipping_may_stand_beside_the_strict_check_which_it_outranks() {
        let both = [
            ("CONFIG_SKIP_SECONDARY_ID_ON_PRIMARY_MISMATCH", "1"),
            ("CONF_PRIMARY_IDENTIFIER_STRICT_CHECK", "1"),
        ];
        assert!(Settings::default().with(both).is_ok());
    }

    #[test]
    fn a_refusal_says_what_is_taken() {
        let refused = set(&mut Settings::default(), "CONF_ALLOW_EMAIL_UPDATE", "yes").unwrap_err();
        assert_eq!(refused.to_string(), "CONF_ALLOW_EMAIL_UPDATE takes 0 or 1, not `yes`");
        let refused = set(&mut Settings::default(), "CONF_X", "1").unwrap_err();
        assert_eq!(refused.to_string(), "there is no setting `CONF_X`");
    }

    /// Every text that a setting takes, where it is a number or a flag, as JSON writes that.
    #[test]
    fn every_setting_takes_json_numbers_and_booleans_for_their_texts() {
        for (name, taken, _) in FORMS {
            let is_flag = setting(name).unwrap().is_flag();
            for text in *taken {
                let expected = Settings::default().with_values([(*name, Some(text_value(text)))]);
                let mut forms = Vec::new();
                if text.parse::<i64>().is_ok_and(|number| number.to_string() == *text) {
                    forms.extend([(*text).to_owned(), format!("\"{text}\"")]);
                    if text.len() < 16 {
                        forms.push(format!("{text}.0"));
                    }
                }
                if is_flag {
                    let flag = if *text == "1" { "true" } else { "false" };
                    forms.extend([flag.to_owned(), format!("\"{flag}\"")]);
                    forms.push(format!("\"{}\"", flag.to_ascii_uppercase()));
                }
                for json in forms {
                    let read = Settings::default()
                        .with_values([(*name, Some(serde_json::from_str(&json).unwrap()))]);
                    assert_eq!(read, expected, "{name} = {json}");
                }
            }
            let wrong: &[&str] = if is_flag { &["2", "0.5"] } else { &["true", "false", "0.5"] };
            for json in wrong {
                let value: Value = serde_json::from_str(json).unwrap();
                let refused = Settings::default().with_values([(*name, Some(value))]).unwrap_err();
                assert!(refused.to_string().ends_with(&format!("not `{json}`")), "{refused}");
            }
            for json in ["null", "[]", "{}"] {
                assert!(serde_json::from_str::<Value>(json).is_err(), "{name} = {json}");
            }
        }
    }

    fn text_value(text: &str) -> Value {
        Value::Text(text.to_owned())
    }

    /// Every setting is reset by a document that leaves it out, and by no other.
    #[test]
    fn names_settings_that_a_document_resets() {
        let settings = Settings::default()
            .with([("BATCH_LIMIT", "7"), ("CONFIG_SKIP_SECONDARY_ID_ON_PRIMARY_MISMATCH", "1")])
            .unwrap();
        let both = ["CONFIG_SKIP_SECONDARY_ID_ON_PRIMARY_MISMATCH", "BATCH_LIMIT"];
        assert_eq!(settings.reset_by([]), both);
        assert_eq!(settings.reset_by(["BATCH_LIMIT", "COUNTRY"]), [both[0]]);
        let alias = "CONF_SKIP_SECONDARY_ID_ON_PRIMARY_MISMATCH";
        assert_eq!(settings.reset_by([alias]), ["BATCH_LIMIT"]);
    }
}
