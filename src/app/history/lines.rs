//! The history in words: each entry one sentence of parts that pages can link; names are asked once for a whole page.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

use crate::domain::time::Instant;
use crate::policy::words::separated;
use crate::store::Tx;
use crate::store::history::{self, EntryRow, Facets, HistoryFilter, HistoryPage};
use crate::store::names::{self, Names};

use super::super::{App, AppError};
use super::sentences::{UNKNOWN_ACT, of_act, of_kind};

/// A part of a sentence. A name that is gone is `null`; the id stays.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[serde(tag = "part", rename_all = "snake_case")]
pub enum Part {
    Text { text: String },
    Person { id: String, name: Option<String> },
    Vendor { id: String, name: Option<String> },
    Agreement { id: String, reference: Option<String> },
    Permit { key: String },
    Dataset { name: String },
    Client { id: String, name: Option<String> },
}

/// An entry of the history in words.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct HistoryLine {
    pub position: i64,
    pub at: Instant,
    pub kind: String,
    pub outcome: Option<String>,
    pub gate: Option<String>,
    pub sentence: Vec<Part>,
    /// The reason or filter values beside the entry, unless erased.
    pub beside: Option<String>,
    /// What the entry is found by, for a table.
    #[serde(skip)]
    pub columns: Columns,
    /// Whether the act is one that this version has a sentence for.
    #[serde(skip)]
    pub known: bool,
}

/// What an entry is about, column by column. What it does not say is empty.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Columns {
    pub vendor: Option<Part>,
    /// The person who acted, or the client that asked.
    pub who: Option<Part>,
    pub permit: Option<String>,
    pub dataset: Option<String>,
    pub purpose: Option<String>,
    pub rows: Option<u64>,
}

impl Part {
    /// The part as plain text.
    pub fn text(&self) -> &str {
        match self {
            Self::Text { text } => text,
            Self::Person { id, name } | Self::Vendor { id, name } | Self::Client { id, name } => name.as_ref().unwrap_or(id),
            Self::Agreement { id, reference } => reference.as_ref().unwrap_or(id),
            Self::Permit { key } => key,
            Self::Dataset { name } => name,
        }
    }
}

impl HistoryLine {
    /// The sentence as plain text.
    pub fn text(&self) -> String {
        self.sentence.iter().map(Part::text).collect()
    }
}

/// Entries by filter in words, newest first: the same number of statements for any page.
pub async fn lines(app: &App, filter: HistoryFilter, page: HistoryPage) -> Result<Vec<HistoryLine>, AppError> {
    app.store
        .read(move |tx| {
            let rows = history::list(tx, &filter, &page)?;
            let drafts = rows.into_iter().map(draft).collect::<Result<Vec<_>, _>>()?;
            let known = Known::of(tx, &drafts)?;
            Ok(drafts.into_iter().map(|draft| draft.told(&known)).collect())
        })
        .await
}

/// What the newest entries that fit are; at most 10,000 are counted.
pub async fn facets(app: &App, filter: HistoryFilter) -> Result<Facets, AppError> {
    app.store.read(move |tx| Ok(history::facets(tx, &filter)?)).await
}

/// What sentences need of a leaf, whatever its kind.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Leaf {
    noun: Option<String>,
    id: Option<String>,
    act: Option<String>,
    vendor: Option<String>,
    client: Option<String>,
    permit: Option<String>,
    dataset: Option<String>,
    purpose: Option<String>,
    gate: Option<String>,
    from: Option<String>,
    to: Option<String>,
    dates: BTreeMap<String, String>,
    facts: BTreeMap<String, String>,
    actor: Option<String>,
    revision: Option<i64>,
    rows: Option<u64>,
    count: Option<u64>,
    cut: Option<Value>,
    /// A policy with what it is about, or the name of one.
    policy: Option<Value>,
    large_policy: Option<Value>,
}

/// A piece of a sentence before names are known.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Piece {
    Text(String),
    /// Whoever acted: a person, a vendor's machine, the operator or the program.
    Actor(String),
    Person(String),
    Vendor(String),
    Agreement(String),
    Permit(String),
    Dataset(String),
    Client(String),
}

pub(super) struct Draft {
    row: EntryRow,
    pieces: Vec<Piece>,
    rows: Option<u64>,
    known: bool,
}

