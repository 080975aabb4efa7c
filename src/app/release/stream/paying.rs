//! The toll of a chunk: one short transaction that asks gate, quota and consent. What is paid may leave.

use std::collections::BTreeMap;
use std::sync::Arc;

use bytes::Bytes;

use crate::domain::gate::Gate;
use crate::domain::id::ReleaseId;
use crate::domain::text::{Digest, FieldName};
use crate::domain::time::{Date, Instant};
use crate::engine::encode::Coder;
use crate::files::Runs;
use crate::history::{Body, Closed, Cut, Outcome};
use crate::keys::Hasher;
use crate::policy::release::{ReleasePlan, stands_until, still_open};
use crate::store::counters::{self, Counters};
use crate::store::streams::{self, Toll};
use crate::store::{Tx, permits};

use super::super::super::consents::{self, Admitting};
use super::super::super::oauth::Bearer;
use super::super::super::{App, AppError, append, kill_switch};
use super::super::{Decided, add_withheld, allowance, check_sender, ledger, live, refusal};
use super::gathering::Chunk;

/// Rows charged to the quota, and the day they were charged to.
#[derive(Debug, Clone, Copy)]
pub(super) struct Used {
    pub(super) rows: u64,
    pub(super) day: Date,
}

impl Used {
    /// At midnight UTC the quota begins anew.
    pub(super) fn on(self, day: Date) -> u64 {
        if day == self.day { self.rows } else { 0 }
    }

    pub(super) const fn and(self, rows: u64) -> Self {
        Self { rows: self.rows.saturating_add(rows), day: self.day }
    }
}

/// What the next toll goes by; shared with the transaction's closure.
#[derive(Clone)]
struct Standing {
    counters: Counters,
    until: Instant,
    used: Used,
}

/// Who pays, and what was paid.
pub(super) struct Paying {
    app: Arc<App>,
    bearer: Bearer,
    plan: Arc<ReleasePlan>,
    release: ReleaseId,
    admitting: Admitting,
    /// Whether what people said was read anew: rows that were computed before were asked by what held then.
    asked_anew: bool,
    coder: Option<Coder>,
    standing: Standing,
    hasher: Hasher,
    sent_rows: u64,
    sent_bytes: u64,
    tolls: i64,
    segments: Vec<Digest>,
    runs: Runs,
    withheld: BTreeMap<FieldName, u64>,
}

impl Paying {
    pub(super) fn new(
        app: &Arc<App>,
        bearer: Bearer,
        decided: Decided,
        release: ReleaseId,
        admitting: Admitting,
        coder: Coder,
        rows: u64,
    ) -> Self {
        let used = Used { rows, day: app.clock.now().date() };
        Self {
            app: Arc::clone(app),
            bearer,
            standing: Standing { counters: decided.counters, until: decided.plan.stands_until(), used },
            plan: decided.plan,
            release,
            admitting,
            asked_anew: false,
            coder: Some(coder),
            hasher: Hasher::new(),
            sent_rows: 0,
            sent_bytes: 0,
            tolls: 0,
            segments: Vec::new(),
            runs: Runs::new(),
            withheld: BTreeMap::new(),
        }
    }

    /// What was charged as of the last toll.
    pub(super) const fn used(&self) -> Used {
        self.standing.used
    }

    /// Asks the gate, the quota and consent in one short transaction; answers the bytes that may leave.
    pub(super) async fn pay(&mut self, chunk: Chunk) -> Result<Bytes, Cut> {
        let Chunk { bytes, rows, subjects, segment, withheld, last, clipped: _ } = chunk;
        if self.asked_anew && !self.admitting.admits_all(&subjects) {
            return Err(Cut::Gate(Gate::Consent));
        }
        let (size, number) = (u64::try_from(bytes.len()).unwrap_or(u64::MAX), self.tolls.saturating_add(1));
        let digest = segment.digest.clone();
        let watermark = self.transaction(number, rows, size, &subjects, segment).await.map_err(unpaid)?;
        if watermark != self.admitting.watermark {
            // The rows to come are asked by what holds now.
            self.admitting.refresh(&self.app).await.map_err(unpaid)?;
            self.asked_anew = true;
        }
        // Counted once it is paid: a toll that a gate refused is none.
        self.tolls = number;
        self.runs.push(Arc::unwrap_or_clone(subjects)).await.map_err(|error| unpaid(error.into()))?;
        self.hasher.update(&bytes);
        self.segments.push(digest);
        self.sent_rows = self.sent_rows.saturating_add(rows);
        self.sent_bytes = self.sent_bytes.saturating_add(size);
        add_withheld(&mut self.withheld, withheld);
        // Only now is it coded: the record speaks of the body as it is.
        self.coded(bytes, last)
    }

