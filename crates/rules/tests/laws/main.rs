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

use jiff::Timestamp;
use patron_rules::audit::changes;
use patron_rules::customer::Customer;
use patron_rules::identifier::{IdentifierKind, Mobile};
use patron_rules::settings::Settings;
use patron_rules::submission::{
    Submission, SubmittedChannel, SubmittedField, SubmittedSubscription, SubmittedValue,
};
use proptest::prelude::*;

use crate::registry::Registry;

fn one_of(values: &'static [&'static str]) -> impl Strategy<Value = Option<String>> {
    prop::option::of(prop::sample::select(values).prop_map(str::to_owned))
}

/// What else may be sent of a customer.
fn description() -> impl Strategy<Value = Submission> {
    let channel = (one_of(&["mobile", "email", "pigeon"]), one_of(&["9876543210", "a@b.in", "x"]))
        .prop_map(|(kind, value)| SubmittedChannel { kind, value, ..SubmittedChannel::default() });
    let subscription =
        (one_of(&["sms", "fax"]), one_of(&["TRANS", "BULK"]), one_of(&["0", "1", "2"])).prop_map(
            |(channel, priority, is_subscribed)| SubmittedSubscription {
                channel,
                priority,
                scopes: Vec::new(),
                is_subscribed,
            },
        );
    let field = (one_of(&["size", "colour"]), one_of(&["44", "[\"a\", \"b\"]"])).prop_map(
        |(name, value)| SubmittedField {
            name: name.unwrap_or_default(),
            value: value.map_or(SubmittedValue::NotPassed, SubmittedValue::Text),
        },
    );
    (
        one_of(&["CONFIRMED", "guilty"]),
        one_of(&["919876543210", "919876543212", "SDX123"]),
        prop::collection::vec(channel, 0..3),
        prop::collection::vec(subscription, 0..3),
        prop::collection::vec(field, 0..3),
    )
        .prop_map(|(fraud_status, referral_code, channels, subscriptions, custom_fields)| {
            Submission {
                fraud_status,
                channels,
                subscriptions,
                custom_fields,
                referral_code,
                ..Submission::default()
            }
        })
}

/// Few values, so that customers meet.
fn submission() -> impl Strategy<Value = Submission> {
    (
        one_of(&["919876543210", "9876543210", "+91 98765 43211", "919876543212", "12", ""]),
        one_of(&["a@b.in", "A@B.in", "c@b.in", "d@b.in", "nobody"]),
        one_of(&["A", "B", "C", "919876543210"]),
        one_of(&["Asha", "Ravi", "\u{0}"]),
        one_of(&["LOYALTY", "non_loyalty", "not_interested", "gold"]),
        one_of(&["INSTORE", "WECHAT", "pigeon"]),
        one_of(&["2024-01-02 03:04:05", "2024-02-30 00:00:00"]),
        description(),
    )
        .prop_map(
            |(mobile, email, external_id, first_name, customer_type, source, date, rest)| {
                let sent = |text: Option<String>| text.filter(|text| !text.is_empty());
                Submission {
                    mobile: sent(mobile),
                    email,
                    external_id,
                    first_name,
                    customer_type,
                    source,
                    registered_on: date,
                    ..rest
                }
            },
        )
}

fn settings() -> impl Strategy<Value = Settings> {
    let flag = || prop::sample::select(vec!["0", "1"]);
    (
        prop::sample::select(vec!["MOBILE", "EMAIL", "EXTERNAL_ID"]),
        prop::collection::vec(flag(), 9),
        prop::sample::select(vec!["UPDATE", "REFUSE"]),
        prop::sample::select(vec!["FAIL", "DROP"]),
    )
        .prop_filter_map("contradicts itself", |(primary, flags, known, invalid)| {
            Settings::default()
                .with([
                    ("COUNTRY", "IN"),
                    ("CONF_REGISTRATION_PRIMARY_KEY", primary),
                    ("CONF_ALLOW_REGISTRATION_FROM_ANY_IDENTIFIERS", flags[0]),
                    ("CONF_ALLOW_MOBILE_UPDATE", flags[1]),
                    ("CONF_ALLOW_EMAIL_UPDATE", flags[2]),
                    ("CONF_LOYALTY_ALLOW_EXTERNAL_ID_UPDATE", flags[3]),
                    ("CONF_PRIMARY_IDENTIFIER_STRICT_CHECK", flags[4]),
                    ("CONFIG_SKIP_SECONDARY_ID_ON_PRIMARY_MISMATCH", flags[5]),
                    ("MERGE_ON_CONFLICT", flags[6]),
                    ("CONF_USERS_IS_EMAIL_UNIQUE", flags[7]),
                    ("CONF_USERS_IS_EMAIL_REQUIRED", flags[8]),
                    ("KNOWN_CUSTOMER", known),
                    ("INVALID_SECONDARY_IDENTIFIER", invalid),
                ])
                .ok()
        })
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

    /// Whatever is registered under whatever settings: an identifier is one customer's, each ledger
    /// adds up to its balance, and nothing is awarded twice.
    #[test]
    fn identifiers_ledgers_and_awards_are_whole(
        settings in settings(),
        submissions in prop::collection::vec(submission(), 1..25),
    ) {
        let mut registry = Registry::new(settings);
        for (second, submission) in (0..).zip(&submissions) {
            registry.register(submission, at(second));
            registry.check();
        }
    }

    /// Repeating a request that went through leaves everything as it is but the time of update.
    #[test]
    fn the_same_request_twice_changes_nothing_but_the_time_of_update(
        settings in settings(),
        before in prop::collection::vec(submission(), 0..10),
        submission in submission(),
    ) {
        let mut registry = Registry::new(settings);
        for earlier in &before {
            registry.register(earlier, at(0));
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
        settings in settings(),
        submissions in prop::collection::vec(submission(), 1..25),
    ) {
        let mut registry = Registry::new(settings);
        for (second, submission) in (0..).zip(&submissions) {
            let Ok(plan) = registry.register(submission, at(second)).outcome else { continue };
            let sets = changes(&plan, &registry.organisation);
            let customers: Vec<_> = sets.iter().map(|set| set.customer).collect();
            let victims = plan.merged.iter().map(|merged| merged.before.id);
            let expected: Vec<_> = if plan.merged.is_empty() {
                let before = plan.before.as_ref().map(audited);
                let changed = before != Some(audited(&plan.customer)) || plan.card.is_some();
                changed.then_some(plan.customer.id).into_iter().collect()
            } else {
                victims.flat_map(|victim| [victim, plan.customer.id]).collect()
            };
            prop_assert_eq!(customers, expected);
        }
    }

    /// Customers who share no identifier may come in any order.
    #[test]
    fn the_order_of_strangers_does_not_matter(
        settings in settings(),
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
            let mut registry = Registry::new(settings.clone());
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
