//! A disk that can lose power: what has been synced, and what has only been written.
//!
//! The server runs with `disk.c` in front of the system's calls, which notes all that is done to the
//! files of its data directory. From the notes up to any moment follows what a power cut at that
//! moment can leave of each file:
//!
//! - what was written before the file's last sync (`fsync`, `fdatasync`) is there;
//! - of what was written since, each sector is there or as it was before, in any order;
//! - where the file grew since, it may also be shorter, or hold zeros or garbage;
//! - what a sync that failed was to put on disk is read as before, as long as the system runs, and is
//!   on disk only if it is written and synced again;
//! - a name that was given to a file since the directory's last sync may be missing, and one that
//!   was taken away since may still be there.
//!
//! The index of the log (`-shm`) is shared memory that has a file's name and is never synced, so
//! what is left of it is garbage.
//!
//! Not in the model: a disk that says it has synced and has not, sectors that go bad later, and
//! files that change their name, which none does while data are served.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{Read, Seek, SeekFrom};
use std::mem;
use std::path::{Path, PathBuf};
use std::process::Command;

use fastrand::Rng;
use tempfile::TempDir;

/// What a disk writes wholly or not at all, in bytes.
const SECTOR: usize = 512;
/// The length of a note before the file's name: what was done, the length of the name, the offset
/// and the length of the data.
const HEAD: usize = 2 + 8 + 8;

/// Notes what a program does to the files of a directory.
pub struct Tracer {
    directory: PathBuf,
    /// The shim and the notes.
    made: TempDir,
}

impl Tracer {
    pub fn new(directory: &Path) -> Self {
        let made = tempfile::tempdir().unwrap();
        let source = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/it/proof/disk.c");
        let mut compiler = Command::new(std::env::var("CC").unwrap_or_else(|_| "cc".to_owned()));
        compiler.args(["-O1", "-shared", "-fPIC", "-o"]).arg(made.path().join("disk.so"));
        let output = compiler.args([source, "-ldl"]).output().unwrap();
        assert!(output.status.success(), "{output:?}");
        Self { directory: directory.to_owned(), made }
    }

    pub fn trace(&self, command: &mut Command) {
        command.env("LD_PRELOAD", self.made.path().join("disk.so"));
        command.env("DISK_DIRECTORY", &self.directory);
        command.env("DISK_TRACE", self.notes().0);
    }

    pub fn notes(&self) -> Notes {
        Notes(self.made.path().join("notes"))
    }
}

/// The notes of what was done, a file that grows.
pub struct Notes(PathBuf);

impl Notes {
    /// How much has been noted by now, in bytes.
    pub fn length(&self) -> u64 {
        fs::metadata(&self.0).unwrap().len()
    }
}

/// The files of the directory.
#[derive(Clone, Default)]
pub struct Disk {
    files: BTreeMap<String, Stored>,
    /// How many bytes of the notes it has seen.
    seen: u64,
}

/// One file.
#[derive(Clone, Default)]
struct Stored {
    /// What the last sync has made sure of.
    synced: Vec<u8>,
    /// What was read after the last sync, whatever came of that.
    read: Vec<u8>,
    /// What was done since.
    since: Vec<Done>,
    /// That it was made is not synced yet.
    is_new: bool,
    /// It was removed, and that is not synced yet.
    is_gone: bool,
}

#[derive(Clone)]
enum Done {
    Write { offset: usize, data: Vec<u8> },
    Resize(usize),
}

impl Done {
    fn apply(&self, content: &mut Vec<u8>) {
        match self {
            Self::Write { offset, data } => {
                let end = offset + data.len();
                content.resize(content.len().max(end), 0);
                content[*offset..end].copy_from_slice(data);
            }
            Self::Resize(length) => content.resize(*length, 0),
        }
    }
}

impl Stored {
    /// What everything that was done since the last sync makes of this.
    fn done_to(&self, content: &[u8]) -> Vec<u8> {
        let mut content = content.to_owned();
        self.since.iter().for_each(|done| done.apply(&mut content));
        content
    }

    fn sync(&mut self, succeeds: bool) {
        for done in mem::take(&mut self.since) {
            done.apply(&mut self.read);
            if succeeds {
                done.apply(&mut self.synced);
            }
        }
    }

    /// Each sector as it was at some time since the last sync.
    fn torn(&self, rng: &mut Rng) -> Vec<u8> {
        let mut content = self.synced.clone();
        for done in &self.since {
            match done {
                Done::Write { offset, data } => tear(&mut content, *offset, data, rng),
                Done::Resize(_) if rng.bool() => done.apply(&mut content),
                Done::Resize(_) => {}
            }
        }
        // Where it grew there may be what was there when the blocks were another file's.
        for sector in content.get_mut(self.synced.len()..).unwrap_or_default().chunks_mut(SECTOR) {
            match rng.u8(0..8) {
                0 => rng.fill(sector),
                1 => sector.fill(0),
                _ => {}
            }
        }
        content
    }
}

/// Writes some of the sectors that a write touches.
fn tear(content: &mut Vec<u8>, offset: usize, data: &[u8], rng: &mut Rng) {
    let mut at = 0;
    while at < data.len() {
        let end = data.len().min((offset + at) / SECTOR * SECTOR + SECTOR - offset);
        if rng.bool() {
            let data = data[at..end].to_vec();
            Done::Write { offset: offset + at, data }.apply(content);
        }
        at = end;
    }
}

