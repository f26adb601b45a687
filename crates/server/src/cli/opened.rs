//! The data, for a command that is done when it is done.

use anyhow::Context;
use jiff::Timestamp;
use patron_store::{Author, SqliteStore, Store, TenantId};

use super::{Place, Sources};

/// By whom changes are made that come from here.
const AUTHOR: &str = "command line";

/// Does something with the store, and closes it.
pub(super) fn with<T>(
    place: &Place,
    work: impl AsyncFnOnce(&dyn Store) -> anyhow::Result<T>,
) -> anyhow::Result<T> {
    let config = Sources { place: place.clone(), ..Sources::default() }.load()?;
    let store = SqliteStore::open_tuned(&config.location(), &config.tuning())
        .context("cannot open the data (while Patron serves it, use the admin API instead)")?;
    let runtime = tokio::runtime::Builder::new_current_thread().build()?;
    let done = runtime.block_on(work(&store));
    runtime.block_on(store.close());
    done
}

/// The organisation of this name.
pub(super) async fn organisation(store: &dyn Store, name: &str) -> anyhow::Result<TenantId> {
    let found = store.organisation_named(name).await?;
    found.with_context(|| format!("there is no organisation `{name}`"))
}

pub(super) fn author() -> Author {
    Author { name: AUTHOR.to_owned(), at: Timestamp::now() }
}
