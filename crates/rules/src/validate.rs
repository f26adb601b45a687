//! Each member by its own rule: a submission becomes a registration with its warnings, or the
//! failure of its item. The first rule that refuses decides, in this order: the form of the members,
//! the type, the identifiers, the tills, the dates, the rest.
//!
//! An optional member that has a wrong form, or a value that cannot be kept, is left out with a
//! warning (91003), or refused (10001) by `STRICT_EXTRAS`. `type`, `source` and `accountId` decide
//! what the registration earns and where the customer belongs, so they are refused in any case.

use std::borrow::Cow;

use jiff::Timestamp;
use jiff::tz::TimeZone;

use crate::attribution::PostedAs;
use crate::card::CardRequest;
use crate::codes::{self, Code, Failure, Warning};
use crate::identifier::Identifiers;
use crate::identifier::passed::Passed;
use crate::organisation::{Organisation, TillId};
use crate::profile::{
    Budget, CustomerType, FieldValue, FraudStatus, Name, Source, Subscription, channel,
    custom_field, date, extended_field, short, subscription, test_control, till,
};
use crate::random_code;
use crate::referral;
use crate::settings::Settings;
use crate::submission::{Kept, Malformed, Member, Submission, SubmittedChannel};
use crate::text;
use crate::trace::{Step, Trace};

/// The longest text that is kept as it is, in characters.
const KEPT_LIMIT: usize = 250;
/// How much of an unknown status is repeated in a warning, in characters.
const SHOWN_LIMIT: usize = 50;

/// A registration whose every member has passed its rule. `None` is "not passed".
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Registration {
    /// The identifiers; at least one.
    pub identifiers: Identifiers,
    /// The first name.
    pub first_name: Option<Name>,
    /// The last name.
    pub last_name: Option<Name>,
    /// The customer type.
    pub customer_type: Option<CustomerType>,
    /// The source.
    pub source: Option<Source>,
    /// The account within the source.
    pub account_id: Option<String>,
    /// The date of registration.
    pub registered_at: Option<Timestamp>,
    /// The date of the last change.
    pub updated_at: Option<Timestamp>,
    /// The till that registers: the one that is named, else the one as which the request is posted.
    /// Date-times that are sent and replied are local to it.
    pub registered_till: TillId,
    /// The till to associate with.
    pub associated_till: Option<TillId>,
    /// The fraud status.
    pub fraud_status: Option<FraudStatus>,
    /// The communication channels.
    pub channels: Vec<channel::Passed>,
    /// The subscriptions that were accepted.
    pub subscriptions: Vec<Subscription>,
    /// The code of whoever referred the customer, in the form in which codes are compared.
    pub referral_code: Option<String>,
    /// The card that is to be issued.
    pub card: Option<CardRequest>,
    /// What is kept as it is.
    pub kept: Kept,
    /// The custom fields that were accepted.
    pub custom_fields: Vec<FieldValue>,
    /// The extended fields that were accepted.
    pub extended_fields: Vec<FieldValue>,
    /// What could not be taken as sent.
    pub warnings: Vec<Warning>,
}

/// What the rules that need no other customer say of a submission.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Validated {
    /// The identifiers that are valid, in their canonical form, whatever else is not.
    pub identifiers: Identifiers,
    /// What was decided on the way.
    pub trace: Trace,
    /// The registration, or the first rule's refusal.
    pub outcome: Result<Registration, Failure>,
}

/// Applies every rule that needs no other customer.
#[must_use]
pub fn validate(
    sent: &Submission,
    organisation: &Organisation,
    posted_as: PostedAs,
    now: Timestamp,
) -> Validated {
    let mut trace = Trace::default();
    let settings = &organisation.settings;
    let rules = settings.mobile.preferring(sent.client_calling_code);
    let passed = Passed::read(sent, settings, &rules, &mut trace);
    let identifiers = passed.valid.clone();
    let outcome = registration(sent, passed, organisation, posted_as, now, &mut trace);
    Validated { identifiers, trace, outcome }
}

