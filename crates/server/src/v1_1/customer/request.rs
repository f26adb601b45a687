//! Reading `{"root": {"customer": […]}}`.
//!
//! The body must be JSON with `root.customer`, one customer or an array of them; otherwise the
//! whole request fails at a line and a column. From there on each customer is read alone: one whose
//! members have a wrong form fails without its neighbours.
//!
//! Texts may come as numbers, without loss of digits: a whole number is one text however it is
//! written. Texts are read in their one form ([`patron_rules::text`]). Null, texts without a visible
//! character, and lists and objects without content are "not passed"; a list of one may come as that
//! one. A member of a wrong form is noted and not passed: the rules decide whether it fails the
//! customer. So are unknown members.

use std::fmt;
use std::marker::PhantomData;

use patron_rules::identifier::IdentifierKind;
use patron_rules::profile::{channel, field, subscription};
use patron_rules::settings::BATCH_LIMIT_MOST;
use patron_rules::submission::{
    ChannelMember, Kept, Malformed, Member, Submission, SubmittedChannel, SubmittedField,
    SubmittedSubscription, SubmittedValue, UnknownMembers,
};
use patron_rules::text::{self, DIGITS_LIMIT, Number};
use serde::de::{DeserializeSeed, Error as _, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};
use serde_ignored::Path;
use serde_json::value::RawValue;

use super::decoded::{DEPTH_LIMIT, Error};
use super::members::{
    Body, CardDetails, Channel, Customer, Field, Fields, FraudStatus, Meta, Raw, Root,
    Subscription, Subscriptions,
};
use super::place::{Lone, Place, entry, in_pointer};
use crate::v1_1::format::Format;

impl From<serde_json::Error> for Error {
    fn from(error: serde_json::Error) -> Self {
        let (line, column) = (error.line(), error.column());
        let text = error.to_string();
        let place = format!(" at line {line} column {column}");
        Self { reason: text.strip_suffix(&place).unwrap_or(&text).to_owned(), line, column }
    }
}

/// The customers of a body, each still to be read.
pub struct Batch<'a> {
    /// How many there are; of more than any organisation allows, only as many are kept.
    pub count: usize,
    /// The first member beside the customers that is not known, as a JSON pointer.
    pub unknown: Option<String>,
    items: Vec<&'a RawValue>,
    /// Sent as their one entry, which shows in the pointers to their members.
    lone: bool,
}

/// Reads a body as far as its customers.
///
/// # Errors
/// What cannot be read, and where.
pub fn decode(text: &str) -> Result<Batch<'_>, Error> {
    let body = text.as_bytes();
    if let Some(offset) = too_deep(body) {
        return Err(Error::at("nested too deep (32 levels are allowed)", body, offset));
    }
    let text = text.trim_start_matches('\u{feff}');
    if let Some(batch) = in_one_pass(text) {
        return Ok(batch);
    }
    let whole: &RawValue = serde_json::from_str(text)?;
    let wanted = "the body is no object with the member `root`";
    let (Body { root }, beside) = object(whole, wanted, body)?;
    let wanted = "root is no object with the member `customer`";
    let (Root { customer }, inside) = object(root, wanted, body)?;
    let inside = inside.map(|name| format!("root/{name}"));
    let unknown = beside.or(inside).map(|name| format!("/{name}"));
    let place = offset(customer, body);
    if !customer.get().starts_with(['{', '[']) {
        let reason = "root.customer is neither a customer nor an array of them";
        return Err(Error::at(reason, body, place));
    }
    let OneOrMany { kept, count, lone }: OneOrMany<'_, BATCH_LIMIT_MOST> =
        serde_json::from_str(customer.get())?;
    if count == 0 {
        return Err(Error::at("root.customer holds no customer", body, place));
    }
    Ok(Batch { count, unknown, items: kept, lone })
}

