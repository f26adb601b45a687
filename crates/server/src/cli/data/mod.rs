//! `patron check`, `patron backup`, `patron restore`, `patron copy`: what an operator does to data
//! besides serving them.

pub(super) mod backup;
pub(super) mod check;
pub(super) mod copy;
pub(super) mod restore;

use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use indicatif::HumanBytes;
use patron_store::Location;
use patron_store::maintenance::{Checked, Part};

use super::{Place, say};
use crate::config::Engine;

/// The exit code where the data are damaged; 1 is for what could not be done, 2 for wrong usage.
pub(super) const DAMAGED: u8 = 3;

/// The data, or a backup of them, are damaged.
#[derive(Debug, thiserror::Error)]
#[error("{0}; docs/operations.md says what to do")]
pub(super) struct Damaged(&'static str);

/// Rejects a name that is not one of a file: a directory, or `-`, which is not read or written as a
/// standard stream.
fn file_name(file: &Path) -> anyhow::Result<&Path> {
    if file.as_os_str() == "-" {
        bail!(
            "expected the name of a file, not `-`: a database is not read or written as a stream"
        );
    }
    if file.is_dir() {
        bail!(
            "{} is a directory; expected the name of a file, such as {}",
            file.display(),
            file.join("patron-backup.sqlite").display()
        );
    }
    Ok(file)
}

impl Place {
    fn directory(&self) -> anyhow::Result<PathBuf> {
        match self.load()?.engine() {
            Engine::Embedded(Location::Directory(directory)) => Ok(directory),
            Engine::Embedded(Location::Memory) => bail!("data in memory have no files"),
            Engine::Postgres(_) => bail!(
                "the data are in PostgreSQL, whose own tools look after them: `pg_dump` and base \
                 backups back them up; docs/operations.md says how"
            ),
        }
    }
}

/// Prints what was found.
fn report(checked: &Checked) {
    for Part { name, looked_at, faults, told } in &checked.parts {
        let outcome = if *faults == 0 { "ok".to_owned() } else { format!("faults: {faults}") };
        say(&format!("{name:<40} {looked_at:>12}  {outcome}"));
        for what in told {
            say(&format!("  {what}"));
        }
        let untold = faults.saturating_sub(u64::try_from(told.len()).unwrap_or(u64::MAX));
        if untold > 0 {
            say(&format!("  and {untold} more"));
        }
    }
}

/// Prints what was found and fails, where something was.
fn refuse_damage(checked: &Checked, what: &'static str) -> anyhow::Result<()> {
    if checked.is_whole() {
        return Ok(());
    }
    report(checked);
    Err(Damaged(what).into())
}

fn size(file: &Path) -> anyhow::Result<HumanBytes> {
    let file = file.metadata().with_context(|| format!("cannot look at {}", file.display()))?;
    Ok(HumanBytes(file.len()))
}
