//! What is PostgreSQL's own: what is said on the line, what happens when it breaks or nobody answers,
//! and what strangers leave in the tables.

use std::collections::BTreeSet;
use std::pin::Pin;
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use jiff::SignedDuration;
use patron_rules::card::CardRequest;
use patron_rules::customer::CustomerId;
use patron_rules::decide::Plan;
use patron_rules::identifier::IdentifierKind;
use patron_rules::organisation::Kind;
use patron_rules::validate::Registration;
use patron_store::operators::{Role, Scope};
use patron_store::{
    Error, Lookup, Mode, Once, PostgresOptions, PostgresStore, Registered, Store, Tenant,
};
use rstest::rstest;
use tokio::task::JoinSet;
use tokio_postgres::{Client, NoTls};

use crate::given::{
    ORIGIN, all_three, audit, author, change_settings, email, external_id, is_new_and_awarded,
    mobile, named, now, open_shop, poll_once, put, register, register_all, set_up, shop,
    with_documents,
};
use crate::log::Log;
use crate::once::{ask, once};
use crate::operators;
use crate::postgresql::{Care, Cluster, Database};
use crate::watching::Watcher;
use crate::wire::{Cut, Wire};

/// How many ask at once.
const MANY: usize = 64;

async fn open(url: &str, deadline: Duration) -> Arc<dyn Store> {
    let options = PostgresOptions { readers: 2, deadline, ..PostgresOptions::new(url) };
    Arc::new(PostgresStore::open(&options).await.unwrap())
}

/// A store that waits long for the database.
async fn open_patient(url: &str) -> Arc<dyn Store> {
    open(url, Duration::from_mins(1)).await
}

/// Somebody else who uses the database.
async fn stranger(database: &Database) -> Client {
    let (client, connection) = tokio_postgres::connect(&database.url(), NoTls).await.unwrap();
    tokio::spawn(connection);
    client
}

/// Keeps every registration from going on until the stranger lets go.
async fn hold_back(stranger: &Client) {
    stranger.batch_execute("BEGIN; SELECT 1 FROM configuration_version FOR UPDATE").await.unwrap();
}

/// Whatever had become of the first try is what a second one finds.
#[rstest]
#[case::before(Cut::BeforeTheCommit)]
#[case::after(Cut::AfterTheCommit)]
#[tokio::test(flavor = "multi_thread")]
async fn a_registration_is_carried_out_once_though_nobody_tells_of_its_commit(#[case] cut: Cut) {
    let database = Database::new();
    let wire = Wire::to(&database).await;
    let store = open_patient(wire.url()).await;
    let tenant = open_shop(&*store).await;
    for number in 0..3 {
        wire.cut(cut);
        let plan = register(&*store, &tenant, external_id(&number.to_string())).await;
        assert!(wire.was_cut());
        assert!(is_new_and_awarded(&plan));
        let found = store.find(&tenant, Lookup::Id(plan.customer.id)).await.unwrap().unwrap();
        assert_eq!(found.customer, plan.customer);
        assert_eq!(audit(&*store, &tenant, plan.customer.id).await.total, 1);
    }
    let watcher = Watcher::of(&*store);
    wire.cut(cut);
    let again = register(&*store, &tenant, external_id("0")).await;
    assert!(wire.was_cut() && !is_new_and_awarded(&again));
    assert!(watcher.groups().iter().all(|group| group.commit.is_some()));
    store.close().await;
}

/// What is set up is changed once, too.
#[rstest]
#[case::before(Cut::BeforeTheCommit)]
#[case::after(Cut::AfterTheCommit)]
#[tokio::test(flavor = "multi_thread")]
async fn a_setting_is_changed_once_though_nobody_tells_of_its_commit(#[case] cut: Cut) {
    let database = Database::new();
    let wire = Wire::to(&database).await;
    let store = open_patient(wire.url()).await;
    let tenant = open_shop(&*store).await;
    let recorded = async || store.changes(tenant.id(), None, 100).await.unwrap().len();
    let before = recorded().await;
    wire.cut(cut);
    change_settings(&*store, &tenant, &[("STRICT_EXTRAS", "1")]).await.unwrap();
    assert!(wire.was_cut());
    assert_eq!(recorded().await, before + 1);
    store.close().await;
}