fn registration(
    sent: &Submission,
    passed: Passed,
    organisation: &Organisation,
    posted_as: PostedAs,
    now: Timestamp,
    trace: &mut Trace,
) -> Result<Registration, Failure> {
    let mut extras = Extras { settings: &organisation.settings, trace, warnings: Vec::new() };
    well_formed(sent, &mut extras)?;
    let customer_type = customer_type(sent)?;
    let identifiers = passed.checked(&organisation.settings, extras.trace, &mut extras.warnings)?;
    let registered_till = registered_till(sent, organisation, posted_as)?;
    let associated_till = associated_till(sent, organisation)?;
    // Replies to this caller are in the same zone, so what was sent comes back.
    let zone = organisation.time_zone_of(posted_as.unwrap_or_default());
    let registered_at = registered_at(sent, zone, organisation, now, extras.trace)?;
    let updated_at = updated_at(sent, zone, now, &mut extras)?;
    let source = source(sent, organisation, extras.trace)?;
    let account_id = account_id(sent, source.as_ref(), organisation, &mut extras)?;
    let fraud_status = fraud_status(sent, &mut extras)?;
    let first_name = name(sent.first_name.as_deref(), Member::FirstName, &mut extras)?;
    let last_name = name(sent.last_name.as_deref(), Member::LastName, &mut extras)?;
    let channels = channels(sent, &mut extras)?;
    let kept = kept(&sent.kept, &mut extras)?;
    let mut warnings = extras.warnings;
    let mut budget = Budget::default();
    Ok(Registration {
        identifiers,
        first_name,
        last_name,
        customer_type,
        source,
        account_id,
        registered_at,
        updated_at,
        registered_till,
        associated_till,
        fraud_status,
        channels,
        subscriptions: subscription::read(&sent.subscriptions, &mut warnings),
        referral_code: referral_code(sent, &mut warnings),
        card: CardRequest::read(sent, &mut warnings),
        kept,
        custom_fields: custom_field::read(
            &sent.custom_fields,
            &organisation.custom_fields,
            &mut budget,
            &mut warnings,
        ),
        extended_fields: extended_field::read(
            &sent.extended_fields,
            organisation,
            &mut budget,
            &mut warnings,
        ),
        warnings,
    })
}

fn refused(member: Member, reason: impl Into<Cow<'static, str>>) -> Failure {
    Failure::because(codes::FAILED_TO_ADD, reason).at(member)
}

/// What becomes of members that are not accepted as sent, by the settings for extras.
struct Extras<'a> {
    settings: &'a Settings,
    trace: &'a mut Trace,
    warnings: Vec<Warning>,
}

impl Extras<'_> {
    /// Leaves out an optional member, or fails with 10001 by `STRICT_EXTRAS`.
    fn leave_out(
        &mut self,
        member: Member,
        reason: impl Into<Cow<'static, str>>,
    ) -> Result<(), Failure> {
        if self.settings.strict_extras {
            self.trace.add(Step::ExtraRefused);
            return Err(refused(member, reason));
        }
        self.warnings.push(Warning::from(codes::VALIDATION_FAILED).at(member).because(reason));
        Ok(())
    }

    /// Fails with this code by `STRICT_EXTRAS`.
    fn refuse_if_strict(&mut self, code: &'static Code, member: Member) -> Result<(), Failure> {
        let is_strict = self.settings.strict_extras;
        if self.trace.flag(is_strict, Step::ExtraRefused, Step::ExtraTaken) {
            return Err(Failure::from(code).at(member));
        }
        Ok(())
    }
}

fn well_formed(sent: &Submission, extras: &mut Extras<'_>) -> Result<(), Failure> {
    for Malformed { member, reason } in &sent.malformed {
        let code = match member {
            Member::Customer | Member::Identifier(_) | Member::CustomerType | Member::Source => {
                codes::FAILED_TO_ADD
            }
            Member::RegisteredOn => codes::DATE_OUT_OF_RANGE,
            Member::RegisteredTill => codes::INVALID_REGISTERED_TILL,
            Member::AssociatedTill => codes::INVALID_ASSOCIATED_TILL,
            // Dropped by the rules for these entries, with a code of their own.
            Member::CustomField(_) | Member::ExtendedField(_) | Member::Subscription(..)
                if !extras.settings.strict_extras =>
            {
                continue;
            }
            _ => {
                extras.leave_out(member.clone(), reason.clone())?;
                continue;
            }
        };
        return Err(Failure::because(code, reason.clone()).at(member.clone()));
    }
    let Some(first) = sent.unknown.first() else { return Ok(()) };
    if extras.settings.strict_extras {
        return extras.leave_out(first, "unknown member");
    }
    if extras.settings.warn_extras {
        let names = sent.unknown.to_string();
        extras.warnings.push(Warning::about(codes::VALIDATION_FAILED, &names, "").at(first));
    }
    Ok(())
}

