//! A registry that is copied from one engine to another: it is the same there, whatever stopped the
//! copy in between, and nothing takes half a copy for a registry.

use std::collections::{BTreeMap, BTreeSet};
use std::pin::pin;

use patron_store::copy::{self, CHUNK_ROWS};
use patron_store::maintenance::{self, Checked, Watch};
use patron_store::{Error, Store};
use rstest::rstest;

use crate::engines::{Engine, Place};
use crate::given::{open_shop, set_up, shop};
use crate::registry::{PERSONAL, answers, fill, ids_go_on};

/// So few that every table has several chunks.
const FEW: usize = 3;

/// Watches without a word.
struct Silent;

impl Watch for Silent {
    fn begin(&mut self, _: &str, _: Option<u64>) {}
    fn reach(&mut self, _: u64) {}
}

async fn try_copy(from: &Place, to: &Place) -> Result<Checked, Error> {
    copy::copy(&from.to_copy(), &to.to_copy(), FEW, &mut Silent).await
}

async fn verify(from: &Place, to: &Place) -> Checked {
    copy::verify(&from.to_copy(), &to.to_copy(), FEW, &mut Silent).await.unwrap()
}

/// What was found, in words; none of it is personal.
fn faults(checked: &Checked) -> Vec<String> {
    let told = |part: &maintenance::Part| {
        let name = part.name;
        part.told.iter().map(|what| format!("{name}: {what}")).collect::<Vec<_>>()
    };
    let told: Vec<String> = checked.parts.iter().flat_map(told).collect();
    assert!(!told.iter().any(|what| PERSONAL.iter().any(|text| what.contains(text))), "{told:?}");
    told
}

async fn copied(from: &Place, to: &Place) -> Checked {
    let checked = try_copy(from, to).await.unwrap();
    assert_eq!(faults(&checked), Vec::<String>::new());
    checked
}

/// A registry with everything in it, and what it answers.
pub async fn filled(engine: Engine) -> (Place, Vec<String>) {
    let place = Place::new(engine);
    let store = place.open();
    fill(&*store).await;
    let told = answers(&*store).await;
    store.close().await;
    (place, told)
}

/// Nobody takes it for a registry.
async fn assert_refused(place: &Place) {
    let refused = place.try_open().err().unwrap();
    assert!(matches!(&refused, Error::HalfCopied { .. }), "{refused:?}");
    let said = refused.to_string();
    assert!(said.contains("`patron copy` with the same `--from` and `--to`"), "{said}");
    let directory = place.directory.path();
    if directory.join("patron.sqlite").exists() {
        let checked = maintenance::check_directory(directory, &mut Silent);
        assert!(matches!(&checked, Err(Error::HalfCopied { .. })), "{checked:?}");
        let backup = directory.join("backup");
        let backed_up = maintenance::back_up(directory, &backup, false, &mut Silent);
        assert!(matches!(&backed_up, Err(Error::HalfCopied { .. })), "{backed_up:?}");
    }
    let nowhere = Place::new(Engine::SqliteInADirectory);
    let copied = copy::copy(&place.to_copy(), &nowhere.to_copy(), FEW, &mut Silent).await;
    assert!(matches!(&copied, Err(Error::HalfCopied { .. })), "{copied:?}");
}

#[rstest]
#[case(Engine::SqliteInADirectory, Engine::Postgres)]
#[case(Engine::Postgres, Engine::SqliteInADirectory)]
#[case(Engine::SqliteInADirectory, Engine::SqliteInADirectory)]
#[case(Engine::Postgres, Engine::Postgres)]
#[tokio::test(flavor = "multi_thread")]
async fn a_registry_answers_the_same_wherever_it_is_copied(
    #[case] engine: Engine,
    #[case] other: Engine,
) {
    let (first, expected) = filled(engine).await;
    let (second, third) = (Place::new(other), Place::new(engine));
    copied(&first, &second).await;
    let store = second.open();
    assert_eq!(answers(&*store).await, expected);
    store.close().await;
    copied(&second, &third).await;
    assert_eq!(faults(&verify(&second, &third).await), Vec::<String>::new());
    let store = third.open();
    assert_eq!(answers(&*store).await, expected);
    store.close().await;

    // Whoever is new, on any of them, gets an id that nobody had.
    for place in [&first, &second, &third] {
        let highest = "SELECT CAST(max(customer_id) AS TEXT) FROM customer";
        let highest = place.texts(highest).await[0].parse().unwrap();
        let store = place.open();
        ids_go_on(&*store, highest).await;
        store.close().await;
    }
    if engine == Engine::SqliteInADirectory {
        let checked = maintenance::check_directory(third.directory.path(), &mut Silent).unwrap();
        assert!(checked.is_whole(), "{checked:?}");
    }
}