/// Reads a body that is an array of customers and nothing besides, as nearly all are. `None` is for
/// whoever looks closer.
fn in_one_pass(text: &str) -> Option<Batch<'_>> {
    let customers = Alone { name: "customer", value: PhantomData::<Many<'_>> };
    let mut reader = serde_json::Deserializer::from_str(text);
    let Many(read) = Alone { name: "root", value: customers }.deserialize(&mut reader).ok()?;
    reader.end().ok()?;
    let OneOrMany { kept, count, lone } = read;
    (count > 0).then_some(Batch { count, unknown: None, items: kept, lone })
}

/// An object with this member alone.
struct Alone<S> {
    name: &'static str,
    value: S,
}

impl<'de, S: DeserializeSeed<'de>> DeserializeSeed<'de> for Alone<S> {
    type Value = S::Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<S::Value, D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de, S: DeserializeSeed<'de>> Visitor<'de> for Alone<S> {
    type Value = S::Value;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "an object with the member `{}` alone", self.name)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<S::Value, A::Error> {
        let another = || A::Error::custom("another member");
        if members.next_key::<&str>()? != Some(self.name) {
            return Err(another());
        }
        let value = members.next_value_seed(self.value)?;
        if members.next_key::<IgnoredAny>()?.is_some() {
            return Err(another());
        }
        Ok(value)
    }
}

/// An array of values.
struct Many<'a>(OneOrMany<'a, BATCH_LIMIT_MOST>);

impl<'de: 'a, 'a> Deserialize<'de> for Many<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_seq(Entries).map(Self)
    }
}

/// Reads a part of the body that must be an object with certain members, and names the first other
/// one.
fn object<'a, T: Deserialize<'a>>(
    part: &'a RawValue,
    wanted: &str,
    body: &[u8],
) -> Result<(T, Option<String>), Error> {
    let place = offset(part, body);
    // A derived struct would also read an array, by position.
    if !part.get().starts_with('{') {
        return Err(Error::at(wanted, body, place));
    }
    let mut unknown = None;
    let read = with_unknown(part.get(), |name| {
        unknown.get_or_insert_with(|| in_pointer(name));
    });
    let read = read.map_err(|error| Error::at(&Error::from(error).reason, body, place))?;
    Ok((read, unknown))
}

/// Reads an object and passes on the name of each unknown member.
fn with_unknown<'a, T: Deserialize<'a>>(
    text: &'a str,
    mut add: impl FnMut(&str),
) -> serde_json::Result<T> {
    let mut reader = serde_json::Deserializer::from_str(text);
    serde_ignored::deserialize(&mut reader, |path| {
        if let Path::Map { key, .. } = path {
            add(&key);
        }
    })
}

/// Where a part of the body stands in it.
fn offset(part: &RawValue, body: &[u8]) -> usize {
    (part.get().as_ptr() as usize).saturating_sub(body.as_ptr() as usize)
}

/// Where arrays and objects nest deeper than allowed.
fn too_deep(body: &[u8]) -> Option<usize> {
    // Whoever opens so few nests no deeper.
    if body.iter().filter(|byte| matches!(byte, b'{' | b'[')).count() <= DEPTH_LIMIT {
        return None;
    }
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
    /// Reads each customer, and says where they stand; collects their unknown members on demand.
    #[must_use]
    pub fn customers(&self, collect_unknown: bool) -> Vec<(Submission, Place)> {
        let place = |index| entry("/root/customer", index, self.lone);
        let read = |(index, raw): (usize, &&RawValue)| {
            submission(raw, place(index), collect_unknown, Format::Json)
        };
        self.items.iter().enumerate().map(read).collect()
    }
}

