//! A registry over months: operations under a fake clock, and a model that says what must come of
//! each.
//!
//! # Failure model
//!
//! Between any two operations
//! - time passes: minutes, or months, so that tiers end;
//! - the store is closed and opened again, where its data lasts;
//! - something is rehearsed, which must leave no trace.
//!
//! An operation itself
//! - comes twice, as a client sends it again that has seen no answer;
//! - comes in one batch with others, of which any may be refused;
//! - is refused, after which nothing of it may be there;
//! - finds a series of coupons used up;
//! - comes with a referral code that is somebody else's, the customer's own, used up, out of date, or
//!   nobody's.
//!
//! Not here: a process that dies in the middle of a commit (killed in the tests of the server), an
//! engine that fails to write and clients at once (`sqlite.rs` and `concurrent.rs`).
//!
//! # Model
//!
//! A person has a mobile number and an email address of their own. They come by one of them or both,
//! as a loyalty customer or not; two persons come together, by the number of the one and the address
//! of the other, which merges whoever they are. Whoever is in the programme may ask for their referral
//! code, and others come by it. The model keeps who holds what, who is whom, when a tier ends, what each
//! was awarded, what each has, and whom each code brought.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use jiff::civil::{Date, date};
use jiff::tz::TimeZone;
use jiff::{Span, Timestamp};
use patron_rules::award::SideEffect;
use patron_rules::codes;
use patron_rules::customer::Customer;
use patron_rules::decide::Plan;
use patron_rules::enrol;
use patron_rules::ledger::{Currency, Reason};
use patron_rules::organisation::Kind;
use patron_rules::profile::CustomerType;
use patron_rules::validate::Registration;
use patron_store::{Lookup, Mode, Store, Tenant};
use proptest::prelude::*;
use rstest::rstest;
use rust_decimal::Decimal;
use tokio::runtime::Runtime;

use crate::engines::{Engine, Place};
use crate::given::{
    ORIGIN, all_three, change_settings, check_ledger, email, mobile, set_up, shop, tenant_of,
    with_documents,
};

/// How many coupons there are.
const COUPONS: u32 = 3;
/// What is set up besides a [`shop`], whose rewards are points.
const DOCUMENTS: [(Kind, &str); 9] = [
    (
        Kind::Programmes,
        r#"{"name":"Programme","is_default":true,"tier_expiry":{"strategy":"never"},
            "tiers":[{"serial":1,"name":"Base"},
                {"serial":2,"name":"Gold","expiry":{"strategy":"fixed_months","months":6}}]}"#,
    ),
    (Kind::Currencies, r#"{"name":"Stars","identifier":"stars"}"#),
    (Kind::CouponSeries, r#"{"name":"FEW","limit":3}"#),
    (Kind::RewardRules, r#"{"name":"welcome","effects":[{"type":"points","points":"100"}]}"#),
    (
        Kind::RewardRules,
        r#"{"name":"stars","effects":[{"type":"currency","currency":"Stars","value":"0.1"},
            {"type":"currency","currency":"Stars","value":"0.2"}]}"#,
    ),
    (
        Kind::RewardRules,
        r#"{"name":"converted","when":{"occasion":"conversion"},"effects":[{"type":"tier","serial":2}]}"#,
    ),
    (
        Kind::RewardRules,
        r#"{"name":"few","effects":[{"type":"points","points":"5"},{"type":"coupon","series":"FEW"}]}"#,
    ),
    (Kind::ReferralCampaigns, r#"{"name":"friends","to":"2025-06-30","referrals_per_code":1}"#),
    (
        Kind::RewardRules,
        r#"{"name":"referral","when":{"referred":true},"effects":[
            {"type":"referrer_points","points":"20"},{"type":"points","points":"10"}]}"#,
    ),
];

/// By what a person comes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum By {
    Mobile,
    Email,
    Both,
}

/// Who comes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Comer {
    /// A person.
    Person { person: u8, by: By },
    /// The number of one person and the address of another.
    Together { mobile: u8, email: u8 },
}

/// One registration.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Registering {
    comer: Comer,
    loyal: bool,
    /// By which of the referral codes that were made, counted from 0; by nobody's where there is no
    /// such.
    code: Option<usize>,
}

