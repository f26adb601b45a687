//! The headers that say as which till a request is posted.
//!
//! `X-CAP-API-ATTRIBUTION-ENTITY-TYPE` and `-ENTITY-CODE`, or the older
//! `X-CAP-API-ATTRIBUTION-TILL-CODE`, which counts where the others are not sent.

use axum::http::{HeaderMap, HeaderName};
use jiff::tz::TimeZone;
use patron_rules::attribution::{self, Entity, EntityType, PostedAs};
use patron_rules::organisation::{CallerId, Organisation};
use patron_rules::text::canonical;

use crate::auth::Caller;
use crate::http::header;

const ENTITY_TYPE: HeaderName = HeaderName::from_static("x-cap-api-attribution-entity-type");
const ENTITY_CODE: HeaderName = HeaderName::from_static("x-cap-api-attribution-entity-code");
const TILL_CODE: HeaderName = HeaderName::from_static("x-cap-api-attribution-till-code");

/// The headers that say so.
pub(crate) const HEADERS: [HeaderName; 3] = [ENTITY_TYPE, ENTITY_CODE, TILL_CODE];

/// Who posts a request, and as what they ask to.
#[derive(Debug, Clone)]
pub(crate) struct Attribution {
    caller: CallerId,
    asked: Option<Entity>,
}

impl Attribution {
    pub(crate) fn read(headers: &HeaderMap, caller: &Caller) -> Self {
        let entity = |entity_type, code| Entity { entity_type, code };
        let entity_type = || text(headers, &ENTITY_TYPE).as_deref().map(EntityType::named);
        let asked = text(headers, &ENTITY_CODE)
            .map(|code| entity(entity_type().unwrap_or_default(), code))
            .or_else(|| Some(entity(EntityType::Till, text(headers, &TILL_CODE)?)));
        Self { caller: caller.id, asked }
    }

    /// The till as which it is posted, as the organisation is set up now.
    pub(crate) fn till(&self, organisation: &Organisation) -> PostedAs {
        attribution::till(self.asked.as_ref(), self.caller, organisation)
    }

    /// The zone of date-times that are local to it.
    pub(crate) fn zone<'a>(&self, organisation: &'a Organisation) -> &'a TimeZone {
        organisation.time_zone_of(self.till(organisation).unwrap_or_default())
    }
}

/// A header's value in its canonical form, where it is sent and not empty.
fn text(headers: &HeaderMap, name: &HeaderName) -> Option<String> {
    let text = header::text(headers.get(name)?);
    Some(canonical(&text).trim().to_owned()).filter(|text| !text.is_empty())
}
