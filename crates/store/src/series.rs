//! Series: numbers and codes that nobody has, and how far each series has come; the same for every
//! engine.
//!
//! What is set aside for a registration and what the registration issues are one transaction, so
//! that no number is issued twice and none beyond a limit.

use patron_rules::number::Form;
use patron_rules::random::Random;
use patron_rules::random_code::CodePattern;

use crate::Error;
use crate::rows::corrupt;

/// How many numbers or codes are tried before none is free.
pub(crate) const TRIES: usize = 100;

/// A series within its organisation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Series<'a> {
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
    pub(crate) const fn kind(self) -> &'static str {
        match self {
            Self::ExternalIds => "external_ids",
            Self::Cards(_) => "card_series",
            Self::Coupons(_) => "coupon_series",
            Self::CouponIds => "coupon_ids",
        }
    }

    pub(crate) const fn name(self) -> &'a str {
        match self {
            Self::Cards(name) | Self::Coupons(name) => name,
            Self::ExternalIds | Self::CouponIds => "",
        }
    }
}

/// How the numbers or codes of a series come about.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Maker<'a> {
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
pub(crate) struct Progress {
    /// How many were issued.
    pub(crate) issued: u64,
    /// The number at which counting goes on.
    pub(crate) next: u64,
}

/// A number or code that nobody has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Free {
    pub(crate) text: String,
    /// How far its series has come once it is issued.
    pub(crate) progress: Progress,
}

impl Free {
    /// A number that no series counts.
    pub(crate) fn of_no_series(number: &str) -> Self {
        Self { text: number.to_owned(), progress: Progress::default() }
    }
}

/// What is to be set aside of a series.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Asked<'a> {
    pub(crate) series: Series<'a>,
    pub(crate) maker: Maker<'a>,
    /// The most that the series issues.
    pub(crate) limit: Option<u64>,
    /// How many are needed at once.
    pub(crate) count: usize,
}

/// A search for numbers or codes that nobody has: it names one after the other, and is told which
/// are taken.
#[derive(Debug)]
pub(crate) struct Search<'a> {
    asked: Asked<'a>,
    progress: Progress,
    tries: usize,
    free: Vec<Free>,
}

impl<'a> Search<'a> {
    /// A search in a series that has come so far.
    pub(crate) fn new(asked: Asked<'a>, before: Progress) -> Self {
        let first = asked.maker.first().unwrap_or_default();
        let progress = Progress { next: before.next.max(first), ..before };
        Self { asked, progress, tries: TRIES.saturating_add(asked.count), free: Vec::new() }
    }

    /// What to try next; `None` once there are as many as are asked for, the series has no more, or
    /// too many were tried in vain.
    pub(crate) fn next(&mut self, random: &mut Random<'_>) -> Option<String> {
        let Asked { maker, limit, count, .. } = self.asked;
        while self.tries > 0 {
            self.tries = self.tries.saturating_sub(1);
            let is_at_its_end = limit.is_some_and(|limit| self.progress.issued >= limit);
            if self.free.len() == count || is_at_its_end {
                return None;
            }
            let text = maker.make(self.progress.next, random)?;
            self.progress.next += u64::from(maker.first().is_some());
            if !self.free.iter().any(|one| one.text == text) {
                return Some(text);
            }
        }
        None
    }

    /// Nobody has this one.
    pub(crate) fn is_free(&mut self, text: String) {
        self.progress.issued += 1;
        self.free.push(Free { text, progress: self.progress });
    }

    /// What was found, to be issued in its order; and how far the series has come, where it is to be
    /// noted at once: what was counted in vain is not counted again.
    pub(crate) fn end(self) -> (Vec<Free>, Option<Progress>) {
        let in_vain = self.free.is_empty() && self.asked.maker.first().is_some();
        (self.free, in_vain.then_some(self.progress))
    }
}

impl Progress {
    /// As it is stored: how many were issued, and the next number.
    pub(crate) fn stored((issued, next): (i64, i64)) -> Result<Self, Error> {
        let count = |stored| u64::try_from(stored).map_err(|_| corrupt("a count below nothing"));
        Ok(Self { issued: count(issued)?, next: count(next)? })
    }

    /// As it is to be stored.
    pub(crate) fn columns(self) -> Result<(i64, i64), Error> {
        let count = |count| i64::try_from(count).map_err(|_| corrupt("a count beyond all numbers"));
        Ok((count(self.issued)?, count(self.next)?))
    }

    /// Of a series that is nothing but a count: everything up to this number was issued.
    pub(crate) fn up_to(last: i64) -> Result<Self, Error> {
        Self::stored((last, 0))
    }

    /// A number that somebody else made, as the next of its series; `None` where the series has no
    /// more.
    pub(crate) fn given(self, number: &str, limit: Option<u64>) -> Option<Free> {
        let progress = Self { issued: self.issued.saturating_add(1), ..self };
        let free = || Free { text: number.to_owned(), progress };
        limit.is_none_or(|limit| self.issued < limit).then(free)
    }
}
