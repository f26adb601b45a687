//! A customer's coupons, and which of them a request selects. None is ever redeemed here.

use std::cmp::Reverse;

use jiff::Timestamp;
use jiff::tz::TimeZone;
use patron_rules::coupon::IssuedCoupon;
use patron_rules::organisation::Organisation;
use patron_rules::profile::date;
use serde::{Deserialize, Deserializer, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::Context;
use crate::http::query::optional;

/// Which coupons are returned, and in which order.
#[derive(Debug, Clone, Default, Deserialize, IntoParams)]
#[serde(default)]
#[into_params(parameter_in = Query)]
pub(crate) struct Selection {
    /// Return only coupons that can be used now.
    coupon_active: bool,
    /// Return only coupons of this status.
    #[serde(deserialize_with = "status")]
    #[param(inline)]
    coupon_status: Option<Status>,
    /// Return only coupons of the series of this name.
    coupon_offer: Option<String>,
    /// What coupons are ordered by; `created_date` by default.
    #[serde(deserialize_with = "order")]
    #[param(inline)]
    coupon_order_by: Option<Order>,
    /// The direction of that order; `desc` by default.
    #[serde(deserialize_with = "direction")]
    #[param(inline)]
    coupon_sort_order: Option<Direction>,
    /// How many coupons to leave out before the first.
    coupon_offset: Option<u32>,
    /// The most coupons to return; all by default.
    coupon_limit: Option<u32>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ToSchema)]
#[schema(rename_all = "lowercase")]
enum Status {
    Unredeemed,
    Redeemed,
    Expired,
    Active,
}

/// The till that issued a coupon is not stored, so `created_by` orders as `created_date` does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ToSchema)]
#[schema(rename_all = "snake_case")]
enum Order {
    CreatedDate,
    CreatedBy,
    ValidTill,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ToSchema)]
#[schema(rename_all = "lowercase")]
enum Direction {
    Asc,
    Desc,
}

fn status<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Status>, D::Error> {
    optional(deserializer, "unredeemed, redeemed, expired or active", |text| {
        Some(match text.to_ascii_lowercase().as_str() {
            "unredeemed" => Status::Unredeemed,
            "redeemed" => Status::Redeemed,
            "expired" => Status::Expired,
            "active" => Status::Active,
            _ => return None,
        })
    })
}

fn order<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Order>, D::Error> {
    optional(deserializer, "created_date, created_by or valid_till", |text| {
        Some(match text.to_ascii_lowercase().as_str() {
            "created_date" => Order::CreatedDate,
            "created_by" => Order::CreatedBy,
            "valid_till" => Order::ValidTill,
            _ => return None,
        })
    })
}

fn direction<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Direction>, D::Error> {
    optional(deserializer, "asc or desc", |text| {
        Some(match text.to_ascii_lowercase().as_str() {
            "asc" => Direction::Asc,
            "desc" => Direction::Desc,
            _ => return None,
        })
    })
}

#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Coupons {
    coupon: Vec<Coupon>,
}

/// A coupon of the customer; every member is a text.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = CouponHeld)]
struct Coupon {
    id: String,
    /// The name of the coupon series.
    series_id: String,
    code: String,
    description: String,
    created_date: String,
    /// The last second at which it can be used; empty for any time.
    valid_till: String,
    /// Always `false`: Patron redeems no coupons.
    redeemed: &'static str,
    /// Always `false`.
    same_user_multiple_redeem: &'static str,
}

impl Selection {
    fn takes(&self, coupon: &IssuedCoupon, now: Timestamp) -> bool {
        let is_expired = coupon.valid_till.is_some_and(|last| last < now);
        let has_status = match self.coupon_status {
            None | Some(Status::Unredeemed) => true,
            Some(Status::Redeemed) => false,
            Some(Status::Expired) => is_expired,
            Some(Status::Active) => !is_expired,
        };
        has_status
            && !(self.coupon_active && is_expired)
            && self.coupon_offer.as_ref().is_none_or(|series| *series == coupon.series)
    }

