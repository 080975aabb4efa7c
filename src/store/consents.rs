//! What people said, as it came and as it counts. Records are numbered in the order of their commits, so that what a
//! release saw has a number too.

use std::collections::{BTreeMap, BTreeSet};

use diesel::prelude::*;
use diesel::sql_types::{BigInt, Nullable, Text};

use crate::domain::Instant;
use crate::domain::consent::{ConsentRecord, Matter, Signal, Standing, Subject};
use crate::domain::id::PersonId;
use crate::domain::text::Slug;

use super::Tx;
use super::column::{comparable, instant, known, parse};
use super::error::StoreError;
use super::raw::{Number, Raw};
use super::schema::{consent_counts, consent_head};

const NOUN: &str = "consent record";

/// The most records of one statement: what it binds must stay below what SQLite takes (32,766 values).
pub const MOST_AT_ONCE: usize = 1_000;

/// The number of the last record.
pub fn watermark(tx: &mut Tx) -> Result<i64, StoreError> {
    Ok(consent_head::table.find(1).select(consent_head::watermark).first(tx.conn())?)
}

/// Takes the next numbers and answers the first of them. Whoever writes records after this waits for the end of the
/// transaction, so numbers are seen in their order.
pub fn take_numbers(tx: &mut Tx, many: i64) -> Result<i64, StoreError> {
    let taken: Vec<Number> = Raw::new("UPDATE consent_head SET watermark = watermark +")
        .number(many)
        .sql("WHERE id = 1 RETURNING watermark AS value")
        .load(tx)?;
    let last = taken.first().ok_or(StoreError::Damaged(NOUN))?.value;
    Ok(last.saturating_sub(many).saturating_add(1))
}

fn purpose_of(purpose: Option<&Slug>) -> &str {
    purpose.map_or("", Slug::as_str)
}

fn read_purpose(text: String) -> Result<Option<Slug>, StoreError> {
    if text.is_empty() { Ok(None) } else { parse(NOUN, text).map(Some) }
}

/// A record as it is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Kept {
    pub watermark: i64,
    pub record: ConsentRecord,
    pub recorded_at: Instant,
    pub recorded_by: Option<PersonId>,
}

#[derive(QueryableByName)]
struct RecordRow {
    #[diesel(sql_type = BigInt)]
    watermark: i64,
    #[diesel(sql_type = Text)]
    record: String,
    #[diesel(sql_type = Text)]
    domain: String,
    #[diesel(sql_type = BigInt)]
    subject: i64,
    #[diesel(sql_type = Text)]
    signal: String,
    #[diesel(sql_type = Text)]
    purpose: String,
    #[diesel(sql_type = BigInt)]
    stands: i64,
    #[diesel(sql_type = BigInt)]
    event_at: i64,
    #[diesel(sql_type = Nullable<BigInt>)]
    ends_at: Option<i64>,
    #[diesel(sql_type = BigInt)]
    recorded_at: i64,
    #[diesel(sql_type = Nullable<Text>)]
    recorded_by: Option<String>,
    #[diesel(sql_type = Nullable<Text>)]
    notice: Option<String>,
    #[diesel(sql_type = Nullable<Text>)]
    channel: Option<String>,
    #[diesel(sql_type = Nullable<Text>)]
    jurisdiction: Option<String>,
}

const RECORD: &str = "SELECT watermark, record, domain, subject, signal, purpose, stands, event_at, ends_at, recorded_at, \
     recorded_by, notice, channel, jurisdiction FROM consent_records WHERE";

impl RecordRow {
    fn read(self) -> Result<Kept, StoreError> {
        let some = |text: Option<String>| text.map(|text| parse(NOUN, text)).transpose();
        Ok(Kept {
            watermark: self.watermark,
            record: ConsentRecord {
                record: parse(NOUN, self.record)?,
                matter: Matter {
                    domain: parse(NOUN, self.domain)?,
                    signal: known(NOUN, Signal::from_key(&self.signal))?,
                    purpose: read_purpose(self.purpose)?,
                    subject: Subject(self.subject.cast_unsigned()),
                },
                stands: self.stands != 0,
                event_at: Instant::from_micros(self.event_at),
                ends_at: instant(self.ends_at),
                notice: some(self.notice)?,
                channel: some(self.channel)?,
                jurisdiction: some(self.jurisdiction)?,
            },
            recorded_at: Instant::from_micros(self.recorded_at),
            recorded_by: self.recorded_by.map(|id| parse(NOUN, id)).transpose()?,
        })
    }
}

/// The records of those ids that are kept already.
pub fn kept(tx: &mut Tx, ids: &BTreeSet<&str>) -> Result<BTreeMap<String, ConsentRecord>, StoreError> {
    let rows: Vec<RecordRow> = Raw::new(RECORD).sql("record").among(ids.iter().filter(|id| comparable(id))).load(tx)?;
    let kept = |row: RecordRow| row.read().map(|kept| (kept.record.record.to_string(), kept.record));
    rows.into_iter().map(kept).collect()
}

