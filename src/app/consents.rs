//! What people said, taken from a consent platform or by hand, and asked before each release.

mod admission;
mod bulk;
mod set;

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::domain::Invalid;
use crate::domain::consent::{ConsentRecord, Matter, Signal, Standing, Subject};
use crate::domain::dataset::LogicalType;
use crate::domain::id::PersonId;
use crate::domain::person::Actor;
use crate::domain::text::{Line, Slug};
use crate::domain::time::Instant;
use crate::engine::admission::subject_hashes;
use crate::history::{Act, Body};
use crate::policy::consent::{check, supersedes};
use crate::store::{Scope, Tx, catalogue, consents, vocabulary};

use super::{App, AppError, append, secrets};

pub use admission::{Admitting, Asking, Consents, admission, asking, newly_denied};
pub use bulk::{Imported, LineError, LineFormat, import};
pub use consents::{Counted, MOST_AT_ONCE};

/// The most records of one person that are shown.
const MOST_SHOWN: i64 = 200;
/// The longest key of a person, in bytes.
const MOST_KEY: usize = 1_024;

/// A record as it is reported, with the person's key as the sources of the domain write it. Fields after ISO/IEC TS 27560.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Report {
    /// The reporter's id of this record: the same record sent again is kept once.
    #[schema(value_type = String)]
    pub record: Line,
    /// The key of the person.
    pub subject: String,
    pub signal: Signal,
    /// Key of the vocabulary; for a consent and an objection.
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    pub purpose: Option<Slug>,
    /// True when it was given, made or asked for; false when it was withdrawn or lifted.
    pub stands: bool,
    /// When the person said so.
    #[schema(value_type = String)]
    pub event_time: Instant,
    /// When a consent ends by itself.
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    pub ends_at: Option<Instant>,
    /// Version or address of the notice that was shown.
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    pub notice: Option<Line>,
    /// How it came: a form, a letter, a browser's signal.
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    pub channel: Option<Line>,
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    pub jurisdiction: Option<Line>,
}

/// What became of one record.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Taken {
    /// It counts from now on.
    Counts,
    /// It is kept, and a later event counts.
    Overtaken,
    /// It was here already.
    Repeated,
}

/// What became of some records, in their order, and the number of the last record that is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recorded {
    pub taken: Vec<Result<Taken, Invalid>>,
    pub watermark: i64,
}

/// Records what people said in one subject domain. What can't be is answered in its place and keeps nothing else back.
/// At most [`MOST_AT_ONCE`] records.
pub async fn record(app: &App, by: &Actor, domain: Slug, reports: Vec<Report>) -> Result<Recorded, AppError> {
    if reports.len() > MOST_AT_ONCE {
        return Err(Invalid::new("", format!("must hold at most {MOST_AT_ONCE} records at once")).into());
    }
    let read = hashed(app, &domain, reports).await?;
    let by = by.clone();
    app.store
        .govern(Scope::People, move |tx| {
            let (now, vocabulary) = (tx.now(), vocabulary::load(tx)?);
            let checked = |record: ConsentRecord| check(&record, &vocabulary, now).map(|()| record);
            let checked = read.into_iter().map(|record| record.and_then(checked)).collect::<Vec<_>>();
            keep(tx, &domain, checked, &by, now)
        })
        .await
}

/// Puts each record's person behind a keyed hash.
async fn hashed(app: &App, domain: &Slug, reports: Vec<Report>) -> Result<Vec<Result<ConsentRecord, Invalid>>, AppError> {
    let (key, logical) = domain_key(app, domain).await?;
    let keys: Vec<String> = reports.iter().map(|report| report.subject.clone()).collect();
    let hashes = subject_hashes(&key, logical, &keys).map_err(|error| AppError::Internal(error.to_string()))?;
    let record = |(report, hash): (Report, Option<u64>)| {
        let usable = !report.subject.is_empty() && report.subject.len() <= MOST_KEY;
        let subject = hash.filter(|_| usable).ok_or_else(|| {
            Invalid::new("subject", format!("must be a key of this subject domain, whose keys are of the type {}", logical.key()))
        })?;
        Ok(ConsentRecord {
            record: report.record,
            matter: Matter { domain: domain.clone(), signal: report.signal, purpose: report.purpose, subject: Subject(subject) },
            stands: report.stands,
            event_at: report.event_time,
            ends_at: report.ends_at,
            notice: report.notice,
            channel: report.channel,
            jurisdiction: report.jurisdiction,
        })
    };
    Ok(reports.into_iter().zip(hashes).map(record).collect())
}

/// The ledger's key of a subject domain and the type of its keys.
async fn domain_key(app: &App, domain: &Slug) -> Result<([u8; 32], LogicalType), AppError> {
    let (domain, keyring) = (domain.clone(), std::sync::Arc::clone(&app.keyring));
    app.store
        .read(move |tx| {
            let logical = catalogue::subject_domain(tx, &domain)?;
            let key = secrets::opened(tx, &keyring, &secrets::ledger_key(&domain))?;
            match (logical, key) {
                (Some(logical), Some(key)) => Ok((key, logical)),
                _ => Err(Invalid::new("domain", "must be a subject domain that a dataset is mapped into").into()),
            }
        })
        .await
}

