//! Coupons: what a reward rule gives from a coupon series.

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;

use crate::candidates::CouponCandidate;
use crate::organisation::{CouponSeries, end_of};

/// A coupon that a customer is given.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Coupon {
    /// Its number.
    pub id: i64,
    /// The series that it comes from.
    pub series: String,
    /// What the customer shows to use it.
    pub code: String,
    /// What it is for.
    pub description: String,
    /// The discount that it stands for at the till, where it has one.
    pub discount_code: Option<String>,
    /// The last moment at which it can be used; `None` is any time.
    pub valid_till: Option<Timestamp>,
}

/// A coupon that was issued to a customer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IssuedCoupon {
    /// Its number.
    pub id: i64,
    /// The name of the series that it comes from.
    pub series: String,
    /// What the customer shows to use it.
    pub code: String,
    /// When it was issued.
    pub issued_at: Timestamp,
    /// The last moment at which it can be used; `None` is any time.
    pub valid_till: Option<Timestamp>,
}

/// Issues a coupon that was set aside; `None` where its time would be over already.
#[must_use]
pub fn issue(
    candidate: CouponCandidate,
    series: &CouponSeries,
    today: Date,
    zone: &TimeZone,
) -> Option<Coupon> {
    let last_day = series.last_day(today);
    if last_day.is_some_and(|last| last < today) {
        return None;
    }
    let CouponCandidate { series: name, id, code } = candidate;
    Some(Coupon {
        id,
        series: name,
        code,
        description: series.description.clone(),
        discount_code: series.discount_code.clone(),
        valid_till: last_day.and_then(|last| end_of(last, zone)),
    })
}
