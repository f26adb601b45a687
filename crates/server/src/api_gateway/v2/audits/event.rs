//! One thing that changed, in the reply's members.

use patron_rules::audit::{Change, Event, Field};
use patron_rules::identifier::IdentifierKind;
use patron_rules::profile::channel::Meta;
use patron_rules::profile::{Channel, Source, subscription};
use serde::Serialize;
use utoipa::ToSchema;

/// How nothing is written, but in a merge.
const NOTHING: &str = "NA";

#[derive(Debug, Serialize, ToSchema)]
#[schema(as = AuditEvent)]
#[serde(rename_all = "camelCase")]
pub(super) struct EventRow {
    event_type: &'static str,
    updated_field: String,
    additional_fields: AdditionalFields,
    /// Nothing else is ever concerned.
    #[schema(value_type = Option<Object>)]
    associate_entities: Option<()>,
}

#[derive(Debug, Default, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct AdditionalFields {
    previous_value: Option<String>,
    current_value: Option<String>,
    #[serde(flatten)]
    channel: Option<ChannelFields>,
    #[serde(flatten)]
    subscription: Option<SubscriptionFields>,
}

/// What a channel was and is besides its value: Patron's own.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct ChannelFields {
    previous_channel: Option<ChannelState>,
    current_channel: Option<ChannelState>,
}

#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct ChannelState {
    primary: bool,
    verified: bool,
    residence: Option<bool>,
    office: Option<bool>,
    last_viewed_date: Option<String>,
}

/// What a subscription is besides its value; null where Patron has no such thing.
#[derive(Debug, Serialize, ToSchema)]
struct SubscriptionFields {
    org_source_id: Option<i64>,
    communication_channel_type: String,
    ou_id: Option<i64>,
    communication_channel_id: Option<i64>,
    priority: String,
    org_source: String,
}

impl EventRow {
    /// An event of an entry, which may be of a merge.
    pub(super) fn new(event: Event, source: &Source, in_merge: bool) -> Self {
        let (event_type, updated_field) = named(&event);
        let mut fields = additional_fields(event, source);
        if !in_merge {
            for value in [&mut fields.previous_value, &mut fields.current_value] {
                value.get_or_insert_with(|| NOTHING.to_owned());
            }
        }
        Self {
            event_type: event_type.text(),
            updated_field,
            additional_fields: fields,
            associate_entities: None,
        }
    }
}

fn additional_fields(event: Event, source: &Source) -> AdditionalFields {
    let values = |change: Change<String>| AdditionalFields {
        previous_value: change.before,
        current_value: change.after,
        ..AdditionalFields::default()
    };
    match event {
        Event::Identifier(_, change)
        | Event::Field(_, change)
        | Event::CustomField(_, change)
        | Event::ExtendedField(_, change) => values(change),
        Event::Channel(change) => {
            let channel = Some(ChannelFields {
                previous_channel: change.before.as_ref().map(ChannelState::from),
                current_channel: change.after.as_ref().map(ChannelState::from),
            });
            let value = |channel: Channel| channel.value;
            let change =
                Change { before: change.before.map(value), after: change.after.map(value) };
            AdditionalFields { channel, ..values(change) }
        }
        Event::Subscription(channel, priority, change) => {
            let text = |subscribed| if subscribed { "OPTIN" } else { "OPTOUT" }.to_owned();
            let subscription = Some(subscription_fields(channel, priority, source));
            let change = Change { before: change.before.map(text), after: change.after.map(text) };
            AdditionalFields { subscription, ..values(change) }
        }
        Event::Card(number) => values(Change { before: None, after: Some(number) }),
        Event::ReferredBy(id) | Event::Referred(id) => {
            values(Change { before: None, after: Some(id.0.to_string()) })
        }
        Event::Merge { victim, survivor } => {
            let [before, after] = [victim, survivor].map(|id| Some(id.0.to_string()));
            values(Change { before, after })
        }
    }
}

impl From<&Channel> for ChannelState {
    fn from(channel: &Channel) -> Self {
        let Channel { primary, verified, meta, .. } = channel;
        let Meta { residence, office, last_viewed } = meta.clone();
        Self {
            primary: *primary,
            verified: *verified,
            residence,
            office,
            last_viewed_date: last_viewed,
        }
    }
}

