//! The page of an entry: every fact that was hashed, the words beside it, and the policy as it stood.

use std::collections::BTreeMap;

use askama::Template;
use serde_json::Value;

use crate::app::history::{Named, Reading, Stood, StoodPolicy};
use crate::domain::condition::Operator;
use crate::domain::text::Slug;
use crate::domain::time::{Date, Instant};
use crate::domain::vocabulary::Vocabulary;
use crate::http::web::page::Frame;
use crate::http::web::parts::{HistoryLineView, short};
use crate::http::web::timeline;
use crate::http::web::words as said;
use crate::policy::access::Permission;
use crate::policy::words as policy_words;

use super::words;

/// A fact of the entry.
pub struct Said {
    pub label: String,
    pub value: String,
    pub href: String,
    /// A hash, an id or a key: shown as it is spelled.
    pub code: bool,
}

impl Said {
    fn plain(label: impl Into<String>, value: impl Into<String>) -> Self {
        Self { label: label.into(), value: value.into(), href: String::new(), code: false }
    }
}

/// A policy in words.
pub struct Standing {
    pub href: String,
    pub position: i64,
    pub sha256: String,
    /// Field and treatment; none where the policy is too large for an entry.
    pub fields: Vec<(String, String)>,
    pub facts: Vec<Said>,
    pub said: bool,
}

#[derive(Template)]
#[template(path = "history/entry.html")]
pub struct EntryPage {
    frame: Frame,
    line: HistoryLineView,
    facts: Vec<Said>,
    /// Hashes and ids, for those who compare them.
    prints: Vec<Said>,
    /// What the text beside the entry is: a reason, or the values of a filter.
    beside_name: &'static str,
    beside: Option<String>,
    erased: bool,
    hash: String,
    intact: bool,
    pretty: String,
    canonical: String,
    policy: Option<Standing>,
    /// Whether the entry itself is the one that put the policy in force.
    own_policy: bool,
    earlier: String,
    later: String,
}

impl EntryPage {
    /// The page of what was read.
    pub fn of(frame: Frame, reading: Reading) -> Self {
        let position = reading.line.position;
        let next = position.saturating_add(1);
        let names = Names { names: &reading.names, people: frame.may(Permission::ManagePeople), vocabulary: &reading.vocabulary };
        let policy = reading.policy.as_ref().map(|stood| standing(&names, stood));
        let (prints, facts) = facts(&names, &reading.leaf).into_iter().partition(|fact| fact.code);
        Self {
            facts,
            prints,
            beside_name: if reading.line.kind == "act" { "Reason or comment" } else { "Values of the filter" },
            beside: reading.line.beside.clone(),
            erased: reading.erased,
            pretty: serde_json::to_string_pretty(&reading.leaf).unwrap_or_else(|_| reading.canonical.clone()),
            canonical: reading.canonical,
            hash: reading.hash,
            intact: reading.intact,
            own_policy: policy.as_ref().is_some_and(|policy| policy.position == position),
            policy,
            earlier: if position > 0 { timeline::href(position.saturating_sub(1)) } else { String::new() },
            later: if next < reading.size { timeline::href(next) } else { String::new() },
            line: timeline::line(reading.line),
            frame,
        }
    }
}

/// What ids are called, and whether the viewer may look at people.
struct Names<'a> {
    names: &'a BTreeMap<String, Named>,
    people: bool,
    vocabulary: &'a Vocabulary,
}

impl Names<'_> {
    /// An id as a fact: its name and page where it has one.
    fn fact(&self, label: &str, id: &str) -> Said {
        let Some(named) = self.names.get(id) else {
            return match id {
                "operator" => Said::plain(label, "The operator, at the command line"),
                "system" => Said::plain(label, "Tidegate itself"),
                _ => Said { code: true, ..Said::plain(label, id) },
            };
        };
        let href = match named {
            Named::Person(_) if self.people => format!("/settings/people/{id}"),
            Named::Person(_) => String::new(),
            Named::Vendor(_) => format!("/vendors/{id}"),
            Named::Agreement(_) => format!("/agreements/{id}"),
            Named::Client(_) => format!("/clients/{id}"),
        };
        Said { href, ..Said::plain(label, named.text()) }
    }
}

/// Members that are shown elsewhere on the page, or that say nothing to a reader.
const ELSEWHERE: [&str; 8] = ["v", "kind", "ts", "blind", "beside", "policy", "large_policy", "facts"];

