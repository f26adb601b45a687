//! `patron copy`: killed and gone on with, and what it prints and ends with.

use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::thread;
use std::time::Duration;

use fastrand::Rng;
use serde_json::{Value, json};

use crate::data::{self, Data};
use crate::durability::Program;
use crate::postgresql::Database;

/// How many customers there are, and how many of them come in one call.
const CUSTOMERS: usize = 1_500;
const CALL: usize = 50;
/// How often a copy is killed, unless it is done before.
const KILLS: u32 = 6;
/// The longest time for which it goes on once it has begun.
const PAUSE: Duration = Duration::from_millis(250);
const UNFINISHED: &str = "that was not finished; `patron copy` with the same `--from` and `--to`";

fn customer(number: usize) -> Value {
    json!({
        "mobile": format!("9198{number:08}"),
        "email": format!("who{number}@example.org"),
        "firstname": "Asha",
    })
}

/// A directory with many customers of the demo.
fn filled() -> Data {
    let data = Data::in_a_directory();
    let mut program = Program::start(data.name());
    let till = program.till();
    for first in (0..CUSTOMERS).step_by(CALL) {
        let customers: Vec<Value> = (first..first + CALL).map(customer).collect();
        let codes = till.add(&json!(customers)).codes();
        assert!(codes.iter().all(|code| *code == "1000"), "{codes:?}");
    }
    assert_eq!(program.signal("-TERM"), Some(0));
    data
}

/// As `patron copy` names it.
fn named(data: &str) -> String {
    if data.starts_with("postgres://") { data.to_owned() } else { format!("sqlite:{data}") }
}

fn copying(from: &str, to: &str) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_patron"));
    command.args(["copy", "--from", &named(from), "--to", &named(to)]);
    command
}

/// Runs a command that must end with this code; what it printed.
fn run(command: &mut Command, code: i32) -> String {
    let Output { status, stdout, stderr } = command.output().unwrap();
    let printed = [stdout, stderr].map(|text| String::from_utf8(text).unwrap()).concat();
    assert_eq!(status.code(), Some(code), "{command:?}: {printed}");
    printed
}

/// Whether whoever looks is told of half a copy.
fn is_half_copied(data: &str) -> bool {
    let mut command = Command::new(env!("CARGO_BIN_EXE_patron"));
    if data.starts_with("postgres://") {
        command.args(["org", "list"]);
    } else {
        command.arg("check");
    }
    let output = command.args(data::flags(data)).output().unwrap();
    String::from_utf8(output.stderr).unwrap().contains(UNFINISHED)
}

/// Kills a copy again and again, each time a while after it has begun; how often.
fn kill(from: &str, to: &str, rng: &mut Rng) -> u32 {
    for killed in 0..KILLS {
        let mut child = copying(from, to).stdout(Stdio::null()).spawn().unwrap();
        while !is_half_copied(to) && child.try_wait().unwrap().is_none() {}
        // At once at first, so that one at least comes before the end.
        thread::sleep(PAUSE.mul_f64(rng.f64() * f64::from(killed) / f64::from(KILLS)));
        child.kill().unwrap();
        if child.wait().unwrap().success() || !is_half_copied(to) {
            return killed;
        }
        let mut serving = Command::new(env!("CARGO_BIN_EXE_patron"));
        serving.args(["serve", "--listen", "127.0.0.1:0"]).args(data::flags(to));
        let refused = run(&mut serving, 1);
        assert!(refused.contains(UNFINISHED), "{refused}");
    }
    KILLS
}

