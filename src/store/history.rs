//! The append-only history; positions are contiguous and agree with the order in which rights were held.
//!
//! On SQLite the writer gives the position at once. On PostgreSQL an entry takes the next number of a sequence while
//! the gate is held and stays pending until a broker's sequencer gives positions in the order of those numbers.

use std::collections::BTreeMap;

use diesel::prelude::*;
use diesel::sql_types::{BigInt, Bool};

use crate::domain::Instant;
use crate::domain::id::{PersonId, ReleaseId};
use crate::domain::text::{Digest, Slug};
use crate::history::Record;

use super::activity;
use super::column::{comparable, count, instant};
use super::conn::MultiBackend;
use super::error::StoreError;
use super::schema::{history_entries, history_head};
use super::{Tx, gate};

const NOUN: &str = "history entry";

/// The most entries that one round of the sequencer moves.
const MOST_AT_ONCE: i64 = 10_000;

/// What a list of entries is narrowed to; nothing given is every entry.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct HistoryFilter {
    pub vendor: Option<String>,
    pub dataset: Option<String>,
    pub purpose: Option<String>,
    pub kind: Option<String>,
    pub outcome: Option<String>,
    pub gate: Option<String>,
    pub person: Option<String>,
    pub permit: Option<String>,
    pub client: Option<String>,
    pub release: Option<String>,
    /// From this instant on.
    pub from: Option<Instant>,
    /// Before this instant.
    pub to: Option<Instant>,
}

/// A part of the history: what comes before a position, newest first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HistoryPage {
    pub before: Option<i64>,
    pub limit: usize,
}

/// An entry with its place, its bytes as they were hashed, and what it can be found by.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EntryRow {
    /// From 0, without gaps.
    pub position: i64,
    pub at: Instant,
    pub kind: String,
    /// The leaf hash, lower-case hexadecimal.
    pub hash: String,
    pub bytes: Vec<u8>,
    /// Free text and filter values, until they are erased.
    pub beside: Option<String>,
    pub noun: Option<String>,
    pub vendor: Option<String>,
    pub client: Option<String>,
    pub permit: Option<String>,
    pub dataset: Option<String>,
    pub purpose: Option<String>,
    pub outcome: Option<String>,
    pub gate: Option<String>,
    pub person: Option<String>,
    pub release: Option<String>,
}

#[derive(Queryable, Selectable, Insertable)]
#[diesel(table_name = history_entries, treat_none_as_default_value = false)]
struct Entry {
    order_no: i64,
    position: Option<i64>,
    at: i64,
    kind: String,
    hash: String,
    bytes: Vec<u8>,
    beside: Option<Vec<u8>>,
    beside_salt: Option<String>,
    noun: Option<String>,
    vendor: Option<String>,
    client: Option<String>,
    permit: Option<String>,
    dataset: Option<String>,
    purpose: Option<String>,
    outcome: Option<String>,
    gate: Option<String>,
    person: Option<String>,
    release_id: Option<String>,
    policy: Option<String>,
}

impl Entry {
    fn read(self) -> Result<EntryRow, StoreError> {
        Ok(EntryRow {
            position: self.position.ok_or(StoreError::Damaged(NOUN))?,
            at: Instant::from_micros(self.at),
            kind: self.kind,
            hash: self.hash,
            bytes: self.bytes,
            beside: self.beside.map(String::from_utf8).transpose().map_err(|_| StoreError::Damaged(NOUN))?,
            noun: self.noun,
            vendor: self.vendor,
            client: self.client,
            permit: self.permit,
            dataset: self.dataset,
            purpose: self.purpose,
            outcome: self.outcome,
            gate: self.gate,
            person: self.person,
            release: self.release_id,
        })
    }
}

