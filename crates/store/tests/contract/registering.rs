//! Registering: what is decided is kept, whole.

use std::collections::HashSet;
use std::sync::Arc;

use patron_rules::customer::{Customer, Enrolment};
use patron_rules::decide::Plan;
use patron_rules::identifier::{Email, ExternalId, Identifiers, Mobile};
use patron_rules::ledger::{Balances, Currency, EntryKind};
use patron_rules::organisation::{ProgrammeId, TillId};
use patron_rules::profile::Subscription;
use patron_rules::profile::channel::{Meta, Passed, follow};
use patron_rules::profile::subscription::{Channel as Medium, Priority};
use patron_rules::profile::{Channel, CustomerType, FieldValue, FraudStatus, Name, Source, date};
use patron_rules::settings::Settings;
use patron_rules::submission::Kept;
use patron_rules::validate::Registration;
use patron_store::{NewOrganisation, Store};

use crate::given::{
    EARNED, all_three, balance, by, email, external_id, instant, is_new_and_awarded, look_up,
    mobile, named, now, open_shop, points, register, register_all, set_up, shop_with,
};

on_every_engine! {
    every_identifier_finds_the_customer,
    an_email_address_is_compared_without_case_and_kept_as_sent,
    every_member_of_a_customer_survives,
    a_customer_of_whom_nothing_else_is_known_survives,
    channels_of_a_known_customer_are_of_their_own_source,
    an_identifier_that_a_known_customer_gains_becomes_a_channel,
    times_at_the_ends_of_the_calendar_survive,
    what_a_later_registration_brings_survives,
    a_later_customer_of_a_batch_sees_an_earlier_one,
    an_empty_batch_has_no_outcomes,
    a_long_batch_has_its_outcomes_in_order,
    a_refused_customer_leaves_the_neighbours,
    nothing_of_a_refused_customer_is_kept,
    registering_again_awards_nothing,
    becoming_loyal_awards_once,
    an_identifier_that_is_given_up_is_free_for_another,
    an_identifier_of_another_customer_stays_theirs,
}

async fn every_identifier_finds_the_customer(store: Arc<dyn Store>) {
    let tenant = open_shop(&*store).await;
    let known = register(&*store, &tenant, all_three("919000000001", "a@b.in", "A-1")).await;
    assert!(is_new_and_awarded(&known));
    // What is one kind's value is not another kind's.
    let other = register(&*store, &tenant, external_id("919000000001")).await;
    assert!(is_new_and_awarded(&other));
    assert_ne!(other.customer.id, known.customer.id);

    for again in [mobile("919000000001"), email("a@b.in"), external_id("A-1")] {
        let plan = register(&*store, &tenant, again).await;
        assert_eq!(plan.before.as_ref(), Some(&known.customer));
        assert_eq!(plan.customer, known.customer);
    }
    for unknown in [mobile("919000000002"), email("b@b.in"), external_id("a-1")] {
        let plan = register(&*store, &tenant, unknown).await;
        assert!(is_new_and_awarded(&plan));
    }
}

async fn an_email_address_is_compared_without_case_and_kept_as_sent(store: Arc<dyn Store>) {
    let tenant = open_shop(&*store).await;
    let first = register(&*store, &tenant, email("Asha.K@Example.com")).await;
    let again = register(&*store, &tenant, email("aSHA.k@eXAMPLE.com")).await;
    assert_eq!(again.before.as_ref(), Some(&first.customer));
    assert_eq!(again.customer.identifiers.email.unwrap().as_str(), "Asha.K@Example.com");
}

fn field(name: &str, value: &str) -> FieldValue {
    FieldValue { name: name.to_owned(), value: value.to_owned() }
}

/// What is passed of a channel: its kind, whether it is primary, and what else is known of it.
fn passed(kind: &'static str, flags: (Option<bool>, Option<bool>), meta: Meta) -> Passed {
    let (primary, verified) = flags;
    Passed { index: 0, kind, value: format!("value of {kind}"), primary, verified, meta }
}

