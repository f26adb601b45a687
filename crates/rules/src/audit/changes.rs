//! What counts as a change, and under whom it is told.

use std::borrow::Cow;

use super::event::{Change, Event, Field};
use super::{ChangeSet, Merge};
use crate::customer::Customer;
use crate::decide::{Merged, Plan};
use crate::identifier::{Email, ExternalId, IdentifierKind, Mobile};
use crate::organisation::{Organisation, TillId};
use crate::profile::{Channel, FieldValue, FraudStatus, Name, Subscription};

/// What a plan changes, under each customer whom it touches, in order.
///
/// A merge stands under both customers: under the victim by itself, under the survivor with what
/// came of it. What the same request changed besides stands with the last merge.
///
/// Not told: custom and extended fields without an audit trail; points and tiers, of which the
/// ledger tells; and the time of the last update, which each entry has.
#[must_use]
pub fn changes(plan: &Plan, organisation: &Organisation) -> Vec<ChangeSet> {
    let Plan { customer, before, merged, card, referral, .. } = plan;
    let mut sets = Vec::with_capacity(2 * merged.len() + 1);
    let later = merged.iter().skip(1).map(|next| &next.survivor);
    for (merged, after) in merged.iter().zip(later.chain([customer])) {
        sets.extend(merge(merged, after, organisation));
    }
    if merged.is_empty() {
        sets.push(ChangeSet {
            customer: customer.id,
            source: customer.source.clone(),
            merge: None,
            events: between(before.as_ref(), customer, organisation),
        });
    }
    if let (Some(last), Some(card)) = (sets.last_mut(), card) {
        last.events.push(Event::Card(card.number.clone()));
    }
    if let (Some(last), Some(referral)) = (sets.last_mut(), referral) {
        let referrer = &referral.referrer.customer;
        last.events.push(Event::ReferredBy(referrer.id));
        sets.push(ChangeSet {
            customer: referrer.id,
            source: referrer.source.clone(),
            merge: None,
            events: vec![Event::Referred(customer.id)],
        });
    }
    sets.retain(|set| !set.events.is_empty());
    sets
}

fn merge(merged: &Merged, after: &Customer, organisation: &Organisation) -> [ChangeSet; 2] {
    let Merged { survivor, before: victim, .. } = merged;
    let set = |customer: &Customer, further: Vec<Event>| ChangeSet {
        customer: customer.id,
        source: customer.source.clone(),
        merge: Some(Merge { victim: victim.into(), survivor: survivor.into() }),
        events: [vec![Event::Merge { victim: victim.id, survivor: survivor.id }], further].concat(),
    };
    let gained = between(Some(survivor), after, organisation);
    [set(victim, Vec::new()), set(survivor, gained)]
}

/// Each thing that differs; of a new customer, each that is there.
fn between(before: Option<&Customer>, after: &Customer, organisation: &Organisation) -> Vec<Event> {
    let mut events = Vec::new();
    for kind in IdentifierKind::ALL {
        let value = |customer| identifier(customer, kind);
        let change = Change::between(before.and_then(value), value(after));
        events.extend(change.map(|change| Event::Identifier(kind, change)));
    }
    for field in Field::ALL {
        let value = |customer| standard(customer, field, organisation);
        let (was, is) = (before.and_then(value), value(after));
        let change = Change::between(was.as_deref(), is.as_deref());
        events.extend(change.map(|change| Event::Field(field, change)));
    }
    let were = |list: fn(&Customer) -> &[FieldValue]| before.map(list).unwrap_or_default();
    let custom = fields(were(|before| &before.custom_fields), &after.custom_fields)
        .filter(|(name, _)| tells_of_custom_field(organisation, name));
    events.extend(custom.map(|(name, change)| Event::CustomField(name, change)));
    let extended = fields(were(|before| &before.extended_fields), &after.extended_fields)
        .filter(|(name, _)| tells_of_extended_field(organisation, name));
    events.extend(extended.map(|(name, change)| Event::ExtendedField(name, change)));
    let were = before.map(|before| before.channels.as_slice()).unwrap_or_default();
    events.extend(channels(were, &after.channels));
    let were = before.map(|before| before.subscriptions.as_slice()).unwrap_or_default();
    events.extend(subscriptions(were, &after.subscriptions));
    events
}

