//! Customers who are merged.

use std::sync::Arc;

use patron_rules::decide::Plan;
use patron_rules::identifier::IdentifierKind;
use patron_rules::ledger::{LedgerEntry, Reason};
use patron_rules::organisation::Kind;
use patron_store::{Found, Lookup, Store, Tenant};
use rust_decimal::Decimal;

use crate::given::{
    EARNED, all_three, balance, change_settings, check_ledger, email, external_id, mobile,
    open_shop, points, put, register,
};

on_every_engine! {
    the_survivor_has_what_both_had,
    the_victims_identifiers_lead_to_the_survivor_through_every_merge,
    points_that_end_go_on_to_end_when_they_did_through_every_merge,
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

/// What a customer gained by a plan: how much, and until when.
fn gained(plan: &Plan) -> Vec<(String, Option<String>)> {
    let entries = plan.ledger.iter().filter(|entry| entry.customer == plan.customer.id);
    let told = |entry: &LedgerEntry| {
        (entry.amount.to_string(), entry.expires_at.map(|end| end.to_string()))
    };
    entries.filter(|entry| !entry.amount.is_zero()).map(told).collect()
}

/// Thirty days, to the end of the day in Kolkata.
async fn points_that_end_go_on_to_end_when_they_did_through_every_merge(store: Arc<dyn Store>) {
    let month = r#"{"name":"month","effects":[{"type":"points","points":5,"valid_days":30}]}"#;
    let tenant = merging_shop(&*store).await;
    let tenant = put(&*store, &tenant, &[(Kind::RewardRules, "month", month)]).await;
    let both = |digits, address| {
        let mut both = all_three(digits, address, "A");
        both.identifiers.external_id = None;
        both
    };
    register(&*store, &tenant, email("a@b.in")).await;
    register(&*store, &tenant, mobile("919000000001")).await;
    let entry = |amount: &str, end: Option<&str>| (amount.to_owned(), end.map(str::to_owned));
    let end = Some("2025-07-01T18:29:59Z");
    let first = register(&*store, &tenant, both("919000000001", "a@b.in")).await;
    assert_eq!(gained(&first), [entry("5", end), entry(EARNED, None)]);
    // The survivor is merged in turn, with what they took over.
    register(&*store, &tenant, mobile("919000000002")).await;
    let second = register(&*store, &tenant, both("919000000002", "a@b.in")).await;
    assert_eq!(second.merged.len(), 1);
    assert_eq!(gained(&second), [entry("10", end), entry("0.6", None)]);
    assert_eq!(check_ledger(&*store, "shop").await.1, []);
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
