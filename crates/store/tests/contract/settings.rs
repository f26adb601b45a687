//! Settings that change while customers are registered.

use std::collections::BTreeSet;
use std::sync::Arc;

use futures_util::future::join_all;
use patron_rules::identifier::{IdentifierKind, Identifiers};
use patron_rules::organisation::Kind;
use patron_rules::validate::Registration;
use patron_store::{Change, Edit, Error, Expected, Lookup, Mode, Store, Tenant};

use crate::given::{
    ORIGIN, all_three, author, by, change_settings, email, external_id, mobile, now, open_shop,
    register, set_up, shop, tenant_of,
};

on_every_engine! {
    what_is_changed_holds_from_then_on,
    what_contradicts_itself_changes_nothing,
    an_organisation_loaded_before_a_change_registers_nobody,
    a_change_of_one_organisation_leaves_registrations_of_another,
    many_changes_at_once_each_apply,
    emails_that_are_not_unique_find_nobody_and_are_claimed_when_they_are,
    a_merged_customers_email_leads_to_the_survivor_whatever_was_switched,
    rules_by_which_stored_numbers_would_be_others_are_refused,
    shared_emails_lead_to_their_holders,
    shared_emails_of_merged_customers_lead_to_the_survivor,
}

async fn change(store: &dyn Store, changes: &[(&str, &str)]) -> Result<Tenant, Error> {
    change_settings(store, &tenant_of(store, "shop").await, changes).await
}

async fn what_is_changed_holds_from_then_on(store: Arc<dyn Store>) {
    open_shop(&*store).await;
    let changes = [("CONF_ALLOW_EMAIL_UPDATE", "1"), ("BATCH_LIMIT", "7")];
    let tenant = change(&*store, &changes).await.unwrap();
    let settings = &tenant.organisation().settings;
    assert!(settings.allow_email_update);
    assert_eq!(settings.batch_limit, 7);
}

async fn what_contradicts_itself_changes_nothing(store: Arc<dyn Store>) {
    let before = open_shop(&*store).await.organisation().settings.clone();
    let changes = [("BATCH_LIMIT", "7"), ("CONF_REGISTRATION_PRIMARY_KEY_REQUIRED", "1")];
    let refused = change(&*store, &changes).await;
    assert!(matches!(refused, Err(Error::Invalid(_))));
    let refused = change(&*store, &[("BATCH_LIMIT", "7"), ("NOTHING", "1")]).await;
    let Err(Error::Invalid(refused)) = refused else { panic!("{refused:?}") };
    assert_eq!(refused[0].invalid.pointer, "/NOTHING");
    assert_eq!(tenant_of(&*store, "shop").await.organisation().settings, before);
}

/// Else a registration could slip past a rule that holds already.
async fn an_organisation_loaded_before_a_change_registers_nobody(store: Arc<dyn Store>) {
    let old = open_shop(&*store).await;
    let current = change(&*store, &[("CONF_USERS_IS_EMAIL_UNIQUE", "0")]).await.unwrap();
    let late = store.register(&old, vec![mobile("919000000001")], ORIGIN, now(), Mode::Apply).await;
    assert!(matches!(late, Err(Error::Stale)));
    assert!(register(&*store, &current, mobile("919000000001")).await.before.is_none());
}

async fn a_change_of_one_organisation_leaves_registrations_of_another(store: Arc<dyn Store>) {
    open_shop(&*store).await;
    store.set_up(vec![shop("other")], author()).await.unwrap();
    let other = tenant_of(&*store, "other").await;
    change(&*store, &[("BATCH_LIMIT", "7")]).await.unwrap();
    assert!(register(&*store, &other, mobile("919000000001")).await.before.is_none());
}

