//! A registry with something of everything in it, and all that it answers.

use std::fmt::Debug;
use std::sync::Arc;

use jiff::SignedDuration;
use patron_rules::audit::{Origin, RequestId, UserContext};
use patron_rules::card::CardRequest;
use patron_rules::customer::CustomerId;
use patron_rules::identifier::Mobile;
use patron_rules::organisation::{ApiClientId, CallerId, Kind, TillId};
use patron_rules::profile::{FieldValue, FraudStatus, Name};
use patron_rules::submission::Kept;
use patron_rules::validate::Registration;
use patron_store::operators::{NewSession, Role, Scope};
use patron_store::{
    Lookup, Mode, NewSecret, NewToken, Once, OrganisationName, Registered, Store, Tenant, TokenHash,
};

use crate::given::{
    ORIGIN, all_three, audit, author, change_settings, check_ledger, email, external_id, mobile,
    named, now, register, set_up, shop, with_documents,
};
use crate::operators;

/// What is set up besides a [`shop`].
const DOCUMENTS: [(Kind, &str); 7] = [
    (
        Kind::Programmes,
        r#"{"name":"Programme","id":7,"is_default":true,"tiers":[{"serial":1,"name":"Base",
            "expiry":{"strategy":"fixed_months","months":6}}]}"#,
    ),
    (Kind::Currencies, r#"{"name":"Stars","identifier":"stars"}"#),
    (Kind::CardSeries, r#"{"name":"GOLD","number":{"prefix":"G","length":8}}"#),
    (Kind::CouponSeries, r#"{"name":"FEW","limit":3}"#),
    (Kind::ReferralCampaigns, r#"{"name":"friends"}"#),
    (
        Kind::RewardRules,
        r#"{"name":"stars","effects":[{"type":"currency","currency":"Stars","value":"1.5"},
            {"type":"coupon","series":"FEW"}]}"#,
    ),
    (
        Kind::RewardRules,
        r#"{"name":"referral","when":{"referred":true},"effects":[
            {"type":"referrer_points","points":"20"},{"type":"points","points":"10"}]}"#,
    ),
];
/// Each organisation's till has its name.
const ORGANISATIONS: [&str; 2] = ["shop", "other"];
pub const OPERATORS: [&str; 2] = ["asha", "root"];
const CLIENT: &str = "app";
const CLIENT_KEY: &str = "key of app";
const TOKEN: [u8; 32] = [9; 32];
/// How many ids are looked at, from the first on.
const IDS: i64 = 60;
const FIRST_ID: i64 = 100_000_001;

