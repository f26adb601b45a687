//! External ids that Patron makes itself.

use serde_json::json;

use crate::app::{App, code};

const ON: [(&str, &str); 4] = [
    ("CONF_CARD_NUMBER_GENERATION_ENABLED", "1"),
    ("SOURCE_ACCOUNTS_EXTERNALID_ENABLED", r#"["INSTORE:", "web_engage:1234"]"#),
    ("CONF_CARD_NUMBER_PREFIX", "10"),
    ("CONF_CARD_NUMBER_LENGTH", "10"),
];

#[test]
fn an_external_id_is_made_for_the_sources_that_are_listed() {
    let app = App::with_settings(&ON);
    let till = app.till("till.001");
    let made = till.add_one(&json!({"mobile": "919876543210"}));
    assert_eq!(made["external_id"], "1000000001");
    let passed = till.add_one(&json!({"mobile": "919876543211", "external_id": "own"}));
    assert_eq!(passed["external_id"], "own");
    let elsewhere = till.add_one(&json!({"mobile": "919876543212", "source": "WECHAT"}));
    assert_eq!(elsewhere["external_id"], json!(null));
    let listed = json!({"mobile": "919876543213", "source": "WebEngage", "accountId": "1234"});
    assert_eq!(till.add_one(&listed)["external_id"], "1000000002");

    let found = till.get("/v1.1/customer/get?external_id=1000000001").customer(0);
    assert_eq!(found["mobile"], "919876543210");
}

#[test]
fn an_external_id_has_the_checksum_digit_that_was_asked_for() {
    let luhn = [
        ("CONF_CARD_CHECKSUM_DIGIT_ALGO", "LUHN_ALGO"),
        ("CONF_VALUES_TO_INCLUDE_FOR_CHECKSUM_DIGIT", "PREFIX"),
        ("CONF_CARD_NUMBER_PREFIX", "7992"),
        ("CONF_CARD_NUMBER_LENGTH", "11"),
        ("CONF_CARD_NUMBER_OFFSET", "739871"),
    ];
    let app = App::with_settings(&[ON.as_slice(), &luhn].concat());
    let made = app.till("till.001").add_one(&json!({"mobile": "919876543210"}));
    assert_eq!(made["external_id"], "79927398713");
}

#[test]
fn nobody_is_registered_once_the_numbers_are_used_up() {
    let few = [("CONF_CARD_NUMBER_LENGTH", "3"), ("CONF_CARD_NUMBER_OFFSET", "9")];
    let app = App::with_settings(&[ON.as_slice(), &few].concat());
    let till = app.till("till.001");
    assert_eq!(till.add_one(&json!({"mobile": "919876543210"}))["external_id"], "109");
    let refused = till.add_one(&json!({"mobile": "919876543211"}));
    assert_eq!(code(&refused), "10001");
    assert_eq!(
        refused["item_status"]["message"],
        "Failed to add customer: every external id that was tried is taken"
    );
    assert_eq!(code(&till.get("/v1.1/customer/get?mobile=919876543211").customer(0)), "1012");
}
