//! `patron check`, `patron backup`, `patron restore`, on data that are served, were killed, or are
//! damaged.

use std::path::Path;
use std::process::{Command, Output};

use serde_json::json;

use crate::durability::Program;

fn patron(directory: &Path, arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_patron"));
    command.current_dir(directory).args(arguments).output().unwrap()
}

/// Runs a command that must end with this code; what it printed.
fn run(directory: &Path, arguments: &[&str], code: i32) -> String {
    let output = patron(directory, arguments);
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(code), "{arguments:?}: {said}");
    // Without a terminal, only a failure has something to say.
    assert_eq!(said.is_empty(), code == 0, "{said}");
    format!("{}{said}", String::from_utf8(output.stdout).unwrap())
}

fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

/// What `patron check` prints of data that are whole, with so many customers.
fn assert_whole(printed: &str, customers: usize) {
    let parts: Vec<_> = printed.lines().collect();
    assert!(parts.len() > 5 && parts.iter().all(|part| part.ends_with("  ok")), "{printed}");
    assert_eq!(
        parts[2].split_whitespace().collect::<Vec<_>>(),
        ["customers", &customers.to_string(), "ok"]
    );
}

#[test]
fn data_that_are_served_are_checked_backed_up_and_not_restored_over() {
    let directory = tempfile::tempdir().unwrap();
    let here = directory.path();
    let program = Program::start(text(&here.join("patron-data")));
    let till = program.till();
    let customer = till.add_one(&json!({"mobile": "919876543210"}));
    assert_whole(&run(here, &["check"], 0), 1);
    let printed = run(here, &["backup", "backup.sqlite"], 0);
    assert!(
        printed.starts_with("backup.sqlite: ") && printed.ends_with(" KiB, checked\n"),
        "{printed}"
    );
    assert_whole(&run(here, &["check", "backup.sqlite"], 0), 1);
    assert_eq!(
        run(here, &["backup", "backup.sqlite"], 1),
        "patron: cannot back up the data: backup.sqlite is there already; `--overwrite` replaces it\n"
    );
    assert_eq!(
        run(here, &["restore", "backup.sqlite", "--overwrite"], 1),
        "patron: cannot restore the backup: ./patron-data is in use by another process; \
         stop that one first, or choose another directory\n"
    );
    till.add_one(&json!({"mobile": "919876543211"}));
    run(here, &["backup", "backup.sqlite", "--overwrite"], 0);
    assert_whole(&run(here, &["check", "backup.sqlite"], 0), 2);
    till.add_one(&json!({"mobile": "919876543212"}));
    drop(program);

    // Killed: whatever it left is data as well.
    assert_whole(&run(here, &["check"], 0), 3);
    assert_eq!(
        run(here, &["restore", "backup.sqlite"], 1),
        "patron: cannot restore the backup: ./patron-data/patron.sqlite is there already; \
         `--overwrite` replaces it\n"
    );
    assert_eq!(
        run(here, &["restore", "backup.sqlite", "--data", "other"], 0),
        "other: restored from backup.sqlite, checked\n"
    );
    let program = Program::start(text(&here.join("other")));
    let again = program.till().add_one(&json!({"mobile": "919876543210"}));
    assert_eq!(again["user_id"], customer["user_id"]);
    assert_eq!(again["side_effects"]["effect"], json!([]));
    drop(program);
    run(here, &["restore", "backup.sqlite", "--overwrite"], 0);
    assert_whole(&run(here, &["check"], 0), 2);
}

#[test]
fn what_is_damaged_has_an_exit_code_of_its_own() {
    let directory = tempfile::tempdir().unwrap();
    let here = directory.path();
    let mut program = Program::start(text(&here.join("patron-data")));
    program.till().add_one(&json!({"mobile": "919876543210"}));
    assert_eq!(program.signal("-TERM"), Some(0));
    let file = here.join("patron-data/patron.sqlite");
    let mut bytes = std::fs::read(&file).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle..].fill(0);
    std::fs::write(&file, bytes).unwrap();
    for arguments in [
        ["check"].as_slice(),
        &["check", "patron-data/patron.sqlite"],
        &["backup", "backup.sqlite"],
        &["restore", "patron-data/patron.sqlite", "--data", "other"],
    ] {
        let said = run(here, arguments, 3);
        assert!(said.contains("database file") && said.contains("faults: "), "{said}");
        assert!(said.trim_end().ends_with("docs/operations.md says what to do"), "{said}");
    }
    assert!(!here.join("backup.sqlite").exists());
    assert!(!here.join("other/patron.sqlite").exists());
}

#[test]
fn data_in_memory_have_no_files() {
    let directory = tempfile::tempdir().unwrap();
    let said = run(directory.path(), &["check", "--data", ":memory:"], 1);
    assert_eq!(said, "patron: data in memory have no files\n");
}
