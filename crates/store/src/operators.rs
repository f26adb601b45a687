//! Operators: the people who set organisations up and look after them.

use std::fmt;
use std::str::FromStr;

use async_trait::async_trait;
use jiff::Timestamp;

use crate::{Author, Error, TenantId};

/// What an operator may do for an organisation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Role {
    /// See what is set up.
    Reader,
    /// That, and look after customers.
    Support,
    /// See and change what is set up.
    Editor,
    /// That, and decide who may do what.
    Owner,
}

impl Role {
    /// Every role, that with the least rights first.
    pub const ALL: [Self; 4] = [Self::Reader, Self::Support, Self::Editor, Self::Owner];

    /// Its name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Reader => "reader",
            Self::Support => "support",
            Self::Editor => "editor",
            Self::Owner => "owner",
        }
    }
}

/// The text is none of `reader`, `support`, `editor` and `owner`.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("a role is reader, support, editor or owner, not `{0}`")]
pub struct NoRole(String);

impl FromStr for Role {
    type Err = NoRole;

    fn from_str(name: &str) -> Result<Self, NoRole> {
        let known = Self::ALL.into_iter().find(|role| role.name() == name);
        known.ok_or_else(|| NoRole(name.to_owned()))
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// Where a role holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scope {
    /// In every organisation, and in those that are made later.
    Everywhere,
    /// In this one.
    Organisation(TenantId),
}

/// An operator's role somewhere.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Grant {
    /// The operator's name.
    pub operator: String,
    /// What they may do.
    pub role: Role,
}

/// An operator who is signed in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Session {
    /// The operator's name.
    pub operator: String,
    /// What they may do, and where; as it is now, whatever it was when they signed in.
    pub grants: Vec<(Scope, Role)>,
    /// When it ends.
    pub expires_at: Timestamp,
}

impl Session {
    /// What the operator may do for an organisation; the more of what is granted for it and for all.
    #[must_use]
    pub fn role_in(&self, tenant: TenantId) -> Option<Role> {
        let holds = |scope: &Scope| match scope {
            Scope::Everywhere => true,
            Scope::Organisation(other) => *other == tenant,
        };
        self.grants.iter().filter(|(scope, _)| holds(scope)).map(|(_, role)| *role).max()
    }

    /// What the operator may do for every organisation.
    #[must_use]
    pub fn role_everywhere(&self) -> Option<Role> {
        let granted = self.grants.iter().filter(|(scope, _)| *scope == Scope::Everywhere);
        granted.map(|(_, role)| *role).max()
    }
}

/// By what a session is known: the SHA-256 of the token that its operator has.
pub type TokenHash = [u8; 32];

/// Who the operators are, and who of them is signed in.
#[async_trait]
pub trait Operators {
    /// Makes an operator with this password, hashed as a PHC string, and a role.
    ///
    /// # Errors
    /// [`Error::Taken`] when there is an operator of the name.
    async fn add_operator(
        &self,
        name: &str,
        password: String,
        scope: Scope,
        role: Role,
        author: Author,
    ) -> Result<(), Error>;

    /// Gives an operator a role in place of the one they have there; `None` takes it away. An
    /// operator without any role stays known, and can do nothing.
    ///
    /// # Errors
    /// [`Error::NoOperator`], and [`Error::LastOwner`] if the scope would lose its last owner. An
    /// organisation's own owners are counted without those of [`Scope::Everywhere`].
    async fn grant(
        &self,
        name: &str,
        scope: Scope,
        role: Option<Role>,
        author: Author,
    ) -> Result<(), Error>;

    /// The roles granted for exactly this scope, by the operators' names behind `after`, at most so
    /// many.
    async fn grants(&self, scope: Scope, after: &str, limit: u32) -> Result<Vec<Grant>, Error>;

    /// The role that an operator has for exactly this scope; `None` without one.
    async fn granted(&self, scope: Scope, name: &str) -> Result<Option<Role>, Error>;

    /// Whether any operator exists.
    async fn has_operators(&self) -> Result<bool, Error>;

    /// The hash of an operator's password; `None` where there is no such operator.
    async fn operator_password(&self, name: &str) -> Result<Option<String>, Error>;

    /// Changes an operator's password, and ends their sessions.
    ///
    /// # Errors
    /// [`Error::NoOperator`].
    async fn set_operator_password(&self, name: &str, password: String) -> Result<(), Error>;

    /// Begins a session of an operator. Those that have ended are forgotten; of more than
    /// [`SESSIONS_LIMIT`] the oldest.
    ///
    /// # Errors
    /// [`Error::NoOperator`].
    async fn open_session(
        &self,
        token: TokenHash,
        operator: &str,
        now: Timestamp,
        expires_at: Timestamp,
    ) -> Result<(), Error>;

    /// The session of this token; `None` where there is none, or it has ended.
    async fn session(&self, token: TokenHash, now: Timestamp) -> Result<Option<Session>, Error>;

    /// Ends a session.
    async fn close_session(&self, token: TokenHash) -> Result<(), Error>;
}

/// The most sessions that an operator has at once.
pub const SESSIONS_LIMIT: u32 = 50;
