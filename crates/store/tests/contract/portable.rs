//! The schema on PostgreSQL keeps to what the databases of its family have in common, so that its
//! tables can be spread by organisation.

use std::collections::BTreeSet;

use patron_store::{Error, PostgresOptions, migration};
use tokio_postgres::{Client, NoTls};

use crate::postgresql::Database;
use crate::wire::Wire;

/// Tables of what is looked up before the organisation is known. They are small, and every node has
/// a copy.
const DIRECTORY: [&str; 6] = [
    "access_token",
    "api_client_credential",
    "operator_account",
    "operator_session",
    "organisation",
    "till_credential",
];
/// Tables that say how far the schema has come.
const OF_THE_SCHEMA: [&str; 2] = ["refinery_schema_history", "schema_turn"];

async fn client(database: &Database) -> Client {
    let (client, connection) = tokio_postgres::connect(&database.url(), NoTls).await.unwrap();
    tokio::spawn(connection);
    client
}

/// The first column of each row, as text.
async fn texts(client: &Client, sql: &str) -> Vec<String> {
    client.query(sql, &[]).await.unwrap().iter().map(|row| row.get(0)).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_organisation_leads_every_key() {
    let database = Database::new();
    let client = client(&database).await;
    let keys = client
        .query(
            "SELECT t.relname::TEXT, i.indexrelid::REGCLASS::TEXT, a.attname::TEXT
             FROM pg_index i
             JOIN pg_class t ON t.oid = i.indrelid
             JOIN pg_namespace n ON n.oid = t.relnamespace AND n.nspname = 'public'
             JOIN pg_attribute a ON a.attrelid = t.oid AND a.attnum = i.indkey[0]",
            &[],
        )
        .await
        .unwrap();
    let mut tables = BTreeSet::new();
    for row in &keys {
        let (table, key, first): (String, String, String) = (row.get(0), row.get(1), row.get(2));
        let table_name = table.as_str();
        if !DIRECTORY.contains(&table_name) && !OF_THE_SCHEMA.contains(&table_name) {
            assert_eq!(first, "organisation_id", "{key} of {table}");
            tables.insert(table);
        }
    }
    assert!(tables.len() >= 15, "{tables:?}");
    let all = "SELECT relname::TEXT FROM pg_class WHERE relkind = 'r'
         AND relnamespace = 'public'::REGNAMESPACE";
    let known = |table: &String| {
        let name = table.as_str();
        tables.contains(table) || DIRECTORY.contains(&name) || OF_THE_SCHEMA.contains(&name)
    };
    let without: Vec<_> = texts(&client, all).await.into_iter().filter(|t| !known(t)).collect();
    assert!(without.is_empty(), "tables without a key: {without:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn there_is_nothing_that_only_one_database_has() {
    let database = Database::new();
    let client = client(&database).await;
    for (what, sql) in [
        ("sequences", "SELECT relname::TEXT FROM pg_class WHERE relkind = 'S'"),
        ("identity columns", "SELECT attname::TEXT FROM pg_attribute WHERE attidentity <> ''"),
        ("triggers", "SELECT tgname::TEXT FROM pg_trigger"),
        ("foreign keys", "SELECT conname::TEXT FROM pg_constraint WHERE contype = 'f'"),
        (
            "functions",
            "SELECT proname::TEXT FROM pg_proc WHERE pronamespace = 'public'::REGNAMESPACE",
        ),
        (
            "views and other relations",
            "SELECT relname::TEXT FROM pg_class
             WHERE relnamespace = 'public'::REGNAMESPACE AND relkind NOT IN ('r', 'i')",
        ),
        (
            "types of columns",
            "SELECT a.attname::TEXT FROM pg_attribute a
             JOIN pg_class t ON t.oid = a.attrelid AND t.relkind = 'r'
             WHERE t.relnamespace = 'public'::REGNAMESPACE AND a.attnum > 0
               AND t.relname <> 'refinery_schema_history' AND NOT a.attisdropped
               AND a.atttypid::REGTYPE::TEXT NOT IN
                    ('bigint', 'smallint', 'text', 'boolean', 'bytea')",
        ),
    ] {
        assert_eq!(texts(&client, sql).await, Vec::<String>::new(), "{what}");
    }
}

/// The steps of the schema, each with its name, in their order.
fn steps() -> Vec<(String, String)> {
    let mut steps = sources("src/postgres/migrations");
    let number = |name: &String| -> u32 {
        let name = name.rsplit('/').next().unwrap();
        name[1..name.find("__").unwrap()].parse().unwrap()
    };
    steps.sort_by_key(|(name, _)| number(name));
    steps
}

/// What the schema has: columns, keys, and what rows must be.
async fn schema(client: &Client) -> Vec<String> {
    let sql =
        "SELECT concat_ws(' ', table_name, column_name, data_type, is_nullable, column_default)
         FROM information_schema.columns WHERE table_schema = 'public'
         UNION ALL SELECT indexdef FROM pg_indexes WHERE schemaname = 'public'
         UNION ALL SELECT concat_ws(' ', conrelid::REGCLASS, conname, pg_get_constraintdef(oid))
         FROM pg_constraint WHERE connamespace = 'public'::REGNAMESPACE
         ORDER BY 1";
    texts(client, sql).await
}

#[tokio::test(flavor = "multi_thread")]
async fn each_step_of_the_schema_is_one_statement_that_may_come_again() {
    let database = Database::empty();
    let client = client(&database).await;
    let rows = "SELECT o.name || ' ' || v.version
         FROM organisation o LEFT JOIN configuration_version v USING (organisation_id)";
    let steps = steps();
    assert!(steps.len() >= 32);
    for (step, sql) in &steps {
        let code: Vec<&str> = sql.lines().map(|line| line.split("--").next().unwrap()).collect();
        assert_eq!(code.join("\n").matches(';').count(), 1, "{step}");
        client.batch_execute(sql).await.unwrap();
        let once = schema(&client).await;
        client.batch_execute(sql).await.unwrap_or_else(|error| panic!("{step} again: {error:?}"));
        assert_eq!(schema(&client).await, once, "{step} again");
        if step.ends_with("V1__organisation.sql") {
            let organisation = "INSERT INTO organisation (organisation_id, name, is_demo, version)
                 VALUES (1, 'shop', FALSE, 7)";
            client.batch_execute(organisation).await.unwrap();
        }
    }
    assert_eq!(texts(&client, rows).await, ["shop 7"]);
    let migrated = Database::new();
    let mut expected = schema(&self::client(&migrated).await).await;
    expected.retain(|line| !OF_THE_SCHEMA.iter().any(|table| line.contains(table)));
    assert_eq!(schema(&client).await, expected);
}

/// As when somebody else uses the database, or a step has many rows to go through.
#[tokio::test(flavor = "multi_thread")]
async fn steps_of_the_schema_may_take_longer_than_transactions_may_idle() {
    let database = Database::empty();
    let wire = Wire::to(&database).await;
    // The first connection is the one that keeps others from doing the same.
    wire.hurry();
    migration::up(&PostgresOptions::new(wire.url()), &mut |_| {}).await.unwrap();
    let steps = migration::status(&PostgresOptions::new(&database.url())).await.unwrap();
    assert!(steps.iter().all(|step| step.applied), "{steps:?}");
}

/// What stands in for the extension: it notes what it is asked for.
const STAND_IN: &str = "
    CREATE TABLE pg_dist_partition (
        logicalrelid REGCLASS, by TEXT, beside TEXT, place BIGINT GENERATED ALWAYS AS IDENTITY);
    CREATE FUNCTION create_reference_table(table_name REGCLASS) RETURNS VOID LANGUAGE sql AS
        'INSERT INTO pg_dist_partition VALUES (table_name, NULL, NULL)';
    CREATE FUNCTION create_distributed_table(
        table_name REGCLASS, distribution_column TEXT, distribution_type TEXT DEFAULT 'hash',
        colocate_with TEXT DEFAULT 'default', shard_count INT DEFAULT NULL)
        RETURNS VOID LANGUAGE sql AS
        'INSERT INTO pg_dist_partition VALUES (table_name, distribution_column, colocate_with)'";

/// As the extension requires: each table once; what is spread is spread by the organisation, beside
/// what was spread before; and every key that is unique has the organisation in it.
#[tokio::test(flavor = "multi_thread")]
async fn every_table_is_spread_once_by_the_organisation_or_copied_to_every_node() {
    let database = Database::new();
    let client = client(&database).await;
    let options = PostgresOptions::new(&database.url());
    let refused = migration::distribute(&options).await.unwrap_err();
    assert!(matches!(refused, Error::Database { .. }), "{refused:?}");

    let tables = texts(
        &client,
        "SELECT relname::TEXT FROM pg_class
         WHERE relkind = 'r' AND relnamespace = 'public'::REGNAMESPACE ORDER BY relname",
    )
    .await;
    client.batch_execute(STAND_IN).await.unwrap();
    let spread: BTreeSet<_> = migration::distribute(&options).await.unwrap().into_iter().collect();
    assert_eq!(migration::distribute(&options).await.unwrap(), Vec::<&str>::new(), "again");

    let expected = tables.iter().map(String::as_str).filter(|t| !OF_THE_SCHEMA.contains(t));
    assert_eq!(spread, expected.collect());
    let noted = "SELECT logicalrelid::TEXT FROM pg_dist_partition WHERE by IS NULL ORDER BY 1";
    assert_eq!(texts(&client, noted).await, DIRECTORY, "copied");
    let astray = "SELECT logicalrelid::TEXT FROM pg_dist_partition p
         WHERE p.by <> 'organisation_id' OR p.beside <> 'none' AND NOT EXISTS (
            SELECT 1 FROM pg_dist_partition f
            WHERE f.logicalrelid::TEXT = p.beside AND f.beside = 'none' AND f.place < p.place)";
    assert_eq!(texts(&client, astray).await, Vec::<String>::new());
    let firsts = "SELECT logicalrelid::TEXT FROM pg_dist_partition WHERE beside = 'none'";
    assert_eq!(texts(&client, firsts).await.len(), 1);
    let without_organisation = "SELECT i.indexrelid::REGCLASS::TEXT FROM pg_index i
         JOIN pg_dist_partition p ON p.logicalrelid = i.indrelid AND p.by IS NOT NULL
         WHERE i.indisunique AND NOT EXISTS (
            SELECT 1 FROM pg_attribute a WHERE a.attrelid = i.indrelid
                AND a.attnum = ANY(i.indkey::INT2[]) AND a.attname = p.by)";
    assert_eq!(texts(&client, without_organisation).await, Vec::<String>::new());
}

/// The tables of a statement that each organisation has rows of its own in.
fn distributed<'a>(sql: &'a str, tables: &'a [String]) -> impl Iterator<Item = &'a str> {
    let words = sql.split(|letter: char| !(letter.is_alphanumeric() || letter == '_'));
    let named: BTreeSet<&str> = words.collect();
    tables.iter().map(String::as_str).filter(move |table| named.contains(table))
}

/// The texts of a source file between quotation marks that are statements, or parts of some.
fn statements(source: &str) -> impl Iterator<Item = &str> {
    let starts = ["SELECT ", "INSERT ", "UPDATE ", "DELETE "];
    source.split('"').filter(move |text| starts.iter().any(|start| text.contains(start)))
}

/// The files of a directory of this crate, with their names.
fn sources(directory: &str) -> Vec<(String, String)> {
    let directory = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join(directory);
    let files = std::fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().path());
    let files = files.filter(|path| path.is_file());
    files
        .map(|path| (path.display().to_string(), std::fs::read_to_string(&path).unwrap()))
        .collect()
}

/// Every statement about what an organisation has names the organisation.
#[tokio::test(flavor = "multi_thread")]
async fn every_statement_names_the_organisation_whose_rows_it_is_about() {
    let database = Database::new();
    let client = client(&database).await;
    let tables = texts(
        &client,
        "SELECT c.relname::TEXT FROM pg_class c
         WHERE c.relkind = 'r' AND c.relnamespace = 'public'::REGNAMESPACE",
    )
    .await;
    let of_organisations: Vec<String> = tables
        .into_iter()
        .filter(|table| !DIRECTORY.contains(&table.as_str()))
        .filter(|table| !OF_THE_SCHEMA.contains(&table.as_str()))
        .collect();
    let mut seen = BTreeSet::new();
    // A copy is of every organisation's, while nobody serves them.
    let sources = sources("src/postgres").into_iter();
    for (file, source) in sources.filter(|(file, _)| !file.ends_with("/copying.rs")) {
        for sql in statements(&source) {
            for table in distributed(sql, &of_organisations) {
                assert!(sql.contains("organisation_id"), "{file}: {sql}");
                seen.insert(table.to_owned());
            }
        }
    }
    assert_eq!(seen, of_organisations.into_iter().collect());
}

/// What other databases of the family lack, or have in another way.
const FOREIGN: [&str; 12] = [
    "advisory_lock",
    "nextval(",
    "pg_cancel_backend",
    "LISTEN ",
    "NOTIFY ",
    " SERIAL",
    "BIGSERIAL",
    "TEMPORARY TABLE",
    "TEMP TABLE",
    "CREATE FUNCTION",
    "CREATE TRIGGER",
    "REFERENCES ",
];

#[test]
fn no_statement_asks_for_what_only_one_database_has() {
    let sources = [sources("src/postgres"), sources("src/postgres/migrations")].concat();
    assert!(sources.len() > 40);
    for (file, source) in sources {
        let found: Vec<_> = FOREIGN.iter().filter(|foreign| source.contains(*foreign)).collect();
        assert!(found.is_empty(), "{file}: {found:?}");
    }
}
