//! The configuration: defaults, overlaid by a TOML file, by `PATRON_…` variables, by flags.

mod database;
mod keys;

use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, anyhow, bail};
use patron_store::{Location, PostgresOptions, Tuning};
use serde::{Deserialize, Serialize};
use toml::{Table, Value};

pub use self::database::DatabaseUrl;
pub use self::keys::{Form, KEYS, Key, reference};
use crate::limits::proxies::Proxies;

/// What stands before a key's name in capitals in its environment variable.
const VARIABLE_PREFIX: &str = "PATRON_";
/// Variables that are no keys: the one that names the configuration file, those that name both ends
/// of a copy, and those that Kubernetes makes for a service called `patron`.
const FOREIGN_VARIABLES: [&str; 4] =
    ["PATRON_CONFIG", "PATRON_COPY_", "PATRON_SERVICE_", "PATRON_PORT"];
/// The data directory's name for "in memory".
const MEMORY: &str = ":memory:";
/// What stands before a data directory that is named as a database is.
const EMBEDDED_SCHEME: &str = "sqlite:";
/// The keys of which only one says where the data are.
const DATA: &str = "data";
const DATABASE: &str = "database";

/// How a process of Patron runs. [`KEYS`] has the form and the meaning of each field.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
#[expect(missing_docs, reason = "`KEYS` has their meaning, which is also shown to users")]
pub struct Config {
    pub listen: SocketAddr,
    pub data: PathBuf,
    pub database: DatabaseUrl,
    pub database_ca: PathBuf,
    pub database_connections: usize,
    pub database_deadline_seconds: u64,
    pub must_exist: bool,
    pub recent_identifiers: usize,
    pub writer_cache_mib: u32,
    pub checkpoint_mib: u32,
    pub tls_cert: PathBuf,
    pub tls_key: PathBuf,
    pub docs: bool,
    pub connection_limit: usize,
    pub connection_limit_per_address: usize,
    pub connection_reserve: usize,
    pub trusted_proxies: String,
    pub idle_timeout_seconds: u64,
    pub path_prefix: String,
    pub cors_origins: String,
    pub body_limit_bytes: usize,
    pub header_timeout_seconds: u64,
    pub body_timeout_seconds: u64,
    pub reply_timeout_seconds: u64,
    pub unsent_limit_bytes: usize,
    pub shutdown_timeout_seconds: u64,
    pub credential_cache_seconds: u64,
    pub wrong_passwords_per_minute: u32,
    pub rate_limit_per_minute: u32,
    pub change_limit_per_minute: u32,
    pub kept_replies_limit_bytes: u64,
    pub metrics_token_file: PathBuf,
    pub otlp_endpoint: String,
    pub session_minutes: u32,
    pub log: String,
    pub log_format: LogFormat,
}

/// What keeps the data, and where.
pub enum Engine {
    /// The embedded engine, here.
    Embedded(Location),
    /// PostgreSQL, there.
    Postgres(PostgresOptions),
}

/// How log lines are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LogFormat {
    /// For people on a terminal, else as JSON.
    Auto,
    /// For people.
    Human,
    /// One JSON object a line.
    Json,
}

impl Default for Config {
    fn default() -> Self {
        let Tuning { recent_identifiers, writer_cache_mib, checkpoint_mib } = Tuning::default();
        Self {
            listen: SocketAddr::from(([127, 0, 0, 1], 8080)),
            data: PathBuf::from("./patron-data"),
            database: DatabaseUrl::default(),
            database_ca: PathBuf::new(),
            database_connections: 8,
            database_deadline_seconds: 5,
            must_exist: false,
            recent_identifiers,
            writer_cache_mib,
            checkpoint_mib,
            tls_cert: PathBuf::new(),
            tls_key: PathBuf::new(),
            docs: true,
            connection_limit: 1_000,
            connection_limit_per_address: 0,
            connection_reserve: 16,
            trusted_proxies: String::new(),
            idle_timeout_seconds: 75,
            path_prefix: "/api".to_owned(),
            cors_origins: String::new(),
            body_limit_bytes: 5_000_000,
            header_timeout_seconds: 30,
            body_timeout_seconds: 30,
            reply_timeout_seconds: 30,
            unsent_limit_bytes: 1_000_000,
            shutdown_timeout_seconds: 30,
            credential_cache_seconds: 60,
            wrong_passwords_per_minute: 10,
            rate_limit_per_minute: 1_000,
            change_limit_per_minute: 600,
            kept_replies_limit_bytes: 256_000_000,
            metrics_token_file: PathBuf::new(),
            otlp_endpoint: String::new(),
            session_minutes: 720,
            log: "info".to_owned(),
            log_format: LogFormat::Auto,
        }
    }
}

