//! Many at once: the outcome is that of one after the other.

use std::collections::HashSet;
use std::sync::Arc;

use patron_rules::decide::Plan;
use patron_rules::validate::Registration;
use patron_store::{Mode, Store, Tenant};
use tokio::task::JoinSet;

use crate::given::{
    EARNED, ORIGIN, all_three, author, balance, external_id, is_new_and_awarded, look_up, mobile,
    names, now, open_shop, points, register, set_up, shop, tenant_of,
};

/// How many do something at once.
const MANY: usize = 64;

on_every_engine! {
    one_new_identity_registered_by_many_at_once_is_one_customer,
    many_new_identities_registered_at_once_are_as_many_customers,
    batches_of_the_same_customers_in_opposite_orders_all_succeed,
    two_organisations_register_at_once_without_meeting,
    reading_and_registering_go_on_side_by_side,
    an_organisation_set_up_by_many_at_once_is_set_up_once,
}

/// Registers each batch in a task of its own; the outcomes in no particular order.
async fn at_once(
    store: &Arc<dyn Store>,
    tenant: &Tenant,
    batches: impl IntoIterator<Item = Vec<Registration>>,
) -> Vec<Vec<Plan>> {
    let mut tasks = JoinSet::new();
    for batch in batches {
        let (store, tenant) = (Arc::clone(store), tenant.clone());
        tasks.spawn(async move {
            let outcomes =
                store.register(&tenant, batch, ORIGIN, now(), Mode::Apply).await.unwrap();
            outcomes.into_iter().map(|decision| decision.outcome.unwrap()).collect()
        });
    }
    tasks.join_all().await
}

async fn one_new_identity_registered_by_many_at_once_is_one_customer(store: Arc<dyn Store>) {
    let tenant = open_shop(&*store).await;
    let person = || all_three("919000000001", "a@b.in", "A-1");
    let plans = at_once(&store, &tenant, (0..MANY).map(|_| vec![person()])).await;
    assert_eq!(plans.len(), MANY);
    let ids: HashSet<_> = plans.iter().map(|plan| plan[0].customer.id).collect();
    assert_eq!(ids.len(), 1);
    let new = plans.iter().filter(|plan| is_new_and_awarded(&plan[0]));
    assert_eq!(new.count(), 1);
    let kept = look_up(&*store, &tenant, person()).await.unwrap();
    assert_eq!(balance(&kept), points(EARNED));
}

async fn many_new_identities_registered_at_once_are_as_many_customers(store: Arc<dyn Store>) {
    let tenant = open_shop(&*store).await;
    let batches = (0..MANY).map(|number| vec![external_id(&number.to_string())]);
    let plans = at_once(&store, &tenant, batches).await;
    let ids: HashSet<_> = plans.iter().map(|plan| plan[0].customer.id).collect();
    assert_eq!(ids.len(), MANY);
    for plan in plans.into_iter().flatten() {
        assert!(is_new_and_awarded(&plan));
        let id = plan.customer.identifiers.external_id.clone().unwrap();
        let found = look_up(&*store, &tenant, external_id(id.as_str())).await;
        assert_eq!(found, Some(plan.customer));
    }
}

/// An engine that locks customers as it comes to them would stand still here.
async fn batches_of_the_same_customers_in_opposite_orders_all_succeed(store: Arc<dyn Store>) {
    let tenant = open_shop(&*store).await;
    let there = || (0..8).map(|number| external_id(&number.to_string()));
    let back = || there().rev();
    let batches =
        (0..MANY).map(|turn| if turn % 2 == 0 { there().collect() } else { back().collect() });
    let plans = at_once(&store, &tenant, batches).await.concat();
    assert_eq!(plans.len(), MANY * 8);
    let ids: HashSet<_> = plans.iter().map(|plan| plan.customer.id).collect();
    assert_eq!(ids.len(), 8);
    let new = plans.iter().filter(|plan| is_new_and_awarded(plan));
    assert_eq!(new.count(), 8);
}

async fn two_organisations_register_at_once_without_meeting(store: Arc<dyn Store>) {
    let north = set_up(&*store, shop("north")).await;
    let south = set_up(&*store, shop("south")).await;
    let batches = || (0..MANY).map(|number| vec![mobile(&format!("9190000000{number:02}"))]);
    let (in_north, in_south) =
        tokio::join!(at_once(&store, &north, batches()), at_once(&store, &south, batches()));
    for plans in [in_north, in_south] {
        let ids: HashSet<_> = plans.iter().map(|plan| plan[0].customer.id).collect();
        assert_eq!(ids.len(), MANY);
        assert!(plans.iter().all(|plan| is_new_and_awarded(&plan[0])));
    }
}

async fn reading_and_registering_go_on_side_by_side(store: Arc<dyn Store>) {
    let tenant = open_shop(&*store).await;
    let mut readers = JoinSet::new();
    for _ in 0..MANY {
        let store = Arc::clone(&store);
        readers.spawn(async move {
            for _ in 0..16 {
                let till = store.till_credential("shop").await.unwrap();
                assert!(till.is_some());
                assert_eq!(names(&*store).await, ["shop"]);
                store.check().await.unwrap();
            }
        });
    }
    let batches = (0..MANY).map(|number| vec![external_id(&number.to_string())]);
    let plans = at_once(&store, &tenant, batches).await;
    assert!(plans.iter().all(|plan| is_new_and_awarded(&plan[0])));
    assert_eq!(readers.join_all().await.len(), MANY);
}

async fn an_organisation_set_up_by_many_at_once_is_set_up_once(store: Arc<dyn Store>) {
    let mut tasks = JoinSet::new();
    for _ in 0..MANY {
        let store = Arc::clone(&store);
        tasks.spawn(async move { store.set_up(vec![shop("shop")], author()).await.is_ok() });
    }
    let set_up = tasks.join_all().await.into_iter().filter(|done| *done);
    assert_eq!(set_up.count(), 1);
    assert_eq!(names(&*store).await, ["shop"]);
    let tenant = tenant_of(&*store, "shop").await;
    assert!(is_new_and_awarded(&register(&*store, &tenant, external_id("A")).await));
}
