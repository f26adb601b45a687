//! Customers and settings of few values, so that customers meet.

use patron_rules::submission::{
    Kept, Submission, SubmittedChannel, SubmittedField, SubmittedSubscription, SubmittedValue,
};
use proptest::prelude::*;
use proptest::sample::Index;
use unicode_normalization::UnicodeNormalization as _;

/// Another way to write a text: decomposed or not, and with invisible characters.
#[derive(Debug, Clone)]
pub struct Variant {
    decomposed: bool,
    inserted: Vec<(Index, char)>,
}

impl Variant {
    /// The text, written so.
    pub fn of(&self, plain: &str) -> String {
        let mut characters: Vec<char> =
            if self.decomposed { plain.nfd().collect() } else { plain.chars().collect() };
        for (place, character) in &self.inserted {
            characters.insert(place.index(characters.len() + 1), *character);
        }
        characters.into_iter().collect()
    }
}

pub fn variant() -> impl Strategy<Value = Variant> {
    let invisible = prop::sample::select(vec![
        '\u{200b}',
        '\u{2060}',
        '\u{feff}',
        '\u{ad}',
        '\u{202e}',
        '\u{fffe}',
        '\u{e0041}',
        '\u{3164}',
    ]);
    let inserted = prop::collection::vec((any::<Index>(), invisible), 0..6);
    (any::<bool>(), inserted).prop_map(|(decomposed, inserted)| Variant { decomposed, inserted })
}

/// What an organisation is asked to do.
#[derive(Debug, Clone)]
pub enum Request {
    Register(Box<Submission>),
    Change(Vec<(&'static str, &'static str)>),
}

/// Registrations, with changes of settings between them.
pub fn requests(most: usize) -> impl Strategy<Value = Vec<Request>> {
    let register = submission().prop_map(|sent| Request::Register(Box::new(sent)));
    let change = prop::collection::vec(setting(), 1..4).prop_map(Request::Change);
    prop::collection::vec(prop_oneof![4 => register, 1 => change], 1..most)
}

pub fn one_of(values: &'static [&'static str]) -> impl Strategy<Value = Option<String>> {
    prop::option::of(prop::sample::select(values).prop_map(str::to_owned))
}

/// One of these, or seldom one that is refused.
fn seldom(
    values: &'static [&'static str],
    refused: &'static str,
) -> impl Strategy<Value = Option<String>> {
    prop_oneof![20 => one_of(values), 1 => Just(Some(refused.to_owned()))]
}

/// One setting with one of its values.
pub fn setting() -> impl Strategy<Value = (&'static str, &'static str)> {
    let flags = prop::sample::select(vec![
        "CONF_ALLOW_REGISTRATION_FROM_ANY_IDENTIFIERS",
        "CONF_REGISTRATION_PRIMARY_KEY_REQUIRED",
        "CONF_ALLOW_MOBILE_UPDATE",
        "CONF_ALLOW_EMAIL_UPDATE",
        "CONF_LOYALTY_ALLOW_EXTERNAL_ID_UPDATE",
        "CONF_PRIMARY_IDENTIFIER_STRICT_CHECK",
        "CONFIG_SKIP_SECONDARY_ID_ON_PRIMARY_MISMATCH",
        "MERGE_ON_CONFLICT",
        "CONF_USERS_IS_EMAIL_UNIQUE",
        "CONF_USERS_USE_EXTERNAL_ID",
        "CONF_USERS_IS_MOBILE_REQUIRED",
        "CONF_USERS_IS_EMAIL_REQUIRED",
        "CONF_USERS_IS_EXTERNAL_ID_REQUIRED",
        "STRICT_EXTRAS",
    ]);
    let others = prop::sample::select(vec![
        ("CONF_REGISTRATION_PRIMARY_KEY", "MOBILE"),
        ("CONF_REGISTRATION_PRIMARY_KEY", "EMAIL"),
        ("CONF_REGISTRATION_PRIMARY_KEY", "EXTERNAL_ID"),
        ("KNOWN_CUSTOMER", "UPDATE"),
        ("KNOWN_CUSTOMER", "REFUSE"),
        ("INVALID_SECONDARY_IDENTIFIER", "FAIL"),
        ("INVALID_SECONDARY_IDENTIFIER", "DROP"),
        ("MOBILE_VALIDATION", "COUNTRY"),
        ("MOBILE_VALIDATION", "COUNTRY_THEN_GENERIC"),
        ("MOBILE_VALIDATION", "GENERIC"),
        ("SUPPORTED_COUNTRIES", "SG"),
        ("SUPPORTED_COUNTRIES", ""),
        ("EXTERNAL_ID_LENGTH", "1"),
        ("EXTERNAL_ID_LENGTH", ""),
    ]);
    // Merging is seen only where neither of the settings that forbid it is on.
    let merging = prop::sample::select(vec![
        ("CONF_PRIMARY_IDENTIFIER_STRICT_CHECK", "0"),
        ("CONFIG_SKIP_SECONDARY_ID_ON_PRIMARY_MISMATCH", "0"),
        ("MERGE_ON_CONFLICT", "1"),
    ]);
    prop_oneof![3 => (flags, prop::sample::select(vec!["0", "1"])), 3 => others, 2 => merging]
}

