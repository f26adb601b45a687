//! What Patron cannot help: a full disk, files that are taken away, a clock that is wrong. It says so
//! (503 with `Retry-After`), goes on with what it can, and recovers by itself where that is possible.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::atomic::{AtomicI64, Ordering};

use fastrand::Rng;
use jiff::{SignedDuration, Timestamp};
use serde_json::json;

use crate::app::{App, Client, NOW, Reply};
use crate::durability::{Program, command};
#[cfg(target_os = "linux")]
use crate::proof::disk::{Disk, Left, Tracer};

/// The most customers who are registered until something fails.
const MANY: u64 = 20_000;

fn mobile(number: u64) -> String {
    (919_000_000_000 + number).to_string()
}

fn add(till: &Client, number: u64) -> Reply {
    // Something of a size, so that it does not take too many.
    let field = json!([{"name": "address", "value": "x".repeat(500)}]);
    till.add(&json!([{"mobile": mobile(number), "custom_fields": {"field": field}}]))
}

fn is_found(till: &Client, number: u64) -> bool {
    let reply = till.get(&format!("/v1.1/customer/get?mobile={}", mobile(number)));
    assert_eq!(reply.status, 200, "look-ups go on: {}", reply.text);
    reply.customer(0)["item_status"]["success"] == "true"
}

/// A refusal that says to come back.
fn assert_unavailable(reply: &Reply) {
    assert_eq!(reply.status, 503, "{}", reply.text);
    assert_eq!(reply.header("retry-after"), "1");
    assert_eq!(reply.response_status()["code"], 503);
}

/// Waits for this status of `/readyz`: an answer is given for a second.
fn assert_ready(program: &Program, status: u16) {
    let anonymous = Client::new(program.address, None);
    while anonymous.get("/readyz").status != status {}
    assert_eq!(anonymous.get("/livez").status, 200);
}

/// Registers until nothing can be written any more; how many were registered.
fn register_until_it_fails(program: &Program) -> u64 {
    let till = program.till();
    let mut registered = 0;
    for _ in 0..MANY {
        let reply = add(&till, registered);
        if reply.status == 200 {
            assert_eq!(reply.codes(), ["1000"]);
            registered += 1;
            continue;
        }
        assert_unavailable(&reply);
        // There may be room left for less.
        if Client::new(program.address, None).get("/readyz").status == 503 {
            return registered;
        }
    }
    panic!("it never fails");
}

/// Whoever was registered is there, and the rest is registered as if nothing had been.
fn assert_recovered(program: &Program, registered: u64) {
    let till = program.till();
    assert_eq!(add(&till, registered).codes(), ["1000"]);
    assert_ready(program, 200);
    for number in (0..registered).step_by(17).chain([registered]) {
        assert!(is_found(&till, number), "{number} of {registered}");
    }
}

/// A mount namespace in which this process's user may mount something; `None` where the system
/// does not allow it.
fn namespace() -> Option<Vec<&'static str>> {
    let ways = [vec!["unshare", "--mount"], vec!["unshare", "--mount", "--map-root-user"]];
    ways.into_iter().find(|way| {
        let mut tried = Command::new(way[0]);
        tried.args(&way[1..]).args(["mount", "-t", "tmpfs", "tmpfs", "/mnt"]);
        tried.stdout(Stdio::null()).stderr(Stdio::null());
        tried.status().is_ok_and(|status| status.success())
    })
}

/// Has a shell do something first, and then become the program.
fn serve_after(mut shell: Command, prepare: &str, directory: &Path, data: &str) -> Command {
    shell.args(["sh", "-euc", &format!("{prepare}; exec \"$0\" \"$@\"")]);
    let serve = command(data);
    shell.arg(serve.get_program()).args(serve.get_args()).current_dir(directory);
    shell.env("PATRON_LOG", "error");
    shell
}

/// The same with a mount namespace of its own.
fn in_namespace(prepare: &str, directory: &Path) -> Option<Command> {
    let Some(way) = namespace() else {
        eprintln!("SKIPPED: this system does not let the test mount anything");
        return None;
    };
    let mut shell = Command::new(way[0]);
    shell.args(&way[1..]);
    fs::create_dir(directory.join("disk")).unwrap();
    Some(serve_after(shell, prepare, directory, "disk/data"))
}

#[cfg(target_os = "linux")]
#[test]
fn a_full_disk_refuses_until_there_is_room_and_look_ups_go_on() {
    let directory = tempfile::tempdir().unwrap();
    let mount = "mount -t tmpfs -o size=8m tmpfs disk";
    let Some(mut shell) = in_namespace(mount, directory.path()) else { return };
    let program = Program::spawn(&mut shell);
    // The disk as the process sees it.
    let root = PathBuf::from(format!("/proc/{}/root", program.child.id()));
    let ballast = root.join(directory.path().strip_prefix("/").unwrap()).join("disk/ballast");
    let till = program.till();
    assert_eq!(add(&till, 0).codes(), ["1000"]);
    let full = fs::write(&ballast, vec![0; 16 << 20]).unwrap_err();
    assert_eq!(full.kind(), std::io::ErrorKind::StorageFull);

    let registered = register_until_it_fails(&program);
    assert_ready(&program, 503);
    assert!(is_found(&till, 0));
    assert_unavailable(&add(&till, registered));
    fs::remove_file(&ballast).unwrap();
    assert_recovered(&program, registered);
}

