//! `patron serve`

use std::time::Duration;

use anyhow::Context;
use clap::Args;
use tokio::signal;

use super::{Sources, opened};
use crate::app::App;
use crate::config::Config;
use crate::{demo, http, observe};

#[derive(Args)]
pub(super) struct Arguments {
    #[command(flatten)]
    sources: Sources,
    /// Fill an empty store with something to try. Listens on loopback only.
    #[arg(long)]
    demo: bool,
}

pub(super) fn run(arguments: &Arguments) -> anyhow::Result<()> {
    let config = arguments.sources.load()?;
    let _traces = observe::log::start(&config)?;
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(serve(config, arguments.demo))
}

async fn serve(config: Config, demo: bool) -> anyhow::Result<()> {
    let mut signals = Signals::listen()?;
    let store = opened::open(&config).await.context("cannot open the data")?;
    if demo {
        demo::fill(store.as_ref()).await?;
    }
    let has_demo = demo::keep_private(store.as_ref(), config.listen).await?;
    let certificate = http::tls::Certificate::load(&config).await?;
    let server = http::bind(config.listen)?.with(certificate.clone());
    let address = server.address();
    if demo {
        let command = demo::curl(config.scheme(), address);
        super::say(&format!("Register a customer:\n\n{command}\n"));
    }
    let within = Duration::from_secs(config.shutdown_timeout_seconds);
    let (stop, stop_now) = (server.stopper(within), server.stopper(Duration::ZERO));
    let data = config.place();
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
