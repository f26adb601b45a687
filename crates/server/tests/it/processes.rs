//! Several processes that serve one registry: what one of them changes, the others go by.

use std::process::Command;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use serde_json::json;

use crate::data::{self, Data};
use crate::durability::Program;
use crate::postgresql::Database;

/// How many register at once.
const CLIENTS: usize = 32;

/// Two processes that serve the demo.
fn two() -> (Data, [Program; 2]) {
    let data = Data::in_database(Database::new());
    let first = Program::start(data.name());
    let second = Program::start(data.name());
    (data, [first, second])
}

/// A registration is decided by what is set up at that moment, whoever set it up.
#[test]
fn a_setting_holds_at_once_for_every_registration() {
    let (data, programs) = two();
    let asha = json!([{"mobile": "919876543210", "external_id": "asha"}]);
    for program in &programs {
        assert_eq!(program.till().add(&asha).codes(), ["1000"]);
    }
    for _ in 0..5 {
        for (value, code) in [("REFUSE", "1014"), ("UPDATE", "1000")] {
            data.set(&[("KNOWN_CUSTOMER", value)]);
            for program in &programs {
                assert_eq!(program.till().add(&asha).codes(), [code]);
            }
        }
    }
}

/// Whoever registers does not keep whoever sets something up from it.
#[test]
fn a_setting_is_changed_however_busy_they_are() {
    let (data, programs) = two();
    let over = AtomicBool::new(false);
    thread::scope(|scope| {
        for client in 0..CLIENTS {
            let (till, over) = (programs[client % programs.len()].till(), &over);
            scope.spawn(move || {
                let asha = json!([{"external_id": format!("asha-{client}")}]);
                while !over.load(Ordering::Relaxed) {
                    let codes = till.add(&asha).codes();
                    assert!(codes == ["1000"] || codes == ["1014"], "{codes:?}");
                }
            });
        }
        for value in ["REFUSE", "UPDATE", "REFUSE", "UPDATE", "REFUSE"] {
            data.set(&[("KNOWN_CUSTOMER", value)]);
        }
        over.store(true, Ordering::Relaxed);
    });
}

/// They ask again for what somebody signs in with, soon after it was changed.
#[test]
fn a_password_that_was_changed_elsewhere_is_refused_soon() {
    let (data, programs) = two();
    let asha = json!([{"external_id": "asha"}]);
    for program in &programs {
        assert_eq!(program.till().add(&asha).codes(), ["1000"]);
    }
    let output = Command::new(env!("CARGO_BIN_EXE_patron"))
        .args(["till", "password", "demo", "till.001", "--random"])
        .args(data::flags(data.name()))
        .output()
        .unwrap();
    assert!(output.status.success(), "{output:?}");
    for program in &programs {
        while program.till().add(&asha).status != 401 {}
    }
}
