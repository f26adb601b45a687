//! Time zones in documents: by their IANA names.

use jiff::tz::TimeZone;
use serde::{Deserialize, Deserializer, Serializer, de, ser};

pub(super) fn serialize<S: Serializer>(zone: &TimeZone, to: S) -> Result<S::Ok, S::Error> {
    let name = zone.iana_name().ok_or_else(|| ser::Error::custom("a time zone without a name"))?;
    to.serialize_str(name)
}

pub(super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<TimeZone, D::Error> {
    named(&String::deserialize(from)?).map_err(de::Error::custom)
}

fn named(name: &str) -> Result<TimeZone, String> {
    TimeZone::get(name).map_err(|_| format!("`{name}` is no IANA time zone"))
}

/// The same for a member that may be left out.
pub(super) mod optional {
    use super::{Deserialize, Deserializer, Serializer, TimeZone, de};

    #[expect(clippy::ref_option, reason = "serde hands the member over as it is")]
    pub(in super::super) fn serialize<S: Serializer>(
        zone: &Option<TimeZone>,
        to: S,
    ) -> Result<S::Ok, S::Error> {
        match zone {
            Some(zone) => super::serialize(zone, to),
            None => to.serialize_none(),
        }
    }

    pub(in super::super) fn deserialize<'de, D: Deserializer<'de>>(
        from: D,
    ) -> Result<Option<TimeZone>, D::Error> {
        let name = Option::<String>::deserialize(from)?;
        name.as_deref().map(super::named).transpose().map_err(de::Error::custom)
    }
}
