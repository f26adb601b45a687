//! A registry in memory that carries out plans as a store does, and checks what must hold.

mod checks;

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use patron_rules::candidates::Candidates;
use patron_rules::card::CardFacts;
use patron_rules::customer::{Customer, CustomerId};
use patron_rules::decide::{Decision, Facts, Plan, decide};
use patron_rules::identifier::{IdentifierKind, Mobile};
use patron_rules::ledger::{Award, Ending, LedgerEntry, Reason};
use patron_rules::organisation::{Kind, Organisation, TillId};
use patron_rules::referral::{Referral, ReferralCode, Referrer};
use patron_rules::resolve::{Holder, Holders};
use patron_rules::settings::Settings;
use patron_rules::submission::Submission;
use patron_rules::validate::{Registration, validate};
use rust_decimal::Decimal;

const TILL: TillId = TillId(1);

/// What is set up: rules of every kind of effect, of which one can never be awarded.
const DOCUMENTS: [(Kind, &str); 13] = [
    (Kind::Tills, r#"{"name":"till","id":1}"#),
    (Kind::Sources, r#"{"name":"KIOSK"}"#),
    (Kind::Sources, r#"{"name":"WECHAT","accounts":[{"id":"a"}],"requires_account":true}"#),
    (Kind::CustomFields, r#"{"name":"size","audit_trail":true}"#),
    (Kind::ExtendedFields, r#"{"name":"Age","data_type":"INTEGER","audit_trail":true}"#),
    (
        Kind::Programmes,
        r#"{"name":"P","is_default":true,"tier_expiry":{"strategy":"fixed_months","months":1},
            "tiers":[{"serial":1,"name":"Base"},{"serial":2,"name":"Silver"}]}"#,
    ),
    (Kind::Currencies, r#"{"name":"coins","identifier":"c1"}"#),
    (
        Kind::RewardRules,
        r#"{"name":"welcome","effects":[{"type":"points","points":100,"valid_days":30}]}"#,
    ),
    (
        Kind::RewardRules,
        r#"{"name":"coins","effects":[{"type":"currency","currency":"coins","value":"2.5"},
            {"type":"currency","currency":"coins","value":"2.5"}]}"#,
    ),
    (Kind::ReferralCampaigns, r#"{"name":"friends","referrals_per_code":2}"#),
    (
        Kind::RewardRules,
        r#"{"name":"referred","when":{"referred":true},"effects":[
            {"type":"points","points":"0.1"},{"type":"referrer_points","points":50}]}"#,
    ),
    (
        Kind::RewardRules,
        r#"{"name":"converted","when":{"occasion":"conversion"},
            "effects":[{"type":"tier","serial":2}]}"#,
    ),
    (
        Kind::RewardRules,
        r#"{"name":"broken","effects":[{"type":"points","points":1},{"type":"tier","serial":9}]}"#,
    ),
];

fn organisation(settings: Settings) -> Organisation {
    let mut organisation = Organisation { settings, ..Organisation::default() };
    for (kind, json) in DOCUMENTS {
        organisation.documents_mut(kind).put(json).unwrap();
    }
    organisation
}

/// What a ledger's entry is known by.
type EntryKey = (CustomerId, &'static str, Option<String>, Option<CustomerId>, u32);

/// Customers and who holds what, as a store keeps them.
pub struct Registry {
    pub organisation: Organisation,
    pub customers: BTreeMap<CustomerId, Customer>,
    merged_into: BTreeMap<CustomerId, CustomerId>,
    pub identifiers: BTreeMap<(IdentifierKind, String), CustomerId>,
    pub ledger: Vec<LedgerEntry>,
    /// How many customers each referral code has brought.
    referrals: BTreeMap<String, u64>,
    entries: BTreeSet<EntryKey>,
}

impl Registry {
    pub fn new(settings: Settings) -> Self {
        Self {
            organisation: organisation(settings),
            customers: BTreeMap::new(),
            merged_into: BTreeMap::new(),
            identifiers: BTreeMap::new(),
            ledger: Vec::new(),
            referrals: BTreeMap::new(),
            entries: BTreeSet::new(),
        }
    }

    /// Changes settings as a store does; whether it did. Refused where identifiers that are to belong
    /// to one customer belong to several, and where numbers would be read as others.
    pub fn change(&mut self, changes: &[(&str, &str)]) -> bool {
        let before = self.organisation.settings.clone();
        let Ok(after) = before.with(changes.iter().copied()) else { return false };
        if before.mobile != after.mobile && self.rereads(&after) {
            return false;
        }
        let mut identifiers = self.identifiers.clone();
        identifiers.retain(|(kind, _), _| after.identifies(*kind));
        let gained = |kind: &IdentifierKind| after.identifies(*kind) && !before.identifies(*kind);
        for kind in IdentifierKind::ALL.into_iter().filter(gained) {
            for customer in self.living() {
                let Some(key) = customer.identifiers.key(kind) else { continue };
                if identifiers.insert((kind, key.to_owned()), customer.id).is_some() {
                    return false;
                }
            }
            for customer in self.customers.values() {
                let Some(key) = customer.identifiers.key(kind) else { continue };
                identifiers.entry((kind, key.to_owned())).or_insert(customer.id);
            }
        }
        self.identifiers = identifiers;
        self.organisation.settings = after;
        true
    }

    fn rereads(&self, after: &Settings) -> bool {
        let mut mobiles = self.customers.values().filter_map(|it| it.identifiers.mobile.as_ref());
        mobiles.any(|mobile| {
            let read = Mobile::parse(mobile.digits(), &after.mobile);
            read.is_ok_and(|read| read.digits() != mobile.digits())
        })
    }

    pub fn register(&mut self, submission: &Submission, now: Timestamp) -> Decision {
        let registration = match validate(submission, &self.organisation, Ok(TILL), now).outcome {
            Ok(registration) => registration,
            Err(failure) => return failure.into(),
        };
        let facts = self.facts(&registration, now);
        let decision = decide(&self.organisation, registration, &facts);
        self.carry_out(&decision);
        decision
    }

    fn facts(&self, registration: &Registration, now: Timestamp) -> Facts {
        let settings = &self.organisation.settings;
        let mut holders = Holders::default();
        let mut customers = Vec::new();
        for (kind, key) in registration.identifiers.keys() {
            let held = self.identifiers.get(&(kind, key.to_owned())).copied();
            let Some(first) = held.filter(|_| settings.identifies(kind)) else { continue };
            let customer = self.survivor(first);
            holders.add(Holder { kind, customer, through_merge: customer != first });
            if !customers.iter().any(|known: &Customer| known.id == customer) {
                customers.push(self.customers[&customer].clone());
            }
        }
        Facts {
            awards: customers.iter().flat_map(|customer| self.awards(customer.id)).collect(),
            endings: customers.iter().flat_map(|customer| self.endings(customer.id)).collect(),
            holders,
            customers,
            next_id: CustomerId(i64::try_from(self.customers.len()).unwrap() + 1),
            now,
            cards: CardFacts::default(),
            referrer: self.referrer(registration),
            candidates: Candidates::default(),
        }
    }

    /// The referral code of a customer is their mobile number, whoever was merged into them.
    fn referrer(&self, registration: &Registration) -> Option<Referrer> {
        let code = registration.referral_code.clone()?;
        let holder = self.identifiers.get(&(IdentifierKind::Mobile, code.clone()))?;
        let customer = self.customers[&self.survivor(*holder)].clone();
        let referrals = self.referrals.get(&code).copied().unwrap_or_default();
        let code = ReferralCode { code, campaign: "friends".into(), referrals };
        Some(Referrer { code, customer })
    }

    fn survivor(&self, mut customer: CustomerId) -> CustomerId {
        while let Some(survivor) = self.merged_into.get(&customer) {
            customer = *survivor;
        }
        customer
    }

    fn awards(&self, customer: CustomerId) -> Vec<Award> {
        let award = |entry: &LedgerEntry| match &entry.reason {
            Reason::Registration { rule } if entry.customer == customer && entry.line == 0 => {
                Some(Award { customer, rule: rule.clone(), programme: entry.programme })
            }
            _ => None,
        };
        self.ledger.iter().filter_map(award).collect()
    }

    /// What of a customer's ends, by its end.
    pub fn endings(&self, customer: CustomerId) -> Vec<Ending> {
        let mut sums = BTreeMap::new();
        for entry in self.ledger.iter().filter(|entry| entry.customer == customer) {
            let Some(end) = entry.expires_at else { continue };
            let key = (entry.programme, entry.currency.clone(), entry.kind, end);
            *sums.entry(key).or_insert(Decimal::ZERO) += entry.amount;
        }
        sums.retain(|_, amount| !amount.is_zero());
        let ending = |((programme, currency, kind, expires_at), amount)| Ending {
            customer,
            programme,
            currency,
            kind,
            amount,
            expires_at,
        };
        sums.into_iter().map(ending).collect()
    }

    fn carry_out(&mut self, decision: &Decision) {
        let Ok(plan) = &decision.outcome else { return };
        checks::nothing_is_lost(plan);
        let settings = &self.organisation.settings;
        for (kind, key) in plan.released(settings) {
            self.identifiers.remove(&(kind, key.to_owned())).expect("it was held");
        }
        for (kind, key) in plan.gained(settings) {
            let taken = self.identifiers.insert((kind, key.to_owned()), plan.customer.id);
            assert_eq!(taken, None, "an identifier belongs to one customer");
        }
        for merged in &plan.merged {
            self.customers.insert(merged.after.id, merged.after.clone());
            self.merged_into.insert(merged.after.id, plan.customer.id);
        }
        self.customers.insert(plan.customer.id, plan.customer.clone());
        if let Some(referral) = &plan.referral {
            self.refer(plan, referral);
        }
        self.check_not_awarded_before(&plan.ledger);
        for entry in &plan.ledger {
            let LedgerEntry { customer, reason, line, .. } = entry;
            let rule = reason.rule().map(str::to_owned);
            let is_new =
                self.entries.insert((*customer, reason.name(), rule, reason.other(), *line));
            assert!(is_new, "entered twice: {entry:?}");
            self.ledger.push(entry.clone());
        }
    }

    /// Another one brings a customer into the programme who was not there, and a code no more than it
    /// may.
    fn refer(&mut self, plan: &Plan, referral: &Referral) {
        let Referral { referrer: Referrer { code, customer: referrer }, reward } = referral;
        assert_ne!(self.survivor(referrer.id), plan.customer.id, "nobody refers themselves");
        let mut before = plan.before.iter().chain(plan.merged.iter().map(|merged| &merged.before));
        assert!(before.all(|customer| customer.enrolments.is_empty()));
        assert_eq!(plan.customer.enrolments.len(), 1);
        let referrals = self.referrals.entry(code.code.clone()).or_default();
        *referrals += 1;
        assert!(*referrals <= 2, "the code is used up");
        if let Some(enrolment) = reward {
            let customer = self.customers.get_mut(&referrer.id).expect("the referrer is there");
            let mut of_programme = customer.enrolments.iter_mut();
            let held = of_programme.find(|held| held.programme == enrolment.programme);
            enrolment.clone_into(held.expect("the referrer is enrolled"));
        }
    }

    /// Of everybody of whom a customer is made, nobody was awarded before what the customer is now,
    /// and for none of them was a referrer awarded it.
    fn check_not_awarded_before(&self, entered: &[LedgerEntry]) {
        for entry in entered.iter().filter(|entry| !entry.amount.is_zero()) {
            let (rule, concerned) = match &entry.reason {
                Reason::Registration { rule } => (rule, entry.customer),
                Reason::Referral { rule, referee } => (rule, *referee),
                Reason::Merge { .. } => continue,
            };
            assert_ne!(rule, "broken");
            let members = self.customers.keys().filter(|id| self.survivor(**id) == concerned);
            for member in members {
                let awards = self.awards(*member);
                assert!(!awards.iter().any(|award| award.rule == *rule), "again: {entry:?}");
                let rewarded = |held: &LedgerEntry| {
                    held.reason == Reason::Referral { rule: rule.clone(), referee: *member }
                };
                assert!(!self.ledger.iter().any(rewarded), "rewarded again: {entry:?}");
            }
        }
    }

    /// The customers who were not merged away.
    pub fn living(&self) -> impl Iterator<Item = &Customer> {
        self.customers.values().filter(|customer| !self.merged_into.contains_key(&customer.id))
    }
}
