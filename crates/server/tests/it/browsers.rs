//! What a browser is told of every reply.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::process::Command;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use patron_server::auth::password::md5_hex;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::app::{App, Client, Reply};
use crate::data::Data;
use crate::durability::{AUTHORIZATION, Program};

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

/// What Chromium sends when a person opens an address.
const NAVIGATION: [(&str, &str); 2] = [
    (
        "Accept",
        "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,image/apng,*/*;q=0.8,application/signed-exchange;v=b3;q=0.7",
    ),
    ("Sec-Fetch-Mode", "navigate"),
];
/// What Chromium sends for a script of `/docs`.
const SCRIPT: [(&str, &str); 2] = [("Accept", "application/json"), ("Sec-Fetch-Mode", "cors")];
/// The same over plain HTTP from another machine, where browsers send no `Sec-Fetch-Mode`.
const ELSEWHERE: [(&str, &str); 2] =
    [("Accept", "application/json"), ("X-Requested-With", "XMLHttpRequest")];

fn open(client: &Client, method: &str, path: &str) -> Reply {
    client.request(method, path, &NAVIGATION, &Value::Null)
}

/// Every surface refuses a person with a page, with the status, headers and text that an API client
/// gets.
#[test]
fn refusals_to_browsers_are_pages() {
    let app = App::with(|config| "10.0.0.1".clone_into(&mut config.trusted_proxies));
    let anonymous = app.anonymous();
    let elsewhere = app.anonymous().with_header("X-Forwarded-For", "192.0.2.7");
    for (client, method, path, status, text) in [
        (&anonymous, "GET", "/nothing", 404, "Incorrect resource"),
        (&anonymous, "GET", "/docs/nothing", 404, "Incorrect resource"),
        (&anonymous, "GET", "/v1.1/customer/add", 405, "Incorrect HTTP Method"),
        (&anonymous, "DELETE", "/readyz", 405, "Incorrect HTTP Method"),
        (&anonymous, "GET", "/v1.1/customer/get?mobile=1", 401, "username/password"),
        (
            &app.basic("till.001", "demo"),
            "GET",
            "/v1.1/customer/get",
            401,
            "must be the lower-case MD5",
        ),
        (
            &app.anonymous().with_header("Authorization", "Bearer x"),
            "GET",
            "/v2/auditLog/get",
            401,
            "Unauthorized",
        ),
        (&anonymous, "GET", "/api_gateway/v2/audits", 401, "username/password"),
        (&anonymous, "POST", "/v3/oauth/token/generate", 400, "Input is invalid"),
        (
            &anonymous,
            "GET",
            "/admin/api/v1/organisations",
            401,
            "sign in at /admin/api/v1/sessions",
        ),
        (&anonymous, "GET", "/admin/nothing", 404, "GET /admin/nothing"),
        (&anonymous, "PATCH", "/admin/api/v1/sessions", 405, "method"),
        (&elsewhere, "GET", "/metrics", 403, "metrics_token_file"),
    ] {
        let page = open(client, method, path);
        assert_eq!((page.status, page.header("Content-Type")), (status, HTML), "{method} {path}");
        assert!(page.text.starts_with("<!DOCTYPE html>"), "{path}: {}", page.text);
        assert!(page.text.contains(text), "{path}: {}", page.text);
        assert!(page.text.contains(page.header("X-Cap-Requestid")), "{path}");
        assert_is_inert(&page);

        let plain = client.request(method, path, &[("Accept", "*/*")], &Value::Null);
        assert_eq!(plain.status, status, "{method} {path}");
        assert!(!plain.text.contains('<') && plain.text.contains(text), "{path}: {}", plain.text);
        for name in ["WWW-Authenticate", "Retry-After"] {
            assert_eq!(page.header(name), plain.header(name), "{name} of {path}");
        }
    }
}

#[test]
fn a_format_in_the_query_outranks_the_browser() {
    let app = App::start();
    for (path, media_type) in [
        ("/v1.1/customer/get?format=json", "application/json;charset=UTF-8"),
        ("/v1.1/customer/get?format=xml", "application/xml;charset=UTF-8"),
    ] {
        assert_eq!(open(&app.anonymous(), "GET", path).header("Content-Type"), media_type);
    }
}

