//! `patron backup`

use std::path::PathBuf;

use anyhow::Context;
use clap::Args;
use patron_store::maintenance;

use super::{refuse_damage, size};
use crate::cli::progress::Bars;
use crate::cli::{Place, say};

#[derive(Args)]
pub(in crate::cli) struct Arguments {
    /// The file to write.
    file: PathBuf,
    /// Replace the file where it is there already.
    #[arg(long)]
    overwrite: bool,
    #[command(flatten)]
    place: Place,
}

pub(in crate::cli) fn run(arguments: &Arguments) -> anyhow::Result<()> {
    let Arguments { file, overwrite, place } = arguments;
    let directory = place.directory()?;
    let mut bars = Bars::new();
    let checked = maintenance::back_up(&directory, file, *overwrite, &mut bars);
    drop(bars);
    let checked = checked.context("cannot back the data up")?;
    refuse_damage(&checked, "the data are damaged, and no backup was written")?;
    say(&format!("{}: {}, checked", file.display(), size(file)?));
    Ok(())
}
