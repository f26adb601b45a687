//! What each setting of registration changes, seen from outside.

use serde_json::{Value, json};

use crate::app::{App, code};

/// Registers each of these customers in turn; the last one's code with those of its warnings.
fn last_code(settings: &[(&str, &str)], customers: &[Value]) -> String {
    let app = App::with_settings(settings);
    let till = app.till("till.001");
    let codes: Vec<String> =
        customers.iter().map(|customer| code(&till.add_one(customer))).collect();
    codes.last().unwrap().clone()
}

#[test]
fn settings_decide() {
    let mobile = || json!({"mobile": "919876543210"});
    let email = || json!({"email": "a@example.com"});
    let both = || json!({"mobile": "919876543210", "email": "a@example.com"});
    let other_email = || json!({"mobile": "919876543210", "email": "b@example.com"});
    let external = || json!({"external_id": "A1"});
    let guest = || json!({"mobile": "919876543210", "type": "NON_LOYALTY"});
    for (settings, customers, expected) in [
        (
            vec![("CONF_REGISTRATION_PRIMARY_KEY", "EMAIL")],
            vec![both(), other_email()],
            "1000 91005",
        ),
        (vec![], vec![both(), other_email()], "1000 91006"),
        (vec![("CONF_ALLOW_EMAIL_UPDATE", "1")], vec![both(), other_email()], "1000"),
        (vec![("CONF_ALLOW_REGISTRATION_FROM_ANY_IDENTIFIERS", "0")], vec![email()], "1006"),
        (
            vec![
                ("CONF_ALLOW_REGISTRATION_FROM_ANY_IDENTIFIERS", "0"),
                ("CONF_REGISTRATION_PRIMARY_KEY", "EMAIL"),
            ],
            vec![mobile()],
            "1039",
        ),
        (
            vec![
                ("CONF_ALLOW_REGISTRATION_FROM_ANY_IDENTIFIERS", "0"),
                ("CONF_REGISTRATION_PRIMARY_KEY", "EXTERNAL_ID"),
            ],
            vec![mobile()],
            "1043",
        ),
        (
            vec![
                ("CONF_ALLOW_REGISTRATION_FROM_ANY_IDENTIFIERS", "0"),
                ("CONF_REGISTRATION_PRIMARY_KEY_REQUIRED", "1"),
            ],
            vec![both(), email()],
            "1006",
        ),
        (vec![("CONF_USERS_IS_MOBILE_REQUIRED", "1")], vec![email()], "1006"),
        (vec![("CONF_USERS_IS_EMAIL_REQUIRED", "1")], vec![mobile()], "1039"),
        (vec![("CONF_USERS_IS_EXTERNAL_ID_REQUIRED", "1")], vec![both()], "1043"),
        (vec![("CONF_USERS_IS_EMAIL_UNIQUE", "0")], vec![email()], "1019"),
        (vec![("CONF_USERS_USE_EXTERNAL_ID", "0")], vec![external()], "1008"),
        (vec![("CONF_PRIMARY_IDENTIFIER_STRICT_CHECK", "1")], vec![email(), both()], "1047"),
        (
            vec![("CONF_SKIP_SECONDARY_ID_ON_PRIMARY_MISMATCH", "1")],
            vec![email(), both()],
            "1000 91007",
        ),
        (vec![], vec![email(), both()], "1000"),
        (vec![("KNOWN_CUSTOMER", "REFUSE")], vec![mobile(), mobile()], "1014"),
        (vec![("KNOWN_CUSTOMER", "REFUSE")], vec![mobile()], "1000"),
        (vec![("COUNTRY", "")], vec![mobile()], "8014"),
        (vec![("COUNTRY", "DE")], vec![json!({"mobile": "0176 12345678"})], "1000"),
        (vec![("SUPPORTED_COUNTRIES", "DE")], vec![json!({"mobile": "+4917612345678"})], "1000"),
        (
            vec![("MOBILE_VALIDATION", "GENERIC")],
            vec![json!({"mobile": 123_456_789_012_345_u64})],
            "1000",
        ),
        (vec![("EXTERNAL_ID_PREFIX", "B")], vec![external()], "1003"),
        (vec![("EXTERNAL_ID_LENGTH", "2")], vec![external()], "1000"),
        (vec![], vec![json!({"mobile": "919876543210", "email": "x"})], "1002"),
        (
            vec![("INVALID_SECONDARY_IDENTIFIER", "DROP")],
            vec![json!({"mobile": "919876543210", "email": "x"})],
            "1000 91003",
        ),
        (
            vec![("INVALID_SECONDARY_IDENTIFIER", "DROP")],
            vec![json!({"mobile": "1", "email": "a@example.com"})],
            "1001",
        ),
        (vec![("INVALID_SECONDARY_IDENTIFIER", "DROP")], vec![json!({"email": "x"})], "1002"),
        (
            vec![("ADDITIONAL_SOURCES", "KIOSK")],
            vec![json!({"external_id": "1", "source": "kiosk"})],
            "1000",
        ),
        (
            vec![("STRICT_EXTRAS", "1")],
            vec![json!({"external_id": "A", "nobody/knows": 1})],
            "10001",
        ),
        (
            vec![("STRICT_EXTRAS", "1")],
            vec![json!({"external_id": "A", "fraud_status": "guilty"})],
            "1061",
        ),
        (
            vec![("STRICT_EXTRAS", "1")],
            vec![json!({"external_id": "A", "test_control_status": "x"})],
            "1062",
        ),
        (vec![("STRICT_EXTRAS", "1")], vec![json!({"external_id": "A", "gender": "F"})], "1000"),
        (
            vec![("CONF_MIN_REGISTRATION_DATE", "2020-01-01 00:00:00")],
            vec![json!({"external_id": "A", "registered_on": "2019-12-31 23:59:59"})],
            "1034",
        ),
        (
            vec![("FUTURE_REGISTRATION_DAYS", "0")],
            vec![json!({"external_id": "A", "registered_on": "2026-01-15 10:30:01"})],
            "1034",
        ),
        (vec![], vec![guest(), json!({"external_id": "A", "type": "NON_LOYALTY"})], "1045"),
        (
            vec![
                ("INVALID_SECONDARY_IDENTIFIER", "DROP"),
                ("CONF_REGISTRATION_PRIMARY_KEY", "EXTERNAL_ID"),
            ],
            vec![json!({"external_id": "A", "email": "x", "type": "NON_LOYALTY"})],
            "1045",
        ),
        (
            vec![],
            vec![
                json!({"mobile": "919876543210", "external_id": "A", "type": "NON_LOYALTY"}),
                json!({"external_id": "A", "type": "NON_LOYALTY"}),
            ],
            "1000",
        ),
        (vec![], vec![both(), json!({"mobile": "919876543210", "type": "NON_LOYALTY"})], "1046"),
    ] {
        assert_eq!(last_code(&settings, &customers), expected, "{settings:?} {customers:?}");
    }
}

