//! What is set aside for one registration: loaded before the decision, issued as far as the plan
//! makes use of it. An organisation that makes no numbers and no codes costs nothing here.

use patron_rules::candidates::{Candidates, CouponCandidate, wanted_coupons, wants_external_id};
use patron_rules::card::CardRequest;
use patron_rules::decide::Plan;
use patron_rules::identifier::IdentifierKind;
use patron_rules::trace::Trace;
use patron_rules::validate::Registration;

use super::random::Randomness;
use super::working::{Working, key};
use crate::series::{Asked, Free, Maker, Progress, Search, Series};
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
    pub(super) async fn load(
        working: &mut Working,
        tenant: &Tenant,
        registration: &Registration,
        random: &Randomness,
    ) -> Result<Self, Error> {
        Ok(Self {
            external_id: external_id(working, tenant, registration, random).await?,
            card: match &registration.card {
                Some(asked) => card(working, tenant, asked, random).await?,
                None => None,
            },
            coupons: coupons(working, tenant, random).await?,
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
    pub(super) fn issue(&self, working: &mut Working, plan: &Plan) -> Result<(), Error> {
        if let Some(free) = &self.external_id
            && plan.gains(IdentifierKind::ExternalId, &free.text)
        {
            working.reach(Series::ExternalIds, free.progress);
        }
        if let (Some(free), Some(card)) = (&self.card, &plan.card)
            && let Some(name) = &card.series
        {
            working.reach(Series::Cards(name), free.progress);
        }
        for coupon in &plan.coupons {
            let set_aside = self.coupons.iter().find(|(candidate, _)| candidate.id == coupon.id);
            if let Some((_, free)) = set_aside {
                working.reach(Series::Coupons(&coupon.series), free.progress);
            }
        }
        if let Some(last) = plan.coupons.iter().map(|coupon| coupon.id).max() {
            working.reach(Series::CouponIds, Progress::up_to(last)?);
        }
        Ok(())
    }
}

async fn external_id(
    working: &mut Working,
    tenant: &Tenant,
    registration: &Registration,
    random: &Randomness,
) -> Result<Option<Free>, Error> {
    let settings = &tenant.organisation().settings;
    // The decision tells why.
    if !wants_external_id(registration, settings, &mut Trace::default()) {
        return Ok(None);
    }
    let (series, maker) = (Series::ExternalIds, Maker::Number(&settings.generated_id.form));
    let asked = Asked { series, maker, limit: None, count: 1 };
    let mut search = Search::new(asked, working.progress(series).await?);
    while let Some(id) = search.next(&mut || random.u64()) {
        if working.holder(key(IdentifierKind::ExternalId, &id)).await?.is_none() {
            search.is_free(id);
        }
    }
    Ok(found(working, series, search).pop())
}

/// Coupons have numbers of their own, whatever their series.
async fn coupons(
    working: &mut Working,
    tenant: &Tenant,
    random: &Randomness,
) -> Result<Vec<(CouponCandidate, Free)>, Error> {
    let organisation = tenant.organisation();
    let wanted = wanted_coupons(organisation);
    if wanted.is_empty() {
        return Ok(Vec::new());
    }
    let (counted, _) = working.progress(Series::CouponIds).await?.columns()?;
    let mut ids = counted.saturating_add(1)..;
    let mut set_aside: Vec<(CouponCandidate, Free)> = Vec::new();
    for (name, count) in wanted {
        let Some(known) = organisation.coupon_series.named(name) else { continue };
        let (series, maker) = (Series::Coupons(name), Maker::Code(&known.code));
        let asked = Asked { series, maker, limit: known.limit, count };
        let mut search = Search::new(asked, working.progress(series).await?);
        while let Some(code) = search.next(&mut || random.u64()) {
            let is_set_aside = set_aside.iter().any(|(candidate, _)| candidate.code == code);
            if !is_set_aside && !working.is_coupon(&code).await? {
                search.is_free(code);
            }
        }
        for (free, id) in found(working, series, search).into_iter().zip(&mut ids) {
            let (series, code) = (name.to_owned(), free.text.clone());
            set_aside.push((CouponCandidate { series, id, code }, free));
        }
    }
    Ok(set_aside)
}

async fn card(
    working: &mut Working,
    tenant: &Tenant,
    CardRequest { number, series }: &CardRequest,
    random: &Randomness,
) -> Result<Option<Free>, Error> {
    let known = series.as_ref().map(|name| tenant.organisation().card_series.named(name));
    match (number, known) {
        (Some(number), None) => Ok(Some(Free::of_no_series(number))),
        (Some(number), Some(Some(known))) => {
            let progress = working.progress(Series::Cards(&known.name)).await?;
            Ok(progress.given(number, known.limit))
        }
        (None, Some(Some(known))) => {
            let (series, maker) = (Series::Cards(&known.name), Maker::Number(&known.number));
            let asked = Asked { series, maker, limit: known.limit, count: 1 };
            let mut search = Search::new(asked, working.progress(series).await?);
            while let Some(number) = search.next(&mut || random.u64()) {
                if working.card_issued_to(&number).await?.is_none() {
                    search.is_free(number);
                }
            }
            Ok(found(working, series, search).pop())
        }
        (_, Some(None)) | (None, None) => Ok(None),
    }
}

/// What a search has found.
fn found(working: &mut Working, series: Series<'_>, search: Search<'_>) -> Vec<Free> {
    let (free, in_vain) = search.end();
    if let Some(progress) = in_vain {
        working.reach(series, progress);
    }
    free
}
