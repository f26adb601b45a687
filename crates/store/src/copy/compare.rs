//! Whether both sides of a copy hold the same.

use std::cmp::Ordering;
use std::collections::VecDeque;

use super::Ends;
use super::end::{Asked, End};
use super::row::{Chunk, Key, Row};
use super::tables::Table;
use crate::Error;
use crate::maintenance::{Part, Watch};

/// How far a table is compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Extent {
    /// To the end of both sides.
    All,
    /// To the last row that was copied.
    Copied,
}

/// Compares the rows of a table, a chunk of either side at a time.
pub(super) async fn compare(
    ends: &Ends<'_>,
    table: &'static Table,
    extent: Extent,
    watch: &mut (dyn Watch + Send),
) -> Result<Part, Error> {
    let mut part = Part::new(table.name);
    let all = match extent {
        Extent::All => Some(ends.source.count(table).await?),
        Extent::Copied => None,
    };
    watch.begin(&format!("comparing {}", table.name), all);
    let mut source = Side::new(ends.source, table);
    let mut target = Side::new(ends.target, table);
    loop {
        tokio::try_join!(source.fill(ends.chunk), target.fill(ends.chunk))?;
        if target.is_over() && (source.is_over() || extent == Extent::Copied) {
            return Ok(part);
        }
        while let Some((original, copied)) = next_pair(&mut source, &mut target) {
            part.looked();
            if let Some(what) = fault(table, original.as_ref(), copied.as_ref()) {
                part.fault(|| what);
            }
        }
        if let Some(all) = all {
            watch.reach(part.looked_at.min(all));
        }
    }
}

/// What is wrong with a row and its copy, of which one may lack; `None` where nothing is.
pub(super) fn fault(table: &Table, original: Option<&Row>, copied: Option<&Row>) -> Option<String> {
    match (original, copied) {
        (Some(original), Some(copied)) => {
            let columns = original.differences(copied, table);
            let differ = || format!("{}: {} differ", original.describe(table), columns.join(", "));
            (!columns.is_empty()).then(differ)
        }
        (Some(original), None) => Some(format!("{}: not in the copy", original.describe(table))),
        (None, Some(copied)) => Some(format!("{}: not in the source", copied.describe(table))),
        (None, None) => None,
    }
}

/// The next row of both sides, or of the one that lacks in the other; `None` where more must be read
/// first, or nothing is left.
fn next_pair(source: &mut Side<'_>, target: &mut Side<'_>) -> Option<(Option<Row>, Option<Row>)> {
    let order = match (source.rows.front(), target.rows.front()) {
        (Some(original), Some(copied)) => original.order(copied, source.table),
        (Some(_), None) if target.is_read => Ordering::Less,
        (None, Some(_)) if source.is_read => Ordering::Greater,
        _ => return None,
    };
    let original = if order.is_le() { source.rows.pop_front() } else { None };
    let copied = if order.is_ge() { target.rows.pop_front() } else { None };
    Some((original, copied))
}

/// One side, as far as it is read.
struct Side<'a> {
    end: &'a dyn End,
    table: &'static Table,
    rows: VecDeque<Row>,
    /// The last one that was read.
    last: Option<Key>,
    /// Whether nothing is left to be read.
    is_read: bool,
}

impl<'a> Side<'a> {
    const fn new(end: &'a dyn End, table: &'static Table) -> Self {
        Self { end, table, rows: VecDeque::new(), last: None, is_read: false }
    }

    /// Reads on where nothing is at hand.
    async fn fill(&mut self, chunk: Chunk) -> Result<(), Error> {
        if self.is_read || !self.rows.is_empty() {
            return Ok(());
        }
        let asked = Asked::After(self.last.take());
        self.rows = self.end.rows(self.table, asked, chunk).await?.into();
        self.last = self.rows.back().map(|row| row.key(self.table));
        self.is_read = self.rows.is_empty();
        Ok(())
    }

    fn is_over(&self) -> bool {
        self.is_read && self.rows.is_empty()
    }
}
