//! Registration: load the facts, decide, apply the plan.

use jiff::Timestamp;
use patron_rules::audit::{Origin, changes};
use patron_rules::card::CardFacts;
use patron_rules::codes::{self, Failure};
use patron_rules::customer::Customer;
use patron_rules::decide::{Decision, Facts, Plan, decide};
use patron_rules::referral::Referral;
use patron_rules::resolve::{Holder, Holders};
use patron_rules::validate::Registration;
use tracing::trace_span;

use super::candidates::SetAside;
use super::writer::Writing;
use super::{audit, cards, coupons, customer, enrolment, ledger, recent, referrals, shared_email};
use crate::rows::kind_number;
use crate::{Error, Found, Lookup, STAGES, Tenant};

/// Registers one after the other; a fault with one of them leaves the others.
pub(super) fn register(
    writing: &mut Writing<'_>,
    tenant: &Tenant,
    registrations: &[Registration],
    origin: &Origin,
    now: Timestamp,
) -> Result<Vec<Decision>, Error> {
    let mut decisions = Vec::with_capacity(registrations.len());
    for registration in registrations {
        let attempted =
            writing.attempt(|writing| register_one(writing, tenant, registration, origin, now));
        decisions.push(match attempted {
            Ok(decision) => decision,
            Err(error) if writing.is_over() => return Err(error),
            Err(error) => {
                tracing::error!(error = error.chain(), "a customer could not be written");
                Failure::from(codes::UNEXPECTED_ITEM).into()
            }
        });
    }
    Ok(decisions)
}

fn register_one(
    writing: &mut Writing<'_>,
    tenant: &Tenant,
    registration: &Registration,
    origin: &Origin,
    now: Timestamp,
) -> Result<Decision, Error> {
    let loading = trace_span!(target: STAGES, "load").entered();
    let set_aside = SetAside::load(writing, tenant, registration)?;
    let facts = load(writing, tenant, registration, &set_aside, now)?;
    drop(loading);
    let decision = trace_span!(target: STAGES, "decide")
        .in_scope(|| decide(tenant.organisation(), registration.clone(), &facts));
    if let Ok(plan) = &decision.outcome {
        let _applying = trace_span!(target: STAGES, "apply").entered();
        apply(writing, tenant, plan, origin, now)?;
        set_aside.issue(writing.connection, tenant, plan)?;
        if plan.before.is_none() {
            writing.ids.give(tenant.id);
        }
    }
    Ok(decision)
}

fn load(
    writing: &mut Writing<'_>,
    tenant: &Tenant,
    registration: &Registration,
    set_aside: &SetAside,
    now: Timestamp,
) -> Result<Facts, Error> {
    let settings = &tenant.organisation().settings;
    let mut holders = Holders::default();
    let mut customers: Vec<Customer> = Vec::new();
    let mut awards = Vec::new();
    let passed = registration.identifiers.keys();
    for (kind, key) in passed.filter(|(kind, _)| settings.identifies(*kind)) {
        let by = Lookup::Identifier(kind, key.to_owned());
        let Some(found) = customer::find(writing.connection, writing.recent, tenant.id, &by)?
        else {
            continue;
        };
        let Found { customer, through_merge } = found;
        holders.add(Holder { kind, customer: customer.id, through_merge });
        if !customers.iter().any(|known| known.id == customer.id) {
            awards.extend(ledger::awards(writing.connection, tenant.id, customer.id)?);
            customers.push(customer);
        }
    }
    let mut endings = Vec::new();
    if settings.merge && customers.len() > 1 {
        for customer in &customers {
            endings.extend(ledger::endings(writing.connection, tenant.id, customer.id)?);
        }
    }
    let cards = match &registration.card {
        Some(asked) => cards::facts(writing.connection, tenant.id, asked, &customers)?,
        None => CardFacts::default(),
    };
    let referrer = match &registration.referral_code {
        Some(code) => referrals::referrer(writing.connection, tenant.id, code)?,
        None => None,
    };
    let next_id = writing.ids.next(writing.connection, tenant.id)?;
    Ok(Facts {
        holders,
        customers,
        awards,
        endings,
        next_id,
        now,
        referrer,
        cards,
        candidates: set_aside.candidates(),
    })
}

fn apply(
    writing: &mut Writing<'_>,
    tenant: &Tenant,
    plan: &Plan,
    origin: &Origin,
    now: Timestamp,
) -> Result<(), Error> {
    let recent = identify(writing, tenant, plan)?;
    let connection = writing.connection;
    for merged in &plan.merged {
        customer::save_merged(connection, tenant.id, merged, plan, now)?;
    }
    customer::save(connection, tenant.id, &plan.customer, plan.before.as_ref(), recent)?;
    shared_email::apply(connection, tenant.id, plan, &tenant.organisation().settings)?;
    if let Some(card) = &plan.card {
        cards::insert(connection, tenant.id, card, now)?;
    }
    for coupon in &plan.coupons {
        coupons::insert(connection, tenant.id, plan.customer.id, coupon, now)?;
    }
    if let Some(Referral { referrer, reward }) = &plan.referral {
        referrals::count(connection, tenant.id, &referrer.code.code)?;
        if let Some(enrolment) = reward {
            enrolment::save(connection, tenant.id, referrer.customer.id, enrolment)?;
        }
    }
    for entry in &plan.ledger {
        ledger::enter(connection, tenant.id, entry, now)?;
    }
    for changes in changes(plan, tenant.organisation()) {
        let is_new = plan.before.is_none() && changes.customer == plan.customer.id;
        audit::append(connection, tenant.id, &changes, is_new, origin, now)?;
    }
    Ok(())
}

/// Gives the customer the identifiers they gain, and takes those from them that they give up. Those
/// of a new customer are recent: returns the bits that their row is to tell it by.
fn identify(writing: &mut Writing<'_>, tenant: &Tenant, plan: &Plan) -> Result<i64, Error> {
    let settings = &tenant.organisation().settings;
    let connection = writing.connection;
    let rewritten = plan.before.iter().chain(plan.merged.iter().map(|merged| &merged.before));
    for customer in rewritten {
        writing.recent.settle(connection, tenant.id, customer.id, &customer.identifiers)?;
    }
    for (kind, key) in plan.released(settings) {
        connection
            .prepare_cached(
                "DELETE FROM identifier WHERE organisation_id = ?1 AND kind = ?2 AND value = ?3",
            )?
            .execute((tenant.id.0, kind_number(kind), key))?;
    }
    let mut recent = 0;
    for (kind, key) in plan.gained(settings) {
        if plan.before.is_none() {
            writing.recent.gain(tenant.id, kind, key, plan.customer.id);
            recent |= recent::bit(kind);
        } else {
            connection
                .prepare_cached(
                    "INSERT INTO identifier (organisation_id, kind, value, customer_id)
                     VALUES (?1, ?2, ?3, ?4)",
                )?
                .execute((tenant.id.0, kind_number(kind), key, plan.customer.id.0))?;
        }
    }
    Ok(recent)
}
