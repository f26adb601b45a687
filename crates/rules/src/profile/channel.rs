//! `commChannels`: "The medium through which a customer can receive messages or notifications
//! from the brand." Optional, since the specification's own second request has none.
//!
//! "The mode of communication" is limited by the source, as the documented table of sources has it;
//! a source that the table has no channels for takes every type. A mobile number and an email
//! address are validated as such. A channel that is not valid is dropped with a 91003 that names
//! it, and so is a flag that is neither true nor false. Where a new customer comes without
//! channels, they follow from the identifiers.

use std::ops::Not;

use serde::{Deserialize, Serialize};

use super::{Source, short};
use crate::codes::{self, Warning};
use crate::identifier::{Email, Identifiers, Mobile, mobile};
use crate::submission::SubmittedChannel;

/// The most channels that a customer can have.
pub const COUNT_LIMIT: usize = 20;
/// The longest type, in characters.
const KIND_LIMIT: usize = 50;
/// The longest value, in characters.
const VALUE_LIMIT: usize = 255;

const MOBILE: &str = "mobile";
const EMAIL: &str = "email";

/// Every type of channel.
const KINDS: [&str; 11] = [
    MOBILE,
    EMAIL,
    "cardnumber",
    "wechat",
    "ios",
    "android",
    "mobilepush",
    "line",
    "whatsapp",
    "postmail",
    "viber",
];

/// The types that each source has. A push to a mobile goes wherever Android or iOS does, and the
/// specification's card number belongs to the point of sale.
const BY_SOURCE: [(&str, &[&str]); 20] = [
    ("FACEBOOK", &[EMAIL, MOBILE]),
    ("WEB_ENGAGE", &["android", EMAIL, "ios", MOBILE, "mobilepush"]),
    ("WECHAT", &[EMAIL, MOBILE, "wechat"]),
    ("INSTORE", &[EMAIL, MOBILE, "postmail", "whatsapp", "cardnumber"]),
    ("MARTJACK", &[EMAIL, "whatsapp"]),
    ("TMALL", &[MOBILE]),
    ("TAOBAO", &[EMAIL]),
    ("JD", &[EMAIL]),
    ("ECOMMERCE", &[EMAIL, MOBILE, "whatsapp"]),
    ("WEBSITE", &["android", EMAIL, "ios", MOBILE, "mobilepush", "wechat", "whatsapp"]),
    ("LINE", &[EMAIL, "line"]),
    ("XIAOHONGSHU", &[MOBILE]),
    ("GLOBAL_SCANNER", &[EMAIL]),
    ("SUNING", &[EMAIL, MOBILE]),
    ("PINDUODUO", &[EMAIL, MOBILE]),
    ("KAOLA", &[EMAIL]),
    ("MOBILE_APP", &["android", "ios", "mobilepush", "whatsapp"]),
    ("WHATSAPP", &["whatsapp"]),
    ("VIBER", &["viber"]),
    ("MPUSH_FCM", &["android", "ios", "mobilepush"]),
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
    /// Whether it reaches the customer at home.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub residence: Option<bool>,
}

/// Takes the channels that are valid; the others are dropped, each with a 91003.
pub fn read(
    submitted: &[SubmittedChannel],
    source: &Source,
    rules: &mobile::Rules,
    warnings: &mut Vec<Warning>,
) -> Vec<Channel> {
    let mut taken = Vec::with_capacity(submitted.len());
    for (index, sent) in submitted.iter().enumerate() {
        let mut dropped = |member: &str| {
            let named = format!("commChannels/{index}{member}");
            warnings.push(Warning::about(codes::VALIDATION_FAILED, &named, ""));
        };
        let Some((kind, value)) = kind_and_value(sent, source, rules) else {
            dropped("");
            continue;
        };
        let mut flag = |text: &Option<String>, member: &str| {
            let read = text.as_deref().map(truth)?;
            if read.is_none() {
                dropped(member);
            }
            read
        };
        taken.push(Channel {
            kind,
            value,
            primary: flag(&sent.primary, "/primary").unwrap_or(false),
            verified: flag(&sent.verified, "/verified").unwrap_or(false),
            residence: flag(&sent.residence, "/meta/residence"),
        });
    }
    taken
}

