//! What the parts of `templates/parts.html` are given: plain data in words, made by the pages, decided elsewhere.

use crate::domain::Invalid;
use crate::domain::time::{Date, Instant};
use crate::policy::diff::Direction;

use super::words::Badge;

/// One of several values to choose from.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Choice {
    pub value: String,
    pub label: String,
    /// A line below the label, where choices are listed one below the other.
    pub hint: String,
}

impl Choice {
    /// A value and what it is called.
    pub fn new(value: impl Into<String>, label: impl Into<String>) -> Self {
        Self { value: value.into(), label: label.into(), hint: String::new() }
    }

    /// With a line that explains it.
    #[must_use]
    pub fn hinted(self, hint: impl Into<String>) -> Self {
        Self { hint: hint.into(), ..self }
    }
}

/// One view of a thing that has several.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tab {
    pub href: String,
    pub label: String,
    pub current: bool,
    pub count: Option<u64>,
}

/// A page above this one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Crumb {
    pub href: String,
    pub label: String,
}

/// A label and a value; with a link where there is a page for it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Fact {
    pub label: String,
    pub value: String,
    pub href: String,
}

impl Fact {
    /// A label and its value.
    pub fn new(label: impl Into<String>, value: impl Into<String>) -> Self {
        Self { label: label.into(), value: value.into(), href: String::new() }
    }

    /// With the page that it is about.
    #[must_use]
    pub fn at(self, href: impl Into<String>) -> Self {
        Self { href: href.into(), ..self }
    }
}

/// A gate of a gate panel.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GateLine {
    pub name: String,
    pub open: bool,
    /// Why it is closed, in the words of a refusal; or what keeps it open.
    pub said: String,
    /// What reopens it, where it is closed.
    pub reopens: String,
    /// When it closes by itself.
    pub until: Option<Instant>,
}

/// A piece of a sentence; with a link where it names something that has a page.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Piece {
    pub text: String,
    pub href: String,
}

/// An entry of the history in words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HistoryLineView {
    pub position: i64,
    pub href: String,
    pub at: Instant,
    /// Released, refused; none for an act.
    pub badge: Option<Badge>,
    pub sentence: Vec<Piece>,
    /// Whether a checkpoint covers it.
    pub proved: bool,
}

/// A line of a comparison; `None` where it was not there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DiffRow {
    pub label: String,
    pub before: Option<String>,
    pub after: Option<String>,
    pub direction: Direction,
}

/// Where a step of a path stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Progress {
    Done,
    Current,
    Later,
}

impl Progress {
    /// The end of its class in the style sheet.
    pub const fn class(self) -> &'static str {
        match self {
            Self::Done => "done",
            Self::Current => "current",
            Self::Later => "later",
        }
    }

    /// In a word, for those who do not see it.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Done => "done",
            Self::Current => "now",
            Self::Later => "later",
        }
    }
}

/// A step of a path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    pub label: String,
    pub progress: Progress,
    /// Empty where there is nothing to go to.
    pub href: String,
}

/// Releases and refusals of one day in UTC.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Day {
    pub date: Date,
    pub released: u64,
    pub refused: u64,
}

/// What is wrong with a field, as a sentence that begins with the field's label. `labels` pairs names and labels; a
/// field without one is named as it is, and a complaint without a field stands for itself.
pub fn complaint(labels: &[(&str, &str)], error: &Invalid) -> String {
    let label = labels.iter().find(|(name, _)| *name == error.field).map_or(error.field.as_str(), |(_, label)| *label);
    if label.is_empty() { alone(&error.reason) } else { ended(format!("{label} {}", error.reason)) }
}

/// A reason as a sentence of its own, beside the field that it is about: `Must have 1 to 120 characters.`
pub fn alone(reason: &str) -> String {
    ended(capitalised(reason))
}

fn ended(sentence: String) -> String {
    if sentence.ends_with(['.', '!', '?']) { sentence } else { format!("{sentence}.") }
}

fn capitalised(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map(|first| first.to_uppercase().chain(letters).collect()).unwrap_or_default()
}

/// Whether a menu of choices holds the value; a select whose value is none of them shows it has none.
pub fn is_among(choices: &[Choice], value: &str) -> bool {
    choices.iter().any(|choice| choice.value == value)
}

/// The first part of an id, enough to tell two apart on a page.
pub fn short(id: &str) -> &str {
    let tail = id.len().saturating_sub(8);
    id.get(tail..).unwrap_or(id)
}

/// Whether two texts are the same; templates hold some of them by value and some by reference.
pub fn is(one: &str, other: &str) -> bool {
    one == other
}
