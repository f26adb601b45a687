//! How much room the data take.

use std::path::Path;

use rusqlite::Connection;

use super::files;
use crate::{Error, Size};

pub(super) fn of(connection: &Connection) -> Result<Size, Error> {
    let number = |pragma| connection.pragma_query_value(None, pragma, |row| row.get::<_, i64>(0));
    let bytes = number("page_count")?.saturating_mul(number("page_size")?);
    let log = connection.path().and_then(|database| files::log_beside(Path::new(database)));
    let log_bytes = log.and_then(|log| log.metadata().ok()).map_or(0, |log| log.len());
    Ok(Size { database_bytes: u64::try_from(bytes).unwrap_or_default(), log_bytes })
}
