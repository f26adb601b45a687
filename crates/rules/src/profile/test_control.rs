//! `test_control_status`: whether a customer belongs to a campaign's test or control group, `TEST` or
//! `CONTROL`. No document lists the values for registration; 1062 is the documented refusal, given
//! where an organisation wants extras to be strict. Otherwise any text is kept.

use crate::codes::{self, Code};

/// Looks at a status as sent, where it is to be one of the two.
///
/// # Errors
/// 1062 when it is neither.
pub fn check(sent: &str, strict: bool) -> Result<(), &'static Code> {
    let known = ["TEST", "CONTROL"].iter().any(|word| word.eq_ignore_ascii_case(sent.trim()));
    if known || !strict { Ok(()) } else { Err(codes::INVALID_TEST_CONTROL_STATUS) }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case("TEST", true)]
    #[case(" control ", true)]
    #[case("Test", true)]
    #[case("neither", false)]
    #[case("", false)]
    fn statuses(#[case] sent: &str, #[case] known: bool) {
        assert_eq!(check(sent, true).is_ok(), known);
        assert_eq!(check(sent, false), Ok(()));
    }
}
