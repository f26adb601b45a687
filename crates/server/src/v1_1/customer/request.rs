//! Reading `{"root": {"customer": […]}}`.
//!
//! The body must be JSON with `root.customer`, one customer or an array of them; otherwise the
//! whole request fails at a line and a column. From there on each customer is read alone: one whose
//! members have a wrong form fails without its neighbours.
//!
//! Texts may come as numbers, without loss of digits; null and blank texts are "not passed"; a list
//! of one may come as that one. Members that are not known are ignored.

use std::collections::BTreeMap;
use std::fmt;

use patron_rules::profile::{channel, field, subscription};
use patron_rules::submission::{
    Kept, Malformed, Submission, SubmittedChannel, SubmittedField, SubmittedSubscription,
    SubmittedValue,
};
use serde::de::{IgnoredAny, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;

use super::decoded::{DEPTH_LIMIT, Error};
use crate::v1_1::format::Format;

/// The most customers of one call that are kept while they are counted; no organisation's own
/// limit is higher.
const KEPT_LIMIT: usize = 1_000;

impl From<serde_json::Error> for Error {
    fn from(error: serde_json::Error) -> Self {
        let (line, column) = (error.line(), error.column());
        let text = error.to_string();
        let place = format!(" at line {line} column {column}");
        Self { reason: text.strip_suffix(&place).unwrap_or(&text).to_owned(), line, column }
    }
}

#[derive(Deserialize)]
struct Body<'a> {
    #[serde(borrow)]
    root: &'a RawValue,
}

#[derive(Deserialize)]
struct Root<'a> {
    #[serde(borrow)]
    customer: &'a RawValue,
}

/// The customers of a body, each still to be read.
pub struct Batch<'a> {
    /// How many there are; of more than a thousand, only as many are kept.
    pub count: usize,
    items: Vec<&'a RawValue>,
    /// Sent as an array, which shows in the pointers to their members.
    array: bool,
}

/// Reads a body as far as its customers.
///
/// # Errors
/// What cannot be read, and where.
pub fn decode(body: &[u8]) -> Result<Batch<'_>, Error> {
    let text = std::str::from_utf8(body)
        .map_err(|error| Error::at("the body is not UTF-8", body, error.valid_up_to()))?;
    if let Some(offset) = too_deep(body) {
        return Err(Error::at("nested too deep (32 levels are allowed)", body, offset));
    }
    let whole: &RawValue = serde_json::from_str(text.trim_start_matches('\u{feff}'))?;
    let Body { root } = object(whole, "the body is no object with the member `root`", body)?;
    let Root { customer } = object(root, "root is no object with the member `customer`", body)?;
    let place = offset(customer, body);
    if !customer.get().starts_with(['{', '[']) {
        let reason = "root.customer is neither a customer nor an array of them";
        return Err(Error::at(reason, body, place));
    }
    let items: OneOrMany<'_, KEPT_LIMIT> = serde_json::from_str(customer.get())?;
    if items.count == 0 {
        return Err(Error::at("root.customer holds no customer", body, place));
    }
    Ok(Batch { count: items.count, items: items.kept, array: items.array })
}

/// Reads a part of the body that must be an object with certain members.
fn object<'a, T: Deserialize<'a>>(
    part: &'a RawValue,
    wanted: &str,
    body: &[u8],
) -> Result<T, Error> {
    let place = offset(part, body);
    // A derived struct would also read an array, by position.
    if !part.get().starts_with('{') {
        return Err(Error::at(wanted, body, place));
    }
    serde_json::from_str(part.get())
        .map_err(|error| Error::at(&Error::from(error).reason, body, place))
}

/// Where a part of the body stands in it.
fn offset(part: &RawValue, body: &[u8]) -> usize {
    (part.get().as_ptr() as usize).saturating_sub(body.as_ptr() as usize)
}

/// Where arrays and objects nest deeper than allowed.
fn too_deep(body: &[u8]) -> Option<usize> {
    let (mut depth, mut in_text, mut escaped) = (0_usize, false, false);
    for (offset, byte) in body.iter().enumerate() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if in_text => escaped = true,
            b'"' => in_text = !in_text,
            _ if in_text => {}
            b'{' | b'[' => depth = depth.saturating_add(1),
            b'}' | b']' => depth = depth.saturating_sub(1),
            _ => {}
        }
        if depth > DEPTH_LIMIT {
            return Some(offset);
        }
    }
    None
}

