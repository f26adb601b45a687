//! The query of a request: `name=value&…`, percent-encoded, a `+` being a blank.
//!
//! An endpoint reads its query into the struct that declares its parameters in the OpenAPI document.
//! So every parameter follows one set of rules:
//!
//! - A boolean takes `true`, `false`, `1` or `0` in any case. Anything else is an error, a missing value
//!   too: a switch that is not understood must not do the opposite.
//! - A name that differs from a known one only by case or by characters such as `-` and `_` is an error.
//!   Other unknown names are ignored, unless the struct denies them.
//! - Texts are read in their canonical form, without the blanks around them. An optional parameter without a value counts as not passed.
//! - A parameter may be repeated with the same value. Different values are an error, unless the endpoint
//!   reads the first one.

use std::borrow::Cow;
use std::fmt::Display;

use axum::extract::FromRequestParts;
use axum::http::Uri;
use axum::http::request::Parts;
use axum::response::{IntoResponse, Response};
use patron_rules::text::canonical;
use percent_encoding::percent_decode_str;
use serde::de::value::StrDeserializer;
use serde::de::{
    Deserialize, DeserializeOwned, DeserializeSeed, IntoDeserializer, MapAccess, Visitor,
};
use serde::{Deserializer, forward_to_deserialize_any};

use crate::v1_1::envelope;

/// The most characters of an unknown name that an error repeats.
const NAME_LIMIT: usize = 50;
/// Other names under which clients of the documented API send a parameter.
const ALIASES: [(&str, &str); 2] = [("cardnumber", "card_number"), ("programId", "program_id")];
/// What an `&` leaves before the next name when a page's source is copied.
const ESCAPED_AMPERSAND: &str = "amp;";

/// Why a query is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum InvalidQuery {
    #[error("parameter `{name}` takes {form}")]
    Value { name: Cow<'static, str>, form: String },
    #[error("parameter `{0}` is missing")]
    Missing(&'static str),
    #[error("parameter `{0}` is sent more than once, with different values")]
    Repeated(&'static str),
    #[error("parameter `{sent}` is not known; did you mean `{known}`?")]
    Misspelt { sent: String, known: &'static str },
    #[error("parameter `{sent}` is not known; the endpoint takes {}", names(known))]
    Unknown { sent: String, known: &'static [&'static str] },
}

impl InvalidQuery {
    /// The value of this parameter has not this form.
    pub(crate) fn value(name: &'static str, form: &str) -> Self {
        Self::Value { name: name.into(), form: form.to_owned() }
    }

    /// Adds the name of the parameter whose value failed.
    fn of(self, parameter: &str) -> Self {
        match self {
            Self::Value { name, form } if name.is_empty() => {
                Self::Value { name: parameter.to_owned().into(), form }
            }
            error => error,
        }
    }
}

impl serde::de::Error for InvalidQuery {
    fn custom<T: Display>(form: T) -> Self {
        Self::Value { name: Cow::default(), form: form.to_string() }
    }

    fn missing_field(name: &'static str) -> Self {
        Self::Missing(name)
    }

    fn unknown_field(sent: &str, known: &'static [&'static str]) -> Self {
        Self::Unknown { sent: cut(sent), known }
    }
}

impl IntoResponse for InvalidQuery {
    fn into_response(self) -> Response {
        envelope::invalid(&self)
    }
}

fn names(known: &[&str]) -> String {
    known.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ")
}

fn cut(name: &str) -> String {
    name.chars().take(NAME_LIMIT).collect()
}

/// The parameters of a request.
pub(crate) struct Query<T>(pub(crate) T);

impl<S: Sync, T: DeserializeOwned> FromRequestParts<S> for Query<T> {
    type Rejection = InvalidQuery;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, InvalidQuery> {
        read(&parts.uri).map(Self)
    }
}

/// Reads the parameters of a request.
pub(crate) fn read<'a, T: Deserialize<'a>>(uri: &'a Uri) -> Result<T, InvalidQuery> {
    T::deserialize(Parameters { uri, first_counts: false })
}

/// Reads the parameters of a request; where one is repeated, the first one counts.
pub(crate) fn read_first<'a, T: Deserialize<'a>>(uri: &'a Uri) -> Result<T, InvalidQuery> {
    T::deserialize(Parameters { uri, first_counts: true })
}

/// The text of this name, the first one if it is repeated. `None` if it is empty.
pub(crate) fn text(uri: &Uri, name: &str) -> Option<String> {
    let (_, value) = pairs(uri).find(|(known, _)| known == name)?;
    let text = decode_text(value);
    (!text.is_empty()).then_some(text)
}

/// Reads an optional parameter of this form.
pub(crate) fn optional<'de, D: Deserializer<'de>, T>(
    deserializer: D,
    form: &str,
    parse: impl FnOnce(&str) -> Option<T>,
) -> Result<Option<T>, D::Error> {
    let Some(text) = Option::<String>::deserialize(deserializer)? else { return Ok(None) };
    parse(&text).map(Some).ok_or_else(|| serde::de::Error::custom(form))
}

/// Reads values that are separated by commas. A comma within a value is percent-encoded.
pub(crate) fn list<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<String>, D::Error> {
    values(deserializer, decode)
}

/// The same for email addresses. They contain no blank, so a `+` stays a `+`.
pub(crate) fn emails<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<String>, D::Error> {
    values(deserializer, decode_percents)
}

fn values<'de, D: Deserializer<'de>>(
    deserializer: D,
    decode: fn(&str) -> Cow<'_, str>,
) -> Result<Vec<String>, D::Error> {
    let encoded = str::from_utf8(<&[u8]>::deserialize(deserializer)?).unwrap_or_default();
    let values = encoded.split(',').map(|value| decode(value).into_owned());
    Ok(values.filter(|value| !value.is_empty()).collect())
}

/// Each name, decoded, with its value as it was sent.
fn pairs(uri: &Uri) -> impl Iterator<Item = (Cow<'_, str>, &str)> {
    let pairs = uri.query().unwrap_or_default().split('&').filter(|pair| !pair.is_empty());
    pairs.map(|pair| {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        (percent_decode_str(name).decode_utf8_lossy(), value)
    })
}

/// A value without percent-encoding and without the blanks around it.
fn decode(value: &str) -> Cow<'_, str> {
    if value.contains('+') {
        decode_percents(&value.replace('+', " ")).into_owned().into()
    } else {
        decode_percents(value)
    }
}

