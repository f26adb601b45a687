//! Customers who are merged.

use std::sync::Arc;

use patron_rules::identifier::IdentifierKind;
use patron_rules::ledger::Reason;
use patron_store::{Found, Lookup, Store, Tenant};
use rust_decimal::Decimal;

use crate::given::{
    EARNED, all_three, balance, change_settings, email, external_id, mobile, open_shop, points,
    register,
};

on_every_engine! {
    the_survivor_has_what_both_had,
    the_victims_identifiers_lead_to_the_survivor_through_every_merge,
}

async fn merging_shop(store: &dyn Store) -> Tenant {
    let tenant = open_shop(store).await;
    change_settings(store, &tenant, &[("MERGE_ON_CONFLICT", "1")]).await.unwrap()
}

async fn find(store: &dyn Store, tenant: &Tenant, kind: IdentifierKind, key: &str) -> Found {
    store.find(tenant, Lookup::Identifier(kind, key.to_owned())).await.unwrap().unwrap()
}

async fn the_survivor_has_what_both_had(store: Arc<dyn Store>) {
    let tenant = merging_shop(&*store).await;
    let survivor = register(&*store, &tenant, mobile("919000000001")).await.customer;
    let victim = register(&*store, &tenant, email("a@b.in")).await.customer;

    let mut together = all_three("919000000001", "a@b.in", "A-1");
    together.identifiers.external_id = None;
    let plan = register(&*store, &tenant, together).await;
    assert_eq!(plan.customer.id, survivor.id);
    assert_eq!(plan.merged.len(), 1);
    assert_eq!(plan.merged[0].before, victim);
    assert_eq!(balance(&plan.customer), points(EARNED) + points(EARNED));
    assert_eq!(plan.side_effects, [], "nothing is awarded anew");
    let moved: Vec<_> = plan.ledger.iter().map(|entry| (entry.customer, entry.amount)).collect();
    assert_eq!(moved, [(victim.id, -points(EARNED)), (survivor.id, points(EARNED))]);
    assert!(plan.ledger.iter().all(|entry| matches!(entry.reason, Reason::Merge { .. })));

    assert_eq!(plan.merged[0].survivor, survivor);
    let found = find(&*store, &tenant, IdentifierKind::Email, "a@b.in").await;
    // Having had none, the survivor took it over.
    assert_eq!(found, Found { customer: plan.customer.clone(), through_merge: false });
    let found = store.find(&tenant, Lookup::Id(victim.id)).await.unwrap().unwrap();
    assert_eq!(found, Found { customer: plan.customer.clone(), through_merge: true });
    let found = store.find(&tenant, Lookup::Id(survivor.id)).await.unwrap().unwrap();
    assert_eq!(found, Found { customer: plan.customer, through_merge: false });
}

async fn the_victims_identifiers_lead_to_the_survivor_through_every_merge(store: Arc<dyn Store>) {
    let tenant = merging_shop(&*store).await;
    let first = register(&*store, &tenant, external_id("A")).await.customer;
    let second = register(&*store, &tenant, email("b@b.in")).await.customer;
    let third = register(&*store, &tenant, mobile("919000000003")).await.customer;
    // One is merged after the other, so that what comes later follows the earlier.
    let mut with_email = all_three("919000000003", "b@b.in", "A");
    with_email.identifiers.external_id = None;
    register(&*store, &tenant, with_email).await;
    let mut with_external_id = all_three("919000000003", "b@b.in", "A");
    with_external_id.identifiers.email = None;
    let last = register(&*store, &tenant, with_external_id).await.customer;
    assert_eq!(last.id, third.id);
    assert_eq!(balance(&last), points(EARNED) * Decimal::from(3));
    for id in [first.id, second.id] {
        let found = store.find(&tenant, Lookup::Id(id)).await.unwrap().unwrap();
        assert_eq!((found.customer.id, found.through_merge), (third.id, true));
    }
    let again = register(&*store, &tenant, external_id("A")).await;
    assert_eq!(again.customer.id, third.id);
    assert_eq!(again.merged, []);
}
