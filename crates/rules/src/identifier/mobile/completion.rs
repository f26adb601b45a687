//! The canonical form of a mobile number: the same under every `MOBILE_VALIDATION`.
//!
//! A number is first read as one that has its country code, as the specification asks, in all
//! countries of the organisation, and only then completed. So a number in canonical form stays as it
//! is. A number that is no mobile number of these countries is read as any valid number of the
//! world; then as one of the right length; and at last as it is.

use std::cell::LazyCell;

use super::dialled::Dialled;
use super::plan::Number;
use super::{Country, Fault, INDIA, Rules};

/// A number in its canonical form, and what it is by the numbering plans.
pub(super) struct Completed {
    pub(super) digits: String,
    pub(super) fit: Fit,
}

/// What a number is by the numbering plans.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Fit {
    /// A mobile number of this country, which is one of the organisation's.
    Mobile(Country, By),
    /// A valid number of another kind or country; `None` for a network of no country.
    Valid(Option<Country>),
    /// A number in a range that is not in use, as long as the mobile numbers of this country of the
    /// organisation.
    Possible(Country),
    /// A number that starts with the code of this country of the organisation and does not fit its
    /// plan.
    Unfit(Country),
    /// None of these.
    Unknown,
}

impl Fit {
    /// Why a number is refused whose digits alone are this one.
    fn ambiguous(self) -> Fault {
        match self {
            Self::Mobile(country, _)
            | Self::Valid(Some(country))
            | Self::Possible(country)
            | Self::Unfit(country) => Fault::Ambiguous(country),
            Self::Valid(None) | Self::Unknown => Fault::Generic,
        }
    }
}

/// How a mobile number was recognised.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum By {
    /// It has the country code.
    Code,
    /// The country code was put before it.
    Completion,
}

impl Dialled {
    /// The canonical form.
    ///
    /// # Errors
    /// The digits alone would be completed to another number, so that the number could not be sent
    /// again as Patron returns it.
    pub(super) fn complete(&self, rules: &Rules) -> Result<Completed, Fault> {
        let completed = match (self.by_plan(rules), self.without_optional_zero()) {
            (Some(completed), _) => completed,
            (None, Some(without)) => {
                without.by_plan(rules).unwrap_or_else(|| without.by_length(rules))
            }
            (None, None) => self.by_length(rules),
        };
        if matches!(completed.fit, Fit::Mobile(..)) {
            return Ok(completed);
        }
        let bare = Self::bare(&completed.digits);
        let again = bare.by_plan(rules).unwrap_or_else(|| bare.by_length(rules));
        if again.digits == completed.digits { Ok(completed) } else { Err(again.fit.ambiguous()) }
    }

    /// The number by the numbering plans: as a mobile number of the organisation's countries, else as
    /// any valid number.
    fn by_plan(&self, rules: &Rules) -> Option<Completed> {
        let whole = self.whole();
        let number: LazyCell<Option<Number>, _> = LazyCell::new(|| Number::whole(whole));
        let with_code =
            || rules.countries().find_map(|it| with_code(whole, || number.as_ref(), it));
        let completed = || rules.countries().find_map(|it| self.without_code(it, rules));
        let after_zero = || {
            let rest = self.national()?.strip_prefix('0').filter(|_| !self.is_international())?;
            let number = Number::whole(rest);
            rules.countries().find_map(|it| self::with_code(rest, || number.as_ref(), it))
        };
        let valid_whole = || number.as_ref().and_then(valid);
        let completed_valid = || {
            let national = self.national()?;
            rules.countries().find_map(|it| valid(&Number::national(national, it)?))
        };
        with_code()
            .or_else(completed)
            .or_else(after_zero)
            .or_else(valid_whole)
            .or_else(completed_valid)
    }

    /// The number by its length: as long as the mobile numbers of a country of the organisation, or
    /// of no country.
    fn by_length(&self, rules: &Rules) -> Completed {
        let whole = self.whole();
        let possible = |country: Country, number: Number| {
            let is_its = number.calling_code() == country.calling_code();
            let fits = is_its && number.is_possible_mobile();
            fits.then(|| Completed { digits: number.digits(), fit: Fit::Possible(country) })
        };
        let with_code = || {
            let starts = |it: &Country| whole.starts_with(&it.calling_code().to_string());
            let country = rules.countries().find(starts)?;
            let unfit = || Completed { digits: whole.to_owned(), fit: Fit::Unfit(country) };
            Some(Number::whole(whole).and_then(|it| possible(country, it)).unwrap_or_else(unfit))
        };
        // Where mobile numbers have several lengths, digits without a trunk prefix may as well have a
        // country code.
        let completed = || {
            let national = self.national()?;
            let lacks_code = |it: &Number| {
                it.national_digits().len() < national.len() || it.is_of_only_mobile_length()
            };
            let read = |it| possible(it, Number::national(national, it).filter(lacks_code)?);
            rules.countries().find_map(read)
        };
        with_code()
            .or_else(completed)
            .unwrap_or_else(|| Completed { digits: whole.to_owned(), fit: Fit::Unknown })
    }

    /// The number read as one that still lacks this country's code, or has it after the exit code of
    /// this country.
    fn without_code(&self, country: Country, rules: &Rules) -> Option<Completed> {
        let digits = self.national()?;
        if country.calling_code() == INDIA {
            let national = digits.strip_prefix('0').unwrap_or(digits);
            let fits = national.len() == 10 && national.starts_with(['6', '7', '8', '9']);
            return fits.then(|| Completed {
                digits: format!("{INDIA}{national}"),
                fit: Fit::Mobile(country, By::Completion),
            });
        }
        let number = Number::national(digits, country)?;
        let of = rules.countries().find(|it| number.is_mobile_of(*it))?;
        Some(Completed { digits: number.digits(), fit: Fit::Mobile(of, By::Completion) })
    }
}

/// The number as a mobile one that has this country's code.
fn with_code<'a>(
    whole: &str,
    number: impl Fn() -> Option<&'a Number>,
    country: Country,
) -> Option<Completed> {
    let fit = Fit::Mobile(country, By::Code);
    if country.calling_code() == INDIA {
        let national = whole.strip_prefix("91")?;
        let national = national.strip_prefix('0').filter(|it| it.len() == 10).unwrap_or(national);
        return (national.len() == 10)
            .then(|| Completed { digits: format!("{INDIA}{national}"), fit });
    }
    let number = number().filter(|number| number.is_mobile_of(country))?;
    Some(Completed { digits: number.digits(), fit })
}

fn valid(number: &Number) -> Option<Completed> {
    let fit = || Fit::Valid(number.country());
    number.is_valid().then(|| Completed { digits: number.digits(), fit: fit() })
}
