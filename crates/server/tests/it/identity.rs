//! Who a customer is: what is unique, what is updated, what is refused.

use std::collections::HashSet;
use std::sync::Barrier;
use std::thread;

use serde_json::{Value, json};

use crate::app::{App, code};

#[test]
fn a_known_customer_is_updated_not_duplicated() {
    let app = App::start();
    let till = app.till("till.001");
    let first = till.add_one(&json!({
        "mobile": "919876543210", "firstname": "Asha", "lastname": "Rao",
        "registered_on": "2024-01-02 03:04:05",
        "custom_fields": {"field": [{"name": "address", "value": "BTM"}, {"name": "pincode", "value": "1"}]},
    }));
    let second = till.add_one(&json!({
        "mobile": "+91 98765 43210", "email": "asha@example.com", "firstname": "Aasha",
        "registered_on": "2025-01-01 00:00:00",
        "custom_fields": {"field": [{"name": "pincode", "value": "2"}]},
    }));
    assert_eq!(first["user_id"], second["user_id"]);
    assert_eq!(second["firstname"], "Aasha");
    assert_eq!(second["lastname"], "Rao");
    assert_eq!(second["email"], "asha@example.com");
    assert_eq!(second["registered_on"], "2024-01-02 03:04:05");
    assert_eq!(
        second["custom_fields"]["field"],
        json!([{"name": "address", "value": "BTM"}, {"name": "pincode", "value": "2"}])
    );
    assert_eq!(second["loyalty_points"], 100);
}

#[test]
fn an_email_is_compared_without_case_and_returned_as_sent() {
    let app = App::start();
    let till = app.till("till.001");
    let first = till.add_one(&json!({"email": "Asha@Example.com"}));
    let second = till.add_one(&json!({"email": "asha@example.COM"}));
    assert_eq!(first["user_id"], second["user_id"]);
    assert_eq!(second["email"], "Asha@Example.com");
}

/// Kinds are apart: an external id that reads like somebody's mobile number is not theirs.
#[test]
fn a_value_of_another_kind_matches_nobody() {
    let app = App::start();
    let till = app.till("till.001");
    let one = till.add_one(&json!({"mobile": "919876543210"}));
    let other = till.add_one(&json!({"external_id": "919876543210"}));
    assert_ne!(one["user_id"], other["user_id"]);
}

#[test]
fn digits_are_not_lost() {
    let app = App::start();
    let till = app.till("till.001");
    let text = r#"{"root": {"customer": [
        {"mobile": 919876543210, "external_id": 12345678901234567890123456789012345678901234567890},
        {"mobile": 123456789012345},
        {"external_id": 0.1000},
        {"external_id": "0.1000"},
        {"external_id": "000003880203"}
    ]}}"#;
    let reply = till.add_text(text);
    assert_eq!(reply.codes(), ["1000", "1001", "10001", "1000", "1000"]);
    assert_eq!(reply.customer(0)["mobile"], "919876543210");
    assert_eq!(
        reply.customer(0)["external_id"],
        "12345678901234567890123456789012345678901234567890"
    );
    assert_eq!(reply.customer(1)["mobile"], "123456789012345");
    assert_eq!(reply.customer(3)["external_id"], "0.1000");
    assert_eq!(reply.customer(4)["external_id"], "000003880203");
}

#[test]
fn null_and_blank_are_not_passed() {
    let app = App::start();
    let till = app.till("till.001");
    let passed = till.add_one(&json!({
        "mobile": "919876543210", "email": null, "external_id": "", "firstname": " ", "lastname": null,
        "registered_on": "", "updated_on": null, "registered_till": "", "associated_with": null,
        "type": "", "source": null, "accountId": "", "fraud_status": {"status": ""}, "commChannels": null,
        "custom_fields": "", "extended_fields": [],
    }));
    let bare = till.add_one(&json!({"mobile": "919876543211"}));
    let blank = |mut customer: Value| {
        customer["user_id"] = Value::Null;
        customer["mobile"] = Value::Null;
        customer
    };
    assert_eq!(blank(passed), blank(bare));
    assert_eq!(
        code(&till.add_one(&json!({"mobile": "", "email": " ", "external_id": null}))),
        "1007"
    );
}

#[test]
fn each_member_has_its_own_code() {
    let app = App::start();
    let till = app.till("till.001");
    let long = |length: usize| "a".repeat(length);
    for (mut customer, expected) in [
        (json!({"mobile": "9177xx811213"}), "1001"),
        (json!({"mobile": "5876543210"}), "1001"),
        (json!({"email": "asha"}), "1002"),
        (json!({"email": "as ha@example.com"}), "1002"),
        (json!({"external_id": long(250)}), "1000"),
        (json!({"external_id": long(251)}), "1003"),
        (json!({"firstname": "nobody"}), "1007"),
        (json!({"external_id": "1", "registered_till": "nowhere"}), "91020"),
        (json!({"external_id": "1", "registered_till": long(51)}), "91020"),
        (json!({"external_id": "1", "associated_with": "nowhere"}), "91021"),
        (json!({"external_id": "1", "associated_with": "other.till"}), "91021"),
        (json!({"external_id": "1", "registered_on": "yesterday"}), "1034"),
        (json!({"external_id": "1", "type": "gold"}), "10001"),
        (json!({"external_id": "1", "source": "pigeon"}), "10001"),
        (json!({"external_id": "1", "type": "NON_LOYALTY"}), "1045"),
    ] {
        customer["lastname"] = json!("kept");
        let reply = till.add_one(&customer);
        assert_eq!(code(&reply), expected, "{customer}");
        if expected != "1000" {
            let sent = |name: &str| customer.get(name).cloned().unwrap_or(Value::Null);
            for name in ["mobile", "email", "external_id", "firstname", "lastname"] {
                assert_eq!(reply[name], sent(name), "{customer}");
            }
        }
    }
}

