//! Operators: their roles, their sessions, and the record of what they change.

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use patron_rules::organisation::Kind;
use patron_store::operators::{NewSession, Operator, OperatorId, Role, SESSIONS_LIMIT, Scope};
use patron_store::{Author, AuthorKind, Change, Edit, Error, Expected, Store};

use crate::given::{author, hashes, now, open_shop, set_up, shop};

on_every_engine! {
    an_operator_has_a_password_and_a_role,
    a_name_is_one_operators_within_a_scope_alone,
    accounts_of_one_name_share_nothing,
    roles_are_changed_and_operators_removed,
    a_role_holds_in_its_scope,
    the_last_owner_stays,
    operators_of_a_scope_are_listed_apart,
    a_session_lasts_until_it_ends_is_closed_or_the_password_changes,
    an_operator_has_so_many_sessions_and_no_more,
    a_change_of_a_role_names_its_author_and_the_kind,
    every_change_is_recorded_with_what_was_before,
    a_tills_password_is_changed_and_only_that_is_recorded,
}

fn minutes(count: i64) -> Timestamp {
    now() + SignedDuration::from_mins(count)
}

pub fn id(name: &str, scope: Scope) -> OperatorId {
    OperatorId { scope, name: name.to_owned() }
}

async fn add(store: &dyn Store, name: &str, scope: Scope, role: Role) -> Result<(), Error> {
    store.add_operator(id(name, scope), format!("hash of {name}"), role, author()).await
}

/// A session of ten minutes.
pub fn session(token: u8, name: &str, scope: Scope) -> NewSession {
    let (operator, opened_at, expires_at) = (id(name, scope), now(), minutes(10));
    NewSession { token: [token; 32], operator, opened_at, expires_at }
}

async fn open(store: &dyn Store, token: u8, name: &str, scope: Scope) {
    store.open_session(session(token, name, scope)).await.unwrap();
}

async fn password(store: &dyn Store, organisation: Option<&str>, name: &str) -> Option<String> {
    let found = store.operator_credential(organisation, name).await.unwrap();
    found.map(|found| found.password)
}

async fn an_operator_has_a_password_and_a_role(store: Arc<dyn Store>) {
    let scope = Scope::Organisation(set_up(&*store, shop("north")).await.id());
    assert_eq!(store.operator_credential(Some("north"), "asha").await.unwrap(), None);
    add(&*store, "asha", scope, Role::Editor).await.unwrap();
    let credential = store.operator_credential(Some("north"), "asha").await.unwrap().unwrap();
    assert_eq!(credential.operator, id("asha", scope));
    assert_eq!(credential.password, "hash of asha");
    let asha = Operator { name: "asha".to_owned(), role: Role::Editor };
    assert_eq!(store.operators(scope, "", 9).await.unwrap(), [asha]);
    assert_eq!(store.operators(scope, "asha", 9).await.unwrap(), []);
}

async fn a_name_is_one_operators_within_a_scope_alone(store: Arc<dyn Store>) {
    let north = Scope::Organisation(set_up(&*store, shop("north")).await.id());
    let south = Scope::Organisation(set_up(&*store, shop("south")).await.id());
    add(&*store, "asha", north, Role::Reader).await.unwrap();
    let again = store.add_operator(id("asha", north), "2".to_owned(), Role::Owner, author()).await;
    assert!(matches!(again, Err(Error::Taken(_))), "{again:?}");
    for (scope, hash) in [(south, "of the south"), (Scope::Everywhere, "of everywhere")] {
        let asha = id("asha", scope);
        store.add_operator(asha, hash.to_owned(), Role::Owner, author()).await.unwrap();
    }
    for (organisation, expected) in [
        (Some("north"), Some("hash of asha")),
        (Some("south"), Some("of the south")),
        (None, Some("of everywhere")),
        (Some("west"), None),
        (Some(""), None),
    ] {
        let found = password(&*store, organisation, "asha").await;
        assert_eq!(found.as_deref(), expected, "{organisation:?}");
    }
}