/// On Citus, a node's part of a table has keys of its own, named like the table's with a number behind.
#[tokio::test(flavor = "multi_thread")]
async fn what_is_there_already_is_known_whatever_number_its_key_has() {
    let database = Database::new();
    let wire = Wire::to(&database).await;
    let store = open_patient(wire.url()).await;
    let stranger = stranger(&database).await;
    let rename =
        "ALTER TABLE commit_mark RENAME CONSTRAINT commit_mark_pkey TO commit_mark_pkey_102010;
         ALTER TABLE organisation RENAME CONSTRAINT organisation_name_key
            TO organisation_name_key_102008";
    stranger.batch_execute(rename).await.unwrap();
    let tenant = open_shop(&*store).await;
    wire.cut(Cut::AfterTheCommit);
    let plan = register(&*store, &tenant, external_id("A")).await;
    assert!(wire.was_cut() && is_new_and_awarded(&plan));
    assert_eq!(audit(&*store, &tenant, plan.customer.id).await.total, 1);
    let again = store.set_up(vec![shop("shop")], author()).await.unwrap_err();
    assert!(matches!(again, Error::Taken(_)), "{again:?}");
    store.close().await;
}

/// What is refused at the second try was not written by the first one either.
#[tokio::test(flavor = "multi_thread")]
async fn what_is_refused_once_its_first_commit_was_lost_is_told_as_refused() {
    let database = Database::new();
    let wire = Wire::to(&database).await;
    let store = open_patient(wire.url()).await;
    let stranger = stranger(&database).await;
    // A sequence counts though what counted is undone.
    let refuse = "CREATE SEQUENCE tries;
         ALTER TABLE operator_account ADD CHECK (nextval('tries') = 1)";
    stranger.batch_execute(refuse).await.unwrap();
    wire.cut(Cut::BeforeTheCommit);
    let operator = operators::id("somebody", Scope::Everywhere);
    let added = store.add_operator(operator.clone(), "hash".to_owned(), Role::Owner, author());
    let added = added.await;
    assert!(wire.was_cut());
    assert!(matches!(added, Err(Error::Engine(_))), "{added:?}");
    assert_eq!(store.operator_role(operator).await.unwrap(), None);
    store.close().await;
}

/// How many statements it takes to carry out so many requests that come at once.
async fn statements(number: usize, of: fn(usize) -> Request) -> usize {
    let database = Database::new();
    let wire = Wire::to(&database).await;
    let store = open_patient(wire.url()).await;
    let campaign = (Kind::ReferralCampaigns, r#"{"name":"friends","code":{"prefix":"F-"}}"#);
    let tenant = set_up(&*store, with_documents(&[campaign], shop("shop"))).await;
    for known in 0..8 {
        register(&*store, &tenant, external_id(&format!("known {known}"))).await;
    }
    let stranger = stranger(&database).await;
    refer(&stranger).await;
    let before = wire.statements();
    together(&stranger, &*store, &tenant, (0..number).map(of).collect()).await;
    let asked = wire.statements() - before;
    store.close().await;
    asked
}

/// Gives each known customer a referral code.
async fn refer(stranger: &Client) {
    let sql = "INSERT INTO referral_code SELECT organisation_id, 'F-' || (customer_id - 100000001),
         customer_id, 'friends', 0, 0 FROM customer";
    stranger.batch_execute(sql).await.unwrap();
}

/// Nothing goes on until all of them are there, so that they are one group, or two.
async fn together(stranger: &Client, store: &dyn Store, tenant: &Tenant, requests: Vec<Request>) {
    hold_back(stranger).await;
    let mut asking = Vec::new();
    for (registration, once) in requests {
        let registrations = vec![registration];
        let mut request: Pin<Box<dyn Future<Output = _> + Send + '_>> = match once {
            Some(once) => Box::pin(async move { ask(store, tenant, registrations, once).await }),
            None => Box::pin(async move {
                let done = store.register(tenant, registrations, ORIGIN, now(), Mode::Apply).await;
                done.map(|decisions| Registered::Now {
                    decisions,
                    answer: Vec::new(),
                    kept_bytes: 0,
                })
            }),
        };
        assert!(poll_once(&mut request).is_pending());
        asking.push(request);
    }
    stranger.batch_execute("ROLLBACK").await.unwrap();
    for request in asking {
        let Registered::Now { decisions, .. } = request.await.unwrap() else {
            panic!("answered before")
        };
        assert!(decisions.iter().all(|decision| decision.outcome.is_ok()), "{decisions:?}");
    }
}

