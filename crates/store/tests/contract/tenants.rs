//! Organisations apart: what belongs to one is not there for another.

use std::collections::HashSet;
use std::sync::Arc;

use patron_rules::profile::Name;
use patron_store::Store;

use crate::given::{
    EARNED, all_three, balance, email, external_id, is_new_and_awarded, look_up, mobile, named,
    points, register, set_up, shop,
};

on_every_engine! {
    two_organisations_have_two_customers_of_one_identity,
    what_one_organisation_changes_the_other_does_not_see,
}

async fn two_organisations_have_two_customers_of_one_identity(store: Arc<dyn Store>) {
    let north = set_up(&*store, shop("north")).await;
    let south = set_up(&*store, shop("south")).await;
    let person = || all_three("919000000001", "a@b.in", "A-1");
    let in_north = register(&*store, &north, named("North", person())).await;
    let in_south = register(&*store, &south, named("South", person())).await;
    assert!(is_new_and_awarded(&in_north));
    assert!(is_new_and_awarded(&in_south));

    for by_one in [mobile("919000000001"), email("a@b.in"), external_id("A-1")] {
        let found = look_up(&*store, &north, by_one.clone()).await;
        assert_eq!(found.as_ref(), Some(&in_north.customer));
        let found = look_up(&*store, &south, by_one).await;
        assert_eq!(found.as_ref(), Some(&in_south.customer));
    }
}

async fn what_one_organisation_changes_the_other_does_not_see(store: Arc<dyn Store>) {
    let north = set_up(&*store, shop("north")).await;
    let south = set_up(&*store, shop("south")).await;
    // Ids are an organisation's own, so both may give the same ones: a mix-up would show here.
    let mut ids = HashSet::new();
    for number in 0..3 {
        let digits = format!("91900000000{number}");
        let plan = register(&*store, &north, named("North", mobile(&digits))).await;
        assert!(ids.insert(plan.customer.id));
        let plan = register(&*store, &south, named("South", mobile(&digits))).await;
        assert!(is_new_and_awarded(&plan));
    }
    for number in 0..3 {
        let digits = format!("91900000000{number}");
        let changed = all_three(&digits, &format!("{number}@b.in"), &digits);
        register(&*store, &north, named("Changed", changed)).await;

        let kept = look_up(&*store, &south, mobile(&digits)).await.unwrap();
        assert_eq!(kept.first_name, Name::parse("South"));
        assert_eq!(kept.identifiers, mobile(&digits).identifiers);
        assert_eq!(balance(&kept), points(EARNED));
        let unknown = register(&*store, &south, email(&format!("{number}@b.in"))).await;
        assert!(is_new_and_awarded(&unknown));
    }
}
