//! An entry as a row of a table: what the timeline says in a sentence, column by column.

use crate::app::history::HistoryLine;
use crate::domain::time::Instant;
use crate::http::web::parts::Piece;
use crate::http::web::timeline;
use crate::http::web::words::Badge;

use super::words;

/// A row; what an entry does not say is empty.
pub struct Row {
    pub position: i64,
    pub href: String,
    pub at: Instant,
    /// The kind and, of an act, its verb.
    pub what: String,
    pub badge: Option<Badge>,
    pub gate: String,
    /// Who, vendor, permit and dataset.
    pub cells: [Piece; 4],
    pub rows: Option<u64>,
}

/// The row of an entry.
pub fn row(told: HistoryLine) -> Row {
    let badge = timeline::badge(told.outcome.as_deref());
    let what = match told.kind.as_str() {
        "policy" => "Policy in force".to_owned(),
        "opened" => "Stream begun".to_owned(),
        "act" => told.outcome.as_deref().map(words::outcome).unwrap_or_default(),
        _ => String::new(),
    };
    let linked = |text: Option<String>, at: &str| match text {
        Some(text) => Piece { href: format!("{at}{text}"), text },
        None => Piece::default(),
    };
    let columns = told.columns;
    Row {
        position: told.position,
        href: timeline::href(told.position),
        at: told.at,
        what,
        badge,
        gate: told.gate.as_deref().map(words::gate).unwrap_or_default(),
        cells: [
            columns.who.map(|part| timeline::piece(&part)).unwrap_or_default(),
            columns.vendor.map(|part| timeline::piece(&part)).unwrap_or_default(),
            linked(columns.permit, "/permits/"),
            linked(columns.dataset, "/datasets/"),
        ],
        rows: columns.rows,
    }
}
