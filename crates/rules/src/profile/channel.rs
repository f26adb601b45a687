//! `commChannels`: "The medium through which a customer can receive messages or notifications
//! from the brand." Optional, since the specification's own second request has none.
//!
//! "The mode of communication" is limited by the customer's source, as the documented table of sources
//! has it; a source that the table has no channels for takes every type. A mobile number and an email
//! address are validated as such. A channel that is not valid is dropped with a 91003 that names
//! it and says what would be right, and so is a flag that is neither true nor false. A channel that
//! is sent twice is one channel, and of several primary ones of a type the last remains so; a 91003
//! says so. What is not passed of a channel that is known leaves what was known.
//!
//! Where no channels are passed, they follow from the identifiers that the customer gains; and
//! whenever an identifier is replaced, so is it as a channel.

use std::borrow::Cow;
use std::ops::Not;

use serde::{Deserialize, Serialize};

use super::{Source, flag, listed, same_word, short};
use crate::codes::{self, Warning};
use crate::identifier::{Email, Identifiers, Mobile, mobile};
use crate::submission::{ChannelMember, Member, SubmittedChannel};
use crate::trace::Trace;

/// The most channels that a customer can have.
pub const COUNT_LIMIT: usize = 20;
/// The longest type, in characters.
const KIND_LIMIT: usize = 50;
/// The longest value, in characters.
const VALUE_LIMIT: usize = 255;
/// The longest text of a date, in characters.
const DATE_LIMIT: usize = 50;

const MOBILE: &str = "mobile";
const EMAIL: &str = "email";
const MOBILE_PUSH: &str = "mobilepush";

/// Every type of channel.
const KINDS: [&str; 11] = [
    MOBILE,
    EMAIL,
    "cardnumber",
    "wechat",
    "ios",
    "android",
    MOBILE_PUSH,
    "line",
    "whatsapp",
    "postmail",
    "viber",
];

/// Other words for a type: "Values allowed are SMS, email, mobile push notifications, …".
const ALIASES: [(&str, &str); 4] = [
    ("sms", MOBILE),
    ("mobile push notifications", MOBILE_PUSH),
    ("mobile push notification", MOBILE_PUSH),
    ("push", MOBILE_PUSH),
];

/// The types that each source has. A push to a mobile goes wherever Android or iOS does, and the
/// specification's card number belongs to the point of sale.
const BY_SOURCE: [(&str, &[&str]); 20] = [
    ("FACEBOOK", &[EMAIL, MOBILE]),
    ("WEB_ENGAGE", &["android", EMAIL, "ios", MOBILE, MOBILE_PUSH]),
    ("WECHAT", &[EMAIL, MOBILE, "wechat"]),
    ("INSTORE", &[EMAIL, MOBILE, "postmail", "whatsapp", "cardnumber"]),
    ("MARTJACK", &[EMAIL, "whatsapp"]),
    ("TMALL", &[MOBILE]),
    ("TAOBAO", &[EMAIL]),
    ("JD", &[EMAIL]),
    ("ECOMMERCE", &[EMAIL, MOBILE, "whatsapp"]),
    ("WEBSITE", &["android", EMAIL, "ios", MOBILE, MOBILE_PUSH, "wechat", "whatsapp"]),
    ("LINE", &[EMAIL, "line"]),
    ("XIAOHONGSHU", &[MOBILE]),
    ("GLOBAL_SCANNER", &[EMAIL]),
    ("SUNING", &[EMAIL, MOBILE]),
    ("PINDUODUO", &[EMAIL, MOBILE]),
    ("KAOLA", &[EMAIL]),
    ("MOBILE_APP", &["android", "ios", MOBILE_PUSH, "whatsapp"]),
    ("WHATSAPP", &["whatsapp"]),
    ("VIBER", &["viber"]),
    ("MPUSH_FCM", &["android", "ios", MOBILE_PUSH]),
];

/// One way to reach a customer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Channel {
    /// The mode of communication, in lower case: `mobile`, `email`, …
    pub kind: String,
    /// The number, address or token.
    pub value: String,
    /// Whether this is the contact to prefer.
    #[serde(default, skip_serializing_if = "Not::not")]
    pub primary: bool,
    /// Whether the customer proved to own it.
    #[serde(default, skip_serializing_if = "Not::not")]
    pub verified: bool,
    /// What else is known of it.
    #[serde(flatten)]
    pub meta: Meta,
}

