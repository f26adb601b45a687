//! A customer's row.

use patron_rules::customer::{Customer, CustomerId, Enrolment};
use patron_rules::decide::Plan;
use patron_rules::identifier::{Email, ExternalId, IdentifierKind, Identifiers, Mobile};
use patron_rules::organisation::TillId;
use patron_rules::profile::{CustomerType, FieldValue, FraudStatus, Name, Source};
use patron_rules::settings::Settings;
use patron_rules::submission::Kept;

use super::{Row, corrupt, enrolment, list_from_json};
use crate::Error;

/// The customer of a row in the table of customers, with the enrolments of others.
pub(crate) fn from_row(
    row: &impl Row,
    id: CustomerId,
    enrolments: Vec<Enrolment>,
) -> Result<Customer, Error> {
    let mobile_sent = row.maybe_text("mobile_sent")?;
    Ok(Customer {
        id,
        identifiers: Identifiers {
            mobile: row.maybe_text("mobile")?.map(|digits| Mobile::stored(digits, mobile_sent)),
            email: row.maybe_text("email")?.map(Email::stored),
            external_id: row.maybe_text("external_id")?.map(ExternalId::stored),
        },
        first_name: row.maybe_text("first_name")?.map(Name::stored),
        last_name: row.maybe_text("last_name")?.map(Name::stored),
        customer_type: CustomerType::parse(&row.text("type")?)
            .ok_or_else(|| corrupt("a customer of no known type"))?,
        source: Source::stored(row.text("source")?),
        account_id: row.maybe_text("account_id")?,
        registered_at: row.time("registered_at")?,
        updated_at: row.time("updated_at")?,
        registered_till: TillId(row.number("registered_till")?),
        associated_till: row.maybe_number("associated_till")?.map(TillId),
        fraud_status: row.maybe_text("fraud_status")?.map(FraudStatus::stored),
        channels: list_from_json(row.maybe_text("channels")?)?,
        subscriptions: list_from_json(row.maybe_text("subscriptions")?)?,
        kept: kept(row.maybe_text("kept")?)?,
        custom_fields: field_values(row.maybe_text("custom_fields")?)?,
        extended_fields: field_values(row.maybe_text("extended_fields")?)?,
        enrolments,
    })
}

/// The email address that the customer gives up and the one that they gain, where several customers
/// may share one.
pub(crate) fn shared_email<'a>(
    plan: &'a Plan,
    settings: &Settings,
) -> (Option<&'a str>, Option<&'a str>) {
    let key = |customer: &'a Customer| customer.identifiers.key(IdentifierKind::Email);
    let (before, after) = (plan.before.as_ref().and_then(key), key(&plan.customer));
    if settings.identifies(IdentifierKind::Email) || before == after {
        return (None, None);
    }
    (before, after)
}

/// A customer as JSON, whole.
pub(crate) fn snapshot(customer: &Customer) -> serde_json::Value {
    let Identifiers { mobile, email, external_id } = &customer.identifiers;
    serde_json::json!({
        "mobile": mobile.as_ref().map(Mobile::digits),
        "mobile_sent": mobile.as_ref().map(Mobile::sent),
        "email": email.as_ref().map(Email::as_str),
        "external_id": external_id.as_ref().map(ExternalId::as_str),
        "first_name": customer.first_name.as_ref().map(Name::as_str),
        "last_name": customer.last_name.as_ref().map(Name::as_str),
        "type": customer.customer_type.name(),
        "source": customer.source.name(),
        "account_id": customer.account_id,
        "registered_at": customer.registered_at.as_millisecond(),
        "updated_at": customer.updated_at.as_millisecond(),
        "registered_till": customer.registered_till.0,
        "associated_till": customer.associated_till.map(|till| till.0),
        "fraud_status": customer.fraud_status.as_ref().map(FraudStatus::name),
        "channels": customer.channels,
        "subscriptions": customer.subscriptions,
        "kept": kept_pairs(&customer.kept),
        "custom_fields": field_pairs(&customer.custom_fields),
        "extended_fields": field_pairs(&customer.extended_fields),
        "enrolments": customer.enrolments.iter().map(enrolment::snapshot).collect::<Vec<_>>(),
    })
}

pub(crate) fn kept_pairs(kept: &Kept) -> Vec<(&'static str, &str)> {
    let Kept { gender, ndnc_status, test_control_status } = kept;
    [("gender", gender), ("ndnc_status", ndnc_status), ("test_control_status", test_control_status)]
        .into_iter()
        .filter_map(|(name, value)| Some((name, value.as_deref()?)))
        .collect()
}

fn kept(json: Option<String>) -> Result<Kept, Error> {
    let mut kept = Kept::default();
    for (name, value) in list_from_json::<(String, String)>(json)? {
        let member = match name.as_str() {
            "gender" => &mut kept.gender,
            "ndnc_status" => &mut kept.ndnc_status,
            "test_control_status" => &mut kept.test_control_status,
            _ => return Err(corrupt("something kept under no known name")),
        };
        *member = Some(value);
    }
    Ok(kept)
}

pub(crate) fn field_pairs(values: &[FieldValue]) -> Vec<(&str, &str)> {
    values.iter().map(|field| (field.name.as_str(), field.value.as_str())).collect()
}

fn field_values(json: Option<String>) -> Result<Vec<FieldValue>, Error> {
    let pairs: Vec<(String, String)> = list_from_json(json)?;
    Ok(pairs.into_iter().map(|(name, value)| FieldValue { name, value }).collect())
}
