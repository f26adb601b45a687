//! What is set aside for one registration: loaded before the decision, issued as far as the plan
//! makes use of it. An organisation that makes no numbers and no codes costs nothing here.

use patron_rules::candidates::{Candidates, wants_external_id};
use patron_rules::card::CardRequest;
use patron_rules::decide::Plan;
use patron_rules::identifier::IdentifierKind;
use patron_rules::validate::Registration;
use rusqlite::Connection;

use super::series::{self, Asked, Free, Maker, Series};
use super::writer::Writing;
use super::{cards, customer};
use crate::{Error, Tenant};

/// What is set aside for one registration.
#[derive(Debug, Default)]
pub(super) struct SetAside {
    external_id: Option<Free>,
    /// The card's number, and the progress of its series where it has one.
    card: Option<Free>,
}

impl SetAside {
    /// Sets aside whatever the registration may need.
    pub(super) fn load(
        writing: &mut Writing<'_>,
        tenant: &Tenant,
        registration: &Registration,
    ) -> Result<Self, Error> {
        Ok(Self {
            external_id: external_id(writing, tenant, registration)?,
            card: match &registration.card {
                Some(asked) => card(writing, tenant, asked)?,
                None => None,
            },
        })
    }

    /// What the decision may make use of.
    pub(super) fn candidates(&self) -> Candidates {
        let text = |free: &Option<Free>| free.as_ref().map(|free| free.text.clone());
        Candidates {
            external_id: text(&self.external_id),
            card: text(&self.card),
            coupons: Vec::new(),
        }
    }

    /// Counts what the plan makes use of as issued.
    pub(super) fn issue(
        &self,
        connection: &Connection,
        tenant: &Tenant,
        plan: &Plan,
    ) -> Result<(), Error> {
        if let Some(free) = &self.external_id
            && plan.gains(IdentifierKind::ExternalId, &free.text)
        {
            series::issue(connection, tenant.id, Series::ExternalIds, free)?;
        }
        if let (Some(free), Some(card)) = (&self.card, &plan.card)
            && let Some(name) = &card.series
        {
            series::issue(connection, tenant.id, Series::Cards(name), free)?;
        }
        Ok(())
    }
}

fn external_id(
    writing: &mut Writing<'_>,
    tenant: &Tenant,
    registration: &Registration,
) -> Result<Option<Free>, Error> {
    let settings = &tenant.organisation().settings;
    if !wants_external_id(registration, settings) {
        return Ok(None);
    }
    let (series, maker) = (Series::ExternalIds, Maker::Number(&settings.generated_id.form));
    let asked = Asked { series, maker, limit: None, count: 1 };
    let (connection, kind) = (writing.connection, IdentifierKind::ExternalId);
    let is_taken = |id: &str| Ok(customer::holder(connection, tenant.id, kind, id)?.is_some());
    Ok(series::set_aside(writing, tenant.id, &asked, is_taken)?.pop())
}

fn card(
    writing: &mut Writing<'_>,
    tenant: &Tenant,
    CardRequest { number, series }: &CardRequest,
) -> Result<Option<Free>, Error> {
    let connection = writing.connection;
    let known = series.as_ref().map(|name| tenant.organisation().card_series.named(name));
    match (number, known) {
        (Some(number), None) => Ok(Some(Free::of_no_series(number))),
        (Some(number), Some(Some(known))) => {
            let series = Series::Cards(&known.name);
            series::set_aside_given(connection, tenant.id, series, known.limit, number)
        }
        (None, Some(Some(known))) => {
            let (series, maker) = (Series::Cards(&known.name), Maker::Number(&known.number));
            let asked = Asked { series, maker, limit: known.limit, count: 1 };
            let is_taken =
                |number: &str| Ok(cards::issued_to(connection, tenant.id, number)?.is_some());
            Ok(series::set_aside(writing, tenant.id, &asked, is_taken)?.pop())
        }
        (_, Some(None)) | (None, None) => Ok(None),
    }
}