/// Reads one customer, who came in this format and stands here in the body.
pub(super) fn submission(
    raw: &RawValue,
    customer: String,
    collect_unknown: bool,
    format: Format,
) -> (Submission, Place) {
    let mut reader = Reader {
        format,
        collect_unknown,
        place: Place { customer, lone: Lone::default() },
        malformed: Vec::new(),
        unknown: UnknownMembers::default(),
    };
    let sent: Customer<'_> = reader.object(raw, || Member::Customer).unwrap_or_default();
    let card: CardDetails<'_> =
        reader.single(sent.card_details, || Member::Read("card_details".into()));
    let identifier = Member::Identifier;
    let submission = Submission {
        client_calling_code: None,
        mobile: reader.text(sent.mobile, identifier(IdentifierKind::Mobile)),
        email: reader.text(sent.email, identifier(IdentifierKind::Email)),
        external_id: reader.text(sent.external_id, identifier(IdentifierKind::ExternalId)),
        first_name: reader.as_sent(sent.firstname, Member::FirstName),
        last_name: reader.as_sent(sent.lastname, Member::LastName),
        customer_type: reader.text(sent.customer_type, Member::CustomerType),
        source: reader.text(sent.source, Member::Source),
        account_id: reader.text(sent.account_id, Member::AccountId),
        registered_on: reader.text(sent.registered_on, Member::RegisteredOn),
        updated_on: reader.text(sent.updated_on, Member::UpdatedOn),
        registered_till: reader.text(sent.registered_till, Member::RegisteredTill),
        associated_till: reader.text(sent.associated_with, Member::AssociatedTill),
        fraud_status: reader.fraud_status(sent.fraud_status),
        channels: reader.channels(sent.channels),
        custom_fields: reader.custom_fields(sent.custom_fields),
        extended_fields: reader.extended_fields(sent.extended_fields),
        subscriptions: reader.subscriptions(sent.subscriptions),
        referral_code: reader.text(sent.referral_code, Member::ReferralCode),
        card_number: reader.text(card.card_number, Member::CardNumber),
        card_series: reader.text(card.series_code, Member::CardSeries),
        kept: Kept {
            gender: reader.text(sent.gender, Member::Gender),
            ndnc_status: reader.text(sent.ndnc_status, Member::NdncStatus),
            test_control_status: reader.text(sent.test_control_status, Member::TestControlStatus),
        },
        unknown: UnknownMembers::default(),
        malformed: Vec::new(),
    };
    let Reader { place, malformed, unknown, .. } = reader;
    (Submission { malformed, unknown, ..submission }, place)
}

/// Reads the members of one customer, and notes those that have a wrong form.
struct Reader {
    /// The format whose words describe a wrong form.
    format: Format,
    /// Whether unknown members are collected.
    collect_unknown: bool,
    place: Place,
    malformed: Vec<Malformed>,
    unknown: UnknownMembers,
}

impl Reader {
    fn wrong(&mut self, member: Member, reason: impl fmt::Display) {
        self.malformed.push(Malformed { member, reason: reason.to_string() });
    }

    /// A text in its canonical form; `None` if it is not passed.
    fn text(&mut self, raw: Raw<'_>, member: Member) -> Option<String> {
        self.as_sent(raw, member).map(canonical)
    }

    /// A text as it was sent, whose rule knows its form, or the text of a number; `None` if it is not
    /// passed.
    fn as_sent(&mut self, raw: Raw<'_>, member: Member) -> Option<String> {
        let raw = raw?;
        match raw.get().as_bytes().first() {
            Some(b'"') => self.unescaped(raw.get(), member),
            Some(b'[' | b'{' | b't' | b'f') => {
                let found = self.found(raw);
                self.wrong(member, format_args!("expected a text, found {found}"));
                None
            }
            _ => self.number(raw.get(), member),
        }
    }

    /// The text of a number; one that is not whole identifies nothing.
    fn number(&mut self, raw: &str, member: Member) -> Option<String> {
        let reason = match Number::read(raw) {
            Number::Whole(digits) => return Some(digits.into_owned()),
            _ if !is_name(&member) => return Some(raw.to_owned()),
            Number::Fraction => "expected a text or a whole number, found a fraction".to_owned(),
            Number::TooLong => format!("expected a number of at most {DIGITS_LIMIT} digits"),
        };
        self.wrong(member, reason);
        None
    }

    /// A boolean, or a text.
    fn flag(&mut self, raw: Raw<'_>, member: Member) -> Option<String> {
        match raw.map(RawValue::get) {
            Some(boolean @ ("true" | "false")) => Some(boolean.to_owned()),
            _ => self.text(raw, member),
        }
    }

