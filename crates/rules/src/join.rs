//! Entering a programme: a loyalty customer who is not enrolled in the default one yet is, and earns
//! what that earns.

use crate::award::{self, Arrival, Earnings, SideEffect};
use crate::codes::{self, Warning};
use crate::coupon::Coupon;
use crate::customer::{Customer, CustomerId, Enrolment};
use crate::decide::Facts;
use crate::enrol::{self, enrol};
use crate::ledger::{Award, LedgerEntry};
use crate::organisation::{Occasion, Organisation, Programme, ProgrammeId, TillId};
use crate::profile::{CustomerType, Source};
use crate::referral::{Referral, Referrer};
use crate::validate::Registration;

/// How somebody comes who may enter a programme.
pub(crate) struct Comer<'a> {
    /// The type that they had; `None` of one who is new.
    before: Option<CustomerType>,
    source: Option<Source>,
    account: Option<String>,
    till: TillId,
    referrer: Option<&'a Referrer>,
}

/// What entering a programme brings about.
#[derive(Default)]
pub(crate) struct Joined {
    pub(crate) referral: Option<Referral>,
    pub(crate) coupons: Vec<Coupon>,
    pub(crate) ledger: Vec<LedgerEntry>,
    pub(crate) side_effects: Vec<SideEffect>,
    pub(crate) warnings: Vec<Warning>,
}

impl<'a> Comer<'a> {
    pub(crate) fn of(
        registration: &Registration,
        before: Option<CustomerType>,
        referrer: Option<&'a Referrer>,
    ) -> Self {
        Self {
            before,
            source: registration.source.clone(),
            account: registration.account_id.clone(),
            till: registration.registered_till,
            referrer,
        }
    }

    /// Enrols the customer, where they are to be and are not yet. "LOYALTY = enrolled in the
    /// program."
    pub(crate) fn join(
        &self,
        customer: &mut Customer,
        organisation: &Organisation,
        facts: &Facts,
        awards: &[Award],
    ) -> Joined {
        if customer.customer_type != CustomerType::Loyalty {
            return Joined::default();
        }
        let Some(programme) = organisation.default_programme() else {
            let warnings = vec![codes::NOT_ENROLLED.into()];
            return Joined { warnings, ..Joined::default() };
        };
        if customer.enrolments.iter().any(|held| held.programme == programme.id) {
            return Joined::default();
        }
        let arrival = self.arrival(customer, organisation, facts);
        let earnings = self.before_awards(customer, programme, organisation, facts);
        let earned = award::award(&arrival, programme, organisation, awards, earnings);
        let Earnings { enrolment, referrer, coupons, ledger, side_effects, warnings, .. } = earned;
        let is_rewarded = ledger.iter().any(|entry| entry.customer != customer.id);
        let reward = referrer.map(|(_, place)| place).filter(|_| is_rewarded);
        let referral = self.referrer.cloned().map(|referrer| Referral { referrer, reward });
        customer.enrolments.push(enrolment);
        enrol::settle(customer, organisation, facts.now);
        Joined { referral, coupons, ledger, side_effects, warnings }
    }

