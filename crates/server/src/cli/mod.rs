//! The command line.

mod admin;
mod client;
mod codes;
mod config;
mod data;
mod health;
mod ledger;
mod limits;
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
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{Args, Parser, Subcommand};
use patron_rules::text;
use toml::Table;

use crate::config::{Config, Key};
use crate::limits::proxies::Proxies;
use crate::observe;

/// Patron, a customer registry for loyalty programmes.
#[derive(Parser)]
#[command(name = "patron", version)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Serve requests until a signal to stop.
    Serve(serve::Arguments),
    /// Ask a running server whether it can serve. Ends with 0 if it can, else with 1.
    Health(health::Arguments),
    /// Check the ledgers of points and other currencies.
    #[command(subcommand)]
    Ledger(ledger::Command),
    /// Set up organisations: document by document, or as a file.
    #[command(subcommand)]
    Org(org::Command),
    /// Manage till passwords.
    #[command(subcommand)]
    Till(till::Command),
    /// Manage the secrets of API clients.
    #[command(subcommand)]
    Client(client::Command),
    /// Manage operators: the people who set organisations up.
    #[command(subcommand)]
    Operator(operator::Command),
    /// Manage the schema of the data.
    #[command(subcommand)]
    Migrate(migrate::Command),
    /// Print the catalogue of codes, as Markdown.
    Codes,
    /// Print the catalogue of an organisation's settings, as Markdown.
    Settings,
    /// Print the catalogue of limits, as Markdown.
    Limits,
    /// Print the OpenAPI document, as JSON.
    Openapi,
    /// Print the configuration that takes effect.
    Config(config::Arguments),
    /// Check the data for damage: duplicates, rows without an owner, ledgers. Works while Patron
    /// serves.
    Check(data::check::Arguments),
    /// Copy the data into one file. Works while Patron serves.
    Backup(data::backup::Arguments),
    /// Replace the data with a backup. Patron must be stopped.
    Restore(data::restore::Arguments),
    /// Move a registry to another directory or engine: copy it and compare every row. If it is
    /// interrupted, run the same command again; it resumes.
    Copy(data::copy::Arguments),
}

/// Where the configuration comes from. Each key of the file is also an environment variable:
/// `PATRON_` and the key in capitals. docs/configuration.md lists them all.
#[derive(Args, Default)]
struct Sources {
    #[command(flatten)]
    place: Place,
    /// The address and port to listen on [default: 127.0.0.1:8080].
    #[arg(long, value_name = "ADDRESS:PORT", value_parser = of_key("listen"))]
    listen: Option<String>,
    /// Fail if the data directory holds no registry, instead of creating one.
    #[arg(long)]
    must_exist: bool,
    /// The certificate and its chain, a PEM file. With it, Patron only speaks TLS.
    #[arg(long, value_name = "FILE")]
    tls_cert: Option<String>,
    /// The certificate's private key, a PEM file.
    #[arg(long, value_name = "FILE")]
    tls_key: Option<String>,
    /// Trust `X-Forwarded-For` from this network. May be repeated.
    #[arg(long, value_name = "CIDR", value_parser = network)]
    trusted_proxy: Vec<String>,
    /// Send traces to this OpenTelemetry collector by OTLP, such as `http://127.0.0.1:4318`.
    #[arg(long, value_name = "URL", value_parser = of_key("otlp_endpoint"))]
    otlp_endpoint: Option<String>,
    /// The most calls a minute by one till, 0 for no limit [default: 1000].
    #[arg(long, value_name = "N", value_parser = of_key("rate_limit_per_minute"))]
    rate_limit: Option<String>,
    /// The most changes a minute by one operator over HTTP, 0 for no limit [default: 600].
    #[arg(long, value_name = "N", value_parser = of_key("change_limit_per_minute"))]
    change_limit: Option<String>,
    /// How many identifiers of new customers gather in memory [default: 300000].
    #[arg(long, value_name = "N", value_parser = of_key("recent_identifiers"))]
    recent_identifiers: Option<String>,
    /// How much of the database the writer keeps in memory, in MiB [default: 16].
    #[arg(long, value_name = "MIB", value_parser = of_key("writer_cache_mib"))]
    writer_cache: Option<String>,
    /// How much is logged before it is copied into the database, in MiB [default: 16].
    #[arg(long, value_name = "MIB", value_parser = of_key("checkpoint_mib"))]
    checkpoint: Option<String>,
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
    /// Pass a password in the variable `PATRON_DATABASE`, where other users of the machine cannot
    /// see it.
    #[arg(long, value_name = "URL", conflicts_with = "data")]
    database: Option<String>,
    /// The certificates that verify the database's own, a PEM file.
    #[arg(long, value_name = "FILE")]
    database_ca: Option<String>,
}

