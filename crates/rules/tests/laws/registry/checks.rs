//! What holds of a registry at any time.

use std::collections::{BTreeMap, BTreeSet};

use patron_rules::customer::{Customer, CustomerId};
use patron_rules::decide::Plan;
use patron_rules::ledger::{Currency, EntryKind, LedgerEntry, Reason};
use patron_rules::profile::{CustomerType, Subscription, channel};
use rust_decimal::Decimal;

use super::Registry;

impl Registry {
    pub fn check(&self) {
        self.check_identifiers();
        self.check_ledger();
        self.check_ends();
        self.check_awards();
        self.check_profiles();
    }

    /// An identifier is one customer's.
    fn check_identifiers(&self) {
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
    }

    /// Each balance is the sum of its entries.
    fn check_ledger(&self) {
        type Sums = BTreeMap<(CustomerId, i64, Currency, EntryKind), Decimal>;
        let mut sums = Sums::new();
        for LedgerEntry { customer, programme, currency, kind, amount, .. } in &self.ledger {
            *sums.entry((*customer, programme.0, currency.clone(), *kind)).or_default() += amount;
        }
        let mut balances = Sums::new();
        for customer in self.customers.values() {
            for enrolment in &customer.enrolments {
                for (currency, balance) in enrolment.balances.all() {
                    for kind in EntryKind::ALL {
                        let key = (customer.id, enrolment.programme.0, currency.clone(), kind);
                        balances.insert(key, balance.sum(kind));
                    }
                }
            }
        }
        for sums in [&mut sums, &mut balances] {
            sums.retain(|_, amount| !amount.is_zero());
        }
        assert_eq!(sums, balances);
    }

    /// What was merged away ends with the survivor, when it would have ended.
    fn check_ends(&self) {
        let mut awarded = BTreeMap::new();
        let mut held = BTreeMap::new();
        for LedgerEntry { customer, reason, amount, expires_at, .. } in &self.ledger {
            let Some(end) = expires_at else { continue };
            let key = (self.survivor(*customer), *end);
            *held.entry(key).or_insert(Decimal::ZERO) += amount;
            if !matches!(reason, Reason::Merge { .. }) {
                *awarded.entry(key).or_insert(Decimal::ZERO) += amount;
            }
        }
        assert_eq!(held, awarded);
        for customer in self.customers.keys().filter(|id| self.survivor(**id) != **id) {
            assert_eq!(self.endings(*customer), []);
        }
    }

    /// Whoever is enrolled was awarded what everybody is, and nobody else was.
    fn check_awards(&self) {
        for customer in self.living() {
            let awards = self.awards(customer.id);
            for everybodys in ["welcome", "coins"] {
                let awarded = awards.iter().any(|award| award.rule == everybodys);
                assert_eq!(awarded, !customer.enrolments.is_empty(), "{everybodys}: {customer:?}");
            }
        }
    }

    /// A customer has few channels, each once, of which one of a type is primary; each field and each
    /// subscription once; and can be reached where that is asked for.
    fn check_profiles(&self) {
        for customer in self.living() {
            let channels = &customer.channels;
            assert!(channels.len() <= channel::COUNT_LIMIT);
            for (n, one) in channels.iter().enumerate() {
                let mut others = channels[n + 1..].iter().filter(|other| other.kind == one.kind);
                assert!(!others.clone().any(|other| other.is(one)), "twice: {one:?}");
                assert!(!(one.primary && others.any(|other| other.primary)), "two: {channels:?}");
            }
            for fields in [&customer.custom_fields, &customer.extended_fields] {
                let names: BTreeSet<_> = fields.iter().map(|field| &field.name).collect();
                assert_eq!(names.len(), fields.len(), "{fields:?}");
            }
            for (n, one) in customer.subscriptions.iter().enumerate() {
                let same = |other: &_| subject(*other) == subject(*one);
                assert!(!customer.subscriptions[n + 1..].iter().any(same));
            }
            let contact = &customer.identifiers;
            assert!(
                customer.customer_type != CustomerType::NonLoyalty
                    || contact.mobile.is_some()
                    || contact.email.is_some(),
                "{customer:?}"
            );
        }
    }
}

/// Nothing that was known is gone, and whoever was a loyalty customer is one.
pub(super) fn nothing_is_lost(plan: &Plan) {
    let Some(before) = &plan.before else { return };
    let after = &plan.customer;
    assert_eq!((before.id, before.registered_till), (after.id, after.registered_till));
    assert_eq!(before.source, after.source);
    for (kind, _) in before.identifiers.keys() {
        assert!(after.identifiers.key(kind).is_some(), "{kind}");
    }
    let lost = |before: bool, after: bool| before && !after;
    assert!(!lost(before.first_name.is_some(), after.first_name.is_some()));
    assert!(!lost(before.fraud_status.is_some(), after.fraud_status.is_some()));
    assert!(!lost(before.account_id.is_some(), after.account_id.is_some()));
    let is_loyal = |customer: &Customer| customer.customer_type == CustomerType::Loyalty;
    assert!(!lost(is_loyal(before), is_loyal(after)));
    for (before, after) in [
        (&before.custom_fields, &after.custom_fields),
        (&before.extended_fields, &after.extended_fields),
    ] {
        for field in before {
            assert!(after.iter().any(|known| known.name == field.name), "{field:?}");
        }
    }
    for one in &before.subscriptions {
        assert!(after.subscriptions.iter().any(|other| subject(*other) == subject(*one)));
    }
    assert!(before.channels.len() <= after.channels.len() + 1, "one may take another's place");
}

/// What a subscription is of.
fn subject(subscription: Subscription) -> (String, String) {
    (subscription.channel.to_string(), subscription.priority.to_string())
}
