//! Requests that are answered once: a repeat gets the first answer, and nothing comes of it.

use std::collections::HashSet;
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use patron_rules::customer::{Customer, CustomerId};
use patron_rules::decide::Decision;
use patron_rules::identifier::IdentifierKind;
use patron_rules::profile::Name;
use patron_rules::validate::Registration;
use patron_store::{Error, Lookup, Once, Registered, Store, Tenant};
use tokio::task::JoinSet;

use crate::engines::Place;
use crate::given::{
    Asked, EARNED, ORIGIN, audit, author, balance, change_settings, check_ledger, external_id,
    is_new_and_awarded, mobile, named, now, open_shop, points, register, set_up, shop, tenant_of,
};

/// How many ask at once.
const MANY: usize = 64;
const AN_HOUR: SignedDuration = SignedDuration::from_hours(1);

on_every_engine! {
    a_repeat_gets_the_first_answer_and_changes_nothing,
    an_answer_is_kept_as_it_was_written_whatever_is_in_it,
    the_same_key_with_another_content_is_refused,
    another_key_is_another_request,
    each_organisation_has_keys_of_its_own,
    an_answer_that_is_over_is_given_no_more,
    expired_answers_are_removed_and_others_stay,
    what_may_not_be_kept_is_refused_and_repeats_are_answered,
    a_long_answer_is_kept_in_little_room,
    a_request_of_which_nothing_came_is_not_kept,
    a_batch_of_which_some_came_is_kept_whole,
    of_many_at_once_one_is_carried_out,
    one_whose_answer_cannot_be_written_fails_alone,
    an_answer_outlives_a_change_of_the_organisation,
    a_request_that_was_validated_before_a_change_is_carried_out_once_it_is_validated_anew,
}

on_every_lasting_engine! {
    an_answer_is_there_after_opening_again,
}

/// A request of this key that asks for this content; its answer tells whom it found or made.
pub fn once(key: u8, content: u8) -> Once {
    let answer = |decisions: &[Decision]| format!("{:?}", ids(decisions)).into_bytes();
    Once {
        key: [key; 32],
        content: [content; 32],
        keep_for: AN_HOUR,
        may_keep: true,
        answer: Arc::new(answer),
    }
}

fn ids(decisions: &[Decision]) -> Vec<Option<CustomerId>> {
    let id = |decision: &Decision| Some(decision.outcome.as_ref().ok()?.customer.id);
    decisions.iter().map(id).collect()
}

pub async fn ask(
    store: &dyn Store,
    tenant: &Tenant,
    registrations: Vec<Registration>,
    once: Once,
) -> Result<Registered, Error> {
    store.register_once(tenant, registrations, ORIGIN, now(), once).await
}

/// What a request comes to that is carried out now.
async fn carried_out(
    store: &dyn Store,
    tenant: &Tenant,
    registrations: Vec<Registration>,
    once: Once,
) -> (Vec<Decision>, Vec<u8>) {
    let write = Arc::clone(&once.answer);
    match ask(store, tenant, registrations, once).await.unwrap() {
        Registered::Now { decisions, answer, kept_bytes } => {
            let is_kept = decisions.iter().any(|decision| decision.outcome.is_ok());
            assert_eq!(kept_bytes > 0, is_kept);
            assert_eq!(answer, write(&decisions));
            (decisions, answer)
        }
        Registered::Before(answer) => panic!("answered before: {answer:?}"),
    }
}

async fn found(store: &dyn Store, tenant: &Tenant, id: &str) -> Option<Customer> {
    let by = Lookup::Identifier(IdentifierKind::ExternalId, id.to_owned());
    store.find(tenant, by).await.unwrap().map(|found| found.customer)
}

async fn a_repeat_gets_the_first_answer_and_changes_nothing(store: Arc<dyn Store>) {
    let tenant = open_shop(&*store).await;
    let asked = vec![named("Asha", external_id("A"))];
    let (decisions, answer) = carried_out(&*store, &tenant, asked.clone(), once(1, 1)).await;
    let plan = decisions[0].outcome.as_ref().unwrap();
    assert!(is_new_and_awarded(plan));
    // Another request has changed the customer since: a repeat of the first must not undo that.
    register(&*store, &tenant, named("Ravi", external_id("A"))).await;
    let known = found(&*store, &tenant, "A").await.unwrap();
    let told = audit(&*store, &tenant, known.id).await;

    for _ in 0..3 {
        let again = ask(&*store, &tenant, asked.clone(), once(1, 1)).await.unwrap();
        assert_eq!(again, Registered::Before(answer.clone()));
    }
    let kept = found(&*store, &tenant, "A").await.unwrap();
    assert_eq!(kept, known);
    assert_eq!(kept.first_name, Name::parse("Ravi"));
    assert_eq!(balance(&kept), points(EARNED));
    assert_eq!(audit(&*store, &tenant, known.id).await, told);
    assert_eq!(check_ledger(&*store, "shop").await, (Some(1), Vec::new()));
}

