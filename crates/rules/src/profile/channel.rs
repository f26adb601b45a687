//! `commChannels`: "The medium through which a customer can receive messages or notifications
//! from the brand." Optional, since the specification's own second request has none.

/// The most channels that a customer can have.
pub const COUNT_LIMIT: usize = 20;
/// The longest type, in characters.
pub const KIND_LIMIT: usize = 50;
/// The longest value, in characters.
pub const VALUE_LIMIT: usize = 255;

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

/// Brings further channels to those that a customer has: one of the same type and value is
/// replaced. Returns how many found no room.
pub fn put_all(held: &mut Vec<Channel>, further: Vec<Channel>) -> usize {
    let mut left_out: usize = 0;
    for channel in further {
        let same = |other: &Channel| other.kind == channel.kind && other.value == channel.value;
        let place = held.iter().position(same).unwrap_or(held.len());
        match held.get_mut(place) {
            Some(other) => *other = channel,
            None if place < COUNT_LIMIT => held.push(channel),
            None => left_out = left_out.saturating_add(1),
        }
    }
    left_out
}
