//! An organisation whose fields have costly patterns.

use std::io::Write as _;
use std::net::TcpStream;

use patron_rules::organisation::Kind;
use serde_json::{Value, json};

use crate::admin::{DEMO, post, problem};
use crate::app::{App, code};
use crate::attacks::{MIB, peak_memory};
use crate::data::Data;
use crate::durability::{AUTHORIZATION, Program};

/// One of the largest patterns that are accepted: 128 KiB compiled.
fn large(n: usize) -> String {
    format!("(?:a?){{1200}}b{n}")
}

#[test]
fn patterns_that_are_too_large_are_refused() {
    let app = App::start();
    let operator = app.operator();
    let make = |name: &str, regex: &str| {
        post(&operator, &format!("{DEMO}/custom_fields"), &json!({"name": name, "regex": regex}))
    };
    let refused = problem(&make("costly", "(?:a?){900}a{900}[\\p{L}]{2}"), 422);
    let error = &refused["errors"][0];
    assert_eq!(error["pointer"], "/regex");
    assert!(error["detail"].as_str().unwrap().contains("128 KiB"), "{error}");
    for n in 0..32 {
        assert_eq!(make(&format!("large{n}"), &large(n)).status, 201, "{n}");
    }
    let refused = problem(&make("one more", &large(32)), 422);
    let error = &refused["errors"][0];
    assert_eq!(error["resource"], "organisation");
    assert!(error["detail"].as_str().unwrap().contains("at most 4096 KiB"), "{error}");
}

/// 2.5 million entries, as a text and as an array.
#[test]
fn lists_that_are_too_long_take_no_memory() {
    let data = Data::passing();
    let program = Program::start(data.name());
    let till = program.till();
    till.add_one(&json!({"mobile": "919876543210"}));
    let before = peak_memory(&program);
    let list = format!("[1{}]", ",1".repeat(2_499_900));
    for value in [format!("\"{list}\""), list] {
        for (fields, name, warning) in
            [("custom_fields", "address", "1000 1017"), ("extended_fields", "city", "1000 91015")]
        {
            let field = format!(r#"{{"name":"{name}","value":{value}}}"#);
            let customer =
                format!(r#"{{"mobile":"919876543210","{fields}":{{"field":[{field}]}}}}"#);
            let body = format!(r#"{{"root":{{"customer":[{customer}]}}}}"#);
            let reply = till.post("/v1.1/customer/add", "application/json", body.as_bytes());
            let customer = &reply.json()["response"]["customers"]["customer"][0];
            assert_eq!(code(customer), warning);
        }
    }
    let grown = peak_memory(&program).saturating_sub(before);
    assert!(grown < 64 * MIB, "{} MiB", grown / MIB);
}

/// Six large registrations at once. Each costs as much as the limits allow.
#[test]
fn costly_registrations_do_not_delay_another_organisation() {
    let app = App::start();
    app.set_up(Kind::CustomFields, &json!({"name": "costly", "regex": large(0)}));
    let neighbour = app.till("other.till");
    let register = |n: u64| {
        let customer = neighbour.add_one(&json!({"mobile": 919_876_543_200 + n}));
        assert!(code(&customer).starts_with("1000"), "{customer}");
    };
    register(0);
    // So that no password is left to be verified.
    app.till("till.001").add_one(&json!({"mobile": "919876543210"}));

    let field = json!({"name": "costly", "value": "a".repeat(255)});
    let customer =
        |n: u64| json!({"mobile": 919_800_000_000 + n, "custom_fields": {"field": [field]}});
    let customers: Vec<Value> = (0..100).map(customer).collect();
    let body = json!({"root": {"customer": customers}}).to_string();
    let request = format!(
        "POST /v1.1/customer/add HTTP/1.1\r\nHost: localhost\r\nContent-Length: {}\r\n{AUTHORIZATION}\r\n\r\n{body}",
        body.len(),
    );
    let attackers: Vec<TcpStream> =
        (0..6).map(|_| TcpStream::connect(app.address).unwrap()).collect();
    for mut attacker in &attackers {
        attacker.write_all(request.as_bytes()).unwrap();
    }

    (1..=10).for_each(register);
    let is_answered = |attacker: &&TcpStream| {
        attacker.set_nonblocking(true).unwrap();
        attacker.peek(&mut [0]).is_ok()
    };
    let answered = attackers.iter().filter(is_answered).count();
    assert!(answered <= 4, "{answered} of 6 were answered before the neighbour was");
}