impl Config {
    /// Reads the configuration from a file, the given environment and flags; each outranks the one
    /// before.
    ///
    /// # Errors
    /// A file that cannot be read, a key or variable that does not exist, a value of the wrong form.
    pub fn load(
        file: Option<&Path>,
        environment: impl IntoIterator<Item = (String, String)>,
        flags: Table,
    ) -> anyhow::Result<Self> {
        let mut keys = Table::new();
        if let Some(path) = file {
            overlay(&mut keys, read_file(path)?, &path.display().to_string())?;
        }
        let mut variables = Table::new();
        for (name, text) in environment {
            if let Some(key) = name.strip_prefix(VARIABLE_PREFIX)
                && !FOREIGN_VARIABLES.iter().any(|foreign| name.starts_with(foreign))
            {
                let Some(key) = Key::named(&key.to_lowercase()) else {
                    bail!("the environment variable {name} names no key of the configuration");
                };
                let value = key.form.value(&text);
                key.form.check(&value).map_err(|error| anyhow!("{name}: {error}"))?;
                variables.insert(key.name.to_owned(), value);
            }
        }
        overlay(&mut keys, variables, "the environment")?;
        overlay(&mut keys, flags, "the command line")?;
        for key in KEYS {
            let checked = keys.get(key.name).map_or(Ok(()), |value| key.form.check(value));
            checked.map_err(|error| anyhow!("{}: {error}", key.name))?;
        }
        settle_place(&mut keys);
        let config: Self = keys.try_into().context("the configuration")?;
        config.check()?;
        Ok(config)
    }

    /// Rejects values that contradict each other, and lists with a wrong item.
    fn check(&self) -> anyhow::Result<()> {
        if self.tls_cert.as_os_str().is_empty() != self.tls_key.as_os_str().is_empty() {
            bail!("tls_cert and tls_key belong together: one is given and the other is not");
        }
        if !self.database.is_empty() {
            self.database.check()?;
        }
        self.proxies()?;
        if let Some(origin) = self.origins().find(|origin| !is_origin(origin)) {
            bail!("cors_origins names sites as https://shop.example, not as {origin}");
        }
        Ok(())
    }

    /// What keeps the data, and where.
    #[must_use]
    pub fn engine(&self) -> Engine {
        if !self.database.is_empty() {
            return Engine::Postgres(PostgresOptions {
                ca_file: path(&self.database_ca),
                readers: self.database_connections,
                deadline: Duration::from_secs(self.database_deadline_seconds),
                ..PostgresOptions::new(self.database.reveal())
            });
        }
        Engine::Embedded(if self.data.as_os_str() == MEMORY {
            Location::Memory
        } else {
            Location::Directory(self.data.clone())
        })
    }

    /// Where the data are, for the log: a directory, or the hosts and the name of a database.
    #[must_use]
    pub fn place(&self) -> String {
        match self.engine() {
            Engine::Embedded(_) => self.data.display().to_string(),
            Engine::Postgres(options) => options.place(),
        }
    }

    /// How much memory and log the data are given.
    #[must_use]
    pub const fn tuning(&self) -> Tuning {
        let Self { recent_identifiers, writer_cache_mib, checkpoint_mib, .. } = *self;
        Tuning { recent_identifiers, writer_cache_mib, checkpoint_mib }
    }

