//! Documents: made, shown, listed, changed, taken out of use.

use std::thread;

use serde_json::{Value, json};

use super::{DEMO, delete, get, post, problem, put};
use crate::app::App;

fn stores() -> String {
    format!("{DEMO}/stores")
}

fn store(name: &str) -> String {
    format!("{DEMO}/stores/{name}")
}

#[test]
fn a_document_from_its_making_to_its_end() {
    let app = App::start();
    let operator = app.operator();
    let made = post(&operator, &stores(), &json!({"name": "Anna Nagar", "code": "MAA-01"}));
    assert_eq!(made.status, 201, "{}", made.text);
    assert_eq!(made.header("ETag"), "\"1\"");
    let path = made.header("Location").to_owned();
    assert_eq!(path, store("Anna%20Nagar"));
    let expected = json!({
        "id": 3, "name": "Anna Nagar", "code": "MAA-01", "is_active": true, "version": 1,
    });
    assert_eq!(made.json(), expected);
    let shown = get(&operator, &path);
    assert_eq!((shown.status, shown.header("ETag")), (200, "\"1\""));
    assert_eq!(shown.json(), expected);
    let same = put(&operator, &path, &expected);
    assert_eq!((same.status, same.header("ETag")), (200, "\"1\""), "nothing was made");

    // What was shown can be sent back, with what is different.
    let mut changed = shown.json();
    changed["zone"] = "South".into();
    let changed = put(&operator, &path, &changed);
    assert_eq!((changed.status, changed.header("ETag")), (200, "\"2\""));
    assert_eq!(changed.json()["zone"], "South");

    let retired = delete(&operator, &path);
    assert_eq!((retired.status, &retired.json()["is_active"]), (200, &json!(false)));
    let back = operator.request(
        "PUT",
        &path,
        &[("If-Match", "\"3\"")],
        &json!({"code": "MAA-01", "is_active": true}),
    );
    assert_eq!((back.status, &back.json()["is_active"]), (200, &json!(true)));
    assert_eq!(back.json().get("zone"), None, "the whole document was replaced");
}

#[test]
fn whoever_changes_says_which_version() {
    let app = App::start();
    let operator = app.operator();
    let path = store("Orchard");
    let change = |headers: &[(&str, &str)], document: &Value| {
        operator.request("PUT", &path, headers, document)
    };
    let plain = json!({"code": "S"});
    problem(&change(&[], &plain), 428);
    problem(&change(&[("If-Match", "\"2\"")], &plain), 412);
    problem(&change(&[], &json!({"code": "S", "version": 2})), 412);
    problem(&change(&[("If-None-Match", "*")], &plain), 412);
    problem(&change(&[("If-Match", "1")], &plain), 400);
    problem(&change(&[("If-Match", "\"1\"")], &json!({"version": 2})), 400);
    assert_eq!(change(&[("If-Match", "\"1\"")], &plain).header("ETag"), "\"2\"");
    assert_eq!(change(&[], &json!({"code": "T", "version": 2})).header("ETag"), "\"3\"");
    assert_eq!(change(&[("If-Match", "*")], &plain).header("ETag"), "\"4\"");
    // What is the same already is no change.
    assert_eq!(change(&[("If-Match", "\"4\"")], &plain).header("ETag"), "\"4\"");

    let new = operator.request("PUT", &store("New"), &[], &plain);
    problem(&new, 422);
    let new = operator.request("PUT", &store("New"), &[], &json!({}));
    assert_eq!((new.status, new.header("ETag")), (201, "\"1\""));
    problem(&operator.request("PUT", &store("Old"), &[("If-Match", "\"1\"")], &json!({})), 412);
    problem(
        &operator.request("DELETE", &store("New"), &[("If-Match", "\"2\"")], &Value::Null),
        412,
    );
}

