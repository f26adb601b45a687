//! What is set up, document by document: versions, lists, and all or nothing.

use std::sync::Arc;

use patron_rules::organisation::Kind;
use patron_rules::profile::Pattern;
use patron_rules::settings::Settings;
use patron_store::{Change, Edit, Error, Expected, Store, Stored, Tenant};
use tokio::task::JoinSet;

use crate::given::{author, open_shop, set_up, shop, shop_with};

on_every_engine! {
    a_document_is_found_with_its_version,
    documents_are_listed_by_name,
    what_is_not_as_expected_is_not_changed,
    a_change_that_changes_nothing_is_none,
    a_patch_changes_the_named_members_of_the_latest_version,
    concurrent_patches_all_count,
    a_document_in_use_cannot_be_retired,
    the_documents_that_use_another_are_named,
    changes_are_made_all_or_none,
    of_two_who_change_one_version_one_is_told,
    what_is_out_of_use_is_kept,
    a_document_of_another_organisation_is_not_there,
}

fn put(kind: Kind, name: &str, json: &str, expected: Expected) -> Change {
    Change {
        kind,
        name: name.to_owned(),
        expected,
        edit: Edit::Replace(json.to_owned()),
        is_active: None,
    }
}

fn field(name: &str, data_type: &str, expected: Expected) -> Change {
    let json = format!(r#"{{"name":"{name}","data_type":"{data_type}"}}"#);
    put(Kind::CustomFields, name, &json, expected)
}

async fn apply(
    store: &dyn Store,
    tenant: &Tenant,
    changes: Vec<Change>,
) -> Result<Vec<Stored>, Error> {
    store.apply(tenant.id(), changes, author()).await
}

async fn names(store: &dyn Store, tenant: &Tenant, after: &str, limit: u32) -> Vec<String> {
    let page = store.resources(tenant.id(), Kind::CustomFields, after, limit).await.unwrap();
    page.into_iter().map(|stored| stored.document.name).collect()
}

async fn a_document_is_found_with_its_version(store: Arc<dyn Store>) {
    let tenant = open_shop(&*store).await;
    let find = || store.resource(tenant.id(), Kind::CustomFields, "size");
    assert_eq!(find().await.unwrap(), None);
    let made =
        apply(&*store, &tenant, vec![field("size", "Integer", Expected::Nothing)]).await.unwrap();
    assert_eq!(made[0].version, 1);
    assert_eq!(find().await.unwrap().as_ref(), Some(&made[0]));
    let changed = field("size", "Double", Expected::Version(1));
    let changed = apply(&*store, &tenant, vec![changed]).await.unwrap();
    assert_eq!(changed[0].version, 2);
    assert_eq!(find().await.unwrap().as_ref(), Some(&changed[0]));
    let now = store.tenant(tenant.id()).await.unwrap();
    assert!(now.organisation().custom_fields.named("size").is_some());
}

async fn documents_are_listed_by_name(store: Arc<dyn Store>) {
    let tenant = open_shop(&*store).await;
    let fields = ["b", "a", "c", "B"].map(|name| field(name, "String", Expected::Nothing));
    apply(&*store, &tenant, fields.to_vec()).await.unwrap();
    assert_eq!(names(&*store, &tenant, "", 9).await, ["B", "a", "b", "c"]);
    assert_eq!(names(&*store, &tenant, "", 2).await, ["B", "a"]);
    assert_eq!(names(&*store, &tenant, "a", 2).await, ["b", "c"]);
    assert_eq!(names(&*store, &tenant, "bb", 2).await, ["c"]);
    assert_eq!(names(&*store, &tenant, "c", 2).await, Vec::<String>::new());
}

async fn what_is_not_as_expected_is_not_changed(store: Arc<dyn Store>) {
    let tenant = open_shop(&*store).await;
    apply(&*store, &tenant, vec![field("size", "Integer", Expected::Nothing)]).await.unwrap();
    for (name, expected, there) in [
        ("size", Expected::Nothing, Some(1)),
        ("size", Expected::Version(2), Some(1)),
        ("other", Expected::Version(1), None),
    ] {
        let refused = apply(&*store, &tenant, vec![field(name, "Double", expected)]).await;
        let Err(Error::Changed { found, .. }) = refused else { panic!("{refused:?}") };
        assert_eq!(found, there, "{name} {expected:?}");
    }
    let stored = store.resource(tenant.id(), Kind::CustomFields, "size").await.unwrap().unwrap();
    assert!(stored.document.json.contains("Integer"), "{stored:?}");
}

async fn a_change_that_changes_nothing_is_none(store: Arc<dyn Store>) {
    let tenant = open_shop(&*store).await;
    let same = || vec![put(Kind::Tills, "shop", r#"{"name":"shop"}"#, Expected::Version(1))];
    for _ in 0..2 {
        assert_eq!(apply(&*store, &tenant, same()).await.unwrap(), []);
    }
}

fn patch(kind: Kind, name: &str, patch: &str, expected: Expected) -> Change {
    let edit = Edit::Merge(patch.to_owned());
    Change { kind, name: name.to_owned(), expected, edit, is_active: None }
}

async fn a_patch_changes_the_named_members_of_the_latest_version(store: Arc<dyn Store>) {
    let tenant = open_shop(&*store).await;
    apply(&*store, &tenant, vec![field("size", "Integer", Expected::Nothing)]).await.unwrap();
    let field = |json: &str, expected| patch(Kind::CustomFields, "size", json, expected);
    for (json, expected, version, regex, data_type) in [
        (r#"{"regex":"[0-9]"}"#, Expected::Existing, 2, Some("[0-9]"), "Integer"),
        (r#"{"data_type":"Double"}"#, Expected::Version(2), 3, Some("[0-9]"), "Double"),
        (r#"{"regex":null}"#, Expected::Existing, 4, None, "Double"),
    ] {
        let changed = apply(&*store, &tenant, vec![field(json, expected)]).await.unwrap();
        assert_eq!(changed[0].version, version, "{json}");
        let organisation = store.tenant(tenant.id()).await.unwrap();
        let stored = organisation.organisation().custom_fields.named("size").unwrap().clone();
        assert_eq!(stored.regex.as_ref().map(Pattern::as_str), regex, "{json}");
        assert_eq!(serde_json::to_value(stored.data_type).unwrap(), data_type, "{json}");
    }
    let same = apply(&*store, &tenant, vec![field("{}", Expected::Existing)]).await;
    assert_eq!(same.unwrap(), []);
    let other = apply(&*store, &tenant, vec![field("{}", Expected::Version(3))]).await;
    assert!(matches!(other, Err(Error::Changed { found: Some(4), .. })), "{other:?}");
    let missing = patch(Kind::CustomFields, "none", "{}", Expected::Existing);
    let missing = apply(&*store, &tenant, vec![missing]).await;
    assert!(matches!(missing, Err(Error::Changed { found: None, .. })), "{missing:?}");
    let renamed = field(r#"{"name":"other"}"#, Expected::Existing);
    let renamed = apply(&*store, &tenant, vec![renamed]).await;
    assert!(matches!(renamed, Err(Error::Invalid(_))), "{renamed:?}");
}

async fn concurrent_patches_all_count(store: Arc<dyn Store>) {
    let tenant = open_shop(&*store).await;
    let names = ["STRICT_EXTRAS", "CONF_ALLOW_EMAIL_UPDATE", "CONF_ALLOW_MOBILE_UPDATE"];
    let mut tasks = JoinSet::new();
    for name in names {
        let (store, tenant) = (Arc::clone(&store), tenant.clone());
        let change =
            patch(Kind::Settings, "settings", &format!(r#"{{"{name}":true}}"#), Expected::Existing);
        tasks.spawn(async move { apply(&*store, &tenant, vec![change]).await });
    }
    while let Some(applied) = tasks.join_next().await {
        assert_eq!(applied.unwrap().unwrap().len(), 1);
    }
    let tenant = store.tenant(tenant.id()).await.unwrap();
    for name in names {
        assert_eq!(tenant.organisation().settings.text(name).as_deref(), Some("1"), "{name}");
    }
}

async fn a_document_in_use_cannot_be_retired(store: Arc<dyn Store>) {
    let tenant = open_shop(&*store).await;
    let mut changes = vec![put(Kind::Stores, "Leeds", r#"{"name":"Leeds"}"#, Expected::Nothing)];
    for till in ["a", "b"] {
        let json = format!(r#"{{"name":"{till}","store":"Leeds"}}"#);
        changes.push(put(Kind::Tills, till, &json, Expected::Nothing));
    }
    apply(&*store, &tenant, changes).await.unwrap();
    for edit in [Edit::Keep, Edit::Merge("{}".to_owned())] {
        let retire = Change {
            is_active: Some(false),
            edit,
            ..patch(Kind::Stores, "Leeds", "", Expected::Existing)
        };
        let refused = apply(&*store, &tenant, vec![retire]).await.unwrap_err();
        assert_eq!(refused.to_string(), "store `Leeds` is used by tills `a`, `b`");
    }
    let unknown = r#"{"store":"York"}"#;
    let change = patch(Kind::Tills, "a", unknown, Expected::Existing);
    let refused = apply(&*store, &tenant, vec![change]).await.unwrap_err();
    let expected = "till `a`: /store: store `York` does not exist or is out of use";
    assert_eq!(refused.to_string(), expected);
}

/// At most ten of the organisation's own.
async fn the_documents_that_use_another_are_named(store: Arc<dyn Store>) {
    let documents = |tills: std::ops::Range<usize>| {
        let mut changes =
            vec![put(Kind::Stores, "Leeds", r#"{"name":"Leeds"}"#, Expected::Nothing)];
        for till in tills {
            let (name, json) =
                (till.to_string(), format!(r#"{{"name":"{till}","store":"Leeds"}}"#));
            changes.push(put(Kind::Tills, &name, &json, Expected::Nothing));
        }
        let rule = r#"{"name":"rule","when":{"stores":["Leeds"]},"effects":[{"type":"points","points":"5"}]}"#;
        changes.push(put(Kind::RewardRules, "rule", rule, Expected::Nothing));
        changes
    };
    let tenant = open_shop(&*store).await;
    apply(&*store, &tenant, documents(10..21)).await.unwrap();
    let other = set_up(&*store, shop_with("other", Settings::default())).await;
    apply(&*store, &other, documents(30..31)).await.unwrap();
    let retire = || Change {
        is_active: Some(false),
        ..patch(Kind::Stores, "Leeds", "{}", Expected::Existing)
    };
    let ten: Vec<String> = (10..20).map(|till| format!("`{till}`")).collect();
    for (tenant, users) in [
        (&tenant, format!("tills {} and 2 more", ten.join(", "))),
        (&other, "till `30` and reward rule `rule`".to_owned()),
    ] {
        let refused = apply(&*store, tenant, vec![retire()]).await.unwrap_err();
        assert_eq!(refused.to_string(), format!("store `Leeds` is used by {users}"));
    }
    // The same by several changes at once.
    let refused = apply(&*store, &tenant, vec![retire(), retire()]).await.unwrap_err().to_string();
    assert!(refused.ends_with("; and 2 more") && refused.matches("; ").count() == 10, "{refused}");
}

async fn changes_are_made_all_or_none(store: Arc<dyn Store>) {
    let tenant = open_shop(&*store).await;
    let good = || field("size", "Integer", Expected::Nothing);
    for bad in [
        field("colour", "Colour", Expected::Nothing),
        field("colour", "String", Expected::Version(3)),
        put(Kind::Tills, "till", r#"{"name":"another"}"#, Expected::Nothing),
        put(Kind::Settings, "settings", r#"{"BATCH_LIMIT":"0"}"#, Expected::Anything),
        put(
            Kind::Programmes,
            "second",
            r#"{"name":"second","is_default":true}"#,
            Expected::Nothing,
        ),
    ] {
        let refused = apply(&*store, &tenant, vec![good(), bad]).await;
        assert!(matches!(refused, Err(Error::Invalid(_) | Error::Changed { .. })), "{refused:?}");
    }
    assert_eq!(names(&*store, &tenant, "", 9).await, Vec::<String>::new());
    assert_eq!(*store.tenant(tenant.id()).await.unwrap().organisation(), shop("shop").organisation);
}

async fn of_two_who_change_one_version_one_is_told(store: Arc<dyn Store>) {
    let tenant = open_shop(&*store).await;
    apply(&*store, &tenant, vec![field("size", "String", Expected::Nothing)]).await.unwrap();
    for version in 1..=20 {
        let mut tasks = JoinSet::new();
        // Each differs from what is there.
        let kinds = if version % 2 == 1 { ["Integer", "Double"] } else { ["Boolean", "String"] };
        for data_type in kinds {
            let (store, tenant) = (Arc::clone(&store), tenant.clone());
            let change = field("size", data_type, Expected::Version(version));
            tasks.spawn(async move { apply(&*store, &tenant, vec![change]).await });
        }
        let outcomes = tasks.join_all().await;
        let won = outcomes.iter().filter(|outcome| outcome.is_ok()).count();
        let told = outcomes.iter().filter(|outcome| {
            matches!(outcome, Err(Error::Changed { found, .. }) if *found == Some(version + 1))
        });
        assert_eq!((won, told.count()), (1, 1), "{outcomes:?}");
    }
}

async fn what_is_out_of_use_is_kept(store: Arc<dyn Store>) {
    let tenant = open_shop(&*store).await;
    let retire = |is_active| Change {
        kind: Kind::Tills,
        name: "shop".to_owned(),
        expected: Expected::Anything,
        edit: Edit::Keep,
        is_active: Some(is_active),
    };
    let retired = apply(&*store, &tenant, vec![retire(false)]).await.unwrap();
    assert_eq!((retired[0].version, retired[0].document.is_active), (2, false));
    let now = store.tenant(tenant.id()).await.unwrap();
    assert_eq!(now.organisation().till_named("shop"), None);
    assert!(now.organisation().tills.with_id(1).is_some());
    apply(&*store, &tenant, vec![retire(true)]).await.unwrap();
    let now = store.tenant(tenant.id()).await.unwrap();
    assert!(now.organisation().till_named("shop").is_some());
}

async fn a_document_of_another_organisation_is_not_there(store: Arc<dyn Store>) {
    let tenant = open_shop(&*store).await;
    store.set_up(vec![shop("other")], author()).await.unwrap();
    let other = store.till_credential("other").await.unwrap().unwrap().tenant;
    assert_eq!(store.resource(other, Kind::Tills, "shop").await.unwrap(), None);
    let page = store.resources(other, Kind::Tills, "", 9).await.unwrap();
    assert_eq!(page.len(), 1);
    let taken = put(Kind::Tills, "other", r#"{"name":"other"}"#, Expected::Nothing);
    let refused = apply(&*store, &tenant, vec![taken]).await;
    assert!(matches!(refused, Err(Error::Taken(_))), "{refused:?}");
    // The message names neither the other organisation nor the engine's key.
    let expected = "the till name `other` is not available; choose another one";
    assert_eq!(refused.unwrap_err().to_string(), expected);
}
