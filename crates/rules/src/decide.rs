//! The pipeline: from a registration and the facts of the store to the plan that the store carries
//! out, whole or not at all.

use std::iter;

use jiff::Timestamp;

use crate::award::SideEffect;
use crate::candidates::{Candidates, wants_external_id};
use crate::card::{self, Card, CardFacts, CardRequest};
use crate::codes::{self, Failure, Warning};
use crate::coupon::Coupon;
use crate::customer::{Customer, CustomerId};
use crate::enrol;
use crate::identifier::{ExternalId, IdentifierKind, Identifiers};
use crate::join::Comer;
use crate::ledger::{Award, Ending, LedgerEntry};
use crate::merge::merge;
use crate::organisation::Organisation;
use crate::profile::{CustomerType, channel, date, field};
use crate::referral::{self, Referral, Referrer};
use crate::resolve::{Holders, Identity, required, resolve, update_identifiers};
use crate::settings::{OlderUpdate, Settings};
use crate::submission::{Kept, Member};
use crate::trace::{Step, Trace};
use crate::validate::Registration;

/// What the store knows that bears on one registration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Facts {
    /// Who holds each identifier that was passed.
    pub holders: Holders,
    /// Those customers, whole.
    pub customers: Vec<Customer>,
    /// What was awarded to them.
    pub awards: Vec<Award>,
    /// What of theirs ends, where there are several of them: they may be merged.
    pub endings: Vec<Ending>,
    /// The id for a new customer.
    pub next_id: CustomerId,
    /// The time.
    pub now: Timestamp,
    /// Who holds the referral code that was passed; `None` where nobody does, or none was passed.
    pub referrer: Option<Referrer>,
    /// What bears on the card that is called for.
    pub cards: CardFacts,
    /// What can be given to this customer alone.
    pub candidates: Candidates,
}

/// What becomes of a registration, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Decision {
    /// Who held the identifiers that were passed.
    pub holders: Holders,
    /// What was decided on the way.
    pub trace: Trace,
    /// The plan to carry out, or the refusal, of which nothing is to be stored.
    pub outcome: Result<Plan, Failure>,
}

impl From<Failure> for Decision {
    fn from(failure: Failure) -> Self {
        Self { holders: Holders::default(), trace: Trace::default(), outcome: Err(failure) }
    }
}

/// What the store is to carry out, and what the reply tells of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Plan {
    /// The customer as they are afterwards.
    pub customer: Customer,
    /// The customer as they were before; `None` is a new one.
    pub before: Option<Customer>,
    /// The customers who are merged into this one.
    pub merged: Vec<Merged>,
    /// The card that is issued to the customer.
    pub card: Option<Card>,
    /// Who referred the customer, where they enter the programme so.
    pub referral: Option<Referral>,
    /// The coupons that are given to the customer.
    pub coupons: Vec<Coupon>,
    /// What is added to the ledger.
    pub ledger: Vec<LedgerEntry>,
    /// What the registration brought about besides itself.
    pub side_effects: Vec<SideEffect>,
    /// What could not be taken as sent.
    pub warnings: Vec<Warning>,
}

/// A customer who is merged into another.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Merged {
    /// The customer into whom they are merged, as that one was just before.
    pub survivor: Customer,
    /// As they were.
    pub before: Customer,
    /// As they are afterwards, with empty balances.
    pub after: Customer,
}

impl Plan {
    /// The identifiers that the customer gains, as far as customers are found by them. What a merge
    /// brought leads to the customer already.
    pub fn gained<'a>(
        &'a self,
        settings: &'a Settings,
    ) -> impl Iterator<Item = (IdentifierKind, &'a str)> {
        let before = self.before.as_ref().map(|customer| &customer.identifiers);
        difference(&self.customer.identifiers, before, settings).filter(|(kind, key)| {
            !self.merged.iter().any(|merged| merged.before.identifiers.key(*kind) == Some(*key))
        })
    }

    /// Whether the customer gains this identifier.
    #[must_use]
    pub fn gains(&self, kind: IdentifierKind, key: &str) -> bool {
        let held = |customer: &Customer| customer.identifiers.key(kind) == Some(key);
        held(&self.customer) && !self.before.as_ref().is_some_and(held)
    }

    /// The identifiers that the customer gives up, as far as customers are found by them.
    pub fn released<'a>(
        &'a self,
        settings: &'a Settings,
    ) -> impl Iterator<Item = (IdentifierKind, &'a str)> {
        let before = self.before.iter().map(|customer| &customer.identifiers);
        before.flat_map(|before| difference(before, Some(&self.customer.identifiers), settings))
    }
}

