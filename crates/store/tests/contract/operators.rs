//! Operators: their roles, their sessions, and the record of what they change.

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use patron_rules::organisation::Kind;
use patron_store::operators::{Grant, Role, SESSIONS_LIMIT, Scope};
use patron_store::{Change, Edit, Error, Expected, Store};

use crate::given::{author, hashes, now, open_shop, set_up, shop};

on_every_engine! {
    an_operator_has_a_password_and_a_role,
    a_name_is_one_operators,
    roles_are_given_changed_and_taken_away,
    a_role_everywhere_holds_in_every_organisation,
    the_last_owner_stays,
    roles_of_a_scope_are_listed_apart,
    a_session_lasts_until_it_ends_is_closed_or_the_password_changes,
    an_operator_has_so_many_sessions_and_no_more,
    every_change_is_recorded_with_what_was_before,
    a_tills_password_is_changed_and_only_that_is_recorded,
}

fn minutes(count: i64) -> Timestamp {
    now() + SignedDuration::from_mins(count)
}

async fn add(store: &dyn Store, name: &str, scope: Scope, role: Role) -> Result<(), Error> {
    store.add_operator(name, format!("hash of {name}"), scope, role, author()).await
}

async fn open(store: &dyn Store, token: u8, operator: &str) {
    store.open_session([token; 32], operator, now(), minutes(10)).await.unwrap();
}

async fn an_operator_has_a_password_and_a_role(store: Arc<dyn Store>) {
    let shop = open_shop(&*store).await.id();
    assert_eq!(store.operator_password("asha").await.unwrap(), None);
    add(&*store, "asha", Scope::Organisation(shop), Role::Editor).await.unwrap();
    let hash = store.operator_password("asha").await.unwrap();
    assert_eq!(hash.as_deref(), Some("hash of asha"));
    let grant = Grant { operator: "asha".to_owned(), role: Role::Editor };
    assert_eq!(store.grants(Scope::Organisation(shop), "", 9).await.unwrap(), [grant]);
    assert_eq!(store.grants(Scope::Organisation(shop), "asha", 9).await.unwrap(), []);
}

async fn a_name_is_one_operators(store: Arc<dyn Store>) {
    let shop = open_shop(&*store).await.id();
    add(&*store, "asha", Scope::Organisation(shop), Role::Reader).await.unwrap();
    let again = store
        .add_operator("asha", "another".to_owned(), Scope::Everywhere, Role::Owner, author())
        .await;
    assert!(matches!(again, Err(Error::Taken(_))), "{again:?}");
    assert_eq!(store.operator_password("asha").await.unwrap().unwrap(), "hash of asha");
    open(&*store, 1, "asha").await;
    let session = store.session([1; 32], now()).await.unwrap().unwrap();
    assert_eq!(session.grants, [(Scope::Organisation(shop), Role::Reader)]);
}

async fn roles_are_given_changed_and_taken_away(store: Arc<dyn Store>) {
    let north = set_up(&*store, shop("north")).await.id();
    let south = set_up(&*store, shop("south")).await.id();
    add(&*store, "asha", Scope::Organisation(north), Role::Reader).await.unwrap();
    open(&*store, 1, "asha").await;
    for (scope, role, expected) in [
        (south, Some(Role::Editor), (Some(Role::Reader), Some(Role::Editor))),
        (north, Some(Role::Support), (Some(Role::Support), Some(Role::Editor))),
        (north, None, (None, Some(Role::Editor))),
        (south, None, (None, None)),
    ] {
        store.grant("asha", Scope::Organisation(scope), role, author()).await.unwrap();
        let session = store.session([1; 32], now()).await.unwrap().unwrap();
        assert_eq!((session.role_in(north), session.role_in(south)), expected);
        assert_eq!(session.role_everywhere(), None);
    }
    let nobody = store.grant("nobody", Scope::Everywhere, Some(Role::Owner), author()).await;
    assert!(matches!(nobody, Err(Error::NoOperator(_))), "{nobody:?}");
}

async fn a_role_everywhere_holds_in_every_organisation(store: Arc<dyn Store>) {
    add(&*store, "root", Scope::Everywhere, Role::Support).await.unwrap();
    let shop = open_shop(&*store).await.id();
    open(&*store, 1, "root").await;
    let role = async || store.session([1; 32], now()).await.unwrap().unwrap().role_in(shop);
    assert_eq!(role().await, Some(Role::Support));
    // The more of both.
    store.grant("root", Scope::Organisation(shop), Some(Role::Reader), author()).await.unwrap();
    assert_eq!(role().await, Some(Role::Support));
    store.grant("root", Scope::Organisation(shop), Some(Role::Owner), author()).await.unwrap();
    assert_eq!(role().await, Some(Role::Owner));
}