    /// Answers the watermark up to which nobody of the chunk has withdrawn.
    async fn transaction(
        &mut self,
        number: i64,
        rows: u64,
        bytes: u64,
        subjects: &Arc<Vec<u64>>,
        segment: ledger::Segment,
    ) -> Result<i64, AppError> {
        let (plan, bearer, keyring) = (Arc::clone(&self.plan), self.bearer.clone(), Arc::clone(&self.app.keyring));
        let (release, standing) = (self.release.clone(), self.standing.clone());
        let (asked, asking, seen) = (Arc::clone(subjects), self.admitting.asking().clone(), self.admitting.watermark);
        let (standing, watermark) = self
            .app
            .store
            .release(&self.bearer.token.vendor.clone(), move |tx| {
                let now = tx.now();
                let mut standing = reconsider(tx, &keyring, &plan, &bearer, standing, now)?;
                // Rows that are still here of a person who withdrew since do not leave.
                let (denied, watermark) = consents::newly_denied(tx, &asking, seen, &asked, now)?;
                if denied {
                    return Err(refusal(Gate::Consent).into());
                }
                standing.used = Used { rows: allowance::charge(tx, &plan, rows, &asked, now)?, day: now.date() };
                ledger::keep(tx, &segment)?;
                streams::toll(tx, &Toll { release, number, rows, bytes, segment: segment.digest, at: now })?;
                Ok::<_, AppError>((standing, watermark))
            })
            .await?;
        self.standing = standing;
        Ok(watermark)
    }

    fn coded(&mut self, bytes: Vec<u8>, last: bool) -> Result<Bytes, Cut> {
        let Some(mut coder) = self.coder.take() else { return Ok(bytes.into()) };
        let mut coded = coder.push(bytes).map_err(|_| Cut::Source)?;
        if last {
            coded.extend_from_slice(&coder.finish().map_err(|_| Cut::Source)?);
        } else {
            self.coder = Some(coder);
        }
        Ok(coded.into())
    }

    /// Records the end.
    pub(super) async fn close(self, cut: Option<Cut>) -> Result<(), AppError> {
        let Self {
            app, bearer: Bearer { token, .. }, plan, release, hasher, sent_rows, sent_bytes, tolls, segments, runs, withheld, ..
        } = self;
        let subjects = runs.distinct().await?;
        let content = Digest::try_from(hasher.finish()).map_err(|error| AppError::Internal(error.to_string()))?;
        let outcome = Outcome {
            rows: sent_rows,
            bytes: sent_bytes,
            subjects,
            content: Some(content),
            ledger: ledger::digest_of_names(&segments)?,
            segments: ledger::named(&app, &segments).await?,
            withheld,
        };
        let body = Body::Closed(Closed {
            release: release.clone(),
            vendor: token.vendor,
            client: token.client,
            permit: plan.permit().clone(),
            dataset: plan.dataset().name.clone(),
            purpose: plan.purpose().clone(),
            cut,
            tolls: u64::try_from(tolls).unwrap_or(0),
            outcome,
        });
        app.store
            .record(move |tx| {
                append(tx, &body, None)?;
                Ok(streams::finish(tx, &release)?)
            })
            .await
    }
}

/// Why a toll is not paid: a gate that closed says so by itself.
pub(super) fn unpaid(error: AppError) -> Cut {
    match error {
        AppError::Refused(refusal) => Cut::Gate(refusal.gate),
        other => {
            tracing::error!(error = %other, "a toll could not be paid");
            Cut::Unrecorded
        }
    }
}

/// Loads the live state anew when anything moved or fell due, and checks that the opened plan still stands.
/// That the token expired since cuts nothing that was opened under it.
fn reconsider(
    tx: &mut Tx,
    keyring: &crate::keys::Keyring,
    plan: &ReleasePlan,
    bearer: &Bearer,
    mut standing: Standing,
    now: Instant,
) -> Result<Standing, AppError> {
    let counters = counters::read(tx, plan.vendor())?;
    if counters == standing.counters && now < standing.until {
        return Ok(standing);
    }
    if kill_switch::lasts(tx)? {
        return Err(kill_switch::refusal().into());
    }
    let permit = permits::find(tx, plan.permit())?;
    let kept = live::kept(tx, bearer.token.clone())?;
    let ready = live::one(tx, keyring, kept, permit)?.ok_or(refusal(Gate::Permit))?;
    still_open(&ready.state, plan, now)?;
    check_sender(&ready, bearer)?;
    standing.counters = counters;
    standing.until = stands_until(&ready.state, now);
    Ok(standing)
}