fn meta(residence: Option<bool>, office: Option<bool>, last_viewed: Option<&str>) -> Meta {
    Meta { residence, office, last_viewed: last_viewed.map(str::to_owned) }
}

fn subscription(channel: Medium, priority: Priority, subscribed: bool) -> Subscription {
    Subscription { channel, priority, subscribed }
}

/// Every member is passed, each with a value of its own.
fn everything() -> Registration {
    Registration {
        identifiers: Identifiers {
            mobile: Some(Mobile::stored(
                "919876543210".to_owned(),
                Some("+91 98765-43210".to_owned()),
            )),
            email: Some(Email::stored("Zoe+x@Example.com".to_owned())),
            external_id: Some(ExternalId::stored("K'\"№ 7\\%_".to_owned())),
        },
        first_name: Name::parse("Zoë 👩‍👩‍👧"),
        last_name: Name::parse("O'Neill \"; DROP TABLE customer"),
        customer_type: Some(CustomerType::Loyalty),
        source: Some(Source::stored("KIOSK".to_owned())),
        account_id: Some("account\n\t'7'".to_owned()),
        registered_at: Some(instant("2024-07-29T05:41:11Z")),
        updated_at: Some(instant("2024-12-31T23:59:59Z")),
        registered_till: TillId(2),
        associated_till: Some(TillId(1)),
        fraud_status: Some(FraudStatus::stored("FRAUD_SUSPECTED".to_owned())),
        channels: vec![
            passed("mobile", (Some(true), None), Meta::default()),
            passed("email", (None, Some(true)), meta(Some(true), None, Some("2024-12-31 \"'"))),
            passed("push", (Some(true), Some(true)), meta(Some(false), Some(true), None)),
        ],
        subscriptions: vec![
            subscription(Medium::Sms, Priority::Transactional, true),
            subscription(Medium::Email, Priority::Bulk, false),
        ],
        referral_code: None,
        card: None,
        kept: Kept {
            gender: Some("F".to_owned()),
            ndnc_status: Some("DND".to_owned()),
            test_control_status: Some("TEST".to_owned()),
        },
        custom_fields: vec![field("city", "Łódź \"quoted\""), field("age", "")],
        extended_fields: vec![field("size", "[1, {}]")],
        warnings: Vec::new(),
    }
}

fn earned() -> Balances {
    let mut balances = Balances::default();
    balances.enter(&Currency::Points, EntryKind::Awarded, points(EARNED)).unwrap();
    balances
}

async fn every_member_of_a_customer_survives(store: Arc<dyn Store>) {
    let tenant = open_shop(&*store).await;
    let passed = everything();
    let first = register(&*store, &tenant, passed.clone()).await;
    let kept = Customer {
        id: first.customer.id,
        identifiers: passed.identifiers,
        first_name: passed.first_name,
        last_name: passed.last_name,
        customer_type: CustomerType::Loyalty,
        source: passed.source.unwrap(),
        account_id: passed.account_id,
        registered_at: passed.registered_at.unwrap(),
        updated_at: passed.updated_at.unwrap(),
        registered_till: passed.registered_till,
        associated_till: passed.associated_till,
        fraud_status: passed.fraud_status,
        channels: passed.channels.into_iter().map(Channel::from).collect(),
        subscriptions: passed.subscriptions,
        kept: passed.kept,
        custom_fields: passed.custom_fields,
        extended_fields: passed.extended_fields,
        enrolments: vec![Enrolment {
            programme: ProgrammeId(7),
            tier: 1,
            // The last second of that day in Kolkata.
            tier_expires_at: Some(instant("2124-07-29T18:29:59Z")),
            balances: earned(),
        }],
    };
    assert_eq!(first.customer, kept);

    let second = register(&*store, &tenant, mobile("919876543210")).await;
    assert_eq!(second.before, Some(kept.clone()));
    let touched = Customer { updated_at: date::whole_second(now()), ..kept };
    assert_eq!(second.customer, touched);

    // Having been written a second time has cost nothing either.
    let third = register(&*store, &tenant, external_id("K'\"№ 7\\%_")).await;
    assert_eq!(third.before, Some(touched));
}

