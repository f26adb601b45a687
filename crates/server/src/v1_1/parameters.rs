//! The parameters of requests, for the OpenAPI document; they are read where they are used.

#![expect(dead_code, reason = "for the document alone")]

use utoipa::{IntoParams, ToSchema};

/// JSON or XML.
#[derive(ToSchema)]
#[schema(rename_all = "lowercase")]
pub(crate) enum Format {
    Json,
    Xml,
}

/// The format, which outranks the headers.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct Formatted {
    /// The format of the request and of its reply. Without it a request is of its `Content-Type`, and
    /// its reply what `Accept` prefers.
    #[param(inline)]
    format: Option<Format>,
}

/// What makes a request one that is answered once.
#[derive(IntoParams)]
#[into_params(parameter_in = Header)]
pub(crate) struct AnsweredOnce {
    /// What the caller calls this request and no other, such as a UUID. For 24 hours, whoever repeats
    /// the request with the same key gets the first answer again, with `Idempotent-Replayed: true`, and
    /// changes nothing; the key with another body, format, `explain` or attribution is refused. A request
    /// of which no customer went through leaves its key free, as a dry run does.
    #[param(rename = "Idempotency-Key", min_length = 1, max_length = 255, pattern = "^[!-~]+$")]
    idempotency_key: Option<String>,
}

/// As which till a request is posted.
#[derive(IntoParams)]
#[into_params(parameter_in = Header)]
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

/// Who acts through the caller, for the audit: kept as it is sent.
#[derive(IntoParams)]
#[into_params(parameter_in = Header)]
pub(crate) struct UserContext {
    /// The sort of user.
    #[param(rename = "USER-CONTEXT-ENTITY-TYPE", max_length = 255)]
    entity_type: Option<String>,
    /// The user's identifier.
    #[param(rename = "USER-CONTEXT-ENTITY-ID", max_length = 255)]
    entity_id: Option<String>,
    /// Through what the user acts: `API`, `IMPORT`, `CONNECT_PLUS`, `MEMBER_CARE`, `REQUEST_WORKFLOW`
    /// or another one.
    #[param(rename = "USER-CONTEXT-ENTITY-SOURCE", max_length = 255)]
    entity_source: Option<String>,
    /// The source's identifier.
    #[param(rename = "USER-CONTEXT-ENTITY-SOURCE-ID", max_length = 255)]
    entity_source_id: Option<String>,
}

/// How customers are registered.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct Registering {
    /// Decide, and store nothing.
    dry_run: Option<bool>,
    /// Say of each customer why they came out so.
    explain: Option<bool>,
}

/// Which customers are looked up: the first of these that is there counts, several values of it
/// separated by commas. One of them is required.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct LookedUp {
    /// Mobile numbers.
    #[param(example = "917700811213")]
    mobile: Option<String>,
    /// Email addresses.
    email: Option<String>,
    /// External ids.
    external_id: Option<String>,
    /// Numbers of customers.
    id: Option<String>,
    /// Numbers of cards.
    card_number: Option<String>,
    /// Tell the customer's number.
    user_id: Option<bool>,
    /// Tell the customer's cards.
    card_details: Option<bool>,
    /// Tell the codes by which the customer refers others.
    referral_codes: Option<bool>,
}