async fn the_last_owner_stays(store: Arc<dyn Store>) {
    let shop = Scope::Organisation(open_shop(&*store).await.id());
    // An owner everywhere does not count as the organisation's own.
    for (scope, first, second) in [(Scope::Everywhere, "root", "admin"), (shop, "asha", "ravi")] {
        add(&*store, first, scope, Role::Owner).await.unwrap();
        for role in [None, Some(Role::Editor)] {
            let refused = store.grant(first, scope, role, author()).await;
            assert!(matches!(refused, Err(Error::LastOwner)), "{scope:?}: {refused:?}");
            assert_eq!(store.granted(scope, first).await.unwrap(), Some(Role::Owner));
        }
        store.grant(first, scope, Some(Role::Owner), author()).await.unwrap();
        add(&*store, second, scope, Role::Owner).await.unwrap();
        store.grant(first, scope, Some(Role::Editor), author()).await.unwrap();
        let refused = store.grant(second, scope, None, author()).await;
        assert!(matches!(refused, Err(Error::LastOwner)), "{scope:?}: {refused:?}");
        store.grant(first, scope, None, author()).await.unwrap();
        assert_eq!(store.granted(scope, first).await.unwrap(), None);
    }
}

async fn roles_of_a_scope_are_listed_apart(store: Arc<dyn Store>) {
    let shop = Scope::Organisation(open_shop(&*store).await.id());
    add(&*store, "root", Scope::Everywhere, Role::Owner).await.unwrap();
    add(&*store, "asha", shop, Role::Editor).await.unwrap();
    store.grant("asha", Scope::Everywhere, Some(Role::Reader), author()).await.unwrap();
    let listed = async |scope, after, limit| {
        let grants = store.grants(scope, after, limit).await.unwrap();
        grants.into_iter().map(|grant| (grant.operator, grant.role)).collect::<Vec<_>>()
    };
    let grant = |name: &str, role| (name.to_owned(), role);
    let everywhere = [grant("asha", Role::Reader), grant("root", Role::Owner)];
    assert_eq!(listed(Scope::Everywhere, "", 9).await, everywhere);
    assert_eq!(listed(Scope::Everywhere, "", 1).await, everywhere[..1]);
    assert_eq!(listed(Scope::Everywhere, "asha", 9).await, everywhere[1..]);
    assert_eq!(listed(shop, "", 9).await, [grant("asha", Role::Editor)]);
    for (scope, name, role) in [
        (shop, "asha", Some(Role::Editor)),
        (Scope::Everywhere, "asha", Some(Role::Reader)),
        (shop, "root", None),
        (shop, "unknown", None),
    ] {
        assert_eq!(store.granted(scope, name).await.unwrap(), role, "{name} {scope:?}");
    }
}

async fn a_session_lasts_until_it_ends_is_closed_or_the_password_changes(store: Arc<dyn Store>) {
    add(&*store, "asha", Scope::Everywhere, Role::Owner).await.unwrap();
    for token in 1..=3 {
        open(&*store, token, "asha").await;
    }
    let is_open = async |token, at| store.session([token; 32], at).await.unwrap().is_some();
    assert!(is_open(1, minutes(9)).await);
    assert!(!is_open(1, minutes(10)).await);
    assert!(!is_open(9, now()).await);
    store.close_session([1; 32]).await.unwrap();
    assert!(!is_open(1, now()).await);
    assert!(is_open(2, now()).await && is_open(3, now()).await);
    store.set_operator_password("asha", "other".to_owned()).await.unwrap();
    assert!(!is_open(2, now()).await && !is_open(3, now()).await);
    let nobody = store.open_session([4; 32], "nobody", now(), minutes(10)).await;
    assert!(matches!(nobody, Err(Error::NoOperator(_))), "{nobody:?}");
    let nobody = store.set_operator_password("nobody", String::new()).await;
    assert!(matches!(nobody, Err(Error::NoOperator(_))), "{nobody:?}");
}

async fn an_operator_has_so_many_sessions_and_no_more(store: Arc<dyn Store>) {
    add(&*store, "asha", Scope::Everywhere, Role::Owner).await.unwrap();
    let most = u8::try_from(SESSIONS_LIMIT).unwrap();
    for token in 0..=most {
        let opened = minutes(i64::from(token));
        store.open_session([token; 32], "asha", opened, minutes(999)).await.unwrap();
    }
    assert!(store.session([0; 32], now()).await.unwrap().is_none());
    for token in 1..=most {
        assert!(store.session([token; 32], now()).await.unwrap().is_some(), "{token}");
    }
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
