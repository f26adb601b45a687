//! Each member by its own rule: a submission becomes a registration with its warnings, or the
//! failure of its item. The first rule that refuses decides, in this order: the form of the members,
//! the type, the identifiers, the tills, the dates, the rest.

use jiff::Timestamp;

use crate::codes::{self, Code, Failure, Warning};
use crate::identifier::{Email, ExternalId, IdentifierKind, Identifiers, Mobile};
use crate::organisation::{Organisation, TillId};
use crate::profile::{
    Channel, CustomerType, FieldValue, FraudStatus, Name, Source, Subscription, channel, date,
    field, till,
};
use crate::settings::{InvalidSecondary, Settings};
use crate::submission::{Kept, Submission, SubmittedChannel};

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
    /// The till that registers: the one named, else the caller's.
    pub registered_till: TillId,
    /// The till to associate with.
    pub associated_till: Option<TillId>,
    /// The fraud status.
    pub fraud_status: Option<FraudStatus>,
    /// The communication channels.
    pub channels: Vec<Channel>,
    /// The subscriptions that were accepted.
    pub subscriptions: Vec<Subscription>,
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
    caller: TillId,
) -> Result<Registration, Failure> {
    if let Some(malformed) = &sent.malformed {
        return Err(Failure::because(codes::FAILED_TO_ADD, &malformed.to_string()));
    }
    let customer_type = customer_type(sent)?;
    let mut warnings = Vec::new();
    let identifiers = identifiers(sent, &organisation.settings, &mut warnings)?;
    let named = |name: &Option<String>, rule: fn(&str, &Organisation) -> _| {
        name.as_deref().map(|name| rule(name, organisation)).transpose()
    };
    let registered_till = named(&sent.registered_till, till::registered)?.unwrap_or(caller);
    let associated_till = named(&sent.associated_till, till::associated)?;
    let registered_at = registered_at(sent, organisation)?;
    let updated_at = updated_at(sent, organisation)?;
    let source = source(sent, organisation)?;
    let account_id = account_id(sent)?;

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
        fraud_status: sent.fraud_status.as_deref().map(FraudStatus::parse),
        channels: channels(&sent.channels)?,
        subscriptions: Vec::new(),
        kept: kept(&sent.kept)?,
        custom_fields: field::custom(
            &sent.custom_fields,
            &organisation.custom_fields,
            &mut warnings,
        ),
        extended_fields: field::extended(
            &sent.extended_fields,
            &organisation.extended_fields,
            &mut warnings,
        ),
        warnings,
    })
}

fn refused(what: &str) -> Failure {
    Failure::because(codes::FAILED_TO_ADD, what)
}

fn customer_type(sent: &Submission) -> Result<Option<CustomerType>, Failure> {
    let Some(text) = &sent.customer_type else {
        return Ok(None);
    };
    let known =
        CustomerType::parse(text).ok_or_else(|| refused("type is loyalty or non_loyalty"))?;
    if known == CustomerType::NonLoyalty && sent.mobile.is_none() && sent.email.is_none() {
        return Err(codes::NON_LOYALTY_NEEDS_CONTACT.into());
    }
    Ok(Some(known))
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
    organisation: &Organisation,
) -> Result<Option<Timestamp>, Failure> {
    let Some(text) = &sent.registered_on else {
        return Ok(None);
    };
    let instant = date::parse(text, &organisation.zone).ok_or(codes::DATE_OUT_OF_RANGE)?;
    Ok(Some(instant))
}

fn updated_at(
    sent: &Submission,
    organisation: &Organisation,
) -> Result<Option<Timestamp>, Failure> {
    let Some(text) = &sent.updated_on else {
        return Ok(None);
    };
    let instant = date::parse(text, &organisation.zone)
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

fn account_id(sent: &Submission) -> Result<Option<String>, Failure> {
    kept_text("accountId", sent.account_id.as_ref())
}

fn kept(sent: &Kept) -> Result<Kept, Failure> {
    Ok(Kept {
        referral_code: kept_text("referral_code", sent.referral_code.as_ref())?,
        card_number: kept_text("card_number", sent.card_number.as_ref())?,
        card_series: kept_text("series_code", sent.card_series.as_ref())?,
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

fn channels(sent: &[SubmittedChannel]) -> Result<Vec<Channel>, Failure> {
    if sent.len() > channel::COUNT_LIMIT {
        return Err(refused("commChannels has at most 20 entries"));
    }
    Ok(sent.iter().filter_map(read_channel).collect())
}

fn read_channel(sent: &SubmittedChannel) -> Option<Channel> {
    let says_yes = |text: &Option<String>| text.as_deref().is_some_and(yes);
    Some(Channel {
        kind: short(sent.kind.as_deref()?, channel::KIND_LIMIT)?.to_lowercase(),
        value: short(sent.value.as_deref()?, channel::VALUE_LIMIT)?.to_owned(),
        primary: says_yes(&sent.primary),
        verified: says_yes(&sent.verified),
        residence: sent.residence.as_deref().map(yes),
    })
}

/// The text without blanks around it; `None` where it is longer than so many characters or holds a
/// control character.
fn short(text: &str, most: usize) -> Option<&str> {
    let text = text.trim();
    (text.chars().count() <= most && !text.contains(char::is_control)).then_some(text)
}

fn yes(text: &str) -> bool {
    text.eq_ignore_ascii_case("true") || text == "1"
}