fn difference<'a>(
    these: &'a Identifiers,
    without: Option<&'a Identifiers>,
    settings: &'a Settings,
) -> impl Iterator<Item = (IdentifierKind, &'a str)> {
    these.keys().filter(move |(kind, key)| {
        settings.identifies(*kind) && without.and_then(|set| set.key(*kind)) != Some(key)
    })
}

/// Decides what becomes of a registration.
#[must_use]
pub fn decide(organisation: &Organisation, registration: Registration, facts: &Facts) -> Decision {
    let mut trace = Trace::default();
    let (passed, settings) = (&registration.identifiers, &organisation.settings);
    let outcome = resolve(passed, &facts.holders, settings, &mut trace)
        .and_then(|identity| plan(organisation, registration, facts, identity, &mut trace));
    Decision { holders: facts.holders.clone(), trace, outcome }
}

fn plan(
    organisation: &Organisation,
    mut registration: Registration,
    facts: &Facts,
    identity: Identity,
    trace: &mut Trace,
) -> Result<Plan, Failure> {
    let settings = &organisation.settings;
    let known = identity.known.map(|id| holder(facts, id)).transpose()?;
    let makes_external_id = wants_external_id(&registration, settings, trace);
    if makes_external_id && known.is_none() {
        registration.identifiers.external_id = None;
    }
    let mut warnings = registration.warnings.clone();
    if let Some(known) = &known {
        warnings.extend(ignore_older(&mut registration, known, settings, facts.now, trace));
    }
    let mut customer = known.clone().unwrap_or_else(|| new_customer(&registration, facts));
    enrol::settle(&mut customer, organisation, facts.now);
    let merging = merge_all(&mut customer, organisation, facts, identity)?;

    // A new customer has no type yet to be converted from.
    let before_type = known.is_some().then_some(customer.customer_type);
    customer.customer_type = converted(before_type, registration.customer_type)?;
    let held = customer.identifiers.clone();
    let update = update_identifiers(
        &mut customer.identifiers,
        &registration.identifiers,
        &merging.occupied,
        &facts.holders,
        settings,
        trace,
    );
    if makes_external_id {
        make_external_id(&mut customer.identifiers, facts, trace)?;
    }
    warnings.extend(update);
    check_required(before_type, &customer, settings, &mut warnings, trace)?;
    check_contact(&customer)?;
    let Customer { channels, identifiers, source, .. } = &mut customer;
    channel::follow(channels, &held, identifiers, source, registration.channels.is_empty());
    let card = match &registration.card {
        Some(asked) => issue_card(asked, &customer, &merging.merged, organisation, facts),
        None => Ok(None),
    };
    warnings.extend(card.as_ref().err().cloned());
    let referrer =
        referral::referrer(&registration, &customer, &merging.merged, organisation, facts);
    warnings.extend(referrer.as_ref().err().cloned());
    let comer = Comer::of(&registration, before_type, referrer.unwrap_or_default());
    warnings.extend(update_profile(&mut customer, registration, facts.now));
    let joined = comer.join(&mut customer, organisation, facts, &merging.awards);
    warnings.extend(merging.warnings);
    warnings.extend(joined.warnings);
    let mut ledger = merging.ledger;
    ledger.extend(joined.ledger);
    Ok(Plan {
        customer,
        before: known,
        merged: merging.merged,
        card: card.unwrap_or_default(),
        referral: joined.referral,
        coupons: joined.coupons,
        ledger,
        side_effects: joined.side_effects,
        warnings,
    })
}

/// What merging brings about.
struct Merging {
    merged: Vec<Merged>,
    ledger: Vec<LedgerEntry>,
    /// What was awarded to anybody concerned, the survivor's with what they take over.
    awards: Vec<Award>,
    /// The kinds of identifier that are left to others.
    occupied: Vec<IdentifierKind>,
    warnings: Vec<Warning>,
}

