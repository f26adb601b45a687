//! Organisations as a TOML file describes them.

use std::collections::BTreeMap;

use anyhow::Context;
use patron_rules::organisation::{
    CustomField, ExtendedField, Programme, ProgrammeId, Reward, Tier,
};
use patron_rules::settings::Settings;
use patron_store::{NewOrganisation, PasswordHashes};
use rust_decimal::Decimal;
use serde::Deserialize;

use crate::auth::password;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    organisation: Vec<OrganisationTable>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct OrganisationTable {
    name: String,
    #[serde(default)]
    demo: bool,
    time_zone: String,
    #[serde(default)]
    settings: BTreeMap<String, String>,
    /// Tills with their passwords.
    #[serde(default)]
    tills: BTreeMap<String, String>,
    #[serde(default)]
    custom_fields: Vec<String>,
    #[serde(default)]
    extended_fields: Vec<ExtendedFieldTable>,
    #[serde(default)]
    programmes: Vec<ProgrammeTable>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ExtendedFieldTable {
    name: String,
    #[serde(default)]
    values: Vec<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ProgrammeTable {
    id: i64,
    #[serde(default)]
    default: bool,
    tier_years: u16,
    #[serde(default)]
    registration_points: Vec<Decimal>,
    #[serde(default)]
    tiers: Vec<TierTable>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct TierTable {
    name: String,
    description: String,
}

/// Reads the organisations of a file; each distinct password is hashed once.
pub(crate) fn read(text: &str) -> anyhow::Result<Vec<NewOrganisation>> {
    let file: File = toml::from_str(text)?;
    let mut known = BTreeMap::new();
    let organisation = |table| read_organisation(table, &mut known);
    file.organisation.into_iter().map(organisation).collect()
}

fn read_organisation(
    table: OrganisationTable,
    known: &mut BTreeMap<String, PasswordHashes>,
) -> anyhow::Result<NewOrganisation> {
    let settings = Settings::default()
        .with(table.settings.iter().map(|(name, value)| (name.as_str(), value.as_str())))
        .with_context(|| format!("organisation {}", table.name))?;
    let mut tills = Vec::new();
    for (name, plain) in table.tills {
        let hashes = match known.get(&plain) {
            Some(hashes) => hashes.clone(),
            None => password::hash(&plain)?,
        };
        known.insert(plain, hashes.clone());
        tills.push((name, hashes));
    }
    Ok(NewOrganisation {
        name: table.name,
        is_demo: table.demo,
        time_zone: table.time_zone,
        settings,
        tills,
        custom_fields: table.custom_fields.into_iter().map(|name| CustomField { name }).collect(),
        extended_fields: table
            .extended_fields
            .into_iter()
            .map(|ExtendedFieldTable { name, values }| ExtendedField { name, values })
            .collect(),
        programmes: table.programmes.into_iter().map(read_programme).collect(),
    })
}

fn read_programme(table: ProgrammeTable) -> Programme {
    let tier = |(serial, TierTable { name, description })| Tier { serial, name, description };
    let reward = |(id, points)| Reward { id, points };
    Programme {
        id: ProgrammeId(table.id),
        is_default: table.default,
        tier_years: table.tier_years,
        tiers: (1..).zip(table.tiers).map(tier).collect(),
        registration_rewards: (1..).zip(table.registration_points).map(reward).collect(),
    }
}
