//! A caller that stops waiting: the work is done or not at all, and the store goes on.

use std::sync::Arc;

use patron_rules::decide::Plan;
use patron_store::{Mode, Store};

use crate::engines::Place;
use crate::given::{
    EARNED, ORIGIN, author, balance, external_id, is_new_and_awarded, look_up, named, names, now,
    open_shop, points, poll_once, register, register_all, shop, tenant_of,
};

on_every_engine! {
    a_batch_whose_caller_stopped_waiting_is_registered_wholly_or_not_at_all,
    a_registration_that_was_never_awaited_does_nothing,
    a_set_up_whose_caller_stopped_waiting_is_whole_or_not_there,
    readers_who_stop_waiting_are_not_in_the_way_of_others,
}

on_every_lasting_engine! {
    what_was_asked_for_is_done_though_nobody_waits_for_it,
}

/// Many rounds, since where the work is when its caller leaves differs from one to the next.
const ROUNDS: usize = 32;

async fn a_batch_whose_caller_stopped_waiting_is_registered_wholly_or_not_at_all(
    store: Arc<dyn Store>,
) {
    let tenant = open_shop(&*store).await;
    for round in 0..ROUNDS {
        let ids: Vec<String> = (0..5).map(|number| format!("{round}-{number}")).collect();
        let batch = |name: &str| ids.iter().map(|id| named(name, external_id(id))).collect();
        let mut asked = store.register(&tenant, batch("Abandoned"), ORIGIN, now(), Mode::Apply);
        let _ = poll_once(&mut asked);
        drop(asked);

        let outcomes = register_all(&*store, &tenant, batch("Awaited")).await;
        let plans: Vec<Plan> = outcomes.into_iter().map(Result::unwrap).collect();
        let new = plans.iter().filter(|plan| is_new_and_awarded(plan)).count();
        assert!(new == 0 || new == 5, "{new} of 5 were not there");
        for (id, plan) in ids.iter().zip(plans) {
            let kept = look_up(&*store, &tenant, external_id(id)).await.unwrap();
            assert_eq!(kept, plan.customer);
            assert_eq!(balance(&kept), points(EARNED));
        }
    }
}

async fn a_registration_that_was_never_awaited_does_nothing(store: Arc<dyn Store>) {
    let tenant = open_shop(&*store).await;
    drop(store.register(&tenant, vec![external_id("A")], ORIGIN, now(), Mode::Apply));
    let plan = register(&*store, &tenant, external_id("A")).await;
    assert!(is_new_and_awarded(&plan));
}

async fn a_set_up_whose_caller_stopped_waiting_is_whole_or_not_there(store: Arc<dyn Store>) {
    for round in 0..ROUNDS {
        let names = ["a", "b"].map(|name| format!("{name} {round}"));
        let shops = || names.iter().map(|name| shop(name)).collect();
        let mut asked = store.set_up(shops(), author());
        let _ = poll_once(&mut asked);
        drop(asked);

        // Either it is there and so in the way, or it is set up only now.
        let again = store.set_up(shops(), author()).await;
        assert!(matches!(again, Ok(()) | Err(patron_store::Error::Taken(_))));
        for name in &names {
            let tenant = tenant_of(&*store, name).await;
            assert_eq!(tenant.organisation().details.name, *name);
            assert_eq!(tenant.organisation().programmes, shop(name).organisation.programmes);
        }
    }
    assert_eq!(names(&*store).await.len(), 2 * ROUNDS);
}

/// Whoever reads holds something that others wait for; a store that forgot it would stand still.
async fn readers_who_stop_waiting_are_not_in_the_way_of_others(store: Arc<dyn Store>) {
    open_shop(&*store).await;
    for _ in 0..ROUNDS {
        let mut asked: Vec<_> = (0..16).map(|_| store.till_credential("shop")).collect();
        for read in &mut asked {
            let _ = poll_once(read);
        }
        // The last of them has waited longest to be let in, so they leave in both orders.
        while asked.pop().is_some() {
            if !asked.is_empty() {
                drop(asked.remove(0));
            }
        }
        assert!(store.till_credential("shop").await.unwrap().is_some());
        store.check().await.unwrap();
    }
}

async fn what_was_asked_for_is_done_though_nobody_waits_for_it(place: Place) {
    let store = place.open();
    let tenant = open_shop(&*store).await;
    for number in 0..ROUNDS {
        let mut asked = store.register(
            &tenant,
            vec![external_id(&number.to_string())],
            ORIGIN,
            now(),
            Mode::Apply,
        );
        let _ = poll_once(&mut asked);
    }
    store.close().await;
    drop(store);

    let store = place.open();
    let tenant = tenant_of(&*store, "shop").await;
    for number in 0..ROUNDS {
        let kept = look_up(&*store, &tenant, external_id(&number.to_string())).await;
        assert_eq!(balance(&kept.expect("registered")), points(EARNED));
    }
    store.close().await;
}
