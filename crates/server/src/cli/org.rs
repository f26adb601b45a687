//! `patron org`: organisations, document by document or as a file.

use std::fs;
use std::path::PathBuf;

use anyhow::{Context, bail};
use clap::{Args, Subcommand};
use patron_rules::organisation::{Documents, Kind, Organisation};
use patron_rules::text;
use patron_store::{Change, Edit, Expected, NewOrganisation, Store, Stored, TenantId};

use super::{Place, opened, prompt};
use crate::organisation_file::difference::{self, Difference};
use crate::organisation_file::{self, Hashed, OrganisationFile};

/// How many documents are read at a time.
const PAGE: u32 = 200;

#[derive(Subcommand)]
pub(super) enum Command {
    /// List the organisations.
    List(Place),
    /// Print everything that an organisation is set up with, but no secrets, as a file for `apply`.
    Export(Export),
    /// Set an organisation up as a file says: show what differs, ask, and change all of it or
    /// nothing. What the file does not name is taken out of use.
    Apply(Apply),
    /// Print one document, or all of a kind, one on a line.
    Show(Show),
    /// Make a document, or put it in place of the one of its name.
    Put(Put),
    /// Take a document out of use.
    Retire(Retire),
}

#[derive(Args)]
pub(super) struct Export {
    /// The organisation.
    #[arg(value_parser = super::name)]
    name: String,
    #[command(flatten)]
    place: Place,
}

#[derive(Args)]
pub(super) struct Apply {
    /// The file.
    file: PathBuf,
    /// Do not ask.
    #[arg(long)]
    yes: bool,
    #[command(flatten)]
    place: Place,
}

#[derive(Args)]
pub(super) struct Show {
    /// The organisation.
    #[arg(value_parser = super::name)]
    organisation: String,
    /// The kind, such as `tills` or `settings`.
    #[arg(value_parser = kind)]
    kind: Kind,
    /// The document's name; all of the kind where it is left out.
    #[arg(value_parser = super::name)]
    name: Option<String>,
    #[command(flatten)]
    place: Place,
}

#[derive(Args)]
pub(super) struct Put {
    /// The organisation; one that is not there is made by `organisation` as the kind.
    #[arg(value_parser = super::name)]
    organisation: String,
    /// The kind, such as `tills` or `settings`.
    #[arg(value_parser = kind)]
    kind: Kind,
    /// The document, as JSON.
    document: String,
    #[command(flatten)]
    place: Place,
}

#[derive(Args)]
pub(super) struct Retire {
    /// The organisation.
    #[arg(value_parser = super::name)]
    organisation: String,
    /// The kind, such as `tills`.
    #[arg(value_parser = kind)]
    kind: Kind,
    /// The document's name.
    #[arg(value_parser = super::name)]
    name: String,
    #[command(flatten)]
    place: Place,
}

fn kind(name: &str) -> Result<Kind, String> {
    let names = || Kind::ALL.map(Kind::name).join(", ");
    Kind::named(name).ok_or_else(|| format!("the kinds are {}", names()))
}

pub(super) fn run(command: &Command) -> anyhow::Result<()> {
    match command {
        Command::List(place) => opened::with(place, async |store| {
            let names = store.organisations().await?;
            for known in &names {
                super::say(&known.name);
            }
            Ok(())
        }),
        Command::Export(Export { name, place }) => opened::with(place, async |store| {
            let tenant = store.tenant(opened::organisation(store, name).await?).await?;
            super::say(organisation_file::write(tenant.organisation())?.trim_end());
            Ok(())
        }),
        Command::Apply(arguments) => {
            opened::with(&arguments.place, async |store| apply(store, arguments).await)
        }
        Command::Show(arguments) => {
            opened::with(&arguments.place, async |store| show(store, arguments).await)
        }
        Command::Put(arguments) => {
            opened::with(&arguments.place, async |store| put(store, arguments).await)
        }
        Command::Retire(Retire { organisation, kind, name, place }) => {
            opened::with(place, async |store| {
                let tenant = opened::organisation(store, organisation).await?;
                let retired = Change {
                    kind: *kind,
                    name: name.clone(),
                    expected: Expected::Anything,
                    edit: Edit::Keep,
                    is_active: Some(false),
                };
                store.apply(tenant, vec![retired], opened::author()).await?;
                Ok(())
            })
        }
    }
}