/// A text in its canonical form, without the blanks around it.
fn decode_text(value: &str) -> String {
    canonical(&decode(value)).trim().to_owned()
}

fn decode_percents(value: &str) -> Cow<'_, str> {
    match percent_decode_str(value).decode_utf8_lossy() {
        Cow::Borrowed(text) => text.trim().into(),
        Cow::Owned(text) => text.trim().to_owned().into(),
    }
}

/// Whether two names are the same but for case and for characters that are neither letters nor digits.
fn are_alike(sent: &str, known: &str) -> bool {
    fn letters(name: &str) -> impl Iterator<Item = char> {
        name.chars().filter(|letter| letter.is_alphanumeric()).flat_map(char::to_lowercase)
    }
    let sent = sent.strip_prefix(ESCAPED_AMPERSAND).unwrap_or(sent);
    letters(sent).eq(letters(known))
}

/// The documented name of a parameter, if it is sent by another one.
fn documented<'a>(sent: Cow<'a, str>, known: &[&str]) -> Cow<'a, str> {
    let alias = ALIASES.iter().find(|(alias, name)| *alias == sent && known.contains(name));
    alias.map_or(sent, |(_, name)| (*name).into())
}

/// A query to be read into a struct.
struct Parameters<'a> {
    uri: &'a Uri,
    first_counts: bool,
}

impl<'a> Parameters<'a> {
    /// Checks the names; leaves out what repeats a known parameter.
    fn checked(
        &self,
        known: &[&'static str],
    ) -> Result<Vec<(Cow<'a, str>, &'a str)>, InvalidQuery> {
        let mut values: Vec<Option<&str>> = vec![None; known.len()];
        let mut checked = Vec::new();
        for (sent, value) in pairs(self.uri) {
            let name = documented(sent, known);
            let named = known.iter().zip(&mut values).find(|(known, _)| **known == name);
            match named {
                Some((known, Some(first))) => {
                    if !self.first_counts && decode(first) != decode(value) {
                        return Err(InvalidQuery::Repeated(known));
                    }
                    continue;
                }
                Some((_, first)) => *first = Some(value),
                None => {
                    if let Some(known) = known.iter().find(|known| are_alike(&name, known)) {
                        return Err(InvalidQuery::Misspelt { sent: cut(&name), known });
                    }
                }
            }
            checked.push((name, value));
        }
        Ok(checked)
    }
}

impl<'de> Deserializer<'de> for Parameters<'de> {
    type Error = InvalidQuery;

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _name: &'static str,
        known: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, InvalidQuery> {
        visitor.visit_map(Members { rest: self.checked(known)?.into_iter(), value: None })
    }

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, InvalidQuery> {
        visitor.visit_map(Members { rest: self.checked(&[])?.into_iter(), value: None })
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf option unit
        unit_struct newtype_struct seq tuple tuple_struct map enum identifier ignored_any
    }
}