/// The channels of a new customer who comes without any.
fn following(identifiers: &Identifiers) -> Vec<Channel> {
    let mut channels = Vec::new();
    let nothing = Identifiers::default();
    follow(&mut channels, &nothing, identifiers, &Source::default(), true);
    channels
}

async fn a_customer_of_whom_nothing_else_is_known_survives(store: Arc<dyn Store>) {
    let tenant = open_shop(&*store).await;
    for (passed, customer_type) in [
        (mobile("919876543210"), CustomerType::NonLoyalty),
        (email("a@b.in"), CustomerType::NotInterested),
        (external_id("A-1"), CustomerType::NotInterested),
    ] {
        let typed = Registration { customer_type: Some(customer_type), ..passed.clone() };
        let first = register(&*store, &tenant, typed).await;
        let kept = Customer {
            id: first.customer.id,
            identifiers: passed.identifiers.clone(),
            first_name: None,
            last_name: None,
            customer_type,
            source: Source::default(),
            account_id: None,
            registered_at: date::whole_second(now()),
            updated_at: date::whole_second(now()),
            registered_till: TillId(1),
            associated_till: None,
            fraud_status: None,
            channels: following(&passed.identifiers),
            subscriptions: Vec::new(),
            kept: Kept::default(),
            custom_fields: Vec::new(),
            extended_fields: Vec::new(),
            enrolments: Vec::new(),
        };
        assert_eq!(first.customer, kept);
        assert_eq!(first.ledger, []);
        assert_eq!(look_up(&*store, &tenant, passed).await, Some(kept));
    }
}

/// The customer's channels in short: kind and value, with a `!` behind what is primary.
fn channels(plan: &Plan) -> Vec<String> {
    let short = |channel: &Channel| {
        let Channel { kind, value, primary, .. } = channel;
        format!("{kind} {value}{}", if *primary { "!" } else { "" })
    };
    plan.customer.channels.iter().map(short).collect()
}

async fn channels_of_a_known_customer_are_of_their_own_source(store: Arc<dyn Store>) {
    let tenant = open_shop(&*store).await;
    let line = || vec![passed("line", (None, None), Meta::default())];
    let named = |name: &str| Some(Source::stored(name.to_owned()));
    let of = |source, id| Registration { source, channels: line(), ..external_id(id) };
    for (id, first, later, has_line) in [
        ("A", named("LINE"), named("INSTORE"), true),
        ("B", named("LINE"), None, true),
        ("C", named("INSTORE"), named("LINE"), false),
        ("D", None, named("LINE"), false),
    ] {
        register(&*store, &tenant, Registration { source: first, ..external_id(id) }).await;
        let plan = register(&*store, &tenant, of(later, id)).await;
        let expected: &[&str] = if has_line { &["line value of line"] } else { &[] };
        assert_eq!(channels(&plan), expected, "{id}");
        let codes: Vec<u32> = plan.warnings.iter().map(|warning| warning.code.number).collect();
        assert_eq!(codes, if has_line { vec![] } else { vec![91003] }, "{id}");
    }
}

async fn an_identifier_that_a_known_customer_gains_becomes_a_channel(store: Arc<dyn Store>) {
    let settings = Settings::default().with([("CONF_ALLOW_EMAIL_UPDATE", "1")]).unwrap();
    let tenant = set_up(&*store, shop_with("shop", settings)).await;
    for (registration, expected) in [
        (external_id("A"), vec![]),
        (all_three("919000000001", "a@b.in", "A"), vec!["mobile 919000000001!", "email a@b.in!"]),
        // It was replaced, and so it is as a channel.
        (all_three("919000000001", "c@b.in", "A"), vec!["mobile 919000000001!", "email c@b.in!"]),
    ] {
        let plan = register(&*store, &tenant, registration).await;
        assert_eq!(channels(&plan), expected);
    }
}

