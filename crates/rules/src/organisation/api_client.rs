//! API clients: programs that sign in with a key and a secret, and call with a token.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::access_group::check_group;
use super::resource::{check_reference, check_texts};
use super::{Invalid, Kind, Organisation, Resource};

/// An API client's id within its organisation.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(transparent)]
pub struct ApiClientId(pub i64);

/// How long a token is good unless its client says otherwise, in seconds: "default maximum 60
/// minutes".
const TOKEN_SECONDS: u32 = 3_600;
/// How long a token is good at most: "extendable to 30 days".
const TOKEN_SECONDS_MOST: u32 = 30 * 24 * 3_600;

/// A program that calls. Its key and secret are kept apart.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ApiClient {
    /// Its number; the next one that is free where it is left out.
    #[serde(default)]
    pub id: ApiClientId,
    /// Its name.
    pub name: String,
    /// What people should know of it; at most 250 characters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// How long each of its tokens is good, in seconds: from 60 to 2,592,000, which is 30 days.
    #[serde(default = "token_seconds")]
    pub token_seconds: u32,
    /// The name of the till as which it posts where a request says nothing else.
    pub default_till: String,
    /// Whether it posts as its default till where a request asks for one that is not valid; such a
    /// request is refused otherwise.
    #[serde(default)]
    pub default_till_for_invalid: bool,
    /// The name of its access group; the organisation's where it is left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub access_group: Option<String>,
}

const fn token_seconds() -> u32 {
    TOKEN_SECONDS
}

impl Resource for ApiClient {
    const KIND: Kind = Kind::ApiClients;
    /// "At most 15 clients per org."
    const COUNT_LIMIT: usize = 15;

    fn name(&self) -> &str {
        &self.name
    }

    fn id(&self) -> Option<i64> {
        Some(self.id.0)
    }

    fn set_id(&mut self, id: i64) {
        self.id = ApiClientId(id);
    }

    fn check(&self, organisation: &Organisation) -> Result<(), Invalid> {
        check_texts(&[("/description", &self.description, 250)])?;
        Invalid::unless(
            (60..=TOKEN_SECONDS_MOST).contains(&self.token_seconds),
            "/token_seconds",
            "from 60 to 2592000",
        )?;
        check_reference("/default_till", Some(&self.default_till), &organisation.tills)?;
        check_group("/access_group", self.access_group.as_deref(), organisation)
    }
}
