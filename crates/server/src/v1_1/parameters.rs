//! The parameters of requests: each is declared once, for the OpenAPI document and for reading it.
//!
//! Headers are declared here for the document and read where they are used.

use serde::Deserialize;
use utoipa::{IntoParams, ToSchema};

use crate::http::query;

/// JSON or XML.
#[derive(ToSchema)]
#[schema(rename_all = "lowercase")]
#[expect(dead_code, reason = "for the document alone")]
enum FormatName {
    Json,
    Xml,
}

/// The format, which outranks the headers.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct Formatted {
    /// The format of the request and of its reply. Without it a request is of its `Content-Type`, and
    /// its reply what `Accept` prefers.
    #[param(inline, value_type = Option<FormatName>)]
    pub(crate) format: Option<String>,
}

/// What makes a request one that is answered once.
#[derive(IntoParams)]
#[into_params(parameter_in = Header)]
#[expect(dead_code, reason = "for the document alone")]
pub(crate) struct AnsweredOnce {
    /// What the caller calls this request and no other, such as a UUID. For 24 hours, whoever repeats
    /// the request with the same key gets the first answer again, with `Idempotent-Replayed: true`, and
    /// changes nothing; the key with another body, format, `explain`, attribution or client country code is refused. A request
    /// of which no customer went through leaves its key free, as a dry run does.
    #[param(rename = "Idempotency-Key", min_length = 1, max_length = 255, pattern = "^[!-~]+$")]
    idempotency_key: Option<String>,
}

/// As which till a request is posted.
#[derive(IntoParams)]
#[into_params(parameter_in = Header)]
#[expect(dead_code, reason = "for the document alone")]
pub(crate) struct Attributed {
    /// By what the entity is called: `TILL`, unless it is `STORE_CODE`, `STORE_NAME`,
    /// `STORE_EXTERNAL_ID`, `STORE_EXTERNAL_ID_1` or `STORE_EXTERNAL_ID_2`.
    #[param(rename = "X-CAP-API-ATTRIBUTION-ENTITY-TYPE")]
    entity_type: Option<String>,
    /// The till as which the request is posted, or the store, which posts as its first till.
    #[param(rename = "X-CAP-API-ATTRIBUTION-ENTITY-CODE")]
    entity_code: Option<String>,
    /// The till, where no entity is sent.
    #[param(rename = "X-CAP-API-ATTRIBUTION-TILL-CODE")]
    till_code: Option<String>,
}

/// The country of the client's mobile numbers.
#[derive(IntoParams)]
#[into_params(parameter_in = Header)]
#[expect(dead_code, reason = "for the document alone")]
pub(crate) struct ClientCountry {
    /// The calling code of mobile numbers that come without one, such as `91`. Of the organisation's
    /// countries (`COUNTRY`, `SUPPORTED_COUNTRIES`), those with this code are tried first. It admits
    /// no further country.
    #[param(rename = "X-CAP-CLIENT-COUNTRYCODE", example = "91")]
    client_country_code: Option<String>,
}

/// The user who acts through the caller, for the audit. The headers never fail a request: the audit keeps
/// the first 255 characters of the first value, without control characters.
#[derive(IntoParams)]
#[into_params(parameter_in = Header)]
#[expect(dead_code, reason = "for the document alone")]
pub(crate) struct UserContext {
    /// The class of user.
    #[param(rename = "USER-CONTEXT-ENTITY-TYPE")]
    entity_type: Option<String>,
    /// The user's identifier.
    #[param(rename = "USER-CONTEXT-ENTITY-ID")]
    entity_id: Option<String>,
    /// The application through which the user acts: `API`, `IMPORT`, `CONNECT_PLUS`, `MEMBER_CARE`,
    /// `REQUEST_WORKFLOW` or another one.
    #[param(rename = "USER-CONTEXT-ENTITY-SOURCE")]
    entity_source: Option<String>,
    /// The source's identifier.
    #[param(rename = "USER-CONTEXT-ENTITY-SOURCE-ID")]
    entity_source_id: Option<String>,
}

/// How customers are registered.
#[derive(Default, Deserialize, IntoParams)]
#[serde(default)]
#[into_params(parameter_in = Query)]
pub(crate) struct Registering {
    /// Decide, and store nothing. The reply has the header `Dry-Run: true`. Needs read permission for
    /// customers.
    pub(crate) dry_run: bool,
    /// Explain each customer's outcome. Needs read permission for customers.
    pub(crate) explain: bool,
}

/// Which customers are looked up: the first of these parameters that has a value counts. Several values
/// are separated by commas. One of them is required.
#[derive(Default, Deserialize, IntoParams)]
#[serde(default)]
#[into_params(parameter_in = Query)]
pub(crate) struct LookedUp {
    /// Mobile numbers.
    #[serde(deserialize_with = "query::list")]
    #[param(example = "917700811213", value_type = String)]
    pub(crate) mobile: Vec<String>,
    /// Email addresses.
    #[serde(deserialize_with = "query::emails")]
    #[param(value_type = String)]
    pub(crate) email: Vec<String>,
    /// External ids.
    #[serde(deserialize_with = "query::list")]
    #[param(value_type = String)]
    pub(crate) external_id: Vec<String>,
    /// Numbers of customers.
    #[serde(deserialize_with = "query::list")]
    #[param(value_type = String)]
    pub(crate) id: Vec<String>,
    /// Numbers of cards. A client of the documented API sends it as `cardnumber`.
    #[serde(deserialize_with = "query::list")]
    #[param(value_type = String)]
    pub(crate) card_number: Vec<String>,
    /// External ids of cards. Cards have none here, so no customer is found.
    #[serde(deserialize_with = "query::list")]
    #[param(value_type = String)]
    pub(crate) card_external_id: Vec<String>,
}
