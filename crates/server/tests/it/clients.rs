//! API clients: a token for a key and a secret, and calling with it.

use std::sync::Barrier;
use std::thread;

use patron_rules::organisation::Kind;
use patron_server::auth::password::md5_hex;
use patron_server::auth::token::{self, Purpose};
use rstest::rstest;
use serde_json::{Value, json};

use crate::app::{App, Client, Credentials, Reply};

const GENERATE: &str = "/v3/oauth/token/generate";
const LOOK_UP: &str = "/v1.1/customer/get?mobile=919876543210";

/// The demo with the client `app`, and what it signs in with.
fn app_with(members: &Value) -> (App, Credentials) {
    let app = App::start();
    let mut document = json!({"name": "app", "default_till": "till.001"});
    document.as_object_mut().unwrap().extend(members.as_object().unwrap().clone());
    app.set_up(Kind::ApiClients, &document);
    let credentials = app.give_secret("app");
    (app, credentials)
}

fn generate(app: &App, key: &str, secret: &str) -> Reply {
    let body = json!({"key": key, "secret": secret}).to_string();
    app.anonymous().post(GENERATE, "application/json", body.as_bytes())
}

fn token_of(app: &App, credentials: &Credentials) -> String {
    let reply = generate(app, &credentials.key, &credentials.secret);
    assert_eq!(reply.status, 200, "{}", reply.text);
    reply.json()["data"]["accessToken"].as_str().unwrap().to_owned()
}

fn with_token(app: &App, token: &str) -> Client {
    app.anonymous().with_header("X-CAP-API-OAUTH-TOKEN", token)
}

#[test]
fn a_token_is_generated_and_called_with() {
    let (app, credentials) = app_with(&json!({"token_seconds": 300}));
    let reply = generate(&app, &credentials.key, &credentials.secret);
    assert_eq!(reply.status, 200);
    assert_eq!(reply.header("Content-Type"), "application/json;charset=UTF-8");
    let token = reply.json()["data"]["accessToken"].as_str().unwrap().to_owned();
    assert_eq!(
        reply.json(),
        json!({"data": {"accessToken": token, "ttlSeconds": 300}, "errors": null})
    );
    for (name, value) in [
        ("X-CAP-API-OAUTH-TOKEN", token.clone()),
        ("X-CAP-API-OAUTH-TOKEN", format!("Bearer {token}")),
        ("Authorization", format!("Bearer {token}")),
    ] {
        let client = app.anonymous().with_header(name, &value);
        assert_eq!(client.add(&json!([{"mobile": "919876543210"}])).status, 200, "{name}: {value}");
    }
}

#[test]
fn each_call_generates_another_token_and_all_of_them_are_good() {
    let (app, credentials) = app_with(&json!({}));
    let [one, other] = [(); 2].map(|()| token_of(&app, &credentials));
    assert_ne!(one, other);
    for token in [one, other] {
        assert_eq!(with_token(&app, &token).get(LOOK_UP).status, 200);
    }
}