/// The channels of a new customer who came without any: those that their identifiers are, as far
/// as the source has them.
#[must_use]
pub fn following(identifiers: &Identifiers, source: &Source) -> Vec<Channel> {
    let mobile = identifiers.mobile.as_ref().map(|mobile| (MOBILE, mobile.digits()));
    let email = identifiers.email.as_ref().map(|email| (EMAIL, email.as_str()));
    let channel = |(kind, value): (&str, &str)| Channel {
        kind: kind.to_owned(),
        value: value.to_owned(),
        primary: true,
        verified: false,
        residence: None,
    };
    let known = mobile.into_iter().chain(email);
    known.filter(|(kind, _)| allowed(source, kind)).map(channel).collect()
}

/// Brings further channels to those that a customer has: one of the same type and value is
/// replaced, and of several primary ones of a type the last remains so. Returns how many found no
/// room.
pub fn put_all(held: &mut Vec<Channel>, further: Vec<Channel>) -> usize {
    let mut left_out: usize = 0;
    for channel in further {
        let place = held.iter().position(|other| other.is(&channel)).unwrap_or(held.len());
        if place == COUNT_LIMIT {
            left_out = left_out.saturating_add(1);
            continue;
        }
        if channel.primary {
            let rivals = held.iter_mut().filter(|other| other.kind == channel.kind);
            rivals.for_each(|other| other.primary = false);
        }
        match held.get_mut(place) {
            Some(other) => *other = channel,
            None => held.push(channel),
        }
    }
    left_out
}

impl Channel {
    /// Whether this reaches the same place; addresses of electronic mail have no case.
    pub(crate) fn is(&self, other: &Self) -> bool {
        let same_value = if self.kind == EMAIL {
            self.value.eq_ignore_ascii_case(&other.value)
        } else {
            self.value == other.value
        };
        self.kind == other.kind && same_value
    }
}

fn kind_and_value(
    sent: &SubmittedChannel,
    source: &Source,
    rules: &mobile::Rules,
) -> Option<(String, String)> {
    let kind = kind(sent.kind.as_deref()?)?;
    let value = short(sent.value.as_deref()?, VALUE_LIMIT)?;
    if !allowed(source, kind) {
        return None;
    }
    let value = match kind {
        MOBILE => Mobile::parse(value, rules).ok()?.digits().to_owned(),
        EMAIL => Email::parse(value).ok()?.as_str().to_owned(),
        _ => value.to_owned(),
    };
    Some((kind.to_owned(), value))
}

/// The type, without regard to case, blanks, hyphens and underscores.
fn kind(sent: &str) -> Option<&'static str> {
    let plain = short(sent, KIND_LIMIT)?.to_lowercase().replace([' ', '-', '_'], "");
    let name = if plain == "sms" { MOBILE } else { &plain };
    KINDS.into_iter().find(|known| *known == name)
}

fn allowed(source: &Source, kind: &str) -> bool {
    let row = BY_SOURCE.iter().find(|(name, _)| *name == source.name());
    row.is_none_or(|(_, kinds)| kinds.contains(&kind))
}