    fn unescaped(&mut self, raw: &str, member: Member) -> Option<String> {
        let text = unescaped(raw);
        if text.is_none() {
            self.wrong(member, "a text with an invalid escape");
        }
        text.filter(|text| !text::is_blank(text))
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

    /// What stands in a place, in the words of the format.
    fn found(&self, raw: &RawValue) -> &'static str {
        match raw.get().as_bytes().first() {
            Some(b'"') => "a text",
            Some(b'[') => self.several(),
            Some(b'{') => self.members(),
            Some(b't' | b'f') => "a boolean",
            Some(b'n') => "null",
            _ => "a number",
        }
    }

    /// An object; `None`, and noted, if it is something else.
    fn object<'a, T: Deserialize<'a>>(
        &mut self,
        raw: &'a RawValue,
        member: impl Fn() -> Member,
    ) -> Option<T> {
        // A derived struct would also read an array, by position.
        if !raw.get().starts_with('{') {
            let (wanted, found) = (self.members(), self.found(raw));
            self.wrong(member(), format_args!("expected {wanted}, found {found}"));
            return None;
        }
        let read = if self.collect_unknown {
            let (place, unknown) = (&self.place, &mut self.unknown);
            with_unknown(raw.get(), |name| unknown.add(|| place.within(&member(), name)))
        } else {
            serde_json::from_str(raw.get())
        };
        read.map_err(|error| self.wrong(member(), Error::from(error).reason)).ok()
    }

    /// An object that may stand in an array of one.
    fn single<'a, T: Default + Deserialize<'a>>(
        &mut self,
        raw: Raw<'a>,
        member: impl Fn() -> Member,
    ) -> T {
        let one = self.one(raw, &member);
        one.and_then(|one| self.object(one, member)).unwrap_or_default()
    }