/// "Contains meta information of the customer."
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Meta {
    /// Whether it reaches the customer at home.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub residence: Option<bool>,
    /// Whether it reaches the customer at work.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub office: Option<bool>,
    /// When the customer last looked at it, as it was sent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_viewed: Option<String>,
}

/// A channel that was passed and is valid by itself. `None` is "not passed".
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Passed {
    /// Its place among those that were sent.
    pub index: usize,
    /// The mode of communication.
    pub kind: &'static str,
    /// The number, address or token.
    pub value: String,
    /// Whether this is the contact to prefer.
    pub primary: Option<bool>,
    /// Whether the customer proved to own it.
    pub verified: Option<bool>,
    /// What else was passed of it.
    pub meta: Meta,
}

/// Returns the channels that are valid by themselves; the others are dropped, each with a 91003
/// that says why, unless `warnings` has one for the same member.
pub fn read(
    submitted: &[SubmittedChannel],
    rules: &mobile::Rules,
    trace: &mut Trace,
    warnings: &mut Vec<Warning>,
) -> Vec<Passed> {
    let mut taken = Vec::with_capacity(submitted.len());
    for sent in submitted {
        let mut dropped = |member, reason: Cow<'static, str>| {
            let warning = dropped(sent.index, Some(member), reason);
            if !warnings.iter().any(|known| known.member == warning.member) {
                warnings.push(warning);
            }
        };
        match kind_and_value(sent, rules, trace) {
            Ok((kind, value)) => taken.push(described(sent, kind, value, &mut dropped)),
            Err((member, reason)) => dropped(member, reason),
        }
    }
    taken
}

/// A channel with its flags and its date; `dropped` hears of those that are not valid.
fn described(
    sent: &SubmittedChannel,
    kind: &'static str,
    value: String,
    dropped: &mut impl FnMut(ChannelMember, Cow<'static, str>),
) -> Passed {
    let mut read_flag = |text: &Option<String>, member: ChannelMember| {
        let read = text.as_deref().map(flag)?;
        if read.is_none() {
            dropped(member, "expected true, false, 1 or 0".into());
        }
        read
    };
    let primary = read_flag(&sent.primary, ChannelMember::Primary);
    let verified = read_flag(&sent.verified, ChannelMember::Verified);
    let residence = read_flag(&sent.residence, ChannelMember::Residence);
    let office = read_flag(&sent.office, ChannelMember::Office);
    let last_viewed = sent.last_viewed.as_deref().and_then(|text| {
        let kept = short(text, DATE_LIMIT).map(str::to_owned);
        if kept.is_none() {
            dropped(ChannelMember::LastViewed, limited_to(DATE_LIMIT));
        }
        kept
    });
    let meta = Meta { residence, office, last_viewed };
    Passed { index: sent.index, kind, value, primary, verified, meta }
}

fn dropped(
    index: usize,
    member: Option<ChannelMember>,
    reason: impl Into<Cow<'static, str>>,
) -> Warning {
    Warning::from(codes::VALIDATION_FAILED).at(Member::Channel(index, member)).because(reason)
}

fn limited_to(most: usize) -> Cow<'static, str> {
    format!("expected at most {most} characters and no control characters").into()
}

/// Lets channels follow from identifiers, as far as the source has them: one that is replaced is
/// replaced as a channel, where it was one; one that is gained becomes a channel, where that is
/// wanted and there is room.
pub fn follow(
    held: &mut Vec<Channel>,
    before: &Identifiers,
    after: &Identifiers,
    source: &Source,
    gained: bool,
) {
    for (kind, old, new) in [
        (
            MOBILE,
            before.mobile.as_ref().map(Mobile::digits),
            after.mobile.as_ref().map(Mobile::digits),
        ),
        (EMAIL, before.email.as_ref().map(Email::as_str), after.email.as_ref().map(Email::as_str)),
    ] {
        let Some(new) = new.filter(|new| Some(*new) != old) else { continue };
        match old.and_then(|old| place(held, kind, old)) {
            Some(at) => replace(held, at, new),
            None if old.is_none() && gained && allowed(source, kind) => gain(held, kind, new),
            None => {}
        }
    }
}

/// The new value takes the place of the old one, unproved; the old one goes where the new one is a
/// channel already.
fn replace(held: &mut Vec<Channel>, at: usize, value: &str) {
    let old = held.remove(at);
    if let Some(known) = place(held, &old.kind, value).and_then(|place| held.get_mut(place)) {
        known.primary |= old.primary;
        return;
    }
    held.insert(at, Channel { value: value.to_owned(), verified: false, ..old });
}