impl Batch<'_> {
    /// Where each customer stands in the body, as JSON pointers.
    #[must_use]
    pub fn places(&self) -> Vec<String> {
        (0..self.items.len()).map(|index| self.place(index)).collect()
    }

    fn place(&self, index: usize) -> String {
        if self.array { format!("/root/customer/{index}") } else { "/root/customer".to_owned() }
    }

    /// Reads each customer; where members that are not known are to be refused, looks for them.
    #[must_use]
    pub fn submissions(&self, strict: bool) -> Vec<Submission> {
        let read = |(index, raw): (usize, &&RawValue)| {
            submission(raw, self.place(index), strict, Format::Json)
        };
        self.items.iter().enumerate().map(read).collect()
    }
}

type Raw<'a> = Option<&'a RawValue>;

#[derive(Default, Deserialize)]
#[serde(default, expecting = "a customer, which is an object")]
struct Customer<'a> {
    #[serde(borrow)]
    mobile: Raw<'a>,
    email: Raw<'a>,
    external_id: Raw<'a>,
    firstname: Raw<'a>,
    lastname: Raw<'a>,
    #[serde(rename = "type")]
    customer_type: Raw<'a>,
    source: Raw<'a>,
    #[serde(rename = "accountId")]
    account_id: Raw<'a>,
    registered_on: Raw<'a>,
    updated_on: Raw<'a>,
    registered_till: Raw<'a>,
    associated_with: Raw<'a>,
    fraud_status: Raw<'a>,
    #[serde(rename = "commChannels")]
    channels: Raw<'a>,
    custom_fields: Raw<'a>,
    extended_fields: Raw<'a>,
    subscriptions: Raw<'a>,
    referral_code: Raw<'a>,
    card_details: Raw<'a>,
    gender: Raw<'a>,
    ndnc_status: Raw<'a>,
    test_control_status: Raw<'a>,
}

/// The members of a customer that are known; `id` identifies in updates and is ignored here.
const KNOWN_MEMBERS: [&str; 23] = [
    "mobile",
    "email",
    "external_id",
    "firstname",
    "lastname",
    "type",
    "source",
    "accountId",
    "registered_on",
    "updated_on",
    "registered_till",
    "associated_with",
    "fraud_status",
    "commChannels",
    "custom_fields",
    "extended_fields",
    "subscriptions",
    "referral_code",
    "card_details",
    "gender",
    "ndnc_status",
    "test_control_status",
    "id",
];

#[derive(Default, Deserialize)]
#[serde(default, expecting = "an object with `status`")]
struct FraudStatus<'a> {
    #[serde(borrow)]
    status: Raw<'a>,
}

#[derive(Default, Deserialize)]
#[serde(default, expecting = "an object with `subscription`")]
struct Subscriptions<'a> {
    #[serde(borrow)]
    subscription: Raw<'a>,
}

#[derive(Default, Deserialize)]
#[serde(default, expecting = "an object with `channel`, `priority` and `is_subscribed`")]
struct Subscription<'a> {
    #[serde(borrow)]
    channel: Raw<'a>,
    priority: Raw<'a>,
    scope: Raw<'a>,
    is_subscribed: Raw<'a>,
}

#[derive(Default, Deserialize)]
#[serde(default, expecting = "an object with `card_number` or `series_code`")]
struct CardDetails<'a> {
    #[serde(borrow)]
    card_number: Raw<'a>,
    series_code: Raw<'a>,
}

#[derive(Default, Deserialize)]
#[serde(default, expecting = "an object with `field`")]
struct Fields<'a> {
    #[serde(borrow)]
    field: Raw<'a>,
}

#[derive(Default, Deserialize)]
#[serde(default, expecting = "an object with `name` and `value`")]
struct Field<'a> {
    #[serde(borrow)]
    name: Raw<'a>,
    value: Raw<'a>,
}

