//! What a customer is described by: what is taken, in which form, and what is dropped with which
//! warning. The rules' own tables have every case; here is what a caller sees of them.

use serde_json::{Value, json};

use crate::app::{App, code};

const DEMO: &str = include_str!("../../src/demo/demo.toml");

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
        (json!("1990-05-15T00:00:00+05:30"), "1990-05-15"),
        (json!(1_709_164_800_u64), "2024-02-29"),
        (json!(1_709_164_800_000_u64), "2024-02-29"),
        (json!("1.7091648e9"), "2024-02-29"),
        (json!("9999-12-31 23:59:59"), "9999-12-31"),
    ] {
        let customer = till.add_one(&json!({
            "mobile": "919876543210",
            "extended_fields": {"field": {"name": "dob", "value": sent}},
        }));
        assert_eq!(customer["extended_fields"]["field"][0]["value"], kept, "{sent}");
    }
}

/// Seconds, milliseconds and nothing that can be something else, in every date.
#[test]
fn digits_that_can_be_something_else_are_no_date() {
    let app = App::start();
    let till = app.till("till.001");
    for (digits, is_date) in [
        (json!(642_729_600_u64), false),
        (json!(1_704_164_800_u64), true),
        (json!(17_041_648_000_u64), true),
        (json!(170_416_480_000_u64), true),
        (json!(200_401_020_304_u64), false),
        (json!("1704164800000"), true),
        (json!(17_041_648_000_000_u64), false),
        (json!("20240102030405"), false),
    ] {
        let customer =
            till.add_one(&json!({"external_id": format!("A{digits}"), "updated_on": digits}));
        assert_eq!(code(&customer), if is_date { "1000" } else { "1000 91003" }, "{digits}");
        let customer = till.add_one(&json!({
            "external_id": "A", "extended_fields": {"field": {"name": "dob", "value": digits}},
        }));
        assert_eq!(code(&customer), if is_date { "1000" } else { "1000 91015" }, "{digits}");
        let customer = till.add_one(&json!({"external_id": "B", "registered_on": digits}));
        assert_eq!(code(&customer), if is_date { "1000" } else { "1034" }, "{digits}");
    }
}