#[test]
fn a_wrong_key_or_secret_gets_no_token() {
    let (app, Credentials { key, secret }) = app_with(&json!({}));
    let other = token::generate(Purpose::Secret).unwrap();
    for (key, secret) in [(&key, &other), (&other, &secret), (&key, &String::new())] {
        let reply = generate(&app, key, secret);
        assert_eq!(reply.status, 401);
        insta::allow_duplicates! {
            insta::assert_snapshot!(reply.text, @r#"{"data":null,"errors":[{"code":320001,"message":"Invalid client key and secret"}]}"#);
        }
    }
    assert_eq!(generate(&app, &key, &secret).status, 200);
}

#[rstest]
#[case::empty("", 400)]
#[case::no_secret(r#"{"key":"x"}"#, 400)]
#[case::number(r#"{"key":1,"secret":"x"}"#, 400)]
#[case::no_object(r#"["x","y","z"]"#, 400)]
#[case::large(&format!(r#"{{"key":"{}","secret":"x"}}"#, "x".repeat(10_000)), 413)]
fn a_body_that_cannot_be_read_is_refused(#[case] body: &str, #[case] status: u16) {
    let app = App::start();
    let reply = app.anonymous().post(GENERATE, "application/json", body.as_bytes());
    assert_eq!(reply.status, status, "{}", reply.text);
    assert_eq!(reply.json()["data"], Value::Null);
    assert_eq!(reply.json()["errors"][0]["code"], status);
}

#[test]
fn wrong_secrets_are_limited_by_key() {
    let app = App::with(|config| config.wrong_passwords_per_minute = 3);
    let statuses: Vec<u16> = (0..5).map(|n| generate(&app, "key", &n.to_string()).status).collect();
    assert_eq!(statuses, [401, 401, 401, 429, 429]);
    let refused = generate(&app, "key", "9");
    assert!((1..=60).contains(&refused.header("Retry-After").parse::<u64>().unwrap()));
    assert_eq!(refused.json()["errors"][0]["code"], 429);
    assert_eq!(generate(&app, "another key", "x").status, 401);
}

/// The limit counts a client's calls by whichever token, and those that generate one.
#[test]
fn the_calls_of_a_client_are_limited_by_its_key() {
    let (app, credentials) = app_with(&json!({}));
    app.set_up(Kind::Limits, &json!({"api_clients": {"app": 4}}));
    let [one, other] = [(); 2].map(|()| token_of(&app, &credentials));
    for token in [&one, &other] {
        assert_eq!(with_token(&app, token).get(LOOK_UP).status, 200);
    }
    assert_eq!(with_token(&app, &one).get(LOOK_UP).status, 429);
    let refused = generate(&app, &credentials.key, &credentials.secret);
    assert_eq!(refused.status, 429);
    assert_eq!(refused.header("Retry-After"), "60");
    assert_eq!(refused.header("RateLimit"), "\"minute\";r=0;t=60");
    insta::assert_snapshot!(refused.text, @r#"{"data":null,"errors":[{"code":429,"message":"Rate limit exceeded"}]}"#);
}

#[test]
fn a_token_that_nobody_generated_is_refused() {
    let (app, credentials) = app_with(&json!({}));
    let good = token_of(&app, &credentials);
    for token in [
        token::generate(Purpose::Token).unwrap(),
        good[..good.len() - 1].to_owned(),
        credentials.secret,
        String::new(),
    ] {
        let reply = with_token(&app, &token).get(LOOK_UP);
        assert_eq!(reply.status, 401, "{token}");
        assert_eq!(reply.header("WWW-Authenticate"), "Bearer realm=\"Patron\"");
        insta::allow_duplicates! {
            insta::assert_snapshot!(reply.text, @r#"{"response":{"status":{"success":"false","code":401,"message":"Unauthorized","total":"0","success_count":"0"},"customers":null}}"#);
        }
    }
}

/// "Token expired at 2019-12-02T12:31:15.000+0530": in the organisation's zone.
#[test]
fn a_token_that_has_expired_says_when() {
    let (app, _) = app_with(&json!({}));
    let token = app.issue("app", -1);
    let reply = with_token(&app, &token).get(LOOK_UP);
    assert_eq!(reply.status, 401);
    insta::assert_snapshot!(reply.text, @r#"{"response":{"status":{"success":"false","code":498,"message":"Token expired at 2026-01-15T10:29:59.000+0530","total":"0","success_count":"0"},"customers":null}}"#);
    assert_eq!(with_token(&app, &app.issue("app", 0)).get(LOOK_UP).response_status()["code"], 498);
    assert_eq!(with_token(&app, &app.issue("app", 1)).get(LOOK_UP).status, 200);
}

/// At once, although it was remembered.
#[test]
fn a_token_that_is_revoked_is_worth_nothing() {
    let (app, credentials) = app_with(&json!({}));
    let [one, other, third] = [(); 3].map(|()| token_of(&app, &credentials));
    let status = |token: &str| with_token(&app, token).get(LOOK_UP).status;
    assert_eq!([status(&one), status(&other), status(&third)], [200; 3]);
    app.revoke(&one);
    assert_eq!([status(&one), status(&other), status(&third)], [401, 200, 200]);
    app.revoke_all("app");
    assert_eq!([status(&one), status(&other), status(&third)], [401; 3]);
}

#[test]
fn another_secret_ends_the_one_before_and_its_tokens() {
    let (app, before) = app_with(&json!({}));
    let token = token_of(&app, &before);
    assert_eq!(with_token(&app, &token).get(LOOK_UP).status, 200);
    let after = app.give_secret("app");
    assert_eq!(after.key, before.key);
    assert_eq!(with_token(&app, &token).get(LOOK_UP).status, 401);
    assert_eq!(generate(&app, &before.key, &before.secret).status, 401);
    assert_eq!(with_token(&app, &token_of(&app, &after)).get(LOOK_UP).status, 200);
}

#[test]
fn a_client_that_is_out_of_use_is_not_let_in() {
    let (app, credentials) = app_with(&json!({}));
    let token = token_of(&app, &credentials);
    assert_eq!(with_token(&app, &token).get(LOOK_UP).status, 200);
    app.set_active(Kind::ApiClients, "app", false);
    let refused = with_token(&app, &token).get(LOOK_UP);
    assert_eq!(
        (refused.status, &refused.response_status()["message"]),
        (401, &json!("Unauthorized"))
    );
    assert_eq!(generate(&app, &credentials.key, &credentials.secret).status, 401);
    app.set_active(Kind::ApiClients, "app", true);
    // Retiring it has revoked its tokens; its secret is still good.
    assert_eq!(with_token(&app, &token).get(LOOK_UP).status, 401);
    let new = token_of(&app, &credentials);
    assert_eq!(with_token(&app, &new).get(LOOK_UP).status, 200);
}

/// A till's password is verified once, and changing it is seen at once all the same.
#[test]
fn another_password_ends_the_one_before() {
    let app = App::with(|config| config.wrong_passwords_per_minute = 1);
    let before = app.till("till.001");
    assert_eq!(before.get(LOOK_UP).status, 200);
    app.set_password("till.001", "another");
    assert_eq!(before.get(LOOK_UP).status, 401);
    assert_eq!(app.till("till_name").get(LOOK_UP).status, 200, "others are not disturbed");
    let after = app.basic("till.001", &md5_hex("another"));
    assert_eq!(after.get(LOOK_UP).status, 200, "a till that was right is not locked out");
}

/// Whoever asks once the till is out of use is refused, whatever else goes on.
#[test]
fn a_till_that_is_taken_out_of_use_is_refused_at_once() {
    let app = App::start();
    let barrier = Barrier::new(5);
    let calls = || {
        let till = app.till("till_name");
        barrier.wait();
        let statuses: Vec<u16> = (0..50).map(|_| till.get(LOOK_UP).status).collect();
        assert!(statuses.is_sorted(), "{statuses:?}");
        assert!(statuses.iter().all(|status| [200, 401].contains(status)), "{statuses:?}");
    };
    thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(calls);
        }
        barrier.wait();
        app.set_active(Kind::Tills, "till_name", false);
        assert_eq!(app.till("till_name").get(LOOK_UP).status, 401);
    });
    assert_eq!(app.till("till.001").get(LOOK_UP).status, 200);
    app.set_active(Kind::Tills, "till_name", true);
    assert_eq!(app.till("till_name").get(LOOK_UP).status, 200);
}
