//! Merge patches of documents (RFC 7396).

use std::thread;

use patron_rules::organisation::Kind;
use patron_rules::settings::TABLE;
use serde_json::{Value, json};

use super::{DEMO, ORGANISATIONS, delete, get, patch, post, problem, put};
use crate::app::{App, Client};

/// For every kind: a document to begin with, or members to patch first where there is one already,
/// and a patch of it.
fn patches() -> Vec<(Kind, Value, Value)> {
    let form = json!({"length": 10});
    vec![
        (Kind::Organisation, json!({"currency": "INR"}), json!({"time_zone": "UTC"})),
        (Kind::Settings, json!({"BATCH_LIMIT": 7}), json!({"CONF_ALLOW_EMAIL_UPDATE": true})),
        (
            Kind::AccessGroups,
            json!({"data_api": {"customer": "read", "points": "read"}}),
            json!({"data_api": {"customer": "write"}}),
        ),
        (Kind::Zones, json!({"code": "N"}), json!({"description": "x"})),
        (Kind::Concepts, json!({"code": "N"}), json!({"description": "x"})),
        (Kind::Stores, json!({"code": "N", "zone": "South"}), json!({"zone": null})),
        (Kind::Tills, json!({"code": "N"}), json!({"store": "Orchard"})),
        (Kind::ApiClients, json!({"default_till": "till.001"}), json!({"token_seconds": 60})),
        (
            Kind::Limits,
            json!({"calls_per_minute": 60, "tills": {"till.001": 5}}),
            json!({"tills": {"till.sin": 7}}),
        ),
        (Kind::Sources, json!({"requires_account": false}), json!({"accounts": [{"id": "a"}]})),
        (Kind::CustomFields, json!({"regex": "[0-9]"}), json!({"options": ["1"]})),
        (Kind::ExtendedFields, json!({"data_type": "INTEGER"}), json!({"rules": ["> 1"]})),
        (
            Kind::Programmes,
            json!({"tiers": [{"serial": 1, "name": "Blue"}]}),
            json!({"description": "x"}),
        ),
        (Kind::CardSeries, json!({"number": form}), json!({"limit": 5})),
        (Kind::CouponSeries, json!({"description": "x"}), json!({"valid_days": 5})),
        (Kind::Currencies, json!({"identifier": "a"}), json!({"identifier": "b"})),
        (Kind::ReferralCampaigns, json!({"from": "2026-01-01"}), json!({"to": "2026-12-31"})),
        (
            Kind::RewardRules,
            json!({"effects": [{"type": "points", "points": "5"}]}),
            json!({"position": 3}),
        ),
    ]
}

/// The document with the patch's members as RFC 7396 merges them.
fn merged(document: &Value, patch: &Value) -> Value {
    let mut merged = document.clone();
    for (name, value) in patch.as_object().unwrap() {
        let members = merged.as_object_mut().unwrap();
        match (value, members.get(name)) {
            (Value::Null, _) => drop(members.remove(name)),
            (Value::Object(_), Some(Value::Object(_))) => {
                let inner = self::merged(&members[name], value);
                members.insert(name.clone(), inner);
            }
            _ => drop(members.insert(name.clone(), value.clone())),
        }
    }
    merged
}

/// The path of a document to patch, made where the kind has several.
fn prepared(operator: &Client, kind: Kind, document: &Value) -> String {
    let path = match kind {
        Kind::Organisation => DEMO.to_owned(),
        kind if kind.is_single() => format!("{DEMO}/{}", kind.name()),
        kind => format!("{DEMO}/{}/PATCHED", kind.name()),
    };
    let made = if kind.is_single() {
        patch(operator, &path, document)
    } else {
        operator.request("PUT", &path, &[("If-None-Match", "*")], document)
    };
    assert!(matches!(made.status, 200 | 201), "{kind:?}: {}", made.text);
    path
}

#[test]
fn patches_only_the_named_members_of_every_kind() {
    let app = App::start();
    let operator = app.operator();
    let rows = patches();
    let kinds: Vec<Kind> = rows.iter().map(|(kind, ..)| *kind).collect();
    assert_eq!(kinds, Kind::ALL, "every kind has its row");
    for (kind, document, change) in rows {
        let path = prepared(&operator, kind, &document);
        let before = get(&operator, &path);
        let patched = patch(&operator, &path, &change);
        assert_eq!(patched.status, 200, "{kind:?}: {}", patched.text);
        let mut expected = merged(&before.json(), &change);
        expected["version"] = (before.json()["version"].as_i64().unwrap() + 1).into();
        if kind == Kind::Settings {
            expected["CONF_ALLOW_EMAIL_UPDATE"] = "1".into();
        }
        if kind == Kind::Sources {
            expected["accounts"] = patched.json()["accounts"].clone();
        }
        assert_eq!(patched.json(), expected, "{kind:?}");
        assert_eq!(patched.header("ETag"), format!("\"{}\"", expected["version"]), "{kind:?}");
        assert_eq!(get(&operator, &path).json(), expected, "{kind:?}");

        // The same again changes nothing, nor does an empty patch.
        for same in [&change, &json!({})] {
            assert_eq!(patch(&operator, &path, same).json(), expected, "{kind:?}");
        }
        let recorded = get(&operator, &format!("{DEMO}/changes?limit=1")).json();
        let recorded = &recorded["items"][0];
        assert_eq!(recorded["resource"], kind.name());
        assert_ne!(recorded["before"], recorded["after"], "{kind:?}");
    }
}

