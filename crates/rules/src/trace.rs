//! How a registration came out as it did: each step that a setting or a line of the decision table
//! decided, in order.

use std::borrow::Cow;

use crate::identifier::{IdentifierKind, mobile};
use crate::settings::Settings;

/// The steps of one registration.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Trace(Vec<Step>);

impl Trace {
    /// Notes a step.
    pub fn add(&mut self, step: Step) {
        self.0.push(step);
    }

    /// Notes what a setting decided, which is on or off, and hands it on.
    pub fn flag(&mut self, on: bool, if_on: Step, if_off: Step) -> bool {
        self.add(if on { if_on } else { if_off });
        on
    }

    /// Notes steps.
    pub fn extend(&mut self, steps: impl IntoIterator<Item = Step>) {
        self.0.extend(steps);
    }

    /// The steps, in order.
    #[must_use]
    pub fn steps(&self) -> &[Step] {
        &self.0
    }
}

macro_rules! steps {
    ($($name:ident = $setting:expr, $sentence:literal;)*) => {
        /// A step: what was decided, and by which setting.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub enum Step {
            $(#[doc = $sentence] $name,)*
            /// A mobile number is refused.
            MobileRefused(mobile::Fault),
            /// A registered identifier of this kind is replaced.
            Replaced(IdentifierKind),
            /// A registered identifier of this kind is not replaced.
            NotReplaced(IdentifierKind),
            /// An identifier of this kind is required, and there is one.
            RequiredAndThere(IdentifierKind),
            /// An identifier of this kind is required, and there is none.
            RequiredAndMissing(IdentifierKind),
        }

        impl Step {
            /// The published name of the setting that decided, where one did.
            #[must_use]
            pub const fn setting(self) -> Option<&'static str> {
                match self {
                    $(Self::$name => $setting,)*
                    Self::MobileRefused(fault) => fault.setting(),
                    Self::Replaced(kind) | Self::NotReplaced(kind) => {
                        Some(Settings::name_of_update(kind))
                    }
                    Self::RequiredAndThere(kind) | Self::RequiredAndMissing(kind) => {
                        Some(Settings::name_of_requirement(kind))
                    }
                }
            }

            /// What was decided.
            #[must_use]
            pub fn sentence(self) -> Cow<'static, str> {
                Cow::Borrowed(match self {
                    $(Self::$name => $sentence,)*
                    Self::MobileRefused(fault) => return Cow::Owned(fault.to_string()),
                    Self::Replaced(_) => "a registered identifier is replaced by the one passed",
                    Self::NotReplaced(_) => "a registered identifier is not replaced",
                    Self::RequiredAndThere(_) => "a required identifier is there",
                    Self::RequiredAndMissing(_) => "a required identifier is missing",
                })
            }
        }

        #[cfg(test)]
        const ALL: &[Step] = &[$(Step::$name,)*];
    };
}

