//! `GET /v2/referral/validate?code=`: whether a referral code brings a further customer, and who has
//! it: `{valid, referrer, warnings}`.
//!
//! That a code does not is an answer: `valid` is false under HTTP 200, and a warning says so (1205).
//! Of the referrer, what their friends know: the id and the name.

use std::sync::Arc;

use axum::Extension;
use axum::extract::{Request, State};
use axum::http::{StatusCode, Uri};
use axum::response::Response;
use patron_rules::codes;
use patron_rules::customer::Customer;
use patron_rules::profile::Name;
use patron_rules::random_code;
use patron_rules::referral::Referrer;
use patron_store::{Error, Tenant};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::app::App;
use crate::http::query::{self, InvalidQuery};
use crate::http::{body, json};
use crate::v1_1::envelope;

/// Whether a referral code counts.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ReferralValidated)]
struct Validated {
    /// Whether it brings a further customer.
    valid: bool,
    /// Who has it; null where it does not count.
    referrer: Option<ReferrerDetails>,
    /// Why it does not count.
    warnings: Vec<Warning>,
}

#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct ReferrerDetails {
    id: i64,
    first_name: Option<String>,
    last_name: Option<String>,
}

/// Why a referral code does not count.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ReferralWarning)]
struct Warning {
    status: bool,
    code: u32,
    message: &'static str,
}

/// Which referral code is asked about.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct Asked {
    /// The code.
    #[param(required = true, value_type = String)]
    code: Option<String>,
}

/// Ask whether a referral code counts
///
/// That it does not is an answer: `valid` is false, and a warning says so.
#[utoipa::path(
    get, path = "/v2/referral/validate", tag = "customers", operation_id = "validate_referral",
    params(Asked),
    responses((status = 200, body = Validated, description = "Whether it counts, and whose it is"))
)]
pub(crate) async fn get(
    State(app): State<Arc<App>>,
    Extension(tenant): Extension<Tenant>,
    request: Request,
) -> Response {
    let uri = request.uri().clone();
    body::drain(request.into_body(), app.config.body_timeout()).await;
    match handle(&app, &tenant, &uri).await {
        Ok(reply) | Err(reply) => reply,
    }
}

async fn handle(app: &App, tenant: &Tenant, uri: &Uri) -> Result<Response, Response> {
    let sent = query::read(uri)
        .and_then(|Asked { code }| code.ok_or(InvalidQuery::value("code", "a referral code")))
        .map_err(|invalid| envelope::invalid(&invalid))?;
    let referrer = referrer(app, tenant, &sent).await.map_err(|error| {
        tracing::error!(error = error.chain(), "a referral code cannot be looked up");
        envelope::unavailable()
    })?;
    let validated = match referrer {
        Some(customer) => Validated {
            valid: true,
            referrer: Some(ReferrerDetails::from(&customer)),
            warnings: Vec::new(),
        },
        None => Validated { valid: false, referrer: None, warnings: vec![not_found()] },
    };
    Ok(json::reply(StatusCode::OK, &validated))
}

/// Who would be rewarded for a customer who came by this code now.
async fn referrer(app: &App, tenant: &Tenant, sent: &str) -> Result<Option<Customer>, Error> {
    let Some(code) = random_code::canonical(sent) else { return Ok(None) };
    let found = app.store.referrer(tenant, &code).await?;
    let counts = |found: &Referrer| found.code.brings_another(tenant.organisation(), (app.clock)());
    Ok(found.filter(counts).map(|found| found.customer))
}

impl From<&Customer> for ReferrerDetails {
    fn from(customer: &Customer) -> Self {
        let name = |name: &Option<Name>| name.as_ref().map(Name::as_str).map(str::to_owned);
        Self {
            id: customer.id.0,
            first_name: name(&customer.first_name),
            last_name: name(&customer.last_name),
        }
    }
}

const fn not_found() -> Warning {
    let code = codes::REFERRER_NOT_FOUND;
    Warning { status: false, code: code.number, message: code.message }
}
