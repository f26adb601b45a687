//! Series: how far each has come, and numbers and codes that nobody has.
//!
//! What is set aside for a registration and what the registration issues are one transaction, so
//! that no number is issued twice and none beyond a limit.

use patron_rules::number::Form;
use patron_rules::random::Random;
use patron_rules::random_code::CodePattern;
use rand::Rng;
use rusqlite::{Connection, OptionalExtension};

use super::rows::corrupt;
use super::writer::Writing;
use crate::{Error, TenantId};

/// How many numbers or codes are tried before none is free.
pub(super) const TRIES: usize = 100;

/// A series within its organisation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Series<'a> {
    /// External ids.
    ExternalIds,
    /// The cards of a card series.
    Cards(&'a str),
    /// The coupons of a coupon series.
    Coupons(&'a str),
    /// The numbers of coupons, whatever their series.
    CouponIds,
}

impl<'a> Series<'a> {
    const fn kind(self) -> &'static str {
        match self {
            Self::ExternalIds => "external_ids",
            Self::Cards(_) => "card_series",
            Self::Coupons(_) => "coupon_series",
            Self::CouponIds => "coupon_ids",
        }
    }

    const fn name(self) -> &'a str {
        match self {
            Self::Cards(name) | Self::Coupons(name) => name,
            Self::ExternalIds | Self::CouponIds => "",
        }
    }
}

/// How the numbers or codes of a series come about.
#[derive(Debug, Clone, Copy)]
pub(super) enum Maker<'a> {
    /// By counting or by chance.
    Number(&'a Form),
    /// By chance.
    Code(&'a CodePattern),
}

impl Maker<'_> {
    /// The number from which to count, where it counts.
    fn first(self) -> Option<u64> {
        match self {
            Self::Number(form) => form.algorithm.counts().then_some(form.offset),
            Self::Code(_) => None,
        }
    }

    /// `None` where there is none of this count.
    fn make(self, count: u64, random: &mut Random<'_>) -> Option<String> {
        match self {
            Self::Number(form) if form.algorithm.counts() => form.counted(count),
            Self::Number(form) => Some(form.random(random)),
            Self::Code(pattern) => Some(pattern.code(random)),
        }
    }
}

/// How far a series has come.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Progress {
    /// How many were issued.
    issued: u64,
    /// The number at which counting goes on.
    next: u64,
}

/// A number or code that nobody has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Free {
    pub(super) text: String,
    /// How far its series has come once it is issued.
    progress: Progress,
}

impl Free {
    /// A number that no series counts.
    pub(super) fn of_no_series(number: &str) -> Self {
        Self { text: number.to_owned(), progress: Progress::default() }
    }
}

/// What is to be set aside of a series.
#[derive(Debug, Clone, Copy)]
pub(super) struct Asked<'a> {
    pub(super) series: Series<'a>,
    pub(super) maker: Maker<'a>,
    /// The most that the series issues.
    pub(super) limit: Option<u64>,
    /// How many are needed at once.
    pub(super) count: usize,
}

/// Sets aside as many numbers or codes as are asked for; fewer where the series has no more, or too
/// many were tried in vain. They are to be issued in their order.
pub(super) fn set_aside(
    writing: &mut Writing<'_>,
    tenant: TenantId,
    asked: &Asked<'_>,
    is_taken: impl Fn(&Writing<'_>, &str) -> Result<bool, Error>,
) -> Result<Vec<Free>, Error> {
    let Asked { series, maker, limit, count } = *asked;
    let connection = writing.connection;
    let before = load(connection, tenant, series)?;
    let counts = maker.first().is_some();
    let mut progress =
        Progress { next: before.next.max(maker.first().unwrap_or_default()), ..before };
    let mut free: Vec<Free> = Vec::with_capacity(count);
    for _ in 0..TRIES.saturating_add(count) {
        if free.len() == count || limit.is_some_and(|limit| progress.issued >= limit) {
            return Ok(free);
        }
        let Some(text) = maker.make(progress.next, &mut || writing.random.next_u64()) else {
            return Ok(free);
        };
        progress.next += u64::from(counts);
        if !free.iter().any(|one| one.text == text) && !is_taken(writing, &text)? {
            progress.issued += 1;
            free.push(Free { text, progress });
        }
    }
    if free.is_empty() && counts {
        // What was counted in vain is not counted again.
        save(connection, tenant, series, progress)?;
    }
    Ok(free)
}

/// How far a series that is nothing but a count has come.
pub(super) fn counted(
    connection: &Connection,
    tenant: TenantId,
    series: Series<'_>,
) -> Result<i64, Error> {
    let Progress { issued, .. } = load(connection, tenant, series)?;
    i64::try_from(issued).map_err(|_| corrupt("a count beyond all numbers"))
}

/// Notes that everything up to this number was issued.
pub(super) fn count_up_to(
    connection: &Connection,
    tenant: TenantId,
    series: Series<'_>,
    last: i64,
) -> Result<(), Error> {
    let issued = u64::try_from(last).map_err(|_| corrupt("a count below nothing"))?;
    save(connection, tenant, series, Progress { issued, next: 0 })
}

/// Sets aside a number that somebody else made; `None` where the series has no more.
pub(super) fn set_aside_given(
    connection: &Connection,
    tenant: TenantId,
    series: Series<'_>,
    limit: Option<u64>,
    number: &str,
) -> Result<Option<Free>, Error> {
    let Progress { issued, next } = load(connection, tenant, series)?;
    let progress = Progress { issued: issued.saturating_add(1), next };
    let free = || Free { text: number.to_owned(), progress };
    Ok(limit.is_none_or(|limit| issued < limit).then(free))
}

/// Notes that a number or code was issued.
pub(super) fn issue(
    connection: &Connection,
    tenant: TenantId,
    series: Series<'_>,
    free: &Free,
) -> Result<(), Error> {
    save(connection, tenant, series, free.progress)
}

fn load(connection: &Connection, tenant: TenantId, series: Series<'_>) -> Result<Progress, Error> {
    let found: Option<(i64, i64)> = connection
        .prepare_cached(
            "SELECT issued, next FROM series
             WHERE organisation_id = ?1 AND kind = ?2 AND name = ?3",
        )?
        .query_row((tenant.0, series.kind(), series.name()), |row| Ok((row.get(0)?, row.get(1)?)))
        .optional()?;
    let (issued, next) = found.unwrap_or_default();
    let count = |stored| u64::try_from(stored).map_err(|_| corrupt("a count below nothing"));
    Ok(Progress { issued: count(issued)?, next: count(next)? })
}

fn save(
    connection: &Connection,
    tenant: TenantId,
    series: Series<'_>,
    Progress { issued, next }: Progress,
) -> Result<(), Error> {
    let count = |count| i64::try_from(count).map_err(|_| corrupt("a count beyond all numbers"));
    connection
        .prepare_cached(
            "INSERT OR REPLACE INTO series (organisation_id, kind, name, issued, next)
             VALUES (?1, ?2, ?3, ?4, ?5)",
        )?
        .execute((tenant.0, series.kind(), series.name(), count(issued)?, count(next)?))?;
    Ok(())
}
