//! Cards: each is one customer's, and no series issues more than it may.

use std::collections::BTreeSet;
use std::sync::Arc;

use patron_rules::card::{Card, CardRequest};
use patron_rules::codes;
use patron_rules::decide::Plan;
use patron_rules::number::{Algorithm, Form};
use patron_rules::organisation::{CardSeries, Collection};
use patron_rules::settings::Settings;
use patron_rules::validate::Registration;
use patron_store::{Found, Lookup, Mode, NewOrganisation, Store, Tenant};
use tokio::task::JoinSet;

use crate::engines::Place;
use crate::given::{ORIGIN, email, external_id, mobile, now, register, set_up, shop, tenant_of};

on_every_engine! {
    a_card_is_issued_once_and_finds_its_customer,
    a_card_of_another_stays_theirs,
    a_series_makes_one_card_a_customer,
    a_number_that_was_issued_by_hand_is_not_made,
    a_series_issues_no_more_than_its_limit,
    many_at_once_are_issued_a_card_each_up_to_the_limit,
    one_card_asked_for_by_many_at_once_is_one_customers,
    what_is_refused_or_rehearsed_issues_no_card,
    a_merged_customers_cards_are_the_survivors,
    organisations_have_cards_of_their_own,
}

on_every_lasting_engine! {
    cards_and_limits_survive,
}

fn selling(limit: Option<u64>) -> NewOrganisation {
    let number =
        Form { algorithm: Algorithm::Luhn, prefix: "G".to_owned(), length: 6, ..Form::default() };
    let gold = CardSeries { name: "GOLD".to_owned(), number, limit };
    let mut new = shop("shop");
    new.organisation.card_series = Collection::of([gold]).unwrap();
    new
}

async fn open(store: &dyn Store, limit: Option<u64>) -> Tenant {
    set_up(store, selling(limit)).await
}

fn with_card(number: &str, registration: Registration) -> Registration {
    let card = CardRequest { number: Some(number.to_owned()), series: None };
    Registration { card: Some(card), ..registration }
}

fn gold(registration: Registration) -> Registration {
    let card = CardRequest { number: None, series: Some("GOLD".to_owned()) };
    Registration { card: Some(card), ..registration }
}

fn issued(plan: &Plan) -> Option<&str> {
    plan.card.as_ref().map(|card| card.number.as_str())
}

fn warned(plan: &Plan) -> Vec<u32> {
    plan.warnings.iter().map(|warning| warning.code.number).collect()
}

async fn by_card(store: &dyn Store, tenant: &Tenant, number: &str) -> Option<Found> {
    store.find(tenant, Lookup::Card(number.to_owned())).await.unwrap()
}

async fn a_card_is_issued_once_and_finds_its_customer(store: Arc<dyn Store>) {
    let tenant = open(&*store, None).await;
    let sent = || with_card("4711", mobile("919000000001"));
    let first = register(&*store, &tenant, sent()).await;
    assert_eq!(issued(&first), Some("4711"));
    let again = register(&*store, &tenant, sent()).await;
    assert_eq!((issued(&again), warned(&again)), (None, Vec::new()));

    let found = by_card(&*store, &tenant, "4711").await.unwrap();
    assert_eq!(found, Found { customer: first.customer.clone(), through_merge: false });
    assert_eq!(by_card(&*store, &tenant, "4712").await, None);
    let customer = first.customer.id;
    let card = Card { number: "4711".to_owned(), series: None, customer };
    assert_eq!(store.cards(&tenant, customer).await.unwrap(), [card]);
}

async fn a_card_of_another_stays_theirs(store: Arc<dyn Store>) {
    let tenant = open(&*store, None).await;
    let first = register(&*store, &tenant, with_card("4711", mobile("919000000001"))).await;
    let second = register(&*store, &tenant, with_card("4711", mobile("919000000002"))).await;
    assert_eq!((issued(&second), warned(&second)), (None, vec![91007]));
    assert_eq!(second.before, None, "who came with it is registered all the same");
    let found = by_card(&*store, &tenant, "4711").await.unwrap();
    assert_eq!(found.customer.id, first.customer.id);
}

