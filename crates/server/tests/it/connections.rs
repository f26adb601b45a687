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
fn connections_beyond_the_limit_are_closed_at_once() {
    for (all, per_address) in [(2, 500), (1_000, 2)] {
        let app = App::with(|config| {
            config.connection_limit = all;
            config.connection_limit_per_address = per_address;
        });
        let open = [connect(app.address), connect(app.address)];
        assert!(open.iter().all(is_answered));
        assert!(!is_answered(&connect(app.address)));
        assert!(open.iter().all(is_answered), "those that are open are not disturbed");
        drop(open);
        // The server hears of the end in its own time.
        while !is_answered(&connect(app.address)) {}
    }
}

/// Neither one that never says anything nor one that says all it has to in HTTP/2 is kept for ever.
#[test]
fn a_connection_on_which_nothing_moves_is_closed() {
    let app = App::with(|config| config.idle_timeout_seconds = 1);
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