async fn apply(store: &dyn Store, arguments: &Apply) -> anyhow::Result<()> {
    let Apply { file, yes, .. } = arguments;
    let path = file.display();
    let text = fs::read_to_string(file).with_context(|| format!("cannot read {path}"))?;
    let file = OrganisationFile::read(&text).with_context(|| format!("in {path}"))?;
    file.check_passwords().with_context(|| format!("in {path}"))?;
    let name = file.name().with_context(|| format!("in {path}"))?;
    let known = match store.organisation_named(&name).await? {
        Some(tenant) => Some((tenant, store.tenant(tenant).await?.organisation().clone())),
        None => None,
    };
    let stored = match &known {
        Some((tenant, _)) => all(store, *tenant).await?,
        None => Vec::new(),
    };
    let before = known.as_ref().map(|(_, organisation)| organisation.clone());
    let after =
        file.applied_to(before.unwrap_or_default()).with_context(|| format!("in {path}"))?;
    let differences = difference::between(&stored, &after);
    if differences.is_empty() {
        super::say(&format!("organisation {name}: nothing differs"));
        return Ok(());
    }
    super::say(&format!("organisation {name}\n{}", difference::describe(&differences).trim_end()));
    if known.is_some() && file.has_passwords() {
        super::say(
            "The passwords in the file are for a new organisation, and change nothing here.",
        );
    }
    if !yes && !prompt::agrees("Apply this?")? {
        bail!("nothing was changed");
    }
    match known {
        None => {
            let new = file.new_organisation(&mut Hashed::default())?;
            store.set_up(vec![new], opened::author()).await?;
        }
        Some((tenant, _)) => {
            let changes = differences.into_iter().map(Difference::change).collect();
            store.apply(tenant, changes, opened::author()).await?;
        }
    }
    super::say(&format!("organisation {name}: done"));
    Ok(())
}

async fn show(store: &dyn Store, arguments: &Show) -> anyhow::Result<()> {
    let Show { organisation, kind, name, .. } = arguments;
    let tenant = opened::organisation(store, organisation).await?;
    if let Some(name) = name.as_deref().or_else(|| kind.is_single().then(|| kind.name())) {
        let found = store.resource(tenant, *kind, name).await?;
        let found = found.with_context(|| format!("there is no {} `{name}`", kind.name()))?;
        super::say(&found.document.shown());
        return Ok(());
    }
    for stored in of_kind(store, tenant, *kind).await? {
        super::say(&stored.document.shown());
    }
    Ok(())
}

async fn put(store: &dyn Store, arguments: &Put) -> anyhow::Result<()> {
    let Put { organisation, kind, document, .. } = arguments;
    let document = text::document(document);
    let known = store.organisation_named(organisation).await?;
    let Some(tenant) = known else {
        if *kind != Kind::Organisation {
            bail!("there is no organisation `{organisation}`; put its `organisation` first");
        }
        return found(store, organisation, &document).await;
    };
    let name = if kind.is_single() {
        kind.name().to_owned()
    } else {
        let members: serde_json::Value = serde_json::from_str(&document).context("is no JSON")?;
        let name = members.get("name").and_then(serde_json::Value::as_str);
        name.context("the document has no `name`")?.to_owned()
    };
    let change = Change {
        kind: *kind,
        name,
        expected: Expected::Anything,
        edit: Edit::Replace(document.into_owned()),
        is_active: Some(true),
    };
    store.apply(tenant, vec![change], opened::author()).await?;
    Ok(())
}

/// Makes an organisation with nothing but its details.
async fn found(store: &dyn Store, name: &str, details: &str) -> anyhow::Result<()> {
    let mut organisation = Organisation::default();
    organisation.details.put(details)?;
    if organisation.details.name != name {
        bail!("the document is that of `{}`, not of `{name}`", organisation.details.name);
    }
    let new = NewOrganisation { organisation, is_demo: false, passwords: Vec::new() };
    Ok(store.set_up(vec![new], opened::author()).await?)
}

/// Every document of an organisation.
async fn all(store: &dyn Store, tenant: TenantId) -> anyhow::Result<Vec<Stored>> {
    let mut all = Vec::new();
    for kind in Kind::ALL {
        all.extend(of_kind(store, tenant, kind).await?);
    }
    Ok(all)
}

async fn of_kind(store: &dyn Store, tenant: TenantId, kind: Kind) -> anyhow::Result<Vec<Stored>> {
    let mut found: Vec<Stored> = Vec::new();
    loop {
        let after = found.last().map(|last| last.document.name.clone()).unwrap_or_default();
        let page = store.resources(tenant, kind, &after, PAGE).await?;
        if page.is_empty() {
            return Ok(found);
        }
        found.extend(page);
    }
}