/// What members are called, in the order in which they are shown; others follow under their own names.
const ORDER: [(&str, &str); 32] = [
    ("act", "Act"),
    ("noun", "On"),
    ("id", "Id"),
    ("actor", "Done by"),
    ("vendor", "Vendor"),
    ("client", "Client"),
    ("permit", "Permit"),
    ("revision", "Revision"),
    ("dataset", "Dataset"),
    ("purpose", "Purpose"),
    ("gate", "Gate"),
    ("count", "Requests"),
    ("from", "Before"),
    ("to", "After"),
    ("dates", "Dates"),
    ("rows", "Rows"),
    ("bytes", "Bytes"),
    ("subjects", "People in them"),
    ("fields", "Fields"),
    ("filter", "Filter"),
    ("withheld", "Values that could not be treated, and stayed back"),
    ("cut", "Cut short"),
    ("tolls", "Tolls paid"),
    ("format", "Format"),
    ("release", "Release"),
    ("request", "Request"),
    ("source", "Version of the source"),
    ("content", "SHA-256 of what was sent"),
    ("token", "SHA-256 of the token's id"),
    ("address", "Keyed hash of the address"),
    ("sha256", "SHA-256 of the policy"),
    ("ledger", "SHA-256 of the subject ledger"),
];

/// Every member of the leaf, so that nothing that was hashed is left out.
fn facts(names: &Names<'_>, leaf: &Value) -> Vec<Said> {
    let Value::Object(members) = leaf else { return Vec::new() };
    let known = ORDER.iter().filter_map(|(key, label)| members.get(*key).map(|value| ((*key).to_owned(), (*label).to_owned(), value)));
    let is_listed = |key: &str| ELSEWHERE.contains(&key) || ORDER.iter().any(|(known, _)| *known == key);
    let others = members.iter().filter(|(key, _)| !is_listed(key)).map(|(key, value)| (key.clone(), words::spoken(key), value));
    let mut facts: Vec<Said> = known.chain(others).flat_map(|(key, label, value)| fact(names, &key, &label, value)).collect();
    if let Some(Value::Object(further)) = members.get("facts") {
        facts.extend(further.iter().flat_map(|(key, value)| fact(names, key, &words::spoken(key), value)));
    }
    if let Some(Value::String(digest)) = members.get("policy") {
        facts.push(Said { code: true, ..Said::plain("SHA-256 of the policy", digest) });
    }
    facts
}

fn fact(names: &Names<'_>, key: &str, label: &str, value: &Value) -> Vec<Said> {
    let fact = match (key, value) {
        ("rows" | "subjects" | "tolls" | "count", Value::Number(number)) => Said::plain(label, said::number(number.as_u64().unwrap_or(0))),
        ("bytes", Value::Number(number)) => Said::plain(label, said::bytes(number.as_u64().unwrap_or(0))),
        ("permit", Value::String(key)) => Said { href: format!("/permits/{key}"), ..Said::plain(label, key) },
        ("dataset", Value::String(name)) => Said { href: format!("/datasets/{name}"), ..Said::plain(label, name) },
        ("purpose", Value::String(key)) => {
            Said::plain(label, key.parse::<Slug>().map_or_else(|_| key.clone(), |key| policy_words::purpose(names.vocabulary, &key)))
        }
        ("gate", Value::String(key)) => Said::plain(label, words::gate(key)),
        ("filter", Value::Array(items)) => Said::plain(label, or_none(items.iter().map(compared).collect::<Vec<_>>().join(", "))),
        ("segments", Value::Array(items)) => Said::plain("Segments of the subject ledger", said::number(items.len())),
        ("cut", value) => Said::plain(label, cut(value)),
        ("content", Value::Null) => Said::plain(label, "not known: the program died before the end"),
        ("consent", Value::Null) => Said::plain("Records of consent", "none are kept yet"),
        (_, Value::Object(members)) => {
            let named = |(key, value): (&String, &Value)| format!("{}: {}", words::spoken(key), text(value));
            Said::plain(label, or_none(members.iter().map(named).collect::<Vec<_>>().join(", ")))
        }
        (_, Value::String(id)) if id.len() == 36 || matches!(key, "actor" | "person") => names.fact(label, id),
        ("act" | "noun" | "from" | "to", Value::String(word)) => Said::plain(label, words::spoken(word)),
        (_, Value::String(text)) => Said { code: text.len() >= 32 && !text.contains(' '), ..Said::plain(label, text) },
        (_, other) => Said::plain(label, or_none(text(other))),
    };
    vec![fact]
}