/// Appends an entry. On PostgreSQL it stays pending until the sequencer's next round.
pub fn append(tx: &mut Tx, record: &Record) -> Result<(), StoreError> {
    let (order_no, position) = if tx.is_postgres() {
        (next_number(tx)?, None)
    } else {
        let size = head(tx)?;
        advance(tx, size, size.saturating_add(1))?;
        (size, Some(size))
    };
    let (index, leaf) = (record.index.clone(), record.leaf.clone());
    let policy = if index.kind == "policy" { Some(policy_digest(&leaf.bytes)?) } else { None };
    let (beside_salt, beside) = record.beside.clone().unzip();
    let entry = Entry {
        order_no,
        position,
        at: record.at.micros(),
        kind: index.kind.to_owned(),
        hash: leaf.hash,
        bytes: leaf.bytes,
        beside: beside.map(String::into_bytes),
        beside_salt,
        noun: index.noun,
        vendor: index.vendor,
        client: index.client,
        permit: index.permit,
        dataset: index.dataset,
        purpose: index.purpose,
        outcome: index.outcome,
        gate: index.gate,
        person: index.person,
        release_id: index.release,
        policy,
    };
    let (hour, kind) = (activity::hour_of(record.at), entry.kind.clone());
    diesel::insert_into(history_entries::table).values(entry).execute(tx.conn())?;
    // Entries are counted when they get their position: here on SQLite, by the sequencer on PostgreSQL, so that releases
    // of several vendors do not wait for each other at one row.
    if let Some(position) = position { activity::count_one(tx, hour, &kind, position) } else { Ok(()) }
}

/// The digest that a `policy` entry names its policy by; read from the leaf, which alone is what counts.
fn policy_digest(leaf: &[u8]) -> Result<String, StoreError> {
    #[derive(serde::Deserialize)]
    struct Named {
        sha256: Digest,
    }
    serde_json::from_slice::<Named>(leaf).map(|named| named.sha256.to_string()).map_err(|_| StoreError::Damaged(NOUN))
}

/// The entries that fit and have a position, newest first.
pub fn list(tx: &mut Tx, filter: &HistoryFilter, page: &HistoryPage) -> Result<Vec<EntryRow>, StoreError> {
    let Some(mut query) = within(tx, filter)? else { return Ok(Vec::new()) };
    if let Some(before) = page.before {
        query = query.filter(history_entries::position.lt(before));
    }
    let rows: Vec<Entry> = query
        .order(history_entries::position.desc())
        .limit(i64::try_from(page.limit).unwrap_or(i64::MAX))
        .select(Entry::as_select())
        .load(tx.conn())?;
    rows.into_iter().map(Entry::read).collect()
}

/// What the newest entries that fit are, by kind, outcome and gate.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Facets {
    /// Entries that were counted.
    pub counted: usize,
    /// Whether there are older ones, which were not.
    pub more: bool,
    pub kinds: BTreeMap<String, usize>,
    pub outcomes: BTreeMap<String, usize>,
    pub gates: BTreeMap<String, usize>,
}

/// The most entries that facets count.
pub const MOST_COUNTED: usize = 5_000;

/// Counts the newest entries that fit.
pub fn facets(tx: &mut Tx, filter: &HistoryFilter) -> Result<Facets, StoreError> {
    let Some(query) = within(tx, filter)? else { return Ok(Facets::default()) };
    let rows: Vec<(String, Option<String>, Option<String>)> = query
        .order(history_entries::position.desc())
        .limit(i64::try_from(MOST_COUNTED).unwrap_or(i64::MAX).saturating_add(1))
        .select((history_entries::kind, history_entries::outcome, history_entries::gate))
        .load(tx.conn())?;
    let mut facets = Facets { counted: rows.len().min(MOST_COUNTED), more: rows.len() > MOST_COUNTED, ..Facets::default() };
    let add = |counts: &mut BTreeMap<String, usize>, key: String| {
        let count = counts.entry(key).or_default();
        *count = count.saturating_add(1);
    };
    for (kind, outcome, gate) in rows.into_iter().take(MOST_COUNTED) {
        add(&mut facets.kinds, kind);
        outcome.into_iter().for_each(|outcome| add(&mut facets.outcomes, outcome));
        gate.into_iter().for_each(|gate| add(&mut facets.gates, gate));
    }
    Ok(facets)
}

