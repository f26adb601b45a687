//! What SQLite's files allow besides serving: to be checked, backed up and restored.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use patron_rules::organisation::Kind;
use patron_rules::settings::Settings;
use patron_rules::validate::Registration;
use patron_store::maintenance::{self, Checked, Watch};
use patron_store::{Error, Location, Mode, SqliteStore, Store, Tenant};
use rstest::rstest;
use rusqlite::Connection;

use crate::engines::{Engine, Place};
use crate::given::{
    ORIGIN, all_three, email, external_id, look_up, mobile, names, now, open_shop, register,
    register_all, set_up, shop, shop_with, tenant_of, with_documents,
};

fn directory() -> Place {
    Place::new(Engine::SqliteInADirectory)
}

fn file(place: &Place) -> PathBuf {
    place.directory.path().join("patron.sqlite")
}

/// A connection of the test's own.
fn connect(place: &Place) -> Connection {
    Connection::open(file(place)).unwrap()
}

/// What was said of how far the work has come.
#[derive(Default)]
pub struct Said {
    parts: Vec<(String, Option<u64>, u64)>,
}

impl Watch for Said {
    fn begin(&mut self, part: &str, steps: Option<u64>) {
        self.parts.push((part.to_owned(), steps, 0));
    }

    fn reach(&mut self, done: u64) {
        let (part, steps, before) = self.parts.last_mut().unwrap();
        assert!(done >= *before && steps.is_some_and(|steps| done <= steps), "{part}: {done}");
        *before = done;
    }
}

fn check(place: &Place) -> Checked {
    maintenance::check_directory(place.directory.path(), &mut Said::default()).unwrap()
}

fn check_file(file: &Path) -> Checked {
    maintenance::check_file(file, &mut Said::default()).unwrap()
}

fn back_up(place: &Place, file: &Path) -> Result<Checked, Error> {
    maintenance::back_up(place.directory.path(), file, false, &mut Said::default())
}

fn restore(file: &Path, place: &Place) -> Result<Checked, Error> {
    maintenance::restore(file, place.directory.path(), false, &mut Said::default())
}

/// The files of a directory, by name.
fn listed(directory: &Path) -> Vec<String> {
    let name = |entry: std::io::Result<std::fs::DirEntry>| entry.unwrap().file_name();
    let mut names: Vec<_> = std::fs::read_dir(directory).unwrap().map(name).collect();
    names.sort();
    names.into_iter().map(|name| name.into_string().unwrap()).collect()
}

/// Two who are one by their identifiers, one after the other; then both of them together.
const PERSON: [&str; 3] = ["919000000001", "a@b.in", "A-1"];

/// Fills a shop: customers 100000001 (merged into) and 100000002 (merged), and two more.
pub async fn fill(store: &dyn Store) {
    let settings = Settings { merge: true, ..Settings::default() };
    let tenant = set_up(store, shop_with("shop", settings)).await;
    let [digits, address, own] = PERSON;
    let mut both = all_three(digits, address, own);
    both.identifiers.external_id = None;
    for registration in [
        mobile(digits),
        email(address),
        both,
        all_three("919000000003", "C@b.in", "A-3"),
        external_id("A-4"),
    ] {
        register(store, &tenant, registration).await;
    }
}

async fn filled() -> Place {
    let place = directory();
    let store = place.open();
    fill(&*store).await;
    store.close().await;
    place
}

#[tokio::test(flavor = "multi_thread")]
async fn data_that_are_whole_are_found_whole_whether_they_are_served_or_not() {
    let place = filled().await;
    let mut said = Said::default();
    let checked = maintenance::check_directory(place.directory.path(), &mut said).unwrap();
    assert!(checked.is_whole(), "{checked:?}");
    let looked_at: Vec<_> =
        checked.parts.iter().map(|part| (part.name, part.looked_at)).take(7).collect();
    assert_eq!(
        looked_at,
        [
            ("database file", 1),
            ("organisations", 1),
            ("customers", 4),
            ("customers found by their identifiers", 4),
            ("customers merged into others", 4),
            ("audit of customers", 4),
            ("ledgers", 4),
        ]
    );
    assert!(said.parts.iter().any(|said| *said == ("customers".to_owned(), Some(4), 4)));

    let store = place.open();
    let tenant = tenant_of(&*store, "shop").await;
    register(&*store, &tenant, external_id("A-5")).await;
    let checked = check(&place);
    assert!(checked.is_whole(), "{checked:?}");
    assert_eq!(checked.parts[2].looked_at, 5);
    store.close().await;
}