/// A request of one customer, and whether it is answered once.
type Request = (Registration, Option<Once>);

fn a_new_customer(number: usize) -> Request {
    (external_id(&number.to_string()), None)
}

fn a_known_customer(number: usize) -> Request {
    (external_id(&format!("known {}", number % 8)), None)
}

fn one_to_be_answered_once(number: usize) -> Request {
    (external_id(&number.to_string()), Some(once(u8::try_from(number).unwrap(), 1)))
}

fn one_who_was_referred(number: usize) -> Request {
    let referral_code = Some(format!("F-{}", number % 8));
    (Registration { referral_code, ..external_id(&number.to_string()) }, None)
}

/// A group costs so many statements, and not so many a customer.
#[rstest]
#[case(a_new_customer)]
#[case(a_known_customer)]
#[case(one_to_be_answered_once)]
#[case(one_who_was_referred)]
#[tokio::test(flavor = "multi_thread")]
async fn a_group_costs_as_many_statements_however_many_requests_it_has(
    #[case] of: fn(usize) -> Request,
) {
    let (few, many) = (statements(9, of).await, statements(65, of).await);
    // The first may be a group by itself or be joined by others; and now and then one forgets marks.
    assert!(many <= 2 * few + 2, "{few} statements of 9 requests, {many} of 65");
}

/// Each of them needs ids, of which none are reserved yet, and holds a connection.
#[tokio::test(flavor = "multi_thread")]
async fn rehearsals_and_registrations_do_not_wait_for_each_others_connections() {
    let database = Database::new();
    let store = open_patient(&database.url()).await;
    let tenant = open_shop(&*store).await;
    let mut tasks = JoinSet::new();
    for number in 0..MANY {
        let (store, tenant) = (Arc::clone(&store), tenant.clone());
        let mode = if number % 8 == 0 { Mode::Apply } else { Mode::DryRun };
        tasks.spawn(async move {
            let batch = (0..100).map(|one| external_id(&format!("{number}-{one}"))).collect();
            store.register(&tenant, batch, ORIGIN, now(), mode).await.unwrap().len()
        });
    }
    assert_eq!(tasks.join_all().await, [100; MANY]);
    store.close().await;
}

/// What the database refuses each time, and not only because somebody was quicker: a key that is
/// taken, and what may not be.
#[rstest]
#[case("INSERT INTO merge SELECT organisation_id, {victim}, 0, 0, '', '' FROM organisation")]
#[case("ALTER TABLE merge ADD CHECK (victim_id <> {victim})")]
#[tokio::test(flavor = "multi_thread")]
async fn what_is_refused_each_time_fails_without_its_neighbours(#[case] sql: &str) {
    let database = Database::new();
    let store = open_patient(&database.url()).await;
    let tenant = open_shop(&*store).await;
    let tenant = change_settings(&*store, &tenant, &[("MERGE_ON_CONFLICT", "1")]).await.unwrap();
    register(&*store, &tenant, mobile("919000000001")).await;
    let victim = register(&*store, &tenant, email("a@b.in")).await.customer.id;
    let stranger = stranger(&database).await;
    stranger.batch_execute(&sql.replace("{victim}", &victim.0.to_string())).await.unwrap();

    hold_back(&stranger).await;
    let mut merging = mobile("919000000001");
    merging.identifiers.email = email("a@b.in").identifiers.email;
    let mut asked = Vec::new();
    for number in 0..MANY {
        let is_merging = number == MANY / 2;
        let who = if is_merging { merging.clone() } else { external_id(&number.to_string()) };
        let mut one = store.register(&tenant, vec![who], ORIGIN, now(), Mode::Apply);
        assert!(poll_once(&mut one).is_pending());
        asked.push(one);
    }
    stranger.batch_execute("ROLLBACK").await.unwrap();
    for (number, one) in asked.into_iter().enumerate() {
        let done = one.await;
        let is_done = done.as_ref().is_ok_and(|decisions| decisions[0].outcome.is_ok());
        assert_eq!(is_done, number != MANY / 2, "{number}: {done:?}");
    }
    store.close().await;
}

