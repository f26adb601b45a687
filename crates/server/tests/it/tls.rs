//! TLS, spoken to by a real client.

use std::fs;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;

use patron_server::config::Config;
use patron_server::http::tls::Certificate;
use rustls::pki_types::CertificateDer;
use rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};

use crate::app::App;

/// A certificate of its own making, and its key.
pub struct Issued {
    certificate: CertificateDer<'static>,
    pub certificate_pem: String,
    pub key_pem: String,
}

impl Issued {
    pub fn new() -> Self {
        let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
        Self {
            certificate: made.cert.der().clone(),
            certificate_pem: made.cert.pem(),
            key_pem: made.signing_key.serialize_pem(),
        }
    }

    fn write(&self, directory: &Path) {
        fs::write(directory.join("cert.pem"), &self.certificate_pem).unwrap();
        fs::write(directory.join("key.pem"), &self.key_pem).unwrap();
    }
}

fn serve(directory: &Path) -> App {
    App::with(|config| {
        config.tls_cert = directory.join("cert.pem");
        config.tls_key = directory.join("key.pem");
    })
}

/// Connects, trusting this certificate alone, and greets the server.
fn connect(app: &App, trusted: &Issued) -> Result<Connection, std::io::Error> {
    let mut roots = RootCertStore::empty();
    roots.add(trusted.certificate.clone()).unwrap();
    let config = ClientConfig::builder().with_root_certificates(roots).with_no_client_auth();
    let name = "localhost".try_into().unwrap();
    let tls = ClientConnection::new(Arc::new(config), name).unwrap();
    let mut connection = StreamOwned::new(tls, TcpStream::connect(app.address).unwrap());
    connection.flush()?;
    Ok(connection)
}

type Connection = StreamOwned<ClientConnection, TcpStream>;

fn livez(connection: &mut Connection) -> String {
    connection.write_all(b"GET /livez HTTP/1.1\r\nHost: localhost\r\n\r\n").unwrap();
    let mut reply = Vec::new();
    while !reply.ends_with(b"alive\n") {
        let mut byte = [0];
        connection.read_exact(&mut byte).unwrap();
        reply.extend(byte);
    }
    String::from_utf8(reply).unwrap()
}

/// The certificate names another host than the one asked; `patron health` asks its own machine.
#[test]
fn health_asks_over_tls() {
    let directory = tempfile::tempdir().unwrap();
    Issued::new().write(directory.path());
    let app = serve(directory.path());
    let health = |file: &str| {
        let path = directory.path().join("patron.toml");
        fs::write(&path, format!("listen = '{}'\n{file}", app.address)).unwrap();
        let mut command = Command::new(env!("CARGO_BIN_EXE_patron"));
        command.arg("health").arg("--config").arg(path).output().unwrap()
    };
    let certificate = "tls_cert = 'cert.pem'\ntls_key = 'key.pem'";
    let output = health(certificate);
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
    assert_eq!(health("").status.code(), Some(1), "the server speaks nothing but TLS");
}

#[test]
fn a_certificate_that_changes_is_shown_without_dropping_connections() {
    let directory = tempfile::tempdir().unwrap();
    let [first, second] = [Issued::new(), Issued::new()];
    first.write(directory.path());
    let app = serve(directory.path());
    let mut early = connect(&app, &first).unwrap();
    let reply = livez(&mut early);
    assert!(reply.starts_with("HTTP/1.1 200 "), "{reply}");
    assert!(reply.to_lowercase().contains("strict-transport-security: max-age=31536000\r\n"));
    assert!(connect(&app, &second).is_err());
    assert!(!app.reload_certificate().unwrap(), "nothing has changed");

    second.write(directory.path());
    assert!(app.reload_certificate().unwrap());
    livez(&mut connect(&app, &second).unwrap());
    assert!(connect(&app, &first).is_err());
    livez(&mut early);
}

/// A pair of files that is only half written, or is broken, changes nothing.
#[test]
fn a_certificate_that_cannot_be_shown_leaves_the_one_before() {
    let directory = tempfile::tempdir().unwrap();
    let [first, second] = [Issued::new(), Issued::new()];
    first.write(directory.path());
    let app = serve(directory.path());
    let key = directory.path().join("key.pem");
    fs::write(&key, &second.key_pem).unwrap();
    assert!(app.reload_certificate().is_err());
    fs::write(&key, "no key").unwrap();
    assert!(app.reload_certificate().is_err());
    fs::remove_file(&key).unwrap();
    assert!(app.reload_certificate().is_err());
    livez(&mut connect(&app, &first).unwrap());
    second.write(directory.path());
    assert!(app.reload_certificate().unwrap());
    livez(&mut connect(&app, &second).unwrap());
}

#[test]
fn files_that_are_no_pair_are_refused_at_the_start() {
    let directory = tempfile::tempdir().unwrap();
    let load = |cert: &str, key: &str| {
        fs::write(directory.path().join("cert.pem"), cert).unwrap();
        fs::write(directory.path().join("key.pem"), key).unwrap();
        let config = Config {
            tls_cert: directory.path().join("cert.pem"),
            tls_key: directory.path().join("key.pem"),
            ..Config::default()
        };
        let runtime = tokio::runtime::Runtime::new().unwrap();
        runtime.block_on(Certificate::load(&config))
    };
    let [first, second] = [Issued::new(), Issued::new()];
    assert!(load(&first.certificate_pem, &first.key_pem).unwrap().is_some());
    assert!(load(&first.certificate_pem, &second.key_pem).is_err());
    assert!(load("", &first.key_pem).is_err());
    assert!(load(&first.certificate_pem, "").is_err());
}

/// Whoever speaks no TLS learns nothing.
#[test]
fn plain_http_is_not_answered() {
    let directory = tempfile::tempdir().unwrap();
    Issued::new().write(directory.path());
    let app = serve(directory.path());
    let mut connection = TcpStream::connect(app.address).unwrap();
    connection.write_all(b"GET /livez HTTP/1.1\r\nHost: localhost\r\n\r\n").unwrap();
    let mut reply = Vec::new();
    let _ = connection.read_to_end(&mut reply);
    assert!(!reply.windows(5).any(|five| five == b"alive"));
}