async fn times_at_the_ends_of_the_calendar_survive(store: Arc<dyn Store>) {
    let tenant = open_shop(&*store).await;
    for (id, time) in [
        ("early", "-009999-01-03T00:00:00Z"),
        ("before 1970", "1969-12-31T23:59:59.999Z"),
        ("late", "9999-12-29T00:00:00Z"),
    ] {
        let passed = Registration {
            registered_at: Some(instant(time)),
            updated_at: Some(instant(time)),
            ..external_id(id)
        };
        let first = register(&*store, &tenant, passed).await;
        assert_eq!(first.customer.registered_at, instant(time));
        // A tier that would end after the calendar does not end.
        let ends = first.customer.enrolments[0].tier_expires_at;
        assert_eq!(ends.is_none(), id == "late");
        let found = look_up(&*store, &tenant, external_id(id)).await;
        assert_eq!(found, Some(first.customer));
    }
}

async fn what_a_later_registration_brings_survives(store: Arc<dyn Store>) {
    let tenant = open_shop(&*store).await;
    let first = register(&*store, &tenant, everything()).await;
    let brought = Registration {
        first_name: Name::parse("Zora"),
        updated_at: Some(instant("2025-02-03T04:05:06Z")),
        fraud_status: Some(FraudStatus::stored("NORMAL".to_owned())),
        associated_till: Some(TillId(2)),
        channels: vec![
            passed("email", (Some(true), None), meta(None, Some(false), None)),
            passed("line", (None, None), Meta::default()),
        ],
        custom_fields: vec![field("age", "25"), field("new", "x")],
        extended_fields: vec![field("size", "XL")],
        ..mobile("919876543210")
    };
    let second = register(&*store, &tenant, brought).await;
    let changed = Customer {
        first_name: Name::parse("Zora"),
        updated_at: instant("2025-02-03T04:05:06Z"),
        fraud_status: Some(FraudStatus::stored("NORMAL".to_owned())),
        associated_till: Some(TillId(2)),
        channels: [
            passed("mobile", (Some(true), None), Meta::default()),
            passed(
                "email",
                (Some(true), Some(true)),
                meta(Some(true), Some(false), Some("2024-12-31 \"'")),
            ),
            passed("push", (Some(true), Some(true)), meta(Some(false), Some(true), None)),
            passed("line", (None, None), Meta::default()),
        ]
        .map(Channel::from)
        .to_vec(),
        custom_fields: vec![
            field("city", "Łódź \"quoted\""),
            field("age", "25"),
            field("new", "x"),
        ],
        extended_fields: vec![field("size", "XL")],
        ..first.customer
    };
    assert_eq!(second.customer, changed);
    let found = look_up(&*store, &tenant, mobile("919876543210")).await;
    assert_eq!(found, Some(changed));
}

async fn a_later_customer_of_a_batch_sees_an_earlier_one(store: Arc<dyn Store>) {
    let tenant = open_shop(&*store).await;
    let both = Identifiers {
        email: email("a@b.in").identifiers.email,
        ..mobile("919000000001").identifiers
    };
    let batch = vec![
        named("One", mobile("919000000001")),
        external_id("somebody else"),
        named("Two", by(both)),
        email("a@b.in"),
    ];
    let outcomes = register_all(&*store, &tenant, batch).await;
    let plans: Vec<_> = outcomes.into_iter().map(Result::unwrap).collect();
    assert!(is_new_and_awarded(&plans[0]));
    assert!(is_new_and_awarded(&plans[1]));
    assert!(!is_new_and_awarded(&plans[2]));
    assert!(!is_new_and_awarded(&plans[3]));
    assert_eq!(plans[2].before.as_ref(), Some(&plans[0].customer));
    // The email address that the third brought finds the customer in the fourth.
    assert_eq!(plans[3].before.as_ref(), Some(&plans[2].customer));
    assert_ne!(plans[1].customer.id, plans[0].customer.id);
    assert_eq!(plans[3].customer.first_name, Name::parse("Two"));
    assert_eq!(balance(&plans[3].customer), points(EARNED));
}