/// The entries that fit, kept to the positions between which a time filter's hours lie: a walk from the newest entry
/// on would pass every later one. Clocks may stand otherwise than positions, so the time itself is asked too.
fn within(tx: &mut Tx, filter: &HistoryFilter) -> Result<Option<history_entries::BoxedQuery<'static, MultiBackend>>, StoreError> {
    let Some(mut query) = fitting(filter) else { return Ok(None) };
    if tx.is_postgres() {
        // A plan for any value walks the whole history for an outcome that a dataset never had.
        diesel::sql_query("SET LOCAL plan_cache_mode = force_custom_plan").execute(tx.conn())?;
    }
    if filter.from.is_some() || filter.to.is_some() {
        let Some((first, last)) = activity::span(tx, filter.from, filter.to)? else { return Ok(None) };
        query = query.filter(history_entries::position.ge(first)).filter(history_entries::position.le(last));
    }
    Ok(Some(query))
}

fn fitting(filter: &HistoryFilter) -> Option<history_entries::BoxedQuery<'static, MultiBackend>> {
    let mut query = history_entries::table.filter(history_entries::position.is_not_null()).into_boxed();
    macro_rules! narrow {
        ($($column:ident = $wanted:ident),*) => {$(
            if let Some(wanted) = &filter.$wanted {
                if !comparable(wanted) {
                    return None;
                }
                query = query.filter(history_entries::$column.eq(wanted.clone()));
            }
        )*};
    }
    narrow!(
        vendor = vendor,
        dataset = dataset,
        purpose = purpose,
        kind = kind,
        outcome = outcome,
        gate = gate,
        person = person,
        permit = permit,
        client = client,
        release_id = release
    );
    if let Some(from) = filter.from {
        // Not by the index over time: it would have to sort what it finds.
        query = query.filter((history_entries::at + 0).ge(from.micros()));
    }
    if let Some(to) = filter.to {
        query = query.filter((history_entries::at + 0).lt(to.micros()));
    }
    Some(query)
}

/// The entry at a position.
pub fn find(tx: &mut Tx, position: i64) -> Result<EntryRow, StoreError> {
    let row =
        history_entries::table.filter(history_entries::position.eq(position)).select(Entry::as_select()).first(tx.conn()).optional()?;
    row.ok_or(StoreError::NotFound(NOUN))?.read()
}

/// The entries of a release that have a position, in order.
pub fn find_by_release(tx: &mut Tx, release: &ReleaseId) -> Result<Vec<EntryRow>, StoreError> {
    let rows = history_entries::table
        .filter(history_entries::release_id.eq(release.as_str()))
        .filter(history_entries::position.is_not_null())
        .select(Entry::as_select())
        .order(history_entries::position)
        .load(tx.conn())?;
    rows.into_iter().map(Entry::read).collect()
}

/// The time of the oldest entry that has no position yet.
pub fn oldest_pending(tx: &mut Tx) -> Result<Option<Instant>, StoreError> {
    let oldest: Option<i64> = history_entries::table
        .filter(history_entries::position.is_null())
        .select(diesel::dsl::min(history_entries::at))
        .first(tx.conn())?;
    Ok(instant(oldest))
}

/// Whether a person did an act on a dataset from an instant on; entries that wait for their position count.
pub fn has_act(tx: &mut Tx, person: &PersonId, act: &str, dataset: &Slug, from: Instant) -> Result<bool, StoreError> {
    let found = history_entries::table
        .filter(history_entries::person.eq(person.as_str()))
        .filter(history_entries::outcome.eq(act))
        .filter(history_entries::dataset.eq(dataset.as_str()))
        .filter(history_entries::at.ge(from.micros()))
        .select(history_entries::order_no)
        .first::<i64>(tx.conn())
        .optional()?;
    Ok(found.is_some())
}