struct Members<'de, I> {
    rest: I,
    value: Option<(Cow<'de, str>, &'de str)>,
}

impl<'de, I: Iterator<Item = (Cow<'de, str>, &'de str)>> MapAccess<'de> for Members<'de, I> {
    type Error = InvalidQuery;

    fn next_key_seed<K: DeserializeSeed<'de>>(
        &mut self,
        seed: K,
    ) -> Result<Option<K::Value>, InvalidQuery> {
        self.value = self.rest.next();
        let Some((name, _)) = &self.value else { return Ok(None) };
        let name: StrDeserializer<'_, InvalidQuery> = name.as_ref().into_deserializer();
        seed.deserialize(name).map(Some)
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(
        &mut self,
        seed: V,
    ) -> Result<V::Value, InvalidQuery> {
        let (name, value) = self.value.take().unwrap_or_default();
        seed.deserialize(Value(value)).map_err(|error| error.of(&name))
    }
}

/// A value as it was sent. To a visitor of bytes it shows itself so, to others decoded.
struct Value<'de>(&'de str);

macro_rules! parse {
    ($($method:ident => $visit:ident)*) => {$(
        fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, InvalidQuery> {
            let number = decode(self.0).parse();
            visitor.$visit(number.map_err(|_| serde::de::Error::custom("a whole number"))?)
        }
    )*};
}

