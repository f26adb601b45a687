//! External ids: whatever the organisation itself calls a customer.
//!
//! "The customer's external identifier. Special characters are not recommended. Maximum length is
//! 250 characters." Any character but control characters is accepted. The canonical form without
//! blanks around it is compared and stored.

use crate::codes::{self, Code};
use crate::text;
use crate::trace::{Step, Trace};

/// The longest external id, in characters.
pub const LENGTH_LIMIT: usize = 250;

/// An external id.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExternalId(String);

/// The form that an organisation asks of its external ids; both parts are strictly enforced.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Rules {
    /// What each of them starts with.
    pub prefix: Option<String>,
    /// How many characters each of them has, the prefix included.
    pub length: Option<usize>,
}

impl ExternalId {
    /// Reads an external id as sent, and notes which settings decided.
    ///
    /// # Errors
    /// 1003 when it is too long, holds a control character, or has not the organisation's form.
    pub fn parse(sent: &str, rules: &Rules, trace: &mut Trace) -> Result<Self, &'static Code> {
        let canonical = text::canonical(sent);
        let text = canonical.trim();
        let length = text.chars().count();
        let mut kept = |rule: Option<bool>, if_kept, if_broken| {
            rule.is_none_or(|kept| trace.flag(kept, if_kept, if_broken))
        };
        let prefix = rules.prefix.as_deref().map(|prefix| text.starts_with(prefix));
        let valid = (1..=LENGTH_LIMIT).contains(&length)
            && !text.chars().any(char::is_control)
            && kept(prefix, Step::PrefixKept, Step::PrefixMissing)
            && kept(
                rules.length.map(|wanted| length == wanted),
                Step::LengthKept,
                Step::LengthWrong,
            );
        if valid { Ok(Self(text.to_owned())) } else { Err(codes::INVALID_EXTERNAL_ID) }
    }

    /// Reads an id to look a customer up by; `None` if no customer can have it. The organisation's
    /// rules do not apply: they may be newer than the id.
    #[must_use]
    pub fn look_up(sent: &str) -> Option<Self> {
        let key = text::key(sent)?;
        let text = key.trim();
        (1..=LENGTH_LIMIT).contains(&text.chars().count()).then(|| Self(text.to_owned()))
    }

    /// An id that was valid when it was stored.
    #[must_use]
    pub const fn stored(text: String) -> Self {
        Self(text)
    }

    /// The id in its canonical form.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case("12on123", None, None, true)]
    #[case("000003880203", None, None, true)]
    #[case("Kunde-№ 7/ä", None, None, true)]
    #[case(" 7 ", None, None, true)]
    #[case("\u{feff}PA123\u{200b}", Some("PA"), Some(5), true)]
    #[case("\u{200b}", None, None, false)]
    #[case("", None, None, false)]
    #[case("a\nb", None, None, false)]
    #[case("a\0b", None, None, false)]
    #[case("PA123", Some("PA"), Some(5), true)]
    #[case("PA1234", Some("PA"), Some(5), false)]
    #[case("pa123", Some("PA"), Some(5), false)]
    #[case("123PA", Some("PA"), None, false)]
    fn external_ids(
        #[case] sent: &str,
        #[case] prefix: Option<&str>,
        #[case] length: Option<usize>,
        #[case] valid: bool,
    ) {
        let rules = Rules { prefix: prefix.map(str::to_owned), length };
        assert_eq!(ExternalId::parse(sent, &rules, &mut Trace::default()).is_ok(), valid);
    }

    #[rstest]
    #[case(" C-77\u{200b}", Some("C-77"))]
    #[case("CAFE\u{301}", Some("CAFÉ"))]
    #[case("C\0-77", None)]
    #[case("\u{200b}", None)]
    fn look_up_takes_the_canonical_form(#[case] sent: &str, #[case] expected: Option<&str>) {
        assert_eq!(ExternalId::look_up(sent).as_ref().map(ExternalId::as_str), expected);
    }

    #[test]
    fn at_most_250_characters() {
        let parse = |text: &str| ExternalId::parse(text, &Rules::default(), &mut Trace::default());
        assert!(parse(&"ä".repeat(250)).is_ok());
        assert_eq!(parse(&"a".repeat(251)), Err(codes::INVALID_EXTERNAL_ID));
    }
}
