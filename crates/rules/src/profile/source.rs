//! `source`: "The source from where the customer's data is collected or registered from. … Values
//! allowed are InStore, Facebook, WebEngage, WeChat, E-commerce, Website, Line, Mobile App, and
//! more."
//!
//! Documents spell one source in several ways: case, blanks, hyphens and underscores do not matter,
//! and `Ecomm` is an alias. Replies give the source in lower case.

use super::{listed, same_word};
use crate::text::canonical;

/// The source of customers that name none.
const DEFAULT: &str = "INSTORE";

/// The longest name, in characters.
const LENGTH_LIMIT: usize = 50;

/// Every documented source, by its one name.
const KNOWN: [&str; 29] = [
    "INSTORE",
    "FACEBOOK",
    "WEB_ENGAGE",
    "WECHAT",
    "MARTJACK",
    "TMALL",
    "TAOBAO",
    "JD",
    "ECOMMERCE",
    "WEBSITE",
    "LINE",
    "XIAOHONGSHU",
    "GLOBAL_SCANNER",
    "SUNING",
    "PINDUODUO",
    "KAOLA",
    "MOBILE_APP",
    "WHATSAPP",
    "LINKEDIN",
    "SMS",
    "INDIAMART",
    "VIBER",
    "MPUSH_FCM",
    "MAPP_SDK",
    "OAUTH_EXTERNAL",
    "NEWSLETTER",
    "CAMPAIGNS",
    "NCA",
    "OTHERS",
];

const ALIASES: [(&str, &str); 1] = [("ECOMM", "ECOMMERCE")];

/// Where a customer came from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Source(String);

impl Source {
    /// Reads a source as sent, documented or not: as it is stored, its name is of capital letters,
    /// digits and `_`. `None` where it cannot be one.
    #[must_use]
    pub fn spelt(sent: &str) -> Option<Self> {
        let sent = &canonical(sent);
        let alias = ALIASES.iter().find(|(alias, _)| same_word(alias, sent)).map(|(_, name)| *name);
        if let Some(documented) = alias.or_else(|| listed(sent, &KNOWN)) {
            return Some(Self(documented.to_owned()));
        }
        let name = sent.trim().to_uppercase().replace([' ', '-'], "_");
        let valid = (1..=LENGTH_LIMIT).contains(&name.len())
            && name.bytes().all(|byte| matches!(byte, b'A'..=b'Z' | b'0'..=b'9' | b'_'));
        valid.then_some(Self(name))
    }

    /// Whether every organisation has it.
    #[must_use]
    pub fn is_documented(&self) -> bool {
        KNOWN.contains(&self.name())
    }

    /// A source that was valid when it was stored.
    #[must_use]
    pub const fn stored(name: String) -> Self {
        Self(name)
    }

    /// The source's name in the store, in capitals.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.0
    }
}

impl Default for Source {
    fn default() -> Self {
        Self(DEFAULT.to_owned())
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case("INSTORE", Some("INSTORE"))]
    #[case("InStore", Some("INSTORE"))]
    #[case("WebEngage", Some("WEB_ENGAGE"))]
    #[case("web engage", Some("WEB_ENGAGE"))]
    #[case("E-commerce", Some("ECOMMERCE"))]
    #[case("Mobile App", Some("MOBILE_APP"))]
    #[case("Mobile-App", Some("MOBILE_APP"))]
    #[case("Mpush-FCM", Some("MPUSH_FCM"))]
    #[case("Line", Some("LINE"))]
    #[case("Call Centre", Some("CALL_CENTRE"))]
    #[case("pigeon post!", None)]
    #[case("", None)]
    fn spellings(#[case] sent: &str, #[case] expected: Option<&str>) {
        assert_eq!(Source::spelt(sent).as_ref().map(Source::name), expected);
    }

    #[test]
    fn own_sources_are_not_documented() {
        assert!(Source::spelt("web engage").unwrap().is_documented());
        assert!(!Source::spelt("Call Centre").unwrap().is_documented());
    }
}