/// Fills a store with something of everything.
pub async fn fill(store: &dyn Store) {
    let tenant = set_up(store, with_documents(&DOCUMENTS, shop(ORGANISATIONS[0]))).await;
    let other = set_up(store, shop(ORGANISATIONS[1])).await;
    let tenant = change_settings(store, &tenant, &[("MERGE_ON_CONFLICT", "1")]).await.unwrap();
    let client = format!(r#"{{"name":"{CLIENT}","default_till":"{}"}}"#, ORGANISATIONS[0]);
    let tenant = crate::given::put(store, &tenant, &[(Kind::ApiClients, CLIENT, &client)]).await;
    sign_in(store, &tenant).await;
    let [tenant, other] = [tenant.id(), other.id()].map(|id| store.tenant(id));
    let (tenant, other) = (tenant.await.unwrap(), other.await.unwrap());
    customers(store, &tenant).await;
    merged(store, &tenant).await;
    referred(store, &tenant).await;
    let request = register_once(store, &tenant).await;
    assert!(matches!(request, Registered::Now { .. }), "{request:?}");
    // The same identifiers, and ids, of another organisation.
    for number in 0..5 {
        register(store, &other, person(number)).await;
    }
    // Several customers may share an address there.
    let shared = [("CONF_USERS_IS_EMAIL_UNIQUE", "0")];
    change_settings(store, &other, &shared).await.unwrap();
}

/// Operators, and what an API client signs in with.
async fn sign_in(store: &dyn Store, tenant: &Tenant) {
    let later = now() + SignedDuration::from_hours(1);
    for (operator, scope) in
        OPERATORS.into_iter().zip([Scope::Organisation(tenant.id()), Scope::Everywhere])
    {
        let (password, id) = (format!("hash of {operator}"), operators::id(operator, scope));
        store.add_operator(id.clone(), password, Role::Owner, author()).await.unwrap();
        let (token, opened_at) = (token_of(operator), now());
        let session = NewSession { token, operator: id, opened_at, expires_at: later };
        store.open_session(session).await.unwrap();
    }
    let secret = NewSecret { key: CLIENT_KEY.to_owned(), hash: "hash of a secret".to_owned() };
    store.set_client_secret(tenant.id(), CLIENT, secret, author()).await.unwrap();
    let hash = TokenHash(TOKEN);
    let new = NewToken { client: ApiClientId(1), hash, issued_at: now(), expires_at: later };
    store.keep_token(tenant.id(), new).await.unwrap();
}

fn token_of(operator: &str) -> [u8; 32] {
    [operator.as_bytes()[0]; 32]
}

fn person(number: usize) -> Registration {
    let whole = all_three(
        &format!("9198000000{number:02}"),
        &format!("Who{number}@example.org"),
        &format!("E-{number}"),
    );
    named(&format!("Náme {number}"), whole)
}

/// Customers with cards and coupons, one of them with everything that a customer may have.
async fn customers(store: &dyn Store, tenant: &Tenant) {
    for number in 0..20 {
        let series = (number % 2 == 0).then(|| "GOLD".to_owned());
        let card = series.map(|series| CardRequest { number: None, series: Some(series) });
        register(store, tenant, Registration { card, ..person(number) }).await;
    }
    let field = |name: &str| FieldValue { name: name.to_owned(), value: "ü".to_owned() };
    let mut whole = Registration {
        last_name: Name::parse("Rao"),
        account_id: Some("account".to_owned()),
        associated_till: Some(TillId(1)),
        fraud_status: Some(FraudStatus::parse("INTERNAL")),
        kept: Kept { gender: Some("F".to_owned()), ..Kept::default() },
        custom_fields: vec![field("city")],
        extended_fields: vec![field("age")],
        card: Some(CardRequest { number: Some("HAND-1".to_owned()), series: None }),
        ..person(20)
    };
    whole.identifiers.mobile =
        Some(Mobile::stored("919800000020".to_owned(), Some("9800000020".to_owned())));
    let user = Some(UserContext { entity_id: Some("7".to_owned()), ..UserContext::default() });
    let origin = Origin {
        request_id: RequestId(5),
        caller: CallerId::ApiClient(ApiClientId(1)),
        store: Some(3),
        user,
        ..ORIGIN.clone()
    };
    let registered = store.register(tenant, vec![whole], &origin, now(), Mode::Apply).await;
    registered.unwrap().pop().unwrap().outcome.unwrap();
}

/// Two who turn out to be one.
async fn merged(store: &dyn Store, tenant: &Tenant) {
    register(store, tenant, mobile("919800000030")).await;
    register(store, tenant, email("who30@example.org")).await;
    let mut both = all_three("919800000030", "who30@example.org", "none");
    both.identifiers.external_id = None;
    assert_eq!(register(store, tenant, both).await.merged.len(), 1);
}

async fn referred(store: &dyn Store, tenant: &Tenant) {
    let id = CustomerId(FIRST_ID);
    let referrer = store.find(tenant, Lookup::Id(id)).await.unwrap().unwrap().customer;
    let codes = store.referral_codes(tenant, &referrer, now()).await.unwrap();
    let code = Some(codes[0].code.clone());
    let plan = register(store, tenant, Registration { referral_code: code, ..person(40) }).await;
    assert!(plan.referral.is_some());
}

async fn register_once(store: &dyn Store, tenant: &Tenant) -> Registered {
    let answer = Arc::new(|_: &[_]| b"\x00\xffanswer".to_vec());
    let keep_for = SignedDuration::from_hours(1);
    let once = Once { key: [1; 32], content: [2; 32], keep_for, may_keep: true, answer };
    let registrations = vec![external_id("once")];
    store.register_once(tenant, registrations, ORIGIN, now(), once).await.unwrap()
}

/// All that a store answers about what [`fill`] put into it, in words. Asked for the first time, it
/// makes the referral codes.
pub async fn answers(store: &dyn Store) -> Vec<String> {
    let mut told = Vec::new();
    let organisations = store.organisations().await.unwrap();
    tell(&mut told, &organisations);
    for OrganisationName { id, name, .. } in organisations {
        assert_eq!(store.organisation_named(&name).await.unwrap(), Some(id));
        let tenant = store.tenant(id).await.unwrap();
        tell(&mut told, tenant.organisation());
        for kind in Kind::ALL {
            let page = store.resources(id, kind, "", 1_000).await.unwrap();
            for stored in &page {
                let one = store.resource(id, kind, &stored.document.name).await.unwrap();
                tell(&mut told, &one);
            }
            tell(&mut told, &page);
        }
        tell(&mut told, &store.changes(id, None, 1_000).await.unwrap());
        tell(&mut told, &store.operators(Scope::Organisation(id), "", 100).await.unwrap());
        tell(&mut told, &store.till_credential(&name).await.unwrap());
        tell(&mut told, &check_ledger(store, &name).await);
        for number in 0..IDS {
            customer(store, &tenant, CustomerId(FIRST_ID + number), &mut told).await;
        }
        // Whoever is known is decided about the same; who is not would be given another id.
        let known = vec![person(1), named("Another", person(3))];
        let decided = store.register(&tenant, known, ORIGIN, now(), Mode::DryRun).await;
        tell(&mut told, &decided.unwrap());
    }
    let till = store.till_credential(ORGANISATIONS[0]).await.unwrap().unwrap();
    let tenant = store.tenant(till.tenant).await.unwrap();
    tell(&mut told, &store.client_key(tenant.id(), CLIENT).await.unwrap());
    tell(&mut told, &store.client_credential(CLIENT_KEY).await.unwrap());
    tell(&mut told, &store.token(TokenHash(TOKEN)).await.unwrap());
    let again = register_once(store, &tenant).await;
    assert!(matches!(again, Registered::Before(_)), "{again:?}");
    tell(&mut told, &again);
    for (operator, organisation) in OPERATORS.into_iter().zip([Some(ORGANISATIONS[0]), None]) {
        tell(&mut told, &store.operator_credential(organisation, operator).await.unwrap());
        tell(&mut told, &store.session(token_of(operator), now()).await.unwrap());
    }
    told
}

/// All that is known of one customer, by each way that leads to them.
async fn customer(store: &dyn Store, tenant: &Tenant, id: CustomerId, told: &mut Vec<String>) {
    let found = store.find(tenant, Lookup::Id(id)).await.unwrap();
    tell(told, &found);
    tell(told, &audit(store, tenant, id).await);
    let Some(found) = found else { return };
    for (kind, key) in found.customer.identifiers.keys() {
        if !tenant.organisation().settings.identifies(kind) {
            let sharing = store.sharing_email(tenant, key).await.unwrap();
            assert!(!sharing.is_empty(), "{id:?} is not found by their {kind}");
            tell(told, &sharing);
            continue;
        }
        let by = Lookup::Identifier(kind, key.to_owned());
        let by_this = store.find(tenant, by).await.unwrap();
        assert!(by_this.is_some(), "{id:?} is not found by their {kind}");
        tell(told, &by_this);
    }
    let cards = store.cards(tenant, id).await.unwrap();
    for card in &cards {
        tell(told, &store.find(tenant, Lookup::Card(card.number.clone())).await.unwrap());
    }
    tell(told, &cards);
    tell(told, &store.coupons(tenant, id).await.unwrap());
    let codes = store.referral_codes(tenant, &found.customer, now()).await.unwrap();
    for code in &codes {
        tell(told, &store.referrer(tenant, &code.code).await.unwrap());
    }
    tell(told, &codes);
}

fn tell(told: &mut Vec<String>, answer: &impl Debug) {
    told.push(format!("{answer:?}"));
}

/// Customers who are new get ids that nobody had: higher ones than this.
pub async fn ids_go_on(store: &dyn Store, highest: i64) {
    for name in ORGANISATIONS {
        let till = store.till_credential(name).await.unwrap().unwrap();
        let tenant = store.tenant(till.tenant).await.unwrap();
        let plan = register(store, &tenant, external_id("new")).await;
        assert!(plan.before.is_none() && plan.customer.id.0 > highest, "{:?}", plan.customer.id);
    }
}

/// The identifiers of whoever is there, as no message may tell them.
pub const PERSONAL: [&str; 5] = ["9198", "@example.org", "E-", "Náme", "once"];
