//! Lists, page by page: each begins behind the last one of the page before.

use axum::http::StatusCode;
use patron_rules::text;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::problem::Problem;
use crate::http::query::{InvalidQuery, Query};

/// The most on one page.
const MOST: u32 = 200;

/// Which page of a list by name.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct Page {
    /// The name behind which the page begins: the `next` of the page before.
    #[serde(default)]
    pub(super) after: String,
    /// The most on the page.
    #[serde(default = "limit")]
    #[param(minimum = 1, maximum = 200, default = 100)]
    pub(super) limit: u32,
}

/// A page of a list.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Listed<T> {
    /// What is on it.
    pub(super) items: Vec<T>,
    /// Where the next page begins; absent on the last.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) next: Option<String>,
}

impl Page {
    /// The page that a query asks for.
    pub(super) fn of(query: Result<Query<Self>, InvalidQuery>) -> Result<Self, Problem> {
        let Query(page) = checked(query)?;
        check_limit(page.limit)?;
        let after = text::key(&page.after).ok_or_else(|| {
            Problem::new(StatusCode::BAD_REQUEST, "after: a name without control characters")
        })?;
        Ok(Self { after: after.into_owned(), ..page })
    }

    /// A page of what was found when one more than its limit was asked for.
    pub(super) fn of_found<T>(&self, mut found: Vec<T>, name: fn(&T) -> &str) -> Listed<T> {
        let limit = usize::try_from(self.limit).unwrap_or(usize::MAX);
        let goes_on = found.len() > limit;
        found.truncate(limit);
        let last = found.last().filter(|_| goes_on);
        Listed { next: last.map(|item| name(item).to_owned()), items: found }
    }

    /// One more than the page holds, so that it is known whether another follows.
    pub(super) const fn one_more(&self) -> u32 {
        self.limit.saturating_add(1)
    }
}

/// A query that was understood.
pub(super) fn checked<T>(query: Result<Query<T>, InvalidQuery>) -> Result<Query<T>, Problem> {
    query.map_err(|invalid| Problem::new(StatusCode::BAD_REQUEST, invalid.to_string()))
}

pub(super) fn check_limit(limit: u32) -> Result<(), Problem> {
    if (1..=MOST).contains(&limit) {
        return Ok(());
    }
    Err(Problem::new(StatusCode::BAD_REQUEST, format!("limit: a number from 1 to {MOST}")))
}

pub(super) const fn limit() -> u32 {
    100
}

impl<T> Listed<T> {
    /// The same page, each item in another form.
    pub(super) fn of<U>(self, form: impl Fn(&T) -> U) -> Listed<U> {
        Listed { items: self.items.iter().map(form).collect(), next: self.next }
    }
}
