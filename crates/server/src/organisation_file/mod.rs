//! An organisation as a TOML file describes it: a table or a list of tables for each kind of
//! document, and, where the file is to hold secrets, a table of its tills' first passwords.

pub(crate) mod difference;

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Context, bail};
use patron_rules::organisation::{Kind, Organisation, Refused};
use patron_rules::text;
use patron_store::{NewOrganisation, PasswordHashes};
use toml::{Table, Value};

use crate::auth::password;
use crate::auth::password_rules::Account;

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

/// What a file says.
pub struct OrganisationFile {
    /// Each document with its kind and name, as JSON.
    documents: Vec<(Kind, String, String)>,
    passwords: BTreeMap<String, String>,
}

impl OrganisationFile {
    /// Reads a file.
    ///
    /// # Errors
    /// What of the text is no TOML, or no list of documents.
    pub fn read(text: &str) -> anyhow::Result<Self> {
        let mut file: Table = toml::from_str(text)?;
        let passwords = match file.remove(PASSWORDS) {
            Some(table) => passwords(table)?,
            None => BTreeMap::new(),
        };
        let mut documents = Vec::new();
        for kind in Kind::ALL {
            if let Some(value) = file.remove(kind.name()) {
                documents.extend(read_kind(kind, value)?);
            }
        }
        if let Some(unknown) = file.keys().next() {
            let known = Kind::ALL.map(Kind::name).join(", ");
            bail!("the table `{unknown}` is unknown; the tables are {known} and {PASSWORDS}");
        }
        Ok(Self { documents, passwords })
    }

    /// The name of the organisation.
    pub(crate) fn name(&self) -> anyhow::Result<String> {
        Ok(self.applied_to(Organisation::default())?.details.name)
    }

    /// The organisation with what the file names, in use, and with nothing else in use.
    pub(crate) fn applied_to(&self, before: Organisation) -> anyhow::Result<Organisation> {
        let mut after = before;
        let mut named = BTreeSet::new();
        for (kind, name, json) in &self.documents {
            if !named.insert((*kind, name)) {
                bail!("{} occurs twice", kind.label(name));
            }
            let documents = after.documents_mut(*kind);
            documents
                .put(json)
                .and_then(|name| documents.set_active(&name, true))
                .map_err(|invalid| Refused { kind: *kind, name: name.clone(), invalid })?;
        }
        if !named.iter().any(|(kind, _)| *kind == Kind::Organisation) {
            bail!("the table `{}` is missing", Kind::Organisation.name());
        }
        for kind in Kind::ALL {
            let documents = after.documents_mut(kind);
            let is_named = |name: &String| named.contains(&(kind, name));
            for name in documents.all().into_iter().map(|document| document.name) {
                if is_named(&name) {
                    continue;
                }
                // Of what there is one, that is what it is by default.
                let left_out = if kind.is_single() {
                    documents.put("{}").map(drop)
                } else {
                    documents.set_active(&name, false)
                };
                left_out.map_err(|invalid| Refused { kind, name, invalid })?;
            }
        }
        Ok(after)
    }

    /// The organisation to be set up anew, with its passwords.
    ///
    /// # Errors
    /// A document that is wrong by itself, or a system without a source of randomness.
    pub fn new_organisation(&self, hashed: &mut Hashed) -> anyhow::Result<NewOrganisation> {
        let organisation = self.applied_to(Organisation::default())?;
        let hash = |(till, plain): (&String, &String)| Ok((till.clone(), hashed.hash(plain)?));
        let passwords = self.passwords.iter().map(hash).collect::<anyhow::Result<_>>()?;
        Ok(NewOrganisation { organisation, is_demo: false, passwords })
    }

    /// Fails unless the rules for passwords accept all that the file holds.
    pub(crate) fn check_passwords(&self) -> anyhow::Result<()> {
        let mut passwords = self.passwords.iter();
        passwords.try_for_each(|(till, plain)| {
            Account::Till.check(till, plain).with_context(|| format!("{PASSWORDS}: till `{till}`"))
        })
    }

    /// Fails unless the organisation has all tills for which the file holds passwords.
    pub(crate) fn check_tills(&self, organisation: &Organisation) -> anyhow::Result<()> {
        match self.passwords.keys().find(|till| organisation.till_named(till).is_none()) {
            Some(till) => bail!("{PASSWORDS}: till `{till}` does not exist"),
            None => Ok(()),
        }
    }

    /// Whether the file holds passwords.
    pub(crate) fn has_passwords(&self) -> bool {
        !self.passwords.is_empty()
    }
}

/// The passwords by the canonical names of their tills; two spellings of a name are one till.
fn passwords(table: Value) -> anyhow::Result<BTreeMap<String, String>> {
    let sent: BTreeMap<String, String> = table.try_into().context(PASSWORDS)?;
    let mut passwords = BTreeMap::new();
    for (till, plain) in sent {
        let till = text::canonical(&till).into_owned();
        if passwords.contains_key(&till) {
            bail!("{PASSWORDS}: till `{till}` occurs twice");
        }
        passwords.insert(till, plain);
    }
    Ok(passwords)
}