async fn a_series_makes_one_card_a_customer(store: Arc<dyn Store>) {
    let tenant = open(&*store, None).await;
    let first = register(&*store, &tenant, gold(mobile("919000000001"))).await;
    // Luhn's digit of 0001 is 8, of 0002 is 6.
    assert_eq!(issued(&first), Some("G00018"));
    let again = register(&*store, &tenant, gold(mobile("919000000001"))).await;
    assert_eq!((issued(&again), warned(&again)), (None, Vec::new()));
    let second = register(&*store, &tenant, gold(mobile("919000000002"))).await;
    assert_eq!(issued(&second), Some("G00026"));
}

async fn a_number_that_was_issued_by_hand_is_not_made(store: Arc<dyn Store>) {
    let tenant = open(&*store, None).await;
    register(&*store, &tenant, with_card("G00018", mobile("919000000001"))).await;
    let made = register(&*store, &tenant, gold(mobile("919000000002"))).await;
    assert_eq!(issued(&made), Some("G00026"));
}

async fn a_series_issues_no_more_than_its_limit(store: Arc<dyn Store>) {
    let tenant = open(&*store, Some(2)).await;
    // One by hand counts as well.
    let by_hand =
        CardRequest { number: Some("G00091".to_owned()), series: Some("GOLD".to_owned()) };
    let by_hand = Registration { card: Some(by_hand), ..mobile("919000000001") };
    assert_eq!(issued(&register(&*store, &tenant, by_hand).await), Some("G00091"));
    assert!(register(&*store, &tenant, gold(mobile("919000000002"))).await.card.is_some());
    for refused in [
        gold(mobile("919000000003")),
        Registration {
            card: Some(CardRequest {
                number: Some("G00083".to_owned()),
                series: Some("GOLD".to_owned()),
            }),
            ..mobile("919000000004")
        },
    ] {
        let plan = register(&*store, &tenant, refused).await;
        assert_eq!((issued(&plan), warned(&plan)), (None, vec![91003]));
        assert_eq!(plan.before, None);
    }
}

async fn many_at_once_are_issued_a_card_each_up_to_the_limit(store: Arc<dyn Store>) {
    let tenant = open(&*store, Some(40)).await;
    let mut tasks = JoinSet::new();
    for number in 0..64 {
        let (store, tenant) = (Arc::clone(&store), tenant.clone());
        let registration = gold(external_id(&number.to_string()));
        tasks.spawn(async move { register(&*store, &tenant, registration).await });
    }
    let plans = tasks.join_all().await;
    let cards: BTreeSet<&str> = plans.iter().filter_map(issued).collect();
    assert_eq!(cards.len(), 40);
    assert_eq!(plans.iter().filter(|plan| warned(plan) == [91003]).count(), 24);
}

async fn one_card_asked_for_by_many_at_once_is_one_customers(store: Arc<dyn Store>) {
    let tenant = open(&*store, None).await;
    let mut tasks = JoinSet::new();
    for number in 0..64 {
        let (store, tenant) = (Arc::clone(&store), tenant.clone());
        let registration = with_card("4711", external_id(&number.to_string()));
        tasks.spawn(async move { register(&*store, &tenant, registration).await });
    }
    let plans = tasks.join_all().await;
    let holders: Vec<_> = plans.iter().filter(|plan| plan.card.is_some()).collect();
    assert_eq!(holders.len(), 1);
    let found = by_card(&*store, &tenant, "4711").await.unwrap();
    assert_eq!(found.customer.id, holders[0].customer.id);
    assert_eq!(plans.iter().filter(|plan| warned(plan) == [91007]).count(), 63);
}

