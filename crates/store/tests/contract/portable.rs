//! The schema on PostgreSQL keeps to what the databases of its family have in common, so that its
//! tables can be spread by organisation.

use std::collections::BTreeSet;

use tokio_postgres::{Client, NoTls};

use crate::postgresql::Database;

/// Tables of what is looked up before the organisation is known. They are small, and every node has
/// a copy.
const DIRECTORY: [&str; 7] = [
    "access_token",
    "api_client_credential",
    "operator",
    "operator_role",
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
               AND t.relname <> 'refinery_schema_history'
               AND a.atttypid::REGTYPE::TEXT NOT IN
                    ('bigint', 'smallint', 'text', 'boolean', 'bytea')",
        ),
    ] {
        assert_eq!(texts(&client, sql).await, Vec::<String>::new(), "{what}");
    }
}

#[test]
fn each_step_of_the_schema_is_one_statement_that_may_come_again() {
    let directory = concat!(env!("CARGO_MANIFEST_DIR"), "/src/postgres/migrations");
    let mut steps = 0;
    for entry in std::fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        let sql = std::fs::read_to_string(&path).unwrap();
        let code: Vec<&str> = sql.lines().map(|line| line.split("--").next().unwrap()).collect();
        let code = code.join("\n");
        assert_eq!(code.matches(';').count(), 1, "{}", path.display());
        assert!(code.contains("IF NOT EXISTS"), "{}", path.display());
        steps += 1;
    }
    assert!(steps >= 31);
}