/// Numbers, keeps and weighs the records, and says so in the history where anything was new.
fn keep(tx: &mut Tx, domain: &Slug, checked: Vec<Result<ConsentRecord, Invalid>>, by: &Actor, now: Instant) -> Result<Recorded, AppError> {
    let ids: BTreeSet<&str> = checked.iter().flatten().map(|record| record.record.as_str()).collect();
    let mut known = consents::kept(tx, &ids)?;
    let mut fresh = Vec::new();
    let mut taken: Vec<Result<Option<Taken>, Invalid>> = Vec::with_capacity(checked.len());
    for record in checked {
        taken.push(record.and_then(|record| match known.get(record.record.as_str()) {
            Some(kept) if *kept == record => Ok(Some(Taken::Repeated)),
            Some(_) => Err(Invalid::new("record", "must be a new id: another record has this one")),
            None => {
                known.insert(record.record.to_string(), record.clone());
                fresh.push(record);
                Ok(None)
            }
        }));
    }
    let mut became = weigh(tx, domain, &fresh, by.person(), now)?.into_iter();
    let watermark = consents::watermark(tx)?;
    if !fresh.is_empty() {
        let act =
            Act::new("consent", domain, "record", by).fact("domain", domain).fact("records", fresh.len()).fact("watermark", watermark);
        append(tx, &Body::Act(act), None)?;
    }
    let taken = taken.into_iter().map(|one| one.map(|one| one.or_else(|| became.next()).unwrap_or(Taken::Overtaken))).collect();
    Ok(Recorded { taken, watermark })
}

/// Keeps new records and works out what counts from now on.
fn weigh(tx: &mut Tx, domain: &Slug, fresh: &[ConsentRecord], by: Option<&PersonId>, now: Instant) -> Result<Vec<Taken>, AppError> {
    if fresh.is_empty() {
        return Ok(Vec::new());
    }
    let first = consents::take_numbers(tx, i64::try_from(fresh.len()).unwrap_or(i64::MAX))?;
    consents::insert(tx, first, &fresh.iter().collect::<Vec<_>>(), now, by)?;
    let people: BTreeSet<Subject> = fresh.iter().map(|record| record.matter.subject).collect();
    let before = consents::standings(tx, domain, &people)?;
    let mut after: BTreeMap<Matter, (Standing, i64)> = BTreeMap::new();
    let mut became = Vec::with_capacity(fresh.len());
    for (number, record) in (first..).zip(fresh) {
        let stood = after.get(&record.matter).map(|(standing, _)| standing).or_else(|| before.get(&record.matter));
        if supersedes(record, stood) {
            let standing = Standing { stands: record.stands, event_at: record.event_at, ends_at: record.ends_at };
            after.insert(record.matter.clone(), (standing, number));
            became.push(Taken::Counts);
        } else {
            became.push(Taken::Overtaken);
        }
    }
    consents::save(tx, &after)?;
    let mut changes: BTreeMap<(Signal, Option<&Slug>), (i64, i64)> = BTreeMap::new();
    for (matter, (standing, _)) in &after {
        let stood = before.get(matter);
        let (subjects, standings) = changes.entry((matter.signal, matter.purpose.as_ref())).or_default();
        *subjects = subjects.saturating_add(i64::from(stood.is_none()));
        let change = i64::from(standing.stands).saturating_sub(i64::from(stood.is_some_and(|stood| stood.stands)));
        *standings = standings.saturating_add(change);
    }
    for ((signal, purpose), (subjects, standings)) in changes {
        consents::count(tx, domain, signal, purpose, subjects, standings)?;
    }
    Ok(became)
}

/// What is counted, by domain, purpose and signal.
pub async fn counts(app: &App) -> Result<Vec<Counted>, AppError> {
    app.store.read(|tx| Ok(consents::counts(tx)?)).await
}

/// What is known of one person.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Known {
    pub domain: Slug,
    /// What counts now, by signal and purpose.
    pub standing: Vec<(Signal, Option<Slug>, Standing)>,
    /// The records behind it, newest first; at most 200.
    pub records: Vec<consents::Kept>,
}

/// Looks one person up by their key. The key is not kept, and the look is in the history without it.
pub async fn look_up(app: &App, by: &Actor, domain: Slug, key: String) -> Result<Known, AppError> {
    let (ledger, logical) = domain_key(app, &domain).await?;
    let hash = subject_hashes(&ledger, logical, &[key]).map_err(|error| AppError::Internal(error.to_string()))?;
    let hash = hash.into_iter().next().flatten();
    let subject = hash.ok_or_else(|| Invalid::new("subject", format!("must be a key of the type {}", logical.key())))?;
    let (subject, by) = (Subject(subject), by.clone());
    app.store
        .record(move |tx| {
            let standing = consents::standings(tx, &domain, &BTreeSet::from([subject]))?;
            let standing = standing.into_iter().map(|(matter, standing)| (matter.signal, matter.purpose, standing)).collect();
            let records = consents::of_subject(tx, &domain, subject, MOST_SHOWN)?;
            append(tx, &Body::Act(Act::new("consent", &domain, "look_up", &by).fact("domain", &domain)), None)?;
            Ok(Known { domain, standing, records })
        })
        .await
}