    /// The coupons that are returned, in their order.
    fn select(&self, coupons: Vec<IssuedCoupon>, now: Timestamp) -> Vec<IssuedCoupon> {
        let mut selected: Vec<IssuedCoupon> =
            coupons.into_iter().filter(|coupon| self.takes(coupon, now)).collect();
        // A coupon that is valid for ever ends last.
        let key = |coupon: &IssuedCoupon| match self.coupon_order_by {
            Some(Order::ValidTill) => (coupon.valid_till.unwrap_or(Timestamp::MAX), coupon.id),
            _ => (coupon.issued_at, coupon.id),
        };
        if self.coupon_sort_order == Some(Direction::Asc) {
            selected.sort_by_key(key);
        } else {
            selected.sort_by_key(|coupon| Reverse(key(coupon)));
        }
        let count = |count: Option<u32>| count.and_then(|count| usize::try_from(count).ok());
        let (offset, limit) = (count(self.coupon_offset), count(self.coupon_limit));
        let rest = selected.into_iter().skip(offset.unwrap_or_default());
        rest.take(limit.unwrap_or(usize::MAX)).collect()
    }
}

/// The coupons that the request selects.
pub(super) fn coupons(
    coupons: Vec<IssuedCoupon>,
    Context { organisation, zone, now, selection, .. }: &Context<'_>,
) -> Coupons {
    let selected = selection.select(coupons, *now).into_iter();
    Coupons { coupon: selected.map(|coupon| shown(coupon, organisation, zone)).collect() }
}

fn shown(coupon: IssuedCoupon, organisation: &Organisation, zone: &TimeZone) -> Coupon {
    let series = organisation.coupon_series.get_any(&coupon.series);
    Coupon {
        id: coupon.id.to_string(),
        code: coupon.code,
        description: series.map(|series| series.description.clone()).unwrap_or_default(),
        created_date: date::format(coupon.issued_at, zone),
        valid_till: coupon.valid_till.map(|last| date::format(last, zone)).unwrap_or_default(),
        series_id: coupon.series,
        redeemed: "false",
        same_user_multiple_redeem: "false",
    }
}

#[cfg(test)]
mod tests {
    use axum::http::Uri;
    use rstest::rstest;

    use super::*;
    use crate::http::query::read;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    /// Coupons 1 to 3 of series A, B, A; now is second 100. The first has expired.
    fn coupons() -> Vec<IssuedCoupon> {
        [(1, "A", 30, Some(99)), (2, "B", 20, Some(100)), (3, "A", 10, None)]
            .map(|(id, series, issued, valid_till)| IssuedCoupon {
                id,
                series: series.to_owned(),
                code: id.to_string(),
                issued_at: at(issued),
                valid_till: valid_till.map(at),
            })
            .into()
    }

    #[rstest]
    #[case("", &[1, 2, 3])]
    #[case("coupon_sort_order=asc", &[3, 2, 1])]
    #[case("coupon_order_by=valid_till", &[3, 2, 1])]
    #[case("coupon_order_by=valid_till&coupon_sort_order=Asc", &[1, 2, 3])]
    #[case("coupon_order_by=created_by&coupon_limit=2", &[1, 2])]
    #[case("coupon_offset=1&coupon_limit=1", &[2])]
    #[case("coupon_offset=9", &[])]
    #[case("coupon_limit=0", &[])]
    #[case("coupon_active=true", &[2, 3])]
    #[case("coupon_status=ACTIVE", &[2, 3])]
    #[case("coupon_status=expired", &[1])]
    #[case("coupon_status=expired&coupon_active=true", &[])]
    #[case("coupon_status=unredeemed", &[1, 2, 3])]
    #[case("coupon_status=redeemed", &[])]
    #[case("coupon_offer=A", &[1, 3])]
    fn selects_and_orders(#[case] query: &str, #[case] expected: &[i64]) {
        let uri: Uri = format!("/get?{query}").parse().unwrap();
        let selected = read::<Selection>(&uri).unwrap().select(coupons(), at(100));
        assert_eq!(selected.iter().map(|coupon| coupon.id).collect::<Vec<_>>(), expected);
    }

    #[rstest]
    #[case("coupon_status=used")]
    #[case("coupon_limit=-1")]
    #[case("coupon_offset=x")]
    #[case("coupon_order_by=id")]
    #[case("coupon_sort_order=up")]
    fn rejects_what_it_cannot_read(#[case] query: &str) {
        let uri: Uri = format!("/get?{query}").parse().unwrap();
        let refused = read::<Selection>(&uri).unwrap_err().to_string();
        assert!(refused.contains(query.split('=').next().unwrap()), "{refused}");
    }
}
