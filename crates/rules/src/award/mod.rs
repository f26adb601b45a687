//! What a customer earns by entering a programme: the reward rules that are for them, each awarded
//! whole or not at all, as entries of the ledger and the effects that tell of them.

mod condition;

use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{Span, Timestamp};
use rust_decimal::Decimal;

pub use self::condition::Arrival;
use crate::candidates::CouponCandidate;
use crate::codes::{self, Warning};
use crate::coupon::{self, Coupon};
use crate::customer::{CustomerId, Enrolment};
use crate::enrol;
use crate::ledger::{Award, Currency, EntryKind, LedgerEntry, Reason};
use crate::organisation::{Amount, Effect, Organisation, Programme, RewardRule, end_of};

/// Something that a registration brought about besides itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SideEffect {
    /// The customer was given points.
    Points {
        /// The customer; told where effects of another stand beside it.
        customer: Option<CustomerId>,
        /// How many.
        awarded: Decimal,
        /// How many they have now.
        total: Decimal,
    },
    /// Whoever referred the customer was given points.
    ReferrerPoints {
        /// The referrer.
        customer: CustomerId,
        /// How many.
        awarded: Decimal,
    },
    /// The customer was given an alternate currency.
    Currency {
        /// The currency's identifier.
        identifier: String,
        /// The currency's name.
        name: String,
        /// How much of it.
        awarded: Decimal,
    },
    /// The customer was given a coupon.
    Coupon(Coupon),
}

/// Why a rule cannot be awarded.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
enum Hindrance {
    #[error("the balance would have more digits than can be exact")]
    Balance,
    #[error("the programme has no tier {0}")]
    Tier(u32),
    #[error("there is no currency {0}")]
    Currency(String),
    #[error("the coupon series {0} has none left")]
    Coupon(String),
}

impl Hindrance {
    /// The warning that says so. "Treat as a warning on a successful registration."
    fn warning(&self, rule: &RewardRule) -> Warning {
        let code = match self {
            Self::Balance => codes::POINTS_NOT_ISSUED,
            Self::Tier(_) | Self::Currency(_) | Self::Coupon(_) => codes::AWARD_FAILED,
        };
        Warning::about(code, &format!("{}: {self}", rule.name), "")
    }
}

/// What somebody has who enters a programme, and what they have earned there so far.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Earnings {
    /// Their place in the programme.
    pub enrolment: Enrolment,
    /// Who referred them, and that one's place in the programme.
    pub referrer: Option<(CustomerId, Enrolment)>,
    /// The coupons that can be given.
    pub candidates: Vec<CouponCandidate>,
    /// The coupons that were given.
    pub coupons: Vec<Coupon>,
    /// What the ledger gains.
    pub ledger: Vec<LedgerEntry>,
    /// What the reply tells.
    pub side_effects: Vec<SideEffect>,
    /// What could not be awarded.
    pub warnings: Vec<Warning>,
}

/// Awards every rule of the programme that is for this arrival and was not awarded to the customer
/// before, in the rules' order. A rule that cannot be awarded gives nothing, and the others count.
#[must_use]
pub fn award(
    arrival: &Arrival<'_>,
    programme: &Programme,
    organisation: &Organisation,
    awards: &[Award],
    mut earnings: Earnings,
) -> Earnings {
    let customer = arrival.customer.id;
    let had = |rule: &RewardRule| {
        awards.iter().any(|award| award.customer == customer && award.rule == rule.name)
    };
    for rule in organisation.reward_rules_of(programme) {
        if had(rule) || !condition::hold(&rule.when, arrival) {
            continue;
        }
        let giving = Giving { rule, arrival, programme, organisation };
        match giving.give(&earnings) {
            Ok(given) => earnings = given,
            Err(hindrance) => earnings.warnings.push(hindrance.warning(rule)),
        }
    }
    name_customers(customer, &mut earnings.side_effects);
    earnings
}

/// Of the samples, the one with a referrer's effect beside it names the customer in each effect, and
/// the one without does not: the customer is named to tell the two apart.
fn name_customers(id: CustomerId, side_effects: &mut [SideEffect]) {
    if !side_effects.iter().any(|effect| matches!(effect, SideEffect::ReferrerPoints { .. })) {
        return;
    }
    for effect in side_effects {
        if let SideEffect::Points { customer, .. } = effect {
            *customer = Some(id);
        }
    }
}

