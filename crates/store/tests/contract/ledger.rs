//! What registration earns: entered once, kept with its balances, and theirs who merge.

use std::sync::Arc;

use patron_rules::customer::Customer;
use patron_rules::decide::Plan;
use patron_rules::ledger::{Currency, Reason};
use patron_rules::organisation::{Kind, ProgrammeId};
use patron_rules::profile::CustomerType;
use patron_rules::validate::Registration;
use patron_store::{Error, Store, Tenant};
use rust_decimal::Decimal;

use crate::engines::Place;
use crate::given::{
    EARNED, all_three, balance, change_settings, check_ledger, email, external_id, instant,
    look_up, mobile, open_shop, points, put, register, set_up, shop, tenant_of, with_documents,
};

on_every_engine! {
    every_effect_is_kept,
    a_rule_is_awarded_once_however_the_customer_comes,
    what_a_victim_was_awarded_is_not_awarded_to_the_survivor,
    a_rule_that_is_added_later_is_for_those_who_come_later,
    whoever_enters_a_second_programme_has_a_place_in_each,
    every_ledger_adds_up,
    an_organisation_that_is_not_there_has_no_ledger,
}
on_every_lasting_engine! {
    ledgers_and_awards_outlast_the_store,
}

fn loyal(registration: Registration) -> Registration {
    Registration { customer_type: Some(CustomerType::Loyalty), ..registration }
}

fn not_loyal(registration: Registration) -> Registration {
    Registration { customer_type: Some(CustomerType::NonLoyalty), ..registration }
}

/// The rules that a registration awarded, by name.
fn awarded(plan: &Plan) -> Vec<&str> {
    let is_award = |reason: &Reason| matches!(reason, Reason::Registration { .. });
    let given = plan.ledger.iter().filter(|entry| is_award(&entry.reason) && entry.line == 0);
    given.filter(|entry| !entry.amount.is_zero()).filter_map(|entry| entry.reason.rule()).collect()
}

/// What a customer can spend in each programme.
fn points_by_programme(customer: &Customer) -> Vec<(i64, Decimal)> {
    let of = |held: &patron_rules::customer::Enrolment| {
        (held.programme.0, held.balances.points.available())
    };
    customer.enrolments.iter().map(of).collect()
}

async fn every_effect_is_kept(store: Arc<dyn Store>) {
    let documents = [
        (
            Kind::Programmes,
            r#"{"name":"Programme","is_default":true,"tiers":[{"serial":1,"name":"Base"},
                {"serial":2,"name":"Silver","expiry":{"strategy":"fixed_months","months":6}}]}"#,
        ),
        (Kind::Currencies, r#"{"name":"Stars","identifier":"st-1"}"#),
        (
            Kind::RewardRules,
            r#"{"name":"all","effects":[{"type":"tier","serial":2},
                {"type":"currency","currency":"Stars","value":"2.50","valid_days":1},
                {"type":"points","points":"7"}]}"#,
        ),
    ];
    let tenant = set_up(&*store, with_documents(&documents, shop("shop"))).await;
    let plan = register(&*store, &tenant, mobile("919000000001")).await;
    assert_eq!(awarded(&plan), ["all", "reward 0.1", "reward 0.2"]);
    let known = look_up(&*store, &tenant, mobile("919000000001")).await.unwrap();
    assert_eq!(known, plan.customer);
    let [place] = known.enrolments.as_slice() else { panic!("{known:?}") };
    // Six months on, the last second of that day in Kolkata.
    assert_eq!((place.programme, place.tier), (ProgrammeId(7), 2));
    assert_eq!(place.tier_expires_at, Some(instant("2025-12-01T18:29:59Z")));
    assert_eq!(place.balances.points.available(), points("7.3"));
    let stars = place.balances.of(&Currency::Alternate("st-1".to_owned()));
    assert_eq!(stars.available(), points("2.5"));
    assert_eq!(check_ledger(&*store, "shop").await, (Some(1), Vec::new()));
}

async fn a_rule_is_awarded_once_however_the_customer_comes(store: Arc<dyn Store>) {
    let tenant = open_shop(&*store).await;
    let first = register(&*store, &tenant, not_loyal(mobile("919000000001"))).await;
    assert_eq!((awarded(&first), first.customer.enrolments.len()), (Vec::new(), 0));
    let converted = register(&*store, &tenant, loyal(mobile("919000000001"))).await;
    assert_eq!(awarded(&converted), ["reward 0.1", "reward 0.2"]);
    for again in [
        loyal(mobile("919000000001")),
        mobile("919000000001"),
        all_three("919000000001", "a@b.in", "A-1"),
        loyal(email("a@b.in")),
    ] {
        let plan = register(&*store, &tenant, again).await;
        assert_eq!((awarded(&plan), balance(&plan.customer)), (Vec::new(), points(EARNED)));
    }
    assert_eq!(check_ledger(&*store, "shop").await, (Some(1), Vec::new()));
}