/// What a power cut may leave.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Left {
    /// All that was written.
    Everything,
    /// Nothing but what was synced.
    Synced,
    /// Of what was not synced, anything.
    Torn,
}

impl Left {
    pub const ALL: [Self; 3] = [Self::Everything, Self::Synced, Self::Torn];
}

impl Disk {
    /// A directory of which everything is synced.
    pub fn of(directory: &Path) -> Self {
        let read = |entry: fs::DirEntry| {
            let synced = fs::read(entry.path()).unwrap();
            let read = synced.clone();
            (entry.file_name().into_string().unwrap(), Stored { synced, read, ..Stored::default() })
        };
        let entries = fs::read_dir(directory).unwrap().map(Result::unwrap);
        // The directory of the socket for commands holds no data.
        let files = entries.filter(|entry| entry.file_type().unwrap().is_file());
        Self { files: files.map(read).collect(), ..Self::default() }
    }

    /// Does what was noted up to this byte of the notes, but for a note that is cut off there.
    pub fn advance(&mut self, notes: &Notes, to: u64) {
        self.follow(notes, to, |_| {});
    }

    /// The moments at which this file was written to and not synced since.
    pub fn unsynced_moments(mut self, notes: &Notes, name: &str) -> Vec<u64> {
        let mut moments = Vec::new();
        self.follow(notes, u64::MAX, |disk| {
            if disk.is_unsynced(name) {
                moments.push(disk.seen);
            }
        });
        moments
    }

    fn follow(&mut self, notes: &Notes, to: u64, mut after_each: impl FnMut(&Self)) {
        let mut notes = File::open(&notes.0).unwrap();
        notes.seek(SeekFrom::Start(self.seen)).unwrap();
        let mut new = Vec::new();
        notes.take(to - self.seen).read_to_end(&mut new).unwrap();
        let mut rest = new.as_slice();
        while let Some(after) = self.read_note(rest) {
            self.seen += (rest.len() - after.len()) as u64;
            rest = after;
            after_each(self);
        }
    }

    /// Does what the first note says; what follows it.
    fn read_note<'a>(&mut self, notes: &'a [u8]) -> Option<&'a [u8]> {
        let (head, rest) = notes.split_at_checked(HEAD)?;
        let number = |at: usize| u64::from_ne_bytes(head[at..at + 8].try_into().unwrap());
        let [offset, length] =
            [number(2), number(10)].map(|number| usize::try_from(number).unwrap());
        let (name, rest) = rest.split_at_checked(usize::from(head[1]))?;
        let (data, rest) = rest.split_at_checked(length)?;
        let name = String::from_utf8(name.to_owned()).unwrap();
        self.change(head[0], name, offset, data);
        Some(rest)
    }

    fn change(&mut self, kind: u8, name: String, offset: usize, data: &[u8]) {
        if name.is_empty() {
            match kind {
                b's' => {}
                b'f' => return,
                _ => panic!("the directory can only be synced"),
            }
            self.files.retain(|_, file| !file.is_gone);
            self.files.values_mut().for_each(|file| file.is_new = false);
            return;
        }
        let file = self.files.entry(name).or_default();
        match kind {
            b'n' => *file = Stored { is_new: true, ..Stored::default() },
            b'w' => file.since.push(Done::Write { offset, data: data.to_owned() }),
            b'u' => file.is_gone = true,
            b't' => file.since.push(Done::Resize(offset)),
            b's' | b'f' => file.sync(kind == b's'),
            other => panic!("an unknown note: {other}"),
        }
    }

    /// Whether this file was written to and not synced since.
    pub fn is_unsynced(&self, name: &str) -> bool {
        self.files.get(name).is_some_and(|file| !file.since.is_empty())
    }

    /// Puts what a power cut leaves into a directory.
    pub fn cut(&self, left: Left, rng: &mut Rng, directory: &Path) {
        for (name, file) in &self.files {
            let has_name = match left {
                Left::Everything => !file.is_gone,
                Left::Synced => !file.is_new,
                Left::Torn => !file.is_new && !file.is_gone || rng.bool(),
            };
            if !has_name {
                continue;
            }
            let mut content = match left {
                Left::Everything => file.done_to(&file.synced),
                Left::Synced => file.synced.clone(),
                Left::Torn => file.torn(rng),
            };
            if is_memory(name) {
                rng.fill(&mut content);
            }
            fs::write(directory.join(name), content).unwrap();
        }
    }

    /// Asserts that everything that was done to a directory has been noted.
    pub fn assert_is(&self, directory: &Path) {
        let really = Self::of(directory);
        let files = |disk: &Self| {
            let files = disk.files.iter().filter(|(name, file)| !is_memory(name) && !file.is_gone);
            let read = |file: &Stored| file.done_to(&file.read);
            files.map(|(name, file)| (name.clone(), read(file))).collect::<Vec<_>>()
        };
        let (noted, really) = (files(self), files(&really));
        let names = |files: &[(String, Vec<u8>)]| {
            files.iter().map(|(name, content)| (name.clone(), content.len())).collect::<Vec<_>>()
        };
        assert_eq!(names(&noted), names(&really));
        assert!(noted == really, "a write was not noted");
    }
}

/// Whether a file is nothing but memory that processes share.
fn is_memory(name: &str) -> bool {
    name.ends_with("-shm")
}
