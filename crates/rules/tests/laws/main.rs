//! Laws that hold for whatever is registered, on a registry in memory that carries out plans as a
//! store does.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    unreachable_pub,
    clippy::allow_attributes,
    reason = "a test fails by panicking"
)]

mod registry;
mod sent;

use jiff::Timestamp;
use patron_rules::audit::changes;
use patron_rules::codes::Failure;
use patron_rules::customer::Customer;
use patron_rules::decide::Plan;
use patron_rules::identifier::{IdentifierKind, Mobile};
use patron_rules::settings::Settings;
use patron_rules::submission::Submission;
use proptest::prelude::*;

use crate::registry::Registry;
use crate::sent::{Request, one_of, requests, setting, submission, variant};

/// An organisation whose settings were changed one by one, as far as they do not contradict.
fn opened(settings: &[(&str, &str)]) -> Registry {
    let settings_of_india = Settings::default().with([("COUNTRY", "IN")]).unwrap();
    let mut registry = Registry::new(settings_of_india);
    for setting in settings {
        registry.change(&[*setting]);
    }
    registry
}

/// What came of a request, where it was a registration.
fn ask(
    registry: &mut Registry,
    request: &Request,
    now: Timestamp,
) -> Option<Result<Plan, Failure>> {
    match request {
        Request::Register(submission) => Some(registry.register(submission, now).outcome),
        Request::Change(changes) => {
            registry.change(changes);
            None
        }
    }
}

