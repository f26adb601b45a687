//! What the tests start from: organisations, registrations, and short ways to bring them about.

use std::collections::BTreeMap;
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Waker};

use jiff::Timestamp;
use jiff::tz::TimeZone;
use patron_rules::audit::{Origin, RequestId};
use patron_rules::codes::Failure;
use patron_rules::customer::{Customer, CustomerId};
use patron_rules::decide::Plan;
use patron_rules::identifier::{Email, ExternalId, Identifiers, Mobile};
use patron_rules::organisation::{CallerId, Collection, Details, Kind, Organisation, Till, TillId};
use patron_rules::profile::Name;
use patron_rules::settings::Settings;
use patron_rules::submission::Kept;
use patron_rules::validate::Registration;
use patron_store::audit::{Order, Page, Query};
use patron_store::{
    Author, AuthorKind, Change, Edit, Error, Expected, LedgerCheck, LedgerDifference, Mode,
    NewOrganisation, PasswordHashes, Store, Tenant,
};
use rust_decimal::Decimal;

/// What registration earns at a [`shop`]: two rewards whose sum a float would miss.
pub const REWARDS: [&str; 2] = ["0.1", "0.2"];
/// Their sum.
pub const EARNED: &str = "0.3";

/// The request by which everything is asked for, where nothing else is said.
pub const ORIGIN: &Origin = &Origin {
    request_id: RequestId(u128::MAX - 1),
    caller: CallerId::Till(TillId(1)),
    till: Some(TillId(1)),
    store: None,
    user: None,
};

pub fn instant(text: &str) -> Timestamp {
    text.parse().unwrap()
}

pub fn now() -> Timestamp {
    instant("2025-06-01T12:00:00.125Z")
}

pub fn points(text: &str) -> Decimal {
    text.parse().unwrap()
}

pub fn hashes(of: &str) -> PasswordHashes {
    PasswordHashes { md5: format!("md5 of {of}"), sha256: format!("sha256 of {of}") }
}

/// The programme of a [`shop`].
const PROGRAMME: &str = r#"{"name":"Programme","id":7,"is_default":true,
    "tiers":[{"serial":1,"name":"Base","description":"Everybody"}]}"#;

