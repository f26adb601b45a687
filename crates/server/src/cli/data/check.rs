//! `patron check`

use std::path::PathBuf;

use anyhow::Context;
use clap::Args;
use patron_store::maintenance;

use super::{Damaged, report};
use crate::cli::Place;
use crate::cli::progress::Bars;

#[derive(Args)]
pub(in crate::cli) struct Arguments {
    /// A backup to check instead of the data.
    file: Option<PathBuf>,
    #[command(flatten)]
    place: Place,
}

pub(in crate::cli) fn run(arguments: &Arguments) -> anyhow::Result<()> {
    let mut bars = Bars::new();
    let checked = match &arguments.file {
        Some(file) => maintenance::check_file(file, &mut bars),
        None => maintenance::check_directory(&arguments.place.directory()?, &mut bars),
    };
    drop(bars);
    let checked = checked.context("cannot check the data")?;
    report(&checked);
    if checked.is_whole() { Ok(()) } else { Err(Damaged("the data are damaged").into()) }
}
