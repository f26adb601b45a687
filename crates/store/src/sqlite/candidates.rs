//! What is set aside for one registration: loaded before the decision, issued as far as the plan
//! makes use of it. An organisation that makes no numbers and no codes costs nothing here.

use patron_rules::candidates::{Candidates, CouponCandidate, wanted_coupons, wants_external_id};
use patron_rules::card::CardRequest;
use patron_rules::decide::Plan;
use patron_rules::identifier::IdentifierKind;
use patron_rules::trace::Trace;
use patron_rules::validate::Registration;
use rusqlite::Connection;

use super::recent::Holders;
use super::series;
use super::writer::Writing;
use super::{cards, coupons};
use crate::series::{Asked, Free, Maker, Series};
use crate::{Error, Tenant};

/// What is set aside for one registration.
#[derive(Debug, Default)]
pub(super) struct SetAside {
    external_id: Option<Free>,
    /// The card's number, and the progress of its series where it has one.
    card: Option<Free>,
    coupons: Vec<(CouponCandidate, Free)>,
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
            coupons: coupons(writing, tenant)?,
        })
    }

    /// What the decision may make use of.
    pub(super) fn candidates(&self) -> Candidates {
        let text = |free: &Option<Free>| free.as_ref().map(|free| free.text.clone());
        Candidates {
            external_id: text(&self.external_id),
            card: text(&self.card),
            coupons: self.coupons.iter().map(|(candidate, _)| candidate.clone()).collect(),
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
        for coupon in &plan.coupons {
            let set_aside = self.coupons.iter().find(|(candidate, _)| candidate.id == coupon.id);
            if let Some((_, free)) = set_aside {
                series::issue(connection, tenant.id, Series::Coupons(&coupon.series), free)?;
            }
        }
        if let Some(last) = plan.coupons.iter().map(|coupon| coupon.id).max() {
            series::count_up_to(connection, tenant.id, Series::CouponIds, last)?;
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
    // The decision tells why.
    if !wants_external_id(registration, settings, &mut Trace::default()) {
        return Ok(None);
    }
    let (series, maker) = (Series::ExternalIds, Maker::Number(&settings.generated_id.form));
    let asked = Asked { series, maker, limit: None, count: 1 };
    let is_taken = |writing: &Writing<'_>, id: &str| {
        let kind = IdentifierKind::ExternalId;
        Ok(writing.recent.holder(writing.connection, tenant.id, kind, id)?.is_some())
    };
    Ok(series::set_aside(writing, tenant.id, &asked, is_taken)?.pop())
}

/// Coupons have numbers of their own, whatever their series.
fn coupons(
    writing: &mut Writing<'_>,
    tenant: &Tenant,
) -> Result<Vec<(CouponCandidate, Free)>, Error> {
    let organisation = tenant.organisation();
    let wanted = wanted_coupons(organisation);
    if wanted.is_empty() {
        return Ok(Vec::new());
    }
    let connection = writing.connection;
    let mut ids = series::counted(connection, tenant.id, Series::CouponIds)?.saturating_add(1)..;
    let mut set_aside: Vec<(CouponCandidate, Free)> = Vec::new();
    for (name, count) in wanted {
        let Some(known) = organisation.coupon_series.named(name) else { continue };
        let (series, maker) = (Series::Coupons(name), Maker::Code(&known.code));
        let asked = Asked { series, maker, limit: known.limit, count };
        let is_taken = |_: &Writing<'_>, code: &str| {
            Ok(set_aside.iter().any(|(candidate, _)| candidate.code == code)
                || coupons::is_taken(connection, tenant.id, code)?)
        };
        let free = series::set_aside(writing, tenant.id, &asked, is_taken)?;
        for (free, id) in free.into_iter().zip(&mut ids) {
            let (series, code) = (name.to_owned(), free.text.clone());
            set_aside.push((CouponCandidate { series, id, code }, free));
        }
    }
    Ok(set_aside)
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
            let is_taken = |_: &Writing<'_>, number: &str| {
                Ok(cards::issued_to(connection, tenant.id, number)?.is_some())
            };
            Ok(series::set_aside(writing, tenant.id, &asked, is_taken)?.pop())
        }
        (_, Some(None)) | (None, None) => Ok(None),
    }
}
