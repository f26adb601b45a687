//! `patron migrate`: the schema of the data.

use std::path::Path;

use anyhow::{Context, bail};
use clap::{Args, Subcommand};
use patron_store::maintenance::{self, Schema, Watch};
use patron_store::migration::{self, Step};
use patron_store::{Location, PostgresOptions, SqliteStore};

use super::progress::Bars;
use super::{Place, opened, say};
use crate::config::{Config, Engine};

#[derive(Subcommand)]
pub(super) enum Command {
    /// List the steps of the schema, and which of them are applied.
    Status(Place),
    /// Apply the missing steps.
    Up(Up),
    /// Fail if a step is missing, and print the command that applies it.
    Check(Place),
}

#[derive(Args)]
pub(super) struct Up {
    /// Also distribute the tables over the nodes of a Citus cluster, by organisation.
    #[arg(long)]
    distribute: bool,
    #[command(flatten)]
    place: Place,
}

pub(super) fn run(command: &Command) -> anyhow::Result<()> {
    let (Command::Status(place) | Command::Up(Up { place, .. }) | Command::Check(place)) = command;
    let config = place.load()?;
    match config.engine() {
        Engine::Embedded(Location::Directory(directory)) => embedded(command, &directory, &config),
        Engine::Embedded(Location::Memory) => bail!("data in memory have no schema to keep"),
        Engine::Postgres(options) => opened::runtime()?.block_on(postgres(command, &options)),
    }
}

fn embedded(command: &Command, directory: &Path, config: &Config) -> anyhow::Result<()> {
    let Schema { found, known } = maintenance::schema(directory).context("cannot read the data")?;
    let is_current = found == known;
    match command {
        Command::Up(Up { distribute: true, .. }) => {
            bail!("only tables in PostgreSQL can be spread over the nodes of a cluster")
        }
        // Nothing to do, so no process that serves the data is in the way.
        Command::Status(_) | Command::Up(_) if is_current => {
            say(&format!("schema version {found}, up to date"));
        }
        Command::Status(_) => {
            say(&format!("schema version {found} of {known}; `patron serve` brings it up to date"));
        }
        Command::Check(_) if is_current => {}
        Command::Check(_) => bail!(
            "the data have schema version {found}, this program needs {known}; `patron serve` \
             brings it up to date"
        ),
        Command::Up(_) => {
            let location = Location::Directory(directory.to_owned());
            let store = SqliteStore::open_tuned(&location, &config.tuning());
            let store = store.context("cannot open the data")?;
            opened::runtime()?
                .block_on(opened::done(std::sync::Arc::new(store), async |_| Ok(())))?;
            say(&format!("schema version {known}, up to date"));
        }
    }
    Ok(())
}

async fn postgres(command: &Command, options: &PostgresOptions) -> anyhow::Result<()> {
    let steps = migration::status(options).await.context("cannot read the schema")?;
    let missing = steps.iter().filter(|step| !step.applied).count();
    match command {
        Command::Status(_) => {
            for step in &steps {
                say(&line(step));
            }
        }
        Command::Check(_) if missing == 0 => {}
        Command::Check(_) => bail!(
            "of the {} steps of the schema, {missing} are missing; `patron migrate up` with the \
             same database applies them",
            steps.len()
        ),
        Command::Up(Up { distribute, .. }) => {
            up(options, missing).await?;
            if *distribute {
                distribute_tables(options).await?;
            }
        }
    }
    Ok(())
}

fn line(Step { version, name, applied }: &Step) -> String {
    format!("{version:>4}  {name:<40}  {}", if *applied { "applied" } else { "missing" })
}

/// Applies what is missing, and tells each step once it is applied.
async fn up(options: &PostgresOptions, missing: usize) -> anyhow::Result<()> {
    let mut bars = Bars::new();
    bars.begin("applying the steps of the schema", u64::try_from(missing).ok());
    let mut applied = Vec::new();
    let done = migration::up(options, &mut |step| {
        applied.push(line(step));
        bars.reach(u64::try_from(applied.len()).unwrap_or_default());
    })
    .await;
    drop(bars);
    for step in &applied {
        say(step);
    }
    done.context("cannot bring the schema up to date")?;
    if applied.is_empty() {
        say("nothing is missing");
    }
    Ok(())
}

async fn distribute_tables(options: &PostgresOptions) -> anyhow::Result<()> {
    let tables = migration::distribute(options).await.context("cannot spread the tables")?;
    if tables.is_empty() {
        say("every table is spread over the nodes already");
    }
    for table in tables {
        say(&format!("{table}: spread over the nodes"));
    }
    Ok(())
}