/// What a failed sync was to put on disk is in memory alone from then on. Nobody is told of it, and
/// whoever goes on from it, at once or after a start, puts it on disk first.
#[cfg(target_os = "linux")]
#[test]
fn a_sync_that_fails_is_refused_and_loses_nobody() {
    let directory = tempfile::tempdir().unwrap();
    let data = fs::canonicalize(directory.path()).unwrap().join("data");
    let (tracer, broken) = (Tracer::new(&data), directory.path().join("broken"));
    let start = || {
        let mut serve = command(data.to_str().unwrap());
        tracer.trace(&mut serve);
        Program::spawn(serve.env("DISK_BROKEN", &broken).env("PATRON_LOG", "off"))
    };
    let mut program = start();
    assert_eq!(add(&program.till(), 0).codes(), ["1000"]);
    for (number, ends) in [(1, false), (2, true)] {
        fs::write(&broken, "").unwrap();
        assert_unavailable(&add(&program.till(), number));
        assert_ready(&program, 503);
        assert!(is_found(&program.till(), 0));
        assert!(!is_found(&program.till(), number));
        if ends {
            program.signal("-9");
        }
        fs::remove_file(&broken).unwrap();
        if ends {
            program = start();
        }
        assert_recovered(&program, number);
    }
    program.signal("-9");

    let (mut disk, mut rng) = (Disk::default(), Rng::with_seed(1));
    disk.advance(&tracer.notes(), u64::MAX);
    disk.assert_is(&data);
    for left in Left::ALL {
        let copy = tempfile::tempdir().unwrap();
        disk.cut(left, &mut rng, copy.path());
        let program = Program::start(copy.path().to_str().unwrap());
        for number in 0..3 {
            assert!(is_found(&program.till(), number), "{number} where {left:?} is left");
        }
    }
}

/// A limit on the size of files: another way for a write to fail, and one that every system has.
#[cfg(target_os = "linux")]
#[test]
fn writes_that_fail_are_refused_until_they_succeed_and_look_ups_go_on() {
    let directory = tempfile::tempdir().unwrap();
    // In blocks of 512 bytes. The limit is a failed write for whoever ignores its signal.
    let limited = "trap '' XFSZ; ulimit -S -f 4000";
    let mut shell = serve_after(Command::new("env"), limited, directory.path(), "data");
    let program = Program::spawn(&mut shell);
    let registered = register_until_it_fails(&program);
    assert!(registered > 0);
    assert_ready(&program, 503);
    assert!(is_found(&program.till(), 0));
    let id = program.child.id().to_string();
    let lifted =
        Command::new("prlimit").args(["--pid", &id, "--fsize=unlimited"]).status().unwrap();
    assert!(lifted.success());
    assert_recovered(&program, registered);
}

#[cfg(target_os = "linux")]
#[test]
fn a_directory_that_cannot_be_written_is_refused_at_the_start() {
    let directory = tempfile::tempdir().unwrap();
    let mount = "mount -t tmpfs tmpfs disk; mkdir disk/data; mount -o remount,ro disk";
    let Some(mut shell) = in_namespace(mount, directory.path()) else { return };
    let output = shell.stderr(Stdio::piped()).output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!(
        said.trim(),
        "patron: cannot open the data: cannot open disk/data/patron.lock: Read-only file system (os error 30)"
    );
}

fn served() -> (tempfile::TempDir, PathBuf, Program) {
    let directory = tempfile::tempdir().unwrap();
    let data = directory.path().join("data");
    let program = Program::start(data.to_str().unwrap());
    assert_eq!(add(&program.till(), 0).codes(), ["1000"]);
    (directory, data, program)
}

#[cfg(unix)]
#[test]
fn a_directory_that_was_moved_away_refuses_until_it_is_back() {
    let (directory, data, program) = served();
    let till = program.till();
    let away = directory.path().join("away");
    for number in 1..4 {
        fs::rename(&data, &away).unwrap();
        assert_unavailable(&add(&till, number));
        assert_ready(&program, 503);
        assert!(is_found(&till, number - 1));
        fs::rename(&away, &data).unwrap();
        assert_eq!(add(&till, number).codes(), ["1000"]);
        assert_ready(&program, 200);
    }
}