/// One step.
#[derive(Debug, Clone)]
enum Operation {
    /// In one batch.
    Register(Vec<Registering>),
    /// Decided, and not done.
    Rehearse(Registering),
    /// Whoever has this person's number asks for their referral codes.
    Ask { person: u8 },
    /// So many days pass.
    Pass { days: i64 },
    /// The store is closed, and opened again.
    Restart,
}

/// A customer as the model knows them.
#[derive(Debug, Clone, Default)]
struct Member {
    mobile: Option<u8>,
    email: Option<u8>,
    is_loyal: bool,
    place: Option<Standing>,
    awards: BTreeSet<&'static str>,
}

/// What a customer has in the programme.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Standing {
    /// The last day of the tier above the lowest.
    gold_until: Option<Date>,
    points: Decimal,
    stars: Decimal,
}

/// A referral code.
#[derive(Debug, Clone)]
struct Code {
    holder: usize,
    referrals: u64,
}

/// What must come of a registration.
#[derive(Debug, PartialEq, Eq)]
enum Expected {
    Refused(u32),
    Done(Done),
}

/// What must come of one that is not refused.
#[derive(Debug, PartialEq, Eq)]
struct Done {
    member: usize,
    awarded: Vec<&'static str>,
    is_short_of_coupons: bool,
    referrer: Option<usize>,
    /// The code that was passed does not count.
    is_code_wrong: bool,
}

/// What must hold of all customers.
#[derive(Debug, Clone)]
struct Model {
    members: Vec<Member>,
    /// Whoever comes by a number or an address is this member.
    mobiles: BTreeMap<u8, usize>,
    emails: BTreeMap<u8, usize>,
    codes: Vec<Code>,
    coupons_left: u32,
    now: Timestamp,
}

fn decimal(text: &str) -> Decimal {
    text.parse().unwrap()
}

fn zone() -> TimeZone {
    TimeZone::get("Asia/Kolkata").unwrap()
}

impl Model {
    fn new() -> Self {
        Self {
            members: Vec::new(),
            mobiles: BTreeMap::new(),
            emails: BTreeMap::new(),
            codes: Vec::new(),
            coupons_left: COUPONS,
            // Noon in Kolkata, on a day that most months have not.
            now: "2024-08-31T06:30:00Z".parse().unwrap(),
        }
    }

    fn today(&self) -> Date {
        zone().to_datetime(self.now).date()
    }

    fn pass(&mut self, days: i64) {
        let later = self.now.to_zoned(zone()).checked_add(Span::new().days(days)).unwrap();
        self.now = later.timestamp();
    }

    /// What must come of it; the model is as it is afterwards.
    fn register(&mut self, registering: Registering) -> Expected {
        let before = self.clone();
        let expected = self.attempt(registering);
        if matches!(expected, Expected::Refused(_)) {
            *self = before;
        }
        expected
    }

    fn attempt(&mut self, registering: Registering) -> Expected {
        let (mobile, email) = registering.comer.passed();
        let Registering { loyal, code, .. } = registering;
        self.end_tiers();
        let by_mobile = mobile.and_then(|mobile| self.mobiles.get(&mobile).copied());
        let by_email = email.and_then(|email| self.emails.get(&email).copied());
        let known = by_mobile.or(by_email);
        let member = known.unwrap_or_else(|| {
            self.members.push(Member::default());
            self.members.len() - 1
        });
        if let (Some(survivor), Some(victim)) = (by_mobile, by_email)
            && survivor != victim
        {
            self.merge(survivor, victim);
        }
        if self.members[member].is_loyal && !loyal {
            return Expected::Refused(1046);
        }
        self.members[member].is_loyal = loyal;
        // Whoever has a number or an address keeps it; one that leads to them already stays a way.
        if let Some(mobile) = mobile.filter(|mobile| !self.mobiles.contains_key(mobile))
            && self.members[member].mobile.is_none()
        {
            self.members[member].mobile = Some(mobile);
            self.mobiles.insert(mobile, member);
        }
        if let Some(email) = email.filter(|email| !self.emails.contains_key(email))
            && self.members[member].email.is_none()
        {
            self.members[member].email = Some(email);
            self.emails.insert(email, member);
        }
        let counted = code.filter(|code| self.counts(*code, member));
        let referring = counted.filter(|_| loyal && self.members[member].place.is_none());
        let referrer = referring.map(|code| self.refer(code));
        let (awarded, is_short_of_coupons) =
            self.award(member, known.is_some(), referrer.is_some());
        if let Some(referrer) = referrer.filter(|_| awarded.contains(&"referral")) {
            self.members[referrer].place.as_mut().unwrap().points += decimal("20");
        }
        let is_code_wrong = code.is_some() && counted.is_none();
        Expected::Done(Done { member, awarded, is_short_of_coupons, referrer, is_code_wrong })
    }

