//! The log: one line a request, and nothing of what customers sent.

use std::io::{Write, read_to_string};
use std::net::{SocketAddr, TcpStream};
use std::process::{ChildStderr, Stdio};

use serde_json::{Value, json};

use crate::app::Client;
use crate::data::Data;
use crate::durability::{AUTHORIZATION, Program, command, listening};

fn logged_program(data: &Data) -> (Program, ChildStderr, SocketAddr) {
    let mut child = command(data.name())
        .env("PATRON_LOG", "debug")
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let address = listening(&mut child);
    let log = child.stderr.take().unwrap();
    (Program { child, address }, log, address)
}

fn requests(log: &str) -> Vec<Value> {
    let lines = log.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    lines.filter(|line| line["message"] == "request").collect()
}

/// Whether a customer was taken or refused, and a request understood or not.
#[test]
fn it_tells_of_requests_and_of_nobody() {
    let data = Data::passing();
    let (mut program, log, address) = logged_program(&data);
    let till = program.till().with_header("USER-CONTEXT-ENTITY-SOURCE-ID", b"Secret Person");
    let refused = json!({
        "mobile": "919812345678", "email": "asha.secret@example.com", "external_id": "secret-4711",
        "firstname": "Ashasecret", "lastname": "Raosecret", "source": "secretsource",
        "custom_fields": {"field": [{"name": "address", "value": "Secretstreet"}]},
    });
    let mut taken = refused.clone();
    taken["source"] = json!("INSTORE");
    assert_eq!(till.add(&json!([taken, refused])).codes(), ["1000", "10001"]);
    till.add_text("{\"root\": \"asha.secret@example.com\"}");
    till.get("/v1.1/customer/secret-4711?mobile=919812345678");
    till.get("/api_gateway/v2/audits?entityType=CUSTOMER&entityId=100000001&source=secret");
    let digest = "0123456789abcdef0123456789abcdef";
    Client::new(address, Some(("secret-till", digest))).add(&refused);
    assert_eq!(program.signal("-TERM"), Some(0));

    let log = read_to_string(log).unwrap();
    for personal in ["9812345678", "secret", "Secret", "fe01ce2a", digest] {
        assert!(!log.contains(personal), "{personal} in {log}");
    }
    let requests = requests(&log);
    assert_eq!(requests.len(), 5);
    let first = &requests[0];
    assert_eq!(first["request_id"].as_str().unwrap().len(), 32);
    assert_eq!(first["route"], "/v1.1/customer/add");
    assert_eq!((&first["organisation"], &first["till"]), (&json!("demo"), &json!("till.001")));
    assert_eq!((&first["status"], &first["items"]), (&json!(200), &json!(2)));
    assert_eq!(first["succeeded"], 1);
    assert!(first["duration_us"].is_u64());
}

#[test]
fn it_marks_dry_runs() {
    let data = Data::passing();
    let (mut program, log, _) = logged_program(&data);
    let till = program.till();
    till.add_with("dry_run=true", &json!({"mobile": "919876543210"}));
    till.add_with("dry_run=false", &json!({"mobile": "919876543210"}));
    assert_eq!(program.signal("-TERM"), Some(0));
    let lines = requests(&read_to_string(log).unwrap());
    let marks: Vec<_> = lines.iter().map(|line| line["dry_run"].clone()).collect();
    assert_eq!(marks, [json!(true), Value::Null]);
}

/// A client that hangs up cuts nothing off: whatever was registered for it stands in the log.
#[test]
fn it_tells_of_clients_that_hung_up() {
    let data = Data::passing();
    let (mut program, log, address) = logged_program(&data);
    let till = program.till();
    till.add_one(&json!({"mobile": "919876543210"}));
    for n in 0..20_u64 {
        let body = json!({"root": {"customer": [{"mobile": 919_800_000_000 + n}]}}).to_string();
        let length = body.len();
        let mut connection = TcpStream::connect(address).unwrap();
        let request = format!(
            "POST /v1.1/customer/add HTTP/1.1\r\nHost: x\r\nContent-Length: {length}\r\n{AUTHORIZATION}\r\n\r\n{body}"
        );
        connection.write_all(request.as_bytes()).unwrap();
    }
    let was_known = |n: u64| {
        let customer = till.add_one(&json!({"mobile": 919_800_000_000 + n}));
        customer["side_effects"]["effect"] == json!([])
    };
    let registered = (0..20).filter(|n| was_known(*n)).count();
    assert_eq!(program.signal("-TERM"), Some(0));
    let log = read_to_string(log).unwrap();
    let ours = 1 + 20;
    let logged = requests(&log).iter().filter(|line| line["items"] == 1).count();
    assert!(logged >= ours + registered, "{logged} lines, {registered} registered");
}
