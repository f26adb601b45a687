//! The command line: what it prints, and what it refuses.

use std::process::{Command, Output};

use serde_json::json;

use crate::data::{self, Data};
use crate::durability::Program;
use crate::postgresql::Database;

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
    database = ""
    database_ca = ""
    database_connections = 8
    database_deadline_seconds = 5
    must_exist = false
    recent_identifiers = 300000
    writer_cache_mib = 32
    checkpoint_mib = 64
    tls_cert = ""
    tls_key = ""
    docs = true
    connection_limit = 1000
    connection_limit_per_address = 0
    connection_reserve = 16
    trusted_proxies = ""
    idle_timeout_seconds = 75
    path_prefix = "/api"
    cors_origins = ""
    body_limit_bytes = 8
    header_timeout_seconds = 30
    body_timeout_seconds = 30
    reply_timeout_seconds = 30
    unsent_limit_bytes = 1000000
    shutdown_timeout_seconds = 30
    credential_cache_seconds = 60
    wrong_passwords_per_minute = 10
    rate_limit_per_minute = 7
    change_limit_per_minute = 600
    kept_replies_limit_bytes = 256000000
    metrics_token_file = ""
    otlp_endpoint = ""
    session_minutes = 720
    log = "warn"
    log_format = "auto"
    "#);
}