/// What is refused is quoted in PostgreSQL's details.
#[tokio::test]
async fn what_is_refused_is_told_without_what_was_to_be_written() {
    let database = Database::new();
    let store = open_patient(&database.url()).await;
    let tenant = open_shop(&*store).await;
    let stranger = stranger(&database).await;
    let checks = "ALTER TABLE customer ADD CHECK (external_id <> 'PRIVATE');
         ALTER TABLE operator_account ADD CHECK (name <> 'PRIVATE')";
    stranger.batch_execute(checks).await.unwrap();
    let log = Log::begin();
    let outcomes = register_all(&*store, &tenant, vec![external_id("PRIVATE")]).await;
    assert!(outcomes[0].is_err(), "{outcomes:?}");
    let told = log.with("a customer could not be written");
    assert!(told.len() == 1 && told[0].contains("23514"), "{told:?}");
    assert_eq!(log.with("PRIVATE"), Vec::<String>::new());

    let operator = operators::id("PRIVATE", Scope::Everywhere);
    let added = store.add_operator(operator, "hash".to_owned(), Role::Owner, author());
    let refused = added.await.unwrap_err();
    let told = format!("{} {refused:?}", refused.chain());
    assert!(told.contains("23514") && !told.contains("PRIVATE"), "{told}");
    store.close().await;
}

