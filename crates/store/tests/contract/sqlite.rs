//! What SQLite alone promises: its files, and what becomes of them.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use jiff::Timestamp;
use patron_rules::codes;
use patron_rules::customer::CustomerId;
use patron_rules::identifier::IdentifierKind;
use patron_rules::ledger::{Currency, EntryKind};
use patron_rules::organisation::{Kind, ProgrammeId};
use patron_rules::profile::CustomerType;
use patron_rules::validate::Registration;
use patron_store::{
    Error, LedgerDifference, Location, Lookup, Mode, Registered, SqliteStore, Store, Tuning,
};
use rstest::rstest;
use rusqlite::Connection;
use rust_decimal::Decimal;
use tokio::task::JoinSet;

use crate::engines::{Engine, Place};
use crate::given::{
    ORIGIN, all_three, audit, author, check_ledger, email, external_id, is_new_and_awarded,
    look_up, mobile, named, names, now, open_shop, points, register, register_all, set_up, shop,
    tenant_of, with_documents,
};
use crate::log::Log;
use crate::once::{ask, once};

fn directory() -> Place {
    Place::new(Engine::SqliteInADirectory)
}

fn file(place: &Place) -> PathBuf {
    place.directory.path().join("patron.sqlite")
}

/// A connection of the test's own, beside the store's.
fn connect(place: &Place) -> Connection {
    Connection::open(file(place)).unwrap()
}

