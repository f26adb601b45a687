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
    let nothing = "Incorrect resource: GET /v1.1/customer/nothing";
    refused(&till.get("/v1.1/customer/nothing?mobile=919876543210"), 404, nothing);
    refused(&app.anonymous().get("/nothing"), 404, "Incorrect resource: GET /nothing");
    refused(&till.get(add), 405, "Incorrect HTTP Method");
    let body = json!({"root": {"customer": {"mobile": "919876543210", "x": "y".repeat(2_000)}}});
    refused(
        &till.post(add, "application/json", body.to_string().as_bytes()),
        413,
        "Request body is too large: at most 1000 bytes",
    );
    refused(
        &till.post(add, "text/plain", b"919876543210"),
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
        ("?format=json%20", "application/xml", 200),
        ("?format=+JSON", "text/plain", 200),
        ("?format=j%73on", "application/xml", 200),
        ("?format=", "application/json", 200),
        ("?format", "application/json", 200),
        ("?format=%20", "text/plain", 415),
        ("?format=json&format=json", "application/json", 200),
        ("?format=json&format=xml", "application/json", 400),
        ("?FORMAT=json", "application/json", 400),
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
        (
            "<root><customer/></root>",
            "this looks like XML; send `format=xml` or `Content-Type: application/xml`",
        ),
        ("x", "expected value at line 1 column 1"),
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

#[test]
fn the_api_is_served_below_a_prefix_and_with_repeated_slashes() {
    let app = App::start();
    let till = app.till("till.001");
    let body = br#"{"root": {"customer": {"mobile": "919876543210"}}}"#;
    for path in ["/api/v1.1/customer/add", "//v1.1/customer/add", "/api//v1.1//customer/add"] {
        let reply = till.post(&format!("{path}?format=json"), "application/json", body);
        assert_eq!((reply.status, reply.codes()), (200, vec!["1000".to_owned()]), "{path}");
        assert!(!reply.header("RateLimit").is_empty(), "{path}");
        let stranger = app.anonymous().post(path, "application/json", body);
        assert_eq!(stranger.status, 401, "{path}");
    }
    let audit = "/api/api_gateway/v2/audits?entityType=CUSTOMER&entityId=100000001";
    assert_eq!(till.get(audit).status, 200);
    // Only the API of tills and clients is below the prefix.
    for path in ["/api/metrics", "/api/admin/api/v1/sessions/current", "/api/livez", "/api/docs/"] {
        refused(&till.get(path), 404, &format!("Incorrect resource: GET {path}"));
    }
    let metrics = app.anonymous().get("/metrics").text;
    assert!(metrics.contains("/v1.1/customer/add"), "{metrics}");
    assert!(!metrics.contains("/api/v1.1"), "{metrics}");

    let app = App::with(|config| "/loyalty/eu".clone_into(&mut config.path_prefix));
    let till = app.till("till.001");
    for (path, status) in [
        ("/loyalty/eu/v1.1/customer/add", 200),
        ("/v1.1/customer/add", 200),
        ("/api/v1.1/customer/add", 404),
    ] {
        assert_eq!(till.post(path, "application/json", body).status, status, "{path}");
    }
}

#[test]
fn a_404_names_what_was_looked_for() {
    let app = App::start();
    let till = app.till("till.001");
    let path = "/api/v1.1/customer/nothing?mobile=919876543210";
    let post = till.post(path, "application/json", b"{}");
    refused(&post, 404, "Incorrect resource: POST /v1.1/customer/nothing");
    let long = till.get(&format!("/{}", "x".repeat(5_000)));
    assert_eq!(long.status, 404);
    assert!(long.text.len() < 500, "{}", long.text);
    let hostile = till.get("/%3Cscript%3E'&%0d%0a?format=xml");
    let shown = "<message>Incorrect resource: GET /%3Cscript%3E'&amp;%0d%0a</message>";
    assert!(hostile.text.contains(shown), "{}", hostile.text);
    let admin = app.operator().get("/admin/api/v1/nothing");
    let detail = "no resource matches GET /admin/api/v1/nothing";
    assert_eq!((admin.status, &admin.json()["detail"]), (404, &json!(detail)));
    assert!(app.anonymous().get("/docs/nothing.js").text.contains("GET /docs/nothing.js"));
}