#[derive(Default, Deserialize)]
#[serde(default, expecting = "an object with `type` and `value`")]
struct Channel<'a> {
    #[serde(rename = "type", borrow)]
    kind: Raw<'a>,
    value: Raw<'a>,
    primary: Raw<'a>,
    verified: Raw<'a>,
    meta: Raw<'a>,
}

#[derive(Default, Deserialize)]
#[serde(default, expecting = "an object")]
struct Meta<'a> {
    #[serde(borrow)]
    residence: Raw<'a>,
}

/// Reads one customer, who came in this format and stands here in the body.
pub(super) fn submission(
    raw: &RawValue,
    pointer: String,
    strict: bool,
    format: Format,
) -> Submission {
    let mut reader = Reader { pointer, format, malformed: None };
    let sent: Customer<'_> = reader.object(Some(raw), "");
    let card: CardDetails<'_> = reader.object(sent.card_details, "/card_details");
    let mut submission = Submission {
        mobile: reader.text(sent.mobile, "/mobile"),
        email: reader.text(sent.email, "/email"),
        external_id: reader.text(sent.external_id, "/external_id"),
        first_name: reader.text(sent.firstname, "/firstname"),
        last_name: reader.text(sent.lastname, "/lastname"),
        customer_type: reader.text(sent.customer_type, "/type"),
        source: reader.text(sent.source, "/source"),
        account_id: reader.text(sent.account_id, "/accountId"),
        registered_on: reader.text(sent.registered_on, "/registered_on"),
        updated_on: reader.text(sent.updated_on, "/updated_on"),
        registered_till: reader.text(sent.registered_till, "/registered_till"),
        associated_till: reader.text(sent.associated_with, "/associated_with"),
        fraud_status: reader.fraud_status(sent.fraud_status),
        channels: reader.channels(sent.channels),
        custom_fields: reader.fields(sent.custom_fields, "/custom_fields"),
        extended_fields: reader.fields(sent.extended_fields, "/extended_fields"),
        subscriptions: reader.subscriptions(sent.subscriptions),
        referral_code: reader.text(sent.referral_code, "/referral_code"),
        card_number: reader.text(card.card_number, "/card_details/card_number"),
        card_series: reader.text(card.series_code, "/card_details/series_code"),
        kept: Kept {
            gender: reader.text(sent.gender, "/gender"),
            ndnc_status: reader.text(sent.ndnc_status, "/ndnc_status"),
            test_control_status: reader.text(sent.test_control_status, "/test_control_status"),
        },
        unknown: if strict { reader.unknown(raw) } else { Vec::new() },
        malformed: None,
    };
    submission.malformed = reader.malformed;
    submission
}

/// Reads the members of one customer and notes the first that has a wrong form.
struct Reader {
    /// Where the customer stands in the body.
    pointer: String,
    /// In which words a wrong form is told.
    format: Format,
    malformed: Option<Malformed>,
}

impl Reader {
    fn wrong(&mut self, member: &str, reason: impl fmt::Display) {
        self.malformed.get_or_insert_with(|| Malformed {
            pointer: format!("{}{member}", self.pointer),
            reason: reason.to_string(),
        });
    }

    /// A text, or a number as its digits; `None` where it is not passed.
    fn text(&mut self, raw: Raw<'_>, member: &str) -> Option<String> {
        let raw = raw?.get();
        match raw.as_bytes().first() {
            Some(b'"') => self.unescaped(raw, member),
            Some(b'[') => self.not_a_text(member, self.several()),
            Some(b'{') => self.not_a_text(member, self.members()),
            Some(b't' | b'f') => self.not_a_text(member, "a boolean"),
            _ => Some(raw.to_owned()),
        }
    }

    /// A boolean, or a text.
    fn flag(&mut self, raw: Raw<'_>, member: &str) -> Option<String> {
        match raw.map(RawValue::get) {
            Some(boolean @ ("true" | "false")) => Some(boolean.to_owned()),
            _ => self.text(raw, member),
        }
    }

