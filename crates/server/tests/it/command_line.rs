//! The command line: what it prints, and what it refuses.

use std::process::{Command, Output};

fn patron(arguments: &[&str], environment: &[(&str, &str)]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_patron"));
    command
        .args(arguments)
        .envs(environment.iter().copied())
        .output()
        .unwrap()
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
        ],
        &[("PATRON_BODY_LIMIT_BYTES", "8")],
    );
    insta::assert_snapshot!(String::from_utf8(output.stdout).unwrap(), @r#"
    listen = "127.0.0.1:9"
    data = "./patron-data"
    body_limit_bytes = 8
    header_timeout_seconds = 30
    body_timeout_seconds = 30
    shutdown_timeout_seconds = 30
    credential_cache_seconds = 60
    wrong_passwords_per_minute = 10
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

#[test]
fn the_demo_listens_on_loopback_only() {
    let output = patron(
        &[
            "serve",
            "--demo",
            "--data",
            ":memory:",
            "--listen",
            "0.0.0.0:0",
        ],
        &[],
    );
    assert_eq!(output.status.code(), Some(1));
    assert_eq!(
        said(&output),
        "patron: --demo listens on loopback only, since its passwords are public; not on 0.0.0.0:0"
    );
}

#[test]
fn data_of_a_newer_program_is_refused() {
    let directory = tempfile::tempdir().unwrap();
    let data = directory.path().to_str().unwrap();
    let mut program = crate::durability::Program::start(data);
    program.child.kill().unwrap();
    program.child.wait().unwrap();
    let database = directory.path().join("patron.sqlite");
    let sql =
        "INSERT INTO refinery_schema_history VALUES (99, 'later', '2030-01-01T00:00:00Z', '1')";
    let edited = Command::new("sqlite3")
        .arg(database)
        .arg(sql)
        .status()
        .unwrap();
    assert!(edited.success());
    let output = crate::durability::command(data).output().unwrap();
    assert_eq!(
        said(&output),
        "patron: cannot open the data: the data has schema version 99, this program knows versions up to 1; use a newer program"
    );
}
