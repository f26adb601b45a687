//! Pages of other sites that call the demo by a name which leads to this machine.

use crate::attacks::{connect_from, status};
use crate::data::Data;
use crate::durability::Program;

#[test]
fn the_demo_takes_loopback_names_only() {
    let data = Data::passing();
    let program = Program::start(data.name());
    let port = program.address.port();
    for (host, is_taken) in [
        ("localhost", true),
        ("127.0.0.1", true),
        ("[::1]", true),
        ("rebound.evil.example", false),
        ("localhost.evil.example", false),
        ("192.0.2.7", false),
    ] {
        for (path, taken) in [("/", 200), ("/metrics", 200), ("/admin/api/v1/organisations", 401)] {
            let wanted = if is_taken { taken } else { 400 };
            let request = format!("GET {path} HTTP/1.1\r\nHost: {host}:{port}\r\n\r\n");
            let connection = connect_from(1, program.address);
            assert_eq!(status(&connection, &request), Some(wanted), "{host} {path}");
        }
    }
}
