//! `commChannels`: "The medium through which a customer can receive messages or notifications
//! from the brand." Optional, since the specification's own second request has none.

/// The most channels that a customer can have.
pub const COUNT_LIMIT: usize = 20;

/// One way to reach a customer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Channel {
    /// The mode of communication, in lower case: `mobile`, `email`, …
    pub kind: String,
    /// The number, address or token.
    pub value: String,
    /// Whether this is the contact to prefer.
    pub primary: bool,
    /// Whether the customer proved to own it.
    pub verified: bool,
    /// Whether it reaches the customer at home.
    pub residence: Option<bool>,
}
