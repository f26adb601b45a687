//! Checking a PostgreSQL database beside the processes that serve it.

use patron_store::maintenance::{Checked, Part, check_database};
use patron_store::{PostgresOptions, copy};
use rstest::rstest;

use crate::engines::{Engine, Place};
use crate::given::{external_id, register, tenant_of};
use crate::maintenance::{Said, fill};

fn options(place: &Place) -> PostgresOptions {
    match place.to_copy() {
        copy::Place::Postgres(options) => options,
        copy::Place::Directory(_) => panic!("not a database"),
    }
}

async fn check(place: &Place) -> Checked {
    check_database(&options(place), &mut Said::default()).await.unwrap()
}

async fn filled() -> Place {
    let place = Place::new(Engine::Postgres);
    let store = place.open();
    fill(&*store).await;
    store.close().await;
    place
}

#[tokio::test(flavor = "multi_thread")]
async fn finds_no_fault_while_it_is_served() {
    let place = filled().await;
    let store = place.open();
    let tenant = tenant_of(&*store, "shop").await;
    register(&*store, &tenant, external_id("A-5")).await;
    let checked = check(&place).await;
    assert!(checked.is_whole(), "{checked:?}");
    let looked_at = |part: &Part| (part.name, part.looked_at);
    assert_eq!(
        checked.parts.iter().map(looked_at).take(7).collect::<Vec<_>>(),
        [
            ("organisations", 1),
            ("ids of customers", 1),
            ("customers", 5),
            ("customers found by their identifiers", 5),
            ("customers merged into others", 5),
            ("audit of customers", 5),
            ("ledgers", 5),
        ]
    );
    store.close().await;
}

#[rstest]
#[case::identifier_is_gone(
    "DELETE FROM identifier WHERE value = 'A-4'",
    &["customers found by their identifiers: organisation 1, customer 100000004: \
       their external id leads to no customer"]
)]
#[case::identifier_leads_to_another(
    "UPDATE identifier SET customer_id = 100000003 WHERE value = 'A-4'",
    &["customers found by their identifiers: organisation 1, customer 100000004: \
       their external id leads to customer 100000003",
      "identifiers: organisation 1: one external id leads to customer 100000003, \
       who does not have it"]
)]
#[case::two_customers_with_one_identifier(
    "UPDATE customer SET mobile = '919000000003' WHERE customer_id = 100000004",
    &["customers found by their identifiers: organisation 1, customer 100000004: \
       their mobile number leads to customer 100000003"]
)]
#[case::identifier_of_a_kind_that_is_not_used(
    "UPDATE configuration
     SET document = jsonb_set(document::JSONB, '{CONF_USERS_IS_EMAIL_UNIQUE}', '\"0\"')::TEXT
     WHERE resource = 'settings'",
    &["identifiers: organisation 1: one email address leads to customer 100000002, \
       though customers are not looked up by that",
      "identifiers: organisation 1: one email address leads to customer 100000003, \
       though customers are not looked up by that"]
)]
#[case::customer_cannot_be_read(
    "UPDATE customer SET type = 'NONE' WHERE customer_id = 100000004",
    &["customers: organisation 1, customer 100000004: \
       the data cannot be understood: a customer of no known type"]
)]
#[case::balance_differs_from_its_entries(
    "UPDATE enrolment SET awarded = '0.31' WHERE customer_id = 100000004",
    &["ledgers: organisation 1, customer 100000004: \
       programme 7, points awarded: the balance is 0.31, the sum of its entries 0.3"]
)]
#[case::merged_into_no_customer(
    "UPDATE customer SET merged_into = 7 WHERE customer_id = 100000002",
    &["customers found by their identifiers: organisation 1, customer 100000001: \
       their email address leads to customer 7",
      "customers merged into others: organisation 1, customer 100000002: \
       they were merged into no customer",
      "rows of customers and organisations: organisation 1: `customer` names \
       customer 7 in merged_into, which does not exist (rows: 1)"]
)]
#[case::merged_in_a_circle(
    "UPDATE customer SET merged_into = 100000002 WHERE customer_id = 100000001",
    &["customers merged into others: organisation 1, customer 100000001: \
       their survivor was merged as well",
      "customers merged into others: organisation 1, customer 100000001: \
       what they were before they were merged is lost",
      "customers merged into others: organisation 1, customer 100000002: \
       their survivor was merged as well"]
)]
#[case::merge_is_gone(
    "DELETE FROM merge",
    &["customers merged into others: organisation 1, customer 100000002: \
       what they were before they were merged is lost"]
)]
#[case::audit_is_gone(
    "DELETE FROM audit_entry WHERE customer_id = 100000004",
    &["audit of customers: organisation 1, customer 100000004: the audit has no entry"]
)]
#[case::audit_has_a_gap(
    "DELETE FROM audit_entry WHERE customer_id = 100000001 AND entry = 1",
    &["audit of customers: organisation 1, customer 100000001: \
       the audit has 1 entries, up to number 2"]
)]
#[case::ids_would_be_given_again(
    "UPDATE id_block SET next_customer_id = 100000004",
    &["ids of customers: organisation 1: the next customers would be given ids that are taken"]
)]
#[case::configuration_cannot_be_read(
    "UPDATE configuration
     SET document = jsonb_set(document::JSONB, '{time_zone}', '\"Nowhere\"')::TEXT
     WHERE resource = 'organisation'",
    &["organisations: organisation 1: the data cannot be understood: \
       `organisation`: /time_zone: `Nowhere` is no IANA time zone"]
)]
#[case::organisation_is_gone(
    "DELETE FROM organisation; DELETE FROM id_block; DELETE FROM configuration_version;
     DELETE FROM configuration; DELETE FROM configuration_change; DELETE FROM till_credential;
     DELETE FROM identifier; DELETE FROM enrolment; DELETE FROM ledger_entry;
     DELETE FROM audit_entry; DELETE FROM merge; DELETE FROM card; DELETE FROM coupon",
    &["rows of customers and organisations: organisation 1: `customer` names organisation 1 in \
       organisation_id, which does not exist (rows: 4)"]
)]
#[tokio::test(flavor = "multi_thread")]
async fn names_what_is_broken(#[case] accident: &str, #[case] expected: &[&str]) {
    let place = filled().await;
    place.execute(accident).await;
    let checked = check(&place).await;
    let told = checked.parts.iter().flat_map(|part| {
        assert_eq!(part.faults, part.told.len() as u64);
        part.told.iter().map(|what| format!("{}: {what}", part.name))
    });
    assert_eq!(told.collect::<Vec<_>>(), expected);
    assert!(!checked.is_whole());
}
