//! Each member by its own rule: a submission becomes a registration with its warnings, or the
//! failure of its item. The first rule that refuses decides, in this order: the form of the members,
//! the type, the identifiers, the tills, the dates, the rest.

use jiff::Timestamp;
use jiff::tz::TimeZone;

use crate::attribution::PostedAs;
use crate::card::CardRequest;
use crate::codes::{self, Code, Failure, Warning};
use crate::identifier::{Email, ExternalId, IdentifierKind, Identifiers, Mobile};
use crate::organisation::{Organisation, TillId};
use crate::profile::{
    Channel, CustomerType, FieldValue, FraudStatus, Name, Source, Subscription, channel,
    custom_field, date, extended_field, short, subscription, test_control, till,
};
use crate::settings::{InvalidSecondary, Settings};
use crate::submission::{Kept, Submission};

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
    /// The till that registers: the one named, else the one as which the request is posted.
    pub registered_till: TillId,
    /// The till to associate with.
    pub associated_till: Option<TillId>,
    /// The fraud status.
    pub fraud_status: Option<FraudStatus>,
    /// The communication channels.
    pub channels: Vec<Channel>,
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

/// Applies every rule that needs no other customer.
///
/// # Errors
/// The first rule's refusal.
pub fn validate(
    sent: &Submission,
    organisation: &Organisation,
    posted_as: PostedAs,
    now: Timestamp,
) -> Result<Registration, Failure> {
    well_formed(sent)?;
    let customer_type = customer_type(sent)?;
    let mut warnings = Vec::new();
    let identifiers = identifiers(sent, &organisation.settings, &mut warnings)?;
    let registered_till = registering_till(sent, organisation, posted_as)?;
    let associated = |name| till::associated(name, organisation);
    let associated_till = sent.associated_till.as_deref().map(associated).transpose()?;
    let zone = organisation.time_zone_of(registered_till);
    let registered_at = registered_at(sent, zone, organisation, now)?;
    let updated_at = updated_at(sent, zone)?;
    let source = source(sent, organisation)?;
    let account_id = account_id(sent)?;
    let fraud_status = fraud_status(sent, organisation)?;

    let channels = channels(sent, source.as_ref(), organisation, &mut warnings)?;
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
        referral_code: sent.referral_code.clone(),
        card: CardRequest::read(sent, &mut warnings),
        kept: kept(&sent.kept, organisation)?,
        custom_fields: custom_field::read(
            &sent.custom_fields,
            &organisation.custom_fields,
            &mut warnings,
        ),
        extended_fields: extended_field::read(&sent.extended_fields, organisation, &mut warnings),
        warnings,
    })
}

/// The till that registers: the one that is named, else the one as which the request is posted.
/// Date-times that are sent and replied are local to it.
///
/// # Errors
/// 91020 when the organisation has no till of the name; else why it is posted as none.
pub fn registering_till(
    sent: &Submission,
    organisation: &Organisation,
    posted_as: PostedAs,
) -> Result<TillId, Failure> {
    let till = match &sent.registered_till {
        Some(name) => till::registered(name, organisation),
        None => posted_as,
    };
    till.map_err(Failure::from)
}

fn refused(what: &str) -> Failure {
    Failure::because(codes::FAILED_TO_ADD, what)
}

/// Members that are not known are looked for only where `STRICT_EXTRAS` refuses them.
fn well_formed(sent: &Submission) -> Result<(), Failure> {
    match (&sent.malformed, sent.unknown.first()) {
        (Some(malformed), _) => Err(refused(&malformed.to_string())),
        (None, Some(pointer)) => Err(refused(&format!("unknown member at {pointer}"))),
        (None, None) => Ok(()),
    }
}

fn customer_type(sent: &Submission) -> Result<Option<CustomerType>, Failure> {
    let Some(text) = &sent.customer_type else {
        return Ok(None);
    };
    let known = CustomerType::parse(text);
    known.map(Some).ok_or_else(|| refused("type is loyalty or non_loyalty"))
}

/// Reads each identifier. One that is invalid fails the registration, unless the organisation drops
/// such and it is neither the primary nor the only one.
fn identifiers(
    sent: &Submission,
    settings: &Settings,
    warnings: &mut Vec<Warning>,
) -> Result<Identifiers, Failure> {
    let mobile = sent.mobile.as_deref().map(|text| Mobile::parse(text, &settings.mobile));
    let email = sent.email.as_deref().map(Email::parse);
    let external_id = sent.external_id.as_deref().map(|text| {
        let used = settings.use_external_id.then_some(()).ok_or(codes::NO_EXTERNAL_IDS);
        used.and_then(|()| ExternalId::parse(text, &settings.external_id))
    });
    let any_valid = matches!(mobile, Some(Ok(_)))
        || matches!(email, Some(Ok(_)))
        || matches!(external_id, Some(Ok(_)));
    let mut dropped = |kind: IdentifierKind| {
        let may_go = settings.invalid_secondary == InvalidSecondary::Drop
            && kind != settings.primary_key
            && any_valid;
        if may_go {
            warnings.push(Warning::about(codes::VALIDATION_FAILED, kind.name(), ""));
        }
        may_go
    };
    let identifiers = Identifiers {
        mobile: valid(mobile, || dropped(IdentifierKind::Mobile))?,
        email: valid(email, || dropped(IdentifierKind::Email))?,
        external_id: valid(external_id, || dropped(IdentifierKind::ExternalId))?,
    };
    if identifiers.keys().next().is_none() {
        return Err(codes::NO_IDENTIFIER.into());
    }
    if !identifiers.keys().any(|(kind, _)| settings.identifies(kind)) {
        return Err(codes::EMAIL_NOT_ENOUGH.into());
    }
    Ok(identifiers)
}

