//! What the entries that were found are, with counts: each narrows the list further, or takes its narrowing away.

use std::collections::BTreeMap;

use crate::app::lists::Facets;
use crate::http::web::form::Typed;

use super::{asked, words};

/// One way to tell entries apart.
pub struct Facet {
    pub name: &'static str,
    /// The largest groups, and those that the list is narrowed to.
    pub first: Vec<Narrowing>,
    /// The others, which are folded away.
    pub rest: Vec<Narrowing>,
}

/// One group of entries.
pub struct Narrowing {
    pub label: String,
    pub count: usize,
    /// Narrows to it; where the list is narrowed to it already, takes that away.
    pub href: String,
    pub chosen: bool,
}

/// Groups that are seen at once.
const AT_ONCE: usize = 8;

/// Facets that tell anything, the largest group first.
pub fn of(typed: &Typed, found: &Facets) -> Vec<Facet> {
    let facets = [
        facet(typed, "Kind", "kind", &found.kinds, words::kind),
        facet(typed, "Outcome", "outcome", &found.outcomes, words::outcome),
        facet(typed, "Gate", "gate", &found.gates, words::gate),
    ];
    facets.into_iter().filter(|facet| !facet.first.is_empty()).collect()
}

fn facet(typed: &Typed, name: &'static str, field: &str, counts: &BTreeMap<String, usize>, called: fn(&str) -> String) -> Facet {
    let mut options: Vec<Narrowing> = counts
        .iter()
        .map(|(key, count)| {
            let chosen = typed.value(field) == key;
            let href = asked::link("/history", typed, &[("before", ""), (field, if chosen { "" } else { key })]);
            Narrowing { label: called(key), count: *count, href, chosen }
        })
        .collect();
    options.sort_by_key(|option| (!option.chosen, std::cmp::Reverse(option.count)));
    let rest = options.split_off(options.len().min(AT_ONCE));
    Facet { name, first: options, rest }
}
