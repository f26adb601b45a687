//! A registry in memory that carries out plans as a store does, and checks what must hold.

use std::collections::BTreeMap;

use jiff::Timestamp;
use patron_rules::candidates::Candidates;
use patron_rules::customer::{Customer, CustomerId};
use patron_rules::decide::{Decision, Facts, decide};
use patron_rules::identifier::IdentifierKind;
use patron_rules::organisation::{
    Collection, CustomField, Organisation, Programme, ProgrammeId, Reward, Tier, Till, TillId,
};
use patron_rules::resolve::{Holder, Holders};
use patron_rules::settings::Settings;
use patron_rules::submission::Submission;
use patron_rules::validate::validate;
use rust_decimal::Decimal;

const TILL: TillId = TillId(1);

fn organisation(settings: Settings) -> Organisation {
    let field = CustomField { name: "size".into(), ..CustomField::default() };
    let programme = Programme {
        id: ProgrammeId(1),
        name: "Programme".into(),
        is_default: true,
        tier_years: 100,
        tiers: vec![Tier { serial: 1, name: "Base".into(), description: String::new() }],
        registration_rewards: vec![Reward { id: 1, points: Decimal::ONE_HUNDRED }],
    };
    Organisation {
        settings,
        tills: Collection::of([Till { id: TILL, name: "till".into(), ..Till::default() }]).unwrap(),
        custom_fields: Collection::of([field]).unwrap(),
        programmes: Collection::of([programme]).unwrap(),
        ..Organisation::default()
    }
}

/// Customers and who holds what, as a store keeps them.
pub struct Registry {
    organisation: Organisation,
    pub customers: BTreeMap<CustomerId, Customer>,
    merged_into: BTreeMap<CustomerId, CustomerId>,
    pub identifiers: BTreeMap<(IdentifierKind, String), CustomerId>,
    pub ledger: BTreeMap<CustomerId, Decimal>,
}

impl Registry {
    pub fn new(settings: Settings) -> Self {
        Self {
            organisation: organisation(settings),
            customers: BTreeMap::new(),
            merged_into: BTreeMap::new(),
            identifiers: BTreeMap::new(),
            ledger: BTreeMap::new(),
        }
    }

    pub fn register(&mut self, submission: &Submission, now: Timestamp) -> Decision {
        let registration = match validate(submission, &self.organisation, Ok(TILL), now) {
            Ok(registration) => registration,
            Err(failure) => return failure.into(),
        };
        let settings = &self.organisation.settings;
        let mut holders = Holders::default();
        let mut customers = Vec::new();
        for (kind, key) in registration.identifiers.keys() {
            let held = self.identifiers.get(&(kind, key.to_owned())).copied();
            let Some(first) = held.filter(|_| settings.identifies(kind)) else { continue };
            let mut customer = first;
            while let Some(survivor) = self.merged_into.get(&customer) {
                customer = *survivor;
            }
            holders.add(Holder { kind, customer, through_merge: customer != first });
            customers.push(self.customers[&customer].clone());
        }
        let next_id = CustomerId(i64::try_from(self.customers.len()).unwrap() + 1);
        let facts = Facts {
            holders,
            customers,
            next_id,
            now,
            referrer: None,
            candidates: Candidates::default(),
        };
        let decision = decide(&self.organisation, registration, &facts);
        self.carry_out(&decision);
        decision
    }

    fn carry_out(&mut self, decision: &Decision) {
        let Ok(plan) = &decision.outcome else { return };
        let settings = &self.organisation.settings;
        for (kind, key) in plan.released(settings) {
            self.identifiers.remove(&(kind, key.to_owned())).expect("it was held");
        }
        for (kind, key) in plan.gained(settings) {
            let taken = self.identifiers.insert((kind, key.to_owned()), plan.customer.id);
            assert_eq!(taken, None, "an identifier belongs to one customer");
        }
        for merged in &plan.merged {
            self.customers.insert(merged.after.id, merged.after.clone());
            self.merged_into.insert(merged.after.id, plan.customer.id);
        }
        self.customers.insert(plan.customer.id, plan.customer.clone());
        for entry in &plan.ledger {
            *self.ledger.entry(entry.customer).or_default() += entry.points;
        }
    }

    /// The customers who were not merged away.
    pub fn living(&self) -> impl Iterator<Item = &Customer> {
        self.customers.values().filter(|customer| !self.merged_into.contains_key(&customer.id))
    }

    pub fn check(&self) {
        let settings = &self.organisation.settings;
        let mut seen = BTreeMap::new();
        for customer in self.living() {
            for (kind, key) in customer.identifiers.keys() {
                if settings.identifies(kind) {
                    let other = seen.insert((kind, key.to_owned()), customer.id);
                    assert_eq!(other, None, "{kind} {key} is two customers");
                }
            }
        }
        for customer in self.customers.values() {
            let balance: Decimal =
                customer.enrolments.iter().map(|enrolment| enrolment.loyalty_points).sum();
            let sum = self.ledger.get(&customer.id).copied().unwrap_or_default();
            assert_eq!(sum, balance, "the ledger of {:?}", customer.id);
        }
    }
}