async fn an_answer_is_kept_as_it_was_written_whatever_is_in_it(store: Arc<dyn Store>) {
    let tenant = open_shop(&*store).await;
    let every_byte: Vec<u8> = (0..=255).collect();
    let answers = [Vec::new(), every_byte.clone(), every_byte.repeat(10_000)];
    for (key, answer) in (1..).zip(answers) {
        let written = answer.clone();
        let request = || Once {
            answer: Arc::new({
                let written = written.clone();
                move |_: &[Decision]| written.clone()
            }),
            ..once(key, key)
        };
        let customer = || vec![external_id(&key.to_string())];
        carried_out(&*store, &tenant, customer(), request()).await;
        let again = ask(&*store, &tenant, customer(), request()).await.unwrap();
        assert!(again == Registered::Before(answer));
    }
}

async fn the_same_key_with_another_content_is_refused(store: Arc<dyn Store>) {
    let tenant = open_shop(&*store).await;
    let (_, answer) = carried_out(&*store, &tenant, vec![external_id("A")], once(1, 1)).await;
    let refused = ask(&*store, &tenant, vec![external_id("B")], once(1, 2)).await.unwrap_err();
    assert!(matches!(refused, Error::KeyReused), "{refused:?}");
    assert_eq!(found(&*store, &tenant, "B").await, None);
    // And the first answer is still there.
    let again = ask(&*store, &tenant, vec![external_id("A")], once(1, 1)).await.unwrap();
    assert_eq!(again, Registered::Before(answer));
}

async fn another_key_is_another_request(store: Arc<dyn Store>) {
    let tenant = open_shop(&*store).await;
    let (first, _) = carried_out(&*store, &tenant, vec![external_id("A")], once(1, 1)).await;
    let (second, _) = carried_out(&*store, &tenant, vec![external_id("A")], once(2, 1)).await;
    assert_eq!(ids(&first), ids(&second));
    assert!(!is_new_and_awarded(second[0].outcome.as_ref().unwrap()));
}

async fn each_organisation_has_keys_of_its_own(store: Arc<dyn Store>) {
    let north = set_up(&*store, shop("north")).await;
    let south = set_up(&*store, shop("south")).await;
    let (_, answer) = carried_out(&*store, &north, vec![external_id("A")], once(1, 1)).await;
    // Neither the answer nor that there is one.
    carried_out(&*store, &south, vec![external_id("B"), external_id("A")], once(1, 2)).await;
    let again = ask(&*store, &north, vec![external_id("A")], once(1, 1)).await.unwrap();
    assert_eq!(again, Registered::Before(answer));
}

/// At a time so long after the others.
async fn ask_after(
    store: &dyn Store,
    tenant: &Tenant,
    after: SignedDuration,
    once: Once,
) -> Result<Registered, Error> {
    let at: Timestamp = now() + after;
    store.register_once(tenant, vec![external_id("A")], ORIGIN, at, once).await
}

async fn an_answer_that_is_over_is_given_no_more(store: Arc<dyn Store>) {
    let tenant = open_shop(&*store).await;
    let (_, answer) = carried_out(&*store, &tenant, vec![external_id("A")], once(1, 1)).await;
    let last = AN_HOUR - SignedDuration::from_millis(1);
    let again = ask_after(&*store, &tenant, last, once(1, 1)).await.unwrap();
    assert_eq!(again, Registered::Before(answer));
    let other = ask_after(&*store, &tenant, last, once(1, 2)).await.unwrap_err();
    assert!(matches!(other, Error::KeyReused), "{other:?}");

    // Then the key is free, for this or for another request.
    let anew = ask_after(&*store, &tenant, AN_HOUR, once(1, 2)).await.unwrap();
    let Registered::Now { answer, .. } = anew else { panic!("{anew:?}") };
    let again = ask_after(&*store, &tenant, AN_HOUR + last, once(1, 2)).await.unwrap();
    assert_eq!(again, Registered::Before(answer));
}