#[test]
fn a_page_escapes_what_was_sent() {
    let app = App::start();
    let path = "/v1.1/customer/get?mobile=919876543210&id=%3Cscript%3E%22";
    let page = open(&app.till("till.001"), "GET", path);
    assert!(!page.text.contains("<script"), "{}", page.text);
}

/// At a challenge for Basic the browser asks for a password itself, and `/docs` shows nothing.
#[test]
fn scripts_are_refused_without_the_browsers_prompt() {
    let app = App::start();
    let plain = app.basic("till.001", "demo");
    let refusal = |headers: &[(&str, &str)]| {
        let reply = plain.request("GET", "/v1.1/customer/get?mobile=1", headers, &Value::Null);
        assert_eq!(reply.status, 401);
        assert!(reply.text.contains("must be the lower-case MD5"), "{}", reply.text);
        reply.header("WWW-Authenticate").to_owned()
    };
    for script in [&SCRIPT, &ELSEWHERE] {
        assert_eq!(refusal(script), "Bearer realm=\"Patron\"");
    }
    for other in [&NAVIGATION[..], &[("Accept", "application/json")], &[]] {
        assert!(refusal(other).starts_with("Basic "), "{other:?}");
    }
    let start = app.anonymous().get("/docs/swagger-initializer.js").text;
    assert!(start.contains("'X-Requested-With'"), "the page says that it is a script: {start}");
}

#[test]
fn the_start_page_says_what_this_is() {
    let app = App::start();
    for accept in ["*/*", "application/json", NAVIGATION[0].1] {
        let page = app.anonymous().request("GET", "/", &[("Accept", accept)], &Value::Null);
        assert_eq!((page.status, page.header("Content-Type")), (200, HTML));
        for text in
            ["customer registry", env!("CARGO_PKG_VERSION"), "href=\"/docs/\"", "/openapi.json"]
        {
            assert!(page.text.contains(text), "{text}: {}", page.text);
        }
        assert!(!page.text.contains("curl"), "credentials are shown in the demo only");
        assert_is_inert(&page);
    }
}

#[test]
fn the_documentation_can_be_switched_off() {
    let app = App::with(|config| config.docs = false);
    for path in
        ["/docs", "/docs/", "/docs/index.html", "/docs/swagger-ui-bundle.js", "/openapi.json"]
    {
        assert_eq!(app.anonymous().get(path).status, 404, "{path}");
    }
    assert!(!app.anonymous().get("/").text.contains("/docs"));
}

/// The page of the demo has credentials and requests that work as they stand.
#[test]
fn the_start_page_of_the_demo_has_requests_to_try() {
    let data = Data::passing();
    let program = Program::start(data.name());
    let page = Client::new(program.address, None).get("/");
    assert_is_inert(&page);
    let text = page.text.replace("&#39;", "'").replace("&#34;", "\"").replace("&#38;", "&");
    let address = program.address.to_string();
    let digest = md5_hex("demo");
    for shown in ["till.001", &digest, "curl -u", &address, "<code>demo</code>"] {
        assert!(text.contains(shown), "{shown}: {text}");
    }
    let commands = text.split("<pre><code>").skip(1);
    for command in commands.map(|rest| rest.split_once("</code>").unwrap().0) {
        let arguments = format!("{command} -s -o /dev/null -w %{{http_code}}");
        let output = Command::new("sh").args(["-c", &arguments]).output().unwrap();
        assert_eq!(String::from_utf8_lossy(&output.stdout), "200", "{command}");
    }
}

const HTML: &str = "text/html; charset=utf-8";

/// A page runs nothing, loads nothing, and has the style sheet that its policy allows.
fn assert_is_inert(page: &Reply) {
    let policy = page.header("Content-Security-Policy");
    let style = page.text.split_once("<style>").unwrap().1.split_once("</style>").unwrap().0;
    let hash = STANDARD.encode(Sha256::digest(style));
    let wanted = format!(
        "default-src 'none'; style-src 'sha256-{hash}'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    );
    assert_eq!(policy, wanted);
    assert!(style.contains("color-scheme: light dark"), "{style}");
    for active in ["<script", " src=", " style=", " onload", " onclick", "url(", "<form", "<iframe"]
    {
        assert!(!page.text.contains(active), "{active}: {}", page.text);
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
