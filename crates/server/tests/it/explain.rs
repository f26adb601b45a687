//! `?explain=true` and `?dry_run=true`.

use patron_rules::organisation::Kind;
use serde_json::{Value, json};

use crate::app::{App, code};

#[test]
fn nothing_is_explained_unless_asked_for() {
    let app = App::start();
    let till = app.till("till.001");
    let customer = json!({"mobile": "919876543210"});
    assert_eq!(till.add_one(&customer).get("explain"), None);
    assert_eq!(till.add_with("explain=false", &customer).get("explain"), None);
}

#[test]
fn an_explanation_says_who_matched_and_which_setting_decided() {
    let app = App::start();
    let till = app.till("till.001");
    let holder = till.add_one(&json!({"email": "asha@example.com"}))["user_id"].clone();
    let known = till.add_one(&json!({"mobile": "919876543210"}))["user_id"].clone();
    let customer = till
        .add_with("explain=true", &json!({"mobile": "98765 43210", "email": "ASHA@example.com"}));
    assert_eq!(code(&customer), "1000 91007");
    let mut explanation = customer["explain"].clone();
    for (index, expected) in [(0, known), (1, holder)] {
        let id = &mut explanation["matches"][index]["user_id"];
        assert_eq!(*id, expected);
        *id = json!("checked");
    }
    insta::assert_json_snapshot!(explanation, @r#"
    {
      "identifiers": {
        "mobile": "919876543210",
        "email": "asha@example.com",
        "external_id": null
      },
      "matches": [
        {
          "identifier": "mobile",
          "user_id": "checked",
          "through_merge": false
        },
        {
          "identifier": "email",
          "user_id": "checked",
          "through_merge": false
        }
      ],
      "steps": [
        {
          "rule": "the mobile number is completed by the base country",
          "setting": "COUNTRY",
          "value": "IN"
        },
        {
          "rule": "the customer is found by the email address",
          "setting": "CONF_USERS_IS_EMAIL_UNIQUE",
          "value": "1"
        },
        {
          "rule": "the primary identifier was passed",
          "setting": "CONF_REGISTRATION_PRIMARY_KEY",
          "value": "MOBILE"
        },
        {
          "rule": "a secondary identifier of another customer counts",
          "setting": "CONFIG_SKIP_SECONDARY_ID_ON_PRIMARY_MISMATCH",
          "value": "0"
        },
        {
          "rule": "a secondary identifier of another customer refuses nothing",
          "setting": "CONF_PRIMARY_IDENTIFIER_STRICT_CHECK",
          "value": "0"
        },
        {
          "rule": "a secondary identifier of another customer is left to them",
          "setting": "MERGE_ON_CONFLICT",
          "value": "0"
        },
        {
          "rule": "a customer who is known is updated",
          "setting": "KNOWN_CUSTOMER",
          "value": "UPDATE"
        }
      ],
      "problems": [
        {
          "code": "91007",
          "message": "email is already occupied by another user. Ignoring it.",
          "pointer": "/root/customer/0/email"
        }
      ]
    }
    "#);
}

/// The pointers of what was not right, each with its code.
fn pointers(explained: &Value) -> Vec<(String, Value)> {
    let problems = explained["explain"]["problems"].as_array().unwrap();
    let told = |problem: &Value| {
        let code = problem["code"].as_str().unwrap().to_owned();
        (code, problem.get("pointer").cloned().unwrap_or(Value::Null))
    };
    problems.iter().map(told).collect()
}

/// Each of these is what a single customer in an array is refused for.
#[test]
fn a_refusal_points_at_the_member() {
    let strict = [("STRICT_EXTRAS", "1"), ("CONF_PRIMARY_IDENTIFIER_STRICT_CHECK", "1")];
    let app = App::with_settings(&strict);
    let till = app.till("till.001");
    till.add_one(&json!({"email": "asha@example.com", "external_id": "A"}));
    till.add_one(&json!({"mobile": "919876543210"}));
    let long = "x".repeat(251);
    for (customer, code, member) in [
        (json!({"mobile": "12"}), "1001", "/mobile"),
        (json!({"mobile": []}), "10001", "/mobile"),
        (json!({"email": "asha"}), "1002", "/email"),
        (json!({"external_id": long}), "1003", "/external_id"),
        (json!({"external_id": "1", "firstname": {}}), "10001", "/firstname"),
        (json!({"external_id": "1", "type": "gold"}), "10001", "/type"),
        (json!({"external_id": "1", "type": "NON_LOYALTY"}), "1045", "/type"),
        (json!({"mobile": "919876543210", "type": "NON_LOYALTY"}), "1046", "/type"),
        (json!({"external_id": "1", "source": "pigeon"}), "10001", "/source"),
        (json!({"external_id": "1", "accountId": long}), "10001", "/accountId"),
        (json!({"external_id": "1", "updated_on": "yesterday"}), "10001", "/updated_on"),
        (json!({"external_id": "1", "registered_on": "yesterday"}), "1034", "/registered_on"),
        (json!({"external_id": "1", "registered_till": "x"}), "91020", "/registered_till"),
        (json!({"external_id": "1", "associated_with": "x"}), "91021", "/associated_with"),
        (json!({"external_id": "1", "fraud_status": "guilty"}), "1061", "/fraud_status"),
        (json!({"external_id": "1", "test_control_status": "x"}), "1062", "/test_control_status"),
        (json!({"external_id": "1", "gender": long}), "10001", "/gender"),
        (json!({"external_id": "1", "ndnc_status": long}), "10001", "/ndnc_status"),
        (
            json!({"external_id": "1", "commChannels": vec![json!({}); 21]}),
            "10001",
            "/commChannels/20",
        ),
        (
            json!({"external_id": "1", "commChannels": [{}, {"meta": 5}]}),
            "10001",
            "/commChannels/1/meta",
        ),
        (
            json!({"external_id": "1", "custom_fields": {"field": 5}}),
            "10001",
            "/custom_fields/field",
        ),
        (json!({"external_id": "1", "nobody/knows": 1}), "10001", "/nobody~1knows"),
        (json!({"mobile": "919876543210", "email": "asha@example.com"}), "1047", "/email"),
        (json!({"mobile": "919876543210", "external_id": "A"}), "1047", "/external_id"),
    ] {
        let explained = till.add_with("explain=true", &customer);
        let pointer = json!(format!("/root/customer/0{member}"));
        assert_eq!(pointers(&explained), [(code.to_owned(), pointer)], "{customer}");
        if code == "10001" {
            let message = explained["item_status"]["message"].as_str().unwrap();
            assert!(message.ends_with(&format!(" at /root/customer/0{member}")), "{message}");
        }
    }
    let nobody = till.add_with("explain=true", &json!({"firstname": "x"}));
    assert_eq!(pointers(&nobody), [("1007".to_owned(), Value::Null)]);
}

/// What an organisation asks for and did not get is pointed at where it would have been.
#[test]
fn a_missing_identifier_is_pointed_at() {
    for (settings, customers, code, member) in [
        (
            vec![("CONF_USERS_IS_MOBILE_REQUIRED", "1")],
            vec![json!({"email": "a@b.in"})],
            "1006",
            "mobile",
        ),
        (
            vec![("CONF_USERS_IS_EMAIL_REQUIRED", "1")],
            vec![json!({"external_id": "A"})],
            "1039",
            "email",
        ),
        (
            vec![("CONF_USERS_IS_EXTERNAL_ID_REQUIRED", "1")],
            vec![json!({"email": "a@b.in"})],
            "1043",
            "external_id",
        ),
        (
            vec![("CONF_USERS_USE_EXTERNAL_ID", "0")],
            vec![json!({"external_id": "A"})],
            "1008",
            "external_id",
        ),
        (
            vec![("CONF_USERS_IS_EMAIL_UNIQUE", "0")],
            vec![json!({"email": "a@b.in"})],
            "1019",
            "email",
        ),
        (vec![("COUNTRY", "")], vec![json!({"mobile": "919876543210"})], "8014", "mobile"),
        (
            vec![],
            vec![
                json!({"email": "a@b.in"}),
                json!({"external_id": "A"}),
                json!({"email": "a@b.in", "external_id": "A"}),
            ],
            "1033",
            "external_id",
        ),
    ] {
        let app = App::with_settings(&settings);
        let till = app.till("till.001");
        let explained: Vec<_> =
            customers.iter().map(|customer| till.add_with("explain=true", customer)).collect();
        let pointer = json!(format!("/root/customer/0/{member}"));
        assert_eq!(pointers(explained.last().unwrap()), [(code.to_owned(), pointer)]);
    }
}

#[test]
fn a_warning_points_at_the_entry() {
    let app = App::with_settings(&[("INVALID_SECONDARY_IDENTIFIER", "DROP")]);
    let till = app.till("till.001");
    let field = |name: &str, value: &str| json!({"name": name, "value": value});
    let customer = json!({
        "mobile": "919876543210",
        "email": "asha",
        "commChannels": [
            {"type": "email", "value": "asha@example.com", "primary": "perhaps", "verified": "perhaps",
             "meta": {"residence": "perhaps", "office": "perhaps", "lastViewedDate": "x".repeat(51)}},
            {"type": "mobile", "value": "12"},
            {"type": "pigeon", "value": "coop 7"},
            {"type": "wechat", "value": "openid"},
        ],
        "custom_fields": {"field": [field("address", "BTM"), field("shoe", "44"), field("hat", "58")]},
        "extended_fields": {"field": [field("age", "25"), field("gender", "neither"), field("preferred_store", "x")]},
        "subscriptions": {"subscription": [
            {"channel": "sms", "priority": "BULK", "is_subscribed": "1"},
            {"channel": "fax", "priority": "BULK", "is_subscribed": "1"},
            {"channel": "sms", "priority": "soon", "is_subscribed": "1"},
            {"channel": "sms", "priority": "BULK", "scope": "shop", "is_subscribed": "1"},
            {"channel": "sms", "priority": "BULK", "scope": ["all", "shop"], "is_subscribed": "1"},
            {"channel": "sms", "priority": "BULK", "is_subscribed": "perhaps"},
        ]},
        "card_details": {"card_number": "x".repeat(51), "series_code": "x".repeat(51)},
    });
    let explained = till.add_with("explain=true", &customer);
    let expected = [
        ("91003", "email"),
        ("91003", "commChannels/0/primary"),
        ("91003", "commChannels/0/verified"),
        ("91003", "commChannels/0/meta/residence"),
        ("91003", "commChannels/0/meta/office"),
        ("91003", "commChannels/0/meta/lastViewedDate"),
        ("91003", "commChannels/1/value"),
        ("91003", "commChannels/2/type"),
        ("1101", "subscriptions/subscription/1/channel"),
        ("91022", "subscriptions/subscription/1"),
        ("1102", "subscriptions/subscription/2/priority"),
        ("91022", "subscriptions/subscription/2"),
        ("1103", "subscriptions/subscription/3/scope"),
        ("91022", "subscriptions/subscription/3"),
        ("1105", "subscriptions/subscription/4/scope"),
        ("91022", "subscriptions/subscription/4"),
        ("1106", "subscriptions/subscription/5/is_subscribed"),
        ("91022", "subscriptions/subscription/5"),
        ("91003", "card_details/card_number"),
        ("91003", "card_details/series_code"),
        ("1017", "custom_fields/field/1"),
        ("1017", "custom_fields/field/2"),
        ("91015", "extended_fields/field/1"),
        ("91015", "extended_fields/field/2"),
        ("91003", "commChannels/3/type"),
    ]
    .map(|(code, member)| (code.to_owned(), json!(format!("/root/customer/0/{member}"))));
    assert_eq!(pointers(&explained), expected);
    // Each code is told once, as documented.
    assert_eq!(code(&explained), "1000 91003 1101 91022 1102 1103 1105 1106 1017 91015");
}

/// A list that was sent as its one entry has no number in a pointer, nor has such a customer.
#[test]
fn pointers_follow_the_shape_that_was_sent() {
    let app = App::start();
    let till = app.till("till.001");
    let body = json!({"root": {"customer": {
        "mobile": "919876543210",
        "commChannels": {"type": "pigeon", "value": "coop 7"},
        "custom_fields": {"field": {"name": "shoe", "value": "44"}},
        "extended_fields": {"field": {"name": "age", "value": "old"}},
        "subscriptions": {"subscription": {"channel": "fax"}},
    }}});
    let reply = till.post(
        "/v1.1/customer/add?explain=true",
        "application/json",
        body.to_string().as_bytes(),
    );
    let expected = [
        ("91003", "commChannels/type"),
        ("1101", "subscriptions/subscription/channel"),
        ("91022", "subscriptions/subscription"),
        ("1017", "custom_fields/field"),
        ("91015", "extended_fields/field"),
    ]
    .map(|(code, member)| (code.to_owned(), json!(format!("/root/customer/{member}"))));
    let customer = reply.customer(0);
    assert_eq!(pointers(&customer), expected);
    for (code, pointer) in expected {
        assert!(body.pointer(pointer.as_str().unwrap()).is_some(), "{code} {pointer}");
    }
}

/// The settings that decided and what each decided, in order.
fn steps(explained: &Value) -> Vec<String> {
    let step = |step: &Value| {
        let text = |name: &str| step.get(name).and_then(Value::as_str).unwrap_or_default();
        format!("{}={}: {}", text("setting"), text("value"), text("rule"))
    };
    explained["explain"]["steps"].as_array().unwrap().iter().map(step).collect()
}

#[test]
fn every_setting_that_decided_is_told() {
    let app = App::with_settings(&[
        ("SUPPORTED_COUNTRIES", "SG"),
        ("EXTERNAL_ID_PREFIX", "A"),
        ("EXTERNAL_ID_LENGTH", "2"),
        ("CONF_USERS_IS_EMAIL_REQUIRED", "1"),
        ("CONF_ALLOW_EMAIL_UPDATE", "1"),
        ("CONF_MIN_REGISTRATION_DATE", "2020-01-01 00:00:00"),
        ("INVALID_SECONDARY_IDENTIFIER", "DROP"),
    ]);
    app.set_up(Kind::Sources, &json!({"name": "KIOSK", "accounts": [{"id": "1"}]}));
    let till = app.till("till.001");
    let explained = |customer: &Value| till.add_with("explain=true", customer);
    let first = explained(&json!({
        "mobile": "9876543210", "email": "asha@example.com", "external_id": "A1", "source": "kiosk",
        "accountId": "1",
        "registered_on": "2024-01-01 00:00:00", "fraud_status": "guilty", "test_control_status": "x",
    }));
    let expected = [
        "COUNTRY=IN: the mobile number is completed by the base country",
        "CONF_USERS_IS_EMAIL_UNIQUE=1: the customer is found by the email address",
        "EXTERNAL_ID_PREFIX=A: the external id has the prefix",
        "EXTERNAL_ID_LENGTH=2: the external id has the length",
        "CONF_MIN_REGISTRATION_DATE=2020-01-01 00:00:00: the date of registration is not too early",
        "FUTURE_REGISTRATION_DAYS=1: the date of registration is not too far ahead",
        "=: the source is one of the organisation's own",
        "=: the source has the account",
        "STRICT_EXTRAS=0: what is not known is taken",
        "STRICT_EXTRAS=0: what is not known is taken",
        "CONF_REGISTRATION_PRIMARY_KEY=MOBILE: the primary identifier was passed",
        "=: nobody holds any of the identifiers: a new customer",
        "CONF_USERS_IS_EMAIL_REQUIRED=1: a required identifier is there",
    ];
    assert_eq!(steps(&first), expected);
    let second = explained(&json!({
        "mobile": "81234567", "email": "rao@example.com", "external_id": "B1",
    }));
    let expected = [
        "SUPPORTED_COUNTRIES=SG: the mobile number is completed by a supported country",
        "CONF_USERS_IS_EMAIL_UNIQUE=1: the customer is found by the email address",
        "EXTERNAL_ID_PREFIX=A: the external id has not the prefix",
        "INVALID_SECONDARY_IDENTIFIER=DROP: an invalid identifier is dropped",
        "CONF_REGISTRATION_PRIMARY_KEY=MOBILE: the primary identifier was passed",
        "=: nobody holds any of the identifiers: a new customer",
        "CONF_USERS_IS_EMAIL_REQUIRED=1: a required identifier is there",
    ];
    assert_eq!(steps(&second), expected);
    let third = explained(&json!({
        "mobile": "6581234567", "email": "other@example.com", "external_id": "A1",
    }));
    let expected = [
        "SUPPORTED_COUNTRIES=SG: the mobile number has the code of a supported country",
        "CONF_USERS_IS_EMAIL_UNIQUE=1: the customer is found by the email address",
        "EXTERNAL_ID_PREFIX=A: the external id has the prefix",
        "EXTERNAL_ID_LENGTH=2: the external id has the length",
        "CONF_REGISTRATION_PRIMARY_KEY=MOBILE: the primary identifier was passed",
        "CONFIG_SKIP_SECONDARY_ID_ON_PRIMARY_MISMATCH=0: a secondary identifier of another customer counts",
        "CONF_PRIMARY_IDENTIFIER_STRICT_CHECK=0: a secondary identifier of another customer refuses nothing",
        "MERGE_ON_CONFLICT=0: a secondary identifier of another customer is left to them",
        "KNOWN_CUSTOMER=UPDATE: a customer who is known is updated",
        "CONF_ALLOW_EMAIL_UPDATE=1: a registered identifier is replaced by the one passed",
    ];
    assert_eq!(steps(&third), expected);
    let fourth = explained(&json!({"mobile": "+919876543211", "registered_on": "2019-01-01"}));
    let expected = [
        "COUNTRY=IN: the mobile number has the code of the base country",
        "CONF_MIN_REGISTRATION_DATE=2020-01-01 00:00:00: the date of registration is too early",
    ];
    assert_eq!(steps(&fourth), expected);
}

/// Which of the settings decided that an external id is made, or is not.
#[test]
fn a_made_external_id_is_explained() {
    const MADE: &str = "=: the customer is given an external id that is made";
    const EVERY: &str =
        "CONF_GEN_CARD_NUMBER_AS_EXTERNAL_ID_ENABLED=1: external ids are made whatever the source";
    let enabled = ("CONF_CARD_NUMBER_GENERATION_ENABLED", "1");
    let every = ("CONF_GEN_CARD_NUMBER_AS_EXTERNAL_ID_ENABLED", "1");
    let instore = ("SOURCE_ACCOUNTS_EXTERNALID_ENABLED", r#"["INSTORE:"]"#);
    let always = ("GENERATED_EXTERNAL_ID", "ALWAYS");
    let by_mobile = json!({"mobile": "919876543210"});
    let by_both = json!({"mobile": "919876543210", "external_id": "A"});
    let by_external_id = json!({"external_id": "A"});
    for (settings, customer, expected) in [
        (vec![every], &by_mobile, vec![EVERY, MADE]),
        (
            vec![instore],
            &by_mobile,
            vec![
                r#"SOURCE_ACCOUNTS_EXTERNALID_ENABLED=["INSTORE:"]: external ids are made for this source and account"#,
                MADE,
            ],
        ),
        (
            vec![],
            &by_mobile,
            vec![
                "SOURCE_ACCOUNTS_EXTERNALID_ENABLED=: no external ids are made for this source and account",
            ],
        ),
        (
            vec![every],
            &by_both,
            vec![EVERY, "GENERATED_EXTERNAL_ID=WHEN_MISSING: an external id that is passed stays"],
        ),
        (
            vec![every, always],
            &by_both,
            vec![
                EVERY,
                "GENERATED_EXTERNAL_ID=ALWAYS: an external id that a new customer passes is replaced by one that is made",
                MADE,
            ],
        ),
        (
            vec![every, always],
            &by_external_id,
            vec![
                EVERY,
                "GENERATED_EXTERNAL_ID=ALWAYS: an external id stays that is all by which the customer can be known",
            ],
        ),
    ] {
        let app = App::with_settings(&[vec![enabled], settings].concat());
        let mut told = steps(&app.till("till.001").add_with("explain=true", customer));
        told.retain(|step| step.contains("external id"));
        assert_eq!(told, expected);
    }

    let app = App::with_settings(&[enabled, every]);
    let till = app.till("till.001");
    till.add_one(&by_mobile);
    let again = steps(&till.add_with("explain=true", &by_mobile));
    assert_eq!(again.last().unwrap(), "=: the customer has an external id, so none is made");
}

#[test]
fn canonical_identifiers_are_told_whatever_else_is_wrong() {
    let app = App::start();
    let till = app.till("till.001");
    for (mut customer, mobile) in [
        (json!({"mobile": "98765 43210", "type": "gold"}), json!("919876543210")),
        (json!({"mobile": "98765 43210", "type": []}), json!("919876543210")),
        (json!({"mobile": "12"}), Value::Null),
    ] {
        customer["email"] = json!("Asha@Example.com");
        let explained = till.add_with("explain=true", &customer);
        assert_eq!(explained["item_status"]["success"], "false");
        let expected = json!({"mobile": mobile, "email": "asha@example.com", "external_id": null});
        assert_eq!(explained["explain"]["identifiers"], expected);
    }
}

#[test]
fn a_dry_run_writes_nothing() {
    let app = App::start();
    let till = app.till("till.001");
    let customer = json!({"mobile": "919876543210", "firstname": "Asha"});
    let rehearsed = till.add_with("dry_run=true&explain=true", &customer);
    assert_eq!(code(&rehearsed), "1000");
    assert_eq!(rehearsed["side_effects"]["effect"].as_array().unwrap().len(), 1);
    assert_eq!(till.get("/v1.1/customer/get?mobile=919876543210").codes(), ["1012"]);
    let registered = till.add_one(&customer);
    assert_eq!(registered["side_effects"]["effect"].as_array().unwrap().len(), 1);
}

/// The message of 1001 is documented; the steps say what was wrong, for an identifier that fails the
/// customer, for one that is dropped, and for a channel.
#[test]
fn explains_why_a_mobile_number_is_refused() {
    let app = App::with_settings(&[("COUNTRY", "GB"), ("INVALID_SECONDARY_IDENTIFIER", "DROP")]);
    app.change_settings(&[("CONF_REGISTRATION_PRIMARY_KEY", "EMAIL")]);
    let till = app.till("till.001");
    let jersey = "not a valid mobile number for GB (COUNTRY): it belongs to JE. \
                  Add JE to SUPPORTED_COUNTRIES to accept it";
    for (customer, expected, setting) in [
        (json!({"mobile": "07797 123456"}), "1001", "SUPPORTED_COUNTRIES"),
        (json!({"mobile": "07797 123456", "email": "a@b.in"}), "1000 91003", "SUPPORTED_COUNTRIES"),
        (
            json!({"email": "b@b.in", "commChannels": [{"type": "mobile", "value": "+447797123456"}]}),
            "1000 91003",
            "SUPPORTED_COUNTRIES",
        ),
    ] {
        let item = till.add_with("explain=true", &customer);
        assert_eq!(code(&item), expected, "{customer}");
        let steps = item["explain"]["steps"].as_array().unwrap();
        let step = steps.iter().find(|step| step["rule"] == jersey);
        assert_eq!(step.unwrap()["setting"], setting, "{customer}");
    }
}
