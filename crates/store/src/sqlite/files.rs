//! The files of the data: their names, their lock, and how one takes another's place.

use std::fmt;
use std::fs::{self, DirBuilder, File, OpenOptions, TryLockError};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
#[cfg(unix)]
use std::time::UNIX_EPOCH;

use crate::Error;

/// The database's file in the data directory.
pub(super) const DATABASE: &str = "patron.sqlite";
/// The file whose lock says that a process has the data directory open.
const LOCK: &str = "patron.lock";
/// What is being written has this added to its name, and loses it once it is whole and on disk.
const PARTIAL: &str = ".partial";
/// A database that was restored has this added to its name until it has taken its place.
const RESTORED: &str = ".restored";
/// What SQLite adds to a database's name for its log and the log's index.
const LOG: &str = "-wal";
const LOG_INDEX: &str = "-shm";
/// How much of a file is in memory while it is written again, in bytes.
const COPIED_AT_ONCE: usize = 1 << 20;

/// The lock of the data directory, for the one process that may write there; the system lets go of
/// it when that ends.
pub(super) struct Lock {
    file: File,
}

impl Lock {
    pub(super) fn take(directory: &Path) -> Result<Self, Error> {
        let path = directory.join(LOCK);
        let file = private(&path)?;
        match file.try_lock() {
            Ok(()) => Ok(Self { file }),
            Err(TryLockError::WouldBlock) => Err(Error::InUse(directory.to_owned())),
            Err(TryLockError::Error(error)) => Err(failed(error, "cannot lock", &path)),
        }
    }

    /// Notes in the lock's file which database and log belong together.
    pub(super) fn note(&mut self, files: &OpenFiles) -> Result<(), Error> {
        let note = format!("{} {}\n", files.database.1, files.log.1);
        let noted = self.file.set_len(0).and_then(|()| {
            self.file.write_all(note.as_bytes())?;
            self.file.sync_all()
        });
        noted.map_err(|error| failed(error, "cannot write", &files.lock.0))
    }
}

/// Refuses a database that was put in the place of the one to which the log beside it belongs:
/// SQLite would take that log for its own, and make nonsense of both.
pub(super) fn refuse_log_of_another(database: &Path) -> Result<(), Error> {
    let Some(log) = log_beside(database) else { return Ok(()) };
    let Ok(note) = fs::read_to_string(database.with_file_name(LOCK)) else { return Ok(()) };
    let identities =
        [database, &log].map(|path| identity(path).map(|found| found.to_string()).ok());
    let noted: Vec<_> = note.split_whitespace().map(str::to_owned).map(Some).collect();
    match (noted.as_slice(), &identities) {
        // Where both are others, the directory was copied as a whole.
        ([noted_database, noted_log], [found_database, found_log])
            if noted_log == found_log && noted_database != found_database =>
        {
            Err(Error::LogOfAnother { database: database.to_owned(), log })
        }
        _ => Ok(()),
    }
}

/// The files that are open, by what they are apart from their names.
///
/// A file that is removed or replaced can still be written by whoever has it open, and is gone with
/// them.
pub(super) struct OpenFiles {
    database: (PathBuf, Identity),
    log: (PathBuf, Identity),
    log_index: (PathBuf, Identity),
    lock: (PathBuf, Identity),
}

impl OpenFiles {
    /// The files of a database that is open.
    pub(super) fn of(database: &Path) -> Result<Self, Error> {
        let open = |path: PathBuf| match identity(&path) {
            Ok(identity) => Ok((path, identity)),
            Err(error) => Err(failed(error, "cannot look at", &path)),
        };
        Ok(Self {
            database: open(database.to_owned())?,
            log: open(with_suffix(database, LOG))?,
            log_index: open(with_suffix(database, LOG_INDEX))?,
            lock: open(database.with_file_name(LOCK))?,
        })
    }

    /// # Errors
    /// [`Error::Moved`] where another file, or none, has the name of one of them.
    pub(super) fn check(&self) -> Result<(), Error> {
        let files = [&self.database, &self.log, &self.log_index, &self.lock];
        let moved = files.into_iter().find(|(path, open)| identity(path).ok() != Some(*open));
        moved.map_or(Ok(()), |(path, _)| Err(Error::Moved(path.clone())))
    }
}

/// What a file is apart from its name: its device, its number there, and when it was made, since
/// numbers are given again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Identity {
    device: u64,
    number: u64,
    /// In nanoseconds since 1970; 0 where that is not known.
    made_at: u128,
}

impl fmt::Display for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}/{}", self.device, self.number, self.made_at)
    }
}

#[cfg(unix)]
fn identity(path: &Path) -> io::Result<Identity> {
    use std::os::unix::fs::MetadataExt;
    let file = path.metadata()?;
    let made_at = file.created().ok().and_then(|made| made.duration_since(UNIX_EPOCH).ok());
    Ok(Identity {
        device: file.dev(),
        number: file.ino(),
        made_at: made_at.map_or(0, |since| since.as_nanos()),
    })
}

/// Here a file that is open can be neither removed nor replaced.
#[cfg(not(unix))]
fn identity(_: &Path) -> io::Result<Identity> {
    Ok(Identity { device: 0, number: 0, made_at: 0 })
}

/// Whether a data directory holds a database, or one that was restored and has not taken its place.
pub(super) fn holds_database(directory: &Path) -> Result<bool, Error> {
    let database = directory.join(DATABASE);
    Ok(holds_something(&database)? || holds_something(&with_suffix(&database, RESTORED))?)
}