/// Each is decided on what the others left, however often it has to be decided anew.
async fn many_changes_at_once_each_apply(store: Arc<dyn Store>) {
    let shop = open_shop(&*store).await;
    let names: Vec<String> = (0..12).map(|number| format!("zone {number}")).collect();
    let changes = names.iter().map(|name| {
        let change = Change {
            kind: Kind::Zones,
            name: name.clone(),
            expected: Expected::Nothing,
            edit: Edit::Replace(format!(r#"{{"name":"{name}"}}"#)),
            is_active: None,
        };
        store.apply(shop.id(), vec![change], author())
    });
    for changed in join_all(changes).await {
        changed.unwrap();
    }
    let zones = store.resources(shop.id(), Kind::Zones, "", 100).await.unwrap();
    let stored: BTreeSet<_> = zones.into_iter().map(|zone| zone.document.name).collect();
    assert_eq!(stored, names.into_iter().collect());
}

async fn emails_that_are_not_unique_find_nobody_and_are_claimed_when_they_are(
    store: Arc<dyn Store>,
) {
    open_shop(&*store).await;
    let not_unique = [("CONF_USERS_IS_EMAIL_UNIQUE", "0"), ("CONF_ALLOW_EMAIL_UPDATE", "1")];
    let tenant = change(&*store, &not_unique).await.unwrap();
    let with_email = |digits: &str, address: &str| {
        by(Identifiers {
            mobile: mobile(digits).identifiers.mobile,
            email: email(address).identifiers.email,
            ..Identifiers::default()
        })
    };
    let one = register(&*store, &tenant, with_email("919000000001", "Family@b.in")).await;
    let two = register(&*store, &tenant, with_email("919000000002", "family@B.in")).await;
    assert_ne!(one.customer.id, two.customer.id);
    let lookup = || Lookup::Identifier(IdentifierKind::Email, "family@b.in".to_owned());
    assert_eq!(store.find(&tenant, lookup()).await.unwrap(), None);

    let clash = change(&*store, &[("CONF_USERS_IS_EMAIL_UNIQUE", "1")]).await;
    assert!(matches!(clash, Err(Error::Clash { kind: IdentifierKind::Email, count: 1 })));
    register(&*store, &tenant, with_email("919000000002", "own@b.in")).await;
    let tenant = change(&*store, &[("CONF_USERS_IS_EMAIL_UNIQUE", "1")]).await.unwrap();
    let found = store.find(&tenant, lookup()).await.unwrap().unwrap();
    assert_eq!(found.customer.id, one.customer.id);
    // And belongs to that customer alone from then on.
    let again = register(&*store, &tenant, email("FAMILY@b.in")).await;
    assert_eq!(again.customer.id, one.customer.id);
    assert!(register(&*store, &tenant, external_id("A")).await.before.is_none());
}

async fn a_merged_customers_email_leads_to_the_survivor_whatever_was_switched(
    store: Arc<dyn Store>,
) {
    open_shop(&*store).await;
    let tenant = change(&*store, &[("MERGE_ON_CONFLICT", "1")]).await.unwrap();
    let survivor = register(&*store, &tenant, all_three("919000000001", "a@b.in", "A")).await;
    register(&*store, &tenant, all_three("919000000002", "b@b.in", "B")).await;
    let mut together = all_three("919000000001", "a@b.in", "B");
    together.identifiers.email = None;
    assert_eq!(register(&*store, &tenant, together).await.merged.len(), 1);
    change(&*store, &[("CONF_USERS_IS_EMAIL_UNIQUE", "0")]).await.unwrap();
    let tenant = change(&*store, &[("CONF_USERS_IS_EMAIL_UNIQUE", "1")]).await.unwrap();
    let again = register(&*store, &tenant, email("b@b.in")).await;
    assert_eq!(again.customer.id, survivor.customer.id);
}

/// Else somebody who comes again would be somebody new.
async fn rules_by_which_stored_numbers_would_be_others_are_refused(store: Arc<dyn Store>) {
    open_shop(&*store).await;
    let tenant = change(&*store, &[("MOBILE_VALIDATION", "GENERIC")]).await.unwrap();
    register(&*store, &tenant, mobile("9876543210")).await;
    let refused = change(&*store, &[("MOBILE_VALIDATION", "COUNTRY"), ("COUNTRY", "IN")]).await;
    assert!(matches!(refused, Err(Error::Reread { count: 1 })));
    // A number is completed in the same way under every validation.
    let refused = change(&*store, &[("COUNTRY", "DE"), ("SUPPORTED_COUNTRIES", "IN")]).await;
    assert!(matches!(refused, Err(Error::Reread { count: 1 })));
    change(&*store, &[("MOBILE_VALIDATION", "OFF")]).await.unwrap();
}

/// The numbers of the customers who share an address, and whether a merge leads to them.
async fn sharing(store: &dyn Store, tenant: &Tenant, address: &str) -> Vec<(i64, bool)> {
    let found = store.sharing_email(tenant, address).await.unwrap();
    found.into_iter().map(|found| (found.customer.id.0, found.through_merge)).collect()
}

fn with_email(digits: &str, address: &str) -> Registration {
    let mut registration = all_three(digits, address, "unused");
    registration.identifiers.external_id = None;
    registration
}

async fn shared_emails_lead_to_their_holders(store: Arc<dyn Store>) {
    open_shop(&*store).await;
    let tenant = tenant_of(&*store, "shop").await;
    let early = register(&*store, &tenant, with_email("919000000001", "Early@b.in")).await;
    let early = early.customer.id.0;
    assert_eq!(sharing(&*store, &tenant, "early@b.in").await, []);
    let shared = [("CONF_USERS_IS_EMAIL_UNIQUE", "0"), ("CONF_ALLOW_EMAIL_UPDATE", "1")];
    let tenant = change(&*store, &shared).await.unwrap();
    assert_eq!(sharing(&*store, &tenant, "early@b.in").await, [(early, false)]);

    let mut ids = Vec::new();
    for last in 2..=4 {
        let registration = with_email(&format!("91900000000{last}"), "Family@b.in");
        ids.push(register(&*store, &tenant, registration).await.customer.id.0);
    }
    let first_two = [(ids[0], false), (ids[1], false)];
    assert_eq!(sharing(&*store, &tenant, "family@b.in").await, first_two);
    for last in 3..=4 {
        let own = with_email(&format!("91900000000{last}"), &format!("own{last}@b.in"));
        register(&*store, &tenant, own).await;
    }
    assert_eq!(sharing(&*store, &tenant, "family@b.in").await, [(ids[0], false)]);
    assert_eq!(sharing(&*store, &tenant, "own3@b.in").await, [(ids[1], false)]);
    // What is only rehearsed is not shared, and what one organisation has another does not find.
    let rehearsed = vec![with_email("919000000009", "rehearsed@b.in")];
    store.register(&tenant, rehearsed, ORIGIN, now(), Mode::DryRun).await.unwrap();
    assert_eq!(sharing(&*store, &tenant, "rehearsed@b.in").await, []);
    let other = set_up(&*store, shop("other")).await;
    assert_eq!(sharing(&*store, &other, "family@b.in").await, []);

    let tenant = change(&*store, &[("CONF_USERS_IS_EMAIL_UNIQUE", "1")]).await.unwrap();
    assert_eq!(sharing(&*store, &tenant, "family@b.in").await, []);
}

async fn shared_emails_of_merged_customers_lead_to_the_survivor(store: Arc<dyn Store>) {
    open_shop(&*store).await;
    let shared = [("CONF_USERS_IS_EMAIL_UNIQUE", "0"), ("MERGE_ON_CONFLICT", "1")];
    let tenant = change(&*store, &shared).await.unwrap();
    let survivor = register(&*store, &tenant, with_email("919000000001", "a@b.in")).await;
    let survivor = survivor.customer.id.0;
    register(&*store, &tenant, all_three("919000000002", "b@b.in", "B")).await;
    let mut together = all_three("919000000001", "a@b.in", "B");
    together.identifiers.email = None;
    assert_eq!(register(&*store, &tenant, together).await.merged.len(), 1);
    assert_eq!(sharing(&*store, &tenant, "a@b.in").await, [(survivor, false)]);
    assert_eq!(sharing(&*store, &tenant, "b@b.in").await, [(survivor, true)]);
    // A customer who has the address themselves goes first.
    let holder = register(&*store, &tenant, with_email("919000000003", "b@b.in")).await;
    assert_eq!(sharing(&*store, &tenant, "b@b.in").await, [(holder.customer.id.0, false)]);
}
