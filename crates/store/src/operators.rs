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

/// Where an operator's account belongs, and where its role holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Scope {
    /// In every organisation, and in those that are made later.
    Everywhere,
    /// In this one.
    Organisation(TenantId),
}

/// What identifies an operator. A name is unique within its scope: operators of two organisations,
/// or of one and of everywhere, may have the same one.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct OperatorId {
    /// Where the account belongs.
    pub scope: Scope,
    /// The operator's name.
    pub name: String,
}

/// An operator in the list of a scope.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Operator {
    /// The operator's name.
    pub name: String,
    /// What they may do.
    pub role: Role,
}

/// What an operator signs in with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OperatorCredential {
    /// Whose it is.
    pub operator: OperatorId,
    /// The hash of the password, a PHC string.
    pub password: String,
}

/// A session that begins.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewSession {
    /// The hash of its token.
    pub token: TokenHash,
    /// Who signs in.
    pub operator: OperatorId,
    /// When it begins.
    pub opened_at: Timestamp,
    /// When it ends.
    pub expires_at: Timestamp,
}

/// An operator who is signed in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Session {
    /// Who is signed in.
    pub operator: OperatorId,
    /// The name of the operator's organisation; `None` for an operator for everywhere.
    pub organisation: Option<String>,
    /// What they may do; as it is now, whatever it was when they signed in.
    pub role: Role,
    /// When it ends.
    pub expires_at: Timestamp,
}

impl Session {
    /// What the operator may do for an organisation.
    #[must_use]
    pub fn role_in(&self, tenant: TenantId) -> Option<Role> {
        let holds = match self.operator.scope {
            Scope::Everywhere => true,
            Scope::Organisation(own) => own == tenant,
        };
        holds.then_some(self.role)
    }

    /// What the operator may do for every organisation.
    #[must_use]
    pub fn role_everywhere(&self) -> Option<Role> {
        (self.operator.scope == Scope::Everywhere).then_some(self.role)
    }
}

/// By what a session is known: the SHA-256 of the token that its operator has.
pub type TokenHash = [u8; 32];

/// Who the operators are, and who of them is signed in.
#[async_trait]
pub trait Operators {
    /// Adds an operator with this password, hashed as a PHC string, and a role.
    ///
    /// # Errors
    /// [`Error::Taken`] if the scope has an operator of the name.
    async fn add_operator(
        &self,
        operator: OperatorId,
        password: String,
        role: Role,
        author: Author,
    ) -> Result<(), Error>;

    /// Gives an operator a role in place of the present one.
    ///
    /// # Errors
    /// [`Error::NoOperator`], and [`Error::LastOwner`] if the scope would lose its last owner. An
    /// organisation's own owners are counted without those of [`Scope::Everywhere`].
    async fn change_role(
        &self,
        operator: OperatorId,
        role: Role,
        author: Author,
    ) -> Result<(), Error>;

    /// Removes an operator, and ends the operator's sessions.
    ///
    /// # Errors
    /// [`Error::NoOperator`], and [`Error::LastOwner`] as for a change of the role.
    async fn remove_operator(&self, operator: OperatorId, author: Author) -> Result<(), Error>;

    /// The operators of exactly this scope, by their names behind `after`, at most so many.
    async fn operators(
        &self,
        scope: Scope,
        after: &str,
        limit: u32,
    ) -> Result<Vec<Operator>, Error>;

    /// The role of an operator; `None` if no such operator exists.
    async fn operator_role(&self, operator: OperatorId) -> Result<Option<Role>, Error>;

    /// Whether any operator exists.
    async fn has_operators(&self) -> Result<bool, Error>;

    /// What the operator of this name signs in with, in the organisation of this name, or everywhere
    /// without one. `None` if no such operator exists, or no such organisation: one query finds out,
    /// so that the time does not tell them apart.
    async fn operator_credential(
        &self,
        organisation: Option<&str>,
        name: &str,
    ) -> Result<Option<OperatorCredential>, Error>;

    /// Changes an operator's password, and ends their sessions.
    ///
    /// # Errors
    /// [`Error::NoOperator`].
    async fn set_operator_password(
        &self,
        operator: OperatorId,
        password: String,
    ) -> Result<(), Error>;

    /// Begins a session of an operator. Those that have ended are forgotten; of more than
    /// [`SESSIONS_LIMIT`] the oldest.
    ///
    /// # Errors
    /// [`Error::NoOperator`].
    async fn open_session(&self, session: NewSession) -> Result<(), Error>;

    /// The session of this token; `None` where there is none, or it has ended.
    async fn session(&self, token: TokenHash, now: Timestamp) -> Result<Option<Session>, Error>;

    /// Ends a session.
    async fn close_session(&self, token: TokenHash) -> Result<(), Error>;
}

/// The most sessions that an operator has at once.
pub const SESSIONS_LIMIT: u32 = 50;
