//! `?explain=true`: beside each customer of a reply, why it came out so. An extension of Patron's,
//! never present unless asked for.

use patron_rules::codes;
use patron_rules::decide::Decision;
use patron_rules::identifier::{Email, ExternalId, IdentifierKind, Identifiers, Mobile};
use patron_rules::settings::Settings;
use patron_rules::submission::Submission;
use serde::Serialize;

/// Why a customer came out as they did.
#[derive(Debug, Clone, Serialize)]
pub(super) struct Explanation {
    /// The identifiers in the form in which they are compared.
    identifiers: Option<CanonicalIdentifiers>,
    /// Who held them before.
    matches: Vec<Match>,
    /// The rules that decided, in order.
    steps: Vec<Step>,
    /// The members that were not right.
    problems: Vec<Problem>,
}

#[derive(Debug, Clone, Serialize)]
struct CanonicalIdentifiers {
    mobile: Option<String>,
    email: Option<String>,
    external_id: Option<String>,
}

#[derive(Debug, Clone, Serialize)]
struct Match {
    identifier: &'static str,
    user_id: i64,
    through_merge: bool,
}

#[derive(Debug, Clone, Serialize)]
struct Step {
    rule: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    setting: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    value: Option<String>,
}

#[derive(Debug, Clone, Serialize)]
struct Problem {
    code: String,
    message: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pointer: Option<String>,
}

/// The wire's name of a kind of identifier.
pub(super) const fn wire_name(kind: IdentifierKind) -> &'static str {
    match kind {
        IdentifierKind::Mobile => "mobile",
        IdentifierKind::Email => "email",
        IdentifierKind::ExternalId => "external_id",
    }
}

/// Explains one customer. `place` is where the customer stands in the body.
pub(super) fn explain(
    place: &str,
    submission: &Submission,
    identifiers: Option<&Identifiers>,
    decision: &Decision,
    settings: &Settings,
) -> Explanation {
    let value = |name: &str| settings.texts().find(|(known, _)| *known == name).map(|row| row.1);
    let step = |rule: &str, setting: Option<&'static str>| Step {
        rule: rule.to_owned(),
        setting,
        value: setting.and_then(value),
    };
    let mut steps = vec![step(
        "the identifier that says who a customer is",
        Some("CONF_REGISTRATION_PRIMARY_KEY"),
    )];
    if submission.mobile.is_some() {
        steps.push(step("mobile numbers are completed by the base country", Some("COUNTRY")));
    }
    steps.extend(decision.rule.map(|rule| step(rule.sentence(), rule.setting())));
    Explanation {
        identifiers: identifiers.map(|canonical| CanonicalIdentifiers {
            mobile: canonical.mobile.as_ref().map(Mobile::digits).map(str::to_owned),
            email: canonical.email.as_ref().map(Email::key).map(str::to_owned),
            external_id: canonical.external_id.as_ref().map(ExternalId::as_str).map(str::to_owned),
        }),
        matches: decision
            .holders
            .all()
            .iter()
            .map(|holder| Match {
                identifier: wire_name(holder.kind),
                user_id: holder.customer.0,
                through_merge: holder.through_merge,
            })
            .collect(),
        steps,
        problems: problems(place, submission, decision),
    }
}

fn problems(place: &str, submission: &Submission, decision: &Decision) -> Vec<Problem> {
    let malformed = submission.malformed.as_ref().map(|malformed| malformed.pointer.clone());
    match &decision.outcome {
        Err(failure) => {
            let pointer =
                malformed.or_else(|| Some(format!("{place}/{}", member(failure.code.number)?)));
            let code = failure.code.number.to_string();
            vec![Problem { code, message: failure.message.to_string(), pointer }]
        }
        Ok(plan) => plan
            .warnings
            .iter()
            .map(|warning| Problem {
                code: warning.code.number.to_string(),
                message: warning.message.to_string(),
                pointer: member(warning.code.number).map(|member| format!("{place}/{member}")),
            })
            .collect(),
    }
}

/// The member that a code speaks of, where it is one.
fn member(code: u32) -> Option<&'static str> {
    [
        (codes::INVALID_MOBILE, "mobile"),
        (codes::MOBILE_REQUIRED, "mobile"),
        (codes::MOBILE_TAKEN, "mobile"),
        (codes::COUNTRY_MISSING, "mobile"),
        (codes::INVALID_EMAIL, "email"),
        (codes::EMAIL_REQUIRED, "email"),
        (codes::EMAIL_TAKEN, "email"),
        (codes::EMAIL_NEEDED_FOR_LOYALTY, "email"),
        (codes::INVALID_EXTERNAL_ID, "external_id"),
        (codes::NO_EXTERNAL_IDS, "external_id"),
        (codes::EXTERNAL_ID_REQUIRED, "external_id"),
        (codes::EXTERNAL_ID_TAKEN, "external_id"),
        (codes::EXTERNAL_ID_NEEDED_FOR_LOYALTY, "external_id"),
        (codes::LOYALTY_STAYS, "type"),
        (codes::NON_LOYALTY_NEEDS_CONTACT, "type"),
        (codes::DATE_OUT_OF_RANGE, "registered_on"),
        (codes::INVALID_REGISTERED_TILL, "registered_till"),
        (codes::INVALID_ASSOCIATED_TILL, "associated_with"),
        (codes::INVALID_CUSTOM_FIELD, "custom_fields"),
        (codes::INVALID_EXTENDED_FIELD, "extended_fields"),
    ]
    .into_iter()
    .find(|(row, _)| row.number == code)
    .map(|(_, member)| member)
}
