//! Referrals: each code is one customer's, and brings the one who has it what it may, once.

use std::collections::BTreeSet;
use std::sync::Arc;

use jiff::Timestamp;
use patron_rules::audit::Event;
use patron_rules::award::SideEffect;
use patron_rules::customer::{Customer, CustomerId};
use patron_rules::decide::Plan;
use patron_rules::organisation::Kind;
use patron_rules::profile::CustomerType;
use patron_rules::validate::Registration;
use patron_store::{Lookup, Mode, Store, Tenant};
use rust_decimal::Decimal;
use tokio::task::JoinSet;

use crate::engines::Place;
use crate::given::{
    EARNED, ORIGIN, all_three, audit, balance, change_settings, check_ledger, email, external_id,
    instant, mobile, now, points, put, register, set_up, shop, tenant_of, with_documents,
};

on_every_engine! {
    a_code_is_made_once_for_whoever_is_in_the_programme,
    whoever_asks_at_once_gets_one_code,
    a_campaign_makes_codes_while_it_runs,
    codes_that_run_out_leave_a_customer_without,
    both_are_rewarded_in_one_commit_and_the_audit_tells_of_it,
    what_is_sent_again_rewards_nobody_again,
    a_conversion_counts_once,
    of_many_at_once_a_code_brings_no_more_than_it_may,
    a_code_that_does_not_count_leaves_the_registration,
    a_campaign_that_is_over_rewards_nobody,
    the_survivor_of_a_merged_referrer_is_rewarded,
    nobody_refers_whom_they_become,
    a_referee_who_is_merged_is_rewarded_for_once,
    in_a_chain_each_is_rewarded_for_their_own,
    what_is_rehearsed_or_refused_refers_nobody,
    organisations_have_codes_of_their_own,
}

on_every_lasting_engine! {
    codes_and_referrals_survive,
}

/// What the referrer is given, and the referee besides what everybody is.
const REWARD: &str = "50";
const WELCOME: &str = "7";
const CAMPAIGN: &str = r#"{"name":"friends","code":{"prefix":"F-"},"to":"2025-06-30"}"#;
const RULE: &str = r#"{"name":"referral","when":{"referred":true},"effects":[
    {"type":"points","points":7},{"type":"referrer_points","points":50}]}"#;

async fn open_with(store: &dyn Store, campaign: &str) -> Tenant {
    let documents = [(Kind::ReferralCampaigns, campaign), (Kind::RewardRules, RULE)];
    set_up(store, with_documents(&documents, shop("shop"))).await
}

async fn open(store: &dyn Store) -> Tenant {
    open_with(store, CAMPAIGN).await
}

async fn open_merging(store: &dyn Store) -> Tenant {
    let tenant = open(store).await;
    change_settings(store, &tenant, &[("MERGE_ON_CONFLICT", "1")]).await.unwrap()
}

async fn codes_at(
    store: &dyn Store,
    tenant: &Tenant,
    customer: &Customer,
    at: Timestamp,
) -> Vec<String> {
    let codes = store.referral_codes(tenant, customer, at).await.unwrap();
    codes.into_iter().map(|code| code.code).collect()
}

async fn code_of(store: &dyn Store, tenant: &Tenant, customer: &Customer) -> String {
    let codes = codes_at(store, tenant, customer, now()).await;
    let [code] = codes.as_slice() else { panic!("one code, not {codes:?}") };
    code.clone()
}

/// Registers somebody and asks for their code.
async fn referrer(
    store: &dyn Store,
    tenant: &Tenant,
    registration: Registration,
) -> (CustomerId, String) {
    let customer = register(store, tenant, registration).await.customer;
    (customer.id, code_of(store, tenant, &customer).await)
}

fn by_code(code: &str, registration: Registration) -> Registration {
    Registration { referral_code: Some(code.to_owned()), ..registration }
}

fn non_loyal(registration: Registration) -> Registration {
    Registration { customer_type: Some(CustomerType::NonLoyalty), ..registration }
}

fn loyal(registration: Registration) -> Registration {
    Registration { customer_type: Some(CustomerType::Loyalty), ..registration }
}

/// The number of one and the address of another.
fn together(digits: &str, address: &str) -> Registration {
    let mut both = all_three(digits, address, "A");
    both.identifiers.external_id = None;
    both
}