/// New customers of a process that was killed have identifiers that are in no table.
#[tokio::test(flavor = "multi_thread")]
async fn recent_identifiers_come_along() {
    let running = Place::new(Engine::SqliteInADirectory);
    let store = running.open();
    fill(&*store).await;
    let expected = answers(&*store).await;
    let killed = Place::new(Engine::SqliteInADirectory);
    for file in ["patron.sqlite", "patron.sqlite-wal"] {
        let [from, to] = [&running, &killed].map(|place| place.directory.path().join(file));
        std::fs::copy(from, to).unwrap();
    }
    store.close().await;
    let recent = "SELECT 'recent' FROM customer WHERE recent > 0
        AND customer_id > (SELECT max(identifiers_merged_to) FROM organisation)";
    assert!(killed.texts(recent).await.len() > 10);

    let there = Place::new(Engine::Postgres);
    copied(&killed, &there).await;
    let store = there.open();
    assert_eq!(answers(&*store).await, expected);
    store.close().await;
}

/// Ends the work once a chunk was written.
#[derive(Default)]
struct Once {
    is_copying: bool,
    reached: usize,
}

impl Watch for Once {
    fn begin(&mut self, part: &str, _: Option<u64>) {
        self.is_copying = part.starts_with("copying");
        self.reached = 0;
    }

    fn reach(&mut self, _: u64) {
        self.reached += 1;
        // The first time it tells where it begins.
        if self.is_copying && self.reached > 1 {
            std::panic::resume_unwind(Box::new("killed"));
        }
    }
}

#[rstest]
#[case(Engine::SqliteInADirectory, Engine::Postgres)]
#[case(Engine::Postgres, Engine::SqliteInADirectory)]
#[tokio::test(flavor = "multi_thread")]
async fn a_copy_that_ends_after_any_chunk_is_gone_on_with(
    #[case] engine: Engine,
    #[case] other: Engine,
) {
    let (from, expected) = filled(engine).await;
    let to = Place::new(other);
    let mut ends = 0;
    loop {
        let (from, to_copy) = (from.to_copy(), to.to_copy());
        let copying =
            tokio::spawn(
                async move { copy::copy(&from, &to_copy, FEW, &mut Once::default()).await },
            );
        match copying.await {
            Ok(checked) => {
                assert_eq!(faults(&checked.unwrap()), Vec::<String>::new());
                break;
            }
            Err(killed) => assert!(killed.is_panic()),
        }
        ends += 1;
        if ends % 10 == 1 {
            assert_refused(&to).await;
        }
    }
    assert!(ends > 50, "{ends}");
    let store = to.open();
    assert_eq!(answers(&*store).await, expected);
    store.close().await;
}