/// The canonical form of a name.
fn name(sent: &str) -> Result<String, String> {
    match text::find(sent, char::is_control) {
        Some(found) => Err(format!("a name has no control characters; {found}")),
        None => Ok(text::canonical(sent).into_owned()),
    }
}

/// Parses the value of a flag by the form of its key.
fn of_key(name: &'static str) -> impl Fn(&str) -> Result<String, String> + Clone + Send + Sync {
    move |text| match Key::named(name) {
        Some(Key { form, .. }) if form.check(&form.value(text)).is_err() => {
            Err(format!("expected {}", form.expected()))
        }
        _ => Ok(text.to_owned()),
    }
}

fn network(text: &str) -> Result<String, String> {
    match Proxies::parse(text) {
        Ok(_) => Ok(text.to_owned()),
        Err(_) => Err("expected a network such as 10.0.0.0/8".to_owned()),
    }
}

impl Place {
    fn load(&self) -> anyhow::Result<Config> {
        Sources { place: self.clone(), ..Sources::default() }.load()
    }
}

impl Sources {
    fn load(&self) -> anyhow::Result<Config> {
        let proxies = (!self.trusted_proxy.is_empty()).then(|| self.trusted_proxy.join(","));
        let must_exist = self.must_exist.then(|| true.to_string());
        let given = [
            ("listen", &self.listen),
            ("data", &self.place.data),
            ("database", &self.place.database),
            ("database_ca", &self.place.database_ca),
            ("must_exist", &must_exist),
            ("recent_identifiers", &self.recent_identifiers),
            ("writer_cache_mib", &self.writer_cache),
            ("checkpoint_mib", &self.checkpoint),
            ("tls_cert", &self.tls_cert),
            ("tls_key", &self.tls_key),
            ("trusted_proxies", &proxies),
            ("otlp_endpoint", &self.otlp_endpoint),
            ("rate_limit_per_minute", &self.rate_limit),
            ("change_limit_per_minute", &self.change_limit),
        ];
        let value = |(name, text): (&str, &Option<String>)| {
            Some((name.to_owned(), Key::named(name)?.form.value(text.as_deref()?)))
        };
        let flags: Table = given.into_iter().filter_map(value).collect();
        // A variable that is not Unicode is not one of ours.
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
    let command = Cli::parse().command;
    if !matches!(command, Command::Serve(_)) {
        observe::log::start_for_command();
    }
    let done = match command {
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
        Command::Limits => limits::run(),
        Command::Openapi => openapi::run(),
        Command::Config(arguments) => config::run(&arguments),
        Command::Check(arguments) => data::check::run(&arguments),
        Command::Backup(arguments) => data::backup::run(&arguments),
        Command::Restore(arguments) => data::restore::run(&arguments),
        Command::Copy(arguments) => data::copy::run(&arguments),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            note(&format!("{error:#}"));
            if error.is::<data::Damaged>() { data::DAMAGED.into() } else { ExitCode::FAILURE }
        }
    }
}

/// Prints the result of the command. A reader that has gone is no reason to fail.
fn say(text: &str) {
    drop(writeln!(io::stdout(), "{text}"));
}

