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
    app.sign_in_to("demo", name, PASSWORD).unwrap()
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
    let ravi = new(&app, "ravi", "reader");
    let path = |name: &str| format!("{DEMO}/operators/{name}");
    assert_eq!(put(&asha, &path("ravi"), &json!({"role": "editor"})).status, 204);
    let listed = get(&asha, &format!("{DEMO}/operators")).json();
    let expected = json!([{"name": "asha", "role": "owner"}, {"name": "ravi", "role": "editor"}]);
    assert_eq!(listed["items"], expected);
    assert_eq!(delete(&asha, &path("ravi")).status, 204);
    // A removed operator is signed out, and cannot sign in.
    problem(&get(&ravi, DEMO), 401);
    problem(&app.sign_in_to("demo", "ravi", PASSWORD).err().unwrap(), 401);

    for (name, document, status, pointer) in [
        ("asha", json!({"role": "king"}), 422, "/role"),
        ("asha", json!({"role": "reader", "password": "another password"}), 422, "/password"),
        ("ravi", json!({"role": "reader"}), 422, "/password"),
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

#[test]
fn shows_the_role_of_one_operator() {
    let app = App::start();
    let asha = new(&app, "asha", "owner");
    let path = |name: &str| format!("{DEMO}/operators/{name}");
    assert_eq!(get(&asha, &path("asha")).json(), json!({"name": "asha", "role": "owner"}));
    // An operator for everywhere, and one who does not exist, look the same.
    for name in ["demo", "nobody"] {
        problem(&get(&asha, &path(name)), 404);
        problem(&delete(&asha, &path(name)), 404);
    }
}

#[test]
fn an_organisation_keeps_an_owner_of_its_own() {
    let app = App::start();
    let asha = new(&app, "asha", "owner");
    let path = format!("{DEMO}/operators/asha");
    // `demo` is an owner everywhere.
    for operator in [&asha, &app.operator()] {
        for refused in [delete(operator, &path), put(operator, &path, &json!({"role": "editor"}))] {
            let detail = problem(&refused, 409)["detail"].clone();
            assert!(detail.as_str().unwrap().contains("last owner"), "{detail}");
        }
    }
    new(&app, "ravi", "owner");
    assert_eq!(delete(&asha, &path).status, 204);
}

const EVERYWHERE: &str = "/admin/api/v1/operators";

#[test]
fn operators_everywhere_are_listed_added_and_removed() {
    let app = App::start();
    let root = app.operator();
    let path = |name: &str| format!("{EVERYWHERE}/{name}");
    let listed = || get(&root, EVERYWHERE).json()["items"].clone();
    assert_eq!(listed(), json!([{"name": "demo", "role": "owner"}]));
    // The last owner stays.
    for refused in
        [delete(&root, &path("demo")), put(&root, &path("demo"), &json!({"role": "reader"}))]
    {
        problem(&refused, 409);
    }
    let document = json!({"role": "reader", "password": PASSWORD});
    assert_eq!(put(&root, &path("asha"), &document).status, 204);
    assert_eq!(get(&root, &path("asha")).json(), json!({"name": "asha", "role": "reader"}));
    let asha = app.sign_in("asha", PASSWORD).unwrap();
    for organisation in ["demo", "demo2"] {
        let path = format!("{ORGANISATIONS}/{organisation}");
        assert_eq!(get(&asha, &path).status, 200);
        // An owner of an organisation does not see who has a role everywhere.
        assert_eq!(get(&root, &format!("{path}/operators")).json()["items"], json!([]));
    }
    assert_eq!(put(&root, &path("asha"), &json!({"role": "owner"})).status, 204);
    assert_eq!(delete(&asha, &path("demo")).status, 204);
    problem(&get(&root, EVERYWHERE), 401);
    let listed = get(&asha, &format!("{EVERYWHERE}?limit=1")).json();
    assert_eq!(listed, json!({"items": [{"name": "asha", "role": "owner"}]}));
    problem(&get(&asha, &path("demo")), 404);
    problem(&delete(&asha, &path("demo")), 404);
    problem(&delete(&asha, &path("asha")), 409);
}

#[test]
fn operators_everywhere_are_for_owners_everywhere() {
    let app = App::start();
    let document = json!({"role": "editor", "password": PASSWORD});
    assert_eq!(put(&app.operator(), &format!("{EVERYWHERE}/editor"), &document).status, 204);
    for operator in [new(&app, "asha", "owner"), app.sign_in("editor", PASSWORD).unwrap()] {
        let path = format!("{EVERYWHERE}/asha");
        problem(&get(&operator, EVERYWHERE), 403);
        problem(&get(&operator, &path), 403);
        problem(&put(&operator, &path, &json!({"role": "owner"})), 403);
        problem(&delete(&operator, &format!("{EVERYWHERE}/demo")), 403);
    }
}

#[test]
fn rejects_common_passwords_of_operators() {
    let app = App::start();
    let operator = app.operator();
    for password in ["password1234", "aaaaaaaaaaaa", "owna owna owna", "new.operator", ""] {
        let document = json!({"role": "reader", "password": password});
        for path in [DEMO.to_owned() + "/operators", EVERYWHERE.to_owned()] {
            let refused = put(&operator, &format!("{path}/new.operator"), &document);
            let refused = problem(&refused, 422);
            assert_eq!(refused["errors"][0]["pointer"], "/password", "{password}");
        }
        // It is the name of another account than the one that changes its password.
        if password != "new.operator" {
            let change = json!({"current": "demo", "new": password});
            let refused = put(&operator, "/admin/api/v1/password", &change);
            assert_eq!(problem(&refused, 422)["errors"][0]["pointer"], "/new", "{password}");
        }
    }
}

/// Owners of both brands of the demo.
fn owners(app: &App) -> [(&'static str, Client); 2] {
    ["demo", "demo2"].map(|brand| {
        let document = json!({"role": "owner", "password": PASSWORD});
        let made = put(&app.operator(), &operator_of(brand, "owner"), &document);
        assert_eq!(made.status, 204, "{}", made.text);
        (brand, app.sign_in_to(brand, "owner", PASSWORD).unwrap())
    })
}

fn operator_of(brand: &str, name: &str) -> String {
    format!("{ORGANISATIONS}/{brand}/operators/{name}")
}

#[test]
fn a_name_of_another_brand_is_neither_planted_nor_found_out() {
    let app = App::start();
    let [(one, owner_of_one), (other, owner_of_other)] = owners(&app);
    let planted = json!({"role": "reader", "password": "known to one alone"});
    assert_eq!(put(&owner_of_one, &operator_of(one, "charlie"), &planted).status, 204);

    // To the other brand's owner, `charlie` is as new as a name that no brand has, as is an operator
    // for everywhere.
    let statuses = |name: &str| {
        let path = operator_of(other, name);
        let mut replies = Vec::new();
        for document in [
            json!({"role": "editor"}),
            json!({"role": "editor", "password": "short"}),
            json!({"role": "editor", "password": "known to the other"}),
            json!({"role": "editor", "password": "known to the other"}),
        ] {
            let reply = put(&owner_of_other, &path, &document);
            replies.push((reply.status, reply.text.replace(name, "NAME")));
        }
        for reply in [get(&owner_of_other, &path), delete(&owner_of_other, &path)] {
            replies.push((reply.status, reply.text.replace(name, "NAME")));
        }
        replies
    };
    let unknown = statuses("unknown");
    assert_eq!(
        unknown.iter().map(|reply| reply.0).collect::<Vec<_>>(),
        [422, 422, 204, 422, 200, 204]
    );
    assert_eq!(statuses("charlie"), unknown);
    assert_eq!(statuses("demo"), unknown);

    // Each brand's `charlie` is another account, with another password.
    let named = json!({"role": "editor", "password": "known to the other"});
    assert_eq!(put(&owner_of_other, &operator_of(other, "charlie"), &named).status, 204);
    let charlie = app.sign_in_to(one, "charlie", "known to one alone").unwrap();
    problem(&get(&charlie, &format!("{ORGANISATIONS}/{other}/tills")), 404);
    let password = format!("{ORGANISATIONS}/{other}/tills/other.till/password");
    problem(&post(&charlie, &password, &Value::Null), 404);
    assert_eq!(get(&charlie, ORGANISATIONS).json()["items"].as_array().unwrap().len(), 1);
    let change = json!({"current": "known to one alone", "new": "another of one alone"});
    assert_eq!(put(&charlie, "/admin/api/v1/password", &change).status, 204);
    assert!(app.sign_in_to(other, "charlie", "known to the other").is_ok());
    assert!(app.sign_in_to(one, "charlie", "another of one alone").is_ok());
}

#[test]
fn a_wrong_sign_in_does_not_say_what_was_wrong() {
    let app = App::start();
    let [(one, owner), _] = owners(&app);
    let document = json!({"role": "reader", "password": PASSWORD});
    assert_eq!(put(&owner, &operator_of(one, "charlie"), &document).status, 204);
    let refusals: Vec<_> = [
        app.sign_in_to(one, "charlie", "wrong"),
        app.sign_in_to(one, "unknown", PASSWORD),
        // Neither of another brand, nor of an unknown one, nor for everywhere.
        app.sign_in_to("demo2", "charlie", PASSWORD),
        app.sign_in_to("unknown", "charlie", PASSWORD),
        app.sign_in_to("", "charlie", PASSWORD),
        app.sign_in("charlie", PASSWORD),
        app.sign_in_to(one, "demo", "demo"),
    ]
    .into_iter()
    .map(|refused| problem(&refused.err().unwrap(), 401))
    .collect();
    assert!(refusals.iter().all(|refusal| *refusal == refusals[0]), "{refusals:?}");
}

/// Wrong passwords for a name of one brand do not lock out the same name of another one.
#[test]
fn guesses_count_for_one_account() {
    let app = App::with(|config| config.wrong_passwords_per_minute = 2);
    let [(one, _), (other, _)] = owners(&app);
    for status in [401, 401, 429] {
        problem(&app.sign_in_to(one, "guessed", "wrong").err().unwrap(), status);
    }
    for organisation in [other, "unknown"] {
        problem(&app.sign_in_to(organisation, "guessed", "wrong").err().unwrap(), 401);
    }
    problem(&app.sign_in("guessed", "wrong").err().unwrap(), 401);
}

#[test]
fn changes_say_whose_name_their_author_has() {
    let app = App::start();
    let [(brand, owner), _] = owners(&app);
    let document = json!({"role": "editor", "password": PASSWORD});
    assert_eq!(put(&owner, &operator_of(brand, "demo"), &document).status, 204);
    let namesake = app.sign_in_to(brand, "demo", PASSWORD).unwrap();
    for (operator, zone) in [(&namesake, "Lakes"), (&app.operator(), "Hills")] {
        assert_eq!(post(operator, &format!("{DEMO}/zones"), &json!({"name": zone})).status, 201);
    }
    let changes = get(&owner, &format!("{DEMO}/changes?limit=200")).json()["items"].clone();
    let by = |index: usize| (changes[index]["by"].clone(), changes[index]["by_kind"].clone());
    assert_eq!(by(0), (json!("demo"), json!("operator_everywhere")));
    assert_eq!(by(1), (json!("demo"), json!("operator")));
    let first = changes.as_array().unwrap().last().unwrap();
    assert_eq!((&first["by"], &first["by_kind"]), (&json!("serve --demo"), &json!("command")));
}