/// A customer without what the audit does not tell of.
fn audited(customer: &Customer) -> Customer {
    let mut audited = customer.clone();
    audited.updated_at = at(0);
    audited.enrolments.clear();
    let digits = customer.identifiers.mobile.as_ref().map(|mobile| mobile.digits().to_owned());
    audited.identifiers.mobile = digits.map(|digits| Mobile::stored(digits, None));
    audited.subscriptions.sort_by_key(|held| (held.channel.to_string(), held.priority.to_string()));
    audited
}

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(1_760_000_000 + second).unwrap()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1_000))]

    /// Whatever is registered, and however the settings change between: an identifier is one
    /// customer's, each ledger adds up to its balance, nothing is awarded twice, and nothing that was
    /// known is lost.
    #[test]
    fn identifiers_ledgers_awards_and_profiles_are_whole(
        settings in prop::collection::vec(setting(), 0..15),
        requests in requests(30),
    ) {
        let mut registry = opened(&settings);
        for (second, request) in (0..).zip(&requests) {
            drop(ask(&mut registry, request, at(second)));
            registry.check();
        }
    }

    /// Repeating a request that went through leaves everything as it is but the time of update.
    #[test]
    fn the_same_request_twice_changes_nothing_but_the_time_of_update(
        settings in prop::collection::vec(setting(), 0..15),
        before in requests(12),
        submission in submission(),
    ) {
        let mut registry = opened(&settings);
        for earlier in &before {
            drop(ask(&mut registry, earlier, at(0)));
        }
        let Ok(first) = registry.register(&submission, at(1)).outcome else { return Ok(()) };
        let (customers, identifiers, ledger) =
            (registry.customers.clone(), registry.identifiers.clone(), registry.ledger.clone());
        match registry.register(&submission, at(2)).outcome {
            Ok(second) => {
                prop_assert_eq!(first.customer.id, second.customer.id);
                prop_assert_eq!(second.side_effects, []);
                prop_assert_eq!(second.merged, []);
                let mut expected = customers;
                expected.get_mut(&second.customer.id).unwrap().updated_at = at(2);
                prop_assert_eq!(&registry.customers, &expected);
            }
            // Somebody who is known may be refused.
            Err(failure) => {
                prop_assert_eq!(failure.code.number, 1014);
                prop_assert_eq!(&registry.customers, &customers);
            }
        }
        prop_assert_eq!(&registry.identifiers, &identifiers);
        prop_assert_eq!(&registry.ledger, &ledger);
    }

    /// Whatever of a customer is another afterwards stands in the audit, and nothing else does.
    #[test]
    fn what_changes_is_told(
        settings in prop::collection::vec(setting(), 0..15),
        requests in requests(30),
    ) {
        let mut registry = opened(&settings);
        for (second, request) in (0..).zip(&requests) {
            let Some(Ok(plan)) = ask(&mut registry, request, at(second)) else { continue };
            let sets = changes(&plan, &registry.organisation);
            let customers: Vec<_> = sets.iter().map(|set| set.customer).collect();
            let victims = plan.merged.iter().map(|merged| merged.before.id);
            let mut expected: Vec<_> = if plan.merged.is_empty() {
                let before = plan.before.as_ref().map(audited);
                let changed = before != Some(audited(&plan.customer))
                    || plan.card.is_some()
                    || plan.referral.is_some();
                changed.then_some(plan.customer.id).into_iter().collect()
            } else {
                victims.flat_map(|victim| [victim, plan.customer.id]).collect()
            };
            expected.extend(plan.referral.iter().map(|referral| referral.referrer.customer.id));
            prop_assert_eq!(customers, expected);
        }
    }

    /// Customers who share no identifier may come in any order.
    #[test]
    fn the_order_of_strangers_does_not_matter(
        settings in prop::collection::vec(setting(), 0..15),
        names in prop::collection::vec(one_of(&["Asha", "Ravi"]), 2..6),
    ) {
        let strangers: Vec<Submission> = names
            .iter()
            .enumerate()
            .map(|(n, name)| Submission {
                mobile: Some(format!("91987654320{n}")),
                email: Some(format!("{n}@b.in")),
                first_name: name.clone(),
                ..Submission::default()
            })
            .collect();
        let outcome = |order: Vec<&Submission>| {
            let mut registry = opened(&settings);
            for submission in order {
                registry.register(submission, at(0));
            }
            let told = |customer: &Customer| {
                (customer.identifiers.clone(), customer.first_name.clone(), customer.enrolments.clone())
            };
            let mut told: Vec<_> = registry.living().map(told).collect();
            told.sort_by_key(|(identifiers, ..)| identifiers.key(IdentifierKind::Mobile).map(str::to_owned));
            told
        };
        prop_assert_eq!(outcome(strangers.iter().collect()), outcome(strangers.iter().rev().collect()));
    }

    /// However an identifier and a name are written, they are of one customer and change nothing.
    #[test]
    fn every_variant_of_an_identifier_is_one_customer(
        external_id in "[a-zA-Z0-9éक가-힣]{1,20}",
        email in "[a-z]{1,8}@[a-z]{1,8}\\.in",
        name in "[a-zéक]{1,10} [a-zé]{1,10}",
        variants in prop::collection::vec(variant(), 1..5),
    ) {
        let mut registry = opened(&[]);
        let plain = Submission {
            external_id: Some(external_id.clone()),
            email: Some(email.clone()),
            first_name: Some(name.clone()),
            ..Submission::default()
        };
        let first = registry.register(&plain, at(0)).outcome.unwrap().customer;
        for variant in variants {
            let sent = Submission {
                external_id: Some(variant.of(&external_id)),
                email: Some(variant.of(&email)),
                first_name: Some(variant.of(&name)),
                ..Submission::default()
            };
            let again = registry.register(&sent, at(0)).outcome.unwrap();
            prop_assert_eq!(again.before.as_ref(), Some(&first));
            prop_assert_eq!(&again.customer, &first);
        }
        registry.check();
    }

    /// No text in any member panics.
    #[test]
    fn no_text_panics(texts in prop::collection::vec(prop::option::of(".{0,300}"), 9)) {
        let text = |index: usize| texts[index].clone();
        let submission = Submission {
            mobile: text(0),
            email: text(1),
            external_id: text(2),
            first_name: text(3),
            customer_type: text(4),
            source: text(5),
            registered_on: text(6),
            updated_on: text(7),
            fraud_status: text(8),
            ..Submission::default()
        };
        let mut registry = Registry::new(Settings::default());
        let _ = registry.register(&submission, at(0));
        registry.check();
    }
}
