//! The data, on whichever engine they are.

use std::sync::Arc;

use anyhow::Context;
use jiff::Timestamp;
use patron_store::{Author, PostgresStore, SqliteStore, Store, TenantId};
use tokio::runtime::Runtime;

use super::Place;
use crate::config::{Config, Engine};

/// By whom changes are made that come from here.
const AUTHOR: &str = "command line";

/// Opens the data.
pub(super) async fn open(config: &Config) -> anyhow::Result<Arc<dyn Store>> {
    let store: Arc<dyn Store> = match config.engine() {
        Engine::Embedded(location) => {
            Arc::new(SqliteStore::open_tuned(&location, &config.tuning())?)
        }
        Engine::Postgres(options) => Arc::new(PostgresStore::open(&options).await?),
    };
    Ok(store)
}

/// Changes or shows what is set up, for a command that is done when it is done.
pub(super) fn with<T>(
    place: &Place,
    work: impl AsyncFnOnce(&dyn Store) -> anyhow::Result<T>,
) -> anyhow::Result<T> {
    let config = place.load()?;
    let why = match config.engine() {
        Engine::Embedded(_) => {
            "cannot open the data (while Patron serves it, use the admin API instead)"
        }
        Engine::Postgres(_) => "cannot open the data",
    };
    runtime()?.block_on(async { done(open(&config).await.context(why)?, work).await })
}

/// Does something with a store, and closes it.
pub(super) async fn done<T>(
    store: Arc<dyn Store>,
    work: impl AsyncFnOnce(&dyn Store) -> anyhow::Result<T>,
) -> anyhow::Result<T> {
    let done = work(store.as_ref()).await;
    store.close().await;
    done
}

/// What a command runs on that is done when it is done.
pub(super) fn runtime() -> anyhow::Result<Runtime> {
    Ok(tokio::runtime::Builder::new_current_thread().enable_all().build()?)
}

/// The organisation of this name.
pub(super) async fn organisation(store: &dyn Store, name: &str) -> anyhow::Result<TenantId> {
    let found = store.organisation_named(name).await?;
    found.with_context(|| format!("there is no organisation `{name}`"))
}

pub(super) fn author() -> Author {
    Author { name: AUTHOR.to_owned(), at: Timestamp::now() }
}
