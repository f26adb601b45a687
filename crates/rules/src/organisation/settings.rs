//! The registration configuration as a document; [`crate::settings`] has its table.

use std::collections::BTreeMap;

use utoipa::openapi::schema::{AdditionalProperties, Type};
use utoipa::openapi::{ObjectBuilder, RefOr, Schema};
use utoipa::{PartialSchema, ToSchema};

use super::resource::{read, write};
use super::{Document, Documents, Invalid, Kind, Organisation, Refused as RefusedDocument};
use crate::settings::{Refused, Settings, TABLE};

impl PartialSchema for Settings {
    fn schema() -> RefOr<Schema> {
        let defaults = Self::default();
        let mut object = ObjectBuilder::new()
            .description(Some("The registration configuration: texts by the settings' names."))
            .additional_properties(Some(AdditionalProperties::FreeForm(false)));
        for (setting, (name, default)) in TABLE.iter().zip(defaults.texts()) {
            let text = ObjectBuilder::new()
                .schema_type(Type::String)
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
        let texts: BTreeMap<String, String> = read(json)?;
        *self = Self::try_from(texts).map_err(|refused| {
            let pointer = match &refused {
                Refused::Unknown(name) => format!("/{name}"),
                Refused::Form { name, .. } => format!("/{name}"),
                Refused::Contradiction(_) => String::new(),
            };
            Invalid::at(pointer, refused.to_string())
        })?;
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

    fn check(&self, _organisation: &Organisation) -> Vec<RefusedDocument> {
        Vec::new()
    }
}
