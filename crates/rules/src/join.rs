//! Entering a programme: a loyalty customer who is not enrolled in the default one yet is, and earns
//! what that earns.

use crate::award::{self, Arrival, Earnings, SideEffect};
use crate::codes::{self, Warning};
use crate::coupon::Coupon;
use crate::customer::{Customer, CustomerId, Enrolment};
use crate::decide::{Facts, Merging};
use crate::enrol::{self, enrol};
use crate::ledger::LedgerEntry;
use crate::organisation::{Occasion, Organisation, Programme, ProgrammeId, TillId};
use crate::profile::{CustomerType, Source};
use crate::validate::Registration;

/// How somebody comes who may enter a programme.
pub(crate) struct Comer {
    /// The type that they had; `None` of one who is new.
    before: Option<CustomerType>,
    source: Option<Source>,
    account: Option<String>,
    till: TillId,
}

/// What entering a programme brings about.
#[derive(Default)]
pub(crate) struct Joined {
    pub(crate) referrer: Option<(CustomerId, Enrolment)>,
    pub(crate) coupons: Vec<Coupon>,
    pub(crate) ledger: Vec<LedgerEntry>,
    pub(crate) side_effects: Vec<SideEffect>,
    pub(crate) warnings: Vec<Warning>,
}

impl Comer {
    pub(crate) fn of(registration: &Registration, before: Option<CustomerType>) -> Self {
        Self {
            before,
            source: registration.source.clone(),
            account: registration.account_id.clone(),
            till: registration.registered_till,
        }
    }

    /// Enrols the customer, where they are to be and are not yet. "LOYALTY = enrolled in the
    /// program."
    pub(crate) fn join(
        &self,
        customer: &mut Customer,
        organisation: &Organisation,
        facts: &Facts,
        merging: &Merging,
    ) -> Joined {
        if customer.customer_type != CustomerType::Loyalty || organisation.programmes.is_empty() {
            return Joined::default();
        }
        let Some(programme) = organisation.default_programme() else {
            let warnings = vec![codes::NOT_ENROLLED.into()];
            return Joined { warnings, ..Joined::default() };
        };
        if customer.enrolments.iter().any(|held| held.programme == programme.id) {
            return Joined::default();
        }
        let referrer = referrer(customer, facts, merging);
        let arrival = self.arrival(customer, organisation, facts, referrer.is_some());
        let earnings = before_awards(customer, programme, organisation, facts, referrer);
        let earned = award::award(&arrival, programme, organisation, &merging.awards, earnings);
        let Earnings { enrolment, referrer, coupons, ledger, side_effects, warnings, .. } = earned;
        let is_rewarded = ledger.iter().any(|entry| entry.customer != customer.id);
        customer.enrolments.push(enrolment);
        enrol::settle(customer, organisation, facts.now);
        let referrer = referrer.filter(|_| is_rewarded);
        Joined { referrer, coupons, ledger, side_effects, warnings }
    }

    fn arrival<'a>(
        &'a self,
        customer: &'a Customer,
        organisation: &'a Organisation,
        facts: &Facts,
        is_referred: bool,
    ) -> Arrival<'a> {
        let till = organisation.tills.with_id(self.till.0);
        let moment = self.before.map_or(customer.registered_at, |_| facts.now);
        Arrival {
            occasion: self.before.map_or(Occasion::Registration, |_| Occasion::Conversion),
            came_as: self.before.unwrap_or(CustomerType::Loyalty),
            source: self.source.as_ref().unwrap_or(&customer.source),
            account: self.account.as_deref().or(customer.account_id.as_deref()),
            till: till.map(|till| till.name.as_str()),
            store: till.and_then(|till| till.store.as_deref()),
            day: organisation.time_zone_of(self.till).to_datetime(moment).date(),
            today: organisation.details.time_zone.to_datetime(facts.now).date(),
            is_referred,
            customer,
        }
    }
}

