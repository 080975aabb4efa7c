//! A signed-in browser, and the links that let a person choose their password once.

use serde::Serialize;

use super::id::{PersonId, SessionId};
use super::time::Instant;

/// How far a sign-in has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub enum Stage {
    /// The password was right; the code of the second factor is still asked for. Opens no page.
    Code,
    /// Signed in.
    In,
}

impl Stage {
    /// The stored name.
    pub const fn key(self) -> &'static str {
        match self {
            Self::Code => "code",
            Self::In => "in",
        }
    }

    /// Reads the stored name.
    pub fn from_key(key: &str) -> Option<Self> {
        [Self::Code, Self::In].into_iter().find(|stage| stage.key() == key)
    }
}

/// A session; its secret is in the browser's cookie only.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Session {
    pub id: SessionId,
    pub person: PersonId,
    pub stage: Stage,
    /// What the browser called itself, shortened.
    pub browser: String,
    pub created_at: Instant,
    /// The last request, to the minute.
    pub seen_at: Instant,
    /// The latest end, whatever happens.
    pub ends_at: Instant,
}

/// What a link to choose a password is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LinkKind {
    /// Makes the first administrator of an empty installation.
    SetUp,
    /// Lets an added person in for the first time.
    Invitation,
    /// Replaces a forgotten password.
    Reset,
}

impl LinkKind {
    /// The stored name.
    pub const fn key(self) -> &'static str {
        match self {
            Self::SetUp => "set_up",
            Self::Invitation => "invitation",
            Self::Reset => "reset",
        }
    }

    /// Reads the stored name.
    pub fn from_key(key: &str) -> Option<Self> {
        [Self::SetUp, Self::Invitation, Self::Reset].into_iter().find(|kind| kind.key() == key)
    }
}

/// A link as it is kept, without its secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PasswordLink {
    pub kind: LinkKind,
    /// None for the first administrator, who is not there yet.
    pub person: Option<PersonId>,
    pub created_at: Instant,
    pub ends_at: Instant,
    pub used_at: Option<Instant>,
}
