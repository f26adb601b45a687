//! `patron copy`

use std::path::PathBuf;

use anyhow::{Context, bail, ensure};
use clap::Args;
use patron_store::Location;
use patron_store::copy::{self, CHUNK_ROWS};

use super::{Damaged, report};
use crate::cli::progress::Bars;
use crate::cli::{Place, opened, say};
use crate::config::Engine;

#[derive(Args)]
pub(in crate::cli) struct Arguments {
    /// The registry, as `sqlite:DIRECTORY` or `postgres://user@host/name`. Stop Patron there first.
    /// Pass a password in the variable, where other users of the machine cannot see it.
    #[arg(long, value_name = "PLACE", env = "PATRON_COPY_FROM", hide_env_values = true)]
    from: String,
    /// The empty directory or database for the copy, in the same form. An unfinished copy of this
    /// registry there is resumed.
    #[arg(long, value_name = "PLACE", env = "PATRON_COPY_TO", hide_env_values = true)]
    to: String,
    /// Only compare what was copied before.
    #[arg(long)]
    verify_only: bool,
    /// The configuration, a TOML file.
    #[arg(long, value_name = "FILE", env = "PATRON_CONFIG")]
    config: Option<PathBuf>,
    /// The certificates that verify the databases' own, a PEM file.
    #[arg(long, value_name = "FILE")]
    database_ca: Option<String>,
}

pub(in crate::cli) fn run(arguments: &Arguments) -> anyhow::Result<()> {
    let Arguments { from, to, verify_only, .. } = arguments;
    let from = place(arguments, from).context("--from")?;
    let to = place(arguments, to).context("--to")?;
    let mut bars = Bars::new();
    let checked = opened::runtime()?.block_on(async {
        if *verify_only {
            copy::verify(&from, &to, CHUNK_ROWS, &mut bars).await
        } else {
            copy::copy(&from, &to, CHUNK_ROWS, &mut bars).await
        }
    });
    drop(bars);
    let checked = checked.context("cannot copy the registry")?;
    report(&checked);
    if !checked.is_whole() {
        return Err(Damaged("the copy is not the same as its source, or not whole").into());
    }
    say(&format!("{}: the same as {}", to.describe(), from.describe()));
    Ok(())
}

/// Where one end is: as `--database` names it, with the rest of the configuration.
fn place(arguments: &Arguments, database: &str) -> anyhow::Result<copy::Place> {
    ensure!(!database.is_empty(), "it names nothing");
    let place = Place {
        config: arguments.config.clone(),
        data: None,
        database: Some(database.to_owned()),
        database_ca: arguments.database_ca.clone(),
    };
    Ok(match place.load()?.engine() {
        Engine::Embedded(Location::Directory(directory)) => copy::Place::Directory(directory),
        Engine::Embedded(Location::Memory) => bail!("data in memory are not copied"),
        Engine::Postgres(options) => copy::Place::Postgres(options),
    })
}