    fn campaign_runs(&self) -> bool {
        self.today() <= date(2025, 6, 30)
    }

    fn counts(&self, code: usize, member: usize) -> bool {
        self.codes.get(code).is_some_and(|code| {
            let takes_a_place = self.members[member].place.is_none();
            code.holder != member && self.campaign_runs() && !(takes_a_place && code.referrals == 1)
        })
    }

    fn refer(&mut self, code: usize) -> usize {
        self.codes[code].referrals += 1;
        self.codes[code].holder
    }

    /// The codes that this member has once they have asked, by their numbers.
    fn ask(&mut self, member: usize) -> Vec<usize> {
        let has_codes = self.codes.iter().any(|code| code.holder == member);
        if self.campaign_runs() && self.members[member].place.is_some() && !has_codes {
            self.codes.push(Code { holder: member, referrals: 0 });
        }
        let held = self.codes.iter().enumerate().filter(|(_, code)| code.holder == member);
        held.map(|(number, _)| number).collect()
    }

    fn end_tiers(&mut self) {
        let today = self.today();
        for place in self.members.iter_mut().filter_map(|member| member.place.as_mut()) {
            place.gold_until = place.gold_until.filter(|last| today <= *last);
        }
    }

    fn merge(&mut self, survivor: usize, victim: usize) {
        for ways in [&mut self.mobiles, &mut self.emails] {
            ways.values_mut()
                .filter(|member| **member == victim)
                .for_each(|member| *member = survivor);
        }
        self.codes
            .iter_mut()
            .filter(|code| code.holder == victim)
            .for_each(|code| code.holder = survivor);
        let merged = std::mem::take(&mut self.members[victim]);
        let member = &mut self.members[survivor];
        member.mobile = member.mobile.or(merged.mobile);
        member.email = member.email.or(merged.email);
        member.is_loyal |= merged.is_loyal;
        member.awards.extend(merged.awards);
        member.place = match (member.place.take(), merged.place) {
            (Some(held), Some(further)) => Some(Standing {
                gold_until: held.gold_until.or(further.gold_until),
                points: held.points + further.points,
                stars: held.stars + further.stars,
            }),
            (held, further) => held.or(further),
        };
    }

    /// Every rule that the member was not awarded before, in the order of the rules' names.
    fn award(
        &mut self,
        member: usize,
        was_known: bool,
        is_referred: bool,
    ) -> (Vec<&'static str>, bool) {
        let gold_until = self.today().checked_add(Span::new().months(6)).unwrap();
        let member = &mut self.members[member];
        if !member.is_loyal || member.place.is_some() {
            return (Vec::new(), false);
        }
        let mut place = Standing::default();
        let mut awarded = Vec::new();
        let mut is_short_of_coupons = false;
        for rule in ["converted", "few", "referral", "reward 0.1", "reward 0.2", "stars", "welcome"]
        {
            if member.awards.contains(rule) {
                continue;
            }
            match rule {
                "converted" if was_known => place.gold_until = Some(gold_until),
                "few" if self.coupons_left == 0 => {
                    is_short_of_coupons = true;
                    continue;
                }
                "few" => {
                    self.coupons_left -= 1;
                    place.points += decimal("5");
                }
                "referral" if is_referred => place.points += decimal("10"),
                "converted" | "referral" => continue,
                "reward 0.1" => place.points += decimal("0.1"),
                "reward 0.2" => place.points += decimal("0.2"),
                "stars" => place.stars += decimal("0.3"),
                _ => place.points += decimal("100"),
            }
            member.awards.insert(rule);
            awarded.push(rule);
        }
        member.place = Some(place);
        (awarded, is_short_of_coupons)
    }
}