    fn arrival<'b>(
        &'b self,
        customer: &'b Customer,
        organisation: &'b Organisation,
        facts: &Facts,
    ) -> Arrival<'b> {
        let till = organisation.tills.with_id(self.till.0);
        let moment = self.before.map_or(customer.registered_at, |_| facts.now);
        let zone = organisation.time_zone_of(customer.registered_till);
        Arrival {
            occasion: self.before.map_or(Occasion::Registration, |_| Occasion::Conversion),
            came_as: self.before.unwrap_or(CustomerType::Loyalty),
            source: self.source.as_ref().unwrap_or(&customer.source),
            account: self.account.as_deref().or(customer.account_id.as_deref()),
            till: till.map(|till| till.name.as_str()),
            store: till.and_then(|till| till.store.as_deref()),
            day: organisation.time_zone_of(self.till).to_datetime(moment).date(),
            today: zone.to_datetime(facts.now).date(),
            campaign: self.referrer.map(|referrer| referrer.code.campaign.as_str()),
            customer,
        }
    }

    /// What there is before anything is awarded.
    fn before_awards(
        &self,
        customer: &Customer,
        programme: &Programme,
        organisation: &Organisation,
        facts: &Facts,
    ) -> Earnings {
        let zone = organisation.time_zone_of(customer.registered_till);
        Earnings {
            enrolment: enrol(programme, customer.registered_at, facts.now, zone),
            referrer: self.referrer.and_then(|it| place_of(&it.customer, programme.id)),
            candidates: facts.candidates.coupons.clone(),
            coupons: Vec::new(),
            ledger: Vec::new(),
            side_effects: Vec::new(),
            warnings: Vec::new(),
        }
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
    use crate::candidates::{Candidates, CouponCandidate};
    use crate::card::CardFacts;
    use crate::decide::{Plan, decide};
    use crate::identifier::IdentifierKind;
    use crate::organisation::Kind;
    use crate::profile::date;
    use crate::referral::ReferralCode;
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
            endings: Vec::new(),
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

    /// "tier expiry = `registered_on` date + 100 years, time 23:59:59", by the clock of the till that
    /// registered the customer; so are the days of what they earn.
    #[rstest]
    #[case::evening("2025-01-01 20:00:00", "2125-01-01 23:59:59")]
    #[case::first_second("2025-01-01 00:00:00", "2125-01-01 23:59:59")]
    #[case::last_second("2024-12-31 23:59:59", "2124-12-31 23:59:59")]
    fn days_are_those_of_the_registering_till(#[case] registered_on: &str, #[case] expiry: &str) {
        let mut organisation = organisation("{}");
        let rule = r#"{"name":"r","effects":[{"type":"points","points":1,"valid_days":1},
            {"type":"coupon","series":"C"}]}"#;
        let series = r#"{"name":"C","valid_days":2}"#;
        organisation.documents_mut(Kind::RewardRules).put(rule).unwrap();
        organisation.documents_mut(Kind::CouponSeries).put(series).unwrap();
        let zone = organisation.time_zone_of(TILL).clone();
        let local = |end: Option<Timestamp>| end.map(|end| date::format(end, &zone));
        // The last hour of 14 January in New York.
        let coupon = CouponCandidate { series: "C".to_owned(), id: 1, code: "X".to_owned() };
        let candidates = Candidates { coupons: vec![coupon], ..Candidates::default() };
        let now = "2026-01-15T04:00:00Z".parse().unwrap();
        let facts = Facts { now, candidates, ..facts(None) };
        let submission = sent(|sent| sent.registered_on = Some(registered_on.to_owned()));
        let plan = register(&organisation, &submission, &facts);
        let tier = plan.customer.enrolments.first().and_then(|held| held.tier_expires_at);
        assert_eq!(local(tier).as_deref(), Some(expiry));
        let points = plan.ledger.first().and_then(|entry| entry.expires_at);
        assert_eq!(local(points).as_deref(), Some("2026-01-15 23:59:59"));
        let coupon = plan.coupons.first().and_then(|coupon| coupon.valid_till);
        assert_eq!(local(coupon).as_deref(), Some("2026-01-16 23:59:59"));

        // A tier that is over is followed by the base tier, by the same clock.
        let mut later = plan.customer;
        enrol::settle(&mut later, &organisation, now);
        assert_eq!(later.enrolments.first().and_then(|held| held.tier_expires_at), tier);
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

    fn referrer(customer: Customer, referrals: u64) -> Referrer {
        let (code, campaign) = ("SDX123".to_owned(), "friends".to_owned());
        Referrer { code: ReferralCode { code, campaign, referrals }, customer }
    }

    /// Who may come, and what a code of which campaign, held by whom, brings them.
    #[rstest]
    #[case::counts("{}", 9, 0, true)]
    #[case::of_their_own("{}", 5, 0, false)]
    #[case::of_no_such_campaign("none", 9, 0, false)]
    #[case::on_the_first_day(r#"{"from":"2026-01-15"}"#, 9, 0, true)]
    #[case::before_the_first_day(r#"{"from":"2026-01-16"}"#, 9, 0, false)]
    #[case::on_the_last_day(r#"{"to":"2026-01-15"}"#, 9, 0, true)]
    #[case::after_the_last_day(r#"{"to":"2026-01-14"}"#, 9, 0, false)]
    #[case::for_the_last_time(r#"{"referrals_per_code":2}"#, 9, 1, true)]
    #[case::once_too_often(r#"{"referrals_per_code":2}"#, 9, 2, false)]
    fn who_enters_with_a_code_is_referred(
        #[case] campaign: &str,
        #[case] holder: i64,
        #[case] referrals: u64,
        #[case] expected: bool,
    ) {
        let mut organisation = organisation(r#"{"referred":true}"#);
        if let Some(rest) = campaign.strip_prefix('{') {
            let rest = if rest == "}" { rest.to_owned() } else { format!(",{rest}") };
            let campaign = format!(r#"{{"name":"friends"{rest}"#);
            organisation.documents_mut(Kind::ReferralCampaigns).put(&campaign).unwrap();
        }
        let first = sent(|sent| sent.customer_type = Some("not_interested".to_owned()));
        let known = Customer {
            id: CustomerId(5),
            ..register(&organisation, &first, &facts(None)).customer
        };
        let coming = sent(|sent| {
            sent.customer_type = Some("loyalty".to_owned());
            sent.referral_code = Some("sdx123".to_owned());
        });
        let mut facts = facts(Some(&known));
        let customer = Customer { id: CustomerId(holder), ..known.clone() };
        facts.referrer = Some(referrer(customer, referrals));
        let plan = register(&organisation, &coming, &facts);
        let warned: Vec<u32> = plan.warnings.iter().map(|warning| warning.code.number).collect();
        assert_eq!(is_awarded(&plan), expected);
        assert_eq!(plan.referral.is_some(), expected);
        assert_eq!(warned, if expected { vec![] } else { vec![1205] });
        // The referrer is in no programme, so there is nothing to give to them.
        assert_eq!(plan.referral.and_then(|referral| referral.reward), None);
    }

    /// Nobody is referred who does not enter the programme by it, be the code good or not.
    #[rstest]
    #[case::another_type("not_interested", "not_interested", 0, &[])]
    #[case::in_the_programme_already("loyalty", "loyalty", 0, &[])]
    #[case::sent_again_when_it_is_used_up("loyalty", "loyalty", 1, &[])]
    #[case::used_up("not_interested", "not_interested", 1, &[1205])]
    fn only_entering_counts(
        #[case] was: &str,
        #[case] comes_as: &str,
        #[case] referrals: u64,
        #[case] expected: &[u32],
    ) {
        let mut organisation = organisation(r#"{"referred":true}"#);
        let campaign = r#"{"name":"friends","referrals_per_code":1}"#;
        organisation.documents_mut(Kind::ReferralCampaigns).put(campaign).unwrap();
        let first = sent(|sent| sent.customer_type = Some(was.to_owned()));
        let known = register(&organisation, &first, &facts(None)).customer;
        let again = sent(|sent| {
            sent.customer_type = Some(comes_as.to_owned());
            sent.referral_code = Some("SDX123".to_owned());
        });
        let mut facts = facts(Some(&known));
        let customer = Customer { id: CustomerId(9), ..known.clone() };
        facts.referrer = Some(referrer(customer, referrals));
        let plan = register(&organisation, &again, &facts);
        let warned: Vec<u32> = plan.warnings.iter().map(|warning| warning.code.number).collect();
        assert_eq!((plan.referral, plan.ledger), (None, Vec::new()));
        assert_eq!(warned, expected);
    }

    #[test]
    fn a_referrer_of_the_programme_is_rewarded() {
        let mut organisation = organisation(r#"{"referred":true}"#);
        let campaign = r#"{"name":"friends"}"#;
        organisation.documents_mut(Kind::ReferralCampaigns).put(campaign).unwrap();
        let holder = register(&organisation, &sent(|_| ()), &facts(None)).customer;
        let mut facts = facts(None);
        facts.next_id = CustomerId(2);
        facts.referrer = Some(referrer(holder.clone(), 7));
        let coming = sent(|sent| {
            sent.external_id = Some("B".to_owned());
            sent.referral_code = Some("SDX123".to_owned());
        });
        let referral = register(&organisation, &coming, &facts).referral.unwrap();
        assert_eq!(Some(&referral.referrer), facts.referrer.as_ref());
        let points = |place: &Enrolment| place.balances.points.available().to_string();
        let held = holder.enrolments.first().map(points);
        assert_eq!(
            (held, referral.reward.as_ref().map(points)),
            (Some("0".into()), Some("1".into()))
        );
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
        assert_eq!(codes(&Organisation::default(), &loyal), [1023]);
        assert_eq!(codes(&Organisation::default(), &other), [0; 0]);
    }
}
