//! How many connections are taken, and for how long.

use std::io::{ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream};

use crate::app::App;

/// Asks something on a connection that is kept open; whether it was answered.
fn is_answered(mut connection: &TcpStream) -> bool {
    let asked = connection.write_all(b"GET /livez HTTP/1.1\r\nHost: x\r\n\r\n");
    let mut reply = [0; 4_096];
    match asked.and_then(|()| connection.read(&mut reply)) {
        Ok(length) => reply[..length].starts_with(b"HTTP/1.1 200 "),
        Err(error) => {
            let cut =
                [ErrorKind::ConnectionReset, ErrorKind::BrokenPipe, ErrorKind::ConnectionAborted];
            assert!(cut.contains(&error.kind()), "{error}");
            false
        }
    }
}

fn connect(address: SocketAddr) -> TcpStream {
    TcpStream::connect(address).unwrap()
}

#[test]
fn at_a_limit_the_connection_longest_without_a_request_makes_room() {
    for (all, per_address) in [(2, 500), (1_000, 2)] {
        let app = App::with(|config| {
            config.connection_limit = all;
            config.connection_limit_per_address = per_address;
        });
        let [first, second] = [connect(app.address), connect(app.address)];
        for connection in [&first, &second, &first] {
            assert!(is_answered(connection));
        }
        let third = connect(app.address);
        assert!(is_answered(&third), "a new connection is admitted");
        assert!(is_answered(&first), "the one with the newest request stays");
        assert!(!is_answered(&second));
    }
}

#[test]
fn a_connection_without_requests_is_closed() {
    let app = App::with(|config| config.header_timeout_seconds = 1);
    let settings = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0";
    for sent in [&b""[..], &settings[..]] {
        let mut connection = connect(app.address);
        connection.write_all(sent).unwrap();
        let mut received = Vec::new();
        connection.read_to_end(&mut received).unwrap();
        assert!(!received.starts_with(b"HTTP/1.1"));
    }
}

/// More than 64 KiB of headers are refused.
#[test]
fn headers_have_a_limit() {
    let app = App::start();
    let mut connection = connect(app.address);
    let request = format!("GET /livez HTTP/1.1\r\nHost: x\r\nX: {}\r\n\r\n", "x".repeat(70_000));
    // The server answers before it has read all.
    let _ = connection.write_all(request.as_bytes());
    let mut reply = [0; 12];
    connection.read_exact(&mut reply).unwrap();
    assert_eq!(&reply, b"HTTP/1.1 431");
}

/// The idle time is a setting of its own, longer than a proxy keeps a connection (60 seconds).
#[test]
fn a_kept_connection_outlives_the_time_for_headers() {
    let config = patron_server::config::Config::default();
    assert_eq!((config.idle_timeout_seconds, config.header_timeout_seconds), (75, 30));
    for (idle, header) in [(1, 3_600), (3_600, 1)] {
        let app = App::with(|config| {
            config.idle_timeout_seconds = idle;
            config.header_timeout_seconds = header;
        });
        let kept = connect(app.address);
        assert!(is_answered(&kept));
        // Lasts as long as the other timeout, one second.
        let mut other = connect(app.address);
        if idle < header {
            assert!(is_answered(&other));
        }
        other.read_to_end(&mut Vec::new()).unwrap();
        assert_eq!(is_answered(&kept), header < idle);
    }
}
