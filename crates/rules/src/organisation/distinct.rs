//! JSON that says nothing twice.

use std::fmt;

use serde::de::{self, Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Number, Value};

/// A JSON value whose objects name each member once.
pub(super) struct Distinct(pub(super) Value);

impl<'de> Deserialize<'de> for Distinct {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        from.deserialize_any(DistinctVisitor)
    }
}

struct DistinctVisitor;

impl<'de> Visitor<'de> for DistinctVisitor {
    type Value = Distinct;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_unit<E: de::Error>(self) -> Result<Distinct, E> {
        Ok(Distinct(Value::Null))
    }

    fn visit_bool<E: de::Error>(self, flag: bool) -> Result<Distinct, E> {
        Ok(Distinct(flag.into()))
    }

    fn visit_i64<E: de::Error>(self, number: i64) -> Result<Distinct, E> {
        Ok(Distinct(number.into()))
    }

    fn visit_u64<E: de::Error>(self, number: u64) -> Result<Distinct, E> {
        Ok(Distinct(number.into()))
    }

    fn visit_f64<E: de::Error>(self, number: f64) -> Result<Distinct, E> {
        Ok(Distinct(Number::from_f64(number).map_or(Value::Null, Value::Number)))
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<Distinct, E> {
        Ok(Distinct(text.into()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut from: A) -> Result<Distinct, A::Error> {
        let mut items = Vec::new();
        while let Some(Distinct(item)) = from.next_element()? {
            items.push(item);
        }
        Ok(Distinct(items.into()))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut from: A) -> Result<Distinct, A::Error> {
        let mut members = Map::new();
        while let Some((name, Distinct(value))) = from.next_entry::<String, _>()? {
            if members.contains_key(&name) {
                return Err(de::Error::custom(format!("the member `{name}` occurs twice")));
            }
            members.insert(name, value);
        }
        Ok(Distinct(members.into()))
    }
}