/// What is broken, by whichever accident, and what the check says of it.
#[rstest]
#[case::identifier_is_gone(
    "DELETE FROM identifier WHERE value = 'A-4'",
    &["customers found by their identifiers: organisation 1, customer 100000004: \
       nobody is found by their external id"]
)]
#[case::identifier_leads_to_another(
    "UPDATE identifier SET customer_id = 100000003 WHERE value = 'A-4'",
    &["customers found by their identifiers: organisation 1, customer 100000004: \
       their external id leads to customer 100000003",
      "identifiers: organisation 1: one external id leads to customer 100000003, \
       who does not have it"]
)]
#[case::identifier_is_merged_wrongly(
    "UPDATE organisation SET identifiers_merged_to = 100000003;
     UPDATE customer SET recent = 1 << 3 WHERE customer_id = 100000004;
     UPDATE identifier SET customer_id = 100000003 WHERE value = 'A-4'",
    &["identifiers: organisation 1: one external id leads to customer 100000003, \
       who does not have it",
      "identifiers being merged: organisation 1: \
       a recent identifier of customer 100000004 leads to customer 100000003"]
)]
#[case::identifier_of_a_kind_that_is_not_used(
    "UPDATE configuration SET document = json_set(document, '$.CONF_USERS_IS_EMAIL_UNIQUE', '0')
     WHERE resource = 'settings'",
    &["identifiers: organisation 1: one email address leads to customer 100000002, \
       though nobody is found by that",
      "identifiers: organisation 1: one email address leads to customer 100000003, \
       though nobody is found by that"]
)]
#[case::customer_cannot_be_read(
    "UPDATE customer SET type = 'NONE' WHERE customer_id = 100000004",
    &["customers: organisation 1, customer 100000004: \
       the data cannot be understood: a customer of no known type"]
)]
#[case::balance_differs_from_its_entries(
    "UPDATE enrolment SET awarded = '0.31' WHERE customer_id = 100000004",
    &["ledgers: organisation 1, customer 100000004: \
       programme 7, points awarded: the balance is 0.31, the sum of its entries 0.3"]
)]
#[case::entry_is_gone(
    "DELETE FROM ledger_entry WHERE customer_id = 100000004 AND amount = '0.1'",
    &["ledgers: organisation 1, customer 100000004: \
       programme 7, points awarded: the balance is 0.3, the sum of its entries 0.2"]
)]
#[case::enrolment_is_gone(
    "DELETE FROM enrolment WHERE customer_id = 100000004",
    &["ledgers: organisation 1, customer 100000004: \
       programme 7, points awarded: the balance is 0, the sum of its entries 0.3"]
)]
#[case::merged_into_nobody(
    "UPDATE customer SET merged_into = 7 WHERE customer_id = 100000002",
    &["customers found by their identifiers: organisation 1, customer 100000001: \
       their email address: the data cannot be understood: a merge leads to no customer",
      "customers merged into others: organisation 1, customer 100000002: they were merged: \
       the data cannot be understood: a merge leads to no customer",
      "rows of customers and organisations: organisation 1: `customer` names \
       customer 7 in merged_into, which does not exist (rows: 1)"]
)]
#[case::merged_in_a_circle(
    "UPDATE customer SET merged_into = 100000002 WHERE customer_id = 100000001",
    &["customers merged into others: organisation 1, customer 100000001: they were merged: \
       the data cannot be understood: merges lead to no end",
      "customers merged into others: organisation 1, customer 100000001: \
       what they were before they were merged is lost",
      "customers merged into others: organisation 1, customer 100000002: they were merged: \
       the data cannot be understood: merges lead to no end"]
)]
#[case::merge_is_gone(
    "DELETE FROM merge",
    &["customers merged into others: organisation 1, customer 100000002: \
       what they were before they were merged is lost"]
)]
#[case::merged_no_more(
    "UPDATE customer SET merged_into = NULL, email = NULL WHERE customer_id = 100000002;
     UPDATE identifier SET customer_id = 100000001 WHERE value = 'a@b.in'",
    &["customers merged into others: organisation 1, customer 100000002: \
       a merge is kept of them, but they were not merged"]
)]
#[case::audit_is_gone(
    "DELETE FROM audit_entry WHERE customer_id = 100000004",
    &["audit of customers: organisation 1, customer 100000004: the audit does not tell of them"]
)]
#[case::audit_has_a_gap(
    "DELETE FROM audit_entry WHERE customer_id = 100000001 AND entry = 1",
    &["audit of customers: organisation 1, customer 100000001: \
       the audit has 1 entries, up to number 2"]
)]
#[case::ids_would_be_given_again(
    "UPDATE organisation SET next_customer_id = 100000004",
    &["organisations: organisation 1: the next customers would be given ids that are taken"]
)]
#[case::set_up_cannot_be_read(
    "UPDATE configuration SET document = json_set(document, '$.time_zone', 'Nowhere')
     WHERE resource = 'organisation'",
    &["organisations: organisation 1: the data cannot be understood: \
       `organisation`: /time_zone: `Nowhere` is no IANA time zone"]
)]
#[tokio::test(flavor = "multi_thread")]
async fn what_is_broken_is_named(#[case] accident: &str, #[case] expected: &[&str]) {
    let place = filled().await;
    connect(&place).execute_batch(accident).unwrap();
    let checked = check(&place);
    let told = checked.parts.iter().flat_map(|part| {
        assert_eq!(part.faults, part.told.len() as u64);
        part.told.iter().map(|what| format!("{}: {what}", part.name))
    });
    assert_eq!(told.collect::<Vec<_>>(), expected);
    assert!(!checked.is_whole());

    // What is not whole is not backed up.
    let target = place.directory.path().join("backup");
    assert_eq!(back_up(&place, &target).unwrap(), checked);
    assert!(!listed(place.directory.path()).iter().any(|name| name.starts_with("backup")));
}

