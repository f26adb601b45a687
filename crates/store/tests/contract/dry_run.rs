//! Registrations that do not count.

use std::sync::Arc;

use patron_rules::identifier::IdentifierKind;
use patron_store::{Lookup, Mode, Store};

use crate::given::{ORIGIN, audit, email, mobile, now, open_shop, register};

on_every_engine! {
    a_dry_run_decides_as_if_it_counted_and_leaves_nothing,
}

async fn a_dry_run_decides_as_if_it_counted_and_leaves_nothing(store: Arc<dyn Store>) {
    let tenant = open_shop(&*store).await;
    let known = register(&*store, &tenant, email("a@b.in")).await.customer;
    let batch = vec![mobile("919000000001"), mobile("919000000001"), email("a@b.in")];
    let rehearsed =
        store.register(&tenant, batch.clone(), ORIGIN, now(), Mode::DryRun).await.unwrap();
    for decision in &rehearsed {
        let customer = decision.outcome.as_ref().unwrap().customer.id;
        let recorded = i64::from(customer == known.id);
        assert_eq!(audit(&*store, &tenant, customer).await.total, recorded);
    }
    let lookup = Lookup::Identifier(IdentifierKind::Mobile, "919000000001".to_owned());
    assert_eq!(store.find(&tenant, lookup).await.unwrap(), None);
    let counted = store.register(&tenant, batch, ORIGIN, now(), Mode::Apply).await.unwrap();
    // Ids may differ, since those of the rehearsal were not kept.
    for (one, other) in rehearsed.iter().zip(&counted) {
        let (one, other) = (one.outcome.as_ref().unwrap(), other.outcome.as_ref().unwrap());
        assert_eq!(one.before.is_some(), other.before.is_some());
        assert_eq!(one.side_effects, other.side_effects);
        assert_eq!(one.customer.identifiers, other.customer.identifiers);
    }
    assert!(rehearsed[1].outcome.as_ref().unwrap().before.is_some(), "it sees the one before it");
    assert_eq!(rehearsed[2].outcome.as_ref().unwrap().before, Some(known));
}
