//! What each setting of registration changes, seen from outside.

use std::collections::BTreeSet;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;

use patron_rules::settings::TABLE;
use serde_json::{Value, json};

use crate::app::{App, code};
use crate::durability::AUTHORIZATION;

/// What comes of these customers in one call: the last one's code with those of its warnings and the
/// external id, or the code of the whole request where that is refused.
fn outcome(settings: &[(&str, &str)], customers: &[Value]) -> String {
    let app = App::with_settings(settings);
    let reply = app.till("till.001").add(&json!(customers));
    if reply.status != 200 {
        return reply.response_status()["code"].to_string();
    }
    let last = reply.customer(customers.len() - 1);
    match last["external_id"].as_str() {
        Some(id) if last["item_status"]["success"] == "true" => format!("{} {id}", code(&last)),
        _ => code(&last),
    }
}

/// A setting, two of its values, what else is set, the customers, and what comes of the last one
/// under the one value and under the other.
type Case = (
    &'static str,
    [&'static str; 2],
    Vec<(&'static str, &'static str)>,
    Vec<Value>,
    [&'static str; 2],
);

fn mobile() -> Value {
    json!({"mobile": "919876543210"})
}

fn email() -> Value {
    json!({"email": "a@example.com"})
}

fn both() -> Value {
    json!({"mobile": "919876543210", "email": "a@example.com"})
}

fn external(id: &str) -> Value {
    json!({"external_id": id})
}

fn who_they_are() -> Vec<Case> {
    const ANY: &str = "CONF_ALLOW_REGISTRATION_FROM_ANY_IDENTIFIERS";
    const PRIMARY: &str = "CONF_REGISTRATION_PRIMARY_KEY";
    let other_mobile = || json!({"mobile": "919876543211", "email": "a@example.com"});
    let other_email = || json!({"mobile": "919876543210", "email": "b@example.com"});
    let with_external = |id: &str| json!({"mobile": "919876543210", "external_id": id});
    vec![
        (
            PRIMARY,
            ["MOBILE", "EMAIL"],
            vec![],
            vec![both(), other_email()],
            ["1000 91006", "1000 91005"],
        ),
        (ANY, ["1", "0"], vec![], vec![email()], ["1000", "1006"]),
        (ANY, ["1", "0"], vec![(PRIMARY, "EMAIL")], vec![mobile()], ["1000", "1039"]),
        (ANY, ["1", "0"], vec![(PRIMARY, "EXTERNAL_ID")], vec![mobile()], ["1000", "1043"]),
        (
            "CONF_REGISTRATION_PRIMARY_KEY_REQUIRED",
            ["0", "1"],
            vec![(ANY, "0")],
            vec![both(), email()],
            ["1000", "1006"],
        ),
        ("CONF_USERS_IS_MOBILE_REQUIRED", ["0", "1"], vec![], vec![email()], ["1000", "1006"]),
        ("CONF_USERS_IS_EMAIL_REQUIRED", ["0", "1"], vec![], vec![mobile()], ["1000", "1039"]),
        ("CONF_USERS_IS_EXTERNAL_ID_REQUIRED", ["0", "1"], vec![], vec![both()], ["1000", "1043"]),
        ("CONF_USERS_IS_EMAIL_UNIQUE", ["1", "0"], vec![], vec![email()], ["1000", "1019"]),
        (
            "CONF_USERS_IS_EMAIL_UNIQUE",
            ["1", "0"],
            vec![],
            vec![both(), other_mobile()],
            ["1000 91005", "1000"],
        ),
        (
            "CONF_USERS_USE_EXTERNAL_ID",
            ["1", "0"],
            vec![],
            vec![external("A1")],
            ["1000 A1", "1008"],
        ),
        (
            "CONF_ALLOW_MOBILE_UPDATE",
            ["0", "1"],
            vec![(PRIMARY, "EMAIL")],
            vec![both(), other_mobile()],
            ["1000 91006", "1000"],
        ),
        (
            "CONF_ALLOW_EMAIL_UPDATE",
            ["0", "1"],
            vec![],
            vec![both(), other_email()],
            ["1000 91006", "1000"],
        ),
        (
            "CONF_LOYALTY_ALLOW_EXTERNAL_ID_UPDATE",
            ["0", "1"],
            vec![],
            vec![with_external("A1"), with_external("A2")],
            ["1000 91006 A1", "1000 A2"],
        ),
        (
            "CONF_PRIMARY_IDENTIFIER_STRICT_CHECK",
            ["0", "1"],
            vec![],
            vec![email(), both()],
            ["1000", "1047"],
        ),
        (
            "CONFIG_SKIP_SECONDARY_ID_ON_PRIMARY_MISMATCH",
            ["0", "1"],
            vec![],
            vec![email(), both()],
            ["1000", "1000 91007"],
        ),
        (
            "MERGE_ON_CONFLICT",
            ["0", "1"],
            vec![],
            vec![email(), mobile(), both()],
            ["1000 91007", "1000 8051"],
        ),
        (
            "KNOWN_CUSTOMER",
            ["UPDATE", "REFUSE"],
            vec![],
            vec![mobile(), mobile()],
            ["1000", "1014"],
        ),
        (
            "INVALID_SECONDARY_IDENTIFIER",
            ["FAIL", "DROP"],
            vec![],
            vec![json!({"mobile": "919876543210", "email": "x"})],
            ["1002", "1000 91003"],
        ),
    ]
}

fn what_they_come_with() -> Vec<Case> {
    let number = |number: &str| vec![json!({"mobile": number})];
    let sent = |member: &str, value: &str| vec![json!({"external_id": "A", member: value})];
    let updates = ["2025-06-02 00:00:00", "2025-06-01 00:00:00"]
        .map(|date| json!({"external_id": "A", "updated_on": date}))
        .to_vec();
    let cards = ["4711", "4712"]
        .map(|card| json!({"external_id": "A", "card_details": {"card_number": card}}));
    vec![
        ("COUNTRY", ["IN", "DE"], vec![], number("0176 12345678"), ["1001", "1000"]),
        ("COUNTRY", ["IN", ""], vec![], number("919876543210"), ["1000", "8014"]),
        ("SUPPORTED_COUNTRIES", ["", "DE"], vec![], number("+4917612345678"), ["1001", "1000"]),
        (
            "MOBILE_VALIDATION",
            ["COUNTRY", "GENERIC"],
            vec![],
            number("123456789012345"),
            ["1001", "1000"],
        ),
        ("EXTERNAL_ID_PREFIX", ["", "B"], vec![], vec![external("A1")], ["1000 A1", "1003"]),
        ("EXTERNAL_ID_LENGTH", ["2", "3"], vec![], vec![external("A1")], ["1000 A1", "1003"]),
        ("CONF_MAX_CARDS_PER_ORG", ["2", "1"], vec![], cards.to_vec(), ["1000 A", "1000 91003 A"]),
        (
            "CONF_MIN_REGISTRATION_DATE",
            ["", "2020-01-01 00:00:00"],
            vec![],
            sent("registered_on", "2019-12-31 23:59:59"),
            ["1000 A", "1034"],
        ),
        (
            "FUTURE_REGISTRATION_DAYS",
            ["1", "0"],
            vec![],
            sent("registered_on", "2026-01-15 10:30:01"),
            ["1000 A", "1034"],
        ),
        ("STRICT_EXTRAS", ["0", "1"], vec![], sent("nobody/knows", "1"), ["1000 91003 A", "10001"]),
        (
            "STRICT_EXTRAS",
            ["0", "1"],
            vec![],
            sent("updated_on", "then"),
            ["1000 91003 A", "10001"],
        ),
        (
            "STRICT_EXTRAS",
            ["0", "1"],
            vec![],
            sent("fraud_status", "guilty"),
            ["1000 91003 A", "1061"],
        ),
        ("WARN_EXTRAS", ["0", "1"], vec![], sent("current_slab", "B"), ["1000 A", "1000 91003 A"]),
        (
            "WARN_EXTRAS",
            ["0", "1"],
            vec![],
            sent("fraud_status", "guilty"),
            ["1000 A", "1000 91003 A"],
        ),
        ("OLDER_UPDATE", ["IGNORE", "APPLY"], vec![], updates, ["1000 91003 A", "1000 A"]),
        ("STRICT_EXTRAS", ["0", "1"], vec![], sent("test_control_status", "x"), ["1000 A", "1062"]),
        ("BATCH_LIMIT", ["2", "1"], vec![], vec![mobile(), mobile()], ["1000", "1060"]),
    ]
}

/// External ids are made for every customer, or for those of a source.
fn what_is_made_for_them() -> Vec<Case> {
    const ON: (&str, &str) = ("CONF_CARD_NUMBER_GENERATION_ENABLED", "1");
    const INSTORE: (&str, &str) = ("SOURCE_ACCOUNTS_EXTERNALID_ENABLED", r#"["INSTORE:"]"#);
    const LUHN: (&str, &str) = ("CONF_CARD_CHECKSUM_DIGIT_ALGO", "LUHN_ALGO");
    const SHORT: (&str, &str) = ("CONF_CARD_NUMBER_LENGTH", "5");
    let made = |further: &[(&'static str, &'static str)]| [&[ON, INSTORE, SHORT], further].concat();
    vec![
        (
            "CONF_CARD_NUMBER_GENERATION_ENABLED",
            ["0", "1"],
            vec![INSTORE, SHORT],
            vec![mobile()],
            ["1000", "1000 00001"],
        ),
        (
            "CONF_GEN_CARD_NUMBER_AS_EXTERNAL_ID_ENABLED",
            ["0", "1"],
            vec![ON, SHORT],
            vec![mobile()],
            ["1000", "1000 00001"],
        ),
        (
            "SOURCE_ACCOUNTS_EXTERNALID_ENABLED",
            [r#"["WECHAT:"]"#, r#"["INSTORE:"]"#],
            vec![ON, SHORT],
            vec![mobile()],
            ["1000", "1000 00001"],
        ),
        (
            "GENERATED_EXTERNAL_ID",
            ["WHEN_MISSING", "ALWAYS"],
            made(&[]),
            vec![json!({"mobile": "919876543210", "external_id": "own"})],
            ["1000 own", "1000 00001"],
        ),
        // The digit makes the sum of 1, doubled at every second place from the right, end with 0.
        (
            "CONF_CARD_CHECKSUM_DIGIT_ALGO",
            ["AUTO_INC", "LUHN_ALGO"],
            made(&[]),
            vec![mobile()],
            ["1000 00001", "1000 00018"],
        ),
        (
            "CONF_VALUES_TO_INCLUDE_FOR_CHECKSUM_DIGIT",
            ["NONE", "PREFIX"],
            made(&[LUHN, ("CONF_CARD_NUMBER_PREFIX", "1")]),
            vec![mobile()],
            ["1000 10018", "1000 10017"],
        ),
        (
            "CONF_CARD_NUMBER_LENGTH",
            ["5", "7"],
            vec![ON, INSTORE],
            vec![mobile()],
            ["1000 00001", "1000 0000001"],
        ),
        (
            "CONF_CARD_NUMBER_PREFIX",
            ["", "P"],
            made(&[]),
            vec![mobile()],
            ["1000 00001", "1000 P0001"],
        ),
        (
            "CONF_CARD_NUMBER_SUFFIX",
            ["", "S"],
            made(&[]),
            vec![mobile()],
            ["1000 00001", "1000 0001S"],
        ),
        (
            "CONF_CARD_NUMBER_OFFSET",
            ["1", "7"],
            made(&[]),
            vec![mobile()],
            ["1000 00001", "1000 00007"],
        ),
    ]
}

/// What these decide is seen in the audit, in repeats and in look-ups: `audit.rs`, `idempotency.rs` and
/// `get.rs` have it.
const ELSEWHERE: [&str; 5] = [
    "AUDIT_CUSTOM_FIELDS",
    "POINTS_SUMMARIES_NEED_MLP",
    "PRODUCT_CONF_ORG_AUDITABLE_CUSTOM_FIELDS_LIMIT",
    "PRODUCT_CONF_ORG_AUDITABLE_EXTENDED_FIELDS_LIMIT",
    "REPEAT_WINDOW_SECONDS",
];

/// Each setting that there is makes a difference that can be seen, and the documented one.
#[test]
fn settings_decide() {
    let cases = [who_they_are(), what_they_come_with(), what_is_made_for_them()].concat();
    let named: BTreeSet<&str> = cases.iter().map(|(name, ..)| *name).collect();
    let known = TABLE.iter().map(|setting| setting.name).filter(|name| !ELSEWHERE.contains(name));
    assert_eq!(named, known.collect());
    for (name, values, further, customers, expected) in cases {
        for (value, expected) in values.into_iter().zip(expected) {
            let settings = [further.as_slice(), &[(name, value)]].concat();
            assert_eq!(outcome(&settings, &customers), expected, "{settings:?} {customers:?}");
        }
    }
}

/// What several settings, or none, decide together.
#[test]
fn rules_stand_beside_each_other() {
    const DROP: (&str, &str) = ("INVALID_SECONDARY_IDENTIFIER", "DROP");
    let guest = || json!({"mobile": "919876543210", "type": "NON_LOYALTY"});
    for (settings, customers, expected) in [
        (vec![("KNOWN_CUSTOMER", "REFUSE")], vec![mobile()], "1000"),
        (vec![DROP], vec![json!({"mobile": "1", "email": "a@example.com"})], "1001"),
        (vec![DROP], vec![json!({"email": "x"})], "1002"),
        (vec![("STRICT_EXTRAS", "1")], vec![json!({"external_id": "A", "gender": "F"})], "1000 A"),
        (vec![], vec![guest(), json!({"external_id": "A", "type": "NON_LOYALTY"})], "1045"),
        (
            vec![DROP, ("CONF_REGISTRATION_PRIMARY_KEY", "EXTERNAL_ID")],
            vec![json!({"external_id": "A", "email": "x", "type": "NON_LOYALTY"})],
            "1045",
        ),
        (
            vec![],
            vec![
                json!({"mobile": "919876543210", "external_id": "A", "type": "NON_LOYALTY"}),
                json!({"external_id": "A", "type": "NON_LOYALTY"}),
            ],
            "1000 A",
        ),
        (vec![], vec![both(), json!({"mobile": "919876543210", "type": "NON_LOYALTY"})], "1046"),
    ] {
        assert_eq!(outcome(&settings, &customers), expected, "{settings:?} {customers:?}");
    }
}

/// An unknown member is refused at its place, however deep it is, and named in a warning where extras
/// are not strict.
#[test]
fn strict_extras_look_everywhere() {
    let strict = App::with_settings(&[("STRICT_EXTRAS", "1")]);
    let lenient = App::start();
    let channel = |further: Value| {
        let mut channel = json!({"type": "email", "value": "a@b.in"});
        channel.as_object_mut().unwrap().append(&mut further.as_object().unwrap().clone());
        json!({"commChannels": [channel]})
    };
    for (mut customer, member) in [
        (json!({"shoe": 1}), "shoe"),
        (json!({"id": 1}), "id"),
        (json!({"externalId": "A"}), "externalId"),
        (json!({"fraud_status": {"status": "NONE", "since": 1}}), "fraud_status/since"),
        (json!({"fraud_status": [{"since": 1}]}), "fraud_status/since"),
        (channel(json!({"owner": {}})), "commChannels/0/owner"),
        (channel(json!({"meta": {"home": true}})), "commChannels/0/meta/home"),
        (json!({"card_details": {"card": 1}}), "card_details/card"),
        (json!({"custom_fields": {"fields": []}}), "custom_fields/fields"),
        (
            json!({"custom_fields": {"field": [{"name": "address", "value": "x", "type": 1}]}}),
            "custom_fields/field/0/type",
        ),
        (
            json!({"extended_fields": {"field": [{"name": "age", "value": 1, "a/b~": 1}]}}),
            "extended_fields/field/0/a~1b~0",
        ),
        (json!({"subscriptions": {"all": 1}}), "subscriptions/all"),
        (
            json!({"subscriptions": {"subscription": [{"channel": "sms", "priority": "BULK", "is_subscribed": 1, "user": 1}]}}),
            "subscriptions/subscription/0/user",
        ),
    ] {
        customer["external_id"] = json!("A");
        let refused = strict.till("till.001").add_one(&customer);
        assert_eq!(code(&refused), "10001", "{customer}");
        let message =
            format!("Failed to add customer: unknown member at /root/customer/0/{member}");
        assert_eq!(refused["item_status"]["message"], message);
        let named = lenient.till("till.001").add_one(&customer);
        assert_eq!(code(&named), "1000 91003", "{customer}");
        let message = named["item_status"]["message"].as_str().unwrap();
        let warning = format!("Validation failed: unknown member {member}");
        assert!(message.ends_with(&warning), "{message}");
    }
}

/// The same in XML, where an entry that stands alone has no number.
#[test]
fn strict_extras_look_everywhere_in_xml() {
    let strict = App::with_settings(&[("STRICT_EXTRAS", "1")]);
    let till = strict.till("till.001");
    for (inside, member) in [
        ("<shoe>1</shoe>", "shoe"),
        ("text", "#text"),
        ("<fraud_status><since>1</since></fraud_status>", "fraud_status/since"),
        (
            "<commChannels><type>email</type><value>a@b.in</value><meta><home>1</home></meta></commChannels>",
            "commChannels/meta/home",
        ),
        (
            "<custom_fields><field><name>a</name></field><field><kind>b</kind></field></custom_fields>",
            "custom_fields/field/1/kind",
        ),
        (
            "<subscriptions><subscription><user>1</user></subscription></subscriptions>",
            "subscriptions/subscription/user",
        ),
    ] {
        let body =
            format!("<root><customer><external_id>A</external_id>{inside}</customer></root>");
        let reply = till.post("/v1.1/customer/add?format=xml", "", body.as_bytes()).text;
        let message = format!("unknown member at /root/customer/0/{member}</message>");
        assert!(reply.contains(&message), "{inside}: {reply}");
    }
}

/// An unknown member beside the customers refuses the whole request; where extras are not strict, the
/// first customer's warning names it.
#[test]
fn strict_extras_look_beside_the_customers() {
    let strict = App::with_settings(&[("STRICT_EXTRAS", "1")]);
    let lenient = App::start();
    let in_json = "application/json";
    for (content_type, body, pointer) in [
        (in_json, r#"{"root": {"customer": [{"external_id": "A"}]}, "beside/": 1}"#, "/beside~1"),
        (in_json, r#"{"root": {"more": 1, "customer": {"external_id": "A"}}}"#, "/root/more"),
        (
            "application/xml",
            "<root><customer><external_id>A</external_id></customer><more/></root>",
            "/root/more",
        ),
    ] {
        let path = "/v1.1/customer/add";
        let refused =
            strict.till("till.001").post_for(path, content_type, in_json, body.as_bytes());
        assert_eq!((refused.status, &refused.response_status()["code"]), (400, &json!(400)));
        let message = refused.response_status()["message"].as_str().unwrap().to_owned();
        assert!(message.ends_with(&format!(": unknown member at {pointer}")), "{message}");
        let taken = lenient.till("till.001").post_for(path, content_type, in_json, body.as_bytes());
        assert_eq!(taken.codes(), ["1000 91003"]);
        let message = taken.customer(0)["item_status"]["message"].as_str().unwrap().to_owned();
        assert!(message.ends_with(&format!("unknown member {pointer}")), "{message}");
    }
}

/// A request whose body arrives after a setting was changed is read by what holds then.
#[test]
fn a_body_is_read_by_the_settings_of_its_registration() {
    let customers =
        r#"{"root": {"customer": [{"external_id": "A", "shoe": 1}, {"external_id": "B"}]}}"#;
    for (change, expected) in [
        (("STRICT_EXTRAS", "1"), "unknown member at /root/customer/0/shoe"),
        (("BATCH_LIMIT", "1"), "Batch limit exceeded"),
    ] {
        let app = App::start();
        let mut connection = BufReader::new(TcpStream::connect(app.address).unwrap());
        let length = customers.len();
        let head = format!(
            "POST /v1.1/customer/add HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: {length}\r\nExpect: 100-continue\r\n{AUTHORIZATION}\r\n\r\n"
        );
        connection.get_mut().write_all(head.as_bytes()).unwrap();
        // The body is asked for once the organisation was loaded.
        let mut line = String::new();
        connection.read_line(&mut line).unwrap();
        assert!(line.contains("100 Continue"), "{line}");
        app.change_settings(&[change]);
        connection.get_mut().write_all(customers.as_bytes()).unwrap();
        let mut reply = String::new();
        connection.read_to_string(&mut reply).unwrap();
        assert!(reply.contains(expected), "{change:?}: {reply}");
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
        app.change_settings(&[("MERGE_ON_CONFLICT", "1")]);
        let merged = till.add_one(&customer);
        assert_eq!(code(&merged), "1000 8051", "{primary}");
        for member in ["mobile", "email", "external_id"] {
            let passed = customer.get(member).unwrap_or(&Value::Null);
            assert_eq!(&merged[member], passed, "{primary}");
        }
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
    assert_eq!(code(&both), "1000 8051");
    assert_eq!(
        both["item_status"]["message"],
        "Customer registration successful, Merged the customer with userId 100000002 into the one \
         with userId 100000001"
    );
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