pub(super) fn draft(row: EntryRow) -> Result<Draft, AppError> {
    let mut leaf: Leaf = serde_json::from_slice(&row.bytes).map_err(|_| AppError::Internal("a stored entry can't be read".to_owned()))?;
    // A policy says what it is about one step further in.
    if let Some(Value::Object(about)) = leaf.policy.take().filter(Value::is_object).or(leaf.large_policy.take()) {
        let text = |name: &str| about.get(name).and_then(Value::as_str).map(str::to_owned);
        (leaf.permit, leaf.dataset, leaf.purpose) = (text("permit"), text("dataset"), text("purpose"));
        leaf.revision = about.get("revision").and_then(Value::as_i64);
    }
    let (sentence, known) = match (&leaf.noun, &leaf.act) {
        (Some(noun), Some(act)) => of_act(noun, act).map_or((UNKNOWN_ACT, false), |sentence| (sentence, true)),
        _ => (of_kind(&row.kind, leaf.cut.is_some()), true),
    };
    let pieces = spelled(sentence, &leaf);
    Ok(Draft { rows: leaf.rows, row, pieces, known })
}

/// A sentence with its parts put in; a group in brackets goes when one of its parts is missing.
fn spelled(sentence: &str, leaf: &Leaf) -> Vec<Piece> {
    let mut pieces = Vec::new();
    for (at, group) in sentence.split(['[', ']']).enumerate() {
        let optional = at % 2 == 1;
        let (parts, whole) = group_of(group, leaf);
        if whole || !optional {
            pieces.extend(parts);
        }
    }
    pieces
}

fn group_of(group: &str, leaf: &Leaf) -> (Vec<Piece>, bool) {
    let (mut pieces, mut whole) = (Vec::new(), true);
    for (at, part) in group.split(['{', '}']).enumerate() {
        if at % 2 == 0 {
            if !part.is_empty() {
                pieces.push(Piece::Text(part.to_owned()));
            }
        } else if let Some(piece) = piece(part, leaf) {
            pieces.push(piece);
        } else {
            whole = false;
            pieces.push(Piece::Text("(not said)".to_owned()));
        }
    }
    (pieces, whole)
}

fn piece(name: &str, leaf: &Leaf) -> Option<Piece> {
    let noun = leaf.noun.as_deref();
    let own = |wanted: &str| leaf.id.clone().filter(|_| noun == Some(wanted));
    let fact = |name: &str| leaf.facts.get(name).cloned();
    let words = |key: String| Piece::Text(key.replace(['_', '-'], " "));
    Some(match name {
        "actor" => Piece::Actor(leaf.actor.clone()?),
        "vendor" => Piece::Vendor(leaf.vendor.clone()?),
        "agreement" => Piece::Agreement(own("agreement")?),
        "permit" => Piece::Permit(own("permit").or_else(|| leaf.permit.clone())?),
        "dataset" => Piece::Dataset(leaf.dataset.clone().or_else(|| fact("dataset"))?),
        "client" => Piece::Client(own("client").or_else(|| leaf.client.clone()).or_else(|| fact("client"))?),
        "person" => Piece::Person(own("person").or_else(|| fact("person"))?),
        "author" => Piece::Person(fact("author")?),
        "gate" => words(leaf.gate.clone()?),
        "purpose" => words(leaf.purpose.clone()?),
        "from" => words(leaf.from.clone()?),
        "to" => words(leaf.to.clone()?),
        "revision" => Piece::Text(leaf.revision.map(|number| number.to_string()).or_else(|| fact("revision"))?),
        "rows" => Piece::Text(separated(leaf.rows?)),
        "count" => Piece::Text(leaf.count.filter(|count| *count > 1).map(|count| format!("{count} times"))?),
        "cut" => Piece::Text(cut_words(leaf.cut.as_ref()?)),
        "noun" => words(leaf.noun.clone()?),
        "act" => words(leaf.act.clone()?),
        "id" => Piece::Text(leaf.id.clone()?),
        "from_date" => Piece::Text(day(leaf.dates.get("from")?)),
        other => match leaf.dates.get(other) {
            Some(date) => Piece::Text(day(date)),
            None => words(fact(other)?),
        },
    })
}

