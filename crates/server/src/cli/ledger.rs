//! `patron ledger`: what customers gained and lost.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use anyhow::{Context, bail};
use clap::{Args, Subcommand};
use indicatif::{ProgressBar, ProgressStyle};
use patron_store::{LedgerCheck, LedgerDifference, Location, Store, maintenance};

use super::admin::IfMissing;
use super::{Place, opened};
use crate::config::Engine;

/// How progress looks on a terminal.
const PROGRESS: &str = "{msg} {bar:40} {percent}% {elapsed}, {eta} to go";

#[derive(Subcommand)]
pub(super) enum Command {
    /// Compare every customer's balances with the sums of the ledger. Prints each difference, and
    /// fails if there is one. Works while Patron serves.
    Check(CheckArguments),
}

#[derive(Args)]
pub(super) struct CheckArguments {
    /// Check only this organisation.
    #[arg(long, value_name = "NAME", value_parser = super::name)]
    organisation: Option<String>,
    #[command(flatten)]
    place: Place,
}

pub(super) fn run(command: &Command) -> anyhow::Result<()> {
    let Command::Check(CheckArguments { place, organisation }) = command;
    let organisation = organisation.as_deref();
    let config = place.load()?;
    let differences = match config.engine() {
        Engine::Embedded(Location::Directory(directory)) => {
            let report = Report::new()?;
            let told = |name: &str, told| report.tell(name, told);
            let checked = maintenance::check_ledgers(&directory, organisation, told);
            checked.with_context(|| subject(organisation))?;
            report.differences()
        }
        _ => opened::runtime()?.block_on(async {
            let store = opened::open(&config, IfMissing::Fail).await?;
            opened::done(store, async |store| check(store, organisation).await).await
        })?,
    };
    match differences {
        0 => Ok(()),
        differences => bail!("sums that differ between the ledger and the balances: {differences}"),
    }
}

fn subject(organisation: Option<&str>) -> String {
    match organisation {
        Some(name) => format!("cannot check `{name}`"),
        None => "cannot check the ledgers".to_owned(),
    }
}

/// Checks one organisation, or all of them; how many sums differ.
async fn check(store: &dyn Store, organisation: Option<&str>) -> anyhow::Result<u64> {
    let names = match organisation {
        Some(name) => vec![name.to_owned()],
        None => store.organisations().await?.into_iter().map(|known| known.name).collect(),
    };
    let report = Arc::new(Report::new()?);
    for name in names {
        let (teller, organisation) = (Arc::clone(&report), name.clone());
        let tell = Box::new(move |told| teller.tell(&organisation, told));
        store.check_ledger(&name, tell).await.with_context(|| subject(Some(&name)))?;
    }
    Ok(report.differences())
}

/// Prints what a check finds.
struct Report {
    /// Only drawn on a terminal.
    bar: ProgressBar,
    differences: AtomicU64,
}

impl Report {
    fn new() -> anyhow::Result<Self> {
        let bar = ProgressBar::new(0);
        bar.set_style(ProgressStyle::with_template(PROGRESS)?);
        Ok(Self { bar, differences: AtomicU64::new(0) })
    }

    fn differences(&self) -> u64 {
        self.differences.load(Ordering::Relaxed)
    }

    fn tell(&self, organisation: &str, told: LedgerCheck) {
        match told {
            LedgerCheck::Progress { done, of } => {
                self.bar.set_message(organisation.to_owned());
                self.bar.set_length(of);
                self.bar.set_position(done);
            }
            LedgerCheck::Difference(difference) => {
                self.differences.fetch_add(1, Ordering::Relaxed);
                self.bar.suspend(|| super::say(&describe(organisation, &difference)));
            }
            LedgerCheck::Done { customers } => {
                self.bar.reset();
                let done = format!("{organisation}: checked {customers} customers");
                self.bar.suspend(|| super::say(&done));
            }
        }
    }
}

fn describe(organisation: &str, difference: &LedgerDifference) -> String {
    let LedgerDifference { customer, programme, currency, kind, expected, found } = difference;
    format!(
        "{organisation}: customer {}, programme {}, {currency} {}: expected {expected}, found {found}",
        customer.0,
        programme.0,
        kind.name(),
    )
}
