//! Each member by its own rule: a submission becomes a registration with its warnings, or the
//! failure of its item. The first rule that refuses decides, in this order: the form of the members,
//! the type, the identifiers, the tills, the dates, the rest.

use jiff::Timestamp;

use crate::codes::{self, Failure, Warning};
use crate::identifier::{Email, ExternalId, Identifiers, Mobile};
use crate::organisation::{Organisation, TillId};
use crate::profile::{
    Channel, CustomerType, FieldValue, FraudStatus, Name, Source, channel, date, field, till,
};
use crate::submission::{Submission, SubmittedChannel};

/// The longest account id, in characters.
const ACCOUNT_ID_LIMIT: usize = 250;

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
    let identifiers = identifiers(sent, organisation)?;
    let named = |name: &Option<String>, rule: fn(&str, &Organisation) -> _| {
        name.as_deref().map(|name| rule(name, organisation)).transpose()
    };
    let registered_till = named(&sent.registered_till, till::registered)?.unwrap_or(caller);
    let associated_till = named(&sent.associated_till, till::associated)?;
    let registered_at = registered_at(sent, organisation)?;
    let updated_at = updated_at(sent, organisation)?;
    let source = source(sent, organisation)?;
    let account_id = account_id(sent)?;

    let mut warnings = Vec::new();
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

fn identifiers(sent: &Submission, organisation: &Organisation) -> Result<Identifiers, Failure> {
    let settings = &organisation.settings;
    let mobile = sent.mobile.as_deref().map(|text| Mobile::parse(text, &settings.mobile));
    let email = sent.email.as_deref().map(Email::parse);
    let external_id =
        sent.external_id.as_deref().map(|text| ExternalId::parse(text, &settings.external_id));
    if mobile.is_none() && email.is_none() && external_id.is_none() {
        return Err(codes::NO_IDENTIFIER.into());
    }
    Ok(Identifiers {
        mobile: mobile.transpose()?,
        email: email.transpose()?,
        external_id: external_id.transpose()?,
    })
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
    match &sent.account_id {
        Some(text) if text.chars().count() > ACCOUNT_ID_LIMIT => {
            Err(refused("accountId has at most 250 characters"))
        }
        other => Ok(other.clone()),
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

/// The text without blanks around it; `None` where it is longer than so many characters.
fn short(text: &str, most: usize) -> Option<&str> {
    let text = text.trim();
    (text.chars().count() <= most).then_some(text)
}

fn yes(text: &str) -> bool {
    text.eq_ignore_ascii_case("true") || text == "1"
}