impl Comer {
    /// The number and the address that are passed.
    fn passed(self) -> (Option<u8>, Option<u8>) {
        match self {
            Self::Person { person, by } => {
                ((by != By::Email).then_some(person), (by != By::Mobile).then_some(person))
            }
            Self::Together { mobile, email } => (Some(mobile), Some(email)),
        }
    }

    fn registration(self) -> Registration {
        let digits = |person: u8| format!("9190000000{person:02}");
        let address = |person: u8| format!("{person}@b.in");
        let mut registration = match self.passed() {
            (Some(number), Some(name)) => all_three(&digits(number), &address(name), "A"),
            (Some(number), None) => mobile(&digits(number)),
            (None, Some(name)) => email(&address(name)),
            (None, None) => unreachable!("a person comes by something"),
        };
        registration.identifiers.external_id = None;
        registration
    }
}

impl Registering {
    /// What is sent, where these referral codes were made.
    fn registration(self, codes: &[String]) -> Registration {
        let code = |number: usize| codes.get(number).cloned().unwrap_or("NOBODY".to_owned());
        let loyalty = if self.loyal { CustomerType::Loyalty } else { CustomerType::NonLoyalty };
        Registration {
            customer_type: Some(loyalty),
            referral_code: self.code.map(code),
            ..self.comer.registration()
        }
    }
}

/// A store and the model beside it.
struct Simulation {
    place: Place,
    store: Arc<dyn Store>,
    tenant: Tenant,
    model: Model,
    /// The customers by the model's numbers.
    ids: Vec<i64>,
    /// The codes of the coupons that were given.
    coupons: BTreeSet<String>,
    /// The referral codes by the model's numbers.
    codes: Vec<String>,
}

impl Simulation {
    async fn start(engine: Engine) -> Self {
        let place = Place::new(engine);
        let store = place.open();
        let tenant = set_up(&*store, with_documents(&DOCUMENTS, shop("shop"))).await;
        let merging = [("MERGE_ON_CONFLICT", "1")];
        let tenant = change_settings(&*store, &tenant, &merging).await.unwrap();
        let (model, ids, codes) = (Model::new(), Vec::new(), Vec::new());
        Self { place, store, tenant, model, ids, coupons: BTreeSet::new(), codes }
    }

    async fn run(mut self, operations: &[Operation]) {
        for operation in operations {
            match operation {
                Operation::Register(all) => self.register(all).await,
                Operation::Rehearse(registering) => self.rehearse(*registering).await,
                Operation::Ask { person } => self.ask(*person).await,
                Operation::Pass { days } => self.model.pass(*days),
                Operation::Restart => self.restart().await,
            }
        }
        self.check().await;
        self.store.close().await;
    }

    async fn register(&mut self, all: &[Registering]) {
        let registrations = all.iter().map(|one| one.registration(&self.codes)).collect();
        let (now, mode) = (self.model.now, Mode::Apply);
        let decisions =
            self.store.register(&self.tenant, registrations, ORIGIN, now, mode).await.unwrap();
        assert_eq!(decisions.len(), all.len());
        for (registering, decision) in all.iter().zip(decisions) {
            match (self.model.register(*registering), decision.outcome) {
                (Expected::Refused(code), Err(failure)) => {
                    assert_eq!(failure.code.number, code, "{registering:?}");
                }
                (Expected::Done(expected), Ok(plan)) => {
                    self.compare(expected.member, &plan);
                    self.compare_referral(&expected, &plan);
                    assert_eq!(rules(&plan), expected.awarded, "{registering:?}");
                    let is_warned = |code| plan.warnings.iter().any(|one| one.code == code);
                    let warned = [codes::AWARD_FAILED, codes::REFERRER_NOT_FOUND].map(is_warned);
                    let warnings = [expected.is_short_of_coupons, expected.is_code_wrong];
                    assert_eq!(warned, warnings, "{registering:?}");
                    self.take_coupons(&plan, expected.awarded.contains(&"few"));
                }
                (expected, found) => panic!("{registering:?}: {expected:?}, not {found:?}"),
            }
        }
    }

