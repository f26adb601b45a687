//! `patron org`: organisations, document by document or as a file.

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;

use anyhow::{Context, bail};
use clap::{Args, Subcommand};
use patron_rules::organisation::Kind;
use serde::Deserialize;
use serde_json::value::RawValue;

use super::admin::{self, Admin, IfMissing, is_not_found, local_path, path};
use super::{Place, prompt};
use crate::admin::api::v1::local::{FileComparison, FileRequest};
use crate::organisation_file::OrganisationFile;

/// The members of a document that say whether it is in use, and which version it replaces.
const IS_ACTIVE: &str = "is_active";
const VERSION: &str = "version";

#[derive(Subcommand)]
pub(super) enum Command {
    /// List the organisations.
    List(Place),
    /// Print an organisation as a file for `apply`: every document in use, no secrets.
    Export(Export),
    /// Set an organisation up as a file says. Shows the differences, asks, and applies all of them or
    /// none. Documents that the file does not name are retired.
    Apply(Apply),
    /// Print one document, or all of a kind, one on each line.
    Show(Show),
    /// Create a document, or replace the one with its name.
    Put(Put),
    /// Change settings one at a time. Other settings stay as they are.
    Set(Set),
    /// Retire a document: it stays stored, and is no longer in use.
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
    /// Apply without asking.
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
    /// The document's name. Without it, all documents of the kind.
    #[arg(value_parser = super::name)]
    name: Option<String>,
    #[command(flatten)]
    place: Place,
}

