//! `card_details`: cards that a registration issues.

use patron_rules::organisation::Kind;
use serde_json::json;

use crate::app::{App, code};

fn app() -> App {
    let app = App::start();
    app.set_up(
        Kind::CardSeries,
        &json!({
            "name": "GOLD",
            "number": {"algorithm": "LUHN_ALGO", "prefix": "7992", "length": 11, "offset": 739_871,
                       "checksum_over": "PREFIX"},
            "limit": 2,
        }),
    );
    app
}

#[test]
fn the_card_that_is_named_is_issued() {
    let app = app();
    let till = app.till("till.001");
    let sent = json!({"mobile": "919876543210", "card_details": {"card_number": "4711"}});
    assert_eq!(code(&till.add_one(&sent)), "1000");
    assert_eq!(code(&till.add_one(&sent)), "1000");
    let found = till.get("/v1.1/customer/get?card_number=4711&card_details=true").customer(0);
    assert_eq!(found["mobile"], "919876543210");
    assert_eq!(
        found["card_details"],
        json!([{"card_number": "4711", "series_name": "", "series_code": "", "status": "ACTIVE"}])
    );
    let unasked = till.get("/v1.1/customer/get?card_number=4711").customer(0);
    assert_eq!(unasked.get("card_details"), None);
    assert_eq!(code(&till.get("/v1.1/customer/get?card_number=4712").customer(0)), "1012");
}

#[test]
fn a_card_of_the_series_is_made_once() {
    let app = app();
    let till = app.till("till.001");
    let sent = json!({"mobile": "919876543210", "card_details": {"series_code": "GOLD"}});
    for _ in 0..2 {
        assert_eq!(code(&till.add_one(&sent)), "1000");
        let found =
            till.get("/v1.1/customer/get?mobile=919876543210&card_details=true").customer(0);
        let cards = json!([{
            "card_number": "79927398713", "series_name": "GOLD", "series_code": "GOLD",
            "status": "ACTIVE",
        }]);
        assert_eq!(found["card_details"], cards);
    }
}

#[test]
fn what_is_wrong_with_a_card_is_said_and_the_customer_registered() {
    let app = app();
    let till = app.till("till.001");
    let card = |last: u32, details| json!({"mobile": format!("91987654321{last}"), "card_details": details});
    till.add_one(&card(0, json!({"card_number": "4711"})));
    till.add_one(&card(1, json!({"series_code": "GOLD"})));
    till.add_one(&card(2, json!({"series_code": "GOLD"})));
    for (last, details, codes, text) in [
        (
            3,
            json!({"card_number": "4711"}),
            "1000 91007",
            "card number is already occupied by another user. Ignoring it",
        ),
        (
            4,
            json!({"series_code": "GOLD"}),
            "1000 91003",
            "Validation failed: card series, which has no further number",
        ),
        (
            5,
            json!({"series_code": "TIN"}),
            "1000 91003",
            "Validation failed: card series, which is not known",
        ),
        (
            6,
            json!({"series_code": "GOLD", "card_number": "79927398714"}),
            "1000 91003",
            "Validation failed: card number, which is not of its series",
        ),
        (7, json!({"card_number": "4".repeat(51)}), "1000 91003", "Validation failed: card number"),
    ] {
        let reply = till.add_one(&card(last, details));
        assert_eq!(code(&reply), codes);
        assert_eq!(
            reply["item_status"]["message"],
            format!("Customer registration successful, {text}")
        );
        let path = format!("/v1.1/customer/get?mobile=91987654321{last}&card_details=true");
        assert_eq!(till.get(&path).customer(0)["card_details"], json!([]));
    }
}

#[test]
fn a_customer_has_no_more_cards_than_the_setting_allows() {
    let app = app();
    app.change_settings(&[("CONF_MAX_CARDS_PER_ORG", "1")]);
    let till = app.till("till.001");
    let sent = |number| json!({"mobile": "919876543210", "card_details": {"card_number": number}});
    assert_eq!(code(&till.add_one(&sent("1"))), "1000");
    assert_eq!(code(&till.add_one(&sent("2"))), "1000 91003");
    assert_eq!(code(&till.get("/v1.1/customer/get?card_number=2").customer(0)), "1012");
}

#[test]
fn cards_are_told_in_xml_too() {
    let app = app();
    let till = app.till("till.001");
    let body = b"<root><customer><mobile>919876543210</mobile>\
        <card_details><card_number>4711</card_number></card_details></customer></root>";
    let reply = till.post("/v1.1/customer/add?format=xml", "application/xml", body);
    assert!(reply.text.contains("<code>1000</code>"), "{}", reply.text);
    let found = till.get("/v1.1/customer/get?format=xml&card_number=4711&card_details=true");
    let cards = "<card_details><card_number>4711</card_number><series_name></series_name>\
        <series_code></series_code><status>ACTIVE</status></card_details>";
    assert!(found.text.contains(cards), "{}", found.text);
}