/// The same list is the same value, as an array or as its text.
#[test]
fn several_values_of_a_custom_field_have_one_form() {
    let app = App::start();
    for (sent, expected) in [
        (json!("[\"puma\", \"nike\"]"), "[\"puma\",\"nike\"]"),
        (json!(["puma", "nike"]), "[\"puma\",\"nike\"]"),
        (json!([560_076, "560001"]), "[\"560076\",\"560001\"]"),
        (json!("puma,nike"), "puma,nike"),
    ] {
        let customer = app.till("till.001").add_one(&json!({
            "mobile": "919876543210",
            "custom_fields": {"field": [{"name": "address", "value": sent}]},
        }));
        assert_eq!(code(&customer), "1000");
        assert_eq!(customer["custom_fields"]["field"][0]["value"], expected, "{sent}");
    }
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
    for named in [
        "1/value (expected an email address such as name@example.com)",
        "2/type (no type of customers of the source INSTORE, expected one of email, mobile,",
        "3/primary (expected true, false, 1 or 0)",
        "4/type (expected one of mobile, email, cardnumber,",
    ] {
        let text = format!("Validation failed: commChannels/{named}");
        assert!(message(&customer).contains(&text), "{customer}");
    }
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
        ("is_subscribed", json!(true), "1000"),
        ("is_subscribed", json!(false), "1000"),
        ("is_subscribed", json!("perhaps"), "1000 1106 91022"),
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

#[test]
fn refuses_digits_that_can_be_seconds() {
    let app = App::start();
    let customer = app.till("till.001").add_one(&json!({
        "mobile": "919876543210",
        "extended_fields": {"field": {"name": "dob", "value": 642_729_600}},
    }));
    assert_eq!(code(&customer), "1000 91015");
    assert_eq!(customer["extended_fields"]["field"], json!([]));
}

/// Unknown members and statuses fail no customer, and a warning names them.
#[test]
fn names_unknown_members_and_statuses() {
    let app = App::start();
    let customer = app.till("till.001").add_one(&json!({
        "mobile": "919876543210", "custome_fields": {"field": []}, "fraud_status": {"status": "Fraus_Suspected"},
        "test_control_status": "neither", "source": "WECHAT", "accountId": "123456",
    }));
    assert_eq!(code(&customer), "1000 91003");
    assert_eq!(customer["fraud_status"], "NONE");
    let warnings = "Validation failed: unknown member custome_fields, \
        Validation failed: fraud_status (unknown status Fraus_Suspected)";
    assert!(message(&customer).ends_with(warnings), "{customer}");
}

/// Clients send back what they read: members that only `customer/get` has are named as well.
#[test]
fn names_members_of_other_calls_up_to_a_limit() {
    let app = App::start();
    let till = app.till("till.001");
    let mut customer = till.add_one(&json!({"mobile": "919876543210"}));
    for known in ["type", "source", "registered_on", "updated_on", "subscriptions"] {
        customer.as_object_mut().unwrap().remove(known);
    }
    let again = till.add_one(&customer);
    assert_eq!(code(&again), "1000 91003");
    let named = "unknown members user_id, lifetime_points, loyalty_points, current_slab, \
        tier_expiry_date, points_summaries, lifetime_purchases, item_status, side_effects";
    assert!(message(&again).ends_with(named), "{again}");

    let mut many: serde_json::Map<String, Value> =
        (0..200).map(|number| (format!("{number}-{}", "x".repeat(1_000)), json!(1))).collect();
    many.insert("mobile".to_owned(), json!("919876543210"));
    let many = till.add_one(&Value::Object(many));
    assert!(message(&many).ends_with(" and 190 more"), "{many}");
    assert!(message(&many).len() < 1_200, "{many}");
}

/// The reply says which form a date has, or which limit it exceeds.
#[test]
fn refused_registration_dates_say_what_is_expected() {
    let app = App::start();
    let till = app.till("till.001");
    for (sent, expected) in [
        (json!("2024-7-9 1:2:3"), "expected YYYY-MM-DD HH:MM:SS"),
        (json!("2024-07-29 11:11:60"), "expected YYYY-MM-DD HH:MM:SS"),
        (json!(17_222_316_710_000_u64), "expected YYYY-MM-DD HH:MM:SS"),
        (json!("1899-12-30"), "expected 1900-01-01 00:00:00 or later, CONF_MIN_REGISTRATION_DATE"),
        (json!("0001-01-01"), "expected 1900-01-01 00:00:00 or later, CONF_MIN_REGISTRATION_DATE"),
        (json!("2026-02-01"), "expected at most 1 days ahead, FUTURE_REGISTRATION_DAYS"),
    ] {
        let refused =
            till.add_with("explain=true", &json!({"external_id": "A", "registered_on": sent}));
        assert_eq!(code(&refused), "1034", "{sent}");
        let text = "Unable to register. Registration date is not within the allowed past or \
            future date limit";
        let text = format!("{text} ({expected} at /root/customer/0/registered_on).");
        assert_eq!(message(&refused), text);
        assert_eq!(refused["explain"]["problems"][0]["message"], text);
    }
    for (sent, kept) in [
        (json!("2024/07/29 11:11:11"), "2024-07-29 11:11:11"),
        (json!("2024-07-29T05:41:11Z"), "2024-07-29 11:11:11"),
        (json!(1_722_231_671_000_u64), "2024-07-29 11:11:11"),
        (json!("1900-01-01"), "1900-01-01 00:00:00"),
    ] {
        let id = sent.to_string();
        let customer = till.add_one(&json!({"external_id": id, "registered_on": sent}));
        assert_eq!(
            (code(&customer), &customer["registered_on"]),
            ("1000".to_owned(), &json!(kept))
        );
    }
}

#[test]
fn older_details_are_ignored_or_applied_and_updated_on_never_goes_back() {
    let update = |date: &str, name: &str, email: Option<&str>| {
        json!({
            "mobile": "919876543210", "email": email, "external_id": "A", "firstname": name,
            "updated_on": date,
        })
    };
    let newer = "2025-06-02 00:00:00";
    for (setting, name) in [("IGNORE", "New"), ("APPLY", "Old")] {
        let app = App::with_settings(&[("OLDER_UPDATE", setting)]);
        let till = app.till("till.001");
        till.add_one(&update(newer, "New", None));
        let older = till.add_one(&update("2025-06-01 00:00:00", "Old", Some("a@example.com")));
        let is_ignored = setting == "IGNORE";
        assert_eq!(code(&older), if is_ignored { "1000 91003" } else { "1000" });
        assert_eq!((&older["firstname"], &older["updated_on"]), (&json!(name), &json!(newer)));
        // An identifier that the customer lacks is no older detail.
        assert_eq!(older["email"], "a@example.com");
        let warning = "Validation failed: updated_on (older than the customer's: the other \
            details are ignored, OLDER_UPDATE)";
        assert_eq!(message(&older).ends_with(warning), is_ignored);
        // Neither the same time nor none is older.
        assert_eq!(till.add_one(&update(newer, "Same", None))["firstname"], "Same");
        let now = till.add_one(&json!({"mobile": "919876543210", "firstname": "Now"}));
        assert_eq!(
            (&now["firstname"], &now["updated_on"]),
            (&json!("Now"), &json!("2026-01-15 10:30:00"))
        );
    }
}

/// A till whose clock is ahead does not shut out later updates.
#[test]
fn an_updated_on_in_the_future_makes_nothing_older() {
    let app = App::start();
    let till = app.till("till.001");
    let customer = |date: &str, name: &str| json!({"mobile": "919876543210", "firstname": name, "updated_on": date});
    till.add_one(&customer("2026-01-16 10:30:00", "Future"));
    let next = till.add_one(&customer("2026-01-15 10:00:00", "Next"));
    assert_eq!((code(&next), &next["firstname"]), ("1000".to_owned(), &json!("Next")));
    assert_eq!(next["updated_on"], "2026-01-16 10:30:00");
}

#[test]
fn an_updated_on_more_than_a_day_ahead_is_left_out() {
    let app = App::start();
    let till = app.till("till.001");
    for date in ["2026-01-16 10:30:01", "2030-01-01 00:00:00"] {
        let customer = json!({"mobile": "919876543210", "firstname": date, "updated_on": date});
        let customer = till.add_one(&customer);
        assert_eq!(
            (code(&customer), &customer["firstname"]),
            ("1000 91003".to_owned(), &json!(date))
        );
        let warning = "Validation failed: updated_on (expected at most one day ahead of now)";
        assert!(message(&customer).ends_with(warning), "{customer}");
        assert_eq!(customer["updated_on"], "2026-01-15 10:30:00");
    }
}

/// The clock has fractions of a second, and the wire has none.
#[test]
fn the_updated_on_of_a_reply_is_not_older_when_it_is_sent_again() {
    let app = App::of_at(DEMO, || "2026-01-15T05:00:00.75Z".parse().unwrap());
    let till = app.till("till.001");
    let first = till.add_one(&json!({"mobile": "919876543210", "firstname": "Asha"}));
    let again = till.add_one(&json!({
        "mobile": "919876543210", "firstname": "Ayesha", "updated_on": first["updated_on"],
    }));
    assert_eq!((code(&again), &again["firstname"]), ("1000".to_owned(), &json!("Ayesha")));
}

/// "A new customer is registered with the primary identifier ignoring the secondary identifier."
#[test]
fn skipping_outranks_a_required_identifier_of_a_new_customer() {
    let app = App::with_settings(&[
        ("CONFIG_SKIP_SECONDARY_ID_ON_PRIMARY_MISMATCH", "1"),
        ("CONF_USERS_IS_EMAIL_REQUIRED", "1"),
        ("INVALID_SECONDARY_IDENTIFIER", "DROP"),
    ]);
    let till = app.till("till.001");
    let add = |mobile: &str, email: Value| till.add_one(&json!({"mobile": mobile, "email": email}));
    assert_eq!(code(&add("919876543210", json!("a@example.com"))), "1000");
    let skipped = add("919876543211", json!("a@example.com"));
    assert_eq!((code(&skipped), &skipped["email"]), ("1000 91007".to_owned(), &Value::Null));
    let reason = "email is already occupied by another user. Ignoring it \
        (CONFIG_SKIP_SECONDARY_ID_ON_PRIMARY_MISMATCH outranks CONF_USERS_IS_EMAIL_REQUIRED)";
    assert!(message(&skipped).ends_with(reason), "{skipped}");
    // One that was not passed, or is not valid, is still required.
    let missing = add("919876543212", Value::Null);
    assert_eq!(
        (code(&missing), message(&missing)),
        ("1039".to_owned(), "Unable to register. Email ID is required.")
    );
    let invalid = add("919876543212", json!("x"));
    let reason = "Unable to register. Email ID is required (the one passed is not valid at \
        /root/customer/0/email).";
    assert_eq!((code(&invalid), message(&invalid)), ("1039".to_owned(), reason));
}

#[test]
fn a_conversion_says_why_a_required_identifier_is_missing() {
    let app = App::with_settings(&[("CONFIG_SKIP_SECONDARY_ID_ON_PRIMARY_MISMATCH", "1")]);
    let till = app.till("till.001");
    till.add_one(&json!({"mobile": "919876543210", "email": "a@example.com"}));
    let mobile = "919876543211";
    till.add_one(&json!({"mobile": mobile, "type": "NON_LOYALTY"}));
    app.change_settings(&[("CONF_USERS_IS_EMAIL_REQUIRED", "1")]);
    let refused =
        till.add_one(&json!({"mobile": mobile, "email": "a@example.com", "type": "LOYALTY"}));
    let reason = "Customer's email ID is required to convert to a loyalty customer (the one passed \
        belongs to another customer at /root/customer/0/email).";
    assert_eq!((code(&refused), message(&refused)), ("1048".to_owned(), reason));
}
