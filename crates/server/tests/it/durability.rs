//! The real program: killed, restarted, started twice, stopped.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread;

use patron_server::auth::password::md5_hex;
use serde_json::json;

use crate::app::Client;
use crate::data::{self, Data};

/// The header with which `till.001` of the demo signs in.
pub const AUTHORIZATION: &str =
    "Authorization: Basic dGlsbC4wMDE6ZmUwMWNlMmE3ZmJhYzhmYWZhZWQ3Yzk4MmEwNGUyMjk=";

/// The program, serving the demo on a port of its own.
pub struct Program {
    pub child: Child,
    pub address: SocketAddr,
}

impl Program {
    pub fn start(data: &str) -> Self {
        Self::spawn(&mut command(data))
    }

    pub fn spawn(command: &mut Command) -> Self {
        let mut child = command.stdout(Stdio::piped()).spawn().unwrap();
        let address = listening(&mut child);
        Self { child, address }
    }

    /// Serves whatever the data holds.
    pub fn serve(data: &str) -> Self {
        let mut command = Command::new(env!("CARGO_BIN_EXE_patron"));
        command.args(["serve", "--listen", "127.0.0.1:0"]).args(data::flags(data));
        command.env("PATRON_LOG_FORMAT", "json");
        command.stdout(Stdio::null()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let lines = BufReader::new(child.stderr.take().unwrap()).lines();
        let address = |line: String| {
            let line: serde_json::Value = serde_json::from_str(&line).ok()?;
            line["address"].as_str()?.parse().ok()
        };
        let address = lines.map_while(Result::ok).find_map(address).expect("it logs its address");
        Self { child, address }
    }

    pub fn till(&self) -> Client {
        program_till(self.address)
    }

    /// Sends a signal and waits for the end; its exit code.
    pub fn signal(&mut self, name: &str) -> Option<i32> {
        let id = self.child.id().to_string();
        assert!(Command::new("kill").args([name, &id]).status().unwrap().success());
        self.child.wait().unwrap().code()
    }
}

/// The address that a program which was just started says it listens on.
pub fn listening(child: &mut Child) -> SocketAddr {
    let lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let address = |line: String| {
        let (_, rest) = line.split_once("http://")?;
        rest.split_once('/')?.0.parse().ok()
    };
    lines.map_while(Result::ok).find_map(address).expect("it says where it listens")
}

pub fn program_till(address: SocketAddr) -> Client {
    Client::new(address, Some(("till.001", &md5_hex("demo"))))
}

impl Drop for Program {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Serves the demo from this directory or database, without a limit of calls.
pub fn command(data: &str) -> Command {
    let mut command = limited(data);
    command.args(["--rate-limit", "0"]);
    command
}

/// The same with the default limit.
pub fn limited(data: &str) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_patron"));
    command.args(["serve", "--demo", "--listen", "127.0.0.1:0"]).args(data::flags(data));
    command.env("PATRON_LOG", "error");
    command
}

fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

#[test]
fn customers_survive_a_kill() {
    let data = Data::lasting();
    let customer = json!({
        "mobile": "919876543210", "email": "Asha@example.com", "external_id": "a-1", "firstname": "Asha",
        "registered_on": "2024-07-29 11:11:11", "fraud_status": "INTERNAL", "updated_on": "2025-01-01 00:00:00",
        "commChannels": [{"type": "mobile", "value": "919876543210", "primary": "true"}],
        "custom_fields": {"field": [{"name": "City_name", "value": "Bangalore"}]},
        "extended_fields": {"field": [{"name": "age", "value": "25"}]},
    });
    let mut program = Program::start(data.name());
    let mut before = program.till().add_one(&customer);
    program.signal("-9");

    let mut program = Program::start(data.name());
    let after =
        program.till().add_one(&json!({"external_id": "a-1", "updated_on": "2025-01-01 00:00:00"}));
    assert_eq!(before["side_effects"]["effect"].as_array().unwrap().len(), 1);
    before["side_effects"]["effect"] = json!([]);
    assert_eq!(before, after);
    assert_eq!(program.signal("-TERM"), Some(0));

    let program = Program::start(data.name());
    let other = program.till().add_one(&json!({"external_id": "a-2"}));
    assert!(other["user_id"].as_i64() > after["user_id"].as_i64(), "an id is never given twice");
}

#[test]
fn the_same_data_cannot_be_opened_twice() {
    let directory = tempfile::tempdir().unwrap();
    let _first = Program::start(text(directory.path()));
    let second = command(text(directory.path())).output().unwrap();
    assert_eq!(second.status.code(), Some(1));
    let said = String::from_utf8(second.stderr).unwrap();
    assert_eq!(
        said.trim(),
        format!(
            "patron: cannot open the data: {} is in use by another process; stop that one first, or choose another directory",
            directory.path().display()
        )
    );
}

#[test]
fn a_signal_ends_it_cleanly() {
    for signal in ["-TERM", "-INT"] {
        let directory = tempfile::tempdir().unwrap();
        let mut program = Program::start(text(directory.path()));
        program.till().add_one(&json!({"mobile": "919876543210"}));
        assert_eq!(program.signal(signal), Some(0), "{signal}");
        let left: Vec<_> = std::fs::read_dir(directory.path())
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .filter(|name| name.ends_with("-wal"))
            .collect();
        assert_eq!(left, [""; 0], "the log is folded into the database");
    }
}

/// A request that was accepted before the signal is finished after it.
#[test]
fn what_was_accepted_is_finished() {
    let data = Data::passing();
    let mut program = Program::start(data.name());
    program.till().add_one(&json!({"mobile": "919876543210"}));
    let body = json!({"root": {"customer": [{"mobile": "919876543211"}]}}).to_string();
    let (first, second) = body.split_at(10);
    let mut connection = TcpStream::connect(program.address).unwrap();
    let head = format!(
        "POST /v1.1/customer/add HTTP/1.1\r\nHost: localhost\r\nExpect: 100-continue\r\n\
         Content-Length: {}\r\n{AUTHORIZATION}\r\n\r\n",
        body.len()
    );
    connection.write_all(head.as_bytes()).unwrap();
    // The server asks for the body, so the request is in its hands.
    let mut asked = [0; 25];
    connection.read_exact(&mut asked).unwrap();
    assert!(asked.starts_with(b"HTTP/1.1 100 "));
    connection.write_all(first.as_bytes()).unwrap();
    let id = program.child.id().to_string();
    assert!(Command::new("kill").args(["-TERM", &id]).status().unwrap().success());
    // It no longer listens, so the signal has arrived.
    while TcpStream::connect(program.address).is_ok() {
        thread::yield_now();
    }
    connection.write_all(second.as_bytes()).unwrap();
    let mut reply = String::new();
    connection.read_to_string(&mut reply).unwrap();
    assert!(reply.starts_with("HTTP/1.1 200 ") && reply.contains("\"1000\""), "{reply}");
    assert_eq!(program.child.wait().unwrap().code(), Some(0));
}

#[cfg(unix)]
#[test]
fn the_data_is_private() {
    use std::os::unix::fs::PermissionsExt;
    let parent = tempfile::tempdir().unwrap();
    let data = parent.path().join("data");
    let program = Program::start(text(&data));
    program.till().add_one(&json!({"mobile": "919876543210"}));
    let mode = |path: &Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&data), 0o700);
    for entry in std::fs::read_dir(&data).unwrap() {
        let path = entry.unwrap().path();
        let expected = if path.is_dir() { 0o700 } else { 0o600 };
        assert_eq!(mode(&path), expected, "{}", path.display());
    }
}

#[test]
fn in_memory_nothing_is_kept() {
    let program = Program::start(":memory:");
    let first = program.till().add_one(&json!({"mobile": "919876543210"}));
    drop(program);
    let program = Program::start(":memory:");
    let again = program.till().add_one(&json!({"mobile": "919876543210"}));
    assert_eq!(first["user_id"], again["user_id"]);
    assert_eq!(again["side_effects"]["effect"].as_array().unwrap().len(), 1);
    assert!(!Path::new(":memory:").exists());
}