fn customer_type(sent: &Submission) -> Result<Option<CustomerType>, Failure> {
    let Some(text) = &sent.customer_type else {
        return Ok(None);
    };
    let known = CustomerType::parse(text);
    known.map(Some).ok_or_else(|| refused(Member::CustomerType, "expected loyalty or non_loyalty"))
}

fn registered_till(
    sent: &Submission,
    organisation: &Organisation,
    posted_as: PostedAs,
) -> Result<TillId, Failure> {
    let Some(name) = &sent.registered_till else { return Ok(posted_as?) };
    let till = till::registered(name, organisation);
    till.map_err(|code| Failure::from(code).at(Member::RegisteredTill))
}

fn associated_till(
    sent: &Submission,
    organisation: &Organisation,
) -> Result<Option<TillId>, Failure> {
    let till = sent.associated_till.as_deref().map(|name| till::associated(name, organisation));
    till.transpose().map_err(|code| Failure::from(code).at(Member::AssociatedTill))
}

fn registered_at(
    sent: &Submission,
    zone: &TimeZone,
    organisation: &Organisation,
    now: Timestamp,
    trace: &mut Trace,
) -> Result<Option<Timestamp>, Failure> {
    let Some(text) = &sent.registered_on else {
        return Ok(None);
    };
    let date = date::registration(text, zone, organisation, now, trace);
    date.map(Some).map_err(|failure| failure.at(Member::RegisteredOn))
}

fn updated_at(
    sent: &Submission,
    zone: &TimeZone,
    now: Timestamp,
    extras: &mut Extras<'_>,
) -> Result<Option<Timestamp>, Failure> {
    let Some(text) = &sent.updated_on else {
        return Ok(None);
    };
    match date::update(text, zone, now) {
        Ok(instant) => Ok(Some(instant)),
        Err(reason) => extras.leave_out(Member::UpdatedOn, reason).map(|()| None),
    }
}

/// What can be no code is nobody's.
fn referral_code(sent: &Submission, warnings: &mut Vec<Warning>) -> Option<String> {
    let code = random_code::canonical(sent.referral_code.as_deref()?);
    if code.is_none() {
        warnings.push(referral::not_found());
    }
    code
}

fn source(
    sent: &Submission,
    organisation: &Organisation,
    trace: &mut Trace,
) -> Result<Option<Source>, Failure> {
    let Some(text) = &sent.source else {
        return Ok(None);
    };
    let known = organisation.source(text);
    match &known {
        Some(source) if source.is_documented() => {}
        Some(_) => trace.add(Step::OwnSource),
        None => trace.add(Step::UnknownSource),
    }
    known.map(Some).ok_or_else(|| {
        let documented = "expected INSTORE, FACEBOOK, WEB_ENGAGE, WECHAT, ECOMMERCE, WEBSITE, LINE, MOBILE_APP or another one that is documented or set up";
        refused(Member::Source, documented)
    })
}

/// "Unique identifier associated with the specific source or channel." Of a source whose accounts are
/// set up, it is one of these; with any other it is kept as it is, as the specification's sample sends
/// one with INSTORE, which has no accounts.
fn account_id(
    sent: &Submission,
    source: Option<&Source>,
    organisation: &Organisation,
    extras: &mut Extras<'_>,
) -> Result<Option<String>, Failure> {
    let account = kept_text(sent.account_id.as_ref(), Member::AccountId, extras)?;
    let set_up = source.and_then(|source| organisation.sources.named(source.name()));
    let Some(source) = set_up.filter(|source| !source.accounts.is_empty()) else {
        return Ok(account);
    };
    let is_malformed = sent.malformed.iter().any(|wrong| wrong.member == Member::AccountId);
    match &account {
        Some(id) if source.has_account(id) => extras.trace.add(Step::AccountKnown),
        None if sent.account_id.is_none() && !is_malformed => {
            if source.requires_account {
                extras.trace.add(Step::AccountMissing);
                return Err(refused(Member::AccountId, "expected one of the source's accounts"));
            }
        }
        _ => {
            extras.trace.add(Step::AccountUnknown);
            return Err(refused(Member::AccountId, "no account in use of the source"));
        }
    }
    Ok(account)
}

