//! What use cases answer, as the parts of templates take it: worded there, only put into place here.

use crate::app::gates::GateState;
use crate::app::stops::StopPreview;
use crate::domain::gate::Gate;
use crate::domain::time::Instant;
use crate::policy::diff::{Diff, Difference};

use super::parts::{DiffRow, GateLine};
use super::words;

/// The rows of a comparison.
pub fn diff(diff: &Diff) -> Vec<DiffRow> {
    diff.differences.iter().map(difference).collect()
}

/// One row of a comparison.
pub fn difference(one: &Difference) -> DiffRow {
    DiffRow { label: one.label.clone(), before: one.before.clone(), after: one.after.clone(), direction: one.direction }
}

/// A gate panel.
pub fn gates(states: &[GateState]) -> Vec<GateLine> {
    states.iter().map(gate).collect()
}

fn gate(state: &GateState) -> GateLine {
    let said = match (state.open, state.rows_left) {
        (true, Some(left)) => format!("{} left today.", words::count(left, "row is", "rows are")),
        (true, None) => String::new(),
        (false, _) => state.detail.to_owned(),
    };
    // A quota that is open says its rows; that it begins anew at midnight is no end.
    let until = state.until.filter(|_| state.open && state.gate != Gate::Quota);
    GateLine { name: words::gate(&state.gate).to_owned(), open: state.open, said, reopens: state.reopens.to_owned(), until }
}

/// What a stop stops, in short sentences.
pub fn stops(stops: &StopPreview, now: Instant) -> Vec<String> {
    let streams = (stops.running_streams > 0).then(|| words::count(stops.running_streams, "running stream", "running streams"));
    let pulled = match stops.last_pull {
        Some(at) => format!("Last pull {}", words::ago(&at, &now)),
        None => "Nothing was pulled yet".to_owned(),
    };
    let counts = [
        words::count(stops.clients, "client", "clients"),
        words::count(stops.tokens, "token", "tokens"),
        words::count(stops.permits, "permit", "permits"),
    ];
    counts.into_iter().chain(streams).chain([pulled]).collect()
}
