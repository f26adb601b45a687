//! What tills and API clients sign in with, and tokens.

use std::sync::Arc;

use jiff::SignedDuration;
use patron_rules::organisation::{ApiClientId, Kind};
use patron_store::{
    AccessToken, Change, ClientCredential, Edit, Error, Expected, NewSecret, NewToken, Store,
    Tenant, TokenHash,
};
use tokio::task::JoinSet;

use crate::given::{author, hashes, now, open_shop, set_up, shop};

on_every_engine! {
    a_password_that_is_changed_is_the_only_one,
    a_till_of_another_organisation_is_not_there,
    a_client_has_a_key_once_it_has_a_secret,
    a_client_keeps_its_key_when_its_secret_changes,
    a_key_belongs_to_one_client,
    a_client_that_is_not_there_has_nothing,
    a_token_is_known_until_it_is_revoked,
    another_secret_ends_the_tokens_before,
    all_tokens_of_a_client_are_revoked_at_once,
    retiring_a_client_forgets_its_tokens,
    a_token_that_expired_is_known_for_a_day,
    of_many_tokens_the_newest_are_kept,
    what_is_remembered_is_told_to_look_again,
}

on_every_lasting_engine! {
    secrets_and_tokens_outlast_the_store,
}

const APP: ApiClientId = ApiClientId(1);

