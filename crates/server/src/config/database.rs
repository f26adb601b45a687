//! The URL of a PostgreSQL database. It may hold a password, so it is shown without one.

use std::fmt;

use anyhow::{Context, bail, ensure};
use serde::{Deserialize, Serialize, Serializer};

/// How a URL of a database begins.
const SCHEMES: [&str; 2] = ["postgres://", "postgresql://"];
/// What stands in the place of a secret.
const REDACTED: &str = "***";
/// The parameters whose values are shown. Others are not known to be no secrets.
const SHOWN: [&str; 9] = [
    "application_name",
    "connect_timeout",
    "dbname",
    "host",
    "options",
    "port",
    "sslmode",
    "target_session_attrs",
    "user",
];

/// The URL of a database, as `postgres://user:password@host1,host2/name?sslmode=require`; empty for
/// none. Written out, logged or printed, it lacks the password.
#[derive(Clone, PartialEq, Eq, Default, Deserialize)]
#[serde(transparent)]
pub struct DatabaseUrl(String);

impl From<String> for DatabaseUrl {
    fn from(text: String) -> Self {
        Self(text)
    }
}

/// The parts of a URL.
struct Parts<'a> {
    scheme: &'a str,
    user: Option<&'a str>,
    has_password: bool,
    hosts: &'a str,
    name: &'a str,
    parameters: Vec<(&'a str, &'a str)>,
}

impl DatabaseUrl {
    /// Whether there is none.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The URL with its password, for whoever connects.
    #[must_use]
    pub fn reveal(&self) -> &str {
        &self.0
    }

    /// Refuses what is no such URL. What it says holds nothing of the URL.
    pub(super) fn check(&self) -> anyhow::Result<()> {
        self.parts().map(drop)
    }

    fn parts(&self) -> anyhow::Result<Parts<'_>> {
        let scheme = SCHEMES.into_iter().find(|scheme| self.0.starts_with(scheme));
        let scheme = scheme
            .context("database is `postgres://USER@HOST/NAME` or `sqlite:DIRECTORY`, not this")?;
        let rest = self.0.strip_prefix(scheme).unwrap_or_default();
        let (credentials, place) = match rest.rsplit_once('@') {
            Some((credentials, place)) => (Some(credentials), place),
            None => (None, rest),
        };
        if credentials.is_some_and(|credentials| credentials.contains(['@', '/', '?', '#'])) {
            bail!(
                "in database, write `@`, `/`, `?` and `#` of a name or password as %40, %2F, %3F and %23"
            );
        }
        let (user, password) = match credentials.map(|both| both.split_once(':')) {
            Some(Some((user, password))) => (Some(user), Some(password)),
            Some(None) => (credentials, None),
            None => (None, None),
        };
        let (path, query) = place.split_once('?').unwrap_or((place, ""));
        let (hosts, name) = path.split_once('/').unwrap_or((path, ""));
        let parameters: Vec<_> = query
            .split('&')
            .filter(|parameter| !parameter.is_empty())
            .map(|parameter| parameter.split_once('=').unwrap_or((parameter, "")))
            .collect();
        ensure!(
            !hosts.is_empty() || parameters.iter().any(|(key, _)| *key == "host"),
            "database names no host, as `postgres://USER@HOST/NAME` does"
        );
        let has_password = password.is_some();
        Ok(Parts { scheme, user, has_password, hosts, name, parameters })
    }
}

impl fmt::Display for DatabaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.is_empty() {
            return Ok(());
        }
        let Ok(Parts { scheme, user, has_password, hosts, name, parameters }) = self.parts() else {
            return f.write_str(REDACTED);
        };
        f.write_str(scheme)?;
        if let Some(user) = user {
            f.write_str(user)?;
            if has_password {
                write!(f, ":{REDACTED}")?;
            }
            f.write_str("@")?;
        }
        write!(f, "{hosts}/{name}")?;
        for (place, (key, value)) in parameters.into_iter().enumerate() {
            let before = if place == 0 { '?' } else { '&' };
            let value = if SHOWN.contains(&key) { value } else { REDACTED };
            write!(f, "{before}{key}={value}")?;
        }
        Ok(())
    }
}

impl fmt::Debug for DatabaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl Serialize for DatabaseUrl {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    fn url(text: &str) -> DatabaseUrl {
        DatabaseUrl(text.to_owned())
    }

    #[rstest]
    #[case::plain("postgres://patron@db/patron", "postgres://patron@db/patron")]
    #[case::password(
        "postgresql://patron:s3%40cret@db:5433/patron?sslmode=require",
        "postgresql://patron:***@db:5433/patron?sslmode=require"
    )]
    #[case::password_as_a_parameter(
        "postgres://one,two/patron?user=patron&password=s3cret",
        "postgres://one,two/patron?user=patron&password=***"
    )]
    #[case::password_whose_name_is_disguised(
        "postgres://db/patron?pass%77ord=s3cret",
        "postgres://db/patron?pass%77ord=***"
    )]
    #[case::socket(
        "postgres:///patron?host=/run/postgresql&user=patron",
        "postgres:///patron?host=/run/postgresql&user=patron"
    )]
    fn it_is_shown_without_a_secret(#[case] given: &str, #[case] shown: &str) {
        let url = url(given);
        url.check().unwrap();
        assert_eq!(url.to_string(), shown);
        assert_eq!(format!("{url:?}"), shown);
        assert_eq!(serde_json::to_value(&url).unwrap(), shown);
        assert_eq!(url.reveal(), given);
    }

    #[rstest]
    #[case::another_scheme("mysql://patron:s3cret@db/patron")]
    #[case::no_scheme("patron:s3cret@db/patron")]
    #[case::at_sign_in_the_password("postgres://patron:s3@cret@db/patron")]
    #[case::slash_in_the_password("postgres://patron:s3/cret@db/patron")]
    #[case::question_mark_in_the_password("postgres://patron:s3?cret@db/patron")]
    #[case::no_host("postgres:///s3cret")]
    fn what_it_is_not_is_refused_without_being_told(#[case] given: &str) {
        let url = url(given);
        let refusal = format!("{:#}", url.check().unwrap_err());
        for told in [refusal, url.to_string(), format!("{url:?}")] {
            assert!(!told.contains("s3") && !told.contains("cret"), "{told}");
        }
    }
}
