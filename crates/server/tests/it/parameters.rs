//! Parameters of the query: a switch that is not understood never does the opposite.
//!
//! `openapi.rs` walks every parameter that is declared.

use serde_json::{Value, json};

use crate::app::{App, Client, Reply};

const MOBILE: &str = "919812888001";

fn add(client: &Client, query: &str) -> Reply {
    let body = json!({"root": {"customer": [{"mobile": MOBILE}]}}).to_string();
    let path = format!("/v1.1/customer/add?format=json&{query}");
    client.post(&path, "application/json", body.as_bytes())
}

fn is_registered(client: &Client) -> bool {
    client.get(&format!("/v1.1/customer/get?mobile={MOBILE}")).codes() == ["1000"]
}

fn message(reply: &Reply) -> String {
    let message = reply.response_status()["message"].as_str().unwrap().to_owned();
    let text = "Input is invalid, Please check request parameters or input xml/json: ";
    message.strip_prefix(text).unwrap_or(&message).to_owned()
}

#[test]
fn rejects_misspelt_dry_run() {
    let app = App::start();
    let till = app.till("till.001");
    let takes = "parameter `dry_run` takes true or false";
    for (query, expected) in [
        ("dry_run=yes", takes),
        ("dry_run=on", takes),
        ("dry_run=y", takes),
        ("dry_run=truee", takes),
        ("dry_run=%22true%22", takes),
        ("dry_run=", takes),
        ("dry_run", takes),
        ("dry_run=true?explain=true", takes),
        ("dryRun=true", "parameter `dryRun` is not known; did you mean `dry_run`?"),
        ("dryrun=true", "parameter `dryrun` is not known; did you mean `dry_run`?"),
        ("dry-run=true", "parameter `dry-run` is not known; did you mean `dry_run`?"),
        ("DRY_RUN=true", "parameter `DRY_RUN` is not known; did you mean `dry_run`?"),
        ("Dry_Run=1", "parameter `Dry_Run` is not known; did you mean `dry_run`?"),
        ("amp;dry_run=1", "parameter `amp;dry_run` is not known; did you mean `dry_run`?"),
        (
            "dry_run=false&dry_run=true",
            "parameter `dry_run` is sent more than once, with different values",
        ),
        ("Explain=true", "parameter `Explain` is not known; did you mean `explain`?"),
    ] {
        let reply = add(&till, query);
        assert_eq!(reply.status, 400, "{query}");
        assert_eq!(message(&reply), expected, "{query}");
        assert_eq!(reply.json()["response"]["customers"], Value::Null);
        assert!(!is_registered(&till), "{query}");
    }
}

#[test]
fn accepts_every_spelling_of_true() {
    let app = App::start();
    let till = app.till("till.001");
    for value in ["true", "TRUE", "True%20", "+1+", "1"] {
        let reply = add(&till, &format!("dry_run={value}&dry_run={value}"));
        assert_eq!((reply.status, reply.header("Dry-Run")), (200, "true"), "{value}");
        assert!(!is_registered(&till), "{value}");
    }
}

/// "further names in the query" are ignored. A registration always returns the number, so `user_id`,
/// which clients send, is one of them whatever its value.
#[test]
fn unknown_parameters_are_ignored() {
    let app = App::start();
    let till = app.till("till.001");
    for query in ["user_id=true", "user_id=anything", "rehearse=yes&x", "dry=true&run=true", "&&=&"]
    {
        let reply = add(&till, query);
        assert_eq!((reply.status, reply.header("Dry-Run")), (200, ""), "{query}: {}", reply.text);
        assert_eq!(reply.customer(0)["user_id"], 100_000_001);
    }
}

#[test]
fn every_reply_to_a_dry_run_says_so() {
    let app = App::with(|config| config.body_limit_bytes = 1_000);
    app.change_settings(&[("BATCH_LIMIT", "1")]);
    let till = app.till("till.001");
    let many = json!({"root": {"customer": [{}, {}]}}).to_string();
    let add = "/v1.1/customer/add?dry_run=true";
    for (content_type, body, status) in [
        ("application/json", json!({"root": {"customer": {"mobile": MOBILE}}}).to_string(), 200),
        ("application/json", json!({"root": {"customer": {}}}).to_string(), 200),
        ("application/json", many, 400),
        ("application/json", "{".to_owned(), 400),
        ("text/plain", "x".to_owned(), 415),
        ("application/json", "x".repeat(1_001), 413),
    ] {
        let reply = till.post(add, content_type, body.as_bytes());
        assert_eq!((reply.status, reply.header("Dry-Run")), (status, "true"), "{}", reply.text);
    }
    let real = till.add(&json!([{"mobile": MOBILE}]));
    assert_eq!((real.status, real.header("Dry-Run")), (200, ""));
}

#[test]
fn flags_of_a_look_up_are_understood_or_rejected() {
    let app = App::start();
    let till = app.till("till.001");
    till.add_one(&json!({"mobile": MOBILE}));
    till.add_one(&json!({"mobile": "919812888002"}));
    let get = |query: &str| till.get(&format!("/v1.1/customer/get?mobile={MOBILE}&{query}"));
    for (query, shown) in [
        ("user_id=true", true),
        ("user_id=1%20", true),
        ("user_id=False", false),
        // Documented flags that Patron does not have change nothing, whatever their value.
        ("user_group=anything&tracker_info=&customer_image", false),
        // Repeated parameters do not hurt a look-up: the first one counts.
        ("user_id=true&user_id=false&mobile=919812888002", true),
    ] {
        let reply = get(query);
        assert_eq!(reply.codes(), ["1000"], "{query}");
        assert_eq!(reply.customer(0)["mobile"], MOBILE, "{query}");
        assert_eq!(reply.customer(0).get("user_id").is_some(), shown, "{query}");
    }
    for (query, expected) in [
        ("user_id=yes", "parameter `user_id` takes true or false"),
        ("card_details=", "parameter `card_details` takes true or false"),
        (
            "referralCodes=true",
            "parameter `referralCodes` is not known; did you mean `referral_codes`?",
        ),
        ("Format=xml", "parameter `Format` is not known; did you mean `format`?"),
    ] {
        let reply = get(query);
        assert_eq!((reply.status, message(&reply).as_str()), (400, expected), "{query}");
    }
    let misspelt = till.get(&format!("/v1.1/customer/get?Mobile={MOBILE}"));
    assert_eq!(message(&misspelt), "parameter `Mobile` is not known; did you mean `mobile`?");
    let of_no_card = till.get("/v1.1/customer/get?cardnumber=1");
    assert_eq!(of_no_card.codes(), ["1012"], "a client sends it so");
}