fn or_none(text: String) -> String {
    if text.is_empty() { "none".to_owned() } else { text }
}

fn text(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        Value::Array(items) => items.iter().map(text).collect::<Vec<_>>().join(", "),
        Value::Bool(_) | Value::Number(_) | Value::Object(_) => value.to_string(),
    }
}

/// A field and how it was compared; with what stands beside the entry.
fn compared(pair: &Value) -> String {
    let part = |at: usize| pair.get(at).and_then(Value::as_str).unwrap_or_default();
    let how = match Operator::from_key(part(1)) {
        Some(Operator::Eq) => "is",
        Some(Operator::Neq) => "is not",
        Some(Operator::Gt) => "is more than",
        Some(Operator::Gte) => "is at least",
        Some(Operator::Lt) => "is less than",
        Some(Operator::Lte) => "is at most",
        Some(Operator::In) => "is one of",
        Some(Operator::Is) => "is filled or empty",
        None => part(1),
    };
    format!("{} {how} …", part(0))
}

fn cut(value: &Value) -> String {
    match (value, value.get("gate").and_then(Value::as_str)) {
        (Value::Null, _) => "no: it ended whole".to_owned(),
        (_, Some(gate)) => format!("the gate “{}” closed", words::gate(gate)),
        (Value::String(why), None) => words::spoken(why),
        (other, None) => text(other),
    }
}

fn standing(names: &Names<'_>, stood: &Stood) -> Standing {
    let treated = |said: &StoodPolicy| said.fields.iter().map(|(field, how)| (field.to_string(), policy_words::treatment(how))).collect();
    Standing {
        href: timeline::href(stood.position),
        position: stood.position,
        sha256: stood.sha256.to_string(),
        fields: stood.said.as_ref().map(treated).unwrap_or_default(),
        facts: stood.said.as_ref().map(|said| terms(names, said)).unwrap_or_default(),
        said: stood.said.is_some(),
    }
}

fn terms(names: &Names<'_>, policy: &StoodPolicy) -> Vec<Said> {
    let agreement = names.fact("Agreement", &policy.agreement);
    let agreement = Said {
        value: format!(
            "{}, version {}",
            if agreement.code { short(&policy.agreement) } else { &agreement.value },
            policy.agreement_version
        ),
        code: false,
        ..agreement
    };
    let further = policy_words::further_limits(policy.daily_subjects, policy.requests_per_minute, policy.open_hours.as_ref());
    let further = if further.is_empty() { "none".to_owned() } else { further.join("; ") };
    let permit = Said {
        href: format!("/permits/{}", policy.permit),
        ..Said::plain("Permit", format!("{}, revision {}", policy.permit, policy.revision))
    };
    let approver = match &policy.approver {
        Some(id) => names.fact("Approved by", id),
        None => Said::plain("Approved by", "nobody is named: what only narrows acts at once"),
    };
    vec![
        agreement,
        permit,
        Said { href: format!("/datasets/{}", policy.dataset), ..Said::plain("Dataset", policy.dataset.to_string()) },
        Said::plain("Purpose", policy_words::purpose(names.vocabulary, &policy.purpose)),
        Said::plain("Legal basis", words::capitalised(policy_words::legal_basis(policy.legal_basis))),
        Said::plain("Rows", words::capitalised(&policy_words::condition(&policy.condition))),
        Said::plain("Quota", policy_words::quota(policy.daily_rows)),
        Said::plain("Further limits", further),
        Said::plain("Agreement in force", between(policy.agreement_from.map(Instant::date), policy.agreement_until.map(Instant::date))),
        Said::plain("Days of the permit", between(policy.starts_on, policy.ends_on)),
        names.fact("Written by", &policy.author),
        approver,
    ]
}

fn between(from: Option<Date>, until: Option<Date>) -> String {
    match (from, until) {
        (Some(from), Some(until)) => format!("{} to {}", said::date(&from), said::date(&until)),
        (Some(from), None) => format!("from {} on", said::date(&from)),
        (None, Some(until)) => format!("until {}", said::date(&until)),
        (None, None) => "not limited by days of its own".to_owned(),
    }
}
