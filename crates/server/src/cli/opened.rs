//! Opening the data, on either engine.

use std::sync::Arc;

use anyhow::{Context, bail};
use patron_store::{Location, PostgresStore, SqliteStore, Store};
use tokio::runtime::Runtime;

use super::admin::IfMissing;
use super::note;
use crate::config::{Config, Engine};

/// Opens the data in this process.
pub(super) async fn open(config: &Config, if_missing: IfMissing) -> anyhow::Result<Arc<dyn Store>> {
    Ok(match config.engine() {
        Engine::Embedded(location) => embedded(config, &location, if_missing)?,
        Engine::Postgres(options) => {
            Arc::new(PostgresStore::open(&options).await.context("cannot open the data")?)
        }
    })
}

/// Opens the data of the embedded engine in this process.
pub(super) fn embedded(
    config: &Config,
    location: &Location,
    if_missing: IfMissing,
) -> anyhow::Result<Arc<SqliteStore>> {
    let exists = SqliteStore::exists(location)?;
    if !exists && if_missing == IfMissing::Fail {
        bail!(missing(location));
    }
    let store = SqliteStore::open_tuned(location, &config.tuning());
    let store = store.context("cannot open the data")?;
    if let (false, Location::Directory(directory)) = (exists, location) {
        let directory = directory.display();
        match if_missing {
            IfMissing::CreateAndLog => tracing::info!(%directory, "created an empty registry"),
            _ => note(&format!("created an empty registry in {directory}")),
        }
    }
    Ok(Arc::new(store))
}

/// Says where no registry was found, and how to create one.
fn missing(location: &Location) -> String {
    match location {
        Location::Memory => "a registry in memory ends with its process; name a directory with \
                             `--data` or a database with `--database`"
            .to_owned(),
        Location::Directory(directory) => {
            let path = std::path::absolute(directory).unwrap_or_else(|_| directory.clone());
            let path = path.display();
            format!(
                "found no registry in {path}. Name its directory with `--data`, or create a new one \
                 there with `patron serve --data {path}` or `patron org apply FILE --data {path}`"
            )
        }
    }
}

/// Runs some work on a store, and closes it.
pub(super) async fn done<T>(
    store: Arc<dyn Store>,
    work: impl AsyncFnOnce(&dyn Store) -> anyhow::Result<T>,
) -> anyhow::Result<T> {
    let done = work(store.as_ref()).await;
    store.close().await;
    done
}

/// The runtime of a command: one thread.
pub(super) fn runtime() -> anyhow::Result<Runtime> {
    Ok(tokio::runtime::Builder::new_current_thread().enable_all().build()?)
}
