//! Closing and opening again: what was accepted is finished, and nothing is forgotten.

use std::collections::HashSet;
use std::sync::Arc;

use patron_store::{Error, Mode, Store};

use crate::engines::Place;
use crate::given::{
    Asked, ORIGIN, author, external_id, is_new_and_awarded, look_up, names, now, open_shop,
    poll_once, register, register_all, shop, tenant_of,
};
use crate::once::{ask, once};

on_every_engine! {
    a_store_that_is_open_takes_work,
    a_closed_store_refuses_everything,
    a_closed_store_hands_out_no_organisation_that_it_knew,
    closing_finishes_what_was_accepted,
    closing_twice_is_closing_once,
    whoever_closes_second_waits_for_the_end_as_well,
}

on_every_lasting_engine! {
    everything_is_found_after_opening_again,
    no_id_is_given_twice_however_often_the_store_is_opened,
}

async fn a_store_that_is_open_takes_work(store: Arc<dyn Store>) {
    store.check().await.unwrap();
    open_shop(&*store).await;
    store.check().await.unwrap();
}

fn assert_closed<T>(what: &str, outcome: Result<T, Error>) {
    match outcome {
        Err(Error::Closed) => {}
        Err(other) => panic!("{what}: {other:?}"),
        Ok(_) => panic!("{what} was not refused"),
    }
}

async fn a_closed_store_refuses_everything(store: Arc<dyn Store>) {
    let tenant = open_shop(&*store).await;
    register(&*store, &tenant, external_id("A")).await;
    // Nobody has asked for this organisation yet, so nothing but its data tells of it.
    store.set_up(vec![shop("other")], author()).await.unwrap();
    let other = store.till_credential("other").await.unwrap().unwrap();
    store.close().await;

    assert_closed("organisations", store.organisations().await);
    assert_closed("set_up", store.set_up(vec![shop("late")], author()).await);
    assert_closed("till_credential", store.till_credential("shop").await);
    assert_closed("tenant", store.tenant(other.tenant).await);
    let late = store.register(&tenant, vec![external_id("B")], ORIGIN, now(), Mode::Apply);
    assert_closed("register", late.await);
    let nobody = store.register(&tenant, Vec::new(), ORIGIN, now(), Mode::Apply);
    assert_closed("register", nobody.await);
    assert_closed("register_once", ask(&*store, &tenant, Vec::new(), once(1, 1)).await);
    assert_closed("check", store.check().await);
}

async fn a_closed_store_hands_out_no_organisation_that_it_knew(store: Arc<dyn Store>) {
    open_shop(&*store).await;
    let known = store.till_credential("shop").await.unwrap().unwrap();
    store.tenant(known.tenant).await.unwrap();
    store.close().await;
    assert_closed("tenant", store.tenant(known.tenant).await);
}

async fn closing_finishes_what_was_accepted(store: Arc<dyn Store>) {
    let tenant = open_shop(&*store).await;
    let accepted: Vec<_> = (0..64)
        .map(|number| vec![external_id(&number.to_string())])
        .map(|one| Asked::begin(store.register(&tenant, one, ORIGIN, now(), Mode::Apply)))
        .collect();
    store.close().await;
    for registration in accepted {
        let outcomes = registration.known().expect("closed, but work is still under way").unwrap();
        assert!(is_new_and_awarded(outcomes[0].outcome.as_ref().unwrap()));
    }
}

async fn closing_twice_is_closing_once(store: Arc<dyn Store>) {
    let tenant = open_shop(&*store).await;
    register(&*store, &tenant, external_id("A")).await;
    store.close().await;
    store.close().await;
    assert_closed("check", store.check().await);
}

async fn whoever_closes_second_waits_for_the_end_as_well(store: Arc<dyn Store>) {
    let tenant = open_shop(&*store).await;
    // So much that it is not done while the two of them close.
    let batch =
        |number: usize| (0..500).map(|place| external_id(&format!("{number}-{place}"))).collect();
    let accepted: Vec<_> = (0..10)
        .map(|number| {
            Asked::begin(store.register(&tenant, batch(number), ORIGIN, now(), Mode::Apply))
        })
        .collect();
    let mut first = store.close();
    let closed = poll_once(&mut first).is_ready();
    store.close().await;
    for registration in accepted {
        let outcomes = registration.known().expect("closed, but work is still under way");
        assert_eq!(outcomes.unwrap().len(), 500);
    }
    if closed {
        return;
    }
    first.await;
}

async fn everything_is_found_after_opening_again(place: Place) {
    let store = place.open();
    let tenant = open_shop(&*store).await;
    let mut customers = Vec::new();
    for number in 0..10 {
        let plan = register(&*store, &tenant, external_id(&number.to_string())).await;
        customers.push(plan.customer);
    }
    store.close().await;
    drop((store, tenant));

    for _ in 0..2 {
        let store = place.open();
        assert_eq!(names(&*store).await, ["shop"]);
        let tenant = tenant_of(&*store, "shop").await;
        assert_eq!(tenant.organisation().programmes, shop("shop").organisation.programmes);
        for (number, customer) in customers.iter().enumerate() {
            let found = look_up(&*store, &tenant, external_id(&number.to_string())).await;
            assert_eq!(found.as_ref(), Some(customer));
        }
        let refused = store.set_up(vec![shop("shop")], author()).await.unwrap_err();
        assert!(matches!(refused, Error::Taken(_)), "{refused:?}");
        store.close().await;
    }
}

async fn no_id_is_given_twice_however_often_the_store_is_opened(place: Place) {
    let mut ids = HashSet::new();
    for round in 0..6 {
        let store = place.open();
        if round == 0 {
            store.set_up(vec![shop("shop")], author()).await.unwrap();
        }
        let tenant = tenant_of(&*store, "shop").await;
        // One time few, one time more than any engine sets aside at once.
        let customers = if round == 3 { 600 } else { 3 };
        let batch = (0..customers).map(|number| external_id(&format!("{round}-{number}")));
        for plan in register_all(&*store, &tenant, batch.collect()).await {
            let plan = plan.unwrap();
            assert!(is_new_and_awarded(&plan));
            assert!(ids.insert(plan.customer.id), "given twice");
        }
        store.close().await;
    }
    assert_eq!(ids.len(), 615);
}