/// What PUT refuses, PATCH refuses in the same way.
#[test]
fn validates_patches_of_every_kind() {
    let app = App::start();
    let operator = app.operator();
    for (kind, document, change) in patches() {
        let path = prepared(&operator, kind, &document);
        let before = get(&operator, &path).json();
        let refused = |headers: &[(&str, &str)], patch: &Value, status: u16| {
            problem(&operator.request("PATCH", &path, headers, patch), status)
        };
        let unknown = refused(&[], &json!({"colour": "red"}), 422);
        assert_eq!(unknown["errors"][0]["pointer"], "/colour", "{kind:?}: {unknown}");
        refused(&[], &json!({"name": "another"}), 422);
        refused(&[], &json!({"is_active": null}), 422);
        refused(&[], &json!([]), 422);
        refused(&[("If-Match", "\"99\"")], &change, 412);
        refused(&[], &merged(&change, &json!({"version": 99})), 412);
        refused(&[("If-None-Match", "*")], &change, 400);
        refused(&[("If-Match", "99")], &change, 400);
        assert_eq!(get(&operator, &path).json(), before, "{kind:?}");
        let tag = format!("\"{}\"", before["version"]);
        let patched = operator.request("PATCH", &path, &[("If-Match", &tag)], &change);
        assert_eq!(patched.status, 200, "{kind:?}: {}", patched.text);
        if !kind.is_single() {
            let missing = path.replace("PATCHED", "NOWHERE");
            problem(&patch(&operator, &missing, &change), 404);
            problem(&operator.request("PATCH", &missing, &[("If-Match", "\"1\"")], &change), 404);
        }
    }
}

#[test]
fn patch_retires_and_restores_documents() {
    let app = App::start();
    let operator = app.operator();
    let path = format!("{DEMO}/tills/till.001");
    let before = get(&operator, &path).json();
    for is_active in [false, true] {
        let patched = patch(&operator, &path, &json!({"is_active": is_active})).json();
        assert_eq!(patched["is_active"], is_active);
        assert_eq!(patched["store"], before["store"]);
    }
    let unused = json!({"is_active": false});
    problem(&patch(&operator, &format!("{DEMO}/stores/Orchard"), &unused), 422);
    problem(&patch(&operator, &format!("{DEMO}/settings"), &unused), 422);
}

#[test]
fn patch_is_for_editors_of_the_organisation() {
    let app = App::start();
    let password = "a long password";
    for (role, status) in [("reader", 403), ("support", 403), ("editor", 200)] {
        let document = json!({"role": role, "password": password});
        put(&app.operator(), &format!("{DEMO}/operators/{role}"), &document);
        let operator = app.sign_in_to("demo", role, password).unwrap();
        let change = json!({"description": role});
        assert_eq!(patch(&operator, &format!("{DEMO}/stores/Orchard"), &change).status, status);
        problem(&patch(&operator, &format!("{ORGANISATIONS}/demo2/settings"), &change), 404);
    }
}

/// A patch must not be taken for a whole document, nor the other way round.
#[test]
fn tells_patches_from_documents_by_their_media_type() {
    let app = App::start();
    let operator = app.operator();
    let path = format!("{DEMO}/stores/Orchard");
    let send = |method: &str, media_type: &str, version: u32| {
        let body = json!({"code": "X", "version": version}).to_string();
        operator.send_as(method, &path, media_type, body.as_bytes()).status
    };
    let merge_patch = "application/merge-patch+json; charset=utf-8";
    assert_eq!(send("PATCH", merge_patch, 1), 200);
    assert_eq!(send("PATCH", "Application/JSON", 2), 200);
    assert_eq!(send("PATCH", "application/json-patch+json", 2), 415);
    assert_eq!(send("PATCH", "application/vnd.x+json", 2), 415);
    assert_eq!(send("PUT", merge_patch, 2), 415);
    assert_eq!(send("PUT", "application/json-patch+json", 2), 415);
    assert_eq!(send("PUT", "application/vnd.x+json", 2), 200);
}

