//! The filters of the history as its URL bears them: read whole, or refused with the field named.

use std::str::FromStr;

use crate::app::history::Sought;
use crate::app::lists::{HistoryFilter, KINDS, OUTCOMES};
use crate::domain::gate::Gate;
use crate::domain::id::{ClientId, PersonId, ReleaseId};
use crate::domain::text::Slug;
use crate::domain::time::Date;
use crate::domain::{Instant, Invalid};
use crate::http::web::form::Typed;
use crate::http::web::parts::Tab;

/// What was asked for; `typed` bears what is wrong with it.
pub struct Asked {
    pub typed: Typed,
    pub filter: HistoryFilter,
    /// Entries before this position.
    pub before: Option<i64>,
    pub table: bool,
}

/// Every name that the URL may bear, in the order in which links bear them.
const NAMES: [&str; 14] =
    ["view", "kind", "outcome", "gate", "vendor", "dataset", "purpose", "permit", "client", "person", "release", "from", "to", "before"];

/// What the form passes on without a field for it.
pub const HIDDEN: [&str; 3] = ["view", "client", "release"];

/// Filters that are folded away until one of them is used.
const FOLDED: [&str; 6] = ["outcome", "gate", "dataset", "purpose", "permit", "person"];

/// What the URL bears, as it was typed. What can't be read is left out of it, as browsers do.
pub fn typed(query: &str) -> Typed {
    Typed::new(serde_urlencoded::from_str(query).unwrap_or_default())
}

/// The same list with some filters changed; an empty value takes one away.
pub fn link(path: &str, typed: &Typed, changes: &[(&str, &str)]) -> String {
    let value = |name: &&'static str| changes.iter().find(|(changed, _)| changed == name).map_or(typed.value(name), |(_, value)| *value);
    let pairs: Vec<(&str, &str)> = NAMES.iter().map(|name| (*name, value(name))).filter(|(_, value)| !value.is_empty()).collect();
    match serde_urlencoded::to_string(pairs) {
        Ok(query) if !query.is_empty() => format!("{path}?{query}"),
        Ok(_) | Err(_) => path.to_owned(),
    }
}

impl Asked {
    /// Reads what was typed; `sought` is the vendor that its field names.
    pub fn of(typed: Typed, sought: &Sought) -> Self {
        let mut errors = Vec::new();
        let (kind, outcome) = (one_of(&typed, "kind", KINDS, &mut errors), one_of(&typed, "outcome", OUTCOMES, &mut errors));
        let filter = HistoryFilter {
            kind,
            outcome,
            gate: one_of(&typed, "gate", &Gate::ALL.map(Gate::key), &mut errors),
            vendor: vendor(sought, &mut errors),
            dataset: key::<Slug>(&typed, "dataset", "must be the name of a dataset", &mut errors),
            purpose: key::<Slug>(&typed, "purpose", "must be chosen from the list", &mut errors),
            permit: key::<Slug>(&typed, "permit", "must be the key of a permit, such as “usage-analytics”", &mut errors),
            person: person(&typed, &mut errors),
            client: hidden::<ClientId>(&typed, "client", &mut errors),
            release: hidden::<ReleaseId>(&typed, "release", &mut errors),
            from: day(&typed, "from", &mut errors).map(Date::start),
            to: day(&typed, "to", &mut errors).map(Date::end),
        };
        check_order(&filter, &mut errors);
        let table = is_table(&typed, &mut errors);
        let before = before(&typed, &mut errors);
        Self { typed: typed.refused(errors), filter, before, table }
    }

    /// The page that follows an entry.
    pub fn before(&self, position: i64) -> String {
        link("/history", &self.typed, &[("before", &position.to_string())])
    }

    /// The two ways to look at the same entries.
    pub fn tabs(&self) -> Vec<Tab> {
        let tab = |label: &str, view: &str, current| Tab {
            href: link("/history", &self.typed, &[("view", view)]),
            label: label.to_owned(),
            current,
            count: None,
        };
        vec![tab("Timeline", "", !self.table), tab("Table", "table", self.table)]
    }

    /// Whether a filter is used, or wrong, that is folded away otherwise.
    pub fn is_unfolded(&self) -> bool {
        FOLDED.iter().any(|name| !self.typed.value(name).is_empty())
    }
}

fn one_of(typed: &Typed, name: &str, words: &[&str], errors: &mut Vec<Invalid>) -> Option<String> {
    let value = typed.value(name);
    if value.is_empty() || words.contains(&value) {
        return (!value.is_empty()).then(|| value.to_owned());
    }
    errors.push(Invalid::new(name, "must be chosen from the list"));
    None
}

fn vendor(sought: &Sought, errors: &mut Vec<Invalid>) -> Option<String> {
    match sought {
        Sought::Any => None,
        Sought::Found { id, .. } => Some(id.clone()),
        Sought::Nobody => {
            errors.push(Invalid::new("vendor", "must be the whole legal name of a registered vendor"));
            None
        }
    }
}