fn gain(held: &mut Vec<Channel>, kind: &str, value: &str) {
    if held.len() >= COUNT_LIMIT || place(held, kind, value).is_some() {
        return;
    }
    let primary = !held.iter().any(|channel| channel.kind == kind && channel.primary);
    held.push(Channel {
        kind: kind.to_owned(),
        value: value.to_owned(),
        primary,
        verified: false,
        meta: Meta::default(),
    });
}

/// Brings the channels that were passed to those that a customer of this source has. Of several
/// primary ones of a type the last remains so. One that the source has not, and one that finds no
/// room, is dropped. Each has a 91003, and so has one that is passed twice.
#[must_use]
pub fn bring(held: &mut Vec<Channel>, passed: Vec<Passed>, source: &Source) -> Vec<Warning> {
    let mut warnings = Vec::new();
    let mut brought: Vec<Passed> = Vec::with_capacity(passed.len());
    for channel in passed {
        let place = place(held, channel.kind, &channel.value);
        if !allowed(source, channel.kind) {
            let reason = not_of_source(source);
            warnings.push(dropped(channel.index, Some(ChannelMember::Kind), reason));
            continue;
        }
        if place.is_none() && held.len() >= COUNT_LIMIT {
            let reason = format!("a customer has at most {COUNT_LIMIT} channels");
            warnings.push(dropped(channel.index, None, reason));
            continue;
        }
        warnings.extend(repeats(&brought, &channel));
        if channel.primary == Some(true) {
            let rivals = held.iter_mut().filter(|other| other.kind == channel.kind);
            rivals.for_each(|other| other.primary = false);
        }
        match place.and_then(|place| held.get_mut(place)) {
            Some(known) => known.update(channel.clone()),
            None => held.push(channel.clone().into()),
        }
        brought.push(channel);
    }
    warnings
}

/// Warns of a channel that an earlier entry of the same request has too, and of an earlier one that
/// is no longer the primary one.
fn repeats(earlier: &[Passed], channel: &Passed) -> Option<Warning> {
    let mut of_kind = earlier.iter().rev().filter(|other| other.kind == channel.kind);
    if of_kind.clone().any(|other| same(channel.kind, &other.value, &channel.value)) {
        let reason = "repeats an earlier entry: both are stored as one channel";
        return Some(dropped(channel.index, None, reason));
    }
    channel.primary.filter(|primary| *primary)?;
    let rival = of_kind.find(|other| other.primary == Some(true))?;
    let reason = format!(
        "expected one primary channel of type {}: the last of several stays primary",
        channel.kind
    );
    Some(dropped(rival.index, Some(ChannelMember::Primary), reason))
}

/// Where a channel stands that reaches this place.
fn place(held: &[Channel], kind: &str, value: &str) -> Option<usize> {
    held.iter().position(|channel| channel.kind == kind && same(kind, &channel.value, value))
}

/// Whether two values of a type are one; addresses of electronic mail have no case.
fn same(kind: &str, one: &str, other: &str) -> bool {
    if kind == EMAIL { one.eq_ignore_ascii_case(other) } else { one == other }
}

impl Channel {
    /// Whether this reaches the same place.
    #[must_use]
    pub fn is(&self, other: &Self) -> bool {
        place(std::slice::from_ref(self), &other.kind, &other.value).is_some()
    }

    fn update(&mut self, passed: Passed) {
        let Passed { value, primary, verified, meta, .. } = passed;
        let Meta { residence, office, last_viewed } = meta;
        self.value = value;
        self.primary = primary.unwrap_or(self.primary);
        self.verified = verified.unwrap_or(self.verified);
        self.meta.residence = residence.or(self.meta.residence);
        self.meta.office = office.or(self.meta.office);
        self.meta.last_viewed = last_viewed.or(self.meta.last_viewed.take());
    }
}

impl From<Passed> for Channel {
    fn from(passed: Passed) -> Self {
        let Passed { kind, value, primary, verified, meta, .. } = passed;
        Self {
            kind: kind.to_owned(),
            value,
            primary: primary == Some(true),
            verified: verified == Some(true),
            meta,
        }
    }
}