fn read_kind(kind: Kind, value: Value) -> anyhow::Result<Vec<(Kind, String, String)>> {
    let tables: Vec<Table> = if kind.is_single() {
        vec![value.try_into().with_context(|| format!("`{}` is a table", kind.name()))?]
    } else {
        value.try_into().with_context(|| format!("`{}` is a list of tables", kind.name()))?
    };
    let document = |table: Table| {
        let name = if kind.is_single() {
            kind.name().to_owned()
        } else {
            table.get("name").and_then(Value::as_str).unwrap_or_default().to_owned()
        };
        let table = table.into_iter().map(|(name, value)| (name, dates_as_text(value)));
        let json = serde_json::to_string(&table.collect::<Table>())?;
        Ok((kind, text::readable(&name).into_owned(), text::document(&json).into_owned()))
    };
    tables.into_iter().map(document).collect()
}

/// Dates and times of TOML as texts, which is how documents have them.
fn dates_as_text(value: Value) -> Value {
    match value {
        Value::Datetime(moment) => Value::String(moment.to_string()),
        Value::Array(values) => Value::Array(values.into_iter().map(dates_as_text).collect()),
        Value::Table(table) => {
            let members = table.into_iter().map(|(name, value)| (name, dates_as_text(value)));
            Value::Table(members.collect())
        }
        other => other,
    }
}

/// Writes what is in use of an organisation as a file. There are no secrets among the documents.
pub(crate) fn write(organisation: &Organisation) -> anyhow::Result<String> {
    let mut file = Table::new();
    for kind in Kind::ALL {
        let in_use = organisation
            .documents(kind)
            .all()
            .into_iter()
            .filter(|one| one.is_active || kind.is_single());
        let mut tables = in_use
            .map(|document| Ok(serde_json::from_str::<Table>(&document.json)?))
            .collect::<anyhow::Result<Vec<Table>>>()?;
        let value = match (kind.is_single(), tables.pop()) {
            (_, None) => continue,
            (true, Some(table)) => Value::Table(table),
            (false, Some(last)) => {
                tables.push(last);
                Value::Array(tables.into_iter().map(Value::Table).collect())
            }
        };
        file.insert(kind.name().to_owned(), value);
    }
    toml::to_string(&file).context("cannot write the organisation")
}

#[cfg(test)]
mod tests {
    use patron_rules::organisation::{CustomField, ExtendedField};
    use patron_rules::profile::custom_field;
    use patron_rules::profile::extended_field::{Element, List};

    use super::*;

    fn with(documents: &str) -> anyhow::Result<Organisation> {
        let text = format!("{documents}\n[organisation]\nname = \"x\"\ntime_zone = \"UTC\"\n");
        OrganisationFile::read(&text)?.applied_to(Organisation::default())
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
    fn takes_dates_numbers_and_booleans_of_toml() {
        let organisation = with(
            r#"
            referral_campaigns = [{ name = "friends", from = 2026-01-01, to = "2026-12-31" }]
            [settings]
            BATCH_LIMIT = 7
            CONF_ALLOW_EMAIL_UPDATE = true
            CONF_MIN_REGISTRATION_DATE = 2020-01-02 03:04:05
            "#,
        )
        .unwrap();
        let campaign = organisation.referral_campaigns.named("friends").unwrap();
        assert_eq!(campaign.from, Some("2026-01-01".parse().unwrap()));
        assert_eq!(campaign.to, Some("2026-12-31".parse().unwrap()));
        for (name, text) in [
            ("BATCH_LIMIT", "7"),
            ("CONF_ALLOW_EMAIL_UPDATE", "1"),
            ("CONF_MIN_REGISTRATION_DATE", "2020-01-02 03:04:05"),
        ] {
            assert_eq!(organisation.settings.text(name).as_deref(), Some(text));
        }
    }

    #[test]
    fn nothing_is_named_twice_by_two_spellings() {
        for (documents, named) in [
            ("[settings]\nCOUNTRY = \"DE\"\n\"COUN\\u200BTRY\" = \"IN\"", "`COUNTRY`"),
            ("[passwords]\n\"a.1\" = \"one\"\n\"a\\uFEFF.1\" = \"two\"", "`a.1`"),
            (
                "[[reward_rules]]\nname = \"bad\"\neffects = []\n\
                 when.custom_fields = { city = [\"a\"], \"ci\\u200Bty\" = [\"b\"] }",
                "`city`",
            ),
        ] {
            let error = format!("{:#}", with(documents).unwrap_err());
            assert!(error.contains(named) && error.contains("occurs twice"), "{error}");
        }
        let two_names = "[settings]\nCONFIG_SKIP_SECONDARY_ID_ON_PRIMARY_MISMATCH = true\n\
            CONF_SKIP_SECONDARY_ID_ON_PRIMARY_MISMATCH = false";
        let error = format!("{:#}", with(two_names).unwrap_err());
        assert!(error.contains("two names of one setting"), "{error}");
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
