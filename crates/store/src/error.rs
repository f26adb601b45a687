//! Why a store did not do what it was asked.

use std::path::PathBuf;
use std::sync::Arc;

use patron_rules::organisation::{Kind, Refused};

use crate::Expected;

/// Why a store did not do what it was asked.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Another process has the data open.
    #[error("{0} is in use by another process; stop that one first, or choose another directory")]
    InUse(PathBuf),
    /// The data was written by a newer version.
    #[error(
        "the data has schema version {found}, this program knows versions up to {known}; use a newer program"
    )]
    TooNew {
        /// The version of the data.
        found: u32,
        /// The newest version that this program knows.
        known: u32,
    },
    /// The data was written by an older version, and is only to be read.
    #[error(
        "the data has schema version {found}, this program needs {known}; `patron serve` brings it up to date"
    )]
    TooOld {
        /// The version of the data.
        found: u32,
        /// The version that this program needs.
        known: u32,
    },
    /// The database's schema lacks a step.
    #[error(
        "the database lacks `{missing}` and maybe more; `patron migrate up` brings it up to date"
    )]
    NotMigrated {
        /// The first step that it lacks.
        missing: String,
    },
    /// What is configured of the database cannot be used.
    #[error("{what}")]
    Database {
        /// What cannot be used.
        what: String,
        /// Why.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// The database cannot be reached, or does not answer in time. Nothing was written.
    #[error("the database cannot be reached")]
    Unreachable(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// The connection to the database was lost while it committed.
    #[error("it is not known whether this was written; ask with the same key, or look")]
    OutcomeUnknown,
    /// There is no database, or an empty file.
    #[error("there is no database in {0}")]
    NoData(PathBuf),
    /// What is there was to become a copy of a registry, and is none yet.
    #[error(
        "this is a copy of {from} that was not finished; `patron copy` with the same `--from` and \
         `--to` goes on with it, docs/operations.md says how to start again"
    )]
    HalfCopied {
        /// Of what, in words.
        from: String,
    },
    /// A copy was to be made where something else is.
    #[error(
        "{0} holds a registry already; a copy is made into an empty directory or database. If a copy \
         into it was cut off at its end, `--verify-only` tells whether it is whole"
    )]
    NotEmpty(String),
    /// An unfinished copy is not the beginning of what was to be copied.
    #[error(
        "what was copied before is of another registry, or of this one before it changed ({what}); \
         docs/operations.md says how to start again"
    )]
    OtherCopy {
        /// What differs: a table and, by their numbers, a row.
        what: String,
    },
    /// The registry was written to while it was copied.
    #[error(
        "the source was written to while it was copied; stop whoever serves it, then run the same \
         command again"
    )]
    Disturbed,
    /// A file that was to be made is there.
    #[error("{0} is there already; `--overwrite` replaces it")]
    Exists(PathBuf),
    /// A file that is being written, or was left by a process that was killed while it wrote.
    #[error(
        "{0} is there: another process is writing it, or was killed while it did; then delete it"
    )]
    Unfinished(PathBuf),
    /// A file has a log beside it, so it is not whole by itself.
    #[error("{0} stands beside it: a database that was not closed, not a backup")]
    NotABackup(PathBuf),
    /// The data is not what this program wrote.
    #[error("the data cannot be understood: {0}")]
    Corrupt(String),
    /// Damage of the database file was found while the data were served.
    #[error("{} is damaged ({found}); stop Patron and run `patron check`", database.display())]
    Damaged {
        /// The database.
        database: PathBuf,
        /// What the engine said first.
        found: String,
    },
    /// A name is in use, here or in another organisation: ``till name `x` ``.
    #[error("the {0} is not available; choose another one")]
    Taken(String),
    /// These documents are invalid by themselves or beside the others.
    #[error("{}", all(.0))]
    Invalid(Vec<Refused>),
    /// A document that is to be retired is used by others.
    #[error("{} is used by {}", kind.label(name), users(by))]
    DocumentInUse {
        /// Its kind.
        kind: Kind,
        /// Its name.
        name: String,
        /// The documents that would be invalid without it.
        by: Vec<Refused>,
    },
    /// A document is not at the version that a change was made for.
    #[error("{}", not_as_expected(*kind, name, *expected, *found))]
    Changed {
        /// Its kind.
        kind: Kind,
        /// Its name.
        name: String,
        /// What the change expects.
        expected: Expected,
        /// The version of the document; `None` if it does not exist.
        found: Option<u32>,
    },
    /// There is no such operator.
    #[error("there is no operator `{0}`")]
    NoOperator(String),
    /// The last owner of an organisation, or everywhere, stays one.
    #[error("this operator is the last owner; make another operator an owner first")]
    LastOwner,
    /// No document has this kind and name.
    #[error("{} does not exist", kind.label(name))]
    NoSuch {
        /// The kind.
        kind: Kind,
        /// The name.
        name: String,
    },
    /// Identifiers that are to belong to one customer each belong to several.
    #[error(
        "several customers have the same {kind} (shared values: {count}); correct or merge those customers first"
    )]
    Clash {
        /// Their kind.
        kind: patron_rules::identifier::IdentifierKind,
        /// How many.
        count: i64,
    },
    /// With these settings, stored mobile numbers would be read as other numbers.
    #[error(
        "with these settings, {count} stored mobile numbers would be read as other numbers, and their \
         customers registered again; correct those numbers first"
    )]
    Reread {
        /// How many.
        count: u64,
    },
    /// The organisation was changed since it was loaded.
    #[error("the organisation was changed since it was loaded")]
    Stale,
    /// The key of a request that is answered once was that of another request.
    #[error("the key is that of another request")]
    KeyReused,
    /// A request that is answered once was not carried out, since no further answer may be kept.
    #[error("no further answers are kept for this caller")]
    AnswersFull,
    /// There is no such organisation.
    #[error("there is no such organisation")]
    NoOrganisation,
    /// More work is waiting than the store accepts.
    #[error("more work is waiting than the store accepts")]
    Overloaded,
    /// The store is closed.
    #[error("the store is closed")]
    Closed,
    /// A file could not be opened, read or written.
    #[error("{what}")]
    Io {
        /// What was tried, with the file's path.
        what: String,
        /// Why it failed.
        source: std::io::Error,
    },
    /// The engine refused.
    #[error("the database failed")]
    Engine(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// The files that are served are no longer where they were: what is written to them would be
    /// lost.
    #[error(
        "{0} was removed, moved or replaced while it was served; docs/operations.md says what to do"
    )]
    Moved(PathBuf),
    /// A database was put in the place of another, whose log is still there.
    #[error(
        "{} was put in the place of the database to which {} belongs; docs/operations.md says what to do",
        database.display(), log.display()
    )]
    LogOfAnother {
        /// The database.
        database: PathBuf,
        /// The log.
        log: PathBuf,
    },
    /// A group of work was given up, because of one that failed.
    #[error("{0}")]
    GivenUp(String),
    /// Nothing of the group of work was stored, since one commit holds it all.
    #[error("the commit failed")]
    NotCommitted(#[source] Arc<Error>),
}