/// A rule that is about to be awarded.
struct Giving<'a> {
    rule: &'a RewardRule,
    arrival: &'a Arrival<'a>,
    programme: &'a Programme,
    organisation: &'a Organisation,
}

impl Giving<'_> {
    /// The zone of the till that registered the customer, whose days count.
    fn zone(&self) -> &TimeZone {
        self.organisation.time_zone_of(self.arrival.customer.registered_till)
    }

    fn give(&self, before: &Earnings) -> Result<Earnings, Hindrance> {
        let mut earnings = before.clone();
        let own = earnings.ledger.len();
        for effect in &self.rule.effects {
            self.give_one(effect, &mut earnings)?;
        }
        let Self { rule, arrival, programme, .. } = self;
        let customer = arrival.customer.id;
        // The first of the customer's own entries is what keeps the rule from being awarded again.
        if !earnings.ledger.iter().skip(own).any(|entry| entry.customer == customer) {
            let award = Award { customer, rule: rule.name.clone(), programme: programme.id };
            earnings.ledger.push(award.without_amount());
        }
        Ok(earnings)
    }

    fn give_one(&self, effect: &Effect, earnings: &mut Earnings) -> Result<(), Hindrance> {
        match effect {
            Effect::Points { points, valid_days } => {
                self.enter(earnings, Currency::Points, *points, *valid_days)?;
                earnings.side_effects.push(SideEffect::Points {
                    customer: None,
                    awarded: points.get(),
                    total: earnings.enrolment.balances.points.available(),
                });
            }
            Effect::ReferrerPoints { points, valid_days } => {
                self.reward_referrer(earnings, *points, *valid_days)?;
            }
            Effect::Currency { currency, value, valid_days } => {
                let known = self.organisation.currencies.named(currency);
                let known = known.ok_or_else(|| Hindrance::Currency(currency.clone()))?;
                let identifier = known.identifier.clone();
                self.enter(earnings, Currency::Alternate(identifier.clone()), *value, *valid_days)?;
                let (name, awarded) = (known.name.clone(), value.get());
                earnings.side_effects.push(SideEffect::Currency { identifier, name, awarded });
            }
            Effect::Coupon { series } => self.give_coupon(earnings, series)?,
            Effect::Tier { serial } => self.raise(earnings, *serial)?,
        }
        Ok(())
    }

    fn enter(
        &self,
        earnings: &mut Earnings,
        currency: Currency,
        amount: Amount,
        valid_days: Option<u16>,
    ) -> Result<(), Hindrance> {
        let balances = &mut earnings.enrolment.balances;
        balances.enter(&currency, EntryKind::Awarded, amount.get()).ok_or(Hindrance::Balance)?;
        let reason = Reason::Registration { rule: self.rule.name.clone() };
        self.note(earnings, self.arrival.customer.id, reason, currency, amount, valid_days);
        Ok(())
    }

    fn reward_referrer(
        &self,
        earnings: &mut Earnings,
        points: Amount,
        valid_days: Option<u16>,
    ) -> Result<(), Hindrance> {
        let Some((referrer, enrolment)) = &mut earnings.referrer else { return Ok(()) };
        let referrer = *referrer;
        let entered = enrolment.balances.enter(&Currency::Points, EntryKind::Awarded, points.get());
        entered.ok_or(Hindrance::Balance)?;
        let reason =
            Reason::Referral { rule: self.rule.name.clone(), referee: self.arrival.customer.id };
        self.note(earnings, referrer, reason, Currency::Points, points, valid_days);
        let awarded = points.get();
        earnings.side_effects.push(SideEffect::ReferrerPoints { customer: referrer, awarded });
        Ok(())
    }

    fn note(
        &self,
        earnings: &mut Earnings,
        customer: CustomerId,
        reason: Reason,
        currency: Currency,
        amount: Amount,
        valid_days: Option<u16>,
    ) {
        let same = |entry: &&LedgerEntry| entry.customer == customer && entry.reason == reason;
        let line = earnings.ledger.iter().filter(same).count();
        earnings.ledger.push(LedgerEntry {
            customer,
            line: u32::try_from(line).unwrap_or(u32::MAX),
            reason,
            programme: self.programme.id,
            currency,
            kind: EntryKind::Awarded,
            amount: amount.get(),
            expires_at: valid_days
                .and_then(|days| last_second(self.arrival.today, days, self.zone())),
        });
    }

    fn give_coupon(&self, earnings: &mut Earnings, series: &str) -> Result<(), Hindrance> {
        let none_left = || Hindrance::Coupon(series.to_owned());
        let place = earnings.candidates.iter().position(|candidate| candidate.series == series);
        let candidate = earnings.candidates.remove(place.ok_or_else(none_left)?);
        let known = self.organisation.coupon_series.named(series).ok_or_else(none_left)?;
        let coupon = coupon::issue(candidate, known, self.arrival.today, self.zone());
        let coupon = coupon.ok_or_else(none_left)?;
        earnings.side_effects.push(SideEffect::Coupon(coupon.clone()));
        earnings.coupons.push(coupon);
        Ok(())
    }

    /// A customer who has that tier or a higher one already keeps it as it is.
    fn raise(&self, earnings: &mut Earnings, serial: u32) -> Result<(), Hindrance> {
        self.programme.tier(serial).ok_or(Hindrance::Tier(serial))?;
        let enrolment = &mut earnings.enrolment;
        if serial > enrolment.tier {
            let Arrival { customer, today, .. } = *self.arrival;
            let zone = self.zone();
            let registered = zone.to_datetime(customer.registered_at).date();
            enrolment.tier = serial;
            enrolment.tier_expires_at =
                enrol::tier_end(self.programme, serial, registered, today, zone);
        }
        Ok(())
    }
}