fn rows<T>(
    connection: &Connection,
    sql: &str,
    read: impl FnMut(&rusqlite::Row<'_>) -> rusqlite::Result<T>,
) -> Vec<T> {
    let mut statement = connection.prepare(sql).unwrap();
    let found: rusqlite::Result<_> = statement.query_map([], read).unwrap().collect();
    found.unwrap()
}

/// New and known, loyal and not, refused, at once and one after the other, in two organisations.
async fn all_sorts(store: &Arc<dyn Store>) {
    store.set_up(vec![shop("north"), shop("south")], author()).await.unwrap();
    let mut tasks = JoinSet::new();
    for turn in 0..48 {
        let store = Arc::clone(store);
        tasks.spawn(async move {
            let till = if turn % 2 == 0 { "north" } else { "south" };
            let tenant = tenant_of(&*store, till).await;
            let number = turn / 4;
            let digits = format!("9190000000{number:02}");
            let not_loyal = Registration {
                customer_type: Some(CustomerType::NonLoyalty),
                ..mobile(&format!("9180000000{turn:02}"))
            };
            let batch = vec![
                mobile(&digits),
                all_three(&digits, &format!("{number}@b.in"), &format!("A-{number}")),
                not_loyal,
                // Refused for whoever is a loyalty customer by now.
                Registration { customer_type: Some(CustomerType::NonLoyalty), ..mobile(&digits) },
            ];
            let outcomes = register_all(&*store, &tenant, batch).await;
            let refused = outcomes[3].as_ref().unwrap_err();
            assert_eq!(refused.code, codes::LOYALTY_STAYS);
        });
    }
    tasks.join_all().await;
    for till in ["north", "south"] {
        let tenant = tenant_of(&**store, till).await;
        for turn in 0..12 {
            let digits = format!("9180000000{turn:02}");
            let loyal =
                Registration { customer_type: Some(CustomerType::Loyalty), ..mobile(&digits) };
            register(&**store, &tenant, loyal).await;
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_balance_is_the_sum_of_its_ledger() {
    let place = directory();
    let store = place.open();
    all_sorts(&store).await;
    store.close().await;
    drop(store);

    let connection = connect(&place);
    let amount = |text: String| text.parse::<Decimal>().unwrap();
    let key = "organisation_id, customer_id, programme_id";
    let mut sums: BTreeMap<(i64, i64, i64), Decimal> = BTreeMap::new();
    let entries = rows(&connection, &format!("SELECT {key}, amount FROM ledger_entry"), |row| {
        Ok(((row.get(0)?, row.get(1)?, row.get(2)?), row.get(3)?))
    });
    for (key, points) in entries {
        *sums.entry(key).or_default() += amount(points);
    }
    let balances = rows(&connection, &format!("SELECT {key}, awarded FROM enrolment"), |row| {
        let key: (i64, i64, i64) = (row.get(0)?, row.get(1)?, row.get(2)?);
        Ok((key, row.get(3)?))
    });
    for (key, awarded) in &balances {
        assert_eq!(sums.get(key), Some(&amount(String::clone(awarded))));
    }
    assert_eq!(balances.len(), sums.len());
    // In each organisation 12 were loyal from the start and 12 became so.
    assert_eq!(balances.len(), 2 * (12 + 12));
}

/// What a check of the ledger of `shop` says of data that this was done to.
async fn checked_after(tampering: &str) -> Vec<LedgerDifference> {
    let place = directory();
    let store = place.open();
    let stars = r#"{"name":"stars","identifier":"stars"}"#;
    let rule = r#"{"name":"stars","effects":[{"type":"currency","currency":"stars","value":"5"}]}"#;
    let documents = [(Kind::Currencies, stars), (Kind::RewardRules, rule)];
    let tenant = set_up(&*store, with_documents(&documents, shop("shop"))).await;
    for digits in ["919000000001", "919000000002"] {
        register(&*store, &tenant, mobile(digits)).await;
    }
    connect(&place).execute_batch(tampering).unwrap();
    let (customers, differences) = check_ledger(&*store, "shop").await;
    assert_eq!(customers, Some(2));
    store.close().await;
    differences
}

#[rstest]
#[case::nothing("SELECT 1", None)]
#[case::a_balance(
    "UPDATE enrolment SET awarded = '0.31' WHERE customer_id = 100000002",
    Some((Currency::Points, EntryKind::Awarded, "0.3", "0.31"))
)]
#[case::a_balance_of_another_kind(
    "UPDATE enrolment SET redeemed = '-0.1' WHERE customer_id = 100000002",
    Some((Currency::Points, EntryKind::Redeemed, "0", "-0.1"))
)]
#[case::a_currency(
    "UPDATE enrolment SET currencies = NULL WHERE customer_id = 100000002",
    Some((Currency::Alternate("stars".to_owned()), EntryKind::Awarded, "5", "0"))
)]
#[case::an_entry(
    "DELETE FROM ledger_entry WHERE customer_id = 100000002 AND rule = 'reward 0.1'",
    Some((Currency::Points, EntryKind::Awarded, "0.2", "0.3"))
)]
#[case::an_amount(
    "UPDATE ledger_entry SET amount = '0.1000000000000000000000000001'
     WHERE customer_id = 100000002 AND rule = 'reward 0.1'",
    Some((Currency::Points, EntryKind::Awarded, "0.3000000000000000000000000001", "0.3"))
)]
#[tokio::test(flavor = "multi_thread")]
async fn a_balance_that_is_not_the_sum_of_its_ledger_is_named(
    #[case] tampering: &str,
    #[case] expected: Option<(Currency, EntryKind, &str, &str)>,
) {
    let named =
        |(currency, kind, expected, found): (Currency, EntryKind, &str, &str)| LedgerDifference {
            customer: CustomerId(100_000_002),
            programme: ProgrammeId(7),
            currency,
            kind,
            expected: points(expected),
            found: points(found),
        };
    assert_eq!(checked_after(tampering).await, expected.map(named).into_iter().collect::<Vec<_>>());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_ledger_without_an_enrolment_and_the_other_way_round_are_named() {
    let differences = checked_after("DELETE FROM enrolment WHERE customer_id = 100000001").await;
    assert_eq!(differences.len(), 2, "{differences:?}");
    assert!(differences.iter().all(|one| one.found.is_zero() && !one.expected.is_zero()));
    let differences = checked_after("DELETE FROM ledger_entry").await;
    assert_eq!(differences.len(), 4, "{differences:?}");
    assert!(differences.iter().all(|one| one.expected.is_zero() && !one.found.is_zero()));
}

/// The key of the ledger is what keeps a rule from being awarded twice, whatever a program does.
#[tokio::test(flavor = "multi_thread")]
async fn the_database_itself_refuses_a_second_award() {
    let place = directory();
    let store = place.open();
    let tenant = open_shop(&*store).await;
    register(&*store, &tenant, mobile("919000000001")).await;
    let again = connect(&place).execute(
        "INSERT INTO ledger_entry
         SELECT organisation_id, customer_id, reason, rule, other_id, line, programme_id + 1,
                'another', kind, '1', entered_at + 1, expires_at
         FROM ledger_entry WHERE rule = 'reward 0.1'",
        [],
    );
    let refused = again.unwrap_err().to_string();
    assert!(refused.contains("UNIQUE constraint failed: ledger_entry"), "{refused}");
    store.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn every_identifier_leads_to_the_customer_who_has_it() {
    let place = directory();
    let store = place.open();
    all_sorts(&store).await;
    store.close().await;
    drop(store);

    let connection = connect(&place);
    let held = rows(
        &connection,
        "SELECT organisation_id, 1, mobile, customer_id FROM customer WHERE mobile IS NOT NULL
         UNION ALL
         SELECT organisation_id, 2, lower(email), customer_id FROM customer WHERE email IS NOT NULL
         UNION ALL
         SELECT organisation_id, 3, external_id, customer_id FROM customer
         WHERE external_id IS NOT NULL
         ORDER BY 1, 2, 3",
        identifier,
    );
    let indexed = rows(
        &connection,
        "SELECT organisation_id, kind, value, customer_id FROM identifier ORDER BY 1, 2, 3",
        identifier,
    );
    assert_eq!(held, indexed);
    assert!(!held.is_empty());
}

type IdentifierRow = (i64, i64, String, i64);

fn identifier(row: &rusqlite::Row<'_>) -> rusqlite::Result<IdentifierRow> {
    Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?))
}

