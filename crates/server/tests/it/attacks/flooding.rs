//! Clients that take up connections, or send much that means nothing.

use serde_json::json;

use crate::app::App;
use crate::attacks::{Frames, HEADERS, PING, PRIORITY, SETTINGS, connect_from, status};
use crate::durability::AUTHORIZATION;

const LIVEZ: &str = "GET /livez HTTP/1.1\r\nHost: localhost\r\n\r\n";
const READYZ: &str = "GET /readyz HTTP/1.1\r\nHost: localhost\r\n\r\n";

/// Two addresses that take as many connections as they get, half of them over HTTP/2.
#[test]
fn two_addresses_do_not_shut_the_others_out() {
    let app = App::with(|config| config.connection_limit = 40);
    let (mut idle, mut pinging) = (Vec::new(), Vec::new());
    for n in 0..40 {
        let from = 2 + n % 2;
        idle.push(connect_from(from, app.address));
        let mut frames = Frames::on(connect_from(from, app.address));
        frames.get(1, "/livez");
        assert!(frames.wait_for(HEADERS));
        pinging.push(frames);
    }
    for n in 0..10_u64 {
        let connection = connect_from(9, app.address);
        let body = json!({"root": {"customer": [{"mobile": 919_800_000_000 + n}]}}).to_string();
        let length = body.len();
        let request = format!(
            "POST /v1.1/customer/add HTTP/1.1\r\nHost: localhost\r\nContent-Length: {length}\r\n{AUTHORIZATION}\r\n\r\n{body}"
        );
        assert_eq!(status(&connection, &request), Some(200));
        assert_eq!(status(&connect_from(1, app.address), LIVEZ), Some(200));
    }
    let ping = |frames: &mut Frames| frames.send(PING, 0, &[0; 8]) && frames.wait_for(PING);
    let kept = pinging.iter_mut().filter_map(|frames| ping(frames).then_some(())).count();
    let kept = kept + idle.iter().filter(|idle| status(idle, LIVEZ).is_some()).count();
    assert!((1..=2 * 4).contains(&kept), "an address has at most a tenth of all, not {kept}");
}

/// Where all connections are busy, probes are answered and everything else is refused.
#[test]
fn a_reserve_answers_probes_alone() {
    let app = App::with(|config| {
        config.connection_limit = 0;
        config.connection_reserve = 1;
    });
    for (request, wanted) in [
        (LIVEZ, 200),
        (READYZ, 200),
        ("GET /v1.1/customer/get HTTP/1.1\r\nHost: localhost\r\n\r\n", 503),
        ("GET /admin/api/v1/organisations HTTP/1.1\r\nHost: localhost\r\n\r\n", 503),
        ("GET /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n", 503),
        (LIVEZ, 200),
    ] {
        let connection = connect_from(1, app.address);
        assert_eq!(status(&connection, request), Some(wanted), "{request}");
    }
}

/// Otherwise a client that keeps its HTTP/2 connection would be refused for as long as it calls.
#[test]
fn a_refusal_of_the_reserve_ends_the_connection() {
    let app = App::with(|config| {
        config.connection_limit = 0;
        config.connection_reserve = 1;
    });
    let mut client = Frames::connect(app.address);
    // SETTINGS_INITIAL_WINDOW_SIZE
    assert!(client.send(SETTINGS, 0, &[0, 4, 0, 0, 0xff, 0xff]));
    for (stream, path) in [(1, "/livez"), (3, "/readyz"), (5, "/v1.1/customer/get")] {
        client.get(stream, path);
        let mut frames = std::iter::from_fn(|| client.next());
        assert!(frames.any(|frame| frame.stream == stream && frame.ends_stream()), "{path}");
    }
    let mut ping = || client.send(PING, 0, &[0; 8]) && client.wait_for(PING);
    assert!((0..100).any(|_| !ping()), "the connection is still open");
}

#[test]
fn pings_do_not_keep_a_connection() {
    let app = App::with(|config| config.idle_timeout_seconds = 1);
    let mut client = Frames::connect(app.address);
    client.get(1, "/livez");
    while client.send(PING, 0, &[0; 8]) && client.wait_for(PING) {}
}

#[test]
fn frames_without_effect_end_the_connection() {
    const UNKNOWN: u8 = 0xbb;
    let app = App::with(|config| config.header_timeout_seconds = 3_600);
    for (kind, stream, payload) in [(PRIORITY, 1, &[0, 0, 0, 0, 1][..]), (UNKNOWN, 0, &[0; 5])] {
        let mut client = Frames::connect(app.address);
        let most = 16 * 1024 * 1024 / (9 + payload.len());
        assert!((0..most).any(|_| !client.send(kind, stream, payload)), "{kind}");
    }
}
