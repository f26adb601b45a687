//! What a browser is told of every reply.

use std::io::{Read, Write};
use std::net::TcpStream;

use serde_json::json;

use crate::app::App;
use crate::durability::AUTHORIZATION;

/// Whoever answers: an endpoint, a refusal, a fallback, a probe.
#[test]
fn every_reply_is_handled_with_care() {
    let app = App::start();
    let till = app.till("till.001");
    for reply in [
        till.add(&json!([{"mobile": "919876543210"}])),
        till.add_text("{"),
        till.post_for("/v1.1/customer/add", "application/json", "application/xml", b"{"),
        app.anonymous().add(&json!([])),
        till.get("/v1.1/customer/add"),
        till.get("/nothing"),
        till.get("/livez"),
    ] {
        for (name, value) in [
            ("X-Content-Type-Options", "nosniff"),
            ("X-Frame-Options", "DENY"),
            ("Referrer-Policy", "no-referrer"),
            ("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'"),
            ("Cache-Control", "no-store"),
            ("Strict-Transport-Security", ""),
            ("Access-Control-Allow-Origin", ""),
        ] {
            assert_eq!(reply.header(name), value, "{name}: {reply:?}");
        }
        assert_eq!(reply.header("X-Cap-Requestid").len(), 32);
    }
}

/// What a browser asks before a page of another site may call, and what it is told of the call.
fn preflight_and_call(cors_origins: &str, origin: &str) -> [String; 2] {
    let app = App::with(|config| cors_origins.clone_into(&mut config.cors_origins));
    [
        "OPTIONS /v1.1/customer/get HTTP/1.1\r\nAccess-Control-Request-Method: GET\r\nAccess-Control-Request-Headers: authorization",
        &format!("GET /v1.1/customer/get?mobile=919876543210 HTTP/1.1\r\n{AUTHORIZATION}"),
    ]
    .map(|head| {
        let mut connection = TcpStream::connect(app.address).unwrap();
        let request = format!("{head}\r\nHost: x\r\nOrigin: {origin}\r\nConnection: close\r\n\r\n");
        connection.write_all(request.as_bytes()).unwrap();
        let mut reply = String::new();
        connection.read_to_string(&mut reply).unwrap();
        reply.to_lowercase()
    })
}

#[test]
fn no_other_site_may_call() {
    let [preflight, call] = preflight_and_call("", "https://shop.example");
    assert!(preflight.starts_with("http/1.1 405 "), "{preflight}");
    assert!(!preflight.contains("access-control"), "{preflight}");
    assert!(!call.contains("access-control"), "{call}");
}

#[test]
fn a_site_that_is_named_may_call() {
    let named = "https://shop.example, http://localhost:3000";
    for origin in ["https://shop.example", "http://localhost:3000"] {
        let [preflight, call] = preflight_and_call(named, origin);
        assert!(preflight.starts_with("http/1.1 200 "), "{preflight}");
        assert!(preflight.contains("access-control-allow-headers: authorization\r\n"));
        for reply in [preflight, call] {
            let allowed = format!("access-control-allow-origin: {origin}\r\n");
            assert!(reply.contains(&allowed), "{reply}");
            assert!(reply.contains("x-cap-requestid: "), "{reply}");
        }
    }
    for reply in preflight_and_call(named, "https://shop.example.org") {
        assert!(!reply.contains("access-control-allow-origin"), "{reply}");
    }
}