    /// The files of the certificate and of its key; `None` where there is no TLS.
    #[must_use]
    pub fn tls(&self) -> Option<(&PathBuf, &PathBuf)> {
        (!self.tls_cert.as_os_str().is_empty()).then_some((&self.tls_cert, &self.tls_key))
    }

    /// Returns the most connections of one address.
    #[must_use]
    pub const fn connections_per_address(&self) -> usize {
        match self.connection_limit_per_address {
            0 if self.connection_limit < 10 => 1,
            0 => self.connection_limit / 10,
            limit => limit,
        }
    }

    /// Returns the scheme of Patron's own URLs.
    #[must_use]
    pub fn scheme(&self) -> &'static str {
        if self.tls().is_some() { "https" } else { "http" }
    }

    /// The sites whose pages may call Patron from a browser.
    pub(crate) fn origins(&self) -> impl Iterator<Item = &str> {
        self.cors_origins.split(',').map(str::trim).filter(|origin| !origin.is_empty())
    }

    /// The proxies that are trusted.
    ///
    /// # Errors
    /// A text that names none.
    pub fn proxies(&self) -> anyhow::Result<Proxies> {
        Proxies::parse(&self.trusted_proxies)
    }

    /// How long a request's body may take to arrive.
    #[must_use]
    pub const fn body_timeout(&self) -> Duration {
        Duration::from_secs(self.body_timeout_seconds)
    }
}

/// Whether a text is empty or a path without a slash at its end.
fn is_path_prefix(text: &str) -> bool {
    let is_name = |name: &str| {
        let allowed =
            |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~');
        !name.is_empty() && name.bytes().all(allowed)
    };
    text.is_empty() || text.strip_prefix('/').is_some_and(|names| names.split('/').all(is_name))
}

/// Whether a browser would name a site so: a scheme and a host, in lower case, without a path.
fn is_origin(text: &str) -> bool {
    let host = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://"));
    let allowed =
        |byte: u8| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b':' | b'[' | b']');
    host.is_some_and(|host| !host.is_empty() && host.bytes().all(allowed))
}

fn path(text: &Path) -> Option<PathBuf> {
    (!text.as_os_str().is_empty()).then(|| text.to_owned())
}

fn read_file(path: &Path) -> anyhow::Result<Table> {
    let text = fs::read_to_string(path)
        .with_context(|| format!("cannot read the configuration {}", path.display()))?;
    let misread = |error: toml::de::Error| {
        let start = error.span().map_or(0, |span| span.start);
        let place = place(&text, start);
        anyhow!("in the configuration {}, {place}: {}", path.display(), error.message())
    };
    let keys: Table = toml::from_str(&text).map_err(misread)?;
    for (name, value) in &keys {
        let checked = Key::named(name).map_or(Ok(()), |key| key.form.check(value));
        checked.map_err(|error| {
            let line = text.lines().position(|line| key_of(line) == Some(name));
            let number = line.unwrap_or_default().saturating_add(1);
            anyhow!("in the configuration {}, line {number}, `{name}`: {error}", path.display())
        })?;
    }
    let checked: Result<Config, _> = toml::from_str(&text);
    checked.map_err(misread)?;
    Ok(keys)
}

/// The key that a line of a file sets.
fn key_of(line: &str) -> Option<&str> {
    line.split_once('=').map(|(key, _)| key.trim())
}

/// Where something stands in a file: its line and key, and not what follows, which may be a password.
fn place(text: &str, start: usize) -> String {
    let lines_before = text.bytes().take(start).filter(|byte| *byte == b'\n').count();
    let line = text.lines().nth(lines_before).unwrap_or_default();
    let key = key_of(line).unwrap_or_default();
    let is_of_a_key = |byte: u8| byte.is_ascii_lowercase() || byte == b'_';
    let number = lines_before.saturating_add(1);
    if key.is_empty() || !key.bytes().all(is_of_a_key) {
        return format!("line {number}");
    }
    format!("line {number}, `{key}`")
}

