//! What a store tells of how it does.

use std::sync::{Arc, Mutex};

use patron_rules::organisation::Kind;
use patron_store::operators::{Role, Scope};
use patron_store::{Change, Edit, Error, Expected, Group, Store, Watch};

use crate::given::{author, external_id, open_shop, register, register_all};
use crate::operators;

/// Remembers what it is told.
#[derive(Default)]
pub struct Watcher {
    groups: Mutex<Vec<Group>>,
    refused: Mutex<usize>,
}

impl Watcher {
    pub fn of(store: &dyn Store) -> Arc<Self> {
        let watcher = Arc::new(Self::default());
        store.watch(Arc::clone(&watcher) as _);
        watcher
    }

    pub fn groups(&self) -> Vec<Group> {
        self.groups.lock().unwrap().clone()
    }

    pub fn refused(&self) -> usize {
        *self.refused.lock().unwrap()
    }
}

impl Watch for Watcher {
    fn wrote(&self, group: Group) {
        self.groups.lock().unwrap().push(group);
    }

    fn refused(&self) {
        *self.refused.lock().unwrap() += 1;
    }
}

async fn each_group_is_told_before_its_requests_are_answered(store: Arc<dyn Store>) {
    let tenant = open_shop(&*store).await;
    let watcher = Watcher::of(&*store);
    register(&*store, &tenant, external_id("1")).await;
    register_all(&*store, &tenant, ["2", "3", "4"].map(external_id).into()).await;
    let told = watcher.groups();
    let sizes: Vec<_> = told.iter().map(|group| (group.requests, group.customers)).collect();
    assert_eq!(sizes, [(1, 1), (1, 3)]);
    for group in told {
        assert!(group.commit.is_some_and(|commit| commit <= group.took), "{group:?}");
    }
    assert_eq!(watcher.refused(), 0);
}

async fn what_is_refused_is_no_commit_that_failed(store: Arc<dyn Store>) {
    let tenant = open_shop(&*store).await;
    let watcher = Watcher::of(&*store);
    let ann = || operators::id("ann", Scope::Everywhere);
    let add = || store.add_operator(ann(), "hash".to_owned(), Role::Owner, author());
    add().await.unwrap();
    assert!(matches!(add().await, Err(Error::Taken(_))));
    let change = Change {
        kind: Kind::Settings,
        name: Kind::Settings.name().to_owned(),
        expected: Expected::Version(99),
        edit: Edit::Replace("{}".to_owned()),
        is_active: None,
    };
    let changed = store.apply(tenant.id(), vec![change], author()).await;
    assert!(matches!(changed, Err(Error::Changed { .. })), "{changed:?}");
    let told = watcher.groups();
    assert!(!told.is_empty() && told.iter().all(|group| group.commit.is_some()), "{told:?}");
}

async fn the_first_who_watches_stays(store: Arc<dyn Store>) {
    let (first, second) = (Watcher::of(&*store), Watcher::of(&*store));
    open_shop(&*store).await;
    assert!(!first.groups.lock().unwrap().is_empty());
    assert!(second.groups.lock().unwrap().is_empty());
}

async fn the_data_take_room(store: Arc<dyn Store>) {
    let tenant = open_shop(&*store).await;
    let before = store.size().await.unwrap();
    assert!(before.database_bytes > 0);
    for batch in 0..5 {
        let ids = (0..200).map(|n| external_id(&format!("{batch}-{n}")));
        register_all(&*store, &tenant, ids.collect()).await;
    }
    let after = store.size().await.unwrap();
    // A customer is some hundred bytes.
    assert!(after.database_bytes >= before.database_bytes + 100_000, "{before:?} {after:?}");
    assert_eq!(store.waiting(), 0);
}

on_every_engine!(
    each_group_is_told_before_its_requests_are_answered,
    what_is_refused_is_no_commit_that_failed,
    the_first_who_watches_stays,
    the_data_take_room,
);