/// Whoever referred the customer. Nobody refers themselves, nor does whoever is merged into them.
fn referrer<'a>(customer: &Customer, facts: &'a Facts, merging: &Merging) -> Option<&'a Customer> {
    let found = &facts.referrer.as_ref()?.customer;
    let is_other =
        found.id != customer.id && merging.merged.iter().all(|one| one.before.id != found.id);
    is_other.then_some(found)
}

/// What there is before anything is awarded.
fn before_awards(
    customer: &Customer,
    programme: &Programme,
    organisation: &Organisation,
    facts: &Facts,
    referrer: Option<&Customer>,
) -> Earnings {
    let zone = &organisation.details.time_zone;
    Earnings {
        enrolment: enrol(programme, customer.registered_at, facts.now, zone),
        referrer: referrer.and_then(|referrer| place_of(referrer, programme.id)),
        candidates: facts.candidates.coupons.clone(),
        coupons: Vec::new(),
        ledger: Vec::new(),
        side_effects: Vec::new(),
        warnings: Vec::new(),
    }
}

fn place_of(customer: &Customer, programme: ProgrammeId) -> Option<(CustomerId, Enrolment)> {
    let held = customer.enrolments.iter().find(|held| held.programme == programme);
    Some((customer.id, held?.clone()))
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;
    use rstest::rstest;

    use super::*;
    use crate::candidates::Candidates;
    use crate::card::CardFacts;
    use crate::decide::{Plan, Referrer, decide};
    use crate::identifier::IdentifierKind;
    use crate::organisation::Kind;
    use crate::resolve::{Holder, Holders};
    use crate::submission::Submission;
    use crate::validate::validate;

    const TILL: TillId = TillId(1);

    /// In Kolkata, with a till in a store in New York, and a rule with this condition.
    fn organisation(when: &str) -> Organisation {
        let rule = format!(
            r#"{{"name":"r","when":{when},"effects":[{{"type":"points","points":1}},
                {{"type":"referrer_points","points":1}}]}}"#
        );
        let mut organisation = Organisation::default();
        for (kind, json) in [
            (Kind::Organisation, r#"{"name":"shop","time_zone":"Asia/Kolkata"}"#),
            (Kind::Stores, r#"{"name":"s1","time_zone":"America/New_York"}"#),
            (Kind::Tills, r#"{"name":"t1","id":1,"store":"s1"}"#),
            (Kind::Programmes, r#"{"name":"P","id":1,"is_default":true}"#),
            (Kind::RewardRules, &rule),
        ] {
            organisation.documents_mut(kind).put(json).unwrap();
        }
        organisation.check().unwrap();
        organisation
    }

    fn now() -> Timestamp {
        "2026-01-15T05:00:00Z".parse().unwrap()
    }

    /// A customer of external id `A`, with what else is sent of them.
    fn sent(change: impl FnOnce(&mut Submission)) -> Submission {
        let mut submission =
            Submission { external_id: Some("A".to_owned()), ..Submission::default() };
        change(&mut submission);
        submission
    }

    fn facts(known: Option<&Customer>) -> Facts {
        let mut holders = Holders::default();
        if let Some(customer) = known {
            let (kind, customer) = (IdentifierKind::ExternalId, customer.id);
            holders.add(Holder { kind, customer, through_merge: false });
        }
        Facts {
            holders,
            customers: known.cloned().into_iter().collect(),
            awards: Vec::new(),
            next_id: CustomerId(1),
            now: now(),
            referrer: None,
            cards: CardFacts::default(),
            candidates: Candidates::default(),
        }
    }

    fn register(organisation: &Organisation, submission: &Submission, facts: &Facts) -> Plan {
        let registration = validate(submission, organisation, Ok(TILL), now()).outcome.unwrap();
        decide(organisation, registration, facts).outcome.unwrap()
    }

    fn is_awarded(plan: &Plan) -> bool {
        !plan.side_effects.is_empty()
    }

    /// The day of a new customer's registration, local to its till, is what counts.
    #[rstest]
    #[case(r#"{"from":"2024-08-01","to":"2024-08-01"}"#, true)]
    #[case(r#"{"from":"2024-08-02"}"#, false)]
    #[case(r#"{"to":"2024-07-31"}"#, false)]
    #[case(r#"{"stores":["s1"],"tills":["t1"]}"#, true)]
    #[case(r#"{"occasion":"registration","types":["LOYALTY"],"sources":["WECHAT"]}"#, true)]
    #[case(r#"{"occasion":"conversion"}"#, false)]
    #[case(r#"{"accounts":["acc"]}"#, true)]
    fn one_who_is_new(#[case] when: &str, #[case] expected: bool) {
        // The second of August in Kolkata.
        let submission = sent(|sent| {
            sent.registered_on = Some("2024-08-01T23:00:00-04:00".to_owned());
            sent.source = Some("WeChat".to_owned());
            sent.account_id = Some("acc".to_owned());
        });
        let plan = register(&organisation(when), &submission, &facts(None));
        assert_eq!(is_awarded(&plan), expected);
    }

    /// Of one who was known, the day on which they become a loyalty customer, and how they come then.
    #[rstest]
    #[case(r#"{"from":"2026-01-15","to":"2026-01-15"}"#, true)]
    #[case(r#"{"to":"2026-01-14"}"#, false)]
    #[case(r#"{"occasion":"conversion","types":["NOT_INTERESTED"]}"#, true)]
    #[case(r#"{"types":["LOYALTY"]}"#, false)]
    #[case(r#"{"occasion":"registration"}"#, false)]
    #[case(r#"{"sources":["WECHAT"]}"#, true)]
    #[case(r#"{"sources":["INSTORE"]}"#, false)]
    fn one_who_was_known(#[case] when: &str, #[case] expected: bool) {
        let organisation = organisation(when);
        let first = sent(|sent| {
            sent.customer_type = Some("not_interested".to_owned());
            sent.registered_on = Some("2024-08-01 12:00:00".to_owned());
        });
        let known = register(&organisation, &first, &facts(None)).customer;
        assert_eq!(known.enrolments, []);
        let converted = sent(|sent| {
            sent.customer_type = Some("loyalty".to_owned());
            sent.source = Some("WECHAT".to_owned());
        });
        let plan = register(&organisation, &converted, &facts(Some(&known)));
        assert_eq!(plan.customer.enrolments.len(), 1);
        assert_eq!(is_awarded(&plan), expected);
    }

    #[test]
    fn nobody_refers_themselves() {
        let organisation = organisation(r#"{"referred":true}"#);
        let first = sent(|sent| sent.customer_type = Some("not_interested".to_owned()));
        let known = register(&organisation, &first, &facts(None)).customer;
        let loyal = sent(|sent| sent.customer_type = Some("loyalty".to_owned()));
        for (referrer, expected) in [(known.id, false), (CustomerId(9), true)] {
            let mut facts = facts(Some(&known));
            let customer = Customer { id: referrer, ..known.clone() };
            facts.referrer = Some(Referrer { campaign: "friends".to_owned(), customer });
            let plan = register(&organisation, &loyal, &facts);
            assert_eq!(is_awarded(&plan), expected);
            // The referrer is in no programme, so there is nothing to give to them.
            assert_eq!(plan.referrer, None);
        }
    }

    #[test]
    fn without_a_default_programme_nobody_is_enrolled_and_the_reply_says_so() {
        let mut organisation = organisation("{}");
        let loyal = sent(|_| ());
        let codes = |organisation: &Organisation, submission: &Submission| -> Vec<u32> {
            let plan = register(organisation, submission, &facts(None));
            assert_eq!((plan.customer.enrolments.len(), plan.ledger.len()), (0, 0));
            plan.warnings.iter().map(|warning| warning.code.number).collect()
        };
        organisation.documents_mut(Kind::Programmes).set_active("P", false).unwrap();
        assert_eq!(codes(&organisation, &loyal), [1023]);
        let other = sent(|sent| sent.customer_type = Some("not_interested".to_owned()));
        assert_eq!(codes(&organisation, &other), [0; 0]);
        assert_eq!(codes(&Organisation::default(), &loyal), [0; 0]);
    }
}
