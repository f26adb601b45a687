//! Organisations: what is set up is there, whole or not at all.

use std::sync::Arc;

use jiff::civil::date;
use jiff::tz::TimeZone;
use patron_rules::identifier::generated::{SourceAccount, When};
use patron_rules::identifier::{IdentifierKind, external_id, generated, mobile};
use patron_rules::number::{Algorithm, ChecksumOver, Form};
use patron_rules::organisation::{
    AccessGroup, AlternateCurrency, Amount, ApiClient, ApiClientId, ApiResource, Collection,
    Conditions, CustomField, CustomerSource, Details, Effect, ExtendedField, Kind, Limits,
    Occasion, Organisation, Permission, Programme, ProgrammeId, ReferralCampaign, RewardRule,
    SourceAccount as Account, Tier, TierExpiry,
};
use patron_rules::profile::CustomerType;
use patron_rules::profile::extended_field::{DataType, Element, List, Rule};
use patron_rules::profile::{Pattern, custom_field};
use patron_rules::random_code::CodePattern;
use patron_rules::settings::{InvalidSecondary, KnownCustomer, OlderUpdate, Settings};
use patron_store::{Error, NewOrganisation, Store};

use crate::engines::{Engine, Place};
use crate::given::{author, hashes, names, points, set_up, shop, shop_with, tenant_of, with_tills};

on_every_engine! {
    an_organisation_is_there_with_all_it_was_set_up_with,
    an_organisation_needs_nothing_but_its_name_and_a_till,
    every_organisation_is_told_of,
    several_are_set_up_wholly_or_not_at_all,
    a_name_that_is_taken_twice_in_one_call_sets_up_nothing,
    a_till_belongs_to_one_organisation,
    a_password_needs_its_till,
    a_till_without_a_password_signs_in_nobody,
    a_till_is_found_by_its_exact_name,
    what_cannot_be_set_up_together_is_refused,
    an_organisation_that_does_not_exist_is_not_handed_out,
}

/// No two parts are alike.
fn elaborate() -> NewOrganisation {
    let organisation = Organisation {
        details: Details {
            name: "Ä's \"Kaufhaus\"; DROP TABLE organisation".to_owned(),
            time_zone: TimeZone::get("America/St_Johns").unwrap(),
            currency: Some("CAD".to_owned()),
            is_active: true,
            access_group: "cashiers".to_owned(),
        },
        settings: settings(),
        access_groups: Collection::of([cashiers()]).unwrap(),
        api_clients: Collection::of([app()]).unwrap(),
        limits: Limits {
            calls_per_minute: Some(5),
            tills: [("till.a".to_owned(), 0)].into(),
            api_clients: [("app".to_owned(), 7)].into(),
        },
        custom_fields: Collection::of(custom_fields()).unwrap(),
        sources: Collection::of([source()]).unwrap(),
        extended_fields: Collection::of(extended_fields()).unwrap(),
        programmes: Collection::of([programme(3, false), programme(9, true)]).unwrap(),
        currencies: Collection::of([currency()]).unwrap(),
        referral_campaigns: Collection::of([campaign()]).unwrap(),
        reward_rules: Collection::of(reward_rules()).unwrap(),
        ..Organisation::default()
    };
    let new = NewOrganisation { organisation, is_demo: true, passwords: Vec::new() };
    with_tills(&["till.b", "till.a", "Till.A"], new)
}

fn cashiers() -> AccessGroup {
    AccessGroup {
        name: "cashiers".to_owned(),
        description: Some("Whoever sells".to_owned()),
        data_api: [(ApiResource::Customer, Permission::Write)].into(),
        config_api: [(ApiResource::Organization, Permission::Read)].into(),
    }
}

fn app() -> ApiClient {
    ApiClient {
        id: ApiClientId(4),
        name: "app".to_owned(),
        description: None,
        token_seconds: 300,
        default_till: "till.a".to_owned(),
        default_till_for_invalid: true,
        access_group: Some("read_only".to_owned()),
    }
}

