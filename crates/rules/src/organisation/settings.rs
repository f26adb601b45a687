//! The registration configuration as a document; [`crate::settings`] has its table.

use std::collections::BTreeMap;

use utoipa::openapi::schema::{AdditionalProperties, SchemaType, Type};
use utoipa::openapi::{ObjectBuilder, RefOr, Schema};
use utoipa::{PartialSchema, ToSchema};

use super::resource::{read, write};
use super::{Document, Documents, Invalid, Kind, Organisation, Refused as RefusedDocument};
use crate::identifier::generated::SourceAccount;
use crate::settings::{Refused, Settings, TABLE, Value};
use crate::text;

impl PartialSchema for Settings {
    fn schema() -> RefOr<Schema> {
        let defaults = Self::default();
        let mut object = ObjectBuilder::new()
            .description(Some(
                "The registration configuration by the settings' names. Replies give every value as a \
                 text, and flags as `0` or `1`; numbers, `true` and `false` are accepted too.",
            ))
            .additional_properties(Some(AdditionalProperties::FreeForm(false)));
        for (setting, (name, default)) in TABLE.iter().zip(defaults.texts()) {
            let mut types = vec![Type::String, Type::Integer];
            types.extend(setting.is_flag().then_some(Type::Boolean));
            let text = ObjectBuilder::new()
                .schema_type(SchemaType::from_iter(types))
                .description(Some(format!("{}: {}", setting.meaning, setting.form)))
                .default(Some(default.into()));
            object = object.property(name, text);
        }
        object.into()
    }
}

impl ToSchema for Settings {}

impl Documents for Settings {
    fn put(&mut self, json: &str) -> Result<String, Invalid> {
        let values: BTreeMap<String, Value> = read(&text::document(json))?;
        *self = Self::try_from(values).map_err(|refused| invalid(&refused))?;
        Ok(Kind::Settings.name().to_owned())
    }

    /// A setting has two names; the patch may give either.
    fn patch(&mut self, _name: &str, patch: &str) -> Result<String, Invalid> {
        *self = self
            .with_members(&read(&text::document(patch))?)
            .map_err(|refused| invalid(&refused))?;
        Ok(Kind::Settings.name().to_owned())
    }

    fn set_active(&mut self, _name: &str, is_active: bool) -> Result<(), Invalid> {
        Invalid::unless(is_active, "", "settings are always in use")
    }

    fn get(&self, name: &str) -> Option<Document> {
        self.all().into_iter().find(|document| document.name == name)
    }

    fn all(&self) -> Vec<Document> {
        let name = Kind::Settings.name().to_owned();
        vec![Document { name, is_active: true, json: write(self) }]
    }

    /// What external ids are made for must be there.
    fn check(&self, organisation: &Organisation) -> Vec<RefusedDocument> {
        let is_there = |pair: &SourceAccount| {
            let source = organisation.source(pair.source.name())?;
            let set_up = organisation.sources.named(source.name());
            let account = pair.account.as_deref();
            account.zip(set_up).is_none_or(|(id, source)| source.has_account(id)).then_some(())
        };
        let missing = self.generated_id.sources.iter().find(|pair| is_there(pair).is_none());
        let refused = missing.map(|pair| {
            let reason =
                format!("source and account `{}` do not exist or are out of use", pair.text());
            let invalid = Invalid::at("/SOURCE_ACCOUNTS_EXTERNALID_ENABLED", reason);
            let (kind, name) = (Kind::Settings, Kind::Settings.name().to_owned());
            RefusedDocument { kind, name, invalid }
        });
        refused.into_iter().collect()
    }
}

fn invalid(refused: &Refused) -> Invalid {
    let pointer = match refused {
        Refused::Unknown(name) | Refused::Twice { name, .. } => format!("/{name}"),
        Refused::Form { name, .. } => format!("/{name}"),
        Refused::Contradiction(_) => String::new(),
    };
    Invalid::at(pointer, refused.to_string())
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case::documented("LINE:", true)]
    #[case::any_account("LINE:whichever", true)]
    #[case::own("KIOSK:", true)]
    #[case::account("WECHAT:a", true)]
    #[case::no_account("WECHAT:b", false)]
    #[case::unknown("PIGEON:", false)]
    fn external_ids_are_made_for_sources_and_accounts_that_are_there(
        #[case] pair: &str,
        #[case] is_there: bool,
    ) {
        let mut organisation = Organisation::default();
        let settings = format!(r#"{{"SOURCE_ACCOUNTS_EXTERNALID_ENABLED":"[\"{pair}\"]"}}"#);
        for (kind, document) in [
            (Kind::Sources, r#"{"name":"KIOSK"}"#),
            (Kind::Sources, r#"{"name":"WECHAT","accounts":[{"id":"a"}]}"#),
            (Kind::Settings, &settings),
        ] {
            organisation.documents_mut(kind).put(document).unwrap();
        }
        let pointer = organisation.check().err().map(|refused| refused[0].invalid.pointer.clone());
        let expected = (!is_there).then_some("/SOURCE_ACCOUNTS_EXTERNALID_ENABLED");
        assert_eq!(pointer.as_deref(), expected);
    }
}
