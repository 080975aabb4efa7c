//! A page: executed into a bounded buffer, then one short transaction, then sent.

use std::collections::BTreeMap;
use std::sync::Arc;

use data_encoding::BASE64URL_NOPAD;

use crate::domain::Invalid;
use crate::domain::id::ReleaseId;
use crate::domain::text::FieldName;
use crate::engine::encode::{Coder, Coding, Encoder, Format, Wire};
use crate::engine::{ReleasedStream, Window};
use crate::history::{Body, Outcome, Released};
use crate::keys;
use crate::policy::release::{Limit, ReleasePlan};
use crate::store::{counters, quotas};

use super::super::consents::{self, Admitting};
use super::super::{App, AppError, append, new_id};
use super::ledger;
use super::{ATTEMPTS, Decided, Request, allowance, beside, decide, digest_of, note, receiver, use_proof, what, worth_asking_again};

/// Rows of a page when `limit` is not given.
pub const DEFAULT_LIMIT: u64 = 1_000;
/// The most rows a page may have.
pub const MOST_LIMIT: u64 = 10_000;

/// A page that is on record and may leave.
#[derive(Debug, Clone)]
pub struct Page {
    pub release: ReleaseId,
    /// `{"rows":[…],"next":…,"release":…}`, coded as asked.
    pub body: Vec<u8>,
}

/// How an attempt to record a page went.
enum Recorded {
    Yes,
    /// Rights moved since the decision, or the quota had less left than thought.
    Moved,
}

/// Releases one page of rows.
pub async fn page(app: &Arc<App>, request: &Request, wire: Wire, limit: Option<u64>, cursor: Option<&str>) -> Result<Page, AppError> {
    match attempt(app, request, limit, cursor).await {
        Ok(page) if wire.coding == Coding::Identity => Ok(page),
        // Only now is it coded: the record speaks of the body as it is.
        Ok(Page { release, body }) => {
            let coding = app.engine.spawn(async move { Coder::whole(wire.coding, body) });
            let coded = coding.await.map_err(|error| AppError::Internal(error.to_string()))?;
            Ok(Page { release, body: coded.map_err(|error| AppError::of_engine(error, &request.dataset))? })
        }
        Err(error) => Err(note(app, request, error).await),
    }
}

async fn attempt(app: &Arc<App>, request: &Request, limit: Option<u64>, cursor: Option<&str>) -> Result<Page, AppError> {
    let limit = limit.unwrap_or(DEFAULT_LIMIT);
    if limit == 0 || limit > MOST_LIMIT {
        return Err(Invalid::new(
            "limit",
            format!("must be 1 to {MOST_LIMIT}; for more rows ask for a stream, such as application/x-ndjson"),
        )
        .into());
    }
    let _place = app.streams.page()?;
    super::limits::check_recording(app).await?;
    for fresh in ATTEMPTS {
        match once(app, request, limit, cursor, fresh).await {
            Ok(Some(page)) => return Ok(page),
            // Rights moved, or what was kept in memory is not what holds: once more from the live state.
            Ok(None) => app.decisions.forget(&request.bearer.token.id),
            Err(error) if fresh || !worth_asking_again(&error) => return Err(error),
            Err(_) => app.decisions.forget(&request.bearer.token.id),
        }
    }
    Err(AppError::Unavailable("Rights are changing just now; try again shortly.".to_owned()))
}

async fn once(app: &Arc<App>, request: &Request, limit: u64, cursor: Option<&str>, fresh: bool) -> Result<Option<Page>, AppError> {
    let decided = decide(app, request, fresh).await?;
    let built = build(app, request, &decided, limit, cursor).await?;
    Ok(match record(app, request, &decided, &built).await? {
        Recorded::Yes => Some(Page { release: built.release, body: built.body }),
        Recorded::Moved => None,
    })
}

/// A page that is computed but not recorded, so it may not leave.
struct Built {
    release: ReleaseId,
    body: Vec<u8>,
    rows: u64,
    /// Whom it is about, in rising order.
    subjects: Arc<Vec<u64>>,
    segment: ledger::Segment,
    source: String,
    withheld: BTreeMap<FieldName, u64>,
    /// Who was asked, and what about.
    admitting: Admitting,
}