    fn compare(&mut self, member: usize, plan: &Plan) {
        if member == self.ids.len() {
            assert_eq!(plan.before, None);
            self.ids.push(plan.customer.id.0);
        }
        assert_eq!(plan.customer.id.0, self.ids[member]);
        self.compare_standing(member, &plan.customer);
    }

    /// Who referred the customer, and what they have of it.
    fn compare_referral(&self, expected: &Done, plan: &Plan) {
        let found = plan.referral.as_ref().map(|referral| referral.referrer.customer.id.0);
        assert_eq!(found, expected.referrer.map(|referrer| self.ids[referrer]));
        let is_rewarded = expected.awarded.contains(&"referral");
        let reward = plan.referral.as_ref().and_then(|referral| referral.reward.as_ref());
        let points = reward.map(|place| place.balances.points.available());
        let referrer = expected.referrer.filter(|_| is_rewarded);
        let standing = |referrer: usize| self.model.members[referrer].place.clone();
        assert_eq!(points, referrer.and_then(standing).map(|place| place.points));
    }

    /// Nobody has a code that is not theirs, and each has brought whom it brought.
    async fn ask(&mut self, person: u8) {
        let Some(member) = self.model.mobiles.get(&person).copied() else { return };
        let customer = self.find(Comer::Person { person, by: By::Mobile }).await;
        let asked = self.store.referral_codes(&self.tenant, &customer, self.model.now);
        let held: BTreeMap<String, u64> =
            asked.await.unwrap().into_iter().map(|code| (code.code, code.referrals)).collect();
        let expected = self.model.ask(member);
        let made = held.keys().find(|code| !self.codes.contains(code)).cloned();
        self.codes.extend(made);
        let expected = expected.into_iter();
        let code = |number: usize| (self.codes[number].clone(), self.model.codes[number].referrals);
        assert_eq!(held, expected.map(code).collect());
    }

    async fn find(&self, comer: Comer) -> Customer {
        let identifiers = comer.registration().identifiers;
        let (kind, key) = identifiers.keys().next().unwrap();
        let by = Lookup::Identifier(kind, key.to_owned());
        self.store.find(&self.tenant, by).await.unwrap().unwrap().customer
    }

    fn compare_standing(&self, member: usize, customer: &Customer) {
        let expected = &self.model.members[member];
        assert_eq!(customer.customer_type == CustomerType::Loyalty, expected.is_loyal);
        let found = customer.enrolments.first().map(|held| {
            let end = held.tier_expires_at.map(|end| zone().to_datetime(end).date());
            assert_eq!(held.tier == 2, end.is_some());
            Standing {
                gold_until: end,
                points: held.balances.points.available(),
                stars: held.balances.of(&Currency::Alternate("stars".to_owned())).available(),
            }
        });
        assert_eq!(found, expected.place);
    }

    fn take_coupons(&mut self, plan: &Plan, is_expected: bool) {
        let mut is_given = false;
        for effect in &plan.side_effects {
            if let SideEffect::Coupon(coupon) = effect {
                assert!(self.coupons.insert(coupon.code.clone()), "given twice");
                is_given = true;
            }
        }
        assert_eq!(is_given, is_expected);
    }

    async fn rehearse(&self, registering: Registering) {
        let mut model = self.model.clone();
        let expected = model.register(registering);
        let registrations = vec![registering.registration(&self.codes)];
        let (now, mode) = (self.model.now, Mode::DryRun);
        let decisions =
            self.store.register(&self.tenant, registrations, ORIGIN, now, mode).await.unwrap();
        match (expected, decisions[0].outcome.as_ref()) {
            (Expected::Refused(code), Err(failure)) => assert_eq!(failure.code.number, code),
            (Expected::Done(done), Ok(plan)) => assert_eq!(rules(plan), done.awarded),
            (expected, found) => panic!("{registering:?}: {expected:?}, not {found:?}"),
        }
    }

