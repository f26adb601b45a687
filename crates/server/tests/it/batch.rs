//! Several customers in one call: each has its own result.

use serde_json::{Value, json};

use crate::app::{App, code};

fn status(success: &str, code: u16, message: &str, total: usize, succeeded: usize) -> Value {
    json!({
        "success": success,
        "code": code,
        "message": message,
        "total": total.to_string(),
        "success_count": succeeded.to_string(),
    })
}

#[test]
fn good_bad_good() {
    let app = App::start();
    let reply = app.till("till.001").add(&json!([
        {"mobile": "919876543210", "firstname": "One"},
        {"mobile": "12", "firstname": "Two"},
        {"mobile": "919876543212", "firstname": "Three"},
    ]));
    assert_eq!(reply.status, 200);
    assert_eq!(
        reply.response_status(),
        status("true", 201, "Some requests have failed due to errors", 3, 2)
    );
    assert_eq!(reply.codes(), ["1000", "1001", "1000"]);
    let names: Vec<Value> =
        (0..3).map(|index| reply.customer(index)["firstname"].clone()).collect();
    assert_eq!(names, ["One", "Two", "Three"]);
    assert_eq!(reply.customer(1)["mobile"], "12");
}

/// Decoding is per customer: a wrong form fails alone, and the message points at it. Optional members
/// fail no customer (`wrong_forms.rs`).
#[test]
fn a_member_of_a_wrong_form_fails_its_customer_alone() {
    let app = App::start();
    let till = app.till("till.001");
    for (wrong, message) in [
        (
            json!({"mobile": "919876543219", "type": ["LOYALTY"]}),
            "Failed to add customer: expected a text, found an array at /root/customer/1/type",
        ),
        (
            json!({"mobile": {"number": "919876543219"}}),
            "Failed to add customer: expected a text, found an object at /root/customer/1/mobile",
        ),
        (
            json!({"mobile": "919876543219", "source": true}),
            "Failed to add customer: expected a text, found a boolean at /root/customer/1/source",
        ),
        (
            json!([]),
            "Failed to add customer: expected an object, found an array at /root/customer/1",
        ),
        (
            json!("919876543219"),
            "Failed to add customer: expected an object, found a text at /root/customer/1",
        ),
    ] {
        let reply =
            till.add(&json!([{"mobile": "919876543210"}, wrong, {"mobile": "919876543212"}]));
        assert_eq!(reply.codes(), ["1000", "10001", "1000"], "{wrong}");
        assert_eq!(reply.customer(1)["item_status"]["message"], message);
    }
}

#[test]
fn one_customer_may_stand_without_its_array() {
    let app = App::start();
    let reply = app.till("till.001").add(&json!({"mobile": "919876543210"}));
    assert_eq!(reply.response_status(), status("true", 200, "Success", 1, 1));
    assert_eq!(reply.codes(), ["1000"]);
}

#[test]
fn the_same_person_twice_is_one_customer() {
    let app = App::start();
    let reply = app.till("till.001").add(&json!([
        {"mobile": "919876543210", "firstname": "Asha"},
        {"mobile": "9876543210", "lastname": "Rao"},
    ]));
    let (first, second) = (reply.customer(0), reply.customer(1));
    assert_eq!(first["user_id"], second["user_id"]);
    assert_eq!(second["firstname"], "Asha");
    assert_eq!(second["lastname"], "Rao");
    assert_eq!((&first["lifetime_points"], &second["lifetime_points"]), (&json!(100), &json!(100)));
    assert_eq!(second["side_effects"]["effect"], json!([]));
}

#[test]
fn at_most_100_customers_in_one_call() {
    let app = App::start();
    let till = app.till("till.001");
    let batch = |size: u64| -> Value {
        (0..size).map(|n| json!({"mobile": 919_800_000_000 + n})).collect()
    };
    let reply = till.add(&batch(100));
    assert_eq!(reply.response_status(), status("true", 200, "Success", 100, 100));
    for size in [101, 5_000] {
        let reply = till.add(&batch(size));
        assert_eq!(reply.status, 400);
        assert_eq!(reply.response_status()["code"], 1060);
        assert_eq!(
            reply.response_status()["message"],
            format!("Batch limit exceeded: {size} customers in one call, at most 100 are allowed")
        );
        assert_eq!(reply.json()["response"]["customers"], Value::Null);
    }
    assert_eq!(code(&till.add_one(&json!({"mobile": 919_800_000_000_u64}))), "1000");
}
