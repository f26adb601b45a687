//! Registration: load the facts, decide, apply the plan; on what a transaction knows.

use std::collections::BTreeSet;

use jiff::Timestamp;
use patron_rules::audit::{ChangeSet, Origin, changes};
use patron_rules::card::{Card, CardFacts, CardRequest};
use patron_rules::codes::{self, Failure};
use patron_rules::customer::{Customer, CustomerId, Enrolment};
use patron_rules::decide::{Decision, Facts, Plan, decide};
use patron_rules::ledger::Ending;
use patron_rules::referral::Referral;
use patron_rules::resolve::{Holder, Holders};
use patron_rules::settings::Settings;
use patron_rules::validate::Registration;
use tracing::trace_span;

use super::candidates::SetAside;
use super::failure::{is_about_others, is_of_the_database};
use super::flush::{AuditRow, MergeRow};
use super::random::Randomness;
use super::working::{Holder as Holdings, Key, Known, Working, key};
use crate::rows::audit::caller_columns;
use crate::rows::customer::snapshot;
use crate::rows::ledger::read_entry;
use crate::rows::{Row as _, to_json};
use crate::{Error, Found, STAGES, Tenant, rows};

/// The identifiers that registrations pass, as far as customers are found by them.
pub(super) fn keys<'a>(
    registrations: impl IntoIterator<Item = &'a Registration>,
    settings: &Settings,
) -> BTreeSet<Key> {
    let passed = registrations.into_iter().flat_map(|registration| registration.identifiers.keys());
    let passed = passed.filter(|(kind, _)| settings.identifies(*kind));
    passed.map(|(kind, value)| key(kind, value)).collect()
}

/// Registers one; whatever the database refuses fails the transaction, and everything else this
/// registration alone.
pub(super) async fn register(
    working: &mut Working,
    tenant: &Tenant,
    registration: &Registration,
    origin: &Origin,
    now: Timestamp,
    random: &Randomness,
) -> Result<Decision, Error> {
    match register_one(working, tenant, registration, origin, now, random).await {
        Err(error) if !is_of_the_database(&error) && !is_about_others(&error) => {
            tracing::error!(error = error.chain(), "a customer could not be written");
            Ok(Failure::from(codes::UNEXPECTED_ITEM).into())
        }
        other => other,
    }
}

async fn register_one(
    working: &mut Working,
    tenant: &Tenant,
    registration: &Registration,
    origin: &Origin,
    now: Timestamp,
    random: &Randomness,
) -> Result<Decision, Error> {
    let set_aside = SetAside::load(working, tenant, registration, random).await?;
    let facts = load(working, tenant, registration, &set_aside, now).await?;
    let decision = trace_span!(target: STAGES, "decide")
        .in_scope(|| decide(tenant.organisation(), registration.clone(), &facts));
    if let Ok(plan) = &decision.outcome {
        let _applying = trace_span!(target: STAGES, "apply").entered();
        working.apply(tenant, plan, origin, now.as_millisecond())?;
        set_aside.issue(working, plan)?;
    }
    Ok(decision)
}

async fn load(
    working: &mut Working,
    tenant: &Tenant,
    registration: &Registration,
    set_aside: &SetAside,
    now: Timestamp,
) -> Result<Facts, Error> {
    let settings = &tenant.organisation().settings;
    let mut holders = Holders::default();
    let mut customers: Vec<Customer> = Vec::new();
    let mut awards = Vec::new();
    for (kind, value) in registration.identifiers.keys() {
        if !settings.identifies(kind) {
            continue;
        }
        let Some(Found { customer, through_merge }) = working.find(kind, value).await? else {
            continue;
        };
        holders.add(Holder { kind, customer: customer.id, through_merge });
        if !customers.iter().any(|known| known.id == customer.id) {
            awards.extend(working.known(customer.id)?.awards.iter().cloned());
            customers.push(customer);
        }
    }
    let endings = if settings.merge && customers.len() > 1 {
        working.endings(&customers).await?
    } else {
        Vec::new()
    };
    let cards = match &registration.card {
        Some(asked) => working.card_facts(asked, &customers).await?,
        None => CardFacts::default(),
    };
    let referrer = match &registration.referral_code {
        Some(code) => working.referrer(code).await?,
        None => None,
    };
    let next_id = working.ids.first().copied().ok_or(Error::Overloaded)?;
    let candidates = set_aside.candidates();
    Ok(Facts { holders, customers, awards, endings, next_id, now, referrer, cards, candidates })
}

