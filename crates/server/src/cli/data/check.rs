//! `patron check`

use std::path::PathBuf;

use anyhow::{Context, bail};
use clap::Args;
use patron_store::{Location, maintenance};

use super::{Damaged, file_name, report};
use crate::cli::progress::Bars;
use crate::cli::{Place, opened};
use crate::config::Engine;

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
        Some(file) => maintenance::check_file(file_name(file)?, &mut bars),
        None => match arguments.place.load()?.engine() {
            Engine::Embedded(Location::Directory(directory)) => {
                maintenance::check_directory(&directory, &mut bars)
            }
            Engine::Embedded(Location::Memory) => bail!("data in memory have no files"),
            Engine::Postgres(options) => {
                opened::runtime()?.block_on(maintenance::check_database(&options, &mut bars))
            }
        },
    };
    drop(bars);
    let checked = checked.context("cannot check the data")?;
    report(&checked);
    if checked.is_whole() { Ok(()) } else { Err(Damaged("the data are damaged").into()) }
}