fn fraud_status(
    sent: &Submission,
    extras: &mut Extras<'_>,
) -> Result<Option<FraudStatus>, Failure> {
    let Some(text) = &sent.fraud_status else {
        return Ok(None);
    };
    let status = FraudStatus::parse(text);
    if !status.is_listed() {
        extras.refuse_if_strict(codes::INVALID_FRAUD_STATUS, Member::FraudStatus)?;
        if extras.settings.warn_extras {
            let shown = short(text, SHOWN_LIMIT).map(|status| format!("unknown status {status}"));
            let reason = shown.unwrap_or_else(|| "unknown status".to_owned());
            let warning = Warning::from(codes::VALIDATION_FAILED).at(Member::FraudStatus);
            extras.warnings.push(warning.because(reason));
        }
    }
    Ok(Some(status))
}

fn kept(sent: &Kept, extras: &mut Extras<'_>) -> Result<Kept, Failure> {
    let Kept { gender, ndnc_status, test_control_status } = sent;
    if test_control_status.as_ref().is_some_and(|status| !test_control::is_known(status)) {
        let code = codes::INVALID_TEST_CONTROL_STATUS;
        extras.refuse_if_strict(code, Member::TestControlStatus)?;
    }
    Ok(Kept {
        gender: kept_text(gender.as_ref(), Member::Gender, extras)?,
        ndnc_status: kept_text(ndnc_status.as_ref(), Member::NdncStatus, extras)?,
        test_control_status: kept_text(
            test_control_status.as_ref(),
            Member::TestControlStatus,
            extras,
        )?,
    })
}

fn name(
    sent: Option<&str>,
    member: Member,
    extras: &mut Extras<'_>,
) -> Result<Option<Name>, Failure> {
    match sent.map(Name::read).transpose() {
        Ok(name) => Ok(name.flatten()),
        Err(reason) => extras.leave_out(member, reason).map(|()| None),
    }
}

/// A text that is kept as it is: of limited length, and without control characters.
fn kept_text(
    text: Option<&String>,
    member: Member,
    extras: &mut Extras<'_>,
) -> Result<Option<String>, Failure> {
    let Some(text) = text else { return Ok(None) };
    let kept = short(&text::canonical(text), KEPT_LIMIT).map(str::to_owned);
    if kept.is_none() {
        let reason = format!("expected at most {KEPT_LIMIT} characters and no control characters");
        extras.leave_out(member, reason)?;
    }
    Ok(kept)
}