async fn accounts_of_one_name_share_nothing(store: Arc<dyn Store>) {
    let north = Scope::Organisation(set_up(&*store, shop("north")).await.id());
    let south = Scope::Organisation(set_up(&*store, shop("south")).await.id());
    for (token, scope) in (1..).zip([north, south, Scope::Everywhere]) {
        add(&*store, "asha", scope, Role::Owner).await.unwrap();
        add(&*store, "ravi", scope, Role::Owner).await.unwrap();
        open(&*store, token, "asha", scope).await;
    }
    let is_open = async |token| store.session([token; 32], now()).await.unwrap().is_some();
    store.set_operator_password(id("asha", north), "other".to_owned()).await.unwrap();
    assert_eq!(password(&*store, Some("north"), "asha").await.as_deref(), Some("other"));
    assert_eq!(password(&*store, Some("south"), "asha").await.as_deref(), Some("hash of asha"));
    assert!(!is_open(1).await && is_open(2).await && is_open(3).await);
    store.remove_operator(id("asha", south), author()).await.unwrap();
    assert!(!is_open(2).await && is_open(3).await);
    store.change_role(id("asha", north), Role::Reader, author()).await.unwrap();
    let everywhere = store.session([3; 32], now()).await.unwrap().unwrap();
    assert_eq!(everywhere.role, Role::Owner);
    assert_eq!(store.operator_role(id("asha", north)).await.unwrap(), Some(Role::Reader));
    assert_eq!(store.operator_role(id("asha", south)).await.unwrap(), None);
}

async fn roles_are_changed_and_operators_removed(store: Arc<dyn Store>) {
    let scope = Scope::Organisation(open_shop(&*store).await.id());
    add(&*store, "asha", scope, Role::Reader).await.unwrap();
    open(&*store, 1, "asha", scope).await;
    let session = async || store.session([1; 32], now()).await.unwrap();
    assert_eq!(session().await.unwrap().role, Role::Reader);
    store.change_role(id("asha", scope), Role::Editor, author()).await.unwrap();
    assert_eq!(session().await.unwrap().role, Role::Editor);
    store.remove_operator(id("asha", scope), author()).await.unwrap();
    assert_eq!(session().await, None);
    for scope in [scope, Scope::Everywhere] {
        let asha = || id("asha", scope);
        let changed = store.change_role(asha(), Role::Owner, author()).await;
        assert!(matches!(changed, Err(Error::NoOperator(_))), "{changed:?}");
        let removed = store.remove_operator(asha(), author()).await;
        assert!(matches!(removed, Err(Error::NoOperator(_))), "{removed:?}");
    }
    // The name is available again, with another password.
    add(&*store, "asha", scope, Role::Reader).await.unwrap();
    assert_eq!(session().await, None);
}

async fn a_role_holds_in_its_scope(store: Arc<dyn Store>) {
    let north = set_up(&*store, shop("north")).await.id();
    add(&*store, "root", Scope::Everywhere, Role::Support).await.unwrap();
    add(&*store, "asha", Scope::Organisation(north), Role::Owner).await.unwrap();
    open(&*store, 1, "root", Scope::Everywhere).await;
    open(&*store, 2, "asha", Scope::Organisation(north)).await;
    let south = set_up(&*store, shop("south")).await.id();
    let root = store.session([1; 32], now()).await.unwrap().unwrap();
    assert_eq!((&root.operator, &root.organisation), (&id("root", Scope::Everywhere), &None));
    assert_eq!(root.role_in(north), Some(Role::Support));
    assert_eq!(root.role_in(south), Some(Role::Support));
    assert_eq!(root.role_everywhere(), Some(Role::Support));
    let asha = store.session([2; 32], now()).await.unwrap().unwrap();
    assert_eq!(asha.operator, id("asha", Scope::Organisation(north)));
    assert_eq!(asha.organisation.as_deref(), Some("north"));
    assert_eq!((asha.role_in(north), asha.role_in(south)), (Some(Role::Owner), None));
    assert_eq!(asha.role_everywhere(), None);
}

