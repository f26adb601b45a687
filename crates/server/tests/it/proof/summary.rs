//! What came of a part of the proof, as a table.

use std::fmt::{Display, Write as _};
use std::time::Instant;

use super::judge::Tally;
use super::people::REHEARSED;
use super::promises::Broken;
use super::traffic::Record;

/// How many of the faults are told in words.
const TOLD: usize = 20;

pub struct Summary(String);

impl Summary {
    pub fn new(title: &str, seed: u64) -> Self {
        let build = if cfg!(debug_assertions) { "debug" } else { "release" };
        Self(format!("\n| {title}, seed {seed}, {build} build | |\n| --- | ---: |\n"))
    }

    pub fn row(&mut self, name: &str, value: impl Display) {
        writeln!(self.0, "| {name} | {value} |").unwrap();
    }

    /// Prints the table, and fails where something is broken.
    pub fn end(mut self, record: &Record, tally: &Tally, began: Instant) {
        let real = record.people.keys().filter(|number| **number < REHEARSED).count();
        self.row("customers acknowledged", record.acknowledged);
        self.row("… of that sent again, since no reply had come", record.sent_again);
        self.row("people", real);
        self.row("customers whom replies told to be new", record.created.len());
        self.row("replies that refused what the model expects to be refused", record.refused);
        self.row("replies that the model does not expect, and all with a 5xx", record.absurd.len());
        self.row("people looked up after a failure", tally.judged);
        self.row("audits read", tally.audited);
        self.row("runs of `patron check`", tally.checked);
        self.row("**lost**", tally.count(Broken::Lost));
        self.row("**doubled**", tally.count(Broken::Doubled));
        self.row("**half there**", tally.count(Broken::Half));
        self.row("seconds", began.elapsed().as_secs());
        eprintln!("{}", self.0);
        let told = |count: usize| count.min(TOLD);
        assert_eq!(record.absurd[..told(record.absurd.len())], [""; 0]);
        assert_eq!(tally.broken[..told(tally.broken.len())], []);
    }
}