/// The type and the value, or the member that is wrong and what would be right.
fn kind_and_value(
    sent: &SubmittedChannel,
    rules: &mobile::Rules,
    trace: &mut Trace,
) -> Result<(&'static str, String), (ChannelMember, Cow<'static, str>)> {
    let listed = || format!("expected one of {}", KINDS.join(", ")).into();
    let kind = sent.kind.as_deref().and_then(kind);
    let kind = kind.ok_or_else(|| (ChannelMember::Kind, listed()))?;
    let value = sent.value.as_deref().ok_or(Cow::Borrowed("expected a value"));
    let value = value.and_then(|value| canonical(kind, value, rules, trace));
    value.map(|value| (kind, value)).map_err(|reason| (ChannelMember::Value, reason))
}

/// The value as it is compared, or what would be right; why a mobile number is refused is traced.
fn canonical(
    kind: &str,
    value: &str,
    rules: &mobile::Rules,
    trace: &mut Trace,
) -> Result<String, Cow<'static, str>> {
    let value = short(value, VALUE_LIMIT).ok_or_else(|| limited_to(VALUE_LIMIT))?;
    match kind {
        MOBILE => {
            let (step, mobile) = Mobile::read(value, rules);
            let refused = |_| {
                trace.add(step);
                step.sentence()
            };
            mobile.map(|mobile| mobile.digits().to_owned()).map_err(refused)
        }
        EMAIL => {
            let email = Email::parse(value).map(|email| email.as_str().to_owned());
            email.map_err(|_| "expected an email address such as name@example.com".into())
        }
        _ => Ok(value.to_owned()),
    }
}

/// The type, without regard to case, blanks, hyphens and underscores.
fn kind(sent: &str) -> Option<&'static str> {
    let sent = short(sent, KIND_LIMIT)?;
    let alias = ALIASES.into_iter().find(|(alias, _)| same_word(alias, sent));
    alias.map(|(_, kind)| kind).or_else(|| listed(sent, &KINDS))
}

fn allowed(source: &Source, kind: &str) -> bool {
    kinds_of(source).is_none_or(|kinds| kinds.contains(&kind))
}

/// The types that a source is limited to.
fn kinds_of(source: &Source) -> Option<&'static [&'static str]> {
    BY_SOURCE.iter().find(|(name, _)| *name == source.name()).map(|(_, kinds)| *kinds)
}