pub fn submission() -> impl Strategy<Value = Submission> {
    (
        seldom(&["919876543210", "9876543210", "+91 98765 43211", "919876543212", ""], "12"),
        seldom(&["a@b.in", "A@B.in", "c@b.in", "d@b.in"], "nobody"),
        one_of(&["A", "B", "C", "919876543210"]),
        one_of(&["Asha", "Ravi", "\u{0}"]),
        seldom(&["LOYALTY", "non_loyalty", "not_interested"], "gold"),
        seldom(&["INSTORE", "WECHAT", "MOBILE_APP"], "pigeon"),
        seldom(&["2024-01-02 03:04:05"], "2024-02-30 00:00:00"),
        description(),
    )
        .prop_map(
            |(mobile, email, external_id, first_name, customer_type, source, date, rest)| {
                let sent = |text: Option<String>| text.filter(|text| !text.is_empty());
                Submission {
                    mobile: sent(mobile),
                    email,
                    external_id,
                    first_name,
                    customer_type,
                    source,
                    registered_on: date,
                    ..rest
                }
            },
        )
}

/// What else may be sent of a customer.
fn description() -> impl Strategy<Value = Submission> {
    (
        one_of(&["CONFIRMED", "guilty"]),
        one_of(&["919876543210", "919876543212", "SDX123"]),
        one_of(&["1", "2"]),
        one_of(&["TEST", "neither"]),
        prop::collection::vec(channel(), 0..4),
        prop::collection::vec(subscription(), 0..3),
        prop::collection::vec(field(&["size", "colour"]), 0..3),
        prop::collection::vec(field(&["age", "AGE", "city"]), 0..3),
    )
        .prop_map(
            |(
                fraud_status,
                referral_code,
                account_id,
                status,
                channels,
                subscriptions,
                custom,
                extended,
            )| {
                let numbered = |(index, channel)| SubmittedChannel { index, ..channel };
                Submission {
                    fraud_status,
                    referral_code,
                    account_id,
                    channels: channels.into_iter().enumerate().map(numbered).collect(),
                    subscriptions,
                    custom_fields: custom,
                    extended_fields: extended,
                    kept: Kept { test_control_status: status, ..Kept::default() },
                    ..Submission::default()
                }
            },
        )
}

fn channel() -> impl Strategy<Value = SubmittedChannel> {
    (
        one_of(&["mobile", "email", "wechat", "pigeon"]),
        one_of(&["9876543210", "919876543212", "a@b.in", "A@B.in", "x"]),
        one_of(&["true", "0", "perhaps"]),
        one_of(&["1", "false"]),
        one_of(&["true", "perhaps"]),
    )
        .prop_map(|(kind, value, primary, verified, office)| SubmittedChannel {
            kind,
            value,
            primary,
            verified,
            office,
            ..SubmittedChannel::default()
        })
}

fn subscription() -> impl Strategy<Value = SubmittedSubscription> {
    (
        one_of(&["sms", "email", "fax"]),
        one_of(&["TRANS", "BULK"]),
        prop::collection::vec(
            prop::sample::select(vec!["all".to_owned(), "shop".to_owned()]),
            0..3,
        ),
        one_of(&["0", "1", "2"]),
    )
        .prop_map(|(channel, priority, scopes, is_subscribed)| SubmittedSubscription {
            channel,
            priority,
            scopes,
            is_subscribed,
        })
}

fn field(names: &'static [&'static str]) -> impl Strategy<Value = SubmittedField> {
    let value = one_of(&["44", "[\"a\", \"b\"]"]);
    (one_of(names), value).prop_map(|(name, value)| SubmittedField {
        name: name.unwrap_or_default(),
        value: value.map_or(SubmittedValue::NotPassed, SubmittedValue::Text),
    })
}