steps! {
    NoCountry = Some("COUNTRY"), "mobile numbers cannot be completed without COUNTRY";
    CodeOfBase = Some("COUNTRY"), "the mobile number has the code of the base country";
    CodeOfSupported = Some("SUPPORTED_COUNTRIES"), "the mobile number has the code of a supported country";
    CompletedByBase = Some("COUNTRY"), "the mobile number is completed by the base country";
    CompletedBySupported = Some("SUPPORTED_COUNTRIES"), "the mobile number is completed by a supported country";
    GenericNumber = Some("MOBILE_VALIDATION"), "the mobile number fits the generic rule";
    NumberOfLength = Some("MOBILE_VALIDATION"), "the mobile number has an accepted length";
    EmailIdentifies = Some("CONF_USERS_IS_EMAIL_UNIQUE"), "the customer is found by the email address";
    EmailIsShared = Some("CONF_USERS_IS_EMAIL_UNIQUE"), "nobody is found by the email address";
    NoExternalIds = Some("CONF_USERS_USE_EXTERNAL_ID"), "customers have no external ids";
    PrefixKept = Some("EXTERNAL_ID_PREFIX"), "the external id has the prefix";
    PrefixMissing = Some("EXTERNAL_ID_PREFIX"), "the external id has not the prefix";
    LengthKept = Some("EXTERNAL_ID_LENGTH"), "the external id has the length";
    LengthWrong = Some("EXTERNAL_ID_LENGTH"), "the external id has not the length";
    InvalidFails = Some("INVALID_SECONDARY_IDENTIFIER"), "an invalid identifier fails the registration";
    InvalidDropped = Some("INVALID_SECONDARY_IDENTIFIER"), "an invalid identifier is dropped";
    InvalidPrimary = Some("CONF_REGISTRATION_PRIMARY_KEY"), "an invalid primary identifier is not dropped";
    LateEnough = Some("CONF_MIN_REGISTRATION_DATE"), "the date of registration is not too early";
    TooEarly = Some("CONF_MIN_REGISTRATION_DATE"), "the date of registration is too early";
    SoonEnough = Some("FUTURE_REGISTRATION_DAYS"), "the date of registration is not too far ahead";
    TooFarAhead = Some("FUTURE_REGISTRATION_DAYS"), "the date of registration is too far ahead";
    OwnSource = None, "the source is one of the organisation's own";
    UnknownSource = None, "the source is neither a documented one nor one of the organisation's own, or out of use";
    AccountKnown = None, "the source has the account";
    AccountUnknown = None, "the source has not the account";
    AccountMissing = None, "the source requires an account";
    ExtraRefused = Some("STRICT_EXTRAS"), "what is not known is refused";
    ExtraTaken = Some("STRICT_EXTRAS"), "what is not known is taken";
    PrimaryPassed = Some("CONF_REGISTRATION_PRIMARY_KEY"), "the primary identifier was passed";
    PrimaryNotPassed = Some("CONF_REGISTRATION_PRIMARY_KEY"), "the primary identifier was not passed";
    PrimaryRequired = Some("CONF_REGISTRATION_PRIMARY_KEY_REQUIRED"), "every registration must come with the primary identifier";
    PrimaryNotRequired = Some("CONF_REGISTRATION_PRIMARY_KEY_REQUIRED"), "a registration may come without the primary identifier";
    AnyIdentifier = Some("CONF_ALLOW_REGISTRATION_FROM_ANY_IDENTIFIERS"), "a new customer may come without the primary identifier";
    PrimaryNeeded = Some("CONF_ALLOW_REGISTRATION_FROM_ANY_IDENTIFIERS"), "nobody is new without the primary identifier";
    Nobody = None, "nobody holds any of the identifiers: a new customer";
    OneHolder = None, "all identifiers that are held belong to one customer: that one";
    Conflict = Some("MERGE_ON_CONFLICT"), "identifiers of different customers without the primary one are refused";
    Skipped = Some("CONFIG_SKIP_SECONDARY_ID_ON_PRIMARY_MISMATCH"), "a secondary identifier of another customer is ignored";
    NotSkipped = Some("CONFIG_SKIP_SECONDARY_ID_ON_PRIMARY_MISMATCH"), "a secondary identifier of another customer counts";
    Strict = Some("CONF_PRIMARY_IDENTIFIER_STRICT_CHECK"), "a secondary identifier of another customer refuses the registration";
    NotStrict = Some("CONF_PRIMARY_IDENTIFIER_STRICT_CHECK"), "a secondary identifier of another customer refuses nothing";
    FoundBySecondary = None, "the primary identifier is new, so the holder of a secondary one is the customer";
    Merged = Some("MERGE_ON_CONFLICT"), "customers whose identifiers come together are merged";
    LeftToHolder = Some("MERGE_ON_CONFLICT"), "a secondary identifier of another customer is left to them";
    KnownUpdated = Some("KNOWN_CUSTOMER"), "a customer who is known is updated";
    KnownRefused = Some("KNOWN_CUSTOMER"), "a registration whose customer is known is refused";
    OlderIgnored = Some("OLDER_UPDATE"), "the details are ignored, since they are older than the customer's";
    OlderApplied = Some("OLDER_UPDATE"), "the details are applied, though they are older than the customer's";
    RequiredAndSkipped = Some("CONFIG_SKIP_SECONDARY_ID_ON_PRIMARY_MISMATCH"), "a required identifier that belongs to another customer is skipped, not missing";
    MadeForEverySource = Some("CONF_GEN_CARD_NUMBER_AS_EXTERNAL_ID_ENABLED"), "external ids are made whatever the source";
    MadeForSource = Some("SOURCE_ACCOUNTS_EXTERNALID_ENABLED"), "external ids are made for this source and account";
    NotMadeForSource = Some("SOURCE_ACCOUNTS_EXTERNALID_ENABLED"), "no external ids are made for this source and account";
    PassedStays = Some("GENERATED_EXTERNAL_ID"), "an external id that is passed stays";
    PassedAloneStays = Some("GENERATED_EXTERNAL_ID"), "an external id stays that is all by which the customer can be known";
    PassedReplaced = Some("GENERATED_EXTERNAL_ID"), "an external id that a new customer passes is replaced by one that is made";
    ExternalIdMade = None, "the customer is given an external id that is made";
    ExternalIdThere = None, "the customer has an external id, so none is made";
    PrimaryKept = Some("CONF_REGISTRATION_PRIMARY_KEY"), "a registered primary identifier never changes";
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::settings::TABLE;

    #[test]
    fn every_step_names_a_setting_that_there_is() {
        let by_kind = IdentifierKind::ALL
            .into_iter()
            .flat_map(|kind| [Step::Replaced(kind), Step::RequiredAndMissing(kind)]);
        for step in ALL.iter().copied().chain(by_kind) {
            let known = |name: &str| TABLE.iter().any(|setting| setting.name == name);
            assert!(step.setting().is_none_or(known), "{step:?}");
        }
    }
}