/// The end of the last day of so many days after this one; `None` past the calendar's end.
fn last_second(day: Date, days: u16, zone: &TimeZone) -> Option<Timestamp> {
    end_of(day.checked_add(Span::new().try_days(days).ok()?).ok()?, zone)
}

#[cfg(test)]
pub(super) mod tests {
    use jiff::civil::date;
    use rstest::rstest;

    use super::*;
    use crate::customer::Customer;
    use crate::enrol::enrol;
    use crate::identifier::Identifiers;
    use crate::ledger::Balances;
    use crate::organisation::{Kind, Occasion, ProgrammeId, TillId};
    use crate::profile::{CustomerType, Source};
    use crate::submission::Kept;

    const CUSTOMER: CustomerId = CustomerId(7);
    const REFERRER: CustomerId = CustomerId(3);

    /// Registered on 1 August 2024, 07:28:32 UTC.
    fn registered_at() -> Timestamp {
        "2024-08-01T07:28:32Z".parse().unwrap()
    }

    pub(crate) fn customer() -> Customer {
        Customer {
            id: CUSTOMER,
            identifiers: Identifiers::default(),
            first_name: None,
            last_name: None,
            customer_type: CustomerType::Loyalty,
            source: Source::default(),
            account_id: None,
            registered_at: registered_at(),
            updated_at: registered_at(),
            registered_till: TillId(1),
            associated_till: None,
            fraud_status: None,
            channels: Vec::new(),
            subscriptions: Vec::new(),
            kept: Kept::default(),
            custom_fields: Vec::new(),
            extended_fields: Vec::new(),
            enrolments: Vec::new(),
        }
    }