/// Prints a note beside the result: why the command failed, or what it did besides.
fn note(text: &str) {
    drop(writeln!(io::stderr(), "patron: {text}"));
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use clap::CommandFactory as _;

    use super::*;
    use crate::config::KEYS;

    /// Every command with names among its arguments, each in the place of an `@`.
    const COMMANDS: [&str; 12] = [
        "org export @",
        "org show @ tills @",
        "org put @ tills {}",
        "org set @ COUNTRY=DE",
        "org retire @ tills @",
        "till password @ @",
        "client secret @ @",
        "operator add @ --role owner --organisation @",
        "operator list --organisation @",
        "operator remove @ --organisation @",
        "operator password @ --organisation @",
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
            let reason = "no control characters; character 2 is U+0001";
            assert!(refused.contains(reason), "{line}: {refused}");
        }
        assert_eq!(name("\u{feff}cafe\u{301}\u{200b}"), Ok("caf\u{e9}".to_owned()));
    }

    /// Every command without a subcommand, by its words.
    fn leaves(command: &clap::Command, words: &str) -> Vec<(String, clap::Command)> {
        let words = format!("{words} {}", command.get_name()).trim().to_owned();
        if !command.has_subcommands() {
            return vec![(words, command.clone())];
        }
        command.get_subcommands().flat_map(|each| leaves(each, &words)).collect()
    }

    fn flags(command: &clap::Command) -> BTreeSet<String> {
        let longs = command.get_arguments().filter_map(clap::Arg::get_long);
        longs.map(|long| format!("--{long}")).collect()
    }

    #[test]
    fn only_serve_and_config_have_the_flags_of_serve() {
        let place = flags(&Place::augment_args(clap::Command::new("place")));
        let sources = flags(&Sources::augment_args(clap::Command::new("sources")));
        let of_serve: BTreeSet<_> = sources.difference(&place).cloned().collect();
        for (words, command) in leaves(&Cli::command(), "") {
            let found: BTreeSet<_> = flags(&command).intersection(&of_serve).cloned().collect();
            let expected = match words.as_str() {
                "patron serve" | "patron config" => of_serve.clone(),
                // The address of the server that it asks.
                "patron health" => BTreeSet::from(["--listen".to_owned()]),
                _ => BTreeSet::new(),
            };
            assert_eq!(found, expected, "{words}");
        }
    }

    #[test]
    fn every_flag_of_a_key_is_listed_with_its_key() {
        let sources = flags(&Sources::augment_args(clap::Command::new("sources")));
        let listed: BTreeSet<_> =
            KEYS.iter().filter_map(|key| key.flag).map(str::to_owned).collect();
        let others = BTreeSet::from(["--config".to_owned()]);
        assert_eq!(sources.difference(&others).cloned().collect::<BTreeSet<_>>(), listed);
    }

    #[test]
    fn every_command_and_argument_is_described() {
        for (words, command) in leaves(&Cli::command(), "") {
            assert!(command.get_about().is_some(), "{words}");
            for argument in command.get_arguments().filter(|one| !one.is_hide_set()) {
                let is_own = matches!(argument.get_id().as_str(), "help" | "version");
                assert!(is_own || argument.get_help().is_some(), "{words} {}", argument.get_id());
            }
        }
    }

    #[test]
    fn a_wrong_value_of_a_flag_is_named_with_the_expected_form() {
        for (flag, value, expected) in [
            ("--listen", "8080", "expected ADDRESS:PORT such as 127.0.0.1:8080"),
            ("--trusted-proxy", "proxy.example", "expected a network such as 10.0.0.0/8"),
            ("--otlp-endpoint", "collector:4318", "expected a URL such as http://127.0.0.1:4318"),
            ("--rate-limit", "many", "expected a whole number from 0 to 1000000000"),
            ("--change-limit", "-1", "expected a whole number from 0 to 1000000000"),
            ("--recent-identifiers", "0", "expected a whole number from 1 to 10000000"),
            ("--writer-cache", "-1", "expected a whole number of MiB from 1 to 65536"),
            ("--checkpoint", "1.5", "expected a whole number of MiB from 1 to 4096"),
        ] {
            let argument = format!("{flag}={value}");
            let error =
                Cli::try_parse_from(["patron", "serve", &argument]).err().unwrap().to_string();
            let start = format!("error: invalid value '{value}' for '{flag} <");
            assert!(error.starts_with(&start) && error.contains(expected), "{error}");
        }
        for (arguments, expected) in [
            (
                ["org", "show", "brand", "till"].as_slice(),
                "expected one of organisation, settings,",
            ),
            (&["operator", "add", "asha", "--role", "boss"], "reader, support, editor or owner"),
        ] {
            let error = Cli::try_parse_from(["patron"].iter().chain(arguments)).err().unwrap();
            assert!(error.to_string().contains(expected), "{error}");
        }
    }
}
