//! One entry for those who read it: its words, its kept bytes, and the policy as it stood, never as it stands now.

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;
use serde_json::Value;

use crate::domain::condition::Condition;
use crate::domain::id::ReleaseId;
use crate::domain::permit::{LegalBasis, OpenHours};
use crate::domain::text::{Digest, FieldName, Slug};
use crate::domain::time::{Date, Instant};
use crate::domain::treatment::Treatment;
use crate::domain::vocabulary::Vocabulary;
use crate::history::leaf::leaf_hash;
use crate::history::policy::Policy;
use crate::store::Tx;
use crate::store::history::{self, EntryRow};
use crate::store::{names, vocabulary};

use super::super::{App, AppError};
use super::lines::{HistoryLine, Known, draft};

/// An entry with all that its page says.
#[derive(Debug, Clone, PartialEq)]
pub struct Reading {
    pub line: HistoryLine,
    /// The leaf hash that was kept, lower-case hexadecimal.
    pub hash: String,
    /// Whether the kept bytes still have that hash.
    pub intact: bool,
    /// The kept bytes as text.
    pub canonical: String,
    /// What they say.
    pub leaf: Value,
    /// Whether a text stood beside the entry and was erased.
    pub erased: bool,
    pub policy: Option<Stood>,
    /// What the ids in the leaf and its policy are called, as far as they still have a name.
    pub names: BTreeMap<String, Named>,
    /// How many entries there are.
    pub size: i64,
    /// What purposes are called.
    pub vocabulary: Vocabulary,
}

/// What an id is called, by the kind of noun.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Named {
    Person(String),
    Vendor(String),
    Agreement(String),
    Client(String),
}

impl Named {
    /// The name.
    pub fn text(&self) -> &str {
        match self {
            Self::Person(name) | Self::Vendor(name) | Self::Agreement(name) | Self::Client(name) => name,
        }
    }
}

/// The policy that an entry rests on.
#[derive(Debug, Clone, PartialEq)]
pub struct Stood {
    /// The entry that put it in force.
    pub position: i64,
    pub sha256: Digest,
    /// None where it is too large for an entry, which then bears its digest alone.
    pub said: Option<StoodPolicy>,
}

/// What might be released, as it was put in force.
#[derive(Debug, Clone, PartialEq)]
pub struct StoodPolicy {
    pub agreement: String,
    pub agreement_version: i32,
    pub agreement_from: Option<Instant>,
    pub agreement_until: Option<Instant>,
    pub permit: Slug,
    pub revision: i32,
    pub dataset: Slug,
    pub purpose: Slug,
    pub legal_basis: LegalBasis,
    /// Released fields; what is not here was withheld.
    pub fields: BTreeMap<FieldName, Treatment>,
    pub condition: Condition,
    pub daily_rows: u64,
    pub daily_subjects: Option<u64>,
    pub requests_per_minute: Option<u64>,
    pub open_hours: Option<OpenHours>,
    pub starts_on: Option<Date>,
    pub ends_on: Option<Date>,
    pub author: String,
    pub approver: Option<String>,
}

impl StoodPolicy {
    fn of(policy: Policy) -> Self {
        Self {
            agreement: policy.agreement.to_string(),
            agreement_version: policy.agreement_version,
            agreement_from: policy.agreement_from,
            agreement_until: policy.agreement_until,
            permit: policy.permit,
            revision: policy.revision,
            dataset: policy.dataset,
            purpose: policy.purpose,
            legal_basis: policy.legal_basis,
            fields: policy.fields,
            condition: policy.condition,
            daily_rows: policy.daily_rows,
            daily_subjects: policy.daily_subjects,
            requests_per_minute: policy.requests_per_minute,
            open_hours: policy.open_hours,
            starts_on: policy.starts_on,
            ends_on: policy.ends_on,
            author: policy.author.to_string(),
            approver: policy.approver.map(|id| id.to_string()),
        }
    }
}

