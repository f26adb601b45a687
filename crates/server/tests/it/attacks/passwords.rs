//! Floods of wrong passwords, which keep the places busy at which passwords are verified.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::panic::{self, AssertUnwindSafe};
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use patron_server::auth::password::md5_hex;
use serde_json::json;

use crate::app::App;

/// Runs work while so many connections each send one such request after another.
fn while_flooded(
    address: SocketAddr,
    connections: usize,
    request: impl Fn(usize, u64) -> String + Sync,
    work: impl FnOnce(),
) {
    let open = Mutex::new(Vec::new());
    let sent = AtomicU64::new(0);
    let flood = |n: usize| {
        let mut connection = TcpStream::connect(address).unwrap();
        open.lock().unwrap().push(connection.try_clone().unwrap());
        let mut replies = BufReader::new(connection.try_clone().unwrap());
        loop {
            let request = request(n, sent.fetch_add(1, Ordering::Relaxed));
            if connection.write_all(request.as_bytes()).is_err() || !reads_reply(&mut replies) {
                return;
            }
        }
    };
    thread::scope(|scope| {
        let flood = &flood;
        for n in 0..connections {
            scope.spawn(move || flood(n));
        }
        while sent.load(Ordering::Relaxed) < connections as u64 {
            thread::yield_now();
        }
        let done = panic::catch_unwind(AssertUnwindSafe(work));
        for connection in open.lock().unwrap().iter() {
            let _ = connection.shutdown(Shutdown::Both);
        }
        done.unwrap();
    });
}

/// Reads a reply to its end; whether there is one.
fn reads_reply(replies: &mut BufReader<TcpStream>) -> bool {
    let mut length = 0;
    loop {
        let mut line = String::new();
        if replies.read_line(&mut line).unwrap_or_default() == 0 {
            return false;
        }
        if line == "\r\n" {
            return replies.read_exact(&mut vec![0; length]).is_ok();
        }
        if let Some(value) = line.to_lowercase().strip_prefix("content-length: ") {
            length = value.trim().parse().unwrap();
        }
    }
}

/// 300 connections of 250 addresses.
#[test]
fn tills_are_served_while_others_send_wrong_passwords() {
    let app = App::with(|config| {
        config.credential_cache_seconds = 0;
        config.wrong_passwords_per_minute = 1_000_000;
        "127.0.0.0/8".clone_into(&mut config.trusted_proxies);
    });
    let call = |till: &str, address: &str| {
        let client = app.till(till).with_header("X-Forwarded-For", address);
        client.add(&json!([{"mobile": "919876543210"}])).status
    };
    assert_eq!(call("till.001", "198.51.100.1"), 200);
    let request = |n: usize, number: u64| {
        let credentials = STANDARD.encode(format!("nobody{number}:{}", md5_hex("wrong")));
        format!(
            "GET /v1.1/customer/get?id=1 HTTP/1.1\r\nHost: localhost\r\nX-Forwarded-For: 192.0.2.{}\r\nAuthorization: Basic {credentials}\r\n\r\n",
            n % 250
        )
    };
    while_flooded(app.address, 300, request, || {
        let known: Vec<u16> = (0..20).map(|_| call("till.001", "198.51.100.1")).collect();
        assert_eq!(known, [200; 20]);
        assert_eq!(call("till_name", "198.51.100.2"), 200, "from an address that sends no others");
    });
}

/// Operators have no limit on guesses here: 429 could be due to the overload alone.
#[test]
fn operators_are_served_while_others_send_wrong_passwords() {
    let app = App::with(|config| {
        config.wrong_passwords_per_minute = 1_000_000;
        config.connection_limit_per_address = 1_000;
        "127.0.0.0/8".clone_into(&mut config.trusted_proxies);
    });
    let sign_in = |address: &str| {
        let client = app.anonymous().with_header("X-Forwarded-For", address);
        let credentials = json!({"name": "demo", "password": "demo"});
        client.request("POST", "/admin/api/v1/sessions", &[], &credentials).status
    };
    assert_eq!(sign_in("198.51.100.1"), 201);
    let request = |_: usize, number: u64| {
        let body = json!({"name": format!("nobody{number}"), "password": "wrong"}).to_string();
        format!(
            "POST /admin/api/v1/sessions HTTP/1.1\r\nHost: localhost\r\nX-Forwarded-For: 198.51.100.1\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
            body.len()
        )
    };
    while_flooded(app.address, 100, request, || {
        let known: Vec<u16> = (0..20).map(|_| sign_in("198.51.100.1")).collect();
        assert_eq!(known, [201; 20]);
        assert_eq!(sign_in("198.51.100.2"), 201);
        assert_eq!(app.till("till.001").add(&json!([{"mobile": "919876543210"}])).status, 200);
    });
}
