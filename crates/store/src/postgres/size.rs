//! How much room the data take.

use super::connection::Connection;
use crate::rows::Row as _;
use crate::{Error, Size};

pub(super) async fn of(connection: &Connection) -> Result<Size, Error> {
    let sql = "SELECT pg_database_size(current_database()) AS bytes";
    let read = |row: &tokio_postgres::Row| row.number("bytes");
    let bytes = connection.first(sql, &[], read).await?.unwrap_or_default();
    Ok(Size { database_bytes: u64::try_from(bytes).unwrap_or_default(), log_bytes: 0 })
}