/// Wherever it is: nobody waits for it any more.
#[rstest]
#[case(Engine::SqliteInADirectory, Engine::Postgres)]
#[case(Engine::Postgres, Engine::SqliteInADirectory)]
#[tokio::test(flavor = "multi_thread")]
async fn a_copy_that_is_dropped_at_any_moment_is_gone_on_with(
    #[case] engine: Engine,
    #[case] other: Engine,
) {
    let (from, expected) = filled(engine).await;
    let to = Place::new(other);
    let mut patience = 1;
    loop {
        let (from, to_copy) = (from.to_copy(), to.to_copy());
        let mut silent = Silent;
        let mut copying = pin!(copy::copy(&from, &to_copy, FEW, &mut silent));
        let yields = async {
            for _ in 0..patience {
                tokio::task::yield_now().await;
            }
        };
        tokio::select! {
            biased;
            // What was dropped may go on for a moment, and holds the lock.
            done = &mut copying => match done {
                Err(Error::InUse(_)) => {}
                // It was dropped while its last step was carried out.
                Err(Error::NotEmpty(_)) if patience > 1 => break,
                done => {
                    assert_eq!(faults(&done.unwrap()), Vec::<String>::new());
                    break;
                }
            },
            () = yields => patience += patience / 2 + 1,
        }
    }
    let store = to.open();
    assert_eq!(answers(&*store).await, expected);
    store.close().await;
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn another_registry_is_not_written_to(
    #[values(Engine::SqliteInADirectory, Engine::Postgres)] engine: Engine,
) {
    let (from, _) = filled(Engine::SqliteInADirectory).await;
    let to = Place::new(engine);
    let store = to.open();
    open_shop(&*store).await;
    store.close().await;
    let refused = try_copy(&from, &to).await.unwrap_err();
    assert!(matches!(refused, Error::NotEmpty(_)), "{refused:?}");
    let store = to.open();
    assert_eq!(crate::given::names(&*store).await, ["shop"]);
    store.close().await;
}

/// A copy that ended in the middle of the customers.
async fn half_copied(from: &Place, engine: Engine) -> Place {
    struct UntilCustomers(bool);
    impl Watch for UntilCustomers {
        fn begin(&mut self, part: &str, _: Option<u64>) {
            self.0 = part == "copying customer";
        }
        fn reach(&mut self, done: u64) {
            if self.0 && done > 10 {
                std::panic::resume_unwind(Box::new("killed"));
            }
        }
    }
    let to = Place::new(engine);
    let (source, target) = (from.to_copy(), to.to_copy());
    let copying =
        async move { copy::copy(&source, &target, FEW, &mut UntilCustomers(false)).await };
    assert!(tokio::spawn(copying).await.unwrap_err().is_panic());
    to
}

/// What tells one registry from another: what is set up, and where the copy goes on.
#[rstest]
#[case::other_credentials(
    "UPDATE till_credential SET md5_hash = 'x' WHERE username = 'shop'",
    "till_credential: organisation 1: md5_hash differ"
)]
#[case::other_organisation(
    "UPDATE organisation SET name = 'shops' WHERE organisation_id = 2",
    "organisation: organisation 2: name differ"
)]
#[case::no_such_change(
    "DELETE FROM configuration_change WHERE organisation_id = 1 AND change = 2",
    "configuration_change: organisation 1, change 2: not in the source"
)]
#[case::other_customer(
    "UPDATE customer SET first_name = 'x' WHERE customer_id = 100000012",
    "customer: organisation 1, customer 100000012: first_name differ"
)]
#[tokio::test(flavor = "multi_thread")]
async fn a_copy_of_another_registry_is_not_gone_on_with(
    #[case] other: &str,
    #[case] expected: &str,
    #[values(Engine::SqliteInADirectory, Engine::Postgres)] engine: Engine,
) {
    let (from, _) = filled(Engine::SqliteInADirectory).await;
    let to = half_copied(&from, engine).await;
    from.execute(other).await;
    match try_copy(&from, &to).await {
        Err(Error::OtherCopy { what }) => assert_eq!(what, expected),
        other => panic!("{other:?}"),
    }
    assert_refused(&to).await;
}

/// What happened to the copy meanwhile, and what is said of it.
#[rstest]
#[case::changed(
    "UPDATE customer SET first_name = NULL, email = 'x' WHERE customer_id = 100000002
        AND organisation_id = 1",
    "customer: organisation 1, customer 100000002: email, first_name differ"
)]
#[case::gone(
    "DELETE FROM customer WHERE customer_id = 100000003 AND organisation_id = 1",
    "customer: organisation 1, customer 100000003: not in the copy"
)]
#[case::too_many(
    "INSERT INTO identifier (organisation_id, kind, value, customer_id)
        VALUES (1, 1, '1', 100000004)",
    "identifier: organisation 1, kind 1, customer 100000004: not in the source"
)]
#[case::of_nobody(
    "DELETE FROM answered_request; INSERT INTO merge
        (organisation_id, victim_id, survivor_id, merged_at, victim, survivor)
        VALUES (1, 5, 6, 7, '{}', '{}')",
    "merge: organisation 1, victim 5: not in the source"
)]
#[tokio::test(flavor = "multi_thread")]
async fn whatever_differs_is_found_before_the_copy_is_used(
    #[case] accident: &str,
    #[case] expected: &str,
    #[values(Engine::SqliteInADirectory, Engine::Postgres)] engine: Engine,
) {
    let (from, _) = filled(Engine::SqliteInADirectory).await;
    let to = half_copied(&from, engine).await;
    to.execute(accident).await;
    let found = match try_copy(&from, &to).await {
        Ok(checked) => faults(&checked),
        // It is where the copy goes on.
        Err(Error::OtherCopy { what }) => vec![what],
        Err(other) => panic!("{other:?}"),
    };
    assert_eq!(found, [expected]);
    assert_refused(&to).await;

    // The same of one that was finished.
    let to = Place::new(engine);
    copied(&from, &to).await;
    to.execute(accident).await;
    let found = faults(&verify(&from, &to).await);
    assert!(found.contains(&expected.to_owned()), "{found:?}");
}

