//! An organisation as a TOML file describes it: a table or a list of tables for each kind of
//! document, and, where the file is to hold secrets, a table of its tills' passwords.

use std::collections::BTreeMap;

use anyhow::{Context, bail};
use patron_rules::organisation::{Kind, Organisation, Refused};
use patron_store::{NewOrganisation, PasswordHashes};
use toml::{Table, Value};

use crate::auth::password;

/// The table of passwords: a till's name, and its password as it is.
const PASSWORDS: &str = "passwords";

/// Passwords that were hashed already: each distinct one is hashed once.
#[derive(Default)]
pub struct Hashed(BTreeMap<String, PasswordHashes>);

impl Hashed {
    fn hash(&mut self, plain: &str) -> anyhow::Result<PasswordHashes> {
        if let Some(hashes) = self.0.get(plain) {
            return Ok(hashes.clone());
        }
        let hashes = password::hash(plain)?;
        self.0.insert(plain.to_owned(), hashes.clone());
        Ok(hashes)
    }
}

/// Reads an organisation that is to be set up.
///
/// # Errors
/// What of the text is no TOML, no document, or wrong by itself.
pub fn read(text: &str, hashed: &mut Hashed) -> anyhow::Result<NewOrganisation> {
    let mut file: Table = toml::from_str(text)?;
    let passwords: BTreeMap<String, String> = match file.remove(PASSWORDS) {
        Some(table) => table.try_into().context(PASSWORDS)?,
        None => BTreeMap::new(),
    };
    let mut organisation = Organisation::default();
    for kind in Kind::ALL {
        let documents = file.remove(kind.name()).map(|value| documents(kind, value)).transpose()?;
        for json in documents.unwrap_or_default() {
            put(&mut organisation, kind, &json)?;
        }
    }
    if let Some(unknown) = file.keys().next() {
        bail!("there is nothing called `{unknown}`");
    }
    if organisation.details.name.is_empty() {
        bail!("the table `{}` is missing", Kind::Organisation.name());
    }
    let hash = |(till, plain): (String, String)| Ok((till, hashed.hash(&plain)?));
    let passwords = passwords.into_iter().map(hash).collect::<anyhow::Result<_>>()?;
    Ok(NewOrganisation { organisation, is_demo: false, passwords })
}

/// The documents of a kind, as JSON.
fn documents(kind: Kind, value: Value) -> anyhow::Result<Vec<String>> {
    let tables: Vec<Table> = if kind.is_single() {
        vec![value.try_into().with_context(|| format!("`{}` is a table", kind.name()))?]
    } else {
        value.try_into().with_context(|| format!("`{}` is a list of tables", kind.name()))?
    };
    tables.iter().map(|table| Ok(serde_json::to_string(table)?)).collect()
}

fn put(organisation: &mut Organisation, kind: Kind, json: &str) -> anyhow::Result<()> {
    let named = |json: &str| {
        let members: serde_json::Value = serde_json::from_str(json).ok()?;
        Some(members.get("name")?.as_str()?.to_owned())
    };
    let documents = organisation.documents_mut(kind);
    let name = named(json).unwrap_or_default();
    if !kind.is_single() && documents.get(&name).is_some() {
        bail!("{} `{name}` stands there twice", kind.name());
    }
    documents.put(json).map_err(|invalid| Refused { kind, name, invalid })?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use patron_rules::organisation::{CustomField, ExtendedField};
    use patron_rules::profile::custom_field;
    use patron_rules::profile::extended_field::{Element, List};

    use super::*;

    fn with(documents: &str) -> anyhow::Result<Organisation> {
        let text = format!("{documents}\n[organisation]\nname = \"x\"\ntime_zone = \"UTC\"\n");
        Ok(read(&text, &mut Hashed::default())?.organisation)
    }

    #[test]
    fn fields_are_defined_with_all_that_limits_them() {
        let organisation = with(
            r#"
            custom_fields = [
              { name = "a" },
              { name = "b", data_type = "Integer", options = ["1"], regex = "[0-9]" },
            ]
            extended_fields = [
              { name = "c" },
              { name = "d", data_type = "LIST", list = { element_type = "INTEGER", min_count = 1, max_count = 2 }, rules = ["> 1"] },
            ]
            "#,
        )
        .unwrap();
        let plain = organisation.custom_fields.named("a").unwrap();
        assert_eq!(*plain, CustomField { name: "a".to_owned(), ..CustomField::default() });
        let limited = organisation.custom_fields.named("b").unwrap();
        assert_eq!(limited.data_type, custom_field::DataType::Integer);
        assert_eq!(limited.options, ["1"]);
        assert_eq!(limited.regex.as_ref().unwrap().as_str(), "[0-9]");
        let plain = organisation.extended_fields.named("c").unwrap();
        assert_eq!(*plain, ExtendedField { name: "c".to_owned(), ..ExtendedField::default() });
        let limited = organisation.extended_fields.named("d").unwrap();
        assert_eq!(limited.list, List { element: Element::Integer, least: 1, most: Some(2) });
        assert_eq!(limited.rules[0].as_str(), "> 1");
    }

    #[test]
    fn a_definition_that_cannot_be_is_refused_by_name() {
        for documents in [
            r#"custom_fields = [{ name = "bad", data_type = "Date" }]"#,
            r#"custom_fields = [{ name = "bad", regex = "[a-" }]"#,
            r#"custom_fields = [{ name = "bad" }, { name = "bad" }]"#,
            r#"extended_fields = [{ name = "bad", data_type = "CARD" }]"#,
            r#"extended_fields = [{ name = "bad", rules = ["18"] }]"#,
            r#"extended_fields = [{ name = "bad", list = { element_type = "DATE" } }]"#,
            r#"reward_rules = [{ name = "bad", effects = [{ type = "points", points = 0.1 }] }]"#,
            r#"programmes = [{ name = "bad", since = 2020-01-01 }]"#,
            r#"bad = [{ name = "x" }]"#,
            r#"settings = { bad = "1" }"#,
        ] {
            let error = format!("{:#}", with(documents).unwrap_err());
            assert!(error.contains("bad"), "{documents}: {error}");
        }
    }
}