fn texts(texts: &[&str]) -> Vec<String> {
    texts.iter().map(ToString::to_string).collect()
}

fn custom_fields() -> Vec<CustomField> {
    let named = |name: &str| CustomField { name: name.to_owned(), ..CustomField::default() };
    vec![
        CustomField {
            regex: Some(Pattern::parse("[1-9]\\d{5}|\"'").unwrap()),
            data_type: custom_field::DataType::Integer,
            ..named("Zip")
        },
        CustomField { options: texts(&["Pune", "\"Goa\""]), audit_trail: true, ..named("city") },
        CustomField { data_type: custom_field::DataType::Boolean, ..named("City") },
        CustomField { data_type: custom_field::DataType::Double, ..named("height") },
    ]
}

fn extended_fields() -> Vec<ExtendedField> {
    let of = |name: &str, data_type| ExtendedField {
        name: name.to_owned(),
        data_type,
        ..ExtendedField::default()
    };
    let rules = |rules: &[&str]| rules.iter().map(|rule| Rule::parse(rule).unwrap()).collect();
    let mut fields = vec![
        ExtendedField {
            values: texts(&["XL, or more", "\"M\""]).into(),
            ..of("size", DataType::CustomEnum)
        },
        ExtendedField {
            rules: rules(&[">= 18", "matches [1-9].*"]),
            ..of("age", DataType::Integer)
        },
        ExtendedField { values: texts(&["Male"]).into(), ..of("gender", DataType::StandardEnum) },
        ExtendedField {
            rules: rules(&["< 50"]),
            list: List { element: Element::Integer, least: 1, most: Some(9) },
            ..of("shoes", DataType::List)
        },
    ];
    fields.extend(
        [
            DataType::String,
            DataType::Double,
            DataType::Date,
            DataType::DateTime,
            DataType::StandardString,
            DataType::Country,
            DataType::Currency,
            DataType::Language,
            DataType::AssociateUser,
            DataType::OrgEntity,
            DataType::StringSet,
        ]
        .map(|data_type| of(&format!("{data_type:?}"), data_type)),
    );
    fields
}

/// As little as may be is as it is by default.
fn settings() -> Settings {
    Settings {
        primary_key: IdentifierKind::ExternalId,
        primary_key_required: true,
        any_identifier: false,
        mobile_required: true,
        email_required: true,
        external_id_required: true,
        email_unique: false,
        mobile: mobile::Rules {
            base: Some("DE".parse().unwrap()),
            supported: vec!["SG".parse().unwrap(), "IN".parse().unwrap()],
            validation: mobile::Validation::CountryThenGeneric,
            preferred: None,
        },
        external_id: external_id::Rules { prefix: Some("K-".to_owned()), length: Some(12) },
        generated_id: generated::Rules {
            enabled: true,
            every_source: true,
            sources: vec![SourceAccount::parse("KIOSK:7").unwrap()],
            form: Form {
                algorithm: Algorithm::Random,
                prefix: "K-".to_owned(),
                offset: 77,
                length: 12,
                checksum_over: ChecksumOver::Prefix,
                ..Form::default()
            },
            ..generated::Rules::default()
        },
        allow_mobile_update: true,
        allow_email_update: true,
        allow_external_id_update: true,
        strict_check: true,
        skip_secondary: true,
        known_customer: KnownCustomer::Refuse,
        invalid_secondary: InvalidSecondary::Drop,
        earliest_registration: Some(date(2001, 2, 3).at(4, 5, 6, 0)),
        future_registration_days: 30,
        strict_extras: true,
        older_update: OlderUpdate::Apply,
        warn_extras: false,
        batch_limit: 17,
        repeat_window_seconds: 60,
        audit_custom_fields: false,
        audited_custom_fields: 7,
        audited_extended_fields: 8,
        card_limit: 3,
        points_summaries_need_mlp: true,
        ..Settings::default()
    }
}