/// What is wrong with the source is as wrong with the copy, which is used no more than that.
#[rstest]
#[case::balance(
    "UPDATE enrolment SET awarded = '1' WHERE customer_id = 100000002",
    "ledgers: organisation 1, customer 100000002: \
     programme 7, points awarded: the balance is 1, the sum of its entries 0.3"
)]
#[case::identifier(
    "UPDATE identifier SET customer_id = 100000003 WHERE value = 'E-1'
        AND organisation_id = 1",
    "identifiers: organisation 1: one external id leads to customer 100000003, who does not have it"
)]
#[case::ids(
    "UPDATE organisation SET next_customer_id = 100000004 WHERE organisation_id = 1",
    "the next customers would be given ids that are taken"
)]
#[tokio::test(flavor = "multi_thread")]
async fn what_does_not_go_together_is_not_taken_for_whole(
    #[case] accident: &str,
    #[case] expected: &str,
    #[values(Engine::SqliteInADirectory, Engine::Postgres)] engine: Engine,
) {
    let (from, _) = filled(Engine::SqliteInADirectory).await;
    from.execute(accident).await;
    let to = Place::new(engine);
    let found = faults(&try_copy(&from, &to).await.unwrap());
    assert!(found.iter().any(|what| what.contains(expected)), "{found:?}");
    assert_refused(&to).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_there_or_in_use_is_not_copied() {
    let (nothing, to) = (Place::new(Engine::SqliteInADirectory), Place::new(Engine::Postgres));
    let refused = try_copy(&nothing, &to).await.unwrap_err();
    assert!(matches!(refused, Error::NoData(_)), "{refused:?}");
    assert!(!nothing.directory.path().join("patron.sqlite").exists());

    let (from, _) = filled(Engine::SqliteInADirectory).await;
    let store = from.open();
    let refused = try_copy(&from, &to).await.unwrap_err();
    assert!(matches!(refused, Error::InUse(_)), "{refused:?}");
    store.close().await;
    let served = nothing.open();
    let refused = try_copy(&from, &nothing).await.unwrap_err();
    assert!(matches!(refused, Error::InUse(_)), "{refused:?}");
    served.close().await;
    // Neither has kept anything from being copied.
    copied(&from, &nothing).await;
    copied(&from, &to).await;
}

/// Somebody who is new to a database comes while it is copied.
#[tokio::test(flavor = "multi_thread")]
async fn whoever_serves_the_source_meanwhile_is_found() {
    struct Serving(Option<std::sync::Arc<dyn Store>>);
    impl Watch for Serving {
        fn begin(&mut self, part: &str, _: Option<u64>) {
            let store = (part == "comparing merge").then(|| self.0.take()).flatten();
            let handle = tokio::runtime::Handle::current();
            let serve = |store: std::sync::Arc<dyn Store>| async move {
                set_up(&*store, shop("third")).await;
            };
            if let Some(store) = store {
                tokio::task::block_in_place(|| handle.block_on(serve(store)));
            }
        }
        fn reach(&mut self, _: u64) {}
    }
    let (from, _) = filled(Engine::Postgres).await;
    let to = Place::new(Engine::SqliteInADirectory);
    let store = from.open();
    let mut serving = Serving(Some(std::sync::Arc::clone(&store)));
    let disturbed =
        copy::copy(&from.to_copy(), &to.to_copy(), CHUNK_ROWS, &mut serving).await.unwrap_err();
    assert!(matches!(disturbed, Error::Disturbed), "{disturbed:?}");
    store.close().await;
    assert_refused(&to).await;
}

/// An engine's tables, each with its columns.
type Tables = BTreeMap<String, BTreeSet<String>>;

/// What an engine has for itself: a table, or a column of one.
const OF_SQLITE: [&str; 4] = [
    "customer.recent",
    "organisation.identifiers_merged_to",
    "organisation.next_customer_id",
    "refinery_schema_history",
];
const OF_POSTGRES: [&str; 5] =
    ["commit_mark", "configuration_version", "id_block", "refinery_schema_history", "schema_turn"];
/// What both have in tables of other names, by those of SQLite.
const APART: [(&str, &str); 2] = [
    (
        "SELECT organisation_id || ' ' || next_customer_id FROM organisation ORDER BY 1",
        "SELECT organisation_id || ' ' || next_customer_id FROM id_block ORDER BY 1",
    ),
    // Nobody has changed anything there yet.
    (
        "SELECT organisation_id || ' 1' FROM organisation ORDER BY 1",
        "SELECT organisation_id || ' ' || version FROM configuration_version ORDER BY 1",
    ),
];

/// The tables of a place but what is the engine's own.
async fn tables(place: &Place, engine: Engine) -> Tables {
    let (sql, own) = match engine {
        Engine::Postgres => (
            "SELECT table_name || '.' || column_name FROM information_schema.columns
             WHERE table_schema = 'public' AND table_name <> 'unfinished_copy'",
            OF_POSTGRES.as_slice(),
        ),
        _ => (
            "SELECT t.name || '.' || c.name FROM sqlite_schema t, pragma_table_info(t.name) c
             WHERE t.type = 'table' AND t.name <> 'unfinished_copy'",
            OF_SQLITE.as_slice(),
        ),
    };
    let mut tables = Tables::new();
    for column in place.texts(sql).await {
        let (table, name) = column.split_once('.').unwrap();
        if !own.contains(&table) && !own.contains(&column.as_str()) {
            tables.entry(table.to_owned()).or_default().insert(name.to_owned());
        }
    }
    tables
}

/// What a column holds, as text and the same on both engines.
async fn contents(place: &Place, engine: Engine, table: &str, column: &str) -> Vec<String> {
    let sql = match engine {
        Engine::Postgres => format!(
            "SELECT coalesce(CASE pg_typeof({column})::TEXT
                WHEN 'boolean' THEN ({column}::TEXT = 'true')::INTEGER::TEXT
                WHEN 'bytea' THEN upper(substr({column}::TEXT, 3))
                ELSE {column}::TEXT END, 'NULL') FROM {table}"
        ),
        _ => format!(
            "SELECT CASE typeof({column}) WHEN 'null' THEN 'NULL' WHEN 'blob' THEN hex({column})
                ELSE CAST({column} AS TEXT) END FROM {table}"
        ),
    };
    let mut contents = place.texts(&sql).await;
    contents.sort();
    contents
}

