//! Operators sign in and out.

use serde_json::{Value, json};

use super::{DEMO, get, post, problem, put};
use crate::app::App;

const CURRENT: &str = "/admin/api/v1/sessions/current";

#[test]
fn an_operator_signs_in_and_out() {
    let app = App::start();
    let operator = app.operator();
    let current = get(&operator, CURRENT).json();
    assert_eq!(current["operator"], "demo");
    assert_eq!(current["role"], "owner");
    assert_eq!(current["organisation"], Value::Null);
    // Twelve hours.
    assert_eq!(current["expires_at"], "2026-01-15T17:00:00Z");
    let out = operator.request("DELETE", CURRENT, &[], &Value::Null);
    assert_eq!(out.status, 204);
    problem(&get(&operator, CURRENT), 401);
    problem(&get(&operator, DEMO), 401);
}

#[test]
fn whoever_is_not_signed_in_is_told_how() {
    let app = App::start();
    for client in [
        app.anonymous(),
        app.till("till.001"),
        app.basic("demo", "demo"),
        crate::app::Client::bearer(app.address, "patron_session_AAAA"),
    ] {
        let reply = get(&client, DEMO);
        assert!(problem(&reply, 401)["detail"].as_str().unwrap().contains("/sessions"));
        assert_eq!(reply.header("WWW-Authenticate"), "Bearer");
    }
}

#[test]
fn a_wrong_password_signs_nobody_in_and_is_limited() {
    let app = App::with(|config| config.wrong_passwords_per_minute = 2);
    for name in ["demo", "nobody"] {
        for _ in 0..2 {
            let refused = app.sign_in(name, "wrong").err().unwrap();
            problem(&refused, 401);
        }
        let limited = app.sign_in(name, "demo").err().unwrap();
        problem(&limited, 429);
        assert!((1..=60).contains(&limited.header("Retry-After").parse().unwrap()));
    }
}

#[test]
fn credentials_of_a_wrong_form_are_named() {
    let app = App::start();
    let sign_in = |document: &Value| {
        let problem = problem(&post(&app.anonymous(), "/admin/api/v1/sessions", document), 422);
        problem["errors"][0]["pointer"].as_str().unwrap().to_owned()
    };
    assert_eq!(sign_in(&json!({"name": "demo"})), "");
    assert_eq!(sign_in(&json!({"name": 1, "password": "x"})), "/name");
    assert_eq!(sign_in(&json!({"name": "demo", "password": "demo", "x": 1})), "/x");
}

#[test]
fn a_password_is_changed_by_whoever_knows_it() {
    let app = App::start();
    let operator = app.operator();
    let change = |current: &str, new: &str| {
        put(&operator, "/admin/api/v1/password", &json!({"current": current, "new": new}))
    };
    assert_eq!(
        problem(&change("wrong", "a long password"), 422)["errors"][0]["pointer"],
        "/current"
    );
    assert_eq!(problem(&change("demo", "short"), 422)["errors"][0]["pointer"], "/new");
    assert_eq!(change("demo", "a long password").status, 204);
    // Whoever was signed in is not any more.
    problem(&get(&operator, CURRENT), 401);
    assert!(app.sign_in("demo", "demo").is_err());
    assert!(app.sign_in("demo", "a long password").is_ok());
}