#[tokio::test(flavor = "multi_thread")]
async fn the_file_is_whole_after_closing() {
    let place = directory();
    let store = place.open();
    all_sorts(&store).await;
    store.close().await;
    drop(store);

    let connection = connect(&place);
    let found = rows(&connection, "PRAGMA integrity_check", |row| row.get::<_, String>(0));
    assert_eq!(found, ["ok"]);
    let customers = rows(&connection, "SELECT count(*) FROM customer", |row| row.get::<_, i64>(0));
    assert!(customers[0] > 48, "{customers:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_directory_is_open_once_at_a_time() {
    let place = directory();
    let store = place.open();
    let tenant = open_shop(&*store).await;
    for _ in 0..2 {
        match place.try_open().map(drop) {
            Err(Error::InUse(path)) => assert_eq!(path, place.directory.path()),
            other => panic!("{other:?}"),
        }
    }
    // The one who has it is not disturbed.
    let plan = register(&*store, &tenant, external_id("A")).await;
    assert!(is_new_and_awarded(&plan));
    store.close().await;
    drop(store);

    let store = place.open();
    let tenant = tenant_of(&*store, "shop").await;
    let found = look_up(&*store, &tenant, external_id("A")).await;
    assert_eq!(found, Some(plan.customer));
    store.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_directory_is_made_where_it_is_missing() {
    let place = directory();
    let path = place.directory.path().join("not yet/'there' ? #%20");
    let store = SqliteStore::open(&Location::Directory(path.clone())).unwrap();
    open_shop(&store).await;
    store.close().await;
    assert!(path.join("patron.sqlite").is_file());
}

/// How long the log is while the store is open, and how many identifiers are in their table.
async fn log_and_identifiers(tuning: &Tuning) -> (u64, i64) {
    let place = directory();
    let location = Location::Directory(place.directory.path().to_owned());
    let store = SqliteStore::open_tuned(&location, tuning).unwrap();
    let tenant = open_shop(&store).await;
    for number in 0..200 {
        register(&store, &tenant, external_id(&number.to_string())).await;
    }
    let log = file(&place).with_extension("sqlite-wal").metadata().unwrap().len();
    let count = "SELECT count(*) FROM identifier";
    let identifiers = connect(&place).query_row(count, [], |row| row.get(0)).unwrap();
    store.close().await;
    (log, identifiers)
}

#[tokio::test(flavor = "multi_thread")]
async fn identifiers_are_merged_and_the_log_is_copied_as_often_as_is_said() {
    let often = Tuning { recent_identifiers: 50, checkpoint_mib: 1, ..Tuning::default() };
    let (short, merged) = log_and_identifiers(&often).await;
    let (long, none) = log_and_identifiers(&Tuning::default()).await;
    assert!(short < 2 << 20 && short < long, "{short} and {long}");
    assert!((1..200).contains(&merged), "{merged}");
    assert_eq!(none, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn two_stores_in_memory_know_nothing_of_each_other() {
    let place = Place::new(Engine::SqliteInMemory);
    let (one, other) = (place.open(), place.open());
    open_shop(&*one).await;
    assert!(names(&*other).await.is_empty());
    one.close().await;
    other.check().await.unwrap();
    other.close().await;
}

#[rstest]
#[case::shorter_than_any_database(b"no database".to_vec())]
#[case::as_long_as_a_database(b"no database".repeat(3_000))]
#[case::nothing_but_zeros(vec![0; 8_192])]
fn a_file_that_is_no_database_is_refused_and_left_as_it_is(#[case] garbage: Vec<u8>) {
    let place = directory();
    std::fs::write(file(&place), &garbage).unwrap();
    for _ in 0..2 {
        assert!(place.try_open().is_err());
        assert!(std::fs::read(file(&place)).unwrap() == garbage);
    }
}

/// Writes over the first page of a table.
fn damage(place: &Place, table: &str) {
    let sql = format!("SELECT rootpage FROM sqlite_schema WHERE name = '{table}'");
    let page = rows(&connect(place), &sql, |row| row.get::<_, u32>(0))[0] as usize - 1;
    let mut bytes = std::fs::read(file(place)).unwrap();
    bytes[page * 4096..][..4096].fill(0xA5);
    std::fs::write(file(place), bytes).unwrap();
}

/// Commits to sound pages go on to succeed.
#[rstest]
#[case::found_by_a_look_up(true)]
#[case::found_by_a_registration(false)]
#[tokio::test]
async fn is_not_ready_once_damage_was_found(#[case] by_look_up: bool) {
    let place = directory();
    let store = place.open();
    let tenant = open_shop(&*store).await;
    register(&*store, &tenant, external_id("A-1")).await;
    store.close().await;
    drop(store);
    damage(&place, "identifier");

    let log = Log::begin();
    let store = place.open();
    store.check().await.unwrap();
    let tenant = tenant_of(&*store, "shop").await;
    let found = if by_look_up {
        let by = Lookup::Identifier(IdentifierKind::ExternalId, "A-1".to_owned());
        store.find(&tenant, by).await.map(drop)
    } else {
        let batch = vec![external_id("A-2"), external_id("A-3")];
        store.register(&tenant, batch, ORIGIN, now(), Mode::Apply).await.map(drop)
    };
    assert!(found.unwrap_err().chain().contains("malformed"));
    for _ in 0..2 {
        let refused = store.check().await.unwrap_err().chain();
        let what = format!("{} is damaged (the database failed: ", file(&place).display());
        assert!(refused.starts_with(&what), "{refused}");
        assert!(refused.ends_with("; stop Patron and run `patron check`"), "{refused}");
    }
    // What is logged on the writer's thread is not this test's.
    let lines = log.with("run `patron check`");
    assert_eq!(lines.len(), usize::from(by_look_up), "{lines:?}");
    store.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn data_of_a_newer_program_is_refused_and_left_as_it_is() {
    let place = directory();
    let store = place.open();
    open_shop(&*store).await;
    store.close().await;
    drop(store);
    let connection = connect(&place);
    connection
        .execute(
            "INSERT INTO refinery_schema_history
             SELECT 999, 'newer', applied_on, checksum FROM refinery_schema_history LIMIT 1",
            [],
        )
        .unwrap();
    let versions = |connection: &Connection| {
        rows(connection, "SELECT version FROM refinery_schema_history ORDER BY version", |row| {
            row.get::<_, i64>(0)
        })
    };
    let before = versions(&connection);
    match place.try_open().map(drop) {
        Err(Error::TooNew { found: 999, known }) => assert!(known < 999),
        other => panic!("{other:?}"),
    }
    assert_eq!(versions(&connection), before);

    // The program that wrote it can go on.
    connection.execute("DELETE FROM refinery_schema_history WHERE version = 999", []).unwrap();
    drop(connection);
    let store = place.open();
    assert_eq!(names(&*store).await, ["shop"]);
    store.close().await;
}

/// Has the engine refuse to write a customer of the first name `Unlucky`, after their identifiers
/// were written: by undoing that statement (`ABORT`), or everything (`ROLLBACK`), as a full disk
/// does.
fn break_the_engine(place: &Place, how: &str) {
    connect(place)
        .execute_batch(&format!(
            "CREATE TRIGGER broken BEFORE INSERT ON customer WHEN NEW.first_name = 'Unlucky'
             BEGIN SELECT RAISE({how}, 'the disk is gone'); END"
        ))
        .unwrap();
}

fn mend_the_engine(place: &Place) {
    connect(place).execute_batch("DROP TRIGGER broken").unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_customer_whom_the_engine_fails_to_write_fails_alone_in_a_batch() {
    let place = directory();
    let store = place.open();
    let tenant = open_shop(&*store).await;
    break_the_engine(&place, "ABORT");
    let batch = vec![
        external_id("A-1"),
        named("Unlucky", all_three("919000000002", "b@b.in", "A-2")),
        // Nobody's, since the one before was not written.
        email("b@b.in"),
        external_id("A-1"),
    ];
    let outcomes = register_all(&*store, &tenant, batch).await;
    assert_eq!(outcomes[1].as_ref().unwrap_err().code, codes::UNEXPECTED_ITEM);
    let plans = [0, 2, 3].map(|index: usize| outcomes[index].clone().unwrap());
    assert_eq!(plans.each_ref().map(is_new_and_awarded), [true, true, false]);
    assert_eq!(plans[2].before.as_ref(), Some(&plans[0].customer));
    assert_ne!(plans[1].customer.id, plans[0].customer.id);

    // Alone, it is an outcome as well.
    let alone = named("Unlucky", external_id("A-2"));
    let outcomes = register_all(&*store, &tenant, vec![alone]).await;
    assert_eq!(outcomes[0].as_ref().unwrap_err().code, codes::UNEXPECTED_ITEM);

    mend_the_engine(&place);
    // Of the one that failed nothing was kept.
    for unknown in [mobile("919000000002"), external_id("A-2")] {
        let plan = register(&*store, &tenant, unknown).await;
        assert!(is_new_and_awarded(&plan));
    }
    let found = look_up(&*store, &tenant, email("b@b.in")).await;
    assert_eq!(found.as_ref(), Some(&plans[1].customer));
    store.close().await;
}

/// Nobody is registered whose answer could not be given again.
#[tokio::test(flavor = "multi_thread")]
async fn customers_whose_answer_cannot_be_kept_are_not_written_either() {
    let place = directory();
    let store = place.open();
    let tenant = open_shop(&*store).await;
    connect(&place)
        .execute_batch(
            "CREATE TRIGGER broken BEFORE INSERT ON answered_request
             BEGIN SELECT RAISE(ABORT, 'no'); END",
        )
        .unwrap();
    let batch = || vec![external_id("A-1"), mobile("919000000001")];
    let failed = ask(&*store, &tenant, batch(), once(1, 1)).await;
    assert!(matches!(failed, Err(Error::Engine(_))), "{failed:?}");
    assert!(is_new_and_awarded(&register(&*store, &tenant, external_id("A-2")).await));
    mend_the_engine(&place);
    for unknown in [external_id("A-1"), mobile("919000000001")] {
        assert!(is_new_and_awarded(&register(&*store, &tenant, unknown).await));
    }
    store.close().await;
}

/// A group that is written a second time, because of work in it that failed, finds nothing of the
/// first time.
#[tokio::test(flavor = "multi_thread")]
async fn what_is_answered_once_is_carried_out_whatever_fails_beside_it() {
    const MANY: u8 = 100;
    let place = directory();
    let store = place.open();
    let tenant = open_shop(&*store).await;
    break_the_engine(&place, "ABORT");
    let mut tasks = JoinSet::new();
    for number in 0..MANY {
        let (store, tenant) = (Arc::clone(&store), tenant.clone());
        tasks.spawn(async move {
            let unlucky = || named("Unlucky", external_id(&format!("unlucky {number}")));
            let batch = match number % 3 {
                0 => vec![unlucky()],
                1 => vec![external_id(&number.to_string())],
                _ => vec![unlucky(), external_id(&number.to_string())],
            };
            let registered = ask(&*store, &tenant, batch, once(number, 1)).await.unwrap();
            let Registered::Now { decisions, .. } = registered else { panic!("{number}") };
            let last = decisions.last().unwrap().outcome.as_ref();
            assert_eq!(last.is_ok_and(is_new_and_awarded), number % 3 != 0);
        });
    }
    assert_eq!(tasks.join_all().await.len(), usize::from(MANY));
    let kept: u8 = connect(&place)
        .query_row("SELECT count(*) FROM answered_request", [], |row| row.get(0))
        .unwrap();
    assert_eq!(kept, MANY * 2 / 3);
    store.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn only_answers_that_are_over_are_removed() {
    let place = directory();
    let store = place.open();
    let tenant = open_shop(&*store).await;
    let keep = async |key: u8, at: Timestamp| {
        let registered = vec![external_id("A-1")];
        store.register_once(&tenant, registered, ORIGIN, at, once(key, 1)).await.unwrap();
    };
    let count = || {
        let count = "SELECT count(*) FROM answered_request";
        connect(&place).query_row(count, [], |row| row.get::<_, u32>(0)).unwrap()
    };
    for key in 0..100 {
        keep(key, now()).await;
    }
    assert_eq!(count(), 100);
    let later = now() + once(0, 1).keep_for;
    for key in 100..150 {
        keep(key, later).await;
    }
    assert_eq!(store.remove_expired_answers(later).await.unwrap(), 100);
    assert_eq!(count(), 50);
    store.close().await;
}

/// Nobody is registered of whom the audit does not tell.
#[tokio::test(flavor = "multi_thread")]
async fn a_customer_whose_audit_cannot_be_written_is_not_written_either() {
    let place = directory();
    let store = place.open();
    let tenant = open_shop(&*store).await;
    connect(&place)
        .execute_batch(
            "CREATE TRIGGER broken BEFORE INSERT ON audit_entry
             WHEN NEW.events LIKE '%Unlucky%' BEGIN SELECT RAISE(ABORT, 'no'); END",
        )
        .unwrap();
    let batch = vec![named("Unlucky", external_id("A-1")), external_id("A-2")];
    let outcomes = register_all(&*store, &tenant, batch).await;
    assert_eq!(outcomes[0].as_ref().unwrap_err().code, codes::UNEXPECTED_ITEM);
    let neighbour = outcomes[1].as_ref().unwrap().customer.id;
    assert_eq!(audit(&*store, &tenant, neighbour).await.total, 1);
    mend_the_engine(&place);
    let plan = register(&*store, &tenant, external_id("A-1")).await;
    assert!(is_new_and_awarded(&plan));
    assert_eq!(audit(&*store, &tenant, plan.customer.id).await.total, 1);
    store.close().await;
}

#[rstest]
#[case::alone(0)]
#[case::in_a_batch(3)]
#[tokio::test(flavor = "multi_thread")]
async fn when_the_engine_gives_up_nothing_was_stored_and_the_store_goes_on(
    #[case] neighbours: usize,
) {
    let place = directory();
    let store = place.open();
    let tenant = open_shop(&*store).await;
    let known = register(&*store, &tenant, external_id("known")).await;
    break_the_engine(&place, "ROLLBACK");
    let unlucky = named("Unlucky", external_id("unlucky"));
    let around = |side| (0..neighbours).map(move |number| external_id(&format!("{side} {number}")));
    let batch: Vec<_> = around("before").chain([unlucky]).chain(around("after")).collect();
    for _ in 0..2 {
        let failed = store.register(&tenant, batch.clone(), ORIGIN, now(), Mode::Apply).await;
        let Err(error @ Error::NotCommitted(_)) = failed else { panic!("{failed:?}") };
        // The log tells each cause once.
        assert_eq!(error.chain().matches("the database failed").count(), 1, "{}", error.chain());
    }

    mend_the_engine(&place);
    let outcomes = register_all(&*store, &tenant, batch).await;
    for outcome in outcomes {
        let plan = outcome.unwrap();
        assert!(is_new_and_awarded(&plan));
        assert_ne!(plan.customer.id, known.customer.id);
    }
    let found = look_up(&*store, &tenant, external_id("known")).await;
    assert_eq!(found, Some(known.customer));
    store.close().await;
}

#[test]
fn a_directory_that_cannot_be_made_is_an_error() {
    let place = directory();
    let path = place.directory.path().join("file");
    std::fs::write(&path, "in the way").unwrap();
    let refused = SqliteStore::open(&Location::Directory(path.clone()));
    let text = refused.map(drop).unwrap_err().to_string();
    assert!(text.contains(path_text(&path)), "{text}");
}

#[cfg(unix)]
#[tokio::test(flavor = "multi_thread")]
async fn nobody_else_may_read_the_files() {
    use std::os::unix::fs::PermissionsExt;

    let place = directory();
    let path = place.directory.path().join("data");
    let store = SqliteStore::open(&Location::Directory(path.clone())).unwrap();
    open_shop(&store).await;
    let mode = |path: &Path| path.metadata().unwrap().permissions().mode() & 0o077;
    assert_eq!(mode(&path), 0, "{}", path.display());
    let mut files = 0;
    for file in std::fs::read_dir(&path).unwrap() {
        let file = file.unwrap().path();
        assert_eq!(mode(&file), 0, "{}", file.display());
        files += 1;
    }
    assert!(files >= 2, "the database and its log");
    store.close().await;
}

fn path_text(path: &Path) -> &str {
    path.to_str().unwrap()
}
