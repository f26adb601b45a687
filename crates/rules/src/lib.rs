//! The rules of customer registration: values in, decision out.
//!
//! Nothing here reads a clock, a random source, a file or a database: whatever a rule needs is an
//! argument. The order of work is the order of the modules:
//!
//! 1. [`submission`]: what a caller sent for one customer, before any rule has looked at it.
//! 2. [`validate`]: each member by its own rule ([`identifier`], [`profile`]), giving a
//!    [`validate::Registration`] with its warnings, or the item's [`codes::Failure`].
//! 3. [`resolve`]: whose registration is this; [`merge`]: one customer of two.
//! 4. [`enrol`] and [`award`]: what a loyalty customer is enrolled in and earns; [`referral`]: and who
//!    brought them.
//! 5. [`decide`]: the pipeline itself, from the facts of the store to the plan that it carries out.
//! 6. [`audit`]: what the plan changes of whom.
//!
//! Every text has one form, in which it is compared and stored: [`text`].
//!
//! What each step decided, and by which setting, is told in a [`trace`].

pub mod attribution;
pub mod audit;
pub mod award;
pub mod candidates;
pub mod card;
pub mod codes;
pub mod coupon;
pub mod customer;
pub mod decide;
pub mod enrol;
pub mod identifier;
mod join;
pub mod ledger;
pub mod merge;
pub mod number;
pub mod organisation;
pub mod profile;
pub mod random;
pub mod random_code;
pub mod referral;
pub mod resolve;
pub mod settings;
pub mod submission;
pub mod text;
pub mod trace;
pub mod validate;