/// Lays the keys of one place over those of the places before it.
///
/// Of the two keys that say where the data are, the one that is named last counts.
fn overlay(keys: &mut Table, layer: Table, from: &str) -> anyhow::Result<()> {
    let names = |key| layer.get(key).and_then(Value::as_str).is_some_and(|text| !text.is_empty());
    match (names(DATA), names(DATABASE)) {
        (true, true) => bail!("{from} names both `data` and `database`; the data are in one place"),
        (true, false) => drop(keys.remove(DATABASE)),
        (false, true) => drop(keys.remove(DATA)),
        (false, false) => {}
    }
    keys.extend(layer);
    Ok(())
}

/// Has one key alone say where the data are.
fn settle_place(keys: &mut Table) {
    let Some(database) = keys.get(DATABASE).and_then(Value::as_str) else { return };
    if let Some(directory) = database.strip_prefix(EMBEDDED_SCHEME) {
        let directory = Value::String(directory.to_owned());
        keys.insert(DATA.to_owned(), directory);
        keys.remove(DATABASE);
    } else if !database.is_empty() {
        keys.insert(DATA.to_owned(), Value::String(String::new()));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn load(file: &str, environment: &[(&str, &str)], flags: &str) -> anyhow::Result<Config> {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("patron.toml");
        fs::write(&path, file).unwrap();
        let environment = environment.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned()));
        Config::load(Some(&path), environment, toml::from_str(flags).unwrap())
    }

    #[test]
    fn nothing_has_to_be_set() {
        assert_eq!(
            load(
                "",
                &[("HOME", "/"), ("PATRON_CONFIG", "x"), ("PATRON_SERVICE_HOST", "10.0.0.1")],
                ""
            )
            .unwrap(),
            Config::default()
        );
    }

    #[test]
    fn each_place_outranks_the_one_before() {
        let file = "listen = '127.0.0.1:1'\nbody_limit_bytes = 1\nlog = 'warn'";
        let environment = [("PATRON_LISTEN", "127.0.0.1:2"), ("PATRON_BODY_LIMIT_BYTES", "2")];
        let config = load(file, &environment, "listen = '127.0.0.1:3'").unwrap();
        assert_eq!(config.listen.port(), 3);
        assert_eq!(config.body_limit_bytes, 2);
        assert_eq!(config.log, "warn");
    }

    #[test]
    fn of_the_two_ways_to_say_where_the_data_are_the_last_one_counts() {
        let url = "postgres://patron:s3cret@db/patron";
        let database = format!("database = '{url}'");
        let named = |config: &Config| (config.data.clone(), config.database.reveal().to_owned());
        let in_postgres = (PathBuf::new(), url.to_owned());
        let in_directory = (PathBuf::from("here"), String::new());
        let config = load(&database, &[("PATRON_DATA", "here")], "").unwrap();
        assert_eq!(named(&config), in_directory);
        let config = load("data = 'here'", &[("PATRON_DATABASE", url)], "").unwrap();
        assert_eq!(named(&config), in_postgres);
        let config = load("data = 'here'", &[("PATRON_DATA", "there")], &database).unwrap();
        assert_eq!(named(&config), in_postgres);
        let config = load("", &[], "database = 'sqlite:here'").unwrap();
        assert_eq!(named(&config), in_directory);
        assert_eq!(config.place(), "here");
        // What is printed can be read again, though not with the password.
        let printed = toml::to_string(&load(&database, &[], "").unwrap()).unwrap();
        assert!(!printed.contains("s3cret"), "{printed}");
        let read = load(&printed, &[], "").unwrap();
        assert_eq!(read.database.reveal(), "postgres://patron:***@db/patron");
    }

    #[test]
    fn the_two_ways_to_say_where_the_data_are_contradict_each_other() {
        let both = "data = 'here'\ndatabase = 'postgres://db/patron'";
        for refused in [
            load(both, &[], ""),
            load("", &[], both),
            load("", &[("PATRON_DATA", "here"), ("PATRON_DATABASE", "postgres://db/patron")], ""),
        ] {
            let refusal = format!("{:#}", refused.unwrap_err());
            assert!(refusal.contains("names both `data` and `database`"), "{refusal}");
        }
    }

    #[test]
    fn no_refusal_tells_a_password() {
        for file in [
            "database = postgres://patron:s3cret@db/patron",
            "database = 'postgres://patron:s3cret@db/patron",
            "database = 'mysql://patron:s3cret@db/patron'",
            "database = ['postgres://patron:s3cret@db/patron']",
        ] {
            let refusal = format!("{:#}", load(file, &[], "").unwrap_err());
            assert!(!refusal.contains("s3cret"), "{refusal}");
        }
    }

    #[test]
    fn every_key_is_also_a_variable() {
        let defaults = Table::try_from(Config::default()).unwrap();
        for (key, value) in &defaults {
            let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
            let name = format!("{VARIABLE_PREFIX}{}", key.to_uppercase());
            assert_eq!(load("", &[(&name, &text)], "").unwrap(), Config::default(), "{name}");
        }
    }

    #[test]
    fn what_is_unknown_or_of_the_wrong_form_is_refused() {
        let refused = |file: &str, environment: &[(&str, &str)]| {
            format!("{:#}", load(file, environment, "").unwrap_err())
        };
        assert!(refused("listn = 'x'", &[]).contains("unknown field `listn`"));
        let refusal = refused("log = 'info'\nlisten = '8080'", &[]);
        let wrong = "expected ADDRESS:PORT such as 127.0.0.1:8080, not `8080`";
        assert!(refusal.ends_with(&format!("line 2, `listen`: {wrong}")), "{refusal}");
        assert_eq!(refused("", &[("PATRON_LISTEN", "8080")]), format!("PATRON_LISTEN: {wrong}"));
        assert!(refused("", &[("PATRON_MUST_EXIST", "yes")]).contains("expected true or false"));
        assert!(refused("", &[("PATRON_LISTN", "x")]).contains("PATRON_LISTN"));
        assert!(
            refused("", &[("PATRON_BODY_LIMIT_BYTES", "many")]).contains("expected a whole number")
        );
        assert!(
            refused("body_limit_bytes = 0", &[])
                .contains("expected a whole number of bytes from 1 to")
        );
        assert!(refused("body_limit_bytes = -1", &[]).contains("body_limit_bytes"));
        assert!(refused("checkpoint_mib = 4097", &[]).contains("of MiB from 1 to 4096"));
        assert!(
            refused("recent_identifiers = 0", &[]).contains("a whole number from 1 to 10000000")
        );
        assert!(refused("", &[("PATRON_WRITER_CACHE_MIB", "0")]).contains("from 1 to 65536"));
        assert!(refused("tls_cert = 'cert.pem'", &[]).contains("belong together"));
        assert!(refused("", &[("PATRON_TLS_KEY", "key.pem")]).contains("belong together"));
        let refusal = refused("", &[("PATRON_TRUSTED_PROXIES", "10.0.0.0/8, somewhere")]);
        assert!(refusal.contains("not as somewhere"), "{refusal}");
        assert!(refused("otlp_endpoint = 'https://x'", &[]).contains("otlp_endpoint"));
        for prefix in ["api", "/", "/api/", "//api", "/a//b", "/a b", "/api?x"] {
            assert!(
                refused("", &[("PATRON_PATH_PREFIX", prefix)])
                    .contains("expected a path such as /api")
            );
        }
        for origin in ["*", "shop.example", "https://", "https://shop.example/", "HTTPS://x"] {
            let origins = format!("https://shop.example:8443, {origin}");
            assert!(refused("", &[("PATRON_CORS_ORIGINS", &origins)]).ends_with(origin));
        }
    }
}