fn valid<T>(
    read: Option<Result<T, &'static Code>>,
    dropped: impl FnOnce() -> bool,
) -> Result<Option<T>, Failure> {
    match read {
        None => Ok(None),
        Some(Ok(value)) => Ok(Some(value)),
        Some(Err(_)) if dropped() => Ok(None),
        Some(Err(code)) => Err(code.into()),
    }
}

fn registered_at(
    sent: &Submission,
    zone: &TimeZone,
    organisation: &Organisation,
    now: Timestamp,
) -> Result<Option<Timestamp>, Failure> {
    let Some(text) = &sent.registered_on else {
        return Ok(None);
    };
    Ok(Some(date::registration(text, zone, organisation, now)?))
}

fn updated_at(sent: &Submission, zone: &TimeZone) -> Result<Option<Timestamp>, Failure> {
    let Some(text) = &sent.updated_on else {
        return Ok(None);
    };
    let instant = date::parse(text, zone)
        .ok_or_else(|| refused("updated_on has the form YYYY-MM-DD HH:MM:SS"))?;
    Ok(Some(instant))
}

fn source(sent: &Submission, organisation: &Organisation) -> Result<Option<Source>, Failure> {
    let Some(text) = &sent.source else {
        return Ok(None);
    };
    let known = Source::parse(text, &organisation.settings.additional_sources)
        .ok_or_else(|| refused("source is none of INSTORE, FACEBOOK, WEB_ENGAGE, WECHAT, ECOMMERCE, WEBSITE, LINE, MOBILE_APP and the other documented ones"))?;
    Ok(Some(known))
}

/// "Unique identifier associated with the specific source or channel." The specification's sample
/// sends one with INSTORE, which has no accounts: it is kept with every source.
fn account_id(sent: &Submission) -> Result<Option<String>, Failure> {
    kept_text("accountId", sent.account_id.as_ref())
}

fn fraud_status(
    sent: &Submission,
    organisation: &Organisation,
) -> Result<Option<FraudStatus>, Failure> {
    let Some(text) = &sent.fraud_status else {
        return Ok(None);
    };
    Ok(Some(FraudStatus::parse(text, organisation.settings.strict_extras)?))
}

fn kept(sent: &Kept, organisation: &Organisation) -> Result<Kept, Failure> {
    if let Some(status) = &sent.test_control_status {
        test_control::check(status, organisation.settings.strict_extras)?;
    }
    Ok(Kept {
        gender: kept_text("gender", sent.gender.as_ref())?,
        ndnc_status: kept_text("ndnc_status", sent.ndnc_status.as_ref())?,
        test_control_status: kept_text("test_control_status", sent.test_control_status.as_ref())?,
    })
}

/// A text that is kept as it is: of limited length, and without control characters.
fn kept_text(member: &str, text: Option<&String>) -> Result<Option<String>, Failure> {
    let Some(text) = text else { return Ok(None) };
    match short(text, KEPT_LIMIT) {
        Some(text) => Ok(Some(text.to_owned())),
        None => Err(refused(&format!(
            "{member} has at most {KEPT_LIMIT} characters and no control characters"
        ))),
    }
}

fn channels(
    sent: &Submission,
    source: Option<&Source>,
    organisation: &Organisation,
    warnings: &mut Vec<Warning>,
) -> Result<Vec<Channel>, Failure> {
    if sent.channels.len() > channel::COUNT_LIMIT {
        return Err(refused("commChannels has at most 20 entries"));
    }
    let source = source.cloned().unwrap_or_default();
    Ok(channel::read(&sent.channels, &source, &organisation.settings.mobile, warnings))
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;
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
        outcome.map_err(|failure| failure.code.number)
    }

    #[rstest]
    #[case(Submission { fraud_status: Some("guilty".to_owned()), ..sent() }, 1061)]
    #[case(Submission { unknown: vec!["/root/customer/0/x".to_owned()], ..sent() }, 10001)]
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
        let unknown = ["/root/customer/0/x", "/root/customer/0/y"].map(str::to_owned).to_vec();
        let now = "2026-01-15T05:00:00Z".parse().unwrap();
        let sent = Submission { unknown, ..sent() };
        let failure = validate(&sent, &organisation(true), Ok(TillId(1)), now).unwrap_err();
        assert_eq!(failure.message, "Failed to add customer: unknown member at /root/customer/0/x");
    }

    #[rstest]
    #[case(None)]
    #[case(Some("INSTORE"))]
    #[case(Some("WECHAT"))]
    #[case(Some("Mobile App"))]
    fn an_account_is_kept_with_every_source(#[case] source: Option<&str>) {
        let sent = Submission {
            source: source.map(str::to_owned),
            account_id: Some("123456".to_owned()),
            ..sent()
        };
        assert_eq!(code(&sent, true).unwrap().account_id.as_deref(), Some("123456"));
    }

    #[test]
    fn a_date_of_registration_has_limits() {
        let late = Submission { registered_on: Some("2027-01-01".to_owned()), ..sent() };
        assert_eq!(code(&late, false).unwrap_err(), 1034);
    }
}
