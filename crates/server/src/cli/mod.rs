//! The command line.

mod client;
mod codes;
mod config;
mod data;
mod health;
mod ledger;
mod migrate;
mod openapi;
mod opened;
mod operator;
mod org;
mod progress;
mod prompt;
mod serve;
mod settings;
mod till;

use std::io::{self, Write};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{Args, Parser, Subcommand};
use patron_rules::text;
use toml::{Table, Value};

use crate::config::Config;

/// Patron, a customer registry for loyalty programmes.
#[derive(Parser)]
#[command(version)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Answer requests until a signal to stop.
    Serve(serve::Arguments),
    /// Ask a running server whether it can serve. Ends with 0 if it can, else with 1.
    Health(health::Arguments),
    /// Look after the ledger of what customers gained and lost.
    #[command(subcommand)]
    Ledger(ledger::Command),
    /// Set organisations up: document by document, or as a file.
    #[command(subcommand)]
    Org(org::Command),
    /// Say what tills sign in with.
    #[command(subcommand)]
    Till(till::Command),
    /// Say what API clients generate tokens with.
    #[command(subcommand)]
    Client(client::Command),
    /// Say who may set organisations up.
    #[command(subcommand)]
    Operator(operator::Command),
    /// Look after the schema of the data.
    #[command(subcommand)]
    Migrate(migrate::Command),
    /// Print the catalogue of codes, as Markdown.
    Codes,
    /// Print the catalogue of an organisation's settings, as Markdown.
    Settings,
    /// Print the OpenAPI document, as JSON.
    Openapi,
    /// Print the configuration as it would take effect.
    Config(Sources),
    /// Check whether the data are whole.
    Check(data::check::Arguments),
    /// Copy the data into one file, whether they are served or not.
    Backup(data::backup::Arguments),
    /// Make a backup the data. Nobody may be serving them.
    Restore(data::restore::Arguments),
    /// Move a registry to another place or engine: copy all of it, compare every row. Killed, the
    /// same command goes on with it.
    Copy(data::copy::Arguments),
}

/// Where the configuration comes from. Each key of the file is also an environment variable:
/// `PATRON_` and the key in capitals.
#[derive(Args, Default)]
struct Sources {
    #[command(flatten)]
    place: Place,
    /// The address and port to listen on [default: 127.0.0.1:8080].
    #[arg(long, value_name = "ADDR")]
    listen: Option<SocketAddr>,
    /// The certificate and those that vouch for it, a PEM file; Patron then speaks TLS only.
    #[arg(long, value_name = "FILE")]
    tls_cert: Option<String>,
    /// The certificate's private key, a PEM file.
    #[arg(long, value_name = "FILE")]
    tls_key: Option<String>,
    /// The network of a proxy that says by `X-Forwarded-For` for whom it calls; may be repeated.
    #[arg(long, value_name = "CIDR")]
    trusted_proxy: Vec<String>,
    /// A collector of OpenTelemetry to which traces are told by OTLP, as `http://127.0.0.1:4318`.
    #[arg(long, value_name = "URL")]
    otlp_endpoint: Option<String>,
    /// The most calls a minute by one till, 0 for any number [default: 1000].
    #[arg(long, value_name = "N")]
    rate_limit: Option<u32>,
    /// How many identifiers of new customers gather in memory [default: 300000].
    #[arg(long, value_name = "N")]
    recent_identifiers: Option<u32>,
    /// How much of the database the writer keeps in memory, in MiB [default: 16].
    #[arg(long, value_name = "MIB")]
    writer_cache: Option<u32>,
    /// How much is logged before it is copied into the database, in MiB [default: 16].
    #[arg(long, value_name = "MIB")]
    checkpoint: Option<u32>,
}

/// Where the data are.
#[derive(Args, Clone, Default)]
struct Place {
    /// The configuration, a TOML file.
    #[arg(long, value_name = "FILE", env = "PATRON_CONFIG")]
    config: Option<PathBuf>,
    /// The directory of the data, or `:memory:` to keep nothing [default: ./patron-data].
    #[arg(long, value_name = "DIR")]
    data: Option<String>,
    /// The PostgreSQL database of the data, as `postgres://user@host/name`, instead of a directory.
    /// A password is better in `PATRON_DATABASE`, where other users of the machine do not see it.
    #[arg(long, value_name = "URL", conflicts_with = "data")]
    database: Option<String>,
    /// The certificates that the database's own is to be vouched for by, a PEM file.
    #[arg(long, value_name = "FILE")]
    database_ca: Option<String>,
}

/// The canonical form of a name.
fn name(sent: &str) -> Result<String, String> {
    let name = text::key(sent).ok_or("a name has no control characters")?;
    Ok(name.into_owned())
}