    /// A value that may stand in an array of one; the first of several.
    fn one<'a>(&mut self, raw: Raw<'a>, member: impl Fn() -> Member) -> Raw<'a> {
        let (entries, _) = self.list::<2>(raw, member());
        if entries.len() > 1 {
            self.wrong(member(), "expected one entry, found several");
        }
        passed(entries.first().copied())
    }

    /// The entries of an array, or the one that stands in its place, and whether it does; at most
    /// `MOST` of them.
    fn list<'a, const MOST: usize>(
        &mut self,
        raw: Raw<'a>,
        member: Member,
    ) -> (Vec<&'a RawValue>, bool) {
        let Some(raw) = passed(raw) else { return (Vec::new(), false) };
        match serde_json::from_str::<OneOrMany<'a, MOST>>(raw.get()) {
            Ok(OneOrMany { kept, lone, .. }) => (kept, lone),
            Err(error) => {
                self.wrong(member, Error::from(error).reason);
                (Vec::new(), false)
            }
        }
    }

    /// `"FRAUD"`, `{"status": "FRAUD"}` or an array of one of them.
    fn fraud_status(&mut self, raw: Raw<'_>) -> Option<String> {
        let member = || Member::FraudStatus;
        let one = self.one(raw, member)?;
        if one.get().starts_with('"') {
            return self.text(Some(one), member());
        }
        let sent: FraudStatus<'_> = self.object(one, member)?;
        self.text(sent.status, Member::Read("fraud_status/status".into()))
    }

    fn custom_fields(&mut self, raw: Raw<'_>) -> Vec<SubmittedField> {
        let (entries, lone) = self.field_entries(raw, "custom_fields", "custom_fields/field");
        self.place.lone.custom_fields = lone;
        self.fields(&entries, Member::CustomField)
    }

    fn extended_fields(&mut self, raw: Raw<'_>) -> Vec<SubmittedField> {
        let (entries, lone) = self.field_entries(raw, "extended_fields", "extended_fields/field");
        self.place.lone.extended_fields = lone;
        self.fields(&entries, Member::ExtendedField)
    }

    fn field_entries<'a>(
        &mut self,
        raw: Raw<'a>,
        object: &'static str,
        list: &'static str,
    ) -> (Vec<&'a RawValue>, bool) {
        const MOST: usize = field::COUNT_LIMIT + 1;
        let Some(raw) = passed(raw) else { return (Vec::new(), false) };
        let sent: Option<Fields<'_>> = self.object(raw, || Member::Read(object.into()));
        self.list::<MOST>(sent.and_then(|sent| sent.field), Member::Read(list.into()))
    }

    /// An entry of a wrong form is left to the rule for fields, which drops it with a warning.
    fn fields(
        &mut self,
        entries: &[&RawValue],
        member: fn(usize) -> Member,
    ) -> Vec<SubmittedField> {
        let mut fields = Vec::with_capacity(entries.len());
        for (index, raw) in entries.iter().enumerate() {
            let sent: Option<Field<'_>> = self.object(raw, || member(index));
            fields.push(sent.as_ref().map(submitted_field).unwrap_or_default());
        }
        fields
    }

    fn channels(&mut self, raw: Raw<'_>) -> Vec<SubmittedChannel> {
        const MOST: usize = channel::COUNT_LIMIT + 1;
        let (entries, lone) = self.list::<MOST>(raw, Member::Read("commChannels".into()));
        self.place.lone.channels = lone;
        let mut channels = Vec::with_capacity(entries.len());
        for (index, raw) in entries.iter().enumerate() {
            let sent: Option<Channel<'_>> = self.object(raw, || Member::Channel(index, None));
            channels.extend(sent.map(|sent| self.channel(&sent, index)));
        }
        channels
    }

    fn channel(&mut self, sent: &Channel<'_>, index: usize) -> SubmittedChannel {
        let part = |part| Member::Channel(index, Some(part));
        let meta: Meta<'_> = self.single(sent.meta, || part(ChannelMember::Meta));
        SubmittedChannel {
            index,
            kind: self.text(sent.kind, part(ChannelMember::Kind)),
            value: self.text(sent.value, part(ChannelMember::Value)),
            primary: self.flag(sent.primary, part(ChannelMember::Primary)),
            verified: self.flag(sent.verified, part(ChannelMember::Verified)),
            residence: self.flag(meta.residence, part(ChannelMember::Residence)),
            office: self.flag(meta.office, part(ChannelMember::Office)),
            last_viewed: self.text(meta.last_viewed, part(ChannelMember::LastViewed)),
        }
    }

    /// An entry or a member of a wrong form is left to the rule for subscriptions, which drops the
    /// entry with a warning.
    fn subscriptions(&mut self, raw: Raw<'_>) -> Vec<SubmittedSubscription> {
        const MOST: usize = subscription::COUNT_LIMIT + 1;
        let Some(raw) = passed(raw) else { return Vec::new() };
        let sent: Option<Subscriptions<'_>> =
            self.object(raw, || Member::Read("subscriptions".into()));
        let list = Member::Read("subscriptions/subscription".into());
        let (entries, lone) = self.list::<MOST>(sent.and_then(|sent| sent.subscription), list);
        self.place.lone.subscriptions = lone;
        let mut subscriptions = Vec::with_capacity(entries.len());
        for (index, raw) in entries.iter().enumerate() {
            let entry = || Member::Subscription(index, None);
            let sent: Subscription<'_> = self.object(raw, entry).unwrap_or_default();
            subscriptions.push(SubmittedSubscription {
                channel: sent.channel.and_then(whatever).map(canonical),
                priority: sent.priority.and_then(whatever).map(canonical),
                scopes: scopes(sent.scope),
                is_subscribed: sent.is_subscribed.and_then(whatever).map(canonical),
            });
        }
        subscriptions
    }
}

