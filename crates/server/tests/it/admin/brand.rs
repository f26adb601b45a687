//! A new brand, set up over HTTP from nothing.

use patron_server::auth::password::md5_hex;
use serde_json::{Value, json};

use super::{DEMO, ORGANISATIONS, delete, get, patch, post, problem, put};
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

#[test]
fn a_till_that_is_taken_out_of_use_or_given_another_password_is_refused_at_once() {
    let app = App::start();
    let operator = app.operator();
    let (first, second) = (app.till("till.001"), app.till("till.sin"));
    let customer = json!([{"mobile": "919876543210"}]);
    assert_eq!((first.add(&customer).status, second.add(&customer).status), (200, 200));
    assert_eq!(delete(&operator, &format!("{DEMO}/tills/till.001")).status, 200);
    assert_eq!((first.add(&customer).status, second.add(&customer).status), (401, 200));
    let password = json!({"password": "another one"});
    let path = format!("{DEMO}/tills/till.sin/password");
    assert_eq!(put(&operator, &path, &password).status, 204);
    assert_eq!(second.add(&customer).status, 401);
    let again = app.basic("till.sin", &md5_hex("another one"));
    assert_eq!(again.add(&customer).status, 200);
    for password in ["short", "", "password1", "till.sin", "12345678"] {
        let refused = problem(&put(&operator, &path, &json!({"password": password})), 422);
        assert_eq!(refused["errors"][0]["pointer"], "/password", "{password}");
    }
    assert_eq!(again.add(&customer).status, 200);
}

#[test]
fn an_organisation_out_of_use_lets_nobody_in_until_it_is_back() {
    let app = App::start();
    let operator = app.operator();
    let till = app.till("till.001");
    let customer = json!([{"mobile": "919876543210"}]);
    for (is_active, status) in [(false, 401), (true, 200)] {
        let mut details = get(&operator, DEMO).json();
        details["is_active"] = is_active.into();
        assert_eq!(put(&operator, DEMO, &details).json()["is_active"], is_active);
        assert_eq!(till.add(&customer).status, status);
    }
}

#[test]
fn an_api_client_is_given_a_secret_that_generates_tokens_until_the_next() {
    let app = App::start();
    let operator = app.operator();
    let clients = format!("{DEMO}/api_clients");
    let client = json!({"name": "kiosk", "default_till": "till.001"});
    assert_eq!(post(&operator, &clients, &client).status, 201);
    let secret = || {
        let made = post(&operator, &format!("{clients}/kiosk/secret"), &Value::Null);
        assert_eq!(made.status, 201, "{}", made.text);
        made.json()
    };
    let generate =
        |credentials: &Value| post(&app.anonymous(), "/v3/oauth/token/generate", credentials);
    let register = |token: &Value| {
        let token = token["data"]["accessToken"].as_str().unwrap();
        let client = app.anonymous().with_header("X-CAP-API-OAUTH-TOKEN", token);
        client.add(&json!([{"mobile": "919876543210"}])).status
    };
    let first = secret();
    let token = generate(&first).json();
    assert_eq!(register(&token), 200);
    let second = secret();
    assert_eq!(first["key"], second["key"]);
    assert_eq!((register(&token), generate(&first).status), (401, 401));
    let token = generate(&second).json();
    assert_eq!(register(&token), 200);
    assert_eq!(delete(&operator, &format!("{clients}/kiosk/tokens")).status, 204);
    assert_eq!(register(&token), 401);
    // A client that was retired and restored needs a new token.
    let token = generate(&second).json();
    assert_eq!(register(&token), 200);
    assert_eq!(delete(&operator, &format!("{clients}/kiosk")).status, 200);
    assert_eq!((register(&token), generate(&second).status), (401, 401));
    let restored = patch(&operator, &format!("{clients}/kiosk"), &json!({"is_active": true}));
    assert_eq!((restored.status, register(&token)), (200, 401));
    assert_eq!(register(&generate(&second).json()), 200);
    problem(&post(&operator, &format!("{clients}/nobody/secret"), &Value::Null), 404);
    let changes = get(&operator, &format!("{DEMO}/changes?limit=5"));
    let told = changes.json().to_string();
    assert!(told.contains("kiosk") && !told.contains(second["secret"].as_str().unwrap()));
}