const SECOND_BY_DEFAULT: [(Kind, &str, &str); 2] = [
    (Kind::Programmes, "Programme", r#"{"name":"Programme","id":7}"#),
    (Kind::Programmes, "Second", r#"{"name":"Second","id":9,"is_default":true}"#),
];

async fn what_a_victim_was_awarded_is_not_awarded_to_the_survivor(store: Arc<dyn Store>) {
    let tenant = open_shop(&*store).await;
    let tenant = change_settings(&*store, &tenant, &[("MERGE_ON_CONFLICT", "1")]).await.unwrap();
    register(&*store, &tenant, not_loyal(mobile("919000000001"))).await;
    register(&*store, &tenant, email("a@b.in")).await;
    let mut together = all_three("919000000001", "a@b.in", "A-1");
    together.identifiers.external_id = None;
    let merged = register(&*store, &tenant, loyal(together)).await;
    assert_eq!(merged.merged.len(), 1);
    assert_eq!((awarded(&merged), balance(&merged.customer)), (Vec::new(), points(EARNED)));
    // Even the next programme, whose rules these are by now, has nothing left to award.
    let tenant = put(&*store, &tenant, &SECOND_BY_DEFAULT).await;
    let entered = register(&*store, &tenant, mobile("919000000001")).await;
    assert_eq!(awarded(&entered), [""; 0]);
    let expected = [(7, points(EARNED)), (9, points("0"))];
    assert_eq!(points_by_programme(&entered.customer), expected);
    assert_eq!(check_ledger(&*store, "shop").await, (Some(2), Vec::new()));
}

async fn a_rule_that_is_added_later_is_for_those_who_come_later(store: Arc<dyn Store>) {
    let tenant = open_shop(&*store).await;
    register(&*store, &tenant, mobile("919000000001")).await;
    let rule = r#"{"name":"late","effects":[{"type":"points","points":1}]}"#;
    let tenant = put(&*store, &tenant, &[(Kind::RewardRules, "late", rule)]).await;
    let known = register(&*store, &tenant, mobile("919000000001")).await;
    assert_eq!(awarded(&known), [""; 0]);
    let new = register(&*store, &tenant, mobile("919000000002")).await;
    assert_eq!(awarded(&new), ["late", "reward 0.1", "reward 0.2"]);
}

async fn whoever_enters_a_second_programme_has_a_place_in_each(store: Arc<dyn Store>) {
    let tenant = open_shop(&*store).await;
    register(&*store, &tenant, mobile("919000000001")).await;
    let rule = r#"{"name":"hello","programme":"Second","effects":[{"type":"points","points":5}]}"#;
    let mut changes = SECOND_BY_DEFAULT.to_vec();
    changes.push((Kind::RewardRules, "hello", rule));
    let tenant = put(&*store, &tenant, &changes).await;
    let entered = register(&*store, &tenant, mobile("919000000001")).await;
    assert_eq!(awarded(&entered), ["hello"]);
    let expected = [(7, points(EARNED)), (9, points("5"))];
    assert_eq!(points_by_programme(&entered.customer), expected);
    let known = look_up(&*store, &tenant, mobile("919000000001")).await.unwrap();
    assert_eq!(points_by_programme(&known), expected);
    assert_eq!(check_ledger(&*store, "shop").await, (Some(1), Vec::new()));
}

/// Customers of every sort, merged and converted, some in one batch.
async fn all_sorts(store: &dyn Store, tenant: &Tenant) {
    for turn in 0..30 {
        let digits = format!("9190000000{:02}", turn % 10);
        let address = format!("{}@b.in", turn % 7);
        let id = format!("A-{}", turn % 4);
        let three = || all_three(&digits, &address, &id);
        for registration in [not_loyal(mobile(&digits)), external_id(&id), loyal(three())] {
            // One that asks a loyal customer not to be is refused.
            crate::given::register_all(store, tenant, vec![registration]).await;
        }
    }
}

async fn every_ledger_adds_up(store: Arc<dyn Store>) {
    let documents = [
        (Kind::Currencies, r#"{"name":"Stars","identifier":"st-1"}"#),
        (
            Kind::RewardRules,
            r#"{"name":"stars","effects":[{"type":"currency","currency":"Stars","value":"0.1"}]}"#,
        ),
    ];
    let tenant = set_up(&*store, with_documents(&documents, shop("shop"))).await;
    let tenant = change_settings(&*store, &tenant, &[("MERGE_ON_CONFLICT", "1")]).await.unwrap();
    all_sorts(&*store, &tenant).await;
    let (customers, differences) = check_ledger(&*store, "shop").await;
    assert_eq!(differences, []);
    assert!(customers > Some(10), "{customers:?}");
}

async fn an_organisation_that_is_not_there_has_no_ledger(store: Arc<dyn Store>) {
    open_shop(&*store).await;
    let checked = store.check_ledger("Shop", Box::new(|told| panic!("{told:?}"))).await;
    assert!(matches!(checked, Err(Error::NoOrganisation)), "{checked:?}");
}

async fn ledgers_and_awards_outlast_the_store(place: Place) {
    let store = place.open();
    let tenant = open_shop(&*store).await;
    let tenant = change_settings(&*store, &tenant, &[("MERGE_ON_CONFLICT", "1")]).await.unwrap();
    all_sorts(&*store, &tenant).await;
    let before = check_ledger(&*store, "shop").await;
    store.close().await;
    drop(store);

    let store = place.open();
    assert_eq!(check_ledger(&*store, "shop").await, before);
    assert_eq!(before.1, []);
    let tenant = tenant_of(&*store, "shop").await;
    let tenant = put(&*store, &tenant, &SECOND_BY_DEFAULT).await;
    for turn in 0..10 {
        let digits = format!("9190000000{turn:02}");
        let plan = register(&*store, &tenant, loyal(mobile(&digits))).await;
        assert_eq!(awarded(&plan), [""; 0], "awarded in another programme before");
    }
    assert_eq!(check_ledger(&*store, "shop").await.1, []);
    store.close().await;
}
