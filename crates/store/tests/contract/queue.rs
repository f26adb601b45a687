//! What waits for SQLite's one writer: how much of it, and in which order it is done.
//!
//! Ids of customers are given in the order in which they are written, so they tell of that order.

use std::pin::Pin;
use std::sync::Arc;
use std::task::Poll;

use patron_rules::decide::Decision;
use patron_rules::validate::Registration;
use patron_store::{Error, Lookup, Mode, Store, Tenant};
use rstest::rstest;
use rusqlite::Connection;

use crate::engines::{Engine, Place};
use crate::given::{
    EARNED, ORIGIN, balance, external_id, is_new_and_awarded, look_up, now, open_shop, points,
    poll_once, register,
};
use crate::watching::Watcher;

type Asked<'a> = Pin<Box<dyn Future<Output = Result<Vec<Decision>, Error>> + Send + 'a>>;

/// A store whose writer stands still while a stranger writes, so that work piles up.
struct Blocked {
    store: Arc<dyn Store>,
    tenant: Tenant,
    stranger: Connection,
    _place: Place,
}

impl Blocked {
    async fn new() -> Self {
        let place = Place::new(Engine::SqliteInADirectory);
        let store = place.open();
        let tenant = open_shop(&*store).await;
        let file = place.directory.path().join("patron.sqlite");
        let stranger = Connection::open(file).unwrap();
        stranger.execute_batch("BEGIN IMMEDIATE").unwrap();
        Self { store, tenant, stranger, _place: place }
    }

    /// Asks for a batch, which then waits.
    fn ask(&self, batch: Vec<Registration>) -> (Asked<'_>, Poll<Result<Vec<Decision>, Error>>) {
        let mut asked = self.store.register(&self.tenant, batch, ORIGIN, now(), Mode::Apply);
        let known = poll_once(&mut asked);
        (asked, known)
    }

    /// Asks for a batch of this many new customers; their ids, once it is done.
    fn ask_for(&self, name: &str, customers: usize) -> Asked<'_> {
        let batch = (0..customers).map(|number| external_id(&format!("{name}-{number}")));
        let (asked, known) = self.ask(batch.collect());
        assert!(known.is_pending(), "{known:?}");
        asked
    }

    fn unblock(&self) {
        self.stranger.execute_batch("ROLLBACK").unwrap();
    }
}

async fn ids(asked: Asked<'_>) -> Vec<i64> {
    let decisions = asked.await.unwrap();
    decisions.into_iter().map(|decision| decision.outcome.unwrap().customer.id.0).collect()
}

#[rstest]
#[case::one_at_a_time(1)]
#[case::in_batches(100)]
#[tokio::test(flavor = "multi_thread")]
async fn what_waits_is_limited_and_what_is_past_the_limit_is_refused(#[case] customers: usize) {
    let blocked = Blocked::new().await;
    let watcher = Watcher::of(&*blocked.store);
    let id = |number: usize| external_id(&number.to_string());
    let batch = |first: usize| (first..first + customers).map(id).collect();
    let mut waiting = Vec::new();
    let refused = loop {
        let first = waiting.len() * customers;
        assert!(first < 20_000, "no limit");
        match blocked.ask(batch(first)) {
            (asked, Poll::Pending) => waiting.push(asked),
            (_, Poll::Ready(Err(Error::Overloaded))) => break first,
            (_, Poll::Ready(other)) => panic!("{other:?}"),
        }
    };
    assert!(refused >= 1_000, "too low a limit: {refused}");
    assert_eq!((blocked.store.waiting(), watcher.refused()), (refused, 1));
    blocked.unblock();

    let mut done = Vec::new();
    for asked in waiting {
        done.push(asked.await.is_ok());
    }
    // What had waited too long for the stranger would have failed, and then wholly.
    let Blocked { store, tenant, .. } = &blocked;
    for number in (0..refused).step_by(97) {
        let kept = look_up(&**store, tenant, id(number)).await;
        assert_eq!(kept.is_some(), done[number / customers]);
    }
    let plan = register(&**store, tenant, id(refused)).await;
    assert!(is_new_and_awarded(&plan), "refused, but registered");
    assert_eq!(balance(&plan.customer), points(EARNED));
    assert_eq!(store.waiting(), 0);
    store.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn one_customer_does_not_wait_for_all_batches_before_them() {
    let blocked = Blocked::new().await;
    let batches: Vec<_> = (0..30).map(|n| blocked.ask_for(&format!("batch {n}"), 100)).collect();
    let single = blocked.ask_for("single", 1);
    blocked.unblock();

    let single = ids(single).await[0];
    let mut before = 0;
    for batch in batches {
        before += ids(batch).await.into_iter().filter(|id| *id < single).count();
    }
    // At most the group that was under way when they came.
    assert!(before <= 200, "{before} customers of batches were written before");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_batch_does_not_wait_for_all_single_customers_before_it() {
    let blocked = Blocked::new().await;
    let singles: Vec<_> = (0..4_000).map(|n| blocked.ask_for(&format!("single {n}"), 1)).collect();
    let batch = blocked.ask_for("batch", 100);
    blocked.unblock();

    let batch = ids(batch).await[0];
    let mut before = 0;
    for single in singles {
        before += usize::from(ids(single).await[0] < batch);
    }
    // At most the group that was under way when it came, and its own.
    assert!(before <= 1_100, "{before} single customers were written before");
}

#[tokio::test(flavor = "multi_thread")]
async fn look_ups_that_wait_are_limited_and_what_is_past_the_limit_is_refused() {
    let place = Place::new(Engine::SqliteInADirectory);
    let store = place.open();
    let tenant = open_shop(&*store).await;
    let known = register(&*store, &tenant, external_id("known")).await.customer;
    let watcher = Watcher::of(&*store);
    let find = || store.find(&tenant, Lookup::Id(known.id));
    let mut waiting = Vec::new();
    loop {
        assert!(waiting.len() < 100_000, "no limit");
        let mut asked = find();
        match poll_once(&mut asked) {
            Poll::Pending => waiting.push(asked),
            Poll::Ready(Ok(found)) => assert_eq!(found.unwrap().customer, known),
            Poll::Ready(Err(Error::Overloaded)) => break,
            Poll::Ready(Err(other)) => panic!("{other:?}"),
        }
    }
    assert_eq!(watcher.refused(), 1);
    for asked in waiting {
        assert_eq!(asked.await.unwrap().unwrap().customer, known);
    }
    assert_eq!(find().await.unwrap().unwrap().customer, known);
    store.close().await;
}

/// Reading goes on beside a writer that stands still.
#[tokio::test(flavor = "multi_thread")]
async fn look_ups_do_not_wait_for_the_writer() {
    let place = Place::new(Engine::SqliteInADirectory);
    let store = place.open();
    let tenant = open_shop(&*store).await;
    let known = register(&*store, &tenant, external_id("known")).await.customer;
    let file = place.directory.path().join("patron.sqlite");
    let stranger = Connection::open(file).unwrap();
    stranger.execute_batch("BEGIN IMMEDIATE").unwrap();
    let mut waiting = store.register(&tenant, vec![external_id("new")], ORIGIN, now(), Mode::Apply);
    assert!(poll_once(&mut waiting).is_pending());
    for _ in 0..100 {
        let found = store.find(&tenant, Lookup::Id(known.id)).await.unwrap().unwrap();
        assert_eq!(found.customer, known);
    }
    stranger.execute_batch("ROLLBACK").unwrap();
    waiting.await.unwrap();
    store.close().await;
}
