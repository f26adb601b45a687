//! `/admin/api/v1/organisations`: the organisations, and what is set up for each.

mod api_clients;
mod changes;
pub(super) mod operators;
mod tills;

use std::sync::Arc;

use axum::Extension;
use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::http::header::LOCATION;
use axum::response::{IntoResponse, Response};
use patron_rules::organisation::{
    AccessGroup, AlternateCurrency, ApiClient, CardSeries, Concept, CouponSeries, CustomField,
    CustomerSource, Details, Documents, ExtendedField, Kind, Limits, Organisation, Programme,
    ReferralCampaign, RewardRule, Store, Till, Zone,
};
use patron_rules::settings::Settings;
use patron_store::{Error, NewOrganisation, OrganisationName};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::body;
use super::describe::ORGANISATION;
use super::documents::{several, single};
use super::list::{Listed, Page};
use super::problem::Problem;
use super::signed_in::SignedIn;
use crate::app::App;
use crate::http::query::{InvalidQuery, Query};

pub(super) fn routes() -> OpenApiRouter<Arc<App>> {
    let own = OpenApiRouter::new()
        .routes(routes!(list, make))
        .merge(api_clients::secrets())
        .merge(changes::routes())
        .merge(operators::routes())
        .merge(tills::passwords());
    // What is said of a kind where it is a document comes first, and is kept.
    let documents = Kind::ALL.into_iter().map(documents);
    documents.fold(OpenApiRouter::new(), OpenApiRouter::merge).merge(own)
}

/// The endpoints of the documents of a kind.
fn documents(kind: Kind) -> OpenApiRouter<Arc<App>> {
    let at = |kind: Kind| format!("{ORGANISATION}/{}", kind.name());
    match kind {
        Kind::Organisation => single::<Details>(kind, ORGANISATION),
        Kind::Settings => single::<Settings>(kind, &at(kind)),
        Kind::AccessGroups => several::<AccessGroup>(kind),
        Kind::Zones => several::<Zone>(kind),
        Kind::Concepts => several::<Concept>(kind),
        Kind::Stores => several::<Store>(kind),
        Kind::Tills => several::<Till>(kind),
        Kind::ApiClients => several::<ApiClient>(kind),
        Kind::Limits => single::<Limits>(kind, &at(kind)),
        Kind::Sources => several::<CustomerSource>(kind),
        Kind::CustomFields => several::<CustomField>(kind),
        Kind::ExtendedFields => several::<ExtendedField>(kind),
        Kind::Programmes => several::<Programme>(kind),
        Kind::CardSeries => several::<CardSeries>(kind),
        Kind::CouponSeries => several::<CouponSeries>(kind),
        Kind::Currencies => several::<AlternateCurrency>(kind),
        Kind::ReferralCampaigns => several::<ReferralCampaign>(kind),
        Kind::RewardRules => several::<RewardRule>(kind),
    }
}

/// An organisation in a list.
#[derive(Serialize, ToSchema)]
struct OrganisationListed {
    /// Its name.
    name: String,
    /// Whether its passwords are public.
    is_demo: bool,
    /// What the operator may do there.
    #[schema(value_type = String)]
    role: &'static str,
}

/// List the organisations in which the operator has a role
#[utoipa::path(
    get, path = "/admin/api/v1/organisations", tag = "organisation", params(Page),
    responses((status = 200, body = Listed<OrganisationListed>, description = "A page of the list"))
)]
async fn list(
    State(app): State<Arc<App>>,
    Extension(signed_in): Extension<Arc<SignedIn>>,
    query: Result<Query<Page>, InvalidQuery>,
) -> Result<Response, Problem> {
    let page = Page::of(query)?;
    let known = app.store.organisations().await?;
    let seen = known.into_iter().filter(|known| known.name > page.after).filter_map(
        |OrganisationName { id, name, is_demo }| {
            let role = signed_in.session.role_in(id)?.name();
            Some(OrganisationListed { name, is_demo, role })
        },
    );
    let seen = seen.take(usize::try_from(page.one_more()).unwrap_or(usize::MAX)).collect();
    Ok(body::reply(&page.of_found(seen, |seen: &OrganisationListed| &seen.name)))
}

/// Make an organisation
///
/// For operators who are owners everywhere.
#[utoipa::path(
    post, path = "/admin/api/v1/organisations", tag = "organisation", request_body = Details,
    responses(
        (status = 201, body = Details, description = "Made"),
        (status = 403, body = Problem, content_type = "application/problem+json",
         description = "The operator is not an owner everywhere"),
        (status = 409, body = Problem, content_type = "application/problem+json",
         description = "An organisation of this name exists already")
    )
)]
async fn make(
    State(app): State<Arc<App>>,
    Extension(signed_in): Extension<Arc<SignedIn>>,
    request: Request,
) -> Result<Response, Problem> {
    let text = body::text(&app, request).await?;
    signed_in.must_own_everything()?;
    let mut organisation = Organisation::default();
    organisation.details.put(&text)?;
    let name = organisation.details.name.clone();
    let new = NewOrganisation { organisation, is_demo: false, passwords: Vec::new() };
    app.store.set_up(vec![new], signed_in.author(&app)).await.map_err(|error| match error {
        Error::Taken(_) => {
            Problem::new(StatusCode::CONFLICT, format!("organisation `{name}` exists already"))
        }
        error => Problem::of_document(error, Some((Kind::Organisation, Kind::Organisation.name()))),
    })?;
    let tenant = app.store.organisation_named(&name).await?.ok_or_else(Problem::unavailable)?;
    let kind = Kind::Organisation;
    let made = app.store.resource(tenant, kind, kind.name()).await?;
    let mut reply =
        super::document::reply(StatusCode::CREATED, &made.ok_or_else(Problem::unavailable)?);
    let encoded = utf8_percent_encode(&name, NON_ALPHANUMERIC).to_string();
    if let Ok(location) = ORGANISATION.replace("{organisation}", &encoded).parse() {
        reply.headers_mut().insert(LOCATION, location);
    }
    Ok(reply.into_response())
}
