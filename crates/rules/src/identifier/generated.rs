//! External ids that Patron makes itself, where an organisation has switched that on.
//!
//! "Failure when all candidates within the retry limit are taken": then nobody is registered.

use crate::number::Form;
use crate::profile::Source;

/// For whom external ids are made, and how.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Rules {
    /// Whether any are made.
    pub enabled: bool,
    /// Whether they are made whatever the source.
    pub every_source: bool,
    /// The sources and accounts for which they are made.
    pub sources: Vec<SourceAccount>,
    /// Whether one that is passed is replaced.
    pub when: When,
    /// Their form.
    pub form: Form,
}

/// Whether an external id that is passed is replaced by one that is made: documents say both "the
/// id in the payload will be replaced" and that none is overwritten.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum When {
    /// It stays.
    #[default]
    Missing,
    /// A new customer's is replaced, unless it is all by which they can be known again.
    Always,
}

impl Rules {
    /// Whether external ids are made for customers of this source and account.
    #[must_use]
    pub fn cover(&self, source: Option<&Source>, account: Option<&str>) -> bool {
        let listed = || {
            let source = source.cloned().unwrap_or_default();
            self.sources.iter().any(|pair| pair.covers(&source, account))
        };
        self.enabled && (self.every_source || listed())
    }
}

/// A source, and one account of it or all of them: `WEB_ENGAGE:1234`, `INSTORE:`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SourceAccount {
    /// The source.
    pub source: Source,
    /// The account; `None` is whichever, or none.
    pub account: Option<String>,
}

impl SourceAccount {
    /// Reads a pair; `None` where it is none.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let (source, account) = text.split_once(':')?;
        let account = account.trim();
        Some(Self {
            source: Source::spelt(source)?,
            account: (!account.is_empty()).then(|| account.to_owned()),
        })
    }

    /// The pair as text.
    #[must_use]
    pub fn text(&self) -> String {
        format!("{}:{}", self.source.name(), self.account.as_deref().unwrap_or_default())
    }

    fn covers(&self, source: &Source, account: Option<&str>) -> bool {
        self.source == *source && (self.account.is_none() || self.account.as_deref() == account)
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case("INSTORE:", Some("INSTORE:"))]
    #[case("web_engage:1234", Some("WEB_ENGAGE:1234"))]
    #[case("Mobile App: a:b ", Some("MOBILE_APP:a:b"))]
    #[case("KIOSK:", Some("KIOSK:"))]
    #[case("INSTORE", None)]
    #[case("pigeon post!:", None)]
    #[case(":1234", None)]
    fn pairs(#[case] text: &str, #[case] read: Option<&str>) {
        assert_eq!(SourceAccount::parse(text).map(|pair| pair.text()).as_deref(), read);
    }

    fn rules(enabled: bool, every_source: bool) -> Rules {
        let sources = ["INSTORE:", "WEB_ENGAGE:1234"];
        let sources = sources.map(|text| SourceAccount::parse(text).unwrap()).to_vec();
        Rules { enabled, every_source, sources, ..Rules::default() }
    }

    #[rstest]
    #[case("INSTORE", None, true)]
    #[case("", None, true)]
    // A source without accounts, with one all the same: as the specification's first sample.
    #[case("INSTORE", Some("123456"), true)]
    #[case("WEB_ENGAGE", Some("1234"), true)]
    #[case("WEB_ENGAGE", Some("12345"), false)]
    #[case("WEB_ENGAGE", None, false)]
    #[case("WECHAT", None, false)]
    fn only_listed_sources_count_unless_every_one_does(
        #[case] source: &str,
        #[case] account: Option<&str>,
        #[case] listed: bool,
    ) {
        let source = Source::spelt(source);
        assert_eq!(rules(true, false).cover(source.as_ref(), account), listed);
        assert!(rules(true, true).cover(source.as_ref(), account));
        assert!(!rules(false, true).cover(source.as_ref(), account));
    }
}