async fn build(app: &Arc<App>, request: &Request, decided: &Decided, limit: u64, cursor: Option<&str>) -> Result<Built, AppError> {
    let plan = &decided.plan;
    let name = plan.dataset().name.as_str();
    let now = app.clock.now();
    let left = plan.daily_rows().saturating_sub(app.decisions.known.rows(plan.permit(), now.date()));
    let version = app.engine.source_version(&decided.ready.access(), &plan.dataset().table).await;
    let source = version.map_err(|error| AppError::of_engine(error, name))?;
    let binding = binding(request, decided, &source);
    let skip = cursor.map_or(Ok(0), |cursor| open_cursor(app, &binding, cursor))?;
    let take = limit.min(left);
    let secrets = super::secrets(app, decided).await?;
    // One row more than wanted tells whether there is a next page.
    let window = Window { skip, limit: Some(take.saturating_add(1)) };
    let admitting = super::admitting(app, decided).await?;
    let stream =
        app.engine.open(Arc::clone(plan), secrets, window, admitting.engine()).await.map_err(|error| AppError::of_engine(error, name))?;
    // After the source was looked at: drift comes before the quota.
    allowance::check_known(app, plan, now)?;
    let collecting = app.engine.spawn_short(collect(Arc::clone(app), Arc::clone(plan), stream, take));
    let collected = collecting.await.map_err(|error| AppError::Internal(error.to_string()))?;
    let rows = collected?;
    if rows.clipped && rows.count == 0 {
        return Err(allowance::spent_today(Limit::Subjects, now).into());
    }
    let release = new_id::<ReleaseId>()?;
    let next = if rows.more { Some(seal_cursor(app, &binding, skip.saturating_add(rows.count))) } else { None };
    let mut body = rows.body;
    body.extend_from_slice(b"],\"next\":");
    match next {
        Some(cursor) => body.extend_from_slice(format!("\"{cursor}\"").as_bytes()),
        None => body.extend_from_slice(b"null"),
    }
    body.extend_from_slice(format!(",\"release\":\"{release}\"}}").as_bytes());
    let (subjects, segment) = ledger::prepare(app, rows.subjects).await?;
    Ok(Built { release, body, rows: rows.count, subjects, segment, source, withheld: rows.withheld, admitting })
}

struct Rows {
    body: Vec<u8>,
    count: u64,
    more: bool,
    /// Cut to what the limit on subjects has room for.
    clipped: bool,
    subjects: Vec<u64>,
    withheld: BTreeMap<FieldName, u64>,
}

/// Reads at most `take` rows into the page's buffer; runs on the engine's threads.
async fn collect(app: Arc<App>, plan: Arc<ReleasePlan>, mut stream: ReleasedStream, take: u64) -> Result<Rows, AppError> {
    let wrong = |error| AppError::of_engine(error, plan.dataset().name.as_str());
    let mut encoder = Encoder::new(Format::Json.into(), stream.columns()).map_err(wrong)?;
    let (mut batches, mut count, mut more) = (Vec::new(), 0_u64, false);
    while let Some(batch) = stream.next().await {
        let batch = batch.map_err(wrong)?;
        let left = usize::try_from(take.saturating_sub(count)).unwrap_or(usize::MAX);
        more |= batch.rows() > left;
        let kept = if batch.rows() > left { batch.slice(0, left) } else { batch };
        count = count.saturating_add(u64::try_from(kept.rows()).unwrap_or(u64::MAX));
        batches.push(kept);
        if more {
            break;
        }
    }
    let clipped = allowance::clip_subjects(&app, &plan, &mut batches).await?;
    let mut rows = Rows {
        body: b"{\"rows\":[".to_vec(),
        count: batches.iter().map(|batch| u64::try_from(batch.rows()).unwrap_or(u64::MAX)).sum(),
        more: more || clipped,
        clipped,
        subjects: batches.iter().flat_map(|batch| batch.subjects().iter().copied()).collect(),
        withheld: BTreeMap::new(),
    };
    for batch in &batches {
        super::add_withheld(&mut rows.withheld, batch.withheld());
    }
    rows.body.extend_from_slice(&encoder.encode(&batches).map_err(wrong)?);
    Ok(rows)
}

