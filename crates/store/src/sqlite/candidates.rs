//! What is set aside for one registration: loaded before the decision, issued as far as the plan
//! makes use of it. An organisation that makes no numbers and no codes costs nothing here.

use patron_rules::candidates::{Candidates, wants_external_id};
use patron_rules::decide::Plan;
use patron_rules::identifier::IdentifierKind;
use patron_rules::validate::Registration;
use rusqlite::Connection;

use super::customer;
use super::series::{self, Number, Series};
use super::writer::Writing;
use crate::{Error, Tenant};

/// What is set aside for one registration.
#[derive(Debug, Default)]
pub(super) struct SetAside {
    external_id: Option<Number>,
}

impl SetAside {
    /// Sets aside whatever the registration may need.
    pub(super) fn load(
        writing: &mut Writing<'_>,
        tenant: &Tenant,
        registration: &Registration,
    ) -> Result<Self, Error> {
        let settings = &tenant.organisation().settings;
        let mut set_aside = Self::default();
        if wants_external_id(registration, settings) {
            let (connection, kind) = (writing.connection, IdentifierKind::ExternalId);
            set_aside.external_id = series::set_aside(
                writing,
                tenant.id,
                Series::ExternalIds,
                &settings.generated_id.form,
                |number| Ok(customer::holder(connection, tenant.id, kind, number)?.is_some()),
            )?;
        }
        Ok(set_aside)
    }

    /// What the decision may make use of.
    pub(super) fn candidates(&self) -> Candidates {
        Candidates {
            external_id: self.external_id.as_ref().map(|number| number.text.clone()),
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
        if let Some(number) = &self.external_id
            && plan.gains(IdentifierKind::ExternalId, &number.text)
        {
            series::issue(connection, tenant.id, Series::ExternalIds, number)?;
        }
        Ok(())
    }
}