    async fn restart(&mut self) {
        if self.place.lasts() {
            self.store.close().await;
            self.store = self.place.open();
            self.tenant = tenant_of(&*self.store, "shop").await;
        }
    }

    /// Everybody is who the model says and has what it says, and the ledger adds up.
    async fn check(&mut self) {
        self.model.end_tiers();
        let Model { mobiles, emails, now, .. } = self.model.clone();
        let by_mobile = mobiles.into_iter().map(|(person, member)| (By::Mobile, person, member));
        let by_email = emails.into_iter().map(|(person, member)| (By::Email, person, member));
        for (by, person, member) in by_mobile.chain(by_email) {
            let mut found = self.find(Comer::Person { person, by }).await;
            enrol::settle(&mut found, self.tenant.organisation(), now);
            assert_eq!(found.id.0, self.ids[member]);
            self.compare_standing(member, &found);
        }
        assert_eq!(check_ledger(&*self.store, "shop").await.1, []);
        let given = u32::try_from(self.coupons.len()).unwrap();
        assert_eq!(given, COUPONS - self.model.coupons_left);
    }
}

/// The rules that were awarded. Whoever was in the programme is awarded nothing: what a merge enters
/// for them was awarded before.
fn rules(plan: &Plan) -> Vec<&str> {
    let mut before = plan.merged.iter().map(|merged| &merged.before).chain(&plan.before);
    if before.any(|customer| !customer.enrolments.is_empty()) {
        return Vec::new();
    }
    plan.ledger
        .iter()
        .filter(|entry| entry.line == 0 && matches!(entry.reason, Reason::Registration { .. }))
        .filter_map(|entry| entry.reason.rule())
        .collect()
}

fn simulate(engine: Engine, operations: &[Operation]) {
    Runtime::new().unwrap().block_on(async {
        Simulation::start(engine).await.run(operations).await;
    });
}

/// Few persons, so that they meet.
fn registering() -> impl Strategy<Value = Registering> {
    let by = prop::sample::select(vec![By::Mobile, By::Email, By::Both]);
    // The first code comes often, so that it is used up.
    let code = prop::sample::select(vec![0_usize, 0, 0, 1, 2, 9]);
    let comer = prop_oneof![
        2 => (0_u8..6, by).prop_map(|(person, by)| Comer::Person { person, by }),
        1 => (0_u8..6, 0_u8..6).prop_map(|(mobile, email)| Comer::Together { mobile, email }),
    ];
    (comer, any::<bool>(), prop::option::of(code)).prop_map(|(comer, loyal, code)| Registering {
        comer,
        loyal,
        code,
    })
}

fn operations() -> impl Strategy<Value = Vec<Operation>> {
    let one = prop_oneof![
        6 => prop::collection::vec(registering(), 1..4).prop_map(Operation::Register),
        2 => registering().prop_map(|one| Operation::Register(vec![one, one])),
        1 => registering().prop_map(Operation::Rehearse),
        3 => (0_u8..6).prop_map(|person| Operation::Ask { person }),
        2 => (1_i64..200).prop_map(|days| Operation::Pass { days }),
        1 => Just(Operation::Restart),
    ];
    prop::collection::vec(one, 1..40)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn whatever_happens_the_model_holds(operations in operations()) {
        simulate(Engine::SqliteInMemory, &operations);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(8))]

    #[test]
    fn and_so_it_does_through_restarts(operations in operations()) {
        simulate(Engine::SqliteInADirectory, &operations);
    }
}

const fn comes(person: u8, by: By, loyal: bool) -> Registering {
    Registering { comer: Comer::Person { person, by }, loyal, code: None }
}

const fn together(mobile: u8, email: u8, loyal: bool) -> Registering {
    Registering { comer: Comer::Together { mobile, email }, loyal, code: None }
}

/// The same by a referral code.
const fn by_code(code: usize, registering: Registering) -> Registering {
    Registering { code: Some(code), ..registering }
}