fn identifier(customer: &Customer, kind: IdentifierKind) -> Option<&str> {
    let identifiers = &customer.identifiers;
    match kind {
        IdentifierKind::Mobile => identifiers.mobile.as_ref().map(Mobile::digits),
        IdentifierKind::Email => identifiers.email.as_ref().map(Email::as_str),
        IdentifierKind::ExternalId => identifiers.external_id.as_ref().map(ExternalId::as_str),
    }
}

fn standard<'a>(
    customer: &'a Customer,
    field: Field,
    organisation: &'a Organisation,
) -> Option<Cow<'a, str>> {
    let till = |id: TillId| organisation.till(id).map(|till| till.name.as_str());
    let kept = &customer.kept;
    let text = match field {
        Field::FirstName => customer.first_name.as_ref().map(Name::as_str),
        Field::LastName => customer.last_name.as_ref().map(Name::as_str),
        Field::CustomerType => Some(customer.customer_type.name()),
        Field::Source => Some(customer.source.name()),
        Field::AccountId => customer.account_id.as_deref(),
        Field::RegisteredAt => return Some(customer.registered_at.to_string().into()),
        Field::RegisteredTill => till(customer.registered_till),
        Field::AssociatedTill => customer.associated_till.and_then(till),
        Field::FraudStatus => customer.fraud_status.as_ref().map(FraudStatus::name),
        Field::Gender => kept.gender.as_deref(),
        Field::NdncStatus => kept.ndnc_status.as_deref(),
        Field::TestControlStatus => kept.test_control_status.as_deref(),
    };
    text.map(Cow::Borrowed)
}

fn fields<'a>(
    before: &'a [FieldValue],
    after: &'a [FieldValue],
) -> impl Iterator<Item = (String, Change<String>)> {
    let same = |one: &FieldValue, other: &FieldValue| one.name == other.name;
    pairs(before, after, same).filter_map(|(was, is)| {
        let value = |field: &'a FieldValue| field.value.as_str();
        let change = Change::between(was.map(value), is.map(value))?;
        Some((is.or(was)?.name.clone(), change))
    })
}

/// "Custom and extended fields are logged only with audit trail enabled." Documents disagree on custom
/// fields where this version of the API changes them, so that an organisation may have them left out.
fn tells_of_custom_field(organisation: &Organisation, name: &str) -> bool {
    let field = organisation.custom_fields.get_any(name);
    organisation.settings.audit_custom_fields && field.is_some_and(|field| field.audit_trail)
}

fn tells_of_extended_field(organisation: &Organisation, name: &str) -> bool {
    organisation.extended_fields.get_any(name).is_some_and(|field| field.audit_trail)
}

fn channels<'a>(before: &'a [Channel], after: &'a [Channel]) -> impl Iterator<Item = Event> {
    pairs(before, after, Channel::is)
        .filter_map(|(was, is)| Change::between(was, is).map(Event::Channel))
}

fn subscriptions<'a>(
    before: &'a [Subscription],
    after: &'a [Subscription],
) -> impl Iterator<Item = Event> {
    pairs(before, after, |one, other| one.is(*other)).filter_map(|(was, is)| {
        let subscribed = |subscription: &'a Subscription| &subscription.subscribed;
        let change = Change::between(was.map(subscribed), is.map(subscribed))?;
        let Subscription { channel, priority, .. } = is.or(was)?;
        Some(Event::Subscription(*channel, *priority, change))
    })
}