#[test]
fn the_password_of_a_database_is_not_printed() {
    let url = "postgres://patron:s3cret@one,two/patron?sslmode=require";
    for (arguments, environment) in
        [(&["config", "--database", url][..], &[][..]), (&["config"], &[("PATRON_DATABASE", url)])]
    {
        let output = patron(arguments, environment);
        let printed = String::from_utf8(output.stdout).unwrap();
        assert!(!printed.contains("s3cret"), "{printed}");
        let shown = "database = \"postgres://patron:***@one,two/patron?sslmode=require\"\n";
        assert!(printed.contains(shown), "{printed}");
        assert!(printed.contains("data = \"\"\n"), "{printed}");
    }
    let output = patron(&["config", "--database", "patron:s3cret@one/patron"], &[]);
    assert_eq!(output.status.code(), Some(1));
    assert_eq!(
        said(&output),
        "patron: database is `postgres://USER@HOST/NAME` or `sqlite:DIRECTORY`, not this"
    );
    let output = patron(&["config", "--database", url, "--data", "here"], &[]);
    assert_eq!(output.status.code(), Some(2));
    assert!(said(&output).contains("'--database <URL>' cannot be used with '--data <DIR>'"));
    assert!(!said(&output).contains("s3cret"));
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
fn health_asks_the_running_server() {
    let data = Data::lasting();
    let mut program = Program::start(data.name());
    let address = program.address.to_string();
    let health = || patron(&["health"], &[("PATRON_LISTEN", &address)]);
    let output = health();
    assert_eq!(output.status.code(), Some(0), "{}", said(&output));
    assert_eq!(String::from_utf8(output.stdout).unwrap(), "ready\n");
    let everywhere = format!("0.0.0.0:{}", program.address.port());
    assert_eq!(patron(&["health", "--listen", &everywhere], &[]).status.code(), Some(0));
    let output = patron(&["health", "--listen", &address, "--tls"], &[]);
    assert_eq!(output.status.code(), Some(1), "the server speaks no TLS");

    assert_eq!(program.signal("-TERM"), Some(0));
    let output = health();
    assert_eq!(output.status.code(), Some(1));
    let reason = format!("patron: cannot reach http://{address}/readyz: ");
    assert!(said(&output).starts_with(&reason), "{}", said(&output));
}

#[test]
fn a_number_out_of_range_is_refused() {
    let output = patron(&["config"], &[("PATRON_CREDENTIAL_CACHE_SECONDS", "99999999999")]);
    assert_eq!(
        said(&output),
        "patron: PATRON_CREDENTIAL_CACHE_SECONDS: expected a whole number of seconds from 0 to 3600, not `99999999999`"
    );
}

/// Registers one customer, and ends the program.
fn register_one(data: &str) {
    let mut program = Program::start(data);
    program.till().add_one(&json!({"mobile": "919876543210"}));
    assert_eq!(program.signal("-TERM"), Some(0));
}

fn check_ledger(data: &str, more: &[&str]) -> (Option<i32>, String, String) {
    let output = patron(&[&["ledger", "check"], &data::flags(data)[..], more].concat(), &[]);
    let told = String::from_utf8(output.stdout.clone()).unwrap();
    (output.status.code(), told, said(&output))
}

#[test]
fn the_ledger_of_every_organisation_or_of_one_is_checked() {
    let data = Data::lasting();
    let data = data.name();
    register_one(data);
    let all = "demo: checked 1 customers\ndemo2: checked 0 customers\n".to_owned();
    assert_eq!(check_ledger(data, &[]), (Some(0), all, String::new()));
    let one = "demo2: checked 0 customers\n".to_owned();
    let checked = check_ledger(data, &["--organisation", "demo2"]);
    assert_eq!(checked, (Some(0), one, String::new()));
    let refused = "patron: cannot check `nobody`: there is no such organisation".to_owned();
    let checked = check_ledger(data, &["--organisation", "nobody"]);
    assert_eq!(checked, (Some(1), String::new(), refused));
}

/// An entry that the disk has changed: its kind and amount stand behind each other in the file.
#[test]
fn a_ledger_that_differs_from_its_balance_is_named() {
    let directory = tempfile::tempdir().unwrap();
    let data = directory.path().to_str().unwrap();
    register_one(data);
    let file = directory.path().join("patron.sqlite");
    let mut bytes = std::fs::read(&file).unwrap();
    let entry = b"awarded100";
    let place = bytes.windows(entry.len()).position(|window| window == entry).unwrap();
    bytes[place + entry.len() - 1] = b'1';
    std::fs::write(&file, bytes).unwrap();
    let (code, told, said) = check_ledger(data, &[]);
    assert_eq!(
        told,
        "demo: customer 100000001, programme 469, points awarded: expected 101, found 100\n\
         demo: checked 1 customers\ndemo2: checked 0 customers\n"
    );
    assert_eq!(said, "patron: sums that differ between the ledger and the balances: 1");
    assert_eq!(code, Some(1));
}

#[test]
fn the_schema_of_a_database_is_told_applied_and_checked() {
    let (database, migrated) = (Database::empty(), Database::new());
    let migrate = |what: &str, database: &Database| {
        let output = patron(&["migrate", what, "--database", &database.url()], &[]);
        let told = String::from_utf8(output.stdout.clone()).unwrap();
        (output.status.code(), told, said(&output))
    };
    let all = |state: &str, told: &str| {
        assert!(!told.is_empty() && told.lines().all(|line| line.ends_with(state)), "{told}");
    };
    let (code, told, _) = migrate("status", &database);
    assert_eq!(code, Some(0));
    all("  missing", &told);
    let steps = told.lines().count();
    let refused = format!(
        "patron: of the {steps} steps of the schema, {steps} are missing; `patron migrate up` with the \
         same database applies them"
    );
    assert_eq!(migrate("check", &database), (Some(1), String::new(), refused));
    let refused = patron(&["serve", "--database", &database.url()], &[("PATRON_LOG", "error")]);
    assert_eq!(refused.status.code(), Some(1));
    assert!(said(&refused).contains("patron migrate up"), "{}", said(&refused));

    let (code, told, _) = migrate("up", &database);
    assert_eq!(code, Some(0));
    all("  applied", &told);
    assert_eq!(told.lines().count(), steps);
    let again = migrate("up", &database);
    assert_eq!(again, (Some(0), "nothing is missing\n".to_owned(), String::new()));
    for database in [&database, &migrated] {
        assert_eq!(migrate("check", database), (Some(0), String::new(), String::new()));
        assert_eq!(migrate("status", database).1, told);
    }
    let spread = patron(&["migrate", "up", "--distribute", "--database", &database.url()], &[]);
    assert_eq!(spread.status.code(), Some(1));
    assert!(said(&spread).contains("the extension `citus`"), "{}", said(&spread));
}

#[test]
fn the_schema_of_a_directory_is_told() {
    let directory = tempfile::tempdir().unwrap();
    let data = directory.path().to_str().unwrap();
    let migrate = |what: &str| patron(&["migrate", what, "--data", data], &[]);
    for what in ["status", "up", "check"] {
        let refused = migrate(what);
        assert_eq!(refused.status.code(), Some(1));
        assert!(said(&refused).contains("there is no database in"), "{}", said(&refused));
    }
    register_one(data);
    for what in ["status", "up"] {
        let told = String::from_utf8(migrate(what).stdout).unwrap();
        assert!(told.starts_with("schema version ") && told.ends_with(", up to date\n"), "{told}");
    }
    assert_eq!(migrate("check").status.code(), Some(0));
    let refused = patron(&["migrate", "up", "--distribute", "--data", data], &[]);
    assert_eq!(refused.status.code(), Some(1));
    let _program = Program::serve(data);
    for what in ["status", "up", "check"] {
        let beside = migrate(what);
        assert_eq!(beside.status.code(), Some(0), "{what}: {}", said(&beside));
    }
}

#[test]
fn a_database_is_checked_while_patron_serves_it() {
    let database = Database::new();
    let url = database.url();
    let program = Program::start(&url);
    program.till().add_one(&json!({"mobile": "919876543210"}));
    let check = || {
        let output = patron(&["check", "--database", &url], &[]);
        let told = String::from_utf8(output.stdout.clone()).unwrap();
        (output.status.code(), told, said(&output))
    };
    let (code, told, _) = check();
    assert_eq!(code, Some(0), "{told}");
    for (part, looked_at) in [("customers found by their identifiers", "1"), ("ledgers", "1")] {
        let line = told.lines().find(|line| line.starts_with(part)).unwrap();
        assert_eq!(line[part.len()..].split_whitespace().collect::<Vec<_>>(), [looked_at, "ok"]);
    }
    database.execute("DELETE FROM identifier; UPDATE enrolment SET awarded = '7'");
    let (code, told, said) = check();
    assert_eq!(code, Some(3), "{told}");
    assert!(told.contains("their mobile number leads to no customer"), "{told}");
    assert!(told.contains("the balance is 7"), "{told}");
    assert_eq!(said, "patron: the data are damaged; docs/operations.md says what to do");
}

#[test]
fn prints_its_name_and_version() {
    let output = patron(&["--version"], &[]);
    let expected = format!("patron {}\n", env!("CARGO_PKG_VERSION"));
    assert_eq!(String::from_utf8(output.stdout).unwrap(), expected);
}

#[test]
fn a_database_file_is_neither_a_directory_nor_a_stream() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().to_str().unwrap();
    for command in ["backup", "restore", "check"] {
        for (file, expected) in [
            (path, format!("patron: {path} is a directory; expected the name of a file, such as")),
            ("-", "patron: expected the name of a file, not `-`".to_owned()),
        ] {
            let output = patron(&[command, file, "--data", path], &[]);
            assert_eq!(output.status.code(), Some(1), "{command} {file}");
            assert!(said(&output).starts_with(&expected), "{command}: {}", said(&output));
        }
    }
    assert_eq!(directory.path().read_dir().unwrap().count(), 0);
}

#[test]
fn the_files_of_a_database_are_left_to_its_own_tools() {
    let database = Database::new();
    for arguments in [["backup", "file"], ["restore", "file"]] {
        let refused = patron(&[&arguments[..], &["--database", &database.url()]].concat(), &[]);
        assert_eq!(refused.status.code(), Some(1));
        assert!(said(&refused).contains("`pg_dump` and base backups"), "{}", said(&refused));
    }
}
