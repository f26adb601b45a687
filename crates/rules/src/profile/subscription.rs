//! `subscriptions`: whether a customer wants messages on a channel, by priority. The scope is
//! always `all`.
//!
//! "A subscription that cannot be applied during registration yields warning 91022 (channel,
//! priority)." Before it stands the code that says why. Of several for one channel and priority the
//! last counts.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::{flag, listed, short};
use crate::codes::{self, Code, Warning};
use crate::submission::{Member, SubmittedSubscription, SubscriptionMember};

/// The most subscriptions that a request may carry for one customer.
pub const COUNT_LIMIT: usize = 20;
/// The only scope.
const ALL: &str = "all";
/// How much of what was sent is repeated in a message, in characters.
const SHOWN_LIMIT: usize = 20;

/// Whether a customer wants messages.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Subscription {
    /// On this channel.
    pub channel: Channel,
    /// Of this priority.
    pub priority: Priority,
    /// Yes or no.
    pub subscribed: bool,
}

impl Subscription {
    /// Whether this is about the same messages.
    pub(crate) fn is(self, other: Self) -> bool {
        (self.channel, self.priority) == (other.channel, other.priority)
    }
}

/// The channel of a subscription.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Channel {
    /// Text messages.
    Sms,
    /// Electronic mail.
    Email,
}

/// The priority of a subscription.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Priority {
    /// Transactional: personal messages.
    Transactional,
    /// Bulk: promotional messages.
    Bulk,
}

impl fmt::Display for Channel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Sms => "SMS",
            Self::Email => "EMAIL",
        })
    }
}

impl fmt::Display for Priority {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Transactional => "TRANS",
            Self::Bulk => "BULK",
        })
    }
}

/// Takes the subscriptions that are valid; the others are dropped, each with what is wrong with it
/// and a 91022. So are those beyond the limit, with a warning at the first of them.
pub fn read(sent: &[SubmittedSubscription], warnings: &mut Vec<Warning>) -> Vec<Subscription> {
    let mut taken = Vec::with_capacity(sent.len().min(COUNT_LIMIT));
    for (index, sent) in sent.iter().take(COUNT_LIMIT).enumerate() {
        match read_one(sent) {
            Ok(subscription) => taken.push(subscription),
            Err((code, member)) => warnings.extend([
                Warning::from(code).at(Member::Subscription(index, Some(member))),
                not_updated(sent).at(Member::Subscription(index, None)),
            ]),
        }
    }
    if sent.len() > COUNT_LIMIT {
        warnings.push(
            Warning::from(codes::VALIDATION_FAILED).at(Member::Subscription(COUNT_LIMIT, None)),
        );
    }
    taken
}

