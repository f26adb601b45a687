//! The audit: what changed, who asked for it, and by which request.

use std::slice;
use std::sync::Arc;

use patron_rules::audit::{Entry, Event, Field, Origin, RequestId, UserContext, changes};
use patron_rules::codes;
use patron_rules::customer::CustomerId;
use patron_rules::identifier::IdentifierKind;
use patron_rules::organisation::{ApiClientId, CallerId, TillId};
use patron_rules::profile::CustomerType;
use patron_rules::validate::Registration;
use patron_store::audit::{Order, Page, Query};
use patron_store::{Mode, Store, Tenant};

use crate::engines::Place;
use crate::given::{
    ORIGIN, all_three, audit, change_settings, email, external_id, instant, mobile, named, now,
    open_shop, register, register_all, set_up, shop, tenant_of,
};

on_every_engine! {
    each_change_is_recorded_with_who_asked_for_it,
    what_changes_nothing_is_not_recorded,
    of_a_refused_customer_nothing_is_recorded,
    every_customer_of_a_batch_has_an_entry,
    a_merge_is_recorded_under_both_customers,
    organisations_have_audits_of_their_own,
    nobody_has_an_empty_audit,
    pages_follow_each_other_in_both_orders,
    what_is_not_wanted_is_left_out_and_not_counted,
}

on_every_lasting_engine! {
    the_audit_outlasts_the_store,
}

async fn each_change_is_recorded_with_who_asked_for_it(store: Arc<dyn Store>) {
    let tenant = open_shop(&*store).await;
    let text = |text: &str| Some(text.to_owned());
    let everything = UserContext {
        entity_type: text("Intouch Admin User"),
        entity_id: text("3124587"),
        source: text("MEMBER_CARE"),
        source_id: text("Žofie \"O'Neil\" 李"),
    };
    let nothing_but_the_source = UserContext { source: text(""), ..UserContext::default() };
    let origins = [
        ORIGIN.clone(),
        Origin {
            request_id: RequestId(1),
            caller: CallerId::ApiClient(ApiClientId(3)),
            till: Some(TillId(99)),
            store: Some(5),
            user: Some(everything),
        },
        Origin {
            request_id: RequestId(0),
            till: None,
            user: Some(nothing_but_the_source),
            ..ORIGIN.clone()
        },
    ];
    let requests = [
        mobile("919000000001"),
        named("Asha", all_three("919000000001", "A@b.in", "A-1")),
        named("Ravi", external_id("A-1")),
    ];
    let mut expected = Vec::new();
    for ((second, origin), request) in (0..).zip(origins).zip(requests) {
        let at = instant(&format!("2025-06-01T12:00:0{second}.125Z"));
        let asked = store.register(&tenant, vec![request], &origin, at, Mode::Apply);
        let plan = asked.await.unwrap().remove(0).outcome.unwrap();
        let [changes]: [_; 1] = changes(&plan, tenant.organisation()).try_into().unwrap();
        expected.insert(0, Entry { at, origin, changes });
    }
    let customer = expected[0].changes.customer;
    let page = audit(&*store, &tenant, customer).await;
    assert_eq!(page, Page { total: 3, entries: expected, searched: None });
    let names = page
        .entries
        .iter()
        .flat_map(|entry| &entry.changes.events)
        .filter(|event| matches!(event, Event::Field(Field::FirstName, _)));
    assert_eq!(names.count(), 2);
}

async fn what_changes_nothing_is_not_recorded(store: Arc<dyn Store>) {
    let tenant = open_shop(&*store).await;
    let customer = register(&*store, &tenant, mobile("919000000001")).await.customer;
    let again = Registration {
        updated_at: Some(instant("2030-01-01T00:00:00Z")),
        ..mobile("919000000001")
    };
    register(&*store, &tenant, again).await;
    assert_eq!(audit(&*store, &tenant, customer.id).await.total, 1);
}

async fn of_a_refused_customer_nothing_is_recorded(store: Arc<dyn Store>) {
    let tenant = open_shop(&*store).await;
    let customer = register(&*store, &tenant, mobile("919000000001")).await.customer;
    let refused = Registration {
        customer_type: Some(CustomerType::NonLoyalty),
        ..named("Asha", mobile("919000000001"))
    };
    let outcomes = register_all(&*store, &tenant, vec![refused]).await;
    assert_eq!(outcomes[0].as_ref().unwrap_err().code, codes::LOYALTY_STAYS);
    assert_eq!(audit(&*store, &tenant, customer.id).await.total, 1);
}

async fn every_customer_of_a_batch_has_an_entry(store: Arc<dyn Store>) {
    let tenant = open_shop(&*store).await;
    let batch = vec![external_id("A"), external_id("B"), named("Asha", external_id("A"))];
    let outcomes = register_all(&*store, &tenant, batch).await;
    let ids: Vec<_> = outcomes.into_iter().map(|outcome| outcome.unwrap().customer.id).collect();
    for (customer, entries) in [(ids[0], 2), (ids[1], 1)] {
        let page = audit(&*store, &tenant, customer).await;
        assert_eq!(page.total, entries);
        assert!(page.entries.iter().all(|entry| entry.origin == *ORIGIN && entry.at == now()));
        assert!(page.entries.iter().all(|entry| entry.changes.customer == customer));
    }
}