/// The rest, which would contradict those.
fn other_settings() -> Settings {
    let form = Form { suffix: "-K".to_owned(), ..Form::default() };
    let generated_id = generated::Rules { when: When::Always, form, ..generated::Rules::default() };
    Settings { use_external_id: false, merge: true, generated_id, ..Settings::default() }
}

#[test]
fn the_settings_above_leave_none_of_them_out() {
    let texts = |settings: Settings| settings.texts().collect::<Vec<_>>();
    let default = texts(Settings::default());
    let (one, other) = (texts(settings()), texts(other_settings()));
    for (position, row) in default.iter().enumerate() {
        let changed = one[position] != *row || other[position] != *row;
        assert!(changed, "{} is as by default in both", row.0);
    }
}

fn programme(id: i64, is_default: bool) -> Programme {
    let tier = |serial| Tier {
        serial,
        name: format!("tier {serial} of {id}"),
        description: format!("'{serial}'"),
        expiry: (serial == 2).then_some(TierExpiry::FixedMonths { months: 6 }),
    };
    Programme {
        id: ProgrammeId(id),
        name: format!("programme {id}"),
        description: "\"№\" of several".to_owned(),
        is_default,
        points_to_currency_ratio: Amount::new(points("0.25")).unwrap(),
        tier_expiry: TierExpiry::FixedDate { month: 2, day: 29, minimum_months: 3 },
        tiers: vec![tier(1), tier(2), tier(3)],
    }
}

fn source() -> CustomerSource {
    let account = |id: &str, name: Option<&str>, is_active| Account {
        id: id.to_owned(),
        name: name.map(str::to_owned),
        is_active,
    };
    CustomerSource {
        name: "KIOSK".to_owned(),
        accounts: vec![account("7", Some("Bahnhof 東"), true), account("8", None, false)],
        requires_account: true,
    }
}

fn currency() -> AlternateCurrency {
    AlternateCurrency { name: "Sterne ★".to_owned(), identifier: "rgpws7".to_owned() }
}

fn campaign() -> ReferralCampaign {
    ReferralCampaign {
        name: "Freunde ♥".to_owned(),
        code: CodePattern { prefix: "F-".to_owned(), alphabet: "01".to_owned(), length: 20 },
        from: Some(jiff::civil::date(2024, 2, 29)),
        to: Some(jiff::civil::date(2025, 12, 31)),
        referrals_per_code: Some(u32::MAX),
    }
}

/// Between them, every condition and every effect.
fn reward_rules() -> Vec<RewardRule> {
    let amount = |text| Amount::new(points(text)).unwrap();
    let values = |field: &str, values: &[&str]| [(field.to_owned(), texts(values))].into();
    let everything = RewardRule {
        name: "everything".to_owned(),
        position: 7,
        programme: Some("programme 3".to_owned()),
        when: Conditions {
            occasion: Some(Occasion::Conversion),
            types: vec![CustomerType::NonLoyalty, CustomerType::NotInterested],
            sources: texts(&["INSTORE", "WECHAT"]),
            accounts: texts(&["a \"b\""]),
            tills: texts(&["till.a"]),
            stores: Vec::new(),
            from: Some(jiff::civil::date(2024, 2, 29)),
            to: Some(jiff::civil::date(2025, 12, 31)),
            custom_fields: values("city", &["Pune", "\"Goa\""]),
            extended_fields: values("gender", &["Male"]),
            referred: Some(true),
            campaigns: texts(&["Freunde ♥"]),
        },
        effects: vec![
            Effect::Points { points: amount("999999999999"), valid_days: Some(30) },
            Effect::ReferrerPoints { points: amount("0.000001"), valid_days: None },
            Effect::Currency {
                currency: currency().name,
                value: amount("110"),
                valid_days: Some(u16::MAX),
            },
            Effect::Tier { serial: 3 },
        ],
    };
    let bare = RewardRule {
        name: "bare".to_owned(),
        position: 0,
        programme: None,
        when: Conditions::default(),
        effects: vec![Effect::Tier { serial: 1 }],
    };
    vec![everything, bare]
}