/// One scope, or the first two of several, which no subscription has.
fn scopes(raw: Raw<'_>) -> Vec<String> {
    let Some(raw) = raw else { return Vec::new() };
    let several = raw.get().starts_with('[').then(|| serde_json::from_str(raw.get()));
    match several {
        Some(Ok(OneOrMany::<'_, 2> { kept, .. })) => {
            kept.into_iter().filter_map(whatever).map(canonical).collect()
        }
        _ => whatever(raw).into_iter().map(canonical).collect(),
    }
}

fn submitted_field(sent: &Field<'_>) -> SubmittedField {
    let name = sent.name.and_then(|name| unescaped(name.get())).map(canonical);
    let name = name.filter(|name| !text::is_blank(name)).unwrap_or_default();
    let value = match sent.value.map(RawValue::get) {
        Some(text) if text.starts_with('"') && unescaped(text).is_none() => {
            SubmittedValue::Malformed
        }
        Some(object) if object.starts_with('{') => SubmittedValue::Malformed,
        Some(number) if is_too_long(number) => SubmittedValue::Malformed,
        // A number, a boolean, or several values of one field: the JSON itself is the value.
        _ => sent.value.and_then(whatever).map_or(SubmittedValue::NotPassed, SubmittedValue::Text),
    };
    SubmittedField { name, value }
}

/// Whether any text may be the member's value, which names a customer, a card, a code or an account. The
/// rules of other identifiers refuse what is no whole number themselves.
const fn is_name(member: &Member) -> bool {
    matches!(
        member,
        Member::Identifier(IdentifierKind::ExternalId)
            | Member::AccountId
            | Member::ReferralCode
            | Member::CardNumber
            | Member::CardSeries
    )
}

/// Whether a value is a number with more digits than are resolved.
fn is_too_long(json: &str) -> bool {
    is_number(json) && Number::read(json) == Number::TooLong
}

fn is_number(json: &str) -> bool {
    json.starts_with(|first: char| first == '-' || first.is_ascii_digit())
}

/// A text, the text of a whole number, or the JSON of anything else; `None` where it is blank.
fn whatever(raw: &RawValue) -> Option<String> {
    let json = raw.get();
    if is_number(json)
        && let Number::Whole(digits) = Number::read(json)
    {
        return Some(digits.into_owned());
    }
    let text = unescaped(json).unwrap_or_else(|| json.to_owned());
    (!text::is_blank(&text)).then_some(text)
}

/// The canonical form of a text.
fn canonical(text: String) -> String {
    if text.is_ascii() { text } else { text::canonical(&text).into_owned() }
}

fn unescaped(raw: &str) -> Option<String> {
    let inside = raw.strip_prefix('"').and_then(|rest| rest.strip_suffix('"'));
    match inside {
        // Most texts have no escape and are what stands there.
        Some(text) if !text.contains('\\') => Some(text.to_owned()),
        _ => serde_json::from_str(raw).ok(),
    }
}

/// Where a list or an object is expected, a blank text, an array without entries and an object
/// without members are not passed.
fn passed(raw: Raw<'_>) -> Raw<'_> {
    let is_empty = |raw: &RawValue| {
        let without_content = [('[', ']'), ('{', '}')].into_iter().any(|(open, close)| {
            let inside = raw.get().strip_prefix(open).and_then(|rest| rest.strip_suffix(close));
            inside.is_some_and(|inside| inside.trim().is_empty())
        });
        let text = || raw.get().starts_with('"').then(|| unescaped(raw.get()))?;
        without_content || text().is_some_and(|text| text::is_blank(&text))
    };
    raw.filter(|raw| !is_empty(raw))
}

/// One value or an array of values, of which the first `MOST` are kept.
struct OneOrMany<'a, const MOST: usize> {
    kept: Vec<&'a RawValue>,
    count: usize,
    /// It was sent as its one entry, without an array.
    lone: bool,
}

impl<'de: 'a, 'a, const MOST: usize> Deserialize<'de> for OneOrMany<'a, MOST> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let raw = <&RawValue>::deserialize(deserializer)?;
        match raw.get().as_bytes().first() {
            Some(b'[') => {
                let mut parser = serde_json::Deserializer::from_str(raw.get());
                parser.deserialize_seq(Entries::<MOST>).map_err(serde::de::Error::custom)
            }
            Some(b'{' | b'"') => Ok(Self { kept: vec![raw], count: 1, lone: true }),
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
        Ok(OneOrMany { kept, count, lone: false })
    }
}
