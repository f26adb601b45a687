//! Bodies made to hurt: a clear error, and the neighbours unaffected.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use serde_json::json;

use crate::app::{App, Reply};
use crate::durability::AUTHORIZATION;

fn wrapped(customer: &str) -> String {
    format!(r#"{{"root": {{"customer": [{customer}, {{"mobile": "919876543219"}}]}}}}"#)
}

fn message(reply: &Reply) -> String {
    reply.response_status()["message"].as_str().unwrap().to_owned()
}

#[test]
fn deep_nesting_is_refused_at_its_place() {
    let app = App::start();
    let till = app.till("till.001");
    for (open, close) in [("[", "]"), ("{\"a\":", "}")] {
        let deep = format!("{}1{}", open.repeat(10_000), close.repeat(10_000));
        for body in [deep.clone(), wrapped(&format!("{{\"x\": {deep}}}"))] {
            let reply = till.add_text(&body);
            assert_eq!(reply.status, 400);
            assert!(message(&reply).contains("nested too deep (32 levels are allowed) at line 1"));
        }
    }
}

#[test]
fn one_hostile_customer_leaves_its_neighbour() {
    let app = App::start();
    let till = app.till("till.001");
    let digits = "9".repeat(400);
    for (customer, code) in [
        (format!(r#"{{"mobile": {digits}}}"#), "1001"),
        (format!(r#"{{"external_id": {digits}}}"#), "1003"),
        (r#"{"mobile": 1e400}"#.to_owned(), "1001"),
        (r#"{"mobile": -919876543210}"#.to_owned(), "1001"),
        (r#"{"mobile": 9.19876543210}"#.to_owned(), "1001"),
        (r#"{"mobile": true}"#.to_owned(), "10001"),
        (r#"{"external_id": "a\u0000b"}"#.to_owned(), "1003"),
        (r#"{"external_id": "\ud800"}"#.to_owned(), "10001"),
        (r#"{"mobile": "919876543210", "mobile": "919876543211"}"#.to_owned(), "10001"),
        (r#"{"email": "<script>alert(1)</script>@example.com"}"#.to_owned(), "1002"),
        (r#"{"external_id": "1", "registered_on": "999999999-01-01 00:00:00"}"#.to_owned(), "1034"),
    ] {
        let reply = till.add_text(&wrapped(&customer));
        assert_eq!(reply.status, 200, "{customer}");
        assert_eq!(reply.codes(), [code, "1000"], "{customer}");
    }
}

#[test]
fn a_body_must_be_utf_8() {
    let app = App::start();
    let body = b"{\"root\": {\"customer\": [\n{\"firstname\": \"\xff\"}]}}";
    let reply = app.till("till.001").post("/v1.1/customer/add", "application/json", body);
    assert_eq!(reply.status, 400);
    assert!(
        message(&reply).ends_with("the body is not UTF-8 at line 2 column 16"),
        "{}",
        message(&reply)
    );
}

/// A customer can be sent again and again, but what is kept of them has a limit.
#[test]
fn a_customer_does_not_grow_without_limit() {
    let app = App::start();
    let till = app.till("till.001");
    let channel = |n: usize| json!({"type": "email", "value": format!("{n}@example.com")});
    let long = json!({"type": "email", "value": "x".repeat(256)});
    for (from, code) in [(0, "1000 91003"), (10, "1000 91003"), (10, "1000 91003")] {
        let mut channels: Vec<_> = (from..from + 15).map(channel).collect();
        channels.push(long.clone());
        let customer = json!({"mobile": "919876543210", "commChannels": channels});
        assert_eq!(crate::app::code(&till.add_one(&customer)), code);
    }
    let blanks = format!("{{\"mobile\": \"{}9876543210\"}}", " ".repeat(1_000_000));
    assert_eq!(till.add_text(&wrapped(&blanks)).codes(), ["1000", "1000"]);
    let long_name = json!({"mobile": "919876543210", "extended_fields": {"field": {"name": "n".repeat(100_000), "value": "1"}}});
    assert!(till.add_one(&long_name)["item_status"]["message"].as_str().unwrap().len() < 300);
}

#[test]
fn thousands_of_fields_are_bounded() {
    let app = App::start();
    let field = json!({"name": "address", "value": "x"});
    let customer = app.till("till.001").add_one(&json!({
        "mobile": "919876543210", "custom_fields": {"field": vec![field; 10_000]},
    }));
    assert_eq!(customer["item_status"]["warnings"]["warning"], json!(["1017"]));
}

#[test]
fn a_large_body_is_refused_and_the_server_lives_on() {
    let app = App::start();
    let till = app.till("till.001");
    let reply = till.post("/v1.1/customer/add", "application/json", &vec![b' '; 50_000_000]);
    assert_eq!(reply.status, 413);
    assert_eq!(till.add(&json!([{"mobile": "919876543210"}])).status, 200);
}

/// A sender who never finishes is told so, or cut off, after the configured time.
#[test]
fn slow_senders_are_not_waited_for() {
    let app = App::with(|config| {
        config.header_timeout_seconds = 1;
        config.body_timeout_seconds = 1;
    });
    for (sent, expected) in [
        ("POST /v1.1/customer/add HTTP/1.1\r\nHost: x\r\n".to_owned(), ""),
        (
            format!(
                "POST /v1.1/customer/add HTTP/1.1\r\nHost: x\r\n{AUTHORIZATION}\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{{"
            ),
            "HTTP/1.1 408 ",
        ),
        (
            "POST /v1.1/customer/add HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n{"
                .to_owned(),
            "HTTP/1.1 401 ",
        ),
    ] {
        let mut connection = TcpStream::connect(app.address).unwrap();
        connection.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
        connection.write_all(sent.as_bytes()).unwrap();
        let mut reply = String::new();
        // The connection ends, which is not the end of the patience of this test.
        connection.read_to_string(&mut reply).unwrap();
        assert!(reply.starts_with(expected), "{sent}: {reply}");
    }
}
