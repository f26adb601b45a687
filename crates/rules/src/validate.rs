//! Each member by its own rule: a submission becomes a registration with its warnings, or the
//! failure of its item. The first rule that refuses decides, in this order: the form of the members,
//! the type, the identifiers, the tills, the dates, the rest.

use std::borrow::Cow;

use jiff::Timestamp;
use jiff::tz::TimeZone;

use crate::attribution::PostedAs;
use crate::card::CardRequest;
use crate::codes::{self, Failure, Warning};
use crate::identifier::Identifiers;
use crate::identifier::passed::Passed;
use crate::organisation::{Organisation, TillId};
use crate::profile::{
    CustomerType, FieldValue, FraudStatus, Name, Source, Subscription, channel, custom_field, date,
    extended_field, short, subscription, test_control, till,
};
use crate::random_code;
use crate::referral;
use crate::submission::{Kept, Malformed, Member, Submission};
use crate::text;
use crate::trace::{Step, Trace};

/// The longest text that is kept as it is, in characters.
const KEPT_LIMIT: usize = 250;

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
    let passed = Passed::read(sent, &organisation.settings, &mut trace);
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
    well_formed(sent, trace)?;
    let customer_type = customer_type(sent)?;
    let mut warnings = Vec::new();
    let identifiers = passed.checked(&organisation.settings, trace, &mut warnings)?;
    let registered_till = registered_till(sent, organisation, posted_as)?;
    let associated_till = associated_till(sent, organisation)?;
    let zone = organisation.time_zone_of(registered_till);
    let registered_at = registered_at(sent, zone, organisation, now, trace)?;
    let updated_at = updated_at(sent, zone)?;
    let source = source(sent, organisation, trace)?;
    let account_id = account_id(sent, source.as_ref(), organisation, trace)?;
    let fraud_status = fraud_status(sent, organisation, trace)?;
    let channels = channels(sent, organisation, &mut warnings)?;
    Ok(Registration {
        identifiers,
        first_name: sent.first_name.as_deref().and_then(Name::parse),
        last_name: sent.last_name.as_deref().and_then(Name::parse),
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
        kept: kept(&sent.kept, organisation, trace)?,
        custom_fields: custom_field::read(
            &sent.custom_fields,
            &organisation.custom_fields,
            &mut warnings,
        ),
        extended_fields: extended_field::read(&sent.extended_fields, organisation, &mut warnings),
        warnings,
    })
}

fn refused(member: Member, reason: impl Into<Cow<'static, str>>) -> Failure {
    Failure::because(codes::FAILED_TO_ADD, reason).at(member)
}

/// Members that are not known are looked for only where `STRICT_EXTRAS` refuses them.
fn well_formed(sent: &Submission, trace: &mut Trace) -> Result<(), Failure> {
    if let Some(Malformed { member, reason }) = &sent.malformed {
        return Err(refused(member.clone(), reason.clone()));
    }
    let Some(unknown) = sent.unknown.first() else { return Ok(()) };
    trace.add(Step::ExtraRefused);
    Err(refused(unknown.clone(), "unknown member"))
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
    date.map(Some).map_err(|code| Failure::from(code).at(Member::RegisteredOn))
}

fn updated_at(sent: &Submission, zone: &TimeZone) -> Result<Option<Timestamp>, Failure> {
    let Some(text) = &sent.updated_on else {
        return Ok(None);
    };
    let instant = date::parse(text, zone);
    instant
        .map(Some)
        .ok_or_else(|| refused(Member::UpdatedOn, "expected YYYY-MM-DD HH:MM:SS before 9999-12-30"))
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
    trace: &mut Trace,
) -> Result<Option<String>, Failure> {
    let account = kept_text(sent.account_id.as_ref(), Member::AccountId)?;
    let set_up = source.and_then(|source| organisation.sources.named(source.name()));
    let Some(source) = set_up.filter(|source| !source.accounts.is_empty()) else {
        return Ok(account);
    };
    match &account {
        Some(id) if source.has_account(id) => trace.add(Step::AccountKnown),
        Some(_) => {
            trace.add(Step::AccountUnknown);
            return Err(refused(Member::AccountId, "no account in use of the source"));
        }
        None if source.requires_account => {
            trace.add(Step::AccountMissing);
            return Err(refused(Member::AccountId, "expected one of the source's accounts"));
        }
        None => {}
    }
    Ok(account)
}