/// The day of a date or an instant.
fn day(text: &str) -> String {
    text.split('T').next().unwrap_or(text).to_owned()
}

fn cut_words(cut: &Value) -> String {
    if let Some(gate) = cut.get("gate").and_then(Value::as_str) {
        return format!("the gate {} closed", gate.replace('_', " "));
    }
    let words = match cut.as_str() {
        Some("receiver") => "the receiver went away or stopped reading",
        Some("source") => "the source failed",
        Some("unrecorded") => "it could not be recorded",
        Some("stopped") => "the program was stopped",
        Some("crashed") => "the program died; it counts up to its last toll",
        Some(_) | None => "for a reason that this version does not know",
    };
    words.to_owned()
}

/// The names of all that a page speaks of.
pub(super) struct Known {
    people: Names,
    vendors: Names,
    agreements: Names,
    clients: Names,
}

impl Known {
    /// Asks for them, one statement for each kind of noun.
    pub(super) fn of(tx: &mut Tx, drafts: &[Draft]) -> Result<Self, AppError> {
        let (mut people, mut vendors, mut agreements, mut clients) = (BTreeSet::new(), BTreeSet::new(), BTreeSet::new(), BTreeSet::new());
        for piece in drafts.iter().flat_map(|draft| &draft.pieces) {
            match piece {
                Piece::Person(id) => drop(people.insert(id.clone())),
                Piece::Actor(id) => {
                    people.insert(id.clone());
                    clients.insert(id.clone());
                }
                Piece::Vendor(id) => drop(vendors.insert(id.clone())),
                Piece::Agreement(id) => drop(agreements.insert(id.clone())),
                Piece::Client(id) => drop(clients.insert(id.clone())),
                Piece::Text(_) | Piece::Permit(_) | Piece::Dataset(_) => {}
            }
        }
        for row in drafts.iter().map(|draft| &draft.row) {
            vendors.extend(row.vendor.clone());
            people.extend(row.person.clone());
            clients.extend(row.client.iter().chain(&row.person).cloned());
        }
        Ok(Self {
            people: names::people(tx, &people)?,
            vendors: names::vendors(tx, &vendors)?,
            agreements: names::agreements(tx, &agreements)?,
            clients: names::clients(tx, &clients)?,
        })
    }

    fn part(&self, piece: Piece) -> Part {
        match piece {
            Piece::Text(text) => Part::Text { text },
            Piece::Actor(id) => self.actor(id),
            Piece::Person(id) => Part::Person { name: self.people.get(&id).cloned(), id },
            Piece::Vendor(id) => Part::Vendor { name: self.vendors.get(&id).cloned(), id },
            Piece::Agreement(id) => Part::Agreement { reference: self.agreements.get(&id).cloned(), id },
            Piece::Permit(key) => Part::Permit { key },
            Piece::Dataset(name) => Part::Dataset { name },
            Piece::Client(id) => Part::Client { name: self.clients.get(&id).cloned(), id },
        }
    }

    fn actor(&self, id: String) -> Part {
        match id.as_str() {
            "operator" => Part::Text { text: "The operator".to_owned() },
            "system" => Part::Text { text: "Tidegate".to_owned() },
            _ => match self.clients.get(&id).cloned() {
                Some(name) => Part::Client { id, name: Some(name) },
                None => Part::Person { name: self.people.get(&id).cloned(), id },
            },
        }
    }
}

impl Draft {
    /// The line, with names.
    pub(super) fn told(self, known: &Known) -> HistoryLine {
        let row = self.row;
        let columns = Columns {
            vendor: row.vendor.map(|id| known.part(Piece::Vendor(id))),
            who: row.person.map(Piece::Actor).or_else(|| row.client.map(Piece::Client)).map(|piece| known.part(piece)),
            permit: row.permit,
            dataset: row.dataset,
            purpose: row.purpose,
            rows: self.rows,
        };
        HistoryLine {
            position: row.position,
            at: row.at,
            kind: row.kind,
            outcome: row.outcome,
            gate: row.gate,
            sentence: self.pieces.into_iter().map(|piece| known.part(piece)).collect(),
            beside: row.beside,
            columns,
            known: self.known,
        }
    }
}
