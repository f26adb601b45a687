//! Splits digits into a country code and a national number, as libphonenumber's `parse` does.

use super::Territory;

/// The fewest and the most digits of a national number.
const NATIONAL_LENGTHS: std::ops::RangeInclusive<usize> = 2..=17;

/// Reads digits that start with a country code: the code and the national number.
pub(crate) fn parse_whole(digits: &str) -> Option<(u16, String)> {
    let (territory, rest) = split_code(digits)?;
    finish(territory, rest)
}

/// Reads digits as dialled in a country: with its exit code, with its country code, or without.
pub(crate) fn parse_national(
    digits: &str,
    dialled_in: &'static Territory,
) -> Option<(u16, String)> {
    if let Some(rest) = dialled_in.without_exit(digits) {
        return parse_whole(rest);
    }
    match dialled_in.without_own_code(digits) {
        Some(rest) => finish(Territory::by_calling_code(dialled_in.calling_code)?, &rest),
        None => finish(dialled_in, digits),
    }
}

/// The main territory of the country code that the digits start with, and the rest of them.
fn split_code(digits: &str) -> Option<(&'static Territory, &str)> {
    if digits.starts_with('0') {
        return None;
    }
    (1..=3).find_map(|length| {
        let (code, rest) = digits.split_at_checked(length)?;
        Some((Territory::by_calling_code(code.parse().ok()?)?, rest))
    })
}

fn finish(territory: &Territory, digits: &str) -> Option<(u16, String)> {
    if digits.len() < *NATIONAL_LENGTHS.start() {
        return None;
    }
    let stripped = territory.without_trunk(digits);
    let national =
        if territory.takes_length(stripped.len()) { stripped } else { digits.to_owned() };
    NATIONAL_LENGTHS.contains(&national.len()).then_some((territory.calling_code, national))
}

impl Territory {
    /// The digits after the exit code. No country code starts with 0.
    fn without_exit<'a>(&self, digits: &'a str) -> Option<&'a str> {
        let end = self.exit.as_ref()?.captures(digits)?.get(0)?.end();
        digits.get(end..).filter(|rest| !rest.starts_with('0'))
    }

    /// The digits after this country's own code, where they fit the plan only without it.
    fn without_own_code(&self, digits: &str) -> Option<String> {
        let rest = digits.strip_prefix(&self.calling_code.to_string())?;
        let rest = self.without_trunk(rest);
        let pattern = &self.general.pattern;
        let fits_only_without = !pattern.matches(digits) && pattern.matches(&rest);
        (fits_only_without || self.is_too_long(digits.len())).then_some(rest)
    }

    /// The digits without the trunk prefix, or with what replaces it; as they are where the number
    /// would fit the plan no more.
    fn without_trunk(&self, digits: &str) -> String {
        let stripped = self.strip_trunk(digits).filter(|stripped| {
            let pattern = &self.general.pattern;
            pattern.matches(stripped) || !pattern.matches(digits)
        });
        stripped.unwrap_or_else(|| digits.to_owned())
    }

    fn strip_trunk(&self, digits: &str) -> Option<String> {
        let captures = self.trunk.as_ref()?.captures(digits)?;
        let rest = digits.get(captures.get(0)?.end()..)?;
        let mut stripped = String::new();
        // The last group is what the transformation needs; without it the prefix only falls away.
        if captures.get(captures.len().saturating_sub(1)).is_some() {
            captures.expand(self.transform, &mut stripped);
        }
        stripped.push_str(rest);
        Some(stripped)
    }

    /// Whether a number may have lost its trunk prefix: it is no shorter than numbers of this plan.
    fn takes_length(&self, length: usize) -> bool {
        super::contains(self.general.lengths, length) || self.is_too_long(length)
    }

    fn is_too_long(&self, length: usize) -> bool {
        self.general.lengths.last().is_some_and(|longest| length > usize::from(*longest))
    }
}
