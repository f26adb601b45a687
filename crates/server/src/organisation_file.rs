//! Organisations as a TOML file describes them.

use std::collections::BTreeMap;

use anyhow::Context;
use patron_rules::organisation::{
    CustomField, ExtendedField, Programme, ProgrammeId, Reward, Tier,
};
use patron_rules::profile::extended_field::{DataType, Element, List, Rule};
use patron_rules::profile::{Pattern, custom_field};
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
    custom_fields: Vec<CustomFieldTable>,
    #[serde(default)]
    extended_fields: Vec<ExtendedFieldTable>,
    #[serde(default)]
    programmes: Vec<ProgrammeTable>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct CustomFieldTable {
    name: String,
    /// String unless said otherwise.
    data_type: Option<String>,
    #[serde(default)]
    options: Vec<String>,
    regex: Option<String>,
    #[serde(default)]
    disabled: bool,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ExtendedFieldTable {
    name: String,
    /// STRING unless said otherwise.
    data_type: Option<String>,
    #[serde(default)]
    values: Vec<String>,
    #[serde(default)]
    rules: Vec<String>,
    /// TEXT unless said otherwise.
    element_type: Option<String>,
    #[serde(default)]
    min_count: u16,
    max_count: Option<u16>,
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
    let custom_fields =
        table.custom_fields.into_iter().map(read_custom_field).collect::<anyhow::Result<_>>()?;
    let extended_fields = table
        .extended_fields
        .into_iter()
        .map(read_extended_field)
        .collect::<anyhow::Result<_>>()?;
    Ok(NewOrganisation {
        name: table.name,
        is_demo: table.demo,
        time_zone: table.time_zone,
        settings,
        tills,
        custom_fields,
        extended_fields,
        programmes: table.programmes.into_iter().map(read_programme).collect(),
    })
}

fn read_custom_field(table: CustomFieldTable) -> anyhow::Result<CustomField> {
    let CustomFieldTable { name, data_type, options, regex, disabled } = table;
    let field = || format!("custom field {name}");
    let data_type =
        data_type.as_deref().map(custom_field::DataType::parse).transpose().with_context(field)?;
    let pattern = regex.as_deref().map(Pattern::parse).transpose().with_context(field)?;
    let data_type = data_type.unwrap_or_default();
    Ok(CustomField { name, data_type, options, pattern, disabled })
}

fn read_extended_field(table: ExtendedFieldTable) -> anyhow::Result<ExtendedField> {
    let ExtendedFieldTable { name, data_type, values, rules, element_type, min_count, max_count } =
        table;
    let field = || format!("extended field {name}");
    let data_type = data_type.as_deref().map(DataType::parse).transpose().with_context(field)?;
    let element = element_type.as_deref().map(Element::parse).transpose().with_context(field)?;
    let (data_type, element) = (data_type.unwrap_or_default(), element.unwrap_or_default());
    let rules = rules
        .iter()
        .map(|rule| Rule::parse(rule, data_type, element))
        .collect::<Result<_, _>>()
        .with_context(field)?;
    let list = List { element, least: min_count, most: max_count };
    Ok(ExtendedField { name, data_type, values, rules, list }.checked()?)
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

#[cfg(test)]
mod tests {
    use super::*;

    fn with(fields: &str) -> anyhow::Result<NewOrganisation> {
        let text = format!("[[organisation]]\nname = \"x\"\ntime_zone = \"UTC\"\n{fields}");
        Ok(read(&text)?.remove(0))
    }

    #[test]
    fn fields_are_defined_with_all_that_limits_them() {
        let new = with(
            r#"
            custom_fields = [
              { name = "a" },
              { name = "b", data_type = "Integer", options = ["1"], regex = "[0-9]", disabled = true },
            ]
            extended_fields = [
              { name = "c" },
              { name = "d", data_type = "LIST", element_type = "INTEGER", min_count = 1, max_count = 2, rules = ["> 1"] },
            ]
            "#,
        )
        .unwrap();
        let [plain, limited] = new.custom_fields.as_slice() else { panic!() };
        assert_eq!(*plain, CustomField { name: "a".to_owned(), ..CustomField::default() });
        assert_eq!(limited.data_type, custom_field::DataType::Integer);
        assert_eq!((limited.options.len(), limited.disabled), (1, true));
        assert_eq!(limited.pattern.as_ref().map(Pattern::as_str), Some("[0-9]"));
        let [plain, limited] = new.extended_fields.as_slice() else { panic!() };
        assert_eq!(*plain, ExtendedField { name: "c".to_owned(), ..ExtendedField::default() });
        assert_eq!(limited.list, List { element: Element::Integer, least: 1, most: Some(2) });
        assert_eq!(limited.rules[0].as_str(), "> 1");
    }

    #[test]
    fn a_definition_that_cannot_be_is_refused_by_name() {
        for fields in [
            r#"custom_fields = [{ name = "bad", data_type = "Date" }]"#,
            r#"custom_fields = [{ name = "bad", regex = "[a-" }]"#,
            r#"extended_fields = [{ name = "bad", data_type = "CARD" }]"#,
            r#"extended_fields = [{ name = "bad", data_type = "STANDARD_ENUM" }]"#,
            r#"extended_fields = [{ name = "bad", rules = ["> 1"] }]"#,
            r#"extended_fields = [{ name = "bad", data_type = "LIST", element_type = "DATE" }]"#,
        ] {
            let error = format!("{:#}", with(fields).unwrap_err());
            assert!(error.contains("bad"), "{fields}: {error}");
        }
    }
}
