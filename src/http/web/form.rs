//! What was typed into a form stays: values and errors travel together, whatever happens to the act.

use actix_web::dev::Payload;
use actix_web::{Error, HttpRequest};

use crate::domain::Invalid;
use crate::http::input::{content_type, read as read_body};

use super::error::{WebError, Wire};

/// A form as it was sent, or as it is shown first, with what is wrong with it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Typed {
    pairs: Vec<(String, String)>,
    pub errors: Vec<Invalid>,
}

impl Typed {
    /// Values as they came.
    pub fn new(pairs: Vec<(String, String)>) -> Self {
        Self { pairs, errors: Vec::new() }
    }

    /// A value to begin with, before anyone typed.
    #[must_use]
    pub fn with(mut self, name: &str, value: impl ToString) -> Self {
        self.pairs.push((name.to_owned(), value.to_string()));
        self
    }

    /// With errors to show.
    #[must_use]
    pub fn refused(mut self, errors: impl IntoIterator<Item = Invalid>) -> Self {
        self.errors.extend(errors);
        self
    }

    /// The value typed into a field, trimmed; empty where there is none.
    pub fn value(&self, name: &str) -> &str {
        self.pairs.iter().find(|(key, _)| key == name).map_or("", |(_, value)| value.trim())
    }

    /// All values of a field that may be given more than once.
    pub fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        self.pairs.iter().filter(move |(key, _)| key == name).map(|(_, value)| value.trim())
    }

    /// Whether a box with that value is ticked, or a choice taken.
    pub fn has(&self, name: &str, value: &str) -> bool {
        self.all(name).any(|given| given == value)
    }

    /// Whether anything is given of a field that may be given more than once.
    pub fn has_any(&self, name: &str) -> bool {
        self.all(name).any(|given| !given.is_empty())
    }

    /// What is wrong with a field.
    pub fn error(&self, name: &str) -> Option<&str> {
        self.errors.iter().find(|error| error.field == name).map(|error| error.reason.as_str())
    }

    /// Every pair, as it came.
    pub fn pairs(&self) -> &[(String, String)] {
        &self.pairs
    }
}

/// The hidden field that says which page of which session a form stood on.
pub const TOKEN: &str = "csrf";

/// The most bytes of a form.
const MOST_FORM: usize = 1024 * 1024;

/// Reads an `application/x-www-form-urlencoded` body.
pub async fn read(request: &HttpRequest, payload: Payload) -> Result<Typed, Error> {
    if content_type(request) != "application/x-www-form-urlencoded" {
        return Err(WebError::wire(request, None, Wire::MediaType).into());
    }
    let bytes = read_body(request, payload, MOST_FORM).await.map_err(|_| WebError::wire(request, None, Wire::TooLarge))?;
    let pairs = serde_urlencoded::from_bytes(&bytes).map_err(|_| Error::from(WebError::wire(request, None, Wire::Unreadable)))?;
    Ok(Typed::new(pairs))
}
