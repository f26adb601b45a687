//! The log: one line a request, and nothing of what customers sent.

use std::io::{Write, read_to_string};
use std::net::{SocketAddr, TcpStream};
use std::process::{ChildStderr, Command, Stdio};

use patron_server::auth::password::{md5_hex, sha256_hex};
use serde_json::{Value, json};

use crate::app::Client;
use crate::data::Data;
use crate::durability::{AUTHORIZATION, Program, command, listening};

fn logged_program(data: &Data) -> (Program, ChildStderr, SocketAddr) {
    logged(command(data.name()).env("PATRON_LOG", "debug"))
}

pub fn logged(command: &mut Command) -> (Program, ChildStderr, SocketAddr) {
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
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
    Client::new(address, Some(("another-till", digest))).add(&refused);
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

/// One line for each refused sign-in: the name, the address, and why. Never what was sent as the
/// password.
#[test]
fn says_who_was_refused_and_why() {
    let data = Data::passing();
    let mut command = command(data.name());
    command.env("PATRON_LOG", "info").env("PATRON_WRONG_PASSWORDS_PER_MINUTE", "2");
    let (mut program, log, address) = logged(&mut command);
    let customer = json!([{"mobile": "919876543210"}]);
    let digest = md5_hex("not the password");
    let endless = "x".repeat(200);
    for (till, password) in [
        ("till.001", "plain-password"),
        ("no\u{1b}\nsuch", &digest),
        (&endless, &digest),
        (&md5_hex("swapped"), "till.001"),
        ("till.001", &digest),
        ("till.001", &digest.to_uppercase()),
        ("till.001", &sha256_hex("not the password")),
    ] {
        let status = Client::new(address, Some((till, password))).add(&customer).status;
        assert!([401, 429].contains(&status), "{till}");
    }
    let unreadable = Client::new(address, None).with_header("Authorization", "Basic !");
    assert_eq!(unreadable.add(&customer).status, 401);
    let anonymous = Client::new(address, None);
    let token = json!({"key": "no-such-key", "secret": "plain-password"});
    assert_eq!(anonymous.request("POST", "/v3/oauth/token/generate", &[], &token).status, 401);
    for (name, password) in [("nobody", "plain-password"), ("demo", "plain-password")] {
        let credentials = json!({"name": name, "password": password});
        let reply = anonymous.request("POST", "/admin/api/v1/sessions", &[], &credentials);
        assert_eq!(reply.status, 401);
    }
    assert_eq!(program.signal("-TERM"), Some(0));

    let log = read_to_string(log).unwrap();
    for secret in ["plain-password", &digest, &md5_hex("swapped"), &sha256_hex("not the password")]
    {
        assert!(!log.to_lowercase().contains(secret), "{secret} in {log}");
    }
    let lines = log.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    let refusals = lines.filter(|line| line["message"] == "sign-in refused").map(|line| {
        assert_eq!(line["address"], "127.0.0.1");
        let who = ["till", "client", "operator"].into_iter().find(|who| !line[who].is_null());
        let who = who.unwrap();
        format!("{who} {}: {}", line[who].as_str().unwrap(), line["reason"].as_str().unwrap())
    });
    insta::assert_snapshot!(refusals.collect::<Vec<_>>().join("\n"), @r"
    till till.001: not a digest
    till no\u{1b}\nsuch: no such till
    till xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx…: no such till
    till (a digest): not a digest
    till till.001: wrong digest
    till till.001: wrong digest
    till till.001: locked out
    till : unreadable header
    client no-such-key: no such API client
    operator nobody: no such operator
    operator demo: wrong password
    ");
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
            "POST /v1.1/customer/add HTTP/1.1\r\nHost: localhost\r\nContent-Length: {length}\r\n{AUTHORIZATION}\r\n\r\n{body}"
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