async fn an_organisation_is_there_with_all_it_was_set_up_with(store: Arc<dyn Store>) {
    let given = elaborate();
    let neighbour = shop_with("last", other_settings());
    store.set_up(vec![shop("first"), given.clone(), neighbour], author()).await.unwrap();

    let tenant = tenant_of(&*store, "till.a").await;
    assert_eq!(*tenant.organisation(), given.organisation);
    for till in tenant.organisation().tills.active() {
        let credential = store.till_credential(&till.name).await.unwrap().unwrap();
        assert_eq!(credential.till, till.id);
    }

    let neighbour = tenant_of(&*store, "last").await;
    assert_eq!(*neighbour.organisation(), shop_with("last", other_settings()).organisation);
}

async fn an_organisation_needs_nothing_but_its_name_and_a_till(store: Arc<dyn Store>) {
    let details = shop("bare").organisation.details;
    let organisation = Organisation { details, ..Organisation::default() };
    let new = NewOrganisation { organisation, is_demo: false, passwords: Vec::new() };
    let new = with_tills(&["till"], new);
    assert_eq!(*set_up(&*store, new.clone()).await.organisation(), new.organisation);
}

async fn every_organisation_is_told_of(store: Arc<dyn Store>) {
    assert_eq!(names(&*store).await, Vec::<String>::new());
    store.set_up(Vec::new(), author()).await.unwrap();
    assert_eq!(names(&*store).await, Vec::<String>::new());
    store.set_up(vec![shop("b"), shop("a"), shop("A")], author()).await.unwrap();
    let demo = NewOrganisation { is_demo: true, ..shop("Demo") };
    store.set_up(vec![demo], author()).await.unwrap();
    let mut known: Vec<_> = store
        .organisations()
        .await
        .unwrap()
        .into_iter()
        .map(|known| (known.name, known.is_demo))
        .collect();
    // How letters follow each other is the engine's own affair.
    known.sort_unstable();
    let expected = [("A", false), ("Demo", true), ("a", false), ("b", false)];
    assert_eq!(known, expected.map(|(name, is_demo)| (name.to_owned(), is_demo)));
}

async fn several_are_set_up_wholly_or_not_at_all(store: Arc<dyn Store>) {
    store.set_up(vec![shop("old")], author()).await.unwrap();
    let same_name = with_tills(&["other till"], shop("old"));
    let refused =
        store.set_up(vec![shop("new"), same_name, shop("newer")], author()).await.unwrap_err();
    assert!(matches!(refused, Error::Taken(_)), "{refused:?}");
    assert_eq!(names(&*store).await, ["old"]);
    for till in ["new", "other till", "newer"] {
        assert!(store.till_credential(till).await.unwrap().is_none(), "{till}");
    }

    // What was refused left nothing behind that would be in the way.
    store.set_up(vec![shop("new"), shop("newer")], author()).await.unwrap();
    assert_eq!(names(&*store).await, ["new", "newer", "old"]);
    let tenant = tenant_of(&*store, "new").await;
    assert_eq!(*tenant.organisation(), shop("new").organisation);
}

async fn a_name_that_is_taken_twice_in_one_call_sets_up_nothing(store: Arc<dyn Store>) {
    let twin = with_tills(&["other till"], shop("twin"));
    let refused = store.set_up(vec![shop("twin"), twin], author()).await.unwrap_err();
    assert!(matches!(refused, Error::Taken(_)), "{refused:?}");
    assert_eq!(names(&*store).await, Vec::<String>::new());
}

