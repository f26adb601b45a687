//! How often the organisation's tills and API clients may call.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::resource::{read, write};
use super::{Collection, Document, Documents, Invalid, Kind, Organisation, Refused, Resource};
use crate::text;

/// The most tills and clients that have a limit of their own.
const OWN_MOST: usize = 10_000;

/// How many calls a minute are admitted; 0 admits any number.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Limits {
    /// For each till and each API client; what the server was started with where it is left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub calls_per_minute: Option<u32>,
    /// For tills that have a limit of their own, by their names.
    #[serde(default)]
    pub tills: BTreeMap<String, u32>,
    /// For API clients that have a limit of their own, by their names.
    #[serde(default)]
    pub api_clients: BTreeMap<String, u32>,
}

impl Documents for Limits {
    fn put(&mut self, json: &str) -> Result<String, Invalid> {
        let new: Self = read(&text::document(json))?;
        for (pointer, own) in [("/tills", &new.tills), ("/api_clients", &new.api_clients)] {
            Invalid::unless(own.len() <= OWN_MOST, pointer, "at most 10000")?;
        }
        *self = new;
        Ok(Kind::Limits.name().to_owned())
    }

    fn set_active(&mut self, _name: &str, is_active: bool) -> Result<(), Invalid> {
        Invalid::unless(is_active, "", "limits are always in use; 0 admits any number of calls")
    }

    fn get(&self, name: &str) -> Option<Document> {
        self.all().into_iter().find(|document| document.name == name)
    }

    fn all(&self) -> Vec<Document> {
        let name = Kind::Limits.name().to_owned();
        vec![Document { name, is_active: true, json: write(self) }]
    }

    fn check(&self, organisation: &Organisation) -> Vec<Refused> {
        let Organisation { tills, api_clients, .. } = organisation;
        let unknown = unknown("/tills", &self.tills, tills)
            .or_else(|| unknown("/api_clients", &self.api_clients, api_clients));
        let refused =
            |invalid| Refused { kind: Kind::Limits, name: Kind::Limits.name().to_owned(), invalid };
        unknown.map(refused).into_iter().collect()
    }
}

/// The first that is not there, in use or not.
fn unknown<T: Resource>(
    pointer: &str,
    own: &BTreeMap<String, u32>,
    known: &Collection<T>,
) -> Option<Invalid> {
    let name = own.keys().find(|name| known.get_any(name).is_none())?;
    Some(Invalid::at(pointer, format!("{} does not exist", T::KIND.label(name))))
}
