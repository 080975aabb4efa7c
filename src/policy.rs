//! Pure decisions: who may do what, and what may be released. No I/O; time is a parameter.

pub mod access;
pub mod agreement;
pub mod assessment;
pub mod comparison;
pub mod consent;
pub mod diff;
pub mod drift;
pub mod first_run;
pub mod matrix;
pub mod permit;
pub mod preview;
pub mod release;
pub mod sign_in;
pub mod signing_keys;
pub mod standing;
pub mod suggestion;
pub mod vendor;
pub mod work;
pub mod words;

use crate::domain::Invalid;
use crate::domain::person::{Actor, Role};

/// Why an act is not allowed: a sentence for the person who tried.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Denied {
    /// The noun is not in a state in which the act applies.
    #[error("{0}")]
    State(String),
    /// This person may not; another may.
    #[error("{0}")]
    Person(&'static str),
    /// What was sent can't be.
    #[error("{0}")]
    Invalid(#[from] Invalid),
    /// Several things are missing before the act can happen.
    #[error("{} missing before this can be done", counted(.0.len()))]
    Missing(Vec<Invalid>),
}

fn counted(things: usize) -> String {
    if things == 1 { "1 thing is".to_owned() } else { format!("{things} things are") }
}

impl Denied {
    pub(crate) fn state(sentence: impl Into<String>) -> Self {
        Self::State(sentence.into())
    }
}

/// Two people are two people: whoever wrote a thing does not approve it.
pub(crate) fn is_same_person(actor: &Actor, author: &crate::domain::id::PersonId) -> bool {
    actor.person() == Some(author)
}

/// Whether the actor holds the role of a privacy officer.
pub(crate) fn is_privacy_officer(actor: &Actor) -> bool {
    matches!(actor, Actor::Person { role: Role::PrivacyOfficer, .. })
}
