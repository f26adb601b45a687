//! `?explain=true`: beside each customer of a reply, why it came out so. An extension of Patron's,
//! never present unless asked for.

use std::borrow::Cow;

use patron_rules::decide::Decision;
use patron_rules::identifier::{IdentifierKind, Identifiers};
use patron_rules::settings::Settings;
use patron_rules::trace::{self, Trace};
use serde::Serialize;
use utoipa::ToSchema;

use super::place::{self, Place};

/// Why a customer came out as they did.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub(super) struct Explanation {
    /// The identifiers that are valid, in the form in which they are compared.
    identifiers: CanonicalIdentifiers,
    /// Who held them before.
    matches: Vec<Match>,
    /// What was decided, by which setting, in order.
    steps: Vec<Step>,
    /// The members that were not right.
    problems: Vec<Problem>,
}

#[derive(Debug, Clone, Serialize, ToSchema)]
struct CanonicalIdentifiers {
    mobile: Option<String>,
    email: Option<String>,
    external_id: Option<String>,
}

#[derive(Debug, Clone, Serialize, ToSchema)]
struct Match {
    identifier: &'static str,
    user_id: i64,
    through_merge: bool,
}

#[derive(Debug, Clone, Serialize, ToSchema)]
struct Step {
    rule: Cow<'static, str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    setting: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    value: Option<String>,
}

#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = CustomerProblem)]
struct Problem {
    code: String,
    message: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pointer: Option<String>,
}

/// Explains what became of one customer who was sent from this place.
pub(super) fn explain(
    place: &Place,
    identifiers: &Identifiers,
    trace: &Trace,
    decision: &Decision,
    settings: &Settings,
) -> Explanation {
    let step = |step: &trace::Step| Step {
        rule: step.sentence(),
        setting: step.setting(),
        value: step.setting().and_then(|name| settings.text(name)),
    };
    let owned = |text: &str| text.to_owned();
    Explanation {
        identifiers: CanonicalIdentifiers {
            mobile: identifiers.key(IdentifierKind::Mobile).map(owned),
            email: identifiers.key(IdentifierKind::Email).map(owned),
            external_id: identifiers.key(IdentifierKind::ExternalId).map(owned),
        },
        matches: decision
            .holders
            .all()
            .iter()
            .map(|holder| Match {
                identifier: place::identifier(holder.kind),
                user_id: holder.customer.0,
                through_merge: holder.through_merge,
            })
            .collect(),
        steps: trace.steps().iter().chain(decision.trace.steps()).map(step).collect(),
        problems: match &decision.outcome {
            Err(failure) => vec![Problem {
                code: failure.code.number.to_string(),
                message: failure.message(|member| place.pointer(member)).into_owned(),
                pointer: failure.member.as_ref().map(|member| place.pointer(member)),
            }],
            Ok(plan) => plan
                .warnings
                .iter()
                .map(|warning| Problem {
                    code: warning.code.number.to_string(),
                    message: warning.message(|member| place.name(member)).into_owned(),
                    pointer: warning.member.as_ref().map(|member| place.pointer(member)),
                })
                .collect(),
        },
    }
}