async fn the_last_owner_stays(store: Arc<dyn Store>) {
    let shop = Scope::Organisation(open_shop(&*store).await.id());
    // An owner everywhere does not count as the organisation's own.
    for (scope, first, second) in [(Scope::Everywhere, "root", "admin"), (shop, "asha", "ravi")] {
        let (owner, other) = (|| id(first, scope), || id(second, scope));
        add(&*store, first, scope, Role::Owner).await.unwrap();
        for refused in [
            store.remove_operator(owner(), author()).await,
            store.change_role(owner(), Role::Editor, author()).await,
        ] {
            assert!(matches!(refused, Err(Error::LastOwner)), "{scope:?}: {refused:?}");
            assert_eq!(store.operator_role(owner()).await.unwrap(), Some(Role::Owner));
        }
        store.change_role(owner(), Role::Owner, author()).await.unwrap();
        add(&*store, second, scope, Role::Owner).await.unwrap();
        store.change_role(owner(), Role::Editor, author()).await.unwrap();
        let refused = store.remove_operator(other(), author()).await;
        assert!(matches!(refused, Err(Error::LastOwner)), "{scope:?}: {refused:?}");
        store.remove_operator(owner(), author()).await.unwrap();
        assert_eq!(store.operator_role(owner()).await.unwrap(), None);
    }
}

async fn operators_of_a_scope_are_listed_apart(store: Arc<dyn Store>) {
    let shop = Scope::Organisation(open_shop(&*store).await.id());
    for (name, scope, role) in [
        ("root", Scope::Everywhere, Role::Owner),
        ("asha", shop, Role::Editor),
        ("asha", Scope::Everywhere, Role::Reader),
    ] {
        add(&*store, name, scope, role).await.unwrap();
    }
    let listed = async |scope, after, limit| {
        let operators = store.operators(scope, after, limit).await.unwrap();
        operators.into_iter().map(|found| (found.name, found.role)).collect::<Vec<_>>()
    };
    let operator = |name: &str, role| (name.to_owned(), role);
    let everywhere = [operator("asha", Role::Reader), operator("root", Role::Owner)];
    assert_eq!(listed(Scope::Everywhere, "", 9).await, everywhere);
    assert_eq!(listed(Scope::Everywhere, "", 1).await, everywhere[..1]);
    assert_eq!(listed(Scope::Everywhere, "asha", 9).await, everywhere[1..]);
    assert_eq!(listed(shop, "", 9).await, [operator("asha", Role::Editor)]);
    for (scope, name, role) in [
        (shop, "asha", Some(Role::Editor)),
        (Scope::Everywhere, "asha", Some(Role::Reader)),
        (shop, "root", None),
        (shop, "unknown", None),
    ] {
        assert_eq!(store.operator_role(id(name, scope)).await.unwrap(), role, "{name} {scope:?}");
    }
}

async fn a_session_lasts_until_it_ends_is_closed_or_the_password_changes(store: Arc<dyn Store>) {
    let everywhere = Scope::Everywhere;
    add(&*store, "asha", everywhere, Role::Owner).await.unwrap();
    for token in 1..=3 {
        open(&*store, token, "asha", everywhere).await;
    }
    let is_open = async |token, at| store.session([token; 32], at).await.unwrap().is_some();
    assert!(is_open(1, minutes(9)).await);
    assert!(!is_open(1, minutes(10)).await);
    assert!(!is_open(9, now()).await);
    store.close_session([1; 32]).await.unwrap();
    assert!(!is_open(1, now()).await);
    assert!(is_open(2, now()).await && is_open(3, now()).await);
    store.set_operator_password(id("asha", everywhere), "other".to_owned()).await.unwrap();
    assert!(!is_open(2, now()).await && !is_open(3, now()).await);
    let unknown = store.open_session(session(4, "unknown", everywhere)).await;
    assert!(matches!(unknown, Err(Error::NoOperator(_))), "{unknown:?}");
    let unknown = store.set_operator_password(id("unknown", everywhere), String::new()).await;
    assert!(matches!(unknown, Err(Error::NoOperator(_))), "{unknown:?}");
}

async fn an_operator_has_so_many_sessions_and_no_more(store: Arc<dyn Store>) {
    let shop = Scope::Organisation(open_shop(&*store).await.id());
    add(&*store, "asha", Scope::Everywhere, Role::Owner).await.unwrap();
    add(&*store, "asha", shop, Role::Owner).await.unwrap();
    open(&*store, 255, "asha", shop).await;
    let most = u8::try_from(SESSIONS_LIMIT).unwrap();
    for token in 0..=most {
        let (opened_at, expires_at) = (minutes(i64::from(token)), minutes(999));
        let new = session(token, "asha", Scope::Everywhere);
        store.open_session(NewSession { opened_at, expires_at, ..new }).await.unwrap();
    }
    assert!(store.session([0; 32], now()).await.unwrap().is_none());
    for token in 1..=most {
        assert!(store.session([token; 32], now()).await.unwrap().is_some(), "{token}");
    }
    assert!(store.session([255; 32], now()).await.unwrap().is_some());
}