async fn what_is_refused_or_rehearsed_issues_no_card(store: Arc<dyn Store>) {
    let mut new = selling(Some(1));
    new.organisation.settings =
        Settings::default().with([("CONF_USERS_IS_EMAIL_REQUIRED", "1")]).unwrap();
    let tenant = set_up(&*store, new).await;
    let batch = vec![gold(mobile("919000000001")), gold(email("a@b.in"))];
    let rehearsed = store.register(&tenant, batch, ORIGIN, now(), Mode::DryRun).await.unwrap();
    assert_eq!(rehearsed[0].outcome.as_ref().unwrap_err().code, codes::EMAIL_REQUIRED);
    assert_eq!(issued(rehearsed[1].outcome.as_ref().unwrap()), Some("G00018"));
    assert_eq!(by_card(&*store, &tenant, "G00018").await, None);
    let counted = register(&*store, &tenant, gold(email("b@b.in"))).await;
    assert_eq!(issued(&counted), Some("G00018"));
}

async fn a_merged_customers_cards_are_the_survivors(store: Arc<dyn Store>) {
    let mut new = selling(None);
    new.organisation.settings = Settings::default().with([("MERGE_ON_CONFLICT", "1")]).unwrap();
    let tenant = set_up(&*store, new).await;
    let survivor = register(&*store, &tenant, mobile("919000000001")).await.customer.id;
    register(&*store, &tenant, with_card("4711", email("a@b.in"))).await;
    // The registration that merges them may name the victim's card.
    let mut both = with_card("4711", mobile("919000000001"));
    both.identifiers.email = email("a@b.in").identifiers.email;
    let merged = register(&*store, &tenant, both).await;
    assert_eq!(merged.merged.len(), 1);
    assert_eq!((issued(&merged), warned(&merged)), (None, vec![8051]));

    let found = by_card(&*store, &tenant, "4711").await.unwrap();
    assert_eq!(found, Found { customer: merged.customer, through_merge: true });
    let cards = store.cards(&tenant, survivor).await.unwrap();
    assert_eq!(cards, [Card { number: "4711".to_owned(), series: None, customer: survivor }]);
    let again = register(&*store, &tenant, with_card("4711", mobile("919000000001"))).await;
    assert_eq!((issued(&again), warned(&again)), (None, Vec::new()));
}

async fn organisations_have_cards_of_their_own(store: Arc<dyn Store>) {
    let north = set_up(&*store, shop("north")).await;
    let south = set_up(&*store, shop("south")).await;
    let sent = || with_card("4711", mobile("919000000001"));
    let in_north = register(&*store, &north, sent()).await;
    assert_eq!(by_card(&*store, &south, "4711").await, None);
    let in_south = register(&*store, &south, sent()).await;
    assert_eq!((issued(&in_north), issued(&in_south)), (Some("4711"), Some("4711")));
    let found = by_card(&*store, &south, "4711").await.unwrap();
    assert_eq!(found.customer.registered_at, in_south.customer.registered_at);
    let cards = store.cards(&south, in_south.customer.id).await.unwrap();
    assert_eq!(cards.len(), 1);
}

async fn cards_and_limits_survive(place: Place) {
    let store = place.open();
    let tenant = open(&*store, Some(2)).await;
    let first = register(&*store, &tenant, gold(mobile("919000000001"))).await;
    store.close().await;
    drop(store);

    let store = place.open();
    let tenant = tenant_of(&*store, "shop").await;
    let found = by_card(&*store, &tenant, issued(&first).unwrap()).await.unwrap();
    assert_eq!(found.customer, first.customer);
    let second = register(&*store, &tenant, gold(mobile("919000000002"))).await;
    assert_eq!(issued(&second), Some("G00026"));
    let third = register(&*store, &tenant, gold(mobile("919000000003"))).await;
    assert_eq!((issued(&third), warned(&third)), (None, vec![91003]));
    store.close().await;
}