/// Merges everybody that is to be merged. Somebody whose balances cannot be added stays who they are.
fn merge_all(
    survivor: &mut Customer,
    organisation: &Organisation,
    facts: &Facts,
    identity: Identity,
) -> Result<Merging, Failure> {
    let mut merging = Merging {
        merged: Vec::new(),
        ledger: Vec::new(),
        awards: facts.awards.clone(),
        occupied: identity.occupied,
        warnings: Vec::new(),
    };
    for id in identity.merged {
        let before = holder(facts, id)?;
        let mut after = before.clone();
        enrol::settle(&mut after, organisation, facts.now);
        let survivor_before = survivor.clone();
        if let Some(entries) = merge(survivor, &mut after, &mut merging.awards, &facts.endings) {
            merging.ledger.extend(entries);
            let [victim, into] = [before.id, survivor.id].map(|id| id.0.to_string());
            merging.warnings.push(Warning::about(codes::CUSTOMERS_MERGED, &victim, &into));
            merging.merged.push(Merged { survivor: survivor_before, before, after });
        } else {
            merging.occupied.extend(facts.holders.kinds_of(id));
            let reason = "the balances of two customers cannot be added";
            merging.warnings.push(Warning::about(codes::POINTS_NOT_ISSUED, reason, ""));
        }
    }
    Ok(merging)
}

/// Gives a customer who has no external id the one that was set aside.
fn make_external_id(
    held: &mut Identifiers,
    facts: &Facts,
    trace: &mut Trace,
) -> Result<(), Failure> {
    let is_missing = held.external_id.is_none();
    if trace.flag(is_missing, Step::ExternalIdMade, Step::ExternalIdThere) {
        let made = facts.candidates.external_id.clone();
        let none_left =
            || Failure::because(codes::FAILED_TO_ADD, "every external id that was tried is taken");
        held.external_id = Some(ExternalId::stored(made.ok_or_else(none_left)?));
    }
    Ok(())
}

/// Issues the card that is called for; whoever is merged into the customer is the customer.
fn issue_card(
    asked: &CardRequest,
    customer: &Customer,
    merged: &[Merged],
    organisation: &Organisation,
    facts: &Facts,
) -> Result<Option<Card>, Warning> {
    let victims = merged.iter().map(|merged| merged.before.id);
    let ids: Vec<CustomerId> = iter::once(customer.id).chain(victims).collect();
    let candidate = facts.candidates.card.as_deref();
    card::issue(asked, candidate, &ids, &facts.cards, organisation)
}

/// Refuses a new customer, or one who becomes a loyalty customer, without an identifier that the
/// organisation requires. A new customer whose identifier is skipped by
/// `CONFIG_SKIP_SECONDARY_ID_ON_PRIMARY_MISMATCH` is not refused: "a new customer is registered with
/// the primary identifier ignoring the secondary identifier".
fn check_required(
    before: Option<CustomerType>,
    customer: &Customer,
    settings: &Settings,
    warnings: &mut [Warning],
    trace: &mut Trace,
) -> Result<(), Failure> {
    let becomes_loyal = customer.customer_type == CustomerType::Loyalty
        && before.is_some_and(|before| before != CustomerType::Loyalty);
    if before.is_some() && !becomes_loyal {
        return Ok(());
    }
    for kind in IdentifierKind::ALL.into_iter().filter(|kind| settings.requires(*kind)) {
        if customer.identifiers.key(kind).is_some() {
            trace.add(Step::RequiredAndThere(kind));
            continue;
        }
        let member = Some(Member::Identifier(kind));
        let ignored = warnings.iter_mut().find(|warning| warning.member == member);
        let reason = match ignored {
            Some(warning) if warning.code == codes::IDENTIFIER_OCCUPIED => {
                if before.is_none() {
                    trace.add(Step::RequiredAndSkipped);
                    *warning = warning.clone().because(format!(
                        "CONFIG_SKIP_SECONDARY_ID_ON_PRIMARY_MISMATCH outranks {}",
                        Settings::name_of_requirement(kind)
                    ));
                    continue;
                }
                "the one passed belongs to another customer"
            }
            Some(_) => "the one passed is not valid",
            None => "",
        };
        trace.add(Step::RequiredAndMissing(kind));
        let code = match kind {
            IdentifierKind::Email if becomes_loyal => codes::EMAIL_NEEDED_FOR_LOYALTY,
            IdentifierKind::ExternalId if becomes_loyal => codes::EXTERNAL_ID_NEEDED_FOR_LOYALTY,
            kind => required(kind),
        };
        return Err(Failure::because(code, reason).at(Member::Identifier(kind)));
    }
    Ok(())
}