/// Makes a directory that only the process's own user may enter, there to stay.
pub(super) fn make_private(directory: &Path) -> Result<(), Error> {
    if directory.is_dir() {
        return Ok(());
    }
    let mut builder = DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(directory).map_err(|error| failed(error, "cannot make", directory))?;
    sync_parent(directory)
}

/// Opens a file, made where it is missing, that only the process's own user may read. What SQLite
/// puts beside its database has the database's permissions.
pub(super) fn private(path: &Path) -> Result<File, Error> {
    let opened = private_options().create(true).truncate(false).open(path);
    opened.map_err(|error| failed(error, "cannot open", path))
}

fn private_options() -> OpenOptions {
    let mut options = File::options();
    options.write(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options
}

/// A file that is being written beside the one whose place it is to take. Dropped before that, it
/// is removed, and the other one is as it was.
pub(super) struct Partial {
    path: PathBuf,
    target: PathBuf,
    kept: bool,
}

impl Partial {
    /// An empty file.
    ///
    /// # Errors
    /// [`Error::Unfinished`] where another process writes the same, or was killed while it did.
    pub(super) fn new(target: &Path) -> Result<Self, Error> {
        let path = with_suffix(target, PARTIAL);
        match private_options().create_new(true).open(&path) {
            Ok(_) => Ok(Self { path, target: target.to_owned(), kept: false }),
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
                Err(Error::Unfinished(path))
            }
            Err(error) => Err(failed(error, "cannot make", &path)),
        }
    }

    /// The same in place of what was left by somebody who was killed; for whoever knows that nobody
    /// else writes it.
    pub(super) fn anew(target: &Path) -> Result<Self, Error> {
        remove_with_log(&with_suffix(target, PARTIAL))?;
        Self::new(target)
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Has the file, once it is on disk, take its place.
    pub(super) fn keep(mut self) -> Result<(), Error> {
        sync(&self.path)?;
        rename(&self.path, &self.target)?;
        self.kept = true;
        Ok(())
    }

    /// As [`Self::keep`], for a database whose predecessor may have left its log.
    pub(super) fn keep_as_database(mut self) -> Result<(), Error> {
        sync(&self.path)?;
        rename(&self.path, &with_suffix(&self.target, RESTORED))?;
        self.kept = true;
        finish_restoring(&self.target)
    }
}

impl Drop for Partial {
    fn drop(&mut self) {
        if !self.kept {
            drop(remove_with_log(&self.path));
        }
    }
}

/// Has a restored database take its place, if there is one. Its predecessor's log goes first: it
/// would be taken for its own. Cut off anywhere, this is done again from the start.
pub(super) fn finish_restoring(database: &Path) -> Result<(), Error> {
    let restored = with_suffix(database, RESTORED);
    if !restored.try_exists().map_err(|error| failed(error, "cannot look for", &restored))? {
        return Ok(());
    }
    remove_with_log(database)?;
    rename(&restored, database)
}

/// The database's log, where there is one beside it.
pub(super) fn log_beside(database: &Path) -> Option<PathBuf> {
    let log = with_suffix(database, LOG);
    log.metadata().is_ok_and(|log| log.len() > 0).then_some(log)
}

/// Writes the log again as it is, and syncs it. A sync that failed has left what it was to put on disk in
/// the system's memory alone, where no further sync looks for it; it must not be read as if it were on
/// disk, and nothing be written behind it.
pub(super) fn write_log_again(database: &Path) -> Result<(), Error> {
    let Some(log) = log_beside(database) else { return Ok(()) };
    let file = File::options().read(true).write(true).open(&log);
    file.and_then(write_again).map_err(|error| failed(error, "cannot write", &log))
}

fn write_again(mut file: File) -> io::Result<()> {
    let mut chunk = vec![0; COPIED_AT_ONCE];
    let mut offset = 0;
    loop {
        let length = file.read(&mut chunk)?;
        let Some(content @ [_, ..]) = chunk.get(..length) else { return file.sync_all() };
        file.seek(SeekFrom::Start(offset))?;
        file.write_all(content)?;
        offset = file.stream_position()?;
    }
}

/// Whether there is a file that is not empty.
pub(super) fn holds_something(path: &Path) -> Result<bool, Error> {
    match path.metadata() {
        Ok(file) => Ok(file.len() > 0),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(error) => Err(failed(error, "cannot look at", path)),
    }
}

/// Removes a database with what SQLite puts beside it.
fn remove_with_log(database: &Path) -> Result<(), Error> {
    for suffix in [LOG_INDEX, LOG, ""] {
        let path = with_suffix(database, suffix);
        match fs::remove_file(&path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                return Err(failed(error, "cannot remove", &path));
            }
            _ => {}
        }
    }
    Ok(())
}

fn with_suffix(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    name.into()
}

fn sync(path: &Path) -> Result<(), Error> {
    let synced = File::open(path).and_then(|file| file.sync_all());
    synced.map_err(|error| failed(error, "cannot sync", path))
}

/// Gives a file its name, there to stay.
fn rename(from: &Path, to: &Path) -> Result<(), Error> {
    fs::rename(from, to).map_err(|error| failed(error, "cannot make", to))?;
    sync_parent(to)
}

/// Puts what a directory lists on disk; elsewhere than on Unix the system does so itself.
fn sync_parent(path: &Path) -> Result<(), Error> {
    match path.parent() {
        _ if cfg!(not(unix)) => Ok(()),
        Some(parent) if parent.as_os_str().is_empty() => sync(Path::new(".")),
        Some(parent) => sync(parent),
        None => Ok(()),
    }
}

pub(super) fn failed(source: io::Error, what: &str, path: &Path) -> Error {
    Error::Io { what: format!("{what} {}", path.display()), source }
}