async fn add_client(store: &dyn Store, tenant: &Tenant, name: &str, till: &str) {
    let change = Change {
        kind: Kind::ApiClients,
        name: name.to_owned(),
        expected: Expected::Nothing,
        edit: Edit::Replace(format!(r#"{{"name":"{name}","default_till":"{till}"}}"#)),
        is_active: None,
    };
    store.apply(tenant.id(), vec![change], author()).await.unwrap();
}

/// A shop with the client `app`, which has the key `key` and a secret.
async fn with_app(store: &dyn Store) -> Tenant {
    let tenant = open_shop(store).await;
    add_client(store, &tenant, "app", "shop").await;
    give_secret(store, &tenant, "app", "key", "hash").await.unwrap();
    tenant
}

async fn give_secret(
    store: &dyn Store,
    tenant: &Tenant,
    client: &str,
    key: &str,
    hash: &str,
) -> Result<String, Error> {
    let new = NewSecret { key: key.to_owned(), hash: hash.to_owned() };
    store.set_client_secret(tenant.id(), client, new, author()).await
}

/// A token of an hour that is told apart by this number, which is also when it was issued.
fn token(number: u16) -> NewToken {
    let mut hash = [0; 32];
    hash[..2].copy_from_slice(&number.to_be_bytes());
    let issued_at = now() + SignedDuration::from_secs(number.into());
    let expires_at = issued_at + SignedDuration::from_hours(1);
    NewToken { client: APP, hash: TokenHash(hash), issued_at, expires_at }
}

async fn keep(store: &dyn Store, tenant: &Tenant, new: &NewToken) {
    store.keep_token(tenant.id(), new.clone()).await.unwrap();
}

async fn is_known(store: &dyn Store, new: &NewToken) -> bool {
    store.token(new.hash).await.unwrap().is_some()
}

async fn a_password_that_is_changed_is_the_only_one(store: Arc<dyn Store>) {
    let tenant = open_shop(&*store).await;
    store.set_till_password(tenant.id(), "shop", hashes("new"), author()).await.unwrap();
    let credential = store.till_credential("shop").await.unwrap().unwrap();
    assert_eq!(credential.tenant, tenant.id());
    assert_eq!((credential.hashes.md5, credential.hashes.sha256), {
        let new = hashes("new");
        (new.md5, new.sha256)
    });
}

async fn a_till_of_another_organisation_is_not_there(store: Arc<dyn Store>) {
    let tenant = open_shop(&*store).await;
    let thief = set_up(&*store, shop("thief")).await;
    let refused = store.set_till_password(thief.id(), "shop", hashes("stolen"), author()).await;
    assert!(matches!(refused, Err(Error::NoSuch { kind: Kind::Tills, .. })), "{refused:?}");
    let credential = store.till_credential("shop").await.unwrap().unwrap();
    assert_eq!(credential.tenant, tenant.id());
    assert_eq!(credential.hashes.md5, hashes("shop").md5);
}

async fn a_client_has_a_key_once_it_has_a_secret(store: Arc<dyn Store>) {
    let tenant = open_shop(&*store).await;
    add_client(&*store, &tenant, "app", "shop").await;
    assert_eq!(store.client_key(tenant.id(), "app").await.unwrap(), None);
    assert_eq!(give_secret(&*store, &tenant, "app", "key", "hash").await.unwrap(), "key");
    assert_eq!(store.client_key(tenant.id(), "app").await.unwrap().as_deref(), Some("key"));
    let ClientCredential { tenant: found, client, secret_hash } =
        store.client_credential("key").await.unwrap().unwrap();
    assert_eq!((found, client, secret_hash.as_str()), (tenant.id(), APP, "hash"));
    assert!(store.client_credential("KEY").await.unwrap().is_none());
}

async fn a_client_keeps_its_key_when_its_secret_changes(store: Arc<dyn Store>) {
    let tenant = with_app(&*store).await;
    assert_eq!(give_secret(&*store, &tenant, "app", "other", "new").await.unwrap(), "key");
    let credential = store.client_credential("key").await.unwrap().unwrap();
    assert_eq!(credential.secret_hash, "new");
    assert!(store.client_credential("other").await.unwrap().is_none());
}

async fn a_key_belongs_to_one_client(store: Arc<dyn Store>) {
    let tenant = with_app(&*store).await;
    let other = set_up(&*store, shop("other")).await;
    add_client(&*store, &other, "app", "other").await;
    let refused = give_secret(&*store, &other, "app", "key", "stolen").await;
    assert!(matches!(refused, Err(Error::Taken(_))), "{refused:?}");
    let credential = store.client_credential("key").await.unwrap().unwrap();
    assert_eq!((credential.tenant, credential.secret_hash.as_str()), (tenant.id(), "hash"));
}

async fn a_client_that_is_not_there_has_nothing(store: Arc<dyn Store>) {
    with_app(&*store).await;
    let other = set_up(&*store, shop("other")).await;
    let is_refused = |error| matches!(error, Error::NoSuch { kind: Kind::ApiClients, .. });
    assert!(is_refused(give_secret(&*store, &other, "app", "k", "h").await.unwrap_err()));
    assert!(is_refused(store.client_key(other.id(), "app").await.unwrap_err()));
    assert!(is_refused(store.revoke_tokens(other.id(), "app", author()).await.unwrap_err()));
}

async fn a_token_is_known_until_it_is_revoked(store: Arc<dyn Store>) {
    let tenant = with_app(&*store).await;
    let [one, other] = [token(1), token(2)];
    assert_eq!(store.token(one.hash).await.unwrap(), None);
    keep(&*store, &tenant, &one).await;
    keep(&*store, &tenant, &other).await;
    let known = AccessToken { tenant: tenant.id(), client: APP, expires_at: one.expires_at };
    assert_eq!(store.token(one.hash).await.unwrap(), Some(known));
    assert!(store.revoke_token(one.hash).await.unwrap());
    assert!(!store.revoke_token(one.hash).await.unwrap());
    assert!(!is_known(&*store, &one).await && is_known(&*store, &other).await);
}

async fn another_secret_ends_the_tokens_before(store: Arc<dyn Store>) {
    let tenant = with_app(&*store).await;
    let [before, after] = [token(1), token(2)];
    keep(&*store, &tenant, &before).await;
    give_secret(&*store, &tenant, "app", "key", "new").await.unwrap();
    keep(&*store, &tenant, &after).await;
    assert!(!is_known(&*store, &before).await && is_known(&*store, &after).await);
}

async fn all_tokens_of_a_client_are_revoked_at_once(store: Arc<dyn Store>) {
    let tenant = with_app(&*store).await;
    add_client(&*store, &tenant, "other", "shop").await;
    let [first, second] = [token(1), token(2)];
    let other = NewToken { client: ApiClientId(2), ..token(3) };
    for token in [&first, &second, &other] {
        keep(&*store, &tenant, token).await;
    }
    assert_eq!(store.revoke_tokens(tenant.id(), "app", author()).await.unwrap(), 2);
    assert!(!is_known(&*store, &first).await && !is_known(&*store, &second).await);
    assert!(is_known(&*store, &other).await);
    let changes = store.changes(tenant.id(), None, 1).await.unwrap();
    assert_eq!(
        (changes[0].resource.as_str(), changes[0].name.as_str()),
        ("api_client_tokens", "app")
    );
    assert_eq!((&changes[0].before, &changes[0].after), (&None, &None));
}

async fn retiring_a_client_forgets_its_tokens(store: Arc<dyn Store>) {
    let tenant = with_app(&*store).await;
    add_client(&*store, &tenant, "other", "shop").await;
    let mut others = token(2);
    others.client = ApiClientId(2);
    for token in [&token(1), &others] {
        keep(&*store, &tenant, token).await;
    }
    let set_active = async |is_active| {
        let change = Change {
            kind: Kind::ApiClients,
            name: "app".to_owned(),
            expected: Expected::Existing,
            edit: Edit::Keep,
            is_active: Some(is_active),
        };
        store.apply(tenant.id(), vec![change], author()).await.unwrap();
    };
    set_active(true).await;
    assert!(is_known(&*store, &token(1)).await);
    set_active(false).await;
    assert!(!is_known(&*store, &token(1)).await);
    assert!(is_known(&*store, &others).await);
    set_active(true).await;
    assert!(!is_known(&*store, &token(1)).await);
    assert!(store.client_credential("key").await.unwrap().is_some(), "the secret stays");
}

async fn a_token_that_expired_is_known_for_a_day(store: Arc<dyn Store>) {
    let tenant = with_app(&*store).await;
    let old = token(1);
    keep(&*store, &tenant, &old).await;
    let issued = |after: SignedDuration, number| {
        let issued_at = old.expires_at + after;
        NewToken {
            issued_at,
            expires_at: issued_at + SignedDuration::from_hours(1),
            ..token(number)
        }
    };
    keep(&*store, &tenant, &issued(SignedDuration::from_hours(24), 2)).await;
    assert!(is_known(&*store, &old).await);
    let later = SignedDuration::from_hours(24) + SignedDuration::from_millis(1);
    keep(&*store, &tenant, &issued(later, 3)).await;
    assert!(!is_known(&*store, &old).await);
}

/// Whoever generates a token for each call leaves no more than a thousand behind.
async fn of_many_tokens_the_newest_are_kept(store: Arc<dyn Store>) {
    let tenant = with_app(&*store).await;
    let all: Vec<NewToken> = (0..1_003).map(token).collect();
    let mut kept = JoinSet::new();
    for token in all.clone() {
        let (store, tenant) = (Arc::clone(&store), tenant.id());
        kept.spawn(async move { store.keep_token(tenant, token).await.unwrap() });
    }
    kept.join_all().await;
    for (index, token) in all.iter().enumerate() {
        assert_eq!(is_known(&*store, token).await, index >= 3, "{index}");
    }
}

/// A token that is generated makes nobody look again: that happens all the time.
async fn what_is_remembered_is_told_to_look_again(store: Arc<dyn Store>) {
    let tenant = with_app(&*store).await;
    let token = token(1);
    let mut known = store.generation();
    let mut told = || {
        let before = std::mem::replace(&mut known, store.generation());
        before != known
    };
    keep(&*store, &tenant, &token).await;
    assert!(!told());
    store.set_till_password(tenant.id(), "shop", hashes("new"), author()).await.unwrap();
    assert!(told());
    store.revoke_token(token.hash).await.unwrap();
    assert!(told());
    store.revoke_tokens(tenant.id(), "app", author()).await.unwrap();
    assert!(told());
    give_secret(&*store, &tenant, "app", "key", "new").await.unwrap();
    assert!(told());
    add_client(&*store, &tenant, "other", "shop").await;
    assert!(told());
}

async fn secrets_and_tokens_outlast_the_store(place: crate::engines::Place) {
    let store = place.open();
    let tenant = with_app(&*store).await;
    let token = token(1);
    keep(&*store, &tenant, &token).await;
    store.close().await;
    let store = place.open();
    assert!(store.client_credential("key").await.unwrap().is_some());
    assert!(is_known(&*store, &token).await);
}