impl Working {
    /// Notes what a plan changes at this time.
    fn apply(
        &mut self,
        tenant: &Tenant,
        plan: &Plan,
        origin: &Origin,
        at: i64,
    ) -> Result<(), Error> {
        let settings = &tenant.organisation().settings;
        for (kind, value) in plan.released(settings) {
            // One that was not passed was not looked for, but it is the customer's.
            let stored = Some(plan.customer.id);
            let holder = self.holders.entry(key(kind, value));
            holder.or_insert(Holdings { stored, now: None }).now = None;
        }
        for (kind, value) in plan.gained(settings) {
            self.holders.entry(key(kind, value)).or_default().now = Some(plan.customer.id);
        }
        for merged in &plan.merged {
            let (victim, survivor) = (merged.before.id, plan.customer.id);
            self.changes.merges.push(MergeRow {
                at,
                victim,
                survivor,
                victim_before: snapshot(&merged.before).to_string(),
                survivor_before: snapshot(&merged.survivor).to_string(),
            });
            self.known_mut(victim)?.customer = merged.after.clone();
        }
        self.save(plan);
        self.share_email(plan, settings);
        self.changes.cards.extend(plan.card.clone().map(|card| (at, card)));
        for coupon in &plan.coupons {
            self.coupon_codes.insert(coupon.code.clone());
            self.changes.coupons.push((at, plan.customer.id, coupon.clone()));
        }
        if let Some(referral) = &plan.referral {
            self.refer(referral)?;
        }
        for entry in &plan.ledger {
            self.enter(entry.clone(), at);
        }
        for changes in changes(plan, tenant.organisation()) {
            self.append(&changes, origin, at)?;
        }
        for merged in &plan.merged {
            self.merge(merged.before.id, plan.customer.id);
        }
        Ok(())
    }

    fn save(&mut self, plan: &Plan) {
        let customer = &plan.customer;
        if plan.before.is_none() {
            self.ids.remove(&customer.id);
        }
        let known = self.customers.entry(customer.id).or_insert_with(|| Known {
            stored: None,
            customer: customer.clone(),
            awards: Vec::new(),
            newest_entry: 0,
        });
        known.customer = customer.clone();
    }

    fn refer(&mut self, Referral { referrer, reward }: &Referral) -> Result<(), Error> {
        let code = &referrer.code.code;
        let more = self.changes.referrals.entry(code.clone()).or_default();
        *more = more.saturating_add(1);
        if let Some(Some((code, _))) = self.codes.get_mut(code) {
            code.referrals = code.referrals.saturating_add(1);
        }
        if let Some(enrolment) = reward {
            replace(&mut self.known_mut(referrer.customer.id)?.customer.enrolments, enrolment);
        }
        Ok(())
    }

    fn append(&mut self, changes: &ChangeSet, origin: &Origin, at: i64) -> Result<(), Error> {
        let known = self.known_mut(changes.customer)?;
        known.newest_entry = known.newest_entry.saturating_add(1);
        let entry = known.newest_entry;
        let (caller_till, caller_client) = caller_columns(origin.caller);
        self.changes.audit.push(AuditRow {
            at,
            customer: changes.customer,
            entry,
            request_id: origin.request_id.0.to_be_bytes(),
            caller_till,
            caller_client,
            till: origin.till.map(|till| till.0),
            store: origin.store,
            source: changes.source.name().to_owned(),
            user_context: origin.user.as_ref().map(to_json).transpose()?,
            merge: changes.merge.as_ref().map(to_json).transpose()?,
            events: to_json(&changes.events)?,
        });
        Ok(())
    }

    /// What of customers' ends, by its end.
    async fn endings(&mut self, customers: &[Customer]) -> Result<Vec<Ending>, Error> {
        self.flush().await?;
        let ids: Vec<i64> = customers.iter().map(|customer| customer.id.0).collect();
        let sql = "SELECT customer_id, programme_id, currency, kind, amount, expires_at
             FROM ledger_entry
             WHERE organisation_id = $1 AND customer_id = ANY($2) AND expires_at IS NOT NULL";
        let read = |row: &tokio_postgres::Row| Ok((read_entry(row)?, row.time("expires_at")?));
        let entries = self.connection.list(sql, &[&self.tenant.0, &ids], read).await?;
        rows::ledger::endings(entries)
    }

    /// What bears on the card that is called for.
    async fn card_facts(
        &mut self,
        asked: &CardRequest,
        customers: &[Customer],
    ) -> Result<CardFacts, Error> {
        self.flush().await?;
        let mut held: Vec<Card> = Vec::new();
        for customer in customers {
            held.extend(super::cards::of(&self.connection, self.tenant, customer.id).await?);
        }
        let holder = match &asked.number {
            Some(number) => self.card_issued_to(number).await?,
            None => None,
        };
        let holder = match holder {
            Some(holder) => Some(self.survivor(holder).await?),
            None => None,
        };
        Ok(CardFacts { held, holder })
    }

    /// To whom the card of this number was issued.
    pub(super) async fn card_issued_to(&self, number: &str) -> Result<Option<CustomerId>, Error> {
        let issued_here = self.changes.cards.iter().find(|(_, card)| card.number == number);
        match issued_here {
            Some((_, card)) => Ok(Some(card.customer)),
            None => super::cards::issued_to(&self.connection, self.tenant, number).await,
        }
    }
}

/// Puts an enrolment in the place of the one in the same programme.
fn replace(enrolments: &mut Vec<Enrolment>, enrolment: &Enrolment) {
    if let Some(held) = enrolments.iter_mut().find(|held| held.programme == enrolment.programme) {
        *held = enrolment.clone();
    } else {
        enrolments.push(enrolment.clone());
        enrolments.sort_by_key(|held| held.programme.0);
    }
}
