//! `patron restore`

use std::path::PathBuf;

use anyhow::Context;
use clap::Args;
use patron_store::maintenance;

use super::{file_name, refuse_damage};
use crate::cli::progress::Bars;
use crate::cli::{Place, say};

#[derive(Args)]
pub(in crate::cli) struct Arguments {
    /// The backup.
    file: PathBuf,
    /// Replace existing data. They are lost.
    #[arg(long)]
    overwrite: bool,
    #[command(flatten)]
    place: Place,
}

pub(in crate::cli) fn run(arguments: &Arguments) -> anyhow::Result<()> {
    let Arguments { file, overwrite, place } = arguments;
    let file = file_name(file)?;
    let directory = place.directory()?;
    let mut bars = Bars::new();
    let checked = maintenance::restore(file, &directory, *overwrite, &mut bars);
    drop(bars);
    let checked = checked.context("cannot restore the backup")?;
    refuse_damage(&checked, "the backup is damaged, and was not restored")?;
    say(&format!("{}: restored from {}, checked", directory.display(), file.display()));
    Ok(())
}