fn not_of_source(source: &Source) -> String {
    let kinds = kinds_of(source).unwrap_or(&KINDS).join(", ");
    format!("no type of customers of the source {}, expected one of {kinds}", source.name())
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    fn rules() -> mobile::Rules {
        mobile::Rules { base: Some("IN".parse().unwrap()), ..mobile::Rules::default() }
    }

    fn source(name: &str) -> Source {
        Source::stored(name.to_owned())
    }

    fn sent(kind: &str, value: &str) -> SubmittedChannel {
        let passed = |text: &str| (!text.is_empty()).then(|| text.to_owned());
        SubmittedChannel { kind: passed(kind), value: passed(value), ..Default::default() }
    }

    fn channel(kind: &str, value: &str, primary: bool) -> Channel {
        Channel {
            kind: kind.to_owned(),
            value: value.to_owned(),
            primary,
            verified: false,
            meta: Meta::default(),
        }
    }

    fn passed(kind: &'static str, value: &str, primary: Option<bool>) -> Passed {
        let meta = Meta::default();
        Passed { index: 0, kind, value: value.to_owned(), primary, verified: None, meta }
    }

    fn at(index: usize, member: ChannelMember) -> Member {
        Member::Channel(index, Some(member))
    }

    /// What becomes of channels that are passed for a customer of this source without any, with the
    /// members of the warnings.
    fn taken(sent: &[SubmittedChannel], from: &str) -> (Vec<Channel>, Vec<Member>) {
        let (held, warnings) = warned(sent, from);
        (held, warnings.into_iter().filter_map(|warning| warning.member).collect())
    }

    fn warned(sent: &[SubmittedChannel], from: &str) -> (Vec<Channel>, Vec<Warning>) {
        let (mut held, mut warnings) = (Vec::new(), Vec::new());
        let passed = read(sent, &rules(), &mut Trace::default(), &mut warnings);
        warnings.extend(bring(&mut held, passed, &source(from)));
        (held, warnings)
    }

    fn flagged(kind: &str, value: &str, primary: &str) -> SubmittedChannel {
        SubmittedChannel { primary: Some(primary.to_owned()), ..sent(kind, value) }
    }

    const EVERY_KIND: &str = "expected one of mobile, email, cardnumber, wechat, ios, android, \
        mobilepush, line, whatsapp, postmail, viber";

    #[rstest]
    #[case::unknown_type(&[sent("pigeon", "coop 7")], at(0, ChannelMember::Kind), EVERY_KIND)]
    #[case::no_type(&[sent("", "coop 7")], at(0, ChannelMember::Kind), EVERY_KIND)]
    #[case::of_another_source(
        &[sent("wechat", "openid")],
        at(0, ChannelMember::Kind),
        "no type of customers of the source INSTORE, expected one of email, mobile, postmail, \
         whatsapp, cardnumber"
    )]
    #[case::no_value(&[sent("mobile", "")], at(0, ChannelMember::Value), "expected a value")]
    #[case::number(
        &[sent("mobile", "98765x")],
        at(0, ChannelMember::Value),
        "'x' cannot stand in a mobile number; digits, a leading + and separators can"
    )]
    #[case::address(
        &[sent("email", "asha")],
        at(0, ChannelMember::Value),
        "expected an email address such as name@example.com"
    )]
    #[case::control_character(
        &[sent("postmail", "a\u{7}b")],
        at(0, ChannelMember::Value),
        "expected at most 255 characters and no control characters"
    )]
    #[case::flag(
        &[flagged("email", "a@b.in", "perhaps")],
        at(0, ChannelMember::Primary),
        "expected true, false, 1 or 0"
    )]
    #[case::repeated(
        &[flagged("email", "a@b.in", "1"), flagged("email", "A@b.in", "1")],
        Member::Channel(1, None),
        "repeats an earlier entry: both are stored as one channel"
    )]
    #[case::two_primary(
        &[flagged("email", "a@b.in", "1"), sent("email", "b@b.in"), flagged("email", "c@b.in", "1")],
        at(0, ChannelMember::Primary),
        "expected one primary channel of type email: the last of several stays primary"
    )]
    fn a_warning_says_what_would_be_right(
        #[case] sent: &[SubmittedChannel],
        #[case] member: Member,
        #[case] reason: &str,
    ) {
        let mut sent = sent.to_vec();
        sent.iter_mut().enumerate().for_each(|(index, channel)| channel.index = index);
        let expected = Warning::from(codes::VALIDATION_FAILED).at(member);
        assert_eq!(warned(&sent, "INSTORE").1, [expected.because(reason.to_owned())]);
    }

    #[rstest]
    #[case("INSTORE", "mobile", "9876543210", Ok(("mobile", "919876543210")))]
    #[case("INSTORE", "SMS", "+91 98765 43210", Ok(("mobile", "919876543210")))]
    #[case("INSTORE", "Mobile", "12345", Err(ChannelMember::Value))]
    #[case("INSTORE", "email", " Asha@Example.com ", Ok(("email", "Asha@Example.com")))]
    #[case("INSTORE", "email", "asha", Err(ChannelMember::Value))]
    #[case("INSTORE", "card number", "4711", Ok(("cardnumber", "4711")))]
    #[case("INSTORE", "cardnumber", "4711", Ok(("cardnumber", "4711")))]
    #[case("INSTORE", "card_number", "4711", Ok(("cardnumber", "4711")))]
    #[case("INSTORE", "Card-Number", "4711", Ok(("cardnumber", "4711")))]
    #[case("MOBILE_APP", "mobile push notifications", "token", Ok(("mobilepush", "token")))]
    #[case("MOBILE_APP", "Mobile_Push-Notifications", "token", Ok(("mobilepush", "token")))]
    #[case("INSTORE", "mobile push notifications", "token", Err(ChannelMember::Kind))]
    #[case("JD", "cardnumber", "4711", Err(ChannelMember::Kind))]
    #[case("INSTORE", "whatsapp", "919876543210", Ok(("whatsapp", "919876543210")))]
    #[case("INSTORE", "wechat", "openid", Err(ChannelMember::Kind))]
    #[case("WECHAT", "WeChat", "openid", Ok(("wechat", "openid")))]
    #[case("JD", "mobile", "9876543210", Err(ChannelMember::Kind))]
    #[case("MOBILE_APP", "mobilePush", "token", Ok(("mobilepush", "token")))]
    #[case("MOBILE_APP", "email", "a@b.in", Err(ChannelMember::Kind))]
    #[case("LINE", "line", "U1", Ok(("line", "U1")))]
    #[case("VIBER", "viber", "v", Ok(("viber", "v")))]
    #[case("KIOSK", "wechat", "openid", Ok(("wechat", "openid")))]
    #[case("LINKEDIN", "email", "a@b.in", Ok(("email", "a@b.in")))]
    #[case("INSTORE", "pigeon", "coop 7", Err(ChannelMember::Kind))]
    #[case("INSTORE", "postmail", "a\u{7}b", Err(ChannelMember::Value))]
    #[case("INSTORE", "", "919876543210", Err(ChannelMember::Kind))]
    #[case("INSTORE", "mobile", "", Err(ChannelMember::Value))]
    fn channels(
        #[case] from: &str,
        #[case] kind: &str,
        #[case] value: &str,
        #[case] expected: Result<(&str, &str), ChannelMember>,
    ) {
        let (held, warnings) = taken(&[sent(kind, value)], from);
        let (wanted, dropped) = match expected {
            Ok((kind, value)) => (vec![channel(kind, value, false)], vec![]),
            Err(member) => (vec![], vec![at(0, member)]),
        };
        assert_eq!((held, warnings), (wanted, dropped));
    }

    #[test]
    fn values_and_dates_have_limits() {
        let value = |length| sent("postmail", &"x".repeat(length));
        let viewed = |length| SubmittedChannel {
            last_viewed: Some("x".repeat(length)),
            ..sent("postmail", &length.to_string())
        };
        let mut sent = [value(255), value(256), viewed(50), viewed(51)];
        sent.iter_mut().enumerate().for_each(|(index, channel)| channel.index = index);
        let (held, warnings) = taken(&sent, "INSTORE");
        assert_eq!(held.len(), 3);
        assert_eq!(held[1].meta.last_viewed.as_deref(), Some("x".repeat(50).as_str()));
        assert_eq!(warnings, [at(1, ChannelMember::Value), at(3, ChannelMember::LastViewed)]);
    }

    #[rstest]
    #[case("true", Some(true))]
    #[case("TRUE", Some(true))]
    #[case(" 1 ", Some(true))]
    #[case("False", Some(false))]
    #[case("0", Some(false))]
    #[case("yes", None)]
    #[case("2", None)]
    fn flags(#[case] text: &str, #[case] expected: Option<bool>) {
        let flag = Some(text.to_owned());
        let submitted = SubmittedChannel {
            primary: flag.clone(),
            verified: flag.clone(),
            residence: flag.clone(),
            office: flag,
            ..sent("mobile", "9876543210")
        };
        let (held, warnings) = taken(&[submitted], "INSTORE");
        let is = expected == Some(true);
        assert_eq!((held[0].primary, held[0].verified), (is, is));
        assert_eq!((held[0].meta.residence, held[0].meta.office), (expected, expected));
        let all = [
            ChannelMember::Primary,
            ChannelMember::Verified,
            ChannelMember::Residence,
            ChannelMember::Office,
        ]
        .map(|member| at(0, member));
        assert_eq!(warnings, if expected.is_none() { all.to_vec() } else { Vec::new() });
    }

    #[test]
    fn what_is_not_passed_of_a_known_channel_stays() {
        let whole = Channel {
            primary: true,
            verified: true,
            meta: Meta {
                residence: Some(true),
                office: Some(false),
                last_viewed: Some("2025-01-01".to_owned()),
            },
            ..channel("email", "a@b.in", true)
        };
        let mut held = vec![whole.clone()];
        drop(bring(&mut held, vec![passed("email", "A@b.in", None)], &Source::default()));
        assert_eq!(held, [Channel { value: "A@b.in".to_owned(), ..whole.clone() }]);
        let further = Passed {
            verified: Some(false),
            meta: Meta { office: Some(true), ..Meta::default() },
            ..passed("email", "a@b.in", Some(false))
        };
        drop(bring(&mut held, vec![further], &Source::default()));
        let meta = Meta { office: Some(true), ..whole.meta.clone() };
        assert_eq!(held, [Channel { primary: false, verified: false, meta, ..whole }]);
    }

    fn identifiers(mobile: Option<&str>, email: Option<&str>) -> Identifiers {
        Identifiers {
            mobile: mobile.map(|digits| Mobile::stored(digits.to_owned(), None)),
            email: email.map(|address| Email::stored(address.to_owned())),
            external_id: None,
        }
    }

    #[rstest]
    //    source        before                   after                           held before, held after
    #[case("INSTORE", (None, None), (Some("1"), Some("A@b.in")), &[], &["mobile 1 primary", "email A@b.in primary"])]
    #[case("INSTORE", (None, None), (Some("1"), None), &[], &["mobile 1 primary"])]
    #[case("INSTORE", (None, None), (None, None), &[], &[])]
    #[case("JD", (None, None), (Some("1"), Some("a@b.in")), &[], &["email a@b.in primary"])]
    #[case("MOBILE_APP", (None, None), (Some("1"), Some("a@b.in")), &[], &[])]
    #[case("INSTORE", (Some("1"), None), (Some("1"), Some("a@b.in")), &["mobile 1 primary"], &["mobile 1 primary", "email a@b.in primary"])]
    #[case("INSTORE", (Some("1"), None), (Some("1"), Some("a@b.in")), &["email c@b.in primary"], &["email c@b.in primary", "email a@b.in"])]
    #[case("INSTORE", (Some("1"), None), (Some("1"), Some("a@b.in")), &["email A@B.in"], &["email A@B.in"])]
    #[case("INSTORE", (Some("1"), None), (Some("2"), None), &["email a@b.in", "mobile 1 primary"], &["email a@b.in", "mobile 2 primary"])]
    #[case("INSTORE", (Some("1"), None), (Some("2"), None), &["mobile 1 primary", "mobile 2"], &["mobile 2 primary"])]
    #[case("INSTORE", (Some("1"), None), (Some("2"), None), &["mobile 3"], &["mobile 3"])]
    #[case("INSTORE", (Some("1"), None), (Some("1"), None), &[], &[])]
    fn channels_follow_from_identifiers(
        #[case] from: &str,
        #[case] before: (Option<&str>, Option<&str>),
        #[case] after: (Option<&str>, Option<&str>),
        #[case] held: &[&str],
        #[case] expected: &[&str],
    ) {
        let read = |text: &&str| {
            let mut words = text.split(' ');
            channel(words.next().unwrap(), words.next().unwrap(), words.next().is_some())
        };
        let mut held: Vec<Channel> = held.iter().map(read).collect();
        let expected: Vec<Channel> = expected.iter().map(read).collect();
        let (before, after) = (identifiers(before.0, before.1), identifiers(after.0, after.1));
        follow(&mut held, &before, &after, &source(from), true);
        assert_eq!(held, expected);
    }

    #[test]
    fn where_channels_are_passed_only_what_is_replaced_follows() {
        let mut held = vec![Channel { verified: true, ..channel("mobile", "1", true) }];
        let (before, after) =
            (identifiers(Some("1"), None), identifiers(Some("2"), Some("a@b.in")));
        follow(&mut held, &before, &after, &Source::default(), false);
        assert_eq!(held, [channel("mobile", "2", true)]);
    }

    #[test]
    fn one_of_a_type_is_primary_and_it_is_the_last() {
        let mut held = vec![channel("mobile", "1", true), channel("email", "a@b.in", true)];
        let further = vec![
            passed("mobile", "2", Some(true)),
            passed("mobile", "3", Some(true)),
            passed("mobile", "4", None),
            passed("email", "A@B.in", Some(false)),
        ];
        assert_eq!(bring(&mut held, further, &Source::default()).len(), 1);
        let expected = [
            channel("mobile", "1", false),
            channel("email", "A@B.in", false),
            channel("mobile", "2", false),
            channel("mobile", "3", true),
            channel("mobile", "4", false),
        ];
        assert_eq!(held, expected);
    }

    #[test]
    fn what_finds_no_room_changes_nothing() {
        let mut held = vec![channel("mobile", "0", true)];
        held.extend((1..COUNT_LIMIT).map(|n| channel("mobile", &n.to_string(), false)));
        let before = held.clone();
        let further = Passed { index: 3, ..passed("mobile", "x", Some(true)) };
        let no_room = dropped(3, None, "a customer has at most 20 channels");
        assert_eq!(bring(&mut held, vec![further], &Source::default()), [no_room]);
        follow(
            &mut held,
            &identifiers(None, None),
            &identifiers(Some("x"), None),
            &Source::default(),
            true,
        );
        assert_eq!(held, before);
        assert_eq!(
            bring(&mut held, vec![passed("mobile", "1", Some(true))], &Source::default()),
            []
        );
        assert!(held[1].primary && !held[0].primary);
    }
}