    /// A programme of three tiers, one alternate currency, and these rules, each a name and its
    /// effects as an operator writes them.
    pub(crate) fn organisation(rules: &[(&str, &str)]) -> Organisation {
        let rule = |(name, effects): &(&str, &str)| {
            (Kind::RewardRules, format!(r#"{{"name":"{name}","effects":{effects}}}"#))
        };
        let programme = r#"{"name":"P","id":469,"is_default":true,"tiers":[
            {"serial":1,"name":"Base"},
            {"serial":2,"name":"Silver","expiry":{"strategy":"fixed_months","months":6}},
            {"serial":3,"name":"Gold"}]}"#;
        let currency = r#"{"name":"ac1","identifier":"rgpws7"}"#;
        let series = r#"{"name":"SUMMER","description":"A tenth off","discount_code":"TENTH",
            "valid_days":30}"#;
        let over = r#"{"name":"SPRING","valid_until":"2024-07-31"}"#;
        let mut organisation = Organisation::default();
        let given = [
            (Kind::Programmes, programme.to_owned()),
            (Kind::Currencies, currency.to_owned()),
            (Kind::CouponSeries, series.to_owned()),
            (Kind::CouponSeries, over.to_owned()),
        ];
        for (kind, json) in given.into_iter().chain(rules.iter().map(rule)) {
            organisation.documents_mut(kind).put(&json).unwrap();
        }
        organisation
    }

    fn earn(organisation: &Organisation, change: impl FnOnce(&mut Earnings)) -> Earnings {
        earn_after(organisation, &[], change)
    }

    fn earn_after(
        organisation: &Organisation,
        awards: &[Award],
        change: impl FnOnce(&mut Earnings),
    ) -> Earnings {
        let customer = customer();
        let programme = organisation.default_programme().unwrap();
        let place = || enrol(programme, registered_at(), registered_at(), &TimeZone::UTC);
        let mut earnings = Earnings {
            enrolment: place(),
            referrer: Some((REFERRER, place())),
            candidates: Vec::new(),
            coupons: Vec::new(),
            ledger: Vec::new(),
            side_effects: Vec::new(),
            warnings: Vec::new(),
        };
        change(&mut earnings);
        let arrival = Arrival {
            occasion: Occasion::Registration,
            came_as: CustomerType::Loyalty,
            source: &customer.source,
            account: None,
            till: None,
            store: None,
            day: date(2024, 8, 1),
            today: date(2024, 8, 2),
            campaign: Some("friends"),
            customer: &customer,
        };
        award(&arrival, programme, organisation, awards, earnings)
    }

    fn decimal(text: &str) -> Decimal {
        text.parse().unwrap()
    }

    /// Each entry in short: whose, why, line, currency, amount.
    fn entries(earnings: &Earnings) -> Vec<String> {
        let entry = |entry: &LedgerEntry| {
            let LedgerEntry { customer, reason, line, currency, amount, .. } = entry;
            let (name, rule) = (reason.name(), reason.rule().unwrap_or_default());
            format!("{} {name} {rule} {line}: {amount} {currency}", customer.0)
        };
        earnings.ledger.iter().map(entry).collect()
    }

    #[test]
    fn points_add_up_to_a_total_that_each_effect_tells() {
        let organisation = organisation(&[
            ("a", r#"[{"type":"points","points":"0.1"}]"#),
            ("b", r#"[{"type":"points","points":"0.2"},{"type":"points","points":100}]"#),
        ]);
        let earned = earn(&organisation, |_| ());
        let points = |awarded, total| SideEffect::Points {
            customer: None,
            awarded: decimal(awarded),
            total: decimal(total),
        };
        assert_eq!(
            earned.side_effects,
            [points("0.1", "0.1"), points("0.2", "0.3"), points("100", "100.3")]
        );
        assert_eq!(
            entries(&earned),
            [
                "7 registration a 0: 0.1 points",
                "7 registration b 0: 0.2 points",
                "7 registration b 1: 100 points"
            ]
        );
        assert_eq!(earned.enrolment.balances.points.available(), decimal("100.3"));
        assert_eq!(earned.enrolment.balances.points.lifetime(), decimal("100.3"));
    }

    /// The first sample of the specification: who is who is told once there are two.
    #[test]
    fn a_referrer_is_rewarded_and_told_apart() {
        let organisation = organisation(&[(
            "friends",
            r#"[{"type":"points","points":"100"},{"type":"referrer_points","points":"50"}]"#,
        )]);
        let earned = earn(&organisation, |_| ());
        assert_eq!(
            earned.side_effects,
            [
                SideEffect::Points {
                    customer: Some(CUSTOMER),
                    awarded: decimal("100"),
                    total: decimal("100")
                },
                SideEffect::ReferrerPoints { customer: REFERRER, awarded: decimal("50") },
            ]
        );
        assert_eq!(
            entries(&earned),
            ["7 registration friends 0: 100 points", "3 referral friends 0: 50 points"]
        );
        let (_, place) = earned.referrer.unwrap();
        assert_eq!(place.balances.points.available(), decimal("50"));

        let alone = earn(&organisation, |earnings| earnings.referrer = None);
        assert_eq!(entries(&alone), ["7 registration friends 0: 100 points"]);
        let [SideEffect::Points { customer: None, .. }] = alone.side_effects.as_slice() else {
            panic!("{:?}", alone.side_effects);
        };
    }

    /// The third sample of the specification.
    #[test]
    fn an_alternate_currency_is_counted_apart_from_points() {
        let organisation =
            organisation(&[("stars", r#"[{"type":"currency","currency":"ac1","value":"110"}]"#)]);
        let earned = earn(&organisation, |_| ());
        let identifier = "rgpws7".to_owned();
        assert_eq!(
            earned.side_effects,
            [SideEffect::Currency {
                identifier: identifier.clone(),
                name: "ac1".to_owned(),
                awarded: decimal("110")
            }]
        );
        assert_eq!(entries(&earned), ["7 registration stars 0: 110 rgpws7"]);
        let Balances { points, .. } = earned.enrolment.balances;
        assert_eq!(points.available(), Decimal::ZERO);
        let held = earned.enrolment.balances.of(&Currency::Alternate(identifier));
        assert_eq!(held.available(), decimal("110"));
    }

    #[rstest]
    #[case::higher(1, 3, 3, "2124-08-01T23:59:59Z")]
    #[case::with_an_expiry_of_its_own(1, 2, 2, "2025-02-02T23:59:59Z")]
    #[case::held_already(2, 2, 2, "2124-08-01T23:59:59Z")]
    #[case::lower(3, 2, 3, "2124-08-01T23:59:59Z")]
    fn a_tier_is_only_ever_raised(
        #[case] held: u32,
        #[case] given: u32,
        #[case] tier: u32,
        #[case] end: Timestamp,
    ) {
        let effects = format!(r#"[{{"type":"tier","serial":{given}}}]"#);
        let organisation = organisation(&[("gold", &effects)]);
        let earned = earn(&organisation, |earnings| earnings.enrolment.tier = held);
        assert_eq!((earned.enrolment.tier, earned.enrolment.tier_expires_at), (tier, Some(end)));
        // It leaves its mark, so that it is not awarded again.
        assert_eq!(entries(&earned), ["7 registration gold 0: 0 points"]);
        assert_eq!(earned.side_effects, []);
    }

    #[test]
    fn points_end_with_the_last_of_their_days() {
        let organisation = organisation(&[(
            "month",
            r#"[{"type":"points","points":1,"valid_days":30},{"type":"points","points":1}]"#,
        )]);
        let ends: Vec<_> =
            earn(&organisation, |_| ()).ledger.into_iter().map(|entry| entry.expires_at).collect();
        assert_eq!(ends, [Some("2024-09-01T23:59:59Z".parse().unwrap()), None]);
    }

    /// Whatever hinders one effect, the rule gives nothing; the rules around it count.
    #[rstest]
    #[case::balance(
        r#"{"type":"points","points":"0.1"}"#,
        "1088 Unable to issue points, report to support: b: the balance would have more digits than can be exact."
    )]
    #[case::balance_of_the_referrer(
        r#"{"type":"referrer_points","points":"0.1"}"#,
        "1088 Unable to issue points, report to support: b: the balance would have more digits than can be exact."
    )]
    #[case::tier(
        r#"{"type":"tier","serial":4}"#,
        "1086 Points processing failed: b: the programme has no tier 4."
    )]
    #[case::currency(
        r#"{"type":"currency","currency":"ac2","value":1}"#,
        "1086 Points processing failed: b: there is no currency ac2."
    )]
    #[case::coupon(
        r#"{"type":"coupon","series":"SUMMER"}"#,
        "1086 Points processing failed: b: the coupon series SUMMER has none left."
    )]
    fn never_half_an_award(#[case] hindered: &str, #[case] warning: &str) {
        let currency = r#"[{"type":"currency","currency":"ac1","value":1}]"#;
        let first = r#"{"type":"currency","currency":"ac1","value":10},{"type":"tier","serial":2}"#;
        let organisation = organisation(&[
            ("a", currency),
            ("b", &format!("[{first},{hindered},{first}]")),
            ("c", currency),
        ]);
        let full = |place: &mut Enrolment| {
            place.balances.enter(&Currency::Points, EntryKind::Awarded, Decimal::MAX).unwrap();
        };
        let earned = earn(&organisation, |earnings| {
            full(&mut earnings.enrolment);
            earnings.referrer.as_mut().map(|(_, place)| full(place)).unwrap();
        });
        let told: Vec<String> = earned.warnings.iter().map(ToString::to_string).collect();
        assert_eq!(told, [warning]);
        assert_eq!(
            entries(&earned),
            ["7 registration a 0: 1 rgpws7", "7 registration c 0: 1 rgpws7"]
        );
        assert_eq!(earned.side_effects.len(), 2);
        assert_eq!(earned.enrolment.tier, 1);
        let held = earned.enrolment.balances.of(&Currency::Alternate("rgpws7".to_owned()));
        assert_eq!(held.available(), decimal("2"));
    }

    #[test]
    fn a_coupon_is_given_to_one_rule() {
        let coupon = r#"[{"type":"coupon","series":"SUMMER"}]"#;
        let organisation = organisation(&[("a", coupon), ("b", coupon), ("c", coupon)]);
        let candidate =
            |id| CouponCandidate { series: "SUMMER".to_owned(), id, code: format!("code {id}") };
        let earned = earn(&organisation, |earnings| {
            earnings.candidates = vec![candidate(1), candidate(2)];
        });
        let coupon = |id| Coupon {
            id,
            series: "SUMMER".to_owned(),
            code: format!("code {id}"),
            description: "A tenth off".to_owned(),
            discount_code: Some("TENTH".to_owned()),
            valid_till: Some("2024-09-01T23:59:59Z".parse().unwrap()),
        };
        assert_eq!(earned.coupons, [coupon(1), coupon(2)]);
        assert_eq!(earned.side_effects, [coupon(1), coupon(2)].map(SideEffect::Coupon));
        assert_eq!(earned.warnings.len(), 1);
        assert_eq!(
            entries(&earned),
            ["7 registration a 0: 0 points", "7 registration b 0: 0 points"]
        );
    }

    #[test]
    fn a_series_whose_time_is_over_gives_none() {
        let organisation = organisation(&[("a", r#"[{"type":"coupon","series":"SPRING"}]"#)]);
        let earned = earn(&organisation, |earnings| {
            let (series, code) = ("SPRING".to_owned(), "code".to_owned());
            earnings.candidates = vec![CouponCandidate { series, id: 1, code }];
        });
        assert_eq!((earned.coupons.len(), earned.side_effects.len()), (0, 0));
        assert_eq!(earned.warnings.len(), 1);
    }

    #[test]
    fn rules_count_in_their_order() {
        let points = r#"[{"type":"points","points":1}]"#;
        let mut organisation = organisation(&[("z", points), ("b", points), ("a", points)]);
        let other = r#"{"name":"Q"}"#;
        organisation.documents_mut(Kind::Programmes).put(other).unwrap();
        for rule in [
            r#""name":"a","position":1"#,
            r#""name":"b","position":1,"programme":"P""#,
            r#""name":"other","programme":"Q""#,
            r#""name":"unused""#,
        ] {
            let json = format!(r#"{{{rule},"effects":{points}}}"#);
            organisation.documents_mut(Kind::RewardRules).put(&json).unwrap();
        }
        organisation.documents_mut(Kind::RewardRules).set_active("unused", false).unwrap();
        let earned = earn(&organisation, |_| ());
        let rules: Vec<_> =
            earned.ledger.iter().map(|entry| entry.reason.rule().unwrap()).collect();
        assert_eq!(rules, ["z", "a", "b"]);
    }

    #[test]
    fn what_was_awarded_before_is_not_awarded_again() {
        let points = r#"[{"type":"points","points":1}]"#;
        let organisation = organisation(&[("a", points), ("b", points)]);
        let award = |customer, rule: &str| Award {
            customer,
            rule: rule.to_owned(),
            programme: ProgrammeId(1),
        };
        let awards = [award(CUSTOMER, "a"), award(REFERRER, "b")];
        let earned = earn_after(&organisation, &awards, |_| ());
        assert_eq!(entries(&earned), ["7 registration b 0: 1 points"]);
    }
}
