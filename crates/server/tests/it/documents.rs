//! What the documents say is so.

use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};

use serde_json::Value;

use crate::data::Data;
use crate::durability::Program;

pub fn read(path: &str) -> String {
    let path = format!("{}/../../{path}", env!("CARGO_MANIFEST_DIR"));
    std::fs::read_to_string(&path).unwrap_or_else(|_| panic!("{path}"))
}

/// The code blocks of a document in this language.
fn blocks(document: &str, language: &str) -> Vec<String> {
    let opening = format!("```{language}\n");
    let parts = document.split(&opening).skip(1);
    parts.map(|part| part.split("```").next().unwrap().to_owned()).collect()
}

/// The README's request, run as it stands but for the port, gives the README's reply but for times.
#[test]
fn the_readme_request_gives_its_reply() {
    let readme = read("README.md");
    let request =
        blocks(&readme, "sh").into_iter().find(|block| block.starts_with("curl")).unwrap();
    let data = Data::passing();
    let program = Program::start(data.name());
    let request = request.replace("127.0.0.1:8080", &program.address.to_string());
    let output = Command::new("sh").args(["-c", &request]).output().unwrap();
    let mut reply: Value = serde_json::from_slice(&output.stdout).unwrap();
    let expected: Value = serde_json::from_str(&blocks(&readme, "json")[0]).unwrap();
    // The time of the call.
    let updated_on = "/response/customers/customer/0/updated_on";
    *reply.pointer_mut(updated_on).unwrap() = expected.pointer(updated_on).unwrap().clone();
    assert_eq!(reply, expected);
}

/// The README's request with a key, run twice as it stands but for the port, gives one answer.
#[test]
fn the_readme_repeat_gets_the_first_answer() {
    let readme = read("README.md");
    let is_repeat = |block: &String| block.contains("Idempotency-Key");
    let request = blocks(&readme, "sh").into_iter().find(is_repeat).unwrap();
    let program = Program::start(":memory:");
    let request = request.replace("127.0.0.1:8080", &program.address.to_string());
    let [first, again] = [(); 2].map(|()| {
        let output = Command::new("sh").args(["-c", &request]).output().unwrap();
        let reply = String::from_utf8(output.stdout).unwrap();
        let (head, body) = reply.split_once("\r\n\r\n").unwrap();
        assert!(head.starts_with("HTTP/1.1 200 "), "{reply}");
        (head.to_lowercase().contains("\r\nidempotent-replayed: true\r\n"), body.to_owned())
    });
    assert!(first.1.contains("\"code\":\"1000\""), "{}", first.1);
    assert_eq!((first.0, again.0), (false, true));
    assert_eq!(first.1, again.1);
}

/// The commands of the page on setting up, run as they stand but for the port: those over HTTP in one
/// shell, the others beside a server of the same data, each command reading the same password.
#[test]
fn the_commands_of_setting_up_do_what_they_say() {
    let page = read("docs/setup.md");
    let blocks = |state: &str| blocks(&page, &format!("sh {state}"));
    let plain: Vec<_> = self::blocks(&page, "sh").into_iter().collect();
    assert_eq!(plain, Vec::<String>::new(), "each block says where it runs");
    let directory = tempfile::tempdir().unwrap();
    let programs = Path::new(env!("CARGO_BIN_EXE_patron")).parent().unwrap();
    let path = format!("{}:{}", programs.display(), std::env::var("PATH").unwrap());
    let run = |commands: &str| {
        let mut shell = Command::new("sh");
        shell.args(["-euc", commands]).current_dir(&directory).env("PATH", &path);
        let pipes = shell.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = pipes.spawn().unwrap();
        child.stdin.take().unwrap().write_all(b"a long password\n").unwrap();
        let output = child.wait_with_output().unwrap();
        assert!(output.status.success(), "{commands}{output:?}");
        String::from_utf8(output.stdout).unwrap()
    };
    let running = blocks("running").concat();
    assert!(running.contains("send PATCH"));
    let program = Program::start(":memory:");
    let replies = run(&running.replace("127.0.0.1:8080", &program.address.to_string()));
    assert!(replies.contains(r#""CONF_ALLOW_EMAIL_UPDATE":"1""#), "{replies}");

    drop(program);
    let data = directory.path().join("patron-data");
    let program = Program::start(data.to_str().unwrap());
    let served = blocks("served");
    assert!(!served.is_empty());
    for commands in served {
        run(&commands);
    }
    drop(program);
    std::fs::remove_dir_all(data).unwrap();
    let file = &self::blocks(&page, "toml")[0];
    std::fs::write(directory.path().join("brand.toml"), file).unwrap();
    let applied = run("patron org apply brand.toml --yes; patron org export brand");
    assert!(applied.contains("hamburg.1"), "{applied}");
}

/// The runbook's commands, run in order where Patron serves or was stopped, as each block says.
#[test]
fn the_commands_of_the_runbook_do_what_they_say() {
    let directory = tempfile::tempdir().unwrap();
    let data = directory.path().join("patron-data");
    let programs = Path::new(env!("CARGO_BIN_EXE_patron")).parent().unwrap();
    let path = format!("{}:{}", programs.display(), std::env::var("PATH").unwrap());
    let runbook = read("docs/operations.md");
    let mut program = None;
    let mut ran = 0;
    for block in runbook.split("```sh ").skip(1) {
        let (state, commands) = block.split("```").next().unwrap().split_once('\n').unwrap();
        match state {
            "running" if program.is_none() => {
                program = Some(Program::start(data.to_str().unwrap()));
            }
            "running" => {}
            "stopped" => program = None,
            // What can be saved of data that were deleted has a test of its own.
            "deleted" => continue,
            other => panic!("{other}"),
        }
        let output = Command::new("sh")
            .args(["-euc", commands])
            .current_dir(&directory)
            .env("PATH", &path)
            .output()
            .unwrap();
        assert!(output.status.success(), "{commands}{output:?}");
        ran += 1;
    }
    assert!(ran > 0);
}

#[test]
fn the_openapi_document_is_what_the_program_prints() {
    let output = Command::new(env!("CARGO_BIN_EXE_patron")).arg("openapi").output().unwrap();
    let printed: Value = serde_json::from_slice(&output.stdout).unwrap();
    let committed: Value = serde_json::from_str(&read("docs/openapi.json")).unwrap();
    assert!(printed == committed, "write it anew: patron openapi > docs/openapi.json");
}

#[test]
fn the_catalogues_are_what_the_program_prints() {
    for (command, page) in [
        ("codes", "docs/errors.md"),
        ("settings", "docs/settings.md"),
        ("limits", "docs/limits.md"),
    ] {
        let output = Command::new(env!("CARGO_BIN_EXE_patron")).arg(command).output().unwrap();
        let printed = String::from_utf8(output.stdout).unwrap();
        assert!(read(page) == printed, "write it anew: patron {command} > {page}");
    }
}

/// Every test that the pages on durability and security name is one.
#[test]
fn the_proofs_are_there() {
    for page in ["docs/durability.md", "docs/security.md"] {
        let text = read(page);
        let quoted = text.split('`').skip(1).step_by(2);
        let named: Vec<_> = quoted.filter_map(|quoted| quoted.split_once(".rs: ")).collect();
        assert!(!named.is_empty(), "{page}");
        for (file, test) in named {
            let source = read(&format!("crates/{file}.rs"));
            assert!(source.contains(&format!("fn {test}(")), "{page}: {file}.rs has no {test}");
        }
    }
}