/// More of one organisation than one transaction removes.
async fn expired_answers_are_removed_and_others_stay(store: Arc<dyn Store>) {
    let (north, south) =
        (set_up(&*store, shop("north")).await, set_up(&*store, shop("south")).await);
    let asking = |number: u16| {
        let [high, low] = number.to_be_bytes();
        let mut request = once(low, 1);
        request.key[0] = high;
        request
    };
    for number in 0..300 {
        carried_out(&*store, &north, vec![external_id("A")], asking(number)).await;
    }
    carried_out(&*store, &south, vec![external_id("A")], once(1, 1)).await;
    let half = AN_HOUR / 2;
    ask_after(&*store, &north, half, asking(300)).await.unwrap();
    let just_before = AN_HOUR - SignedDuration::from_millis(1);
    assert_eq!(store.remove_expired_answers(now() + just_before).await.unwrap(), 0);
    assert_eq!(store.remove_expired_answers(now() + AN_HOUR).await.unwrap(), 301);
    assert_eq!(store.remove_expired_answers(now() + AN_HOUR).await.unwrap(), 0);

    let again = ask_after(&*store, &north, half, asking(300)).await.unwrap();
    assert!(matches!(again, Registered::Before(_)));
    let removed = ask_after(&*store, &north, half, asking(0)).await.unwrap();
    assert!(matches!(removed, Registered::Now { .. }));
}

async fn what_may_not_be_kept_is_refused_and_repeats_are_answered(store: Arc<dyn Store>) {
    let tenant = open_shop(&*store).await;
    let (_, answer) = carried_out(&*store, &tenant, vec![external_id("A")], once(1, 1)).await;
    let full = |key| Once { may_keep: false, ..once(key, 1) };
    let refused = ask(&*store, &tenant, vec![external_id("B")], full(2)).await.unwrap_err();
    assert!(matches!(refused, Error::AnswersFull), "{refused:?}");
    assert_eq!(found(&*store, &tenant, "B").await, None);
    let again = ask(&*store, &tenant, vec![external_id("A")], full(1)).await.unwrap();
    assert_eq!(again, Registered::Before(answer));
    carried_out(&*store, &tenant, vec![external_id("B")], once(2, 1)).await;
}

async fn a_long_answer_is_kept_in_little_room(store: Arc<dyn Store>) {
    let tenant = open_shop(&*store).await;
    let long = "the answer for a batch has many members that are alike ".repeat(4_000);
    let written = long.clone();
    let answer = Arc::new(move |_: &[Decision]| written.clone().into_bytes());
    let request = Once { answer, ..once(1, 1) };
    let done = ask(&*store, &tenant, vec![external_id("A")], request).await.unwrap();
    let Registered::Now { answer, kept_bytes, .. } = done else { panic!("{done:?}") };
    assert_eq!(answer, long.as_bytes());
    assert!(kept_bytes < long.len() / 10, "{kept_bytes}");
    let again = ask(&*store, &tenant, vec![external_id("A")], once(1, 1)).await.unwrap();
    assert_eq!(again, Registered::Before(answer));
}

async fn a_request_of_which_nothing_came_is_not_kept(store: Arc<dyn Store>) {
    let tenant = open_shop(&*store).await;
    let refusing =
        change_settings(&*store, &tenant, &[("KNOWN_CUSTOMER", "REFUSE")]).await.unwrap();
    register(&*store, &refusing, external_id("A")).await;
    let (refused, _) = carried_out(&*store, &refusing, vec![external_id("A")], once(1, 1)).await;
    assert_eq!(ids(&refused), [None]);
    let (nobody, _) = carried_out(&*store, &refusing, Vec::new(), once(1, 1)).await;
    assert_eq!(ids(&nobody), []);
    // So the key is free for what is mended, and where the refusal does not hold any more.
    let (mended, answer) =
        carried_out(&*store, &refusing, vec![external_id("B")], once(1, 2)).await;
    assert_ne!(ids(&mended), [None]);
    let again = ask(&*store, &refusing, vec![external_id("B")], once(1, 2)).await.unwrap();
    assert_eq!(again, Registered::Before(answer.clone()));
    // Whoever repeats it and has nobody left who is valid gets the answer all the same.
    let again = ask(&*store, &refusing, Vec::new(), once(1, 2)).await.unwrap();
    assert_eq!(again, Registered::Before(answer));
}

async fn a_batch_of_which_some_came_is_kept_whole(store: Arc<dyn Store>) {
    let tenant = open_shop(&*store).await;
    let tenant = change_settings(&*store, &tenant, &[("KNOWN_CUSTOMER", "REFUSE")]).await.unwrap();
    register(&*store, &tenant, external_id("A")).await;
    let batch = || ["B", "A", "C"].map(external_id).to_vec();
    let (decisions, answer) = carried_out(&*store, &tenant, batch(), once(1, 1)).await;
    assert!(matches!(ids(&decisions)[..], [Some(_), None, Some(_)]));
    let again = ask(&*store, &tenant, batch(), once(1, 1)).await.unwrap();
    assert_eq!(again, Registered::Before(answer));
}

