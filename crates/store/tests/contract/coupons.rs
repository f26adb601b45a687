//! Coupons: each code is one coupon's, and no series issues more than it may.

use std::collections::BTreeSet;
use std::sync::Arc;

use patron_rules::award::SideEffect;
use patron_rules::coupon::{Coupon, IssuedCoupon};
use patron_rules::decide::Plan;
use patron_rules::organisation::Kind;
use patron_store::{Mode, NewOrganisation, Store, Tenant};
use tokio::task::JoinSet;

use crate::engines::Place;
use crate::given::{
    ORIGIN, all_three, balance, change_settings, external_id, mobile, now, points, register,
    set_up, shop, tenant_of,
};

on_every_engine! {
    who_enters_the_programme_is_given_a_coupon_once,
    a_rule_whose_series_is_used_up_gives_nothing_of_it,
    many_at_once_are_given_a_code_each_up_to_the_limit,
    two_series_of_one_pattern_share_no_code,
    what_is_rehearsed_issues_no_coupon,
    codes_that_run_out_leave_the_registration,
    merged_customers_keep_their_coupons,
}

on_every_lasting_engine! {
    coupons_and_limits_survive,
}

/// A shop where registration earns these series' coupons, each with five points.
fn giving(series: &[&str]) -> NewOrganisation {
    let mut new = shop("shop");
    let mut put = |kind, json: &str| drop(new.organisation.documents_mut(kind).put(json).unwrap());
    for (position, series) in series.iter().enumerate() {
        put(Kind::CouponSeries, series);
        let document: serde_json::Value = serde_json::from_str(series).unwrap();
        let name = document["name"].as_str().unwrap();
        put(
            Kind::RewardRules,
            &format!(
                r#"{{"name":"coupon of {name}","position":{},"effects":[
                    {{"type":"points","points":5}},{{"type":"coupon","series":"{name}"}}]}}"#,
                position + 100
            ),
        );
    }
    new
}

async fn open(store: &dyn Store, series: &[&str]) -> Tenant {
    set_up(store, giving(series)).await
}

fn coupons(plan: &Plan) -> Vec<&Coupon> {
    let effects = plan.side_effects.iter();
    let told: Vec<&Coupon> = effects
        .filter_map(|effect| match effect {
            SideEffect::Coupon(coupon) => Some(coupon),
            _ => None,
        })
        .collect();
    assert_eq!(told, plan.coupons.iter().collect::<Vec<_>>(), "what is told is what is issued");
    told
}

fn warned(plan: &Plan) -> Vec<u32> {
    plan.warnings.iter().map(|warning| warning.code.number).collect()
}

/// What registration earns besides.
fn earned_besides() -> rust_decimal::Decimal {
    points(crate::given::EARNED)
}

async fn who_enters_the_programme_is_given_a_coupon_once(store: Arc<dyn Store>) {
    let series = r#"{"name":"WELCOME","code":{"prefix":"WEL-"},"valid_days":30,
        "description":"A tenth off","discount_code":"TENTH"}"#;
    let tenant = open(&*store, &[series]).await;
    let plan = register(&*store, &tenant, mobile("919000000001")).await;
    let [coupon] = coupons(&plan)[..] else { panic!("one coupon") };
    assert_eq!((coupon.id, coupon.series.as_str()), (1, "WELCOME"));
    let random = coupon.code.strip_prefix("WEL-").unwrap();
    assert_eq!(random.len(), 13, "65 bits of chance");
    assert_eq!(coupon.discount_code.as_deref(), Some("TENTH"));
    // 1 July in Kolkata, at 23:59:59.
    assert_eq!(coupon.valid_till, Some("2025-07-01T18:29:59Z".parse().unwrap()));

    let again = register(&*store, &tenant, mobile("919000000001")).await;
    assert_eq!((coupons(&again).len(), warned(&again)), (0, Vec::new()));
    let second = register(&*store, &tenant, mobile("919000000002")).await;
    assert_eq!(coupons(&second)[0].id, 2);
    assert_ne!(coupons(&second)[0].code, coupon.code);
}

