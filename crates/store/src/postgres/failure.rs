//! What PostgreSQL says went wrong, and what follows from it.

use std::error::Error as StdError;
use std::io;
use std::panic::AssertUnwindSafe;

use futures_util::FutureExt;
use rustls::CertificateError;
use tokio_postgres::error::{DbError, SqlState};

use crate::Error;

/// What the database refused, without its details: they quote rows, and so customers.
#[derive(Debug, thiserror::Error)]
#[error("{severity}: {message} ({})", code.code())]
struct Refusal {
    severity: String,
    message: String,
    code: SqlState,
    constraint: Option<String>,
}

impl From<&DbError> for Refusal {
    fn from(told: &DbError) -> Self {
        Self {
            severity: told.severity().to_owned(),
            message: told.message().to_owned(),
            code: told.code().clone(),
            constraint: told.constraint().map(str::to_owned),
        }
    }
}

/// The failure as it may be told to anybody: what of it the database said is a [`Refusal`].
pub(super) fn discreet(
    error: impl StdError + Send + Sync + 'static,
) -> Box<dyn StdError + Send + Sync> {
    let first: &(dyn StdError + 'static) = &error;
    let mut causes = std::iter::successors(Some(first), |&error| error.source());
    let refusal = causes.find_map(|cause| cause.downcast_ref()).map(|told: &DbError| told.into());
    match refusal {
        Some(refusal) => Box::<Refusal>::new(refusal),
        None => Box::new(error),
    }
}

/// Why TLS to the database failed.
#[derive(Debug, thiserror::Error)]
enum TlsFailure {
    #[error("its certificate is not signed by a certificate in the file of `database_ca`")]
    UnknownIssuer,
    #[error("its certificate has another name than the host in `database`: {0}")]
    OtherName(CertificateError),
    #[error("its certificate is refused: {0}")]
    Certificate(CertificateError),
    #[error("TLS failed: {0}")]
    Other(rustls::Error),
}

impl From<&rustls::Error> for TlsFailure {
    fn from(error: &rustls::Error) -> Self {
        use CertificateError::{
            BadSignature, NotValidForName, NotValidForNameContext, UnknownIssuer,
        };
        match error {
            rustls::Error::InvalidCertificate(refused) => match refused {
                // The second where another issuer has the same name.
                UnknownIssuer | BadSignature => Self::UnknownIssuer,
                NotValidForName | NotValidForNameContext { .. } => Self::OtherName(refused.clone()),
                _ => Self::Certificate(refused.clone()),
            },
            _ => Self::Other(error.clone()),
        }
    }
}

/// The failure to connect. What TLS said replaces everything around it.
pub(super) fn not_connected(error: impl StdError + Send + Sync + 'static) -> Error {
    let first: &(dyn StdError + 'static) = &error;
    let mut causes = std::iter::successors(Some(first), |&error| error.source());
    let tls = causes.find_map(|cause| {
        let inner = cause.downcast_ref::<io::Error>()?.get_ref()?;
        inner.downcast_ref::<rustls::Error>().map(TlsFailure::from)
    });
    Error::Unreachable(tls.map_or_else(|| discreet(error), |failure| Box::new(failure)))
}

impl From<tokio_postgres::Error> for Error {
    fn from(error: tokio_postgres::Error) -> Self {
        Self::Engine(discreet(error))
    }
}

/// What is read does not go together any more: somebody else changed it meanwhile.
#[derive(Debug, thiserror::Error)]
#[error("what was read was changed meanwhile")]
pub(super) struct Overtaken;

impl From<Overtaken> for Error {
    fn from(overtaken: Overtaken) -> Self {
        Self::Engine(Box::new(overtaken))
    }
}

/// Work ended in a panic.
#[derive(Debug, thiserror::Error)]
#[error("a panic while writing; see the log before this")]
struct Panicked;

/// A panic is a failure like any other.
pub(super) async fn caught<T>(work: impl Future<Output = Result<T, Error>>) -> Result<T, Error> {
    let done = AssertUnwindSafe(work).catch_unwind().await;
    done.unwrap_or_else(|_| Err(Error::Engine(Box::new(Panicked))))
}

fn cause<T: StdError + 'static>(error: &Error) -> Option<&T> {
    let Error::Engine(source) = error else { return None };
    source.downcast_ref()
}

/// The code by which PostgreSQL says what failed.
pub(super) fn code(error: &Error) -> Option<&SqlState> {
    cause(error).map(|refusal: &Refusal| &refusal.code)
}

/// Whether this failed with the database, or on the way there.
pub(super) fn is_of_the_database(error: &Error) -> bool {
    code(error).is_some() || cause::<tokio_postgres::Error>(error).is_some()
}

/// Whether a key of this name is taken; where the table is spread over nodes, theirs have a number
/// behind it.
pub(super) fn violates(error: &Error, key: &str) -> bool {
    let refusal: Option<&Refusal> = cause(error);
    refusal.is_some_and(|refusal| {
        let constraint = refusal.constraint.as_deref();
        refusal.code == SqlState::UNIQUE_VIOLATION
            && constraint.is_some_and(|constraint| constraint.starts_with(key))
    })
}

/// Tells a name that is taken from every other failure.
pub(super) fn taken(error: Error, what: &str, name: &str) -> Error {
    if code(&error) == Some(&SqlState::UNIQUE_VIOLATION) {
        return Error::Taken(format!("{what} `{name}`"));
    }
    error
}

/// Whether another transaction stood in the way, so that another try may do better.
pub(super) fn is_about_others(error: &Error) -> bool {
    let known = [
        &SqlState::T_R_SERIALIZATION_FAILURE,
        &SqlState::T_R_DEADLOCK_DETECTED,
        &SqlState::UNIQUE_VIOLATION,
        &SqlState::LOCK_NOT_AVAILABLE,
        &SqlState::IN_FAILED_SQL_TRANSACTION,
    ];
    cause::<Overtaken>(error).is_some() || code(error).is_some_and(|code| known.contains(&code))
}

/// Whether it is for what one of a group is or asks for: the others can be written without.
pub(super) fn is_about_one(error: &Error) -> bool {
    // Data that cannot be, constraints, a program's limit.
    let is_refused = is_of_a_class(error, &["22", "23", "54"]) && !is_about_others(error);
    is_refused || matches!(error, Error::Corrupt(_)) || cause::<Panicked>(error).is_some()
}

/// Whether it is the database that fails, and not something that it or Patron refuses.
pub(super) fn has_failed(error: &Error) -> bool {
    // A key that somebody else has, and a lock.
    let is_refused = is_about_one(error) || is_of_a_class(error, &["23", "55P03"]);
    let is_of_the_database =
        matches!(error, Error::Unreachable(_) | Error::OutcomeUnknown | Error::Engine(_));
    is_of_the_database && !is_refused
}

/// Whether a statement failed since another one, which was sent before it, did.
pub(super) fn follows_another(error: &Error) -> bool {
    code(error) == Some(&SqlState::IN_FAILED_SQL_TRANSACTION)
}

/// Whether the database gave a statement up, since it took too long.
pub(super) fn is_cancelled(error: &Error) -> bool {
    code(error) == Some(&SqlState::QUERY_CANCELED)
}

fn is_of_a_class(error: &Error, classes: &[&str]) -> bool {
    code(error).is_some_and(|code| classes.iter().any(|class| code.code().starts_with(class)))
}

/// Whether the connection has ended, or ends since the server shuts down or starts.
pub(super) fn is_closed(error: &Error) -> bool {
    let is_cut = cause(error).is_some_and(|error: &tokio_postgres::Error| {
        let io = error.source().and_then(|source| source.downcast_ref::<io::Error>());
        // That one is about what was to be sent.
        error.is_closed() || io.is_some_and(|io| io.kind() != io::ErrorKind::InvalidInput)
    });
    is_cut || is_of_a_class(error, &["08", "57P"])
}

/// Whether the connection, or the server behind it, is of no use any more: it has ended, lacks
/// something, or takes no writes.
pub(super) fn is_lost(error: &Error) -> bool {
    let known =
        [&SqlState::READ_ONLY_SQL_TRANSACTION, &SqlState::IDLE_IN_TRANSACTION_SESSION_TIMEOUT];
    matches!(error, Error::Unreachable(_))
        || is_closed(error)
        || is_of_a_class(error, &["53"])
        || code(error).is_some_and(|code| known.contains(&code))
}

/// Nothing was written, since no answer came in time.
pub(super) fn late() -> Error {
    Error::Unreachable("it did not answer in time".into())
}

/// The failure where it means that the database cannot be reached.
pub(super) fn unreachable(error: Error) -> Error {
    match error {
        Error::Engine(source) => Error::Unreachable(source),
        other => other,
    }
}
