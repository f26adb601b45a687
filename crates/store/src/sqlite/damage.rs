//! Damage of the database file that is found while the data are served.

use std::path::PathBuf;
use std::sync::{Arc, OnceLock};

use rusqlite::{Connection, ErrorCode};

use crate::Error;

/// The first damage that any connection found. It stays until the data are opened again, since a
/// commit to sound pages says nothing about the damaged ones.
#[derive(Clone)]
pub(super) struct Damage {
    database: PathBuf,
    found: Arc<OnceLock<String>>,
}

impl Damage {
    /// Nothing is damaged yet.
    pub(super) fn none(connection: &Connection) -> Self {
        let database = connection.path().map(PathBuf::from).unwrap_or_default();
        Self { database, found: Arc::default() }
    }

    /// Remembers an error that shows damage, and logs the first one.
    pub(super) fn note(&self, error: &Error) {
        if is_damage(error) && self.found.set(error.chain()).is_ok() {
            tracing::error!(
                database = %self.database.display(),
                error = error.chain(),
                "the database file is damaged; stop Patron and run `patron check`"
            );
        }
    }

    /// # Errors
    /// [`Error::Damaged`] if damage was found.
    pub(super) fn check(&self) -> Result<(), Error> {
        self.found.get().map_or(Ok(()), |found| {
            Err(Error::Damaged { database: self.database.clone(), found: found.clone() })
        })
    }
}

/// Whether SQLite cannot make sense of the file.
pub(super) fn is_damage(error: &Error) -> bool {
    let Error::Engine(source) = error else { return false };
    let code = source.downcast_ref().and_then(rusqlite::Error::sqlite_error_code);
    matches!(code, Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase))
}