async fn record(app: &Arc<App>, request: &Request, decided: &Decided, built: &Built) -> Result<Recorded, AppError> {
    let plan = Arc::clone(&decided.plan);
    let names = vec![built.segment.digest.clone()];
    let body = Body::Release(Released {
        to: receiver(app, request)?,
        what: what(&plan, &built.release, &built.source, Format::Json, built.admitting.watermark),
        outcome: Outcome {
            rows: built.rows,
            bytes: u64::try_from(built.body.len()).unwrap_or(u64::MAX),
            subjects: built.segment.subjects,
            content: Some(digest_of(&built.body)?),
            ledger: ledger::digest_of_names(&names)?,
            segments: names,
            withheld: built.withheld.clone(),
        },
    });
    let (beside, segment, rows, known) = (beside(&request.asked)?, built.segment.clone(), built.rows, decided.counters);
    let (asking, seen) = (built.admitting.asking().clone(), built.admitting.watermark);
    let (recording, subjects) = (Arc::clone(&plan), Arc::clone(&built.subjects));
    let bearer = request.bearer.clone();
    let outcome = app
        .store
        .release(&request.bearer.token.vendor.clone(), move |tx| {
            let plan = recording;
            let now = tx.now();
            if counters::read(tx, plan.vendor())? != known || now >= plan.stands_until() {
                return Ok::<_, AppError>((Recorded::Moved, now, None, None));
            }
            // What a person said since the rows were computed counts as well.
            if consents::newly_denied(tx, &asking, seen, &subjects, now)?.0 {
                return Ok((Recorded::Moved, now, None, None));
            }
            let day = now.date();
            let used = quotas::used(tx, plan.permit(), day)?;
            if used.saturating_add(rows) > plan.daily_rows() {
                return Ok((Recorded::Moved, now, Some(used), None));
            }
            use_proof(tx, &bearer)?;
            // Where another broker charged in between, the error takes this charge back.
            let requests = allowance::charge_request(tx, &plan, now)?;
            let used = allowance::charge(tx, &plan, rows, &subjects, now)?;
            ledger::keep(tx, &segment)?;
            append(tx, &body, beside)?;
            Ok((Recorded::Yes, now, Some(used), requests))
        })
        .await?;
    let (recorded, now, used, requests) = outcome;
    if let Some(used) = used {
        app.decisions.known.saw_rows(plan.permit(), now.date(), used);
    }
    allowance::saw_requests(app, &plan, now, requests);
    Ok(recorded)
}

/// What a cursor is bound to: client, permit revision, query and source version; not the token, which is short-lived.
fn binding(request: &Request, decided: &Decided, source: &str) -> String {
    let asked = &request.asked;
    let filter: Vec<(&str, &str, &[String])> =
        asked.filter.iter().map(|(name, op, values)| (name.as_str(), op.key(), values.as_slice())).collect();
    let query = serde_json::json!([asked.select, filter, asked.order]).to_string();
    let plan = &decided.plan;
    format!("cursor|{}|{}|{}|{}|{}", request.bearer.token.client, plan.permit(), plan.policy(), source, keys::sha256_hex(query.as_bytes()))
}

fn seal_cursor(app: &App, binding: &str, skip: u64) -> String {
    BASE64URL_NOPAD.encode(&app.keyring.seal(binding, &skip.to_be_bytes()))
}

fn open_cursor(app: &App, binding: &str, cursor: &str) -> Result<u64, AppError> {
    let bad = || Invalid::new("cursor", "belongs to another request, or the data changed since: start again without it");
    if cursor.len() > 1_024 {
        return Err(bad().into());
    }
    let sealed = BASE64URL_NOPAD.decode(cursor.as_bytes()).map_err(|_| bad())?;
    let plain = app.keyring.open(binding, &sealed).map_err(|_| bad())?;
    let skip = <[u8; 8]>::try_from(plain.as_slice()).map_err(|_| bad())?;
    Ok(u64::from_be_bytes(skip))
}