fn warned(plan: &Plan) -> Vec<u32> {
    plan.warnings.iter().map(|warning| warning.code.number).collect()
}

/// Who was told to be rewarded for having referred the customer.
fn rewarded(plan: &Plan) -> Option<CustomerId> {
    let mut told = plan.side_effects.iter().filter_map(|effect| match effect {
        SideEffect::ReferrerPoints { customer, awarded } => {
            assert_eq!(*awarded, points(REWARD));
            Some(*customer)
        }
        _ => None,
    });
    let first = told.next();
    assert_eq!(told.next(), None);
    first
}

async fn find(store: &dyn Store, tenant: &Tenant, id: CustomerId) -> Customer {
    store.find(tenant, Lookup::Id(id)).await.unwrap().unwrap().customer
}

/// The points of a customer, whoever was merged into them.
async fn balance_of(store: &dyn Store, tenant: &Tenant, id: CustomerId) -> Decimal {
    balance(&find(store, tenant, id).await)
}

async fn referrals(store: &dyn Store, tenant: &Tenant, code: &str) -> u64 {
    store.referrer(tenant, code).await.unwrap().unwrap().code.referrals
}

async fn a_code_is_made_once_for_whoever_is_in_the_programme(store: Arc<dyn Store>) {
    let tenant = open(&*store).await;
    let one = register(&*store, &tenant, mobile("919000000001")).await.customer;
    let other = register(&*store, &tenant, mobile("919000000002")).await.customer;
    let code = code_of(&*store, &tenant, &one).await;
    let random = code.strip_prefix("F-").unwrap();
    assert_eq!(random.len(), 13, "65 bits of chance");
    assert_eq!(code_of(&*store, &tenant, &one).await, code);
    assert_ne!(code_of(&*store, &tenant, &other).await, code);
    let found = store.referrer(&tenant, &code).await.unwrap().unwrap();
    assert_eq!((found.customer, found.code.referrals), (one, 0));
    assert_eq!(store.referrer(&tenant, "F-NOBODY").await.unwrap(), None);

    let outside = register(&*store, &tenant, non_loyal(mobile("919000000003"))).await.customer;
    assert_eq!(codes_at(&*store, &tenant, &outside, now()).await, [""; 0]);
}

async fn whoever_asks_at_once_gets_one_code(store: Arc<dyn Store>) {
    let tenant = open(&*store).await;
    let customer = register(&*store, &tenant, mobile("919000000001")).await.customer;
    let mut tasks = JoinSet::new();
    for _ in 0..32 {
        let (store, tenant, customer) = (Arc::clone(&store), tenant.clone(), customer.clone());
        tasks.spawn(async move { code_of(&*store, &tenant, &customer).await });
    }
    let codes: BTreeSet<String> = tasks.join_all().await.into_iter().collect();
    assert_eq!(codes.len(), 1);
}

