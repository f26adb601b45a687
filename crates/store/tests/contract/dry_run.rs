//! Registrations that do not count.

use std::sync::Arc;

use patron_rules::customer::CustomerId;
use patron_rules::decide::Decision;
use patron_rules::identifier::IdentifierKind;
use patron_store::{Lookup, Mode, Store};

use crate::given::{
    ORIGIN, all_three, audit, email, external_id, mobile, named, now, open_shop, register,
};

on_every_engine! {
    a_dry_run_decides_as_if_it_counted_and_leaves_nothing,
}

/// Had a rehearsal left an id, an identifier, an entry or anything else behind, the same customers would
/// come out otherwise when they count.
async fn a_dry_run_decides_as_if_it_counted_and_leaves_nothing(store: Arc<dyn Store>) {
    let tenant = open_shop(&*store).await;
    let known = register(&*store, &tenant, email("a@b.in")).await.customer;
    let batch = vec![
        mobile("919000000001"),
        mobile("919000000001"),
        named("Asha", email("a@b.in")),
        all_three("919000000002", "c@b.in", "A"),
    ];
    let recorded = audit(&*store, &tenant, known.id).await;
    let rehearse = || store.register(&tenant, batch.clone(), ORIGIN, now(), Mode::DryRun);
    let rehearsed = rehearse().await.unwrap();
    assert!(rehearsed[1].outcome.as_ref().unwrap().before.is_some(), "it sees the one before it");
    assert_eq!(rehearsed[2].outcome.as_ref().unwrap().before.as_ref(), Some(&known));
    let given = |decision: &Decision| decision.outcome.as_ref().unwrap().customer.id;
    assert_eq!(
        [given(&rehearsed[0]), given(&rehearsed[3])],
        [1, 2].map(|n| CustomerId(known.id.0 + n))
    );

    // More of them than there are ids in a block.
    let many: Vec<_> = (0..600).map(|n| external_id(&n.to_string())).collect();
    store.register(&tenant, many, ORIGIN, now(), Mode::DryRun).await.unwrap();
    assert_eq!(rehearse().await.unwrap(), rehearsed);
    for by in [
        Lookup::Identifier(IdentifierKind::Mobile, "919000000001".to_owned()),
        Lookup::Identifier(IdentifierKind::ExternalId, "A".to_owned()),
        Lookup::Id(given(&rehearsed[0])),
    ] {
        assert_eq!(store.find(&tenant, by).await.unwrap(), None);
    }
    let found = store.find(&tenant, Lookup::Id(known.id)).await.unwrap();
    assert_eq!(found.map(|found| found.customer), Some(known.clone()));
    assert_eq!(audit(&*store, &tenant, known.id).await, recorded);

    let counted = store.register(&tenant, batch.clone(), ORIGIN, now(), Mode::Apply).await.unwrap();
    assert_eq!(counted, rehearsed);
}
