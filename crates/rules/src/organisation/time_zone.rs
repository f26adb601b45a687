//! Time zones in documents: by their IANA names.

use jiff::tz::TimeZone;
use serde::{Deserialize, Deserializer, Serializer, de, ser};

pub(super) fn serialize<S: Serializer>(zone: &TimeZone, to: S) -> Result<S::Ok, S::Error> {
    let name = zone.iana_name().ok_or_else(|| ser::Error::custom("a time zone without a name"))?;
    to.serialize_str(name)
}

pub(super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<TimeZone, D::Error> {
    let name = String::deserialize(from)?;
    TimeZone::get(&name).map_err(|_| de::Error::custom(format!("`{name}` is no IANA time zone")))
}
