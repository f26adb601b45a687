//! Where a customer and what was sent of them stand in a request: the one table from the rules'
//! members to the wire's.

use patron_rules::identifier::IdentifierKind;
use patron_rules::submission::{ChannelMember, Member, SubscriptionMember};

use super::decoded::NAME_LIMIT;

/// Where one customer stands in a request's body.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Place {
    /// The customer, as a JSON pointer (RFC 6901).
    pub(super) customer: String,
    /// Which lists were sent as their one entry.
    pub(super) lone: Lone,
}

/// Which lists were sent as their one entry, which then has no number.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "one a list")]
pub(super) struct Lone {
    pub(super) channels: bool,
    pub(super) custom_fields: bool,
    pub(super) extended_fields: bool,
    pub(super) subscriptions: bool,
}

impl Place {
    /// A member as a JSON pointer into the body. A name that begins with `/` is one already: it is
    /// of a member beside the customers.
    pub(super) fn pointer(&self, member: &Member) -> String {
        match self.name(member) {
            whole if whole.is_empty() => self.customer.clone(),
            beside if beside.starts_with('/') => beside,
            name => format!("{}/{name}", self.customer),
        }
    }

    /// An unknown member of this member, as it is called within its customer.
    pub(super) fn within(&self, parent: &Member, name: &str) -> String {
        let name = in_pointer(name);
        match self.name(parent) {
            whole if whole.is_empty() => name,
            parent => format!("{parent}/{name}"),
        }
    }

    /// A member as it is called within its customer; a member of a member behind a `/`.
    pub(super) fn name(&self, member: &Member) -> String {
        let name = match member {
            Member::Customer => "",
            Member::Identifier(kind) => identifier(*kind),
            Member::FirstName => "firstname",
            Member::LastName => "lastname",
            Member::CustomerType => "type",
            Member::Source => "source",
            Member::AccountId => "accountId",
            Member::RegisteredOn => "registered_on",
            Member::UpdatedOn => "updated_on",
            Member::RegisteredTill => "registered_till",
            Member::AssociatedTill => "associated_with",
            Member::FraudStatus => "fraud_status",
            Member::ReferralCode => "referral_code",
            Member::CardNumber => "card_details/card_number",
            Member::CardSeries => "card_details/series_code",
            Member::Gender => "gender",
            Member::NdncStatus => "ndnc_status",
            Member::TestControlStatus => "test_control_status",
            Member::Channel(index, part) => {
                let entry = entry("commChannels", *index, self.lone.channels);
                return part_of(entry, part.map(channel));
            }
            Member::CustomField(index) => {
                return entry("custom_fields/field", *index, self.lone.custom_fields);
            }
            Member::ExtendedField(index) => {
                return entry("extended_fields/field", *index, self.lone.extended_fields);
            }
            Member::Subscription(index, part) => {
                let list = "subscriptions/subscription";
                let entry = entry(list, *index, self.lone.subscriptions);
                return part_of(entry, part.map(subscription));
            }
            Member::Read(name) => name,
        };
        name.to_owned()
    }
}

/// The wire's name of a kind of identifier.
pub(super) const fn identifier(kind: IdentifierKind) -> &'static str {
    match kind {
        IdentifierKind::Mobile => "mobile",
        IdentifierKind::Email => "email",
        IdentifierKind::ExternalId => "external_id",
    }
}

const fn channel(part: ChannelMember) -> &'static str {
    match part {
        ChannelMember::Kind => "type",
        ChannelMember::Value => "value",
        ChannelMember::Primary => "primary",
        ChannelMember::Verified => "verified",
        ChannelMember::Meta => "meta",
        ChannelMember::Residence => "meta/residence",
        ChannelMember::Office => "meta/office",
        ChannelMember::LastViewed => "meta/lastViewedDate",
    }
}

const fn subscription(part: SubscriptionMember) -> &'static str {
    match part {
        SubscriptionMember::Channel => "channel",
        SubscriptionMember::Priority => "priority",
        SubscriptionMember::Scope => "scope",
        SubscriptionMember::IsSubscribed => "is_subscribed",
    }
}

/// An entry of a list, counted from 0; a list that was sent as its one entry is that entry.
pub(super) fn entry(list: &str, index: usize, lone: bool) -> String {
    if lone { list.to_owned() } else { format!("{list}/{index}") }
}

/// The name of an unknown member as RFC 6901 escapes it in a pointer, cut at a stated length.
pub(super) fn in_pointer(name: &str) -> String {
    let visible = name.chars().filter(|character| !character.is_control());
    let cut: String = visible.take(NAME_LIMIT).collect();
    cut.replace('~', "~0").replace('/', "~1")
}

fn part_of(entry: String, part: Option<&str>) -> String {
    match part {
        Some(part) => format!("{entry}/{part}"),
        None => entry,
    }
}