/// To the end of 30 June in Kolkata.
async fn a_campaign_makes_codes_while_it_runs(store: Arc<dyn Store>) {
    let tenant = open(&*store).await;
    let customer = register(&*store, &tenant, mobile("919000000001")).await.customer;
    let over = instant("2025-06-30T18:30:00Z");
    assert_eq!(codes_at(&*store, &tenant, &customer, over).await, [""; 0]);
    let before = instant("2025-06-30T18:29:59Z");
    assert_eq!(codes_at(&*store, &tenant, &customer, before).await.len(), 1);
    let next = (Kind::ReferralCampaigns, "next", r#"{"name":"next","code":{"prefix":"N-"}}"#);
    let tenant = put(&*store, &tenant, &[next]).await;
    let codes = codes_at(&*store, &tenant, &customer, over).await;
    let prefixes: Vec<&str> = codes.iter().map(|code| &code[..2]).collect();
    assert_eq!(prefixes, ["F-", "N-"]);
}

async fn codes_that_run_out_leave_a_customer_without(store: Arc<dyn Store>) {
    let two = r#"{"name":"friends","code":{"alphabet":"AB","length":1}}"#;
    let tenant = open_with(&*store, two).await;
    let mut codes = Vec::new();
    for number in 0..4 {
        let registration = external_id(&number.to_string());
        let customer = register(&*store, &tenant, registration).await.customer;
        codes.extend(codes_at(&*store, &tenant, &customer, now()).await);
    }
    codes.sort();
    assert_eq!(codes, ["A", "B"]);
}

async fn both_are_rewarded_in_one_commit_and_the_audit_tells_of_it(store: Arc<dyn Store>) {
    let tenant = open(&*store).await;
    let (first, code) = referrer(&*store, &tenant, mobile("919000000001")).await;
    let plan = register(&*store, &tenant, by_code(&code, mobile("919000000002"))).await;
    assert_eq!((rewarded(&plan), warned(&plan)), (Some(first), Vec::new()));
    assert_eq!(balance(&plan.customer), points(WELCOME) + points(EARNED));
    assert_eq!(balance_of(&*store, &tenant, first).await, points(REWARD) + points(EARNED));
    assert_eq!(referrals(&*store, &tenant, &code).await, 1);
    assert_eq!(check_ledger(&*store, "shop").await, (Some(2), Vec::new()));

    let newest = async |id| audit(&*store, &tenant, id).await.entries.remove(0).changes.events;
    assert_eq!(newest(first).await, [Event::Referred(plan.customer.id)]);
    assert_eq!(newest(plan.customer.id).await.last(), Some(&Event::ReferredBy(first)));
}

async fn what_is_sent_again_rewards_nobody_again(store: Arc<dyn Store>) {
    let tenant = open_with(&*store, r#"{"name":"friends","referrals_per_code":1}"#).await;
    let (first, code) = referrer(&*store, &tenant, mobile("919000000001")).await;
    let (_, others) = referrer(&*store, &tenant, mobile("919000000003")).await;
    let once = register(&*store, &tenant, by_code(&code, mobile("919000000002"))).await;
    assert_eq!(rewarded(&once), Some(first));
    for sent_again in [&code, &others, &code] {
        let plan = register(&*store, &tenant, by_code(sent_again, mobile("919000000002"))).await;
        assert_eq!((rewarded(&plan), warned(&plan), plan.referral), (None, Vec::new(), None));
    }
    assert_eq!(balance_of(&*store, &tenant, first).await, points(REWARD) + points(EARNED));
    assert_eq!(referrals(&*store, &tenant, &code).await, 1);
    assert_eq!(referrals(&*store, &tenant, &others).await, 0);
}

/// Who is no loyalty customer yet is not referred; becoming one counts.
async fn a_conversion_counts_once(store: Arc<dyn Store>) {
    let tenant = open(&*store).await;
    let (first, code) = referrer(&*store, &tenant, mobile("919000000001")).await;
    let sent = by_code(&code, mobile("919000000002"));
    let outside = register(&*store, &tenant, non_loyal(sent.clone())).await;
    assert_eq!((rewarded(&outside), warned(&outside)), (None, Vec::new()));
    let converted = register(&*store, &tenant, loyal(sent.clone())).await;
    assert_eq!(rewarded(&converted), Some(first));
    assert_eq!(rewarded(&register(&*store, &tenant, loyal(sent)).await), None);
    assert_eq!(referrals(&*store, &tenant, &code).await, 1);
}

async fn of_many_at_once_a_code_brings_no_more_than_it_may(store: Arc<dyn Store>) {
    let tenant = open_with(&*store, r#"{"name":"friends","referrals_per_code":10}"#).await;
    let (first, code) = referrer(&*store, &tenant, mobile("919000000001")).await;
    let mut tasks = JoinSet::new();
    for number in 0..32 {
        let (store, tenant) = (Arc::clone(&store), tenant.clone());
        let registration = by_code(&code, external_id(&number.to_string()));
        tasks.spawn(async move { register(&*store, &tenant, registration).await });
    }
    let plans = tasks.join_all().await;
    assert_eq!(plans.iter().filter_map(rewarded).count(), 10);
    assert_eq!(plans.iter().filter(|plan| warned(plan) == [1205]).count(), 22);
    let expected = points(REWARD) * Decimal::from(10) + points(EARNED);
    assert_eq!(balance_of(&*store, &tenant, first).await, expected);
    assert_eq!(referrals(&*store, &tenant, &code).await, 10);
}

async fn a_code_that_does_not_count_leaves_the_registration(store: Arc<dyn Store>) {
    let tenant = open(&*store).await;
    let (first, own) = referrer(&*store, &tenant, mobile("919000000001")).await;
    let plan = register(&*store, &tenant, by_code("F-NOBODY", mobile("919000000002"))).await;
    assert_eq!((plan.before.as_ref(), warned(&plan)), (None, vec![1205]));
    assert_eq!(balance(&plan.customer), points(EARNED), "what everybody earns");
    let plan = register(&*store, &tenant, by_code(&own, mobile("919000000001"))).await;
    assert_eq!((plan.customer.id, warned(&plan)), (first, vec![1205]));
    assert_eq!(referrals(&*store, &tenant, &own).await, 0);
}

async fn a_campaign_that_is_over_rewards_nobody(store: Arc<dyn Store>) {
    let tenant = open(&*store).await;
    let (_, code) = referrer(&*store, &tenant, mobile("919000000001")).await;
    for (at, digits, expected) in [
        ("2025-06-30T18:30:00Z", "919000000002", vec![1205]),
        ("2025-06-30T18:29:59Z", "919000000003", vec![]),
    ] {
        let batch = vec![by_code(&code, mobile(digits))];
        let decided = store.register(&tenant, batch, ORIGIN, instant(at), Mode::Apply).await;
        let plan = decided.unwrap().remove(0).outcome.unwrap();
        assert_eq!((rewarded(&plan).is_none(), warned(&plan)), (!expected.is_empty(), expected));
    }
}

async fn the_survivor_of_a_merged_referrer_is_rewarded(store: Arc<dyn Store>) {
    let tenant = open_merging(&*store).await;
    let (victim, code) = referrer(&*store, &tenant, email("a@b.in")).await;
    let (survivor, own) = referrer(&*store, &tenant, mobile("919000000001")).await;
    register(&*store, &tenant, together("919000000001", "a@b.in")).await;
    let plan = register(&*store, &tenant, by_code(&code, mobile("919000000002"))).await;
    assert_eq!(rewarded(&plan), Some(survivor));
    let survivor = find(&*store, &tenant, victim).await;
    assert_eq!(balance(&survivor), points(REWARD) + points(EARNED) + points(EARNED));
    // Both codes are theirs, and no further one is made.
    let mut held = codes_at(&*store, &tenant, &survivor, now()).await;
    held.sort();
    let mut both = vec![code.clone(), own];
    both.sort();
    assert_eq!(held, both);
    // Nor do they come by the code that was the victim's.
    let again = register(&*store, &tenant, by_code(&code, mobile("919000000001"))).await;
    assert_eq!((rewarded(&again), warned(&again)), (None, vec![1205]));
    assert_eq!(check_ledger(&*store, "shop").await.1, []);
}

/// The registration that merges the referrer into the customer is by the referrer's own code.
async fn nobody_refers_whom_they_become(store: Arc<dyn Store>) {
    let tenant = open_merging(&*store).await;
    let (_, code) = referrer(&*store, &tenant, email("a@b.in")).await;
    register(&*store, &tenant, non_loyal(mobile("919000000001"))).await;
    let both = by_code(&code, loyal(together("919000000001", "a@b.in")));
    let plan = register(&*store, &tenant, both).await;
    assert_eq!(plan.merged.len(), 1);
    assert_eq!((rewarded(&plan), warned(&plan)), (None, vec![1205, 8051]));
    assert_eq!(balance(&plan.customer), points(EARNED));
    assert_eq!(referrals(&*store, &tenant, &code).await, 0);
}

/// Whoever was referred, and is merged into one who comes by the same code, was referred already.
async fn a_referee_who_is_merged_is_rewarded_for_once(store: Arc<dyn Store>) {
    let tenant = open_merging(&*store).await;
    let (first, code) = referrer(&*store, &tenant, mobile("919000000001")).await;
    register(&*store, &tenant, by_code(&code, email("a@b.in"))).await;
    register(&*store, &tenant, non_loyal(mobile("919000000002"))).await;
    let both = by_code(&code, loyal(together("919000000002", "a@b.in")));
    let plan = register(&*store, &tenant, both).await;
    assert_eq!((plan.merged.len(), rewarded(&plan)), (1, None));
    assert_eq!(balance_of(&*store, &tenant, first).await, points(REWARD) + points(EARNED));
    assert_eq!(referrals(&*store, &tenant, &code).await, 1);
}

async fn in_a_chain_each_is_rewarded_for_their_own(store: Arc<dyn Store>) {
    let tenant = open(&*store).await;
    let (first, code) = referrer(&*store, &tenant, mobile("919000000001")).await;
    let registration = by_code(&code, mobile("919000000002"));
    let (second, next) = referrer(&*store, &tenant, registration).await;
    let third = register(&*store, &tenant, by_code(&next, mobile("919000000003"))).await;
    assert_eq!(rewarded(&third), Some(second));
    // The end of the chain does not lead to its beginning.
    let circle = code_of(&*store, &tenant, &third.customer).await;
    let plan = register(&*store, &tenant, by_code(&circle, mobile("919000000001"))).await;
    assert_eq!((rewarded(&plan), plan.referral), (None, None));
    let besides_earned = async |id| balance_of(&*store, &tenant, id).await - points(EARNED);
    assert_eq!(besides_earned(first).await, points(REWARD));
    assert_eq!(besides_earned(second).await, points(REWARD) + points(WELCOME));
    assert_eq!(besides_earned(third.customer.id).await, points(WELCOME));
}

async fn what_is_rehearsed_or_refused_refers_nobody(store: Arc<dyn Store>) {
    let tenant = open(&*store).await;
    let required = [("CONF_USERS_IS_EMAIL_REQUIRED", "1")];
    let (first, code) = referrer(&*store, &tenant, mobile("919000000001")).await;
    let batch = vec![by_code(&code, mobile("919000000002"))];
    let rehearsed = store.register(&tenant, batch.clone(), ORIGIN, now(), Mode::DryRun).await;
    assert_eq!(rewarded(rehearsed.unwrap()[0].outcome.as_ref().unwrap()), Some(first));
    let tenant = change_settings(&*store, &tenant, &required).await.unwrap();
    let refused = store.register(&tenant, batch, ORIGIN, now(), Mode::Apply).await.unwrap();
    assert!(refused[0].outcome.is_err());
    assert_eq!(balance_of(&*store, &tenant, first).await, points(EARNED));
    assert_eq!(referrals(&*store, &tenant, &code).await, 0);
}

async fn organisations_have_codes_of_their_own(store: Arc<dyn Store>) {
    let documents = [
        (Kind::ReferralCampaigns, r#"{"name":"friends","code":{"alphabet":"AB","length":1}}"#),
        (Kind::RewardRules, RULE),
    ];
    let north = set_up(&*store, with_documents(&documents, shop("north"))).await;
    let south = set_up(&*store, with_documents(&documents, shop("south"))).await;
    let mut of_north = BTreeSet::new();
    for number in ["1", "2"] {
        of_north.insert(referrer(&*store, &north, external_id(number)).await.1);
    }
    assert_eq!(of_north.len(), 2);
    let (_, of_south) = referrer(&*store, &south, external_id("1")).await;
    let other = if of_south == "A" { "B" } else { "A" };
    assert_eq!(store.referrer(&south, other).await.unwrap(), None);
    let plan = register(&*store, &south, by_code(other, external_id("2"))).await;
    assert_eq!((rewarded(&plan), warned(&plan)), (None, vec![1205]));
}

async fn codes_and_referrals_survive(place: Place) {
    let store = place.open();
    let tenant = open_with(&*store, r#"{"name":"friends","referrals_per_code":1}"#).await;
    let (first, code) = referrer(&*store, &tenant, mobile("919000000001")).await;
    register(&*store, &tenant, by_code(&code, mobile("919000000002"))).await;
    store.close().await;
    drop(store);

    let store = place.open();
    let tenant = tenant_of(&*store, "shop").await;
    let customer = find(&*store, &tenant, first).await;
    assert_eq!(code_of(&*store, &tenant, &customer).await, code);
    let second = register(&*store, &tenant, by_code(&code, mobile("919000000003"))).await;
    assert_eq!((rewarded(&second), warned(&second)), (None, vec![1205]));
    assert_eq!(balance(&customer), points(REWARD) + points(EARNED));
    store.close().await;
}