/// How many entries have a position; also the next position.
pub fn head(tx: &mut Tx) -> Result<i64, StoreError> {
    Ok(history_head::table.find(1).select(history_head::size).first(tx.conn())?)
}

/// The entry that put the policy of that digest in force, the first if several did.
pub fn policy_by_digest(tx: &mut Tx, digest: &Digest) -> Result<Option<EntryRow>, StoreError> {
    let row = history_entries::table
        .filter(history_entries::policy.eq(digest.as_str()))
        .filter(history_entries::position.is_not_null())
        .select(Entry::as_select())
        .order(history_entries::position)
        .first(tx.conn())
        .optional()?;
    row.map(Entry::read).transpose()
}

/// Erases the text beside an entry and its salt; the leaf stays as it was hashed.
pub fn erase_beside(tx: &mut Tx, position: i64) -> Result<(), StoreError> {
    let erased = diesel::update(history_entries::table.filter(history_entries::position.eq(position)))
        .set((history_entries::beside.eq(None::<Vec<u8>>), history_entries::beside_salt.eq(None::<String>)))
        .execute(tx.conn())?;
    if erased == 1 { Ok(()) } else { Err(StoreError::NotFound(NOUN)) }
}

/// One round of the sequencer on PostgreSQL. An entry whose number is lower than one that is seen here, and that is
/// not seen, belongs to a transaction that held the gate beside it, so that neither order contradicts a right.
pub(super) fn give_positions(tx: &mut Tx) -> Result<u64, StoreError> {
    if !alone(tx)? {
        return Ok(0);
    }
    let size = locked_head(tx)?;
    let numbered = diesel::sql_query(
        "UPDATE history_entries AS entry SET position = pending.position FROM ( \
            SELECT order_no, $1 + row_number() OVER (ORDER BY order_no) - 1 AS position \
            FROM history_entries WHERE position IS NULL ORDER BY order_no LIMIT $2 \
         ) AS pending WHERE entry.order_no = pending.order_no",
    )
    .bind::<BigInt, _>(size)
    .bind::<BigInt, _>(MOST_AT_ONCE)
    .execute(tx.conn())?;
    if numbered > 0 {
        let next = size.saturating_add_unsigned(numbered as u64);
        activity::count_from(tx, size, next)?;
        advance(tx, size, next)?;
    }
    count(NOUN, i64::try_from(numbered).unwrap_or(i64::MAX))
}

fn next_number(tx: &mut Tx) -> Result<i64, StoreError> {
    #[derive(QueryableByName)]
    struct Next {
        #[diesel(sql_type = BigInt)]
        number: i64,
    }
    let next: Next = diesel::sql_query("SELECT nextval('history_order') AS number").get_result(tx.conn())?;
    Ok(next.number)
}

fn alone(tx: &mut Tx) -> Result<bool, StoreError> {
    #[derive(QueryableByName)]
    struct Alone {
        #[diesel(sql_type = Bool)]
        alone: bool,
    }
    let alone: Alone =
        diesel::sql_query("SELECT pg_try_advisory_xact_lock($1) AS alone").bind::<BigInt, _>(gate::SEQUENCER).get_result(tx.conn())?;
    Ok(alone.alone)
}

fn locked_head(tx: &mut Tx) -> Result<i64, StoreError> {
    #[derive(QueryableByName)]
    struct Head {
        #[diesel(sql_type = BigInt)]
        size: i64,
    }
    let head: Head = diesel::sql_query("SELECT size FROM history_head WHERE id = 1 FOR UPDATE").get_result(tx.conn())?;
    Ok(head.size)
}

/// Moves the head, if it still is where it was read.
fn advance(tx: &mut Tx, from: i64, to: i64) -> Result<(), StoreError> {
    let moved = diesel::update(history_head::table.find(1).filter(history_head::size.eq(from)))
        .set(history_head::size.eq(to))
        .execute(tx.conn())?;
    if moved == 1 { Ok(()) } else { Err(StoreError::Stale) }
}