/// What is kept of one person, newest first.
pub fn of_subject(tx: &mut Tx, domain: &Slug, subject: Subject, most: i64) -> Result<Vec<Kept>, StoreError> {
    let raw = Raw::new(RECORD).sql("domain =").text(domain).sql("AND subject =").number(subject.0.cast_signed());
    let rows: Vec<RecordRow> = raw.sql("ORDER BY watermark DESC LIMIT").number(most).load(tx)?;
    rows.into_iter().map(RecordRow::read).collect()
}

/// Keeps records under the numbers from one on. At most [`MOST_AT_ONCE`] of them.
pub fn insert(tx: &mut Tx, first: i64, records: &[&ConsentRecord], at: Instant, by: Option<&PersonId>) -> Result<(), StoreError> {
    if records.is_empty() {
        return Ok(());
    }
    let mut raw = Raw::new(
        "INSERT INTO consent_records (watermark, record, domain, subject, signal, purpose, stands, event_at, ends_at, recorded_at, \
         recorded_by, notice, channel, jurisdiction) VALUES",
    );
    for (number, record) in (first..).zip(records) {
        let matter = &record.matter;
        raw = raw.sql(if number == first { "(" } else { ", (" }).number(number).sql(",").text(&record.record);
        raw = raw.sql(",").text(&matter.domain).sql(",").number(matter.subject.0.cast_signed());
        raw = raw.sql(",").text(matter.signal.key()).sql(",").text(purpose_of(matter.purpose.as_ref()));
        raw = raw.sql(",").number(i64::from(record.stands)).sql(",").number(record.event_at.micros());
        raw = raw.sql(",").some_number(record.ends_at.map(Instant::micros)).sql(",").number(at.micros());
        raw = raw.sql(",").some_text(by).sql(",").some_text(record.notice.as_ref());
        raw = raw.sql(",").some_text(record.channel.as_ref()).sql(",").some_text(record.jurisdiction.as_ref()).sql(")");
    }
    raw.execute(tx).map(drop)
}

#[derive(QueryableByName)]
struct StandingRow {
    #[diesel(sql_type = Text)]
    signal: String,
    #[diesel(sql_type = Text)]
    purpose: String,
    #[diesel(sql_type = BigInt)]
    subject: i64,
    #[diesel(sql_type = BigInt)]
    stands: i64,
    #[diesel(sql_type = BigInt)]
    event_at: i64,
    #[diesel(sql_type = Nullable<BigInt>)]
    ends_at: Option<i64>,
}

/// What counts on all matters of some persons. At most [`MOST_AT_ONCE`] of them.
pub fn standings(tx: &mut Tx, domain: &Slug, subjects: &BTreeSet<Subject>) -> Result<BTreeMap<Matter, Standing>, StoreError> {
    let mut found = BTreeMap::new();
    for signal in Signal::ALL {
        // The key of the table begins with the signal, and a person's few matters are looked up by it.
        let raw = Raw::new("SELECT signal, purpose, subject, stands, event_at, ends_at FROM consent_standings WHERE domain =")
            .text(domain)
            .sql("AND signal =")
            .text(signal.key())
            .sql("AND purpose IN (SELECT purpose FROM consent_counts WHERE domain =")
            .text(domain)
            .sql("AND signal =")
            .text(signal.key())
            .sql(") AND subject")
            .among_numbers(subjects.iter().map(|subject| subject.0.cast_signed()));
        for row in raw.load::<StandingRow>(tx)? {
            let matter = Matter {
                domain: domain.clone(),
                signal: known(NOUN, Signal::from_key(&row.signal))?,
                purpose: read_purpose(row.purpose)?,
                subject: Subject(row.subject.cast_unsigned()),
            };
            let standing =
                Standing { stands: row.stands != 0, event_at: Instant::from_micros(row.event_at), ends_at: instant(row.ends_at) };
            found.insert(matter, standing);
        }
    }
    Ok(found)
}

/// Saves what counts from now on, each with the number of its record. At most [`MOST_AT_ONCE`] of them.
pub fn save(tx: &mut Tx, standings: &BTreeMap<Matter, (Standing, i64)>) -> Result<(), StoreError> {
    if standings.is_empty() {
        return Ok(());
    }
    let mut raw = Raw::new("INSERT INTO consent_standings (domain, signal, purpose, subject, stands, event_at, ends_at, watermark) VALUES");
    for (at, (matter, (standing, watermark))) in standings.iter().enumerate() {
        raw = raw.sql(if at == 0 { "(" } else { ", (" }).text(&matter.domain).sql(",").text(matter.signal.key());
        raw = raw.sql(",").text(purpose_of(matter.purpose.as_ref())).sql(",").number(matter.subject.0.cast_signed());
        raw = raw.sql(",").number(i64::from(standing.stands)).sql(",").number(standing.event_at.micros());
        raw = raw.sql(",").some_number(standing.ends_at.map(Instant::micros)).sql(",").number(*watermark).sql(")");
    }
    raw.sql(
        "ON CONFLICT (domain, signal, purpose, subject) DO UPDATE SET stands = excluded.stands, event_at = excluded.event_at, \
         ends_at = excluded.ends_at, watermark = excluded.watermark",
    )
    .execute(tx)
    .map(drop)
}