async fn an_empty_batch_has_no_outcomes(store: Arc<dyn Store>) {
    let tenant = open_shop(&*store).await;
    assert_eq!(register_all(&*store, &tenant, Vec::new()).await, []);
    assert!(is_new_and_awarded(&register(&*store, &tenant, external_id("A")).await));
}

async fn a_long_batch_has_its_outcomes_in_order(store: Arc<dyn Store>) {
    let tenant = open_shop(&*store).await;
    let ids: Vec<String> = (0..1_000).map(|number| format!("K-{number}")).collect();
    let batch = || ids.iter().map(|id| external_id(id)).collect();
    let first: Vec<_> =
        register_all(&*store, &tenant, batch()).await.into_iter().map(Result::unwrap).collect();
    let given: HashSet<_> = first.iter().map(|plan| plan.customer.id).collect();
    assert_eq!(given.len(), 1_000);
    for (id, plan) in ids.iter().zip(&first) {
        assert!(is_new_and_awarded(plan));
        let held = plan.customer.identifiers.external_id.as_ref();
        assert_eq!(held.map(ExternalId::as_str), Some(id.as_str()));
    }
    let again = register_all(&*store, &tenant, batch()).await;
    for (plan, again) in first.iter().zip(again) {
        assert_eq!(again.unwrap().before.as_ref(), Some(&plan.customer));
    }
}

/// Needs the mobile number, and that nobody else has the rest.
fn strict_shop() -> NewOrganisation {
    shop_with(
        "strict",
        Settings { any_identifier: false, strict_check: true, ..Settings::default() },
    )
}

/// Two who are taken, among them two who are refused.
fn mixed() -> Vec<Registration> {
    vec![
        all_three("919000000001", "a@b.in", "A-1"),
        named("No mobile number", email("new@b.in")),
        named("Not their email address", all_three("919000000002", "a@b.in", "A-2")),
        all_three("919000000003", "c@b.in", "A-3"),
    ]
}

async fn a_refused_customer_leaves_the_neighbours(store: Arc<dyn Store>) {
    let tenant = set_up(&*store, strict_shop()).await;
    let outcomes = register_all(&*store, &tenant, mixed()).await;
    let [first, no_mobile, mismatch, last] = outcomes.as_slice() else {
        panic!("four outcomes");
    };
    assert_eq!(no_mobile.as_ref().unwrap_err().code.number, 1006);
    assert_eq!(mismatch.as_ref().unwrap_err().code.number, 1047);
    for (plan, digits) in [(first, "919000000001"), (last, "919000000003")] {
        let plan = plan.as_ref().unwrap();
        assert!(is_new_and_awarded(plan));
        let found = look_up(&*store, &tenant, mobile(digits)).await;
        assert_eq!(found.as_ref(), Some(&plan.customer));
    }
}

async fn nothing_of_a_refused_customer_is_kept(store: Arc<dyn Store>) {
    let tenant = set_up(&*store, strict_shop()).await;
    let first = register_all(&*store, &tenant, mixed()).await.remove(0);
    // Each refused identifier still belongs to nobody: a new customer may have them all.
    let plan = register(&*store, &tenant, all_three("919000000002", "new@b.in", "A-2")).await;
    assert!(is_new_and_awarded(&plan));
    assert_eq!(plan.customer.first_name, None);

    // Alone, a refusal is an outcome as well, and not a failure of the store.
    let refused = register_all(&*store, &tenant, vec![external_id("A-9")]).await;
    assert_eq!(refused[0].as_ref().unwrap_err().code.number, 1006);

    // A known customer is left as they were.
    let known = all_three("919000000001", "new@b.in", "A-1");
    let refused = register_all(&*store, &tenant, vec![named("Changed", known)]).await;
    assert_eq!(refused[0].as_ref().unwrap_err().code.number, 1047);
    let found = look_up(&*store, &tenant, mobile("919000000001")).await;
    assert_eq!(found, Some(first.unwrap().customer));
}