#[test]
fn of_two_who_change_the_same_one_is_told() {
    let app = App::start();
    let path = store("Orchard");
    for version in 1..=10 {
        let statuses: Vec<u16> = thread::scope(|scope| {
            let change = |code: String| {
                let operator = app.operator();
                let path = &path;
                scope.spawn(move || {
                    let tag = format!("\"{version}\"");
                    operator
                        .request("PUT", path, &[("If-Match", &tag)], &json!({"code": code}))
                        .status
                })
            };
            let both = ["a", "b"].map(|one| change(format!("{one}{version}")));
            both.map(|one| one.join().unwrap()).to_vec()
        });
        assert!(matches!(statuses.as_slice(), [200, 412] | [412, 200]), "{statuses:?}");
    }
}

#[test]
fn a_list_goes_on_where_the_page_before_ended() {
    let app = App::start();
    let operator = app.operator();
    let mut seen = Vec::new();
    let mut path = format!("{DEMO}/tills?limit=2");
    loop {
        let page = get(&operator, &path).json();
        let items = page["items"].as_array().unwrap().clone();
        assert!((1..=2).contains(&items.len()));
        seen.extend(items.iter().map(|item| item["name"].as_str().unwrap().to_owned()));
        let Some(next) = page["next"].as_str() else { break };
        path = format!("{DEMO}/tills?limit=2&after={next}");
    }
    let all = get(&operator, &format!("{DEMO}/tills")).json();
    let all = all["items"].as_array().unwrap().clone();
    assert_eq!(seen, all.iter().map(|item| item["name"].as_str().unwrap()).collect::<Vec<_>>());
    assert!(seen.is_sorted() && seen.len() > 2);
    for query in ["limit=0", "limit=201", "limit=x", "page=2"] {
        problem(&get(&operator, &format!("{DEMO}/tills?{query}")), 400);
    }
}

#[test]
fn what_is_wrong_is_named() {
    let app = App::start();
    let operator = app.operator();
    let refused = |path: &str, document: &Value| {
        let problem = problem(&post(&operator, &format!("{DEMO}/{path}"), document), 422);
        assert_eq!(problem["errors"].as_array().unwrap().len(), 1, "{problem}");
        problem["errors"][0].clone()
    };
    for (path, document, pointer) in [
        ("stores", json!({"name": "x", "zone": "Nowhere"}), "/zone"),
        ("stores", json!({"name": "x", "time_zone": "Asia/Atlantis"}), "/time_zone"),
        ("stores", json!({"name": "x", "colour": "red"}), "/colour"),
        ("stores", json!({"name": "x", "code": "SIN-01"}), "/code"),
        ("stores", json!({"name": ""}), "/name"),
        ("stores", json!({"code": "x"}), ""),
        ("stores", json!({"name": "x", "is_active": "yes"}), "/is_active"),
        ("tills", json!({"name": "a:b"}), "/name"),
        ("custom_fields", json!({"name": "x", "regex": "[a-"}), "/regex"),
        ("extended_fields", json!({"name": "x", "data_type": "CARD"}), "/data_type"),
        ("extended_fields", json!({"name": "x", "data_type": "STANDARD_ENUM"}), "/values"),
    ] {
        let error = refused(path, &document);
        assert_eq!(error["pointer"], pointer, "{document}: {error}");
        assert_eq!(error.get("resource"), None, "{document}: {error}");
    }
    // What else would break is named with its kind and name.
    let used = problem(&delete(&operator, &store("Orchard")), 422);
    let expected = json!({"resource": "tills", "name": "till.sin", "pointer": "/store"});
    for (member, value) in expected.as_object().unwrap() {
        assert_eq!(used["errors"][0][member], *value, "{used}");
    }
    assert_eq!(used["detail"], "store `Orchard` is used by till `till.sin`");
    let expected =
        "invalid without store `Orchard`: store `Orchard` does not exist or is out of use";
    assert_eq!(used["errors"][0]["detail"], expected);
    let body = r#"{"name":"x","code":"1","code":"2"}"#;
    let twice = operator.post(&stores(), "application/json", body.as_bytes());
    problem(&twice, 422);
    problem(&operator.post(&stores(), "text/plain", b"{}"), 415);
    problem(&operator.post(&stores(), "application/json", b"{"), 422);
    problem(&operator.post(&stores(), "application/json", b"\xff"), 400);
    problem(&operator.post(&stores(), "application/json", &vec![b' '; 300_000]), 413);
}