impl<'de> Deserializer<'de> for Value<'de> {
    type Error = InvalidQuery;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, InvalidQuery> {
        visitor.visit_string(decode_text(self.0))
    }

    fn deserialize_bool<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, InvalidQuery> {
        match decode(self.0).to_ascii_lowercase().as_str() {
            "true" | "1" => visitor.visit_bool(true),
            "false" | "0" => visitor.visit_bool(false),
            _ => Err(serde::de::Error::custom("true or false")),
        }
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, InvalidQuery> {
        if decode_text(self.0).is_empty() { visitor.visit_none() } else { visitor.visit_some(self) }
    }

    fn deserialize_bytes<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, InvalidQuery> {
        visitor.visit_borrowed_bytes(self.0.as_bytes())
    }

    parse! {
        deserialize_u16 => visit_u16
        deserialize_u32 => visit_u32
        deserialize_i64 => visit_i64
    }

    forward_to_deserialize_any! {
        i8 i16 i32 i128 u8 u64 u128 f32 f64 char str string byte_buf unit unit_struct newtype_struct
        seq tuple tuple_struct map struct enum identifier ignored_any
    }
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;

    use super::*;

    #[derive(Debug, Default, PartialEq, Eq, Deserialize)]
    #[serde(default, rename_all = "camelCase")]
    struct Sent {
        dry_run: bool,
        limit: Option<u16>,
        name: Option<String>,
        #[serde(deserialize_with = "list")]
        mobile: Vec<String>,
        #[serde(deserialize_with = "emails")]
        email: Vec<String>,
    }

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Strict {
        #[expect(dead_code, reason = "read by serde")]
        after: String,
    }

    fn uri(query: &str) -> Uri {
        format!("/x?{query}").parse().unwrap()
    }

    fn sent(query: &str) -> Sent {
        read(&uri(query)).unwrap_or_else(|error| panic!("{query}: {error}"))
    }

    fn error(query: &str) -> String {
        read::<Sent>(&uri(query)).unwrap_err().to_string()
    }

    #[test]
    fn reads_booleans_in_any_case_with_blanks() {
        for value in ["true", "TRUE", "True", "1", "true%20", "%20true", "+true+", "t%72ue"] {
            assert!(sent(&format!("dryRun={value}")).dry_run, "{value}");
        }
        for value in ["false", "FALSE", "False", "0", "%09false", "0+"] {
            assert!(!sent(&format!("dryRun={value}")).dry_run, "{value}");
        }
    }

    #[test]
    fn rejects_booleans_of_another_form() {
        for value in
            ["=yes", "=on", "=2", "=01", "=t", "=truefalse", "=true,", "=", "=+", "", "==true"]
        {
            let error = error(&format!("dryRun{value}"));
            assert_eq!(error, "parameter `dryRun` takes true or false", "{value}");
        }
        assert_eq!(error("dryRun=true%E2%80%8B"), "parameter `dryRun` takes true or false");
    }

    #[test]
    fn rejects_misspelt_names() {
        for name in ["dry_run", "dry-run", "DRY_RUN", "dryrun", "DryRun", "dry.run", "dryRun+"] {
            let error = error(&format!("{name}=true"));
            let wanted = format!("parameter `{name}` is not known; did you mean `dryRun`?");
            assert_eq!(error, wanted);
        }
        assert!(error("name=x&amp;dryRun=true").ends_with("did you mean `dryRun`?"));
        assert!(error("dry%5Frun=true").ends_with("did you mean `dryRun`?"));
        assert!(error(&format!("{}dryRun=1", "_".repeat(1_000))).len() < 200);
    }

    #[test]
    fn ignores_unknown_names_unless_they_are_denied() {
        assert_eq!(sent("dry=yes&x&run=1&=&&dryRunner=no&%E2%80%8B=1"), Sent::default());
        assert_eq!(sent(""), Sent::default());
        let error = read::<Strict>(&uri("after=a&page=2")).unwrap_err().to_string();
        assert_eq!(error, "parameter `page` is not known; the endpoint takes `after`");
        let error = read::<Strict>(&uri("x")).unwrap_err().to_string();
        assert_eq!(error, "parameter `x` is not known; the endpoint takes `after`");
        assert_eq!(read::<Strict>(&uri("")).unwrap_err(), InvalidQuery::Missing("after"));
    }

    #[test]
    fn a_repeated_parameter_has_one_value() {
        assert!(sent("dryRun=true&dryRun=tru%65&x=1&x=2").dry_run);
        let query = "dryRun=true&dryRun=false";
        assert_eq!(
            error(query),
            "parameter `dryRun` is sent more than once, with different values"
        );
        let (uri, reversed) = (uri(query), uri("dryRun=false&dryRun=true"));
        assert!(read_first::<Sent>(&uri).unwrap().dry_run);
        assert!(!read_first::<Sent>(&reversed).unwrap().dry_run);
    }

    #[test]
    fn an_alias_is_its_parameter() {
        #[derive(Debug, PartialEq, Eq, Deserialize)]
        struct Sent {
            program_id: Option<i64>,
        }
        let sent = |query: &str| read::<Sent>(&uri(query)).map(|sent| sent.program_id);
        for query in ["program_id=4", "programId=4", "programId=4&program_id=+4&programId=4"] {
            assert_eq!(sent(query), Ok(Some(4)), "{query}");
        }
        for query in ["programId=4&program_id=5", "program_id=4&programId=5"] {
            assert_eq!(sent(query), Err(InvalidQuery::Repeated("program_id")), "{query}");
            assert_eq!(read_first::<Sent>(&uri(query)).unwrap().program_id, Some(4));
        }
        let error = sent("program-id=4").unwrap_err().to_string();
        assert_eq!(error, "parameter `program-id` is not known; did you mean `program_id`?");
        assert_eq!(sent("cardnumber=4"), Ok(None), "of another endpoint");
    }

    #[test]
    fn decodes_texts_numbers_and_lists() {
        let read = sent("name=+a%2Bb%20c+&limit=+5&mobile=x%2By+z,%20v%2C,&email=x%2By@z+w,+a@b");
        assert_eq!(read.name.as_deref(), Some("a+b c"));
        assert_eq!(sent("name=%E2%80%8B+Cafe%CC%81").name.as_deref(), Some("Café"));
        assert_eq!(sent("name=%E2%80%8B").name, None);
        assert_eq!(read.limit, Some(5));
        assert_eq!(read.mobile, ["x+y z", "v,"]);
        assert_eq!(read.email, ["x+y@z+w", "+a@b"]);
        assert_eq!(sent("name=&limit=+&mobile=,&email"), Sent::default());
        assert_eq!(error("limit=x"), "parameter `limit` takes a whole number");
        assert_eq!(text(&uri("a=+&b=%20x+"), "b").as_deref(), Some("x"));
        assert_eq!((text(&uri("a=+&b=x"), "a"), text(&uri("a"), "c")), (None, None));
    }
}
