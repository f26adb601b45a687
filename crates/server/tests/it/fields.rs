//! What a customer is described by: what is taken, in which form, and what is dropped with which
//! warning. The rules' own tables have every case; here is what a caller sees of them.

use serde_json::{Value, json};

use crate::app::{App, code};

fn message(customer: &Value) -> &str {
    customer["item_status"]["message"].as_str().unwrap()
}

#[test]
fn extended_fields_come_back_in_their_one_form() {
    let app = App::start();
    let till = app.till("till.001");
    let customer = till.add_one(&json!({
        "mobile": "919876543210",
        "extended_fields": {"field": [
            {"name": "Age", "value": 25},
            {"name": "GENDER", "value": "female"},
            {"name": "city", "value": "Pune"},
            {"name": "dob", "value": "2000/02/29"},
        ]},
    }));
    assert_eq!(code(&customer), "1000");
    let expected = json!([
        {"name": "age", "value": "25"},
        {"name": "gender", "value": "Female"},
        {"name": "city", "value": "Pune"},
        {"name": "dob", "value": "2000-02-29"},
    ]);
    assert_eq!(customer["extended_fields"]["field"], expected);

    // What is not passed, and what is not valid, wipes nothing.
    let again = till.add_one(&json!({
        "mobile": "919876543210",
        "extended_fields": {"field": [
            {"name": "age", "value": "old"},
            {"name": "gender", "value": ""},
            {"name": "city", "value": null},
            {"name": "dob", "value": "29/02/2000"},
        ]},
    }));
    assert_eq!(again["extended_fields"]["field"], expected);
    assert_eq!(code(&again), "1000 91015");
    assert!(message(&again).contains("too long: age,"), "{again}");
    assert!(message(&again).ends_with("too long: dob"), "{again}");
}

#[test]
fn dates_of_fields_have_several_spellings() {
    let app = App::start();
    let till = app.till("till.001");
    for (sent, kept) in [
        (json!("2000-02-29"), "2000-02-29"),
        (json!("2000-02-29T12:00:00Z"), "2000-02-29"),
        (json!("2000-03-01T01:00:00+05:30"), "2000-02-29"),
        (json!(951_782_400_000_u64), "2000-02-29"),
        (json!("9999-12-31 23:59:59"), "9999-12-31"),
    ] {
        let customer = till.add_one(&json!({
            "mobile": "919876543210",
            "extended_fields": {"field": {"name": "dob", "value": sent}},
        }));
        assert_eq!(customer["extended_fields"]["field"][0]["value"], kept, "{sent}");
    }
}

#[test]
fn several_values_of_a_custom_field_are_one_text() {
    let app = App::start();
    let customer = app.till("till.001").add_one(&json!({
        "mobile": "919876543210",
        "custom_fields": {"field": [{"name": "address", "value": "[\"puma\", \"nike\"]"}]},
    }));
    assert_eq!(code(&customer), "1000");
    assert_eq!(customer["custom_fields"]["field"][0]["value"], "[\"puma\", \"nike\"]");
}

#[test]
fn an_invalid_channel_is_dropped_and_named() {
    let app = App::start();
    let customer = app.till("till.001").add_one(&json!({
        "mobile": "919876543210",
        "commChannels": [
            {"type": "SMS", "value": "9876543210", "primary": "true", "verified": true, "meta": {"residence": "0"}},
            {"type": "email", "value": "asha"},
            {"type": "wechat", "value": "openid"},
            {"type": "card number", "value": "4711", "primary": "perhaps"},
            {"value": "919876543210"},
        ],
    }));
    assert_eq!(code(&customer), "1000 91003");
    for named in [1, 2, 4] {
        let text = format!("Validation failed: commChannels/{named}");
        assert!(message(&customer).contains(&text), "{customer}");
    }
    assert!(message(&customer).contains("commChannels/3/primary"), "{customer}");
    assert!(!message(&customer).contains("commChannels/0"), "{customer}");
}