async fn a_till_belongs_to_one_organisation(store: Arc<dyn Store>) {
    store.set_up(vec![shop("first")], author()).await.unwrap();
    let mut second = with_tills(&["own", "first"], shop("second"));
    second.passwords[1].1 = hashes("stolen");
    let refused = store.set_up(vec![second], author()).await.unwrap_err();
    assert!(matches!(refused, Error::Taken(_)), "{refused:?}");
    assert_eq!(names(&*store).await, ["first"]);
    assert!(store.till_credential("own").await.unwrap().is_none());
    let kept = store.till_credential("first").await.unwrap().unwrap();
    assert_eq!(kept.hashes.md5, hashes("first").md5);
    let tenant = store.tenant(kept.tenant).await.unwrap();
    assert_eq!(tenant.organisation().details.name, "first");
}

async fn a_password_needs_its_till(store: Arc<dyn Store>) {
    let mut new = shop("shop");
    new.passwords.push(("nobody".to_owned(), hashes("nobody")));
    let refused = store.set_up(vec![new], author()).await.unwrap_err();
    assert!(
        matches!(&refused, Error::NoSuch { kind: Kind::Tills, name } if name == "nobody"),
        "{refused:?}"
    );
    assert_eq!(names(&*store).await, Vec::<String>::new());
}

async fn a_till_without_a_password_signs_in_nobody(store: Arc<dyn Store>) {
    let new = NewOrganisation { passwords: Vec::new(), ..shop("shop") };
    store.set_up(vec![new], author()).await.unwrap();
    assert!(store.till_credential("shop").await.unwrap().is_none());
    let refused = store.set_up(vec![with_tills(&["shop"], shop("thief"))], author()).await;
    assert!(matches!(refused, Err(Error::Taken(_))), "its name is its own all the same");
}

async fn a_till_is_found_by_its_exact_name(store: Arc<dyn Store>) {
    let new = with_tills(&["Till.1", "till.1", "TILL.1"], shop("shop"));
    let tenant = set_up(&*store, new).await;
    for name in ["Till.1", "till.1", "TILL.1"] {
        let found = store.till_credential(name).await.unwrap().unwrap();
        assert_eq!(found.hashes.md5, hashes(name).md5);
        assert_eq!(found.hashes.sha256, hashes(name).sha256);
        let till = tenant.organisation().till_named(name).unwrap();
        assert_eq!(found.till, till.id);
    }
    for name in ["", "till", "till.1 ", " till.1", "till.2", "till_1", "till%", "tilL.1", "shop"] {
        let found = store.till_credential(name).await.unwrap();
        assert!(found.is_none(), "`{name}`");
    }
}

async fn an_organisation_that_does_not_exist_is_not_handed_out(store: Arc<dyn Store>) {
    // Only a store makes ids of organisations, so this one comes from another store.
    let place = Place::new(Engine::SqliteInMemory);
    let other = place.open();
    other.set_up(vec![shop("elsewhere")], author()).await.unwrap();
    let id = other.till_credential("elsewhere").await.unwrap();
    let refused = store.tenant(id.unwrap().tenant).await.unwrap_err();
    assert!(matches!(refused, Error::NoOrganisation), "{refused:?}");
}

async fn what_cannot_be_set_up_together_is_refused(store: Arc<dyn Store>) {
    let field = |name: &str| ExtendedField { name: name.to_owned(), ..ExtendedField::default() };
    let mut new = shop("shop");
    new.organisation.extended_fields = Collection::of([field("age"), field("Age")]).unwrap();
    let refused = store.set_up(vec![new], author()).await.unwrap_err();
    let Error::Invalid(refused) = refused else { panic!("{refused:?}") };
    let named: Vec<_> = refused.iter().map(|one| (one.kind, one.name.as_str())).collect();
    assert_eq!(named, [(Kind::ExtendedFields, "age")]);
    assert_eq!(names(&*store).await, Vec::<String>::new());
}
