//! `patron ledger`: what customers gained and lost.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use anyhow::{Context, bail};
use clap::{Args, Subcommand};
use indicatif::{ProgressBar, ProgressStyle};
use patron_store::{LedgerCheck, LedgerDifference, Store};

use super::{Sources, opened};

/// How progress looks on a terminal.
const PROGRESS: &str = "{msg} {bar:40} {percent}% {elapsed}, {eta} to go";

#[derive(Subcommand)]
pub(super) enum Command {
    /// Add up every customer's ledger and compare the sums with their balances. Names each one that
    /// differs, and fails where any does.
    Check(CheckArguments),
}

#[derive(Args)]
pub(super) struct CheckArguments {
    #[command(flatten)]
    sources: Sources,
    /// Check this organisation alone.
    #[arg(long, value_name = "NAME", value_parser = super::name)]
    organisation: Option<String>,
}

pub(super) fn run(command: &Command) -> anyhow::Result<()> {
    let Command::Check(CheckArguments { sources, organisation }) = command;
    let config = sources.load()?;
    let checked = opened::runtime()?.block_on(async {
        let store = opened::open(&config).await.context("cannot open the data")?;
        opened::done(store, async |store| check(store, organisation.as_deref()).await).await
    });
    match checked? {
        0 => Ok(()),
        differences => bail!("sums that differ between the ledger and the balances: {differences}"),
    }
}

/// Checks one organisation, or all of them; how many sums differ.
async fn check(store: &dyn Store, organisation: Option<&str>) -> anyhow::Result<u64> {
    let names = match organisation {
        Some(name) => vec![name.to_owned()],
        None => store.organisations().await?.into_iter().map(|known| known.name).collect(),
    };
    let differences = Arc::new(AtomicU64::new(0));
    for name in names {
        // It is drawn on a terminal alone.
        let bar = ProgressBar::new(0).with_message(name.clone());
        bar.set_style(ProgressStyle::with_template(PROGRESS)?);
        let teller =
            Teller { organisation: name.clone(), bar, differences: Arc::clone(&differences) };
        let tell = Box::new(move |told| teller.tell(told));
        store.check_ledger(&name, tell).await.with_context(|| format!("cannot check `{name}`"))?;
    }
    Ok(differences.load(Ordering::Relaxed))
}

/// Tells what the check of one organisation comes upon.
struct Teller {
    organisation: String,
    bar: ProgressBar,
    differences: Arc<AtomicU64>,
}

impl Teller {
    fn tell(&self, told: LedgerCheck) {
        match told {
            LedgerCheck::Progress { done, of } => {
                self.bar.set_length(of);
                self.bar.set_position(done);
            }
            LedgerCheck::Difference(difference) => {
                self.differences.fetch_add(1, Ordering::Relaxed);
                self.bar.suspend(|| super::say(&self.describe(&difference)));
            }
            LedgerCheck::Done { customers } => {
                self.bar.finish_and_clear();
                super::say(&format!("{}: checked {customers} customers", self.organisation));
            }
        }
    }

    fn describe(&self, difference: &LedgerDifference) -> String {
        let LedgerDifference { customer, programme, currency, kind, expected, found } = difference;
        format!(
            "{}: customer {}, programme {}, {currency} {}: expected {expected}, found {found}",
            self.organisation,
            customer.0,
            programme.0,
            kind.name(),
        )
    }
}
