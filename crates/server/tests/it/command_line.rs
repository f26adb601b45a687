//! The command line: what it prints, and what it refuses.

use std::process::{Command, Output};

use serde_json::json;
use tempfile::TempDir;

use crate::durability::Program;

fn patron(arguments: &[&str], environment: &[(&str, &str)]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_patron"));
    command.args(arguments).envs(environment.iter().copied()).output().unwrap()
}

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).trim().to_owned()
}

#[test]
fn the_configuration_is_printed_as_it_takes_effect() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("patron.toml");
    std::fs::write(&file, "log = 'warn'\nbody_limit_bytes = 7\n").unwrap();
    let output = patron(
        &[
            "config",
            "--config",
            file.to_str().unwrap(),
            "--listen",
            "127.0.0.1:9",
            "--rate-limit",
            "7",
            "--checkpoint",
            "64",
        ],
        &[("PATRON_BODY_LIMIT_BYTES", "8"), ("PATRON_WRITER_CACHE_MIB", "32")],
    );
    insta::assert_snapshot!(String::from_utf8(output.stdout).unwrap(), @r#"
    listen = "127.0.0.1:9"
    data = "./patron-data"
    recent_identifiers = 300000
    writer_cache_mib = 32
    checkpoint_mib = 64
    tls_cert = ""
    tls_key = ""
    connection_limit = 1000
    connection_limit_per_address = 500
    trusted_proxies = ""
    idle_timeout_seconds = 120
    cors_origins = ""
    body_limit_bytes = 8
    header_timeout_seconds = 30
    body_timeout_seconds = 30
    shutdown_timeout_seconds = 30
    credential_cache_seconds = 60
    wrong_passwords_per_minute = 10
    rate_limit_per_minute = 7
    metrics_token_file = ""
    otlp_endpoint = ""
    session_minutes = 720
    log = "warn"
    log_format = "auto"
    "#);
}

#[test]
fn what_is_not_understood_is_refused() {
    let output = patron(&["config"], &[("PATRON_LISTN", "x")]);
    assert_eq!(output.status.code(), Some(1));
    assert_eq!(
        said(&output),
        "patron: the environment variable PATRON_LISTN names no key of the configuration"
    );
    let output = patron(&["config", "--config", "/nowhere.toml"], &[]);
    assert!(said(&output).starts_with("patron: cannot read the configuration /nowhere.toml"));
}

/// Its passwords are public, whether the flag is given or the data was filled earlier.
#[test]
fn the_demo_listens_on_loopback_only() {
    let directory = tempfile::tempdir().unwrap();
    let data = directory.path().to_str().unwrap();
    for flags in [vec!["--demo"], vec![]] {
        let mut arguments = vec!["serve", "--data", data, "--listen", "0.0.0.0:0"];
        arguments.extend(&flags);
        let output = patron(&arguments, &[("PATRON_LOG", "error")]);
        assert_eq!(output.status.code(), Some(1), "{flags:?}");
        assert_eq!(
            said(&output),
            "patron: the organisation `demo` is a demo with public passwords, served on loopback only; not on 0.0.0.0:0"
        );
    }
}

#[test]
fn a_number_out_of_range_is_refused() {
    let output = patron(&["config"], &[("PATRON_CREDENTIAL_CACHE_SECONDS", "99999999999")]);
    assert_eq!(
        said(&output),
        "patron: credential_cache_seconds is a number from 0 to 3600, not 99999999999"
    );
}

/// Where one customer is registered, and the program has ended.
fn data_with_one_customer() -> TempDir {
    let directory = tempfile::tempdir().unwrap();
    let mut program = Program::start(directory.path().to_str().unwrap());
    program.till().add_one(&json!({"mobile": "919876543210"}));
    assert_eq!(program.signal("-TERM"), Some(0));
    directory
}

fn check_ledger(directory: &TempDir, more: &[&str]) -> (Option<i32>, String, String) {
    let data = directory.path().to_str().unwrap();
    let output = patron(&[&["ledger", "check", "--data", data], more].concat(), &[]);
    let told = String::from_utf8(output.stdout.clone()).unwrap();
    (output.status.code(), told, said(&output))
}

#[test]
fn the_ledger_of_every_organisation_or_of_one_is_checked() {
    let directory = data_with_one_customer();
    let all = "demo: checked 1 customers\ndemo2: checked 0 customers\n".to_owned();
    assert_eq!(check_ledger(&directory, &[]), (Some(0), all, String::new()));
    let one = "demo2: checked 0 customers\n".to_owned();
    let checked = check_ledger(&directory, &["--organisation", "demo2"]);
    assert_eq!(checked, (Some(0), one, String::new()));
    let refused = "patron: cannot check `nobody`: there is no such organisation".to_owned();
    let checked = check_ledger(&directory, &["--organisation", "nobody"]);
    assert_eq!(checked, (Some(1), String::new(), refused));
}

/// An entry that the disk has changed: its kind and amount stand behind each other in the file.
#[test]
fn a_ledger_that_differs_from_its_balance_is_named() {
    let directory = data_with_one_customer();
    let file = directory.path().join("patron.sqlite");
    let mut bytes = std::fs::read(&file).unwrap();
    let entry = b"awarded100";
    let place = bytes.windows(entry.len()).position(|window| window == entry).unwrap();
    bytes[place + entry.len() - 1] = b'1';
    std::fs::write(&file, bytes).unwrap();
    let (code, told, said) = check_ledger(&directory, &[]);
    assert_eq!(
        told,
        "demo: customer 100000001, programme 469, points awarded: expected 101, found 100\n\
         demo: checked 1 customers\ndemo2: checked 0 customers\n"
    );
    assert_eq!(said, "patron: sums that differ between the ledger and the balances: 1");
    assert_eq!(code, Some(1));
}