async fn a_rule_whose_series_is_used_up_gives_nothing_of_it(store: Arc<dyn Store>) {
    let tenant = open(&*store, &[r#"{"name":"FEW","limit":1}"#]).await;
    let first = register(&*store, &tenant, mobile("919000000001")).await;
    assert_eq!(coupons(&first).len(), 1);
    assert_eq!(balance(&first.customer), earned_besides() + points("5"));
    let second = register(&*store, &tenant, mobile("919000000002")).await;
    assert_eq!((coupons(&second).len(), warned(&second)), (0, vec![1086]));
    assert_eq!(balance(&second.customer), earned_besides(), "nor its points");
}

async fn many_at_once_are_given_a_code_each_up_to_the_limit(store: Arc<dyn Store>) {
    let tenant = open(&*store, &[r#"{"name":"FEW","limit":40}"#]).await;
    let mut tasks = JoinSet::new();
    for number in 0..64 {
        let (store, tenant) = (Arc::clone(&store), tenant.clone());
        let registration = external_id(&number.to_string());
        tasks.spawn(async move { register(&*store, &tenant, registration).await });
    }
    let plans = tasks.join_all().await;
    let issued: Vec<&Coupon> = plans.iter().flat_map(coupons).collect();
    assert_eq!(issued.len(), 40);
    let codes: BTreeSet<&str> = issued.iter().map(|coupon| coupon.code.as_str()).collect();
    let ids: BTreeSet<i64> = issued.iter().map(|coupon| coupon.id).collect();
    assert_eq!((codes.len(), ids.len()), (40, 40));
    assert_eq!(plans.iter().filter(|plan| warned(plan) == [1086]).count(), 24);
}

/// Twenty codes for two series, of which each customer is given one of each.
async fn two_series_of_one_pattern_share_no_code(store: Arc<dyn Store>) {
    let of = |name| {
        format!(r#"{{"name":"{name}","code":{{"alphabet":"ABCDEFGHJKLMNPQRSTUV","length":1}}}}"#)
    };
    let tenant = open(&*store, &[&of("ONE"), &of("OTHER")]).await;
    let mut codes = BTreeSet::new();
    for number in 0..8 {
        let plan = register(&*store, &tenant, external_id(&number.to_string())).await;
        for coupon in coupons(&plan) {
            assert!(codes.insert(coupon.code.clone()), "{} twice", coupon.code);
        }
    }
    assert_eq!(codes.len(), 16);
}

async fn what_is_rehearsed_issues_no_coupon(store: Arc<dyn Store>) {
    let tenant = open(&*store, &[r#"{"name":"FEW","limit":1}"#]).await;
    let batch = vec![mobile("919000000001")];
    let rehearsed = store.register(&tenant, batch, ORIGIN, now(), Mode::DryRun).await.unwrap();
    assert_eq!(coupons(rehearsed[0].outcome.as_ref().unwrap()).len(), 1);
    let counted = register(&*store, &tenant, mobile("919000000002")).await;
    assert_eq!(coupons(&counted)[0].id, 1);
}

async fn codes_that_run_out_leave_the_registration(store: Arc<dyn Store>) {
    let tenant = open(&*store, &[r#"{"name":"TWO","code":{"alphabet":"AB","length":1}}"#]).await;
    let mut issued = 0;
    for number in 0..6 {
        let plan = register(&*store, &tenant, external_id(&number.to_string())).await;
        assert_eq!(plan.before, None);
        issued += coupons(&plan).len();
        assert_eq!(coupons(&plan).is_empty(), warned(&plan) == [1086]);
    }
    assert_eq!(issued, 2);
}

async fn coupons_and_limits_survive(place: Place) {
    let store = place.open();
    let tenant = open(&*store, &[r#"{"name":"FEW","limit":2}"#]).await;
    let first = register(&*store, &tenant, mobile("919000000001")).await;
    store.close().await;
    drop(store);

    let store = place.open();
    let tenant = tenant_of(&*store, "shop").await;
    let again = register(&*store, &tenant, mobile("919000000001")).await;
    assert_eq!(coupons(&again).len(), 0);
    let second = register(&*store, &tenant, mobile("919000000002")).await;
    assert_eq!(coupons(&second)[0].id, 2);
    assert_ne!(coupons(&second)[0].code, coupons(&first)[0].code);
    let third = register(&*store, &tenant, mobile("919000000003")).await;
    assert_eq!((coupons(&third).len(), warned(&third)), (0, vec![1086]));
    store.close().await;
}

async fn merged_customers_keep_their_coupons(store: Arc<dyn Store>) {
    let series = r#"{"name":"WELCOME","valid_days":30}"#;
    let tenant = open(&*store, &[series]).await;
    let tenant = change_settings(&*store, &tenant, &[("MERGE_ON_CONFLICT", "1")]).await.unwrap();
    let survivor = register(&*store, &tenant, mobile("919000000001")).await;
    let victim = register(&*store, &tenant, external_id("A")).await;
    let issued = |plan: &Plan| {
        let Coupon { id, series, code, valid_till, .. } = coupons(plan)[0].clone();
        let issued_at = now();
        IssuedCoupon { id, series, code, issued_at, valid_till }
    };
    let id = survivor.customer.id;
    assert_eq!(store.coupons(&tenant, id).await.unwrap(), [issued(&survivor)]);
    let mut together = all_three("919000000001", "a@b.in", "A");
    together.identifiers.email = None;
    assert_eq!(register(&*store, &tenant, together).await.merged.len(), 1);
    let kept = [issued(&survivor), issued(&victim)];
    assert_eq!(store.coupons(&tenant, id).await.unwrap(), kept);
}