    fn unescaped(&mut self, raw: &str, member: &str) -> Option<String> {
        let text = serde_json::from_str::<String>(raw);
        if text.is_err() {
            self.wrong(member, "a text with an invalid escape");
        }
        text.ok().filter(|text| !text.trim().is_empty())
    }

    const fn several(&self) -> &'static str {
        match self.format {
            Format::Json => "an array",
            Format::Xml => "several elements",
        }
    }

    const fn members(&self) -> &'static str {
        match self.format {
            Format::Json => "an object",
            Format::Xml => "elements",
        }
    }

    fn not_a_text(&mut self, member: &str, found: &str) -> Option<String> {
        self.wrong(member, format_args!("expected a text, found {found}"));
        None
    }

    /// An object; nothing, a blank text and an empty array are one without members.
    fn object<'a, T: Default + Deserialize<'a>>(&mut self, raw: Raw<'a>, member: &str) -> T {
        match raw.map(RawValue::get) {
            None => T::default(),
            Some(text) if member_is_empty(text) && !member.is_empty() => T::default(),
            Some(text) if text.starts_with('[') => {
                let (wanted, found) = (self.members(), self.several());
                self.wrong(member, format_args!("expected {wanted}, found {found}"));
                T::default()
            }
            Some(text) => serde_json::from_str(text).unwrap_or_else(|error| {
                self.wrong(member, Error::from(error).reason);
                T::default()
            }),
        }
    }

    /// The entries of an array, or the one that stands in its place; at most `MOST` of them.
    fn list<'a, const MOST: usize>(&mut self, raw: Raw<'a>, member: &str) -> Vec<&'a RawValue> {
        let Some(raw) = raw.filter(|raw| !member_is_empty(raw.get())) else {
            return Vec::new();
        };
        match serde_json::from_str::<OneOrMany<'a, MOST>>(raw.get()) {
            Ok(items) => items.kept,
            Err(error) => {
                self.wrong(member, Error::from(error).reason);
                Vec::new()
            }
        }
    }

    /// `"FRAUD"`, `{"status": "FRAUD"}` or an array of one of them.
    fn fraud_status(&mut self, raw: Raw<'_>) -> Option<String> {
        const MEMBER: &str = "/fraud_status";
        let raw = raw?;
        if raw.get().starts_with('"') {
            return self.text(Some(raw), MEMBER);
        }
        let first = self.list::<1>(Some(raw), MEMBER).first().copied()?;
        if first.get().starts_with('"') {
            return self.text(Some(first), MEMBER);
        }
        let sent: FraudStatus<'_> = self.object(Some(first), MEMBER);
        self.text(sent.status, "/fraud_status/status")
    }

    /// An entry of a wrong form is left to the rule for fields, which drops it with a warning.
    fn fields(&mut self, raw: Raw<'_>, member: &str) -> Vec<SubmittedField> {
        const MOST: usize = field::COUNT_LIMIT + 1;
        let sent: Fields<'_> = self.object(raw, member);
        let entries = self.list::<MOST>(sent.field, &format!("{member}/field"));
        entries.into_iter().map(submitted_field).collect()
    }

    fn channels(&mut self, raw: Raw<'_>) -> Vec<SubmittedChannel> {
        const MOST: usize = channel::COUNT_LIMIT + 1;
        let mut channels = Vec::new();
        for (index, raw) in self.list::<MOST>(raw, "/commChannels").iter().enumerate() {
            let member = |name: &str| format!("/commChannels/{index}{name}");
            let sent: Channel<'_> = self.object(Some(raw), &member(""));
            let meta = self.list::<1>(sent.meta, &member("/meta")).first().copied();
            let meta: Meta<'_> = self.object(meta, &member("/meta"));
            channels.push(SubmittedChannel {
                kind: self.text(sent.kind, &member("/type")),
                value: self.text(sent.value, &member("/value")),
                primary: self.flag(sent.primary, &member("/primary")),
                verified: self.flag(sent.verified, &member("/verified")),
                residence: self.flag(meta.residence, &member("/meta/residence")),
            });
        }
        channels
    }
}