#[tokio::test(flavor = "multi_thread")]
async fn rows_without_a_customer_are_named() {
    let place = filled().await;
    connect(&place).execute_batch("DELETE FROM customer WHERE customer_id = 100000004").unwrap();
    let told: Vec<_> = check(&place).parts.into_iter().flat_map(|part| part.told).collect();
    let identifier =
        "organisation 1: one external id leads to customer 100000004, who does not have it";
    assert!(told.iter().any(|what| what == identifier), "{told:?}");
    for (table, rows) in
        [("audit_entry", 1), ("enrolment", 1), ("identifier", 1), ("ledger_entry", 2)]
    {
        let expected = format!(
            "organisation 1: `{table}` names customer 100000004 in customer_id, \
             which does not exist (rows: {rows})"
        );
        assert!(told.contains(&expected), "{told:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_referral_code_without_a_customer_is_named() {
    let place = directory();
    let store = place.open();
    let campaign = [(Kind::ReferralCampaigns, r#"{"name":"friends"}"#)];
    let tenant = set_up(&*store, with_documents(&campaign, shop("shop"))).await;
    let customer = register(&*store, &tenant, external_id("A-1")).await.customer;
    assert_eq!(store.referral_codes(&tenant, &customer, now()).await.unwrap().len(), 1);
    store.close().await;
    assert!(check(&place).is_whole());
    connect(&place).execute_batch("UPDATE referral_code SET customer_id = 7").unwrap();
    let told: Vec<_> = check(&place).parts.into_iter().flat_map(|part| part.told).collect();
    let expected = "organisation 1: `referral_code` names customer 7 in customer_id, \
                    which does not exist (rows: 1)";
    assert_eq!(told, [expected]);
}

#[tokio::test(flavor = "multi_thread")]
async fn rows_without_an_organisation_are_named() {
    let place = filled().await;
    connect(&place).execute_batch("DELETE FROM organisation").unwrap();
    let checked = check(&place);
    let part = checked.parts.last().unwrap();
    let customers = "organisation 1: `customer` names organisation 1 in organisation_id, \
                     which does not exist (rows: 4)";
    assert!(part.told.iter().any(|what| what == customers), "{part:?}");
    assert!(part.told.iter().any(|what| what.contains("`till_credential`")), "{part:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn only_the_first_faults_are_told_in_words_and_all_are_counted() {
    let place = directory();
    let store = place.open();
    let tenant = open_shop(&*store).await;
    let batch = (0..50).map(|number| external_id(&number.to_string()));
    register_all(&*store, &tenant, batch.collect()).await;
    store.close().await;
    connect(&place).execute_batch("DELETE FROM identifier").unwrap();
    let checked = check(&place);
    let part = &checked.parts[3];
    assert_eq!((part.faults, part.told.len()), (50, maintenance::FAULTS_TOLD));
}

/// Bytes of the file that another program or a disk has written over.
#[rstest]
#[case::first_page(0)]
#[case::some_page(5)]
#[tokio::test(flavor = "multi_thread")]
async fn a_damaged_file_is_named_and_not_backed_up_or_restored(#[case] page: usize) {
    let place = filled().await;
    let backup = place.directory.path().join("backup");
    assert!(back_up(&place, &backup).unwrap().is_whole());
    for path in [file(&place), backup.clone()] {
        let mut bytes = std::fs::read(&path).unwrap();
        bytes[page * 4096..][..4096].fill(0xA5);
        std::fs::write(&path, bytes).unwrap();
        let checked = check_file(&path);
        assert_eq!(checked.parts.len(), 1);
        assert!(checked.parts[0].name == "database file" && checked.parts[0].faults > 0);
    }
    let before = listed(place.directory.path());
    let again = place.directory.path().join("again");
    // It may break off where it is read, or where what was read is checked.
    assert!(!back_up(&place, &again).is_ok_and(|checked| checked.is_whole()));
    assert_eq!(listed(place.directory.path()), before);
    let other = directory();
    assert!(!restore(&backup, &other).is_ok_and(|checked| checked.is_whole()));
    assert_eq!(listed(other.directory.path()), ["patron.lock"]);
}

/// Registers one after the other until told to stop; how many.
async fn keep_registering(
    store: Arc<dyn Store>,
    tenant: Tenant,
    stop: Arc<tokio::sync::Notify>,
) -> usize {
    let mut count = 0;
    loop {
        let next = store.register(&tenant, vec![person(count)], ORIGIN, now(), Mode::Apply);
        next.await.unwrap()[0].outcome.as_ref().unwrap();
        count += 1;
        tokio::select! {
            biased;
            () = stop.notified() => return count,
            () = tokio::task::yield_now() => {}
        }
    }
}

fn person(number: usize) -> Registration {
    all_three(&format!("9170{number:08}"), &format!("{number}@c.in"), &format!("C-{number}"))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_backup_made_while_serving_is_one_state_and_holds_all_that_came_before() {
    let place = directory();
    let store = place.open();
    let tenant = open_shop(&*store).await;
    // So much that it takes many steps.
    for number in 0..20 {
        let batch = (0..500).map(|place| external_id(&format!("{number}-{place}")));
        register_all(&*store, &tenant, batch.collect()).await;
    }
    let stop = Arc::new(tokio::sync::Notify::new());
    let writing =
        tokio::spawn(keep_registering(Arc::clone(&store), tenant.clone(), Arc::clone(&stop)));
    while look_up(&*store, &tenant, person(0)).await.is_none() {}

    let backup = place.directory.path().join("backup");
    let (from, to) = (place.directory.path().to_owned(), backup.clone());
    let mut said = Said::default();
    let (checked, said) = tokio::task::spawn_blocking(move || {
        let checked = maintenance::back_up(&from, &to, false, &mut said).unwrap();
        (checked, said)
    })
    .await
    .unwrap();
    stop.notify_one();
    let registered = writing.await.unwrap();
    assert!(checked.is_whole(), "{checked:?}");
    let customers = usize::try_from(checked.parts[2].looked_at).unwrap();
    assert!((10_001..=10_000 + registered).contains(&customers), "{customers} of {registered}");
    assert_eq!(said.parts[0].0, "copying");
    assert!(said.parts[0].2 > 0, "it tells how far it has come");
    // The copy needs nothing beside it, and reading it makes nothing beside it.
    assert!(check_file(&backup).is_whole());
    let beside: Vec<_> = listed(place.directory.path())
        .into_iter()
        .filter(|name| name.starts_with("backup"))
        .collect();
    assert_eq!(beside, ["backup"]);
    store.close().await;

    let other = directory();
    assert!(restore(&backup, &other).unwrap().is_whole());
    let store = other.open();
    let tenant = tenant_of(&*store, "shop").await;
    for id in ["0-0", "19-499"] {
        assert!(look_up(&*store, &tenant, external_id(id)).await.is_some());
    }
    assert!(look_up(&*store, &tenant, person(customers - 10_001)).await.is_some());
    assert!(look_up(&*store, &tenant, person(customers - 10_000)).await.is_none());
    store.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_backup_overwrites_only_what_it_is_told_to() {
    let place = filled().await;
    let backup = place.directory.path().join("backup");
    std::fs::write(&backup, "precious").unwrap();
    let refused = back_up(&place, &backup);
    assert!(matches!(refused, Err(Error::Exists(path)) if path == backup));
    assert_eq!(std::fs::read(&backup).unwrap(), b"precious");

    // Nor does one that fails.
    connect(&place).execute_batch("DELETE FROM identifier").unwrap();
    let overwrite = |place: &Place| {
        maintenance::back_up(place.directory.path(), &backup, true, &mut Said::default()).unwrap()
    };
    assert!(!overwrite(&place).is_whole());
    assert_eq!(std::fs::read(&backup).unwrap(), b"precious");

    assert!(overwrite(&filled().await).is_whole());
    assert!(check_file(&backup).is_whole());
}

/// Two who write the same file would spoil it for each other.
#[tokio::test(flavor = "multi_thread")]
async fn a_backup_that_another_writes_is_refused() {
    let place = filled().await;
    let backup = place.directory.path().join("backup");
    let partial = place.directory.path().join("backup.partial");
    std::fs::write(&partial, "half").unwrap();
    let refused = back_up(&place, &backup);
    assert!(matches!(refused, Err(Error::Unfinished(path)) if path == partial));
    std::fs::remove_file(&partial).unwrap();
    assert!(back_up(&place, &backup).unwrap().is_whole());
}

#[test]
fn where_there_are_no_data_there_is_nothing_to_check_or_back_up() {
    let place = directory();
    let path = place.directory.path();
    for _ in 0..2 {
        let mut said = Said::default();
        let refused = maintenance::check_directory(path, &mut said).unwrap_err();
        assert!(matches!(refused, Error::NoData(_)), "{refused:?}");
        let refused = back_up(&place, &path.join("backup")).unwrap_err();
        assert!(matches!(refused, Error::NoData(_)), "{refused:?}");
        assert!(listed(path).iter().all(|name| name == "patron.sqlite"));
        std::fs::write(file(&place), "").unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_backup_is_restored_where_nothing_is() {
    let place = filled().await;
    let backup = place.directory.path().join("backup");
    assert!(back_up(&place, &backup).unwrap().is_whole());
    let before = std::fs::read(&backup).unwrap();

    let parent = directory();
    let data = parent.directory.path().join("not yet/there");
    let restored = maintenance::restore(&backup, &data, false, &mut Said::default()).unwrap();
    assert!(restored.is_whole());
    assert_eq!(std::fs::read(&backup).unwrap(), before, "the backup is as it was");
    assert_eq!(listed(&data), ["patron.lock", "patron.sqlite"]);
    let store = SqliteStore::open(&Location::Directory(data)).unwrap();
    assert_eq!(names(&store).await, ["shop"]);
    store.close().await;
}

/// Data whose log was not folded in, as after a kill.
async fn killed() -> Place {
    let place = filled().await;
    let connection = connect(&place);
    connection.execute_batch("PRAGMA wal_autocheckpoint = 0; DELETE FROM identifier").unwrap();
    std::mem::forget(connection);
    assert!(place.directory.path().join("patron.sqlite-wal").metadata().unwrap().len() > 0);
    place
}

#[tokio::test(flavor = "multi_thread")]
async fn a_backup_is_restored_over_other_data_only_where_that_is_told() {
    let place = filled().await;
    let backup = place.directory.path().join("backup");
    back_up(&place, &backup).unwrap();
    let other = killed().await;
    let refused = restore(&backup, &other);
    assert!(matches!(refused, Err(Error::Exists(path)) if path == file(&other)));
    assert!(!check(&other).is_whole(), "the log still counts");

    let overwrite = |from: &Path| {
        maintenance::restore(from, other.directory.path(), true, &mut Said::default())
    };
    // What fails leaves what was there.
    let garbage = place.directory.path().join("garbage");
    std::fs::write(&garbage, "no database".repeat(1_000)).unwrap();
    assert!(!overwrite(&garbage).unwrap().is_whole());
    assert!(!check(&other).is_whole());

    assert!(overwrite(&backup).unwrap().is_whole());
    assert!(check(&other).is_whole(), "the log of the data before must not count");
    let store = other.open();
    let tenant = tenant_of(&*store, "shop").await;
    assert!(look_up(&*store, &tenant, external_id("A-4")).await.is_some());
    store.close().await;
}

/// Cut off after the copy was whole, and before it had taken its place: at each of the steps.
#[rstest]
#[case::before_the_log_was_removed(&[])]
#[case::after_the_log_was_removed(&["patron.sqlite-wal", "patron.sqlite-shm"])]
#[case::after_all_was_removed(&["patron.sqlite-wal", "patron.sqlite-shm", "patron.sqlite"])]
#[tokio::test(flavor = "multi_thread")]
async fn restoring_that_was_cut_off_is_finished_by_whoever_opens_next(#[case] gone: &[&str]) {
    let place = filled().await;
    let other = killed().await;
    let path = other.directory.path();
    std::fs::rename(file(&place), path.join("patron.sqlite.restored")).unwrap();
    for name in gone {
        std::fs::remove_file(path.join(name)).unwrap();
    }
    let store = other.open();
    let tenant = tenant_of(&*store, "shop").await;
    assert!(look_up(&*store, &tenant, external_id("A-4")).await.is_some());
    store.close().await;
    assert_eq!(listed(path), ["patron.lock", "patron.sqlite"]);
    assert!(check(&other).is_whole());
}

/// What was cut off while it was copied is in nobody's way.
#[tokio::test(flavor = "multi_thread")]
async fn restoring_begins_anew_after_one_that_was_cut_off() {
    let place = filled().await;
    let backup = place.directory.path().join("backup");
    back_up(&place, &backup).unwrap();
    let other = directory();
    for name in ["patron.sqlite.partial", "patron.sqlite.partial-wal"] {
        std::fs::write(other.directory.path().join(name), "half").unwrap();
    }
    assert!(restore(&backup, &other).unwrap().is_whole());
    assert_eq!(listed(other.directory.path()), ["patron.lock", "patron.sqlite"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn data_that_are_served_are_not_restored_over() {
    let place = filled().await;
    let backup = place.directory.path().join("backup");
    back_up(&place, &backup).unwrap();
    let store = place.open();
    let overwritten =
        maintenance::restore(&backup, place.directory.path(), true, &mut Said::default());
    assert!(matches!(overwritten, Err(Error::InUse(path)) if path == place.directory.path()));
    assert_eq!(names(&*store).await, ["shop"]);
    store.close().await;
}

/// A database that was not closed lacks what stands in the log beside it.
#[tokio::test(flavor = "multi_thread")]
async fn a_database_with_a_log_beside_it_is_no_backup() {
    let place = killed().await;
    let refused = restore(&file(&place), &directory());
    let log = place.directory.path().join("patron.sqlite-wal");
    assert!(matches!(refused, Err(Error::NotABackup(path)) if path == log));
    // One that was closed is as good as a backup.
    let place = filled().await;
    assert!(restore(&file(&place), &directory()).unwrap().is_whole());
}

#[rstest]
#[case::another_programs("PRAGMA application_id = 1", "another program")]
#[case::a_newer_programs(
    "UPDATE refinery_schema_history SET version = 999
     WHERE version = (SELECT max(version) FROM refinery_schema_history)",
    "schema version 999"
)]
#[tokio::test(flavor = "multi_thread")]
async fn what_this_program_does_not_know_is_neither_checked_nor_restored(
    #[case] change: &str,
    #[case] expected: &str,
) {
    let place = filled().await;
    connect(&place).execute_batch(change).unwrap();
    let refusals = [
        maintenance::check_directory(place.directory.path(), &mut Said::default()),
        back_up(&place, &place.directory.path().join("backup")),
        restore(&file(&place), &directory()),
    ];
    for refused in refusals {
        let text = refused.unwrap_err().to_string();
        assert!(text.contains(expected), "{text}");
    }
}

/// Only whoever serves the data brings them up to date.
#[tokio::test(flavor = "multi_thread")]
async fn what_an_older_program_wrote_is_not_changed_by_a_check() {
    let place = filled().await;
    connect(&place).execute_batch("DROP TABLE refinery_schema_history").unwrap();
    let before = std::fs::read(file(&place)).unwrap();
    let refused = maintenance::check_directory(place.directory.path(), &mut Said::default());
    assert!(matches!(refused, Err(Error::TooOld { found: 0, .. })), "{refused:?}");
    assert!(std::fs::read(file(&place)).unwrap() == before);
}
