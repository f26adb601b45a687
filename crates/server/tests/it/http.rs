//! What every request gets, whatever its endpoint.

use std::collections::HashSet;

use serde_json::{Value, json};

use crate::app::{App, Reply};

fn refused(reply: &Reply, status: u16, message: &str) {
    assert_eq!(reply.status, status);
    assert_eq!(
        reply.json(),
        json!({"response": {
            "status": {
                "success": "false", "code": status, "message": message, "total": "0", "success_count": "0",
            },
            "customers": null,
        }})
    );
    assert_eq!(reply.header("Content-Type"), "application/json;charset=UTF-8");
}

#[test]
fn every_error_has_the_envelope() {
    let app = App::with(|config| config.body_limit_bytes = 1_000);
    let till = app.till("till.001");
    let add = "/v1.1/customer/add";
    refused(&till.get("/v1.1/customer/nothing"), 404, "Incorrect resource");
    refused(&app.anonymous().get("/"), 404, "Incorrect resource");
    refused(&till.get(add), 405, "Incorrect HTTP Method");
    let body = json!({"root": {"customer": {"mobile": "919876543210", "x": "y".repeat(2_000)}}});
    refused(
        &till.post(add, "application/json", body.to_string().as_bytes()),
        413,
        "Request body is too large: at most 1000 bytes",
    );
    refused(
        &till.post(add, "application/x-www-form-urlencoded", b"mobile=919876543210"),
        415,
        "Unsupported media type: send JSON or XML, and say which by `Content-Type` or `?format=`",
    );
}

#[test]
fn the_query_outranks_the_content_type() {
    let app = App::start();
    let till = app.till("till.001");
    let body = br#"{"root": {"customer": {"mobile": "919876543210"}}}"#;
    for (query, content_type, status) in [
        ("", "", 200),
        ("", "application/json; charset=utf-8", 200),
        ("?format=json", "text/plain", 200),
        ("?user_id=true&format=json&other=1", "application/json", 200),
        ("", "text/plain", 415),
        ("?format=csv", "application/json", 415),
        ("?format=json", "application/xml", 200),
    ] {
        let reply = till.post(&format!("/v1.1/customer/add{query}"), content_type, body);
        assert_eq!(reply.status, status, "{query} {content_type}");
    }
}

#[test]
fn every_reply_has_a_request_id_of_its_own() {
    let app = App::start();
    let till = app.till("till.001");
    let replies = [
        till.add(&json!([{"mobile": "919876543210"}])),
        till.add(&json!([{"mobile": "919876543210"}])),
        app.anonymous().add(&json!([])),
        till.get("/nothing"),
        till.get("/livez"),
        till.add_text("{"),
    ];
    let ids: HashSet<&str> = replies.iter().map(|reply| reply.header("X-Cap-Requestid")).collect();
    assert_eq!(ids.len(), replies.len());
    for id in ids {
        assert!(id.len() == 32 && id.bytes().all(|byte| byte.is_ascii_hexdigit()), "{id}");
    }
}

#[test]
fn health() {
    let app = App::start();
    for path in ["/livez", "/readyz"] {
        assert_eq!(app.anonymous().get(path).status, 200, "{path}");
    }
}

#[test]
fn a_body_that_cannot_be_read_fails_at_its_place() {
    let app = App::start();
    let till = app.till("till.001");
    for (body, place) in [
        ("", "EOF while parsing a value at line 1 column 0"),
        ("{", "EOF while parsing an object at line 1 column 1"),
        ("{}", "missing field `root` at line 1 column 1"),
        ("[]", "the body is no object with the member `root` at line 1 column 1"),
        (
            "[[{\"mobile\": \"919876543210\"}]]",
            "the body is no object with the member `root` at line 1 column 1",
        ),
        ("{\"root\": {}}", "missing field `customer` at line 1 column 10"),
        (
            "{\n\"root\": [{\"mobile\": \"919876543210\"}]}",
            "root is no object with the member `customer` at line 2 column 9",
        ),
        ("{\"root\": 1}", "root is no object with the member `customer` at line 1 column 10"),
        (
            "{\"root\": {\"customer\": \"919876543210\"}}",
            "root.customer is neither a customer nor an array of them at line 1 column 23",
        ),
        ("{\"root\": {\"customer\": []}}", "root.customer holds no customer at line 1 column 23"),
        (
            "{\"root\": {\n  \"customer\": 5}}",
            "root.customer is neither a customer nor an array of them at line 2 column 15",
        ),
        (
            "{\"root\": {\"customer\": null}}",
            "root.customer is neither a customer nor an array of them at line 1 column 23",
        ),
        ("{\"root\": {\"customer\": [{}]}} x", "trailing characters at line 1 column 30"),
        ("<root><customer/></root>", "expected value at line 1 column 1"),
        (
            "{\"root\": {\"customer\": {}}, \"root\": {\"customer\": {}}}",
            "duplicate field `root` at line 1 column 1",
        ),
    ] {
        let reply = till.add_text(body);
        assert_eq!(reply.status, 400, "{body}");
        let message = reply.response_status()["message"].as_str().unwrap().to_owned();
        assert_eq!(
            message,
            format!("Input is invalid, Please check request parameters or input xml/json: {place}")
        );
        assert_eq!(reply.json()["response"]["customers"], Value::Null);
    }
}
