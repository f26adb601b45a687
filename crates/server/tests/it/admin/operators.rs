//! Who may do what.

use serde_json::{Value, json};

use super::{DEMO, ORGANISATIONS, delete, get, post, problem, put};
use crate::app::{App, Client};

const PASSWORD: &str = "a long password";

/// A client signed in as a new operator who has this role in the organisation `demo`.
fn new(app: &App, name: &str, role: &str) -> Client {
    let document = json!({"role": role, "password": PASSWORD});
    let made = put(&app.operator(), &format!("{DEMO}/operators/{name}"), &document);
    assert_eq!(made.status, 204, "{}", made.text);
    app.sign_in(name, PASSWORD).unwrap()
}

#[test]
fn a_role_says_what_an_operator_may_do() {
    let app = App::start();
    for (role, writes, grants) in [
        ("reader", false, false),
        ("support", false, false),
        ("editor", true, false),
        ("owner", true, true),
    ] {
        let operator = new(&app, role, role);
        assert_eq!(get(&operator, &format!("{DEMO}/stores")).status, 200);
        let status = |allowed: bool| if allowed { 201 } else { 403 };
        let made = post(&operator, &format!("{DEMO}/zones"), &json!({"name": role}));
        assert_eq!(made.status, status(writes), "{role}: {}", made.text);
        let secret = post(&operator, &format!("{DEMO}/tills/till.001/password"), &Value::Null);
        assert_eq!(secret.status, status(writes), "{role}: {}", secret.text);
        let granted = put(
            &operator,
            &format!("{DEMO}/operators/friend-of-{role}"),
            &json!({"role": "reader", "password": PASSWORD}),
        );
        assert_eq!(granted.status, if grants { 204 } else { 403 }, "{role}: {}", granted.text);
        let founded = json!({"name": role, "time_zone": "UTC"});
        problem(&post(&operator, ORGANISATIONS, &founded), 403);
    }
}

#[test]
fn another_organisation_is_not_there() {
    let app = App::start();
    let operator = new(&app, "asha", "owner");
    let other = format!("{ORGANISATIONS}/demo2");
    for path in ["", "/settings", "/tills", "/tills/other.till", "/operators", "/changes"] {
        let foreign = problem(&get(&operator, &format!("{other}{path}")), 404);
        let missing = problem(&get(&operator, &format!("{ORGANISATIONS}/none{path}")), 404);
        assert_eq!(foreign, missing, "one that is another's looks like one that is not there");
    }
    let till = json!({"name": "stolen"});
    problem(&post(&operator, &format!("{other}/tills"), &till), 404);
    problem(&delete(&operator, &format!("{other}/tills/other.till")), 404);
    problem(&post(&operator, &format!("{other}/tills/other.till/password"), &Value::Null), 404);
    // Nor is its till by the name of the own organisation.
    problem(&post(&operator, &format!("{DEMO}/tills/other.till/password"), &Value::Null), 404);
    let seen = get(&operator, ORGANISATIONS).json();
    assert_eq!(seen["items"], json!([{"name": "demo", "is_demo": true, "role": "owner"}]));
    let all = get(&app.operator(), ORGANISATIONS).json();
    assert_eq!(all["items"].as_array().unwrap().len(), 2);
}

#[test]
fn roles_are_listed_changed_and_taken_away() {
    let app = App::start();
    let asha = new(&app, "asha", "owner");
    new(&app, "ravi", "reader");
    let path = |name: &str| format!("{DEMO}/operators/{name}");
    assert_eq!(put(&asha, &path("ravi"), &json!({"role": "editor"})).status, 204);
    let listed = get(&asha, &format!("{DEMO}/operators")).json();
    let expected = json!([{"name": "asha", "role": "owner"}, {"name": "ravi", "role": "editor"}]);
    assert_eq!(listed["items"], expected);
    assert_eq!(delete(&asha, &path("ravi")).status, 204);
    let ravi = app.sign_in("ravi", PASSWORD).unwrap();
    problem(&get(&ravi, DEMO), 404);

    for (name, document, status, pointer) in [
        ("ravi", json!({"role": "king"}), 422, "/role"),
        ("ravi", json!({"role": "reader", "password": "another password"}), 422, "/password"),
        ("new", json!({"role": "reader"}), 422, "/password"),
        ("new", json!({"role": "reader", "password": "short"}), 422, "/password"),
    ] {
        let refused = problem(&put(&asha, &path(name), &document), status);
        assert_eq!(refused["errors"][0]["pointer"], pointer, "{document}");
    }
    problem(&delete(&asha, &path("nobody")), 404);
    let changes = get(&asha, &format!("{DEMO}/changes?limit=1")).json();
    assert_eq!(changes["items"][0]["resource"], "operators");
    assert_eq!(changes["items"][0]["before"], json!({"role": "editor"}));
    assert_eq!(changes["items"][0]["after"], Value::Null);
}