/// Every table and column of the schema is copied, unless it is named here as an engine's own.
#[tokio::test(flavor = "multi_thread")]
async fn nothing_of_the_schema_is_left_out() {
    let (from, _) = filled(Engine::SqliteInADirectory).await;
    let known = tables(&from, Engine::SqliteInADirectory).await;
    assert!(known.len() > 15);
    for (table, columns) in &known {
        for column in columns {
            let held = contents(&from, Engine::SqliteInADirectory, table, column).await;
            assert!(!held.is_empty(), "nothing is in {table}");
            // Something is in every column, sensible or not: it need only arrive.
            if held.iter().all(|value| value == "NULL") {
                from.execute(&format!("UPDATE {table} SET {column} = 7")).await;
            }
        }
    }
    let there = Place::new(Engine::Postgres);
    drop(try_copy(&from, &there).await);
    assert_eq!(tables(&there, Engine::Postgres).await, known);
    there.execute("DROP TABLE unfinished_copy").await;
    let back = Place::new(Engine::SqliteInADirectory);
    drop(try_copy(&there, &back).await);
    for (table, columns) in &known {
        for column in columns {
            let expected = contents(&from, Engine::SqliteInADirectory, table, column).await;
            for (place, engine) in [(&there, Engine::Postgres), (&back, Engine::SqliteInADirectory)]
            {
                let found = contents(place, engine, table, column).await;
                assert_eq!(found, expected, "{table}.{column} on {engine:?}");
            }
        }
    }
    for (of_sqlite, of_postgres) in APART {
        let expected = from.texts(of_sqlite).await;
        assert_eq!(there.texts(of_postgres).await, expected);
        assert_eq!(back.texts(of_sqlite).await, expected);
    }
}

/// A database without a schema is brought up to date by the copy itself.
#[tokio::test(flavor = "multi_thread")]
async fn an_empty_database_gets_the_schema() {
    let (from, expected) = filled(Engine::SqliteInADirectory).await;
    let to = Place::of_nothing();
    copied(&from, &to).await;
    let store = to.open();
    assert_eq!(answers(&*store).await, expected);
    store.close().await;
}
