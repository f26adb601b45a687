//! `patron health`: asks a running server whether it can serve.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, bail};
use clap::Args;
use rustls::crypto::aws_lc_rs::default_provider;
use ureq::Agent;
use ureq::tls::{TlsConfig, TlsProvider};

use super::Sources;

/// How long the server may take to answer.
const TIMEOUT: Duration = Duration::from_secs(10);

#[derive(Args)]
pub(super) struct Arguments {
    /// The configuration of the server, a TOML file.
    #[arg(long, value_name = "FILE", env = "PATRON_CONFIG")]
    config: Option<PathBuf>,
    /// The address and port of the server, if not as configured.
    #[arg(long, value_name = "ADDR")]
    listen: Option<String>,
    /// The server speaks TLS, although the configuration names no certificate.
    #[arg(long)]
    tls: bool,
}

pub(super) fn run(arguments: &Arguments) -> anyhow::Result<()> {
    let mut sources = Sources { listen: arguments.listen.clone(), ..Sources::default() };
    sources.place.config.clone_from(&arguments.config);
    let config = sources.load()?;
    let scheme = if arguments.tls { "https" } else { config.scheme() };
    let url = format!("{scheme}://{}/readyz", reachable(config.listen));
    let mut reply = agent().get(&url).call().with_context(|| format!("cannot reach {url}"))?;
    let text =
        reply.body_mut().read_to_string().with_context(|| format!("in the reply of {url}"))?;
    if !reply.status().is_success() {
        bail!("{url} answers {}: {}", reply.status().as_u16(), text.trim());
    }
    super::say(text.trim());
    Ok(())
}

/// The certificate is not verified: it names the server, not this machine, and nothing secret is
/// sent.
fn agent() -> Agent {
    let tls = TlsConfig::builder()
        .provider(TlsProvider::Rustls)
        .unversioned_rustls_crypto_provider(Arc::new(default_provider()))
        .disable_verification(true)
        .build();
    let config = Agent::config_builder()
        .tls_config(tls)
        .proxy(None)
        .max_redirects(0)
        .http_status_as_error(false)
        .timeout_global(Some(TIMEOUT));
    config.build().new_agent()
}

/// Returns an address at which this machine reaches a server that listens on `listen`.
fn reachable(mut listen: SocketAddr) -> SocketAddr {
    if listen.ip().is_unspecified() {
        listen.set_ip(match listen.ip() {
            IpAddr::V4(_) => Ipv4Addr::LOCALHOST.into(),
            IpAddr::V6(_) => Ipv6Addr::LOCALHOST.into(),
        });
    }
    listen
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn asks_loopback_where_the_server_listens_everywhere() {
        for (listen, wanted) in [
            ("127.0.0.1:8080", "127.0.0.1:8080"),
            ("10.0.0.1:80", "10.0.0.1:80"),
            ("0.0.0.0:8080", "127.0.0.1:8080"),
            ("[::]:8080", "[::1]:8080"),
        ] {
            assert_eq!(reachable(listen.parse().unwrap()).to_string(), wanted);
        }
    }
}
