//! An organisation whose fields have costly patterns.

use serde_json::json;

use crate::admin::{DEMO, post, problem};
use crate::app::App;

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
