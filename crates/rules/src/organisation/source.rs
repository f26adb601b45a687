//! Sources that an organisation has set up: those of its own, and the accounts of those that have
//! several. A documented source for which nothing is set up is taken as it is.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::resource::{check_display_name, check_key};
use super::{Invalid, Kind, Organisation, Resource};
use crate::profile::Source;

/// The most accounts of a source.
const ACCOUNTS_LIMIT: usize = 200;
/// The longest id and the longest name of an account, in characters.
const ACCOUNT_LIMIT: usize = 250;

/// A source of customers. A documented one that is taken out of use is not taken any more.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CustomerSource {
    /// Its name: a documented source's, or another one of capital letters, digits and `_`.
    #[schema(examples("WECHAT", "KIOSK"))]
    pub name: String,
    /// Its accounts; where there are none, any account is kept as it is sent.
    #[serde(default)]
    pub accounts: Vec<SourceAccount>,
    /// Whether a registration from it must say from which account.
    #[serde(default)]
    pub requires_account: bool,
}

/// An account within a source: a page, an app, a shop.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SourceAccount {
    /// By what registrations name it: "Unique identifier associated with the specific source or
    /// channel."
    pub id: String,
    /// What people call it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Whether it is in use; customers who came from it stay.
    #[serde(default = "in_use")]
    pub is_active: bool,
}

const fn in_use() -> bool {
    true
}

impl CustomerSource {
    /// Whether a registration may come from this account.
    #[must_use]
    pub fn has_account(&self, id: &str) -> bool {
        self.accounts.is_empty()
            || self.accounts.iter().any(|account| account.is_active && account.id == id)
    }
}

impl Organisation {
    /// The source that is meant by a text; `None` where it is out of use, or neither a documented one
    /// nor one of the organisation's own.
    #[must_use]
    pub fn source(&self, sent: &str) -> Option<Source> {
        let source = Source::spelt(sent)?;
        let is_taken = match self.sources.get_any(source.name()) {
            Some(_) => self.sources.named(source.name()).is_some(),
            None => source.is_documented(),
        };
        is_taken.then_some(source)
    }
}

impl Resource for CustomerSource {
    const KIND: Kind = Kind::Sources;
    const COUNT_LIMIT: usize = 100;

    fn name(&self) -> &str {
        &self.name
    }

    fn check(&self, _organisation: &Organisation) -> Result<(), Invalid> {
        let source = Source::spelt(&self.name)
            .ok_or_else(|| Invalid::at("/name", "1 to 50 capital letters, digits and _"))?;
        let reason = format!("the source is called {}", source.name());
        Invalid::unless(source.name() == self.name, "/name", &reason)?;
        let (has_accounts, none) = (!self.accounts.is_empty(), source == Source::default());
        Invalid::unless(!(has_accounts && none), "/accounts", "INSTORE has no accounts")?;
        let few = self.accounts.len() <= ACCOUNTS_LIMIT;
        Invalid::unless(few, "/accounts", "at most 200 accounts")?;
        let needs_none = has_accounts || !self.requires_account;
        Invalid::unless(needs_none, "/requires_account", "only where there are accounts")?;
        let mut accounts = self.accounts.iter().enumerate();
        accounts.try_for_each(|(index, account)| {
            let at = |member: &str| format!("/accounts/{index}/{member}");
            check_key(&at("id"), &account.id, ACCOUNT_LIMIT)?;
            if let Some(name) = &account.name {
                check_display_name(&at("name"), name, ACCOUNT_LIMIT)?;
            }
            let before = self.accounts.iter().take(index);
            let is_own = before.clone().all(|other| other.id != account.id);
            Invalid::unless(is_own, &at("id"), "another account has this id")
        })
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;
    use crate::organisation::Documents as _;

    fn organisation(sources: &[&str]) -> Organisation {
        let mut organisation = Organisation::default();
        for source in sources {
            organisation.sources.put(source).unwrap();
        }
        organisation
    }

    #[rstest]
    #[case::own(r#"{"name":"CALL_CENTRE"}"#, None)]
    #[case::documented(r#"{"name":"WECHAT","accounts":[{"id":"a"},{"id":"b","name":"B"}]}"#, None)]
    #[case::required(r#"{"name":"LINE","accounts":[{"id":"a"}],"requires_account":true}"#, None)]
    #[case::small_letters(r#"{"name":"wechat"}"#, Some("/name"))]
    #[case::alias(r#"{"name":"WEBENGAGE"}"#, Some("/name"))]
    #[case::no_name(r#"{"name":"pigeon post!"}"#, Some("/name"))]
    #[case::in_store(r#"{"name":"INSTORE","accounts":[{"id":"a"}]}"#, Some("/accounts"))]
    #[case::joiner_in_a_name(
        r#"{"name":"LINE","accounts":[{"id":"a","name":"می\u200cخواهم 👩\u200d👧"}]}"#,
        None
    )]
    #[case::joiner_in_an_id(
        r#"{"name":"LINE","accounts":[{"id":"می\u200cخواهم"}]}"#,
        Some("/accounts/0/id")
    )]
    #[case::no_id(r#"{"name":"LINE","accounts":[{"id":""}]}"#, Some("/accounts/0/id"))]
    #[case::blank(
        r#"{"name":"LINE","accounts":[{"id":"a","name":" "}]}"#,
        Some("/accounts/0/name")
    )]
    #[case::twice(r#"{"name":"LINE","accounts":[{"id":"a"},{"id":"a"}]}"#, Some("/accounts/1/id"))]
    #[case::of_none(r#"{"name":"LINE","requires_account":true}"#, Some("/requires_account"))]
    fn documents(#[case] document: &str, #[case] pointer: Option<&str>) {
        let refused = organisation(&[document]).check().err();
        let refused = refused.map(|refused| refused[0].invalid.pointer.clone());
        assert_eq!(refused.as_deref(), pointer);
    }

    #[rstest]
    #[case("call centre", Some("CALL_CENTRE"))]
    #[case("WebEngage", Some("WEB_ENGAGE"))]
    #[case("instore", Some("INSTORE"))]
    #[case("Line", None)]
    #[case("pigeon", None)]
    fn a_source_is_documented_or_set_up_and_in_use(
        #[case] sent: &str,
        #[case] source: Option<&str>,
    ) {
        let mut organisation = organisation(&[r#"{"name":"CALL_CENTRE"}"#, r#"{"name":"LINE"}"#]);
        organisation.sources.set_active("LINE", false).unwrap();
        assert_eq!(organisation.source(sent).as_ref().map(Source::name), source);
    }

    #[rstest]
    #[case("[]", "whatever", true)]
    #[case(r#"[{"id":"a"}]"#, "a", true)]
    #[case(r#"[{"id":"a"}]"#, "A", false)]
    #[case(r#"[{"id":"a","is_active":false}]"#, "a", false)]
    fn only_accounts_in_use_count(#[case] accounts: &str, #[case] sent: &str, #[case] has: bool) {
        let json = format!(r#"{{"name":"LINE","accounts":{accounts}}}"#);
        let organisation = organisation(&[&json]);
        assert_eq!(organisation.sources.named("LINE").unwrap().has_account(sent), has);
    }
}