#[test]
fn names_are_cut_at_100_characters() {
    let app = App::start();
    let customer = app.till("till.001").add_one(&json!({
        "mobile": "919876543210", "firstname": "é".repeat(120), "lastname": "李小龍",
    }));
    assert_eq!(customer["firstname"], "é".repeat(100));
    assert_eq!(customer["lastname"], "李小龍");
}

#[test]
fn undefined_fields_are_dropped_with_a_warning() {
    let app = App::start();
    let customer = app.till("till.001").add_one(&json!({
        "mobile": "919876543210",
        "custom_fields": {"field": [
            {"name": "shoe_size", "value": "44"}, {"name": "hat_size", "value": null}, {"name": "pincode", "value": 560_076},
            {"name": "address", "value": {"street": "BTM"}}, {"value": "nameless"}, null,
        ]},
        "extended_fields": {"field": {"name": "Gender", "value": "female"}},
    }));
    assert_eq!(code(&customer), "1000 1017");
    assert_eq!(
        customer["item_status"]["message"],
        "Customer registration successful, Provided Custom Field is invalid"
    );
    assert_eq!(customer["custom_fields"]["field"], json!([{"name": "pincode", "value": "560076"}]));
    assert_eq!(
        customer["extended_fields"]["field"],
        json!([{"name": "gender", "value": "Female"}])
    );
}

#[test]
fn fraud_status_comes_in_three_shapes() {
    let app = App::start();
    let till = app.till("till.001");
    for shape in [
        json!("Fraud_Suspected"),
        json!({"status": "FRAUD SUSPECTED"}),
        json!([{"status": "fraud-suspected"}]),
    ] {
        let customer = till.add_one(&json!({"mobile": "919876543210", "fraud_status": shape}));
        assert_eq!(customer["fraud_status"], "FRAUD_SUSPECTED", "{shape}");
        assert_eq!(customer["reason"], "");
    }
}

#[test]
fn loyalty_customers_are_enrolled_once() {
    let app = App::start();
    let till = app.till("till.001");
    let guest = json!({"mobile": "919876543210", "type": "NON_LOYALTY"});
    let first = till.add_one(&guest);
    assert_eq!((&first["type"], &first["current_slab"]), (&json!("NON_LOYALTY"), &json!("")));
    assert_eq!(first["points_summaries"]["points_summary"], json!([]));
    let second = till.add_one(&json!({"mobile": "919876543210", "type": "loyalty"}));
    assert_eq!((&second["type"], &second["current_slab"]), (&json!("LOYALTY"), &json!("Base")));
    assert_eq!(second["side_effects"]["effect"][0]["awarded_points"], 100);
    let third = till.add_one(&json!({"mobile": "919876543210"}));
    assert_eq!(third["lifetime_points"], 100);
    assert_eq!(third["side_effects"]["effect"], json!([]));
    assert_eq!(code(&till.add_one(&guest)), "1046");
}

#[test]
fn organisations_do_not_see_each_other() {
    let app = App::start();
    let customer = json!({"mobile": "919876543210", "firstname": "Asha"});
    let one = app.till("till.001").add_one(&customer);
    let other = app.till("other.till").add_one(&json!({"mobile": "919876543210"}));
    assert_eq!(one["firstname"], "Asha");
    assert_eq!(other["firstname"], "");
    assert_eq!(other["lifetime_points"], 0);
}

/// 32 clients at once register one new identity: one customer, and every reply tells of them.
#[test]
fn a_race_for_one_identity_makes_one_customer() {
    let app = App::start();
    // The password is verified before, so that all requests arrive together.
    app.till("till.001").add_one(&json!({"mobile": "919876543210"}));
    for round in 0..10 {
        let barrier = Barrier::new(32);
        let identity = json!([{
            "mobile": 919_700_000_000_u64 + round,
            "email": format!("race{round}@example.com"),
            "external_id": format!("race-{round}"),
        }]);
        let register = || {
            let till = app.till("till.001");
            barrier.wait();
            till.add(&identity)
        };
        let replies = thread::scope(|scope| {
            let racing: Vec<_> = (0..32).map(|_| scope.spawn(register)).collect();
            racing.into_iter().map(|racer| racer.join().unwrap()).collect::<Vec<_>>()
        });
        let mut ids = HashSet::new();
        let mut awards = 0;
        for reply in &replies {
            assert_eq!((reply.status, reply.codes()), (200, vec!["1000".to_owned()]));
            assert_eq!(reply.response_status()["code"], 200);
            ids.insert(reply.customer(0)["user_id"].as_i64().unwrap());
            awards += reply.customer(0)["side_effects"]["effect"].as_array().unwrap().len();
            assert_eq!(reply.customer(0)["loyalty_points"], 100);
        }
        assert_eq!((ids.len(), awards), (1, 1));
    }
}
