//! `patron backup`

use std::path::PathBuf;

use anyhow::Context;
use clap::Args;
use patron_store::maintenance;

use super::{file_name, refuse_damage, size};
use crate::cli::progress::Bars;
use crate::cli::{Place, say};

#[derive(Args)]
pub(in crate::cli) struct Arguments {
    /// The file to write. Its directory must exist.
    file: PathBuf,
    /// Replace the file if it exists.
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
    let checked = maintenance::back_up(&directory, file, *overwrite, &mut bars);
    drop(bars);
    let checked = checked.context("cannot back up the data")?;
    refuse_damage(&checked, "the data are damaged, and no backup was written")?;
    say(&format!("{}: {}, checked", file.display(), size(file)?));
    Ok(())
}