#[test]
fn becoming_a_loyalty_customer_asks_for_what_is_required() {
    for (setting, expected) in
        [("CONF_USERS_IS_EMAIL_REQUIRED", "1048"), ("CONF_USERS_IS_EXTERNAL_ID_REQUIRED", "1049")]
    {
        let app = App::start();
        let till = app.till("till.001");
        till.add_one(&json!({"mobile": "919876543210", "type": "NON_LOYALTY"}));
        app.change_settings(&[(setting, "1")]);
        let loyal = json!({"mobile": "919876543210", "type": "LOYALTY"});
        assert_eq!(code(&till.add_one(&loyal)), expected);
        let whole = json!({
            "mobile": "919876543210", "type": "LOYALTY", "email": "a@example.com", "external_id": "A",
        });
        assert_eq!(code(&till.add_one(&whole)), "1000");
    }
}

#[test]
fn without_the_primary_identifier_two_holders_are_a_conflict() {
    for (primary, customer, expected) in [
        ("MOBILE", json!({"email": "a@example.com", "external_id": "A"}), "1033"),
        ("EMAIL", json!({"mobile": "919876543210", "external_id": "A"}), "1033"),
        ("EXTERNAL_ID", json!({"mobile": "919876543210", "email": "a@example.com"}), "1016"),
    ] {
        let app = App::with_settings(&[("CONF_REGISTRATION_PRIMARY_KEY", primary)]);
        let till = app.till("till.001");
        for one in [
            json!({"mobile": "919876543210"}),
            json!({"email": "a@example.com"}),
            json!({"external_id": "A"}),
        ] {
            assert_eq!(code(&till.add_one(&one)), "1000");
        }
        assert_eq!(code(&till.add_one(&customer)), expected, "{primary}");
    }
}

#[test]
fn what_is_not_known_of_fraud_replaces_nothing() {
    let app = App::start();
    let till = app.till("till.001");
    let status = |status: &str| {
        let customer = json!({"mobile": "919876543210", "fraud_status": {"status": status}});
        till.add_one(&customer)["fraud_status"].clone()
    };
    let told = ["Fraus_Suspected", "CONFIRMED", "Fraus_Suspected", "NONE"].map(status);
    assert_eq!(told, ["NONE", "CONFIRMED", "CONFIRMED", "NONE"]);
}

#[test]
fn merged_customers_are_one() {
    let app = App::with_settings(&[("MERGE_ON_CONFLICT", "1")]);
    let till = app.till("till.001");
    let survivor = till.add_one(&json!({"mobile": "919876543210", "lastname": "Rao"}));
    let victim = till
        .add_one(&json!({"mobile": "919876543211", "email": "a@example.com", "firstname": "Asha"}));
    let both = till.add_one(&json!({"mobile": "919876543210", "email": "a@example.com"}));
    assert_eq!(both["user_id"], survivor["user_id"]);
    assert_eq!((&both["firstname"], &both["lastname"]), (&json!("Asha"), &json!("Rao")));
    assert_eq!(both["loyalty_points"], 200);
    // The victim's number leads to the survivor, who keeps their own.
    let by_victim = till.add_one(&json!({"mobile": "919876543211"}));
    assert_eq!(code(&by_victim), "1000 91009");
    assert_eq!(by_victim["user_id"], survivor["user_id"]);
    assert_eq!(by_victim["mobile"], "919876543210");
    let found = till.get(&format!("/v1.1/customer/get?id={}&user_id=true", victim["user_id"]));
    assert_eq!(found.codes(), ["1000 91009"]);
    assert_eq!(found.customer(0)["user_id"], survivor["user_id"].to_string());
}
