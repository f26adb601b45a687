//! External ids that the store makes itself: given once each, whatever happens.

use std::collections::BTreeSet;
use std::sync::Arc;

use patron_rules::codes;
use patron_rules::decide::Plan;
use patron_rules::identifier::IdentifierKind;
use patron_rules::settings::Settings;
use patron_rules::validate::Registration;
use patron_store::{Lookup, Mode, NewOrganisation, Store, Tenant};
use tokio::task::JoinSet;

use crate::engines::Place;
use crate::given::{
    ORIGIN, all_three, email, external_id, mobile, now, register, register_all, set_up, shop_with,
    tenant_of,
};

on_every_engine! {
    who_comes_without_an_external_id_is_given_the_next_one,
    a_number_that_somebody_has_is_passed_over,
    what_is_refused_or_rehearsed_uses_up_no_number,
    many_at_once_are_given_a_number_each_without_a_gap,
    a_series_that_is_used_up_registers_nobody,
    chance_that_finds_no_free_number_registers_nobody,
    numbers_that_were_tried_in_vain_are_not_tried_again,
    organisations_count_for_themselves,
    a_passed_id_is_replaced_where_it_always_is,
}

on_every_lasting_engine! {
    no_number_is_given_again_after_the_store_was_closed,
}

fn making(name: &str, changes: &[(&str, &str)]) -> NewOrganisation {
    let on = [
        ("CONF_CARD_NUMBER_GENERATION_ENABLED", "1"),
        ("CONF_GEN_CARD_NUMBER_AS_EXTERNAL_ID_ENABLED", "1"),
        ("CONF_CARD_NUMBER_PREFIX", "P"),
        ("CONF_CARD_NUMBER_LENGTH", "5"),
    ];
    let settings = Settings::default().with(on.into_iter().chain(changes.iter().copied())).unwrap();
    shop_with(name, settings)
}

async fn open(store: &dyn Store, changes: &[(&str, &str)]) -> Tenant {
    set_up(store, making("shop", changes)).await
}

fn id_of(plan: &Plan) -> &str {
    plan.customer.identifiers.key(IdentifierKind::ExternalId).unwrap()
}

async fn given(store: &dyn Store, tenant: &Tenant, registration: Registration) -> String {
    id_of(&register(store, tenant, registration).await).to_owned()
}

fn mobiles(range: std::ops::Range<u32>) -> impl Iterator<Item = Registration> {
    range.map(|number| mobile(&format!("91900000{number:04}")))
}

async fn who_comes_without_an_external_id_is_given_the_next_one(store: Arc<dyn Store>) {
    let tenant = open(&*store, &[("CONF_CARD_NUMBER_OFFSET", "41")]).await;
    let first = register(&*store, &tenant, mobile("919000000001")).await;
    assert_eq!(id_of(&first), "P0041");
    let by_it = Lookup::Identifier(IdentifierKind::ExternalId, "P0041".to_owned());
    assert_eq!(store.find(&tenant, by_it).await.unwrap().unwrap().customer, first.customer);

    // Whoever has one keeps it, passed or given.
    let again = register(&*store, &tenant, mobile("919000000001")).await;
    assert_eq!(again.customer, first.customer);
    let passed = all_three("919000000002", "b@b.in", "own");
    assert_eq!(given(&*store, &tenant, passed).await, "own");
    assert_eq!(given(&*store, &tenant, mobile("919000000003")).await, "P0042");
}

async fn a_number_that_somebody_has_is_passed_over(store: Arc<dyn Store>) {
    let tenant = open(&*store, &[]).await;
    for taken in ["P0001", "P0002", "P0004"] {
        register(&*store, &tenant, external_id(taken)).await;
    }
    assert_eq!(given(&*store, &tenant, mobile("919000000001")).await, "P0003");
    assert_eq!(given(&*store, &tenant, mobile("919000000002")).await, "P0005");
}

async fn what_is_refused_or_rehearsed_uses_up_no_number(store: Arc<dyn Store>) {
    let tenant = open(&*store, &[("CONF_USERS_IS_EMAIL_REQUIRED", "1")]).await;
    let refused = register_all(&*store, &tenant, vec![mobile("919000000001")]).await.pop();
    assert_eq!(refused.unwrap().unwrap_err().code, codes::EMAIL_REQUIRED);
    let batch = vec![email("a@b.in"), email("b@b.in")];
    let rehearsed = store.register(&tenant, batch, ORIGIN, now(), Mode::DryRun).await.unwrap();
    let rehearsed: Vec<_> =
        rehearsed.iter().map(|decision| id_of(decision.outcome.as_ref().unwrap())).collect();
    assert_eq!(rehearsed, ["P0001", "P0002"]);
    assert_eq!(given(&*store, &tenant, email("c@b.in")).await, "P0001");
}