fn channels(sent: &Submission, extras: &mut Extras<'_>) -> Result<Vec<channel::Passed>, Failure> {
    let beyond = |channel: &SubmittedChannel| channel.index >= channel::COUNT_LIMIT;
    let end = sent.channels.iter().position(beyond);
    if end.is_some() {
        let reason = format!("expected at most {} entries", channel::COUNT_LIMIT);
        extras.leave_out(Member::Channel(channel::COUNT_LIMIT, None), reason)?;
    }
    let within = sent.channels.get(..end.unwrap_or(sent.channels.len())).unwrap_or_default();
    let rules = extras.settings.mobile.preferring(sent.client_calling_code);
    Ok(channel::read(within, &rules, extras.trace, &mut extras.warnings))
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;
    use crate::identifier::IdentifierKind;
    use crate::organisation::Documents as _;
    use crate::submission::UnknownMembers;

    fn organisation(strict_extras: bool) -> Organisation {
        Organisation {
            settings: Settings { strict_extras, ..Settings::default() },
            ..Organisation::default()
        }
    }

    fn sent() -> Submission {
        Submission { external_id: Some("A-1".to_owned()), ..Submission::default() }
    }

    fn code(sent: &Submission, strict: bool) -> Result<Registration, u32> {
        let now = "2026-01-15T05:00:00Z".parse().unwrap();
        let outcome = validate(sent, &organisation(strict), Ok(TillId(1)), now);
        outcome.outcome.map_err(|failure| failure.code.number)
    }

    #[rstest]
    #[case(Submission { fraud_status: Some("guilty".to_owned()), ..sent() }, 1061)]
    #[case(Submission { unknown: unknown(1), ..sent() }, 10001)]
    #[case(Submission { malformed: vec![malformed(Member::Gender)], ..sent() }, 10001)]
    #[case(Submission { malformed: vec![malformed(Member::CustomField(0))], ..sent() }, 10001)]
    #[case(Submission { updated_on: Some("yesterday".to_owned()), ..sent() }, 10001)]
    #[case(Submission { updated_on: Some("2026-01-16 05:00:01".to_owned()), ..sent() }, 10001)]
    #[case(Submission { channels: vec![channel(channel::COUNT_LIMIT)], ..sent() }, 10001)]
    #[case(
        Submission { kept: Kept { gender: Some("x".repeat(251)), ..Kept::default() }, ..sent() },
        10001
    )]
    #[case(
        Submission { kept: Kept { test_control_status: Some("x".to_owned()), ..Kept::default() }, ..sent() },
        1062
    )]
    fn extras_are_refused_where_they_are_strict(#[case] sent: Submission, #[case] number: u32) {
        assert_eq!(code(&sent, true).unwrap_err(), number);
        assert!(code(&sent, false).is_ok());
    }

    fn unknown(count: usize) -> UnknownMembers {
        let mut unknown = UnknownMembers::default();
        (0..count).for_each(|number| unknown.add(|| format!("x{number}")));
        unknown
    }

    fn malformed(member: Member) -> Malformed {
        Malformed { member, reason: "found a fish".to_owned() }
    }

    fn channel(index: usize) -> SubmittedChannel {
        SubmittedChannel { index, ..SubmittedChannel::default() }
    }

    fn messages(sent: &Submission, settings: Settings) -> Vec<String> {
        let organisation = Organisation { settings, ..Organisation::default() };
        let now = "2026-01-15T05:00:00Z".parse().unwrap();
        let validated = validate(sent, &organisation, Ok(TillId(1)), now).outcome.unwrap();
        let warnings = validated.warnings.iter();
        warnings.map(|warning| format!("{warning}")).collect()
    }

    #[test]
    fn names_a_bounded_number_of_unknown_members() {
        for (count, expected) in [
            (0, None),
            (1, Some("unknown member x0")),
            (2, Some("unknown members x0, x1")),
            (12, Some("unknown members x0, x1, x2, x3, x4, x5, x6, x7, x8, x9 and 2 more")),
        ] {
            let sent = Submission { unknown: unknown(count), ..sent() };
            let named = expected.map(|names| format!("91003 Validation failed: {names}."));
            let found = messages(&sent, Settings::default());
            assert_eq!(found, named.into_iter().collect::<Vec<_>>());
            let silent = Settings { warn_extras: false, ..Settings::default() };
            assert!(messages(&sent, silent).is_empty());
        }
    }

    #[rstest]
    #[case("Fraus_Suspected", "FraudStatus (unknown status Fraus_Suspected)")]
    #[case(&"x".repeat(51), "FraudStatus (unknown status)")]
    fn names_an_unknown_fraud_status(#[case] status: &str, #[case] named: &str) {
        let sent = Submission { fraud_status: Some(status.to_owned()), ..sent() };
        let expected = format!("91003 Validation failed: {named}.");
        assert_eq!(messages(&sent, Settings::default()), [expected]);
        let silent = Settings { warn_extras: false, ..Settings::default() };
        assert!(messages(&sent, silent).is_empty());
    }

    /// What a member of a wrong form leads to: a failure's code, or a warning with or without a
    /// message of its own.
    #[rstest]
    #[case(Member::Customer, Err(10001))]
    #[case(Member::Identifier(IdentifierKind::Mobile), Err(10001))]
    #[case(Member::CustomerType, Err(10001))]
    #[case(Member::Source, Err(10001))]
    #[case(Member::RegisteredOn, Err(1034))]
    #[case(Member::RegisteredTill, Err(91020))]
    #[case(Member::AssociatedTill, Err(91021))]
    #[case(Member::AccountId, Ok(true))]
    #[case(Member::UpdatedOn, Ok(true))]
    #[case(Member::FirstName, Ok(true))]
    #[case(Member::Channel(0, None), Ok(true))]
    #[case(Member::Read("card_details".into()), Ok(true))]
    #[case(Member::CustomField(0), Ok(false))]
    #[case(Member::ExtendedField(0), Ok(false))]
    #[case(Member::Subscription(0, None), Ok(false))]
    fn a_wrong_form_fails_or_warns(#[case] member: Member, #[case] expected: Result<bool, u32>) {
        let sent = Submission { malformed: vec![malformed(member.clone())], ..sent() };
        let warned = code(&sent, false).map(|registration| {
            let warning = Warning::from(codes::VALIDATION_FAILED).at(member);
            registration.warnings.contains(&warning.because("found a fish"))
        });
        assert_eq!(warned, expected);
    }

    #[test]
    fn the_first_unknown_member_is_refused() {
        let now = "2026-01-15T05:00:00Z".parse().unwrap();
        let sent = Submission { unknown: unknown(2), ..sent() };
        let validated = validate(&sent, &organisation(true), Ok(TillId(1)), now);
        let expected = Failure::because(codes::FAILED_TO_ADD, "unknown member");
        assert_eq!(validated.outcome, Err(expected.at(Member::Read("x0".into()))));
    }

    #[rstest]
    #[case(None, None, &[])]
    #[case(Some(" sdx123"), Some("SDX123"), &[])]
    #[case(Some("SDX 123"), None, &[1205])]
    fn a_referral_code_has_one_form(
        #[case] passed: Option<&str>,
        #[case] read: Option<&str>,
        #[case] warned: &[u32],
    ) {
        let sent = Submission { referral_code: passed.map(str::to_owned), ..sent() };
        let registration = code(&sent, true).unwrap();
        assert_eq!(registration.referral_code.as_deref(), read);
        let numbers: Vec<_> =
            registration.warnings.iter().map(|warning| warning.code.number).collect();
        assert_eq!(numbers, warned);
    }

    #[rstest]
    #[case(None)]
    #[case(Some("INSTORE"))]
    #[case(Some("WECHAT"))]
    #[case(Some("Mobile App"))]
    fn an_account_is_kept_where_none_is_set_up(#[case] source: Option<&str>) {
        let sent = Submission {
            source: source.map(str::to_owned),
            account_id: Some("123456".to_owned()),
            ..sent()
        };
        assert_eq!(code(&sent, true).unwrap().account_id.as_deref(), Some("123456"));
    }

    #[rstest]
    #[case::one_of_them(Some("WECHAT"), Some("a"), Ok(Some("a")))]
    #[case::another(Some("WECHAT"), Some("b"), Err(10001))]
    #[case::malformed(Some("WECHAT"), Some("\u{7}"), Err(10001))]
    #[case::out_of_use(Some("WECHAT"), Some("old"), Err(10001))]
    #[case::optional(Some("WECHAT"), None, Ok(None))]
    #[case::required(Some("LINE"), None, Err(10001))]
    #[case::of_another_source(None, Some("b"), Ok(Some("b")))]
    fn an_account_is_one_of_those_that_are_set_up(
        #[case] source: Option<&str>,
        #[case] account: Option<&str>,
        #[case] expected: Result<Option<&str>, u32>,
    ) {
        let mut organisation = organisation(true);
        for json in [
            r#"{"name":"WECHAT","accounts":[{"id":"a"},{"id":"old","is_active":false}]}"#,
            r#"{"name":"LINE","accounts":[{"id":"b"}],"requires_account":true}"#,
        ] {
            organisation.sources.put(json).unwrap();
        }
        let owned = |text: Option<&str>| text.map(str::to_owned);
        let sent = Submission { source: owned(source), account_id: owned(account), ..sent() };
        let validated =
            validate(&sent, &organisation, Ok(TillId(1)), Timestamp::UNIX_EPOCH).outcome;
        let account = validated.map(|registration| registration.account_id);
        assert_eq!(account.map_err(|failure| failure.code.number), expected.map(owned));
    }

    #[test]
    fn a_date_of_registration_has_limits() {
        let late = Submission { registered_on: Some("2027-01-01".to_owned()), ..sent() };
        assert_eq!(code(&late, false).unwrap_err(), 1034);
    }
}