/// Goes on with a copy of so many if it is not done, looks for them there, and adds another one;
/// their id.
fn finish(from: &str, to: &str, customers: usize) -> u64 {
    if is_half_copied(to) {
        let printed = run(&mut copying(from, to), 0);
        let lines: Vec<_> = printed.lines().collect();
        let (last, parts) = lines.split_last().unwrap();
        assert!(parts.iter().all(|part| part.ends_with("  ok")), "{printed}");
        let counted = |line: &str| line.split_whitespace().map(str::to_owned).collect::<Vec<_>>();
        let expected = ["customer", &customers.to_string(), "ok"];
        assert!(parts.iter().any(|part| counted(part) == expected), "{printed}");
        assert!(last.contains(": the same as "), "{printed}");
    }
    let program = Program::start(to);
    let till = program.till();
    for number in (0..CUSTOMERS).step_by(CUSTOMERS / 10) {
        let again = till.add_one(&customer(number));
        assert_eq!(again["user_id"], 100_000_001 + number);
        assert_eq!(again["side_effects"]["effect"], json!([]));
    }
    till.add_one(&customer(customers))["user_id"].as_u64().unwrap()
}

#[test]
fn a_copy_that_is_killed_is_gone_on_with_and_serves_nobody_before() {
    let mut rng = Rng::with_seed(7);
    let source = filled();
    let database = Data::in_database(Database::empty());
    let mut killed = kill(source.name(), database.name(), &mut rng);
    let new = finish(source.name(), database.name(), CUSTOMERS);
    assert!(new > 100_000_000 + CUSTOMERS as u64, "{new}");

    // Back again, with the one who came there.
    let directory = tempfile::tempdir().unwrap();
    let back = directory.path().join("back");
    let back = back.to_str().unwrap();
    killed += kill(database.name(), back, &mut rng);
    let newer = finish(database.name(), back, CUSTOMERS + 1);
    assert!(newer > new, "{newer} after {new}");
    assert!(killed >= 2, "{killed}");
}

/// A directory with the demo and nobody in it.
fn demo(directory: &Path) -> String {
    let data = directory.to_str().unwrap().to_owned();
    let mut program = Program::start(&data);
    assert_eq!(program.signal("-TERM"), Some(0));
    data
}

#[test]
fn what_it_comes_to_is_told_by_its_exit_code() {
    let directory = tempfile::tempdir().unwrap();
    let [from, to, nothing] =
        ["from", "to", "nothing"].map(|name| directory.path().join(name).display().to_string());
    demo(Path::new(&from));

    let mut command = Command::new(env!("CARGO_BIN_EXE_patron"));
    assert!(run(command.args(["copy", "--from", "sqlite:x"]), 2).contains("--to"));
    let said = run(&mut copying(&nothing, &to), 1);
    assert!(said.contains("there is no database in "), "{said}");
    for (place, expected) in [
        ("", "--to: it names nothing"),
        ("sqlite::memory:", "--to: data in memory are not copied"),
        ("patron-data", "database is `postgres://USER@HOST/NAME` or `sqlite:DIRECTORY`, not this"),
    ] {
        let mut command = Command::new(env!("CARGO_BIN_EXE_patron"));
        let said = run(command.args(["copy", "--from", &named(&from), "--to", place]), 1);
        assert!(said.contains(expected), "{said}");
    }

    // Both ends may be told by variables.
    let mut command = Command::new(env!("CARGO_BIN_EXE_patron"));
    command.env("PATRON_COPY_FROM", named(&from)).env("PATRON_COPY_TO", named(&to));
    let printed = run(command.arg("copy"), 0);
    assert!(printed.ends_with(&format!("{to}: the same as {from}\n")), "{printed}");
    let said = run(&mut copying(&from, &to), 1);
    assert!(said.contains("holds a registry already"), "{said}");
    run(copying(&from, &to).arg("--verify-only"), 0);

    let mut program = Program::start(&from);
    program.till().add_one(&customer(0));
    let said = run(copying(&from, &to).arg("--verify-only"), 1);
    assert!(said.contains("is in use by another process"), "{said}");
    assert_eq!(program.signal("-TERM"), Some(0));
    let said = run(copying(&from, &to).arg("--verify-only"), 3);
    assert!(said.contains("customer 100000001: not in the copy"), "{said}");
    assert!(said.trim_end().ends_with("docs/operations.md says what to do"), "{said}");
    assert!(!said.contains("9198") && !said.contains("@example.org"), "{said}");
}
