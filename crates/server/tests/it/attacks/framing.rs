//! Requests of a wrong form, and bodies in many small parts.

use std::io::Write;
use std::net::TcpStream;

use serde_json::{Value, json};

use crate::app::App;
use crate::attacks::{MIB, connect_from, peak_memory, status};
use crate::data::Data;
use crate::durability::{AUTHORIZATION, Program};

/// "A server MUST respond with a 400 status code to any HTTP/1.1 request message that lacks a Host
/// header field and to any request message that contains more than one" (RFC 9112, 3.2).
#[test]
fn requires_exactly_one_host() {
    let app = App::start();
    for path in ["/livez", "/", "/v1.1/customer/get", "/admin/api/v1/organisations"] {
        for (version, hosts, wanted) in [
            ("1.1", "", 400),
            ("1.1", "Host: a\r\nHost: a\r\n", 400),
            ("1.1", "Host: a\r\nhost: b\r\n", 400),
            ("1.0", "Host: a\r\nHost: a\r\n", 400),
            ("1.1", "Host: a b\r\n", 400),
            ("1.1", "Host:\r\n", 400),
        ] {
            let request = format!("GET {path} HTTP/{version}\r\n{hosts}\r\n");
            let connection = connect_from(1, app.address);
            assert_eq!(status(&connection, &request), Some(wanted), "{request}");
            assert_eq!(status(&connection, "GET /livez HTTP/1.1\r\nHost: a\r\n\r\n"), None);
        }
    }
    for (version, hosts) in [("1.0", ""), ("1.1", "Host: patron_1.example:8080\r\n")] {
        let request = format!("GET /livez HTTP/{version}\r\n{hosts}\r\n");
        assert_eq!(status(&connect_from(1, app.address), &request), Some(200), "{request}");
    }
}

/// RFC 9112, 6.1 and 7.
#[test]
fn takes_no_transfer_encoding_but_chunked() {
    let app = App::start();
    for (codings, wanted) in [
        ("chunked", 401),
        ("Chunked", 401),
        ("gzip, chunked", 501),
        ("identity, chunked", 501),
        ("gzip\r\nTransfer-Encoding: chunked", 501),
        ("chunked, chunked", 400),
        ("chunked\r\nTransfer-Encoding: chunked", 400),
    ] {
        let request = format!(
            "POST /v1.1/customer/add HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: {codings}\r\n\r\n0\r\n\r\n"
        );
        let connection = connect_from(1, app.address);
        assert_eq!(status(&connection, &request), Some(wanted), "{codings}");
    }
}

/// A caller who is not signed in sends a name and a password, and little more.
#[test]
fn a_sign_in_has_a_small_body() {
    let app = App::start();
    let sign_in = |length: usize| {
        let body = format!("{{\"name\":\"{}\",\"password\":\"x\"}}", "n".repeat(length));
        let path = "/admin/api/v1/sessions";
        app.anonymous().post(path, "application/json", body.as_bytes()).status
    };
    assert_eq!((sign_in(9_000), sign_in(10_000)), (401, 413));
}

/// Each part by itself keeps much more memory than it has bytes.
#[test]
fn a_body_in_parts_of_one_byte_takes_little_memory() {
    const BODY: usize = 250_000;
    let data = Data::passing();
    let program = Program::start(data.name());
    program.till().add(&json!([]));
    let before = peak_memory(&program);
    let head = format!(
        "POST /v1.1/customer/add HTTP/1.1\r\nHost: localhost\r\n{AUTHORIZATION}\r\nTransfer-Encoding: chunked\r\n\r\n"
    );
    let mut senders = Vec::new();
    for _ in 0..8 {
        let mut sender = TcpStream::connect(program.address).unwrap();
        sender.write_all(head.as_bytes()).unwrap();
        sender.write_all(&b"1\r\n \r\n".repeat(BODY)).unwrap();
        senders.push(sender);
    }
    for sender in &senders {
        assert_eq!(status(sender, "0\r\n\r\n"), Some(400));
    }
    let grown = peak_memory(&program).saturating_sub(before);
    assert!(grown < 16 * MIB, "{} MiB", grown / MIB);
}

/// What comes byte by byte is read as what comes at once.
#[test]
fn a_body_may_come_in_parts_of_one_byte() {
    let app = App::start();
    let body = br#"{"name":"demo","password":"demo"}"#;
    let mut connection = TcpStream::connect(app.address).unwrap();
    let head = "POST /admin/api/v1/sessions HTTP/1.1\r\nHost: a\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n";
    let mut request = head.as_bytes().to_vec();
    for byte in body {
        request.extend([b'1', b'\r', b'\n', *byte, b'\r', b'\n']);
    }
    request.extend(b"0\r\n\r\n");
    connection.write_all(&request).unwrap();
    let reply = std::io::read_to_string(&connection).unwrap();
    let (head, body) = reply.split_once("\r\n\r\n").unwrap();
    assert!(head.starts_with("HTTP/1.1 201 "), "{reply}");
    assert!(serde_json::from_str::<Value>(body).unwrap()["token"].is_string());
}
