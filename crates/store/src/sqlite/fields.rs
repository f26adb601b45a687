//! The fields that are defined for an organisation's customers.

use patron_rules::organisation::{CustomField, ExtendedField};
use patron_rules::profile::custom_field;
use patron_rules::profile::extended_field::{DataType, Element, List, Rule};
use patron_rules::profile::field::Refused;
use patron_rules::profile::pattern::Pattern;
use rusqlite::{Connection, Row, params};

use super::rows::{list, put, text};
use crate::{Error, NewOrganisation, TenantId};

pub(super) fn custom(connection: &Connection, id: TenantId) -> Result<Vec<CustomField>, Error> {
    list(
        connection,
        "SELECT name, data_type, options, pattern, is_disabled FROM custom_field
         WHERE organisation_id = ?1 ORDER BY position",
        [id.0],
        |row| {
            let data_type = text(row, "data_type")?;
            let pattern: Option<String> = row.get("pattern")?;
            Ok(CustomField {
                name: row.get("name")?,
                data_type: custom_field::DataType::parse(&data_type).map_err(corrupt)?,
                options: texts(row, "options")?,
                pattern: pattern.as_deref().map(Pattern::parse).transpose().map_err(corrupt)?,
                disabled: row.get("is_disabled")?,
            })
        },
    )
}

pub(super) fn extended(connection: &Connection, id: TenantId) -> Result<Vec<ExtendedField>, Error> {
    list(
        connection,
        "SELECT name, data_type, allowed_values, rules, element_type, min_count, max_count
         FROM extended_field WHERE organisation_id = ?1 ORDER BY position",
        [id.0],
        |row| {
            let data_type = DataType::parse(&text(row, "data_type")?).map_err(corrupt)?;
            let element = Element::parse(&text(row, "element_type")?).map_err(corrupt)?;
            let rules = texts(row, "rules")?;
            let rules = rules.iter().map(|rule| Rule::parse(rule, data_type, element));
            let field = ExtendedField {
                name: row.get("name")?,
                data_type,
                values: texts(row, "allowed_values")?,
                rules: rules.collect::<Result<_, _>>().map_err(corrupt)?,
                list: List { element, least: row.get("min_count")?, most: row.get("max_count")? },
            };
            field.checked().map_err(corrupt)
        },
    )
}

pub(super) fn insert(connection: &Connection, id: i64, new: &NewOrganisation) -> Result<(), Error> {
    for (position, field) in (1_i64..).zip(&new.custom_fields) {
        let CustomField { name, data_type, options, pattern, disabled } = field;
        let pattern = pattern.as_ref().map(Pattern::as_str);
        let row = params![id, position, name, data_type.name(), json(options)?, pattern, disabled];
        put(connection, "INSERT INTO custom_field VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)", row)?;
    }
    for (position, field) in (1_i64..).zip(&new.extended_fields) {
        let ExtendedField { name, data_type, values, rules, list } =
            field.clone().checked().map_err(corrupt)?;
        let rules: Vec<&str> = rules.iter().map(Rule::as_str).collect();
        put(
            connection,
            "INSERT INTO extended_field VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
            params![
                id,
                position,
                name,
                data_type.name(),
                json(&values)?,
                json(&rules)?,
                list.element.name(),
                list.least,
                list.most,
            ],
        )?;
    }
    Ok(())
}

fn json<T: serde::Serialize>(texts: &[T]) -> Result<String, Error> {
    serde_json::to_string(texts).map_err(|error| Error::Engine(Box::new(error)))
}

fn texts(row: &Row<'_>, column: &str) -> Result<Vec<String>, Error> {
    serde_json::from_str(&text(row, column)?)
        .map_err(|_| Error::Corrupt(format!("{column} is no list of texts")))
}

fn corrupt(refused: Refused) -> Error {
    Error::Corrupt(refused.into())
}
