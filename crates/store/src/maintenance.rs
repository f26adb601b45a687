//! What an operator does to data besides serving them: check them, back them up, restore them.
//!
//! A process that serves the data may go on meanwhile, except while they are restored.

pub use crate::postgres::check::check as check_database;
pub use crate::sqlite::maintenance::{
    back_up, check_directory, check_file, check_ledgers, restore, schema,
};

/// Sees how far work has come.
pub trait Watch {
    /// A part of the work begins, of so many steps; `None` where nobody knows how many.
    fn begin(&mut self, part: &str, steps: Option<u64>);
    /// So many of the part's steps are done.
    fn reach(&mut self, done: u64);
}

/// The version of the schema of data, which counts the steps by which it came about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Schema {
    /// The version that the data have.
    pub found: u32,
    /// The version that this program needs.
    pub known: u32,
}

/// What a check looked at, and what it found.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Checked {
    /// Its parts, in order.
    pub parts: Vec<Part>,
}

impl Checked {
    /// Whether nothing was found.
    #[must_use]
    pub fn is_whole(&self) -> bool {
        self.parts.iter().all(|part| part.faults == 0)
    }
}

/// One part of a check.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Part {
    /// What was looked at.
    pub name: &'static str,
    /// How many of it.
    pub looked_at: u64,
    /// How many faults were found.
    pub faults: u64,
    /// The first [`FAULTS_TOLD`] of them, in words, by the ids of organisations and customers. No
    /// personal data.
    pub told: Vec<String>,
}

/// How many faults of a part are told in words.
pub const FAULTS_TOLD: usize = 20;

impl Part {
    pub(crate) const fn new(name: &'static str) -> Self {
        Self { name, looked_at: 0, faults: 0, told: Vec::new() }
    }

    pub(crate) fn looked(&mut self) {
        self.looked_at_more(1);
    }

    pub(crate) fn looked_at_more(&mut self, count: u64) {
        self.looked_at = self.looked_at.saturating_add(count);
    }

    pub(crate) fn fault(&mut self, what: impl FnOnce() -> String) {
        self.faults = self.faults.saturating_add(1);
        if self.told.len() < FAULTS_TOLD {
            self.told.push(what());
        }
    }
}
