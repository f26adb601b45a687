//! `patron serve`

use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, bail};
use clap::Args;
use patron_store::{SqliteStore, Store};
use tokio::signal;

use super::Settings;
use crate::config::Config;
use crate::{demo, http, observe};

#[derive(Args)]
pub(super) struct Arguments {
    #[command(flatten)]
    settings: Settings,
    /// Fill an empty store with something to try. Listens on loopback only.
    #[arg(long)]
    demo: bool,
}

pub(super) fn run(arguments: &Arguments) -> anyhow::Result<()> {
    let config = arguments.settings.load()?;
    observe::start(&config)?;
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()?;
    runtime.block_on(serve(config, arguments.demo))
}

async fn serve(config: Config, demo: bool) -> anyhow::Result<()> {
    if demo && !config.listen.ip().is_loopback() {
        bail!(
            "--demo listens on loopback only, since its passwords are public; not on {}",
            config.listen
        );
    }
    let store = SqliteStore::open(&config.location()).context("cannot open the data")?;
    let store: Arc<dyn Store> = Arc::new(store);
    let server = http::bind(config.listen)?;
    let address = server.address();
    if demo {
        demo::fill(store.as_ref()).await?;
        super::say(&format!(
            "Register a customer:\n\n{}\n",
            demo::curl(address)
        ));
    }
    let stop = server.stopper(Duration::from_secs(config.shutdown_timeout_seconds));
    let data = config.data.display().to_string();
    let app = http::App::new(config, store)?;
    tracing::info!(%address, data, version = env!("CARGO_PKG_VERSION"), "listening");
    tokio::spawn(async move {
        stopped().await;
        tracing::info!("stopping");
        stop();
    });
    server.run(app).await?;
    tracing::info!("stopped");
    Ok(())
}

/// Waits for Ctrl-C or SIGTERM.
async fn stopped() {
    let interrupted = signal::ctrl_c();
    #[cfg(unix)]
    {
        let Ok(mut terminated) = signal::unix::signal(signal::unix::SignalKind::terminate()) else {
            drop(interrupted.await);
            return;
        };
        tokio::select! {
            _ = interrupted => {}
            _ = terminated.recv() => {}
        }
    }
    #[cfg(not(unix))]
    drop(interrupted.await);
}