/// Lists that each show one thing, whatever chance brings.
#[rstest]
#[case::more_customers_than_coupons(vec![
    Operation::Register((0..5).map(|person| comes(person, By::Both, true)).collect()),
    Operation::Restart,
    Operation::Register(vec![comes(5, By::Both, true), comes(0, By::Mobile, true)]),
])]
#[case::a_tier_ends_on_the_last_day_of_february(vec![
    Operation::Register(vec![comes(0, By::Both, false), comes(0, By::Both, true)]),
    Operation::Pass { days: 181 },
    Operation::Register(vec![comes(0, By::Mobile, true)]),
    Operation::Restart,
    Operation::Pass { days: 1 },
    Operation::Register(vec![comes(0, By::Mobile, true)]),
])]
#[case::a_tier_that_is_over_is_nobodys_gain(vec![
    Operation::Register(vec![comes(0, By::Mobile, false), comes(0, By::Mobile, true)]),
    Operation::Register(vec![comes(1, By::Email, true)]),
    Operation::Pass { days: 200 },
    Operation::Register(vec![together(0, 1, true)]),
])]
#[case::the_tier_of_a_victim_goes_on(vec![
    Operation::Register(vec![comes(1, By::Email, false), comes(1, By::Email, true)]),
    Operation::Register(vec![comes(0, By::Mobile, true), together(0, 1, true)]),
    Operation::Pass { days: 182 },
    Operation::Register(vec![comes(1, By::Email, true)]),
])]
#[case::a_chain_of_merges(vec![
    Operation::Register((0..4).map(|person| comes(person, By::Email, true)).collect()),
    Operation::Register((4..6).map(|person| comes(person, By::Mobile, false)).collect()),
    Operation::Register(vec![together(4, 0, true), together(4, 1, true), together(5, 4, false)]),
    Operation::Restart,
    Operation::Register(vec![together(5, 0, true), comes(2, By::Both, true), together(2, 3, true)]),
])]
#[case::a_chain_of_referrals_whose_referrer_is_merged(vec![
    Operation::Register(vec![comes(0, By::Mobile, true)]),
    Operation::Ask { person: 0 },
    Operation::Register(vec![by_code(0, comes(1, By::Both, true))]),
    Operation::Ask { person: 1 },
    Operation::Register(vec![together(0, 1, true)]),
    Operation::Restart,
    Operation::Register(vec![by_code(1, comes(2, By::Mobile, true))]),
    Operation::Register(vec![by_code(1, comes(0, By::Mobile, true))]),
    Operation::Register(vec![by_code(1, comes(3, By::Mobile, true))]),
    Operation::Ask { person: 0 },
])]
#[case::the_referrer_becomes_the_customer(vec![
    Operation::Register(vec![comes(0, By::Both, true), comes(1, By::Mobile, false)]),
    Operation::Ask { person: 0 },
    Operation::Register(vec![by_code(0, together(1, 0, true))]),
    Operation::Ask { person: 1 },
])]
#[case::a_conversion_is_brought_once(vec![
    Operation::Register(vec![comes(0, By::Mobile, true), comes(1, By::Mobile, false)]),
    Operation::Ask { person: 0 },
    Operation::Register(vec![by_code(0, comes(1, By::Mobile, false))]),
    Operation::Rehearse(by_code(0, comes(1, By::Mobile, true))),
    Operation::Register(vec![by_code(0, comes(1, By::Mobile, true)); 3]),
    Operation::Ask { person: 0 },
])]
#[case::a_campaign_ends_on_its_last_day(vec![
    Operation::Register(vec![comes(0, By::Mobile, true), comes(1, By::Mobile, true)]),
    Operation::Ask { person: 0 },
    Operation::Pass { days: 303 },
    Operation::Register(vec![by_code(0, comes(2, By::Mobile, true))]),
    Operation::Pass { days: 1 },
    Operation::Register(vec![by_code(0, comes(3, By::Mobile, true))]),
    Operation::Ask { person: 1 },
])]
#[case::a_merge_that_is_refused_leaves_both(vec![
    Operation::Register(vec![comes(0, By::Mobile, false), comes(1, By::Email, true)]),
    Operation::Rehearse(together(0, 1, true)),
    Operation::Register(vec![together(0, 1, false), comes(0, By::Mobile, true)]),
    Operation::Register(vec![together(0, 1, true)]),
])]
fn lists(#[case] operations: Vec<Operation>) {
    simulate(Engine::SqliteInADirectory, &operations);
}