fn subscription_fields(
    channel: subscription::Channel,
    priority: subscription::Priority,
    source: &Source,
) -> SubscriptionFields {
    SubscriptionFields {
        org_source_id: None,
        communication_channel_type: channel.to_string(),
        ou_id: None,
        communication_channel_id: None,
        priority: priority.to_string(),
        org_source: source.name().to_owned(),
    }
}

/// An event's type, and what of that type changed.
pub(super) fn named(event: &Event) -> (EventType, String) {
    let (event_type, field) = match event {
        Event::Identifier(kind, _) => (EventType::Identifier, identifier(*kind)),
        Event::Card(_) => (EventType::Identifier, "cardnumber"),
        Event::ReferredBy(_) => (EventType::StandardField, "Referrer"),
        Event::Referred(_) => (EventType::StandardField, "Referee"),
        Event::Field(field, _) => standard(*field),
        Event::CustomField(name, _) => (EventType::CustomField, name.as_str()),
        Event::ExtendedField(name, _) => (EventType::ExtendedField, name.as_str()),
        Event::Channel(Change { before, after }) => {
            let channel = after.as_ref().or(before.as_ref());
            (
                EventType::CommChannel,
                channel.map(|channel| channel.kind.as_str()).unwrap_or_default(),
            )
        }
        Event::Subscription(channel, ..) => {
            return (EventType::SubscriptionStatus, channel.to_string());
        }
        Event::Merge { .. } => (EventType::CustomerMerge, "customerId"),
    };
    (event_type, field.to_owned())
}

const fn identifier(kind: IdentifierKind) -> &'static str {
    match kind {
        IdentifierKind::Mobile => "mobile",
        IdentifierKind::Email => "email",
        IdentifierKind::ExternalId => "externalId",
    }
}

const fn standard(field: Field) -> (EventType, &'static str) {
    let name = match field {
        Field::FraudStatus => return (EventType::CustomerStatus, "fraudStatus"),
        Field::FirstName => "FirstName",
        Field::LastName => "LastName",
        Field::CustomerType => "Type",
        Field::Source => "Source",
        Field::AccountId => "AccountId",
        Field::RegisteredAt => "RegisteredOn",
        Field::RegisteredTill => "RegisteredTill",
        Field::AssociatedTill => "AssociatedWith",
        Field::Gender => "Gender",
        Field::NdncStatus => "NdncStatus",
        Field::TestControlStatus => "TestControlStatus",
    };
    (EventType::StandardField, name)
}

/// The types of event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum EventType {
    Identifier,
    StandardField,
    ExtendedField,
    CustomField,
    CustomerStatus,
    CardStatus,
    SubscriptionStatus,
    CustomerMerge,
    CardCustomField,
    CommChannel,
    CardExtendedField,
}

impl EventType {
    const ALL: [Self; 11] = [
        Self::Identifier,
        Self::StandardField,
        Self::ExtendedField,
        Self::CustomField,
        Self::CustomerStatus,
        Self::CardStatus,
        Self::SubscriptionStatus,
        Self::CustomerMerge,
        Self::CardCustomField,
        Self::CommChannel,
        Self::CardExtendedField,
    ];

    /// Reads its name in a query, in any case.
    pub(super) fn parse(sent: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|known| known.names().0.eq_ignore_ascii_case(sent))
    }

    fn text(self) -> &'static str {
        self.names().1
    }

    /// Its name in a query, and in a reply.
    const fn names(self) -> (&'static str, &'static str) {
        match self {
            Self::Identifier => ("Identifier", "Identifiers"),
            Self::StandardField => ("StandardField", "Standard Fields"),
            Self::ExtendedField => ("ExtendedField", "Extended Fields"),
            Self::CustomField => ("CustomField", "Custom Fields"),
            Self::CustomerStatus => ("CustomerStatus", "Customer Status"),
            Self::CardStatus => ("CardStatus", "Card Status"),
            Self::SubscriptionStatus => ("SubscriptionStatus", "Subscription Status"),
            Self::CustomerMerge => ("CustomerMerge", "Customer Merge"),
            Self::CardCustomField => ("CardCustomField", "Card Custom Fields"),
            Self::CommChannel => ("CommChannel", "Communication Channels"),
            Self::CardExtendedField => ("CardExtendedField", "Card Extended Fields"),
        }
    }
}
