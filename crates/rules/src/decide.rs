//! The pipeline: from a registration and the facts of the store to the plan that the store carries
//! out, whole or not at all.

use jiff::Timestamp;

use crate::award::{self, LedgerEntry, SideEffect};
use crate::codes::{self, Failure, Warning};
use crate::customer::{Customer, CustomerId};
use crate::enrol::enrol;
use crate::identifier::{IdentifierKind, Identifiers};
use crate::organisation::Organisation;
use crate::profile::{CustomerType, channel, field};
use crate::resolve::{Holders, resolve, update_identifiers};
use crate::submission::Kept;
use crate::validate::Registration;

/// What the store knows that bears on one registration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Facts {
    /// Who holds each identifier that was passed.
    pub holders: Holders,
    /// Those customers, whole.
    pub customers: Vec<Customer>,
    /// The id for a new customer.
    pub next_id: CustomerId,
    /// The time.
    pub now: Timestamp,
}

/// What the store is to carry out, and what the reply tells of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Plan {
    /// The customer as they are afterwards.
    pub customer: Customer,
    /// The customer as they were before; `None` is a new one.
    pub before: Option<Customer>,
    /// What is added to the ledger.
    pub ledger: Vec<LedgerEntry>,
    /// What the registration brought about besides itself.
    pub side_effects: Vec<SideEffect>,
    /// What could not be taken as sent.
    pub warnings: Vec<Warning>,
}

impl Plan {
    /// The identifiers that the customer gains.
    pub fn gained(&self) -> impl Iterator<Item = (IdentifierKind, &str)> {
        let before = self.before.as_ref().map(|customer| &customer.identifiers);
        difference(&self.customer.identifiers, before)
    }

    /// The identifiers that the customer gives up.
    pub fn released(&self) -> impl Iterator<Item = (IdentifierKind, &str)> {
        let before = self.before.iter().map(|customer| &customer.identifiers);
        before.flat_map(|before| difference(before, Some(&self.customer.identifiers)))
    }
}

fn difference<'a>(
    these: &'a Identifiers,
    without: Option<&'a Identifiers>,
) -> impl Iterator<Item = (IdentifierKind, &'a str)> {
    these.keys().filter(move |(kind, key)| without.and_then(|set| set.key(*kind)) != Some(key))
}

/// Decides what becomes of a registration.
///
/// # Errors
/// The refusal of the item; nothing of it is to be stored.
pub fn decide(
    organisation: &Organisation,
    registration: Registration,
    facts: &Facts,
) -> Result<Plan, Failure> {
    let settings = &organisation.settings;
    let resolution = resolve(&registration.identifiers, &facts.holders, settings)?;
    let known = resolution.known.map(|id| holder(facts, id)).transpose()?;
    let before_type = known.as_ref().map(|customer| customer.customer_type);
    let customer_type = converted(before_type, registration.customer_type)?;

    let mut warnings = registration.warnings.clone();
    let mut customer =
        known.clone().unwrap_or_else(|| new_customer(&registration, customer_type, facts));
    warnings.extend(update_identifiers(
        &mut customer.identifiers,
        &registration.identifiers,
        &resolution.occupied,
        settings,
    ));
    customer.customer_type = customer_type;
    if known.is_none() && registration.channels.is_empty() {
        customer.channels = channel::following(&customer.identifiers, &customer.source);
    }
    warnings.extend(update_profile(&mut customer, registration, facts.now));
    let (ledger, side_effects) = become_loyal(&mut customer, organisation);
    Ok(Plan { customer, before: known, ledger, side_effects, warnings })
}

/// The store hands over every holder, so a missing one is a fault of the store, not of the caller.
fn holder(facts: &Facts, id: CustomerId) -> Result<Customer, Failure> {
    let found = facts.customers.iter().find(|customer| customer.id == id);
    found.cloned().ok_or_else(|| codes::UNEXPECTED_ITEM.into())
}