fn key<T: FromStr + ToString>(typed: &Typed, name: &str, reason: &str, errors: &mut Vec<Invalid>) -> Option<String> {
    let value = typed.value(name);
    if value.is_empty() {
        return None;
    }
    let read = value.parse::<T>().ok().map(|read| read.to_string());
    if read.is_none() {
        errors.push(Invalid::new(name, reason));
    }
    read
}

/// A filter that links set and no field shows: its error stands for itself.
fn hidden<T: FromStr + ToString>(typed: &Typed, name: &str, errors: &mut Vec<Invalid>) -> Option<String> {
    let mut own = Vec::new();
    let read = key::<T>(typed, name, "", &mut own);
    if !own.is_empty() {
        errors.push(Invalid::new("", format!("the {name} that the address names can't be one: follow a link of a page")));
    }
    read
}

/// A person's id, or one of the two who act and are no person.
fn person(typed: &Typed, errors: &mut Vec<Invalid>) -> Option<String> {
    match typed.value("person") {
        known @ ("operator" | "system") => Some(known.to_owned()),
        _ => key::<PersonId>(typed, "person", "must be chosen from the list", errors),
    }
}

fn day(typed: &Typed, name: &str, errors: &mut Vec<Invalid>) -> Option<Date> {
    let value = typed.value(name);
    if value.is_empty() {
        return None;
    }
    let day = value.parse::<Date>().ok();
    if day.is_none() {
        errors.push(Invalid::new(name, "must be a day as in 2026-07-01"));
    }
    day
}

fn check_order(filter: &HistoryFilter, errors: &mut Vec<Invalid>) {
    let backwards = |(from, to): (Instant, Instant)| from >= to;
    if filter.from.zip(filter.to).is_some_and(backwards) {
        errors.push(Invalid::new("to", "must not lie before the first day"));
    }
}

fn is_table(typed: &Typed, errors: &mut Vec<Invalid>) -> bool {
    match typed.value("view") {
        "table" => true,
        "" | "timeline" => false,
        _ => {
            errors.push(Invalid::new("", "the history can be looked at as a timeline or as a table"));
            false
        }
    }
}

fn before(typed: &Typed, errors: &mut Vec<Invalid>) -> Option<i64> {
    let value = typed.value("before");
    let position = value.parse::<i64>().ok().filter(|position| *position >= 0);
    if position.is_none() && !value.is_empty() {
        errors.push(Invalid::new("", "the page that the address names can't be one: begin at the newest entries"));
    }
    position
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(query: &str) -> Asked {
        Asked::of(typed(query), &Sought::Any)
    }

    #[test]
    fn what_can_not_be_asked_is_refused_by_its_field() {
        for (query, field) in [
            ("kind=releases", "kind"),
            ("outcome=x", "outcome"),
            ("gate=door", "gate"),
            ("dataset=No+Such", "dataset"),
            ("purpose=%3Cscript%3E", "purpose"),
            ("permit=%7B%7B7*7%7D%7D", "permit"),
            ("person=Mara", "person"),
            ("client=x", ""),
            ("release=x", ""),
            ("from=2026-13-01", "from"),
            ("to=yesterday", "to"),
            ("from=2026-07-02&to=2026-07-01", "to"),
            ("view=chart", ""),
            ("before=-1", ""),
            ("before=9223372036854775808", ""),
        ] {
            let asked = asked(query);
            let fields: Vec<&str> = asked.typed.errors.iter().map(|error| error.field.as_str()).collect();
            assert_eq!(fields, [field], "{query}");
        }
        let nobody = Asked::of(typed("vendor=x"), &Sought::Nobody);
        assert_eq!(nobody.typed.errors.first().map(|error| error.field.as_str()), Some("vendor"));
    }

    #[test]
    fn what_can_be_asked_is_taken() {
        let asked = asked("kind=refusal&gate=quota&person=system&from=2026-07-01&to=2026-07-01&view=table&before=7&other=x&kind=act");
        assert_eq!(asked.typed.errors, []);
        assert_eq!(asked.filter.kind.as_deref(), Some("refusal"));
        assert_eq!(asked.filter.person.as_deref(), Some("system"));
        let span = asked.filter.from.zip(asked.filter.to).map(|(from, to)| to.seconds() - from.seconds());
        assert_eq!(span, Some(86_400), "the last day counts whole");
        assert!(asked.table && asked.before == Some(7) && asked.is_unfolded());
    }

    #[test]
    fn links_keep_the_filter_and_nothing_else() {
        let typed = typed("kind=act&vendor=A+%26+B&before=7&other=x");
        assert_eq!(link("/history", &typed, &[("before", "")]), "/history?kind=act&vendor=A+%26+B");
        assert_eq!(link("/history", &typed, &[("before", ""), ("kind", ""), ("vendor", "")]), "/history");
        assert_eq!(link("/history", &typed, &[("gate", "quota"), ("vendor", "")]), "/history?kind=act&gate=quota&before=7");
    }
}