/// Without a version, patches of different members do not undo each other.
#[test]
fn concurrent_patches_of_different_members_all_count() {
    let app = App::start();
    let path = format!("{DEMO}/settings");
    let members = ["CONF_ALLOW_MOBILE_UPDATE", "CONF_ALLOW_EMAIL_UPDATE", "STRICT_EXTRAS"];
    thread::scope(|scope| {
        for member in members {
            let operator = app.operator();
            let path = &path;
            scope.spawn(move || {
                for flag in [true, false, true] {
                    let patched = patch(&operator, path, &json!({member: flag}));
                    assert_eq!(patched.status, 200, "{}", patched.text);
                }
            });
        }
    });
    let settings = get(&app.operator(), &path).json();
    assert!(members.iter().all(|member| settings[member] == "1"), "{settings}");
    assert_eq!(settings["version"], 10);
}

/// Another value for each setting, as JSON takes it, and as a reply gives it.
fn other_value(name: &str, before: &str) -> (Value, String) {
    let text = |text: &str| (json!(text), text.to_owned());
    let number = |number: u64| (json!(number), number.to_string());
    match name {
        "CONF_REGISTRATION_PRIMARY_KEY" => text("EMAIL"),
        "COUNTRY" => text("DE"),
        "SUPPORTED_COUNTRIES" => text("SG,DE"),
        "MOBILE_VALIDATION" => text("OFF"),
        "EXTERNAL_ID_PREFIX" | "CONF_CARD_NUMBER_PREFIX" | "CONF_CARD_NUMBER_SUFFIX" => text("X-1"),
        "SOURCE_ACCOUNTS_EXTERNALID_ENABLED" => text(r#"["INSTORE:"]"#),
        "GENERATED_EXTERNAL_ID" => text("ALWAYS"),
        "CONF_CARD_CHECKSUM_DIGIT_ALGO" => text("RANDOM"),
        "CONF_VALUES_TO_INCLUDE_FOR_CHECKSUM_DIGIT" => text(match before {
            "NONE" => "PREFIX",
            _ => "NONE",
        }),
        "KNOWN_CUSTOMER" => text("REFUSE"),
        "OLDER_UPDATE" => text("APPLY"),
        "INVALID_SECONDARY_IDENTIFIER" => text("DROP"),
        "CONF_MIN_REGISTRATION_DATE" => text("2020-01-01 00:00:00"),
        "EXTERNAL_ID_LENGTH" | "CONF_CARD_NUMBER_LENGTH" => number(20),
        _ if before == "0" && is_flag(name) => (json!(true), "1".to_owned()),
        _ if before == "1" && is_flag(name) => (json!(false), "0".to_owned()),
        _ => number(42),
    }
}

fn is_flag(name: &str) -> bool {
    TABLE.iter().any(|setting| setting.name == name && setting.is_flag())
}

#[test]
fn patching_a_setting_changes_that_one_alone() {
    let app = App::start();
    let operator = app.operator();
    let path = format!("{DEMO}/settings");
    // So that each of them can stand with every other.
    let compatible = json!({
        "CONF_ALLOW_REGISTRATION_FROM_ANY_IDENTIFIERS": false,
        "CONF_CARD_NUMBER_GENERATION_ENABLED": true,
        "CONF_CARD_CHECKSUM_DIGIT_ALGO": "AUTO_INC",
    });
    let conflicting = |name: &str| match name {
        "CONF_USERS_USE_EXTERNAL_ID" | "EXTERNAL_ID_PREFIX" | "EXTERNAL_ID_LENGTH" => {
            json!({"CONF_CARD_NUMBER_GENERATION_ENABLED": false})
        }
        _ => json!({}),
    };
    assert_eq!(patch(&operator, &path, &compatible).status, 200);
    let start = get(&operator, &path).json();
    let openapi = app.anonymous().get("/openapi.json").json();
    let documented = &openapi["components"]["schemas"]["Settings"]["properties"];
    for setting in TABLE {
        let name = setting.name;
        let before = patch(&operator, &path, &conflicting(name)).json();
        let (value, shown) = other_value(name, before[name].as_str().unwrap());
        let patched = patch(&operator, &path, &json!({name: value}));
        assert_eq!(patched.status, 200, "{name}: {}", patched.text);
        let mut expected = before.clone();
        expected[name] = shown.into();
        expected["version"] = patched.json()["version"].clone();
        assert_ne!(expected[name], before[name], "{name}");
        assert_eq!(patched.json(), expected, "{name}");
        // Null is the default.
        let defaults = patch(&operator, &path, &json!({name: null}));
        if defaults.status == 200 {
            assert_eq!(defaults.json()[name], documented[name]["default"], "{name}");
        }
        let mut back = start.clone();
        back.as_object_mut().unwrap().remove("version");
        assert_eq!(patch(&operator, &path, &back).status, 200, "{name}");
    }
}

#[test]
fn put_of_settings_names_those_that_it_resets() {
    let app = App::start();
    let operator = app.operator();
    let path = format!("{DEMO}/settings");
    let document = json!({"CONF_ALLOW_EMAIL_UPDATE": "1", "version": 1});
    let replaced = put(&operator, &path, &document);
    assert_eq!(replaced.status, 200, "{}", replaced.text);
    assert_eq!(replaced.json()["reset_to_default"], json!(["COUNTRY"]));
    assert_eq!(replaced.json()["COUNTRY"], "");
    // The reply can be sent back as it is.
    let mut again = replaced.json();
    again["COUNTRY"] = "IN".into();
    let again = put(&operator, &path, &again);
    assert_eq!(again.status, 200, "{}", again.text);
    // What a PUT names, and what PATCH and GET reply, is never among them.
    for reply in [
        &again,
        &put(&operator, &path, &merged(&again.json(), &json!({"COUNTRY": ""}))),
        &patch(&operator, &path, &json!({"CONF_ALLOW_EMAIL_UPDATE": null})),
        &get(&operator, &path),
    ] {
        assert_eq!(reply.status, 200, "{}", reply.text);
        assert_eq!(reply.json().get("reset_to_default"), None);
    }
}

#[test]
fn settings_take_either_published_name_once() {
    let app = App::start();
    let operator = app.operator();
    let path = format!("{DEMO}/settings");
    let (name, alias) = (
        "CONFIG_SKIP_SECONDARY_ID_ON_PRIMARY_MISMATCH",
        "CONF_SKIP_SECONDARY_ID_ON_PRIMARY_MISMATCH",
    );
    for (change, expected) in [(json!({alias: true}), "1"), (json!({alias: null}), "0")] {
        assert_eq!(patch(&operator, &path, &change).json()[name], expected);
    }
    let both = json!({name: "0", alias: "1", "version": 3});
    for refused in [patch(&operator, &path, &both), put(&operator, &path, &both)] {
        let refused = problem(&refused, 422);
        assert!(refused["errors"][0]["detail"].as_str().unwrap().contains(alias), "{refused}");
    }
}

/// JSON would take the last of several members of one name.
#[test]
fn no_member_is_sent_twice() {
    let app = App::start();
    let operator = app.operator();
    for (path, text, named) in [
        ("settings", r#"{"COUNTRY":"IN","COUN\u200bTRY":"DE","version":1}"#, "COUNTRY"),
        ("settings", r#"{"COUNTRY":"IN","COUNTRY":"DE","version":1}"#, "COUNTRY"),
        (
            "reward_rules/welcome",
            r#"{"when":{"custom_fields":{"City_name":["a"],"City_name":["b"]}},"version":1}"#,
            "City_name",
        ),
    ] {
        for method in ["PUT", "PATCH"] {
            let path = format!("{DEMO}/{path}");
            let reply = operator.send_as(method, &path, "application/json", text.as_bytes());
            let refused = problem(&reply, 422);
            let detail = refused["errors"][0]["detail"].as_str().unwrap();
            assert_eq!(detail, format!("the member `{named}` occurs twice"), "{method} {path}");
        }
    }
}

#[test]
fn errors_of_versions_name_both_and_blame_nobody() {
    let app = App::start();
    let operator = app.operator();
    let path = format!("{DEMO}/stores/Orchard");
    let detail = |reply: &crate::app::Reply, status: u16| {
        problem(reply, status)["detail"].as_str().unwrap().to_owned()
    };
    let change = json!({"code": "N", "version": 6});
    let expected =
        "store `Orchard` is at version 1, the request was made for version 6; read it again";
    assert_eq!(detail(&patch(&operator, &path, &change), 412), expected);
    assert_eq!(detail(&put(&operator, &path, &change), 412), expected);
    let settings = patch(&operator, &format!("{DEMO}/settings"), &json!({"version": 6}));
    let expected = "`settings` is at version 1, the request was made for version 6; read it again";
    assert_eq!(detail(&settings, 412), expected);
    let new = put(&operator, &format!("{DEMO}/stores/New"), &change);
    let expected = "store `New` does not exist, the request was made for version 6";
    assert_eq!(detail(&new, 412), expected);
    let none = operator.request("PUT", &path, &[("If-None-Match", "*")], &json!({}));
    assert_eq!(detail(&none, 412), "store `Orchard` exists already, at version 1");
    let there = post(&operator, &format!("{DEMO}/stores"), &json!({"name": "Orchard"}));
    assert_eq!(detail(&there, 409), "store `Orchard` exists already");
    problem(&delete(&operator, &format!("{DEMO}/stores/New")), 404);
}