/// What is counted of one signal and purpose.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Counted {
    pub domain: Slug,
    pub signal: Signal,
    pub purpose: Option<Slug>,
    /// Persons of whom anything is known.
    pub subjects: i64,
    /// Persons for whom it stands; consents that ended by themselves since are still among them.
    pub standing: i64,
}

/// Adds to what is counted: persons heard of for the first time, and the change of those for whom it stands.
pub fn count(tx: &mut Tx, domain: &Slug, signal: Signal, purpose: Option<&Slug>, subjects: i64, standing: i64) -> Result<(), StoreError> {
    Raw::new("INSERT INTO consent_counts (domain, signal, purpose, subjects, standing) VALUES (")
        .text(domain)
        .sql(",")
        .text(signal.key())
        .sql(",")
        .text(purpose_of(purpose))
        .sql(",")
        .number(subjects)
        .sql(",")
        .number(standing)
        .sql(") ON CONFLICT (domain, signal, purpose) DO UPDATE SET subjects = consent_counts.subjects + excluded.subjects,")
        .sql("standing = consent_counts.standing + excluded.standing")
        .execute(tx)
        .map(drop)
}

/// Everything that is counted.
pub fn counts(tx: &mut Tx) -> Result<Vec<Counted>, StoreError> {
    let rows: Vec<(String, String, String, i64, i64)> =
        consent_counts::table.order((consent_counts::domain, consent_counts::purpose, consent_counts::signal)).load(tx.conn())?;
    let read = |(domain, signal, purpose, subjects, standing): (String, String, String, i64, i64)| {
        Ok(Counted {
            domain: parse(NOUN, domain)?,
            signal: known(NOUN, Signal::from_key(&signal))?,
            purpose: read_purpose(purpose)?,
            subjects,
            standing,
        })
    };
    rows.into_iter().map(read).collect()
}

/// Whether anything was ever recorded of a signal and purpose.
pub fn is_recorded(tx: &mut Tx, domain: &Slug, signal: Signal, purpose: Option<&Slug>) -> Result<bool, StoreError> {
    let key = (domain.as_str(), signal.key(), purpose_of(purpose));
    let found: Option<i64> = consent_counts::table.find(key).select(consent_counts::subjects).first(tx.conn()).optional()?;
    Ok(found.is_some())
}

/// What changed, or stands, for one person.
#[derive(QueryableByName, Debug, Clone, Copy, PartialEq, Eq)]
pub struct Change {
    #[diesel(sql_type = BigInt)]
    subject: i64,
    #[diesel(sql_type = BigInt)]
    stands: i64,
    #[diesel(sql_type = Nullable<BigInt>)]
    ends_at: Option<i64>,
    #[diesel(sql_type = BigInt)]
    pub watermark: i64,
}

impl Change {
    pub const fn subject(&self) -> Subject {
        Subject(self.subject.cast_unsigned())
    }

    pub const fn stands(&self) -> bool {
        self.stands != 0
    }

    pub fn ends_at(&self) -> Option<Instant> {
        instant(self.ends_at)
    }
}

fn changes(domain: &Slug, signal: Signal, purpose: Option<&Slug>) -> Raw {
    Raw::new("SELECT subject, stands, ends_at, watermark FROM consent_standings WHERE domain =")
        .text(domain)
        .sql("AND signal =")
        .text(signal.key())
        .sql("AND purpose =")
        .text(purpose_of(purpose))
}

/// A part of those for whom it stands, after a person in the order of the keys.
pub fn standing(
    tx: &mut Tx,
    domain: &Slug,
    signal: Signal,
    purpose: Option<&Slug>,
    after: Option<Subject>,
    most: i64,
) -> Result<Vec<Change>, StoreError> {
    // The index over those for whom it stands holds all of this.
    let mut raw = changes(domain, signal, purpose);
    if let Some(after) = after {
        raw = raw.sql("AND subject >").number(after.0.cast_signed());
    }
    raw.sql("AND stands = 1 ORDER BY subject LIMIT").number(most).load(tx)
}

/// What changed after a watermark, in that order.
pub fn changed(
    tx: &mut Tx,
    domain: &Slug,
    signal: Signal,
    purpose: Option<&Slug>,
    since: i64,
    most: i64,
) -> Result<Vec<Change>, StoreError> {
    changes(domain, signal, purpose).sql("AND watermark >").number(since).sql("ORDER BY watermark LIMIT").number(most).load(tx)
}
