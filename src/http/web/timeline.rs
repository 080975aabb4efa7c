//! The history as pages show it: each part of a sentence leads to the page of what it names.

use crate::app::history::{HistoryLine, Part};

use super::parts::{HistoryLineView, Piece, short};
use super::words::{Badge, Tone};

/// An entry in words, with links. People have a page for administrators only, so their names lead nowhere.
pub fn line(line: HistoryLine) -> HistoryLineView {
    HistoryLineView {
        position: line.position,
        href: href(line.position),
        at: line.at,
        badge: badge(line.outcome.as_deref()),
        sentence: line.sentence.iter().map(piece).collect(),
        proved: false,
    }
}

/// The page of an entry.
pub fn href(position: i64) -> String {
    format!("/history/{position}")
}

/// Whether data left; none for what is about rights.
pub fn badge(outcome: Option<&str>) -> Option<Badge> {
    match outcome {
        Some("released") => Some(Badge::new(Tone::InForce, "Released")),
        Some("refused") => Some(Badge::new(Tone::Stopped, "Refused")),
        Some("cut") => Some(Badge::new(Tone::Stopped, "Cut")),
        Some(_) | None => None,
    }
}

/// A part of a sentence. What has no name any more is called by the end of its id.
pub fn piece(part: &Part) -> Piece {
    let named = |name: &Option<String>, noun: &str, id: &str| name.clone().unwrap_or_else(|| format!("{noun} …{}", short(id)));
    let (text, href) = match part {
        Part::Text { text } => (text.clone(), String::new()),
        Part::Person { id, name } => (named(name, "person", id), String::new()),
        Part::Vendor { id, name } => (named(name, "vendor", id), format!("/vendors/{id}")),
        Part::Agreement { id, reference } => (named(reference, "agreement", id), format!("/agreements/{id}")),
        Part::Permit { key } => (key.clone(), format!("/permits/{key}")),
        Part::Dataset { name } => (name.clone(), format!("/datasets/{name}")),
        Part::Client { id, name } => (named(name, "client", id), format!("/clients/{id}")),
    };
    Piece { text, href }
}
