//! `patron serve`

use std::time::Duration;

use clap::Args;
use patron_store::Location;
use tokio::signal;

use super::admin::IfMissing;
use super::{Place, Sources, opened};
use crate::app::App;
use crate::config::{Config, DatabaseUrl, Engine};
#[cfg(unix)]
use crate::http::command_socket::CommandSocket;
use crate::{demo, http, observe};

#[derive(Args)]
pub(super) struct Arguments {
    #[command(flatten)]
    sources: Sources,
    /// Fill an empty registry with two organisations to try. Listens on loopback only.
    #[arg(long)]
    demo: bool,
}

pub(super) fn run(arguments: &Arguments) -> anyhow::Result<()> {
    let config = arguments.sources.load()?;
    let _traces = observe::log::start(&config)?;
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(serve(config, arguments))
}

async fn serve(config: Config, arguments: &Arguments) -> anyhow::Result<()> {
    let Arguments { sources, demo } = arguments;
    let demo = *demo;
    let mut signals = Signals::listen()?;
    let if_missing = if config.must_exist { IfMissing::Fail } else { IfMissing::CreateAndLog };
    let store = opened::open(&config, if_missing).await?;
    #[cfg(unix)]
    let commands = command_socket(&config);
    if demo {
        demo::fill(store.as_ref()).await?;
    }
    let has_demo = demo::keep_private(store.as_ref(), config.listen).await?;
    let certificate = http::tls::Certificate::load(&config).await?;
    let server = http::bind(config.listen)?.with(certificate.clone());
    #[cfg(unix)]
    let server = server.with_commands(commands);
    let address = server.address();
    if demo {
        let command = demo::curl(config.scheme(), address);
        super::say(&format!("Register a customer:\n\n{command}\n"));
    }
    let within = Duration::from_secs(config.shutdown_timeout_seconds);
    let (stop, stop_now) = (server.stopper(within), server.stopper(Duration::ZERO));
    let data = config.place();
    // Commands do not reach data in memory.
    let is_reachable = !matches!(config.engine(), Engine::Embedded(Location::Memory));
    if is_reachable && !store.has_operators().await? {
        super::say(&format!(
            "No operator exists. Add the first owner while Patron serves:\n\n  {}\n",
            add_owner(&sources.place)
        ));
    }
    let app = App { has_demo, ..App::new(config, store)? };
    tracing::info!(%address, data, version = env!("CARGO_PKG_VERSION"), "listening");
    if let Some(certificate) = certificate {
        tokio::spawn(certificate.keep_current());
    }
    tokio::spawn(async move {
        signals.next().await;
        tracing::info!("stopping; a second signal stops at once");
        stop();
        signals.next().await;
        stop_now();
    });
    server.run(app).await?;
    tracing::info!("stopped");
    Ok(())
}

/// The socket over which commands reach this process, if it alone owns the data. Without one, which
/// some file systems do not have, Patron serves all the same.
#[cfg(unix)]
fn command_socket(config: &Config) -> Option<CommandSocket> {
    let Engine::Embedded(Location::Directory(data)) = config.engine() else { return None };
    let bound = CommandSocket::bind(&data);
    bound
        .inspect_err(|error| {
            tracing::warn!(error = format!("{error:#}"), "commands cannot reach this process");
        })
        .ok()
}

/// The command that adds the first owner to the data at this place.
fn add_owner(place: &Place) -> String {
    let Place { config, data, database, database_ca } = place;
    let config = config.as_ref().map(|path| path.display().to_string());
    // A password is not printed: the variable holds the URL instead.
    let hides_secret = |url: &String| DatabaseUrl::from(url.clone()).to_string() != *url;
    let (secret, database) = match database {
        Some(url) if hides_secret(url) => ("PATRON_DATABASE=URL ", &None),
        database => ("", database),
    };
    let flags = [
        ("--config", &config),
        ("--data", data),
        ("--database", database),
        ("--database-ca", database_ca),
    ];
    let word = |(flag, value): (&str, &Option<String>)| {
        Some(format!(" {flag} {}", quoted(value.as_deref()?)))
    };
    let given: String = flags.into_iter().filter_map(word).collect();
    format!("{secret}patron operator add NAME --role owner{given}")
}

/// A word for a shell.
fn quoted(word: &str) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "/._-:@=,+".contains(c);
    if !word.is_empty() && word.chars().all(is_plain) {
        return word.to_owned();
    }
    format!("'{}'", word.replace('\'', r"'\''"))
}

/// Ctrl-C and SIGTERM.
struct Signals {
    #[cfg(unix)]
    interrupted: signal::unix::Signal,
    #[cfg(unix)]
    terminated: signal::unix::Signal,
}

#[cfg(unix)]
impl Signals {
    fn listen() -> anyhow::Result<Self> {
        use signal::unix::{SignalKind, signal};
        Ok(Self {
            interrupted: signal(SignalKind::interrupt())?,
            terminated: signal(SignalKind::terminate())?,
        })
    }

    async fn next(&mut self) {
        tokio::select! {
            _ = self.interrupted.recv() => {}
            _ = self.terminated.recv() => {}
        }
    }
}

#[cfg(not(unix))]
impl Signals {
    #[expect(clippy::unnecessary_wraps, reason = "as on unix")]
    fn listen() -> anyhow::Result<Self> {
        Ok(Self {})
    }

    async fn next(&mut self) {
        drop(signal::ctrl_c().await);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_that_adds_an_owner_names_the_same_data_without_a_password() {
        let data = Place { data: Some("it's here".to_owned()), ..Place::default() };
        assert_eq!(
            add_owner(&data),
            r"patron operator add NAME --role owner --data 'it'\''s here'"
        );
        let database = |url: &str| Place { database: Some(url.to_owned()), ..Place::default() };
        assert_eq!(
            add_owner(&database("postgres://patron@db/patron")),
            "patron operator add NAME --role owner --database postgres://patron@db/patron"
        );
        assert_eq!(
            add_owner(&database("postgres://patron:s3cret@db/patron")),
            "PATRON_DATABASE=URL patron operator add NAME --role owner"
        );
        assert_eq!(add_owner(&Place::default()), "patron operator add NAME --role owner");
    }
}
