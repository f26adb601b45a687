//! `/local/…`: what commands on the same machine need besides the admin API. Not served over a
//! network.

use std::sync::Arc;

use axum::extract::{Path, Request, State};
use axum::http::StatusCode;
use axum::response::Response;
use axum::routing::{get, post, put};
use axum::{Extension, Router};
use patron_rules::organisation::Kind;
use patron_store::operators::{OperatorId, Scope};
use patron_store::{Stored, TenantId};
use serde::{Deserialize, Serialize};

use super::body;
use super::name::Name;
use super::password;
use super::problem::Problem;
use super::signed_in::{Member, SignedIn};
use crate::app::App;
use crate::organisation_file::difference::{self, Difference};
use crate::organisation_file::{self, Hashed, OrganisationFile};

/// The largest organisation file, in bytes.
pub(crate) const FILE_LIMIT_BYTES: usize = 64 << 20;
/// How many documents are read at a time.
const DOCUMENTS_AT_ONCE: u32 = 200;

pub(super) fn routes() -> Router<Arc<App>> {
    Router::new()
        .route("/local/organisation_file", post(apply))
        .route("/local/organisations/{organisation}/file", get(export))
        .route("/local/operators/{name}/password", put(set_password))
        .route(
            "/local/organisations/{organisation}/operators/{name}/password",
            put(set_password_of_member),
        )
}

/// An organisation file that is compared with what is stored, and applied.
#[derive(Serialize, Deserialize)]
pub(crate) struct FileRequest {
    /// The file's text, TOML.
    pub(crate) text: String,
    /// The differences that the operator agreed to; `None` only compares.
    pub(crate) agreed: Option<String>,
}

/// How an organisation file differs from what is stored.
#[derive(Serialize, Deserialize)]
pub(crate) struct FileComparison {
    /// The organisation's name.
    pub(crate) organisation: String,
    /// Whether the store has the organisation.
    pub(crate) is_stored: bool,
    /// A line for each document and member that differs; empty if nothing does.
    pub(crate) differences: String,
}

/// An organisation file compared with what is stored.
struct Plan {
    file: OrganisationFile,
    organisation: String,
    /// The stored organisation; `None` if the file creates it.
    tenant: Option<TenantId>,
    differences: Vec<Difference>,
}

/// Compares an organisation file with what is stored, and applies it if the differences are those
/// that the operator agreed to.
async fn apply(
    State(app): State<Arc<App>>,
    Extension(signed_in): Extension<Arc<SignedIn>>,
    request: Request,
) -> Result<Response, Problem> {
    let FileRequest { text, agreed } = body::json_within(&app, request, FILE_LIMIT_BYTES).await?;
    let plan = plan(&app, &text).await?;
    let comparison = FileComparison {
        organisation: plan.organisation.clone(),
        is_stored: plan.tenant.is_some(),
        differences: difference::describe(&plan.differences),
    };
    if let Some(agreed) = agreed {
        if agreed != comparison.differences {
            return Err(Problem::new(
                StatusCode::CONFLICT,
                "the organisation changed after its differences were shown; run the command again",
            ));
        }
        carry_out(&app, plan, signed_in.author(&app)).await?;
    }
    Ok(body::reply(&comparison))
}

async fn plan(app: &App, text: &str) -> Result<Plan, Problem> {
    let file = OrganisationFile::read(text).map_err(|error| invalid_file(&error))?;
    file.check_passwords().map_err(|error| invalid_file(&error))?;
    let organisation = file.name().map_err(|error| invalid_file(&error))?;
    let tenant = app.store.organisation_named(&organisation).await?;
    let (before, stored) = match tenant {
        Some(id) => (app.store.tenant(id).await?.organisation().clone(), documents(app, id).await?),
        None => Default::default(),
    };
    let after = file.applied_to(before).map_err(|error| invalid_file(&error))?;
    // The operator is not asked to agree to a change that would be refused.
    after.check().map_err(patron_store::Error::Invalid)?;
    if tenant.is_none() {
        file.check_tills(&after).map_err(|error| invalid_file(&error))?;
    }
    let differences = difference::between(&stored, &after);
    Ok(Plan { file, organisation, tenant, differences })
}

async fn carry_out(app: &App, plan: Plan, author: patron_store::Author) -> Result<(), Problem> {
    let Plan { file, tenant, differences, .. } = plan;
    let Some(tenant) = tenant else {
        let hash = move || file.new_organisation(&mut Hashed::default());
        let new = tokio::task::spawn_blocking(hash).await.map_err(|_| Problem::unavailable())?;
        return Ok(app
            .store
            .set_up(vec![new.map_err(|error| invalid_file(&error))?], author)
            .await?);
    };
    let changes = differences.into_iter().map(Difference::change).collect();
    app.store.apply(tenant, changes, author).await?;
    Ok(())
}

/// Every document of an organisation.
async fn documents(app: &App, tenant: TenantId) -> Result<Vec<Stored>, Problem> {
    let mut all = Vec::new();
    for kind in Kind::ALL {
        let mut after = String::new();
        loop {
            let page = app.store.resources(tenant, kind, &after, DOCUMENTS_AT_ONCE).await?;
            let Some(last) = page.last() else { break };
            after.clone_from(&last.document.name);
            all.extend(page);
        }
    }
    Ok(all)
}

fn invalid_file(error: &anyhow::Error) -> Problem {
    Problem::new(StatusCode::UNPROCESSABLE_ENTITY, format!("{error:#}"))
}

/// Writes an organisation as a file, without secrets.
async fn export(
    State(app): State<Arc<App>>,
    Extension(member): Extension<Member>,
) -> Result<String, Problem> {
    let tenant = app.store.tenant(member.tenant).await?;
    organisation_file::write(tenant.organisation()).map_err(|error| {
        tracing::error!(
            error = format!("{error:#}"),
            "an organisation cannot be written as a file"
        );
        Problem::unavailable()
    })
}

/// An operator's password, as it is to be.
#[derive(Serialize, Deserialize)]
pub(crate) struct OperatorPassword {
    pub(crate) password: String,
}

/// Sets the password of an operator for everywhere, and ends the operator's sessions.
async fn set_password(
    State(app): State<Arc<App>>,
    Path(Name(name)): Path<Name>,
    request: Request,
) -> Result<StatusCode, Problem> {
    set(&app, OperatorId { scope: Scope::Everywhere, name }, request).await
}

/// The same for an operator of an organisation.
async fn set_password_of_member(
    State(app): State<Arc<App>>,
    Extension(member): Extension<Member>,
    Path((_, Name(name))): Path<(String, Name)>,
    request: Request,
) -> Result<StatusCode, Problem> {
    let scope = Scope::Organisation(member.tenant);
    set(&app, OperatorId { scope, name }, request).await
}

async fn set(app: &App, operator: OperatorId, request: Request) -> Result<StatusCode, Problem> {
    let OperatorPassword { password } = body::json(app, request).await?;
    let hash = password::hash(app, password, &operator.name, "/password").await?;
    app.store.set_operator_password(operator, hash).await?;
    Ok(StatusCode::NO_CONTENT)
}
