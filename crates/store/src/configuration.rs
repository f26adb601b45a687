//! Changing what is set up: the part that every engine shares.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use patron_rules::organisation::{Document, Invalid, Kind, Organisation, Refused};

use crate::Error;

/// A document with the count of its changes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stored {
    /// Its kind.
    pub kind: Kind,
    /// How often it was changed, from 1.
    pub version: u32,
    /// The document.
    pub document: Document,
}

/// Who changes what is set up, and when.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Author {
    /// Who.
    pub name: String,
    /// What has this name.
    pub kind: AuthorKind,
    /// When, to the millisecond.
    pub at: Timestamp,
}

/// What an author's name is the name of: each kind may have the same one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AuthorKind {
    /// An operator of the organisation.
    Operator,
    /// An operator for everywhere.
    OperatorEverywhere,
    /// A command on the same machine.
    Command,
}

impl AuthorKind {
    const ALL: [Self; 3] = [Self::Operator, Self::OperatorEverywhere, Self::Command];

    /// Its name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Operator => "operator",
            Self::OperatorEverywhere => "operator_everywhere",
            Self::Command => "command",
        }
    }

    pub(crate) fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.name() == name)
    }
}

/// A change that was made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecordedChange {
    /// Its number; those of an organisation follow each other from 1.
    pub number: i64,
    /// Who made it, and when.
    pub author: Author,
    /// The kind of what was changed.
    pub resource: String,
    /// Its name.
    pub name: String,
    /// What was there before, as JSON with `is_active` among its members; `None` was nothing.
    pub before: Option<String>,
    /// What is there afterwards; `None` is nothing.
    pub after: Option<String>,
}

/// A change of one document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// The document's kind.
    pub kind: Kind,
    /// Its name; for a kind of which there is one, the kind's own.
    pub name: String,
    /// What must be there for the change to count.
    pub expected: Expected,
    /// What becomes of the document's members.
    pub edit: Edit,
    /// Whether it is in use afterwards; `None` leaves that, and a new one is.
    pub is_active: Option<bool>,
}

/// What becomes of a document's members.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Edit {
    /// They stay.
    Keep,
    /// This document, as JSON, replaces them or is new.
    Replace(String),
    /// This merge patch (RFC 7396) changes them as they are when the change is made.
    Merge(String),
}

/// What must be there for a change to count.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Expected {
    /// A document of this name at any version, or none.
    Anything,
    /// A document of this name, at any version.
    Existing,
    /// Nothing of this name.
    Nothing,
    /// The document at this version.
    Version(u32),
}

impl Change {
    fn check(&self, found: Option<u32>) -> Result<(), Error> {
        let as_expected = match self.expected {
            Expected::Anything => true,
            Expected::Existing => found.is_some(),
            Expected::Nothing => found.is_none(),
            Expected::Version(version) => found == Some(version),
        };
        if as_expected {
            return Ok(());
        }
        let Self { kind, name, expected, .. } = self;
        Err(Error::Changed { kind: *kind, name: name.clone(), expected: *expected, found })
    }

    fn apply(&self, organisation: &mut Organisation) -> Result<(), Invalid> {
        let documents = organisation.documents_mut(self.kind);
        let name = match &self.edit {
            Edit::Keep => None,
            Edit::Replace(json) => Some(documents.put(json)?),
            Edit::Merge(patch) => Some(documents.patch(&self.name, patch)?),
        };
        if let Some(name) = name {
            Invalid::unless(name == self.name, "/name", "the name of a document cannot change")?;
        }
        self.is_active.map_or(Ok(()), |is_active| documents.set_active(&self.name, is_active))
    }
}

/// What is set up before some changes, and after.
#[derive(Debug)]
pub(crate) struct Changed {
    pub(crate) before: Organisation,
    pub(crate) after: Organisation,
    /// The documents that differ, as they are to be stored, each with the one that it replaces.
    pub(crate) documents: Vec<(Option<Document>, Stored)>,
}

/// The organisation that these documents make up.
pub(crate) fn organisation(stored: Vec<Stored>) -> Result<Organisation, Error> {
    let mut organisation = Organisation::default();
    organisation
        .put_all(stored.into_iter().map(|stored| (stored.kind, stored.document)))
        .map_err(|refused| Error::Corrupt(refused.to_string()))?;
    Ok(organisation)
}

/// Why changes cannot be made that leave these documents invalid.
fn in_use(changes: &[Change], by: Vec<Refused>) -> Error {
    // A document that is out of use is not checked itself.
    match changes {
        [Change { kind, name, is_active: Some(false), .. }] => {
            Error::DocumentInUse { kind: *kind, name: name.clone(), by }
        }
        _ => Error::Invalid(by),
    }
}

/// Decides on changes, taken in order: all of them, or none.
///
/// # Errors
/// [`Error::Changed`] if a document is not as expected; [`Error::Invalid`] or
/// [`Error::DocumentInUse`] if the documents would be invalid.
pub(crate) fn change(stored: Vec<Stored>, changes: &[Change]) -> Result<Changed, Error> {
    let key = |kind: Kind, name: &str| (kind, name.to_owned());
    let known: BTreeMap<_, _> = stored
        .iter()
        .map(|stored| (key(stored.kind, &stored.document.name), stored.clone()))
        .collect();
    let before = organisation(stored)?;
    let mut after = before.clone();
    for change in changes {
        let found = known.get(&key(change.kind, &change.name));
        change.check(found.map(|stored| stored.version))?;
        change.apply(&mut after).map_err(|invalid| {
            Error::Invalid(vec![Refused { kind: change.kind, name: change.name.clone(), invalid }])
        })?;
    }
    after.check().map_err(|refused| in_use(changes, refused))?;
    let touched: BTreeSet<_> =
        changes.iter().map(|change| key(change.kind, &change.name)).collect();
    let mut documents = Vec::new();
    for (kind, name) in touched {
        let Some(document) = after.documents(kind).get(&name) else { continue };
        let replaced = known.get(&(kind, name));
        if replaced.is_some_and(|replaced| replaced.document == document) {
            continue;
        }
        let version = replaced.map_or(0, |replaced| replaced.version).saturating_add(1);
        let replaced = replaced.map(|replaced| replaced.document.clone());
        documents.push((replaced, Stored { kind, version, document }));
    }
    Ok(Changed { before, after, documents })
}