fn read_one(
    sent: &SubmittedSubscription,
) -> Result<Subscription, (&'static Code, SubscriptionMember)> {
    let word = |sent: &Option<String>, list: &[&'static str]| listed(sent.as_deref()?, list);
    let channel = match word(&sent.channel, &["SMS", "EMAIL"]) {
        Some("SMS") => Channel::Sms,
        Some(_) => Channel::Email,
        None => return Err((codes::INVALID_SUBSCRIPTION_CHANNEL, SubscriptionMember::Channel)),
    };
    let priority = match word(&sent.priority, &["TRANS", "BULK"]) {
        Some("TRANS") => Priority::Transactional,
        Some(_) => Priority::Bulk,
        None => return Err((codes::INVALID_SUBSCRIPTION_PRIORITY, SubscriptionMember::Priority)),
    };
    let mut scopes = sent.scopes.iter().flat_map(|scopes| scopes.split(',')).map(str::trim);
    match (scopes.next().unwrap_or(ALL), scopes.next()) {
        (all, None) if all.eq_ignore_ascii_case(ALL) => {}
        (_, None) => return Err((codes::INVALID_SUBSCRIPTION_SCOPE, SubscriptionMember::Scope)),
        (_, Some(_)) => {
            return Err((codes::SEVERAL_SUBSCRIPTION_SCOPES, SubscriptionMember::Scope));
        }
    }
    let subscribed = sent.is_subscribed.as_deref().and_then(flag);
    let subscribed =
        subscribed.ok_or((codes::INVALID_SUBSCRIPTION_STATUS, SubscriptionMember::IsSubscribed))?;
    Ok(Subscription { channel, priority, subscribed })
}

fn not_updated(sent: &SubmittedSubscription) -> Warning {
    let shown = |text: &Option<String>| {
        let text = text.as_deref().and_then(|text| short(text, SHOWN_LIMIT));
        text.unwrap_or("unknown").to_owned()
    };
    Warning::about(codes::SUBSCRIPTION_KEPT, &shown(&sent.channel), &shown(&sent.priority))
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    /// Channel, priority, scopes with `|` between them, whether subscribed; a blank is not passed.
    fn sent(members: [&str; 4]) -> SubmittedSubscription {
        let [channel, priority, scope, is_subscribed] =
            members.map(|text| (!text.is_empty()).then(|| text.to_owned()));
        let scopes = scope
            .into_iter()
            .flat_map(|text| text.split('|').map(str::to_owned).collect::<Vec<_>>());
        SubmittedSubscription { channel, priority, scopes: scopes.collect(), is_subscribed }
    }

    #[rstest]
    #[case(["sms", "TRANS", "all", "1"], Channel::Sms, Priority::Transactional, true)]
    #[case(["SMS", "bulk", "ALL", "0"], Channel::Sms, Priority::Bulk, false)]
    #[case(["email", "BULK", "", "1"], Channel::Email, Priority::Bulk, true)]
    #[case([" Email ", " trans ", " All ", " 0 "], Channel::Email, Priority::Transactional, false)]
    #[case(["E-Mail", "BULK", "all", "True"], Channel::Email, Priority::Bulk, true)]
    #[case(["sms", "BULK", "all", "false"], Channel::Sms, Priority::Bulk, false)]
    fn valid(
        #[case] members: [&str; 4],
        #[case] channel: Channel,
        #[case] priority: Priority,
        #[case] subscribed: bool,
    ) {
        let mut warnings = Vec::new();
        let taken = read(&[sent(members)], &mut warnings);
        assert_eq!(taken, [Subscription { channel, priority, subscribed }]);
        assert_eq!(warnings, []);
    }

    #[rstest]
    #[case(["push", "BULK", "all", "1"], 1101, "push channel and priority BULK")]
    #[case(["", "BULK", "all", "1"], 1101, "unknown channel and priority BULK")]
    #[case(["sms", "high", "all", "1"], 1102, "sms channel and priority high")]
    #[case(["sms", "", "all", "1"], 1102, "sms channel and priority unknown")]
    #[case(["sms", "BULK", "store", "1"], 1103, "sms channel and priority BULK")]
    #[case(["sms", "BULK", "all,store", "1"], 1105, "sms channel and priority BULK")]
    #[case(["sms", "BULK", "all|store", "1"], 1105, "sms channel and priority BULK")]
    #[case(["sms", "BULK", "all|all", "1"], 1105, "sms channel and priority BULK")]
    #[case(["sms", "BULK", "all", ""], 1106, "sms channel and priority BULK")]
    #[case(["sms", "BULK", "all", "2"], 1106, "sms channel and priority BULK")]
    #[case(["sms", "BULK", "all", "yes"], 1106, "sms channel and priority BULK")]
    #[case(["a name that is far too long", "", "", ""], 1101, "unknown channel and priority unknown")]
    fn invalid(#[case] members: [&str; 4], #[case] code: u32, #[case] message: &str) {
        let mut warnings = Vec::new();
        assert_eq!(read(&[sent(members)], &mut warnings), []);
        let numbers: Vec<u32> = warnings.iter().map(|warning| warning.code.number).collect();
        assert_eq!(numbers, [code, 91022]);
        assert_eq!(
            warnings[1].message(|member| panic!("{member:?}")),
            format!("Failed to update subscription for {message}")
        );
        let part = match code {
            1101 => SubscriptionMember::Channel,
            1102 => SubscriptionMember::Priority,
            1106 => SubscriptionMember::IsSubscribed,
            _ => SubscriptionMember::Scope,
        };
        let members: Vec<_> = warnings.into_iter().filter_map(|warning| warning.member).collect();
        assert_eq!(members, [Some(part), None].map(|part| Member::Subscription(0, part)));
    }

    #[test]
    fn those_beyond_the_limit_are_dropped() {
        let many = vec![sent(["sms", "BULK", "all", "1"]); COUNT_LIMIT + 1];
        let mut warnings = Vec::new();
        assert_eq!(read(&many, &mut warnings).len(), COUNT_LIMIT);
        assert_eq!(
            warnings,
            [Warning::from(codes::VALIDATION_FAILED).at(Member::Subscription(COUNT_LIMIT, None))]
        );
    }
}
