//! An organisation whose fields have costly patterns.

use serde_json::json;

use crate::admin::{DEMO, post, problem};
use crate::app::{App, code};
use crate::attacks::{MIB, peak_memory};
use crate::data::Data;
use crate::durability::Program;

/// One of the largest patterns that are accepted: 128 KiB compiled.
fn large(n: usize) -> String {
    format!("(?:a?){{900}}a{{900}}{n}")
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
