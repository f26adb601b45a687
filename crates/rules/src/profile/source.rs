//! `source`: "The source from where the customer's data is collected or registered from. … Values
//! allowed are InStore, Facebook, WebEngage, WeChat, E-commerce, Website, Line, Mobile App, and
//! more."
//!
//! Documents spell one source in several ways: case, blanks and hyphens do not matter, and a few
//! have aliases. Replies give the source in lower case.

use super::constant_case;

/// The source of customers that name none.
const DEFAULT: &str = "INSTORE";

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

const ALIASES: [(&str, &str); 5] = [
    ("ECOMM", "ECOMMERCE"),
    ("WEBENGAGE", "WEB_ENGAGE"),
    ("E_COMMERCE", "ECOMMERCE"),
    ("MOBILEAPP", "MOBILE_APP"),
    ("IN_STORE", "INSTORE"),
];

/// Where a customer came from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Source(String);

impl Source {
    /// Reads a source as sent; `None` where it is neither a documented one nor one of the
    /// organisation's own.
    #[must_use]
    pub fn parse(sent: &str, additional: &[Self]) -> Option<Self> {
        let spelt = constant_case(sent);
        let name =
            ALIASES.iter().find(|(alias, _)| *alias == spelt).map_or(spelt.as_str(), |row| row.1);
        let known = KNOWN.contains(&name) || additional.iter().any(|source| source.0 == name);
        known.then(|| Self(name.to_owned()))
    }

    /// A source that an organisation has besides the documented ones, named as it is stored:
    /// capital letters, digits and `_`.
    #[must_use]
    pub fn additional(name: &str) -> Option<Self> {
        let valid = (1..=50).contains(&name.len())
            && name.bytes().all(|byte| matches!(byte, b'A'..=b'Z' | b'0'..=b'9' | b'_'));
        valid.then(|| Self(name.to_owned()))
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
    #[case("pigeon", None)]
    fn sources(#[case] sent: &str, #[case] expected: Option<&str>) {
        let own = [Source::additional("CALL_CENTRE").unwrap()];
        assert_eq!(Source::parse(sent, &own).as_ref().map(Source::name), expected);
    }
}