fn fraud_status(
    sent: &Submission,
    organisation: &Organisation,
    trace: &mut Trace,
) -> Result<Option<FraudStatus>, Failure> {
    let Some(text) = &sent.fraud_status else {
        return Ok(None);
    };
    let status = FraudStatus::parse(text);
    if !status.is_listed() && extra_is_refused(organisation, trace) {
        return Err(Failure::from(codes::INVALID_FRAUD_STATUS).at(Member::FraudStatus));
    }
    Ok(Some(status))
}

fn extra_is_refused(organisation: &Organisation, trace: &mut Trace) -> bool {
    trace.flag(organisation.settings.strict_extras, Step::ExtraRefused, Step::ExtraTaken)
}

fn kept(sent: &Kept, organisation: &Organisation, trace: &mut Trace) -> Result<Kept, Failure> {
    let unknown = |status: &String| !test_control::is_known(status);
    if sent.test_control_status.as_ref().is_some_and(unknown)
        && extra_is_refused(organisation, trace)
    {
        let failure = Failure::from(codes::INVALID_TEST_CONTROL_STATUS);
        return Err(failure.at(Member::TestControlStatus));
    }
    Ok(Kept {
        gender: kept_text(sent.gender.as_ref(), Member::Gender)?,
        ndnc_status: kept_text(sent.ndnc_status.as_ref(), Member::NdncStatus)?,
        test_control_status: kept_text(
            sent.test_control_status.as_ref(),
            Member::TestControlStatus,
        )?,
    })
}

/// A text that is kept as it is: of limited length, and without control characters.
fn kept_text(text: Option<&String>, member: Member) -> Result<Option<String>, Failure> {
    let Some(text) = text else { return Ok(None) };
    let kept = short(&text::canonical(text), KEPT_LIMIT).map(str::to_owned);
    kept.map(Some).ok_or_else(|| {
        let reason = format!("expected at most {KEPT_LIMIT} characters and no control characters");
        refused(member, reason)
    })
}

fn channels(
    sent: &Submission,
    organisation: &Organisation,
    warnings: &mut Vec<Warning>,
) -> Result<Vec<channel::Passed>, Failure> {
    if sent.channels.len() > channel::COUNT_LIMIT {
        let reason = format!("expected at most {} entries", channel::COUNT_LIMIT);
        return Err(refused(Member::Channel(channel::COUNT_LIMIT, None), reason));
    }
    Ok(channel::read(&sent.channels, &organisation.settings.mobile, warnings))
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;
    use crate::organisation::Documents as _;
    use crate::settings::Settings;

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
    #[case(Submission { unknown: vec![Member::Read("x".into())], ..sent() }, 10001)]
    #[case(
        Submission { kept: Kept { test_control_status: Some("x".to_owned()), ..Kept::default() }, ..sent() },
        1062
    )]
    fn extras_are_refused_where_they_are_strict(#[case] sent: Submission, #[case] number: u32) {
        assert_eq!(code(&sent, true).unwrap_err(), number);
        let lenient = Submission { unknown: Vec::new(), ..sent };
        assert!(code(&lenient, false).is_ok());
    }

    #[test]
    fn the_first_unknown_member_is_named() {
        let unknown = ["x", "y"].map(|name| Member::Read(name.into())).to_vec();
        let now = "2026-01-15T05:00:00Z".parse().unwrap();
        let sent = Submission { unknown, ..sent() };
        let validated = validate(&sent, &organisation(true), Ok(TillId(1)), now);
        let expected = Failure::because(codes::FAILED_TO_ADD, "unknown member");
        assert_eq!(validated.outcome, Err(expected.at(Member::Read("x".into()))));
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
