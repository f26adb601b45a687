//! `subscriptions`: whether a customer wants messages on a channel, by priority. The scope is
//! always `all`.

use std::fmt;

/// The most subscriptions that a request may carry for one customer.
pub const COUNT_LIMIT: usize = 20;

/// Whether a customer wants messages.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Subscription {
    /// On this channel.
    pub channel: Channel,
    /// Of this priority.
    pub priority: Priority,
    /// Yes or no.
    pub subscribed: bool,
}

/// The channel of a subscription.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Channel {
    /// Text messages.
    Sms,
    /// Electronic mail.
    Email,
}

/// The priority of a subscription.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
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
