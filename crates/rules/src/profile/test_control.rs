//! `test_control_status`: whether a customer belongs to a campaign's test or control group, `TEST` or
//! `CONTROL`. No document lists the values for registration; 1062 is the documented refusal, given
//! where an organisation wants extras to be strict. Otherwise any text is kept.

use super::listed;

/// Whether a status as sent is one of the two.
#[must_use]
pub fn is_known(sent: &str) -> bool {
    listed(sent, &["TEST", "CONTROL"]).is_some()
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
        assert_eq!(is_known(sent), known);
    }
}