#[derive(Args)]
pub(super) struct Put {
    /// The organisation. The kind `organisation` creates one that does not exist.
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
pub(super) struct Set {
    /// The organisation.
    #[arg(value_parser = super::name)]
    organisation: String,
    /// A setting and its value, such as `COUNTRY=DE`. May be repeated. The kind, `settings`, may stand
    /// before the first one.
    #[arg(value_name = "NAME=VALUE", value_parser = assignment, required_unless_present = "reset")]
    settings: Vec<Assignment>,
    /// Return this setting to its default. May be repeated.
    #[arg(long, value_name = "NAME")]
    reset: Vec<String>,
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
    Kind::named(name).ok_or_else(|| format!("expected one of {}", names()))
}

/// An argument of `set`.
#[derive(Clone)]
enum Assignment {
    /// The word `settings`: other commands require the kind there.
    Kind,
    /// A setting and its value.
    Setting(String, String),
}

fn assignment(text: &str) -> Result<Assignment, String> {
    match text.split_once('=') {
        None if text == Kind::Settings.name() => Ok(Assignment::Kind),
        Some((name, value)) if !name.is_empty() => {
            Ok(Assignment::Setting(name.to_owned(), value.to_owned()))
        }
        _ => Err("expected NAME=VALUE such as COUNTRY=DE".to_owned()),
    }
}

pub(super) fn run(command: &Command) -> anyhow::Result<()> {
    match command {
        Command::List(place) => admin::with(place, IfMissing::Fail, async |admin| {
            #[derive(Deserialize)]
            struct Listed {
                name: String,
            }
            for Listed { name } in admin.list(&path(&["organisations"])).await? {
                super::say(&name);
            }
            Ok(())
        }),
        Command::Export(Export { name, place }) => {
            admin::with(place, IfMissing::Fail, async |admin| {
                let file = admin.get(&local_path(&["organisations", name, "file"])).await?;
                super::say(file.text().trim_end());
                Ok(())
            })
        }
        Command::Apply(arguments) => apply(arguments),
        Command::Show(arguments) => admin::with(&arguments.place, IfMissing::Fail, async |admin| {
            show(admin, arguments).await
        }),
        Command::Put(arguments) => {
            let if_missing = match arguments.kind {
                Kind::Organisation => IfMissing::Create,
                _ => IfMissing::Fail,
            };
            admin::with(&arguments.place, if_missing, async |admin| put(admin, arguments).await)
        }
        Command::Set(arguments) => {
            let Set { organisation, place, .. } = arguments;
            let changes = changes(arguments)?;
            admin::with(place, IfMissing::Fail, async |admin| {
                let settings = document(organisation, Kind::Settings, Kind::Settings.name());
                admin.patch(&settings, &changes).await.map(drop)
            })
        }
        Command::Retire(Retire { organisation, kind, name, place }) => {
            admin::with(place, IfMissing::Fail, async |admin| {
                let document = document(organisation, *kind, name);
                let retired = if kind.is_single() {
                    admin.patch(&document, &BTreeMap::from([(IS_ACTIVE, false)])).await
                } else {
                    admin.delete(&document).await
                };
                retired.map(drop)
            })
        }
    }
}

/// The settings to change, each with its value; `None` resets it.
fn changes(arguments: &Set) -> anyhow::Result<BTreeMap<&str, Option<&str>>> {
    let Set { settings, reset, .. } = arguments;
    let settings = match settings.split_first() {
        Some((Assignment::Kind, settings)) => settings,
        _ => settings.as_slice(),
    };
    let mut named = Vec::new();
    for assignment in settings {
        let Assignment::Setting(name, value) = assignment else {
            bail!("`{}` stands before the settings", Kind::Settings.name());
        };
        named.push((name.as_str(), Some(value.as_str())));
    }
    named.extend(reset.iter().map(|name| (name.as_str(), None)));
    let mut changes = BTreeMap::new();
    for (name, value) in named {
        if changes.insert(name, value).is_some() {
            bail!("the setting {name} is named twice");
        }
    }
    if changes.is_empty() {
        bail!("name a setting and its value, such as COUNTRY=DE");
    }
    Ok(changes)
}

/// The path of a document.
fn document(organisation: &str, kind: Kind, name: &str) -> String {
    match kind {
        Kind::Organisation => path(&["organisations", organisation]),
        kind if kind.is_single() => path(&["organisations", organisation, kind.name()]),
        kind => path(&["organisations", organisation, kind.name(), name]),
    }
}

fn apply(arguments: &Apply) -> anyhow::Result<()> {
    let Apply { file, yes, place } = arguments;
    let shown = file.display();
    let text = fs::read_to_string(file).with_context(|| format!("cannot read {shown}"))?;
    let parsed = OrganisationFile::read(&text).with_context(|| format!("in {shown}"))?;
    parsed.name().with_context(|| format!("in {shown}"))?;
    admin::with(place, IfMissing::Create, async |admin| {
        let endpoint = local_path(&["organisation_file"]);
        let request = FileRequest { text: text.clone(), agreed: None };
        let compared = admin.post_question(&endpoint, &request).await;
        let compared: FileComparison = compared.with_context(|| format!("in {shown}"))?.json()?;
        let FileComparison { organisation, is_stored, differences } = compared;
        if differences.is_empty() {
            super::say(&format!("organisation {organisation}: nothing differs"));
            return Ok(());
        }
        super::say(&format!("organisation {organisation}\n{}", differences.trim_end()));
        if is_stored && parsed.has_passwords() {
            super::say("Passwords in the file only apply to a new organisation.");
        }
        admin.release().await;
        if !yes && !prompt::agrees("Apply this?")? {
            bail!("nothing was changed");
        }
        let request = FileRequest { text, agreed: Some(differences) };
        // The comparison found the file valid. Its passwords are hashed once.
        admin.create().await?;
        admin.post(&endpoint, &request).await?;
        super::say(&format!("organisation {organisation}: done"));
        Ok(())
    })
}

async fn show(admin: &mut Admin, arguments: &Show) -> anyhow::Result<()> {
    let Show { organisation, kind, name, .. } = arguments;
    if let Some(name) = name.as_deref().or_else(|| kind.is_single().then(|| kind.name())) {
        super::say(&admin.get(&document(organisation, *kind, name)).await?.text());
        return Ok(());
    }
    let all = path(&["organisations", organisation, kind.name()]);
    for document in admin.list::<Box<RawValue>>(&all).await? {
        super::say(document.get());
    }
    Ok(())
}

async fn put(admin: &mut Admin, arguments: &Put) -> anyhow::Result<()> {
    let Put { organisation, kind, document: text, .. } = arguments;
    let members: BTreeMap<String, &RawValue> =
        serde_json::from_str(text).context("the document is not a JSON object")?;
    let mut name = kind.name().to_owned();
    if matches!(kind, Kind::Organisation) || !kind.is_single() {
        let member = members.get("name").context("the document has no `name`")?;
        let sent: String = serde_json::from_str(member.get()).context("`name` is not a text")?;
        name = super::name(&sent).map_err(anyhow::Error::msg)?;
    }
    if matches!(kind, Kind::Organisation) && name != *organisation {
        bail!("the document is that of `{name}`, not of `{organisation}`");
    }
    // The text stays as it is, so that the server sees a member that occurs twice.
    let body = match text.split_once('{') {
        Some((_, rest)) if !kind.is_single() && !members.contains_key(IS_ACTIVE) => {
            format!("{{\"{IS_ACTIVE}\":true,{rest}")
        }
        _ => text.clone(),
    };
    let place = document(organisation, *kind, &name);
    let put = admin.put_document(&place, body.clone(), members.contains_key(VERSION)).await;
    let reply = match put {
        Err(error) if is_not_found(&error) && matches!(kind, Kind::Organisation) => {
            return admin.post_text(&path(&["organisations"]), body).await.map(drop);
        }
        Err(error) if is_not_found(&error) => {
            bail!("{error}; create it with `patron org put {organisation} organisation DOCUMENT`")
        }
        put => put?,
    };
    let Reset { reset_to_default } = reply.json()?;
    if !reset_to_default.is_empty() {
        super::note(&format!(
            "`put` replaces the whole document, so these settings are at their default again: {}; \
             `patron org set` changes single ones",
            reset_to_default.join(", ")
        ));
    }
    Ok(())
}

/// The settings that a document reset because it does not name them.
#[derive(Deserialize)]
struct Reset {
    #[serde(default)]
    reset_to_default: Vec<String>,
}