/// What stands in the one list beside the same in the other: first what is there afterwards, then
/// what is gone.
fn pairs<'a, T>(
    before: &'a [T],
    after: &'a [T],
    same: impl Fn(&T, &T) -> bool + Copy,
) -> impl Iterator<Item = (Option<&'a T>, Option<&'a T>)> {
    let there = move |is| (before.iter().find(|was| same(was, is)), Some(is));
    let gone = move |was: &&T| !after.iter().any(|is| same(was, is));
    after.iter().map(there).chain(before.iter().filter(gone).map(|was| (Some(was), None)))
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;
    use rstest::rstest;

    use super::*;
    use crate::audit::Person;
    use crate::card::Card;
    use crate::customer::{CustomerId, Enrolment};
    use crate::identifier::Identifiers;
    use crate::ledger::Balances;
    use crate::organisation::{Collection, Kind, ProgrammeId, Till};
    use crate::profile::channel::Meta;
    use crate::profile::subscription::{Channel as Medium, Priority};
    use crate::profile::{CustomerType, Source};
    use crate::referral::{Referral, ReferralCode, Referrer};
    use crate::submission::Kept;

    fn organisation() -> Organisation {
        let till =
            |id, name: &str| Till { id: TillId(id), name: name.to_owned(), ..Till::default() };
        let tills = Collection::of([till(1, "till.1"), till(2, "till.2")]).unwrap();
        let mut organisation = Organisation { tills, ..Organisation::default() };
        for (kind, document) in [
            (Kind::CustomFields, r#"{"name":"city","audit_trail":true}"#),
            (Kind::CustomFields, r#"{"name":"pin","audit_trail":true}"#),
            (Kind::CustomFields, r#"{"name":"colour"}"#),
            (Kind::ExtendedFields, r#"{"name":"age","audit_trail":true}"#),
            (Kind::ExtendedFields, r#"{"name":"hobby"}"#),
        ] {
            organisation.documents_mut(kind).put(document).unwrap();
        }
        organisation
    }

    /// A mobile number, an email address and an external id; none of those that are empty.
    fn identifiers(texts: [&str; 3]) -> Identifiers {
        let [mobile, email, external_id] =
            texts.map(|text| (!text.is_empty()).then(|| text.to_owned()));
        Identifiers {
            mobile: mobile.map(|digits| Mobile::stored(digits, None)),
            email: email.map(Email::stored),
            external_id: external_id.map(ExternalId::stored),
        }
    }

    fn field(name: &str, value: &str) -> FieldValue {
        FieldValue { name: name.to_owned(), value: value.to_owned() }
    }

    fn channel(kind: &str, value: &str, primary: bool) -> Channel {
        let (kind, value) = (kind.to_owned(), value.to_owned());
        Channel { kind, value, primary, verified: false, meta: Meta::default() }
    }

    const BULK_SMS: Subscription =
        Subscription { channel: Medium::Sms, priority: Priority::Bulk, subscribed: true };

    /// A customer who has everything once.
    fn customer() -> Customer {
        let text = |text: &str| Some(text.to_owned());
        Customer {
            id: CustomerId(7),
            identifiers: identifiers(["919000000001", "a@b.in", "A-1"]),
            first_name: Name::parse("Asha"),
            last_name: Name::parse("Rao"),
            customer_type: CustomerType::NonLoyalty,
            source: Source::stored("INSTORE".to_owned()),
            account_id: text("acc"),
            registered_at: "2025-06-01T12:00:00Z".parse().unwrap(),
            updated_at: "2025-06-01T12:00:00Z".parse().unwrap(),
            registered_till: TillId(1),
            associated_till: Some(TillId(2)),
            fraud_status: Some(FraudStatus::stored("NONE".to_owned())),
            channels: vec![channel("email", "a@b.in", true)],
            subscriptions: vec![BULK_SMS],
            kept: Kept {
                gender: text("F"),
                ndnc_status: text("NDNC"),
                test_control_status: text("TEST"),
            },
            custom_fields: vec![field("city", "Pune")],
            extended_fields: vec![field("age", "25")],
            enrolments: Vec::new(),
        }
    }

    fn plan(before: Option<Customer>, customer: Customer) -> Plan {
        Plan {
            customer,
            before,
            merged: Vec::new(),
            card: None,
            referral: None,
            coupons: Vec::new(),
            ledger: Vec::new(),
            side_effects: Vec::new(),
            warnings: Vec::new(),
        }
    }

    fn change<B, T>(before: impl Into<Option<B>>, after: impl Into<Option<B>>) -> Change<T>
    where
        T: From<B>,
    {
        Change { before: before.into().map(T::from), after: after.into().map(T::from) }
    }

    fn standard_field(field: Field, before: &str, after: &str) -> Event {
        Event::Field(field, change(before, after))
    }

    #[rstest]
    #[case::mobile(
        |it: &mut Customer| it.identifiers = identifiers(["919000000002", "a@b.in", "A-1"]),
        Event::Identifier(IdentifierKind::Mobile, change("919000000001", "919000000002"))
    )]
    #[case::email(
        |it: &mut Customer| it.identifiers = identifiers(["919000000001", "A@b.in", "A-1"]),
        Event::Identifier(IdentifierKind::Email, change("a@b.in", "A@b.in"))
    )]
    #[case::external_id(
        |it: &mut Customer| it.identifiers = identifiers(["919000000001", "a@b.in", ""]),
        Event::Identifier(IdentifierKind::ExternalId, change("A-1", None))
    )]
    #[case::first_name(
        |it: &mut Customer| it.first_name = Name::parse("Ravi"),
        standard_field(Field::FirstName, "Asha", "Ravi")
    )]
    #[case::last_name(
        |it: &mut Customer| it.last_name = None,
        Event::Field(Field::LastName, change("Rao", None))
    )]
    #[case::customer_type(
        |it: &mut Customer| it.customer_type = CustomerType::Loyalty,
        standard_field(Field::CustomerType, "NON_LOYALTY", "LOYALTY")
    )]
    #[case::source(
        |it: &mut Customer| it.source = Source::stored("LINE".to_owned()),
        standard_field(Field::Source, "INSTORE", "LINE")
    )]
    #[case::account(
        |it: &mut Customer| it.account_id = Some("other".to_owned()),
        standard_field(Field::AccountId, "acc", "other")
    )]
    #[case::registered_at(
        |it: &mut Customer| it.registered_at = "2024-02-29T18:30:00Z".parse().unwrap(),
        standard_field(Field::RegisteredAt, "2025-06-01T12:00:00Z", "2024-02-29T18:30:00Z")
    )]
    #[case::registered_till(
        |it: &mut Customer| it.registered_till = TillId(2),
        standard_field(Field::RegisteredTill, "till.1", "till.2")
    )]
    #[case::associated_till(
        |it: &mut Customer| it.associated_till = Some(TillId(1)),
        standard_field(Field::AssociatedTill, "till.2", "till.1")
    )]
    #[case::gender(
        |it: &mut Customer| it.kept.gender = Some("M".to_owned()),
        standard_field(Field::Gender, "F", "M")
    )]
    #[case::ndnc(
        |it: &mut Customer| it.kept.ndnc_status = Some("OPEN".to_owned()),
        standard_field(Field::NdncStatus, "NDNC", "OPEN")
    )]
    #[case::test_control(
        |it: &mut Customer| it.kept.test_control_status = Some("CONTROL".to_owned()),
        standard_field(Field::TestControlStatus, "TEST", "CONTROL")
    )]
    #[case::fraud_status(
        |it: &mut Customer| it.fraud_status = Some(FraudStatus::stored("CONFIRMED".to_owned())),
        standard_field(Field::FraudStatus, "NONE", "CONFIRMED")
    )]
    #[case::custom_field(
        |it: &mut Customer| it.custom_fields = vec![field("city", "Goa")],
        Event::CustomField("city".to_owned(), change("Pune", "Goa"))
    )]
    #[case::further_custom_field(
        |it: &mut Customer| it.custom_fields.push(field("pin", "411001")),
        Event::CustomField("pin".to_owned(), change(None, "411001"))
    )]
    #[case::extended_field(
        |it: &mut Customer| it.extended_fields = vec![field("age", "26")],
        Event::ExtendedField("age".to_owned(), change("25", "26"))
    )]
    #[case::extended_field_gone(
        |it: &mut Customer| it.extended_fields.clear(),
        Event::ExtendedField("age".to_owned(), change("25", None))
    )]
    #[case::channel_flag(
        |it: &mut Customer| it.channels = vec![channel("email", "a@b.in", false)],
        Event::Channel(change(channel("email", "a@b.in", true), channel("email", "a@b.in", false)))
    )]
    #[case::channel_spelling(
        |it: &mut Customer| it.channels = vec![channel("email", "A@B.in", true)],
        Event::Channel(change(channel("email", "a@b.in", true), channel("email", "A@B.in", true)))
    )]
    #[case::further_channel(
        |it: &mut Customer| it.channels.push(channel("mobile", "919000000001", true)),
        Event::Channel(change(None, channel("mobile", "919000000001", true)))
    )]
    #[case::channel_gone(
        |it: &mut Customer| it.channels.clear(),
        Event::Channel(change(channel("email", "a@b.in", true), None))
    )]
    #[case::subscription(
        |it: &mut Customer| it.subscriptions = vec![Subscription { subscribed: false, ..BULK_SMS }],
        Event::Subscription(Medium::Sms, Priority::Bulk, change(true, false))
    )]
    #[case::further_subscription(
        |it: &mut Customer| it.subscriptions.push(Subscription { channel: Medium::Email, ..BULK_SMS }),
        Event::Subscription(Medium::Email, Priority::Bulk, change(None, true))
    )]
    fn one_change_is_one_event(#[case] alter: fn(&mut Customer), #[case] expected: Event) {
        let mut after = customer();
        alter(&mut after);
        let set = ChangeSet {
            customer: after.id,
            source: after.source.clone(),
            merge: None,
            events: vec![expected],
        };
        assert_eq!(changes(&plan(Some(customer()), after), &organisation()), [set]);
    }

    #[rstest]
    #[case::nothing(|_: &mut Customer| {})]
    #[case::time_of_update(|it: &mut Customer| it.updated_at = Timestamp::UNIX_EPOCH)]
    #[case::number_as_sent(|it: &mut Customer| {
        it.identifiers.mobile =
            Some(Mobile::stored("919000000001".to_owned(), Some("+91 9000000001".to_owned())));
    })]
    #[case::custom_field_without_a_trail(
        |it: &mut Customer| it.custom_fields.push(field("colour", "red"))
    )]
    #[case::extended_field_without_a_trail(
        |it: &mut Customer| it.extended_fields.push(field("hobby", "chess"))
    )]
    #[case::field_that_is_not_defined(
        |it: &mut Customer| it.custom_fields.push(field("unknown", "x"))
    )]
    #[case::enrolment(|it: &mut Customer| it.enrolments = vec![Enrolment {
        programme: ProgrammeId(1),
        tier: 1,
        tier_expires_at: None,
        balances: Balances::default(),
    }])]
    fn no_change_is_no_entry(#[case] alter: fn(&mut Customer)) {
        let mut after = customer();
        alter(&mut after);
        assert_eq!(changes(&plan(Some(customer()), after), &organisation()), []);
    }

    #[test]
    fn a_card_that_is_issued_is_told_though_nothing_else_changed() {
        let number = "4711".to_owned();
        let card = Card { number: number.clone(), series: None, customer: CustomerId(7) };
        let plan = Plan { card: Some(card), ..plan(Some(customer()), customer()) };
        let sets = changes(&plan, &organisation());
        let events: Vec<_> = sets.iter().flat_map(|set| &set.events).collect();
        assert_eq!(events, [&Event::Card(number)]);
    }

    #[test]
    fn a_referral_stands_under_both_customers() {
        let code = ReferralCode {
            code: "SDX123".to_owned(),
            campaign: "friends".to_owned(),
            referrals: 0,
        };
        let referrer = Customer { id: CustomerId(3), ..customer() };
        let referral = Referral { referrer: Referrer { code, customer: referrer }, reward: None };
        let plan = Plan { referral: Some(referral), ..plan(Some(customer()), customer()) };
        let sets: Vec<_> = changes(&plan, &organisation())
            .into_iter()
            .map(|set| (set.customer.0, set.events))
            .collect();
        let expected = [
            (7, vec![Event::ReferredBy(CustomerId(3))]),
            (3, vec![Event::Referred(CustomerId(7))]),
        ];
        assert_eq!(sets, expected);
    }

    #[test]
    fn the_order_of_lists_is_no_change() {
        let mut before = customer();
        before.channels.push(channel("mobile", "919000000001", true));
        before.custom_fields.push(field("pin", "411001"));
        let mut after = before.clone();
        after.channels.reverse();
        after.custom_fields.reverse();
        assert_eq!(changes(&plan(Some(before), after), &organisation()), []);
    }

    #[test]
    fn everything_of_a_new_customer_is_new() {
        let sets = changes(&plan(None, customer()), &organisation());
        let [set] = sets.as_slice() else { panic!("{sets:?}") };
        let text = |text: &str| change(None, text);
        let expected = vec![
            Event::Identifier(IdentifierKind::Mobile, text("919000000001")),
            Event::Identifier(IdentifierKind::Email, text("a@b.in")),
            Event::Identifier(IdentifierKind::ExternalId, text("A-1")),
            Event::Field(Field::FirstName, text("Asha")),
            Event::Field(Field::LastName, text("Rao")),
            Event::Field(Field::CustomerType, text("NON_LOYALTY")),
            Event::Field(Field::Source, text("INSTORE")),
            Event::Field(Field::AccountId, text("acc")),
            Event::Field(Field::RegisteredAt, text("2025-06-01T12:00:00Z")),
            Event::Field(Field::RegisteredTill, text("till.1")),
            Event::Field(Field::AssociatedTill, text("till.2")),
            Event::Field(Field::Gender, text("F")),
            Event::Field(Field::NdncStatus, text("NDNC")),
            Event::Field(Field::TestControlStatus, text("TEST")),
            Event::Field(Field::FraudStatus, text("NONE")),
            Event::CustomField("city".to_owned(), text("Pune")),
            Event::ExtendedField("age".to_owned(), text("25")),
            Event::Channel(change(None, channel("email", "a@b.in", true))),
            Event::Subscription(Medium::Sms, Priority::Bulk, change(None, true)),
        ];
        assert_eq!(set.events, expected);
    }

    #[test]
    fn each_merge_stands_under_both_customers_and_the_rest_with_the_last() {
        let bare = |id, texts| Customer {
            id: CustomerId(id),
            identifiers: identifiers(texts),
            channels: Vec::new(),
            subscriptions: Vec::new(),
            ..customer()
        };
        let first = bare(1, ["", "a@b.in", ""]);
        let second = bare(2, ["", "", "A-1"]);
        let survivor = bare(3, ["919000000001", "", ""]);
        let between = bare(3, ["919000000001", "a@b.in", ""]);
        let mut after = bare(3, ["919000000001", "a@b.in", "A-1"]);
        after.first_name = Name::parse("Ravi");
        let mut plan = plan(Some(survivor.clone()), after);
        plan.merged = vec![
            Merged { survivor: survivor.clone(), before: first.clone(), after: first.clone() },
            Merged { survivor: between.clone(), before: second.clone(), after: second.clone() },
        ];

        let set = |of: &Customer, victim: &Customer, survivor: &Customer, further: &[Event]| {
            let merge = Event::Merge { victim: victim.id, survivor: survivor.id };
            ChangeSet {
                customer: of.id,
                source: of.source.clone(),
                merge: Some(Merge { victim: victim.into(), survivor: survivor.into() }),
                events: [&[merge], further].concat(),
            }
        };
        let email = Event::Identifier(IdentifierKind::Email, change(None, "a@b.in"));
        let external_id = Event::Identifier(IdentifierKind::ExternalId, change(None, "A-1"));
        let name = standard_field(Field::FirstName, "Asha", "Ravi");
        let expected = [
            set(&first, &first, &survivor, &[]),
            set(&survivor, &first, &survivor, &[email]),
            set(&second, &second, &between, &[]),
            set(&between, &second, &between, &[external_id, name]),
        ];
        let sets = changes(&plan, &organisation());
        assert_eq!(sets, expected);
        let victim = Person {
            first_name: Some("Asha".to_owned()),
            last_name: Some("Rao".to_owned()),
            mobile: None,
            email: Some("a@b.in".to_owned()),
            external_id: None,
        };
        assert_eq!(sets[0].merge.as_ref().map(|merge| &merge.victim), Some(&victim));
    }
}