impl Reader {
    fn subscriptions(&mut self, raw: Raw<'_>) -> Vec<SubmittedSubscription> {
        const MOST: usize = subscription::COUNT_LIMIT + 1;
        const MEMBER: &str = "/subscriptions";
        let sent: Subscriptions<'_> = self.object(raw, MEMBER);
        let entries = self.list::<MOST>(sent.subscription, &format!("{MEMBER}/subscription"));
        let mut subscriptions = Vec::new();
        for (index, raw) in entries.iter().enumerate() {
            let member = |name: &str| format!("{MEMBER}/subscription/{index}{name}");
            let sent: Subscription<'_> = self.object(Some(raw), &member(""));
            subscriptions.push(SubmittedSubscription {
                channel: self.text(sent.channel, &member("/channel")),
                priority: self.text(sent.priority, &member("/priority")),
                scope: self.text(sent.scope, &member("/scope")),
                is_subscribed: self.flag(sent.is_subscribed, &member("/is_subscribed")),
            });
        }
        subscriptions
    }

    /// The members of a customer that are not known.
    fn unknown(&self, raw: &RawValue) -> Vec<String> {
        let members: BTreeMap<String, &RawValue> =
            serde_json::from_str(raw.get()).unwrap_or_default();
        let unknown = members.into_keys().filter(|name| !KNOWN_MEMBERS.contains(&name.as_str()));
        // As RFC 6901 escapes a name in a pointer.
        let escaped = |name: String| name.replace('~', "~0").replace('/', "~1");
        unknown.map(|name| format!("{}/{}", self.pointer, escaped(name))).collect()
    }
}

fn submitted_field(raw: &RawValue) -> SubmittedField {
    let sent: Field<'_> = serde_json::from_str(raw.get()).unwrap_or_default();
    let unescaped = |raw: &str| serde_json::from_str::<String>(raw).ok();
    let name = sent.name.and_then(|name| unescaped(name.get())).unwrap_or_default();
    let value = match sent.value.map(RawValue::get) {
        None => SubmittedValue::NotPassed,
        Some(text) if text.starts_with('"') => match unescaped(text) {
            None => SubmittedValue::Malformed,
            Some(text) if text.trim().is_empty() => SubmittedValue::NotPassed,
            Some(text) => SubmittedValue::Text(text),
        },
        Some(object) if object.starts_with('{') => SubmittedValue::Malformed,
        // A number, a boolean, or several values of one field: the JSON itself is the value.
        Some(json) => SubmittedValue::Text(json.to_owned()),
    };
    SubmittedField { name, value }
}

fn member_is_empty(raw: &str) -> bool {
    let inside = |open, close| raw.strip_prefix(open)?.strip_suffix(close);
    inside('"', '"').or_else(|| inside('[', ']')).is_some_and(|inner| inner.trim().is_empty())
}

/// One value or an array of values, of which the first `MOST` are kept.
struct OneOrMany<'a, const MOST: usize> {
    kept: Vec<&'a RawValue>,
    count: usize,
    array: bool,
}

impl<'de: 'a, 'a, const MOST: usize> Deserialize<'de> for OneOrMany<'a, MOST> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let raw = <&RawValue>::deserialize(deserializer)?;
        match raw.get().as_bytes().first() {
            Some(b'[') => {
                let mut parser = serde_json::Deserializer::from_str(raw.get());
                parser.deserialize_seq(Entries::<MOST>).map_err(serde::de::Error::custom)
            }
            Some(b'{' | b'"') => Ok(Self { kept: vec![raw], count: 1, array: false }),
            _ => Err(serde::de::Error::custom("expected an object or an array of objects")),
        }
    }
}

struct Entries<const MOST: usize>;

impl<'de, const MOST: usize> Visitor<'de> for Entries<MOST> {
    type Value = OneOrMany<'de, MOST>;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("an array")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut entries: A) -> Result<Self::Value, A::Error> {
        let mut kept = Vec::new();
        let mut count: usize = 0;
        while kept.len() < MOST
            && let Some(entry) = entries.next_element()?
        {
            kept.push(entry);
            count = count.saturating_add(1);
        }
        while entries.next_element::<IgnoredAny>()?.is_some() {
            count = count.saturating_add(1);
        }
        Ok(OneOrMany { kept, count, array: true })
    }
}