/// An organisation with one till, named like it, and a programme.
pub fn shop(name: &str) -> NewOrganisation {
    let details = Details {
        name: name.to_owned(),
        time_zone: TimeZone::get("Asia/Kolkata").unwrap(),
        ..Details::default()
    };
    let organisation = Organisation { details, ..Organisation::default() };
    let new = NewOrganisation { organisation, is_demo: false, passwords: Vec::new() };
    let reward = |points: &&str| {
        let effect = format!(r#"{{"type":"points","points":"{points}"}}"#);
        (Kind::RewardRules, format!(r#"{{"name":"reward {points}","effects":[{effect}]}}"#))
    };
    let rewards: Vec<(Kind, String)> = REWARDS.iter().map(reward).collect();
    let new = with_documents(&[(Kind::Programmes, PROGRAMME)], with_tills(&[name], new));
    with_documents(&rewards, new)
}

/// The organisation with these documents, besides or instead of those that it has.
pub fn with_documents(
    documents: &[(Kind, impl AsRef<str>)],
    mut new: NewOrganisation,
) -> NewOrganisation {
    for (kind, json) in documents {
        new.organisation.documents_mut(*kind).put(json.as_ref()).unwrap();
    }
    new
}

/// The organisation with these tills instead.
pub fn with_tills(names: &[&str], new: NewOrganisation) -> NewOrganisation {
    let till = |name: &&str| Till { name: (*name).to_owned(), ..Till::default() };
    let tills = Collection::of(names.iter().map(till)).unwrap();
    NewOrganisation {
        organisation: Organisation { tills, ..new.organisation },
        passwords: names.iter().map(|name| ((*name).to_owned(), hashes(name))).collect(),
        ..new
    }
}

/// A [`shop`] with these settings.
pub fn shop_with(name: &str, settings: Settings) -> NewOrganisation {
    let shop = shop(name);
    NewOrganisation { organisation: Organisation { settings, ..shop.organisation }, ..shop }
}

/// Whoever sets up and changes organisations.
pub fn author() -> Author {
    Author { name: "somebody".to_owned(), kind: AuthorKind::Operator, at: now() }
}

/// Sets an organisation up.
pub async fn set_up(store: &dyn Store, new: NewOrganisation) -> Tenant {
    let till = new.passwords[0].0.clone();
    store.set_up(vec![new], author()).await.unwrap();
    tenant_of(store, &till).await
}

/// Sets up a [`shop`] and hands out its tenant.
pub async fn open_shop(store: &dyn Store) -> Tenant {
    set_up(store, shop("shop")).await
}

/// The names of all organisations.
pub async fn names(store: &dyn Store) -> Vec<String> {
    let organisations = store.organisations().await.unwrap();
    organisations.into_iter().map(|known| known.name).collect()
}

/// The organisation that a till belongs to.
pub async fn tenant_of(store: &dyn Store, till: &str) -> Tenant {
    let credential = store.till_credential(till).await.unwrap().unwrap();
    store.tenant(credential.tenant).await.unwrap()
}

/// Changes some settings, and loads the organisation anew.
pub async fn change_settings(
    store: &dyn Store,
    tenant: &Tenant,
    changes: &[(&str, &str)],
) -> Result<Tenant, Error> {
    let mut texts: BTreeMap<String, String> = tenant.organisation().settings.clone().into();
    texts.extend(changes.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())));
    let change = Change {
        kind: Kind::Settings,
        name: Kind::Settings.name().to_owned(),
        expected: Expected::Anything,
        edit: Edit::Replace(serde_json::to_string(&texts).unwrap()),
        is_active: None,
    };
    store.apply(tenant.id(), vec![change], author()).await?;
    store.tenant(tenant.id()).await
}

/// Puts documents in place, and loads the organisation anew.
pub async fn put(store: &dyn Store, tenant: &Tenant, documents: &[(Kind, &str, &str)]) -> Tenant {
    let change = |(kind, name, json): &(Kind, &str, &str)| Change {
        kind: *kind,
        name: (*name).to_owned(),
        expected: Expected::Anything,
        edit: Edit::Replace((*json).to_owned()),
        is_active: None,
    };
    let changes = documents.iter().map(change).collect();
    store.apply(tenant.id(), changes, author()).await.unwrap();
    store.tenant(tenant.id()).await.unwrap()
}

/// A registration of nobody yet.
pub fn registration() -> Registration {
    Registration {
        identifiers: Identifiers::default(),
        first_name: None,
        last_name: None,
        customer_type: None,
        source: None,
        account_id: None,
        registered_at: None,
        updated_at: None,
        registered_till: TillId(1),
        associated_till: None,
        fraud_status: None,
        channels: Vec::new(),
        subscriptions: Vec::new(),
        referral_code: None,
        card: None,
        kept: Kept::default(),
        custom_fields: Vec::new(),
        extended_fields: Vec::new(),
        warnings: Vec::new(),
    }
}

pub fn by(identifiers: Identifiers) -> Registration {
    Registration { identifiers, ..registration() }
}

pub fn mobile(digits: &str) -> Registration {
    by(Identifiers {
        mobile: Some(Mobile::stored(digits.to_owned(), None)),
        ..Identifiers::default()
    })
}

pub fn email(address: &str) -> Registration {
    by(Identifiers { email: Some(Email::stored(address.to_owned())), ..Identifiers::default() })
}

pub fn external_id(id: &str) -> Registration {
    by(Identifiers {
        external_id: Some(ExternalId::stored(id.to_owned())),
        ..Identifiers::default()
    })
}

/// All three kinds of identifier.
pub fn all_three(digits: &str, address: &str, id: &str) -> Registration {
    by(Identifiers {
        mobile: mobile(digits).identifiers.mobile,
        email: email(address).identifiers.email,
        external_id: external_id(id).identifiers.external_id,
    })
}

pub fn named(first_name: &str, registration: Registration) -> Registration {
    Registration { first_name: Name::parse(first_name), ..registration }
}

pub async fn register_all(
    store: &dyn Store,
    tenant: &Tenant,
    registrations: Vec<Registration>,
) -> Vec<Result<Plan, Failure>> {
    let asked = registrations.len();
    let decisions =
        store.register(tenant, registrations, ORIGIN, now(), Mode::Apply).await.unwrap();
    let outcomes: Vec<_> = decisions.into_iter().map(|decision| decision.outcome).collect();
    assert_eq!(outcomes.len(), asked, "each item has its outcome");
    outcomes
}

pub async fn register(store: &dyn Store, tenant: &Tenant, registration: Registration) -> Plan {
    let outcome = register_all(store, tenant, vec![registration]).await.pop();
    outcome.unwrap().unwrap()
}

/// What a check of an organisation's ledger says: how many customers it looked at, and what differs.
pub async fn check_ledger(
    store: &dyn Store,
    organisation: &str,
) -> (Option<u64>, Vec<LedgerDifference>) {
    let told = Arc::new(Mutex::new((None, Vec::new())));
    let teller = Arc::clone(&told);
    let tell = move |check| {
        let mut told = teller.lock().unwrap();
        match check {
            LedgerCheck::Progress { done, of } => assert!(done <= of, "{done} of {of}"),
            LedgerCheck::Difference(difference) => told.1.push(difference),
            LedgerCheck::Done { customers } => assert_eq!(told.0.replace(customers), None),
        }
    };
    store.check_ledger(organisation, Box::new(tell)).await.unwrap();
    let told = told.lock().unwrap();
    told.clone()
}

/// The customer as the store knows them, found by one identifier; `None` where nobody has it.
///
/// Looking is registering, so whoever was not there is afterwards.
pub async fn look_up(
    store: &dyn Store,
    tenant: &Tenant,
    registration: Registration,
) -> Option<Customer> {
    register(store, tenant, registration).await.before
}

/// The newest entries of a customer's audit.
pub async fn audit(store: &dyn Store, tenant: &Tenant, customer: CustomerId) -> Page {
    let order = Order::NewestFirst;
    let query = Query { customer, order, page: 0, limit: 100, keep: None };
    store.audit(tenant, query).await.unwrap()
}

/// The points that a customer has in the programme of a [`shop`].
pub fn balance(customer: &Customer) -> Decimal {
    let [enrolment] = customer.enrolments.as_slice() else {
        panic!("enrolled once, not {:?}", customer.enrolments);
    };
    let points = enrolment.balances.points;
    assert_eq!(points.lifetime(), points.available());
    points.available()
}

/// Whether the registration made a new customer who was given what registration earns.
pub fn is_new_and_awarded(plan: &Plan) -> bool {
    let given: Vec<Decimal> = plan.ledger.iter().map(|entry| entry.amount).collect();
    let is_new = plan.before.is_none();
    let expected = if is_new { REWARDS.map(points).to_vec() } else { Vec::new() };
    assert_eq!(given, expected, "awarded once, to a new customer");
    assert_eq!(plan.side_effects.len(), expected.len());
    is_new
}

/// Polls once, as one who may then stop waiting.
pub fn poll_once<F: Future + ?Sized>(future: &mut Pin<Box<F>>) -> Poll<F::Output> {
    future.as_mut().poll(&mut Context::from_waker(Waker::noop()))
}

/// Something that was asked for and polled once: it is accepted, and may even be done.
pub struct Asked<'a, T> {
    future: Pin<Box<dyn Future<Output = T> + Send + 'a>>,
    done: Option<T>,
}

impl<'a, T> Asked<'a, T> {
    pub fn begin(mut future: Pin<Box<dyn Future<Output = T> + Send + 'a>>) -> Self {
        let done = match poll_once(&mut future) {
            Poll::Ready(value) => Some(value),
            Poll::Pending => None,
        };
        Self { future, done }
    }

    /// What came of it.
    pub async fn done(self) -> T {
        match self.done {
            Some(done) => done,
            None => self.future.await,
        }
    }

    /// What came of it, if that is known without waiting.
    pub fn known(mut self) -> Option<T> {
        self.done.or_else(|| match poll_once(&mut self.future) {
            Poll::Ready(value) => Some(value),
            Poll::Pending => None,
        })
    }
}
