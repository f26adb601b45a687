//! What an engine does for a copy, from or to it.

use std::sync::Arc;

use async_trait::async_trait;

use super::row::{Chunk, Key, Row};
use super::tables::{Table, Which};
use crate::Error;
use crate::maintenance::{Part, Watch};

/// The table that is there while a copy is not finished; its row says of what it is one.
pub(crate) const MARK: &str = "unfinished_copy";

/// Which rows are asked for.
pub(crate) enum Asked {
    /// The first ones that follow this key; the first ones of all.
    After(Option<Key>),
    /// The one that has this key.
    At(Key),
    /// The last one.
    Last,
}

impl Asked {
    pub(crate) const fn which(&self) -> Which {
        match self {
            Self::After(None) => Which::All,
            Self::After(Some(_)) => Which::After,
            Self::At(_) => Which::At,
            Self::Last => Which::Last,
        }
    }

    pub(crate) const fn key(&self) -> Option<&Key> {
        match self {
            Self::After(key) => key.as_ref(),
            Self::At(key) => Some(key),
            Self::Last => None,
        }
    }
}

/// How much was written to a registry, as far as that can be told: it differs after each write.
pub(crate) type Writes = (i64, Option<i64>);

/// One end of a copy.
#[async_trait]
pub(crate) trait End: Send + Sync {
    /// The rows of a table that are asked for, in the order of their keys; one chunk at most.
    async fn rows(
        &self,
        table: &'static Table,
        asked: Asked,
        chunk: Chunk,
    ) -> Result<Vec<Row>, Error>;

    /// How many rows a table has.
    async fn count(&self, table: &'static Table) -> Result<u64, Error>;

    /// What tells later whether anybody wrote meanwhile.
    async fn writes(&self) -> Result<Writes, Error>;

    /// Writes rows, all of them or none.
    async fn write(&self, table: &'static Table, rows: Arc<Vec<Row>>) -> Result<(), Error>;

    /// Every row is there.
    async fn filled(&self) -> Result<(), Error>;

    /// Checks what must hold between rows.
    async fn check(&self, watch: &mut (dyn Watch + Send)) -> Result<Vec<Part>, Error>;

    /// Takes the mark of an unfinished copy away, there to stay.
    async fn finish(&self) -> Result<(), Error>;
}