async fn of_many_at_once_one_is_carried_out(store: Arc<dyn Store>) {
    let tenant = open_shop(&*store).await;
    let mut tasks = JoinSet::new();
    for turn in 0..MANY {
        let (store, tenant) = (Arc::clone(&store), tenant.clone());
        // Each has an answer of its own, so that it shows whose was kept.
        let answer = move |_: &[Decision]| turn.to_string().into_bytes();
        let request = Once { answer: Arc::new(answer), ..once(1, 1) };
        tasks.spawn(async move {
            ask(&*store, &tenant, vec![mobile("919000000001")], request).await.unwrap()
        });
    }
    let (mut answers, mut carried_out) = (HashSet::new(), 0);
    for registered in tasks.join_all().await {
        answers.insert(match registered {
            Registered::Before(answer) => answer,
            Registered::Now { decisions, answer, .. } => {
                assert!(is_new_and_awarded(decisions[0].outcome.as_ref().unwrap()));
                carried_out += 1;
                answer
            }
        });
    }
    assert_eq!((answers.len(), carried_out), (1, 1));
}

/// Whatever panics is no reason for others to wait, or to be refused.
async fn one_whose_answer_cannot_be_written_fails_alone(store: Arc<dyn Store>) {
    let tenant = open_shop(&*store).await;
    let mut asked = Vec::new();
    for number in 0..9 {
        let (store, tenant) = (&*store, &tenant);
        let fails = number % 3 == 1;
        let answer = move |_: &[Decision]| if fails { panic!("on purpose") } else { Vec::new() };
        let once = Once { answer: Arc::new(answer), ..once(number, number) };
        let who = vec![external_id(&number.to_string())];
        let request = Box::pin(async move { ask(store, tenant, who, once).await });
        asked.push((number, fails, Asked::begin(request)));
    }
    for (number, fails, request) in asked {
        let done = request.done().await;
        assert_eq!(done.is_err(), fails, "{number}: {done:?}");
        let is_there = found(&*store, &tenant, &number.to_string()).await.is_some();
        assert_eq!(is_there, !fails, "{number}");
    }
    assert!(is_new_and_awarded(&register(&*store, &tenant, external_id("after")).await));
}

async fn an_answer_outlives_a_change_of_the_organisation(store: Arc<dyn Store>) {
    let before = open_shop(&*store).await;
    let (_, answer) = carried_out(&*store, &before, vec![external_id("A")], once(1, 1)).await;
    let after = change_settings(&*store, &before, &[("KNOWN_CUSTOMER", "REFUSE")]).await.unwrap();
    for tenant in [before, after] {
        let again = ask(&*store, &tenant, vec![external_id("A")], once(1, 1)).await.unwrap();
        assert_eq!(again, Registered::Before(answer.clone()));
    }
}

async fn a_request_that_was_validated_before_a_change_is_carried_out_once_it_is_validated_anew(
    store: Arc<dyn Store>,
) {
    let before = open_shop(&*store).await;
    let after = change_settings(&*store, &before, &[("STRICT_EXTRAS", "1")]).await.unwrap();
    let stale = ask(&*store, &before, vec![external_id("A")], once(1, 1)).await.unwrap_err();
    assert!(matches!(stale, Error::Stale), "{stale:?}");
    assert_eq!(found(&*store, &after, "A").await, None);
    let (decisions, _) = carried_out(&*store, &after, vec![external_id("A")], once(1, 1)).await;
    assert!(is_new_and_awarded(decisions[0].outcome.as_ref().unwrap()));
}

async fn an_answer_is_there_after_opening_again(place: Place) {
    let store = place.open();
    store.set_up(vec![shop("shop")], author()).await.unwrap();
    let tenant = tenant_of(&*store, "shop").await;
    let (_, answer) = carried_out(&*store, &tenant, vec![external_id("A")], once(1, 1)).await;
    store.close().await;
    drop(store);

    let store = place.open();
    let tenant = tenant_of(&*store, "shop").await;
    let again = ask(&*store, &tenant, vec![external_id("A")], once(1, 1)).await.unwrap();
    assert_eq!(again, Registered::Before(answer));
    let kept = found(&*store, &tenant, "A").await.unwrap();
    assert_eq!(balance(&kept), points(EARNED));
    store.close().await;
}