/// "No valid identifier (mobile or email) passed for non-loyalty customer."
fn check_contact(customer: &Customer) -> Result<(), Failure> {
    let Identifiers { mobile, email, .. } = &customer.identifiers;
    match customer.customer_type {
        CustomerType::NonLoyalty if mobile.is_none() && email.is_none() => {
            Err(Failure::from(codes::NON_LOYALTY_NEEDS_CONTACT).at(Member::CustomerType))
        }
        _ => Ok(()),
    }
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
        ) => Err(Failure::from(codes::LOYALTY_STAYS).at(Member::CustomerType)),
        (_, Some(asked)) => Ok(asked),
        (Some(before), None) => Ok(before),
        (None, None) => Ok(CustomerType::Loyalty),
    }
}

fn new_customer(registration: &Registration, facts: &Facts) -> Customer {
    Customer {
        id: facts.next_id,
        identifiers: Identifiers::default(),
        first_name: None,
        last_name: None,
        customer_type: CustomerType::Loyalty,
        source: registration.source.clone().unwrap_or_default(),
        account_id: registration.account_id.clone(),
        registered_at: registration.registered_at.unwrap_or(date::whole_second(facts.now)),
        updated_at: registration.updated_at.unwrap_or(date::whole_second(facts.now)),
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

/// Removes the details of a registration whose `updated_on` is before the customer's, unless
/// `OLDER_UPDATE` is APPLY. What remains fills identifiers that the customer lacks, and enrols.
///
/// An `updated_on` of the customer that lies in the future is a wrong clock, and makes nothing older.
fn ignore_older(
    registration: &mut Registration,
    known: &Customer,
    settings: &Settings,
    now: Timestamp,
    trace: &mut Trace,
) -> Option<Warning> {
    let is_older = |passed: Timestamp| passed < known.updated_at && known.updated_at <= now;
    if !registration.updated_at.is_some_and(is_older) {
        return None;
    }
    let ignores = settings.older_update == OlderUpdate::Ignore;
    if !trace.flag(ignores, Step::OlderIgnored, Step::OlderApplied) {
        return None;
    }
    let passed = registration.identifiers.clone();
    for (kind, _) in passed.keys().filter(|(kind, _)| *kind != settings.primary_key) {
        if settings.allows_update(kind) {
            registration.identifiers.take_over(kind, &known.identifiers);
        }
    }
    registration.first_name = None;
    registration.last_name = None;
    registration.associated_till = None;
    registration.fraud_status = None;
    registration.channels = Vec::new();
    registration.subscriptions = Vec::new();
    registration.kept = Kept::default();
    registration.custom_fields = Vec::new();
    registration.extended_fields = Vec::new();
    let reason = "older than the customer's: the other details are ignored, OLDER_UPDATE";
    Some(Warning::from(codes::VALIDATION_FAILED).at(Member::UpdatedOn).because(reason))
}

/// What was passed replaces what was known; what was not passed stays. Source, account, date and
/// till of registration tell of the first one, and stay. `updated_at` never goes back.
fn update_profile(
    customer: &mut Customer,
    registration: Registration,
    now: Timestamp,
) -> Vec<Warning> {
    replace(&mut customer.first_name, registration.first_name);
    replace(&mut customer.last_name, registration.last_name);
    replace(&mut customer.associated_till, registration.associated_till);
    if let Some(status) = registration.fraud_status {
        status.bring(&mut customer.fraud_status);
    }
    customer.account_id = customer.account_id.take().or(registration.account_id);
    let updated_at = registration.updated_at.unwrap_or(date::whole_second(now));
    customer.updated_at = updated_at.max(customer.updated_at);
    let warnings = channel::bring(&mut customer.channels, registration.channels, &customer.source);
    for subscription in registration.subscriptions {
        customer.subscriptions.retain(|held| !held.is(subscription));
        customer.subscriptions.push(subscription);
    }
    let Kept { gender, ndnc_status, test_control_status } = registration.kept;
    replace(&mut customer.kept.gender, gender);
    replace(&mut customer.kept.ndnc_status, ndnc_status);
    replace(&mut customer.kept.test_control_status, test_control_status);
    for value in registration.custom_fields {
        field::put(&mut customer.custom_fields, &value.name, &value.value);
    }
    for value in registration.extended_fields {
        field::put(&mut customer.extended_fields, &value.name, &value.value);
    }
    warnings
}

fn replace<T>(held: &mut Option<T>, passed: Option<T>) {
    if passed.is_some() {
        *held = passed;
    }
}