/// Requests of one transaction each have the time at which they were asked for.
#[tokio::test(flavor = "multi_thread")]
async fn what_requests_write_together_has_the_time_of_each() {
    let database = Database::new();
    let store = open_patient(&database.url()).await;
    let documents = [
        (Kind::CardSeries, r#"{"name":"GOLD","number":{"prefix":"G","length":8}}"#),
        (Kind::CouponSeries, r#"{"name":"WELCOME","code":{"prefix":"W-"}}"#),
        (Kind::RewardRules, r#"{"name":"w","effects":[{"type":"coupon","series":"WELCOME"}]}"#),
    ];
    let tenant = set_up(&*store, with_documents(&documents, shop("shop"))).await;
    let tenant = change_settings(&*store, &tenant, &[("MERGE_ON_CONFLICT", "1")]).await.unwrap();
    let known = |number: usize| {
        let (digits, address) = (format!("91900000000{number}"), format!("{number}@b.in"));
        (mobile(&digits), email(&address), all_three(&digits, &address, &format!("E-{number}")))
    };
    for number in 0..9 {
        let (by_mobile, by_email, _) = known(number);
        register_all(&*store, &tenant, vec![by_mobile, by_email]).await;
    }
    let stranger = stranger(&database).await;
    hold_back(&stranger).await;
    let mut asked = Vec::new();
    let at = |number: usize| now() + SignedDuration::from_mins(1 + i64::try_from(number).unwrap());
    for number in 0..9 {
        let (_, _, merging) = known(number);
        let card = Some(CardRequest { number: None, series: Some("GOLD".to_owned()) });
        let batch = vec![Registration { card, ..merging }, external_id(&format!("new {number}"))];
        let mut one = store.register(&tenant, batch, ORIGIN, at(number), Mode::Apply);
        assert!(poll_once(&mut one).is_pending());
        asked.push(one);
    }
    stranger.batch_execute("ROLLBACK").await.unwrap();
    for one in asked {
        let done = one.await.unwrap();
        assert!(done.iter().all(|decision| decision.outcome.is_ok()), "{done:?}");
    }
    let expected: Vec<i64> = (0..9).map(|number| at(number).as_millisecond()).collect();
    for (table, column) in [
        ("audit_entry", "recorded_at"),
        ("ledger_entry", "entered_at"),
        ("merge", "merged_at"),
        ("card", "issued_at"),
        ("coupon", "issued_at"),
    ] {
        let sql = format!("SELECT DISTINCT {column} FROM {table} WHERE {column} > $1 ORDER BY 1");
        let rows = stranger.query(&sql, &[&now().as_millisecond()]).await.unwrap();
        let times: Vec<i64> = rows.iter().map(|row| row.get(0)).collect();
        assert_eq!(times, expected, "{table}");
    }
    store.close().await;
}

/// A row that is not as the program knows it says nothing of the connection or of its neighbours.
#[tokio::test(flavor = "multi_thread")]
async fn a_row_that_cannot_be_read_fails_alone_and_at_once() {
    let database = Database::new();
    let store = open_patient(&database.url()).await;
    let tenant = open_shop(&*store).await;
    for id in ["torn", "whole"] {
        register(&*store, &tenant, external_id(id)).await;
    }
    let stranger = stranger(&database).await;
    let tear = "ALTER TABLE customer ALTER COLUMN registered_at DROP NOT NULL;
         UPDATE customer SET registered_at = NULL WHERE external_id = 'torn'";
    stranger.batch_execute(tear).await.unwrap();
    let by = |id: &str| Lookup::Identifier(IdentifierKind::ExternalId, id.to_owned());
    let torn = store.find(&tenant, by("torn")).await.unwrap_err();
    assert!(matches!(torn, Error::Corrupt(_)), "{torn:?}");

    hold_back(&stranger).await;
    let mut asked = Vec::new();
    for id in ["new 1", "new 2", "torn", "whole", "new 3"] {
        let mut one = store.register(&tenant, vec![external_id(id)], ORIGIN, now(), Mode::Apply);
        assert!(poll_once(&mut one).is_pending());
        asked.push((id, one));
    }
    stranger.batch_execute("ROLLBACK").await.unwrap();
    for (id, one) in asked {
        let done = one.await;
        let is_done = done.as_ref().is_ok_and(|decisions| decisions[0].outcome.is_ok());
        assert_eq!(is_done, id != "torn", "{id}: {done:?}");
    }
    store.close().await;
}

/// As those are that were kept while the database was away.
#[tokio::test(flavor = "multi_thread")]
async fn a_look_up_whose_connection_is_closed_over_it_looks_once_more() {
    let database = Database::new();
    let options = PostgresOptions { readers: 1, ..PostgresOptions::new(&database.url()) };
    let store: Arc<dyn Store> = Arc::new(PostgresStore::open(&options).await.unwrap());
    let tenant = open_shop(&*store).await;
    let known = register(&*store, &tenant, external_id("A")).await.customer;
    let stranger = stranger(&database).await;
    let others = "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity
         WHERE datname = current_database() AND pid <> pg_backend_pid()";
    for _ in 0..5 {
        stranger.query_one(others, &[]).await.unwrap();
        let found = store.find(&tenant, Lookup::Id(known.id)).await.unwrap().unwrap();
        assert_eq!(found.customer, known);
    }
    store.close().await;
}

/// However many fail in between.
#[tokio::test]
async fn the_log_has_a_line_when_commits_begin_to_fail_and_one_when_they_succeed_again() {
    let database = Database::new();
    let store = open_patient(&database.url()).await;
    let tenant = open_shop(&*store).await;
    let stranger = stranger(&database).await;
    let log = Log::begin();
    let register = async |id: &str| {
        store.register(&tenant, vec![external_id(id)], ORIGIN, now(), Mode::Apply).await
    };
    for turn in 1..=2 {
        stranger.batch_execute("ALTER TABLE audit_entry RENAME TO gone").await.unwrap();
        for id in ["A", "B", "C"] {
            register(id).await.unwrap_err();
        }
        assert_eq!(log.with("a commit failed").len(), turn);
        assert_eq!(log.with("commits succeed again").len(), turn - 1);
        stranger.batch_execute("ALTER TABLE gone RENAME TO audit_entry").await.unwrap();
        for id in ["A", "B", "C"] {
            register(&format!("{id} {turn}")).await.unwrap();
        }
        assert_eq!(log.with("commits succeed again").len(), turn);
    }
    store.close().await;
}

/// A change that has to look at every customer is not given up as a request is.
#[tokio::test(flavor = "multi_thread")]
async fn a_change_of_what_is_set_up_may_take_longer_than_a_request() {
    let database = Database::new();
    let patient = open_patient(&database.url()).await;
    let tenant = open_shop(&*patient).await;
    patient.close().await;
    let store = open(&database.url(), Duration::from_secs(1)).await;
    let stranger = stranger(&database).await;
    hold_back(&stranger).await;
    let change = {
        let (store, tenant) = (Arc::clone(&store), tenant.clone());
        tokio::spawn(async move {
            let document = (Kind::Currencies, "Stars", r#"{"name":"Stars","identifier":"stars"}"#);
            put(&*store, &tenant, &[document]).await;
        })
    };
    // Each waits as long as a request may.
    for _ in 0..3 {
        let refused = store.register(&tenant, vec![external_id("A")], ORIGIN, now(), Mode::Apply);
        refused.await.unwrap_err();
    }
    assert!(!change.is_finished());
    stranger.batch_execute("ROLLBACK").await.unwrap();
    change.await.unwrap();
    store.close().await;
}

/// However many changes of one organisation wait for each other, and its rehearsals with them.
#[tokio::test(flavor = "multi_thread")]
async fn changes_that_wait_for_each_other_keep_no_other_organisation_waiting() {
    let database = Database::new();
    let store = open(&database.url(), Duration::from_secs(5)).await;
    let busy = set_up(&*store, shop("busy")).await;
    let other = set_up(&*store, shop("other")).await;
    let stranger = stranger(&database).await;
    let lock = "BEGIN; SELECT 1 FROM configuration_version v JOIN organisation o
         ON o.organisation_id = v.organisation_id WHERE o.name = 'busy' FOR UPDATE OF v";
    stranger.batch_execute(lock).await.unwrap();
    let mut waiting = JoinSet::new();
    for number in 0..12 {
        let (store, tenant) = (Arc::clone(&store), busy.clone());
        waiting.spawn(async move {
            if number % 4 == 3 {
                let who = vec![external_id("A")];
                drop(store.register(&tenant, who, ORIGIN, now(), Mode::DryRun).await);
            } else {
                change_settings(&*store, &tenant, &[("STRICT_EXTRAS", "1")]).await.unwrap();
            }
        });
    }
    let held = "SELECT count(*) FROM pg_stat_activity
         WHERE datname = current_database() AND wait_event_type = 'Lock'";
    // A transaction sees who is there as it was when it first looked.
    let looking = self::stranger(&database).await;
    while looking.query_one(held, &[]).await.unwrap().get::<_, i64>(0) < 5 {}

    for number in 0..4 {
        register(&*store, &other, external_id(&number.to_string())).await;
    }
    store.check().await.unwrap();
    change_settings(&*store, &other, &[("STRICT_EXTRAS", "1")]).await.unwrap();
    stranger.batch_execute("ROLLBACK").await.unwrap();
    waiting.join_all().await;
    store.close().await;
}

/// Nobody waits again for what did not answer, until it does.
#[tokio::test(flavor = "multi_thread")]
async fn a_database_that_does_not_answer_is_told_at_once_and_served_again_when_it_does() {
    let cluster = Arc::new(Cluster::start(Care::Fast));
    let database = Database::of(&cluster);
    let store = open(&database.url(), Duration::from_secs(1)).await;
    let tenant = open_shop(&*store).await;
    let known = register(&*store, &tenant, external_id("A")).await.customer;
    let add = || store.register(&tenant, vec![external_id("B")], ORIGIN, now(), Mode::Apply);
    let find = || store.find(&tenant, Lookup::Id(known.id));

    cluster.freeze();
    for _ in 0..3 {
        assert!(matches!(find().await, Err(Error::Unreachable(_))));
        add().await.unwrap_err();
    }
    let mut at_once = 0;
    for _ in 0..20 {
        let mut asked = find();
        match poll_once(&mut asked) {
            Poll::Ready(Err(Error::Unreachable(_))) => at_once += 1,
            Poll::Ready(other) => panic!("{other:?}"),
            Poll::Pending => drop(asked.await.unwrap_err()),
        }
    }
    assert!(at_once > 0, "everybody waited");

    cluster.thaw();
    while find().await.is_err() {}
    let plan = loop {
        if let Ok(mut decisions) = add().await {
            break decisions.pop().unwrap().outcome.unwrap();
        }
    };
    // One of those that were given up may have been carried out since.
    assert_eq!(audit(&*store, &tenant, plan.customer.id).await.total, 1);
    store.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn look_ups_that_wait_are_limited_and_what_is_past_the_limit_is_refused() {
    let database = Database::new();
    let store = open_patient(&database.url()).await;
    let tenant = open_shop(&*store).await;
    let known = register(&*store, &tenant, external_id("known")).await.customer;
    let watcher = Watcher::of(&*store);
    let mut waiting = Vec::new();
    loop {
        assert!(waiting.len() < 100_000, "no limit");
        let mut asked = store.find(&tenant, Lookup::Id(known.id));
        match poll_once(&mut asked) {
            Poll::Pending => waiting.push(asked),
            Poll::Ready(Err(Error::Overloaded)) => break,
            Poll::Ready(other) => panic!("{other:?}"),
        }
    }
    assert_eq!(watcher.refused(), 1);
    for asked in waiting {
        assert_eq!(asked.await.unwrap().unwrap().customer, known);
    }
    store.close().await;
}

/// As many as are in the way of nobody, and none of which somebody may still ask.
#[tokio::test(flavor = "multi_thread")]
async fn marks_that_nobody_asks_for_are_forgotten_and_no_others() {
    let database = Database::new();
    let store = open_patient(&database.url()).await;
    let stranger = stranger(&database).await;
    let sql = "INSERT INTO commit_mark
         SELECT 0, decode(md5(n::TEXT), 'hex'), 1,
            (EXTRACT(EPOCH FROM now()) * 1000)::BIGINT - (CASE WHEN n <= 1000 THEN 3601 ELSE 3000 END) * 1000
         FROM generate_series(1, 1100) AS n";
    stranger.batch_execute(sql).await.unwrap();
    let left = async |sql: &str| -> i64 { stranger.query_one(sql, &[]).await.unwrap().get(0) };
    let old = "SELECT count(*) FROM commit_mark
         WHERE committed_at < (EXTRACT(EPOCH FROM now()) * 1000)::BIGINT - 3600000";
    let mut written = 0;
    while left(old).await > 0 {
        let operator = operators::id(&format!("operator {written}"), Scope::Everywhere);
        let added = store.add_operator(operator, "hash".to_owned(), Role::Owner, author());
        added.await.unwrap();
        written += 1;
    }
    let all = left("SELECT count(*) FROM commit_mark WHERE organisation_id = 0").await;
    assert!(all >= 100 + written, "{all} are left");
    store.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn probes_write_and_leave_one_row() {
    let database = Database::new();
    let stores = [open_patient(&database.url()).await, open_patient(&database.url()).await];
    let stranger = stranger(&database).await;
    let marks = async || -> (i64, i64) {
        let sql = "SELECT count(*), coalesce(max(xmin::TEXT::BIGINT), 0) FROM commit_mark";
        let row = stranger.query_one(sql, &[]).await.unwrap();
        (row.get(0), row.get(1))
    };
    stores[0].check().await.unwrap();
    let (before, mut last) = marks().await;
    for turn in 0..10 {
        stores[turn % 2].check().await.unwrap();
        let (count, written) = marks().await;
        assert_eq!(count, before);
        assert!(written > last, "{written} follows {last}");
        last = written;
    }
    stranger.batch_execute("ALTER TABLE commit_mark RENAME TO gone").await.unwrap();
    stores[0].check().await.unwrap_err();
    stranger.batch_execute("ALTER TABLE gone RENAME TO commit_mark").await.unwrap();
    stores[0].check().await.unwrap();
    for store in stores {
        store.close().await;
    }
}

/// Two processes that have the same customers, codes and series to deal with at once: each referral
/// counts once, and no card is given twice.
#[tokio::test(flavor = "multi_thread")]
async fn counters_count_each_once_though_several_processes_count() {
    let database = Database::new();
    let stores = [open_patient(&database.url()).await, open_patient(&database.url()).await];
    let campaign = r#"{"name":"friends","code":{"prefix":"F-"}}"#;
    let cards = r#"{"name":"GOLD","number":{"prefix":"G","length":8}}"#;
    let tenant = set_up(&*stores[0], shop("shop")).await;
    let documents =
        [(Kind::ReferralCampaigns, "friends", campaign), (Kind::CardSeries, "GOLD", cards)];
    let tenant = put(&*stores[0], &tenant, &documents).await;
    for known in 0..8 {
        register(&*stores[0], &tenant, external_id(&format!("known {known}"))).await;
    }
    refer(&stranger(&database).await).await;
    let mut tasks = JoinSet::new();
    for number in 0..MANY {
        let (store, tenant) = (Arc::clone(&stores[number % 2]), tenant.clone());
        tasks.spawn(async move {
            let code = |at: usize| Some(format!("F-{}", at % 8));
            let card = Some(CardRequest { number: None, series: Some("GOLD".to_owned()) });
            let who = |turn: usize| Registration {
                // In both directions.
                referral_code: code(if number % 2 == 0 { turn } else { 7 - turn }),
                card: card.clone(),
                ..external_id(&format!("{number}-{turn}"))
            };
            let plans = register_all(&*store, &tenant, (0..8).map(who).collect()).await;
            let number = |plan: Result<Plan, _>| plan.unwrap().card.unwrap().number;
            plans.into_iter().map(number).collect::<Vec<_>>()
        });
    }
    let numbers = tasks.join_all().await.concat();
    let different: BTreeSet<_> = numbers.iter().collect();
    assert_eq!(different.len(), MANY * 8);
    for known in 0..8 {
        let holder = CustomerId(100_000_001 + known);
        let codes = {
            let found = stores[1].find(&tenant, Lookup::Id(holder)).await.unwrap().unwrap();
            stores[1].referral_codes(&tenant, &found.customer, now()).await.unwrap()
        };
        assert_eq!(codes[0].referrals, MANY as u64);
    }
    for store in stores {
        store.close().await;
    }
}

/// How many rows of tables and entries of their keys were read since the database was made.
async fn rows_read(stranger: &Client) -> i64 {
    let sql = "SELECT (SELECT COALESCE(sum(seq_tup_read), 0) FROM pg_stat_user_tables)::BIGINT
         + (SELECT COALESCE(sum(idx_tup_read), 0) FROM pg_stat_user_indexes)::BIGINT";
    stranger.query_one(sql, &[]).await.unwrap().get(0)
}

/// Statements are planned once, and that is when there is hardly anybody.
#[tokio::test(flavor = "multi_thread")]
async fn rows_are_found_by_their_keys_by_plans_that_were_made_for_empty_tables() {
    let database = Database::new();
    let store = open_patient(&database.url()).await;
    let tenant = open_shop(&*store).await;
    for turn in ["first", "second", "third"] {
        register(&*store, &tenant, named(turn, external_id("A"))).await;
    }
    let stranger = stranger(&database).await;
    let fill = "INSERT INTO customer (organisation_id, customer_id, external_id, type, source,
            registered_at, updated_at, registered_till)
         SELECT organisation_id, 200000000 + n, 'X-' || n, 'LOYALTY', 'INSTORE', 0, 0, 1
         FROM organisation, generate_series(1, 20000) AS n;
         INSERT INTO identifier
         SELECT organisation_id, 3, external_id, customer_id FROM customer
         WHERE customer_id > 200000000";
    stranger.batch_execute(fill).await.unwrap();
    let before = rows_read(&stranger).await;
    for turn in ["fourth", "fifth"] {
        let batch = (0..100).map(|number| named(turn, external_id(&number.to_string()))).collect();
        register_all(&*store, &tenant, batch).await;
    }
    // Sessions tell what they have read once they end.
    store.close().await;
    drop(store);
    let others = "SELECT count(*) FROM pg_stat_activity
         WHERE datname = current_database() AND pid <> pg_backend_pid()";
    while stranger.query_one(others, &[]).await.unwrap().get::<_, i64>(0) > 0 {}
    let read = rows_read(&stranger).await - before;
    assert!(read < 20_000, "{read} rows were read for 200 registrations");
}