/// What was acknowledged before can be saved as long as the process runs, as the runbook says.
#[cfg(target_os = "linux")]
#[test]
fn a_directory_that_was_deleted_refuses_for_good_and_its_data_can_be_saved() {
    let (directory, data, mut program) = served();
    let till = program.till();
    fs::remove_dir_all(&data).unwrap();
    for number in 1..4 {
        assert_unavailable(&add(&till, number));
    }
    assert_ready(&program, 503);
    assert!(is_found(&till, 0));

    let runbook = include_str!("../../../../docs/operations.md");
    let block = runbook.split("```sh deleted\n").nth(1).unwrap().split("```").next().unwrap();
    let id = program.child.id().to_string();
    let programs = Path::new(env!("CARGO_BIN_EXE_patron")).parent().unwrap();
    let path = format!("{}:{}", programs.display(), std::env::var("PATH").unwrap());
    let saved = Command::new("sh")
        .args(["-euc", &block.replace("$(pidof patron)", &id)])
        .env("PATH", path)
        .current_dir(&directory)
        .output()
        .unwrap();
    assert!(saved.status.success(), "{saved:?}");
    assert_eq!(program.signal("-TERM"), Some(0));
    let saved = directory.path().join("saved");
    let program = Program::start(saved.to_str().unwrap());
    assert!(is_found(&program.till(), 0));
    assert_eq!(add(&program.till(), 1).codes(), ["1000"]);
}

#[cfg(unix)]
#[test]
fn a_database_that_was_replaced_is_left_alone_until_patron_is_started_again() {
    let (directory, data, mut program) = served();
    let till = program.till();
    // Another database, of which nobody asked Patron.
    let other = directory.path().join("other");
    let mut another = Program::start(other.to_str().unwrap());
    assert_eq!(add(&another.till(), 7).codes(), ["1000"]);
    assert_eq!(another.signal("-TERM"), Some(0));
    fs::rename(other.join("patron.sqlite"), data.join("patron.sqlite")).unwrap();

    assert_unavailable(&add(&till, 1));
    assert_ready(&program, 503);
    assert!(is_found(&till, 0));
    assert!(!is_found(&till, 7));
    assert_eq!(program.signal("-TERM"), Some(0));

    // The log beside it is the old one's.
    let said = refused(&["serve", "--data", "data"], directory.path());
    assert_eq!(
        said,
        "patron: cannot open the data: data/patron.sqlite was put in the place of the database to which \
         data/patron.sqlite-wal belongs; docs/operations.md says what to do"
    );
    refused(&["check", "--data", "data"], directory.path());
    refused(&["backup", "backup.sqlite", "--data", "data"], directory.path());
    // As the runbook says.
    let new = directory.path().join("new.sqlite");
    fs::rename(data.join("patron.sqlite"), &new).unwrap();
    assert!(
        patron(&["restore", "new.sqlite", "--overwrite", "--data", "data"], directory.path())
            .status
            .success()
    );
    let program = Program::start(data.to_str().unwrap());
    assert!(is_found(&program.till(), 7));
    assert!(!is_found(&program.till(), 0));
    assert_eq!(add(&program.till(), 1).codes(), ["1000"]);
}

fn patron(arguments: &[&str], directory: &Path) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_patron"));
    command.args(arguments).current_dir(directory).env("PATRON_LOG", "error").output().unwrap()
}

/// What a command says that fails.
fn refused(arguments: &[&str], directory: &Path) -> String {
    let output = patron(arguments, directory);
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    String::from_utf8(output.stderr).unwrap().trim().to_owned()
}

/// A directory that was copied as a whole, log and all, is served like the one it was copied from.
#[cfg(unix)]
#[test]
fn a_copy_of_a_whole_directory_is_served() {
    let (directory, data, mut program) = served();
    program.signal("-9");
    let copy = directory.path().join("copy");
    assert!(Command::new("cp").arg("-a").args([&data, &copy]).status().unwrap().success());
    for data in [data, copy] {
        let program = Program::start(data.to_str().unwrap());
        assert!(is_found(&program.till(), 0));
    }
}

const DEMO: &str = include_str!("../../src/demo/demo.toml");

/// How far the clock of the test below is off, in seconds.
static OFF: AtomicI64 = AtomicI64::new(0);

#[test]
fn a_clock_that_jumps_back_changes_times_and_nothing_else() {
    let app = App::of_at(DEMO, || {
        let off = SignedDuration::from_secs(OFF.load(Ordering::Relaxed));
        NOW.parse::<Timestamp>().unwrap() + off
    });
    let till = app.till("till.001");
    let before = till.add_one(&json!({"mobile": mobile(0)}));
    // A day, and then many years.
    for (number, off) in [(1, -86_400), (2, -2_000_000_000)] {
        OFF.store(off, Ordering::Relaxed);
        let known = till.add_one(&json!({"mobile": mobile(0)}));
        assert_eq!(known["user_id"], before["user_id"]);
        assert_eq!(known["registered_on"], before["registered_on"]);
        assert_eq!(known["updated_on"], before["updated_on"], "it never goes back");
        assert_eq!(known["side_effects"]["effect"], json!([]), "nothing is awarded again");
        let new = till.add_one(&json!({"mobile": mobile(number)}));
        assert!(new["user_id"].as_i64() > before["user_id"].as_i64());
    }
    OFF.store(0, Ordering::Relaxed);
    let after = till.add_one(&json!({"mobile": mobile(0)}));
    assert_eq!(after["updated_on"], before["updated_on"]);
}