async fn many_at_once_are_given_a_number_each_without_a_gap(store: Arc<dyn Store>) {
    let tenant = open(&*store, &[]).await;
    let mut tasks = JoinSet::new();
    for registration in mobiles(0..64) {
        let (store, tenant) = (Arc::clone(&store), tenant.clone());
        tasks.spawn(async move { given(&*store, &tenant, registration).await });
    }
    let given: BTreeSet<String> = tasks.join_all().await.into_iter().collect();
    let expected: BTreeSet<String> = (1..=64).map(|number| format!("P{number:04}")).collect();
    assert_eq!(given, expected);
}

async fn a_series_that_is_used_up_registers_nobody(store: Arc<dyn Store>) {
    let tenant =
        open(&*store, &[("CONF_CARD_NUMBER_LENGTH", "2"), ("CONF_CARD_NUMBER_OFFSET", "8")]).await;
    let outcomes = register_all(&*store, &tenant, mobiles(0..4).collect()).await;
    let given: Vec<_> = outcomes.iter().map(|outcome| outcome.as_ref().map(id_of)).collect();
    assert_eq!((given[0], given[1]), (Ok("P8"), Ok("P9")));
    for refused in &given[2..] {
        assert_eq!(refused.as_ref().unwrap_err().code, codes::FAILED_TO_ADD);
    }
    let by = Lookup::Identifier(IdentifierKind::Mobile, "919000000003".to_owned());
    assert_eq!(store.find(&tenant, by).await.unwrap(), None);
}

async fn chance_that_finds_no_free_number_registers_nobody(store: Arc<dyn Store>) {
    let random =
        [("CONF_CARD_CHECKSUM_DIGIT_ALGO", "RANDOM_LUHN"), ("CONF_CARD_NUMBER_LENGTH", "3")];
    let tenant = open(&*store, &random).await;
    // Ten numbers in all: one that is missed a hundred times is missed once in 38 thousand runs.
    let outcomes = register_all(&*store, &tenant, mobiles(0..12).collect()).await;
    let given: BTreeSet<&str> = outcomes.iter().flatten().map(id_of).collect();
    assert_eq!(given.len(), outcomes.iter().flatten().count(), "each once");
    assert!((9..=10).contains(&given.len()), "{given:?}");
    let form = &tenant.organisation().settings.generated_id.form;
    assert!(given.iter().all(|number| form.fits(number)));
    for refused in outcomes.iter().filter_map(|outcome| outcome.as_ref().err()) {
        assert_eq!(refused.code, codes::FAILED_TO_ADD);
    }
}

async fn numbers_that_were_tried_in_vain_are_not_tried_again(store: Arc<dyn Store>) {
    let tenant = open(&*store, &[]).await;
    let taken = (1..=150).map(|number| external_id(&format!("P{number:04}")));
    register_all(&*store, &tenant, taken.collect()).await;
    let refused = register_all(&*store, &tenant, vec![mobile("919000000001")]).await.pop();
    assert_eq!(refused.unwrap().unwrap_err().code, codes::FAILED_TO_ADD);
    assert_eq!(given(&*store, &tenant, mobile("919000000001")).await, "P0151");
}

async fn organisations_count_for_themselves(store: Arc<dyn Store>) {
    let north = set_up(&*store, making("north", &[])).await;
    let south = set_up(&*store, making("south", &[])).await;
    for tenant in [&north, &south] {
        assert_eq!(given(&*store, tenant, mobile("919000000001")).await, "P0001");
        assert_eq!(given(&*store, tenant, mobile("919000000002")).await, "P0002");
    }
}

async fn a_passed_id_is_replaced_where_it_always_is(store: Arc<dyn Store>) {
    let tenant = open(&*store, &[("GENERATED_EXTERNAL_ID", "ALWAYS")]).await;
    let sent = || all_three("919000000001", "a@b.in", "own");
    let first = register(&*store, &tenant, sent()).await;
    assert_eq!(id_of(&first), "P0001");
    // Sent again, it is the same customer, who keeps what they were given.
    let again = register(&*store, &tenant, sent()).await;
    assert_eq!((again.customer.id, id_of(&again)), (first.customer.id, "P0001"));
    // What is all by which somebody can be known again stays.
    assert_eq!(given(&*store, &tenant, external_id("alone")).await, "alone");
    let alone = register(&*store, &tenant, external_id("alone")).await;
    assert!(alone.before.is_some());
}

async fn no_number_is_given_again_after_the_store_was_closed(place: Place) {
    let store = place.open();
    let tenant = open(&*store, &[]).await;
    let mut given_before = Vec::new();
    for registration in mobiles(0..3) {
        given_before.push(given(&*store, &tenant, registration).await);
    }
    store.close().await;
    drop(store);

    let store = place.open();
    let tenant = tenant_of(&*store, "shop").await;
    assert_eq!(given_before, ["P0001", "P0002", "P0003"]);
    assert_eq!(given(&*store, &tenant, mobile("919000009999")).await, "P0004");
    store.close().await;
}