#[test]
fn what_is_not_there_is_not_found() {
    let app = App::start();
    let operator = app.operator();
    for path in ["/nowhere", "/demo/stores/Nowhere", "/demo/nothing", "/nowhere/stores"] {
        problem(&get(&operator, &format!("{}{path}", super::ORGANISATIONS)), 404);
    }
    problem(&get(&operator, "/admin/nothing"), 404);
    problem(&delete(&operator, &store("Nowhere")), 404);
    problem(&delete(&operator, &stores()), 405);
    let there = post(&operator, &stores(), &json!({"name": "Orchard"}));
    problem(&there, 409);
    // A till's name is its own in all organisations.
    let taken = post(&operator, &format!("{DEMO}/tills"), &json!({"name": "other.till"}));
    let detail = problem(&taken, 409)["detail"].clone();
    assert_eq!(detail, "the till name `other.till` is not available; choose another one");
}

#[test]
fn settings_and_details_are_one_document_each() {
    let app = App::start();
    let operator = app.operator();
    let path = format!("{DEMO}/settings");
    let settings = get(&operator, &path);
    let mut changed = settings.json();
    assert_eq!(changed["COUNTRY"], "IN");
    changed["BATCH_LIMIT"] = "1".into();
    assert_eq!(put(&operator, &path, &changed).status, 200);
    let two = json!([{"mobile": "919876543210"}, {"mobile": "919876543211"}]);
    assert_eq!(app.till("till.001").add(&two).status, 400);

    let contradiction = json!({"CONF_REGISTRATION_PRIMARY_KEY_REQUIRED": "1", "version": 2});
    let refused = problem(&put(&operator, &path, &contradiction), 422);
    assert!(refused["errors"][0]["detail"].as_str().unwrap().contains("cannot both be 1"));
    let unknown = problem(&put(&operator, &path, &json!({"NOTHING": "1", "version": 2})), 422);
    assert_eq!(unknown["errors"][0]["pointer"], "/NOTHING");

    let mut details = get(&operator, DEMO).json();
    assert_eq!(details["time_zone"], "Asia/Kolkata");
    details["currency"] = "INR".into();
    assert_eq!(put(&operator, DEMO, &details).json()["currency"], "INR");
    details["name"] = "another".into();
    details["version"] = 2.into();
    assert_eq!(problem(&put(&operator, DEMO, &details), 422)["errors"][0]["pointer"], "/name");
}

#[test]
fn every_change_can_be_read_with_what_was_before() {
    let app = App::start();
    let operator = app.operator();
    post(&operator, &stores(), &json!({"name": "New"}));
    operator.request("PUT", &store("New"), &[("If-Match", "*")], &json!({"code": "N"}));
    let secret = post(&operator, &format!("{DEMO}/tills/till.001/password"), &Value::Null);
    let password = secret.json()["password"].as_str().unwrap().to_owned();
    let changes = get(&operator, &format!("{DEMO}/changes?limit=3"));
    assert!(!changes.text.contains(&password));
    let changes = changes.json();
    let told: Vec<_> = ["resource", "name", "before", "after", "by"]
        .map(|member| {
            let each = changes["items"].as_array().unwrap().iter();
            each.map(|change| change[member].clone()).collect::<Vec<_>>()
        })
        .to_vec();
    let before = json!({"id": 3, "name": "New", "is_active": true});
    let after = json!({"id": 3, "name": "New", "code": "N", "is_active": true});
    assert_eq!(told[0], ["till_passwords", "stores", "stores"]);
    assert_eq!(told[1], ["till.001", "New", "New"]);
    assert_eq!(told[2], [Value::Null, before.clone(), Value::Null]);
    assert_eq!(told[3], [Value::Null, after, before]);
    assert_eq!(told[4], ["demo", "demo", "demo"]);
    let next = changes["next"].as_i64().unwrap();
    let rest = get(&operator, &format!("{DEMO}/changes?before={next}&limit=200")).json();
    assert_eq!(rest["items"][0]["number"], next - 1);
    assert_eq!(rest.get("next"), None);
}
