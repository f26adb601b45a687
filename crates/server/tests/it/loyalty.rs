//! What registration earns, as replies tell it.

use std::sync::atomic::{AtomicI64, Ordering};

use jiff::Timestamp;
use patron_rules::organisation::Kind;
use serde_json::{Value, json};

use crate::app::{App, code};

/// A programme and a rule besides those of the demo.
fn with_rule(rule: &Value) -> App {
    let app = App::start();
    app.set_up(Kind::Currencies, &json!({"name": "Stars", "identifier": "st-1"}));
    app.set_up(Kind::RewardRules, rule);
    app
}

#[test]
fn effects_come_in_the_order_of_the_rules_and_points_are_integers() {
    let app = with_rule(&json!({"name": "more", "position": 1, "effects": [
        {"type": "currency", "currency": "Stars", "value": "2.50"},
        {"type": "points", "points": "0.1"},
        {"type": "points", "points": "12.5"},
    ]}));
    let customer = app.till("till.001").add_one(&json!({"mobile": "919876543210"}));
    insta::assert_snapshot!(customer["side_effects"], @r#"{"effect":[{"awarded_points":100,"total_points":100,"type":"points"},{"alternate_currency_identifier":"st-1","alternate_currency_name":"Stars","awarded_value":"2.5","type":"alternate_currency"},{"awarded_points":0,"total_points":100,"type":"points"},{"awarded_points":12,"total_points":112,"type":"points"}]}"#);
    // The specification says integer; the summaries are texts, and exact.
    let summary = &customer["points_summaries"]["points_summary"][0];
    assert_eq!(
        (&customer["loyalty_points"], &summary["loyaltyPoints"]),
        (&json!(112), &json!("112.6"))
    );
    assert_eq!(customer["lifetime_points"], 112);
    let got = app.till("till.001").get("/v1.1/customer/get?mobile=919876543210").customer(0);
    assert_eq!((&got["loyalty_points"], &got["lifetime_points"]), (&json!(112), &json!(112)));
}

#[test]
fn rules_look_at_what_was_sent() {
    let app = with_rule(&json!({
        "name": "women of Pune by WeChat",
        "when": {
            "sources": ["WECHAT"],
            "tills": ["till_name"],
            "custom_fields": {"City_name": ["Pune"]},
            "extended_fields": {"gender": ["Female"]},
        },
        "effects": [{"type": "tier", "serial": 2}],
    }));
    let customer = |mobile: &str, city: &str| {
        json!({
            "mobile": mobile,
            "source": "WeChat",
            "custom_fields": {"field": [{"name": "City_name", "value": city}]},
            "extended_fields": {"field": [{"name": "gender", "value": "female"}]},
        })
    };
    let tier = |till: &str, customer: &Value| {
        app.till(till).add_one(customer)["current_slab"].as_str().unwrap().to_owned()
    };
    assert_eq!(tier("till_name", &customer("919876543210", "Pune")), "Bronze");
    assert_eq!(tier("till.001", &customer("919876543211", "Pune")), "Base");
    assert_eq!(tier("till_name", &customer("919876543212", "Goa")), "Base");
    // They have it, and their next registration is not where they were registered.
    assert_eq!(tier("till.001", &json!({"mobile": "919876543210"})), "Bronze");
}

/// A rule names a series that is there; the series can be over all the same.
#[test]
fn a_rule_that_cannot_be_awarded_is_a_warning_and_the_customer_is_registered() {
    let app = App::start();
    app.set_up(Kind::CouponSeries, &json!({"name": "SUMMER", "valid_until": "2025-08-31"}));
    app.set_up(
        Kind::RewardRules,
        &json!({"name": "summer", "effects": [
            {"type": "points", "points": 1},
            {"type": "coupon", "series": "SUMMER"},
        ]}),
    );
    let customer = app.till("till.001").add_one(&json!({"mobile": "919876543210"}));
    assert_eq!(code(&customer), "1000 1086");
    assert_eq!(
        customer["item_status"]["message"],
        "Customer registration successful, Points processing failed: summer: the coupon series SUMMER has none left"
    );
    assert_eq!(customer["loyalty_points"], 100);
    assert_eq!(customer["side_effects"]["effect"].as_array().unwrap().len(), 1);
    let again = app.till("till.001").add_one(&json!({"mobile": "919876543210"}));
    assert_eq!(code(&again), "1000");
}

#[test]
fn each_programme_has_its_summary() {
    let app = App::start();
    let till = app.till("till.001");
    till.add_one(&json!({"mobile": "919876543210"}));
    // A rule that names no programme needs a default one.
    app.set_active(Kind::RewardRules, "brought by a friend", false);
    app.set_up(
        Kind::RewardRules,
        &json!({"name": "welcome", "programme": "Demo programme", "effects": [
            {"type": "points", "points": 100},
        ]}),
    );
    app.set_up(
        Kind::Programmes,
        &json!({"name": "Demo programme", "is_default": false, "tiers": [
            {"serial": 1, "name": "Base"},
        ]}),
    );
    app.set_up(Kind::Programmes, &json!({"name": "Next", "id": 500, "is_default": true}));
    app.set_up(
        Kind::RewardRules,
        &json!({"name": "next", "programme": "Next", "effects": [
            {"type": "points", "points": 5},
        ]}),
    );
    let customer = till.add_one(&json!({"mobile": "919876543210"}));
    let summaries: Vec<_> = customer["points_summaries"]["points_summary"]
        .as_array()
        .unwrap()
        .iter()
        .map(|summary| {
            ["programId", "loyaltyPoints", "currentSlab"].map(|member| summary[member].clone())
        })
        .collect();
    let expected = [["469", "100", "Base"], ["500", "5", "NONE"]];
    assert_eq!(summaries, expected.map(|row| row.map(Value::from)));
    // The default programme speaks for the customer.
    assert_eq!(
        (&customer["loyalty_points"], &customer["current_slab"]),
        (&json!(5), &json!("NONE"))
    );
}

/// Milliseconds since 1970.
static CLOCK: AtomicI64 = AtomicI64::new(0);

fn clock() -> Timestamp {
    Timestamp::from_millisecond(CLOCK.load(Ordering::Relaxed)).unwrap()
}

fn set_clock(instant: &str) {
    CLOCK.store(instant.parse::<Timestamp>().unwrap().as_millisecond(), Ordering::Relaxed);
}

const TIERS: &str = r#"
[organisation]
name = "tiers"
time_zone = "Asia/Kolkata"

[settings]
COUNTRY = "IN"

[[tills]]
name = "till"

[[programmes]]
name = "Tiers"
is_default = true
tiers = [
  { serial = 1, name = "Base", expiry = { strategy = "never" } },
  { serial = 2, name = "Gold", expiry = { strategy = "fixed_months", months = 6 } },
]

[[reward_rules]]
name = "gold"
effects = [{ type = "tier", serial = 2 }]

[passwords]
till = "demo"
"#;

#[test]
fn a_tier_that_is_over_is_followed_by_the_base_tier() {
    set_clock("2024-02-28T18:30:00Z");
    let app = App::of_at(TIERS, clock);
    let till = app.till("till");
    let told = |customer: &Value| -> Vec<String> {
        let summary = &customer["points_summaries"]["points_summary"][0];
        let members = ["currentSlab", "slabSNo", "slabExpiryDate", "nextSlab"];
        members.map(|member| summary[member].as_str().unwrap().to_owned()).to_vec()
    };
    let gold = ["Gold", "2", "2024-08-29 23:59:59", ""];
    let base = ["Base", "1", "", "Gold"];
    let get = || {
        let reply = till.get("/v1.1/customer/get?mobile=919876543210");
        told(&reply.customer(0))
    };
    assert_eq!(told(&till.add_one(&json!({"mobile": "919876543210"}))), gold);
    set_clock("2024-08-29T18:29:59Z");
    assert_eq!(get(), gold);
    set_clock("2024-08-29T18:30:00Z");
    assert_eq!(get(), base);
    assert_eq!(told(&till.add_one(&json!({"mobile": "919876543210"}))), base);
    assert_eq!(get(), base);
}