fn truth(text: &str) -> Option<bool> {
    match text.trim().to_ascii_lowercase().as_str() {
        "true" | "1" => Some(true),
        "false" | "0" => Some(false),
        _ => None,
    }
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
            residence: None,
        }
    }

    #[rstest]
    #[case("INSTORE", "mobile", "9876543210", Some(("mobile", "919876543210")))]
    #[case("INSTORE", "SMS", "+91 98765 43210", Some(("mobile", "919876543210")))]
    #[case("INSTORE", "Mobile", "12345", None)]
    #[case("INSTORE", "email", " Asha@Example.com ", Some(("email", "Asha@Example.com")))]
    #[case("INSTORE", "email", "asha", None)]
    #[case("INSTORE", "card number", "4711", Some(("cardnumber", "4711")))]
    #[case("INSTORE", "cardnumber", "4711", Some(("cardnumber", "4711")))]
    #[case("INSTORE", "card_number", "4711", Some(("cardnumber", "4711")))]
    #[case("JD", "cardnumber", "4711", None)]
    #[case("INSTORE", "whatsapp", "919876543210", Some(("whatsapp", "919876543210")))]
    #[case("INSTORE", "wechat", "openid", None)]
    #[case("WECHAT", "WeChat", "openid", Some(("wechat", "openid")))]
    #[case("JD", "mobile", "9876543210", None)]
    #[case("MOBILE_APP", "mobilePush", "token", Some(("mobilepush", "token")))]
    #[case("MOBILE_APP", "email", "a@b.in", None)]
    #[case("LINE", "line", "U1", Some(("line", "U1")))]
    #[case("VIBER", "viber", "v", Some(("viber", "v")))]
    #[case("KIOSK", "wechat", "openid", Some(("wechat", "openid")))]
    #[case("LINKEDIN", "email", "a@b.in", Some(("email", "a@b.in")))]
    #[case("INSTORE", "pigeon", "coop 7", None)]
    #[case("INSTORE", "postmail", "a\u{7}b", None)]
    #[case("INSTORE", "", "919876543210", None)]
    #[case("INSTORE", "mobile", "", None)]
    fn channels(
        #[case] from: &str,
        #[case] kind: &str,
        #[case] value: &str,
        #[case] expected: Option<(&str, &str)>,
    ) {
        let mut warnings = Vec::new();
        let taken = read(&[sent(kind, value)], &source(from), &rules(), &mut warnings);
        let expected: Vec<Channel> =
            expected.map(|(kind, value)| channel(kind, value, false)).into_iter().collect();
        assert_eq!(taken, expected);
        let dropped = Warning::about(codes::VALIDATION_FAILED, "commChannels/0", "");
        assert_eq!(warnings, if taken.is_empty() { vec![dropped] } else { Vec::new() });
    }

    #[test]
    fn the_value_has_a_limit() {
        let long = |length| sent("postmail", &"x".repeat(length));
        let mut warnings = Vec::new();
        let both = [long(255), long(256)];
        assert_eq!(read(&both, &source("INSTORE"), &rules(), &mut warnings).len(), 1);
        assert_eq!(warnings, [Warning::about(codes::VALIDATION_FAILED, "commChannels/1", "")]);
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
            residence: flag,
            ..sent("mobile", "9876543210")
        };
        let mut warnings = Vec::new();
        let taken = read(&[submitted], &source("INSTORE"), &rules(), &mut warnings);
        assert_eq!(
            (taken[0].primary, taken[0].verified),
            (expected == Some(true), expected == Some(true))
        );
        assert_eq!(taken[0].residence, expected);
        let named: Vec<_> = warnings.iter().map(|warning| warning.message.as_ref()).collect();
        let all = [
            "Validation failed: commChannels/0/primary.",
            "Validation failed: commChannels/0/verified.",
            "Validation failed: commChannels/0/meta/residence.",
        ];
        assert_eq!(named, if expected.is_none() { all.to_vec() } else { Vec::new() });
    }

    #[rstest]
    #[case("INSTORE", true, true, &["mobile", "email"])]
    #[case("INSTORE", true, false, &["mobile"])]
    #[case("INSTORE", false, true, &["email"])]
    #[case("INSTORE", false, false, &[])]
    #[case("JD", true, true, &["email"])]
    #[case("MOBILE_APP", true, true, &[])]
    fn channels_follow_from_identifiers(
        #[case] from: &str,
        #[case] has_mobile: bool,
        #[case] has_email: bool,
        #[case] expected: &[&str],
    ) {
        let identifiers = Identifiers {
            mobile: has_mobile.then(|| Mobile::stored("919876543210".to_owned(), None)),
            email: has_email.then(|| Email::stored("Asha@example.com".to_owned())),
            external_id: None,
        };
        let all =
            [channel("mobile", "919876543210", true), channel("email", "Asha@example.com", true)];
        let expected: Vec<_> =
            all.into_iter().filter(|channel| expected.contains(&channel.kind.as_str())).collect();
        assert_eq!(following(&identifiers, &source(from)), expected);
    }

    #[test]
    fn one_of_a_type_is_primary_and_it_is_the_last() {
        let mut held = vec![channel("mobile", "1", true), channel("email", "a@b.in", true)];
        let further = vec![
            channel("mobile", "2", true),
            channel("mobile", "3", true),
            channel("mobile", "4", false),
            channel("email", "A@B.in", false),
        ];
        assert_eq!(put_all(&mut held, further), 0);
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
        assert_eq!(put_all(&mut held, vec![channel("mobile", "x", true)]), 1);
        assert_eq!(held, before);
        assert_eq!(put_all(&mut held, vec![channel("mobile", "1", true)]), 0);
        assert!(held[1].primary && !held[0].primary);
    }
}
