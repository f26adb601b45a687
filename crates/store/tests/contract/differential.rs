//! The engines beside each other: whatever is done, they answer the same.

use std::fmt::Debug;
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use patron_rules::customer::CustomerId;
use patron_rules::organisation::Kind;
use patron_rules::profile::CustomerType;
use patron_rules::validate::Registration;
use patron_store::{Lookup, Mode, Store, Tenant};
use proptest::prelude::*;
use tokio::runtime::Runtime;

use crate::engines::{Engine, Place};
use crate::given::{
    Asked, ORIGIN, all_three, audit, change_settings, check_ledger, email, external_id, mobile,
    named, now, set_up, shop, with_documents,
};

/// What is set up besides a [`shop`]: nothing that is made by chance.
const DOCUMENTS: [(Kind, &str); 3] = [
    (Kind::Currencies, r#"{"name":"Stars","identifier":"stars"}"#),
    (Kind::CardSeries, r#"{"name":"GOLD","number":{"prefix":"G","length":8},"limit":3}"#),
    (
        Kind::RewardRules,
        r#"{"name":"stars","effects":[{"type":"currency","currency":"Stars","value":"1.5"}]}"#,
    ),
];
/// What is switched while customers come.
const SETTINGS: [(&str, &str); 4] = [
    ("CONF_USERS_IS_EMAIL_UNIQUE", "0"),
    ("CONF_USERS_IS_EMAIL_UNIQUE", "1"),
    ("MERGE_ON_CONFLICT", "1"),
    ("MERGE_ON_CONFLICT", "0"),
];

/// One step. Who comes is a number; there are few, so that they meet.
#[derive(Debug, Clone)]
enum Operation {
    Register(Vec<Comer>),
    /// Each a request, and all of them at once; one who waits has asked a second after the one before.
    AtOnce(Vec<Comer>),
    Rehearse(Comer),
    Look(u8),
    Switch(usize),
}

/// By what somebody comes, each by the number of whose it is, and as what.
#[derive(Debug, Clone, Copy)]
struct Comer {
    mobile: Option<u8>,
    email: Option<u8>,
    id: Option<u8>,
    is_loyal: bool,
    name: u8,
}

impl Comer {
    fn registration(self) -> Registration {
        let of = |kind: fn(u8) -> Registration, number: Option<u8>| {
            number.map(|number| kind(number).identifiers).unwrap_or_default()
        };
        let mut registration = all_three("919800000000", "nobody@example.org", "none");
        registration.identifiers.mobile =
            of(|n| mobile(&format!("9198000000{n:02}")), self.mobile).mobile;
        registration.identifiers.email =
            of(|n| email(&format!("Who{n}@example.org")), self.email).email;
        registration.identifiers.external_id =
            of(|n| external_id(&format!("E-{n}")), self.id).external_id;
        let customer_type =
            if self.is_loyal { CustomerType::Loyalty } else { CustomerType::NonLoyalty };
        let registration = Registration { customer_type: Some(customer_type), ..registration };
        named(&format!("Name {}", self.name), registration)
    }
}

/// An engine with the same organisation as the others.
struct Side {
    store: Arc<dyn Store>,
    tenant: Tenant,
    _place: Place,
}

impl Side {
    async fn start(engine: Engine) -> Self {
        let place = Place::new(engine);
        let store = place.open();
        let tenant = set_up(&*store, with_documents(&DOCUMENTS, shop("shop"))).await;
        Self { store, tenant, _place: place }
    }

    /// What the engine answers, in words.
    async fn answer(&mut self, operation: &Operation, at: Timestamp) -> String {
        match operation {
            Operation::Register(comers) => self.register(comers, at, Mode::Apply).await,
            Operation::AtOnce(comers) => self.register_at_once(comers, at).await,
            Operation::Rehearse(comer) => self.register(&[*comer], at, Mode::DryRun).await,
            Operation::Look(number) => self.look(*number).await,
            Operation::Switch(index) => {
                let changes = [SETTINGS[*index]];
                let switched = change_settings(&*self.store, &self.tenant, &changes).await;
                let switched = switched.map(|tenant| self.tenant = tenant);
                told(&switched.map_err(|error| error.to_string()))
            }
        }
    }

    async fn register(&self, comers: &[Comer], at: Timestamp, mode: Mode) -> String {
        let registrations = comers.iter().map(|comer| comer.registration()).collect();
        let registered = self.store.register(&self.tenant, registrations, ORIGIN, at, mode).await;
        told(&registered.unwrap())
    }

    async fn register_at_once(&self, comers: &[Comer], at: Timestamp) -> String {
        let ask = |(seconds, comer): (i64, &Comer)| {
            let (who, at) = (vec![comer.registration()], at + SignedDuration::from_secs(seconds));
            Asked::begin(self.store.register(&self.tenant, who, ORIGIN, at, Mode::Apply))
        };
        let asked: Vec<_> = (0..).zip(comers).map(ask).collect();
        let mut answers = String::new();
        for one in asked {
            answers += &told(&one.done().await.unwrap());
        }
        answers
    }

    async fn look(&self, number: u8) -> String {
        let registration = Comer {
            mobile: Some(number),
            email: Some(number),
            id: Some(number),
            is_loyal: true,
            name: 0,
        };
        let mut found = Vec::new();
        for (kind, key) in registration.registration().identifiers.keys() {
            let by = Lookup::Identifier(kind, key.to_owned());
            found.push(told(&self.store.find(&self.tenant, by).await.unwrap()));
        }
        let id = CustomerId(100_000_001 + i64::from(number));
        let by_id = self.store.find(&self.tenant, Lookup::Id(id)).await.unwrap();
        let entries = audit(&*self.store, &self.tenant, id).await;
        let cards = self.store.cards(&self.tenant, id).await.unwrap();
        format!("{found:?} {by_id:?} {entries:?} {cards:?}")
    }
}

fn told(answer: &impl Debug) -> String {
    format!("{answer:#?}")
}

fn compare(operations: &[Operation]) {
    Runtime::new().unwrap().block_on(async {
        let mut embedded = Side::start(Engine::SqliteInMemory).await;
        let mut postgres = Side::start(Engine::Postgres).await;
        for (minutes, operation) in (0..).zip(operations) {
            let at = now() + SignedDuration::from_mins(minutes);
            let expected = embedded.answer(operation, at).await;
            similar(&expected, &postgres.answer(operation, at).await, operation);
        }
        let ledgers =
            [&embedded.store, &postgres.store].map(|store| check_ledger(&**store, "shop"));
        let [expected, found] = ledgers;
        assert_eq!(found.await, expected.await);
        embedded.store.close().await;
        postgres.store.close().await;
    });
}

fn similar(expected: &str, found: &str, operation: &Operation) {
    assert_eq!(found, expected, "{operation:?}");
}

fn comer() -> impl Strategy<Value = Comer> {
    let number = || prop::option::weighted(0.6, 0_u8..6);
    (number(), number(), number(), any::<bool>(), 0_u8..3)
        .prop_filter("somebody", |(mobile, email, id, _, _)| {
            mobile.is_some() || email.is_some() || id.is_some()
        })
        .prop_map(|(mobile, email, id, is_loyal, name)| Comer { mobile, email, id, is_loyal, name })
}

fn operations() -> impl Strategy<Value = Vec<Operation>> {
    let one = prop_oneof![
        6 => prop::collection::vec(comer(), 1..5).prop_map(Operation::Register),
        3 => prop::collection::vec(comer(), 2..9).prop_map(Operation::AtOnce),
        1 => comer().prop_map(Operation::Rehearse),
        2 => (0_u8..6).prop_map(Operation::Look),
        1 => (0..SETTINGS.len()).prop_map(Operation::Switch),
    ];
    prop::collection::vec(one, 1..30)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn both_engines_answer_the_same(operations in operations()) {
        compare(&operations);
    }
}