async fn a_change_of_a_role_names_its_author_and_the_kind(store: Arc<dyn Store>) {
    let shop = open_shop(&*store).await.id();
    let asha = || id("asha", Scope::Organisation(shop));
    let by = |kind| Author { kind, ..author() };
    let hash = "hash".to_owned();
    store.add_operator(asha(), hash, Role::Reader, by(AuthorKind::Command)).await.unwrap();
    let operator = by(AuthorKind::OperatorEverywhere);
    store.change_role(asha(), Role::Editor, operator).await.unwrap();
    store.remove_operator(asha(), by(AuthorKind::Operator)).await.unwrap();
    let recorded = store.changes(shop, None, 3).await.unwrap();
    let told: Vec<_> = recorded
        .iter()
        .map(|change| (change.author.kind, change.before.as_deref(), change.after.as_deref()))
        .collect();
    let (reader, editor) = (r#"{"role":"reader"}"#, r#"{"role":"editor"}"#);
    let expected = [
        (AuthorKind::Operator, Some(editor), None),
        (AuthorKind::OperatorEverywhere, Some(reader), Some(editor)),
        (AuthorKind::Command, None, Some(reader)),
    ];
    assert_eq!(told, expected);
    let is_of_asha = |name: &str, resource: &str| (name, resource) == ("asha", "operators");
    assert!(recorded.iter().all(|change| is_of_asha(&change.name, &change.resource)));
}

async fn every_change_is_recorded_with_what_was_before(store: Arc<dyn Store>) {
    let shop = open_shop(&*store).await.id();
    let set_up = store.changes(shop, None, 99).await.unwrap();
    assert!(set_up.iter().any(|change| change.resource == "settings" && change.before.is_none()));
    assert_eq!(set_up.last().unwrap().number, 1);

    let put = |regex: &str| Change {
        kind: Kind::CustomFields,
        name: "zip".to_owned(),
        expected: Expected::Anything,
        edit: Edit::Replace(format!(r#"{{"name":"zip","regex":"{regex}"}}"#)),
        is_active: None,
    };
    let retire = Change { edit: Edit::Keep, is_active: Some(false), ..put("") };
    for change in [put("[0-9]"), put("[1-9]"), retire] {
        store.apply(shop, vec![change], author()).await.unwrap();
    }
    let of = |regex: &str, is_active: bool| {
        Some(format!(
            r#"{{"name":"zip","data_type":"String","options":[],"regex":"{regex}","audit_trail":false,"is_active":{is_active}}}"#
        ))
    };
    let latest = store.changes(shop, None, 3).await.unwrap();
    let told: Vec<_> =
        latest.iter().map(|change| (change.before.clone(), change.after.clone())).collect();
    let expected = [
        (of("[1-9]", true), of("[1-9]", false)),
        (of("[0-9]", true), of("[1-9]", true)),
        (None, of("[0-9]", true)),
    ];
    assert_eq!(told, expected);
    assert!(latest.iter().all(|change| change.author == author() && change.name == "zip"));
    let before = store.changes(shop, Some(latest[2].number), 99).await.unwrap();
    assert_eq!(before, set_up);
}

async fn a_tills_password_is_changed_and_only_that_is_recorded(store: Arc<dyn Store>) {
    let shop = open_shop(&*store).await.id();
    store.set_till_password(shop, "shop", hashes("secret"), author()).await.unwrap();
    let found = store.till_credential("shop").await.unwrap().unwrap();
    assert_eq!(found.hashes.md5, hashes("secret").md5);
    let latest = store.changes(shop, None, 1).await.unwrap();
    assert_eq!((latest[0].resource.as_str(), latest[0].name.as_str()), ("till_passwords", "shop"));
    assert_eq!((&latest[0].before, &latest[0].after), (&None, &None));

    let other = set_up(&*store, crate::given::shop("other")).await.id();
    let foreign = store.set_till_password(other, "shop", hashes("stolen"), author()).await;
    assert!(matches!(foreign, Err(Error::NoSuch { .. })), "{foreign:?}");
}
