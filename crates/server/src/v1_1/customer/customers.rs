//! The customers of a request: validated one by one, and answered for in the order in which they came.

use std::borrow::Cow;

use jiff::Timestamp;
use patron_rules::attribution::PostedAs;
use patron_rules::codes::{self, Failure};
use patron_rules::decide::Decision;
use patron_rules::identifier::Identifiers;
use patron_rules::organisation::{Organisation, TillId};
use patron_rules::settings::Settings;
use patron_rules::submission::Submission;
use patron_rules::trace::Trace;
use patron_rules::validate::{Registration, Validated, validate};

use super::decoded::Decoded;
use super::explain::explain;
use super::place::Place;
use super::response;
use crate::v1_1::envelope::Envelope;

/// One customer, once they are validated.
struct Item {
    submission: Submission,
    place: Place,
    /// The identifiers that are valid, as they are compared.
    identifiers: Identifiers,
    /// What validation decided.
    trace: Trace,
    refusal: Option<Failure>,
    /// The registration, for a caller who may not read customers: the reply about a known customer then
    /// has no other values.
    sent_only: Option<Registration>,
}

/// All of them, in order.
#[derive(Default)]
pub struct Customers {
    items: Vec<Item>,
    /// The till as which the request is posted: the reply's times are in its zone.
    till: TillId,
}

impl Customers {
    /// Reads and validates each customer by the organisation's rules, and returns a registration for
    /// each valid one. `client_calling_code` is that of mobile numbers without one. `may_read` says
    /// whether the caller may read customers.
    #[must_use]
    pub fn validated(
        batch: &Decoded<'_>,
        organisation: &Organisation,
        posted_as: PostedAs,
        client_calling_code: Option<u16>,
        may_read: bool,
        now: Timestamp,
    ) -> (Self, Vec<Registration>) {
        let mut valid = Vec::with_capacity(batch.count());
        let Settings { strict_extras, warn_extras, .. } = organisation.settings;
        let customers = batch.customers(strict_extras || warn_extras).into_iter();
        let items = customers.map(|(submission, place)| {
            let submission = Submission { client_calling_code, ..submission };
            let Validated { identifiers, trace, outcome } =
                validate(&submission, organisation, posted_as, now);
            let sent_only = outcome.as_ref().ok().filter(|_| !may_read).cloned();
            let refusal = outcome.map(|registration| valid.push(registration)).err();
            Item { submission, place, identifiers, trace, refusal, sent_only }
        });
        let items = items.collect();
        (Self { items, till: posted_as.unwrap_or_default() }, valid)
    }

    /// What became of each customer: what the store decided of those who were valid, and why the
    /// others were not.
    pub(super) fn in_order<'a>(&self, decisions: &'a [Decision]) -> Vec<Cow<'a, Decision>> {
        let refused = |failure: Failure| Cow::Owned(failure.into());
        let mut decisions = decisions.iter();
        let decision = |item: &Item| match &item.refusal {
            Some(failure) => refused(failure.clone()),
            None => match decisions.next() {
                Some(decision) => Cow::Borrowed(decision),
                None => refused(codes::UNEXPECTED_ITEM.into()),
            },
        };
        self.items.iter().map(decision).collect()
    }

    /// The JSON of the answer, where the store decided so; explained, if that was asked for.
    #[must_use]
    pub fn answer(
        &self,
        decisions: &[Decision],
        organisation: &Organisation,
        explained: bool,
    ) -> Vec<u8> {
        let decisions = self.in_order(decisions);
        let zone = organisation.time_zone_of(self.till);
        let succeeded = decisions.iter().filter(|decision| decision.outcome.is_ok()).count();
        let added = |(item, decision): (&Item, &Cow<'_, Decision>)| {
            let Item { submission, place, identifiers, trace, sent_only, .. } = item;
            let settings = &organisation.settings;
            let explanation =
                explained.then(|| explain(place, identifiers, trace, decision, settings));
            let (outcome, sent_only) = (&decision.outcome, sent_only.as_ref());
            response::item(submission, place, outcome, sent_only, organisation, zone, explanation)
        };
        let items = self.items.iter().zip(&decisions).map(added).collect();
        // An envelope can always be written.
        serde_json::to_vec(&Envelope::of(items, succeeded)).unwrap_or_default()
    }
}
