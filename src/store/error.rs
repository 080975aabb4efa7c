//! What the store answers when it can't: never a value, a path or an address.

use diesel::result::{DatabaseErrorInformation, DatabaseErrorKind, Error};

/// Why a statement or a transaction did not happen. The texts hold no stored value.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum StoreError {
    /// There is none of this noun under that id.
    #[error("there is no such {0}")]
    NotFound(&'static str),
    /// This must be unique and is in use.
    #[error("{0} is already taken")]
    Taken(&'static str),
    /// The noun was saved by somebody else after it was read.
    #[error("it was changed meanwhile: read it again")]
    Stale,
    /// A stored row of this noun does not read as one.
    #[error("a stored {0} can not be read")]
    Damaged(&'static str),
    /// The database did not do it; asking again may help.
    #[error("the database is not available: {0}")]
    Unavailable(String),
}

impl StoreError {
    pub(super) fn unavailable(why: &str) -> Self {
        Self::Unavailable(why.to_owned())
    }

    /// The error of an insert or save in which `what` is what can be taken already.
    pub(super) fn taken(error: Error, what: &'static str) -> Self {
        match Self::from(error) {
            Self::Taken(_) => Self::Taken(what),
            other @ (Self::NotFound(_) | Self::Stale | Self::Damaged(_) | Self::Unavailable(_)) => other,
        }
    }
}

impl From<Error> for StoreError {
    fn from(error: Error) -> Self {
        match error {
            Error::NotFound => Self::NotFound("row"),
            Error::DatabaseError(kind, information) => of_database(&kind, information.as_ref()),
            Error::DeserializationError(_) => Self::Damaged("row"),
            Error::BrokenTransactionManager | Error::AlreadyInTransaction | Error::NotInTransaction => {
                Self::unavailable("a transaction was left in disorder")
            }
            _ => Self::unavailable("a statement could not be carried out"),
        }
    }
}

fn of_database(kind: &DatabaseErrorKind, information: &(dyn DatabaseErrorInformation + Send + Sync)) -> StoreError {
    match kind {
        DatabaseErrorKind::UniqueViolation => StoreError::Taken("this"),
        DatabaseErrorKind::ForeignKeyViolation => StoreError::NotFound("referenced record"),
        DatabaseErrorKind::SerializationFailure => StoreError::unavailable("another transaction was in the way"),
        DatabaseErrorKind::ClosedConnection => StoreError::unavailable("the connection was closed"),
        DatabaseErrorKind::ReadOnlyTransaction => StoreError::unavailable("only reading is allowed here"),
        _ => {
            let why = known(information.message());
            // The message itself may quote a value, so that only names of the schema are logged.
            tracing::error!(table = information.table_name(), constraint = information.constraint_name(), why, "a statement failed");
            StoreError::unavailable(why)
        }
    }
}

/// Sorts a database's message into one of ours, which names no value, path or address.
pub(super) fn known(message: &str) -> &'static str {
    const KNOWN: [(&str, &str); 14] = [
        ("disk is full", "the disk is full"),
        ("No space left", "the disk is full"),
        ("disk I/O error", "the disk fails"),
        ("readonly database", "only reading is allowed here"),
        ("is locked", "another process holds it"),
        ("lock timeout", "another transaction held it too long"),
        ("malformed", "its file is damaged"),
        ("not a database", "the file is no database"),
        ("unable to open", "its file can not be opened"),
        ("authentication failed", "it refuses the user or the password"),
        ("does not exist", "something that it needs does not exist there"),
        ("too many", "it has too many connections"),
        ("SSL", "no encrypted connection could be made"),
        ("onnect", "it can not be reached"),
    ];
    KNOWN.iter().find(|(part, _)| message.contains(part)).map_or("a statement could not be carried out", |(_, why)| why)
}