#[test]
fn subscriptions_are_kept_and_come_back_in_capitals() {
    let app = App::start();
    let till = app.till("till.001");
    let subscriptions = |entries: Value| {
        till.add_one(&json!({
            "mobile": "919876543210", "subscriptions": {"subscription": entries},
        }))
    };
    let first = subscriptions(json!([
        {"channel": "sms", "priority": "TRANS", "scope": "all", "is_subscribed": "1"},
        {"channel": "email", "priority": "bulk", "is_subscribed": 0},
    ]));
    assert_eq!(code(&first), "1000");
    assert_eq!(
        first["subscriptions"]["subscription"],
        json!([
            {"channel": "SMS", "priority": "TRANS", "scope": "ALL", "status": "1"},
            {"channel": "EMAIL", "priority": "BULK", "scope": "ALL", "status": "0"},
        ])
    );
    let second = subscriptions(json!([
        {"channel": "pigeon", "priority": "TRANS", "is_subscribed": "1"},
        {"channel": "sms", "priority": "TRANS", "scope": "store", "is_subscribed": "0"},
    ]));
    assert_eq!(code(&second), "1000 1101 91022 1103");
    assert!(message(&second).contains("for pigeon channel and priority TRANS"), "{second}");
    assert_eq!(second["subscriptions"], first["subscriptions"]);
}

/// Whatever stands in the place of a subscription's member, the customer is registered.
#[test]
fn no_form_of_a_subscription_fails_the_customer() {
    let app = App::start();
    let till = app.till("till.001");
    let whole = json!({"channel": "sms", "priority": "BULK", "scope": "all", "is_subscribed": "1"});
    for (member, sent, expected) in [
        ("scope", json!([]), "1000"),
        ("scope", json!(["ALL"]), "1000"),
        ("scope", json!(["all", "shop"]), "1000 1105 91022"),
        ("scope", json!(["all", "all", "all"]), "1000 1105 91022"),
        ("scope", json!(["shop"]), "1000 1103 91022"),
        ("scope", json!({"all": true}), "1000 1103 91022"),
        ("scope", json!(true), "1000 1103 91022"),
        ("channel", json!(["sms"]), "1000 1101 91022"),
        ("priority", json!({}), "1000 1102 91022"),
        ("is_subscribed", json!([1]), "1000 1106 91022"),
        ("is_subscribed", json!(true), "1000 1106 91022"),
    ] {
        let mut subscription = whole.clone();
        subscription[member] = sent.clone();
        let customer = till.add_one(&json!({
            "mobile": "919876543210", "subscriptions": {"subscription": [subscription]},
        }));
        assert_eq!(code(&customer), expected, "{member} {sent}");
    }
}

#[test]
fn a_date_of_registration_may_lie_a_day_ahead() {
    let app = App::start();
    let till = app.till("till.001");
    for (sent, expected) in [
        ("1970-01-01 00:00:00", "1000"),
        ("2026-01-16 10:30:00", "1000"),
        ("2026-01-16 10:30:01", "1034"),
        ("2062-01-15 10:30:00", "1034"),
        ("9999-12-31 23:59:59", "1034"),
    ] {
        let customer =
            till.add_one(&json!({"external_id": sent.replace(' ', "T"), "registered_on": sent}));
        assert_eq!(code(&customer), expected, "{sent}");
    }
}

/// Unless an organisation wants extras to be strict, what no document knows fails nobody.
#[test]
fn what_is_not_known_fails_nobody() {
    let app = App::start();
    let customer = app.till("till.001").add_one(&json!({
        "mobile": "919876543210", "custome_fields": {"field": []}, "fraud_status": {"status": "Fraus_Suspected"},
        "test_control_status": "neither", "source": "WECHAT", "accountId": "123456",
    }));
    assert_eq!(code(&customer), "1000");
    assert_eq!(customer["fraud_status"], "NONE");
}
