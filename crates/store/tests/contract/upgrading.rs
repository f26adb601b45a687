//! A registry of an older schema is brought up to date, and answers the same.

use patron_store::{copy, migration};

use crate::copying::filled;
use crate::engines::{Engine, Place};
use crate::registry::{OPERATORS, answers};

const HOW: &str = "SELECT sql FROM sqlite_schema WHERE type = 'table' AND name = ";
const FIRST_STEP: &str = include_str!("../../src/sqlite/migrations/V1__registry.sql");

/// Makes a table as the first step of the schema did.
async fn order_by_key(place: &Place, table: &str) {
    let begin = FIRST_STEP.find(&format!("CREATE TABLE {table} (")).unwrap();
    let made = FIRST_STEP[begin..].split_inclusive("WITHOUT ROWID;").next().unwrap();
    let before = made.replacen(table, "before", 1);
    // By their names: their order may be another.
    let columns = place.texts(&format!("SELECT name FROM pragma_table_info('{table}')")).await;
    let columns = columns.join(", ");
    let before = format!(
        "{before}
         INSERT INTO before ({columns}) SELECT {columns} FROM {table};
         DROP TABLE {table};
         ALTER TABLE before RENAME TO {table};"
    );
    place.execute(&before).await;
}

/// Has operators as they were before each belonged to one organisation or to everywhere; one of them
/// has roles in two organisations. Sets the sessions aside, which the step ends.
async fn share_operators(place: &Place) {
    place
        .execute(
            "CREATE TABLE operator AS SELECT name, password FROM operator_account;
             CREATE TABLE operator_role AS
                SELECT organisation_id, name AS operator, role FROM operator_account;
             INSERT INTO operator_role
                SELECT organisation_id + 1, operator, 'reader' FROM operator_role
                WHERE organisation_id = 1;
             DROP TABLE operator_account;
             DROP INDEX operator_session_operator;
             ALTER TABLE operator_session RENAME TO session_before;
             CREATE TABLE operator_session (token_hash INTEGER);
             ALTER TABLE configuration_change DROP COLUMN changed_by_kind",
        )
        .await;
}

/// Each of their roles has an account. Puts the sessions back.
async fn has_accounts(place: &Place) {
    place
        .execute(
            "INSERT INTO operator_session SELECT * FROM session_before;
             DROP TABLE session_before",
        )
        .await;
    let accounts = "SELECT CAST(organisation_id AS TEXT) || ' ' || name || ' ' || password || ' '
            || role FROM operator_account ORDER BY organisation_id";
    let [one, other] = OPERATORS;
    let expected = [
        format!("0 {other} hash of {other} owner"),
        format!("1 {one} hash of {one} owner"),
        format!("2 {one} hash of {one} reader"),
    ];
    assert_eq!(place.texts(accounts).await, expected);
    place.execute("DELETE FROM operator_account WHERE organisation_id = 2").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn rows_in_the_order_of_their_keys_are_put_into_that_in_which_they_come() {
    let (place, expected) = filled(Engine::SqliteInADirectory).await;
    for table in ["customer", "audit_entry"] {
        order_by_key(&place, table).await;
    }
    share_operators(&place).await;
    place
        .execute(
            "CREATE INDEX customer_merged ON customer (organisation_id, merged_into)
             WHERE merged_into IS NOT NULL;
             ALTER TABLE shared_email RENAME TO shared_email_before;
             DELETE FROM refinery_schema_history WHERE version >= 11",
        )
        .await;

    place.open().close().await;
    // The step creates the table of shared addresses without rows: no release had customers before it.
    place
        .execute(
            "INSERT INTO shared_email SELECT * FROM shared_email_before;
             DROP TABLE shared_email_before",
        )
        .await;
    has_accounts(&place).await;
    let store = place.open();
    assert_eq!(answers(&*store).await, expected);
    store.close().await;
    for table in ["customer", "audit_entry"] {
        let now = place.texts(&format!("{HOW}'{table}'")).await.pop().unwrap();
        assert!(now.ends_with("STRICT"), "{now}");
    }
    let index = "SELECT name FROM sqlite_schema WHERE name = 'customer_merged'";
    assert_eq!(place.texts(index).await.len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn versions_in_the_rows_of_organisations_are_moved_to_a_table_of_their_own() {
    let (place, expected) = filled(Engine::Postgres).await;
    share_operators(&place).await;
    place
        .execute(
            "ALTER TABLE organisation ADD COLUMN version BIGINT NOT NULL DEFAULT 7;
             DROP TABLE configuration_version;
             DELETE FROM refinery_schema_history WHERE version >= 32",
        )
        .await;
    assert!(place.try_open().is_err(), "nobody serves an older schema");

    let copy::Place::Postgres(options) = place.to_copy() else { panic!("it is in PostgreSQL") };
    migration::up(&options, &mut |_| {}).await.unwrap();
    let versions = "SELECT DISTINCT version::TEXT FROM configuration_version";
    assert_eq!(place.texts(versions).await, ["7"]);
    has_accounts(&place).await;
    let store = place.open();
    assert_eq!(answers(&*store).await, expected);
    store.close().await;
}
