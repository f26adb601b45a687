//! Clients that request much and read nothing.

use std::io::Write;
use std::net::TcpStream;

use crate::app::App;
use crate::attacks::{DATA, Frames, HEADERS, MIB, PING, WINDOW_UPDATE, peak_memory};
use crate::data::Data;
use crate::durability::{Program, command};

const LARGEST: &str = "/docs/swagger-ui-bundle.js";

fn program() -> (Program, Data) {
    let data = Data::passing();
    let mut command = command(data.name());
    command.env("PATRON_REPLY_TIMEOUT_SECONDS", "1");
    (Program::spawn(&mut command), data)
}

/// 768 replies of 1.4 MB.
#[test]
fn take_no_memory_over_http_2_and_are_cut_off() {
    let (program, _data) = program();
    let before = peak_memory(&program);
    let mut attackers: Vec<Frames> = (0..6).map(|_| Frames::connect(program.address)).collect();
    for attacker in &mut attackers {
        (0..128).for_each(|n| attacker.get(2 * n + 1, LARGEST));
    }
    for attacker in &mut attackers {
        // Pings change nothing.
        while attacker.send(PING, 0, &[0; 8]) && attacker.wait_for(PING) {}
    }
    let grown = peak_memory(&program).saturating_sub(before);
    assert!(grown < 64 * MIB, "{} MiB", grown / MIB);
}

#[test]
fn take_no_memory_over_http_1_and_are_cut_off() {
    let (program, _data) = program();
    let before = peak_memory(&program);
    let mut attackers = Vec::new();
    for _ in 0..64 {
        let mut attacker = TcpStream::connect(program.address).unwrap();
        let request = format!("GET {LARGEST} HTTP/1.1\r\nHost: localhost\r\n\r\n");
        // More requests than one reply fits into the buffers of the system.
        attacker.write_all(request.repeat(16).as_bytes()).unwrap();
        attackers.push(attacker);
    }
    for attacker in &mut attackers {
        // Until the connection is reset, without reading.
        while attacker.write_all(b"\r\n").is_ok() {}
    }
    let grown = peak_memory(&program).saturating_sub(before);
    assert!(grown < 64 * MIB, "{} MiB", grown / MIB);
}

/// While replies of a connection wait unsent, its further requests wait as well.
#[test]
fn let_no_further_request_begin() {
    let app = App::with(|config| config.unsent_limit_bytes = 1);
    let mut client = Frames::connect(app.address);
    client.get(1, "/openapi.json");
    assert!(client.wait_for(HEADERS));
    client.get(3, "/livez");
    assert!(client.send(PING, 0, &[0; 8]) && client.wait_for(PING));
    for stream in [0, 1, 3] {
        assert!(client.send(WINDOW_UPDATE, stream, &10_000_000_u32.to_be_bytes()));
    }
    let mut is_first_sent = false;
    while let Some(frame) = client.next() {
        match (frame.kind, frame.stream) {
            (DATA, 1) => is_first_sent |= frame.ends_stream(),
            (HEADERS, 3) => break,
            _ => {}
        }
    }
    assert!(is_first_sent);
}