/// The entry at a position.
pub async fn read(app: &App, position: i64) -> Result<Reading, AppError> {
    app.store
        .read(move |tx| {
            let row = history::find(tx, position)?;
            let leaf: Value = serde_json::from_slice(&row.bytes).map_err(|_| unreadable())?;
            let policy = policy_of(tx, &row, &leaf)?;
            let mut ids = BTreeSet::new();
            collect_ids(&leaf, &mut ids);
            if let Some(said) = policy.as_ref().and_then(|policy| policy.said.as_ref()) {
                ids.extend([said.agreement.clone(), said.author.clone()].into_iter().chain(said.approver.clone()));
            }
            let names = named(tx, &ids)?;
            let size = history::head(tx)?;
            let (hash, canonical) = (row.hash.clone(), String::from_utf8(row.bytes.clone()).map_err(|_| unreadable())?);
            let intact = leaf_hash(&row.bytes) == hash;
            let erased = row.beside.is_none() && leaf.get("beside").is_some();
            let drafts = [draft(row)?];
            let known = Known::of(tx, &drafts)?;
            let [draft] = drafts;
            Ok(Reading {
                line: draft.told(&known),
                hash,
                intact,
                canonical,
                leaf,
                erased,
                policy,
                names,
                size,
                vocabulary: vocabulary::load(tx)?,
            })
        })
        .await
}

fn unreadable() -> AppError {
    AppError::Internal("a stored entry can't be read".to_owned())
}

/// The policy that a release names by its digest; the end of a stream rests on that of its beginning.
fn policy_of(tx: &mut Tx, row: &EntryRow, leaf: &Value) -> Result<Option<Stood>, AppError> {
    if row.kind == "policy" {
        return stood(row).map(Some);
    }
    let digest = match digest_in(leaf) {
        Some(digest) => Some(digest),
        None => digest_of_opening(tx, row)?,
    };
    let Some(digest) = digest else { return Ok(None) };
    history::policy_by_digest(tx, &digest)?.map(|entry| stood(&entry)).transpose()
}

fn digest_in(leaf: &Value) -> Option<Digest> {
    leaf.get("policy")?.as_str()?.parse().ok()
}

fn digest_of_opening(tx: &mut Tx, row: &EntryRow) -> Result<Option<Digest>, AppError> {
    let release = row.release.as_deref().and_then(|id| id.parse::<ReleaseId>().ok());
    let Some(release) = release else { return Ok(None) };
    let entries = history::find_by_release(tx, &release)?;
    Ok(entries.iter().find_map(|entry| digest_in(&serde_json::from_slice(&entry.bytes).ok()?)))
}

fn stood(row: &EntryRow) -> Result<Stood, AppError> {
    #[derive(Deserialize)]
    struct InForce {
        sha256: Digest,
        policy: Option<Policy>,
    }
    let entry: InForce = serde_json::from_slice(&row.bytes).map_err(|_| unreadable())?;
    Ok(Stood { position: row.position, sha256: entry.sha256, said: entry.policy.map(StoodPolicy::of) })
}

/// Every text that has the length of an id; what is none has no name.
fn collect_ids(value: &Value, into: &mut BTreeSet<String>) {
    match value {
        Value::String(text) if text.len() == 36 => drop(into.insert(text.clone())),
        Value::Array(items) => items.iter().for_each(|item| collect_ids(item, into)),
        Value::Object(members) => members.values().for_each(|member| collect_ids(member, into)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

fn named(tx: &mut Tx, ids: &BTreeSet<String>) -> Result<BTreeMap<String, Named>, AppError> {
    let mut found = BTreeMap::new();
    found.extend(names::people(tx, ids)?.into_iter().map(|(id, name)| (id, Named::Person(name))));
    found.extend(names::vendors(tx, ids)?.into_iter().map(|(id, name)| (id, Named::Vendor(name))));
    found.extend(names::agreements(tx, ids)?.into_iter().map(|(id, name)| (id, Named::Agreement(name))));
    found.extend(names::clients(tx, ids)?.into_iter().map(|(id, name)| (id, Named::Client(name))));
    Ok(found)
}