impl Place {
    fn load(&self) -> anyhow::Result<Config> {
        Sources { place: self.clone(), ..Sources::default() }.load()
    }
}

impl Sources {
    fn load(&self) -> anyhow::Result<Config> {
        let mut flags = Table::new();
        let listen = self.listen.map(|address| address.to_string());
        let proxies = (!self.trusted_proxy.is_empty()).then(|| self.trusted_proxy.join(","));
        let texts = [
            ("trusted_proxies", &proxies),
            ("listen", &listen),
            ("data", &self.place.data),
            ("database", &self.place.database),
            ("database_ca", &self.place.database_ca),
            ("tls_cert", &self.tls_cert),
            ("tls_key", &self.tls_key),
            ("otlp_endpoint", &self.otlp_endpoint),
        ];
        let given = texts.into_iter().filter_map(|(key, text)| Some((key, text.clone()?)));
        flags.extend(given.map(|(key, text)| (key.to_owned(), Value::String(text))));
        let numbers = [
            ("rate_limit_per_minute", self.rate_limit),
            ("recent_identifiers", self.recent_identifiers),
            ("writer_cache_mib", self.writer_cache),
            ("checkpoint_mib", self.checkpoint),
        ];
        let given = numbers.into_iter().filter_map(|(key, number)| Some((key, number?)));
        flags.extend(given.map(|(key, number)| (key.to_owned(), Value::Integer(number.into()))));
        // A variable that is no Unicode is none of ours.
        let text = |(name, value): (std::ffi::OsString, std::ffi::OsString)| {
            Some((name.into_string().ok()?, value.into_string().ok()?))
        };
        let environment = std::env::vars_os().filter_map(text);
        Config::load(self.place.config.as_deref().map(Path::new), environment, flags)
    }
}

/// Runs the command that the process was started with.
#[must_use]
pub fn main() -> ExitCode {
    let done = match Cli::parse().command {
        Command::Serve(arguments) => serve::run(&arguments),
        Command::Health(arguments) => health::run(&arguments),
        Command::Ledger(command) => ledger::run(&command),
        Command::Org(command) => org::run(&command),
        Command::Till(command) => till::run(&command),
        Command::Client(command) => client::run(&command),
        Command::Operator(command) => operator::run(&command),
        Command::Migrate(command) => migrate::run(&command),
        Command::Codes => codes::run(),
        Command::Settings => settings::run(),
        Command::Openapi => openapi::run(),
        Command::Config(sources) => config::run(&sources),
        Command::Check(arguments) => data::check::run(&arguments),
        Command::Backup(arguments) => data::backup::run(&arguments),
        Command::Restore(arguments) => data::restore::run(&arguments),
        Command::Copy(arguments) => data::copy::run(&arguments),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            say_error(&format!("{error:#}"));
            if error.is::<data::Damaged>() { data::DAMAGED.into() } else { ExitCode::FAILURE }
        }
    }
}

/// Prints what the command was asked for. Nobody may be reading; that is no reason to fail.
fn say(text: &str) {
    drop(writeln!(io::stdout(), "{text}"));
}

/// Prints why the command failed.
fn say_error(text: &str) {
    drop(writeln!(io::stderr(), "patron: {text}"));
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;

    /// Every command with names among its arguments, each in the place of an `@`.
    const COMMANDS: [&str; 10] = [
        "org export @",
        "org show @ tills @",
        "org put @ tills {}",
        "org retire @ tills @",
        "till password @ @",
        "client secret @ @",
        "operator add @ --role owner --organisation @",
        "operator remove @ --organisation @",
        "operator password @",
        "ledger check --organisation @",
    ];

    fn names(command: &clap::Command) -> usize {
        let is_name = |id: &str| matches!(id, "name" | "organisation");
        let own = command.get_arguments().filter(|argument| is_name(argument.get_id().as_str()));
        own.count() + command.get_subcommands().map(names).sum::<usize>()
    }

    #[test]
    fn every_name_among_the_arguments_has_one_form() {
        let listed: usize = COMMANDS.iter().map(|line| line.matches('@').count()).sum();
        assert_eq!(listed, names(&Cli::command()), "a command with a name is not in the list");
        for line in COMMANDS {
            let parse = |name: &str| {
                let words = line.split(' ').map(|word| if word == "@" { name } else { word });
                Cli::try_parse_from(std::iter::once("patron").chain(words)).map(drop)
            };
            parse("caf\u{e9}").unwrap();
            let refused = parse("a\u{1}b").unwrap_err().to_string();
            assert!(refused.contains("no control characters"), "{line}: {refused}");
        }
        assert_eq!(name("\u{feff}cafe\u{301}\u{200b}"), Ok("caf\u{e9}".to_owned()));
    }
}
