//! The schema, step by step. Each step is one statement and may be carried out again.

use std::sync::Arc;

use refinery::Runner;

use super::connection::{Connection, Connections, PostgresOptions};
use super::copying;
use super::failure::discreet;
use crate::Error;

mod embedded {
    refinery::embed_migrations!("src/postgres/migrations");
}

/// A step of the schema.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    /// Its number, from 1.
    pub version: i32,
    /// What it makes.
    pub name: String,
    /// Whether it was applied.
    pub applied: bool,
}

/// Holds back whoever else would apply steps at the same time, however long a step takes.
const TURN: &str = "CREATE TABLE IF NOT EXISTS schema_turn (turn BIGINT PRIMARY KEY)";
const TAKE_TURN: &str = "BEGIN; SET LOCAL idle_in_transaction_session_timeout = 0;
     LOCK TABLE schema_turn IN EXCLUSIVE MODE";

/// Every step, and whether it was applied to the database.
///
/// # Errors
/// [`Error::TooNew`] where the database has steps that this program does not know; a database that
/// cannot be reached.
pub async fn status(options: &PostgresOptions) -> Result<Vec<Step>, Error> {
    let connections = Connections::new(options, 1, None, Arc::default())?;
    steps(&connections.get().await?).await
}

/// Applies the steps that are missing, and tells of each.
///
/// # Errors
/// As [`status`]; a step that the database refuses.
pub async fn up(
    options: &PostgresOptions,
    tell: &mut (dyn FnMut(&Step) + Send),
) -> Result<(), Error> {
    let connections = Connections::new(options, 2, None, Arc::default())?;
    let (turn, mut client) = (connections.get().await?, connections.client().await?);
    turn.run(TURN).await?;
    turn.is_open(true);
    turn.run(TAKE_TURN).await?;
    for step in steps(&turn).await? {
        if !step.applied {
            let target = refinery::Target::Version(step.version);
            let one = runner().set_target(target);
            one.run_async(&mut **client).await.map_err(|error| Error::Database {
                what: format!("the step `{}` of the schema cannot be applied", step.name),
                source: discreet(error),
            })?;
            tell(&Step { applied: true, ..step });
        }
    }
    turn.run("COMMIT").await?;
    turn.is_open(false);
    Ok(())
}

/// Spreads the tables over the nodes of a Citus cluster, each organisation's rows on one node; the
/// tables that were not spread before.
///
/// # Errors
/// [`Error::Database`] for a database without the extension.
pub async fn distribute(options: &PostgresOptions) -> Result<Vec<&'static str>, Error> {
    let connections = Connections::new(options, 1, None, Arc::default())?;
    let connection = connections.get().await?;
    // The extension's own list of the tables that are spread.
    let extension = "SELECT 1 WHERE to_regclass('pg_dist_partition') IS NOT NULL";
    if connection.query(extension, &[]).await?.is_empty() {
        return Err(Error::Database {
            what: "the tables can be spread over the nodes of a Citus cluster alone".to_owned(),
            source: "the database lacks the extension `citus`".into(),
        });
    }
    let is_spread = "SELECT 1 FROM pg_dist_partition WHERE logicalrelid = to_regclass($1)";
    let mut spread = Vec::new();
    for (table, statement) in distributing() {
        if connection.query(is_spread, &[&table]).await?.is_empty() {
            connection.run(&statement).await?;
            spread.push(table);
        }
    }
    Ok(spread)
}

/// What is looked up before the organisation is known; every node has a copy of these small tables.
const DIRECTORY: [&str; 6] = [
    "organisation",
    "till_credential",
    "api_client_credential",
    "access_token",
    "operator_account",
    "operator_session",
];
/// The table beside which the others are put, so that an organisation's rows are on one node.
const FIRST_DISTRIBUTED: &str = "id_block";
/// What each organisation has besides that.
const DISTRIBUTED: [&str; 16] = [
    "configuration",
    "configuration_version",
    "configuration_change",
    "customer",
    "merge",
    "identifier",
    "shared_email",
    "enrolment",
    "ledger_entry",
    "audit_entry",
    "series",
    "card",
    "coupon",
    "referral_code",
    "commit_mark",
    "answered_request",
];

fn distributing() -> impl Iterator<Item = (&'static str, String)> {
    let reference =
        DIRECTORY.map(|table| (table, format!("SELECT create_reference_table('{table}')")));
    let distribute = |table, beside| {
        let by = format!("'{table}', 'organisation_id', colocate_with => '{beside}'");
        (table, format!("SELECT create_distributed_table({by})"))
    };
    let first = distribute(FIRST_DISTRIBUTED, "none");
    let others = DISTRIBUTED.map(|table| distribute(table, FIRST_DISTRIBUTED));
    reference.into_iter().chain([first]).chain(others)
}

/// Refuses a database whose schema is not the one that this program knows, or that is only the
/// beginning of a copy.
pub(super) async fn check(connection: &Connection) -> Result<(), Error> {
    copying::refuse_half_copied(connection).await?;
    let missing = steps(connection).await?.into_iter().find(|step| !step.applied);
    missing.map_or(Ok(()), |step| Err(Error::NotMigrated { missing: step.name }))
}

async fn steps(connection: &Connection) -> Result<Vec<Step>, Error> {
    let is_there = "SELECT 1 FROM pg_catalog.pg_class
         WHERE oid = to_regclass('refinery_schema_history')";
    let applied: Vec<i32> = if connection.query(is_there, &[]).await?.is_empty() {
        Vec::new()
    } else {
        let sql = "SELECT version FROM refinery_schema_history";
        connection.list(sql, &[], |row| Ok(row.try_get("version")?)).await?
    };
    let runner = runner();
    let known = runner.get_migrations();
    let newest = known.iter().map(refinery::Migration::version).max().unwrap_or_default();
    if let Some(found) = applied.iter().copied().find(|version| *version > newest) {
        let version = |version: i32| u32::try_from(version).unwrap_or_default();
        return Err(Error::TooNew { found: version(found), known: version(newest) });
    }
    let step = |migration: &refinery::Migration| Step {
        version: migration.version(),
        name: migration.name().to_owned(),
        applied: applied.contains(&migration.version()),
    };
    let mut steps: Vec<Step> = known.iter().map(step).collect();
    steps.sort_unstable_by_key(|step| step.version);
    Ok(steps)
}

fn runner() -> Runner {
    embedded::migrations::runner()
}