async fn registering_again_awards_nothing(store: Arc<dyn Store>) {
    let tenant = open_shop(&*store).await;
    let first = register(&*store, &tenant, mobile("919000000001")).await;
    assert!(is_new_and_awarded(&first));
    for _ in 0..3 {
        let again =
            Registration { customer_type: Some(CustomerType::Loyalty), ..mobile("919000000001") };
        let plan = register(&*store, &tenant, again).await;
        assert!(!is_new_and_awarded(&plan));
        assert_eq!(balance(&plan.before.unwrap()), points(EARNED));
        assert_eq!(balance(&plan.customer), points(EARNED));
    }
}

async fn becoming_loyal_awards_once(store: Arc<dyn Store>) {
    let tenant = open_shop(&*store).await;
    let typed = |customer_type| Registration {
        customer_type: Some(customer_type),
        ..mobile("919000000001")
    };
    let first = register(&*store, &tenant, typed(CustomerType::NonLoyalty)).await;
    assert_eq!((first.ledger, first.customer.enrolments), (vec![], vec![]));

    let loyal = register(&*store, &tenant, typed(CustomerType::Loyalty)).await;
    assert_eq!(loyal.customer.id, first.customer.id);
    assert_eq!(loyal.ledger.len(), 2);
    assert_eq!(balance(&loyal.customer), points(EARNED));

    let again = register(&*store, &tenant, typed(CustomerType::Loyalty)).await;
    assert_eq!(again.before, Some(loyal.customer));
    assert_eq!(again.ledger, []);
}

async fn an_identifier_that_is_given_up_is_free_for_another(store: Arc<dyn Store>) {
    let new = shop_with("shop", Settings { allow_email_update: true, ..Settings::default() });
    let tenant = set_up(&*store, new).await;
    let with_email = |digits, address| {
        by(Identifiers { external_id: None, ..all_three(digits, address, "").identifiers })
    };
    let first = register(&*store, &tenant, with_email("919000000001", "old@b.in")).await;
    let moved = register(&*store, &tenant, with_email("919000000001", "new@b.in")).await;
    assert_eq!(moved.customer.id, first.customer.id);

    let heir = register(&*store, &tenant, with_email("919000000002", "old@b.in")).await;
    assert!(is_new_and_awarded(&heir));
    assert_eq!(heir.warnings, []);
    let found = look_up(&*store, &tenant, email("OLD@b.in")).await;
    assert_eq!(found, Some(heir.customer));
    let found = look_up(&*store, &tenant, email("new@b.in")).await;
    assert_eq!(found, Some(moved.customer));
}

async fn an_identifier_of_another_customer_stays_theirs(store: Arc<dyn Store>) {
    let tenant = open_shop(&*store).await;
    let owner = register(&*store, &tenant, all_three("919000000001", "a@b.in", "A-1")).await;
    let other = register(&*store, &tenant, mobile("919000000002")).await;
    let greedy = all_three("919000000002", "a@b.in", "A-2");
    let plan = register(&*store, &tenant, greedy).await;
    assert_eq!(plan.customer.id, other.customer.id);
    let warned: Vec<u32> = plan.warnings.iter().map(|one| one.code.number).collect();
    assert_eq!(warned, [91007]);

    let found = look_up(&*store, &tenant, email("a@b.in")).await;
    assert_eq!(found, Some(owner.customer));
    let found = look_up(&*store, &tenant, external_id("A-2")).await;
    assert_eq!(found.as_ref(), Some(&plan.customer));
    assert_eq!(plan.customer.identifiers.email, None);
}