/// The documents, each with what is wrong with it.
fn all(refused: &[Refused]) -> String {
    let named = refused.get(..DOCUMENTS_NAMED).unwrap_or(refused);
    let texts: Vec<String> = named.iter().map(ToString::to_string).collect();
    match refused.len().saturating_sub(named.len()) {
        0 => texts.join("; "),
        further => format!("{}; and {further} more", texts.join("; ")),
    }
}

/// The most documents that a message names.
const DOCUMENTS_NAMED: usize = 10;

/// The documents by kind: ``tills `a`, `b` and reward rule `c` ``.
fn users(by: &[Refused]) -> String {
    let mut texts: Vec<String> = Vec::new();
    let listed = by.get(..DOCUMENTS_NAMED).unwrap_or(by);
    for of_kind in listed.chunk_by(|one, next| one.kind == next.kind) {
        let names: Vec<String> = of_kind.iter().map(|one| format!("`{}`", one.name)).collect();
        texts.push(match of_kind {
            [one] => one.kind.label(&one.name),
            [first, ..] => format!("{} {}", first.kind.plural(), names.join(", ")),
            [] => continue,
        });
    }
    if by.len() > listed.len() {
        texts.push(format!("{} more", by.len().saturating_sub(listed.len())));
    }
    texts.join(" and ")
}

fn not_as_expected(kind: Kind, name: &str, expected: Expected, found: Option<u32>) -> String {
    let document = kind.label(name);
    match (expected, found) {
        (Expected::Version(version), Some(found)) => format!(
            "{document} is at version {found}, the request was made for version {version}; read it again"
        ),
        (Expected::Version(version), None) => {
            format!("{document} does not exist, the request was made for version {version}")
        }
        (_, Some(found)) => format!("{document} exists already, at version {found}"),
        (_, None) => format!("{document} does not exist"),
    }
}

impl Error {
    /// The error with everything that led to it, for the log.
    #[must_use]
    pub fn chain(&self) -> String {
        let first: &dyn std::error::Error = self;
        let causes = std::iter::successors(Some(first), |error| error.source());
        let texts: Vec<String> = causes.map(ToString::to_string).collect();
        texts.join(": ")
    }
}