async fn a_merge_is_recorded_under_both_customers(store: Arc<dyn Store>) {
    let tenant = open_shop(&*store).await;
    let merging = [("MERGE_ON_CONFLICT", "1")];
    let tenant = change_settings(&*store, &tenant, &merging).await.unwrap();
    let survivor = register(&*store, &tenant, mobile("919000000001")).await.customer;
    let victim = register(&*store, &tenant, named("Asha", email("a@b.in"))).await.customer;
    let mut both = all_three("919000000001", "a@b.in", "");
    both.identifiers.external_id = None;
    register(&*store, &tenant, both).await;

    let merge = Event::Merge { victim: victim.id, survivor: survivor.id };
    let under_victim = audit(&*store, &tenant, victim.id).await;
    assert_eq!(under_victim.total, 2);
    assert_eq!(under_victim.entries[0].changes.events, slice::from_ref(&merge));
    let under_survivor = audit(&*store, &tenant, survivor.id).await;
    assert_eq!(under_survivor.total, 2);
    let changes = &under_survivor.entries[0].changes;
    assert_eq!(changes.events[0], merge);
    assert!(matches!(changes.events[1], Event::Identifier(IdentifierKind::Email, _)));
    let persons = changes.merge.as_ref().unwrap();
    assert_eq!((&persons.victim, &persons.survivor), (&(&victim).into(), &(&survivor).into()));
    assert_eq!(under_victim.entries[0].changes.merge, changes.merge);
}

async fn organisations_have_audits_of_their_own(store: Arc<dyn Store>) {
    let north = set_up(&*store, shop("north")).await;
    let south = set_up(&*store, shop("south")).await;
    let customer = register(&*store, &north, named("North", mobile("919000000001"))).await.customer;
    assert_eq!(audit(&*store, &south, customer.id).await.total, 0);
    // Ids are an organisation's own, so both give the same one.
    let other = register(&*store, &south, named("South", mobile("919000000001"))).await.customer;
    assert_eq!(other.id, customer.id);
    for (tenant, name) in [(&north, "North"), (&south, "South")] {
        let page = audit(&*store, tenant, customer.id).await;
        assert_eq!(page.total, 1);
        assert!(format!("{:?}", page.entries).contains(name));
    }
}

async fn nobody_has_an_empty_audit(store: Arc<dyn Store>) {
    let tenant = open_shop(&*store).await;
    for id in [i64::MIN, -1, 0, 1, i64::MAX] {
        let page = audit(&*store, &tenant, CustomerId(id)).await;
        assert_eq!(page, Page { entries: Vec::new(), total: 0, searched: None });
    }
}

/// Registers a customer and changes their name so often that they have this many entries; returns
/// all of them, the oldest first.
async fn entries(store: &dyn Store, tenant: &Tenant, count: usize) -> Vec<Entry> {
    let name = |number: usize| if number.is_multiple_of(2) { "Asha" } else { "Ravi" };
    let batch = (0..count).map(|number| named(name(number), external_id("A"))).collect();
    let customer = register_all(store, tenant, batch).await.remove(0).unwrap().customer.id;
    let mut all = audit(store, tenant, customer).await.entries;
    assert_eq!(all.len(), count);
    all.reverse();
    all
}

async fn pages_follow_each_other_in_both_orders(store: Arc<dyn Store>) {
    let tenant = open_shop(&*store).await;
    let mut all = entries(&*store, &tenant, 23).await;
    let customer = all[0].changes.customer;
    for order in [Order::OldestFirst, Order::NewestFirst] {
        for limit in [1, 10, 23, 24] {
            let pages = all.chunks(usize::from(limit)).chain([&[][..]]);
            for (page, expected) in (0..).zip(pages) {
                let query = Query { customer, order, page, limit, keep: None };
                let expected = Page { entries: expected.to_vec(), total: 23, searched: None };
                assert_eq!(store.audit(&tenant, query).await.unwrap(), expected);
            }
        }
        let query = Query { customer, order, page: u32::MAX, limit: u16::MAX, keep: None };
        assert_eq!(store.audit(&tenant, query).await.unwrap().entries, []);
        all.reverse();
    }
}

async fn what_is_not_wanted_is_left_out_and_not_counted(store: Arc<dyn Store>) {
    let tenant = open_shop(&*store).await;
    let all = entries(&*store, &tenant, 9).await;
    let customer = all[0].changes.customer;
    let asha = |entry: &mut Entry| {
        entry.changes.events.retain(|event| {
            matches!(event, Event::Field(Field::FirstName, change)
            if change.after.as_deref() == Some("Asha"))
        });
        !entry.changes.events.is_empty()
    };
    let mut expected = all;
    expected.retain_mut(asha);
    assert_eq!(expected.len(), 5);
    for order in [Order::OldestFirst, Order::NewestFirst] {
        for (page, places) in [(0, 0..2), (1, 2..4), (2, 4..5), (3, 5..5)] {
            let query = Query { customer, order, page, limit: 2, keep: Some(Arc::new(asha)) };
            let entries = expected[places].to_vec();
            let expected = Page { entries, total: 5, searched: None };
            assert_eq!(store.audit(&tenant, query).await.unwrap(), expected);
        }
        expected.reverse();
    }
}

async fn the_audit_outlasts_the_store(place: Place) {
    let store = place.open();
    let tenant = open_shop(&*store).await;
    let before = entries(&*store, &tenant, 3).await;
    store.close().await;
    drop(store);

    let store = place.open();
    let tenant = tenant_of(&*store, "shop").await;
    let customer = before[0].changes.customer;
    register(&*store, &tenant, named("Zofie", external_id("A"))).await;
    let mut after = audit(&*store, &tenant, customer).await.entries;
    after.reverse();
    assert_eq!(after[..3], before);
    assert_eq!(after.len(), 4, "it goes on where it ended");
    store.close().await;
}
