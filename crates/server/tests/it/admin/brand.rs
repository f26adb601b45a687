//! A new brand, set up over HTTP from nothing.

use patron_server::auth::password::md5_hex;
use serde_json::{Value, json};

use super::{ORGANISATIONS, get, post, problem, put};
use crate::app::App;

#[test]
fn a_brand_is_set_up_and_registers_a_customer() {
    let app = App::start();
    let operator = app.operator();
    let brand = format!("{ORGANISATIONS}/brand");
    let founded = post(
        &operator,
        ORGANISATIONS,
        &json!({"name": "brand", "time_zone": "Europe/Berlin", "currency": "EUR"}),
    );
    assert_eq!((founded.status, founded.header("Location")), (201, brand.as_str()));
    let mut settings = get(&operator, &format!("{brand}/settings")).json();
    settings["COUNTRY"] = "DE".into();
    assert_eq!(put(&operator, &format!("{brand}/settings"), &settings).status, 200);
    for (kind, document) in [
        ("zones", json!({"name": "North"})),
        ("concepts", json!({"name": "Café"})),
        ("stores", json!({"name": "Hamburg", "zone": "North", "concept": "Café"})),
        ("tills", json!({"name": "hamburg.1", "store": "Hamburg"})),
        ("custom_fields", json!({"name": "shoe_size", "data_type": "Integer"})),
        (
            "programmes",
            json!({"name": "Club", "is_default": true, "tiers": [{"serial": 1, "name": "Blue"}]}),
        ),
    ] {
        let made = post(&operator, &format!("{brand}/{kind}"), &document);
        assert_eq!(made.status, 201, "{kind}: {}", made.text);
    }
    let secret = post(&operator, &format!("{brand}/tills/hamburg.1/password"), &Value::Null);
    let password = secret.json()["password"].as_str().unwrap().to_owned();

    let till = app.basic("hamburg.1", &md5_hex(&password));
    let customer = till.add_one(&json!({
        "mobile": "0151 23456789",
        "firstname": "Anna",
        "custom_fields": {"field": [{"name": "shoe_size", "value": "39"}]},
    }));
    assert_eq!(customer["item_status"]["code"], "1000", "{customer}");
    assert_eq!(customer["mobile"], "4915123456789");
    assert_eq!(customer["current_slab"], "Blue");
    assert_eq!(customer["registered_on"], "2026-01-15 06:00:00");
}

#[test]
fn a_brand_is_founded_once() {
    let app = App::start();
    let operator = app.operator();
    for (document, status, pointer) in [
        (json!({"name": "demo", "time_zone": "UTC"}), 409, Value::Null),
        (json!({"name": "x", "time_zone": "Mars"}), 422, json!("/time_zone")),
        (json!({"name": "", "time_zone": "UTC"}), 422, json!("/name")),
    ] {
        let refused = problem(&post(&operator, ORGANISATIONS, &document), status);
        assert_eq!(refused["errors"][0]["pointer"], pointer, "{document}");
    }
}