/// The type afterwards: loyalty unless asked otherwise; whoever is a loyalty customer stays one.
fn converted(
    before: Option<CustomerType>,
    asked: Option<CustomerType>,
) -> Result<CustomerType, Failure> {
    match (before, asked) {
        (
            Some(CustomerType::Loyalty),
            Some(CustomerType::NonLoyalty | CustomerType::NotInterested),
        ) => Err(codes::LOYALTY_STAYS.into()),
        (_, Some(asked)) => Ok(asked),
        (Some(before), None) => Ok(before),
        (None, None) => Ok(CustomerType::Loyalty),
    }
}

fn new_customer(
    registration: &Registration,
    customer_type: CustomerType,
    facts: &Facts,
) -> Customer {
    Customer {
        id: facts.next_id,
        identifiers: Identifiers::default(),
        first_name: None,
        last_name: None,
        customer_type,
        source: registration.source.clone().unwrap_or_default(),
        account_id: registration.account_id.clone(),
        registered_at: registration.registered_at.unwrap_or(facts.now),
        updated_at: facts.now,
        registered_till: registration.registered_till,
        associated_till: None,
        fraud_status: None,
        channels: Vec::new(),
        subscriptions: Vec::new(),
        kept: Kept::default(),
        custom_fields: Vec::new(),
        extended_fields: Vec::new(),
        enrolments: Vec::new(),
    }
}

/// What was passed replaces what was known; what was not passed stays.
fn update_profile(
    customer: &mut Customer,
    registration: Registration,
    now: Timestamp,
) -> Option<Warning> {
    replace(&mut customer.first_name, registration.first_name);
    replace(&mut customer.last_name, registration.last_name);
    replace(&mut customer.associated_till, registration.associated_till);
    replace(&mut customer.fraud_status, registration.fraud_status);
    customer.updated_at = registration.updated_at.unwrap_or(now);
    let left_out = channel::put_all(&mut customer.channels, registration.channels);
    let warning = Warning::about(codes::VALIDATION_FAILED, "commChannels", "");
    for subscription in registration.subscriptions {
        customer.subscriptions.retain(|held| {
            (held.channel, held.priority) != (subscription.channel, subscription.priority)
        });
        customer.subscriptions.push(subscription);
    }
    let Kept { referral_code, card_number, card_series, gender, ndnc_status, test_control_status } =
        registration.kept;
    replace(&mut customer.kept.referral_code, referral_code);
    replace(&mut customer.kept.card_number, card_number);
    replace(&mut customer.kept.card_series, card_series);
    replace(&mut customer.kept.gender, gender);
    replace(&mut customer.kept.ndnc_status, ndnc_status);
    replace(&mut customer.kept.test_control_status, test_control_status);
    for value in registration.custom_fields {
        field::put(&mut customer.custom_fields, &value.name, &value.value);
    }
    for value in registration.extended_fields {
        field::put(&mut customer.extended_fields, &value.name, &value.value);
    }
    (left_out > 0).then_some(warning)
}

fn replace<T>(held: &mut Option<T>, passed: Option<T>) {
    if passed.is_some() {
        *held = passed;
    }
}

/// Enrols a loyalty customer who is not enrolled yet in the default programme, and awards what
/// registration earns there.
fn become_loyal(
    customer: &mut Customer,
    organisation: &Organisation,
) -> (Vec<LedgerEntry>, Vec<SideEffect>) {
    let programme = match organisation.default_programme() {
        Some(programme)
            if customer.customer_type == CustomerType::Loyalty
                && !customer.enrolments.iter().any(|held| held.programme == programme.id) =>
        {
            programme
        }
        _ => return Default::default(),
    };
    let mut enrolment = enrol(programme, customer.registered_at, &organisation.zone);
    let awarded = award::registration(programme, &mut enrolment);
    customer.enrolments.push(enrolment);
    awarded
}
