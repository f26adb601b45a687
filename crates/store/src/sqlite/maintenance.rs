//! Checking, backing up and restoring the files of a data directory.

use std::fs::File;
use std::io::{Read, Write};
use std::path::Path;

use rusqlite::Connection;
use rusqlite::backup::{Backup, StepResult};

use super::files::{self, Lock, Partial};
use super::{check, ledger, open, organisation};
use crate::maintenance::{Checked, Schema, Watch};
use crate::{Error, LedgerCheck};

/// How many pages are copied between two words on how far it has come.
const PAGES_A_STEP: i32 = 256;
/// How many bytes are copied at a time.
const BYTES_A_STEP: usize = 1 << 20;

/// The version of the schema of the data in a directory, whether they are served or not.
///
/// # Errors
/// [`Error::NoData`] where there are none, [`Error::TooNew`] where a newer program wrote them; data
/// that cannot be read.
pub fn schema(directory: &Path) -> Result<Schema, Error> {
    open::readable(&directory.join(files::DATABASE)).map(|(_, schema)| schema)
}

/// Checks the data in a directory, whether they are served or not.
///
/// # Errors
/// Data that are not there, or cannot be read at all.
pub fn check_directory(directory: &Path, watch: &mut dyn Watch) -> Result<Checked, Error> {
    check_file(&directory.join(files::DATABASE), watch)
}

/// Checks a database, such as a backup.
///
/// # Errors
/// As [`check_directory`].
pub fn check_file(file: &Path, watch: &mut dyn Watch) -> Result<Checked, Error> {
    check::or_damage(open::read_only(file).and_then(|connection| check::check(&connection, watch)))
}

/// Adds up the ledgers of the organisations in a directory, or of one of them, and compares them with
/// the balances, whether the data are served or not. `tell` hears the organisation's name with each
/// word.
///
/// # Errors
/// [`Error::NoOrganisation`]; data that are not there, or cannot be read at all.
pub fn check_ledgers(
    directory: &Path,
    organisation: Option<&str>,
    mut tell: impl FnMut(&str, LedgerCheck) + Send,
) -> Result<(), Error> {
    let connection = open::read_only(&directory.join(files::DATABASE))?;
    let names = match organisation {
        Some(name) => vec![name.to_owned()],
        None => organisation::all(&connection)?.into_iter().map(|known| known.name).collect(),
    };
    for name in names {
        ledger::check(&connection, &name, &mut |told| tell(&name, told))?;
    }
    Ok(())
}

/// Copies the data in a directory into a file, whether they are served or not: all that was
/// committed when it began. The file is one database that needs nothing beside it.
///
/// The copy is checked, and takes its name only if it is whole and on disk. What this returns
/// tells whether it is.
///
/// # Errors
/// [`Error::Exists`] where the file is there and is not to be overwritten, [`Error::Unfinished`]
/// where another process writes the same; data that cannot be read; a file that cannot be written.
pub fn back_up(
    directory: &Path,
    file: &Path,
    overwrite: bool,
    watch: &mut dyn Watch,
) -> Result<Checked, Error> {
    refuse_to_overwrite(file, overwrite)?;
    let partial = Partial::new(file)?;
    let copied = copy_pages(&directory.join(files::DATABASE), partial.path(), watch);
    let checked = check::or_damage(copied.and_then(|()| check_file(partial.path(), watch)))?;
    if checked.is_whole() {
        partial.keep()?;
    }
    Ok(checked)
}

/// Puts a backup in place as the data of a directory that nobody serves. An older backup is brought
/// up to date.
///
/// The copy is checked, and becomes the data only if it is whole and on disk. What this returns
/// tells whether it is.
///
/// # Errors
/// [`Error::InUse`] where the directory is served, [`Error::Exists`] where it holds data that are
/// not to be overwritten; a file that is no backup; files that cannot be read or written.
pub fn restore(
    file: &Path,
    directory: &Path,
    overwrite: bool,
    watch: &mut dyn Watch,
) -> Result<Checked, Error> {
    if let Some(log) = files::log_beside(file) {
        return Err(Error::NotABackup(log));
    }
    let source = File::open(file).map_err(|error| files::failed(error, "cannot open", file))?;
    files::make_private(directory)?;
    let _lock = Lock::take(directory)?;
    let database = directory.join(files::DATABASE);
    files::finish_restoring(&database)?;
    refuse_to_overwrite(&database, overwrite)?;
    let partial = Partial::anew(&database)?;
    copy_bytes(source, file, partial.path(), watch)?;
    let current = open::bring_up_to_date(partial.path());
    let checked = check::or_damage(current.and_then(|()| check_file(partial.path(), watch)))?;
    if checked.is_whole() {
        partial.keep_as_database()?;
    }
    Ok(checked)
}

fn refuse_to_overwrite(file: &Path, overwrite: bool) -> Result<(), Error> {
    if !overwrite && files::holds_something(file)? {
        return Err(Error::Exists(file.to_owned()));
    }
    Ok(())
}

/// Copies what is committed now.
fn copy_pages(from: &Path, to: &Path, watch: &mut dyn Watch) -> Result<(), Error> {
    let source = open::read_only(from)?;
    // A transaction that has begun to read sees one state to its end, whoever writes meanwhile;
    // without it, the copy would start anew with each commit.
    source.execute_batch("BEGIN; SELECT count(*) FROM sqlite_schema")?;
    let mut copy = Connection::open(to)?;
    // It counts only once the whole file is synced.
    copy.pragma_update(None, "synchronous", "OFF")?;
    let backup = Backup::new(&source, &mut copy)?;
    let count = |pages: i32| u64::try_from(pages).unwrap_or_default();
    // Copies nothing, and tells how much there is.
    backup.step(0)?;
    watch.begin("copying", Some(count(backup.progress().pagecount)));
    // Should it stop before its end, the check that follows finds no database.
    while backup.step(PAGES_A_STEP)? == StepResult::More {
        let progress = backup.progress();
        watch.reach(count(progress.pagecount.saturating_sub(progress.remaining)));
    }
    drop(backup);
    // By itself: a database with a log would have files made beside it by whoever reads it.
    copy.pragma_update_and_check(None, "journal_mode", "delete", |_| Ok(()))?;
    source.execute_batch("COMMIT")?;
    copy.close().map_err(|(_, error)| error.into())
}

fn copy_bytes(
    mut source: File,
    from: &Path,
    to: &Path,
    watch: &mut dyn Watch,
) -> Result<(), Error> {
    let unread = |error| files::failed(error, "cannot read", from);
    let size = source.metadata().map_err(unread)?.len();
    let mut copy = files::private(to)?;
    watch.begin("copying", Some(size));
    let mut buffer = vec![0; BYTES_A_STEP];
    let mut done: u64 = 0;
    loop {
        let read = source.read(&mut buffer).map_err(unread)?;
        let Some(bytes) = buffer.get(..read).filter(|bytes| !bytes.is_empty()) else {
            return Ok(());
        };
        copy.write_all(bytes).map_err(|error| files::failed(error, "cannot write", to))?;
        done = done.saturating_add(u64::try_from(read).unwrap_or_default());
        watch.reach(done);
    }
}
