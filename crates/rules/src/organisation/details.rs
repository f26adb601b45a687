//! What an organisation is.

use jiff::tz::TimeZone;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::access_group::check_group;
use super::resource::{check_name, read, write};
use super::{AccessGroup, Document, Documents, Invalid, Kind, Organisation, Refused, time_zone};
use crate::text;

/// The longest name, in characters.
const NAME_LIMIT: usize = 50;

/// What an organisation is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Details {
    /// The organisation's name.
    pub name: String,
    /// The zone of local date-times, by its IANA name.
    #[serde(with = "time_zone")]
    #[schema(value_type = String, examples("Asia/Kolkata"))]
    pub time_zone: TimeZone,
    /// The currency of its amounts, by its ISO 4217 code.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(pattern = "^[A-Z]{3}$", examples("INR"))]
    pub currency: Option<String>,
    /// The name of the access group of whoever has no other.
    #[serde(default = "full_access")]
    pub access_group: String,
    /// Whether its tills and API clients may call; beside the document, not in it.
    #[serde(skip, default = "active")]
    #[schema(ignore)]
    pub is_active: bool,
}

const fn active() -> bool {
    true
}

fn full_access() -> String {
    AccessGroup::FULL_ACCESS.to_owned()
}

impl Default for Details {
    fn default() -> Self {
        Self {
            name: String::new(),
            time_zone: TimeZone::UTC,
            currency: None,
            access_group: full_access(),
            is_active: active(),
        }
    }
}

impl Documents for Details {
    fn put(&mut self, json: &str) -> Result<String, Invalid> {
        let new: Self = read(&text::document(json))?;
        check_name(&new.name, NAME_LIMIT)?;
        if !self.name.is_empty() && self.name != new.name {
            return Err(Invalid::at("/name", "the name of an organisation cannot change"));
        }
        let code = |text: &String| text.len() == 3 && text.bytes().all(|b| b.is_ascii_uppercase());
        let valid = new.currency.as_ref().is_none_or(code);
        Invalid::unless(valid, "/currency", "an ISO 4217 code of three capital letters")?;
        *self = Self { is_active: self.is_active, ..new };
        Ok(Kind::Organisation.name().to_owned())
    }

    fn set_active(&mut self, _name: &str, is_active: bool) -> Result<(), Invalid> {
        self.is_active = is_active;
        Ok(())
    }

    fn get(&self, name: &str) -> Option<Document> {
        self.all().into_iter().find(|document| document.name == name)
    }

    fn all(&self) -> Vec<Document> {
        let name = Kind::Organisation.name().to_owned();
        vec![Document { name, is_active: self.is_active, json: write(self) }]
    }

    fn check(&self, organisation: &Organisation) -> Vec<Refused> {
        let checked = check_group("/access_group", Some(&self.access_group), organisation);
        let refused = |invalid| Refused {
            kind: Kind::Organisation,
            name: Kind::Organisation.name().to_owned(),
            invalid,
        };
        checked.err().map(refused).into_iter().collect()
    }
}
