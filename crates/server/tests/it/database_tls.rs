//! TLS to the database.

use std::fs;
use std::process::Command;
use std::sync::Arc;

use serde_json::json;
use tempfile::TempDir;

use crate::data;
use crate::durability::{Program, command};
use crate::postgresql::{Cluster, Database};
use crate::tls::Issued;

/// Those who vouch for somebody, in a file.
fn vouching(issued: &Issued) -> TempDir {
    let directory = tempfile::tempdir().unwrap();
    fs::write(directory.path().join("ca.pem"), &issued.certificate_pem).unwrap();
    directory
}

fn flags(vouching: &TempDir) -> [String; 2] {
    let file = vouching.path().join("ca.pem");
    ["--database-ca".to_owned(), file.to_str().unwrap().to_owned()]
}

/// What the schema's check says on standard error; `None` where it can be read.
fn complaint(url: &str, flags: &[String]) -> Option<String> {
    let mut check = Command::new(env!("CARGO_BIN_EXE_patron"));
    let output =
        check.args(["migrate", "check"]).args(data::flags(url)).args(flags).output().unwrap();
    (!output.status.success()).then(|| String::from_utf8(output.stderr).unwrap())
}

#[test]
fn it_is_spoken_to_by_tls_where_somebody_vouches_for_it_and_not_otherwise() {
    let issued = Issued::new();
    let cluster = Cluster::start_with_tls(&issued.certificate_pem, &issued.key_pem);
    let database = Database::of(&Arc::new(cluster));
    let url = database.url_by_tls();
    let (trusted, stranger) = (vouching(&issued), vouching(&Issued::new()));

    let program = Program::spawn(command(&url).args(flags(&trusted)));
    assert_eq!(program.till().add(&json!([{"external_id": "asha"}])).codes(), ["1000"]);
    assert_eq!(complaint(&url, &flags(&trusted)), None);

    let refused = complaint(&url, &flags(&stranger)).expect("a stranger vouched for it");
    assert!(
        refused.contains("not signed by a certificate in the file of `database_ca`"),
        "{refused}"
    );
    let refused = complaint(&url.replace("localhost", "127.0.0.1"), &flags(&trusted));
    let refused = refused.expect("its certificate has another name");
    assert!(refused.contains("not valid for name \"127.0.0.1\""), "{refused}");
    assert!(refused.contains("only valid for DnsName(\"localhost\")"), "{refused}");
    let refused = complaint(&url, &[]).expect("it was spoken to without TLS");
    assert!(refused.contains("no encryption"), "{refused}");
    let refused = complaint(&format!("{url}?sslmode=require"), &[]).unwrap();
    assert!(refused.contains("--database-ca"), "{refused}");
}

/// Somebody between Patron and the database could say that it has none.
#[test]
fn a_database_without_tls_is_refused_where_somebody_is_to_vouch_for_it() {
    let database = Database::new();
    let vouching = vouching(&Issued::new());
    assert_eq!(complaint(&database.url(), &[]), None);
    let refused = complaint(&database.url(), &flags(&vouching)).expect("it was spoken to");
    assert!(refused.contains("TLS"), "{refused}");
}

/// The address 0.0.0.0 is this machine, which a configuration does not show.
#[test]
fn warns_of_a_database_elsewhere_without_tls() {
    let warns = |url: &str, flags: &[String]| {
        let mut serve = Command::new(env!("CARGO_BIN_EXE_patron"));
        serve.args(["serve", "--listen", "127.0.0.1:0"]).args(data::flags(url)).args(flags);
        let output = serve.output().unwrap();
        assert_eq!(output.status.code(), Some(1), "nothing listens there");
        let log = String::from_utf8(output.stderr).unwrap();
        log.matches("the connection to the database is not encrypted").count() == 1
    };
    assert!(warns("postgres://patron@0.0.0.0:1/patron", &[]));
    assert!(warns("postgres://patron@localhost:1,0.0.0.0:1/patron?sslmode=prefer", &[]));
    assert!(!warns("postgres://patron@0.0.0.0:1/patron?sslmode=disable", &[]));
    assert!(!warns("postgres://patron@0.0.0.0:1/patron", &flags(&vouching(&Issued::new()))));
    assert!(!warns("postgres://patron@localhost:1,127.0.0.1:1/patron", &[]));
}
