//! The nouns and their rules; no I/O, no clock, no randomness.

pub mod activation;
pub mod address;
pub mod advice;
pub mod agreement;
pub mod assessment;
pub mod client;
pub mod client_key;
pub mod condition;
pub mod consent;
pub mod dataset;
pub mod detect;
pub mod evidence;
pub mod gate;
pub mod hierarchy;
pub mod id;
pub mod kill_switch;
pub mod paper;
pub mod permit;
pub mod person;
pub mod purpose;
pub mod questionnaire;
pub mod secret;
pub mod session;
pub mod signing_key;
pub mod source;
pub mod text;
pub mod time;
pub mod treatment;
pub mod vendor;
pub mod vocabulary;

pub use time::{Date, Instant};

/// A value that a noun cannot hold: which field, and what to do about it.
///
/// `reason` completes the sentence "`field` …" and never repeats the value. Without a field it is the whole value that
/// can't be, and whoever knows what it is puts a name before the reason.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error, serde::Serialize, utoipa::ToSchema)]
#[error("{field}{}{reason}", if field.is_empty() { "" } else { " " })]
pub struct Invalid {
    /// Path of the field as the API names it, such as `contacts[0].email`.
    pub field: String,
    /// What is wrong and what would be right.
    pub reason: String,
}

/// Reads a variant that has no members. Serde itself lets an internally tagged one pass with any members, also under
/// `deny_unknown_fields`.
pub(crate) fn no_members<'de, D: serde::Deserializer<'de>>(from: D) -> Result<(), D::Error> {
    #[derive(serde::Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Nothing {}
    serde::Deserialize::deserialize(from).map(|Nothing {}| ())
}

impl Invalid {
    /// Names a field and says what it must be.
    pub fn new(field: impl Into<String>, reason: impl Into<String>) -> Self {
        Self { field: field.into(), reason: reason.into() }
    }

    /// The same complaint, placed below a parent path.
    #[must_use]
    pub fn within(self, parent: &str) -> Self {
        let field = if self.field.is_empty() { parent.to_owned() } else { format!("{parent}.{}", self.field) };
        Self { field, ..self }
    }
}
