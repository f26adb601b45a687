//! The identifiers of a submission: each by its own rule, and what becomes of one that is invalid.

use super::{Email, ExternalId, IdentifierKind, Identifiers, Mobile, mobile};
use crate::codes::{self, Code, Failure, Warning};
use crate::settings::{InvalidSecondary, Settings};
use crate::submission::{Member, Submission};
use crate::trace::{Step, Trace};

/// The identifiers that were passed, each read by itself.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Passed {
    /// Those that are valid.
    pub valid: Identifiers,
    invalid: Vec<(IdentifierKind, &'static Code)>,
}

impl Passed {
    /// Reads each identifier of a submission; a mobile number by `rules`.
    #[must_use]
    pub fn read(
        sent: &Submission,
        settings: &Settings,
        rules: &mobile::Rules,
        trace: &mut Trace,
    ) -> Self {
        let mut passed = Self::default();
        if let Some(text) = &sent.mobile {
            let (step, mobile) = Mobile::read(text, rules);
            trace.add(step);
            passed.valid.mobile = passed.take(IdentifierKind::Mobile, mobile);
        }
        if let Some(text) = &sent.email {
            passed.valid.email = passed.take(IdentifierKind::Email, Email::parse(text));
        }
        if passed.valid.email.is_some() {
            trace.flag(settings.email_unique, Step::EmailIdentifies, Step::EmailIsShared);
        }
        if let Some(text) = &sent.external_id {
            let external_id = external_id(text, settings, trace);
            passed.valid.external_id = passed.take(IdentifierKind::ExternalId, external_id);
        }
        passed
    }

    fn take<T>(&mut self, kind: IdentifierKind, read: Result<T, &'static Code>) -> Option<T> {
        read.map_err(|code| self.invalid.push((kind, code))).ok()
    }

    /// The identifiers with which a registration goes on. One that is invalid fails it, unless the
    /// organisation drops such and it is neither the primary nor the only one.
    ///
    /// # Errors
    /// 1001, 1002, 1003, 1008 or 8014 for an invalid one; 1007 without any; 1019 for an email
    /// address alone by which nobody is found.
    pub fn checked(
        self,
        settings: &Settings,
        trace: &mut Trace,
        warnings: &mut Vec<Warning>,
    ) -> Result<Identifiers, Failure> {
        let any_valid = self.valid.keys().next().is_some();
        for (kind, code) in self.invalid {
            let member = Member::Identifier(kind);
            if !(any_valid && dropped(kind, settings, trace)) {
                return Err(Failure::from(code).at(member));
            }
            warnings.push(Warning::from(codes::VALIDATION_FAILED).at(member));
        }
        if !any_valid {
            return Err(codes::NO_IDENTIFIER.into());
        }
        if !self.valid.keys().any(|(kind, _)| settings.identifies(kind)) {
            let email = Member::Identifier(IdentifierKind::Email);
            return Err(Failure::from(codes::EMAIL_NOT_ENOUGH).at(email));
        }
        Ok(self.valid)
    }
}

fn external_id(
    text: &str,
    settings: &Settings,
    trace: &mut Trace,
) -> Result<ExternalId, &'static Code> {
    if settings.use_external_id {
        return ExternalId::parse(text, &settings.external_id, trace);
    }
    trace.add(Step::NoExternalIds);
    Err(codes::NO_EXTERNAL_IDS)
}

