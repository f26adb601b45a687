//! A whole registry moves from one engine to another, or to another place of the same.
//!
//! Tables are copied one after the other, each in the order of its key, in chunks that are a
//! transaction of the target each. So where to go on, after whatever end, is the largest key that
//! the target has; nothing else is kept of how far a copy has come. As long as it is not finished
//! the target has a mark, by which whoever would use it knows and refuses. Finished it is once all
//! of it was read again and was the same on both sides.

mod compare;
pub(crate) mod end;
pub(crate) mod row;
pub(crate) mod tables;

use std::path::PathBuf;
use std::sync::Arc;

use self::compare::{Extent, compare};
use self::end::{Asked, End};
use self::row::Chunk;
use self::tables::{TABLES, Table};
use crate::maintenance::{Checked, Part, Watch};
use crate::{Error, PostgresOptions, postgres, sqlite};

/// How many rows are read and written at once, where nothing else is asked for.
pub const CHUNK_ROWS: usize = 5_000;
/// How much memory they take at most, in bytes; the last of them may take more.
const CHUNK_BYTES: usize = 8 << 20;

/// Where a registry is, or is to be.
#[derive(Debug, Clone)]
pub enum Place {
    /// In this directory.
    Directory(PathBuf),
    /// In this database.
    Postgres(PostgresOptions),
}

impl Place {
    /// Where it is, without a password.
    #[must_use]
    pub fn describe(&self) -> String {
        match self {
            Self::Directory(directory) => {
                let absolute = std::path::absolute(directory);
                absolute.as_ref().unwrap_or(directory).display().to_string()
            }
            Self::Postgres(options) => options.place(),
        }
    }

    /// Opens a registry that is whole.
    async fn open(&self) -> Result<Box<dyn End>, Error> {
        Ok(match self {
            Self::Directory(directory) => Box::new(sqlite::copying::open(directory)?),
            Self::Postgres(options) => Box::new(postgres::copying::open(options).await?),
        })
    }

    /// Opens what is empty, or holds a copy that was not finished, and marks it as one from there.
    async fn open_to_fill(&self, from: &str) -> Result<Box<dyn End>, Error> {
        Ok(match self {
            Self::Directory(directory) => Box::new(sqlite::copying::open_to_fill(directory, from)?),
            Self::Postgres(options) => {
                Box::new(postgres::copying::open_to_fill(options, from).await?)
            }
        })
    }
}

/// Copies a registry into an empty place, or goes on with a copy that was not finished; then compares
/// every row, and checks the copy. What was found is returned; the copy is to be used only where
/// that is nothing. So many rows are a chunk, and at most two of these are in memory.
///
/// Nobody may serve the registry meanwhile. A directory is locked for that; a database is not, and
/// what was changed there is found at the end.
///
/// # Errors
/// [`Error::NotEmpty`] where there is something else already, [`Error::OtherCopy`] where there is an
/// unfinished copy of something else, [`Error::Disturbed`] where the source was written to
/// meanwhile; [`Error::NoData`], [`Error::InUse`], and whatever else keeps either from being opened,
/// read or written. What was copied stays, and the same call goes on with it.
pub async fn copy(
    from: &Place,
    to: &Place,
    rows: usize,
    watch: &mut (dyn Watch + Send),
) -> Result<Checked, Error> {
    let source = from.open().await?;
    let target = to.open_to_fill(&from.describe()).await?;
    let ends = Ends { source: &*source, target: &*target, chunk: chunk(rows) };
    let before = source.writes().await?;
    ends.refuse_another_copy(watch).await?;
    for table in &TABLES {
        ends.copy(table, watch).await?;
    }
    target.filled().await?;
    let checked = ends.verify(watch).await?;
    if source.writes().await? != before {
        return Err(Error::Disturbed);
    }
    if checked.is_whole() {
        target.finish().await?;
    }
    Ok(checked)
}

/// Compares every row of a registry with its copy, and checks the copy. Nobody may serve either.
///
/// # Errors
/// Either cannot be opened or read.
pub async fn verify(
    from: &Place,
    to: &Place,
    rows: usize,
    watch: &mut (dyn Watch + Send),
) -> Result<Checked, Error> {
    let (source, target) = (from.open().await?, to.open().await?);
    Ends { source: &*source, target: &*target, chunk: chunk(rows) }.verify(watch).await
}

fn chunk(rows: usize) -> Chunk {
    Chunk { rows: rows.max(1), bytes: CHUNK_BYTES }
}

/// Both ends of a copy.
struct Ends<'a> {
    source: &'a dyn End,
    target: &'a dyn End,
    chunk: Chunk,
}

impl Ends<'_> {
    /// Refuses to go on with what is not the beginning of a copy of this source: of what is set up,
    /// each row that is there must be the same, and of all else the last one, where it goes on.
    async fn refuse_another_copy(&self, watch: &mut (dyn Watch + Send)) -> Result<(), Error> {
        for table in &TABLES {
            let fault = if table.is_set_up {
                let compared = compare(self, table, Extent::Copied, watch).await?;
                compared.told.into_iter().next()
            } else {
                self.fault_of_the_last(table).await?
            };
            if let Some(what) = fault {
                return Err(Error::OtherCopy { what: format!("{}: {what}", table.name) });
            }
        }
        Ok(())
    }

    async fn fault_of_the_last(&self, table: &'static Table) -> Result<Option<String>, Error> {
        let copied = self.target.rows(table, Asked::Last, self.chunk).await?;
        let Some(copied) = copied.first() else { return Ok(None) };
        let at = Asked::At(copied.key(table));
        let original = self.source.rows(table, at, self.chunk).await?;
        Ok(compare::fault(table, original.first(), Some(copied)))
    }

    /// Copies what the target lacks of a table.
    async fn copy(
        &self,
        table: &'static Table,
        watch: &mut (dyn Watch + Send),
    ) -> Result<(), Error> {
        let last = self.target.rows(table, Asked::Last, self.chunk).await?;
        let all = self.source.count(table).await?;
        let mut done = if last.is_empty() { 0 } else { self.target.count(table).await? };
        watch.begin(&format!("copying {}", table.name), Some(all));
        watch.reach(done.min(all));
        let after = last.first().map(|row| row.key(table));
        let mut rows = self.source.rows(table, Asked::After(after), self.chunk).await?;
        while let Some(last) = rows.last() {
            let next = Asked::After(Some(last.key(table)));
            let written = u64::try_from(rows.len()).unwrap_or(u64::MAX);
            // The next ones are read while these are written.
            let ((), next) = tokio::try_join!(
                self.target.write(table, Arc::new(rows)),
                self.source.rows(table, next, self.chunk),
            )?;
            done = done.saturating_add(written);
            watch.reach(done.min(all));
            rows = next;
        }
        Ok(())
    }

    /// Compares all rows; where they are the same, checks what must hold between those of the target.
    async fn verify(&self, watch: &mut (dyn Watch + Send)) -> Result<Checked, Error> {
        let mut parts: Vec<Part> = Vec::new();
        for table in &TABLES {
            parts.push(compare(self, table, Extent::All, watch).await?);
        }
        if parts.iter().all(|part| part.faults == 0) {
            parts.extend(self.target.check(watch).await?);
        }
        Ok(Checked { parts })
    }
}
