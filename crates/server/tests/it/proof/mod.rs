//! The proof that nobody is lost, doubled or halved, whenever the process or the machine fails, or
//! however many ask at once. `scripts/proof.sh` runs it at length; docs/durability.md has what came
//! of that.
//!
//! # The model
//!
//! People are numbered; from a number follow a person's three identifiers, their name and a field.
//! Clients register them at once and over and over: new ones, known ones, several clients the same
//! one, in batches, in dry runs, by any of their identifiers. So one person may become several
//! customers, who are merged when identifiers of theirs come together.
//!
//! The clients note what they send before they send it, and what the replies tell. Then the server
//! is killed, or its disk loses power, and it is started again, with no more help than that. Of each
//! person it must then hold:
//!
//! - **Nothing is lost.** Each id that a reply told of leads to a customer. Each identifier that was
//!   sent or shown with it leads to that same customer. They have the points that replies told of.
//! - **Nothing is doubled.** What was told to be one customer is one customer. No id is two people's.
//!   Nobody has more points than the registrations that may have made them earn. Whatever was not
//!   answered is sent again, and that holds all the same.
//! - **Nothing is half there.** Whoever is found has their name, field, type, tier and points, and
//!   each identifier by which they are found. Each identifier that leads to somebody came with an
//!   answered registration, or with an unanswered one of which every other identifier leads to
//!   somebody as well. Of what was refused and of dry runs nothing is there.
//! - **Rows agree.** `patron check` finds the data whole, `patron ledger check` each balance, and the
//!   audit tells of each new customer by the request that made them.
//!
//! What was sent and not answered may be there or not, but wholly. The judge has nothing but the
//! replies and what anybody can ask of the program.
//!
//! By default so few customers hardly bring the server to merge recent identifiers into their table, or
//! to copy the log into the database. So a part of the servers has so little of either that it does
//! both all the time ([`Tuned::Tight`]); what must hold is the same.
//!
//! All that is random follows from the seed, but for when the system runs which thread: so a seed
//! repeats the plan of a run and not its every step.

pub mod disk;
mod failover;
mod judge;
mod kills;
mod outages;
mod people;
mod power_cut;
mod promises;
mod races;
mod repeats;
mod summary;
mod traffic;

use std::process::Command;
use std::str::FromStr;
use std::time::Duration;

use fastrand::Rng;
use patron_server::demo;

use crate::data::Data;
use crate::durability::{Program, command};

/// The most customers who are acknowledged between two failures.
const ACKNOWLEDGED: usize = 300;
/// The longest time between the last reply that was waited for and the failure, so that it finds the
/// server in the middle of whatever it does.
const PAUSE: Duration = Duration::from_millis(3);

const DATABASE: &str = "patron.sqlite";
const LOG: &str = "patron.sqlite-wal";

/// A number from the environment: how long the proof is to be.
pub fn asked<T: FromStr>(variable: &str, default: T) -> T {
    let read = |text: String| {
        text.parse().unwrap_or_else(|_| panic!("{variable} is no such number: {text}"))
    };
    std::env::var(variable).map_or(default, read)
}

fn any_time(rng: &mut Rng, longest: Duration) -> Duration {
    longest.mul_f64(rng.f64())
}

/// These data with the demo, in which customers are merged whose identifiers come together.
fn filled(data: Data) -> Data {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(async {
        let store = data.open().await;
        demo::fill(store.as_ref()).await.unwrap();
        store.close().await;
    });
    data.set(&[("MERGE_ON_CONFLICT", "1")]);
    data
}

/// How much memory and log a server has, which is of the embedded engine alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Tuned {
    Default,
    /// So little that it merges and checkpoints all the time.
    Tight,
}

impl Tuned {
    fn some(rng: &mut Rng) -> Self {
        if rng.bool() { Self::Default } else { Self::Tight }
    }

    fn flags(self) -> &'static [&'static str] {
        match self {
            Self::Default => &[],
            Self::Tight => {
                &["--recent-identifiers", "200", "--writer-cache", "1", "--checkpoint", "1"]
            }
        }
    }
}

fn serve(data: &str, tuned: Tuned) -> Command {
    let mut command = command(data);
    command.args(tuned.flags());
    command
}

fn start(data: &str, tuned: Tuned) -> Program {
    Program::spawn(&mut serve(data, tuned))
}