/// Whether an invalid identifier of this kind goes, where another one is valid.
fn dropped(kind: IdentifierKind, settings: &Settings, trace: &mut Trace) -> bool {
    let step = match settings.invalid_secondary {
        InvalidSecondary::Fail => Step::InvalidFails,
        InvalidSecondary::Drop if kind == settings.primary_key => Step::InvalidPrimary,
        InvalidSecondary::Drop => Step::InvalidDropped,
    };
    trace.add(step);
    step == Step::InvalidDropped
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    fn sent(mobile: &str, email: &str, external_id: &str) -> Submission {
        let passed = |text: &str| (!text.is_empty()).then(|| text.to_owned());
        Submission {
            mobile: passed(mobile),
            email: passed(email),
            external_id: passed(external_id),
            ..Submission::default()
        }
    }

    #[rstest]
    //    mobile,         email,    external id
    #[case("9876543210", "a@b.in", "A", Ok("919876543210 a@b.in A"), Ok("919876543210 a@b.in A"))]
    #[case("", "", "", Err((1007, None)), Err((1007, None)))]
    #[case("12", "", "", Err((1001, Some(IdentifierKind::Mobile))), Err((1001, Some(IdentifierKind::Mobile))))]
    #[case("", "a", "", Err((1002, Some(IdentifierKind::Email))), Err((1002, Some(IdentifierKind::Email))))]
    #[case("", "", "B", Err((1003, Some(IdentifierKind::ExternalId))), Err((1003, Some(IdentifierKind::ExternalId))))]
    #[case("12", "a", "", Err((1001, Some(IdentifierKind::Mobile))), Err((1001, Some(IdentifierKind::Mobile))))]
    #[case("12", "a@b.in", "", Err((1001, Some(IdentifierKind::Mobile))), Err((1001, Some(IdentifierKind::Mobile))))]
    #[case("9876543210", "a", "", Err((1002, Some(IdentifierKind::Email))), Ok("919876543210"))]
    #[case("9876543210", "a", "B", Err((1002, Some(IdentifierKind::Email))), Ok("919876543210"))]
    #[case("", "a@b.in", "B", Err((1003, Some(IdentifierKind::ExternalId))), Ok("a@b.in"))]
    fn an_invalid_one_fails_or_goes(
        #[case] mobile: &str,
        #[case] email: &str,
        #[case] external_id: &str,
        #[case] failing: Result<&str, (u32, Option<IdentifierKind>)>,
        #[case] dropping: Result<&str, (u32, Option<IdentifierKind>)>,
    ) {
        for (invalid, expected) in [("FAIL", failing), ("DROP", dropping)] {
            let settings = Settings::default().with([
                ("COUNTRY", "IN"),
                ("EXTERNAL_ID_PREFIX", "A"),
                ("INVALID_SECONDARY_IDENTIFIER", invalid),
            ]);
            let settings = settings.unwrap();
            let (mut trace, mut warnings) = (Trace::default(), Vec::new());
            let sent = sent(mobile, email, external_id);
            let passed = Passed::read(&sent, &settings, &settings.mobile, &mut trace);
            let valid = passed.valid.clone();
            let checked = passed.checked(&settings, &mut trace, &mut warnings);
            let keys = |all: Identifiers| {
                all.keys().map(|(_, key)| key.to_owned()).collect::<Vec<_>>().join(" ")
            };
            let found = checked.map(keys).map_err(|failure| {
                let kind = failure.member.map(|member| match member {
                    Member::Identifier(kind) => kind,
                    other => panic!("{other:?}"),
                });
                (failure.code.number, kind)
            });
            assert_eq!(found.as_deref().map_err(|error| *error), expected);
            if let Ok(keys_expected) = expected {
                assert_eq!(keys(valid), keys_expected);
            }
        }
    }

    #[test]
    fn what_decided_is_told() {
        let settings = Settings::default().with([
            ("COUNTRY", "IN"),
            ("CONF_USERS_IS_EMAIL_UNIQUE", "0"),
            ("EXTERNAL_ID_PREFIX", "A"),
            ("EXTERNAL_ID_LENGTH", "3"),
            ("INVALID_SECONDARY_IDENTIFIER", "DROP"),
        ]);
        let settings = settings.unwrap();
        let mut trace = Trace::default();
        let sent = sent("9876543210", "a@b.in", "A");
        let passed = Passed::read(&sent, &settings, &settings.mobile, &mut trace);
        passed.checked(&settings, &mut trace, &mut Vec::new()).unwrap();
        let expected = [
            Step::CompletedByBase,
            Step::EmailIsShared,
            Step::PrefixKept,
            Step::LengthWrong,
            Step::InvalidDropped,
        ];
        assert_eq!(trace.steps(), expected);
    }
}
