//! What customers are looked up by.

use axum::http::HeaderMap;
use patron_rules::card;
use patron_rules::customer::CustomerId;
use patron_rules::identifier::{Email, ExternalId, IdentifierKind, Mobile};
use patron_rules::organisation::Organisation;
use patron_rules::text;
use patron_store::{Error, Found, Lookup, Tenant};

use crate::app::App;
use crate::v1_1::client_country;
use crate::v1_1::parameters::LookedUp;

/// Several customers have the email address that one was looked up by.
const SHARED_EMAIL: &str = "several customers have this email address";

/// Which customers are looked up.
pub(super) struct Query {
    /// The parameter.
    pub(super) name: &'static str,
    /// Its values.
    pub(super) values: Vec<String>,
    /// The calling code of mobile numbers that have none.
    calling_code: Option<u16>,
}

/// Why no customer is returned.
pub(super) enum Missing {
    /// The value cannot be an identifier.
    NoIdentifier,
    /// No customer, or no single customer, has it; the reason, where it is not the code's own.
    NotFound(Option<&'static str>),
}

/// What one value is looked up by.
enum Sought {
    By(Lookup),
    /// An email address that several customers may share, in lower case.
    SharedEmail(String),
    /// No customer can have it.
    Nothing,
}

impl Query {
    /// The first parameter that has a value; `None` if none has.
    pub(super) fn of(parameters: LookedUp, headers: &HeaderMap) -> Option<Self> {
        let LookedUp { mobile, email, external_id, id, card_number, card_external_id } = parameters;
        let identifiers = [
            ("mobile", mobile),
            ("email", email),
            ("external_id", external_id),
            ("id", id),
            ("card_number", card_number),
            ("card_external_id", card_external_id),
        ];
        let (name, values) = identifiers.into_iter().find(|(_, values)| !values.is_empty())?;
        Some(Self { name, values, calling_code: client_country::calling_code(headers) })
    }

    /// The customer whom this value identifies.
    pub(super) async fn find(
        &self,
        app: &App,
        tenant: &Tenant,
        value: &str,
    ) -> Result<Result<Found, Missing>, Error> {
        let Some(sought) = self.sought(value, tenant.organisation()) else {
            return Ok(Err(Missing::NoIdentifier));
        };
        let found = match sought {
            Sought::By(lookup) => app.store.find(tenant, lookup).await?,
            Sought::SharedEmail(email) => {
                let mut sharing = app.store.sharing_email(tenant, &email).await?;
                if sharing.len() > 1 {
                    return Ok(Err(Missing::NotFound(Some(SHARED_EMAIL))));
                }
                sharing.pop()
            }
            Sought::Nothing => None,
        };
        Ok(found.ok_or(Missing::NotFound(None)))
    }

    /// `None` if the value cannot be an identifier of its kind.
    fn sought(&self, value: &str, organisation: &Organisation) -> Option<Sought> {
        let settings = &organisation.settings;
        let value = text::canonical(value);
        let value = value.as_ref();
        let by = |kind, key| {
            if settings.identifies(kind) {
                Sought::By(Lookup::Identifier(kind, key))
            } else if kind == IdentifierKind::Email {
                Sought::SharedEmail(key)
            } else {
                Sought::Nothing
            }
        };
        Some(match self.name {
            "mobile" => {
                value.contains(char::is_numeric).then_some(())?;
                let rules = settings.mobile.preferring(self.calling_code);
                Mobile::parse(value, &rules).map_or(Sought::Nothing, |mobile| {
                    by(IdentifierKind::Mobile, mobile.digits().to_owned())
                })
            }
            "email" => {
                value.contains('@').then_some(())?;
                Email::parse(value).map_or(Sought::Nothing, |email| {
                    by(IdentifierKind::Email, email.key().to_owned())
                })
            }
            "external_id" => ExternalId::look_up(value).map_or(Sought::Nothing, |id| {
                by(IdentifierKind::ExternalId, id.as_str().to_owned())
            }),
            "id" => Sought::By(Lookup::Id(CustomerId(value.parse().ok()?))),
            // Cards have no external id here.
            "card_external_id" => Sought::Nothing,
            _ => card::look_up(value)
                .map_or(Sought::Nothing, |number| Sought::By(Lookup::Card(number))),
        })
    }
}
