//! The gates that a vendor, an agreement or a permit rests on, each judged by the policy that judges releases.

use serde::Serialize;
use utoipa::ToSchema;

use crate::domain::assessment::AssessmentKind;
use crate::domain::consent::Signal;
use crate::domain::gate::Gate;
use crate::domain::id::{AgreementId, VendorId};
use crate::domain::permit::PermitTerms;
use crate::domain::text::Slug;
use crate::domain::time::Instant;
use crate::domain::vendor::Lifecycle;
use crate::policy::release::{Limit, consent_open, detail, due_diligence_open, due_diligence_until, permit_open, reopens};
use crate::policy::standing::{self, AgreementState, in_force_until};
use crate::store::overview::VersionStanding;
use crate::store::{Tx, agreements, assessments, consents, datasets, evidence, overview, permits, queue, quotas, vendors};

use super::{App, AppError};

/// One gate as pages and the API show it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct GateState {
    pub gate: Gate,
    pub open: bool,
    /// The sentence that a refusal would say.
    pub detail: &'static str,
    /// What opens it again.
    pub reopens: &'static str,
    /// When it closes by itself, where that is known; a spent quota opens again then.
    pub until: Option<Instant>,
    /// Rows that may still leave today: of the gate `quota` only.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rows_left: Option<u64>,
    /// People who may still leave today and have not yet: of the gate `quota` only, where the permit limits them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub subjects_left: Option<u64>,
}

fn state(gate: Gate, open: bool, until: Option<Instant>) -> GateState {
    GateState { gate, open, detail: detail(gate), reopens: reopens(gate), until, rows_left: None, subjects_left: None }
}

/// The gates that rest on the vendor as a whole.
pub async fn of_vendor(app: &App, id: VendorId) -> Result<Vec<GateState>, AppError> {
    app.store
        .read(move |tx| {
            let mut gates = vendor_gates(tx, &id)?;
            let versions = overview::agreements(tx, std::slice::from_ref(&id))?.remove(&id).unwrap_or_default();
            let now = tx.now();
            let agreements: Vec<&[VersionStanding]> = versions.chunk_by(|one, other| one.agreement == other.agreement).collect();
            gates.push(best(&agreements, now));
            Ok(gates)
        })
        .await
}

/// The gates under an agreement.
pub async fn of_agreement(app: &App, id: AgreementId) -> Result<Vec<GateState>, AppError> {
    app.store
        .read(move |tx| {
            let agreement = agreements::find(tx, &id)?;
            let mut gates = vendor_gates(tx, &agreement.vendor)?;
            gates.push(agreement_gate(tx, &agreement.vendor, &id)?);
            Ok(gates)
        })
        .await
}

/// Every gate that a release under a permit passes, but for those of the client and its token.
pub async fn of_permit(app: &App, key: Slug) -> Result<Vec<GateState>, AppError> {
    app.store
        .read(move |tx| {
            let permit = permits::find(tx, &key)?;
            let now = tx.now();
            let mut gates = vendor_gates(tx, &permit.vendor)?;
            gates.push(agreement_gate(tx, &permit.vendor, &permit.agreement)?);
            let revision = permits::in_force_revision(tx, &key)?;
            let version = agreements::in_force(tx, &permit.agreement, now)?;
            let Some(standing) = &revision else {
                gates.push(state(Gate::Permit, false, None));
                return Ok(gates);
            };
            let dataset = datasets::find_by_name(tx, &standing.terms.dataset)?.ok_or(AppError::NotFound("dataset"))?;
            let open = permit_open(&permit, Some(standing), version.as_ref(), &dataset, now);
            gates.push(state(Gate::Permit, open, standing.terms.ends_on.map(|day| day.end())));
            let recorded = consents::is_recorded(tx, &dataset.subject.domain, Signal::Consent, Some(&standing.terms.purpose))?;
            gates.push(state(Gate::Consent, consent_open(Some(standing), recorded), None));
            let drifted = queue::drifted(tx, now.plus_days(-super::dashboard::DRIFT_DAYS))?;
            gates.push(state(Gate::DatasetDrift, !drifted.iter().any(|known| known.noun == dataset.name.as_str()), None));
            gates.push(quota_gate(tx, &key, &standing.terms)?);
            Ok(gates)
        })
        .await
}

/// The quota by what closes it first. A limit on people closes to those not yet released only, so it stays open.
fn quota_gate(tx: &mut Tx, permit: &Slug, terms: &PermitTerms) -> Result<GateState, AppError> {
    let now = tx.now();
    let left = terms.daily_rows.saturating_sub(quotas::used(tx, permit, now.date())?);
    let subjects_left = match terms.daily_subjects {
        Some(most) => Some(most.saturating_sub(quotas::subjects_used(tx, permit, now.date())?)),
        None => None,
    };
    let opens = terms.open_hours.as_ref().and_then(|hours| hours.opens_after(now));
    let gate = match opens {
        Some(opens) => GateState { detail: Limit::Hours.detail(), ..state(Gate::Quota, false, Some(opens)) },
        None => state(Gate::Quota, left > 0, Some(now.date().end())),
    };
    Ok(GateState { rows_left: Some(left), subjects_left, ..gate })
}

fn vendor_gates(tx: &mut Tx, id: &VendorId) -> Result<Vec<GateState>, AppError> {
    let now = tx.now();
    let vendor = vendors::find(tx, id)?;
    let round = assessments::latest_decided(tx, id, AssessmentKind::Security)?;
    let papers = evidence::mandatory(tx, id)?;
    Ok(vec![
        state(Gate::Vendor, vendor.lifecycle == Lifecycle::Active, None),
        state(Gate::DueDiligence, due_diligence_open(round.as_ref(), &papers, now), due_diligence_until(round.as_ref(), &papers)),
    ])
}

fn agreement_gate(tx: &mut Tx, vendor: &VendorId, id: &AgreementId) -> Result<GateState, AppError> {
    let now = tx.now();
    let mut versions = overview::agreements(tx, std::slice::from_ref(vendor))?.remove(vendor).unwrap_or_default();
    versions.retain(|version| version.agreement == *id);
    Ok(best(&[versions.as_slice()], now))
}

/// Open where any of the agreements is in force; until the last of them ends, as far as each has an end.
fn best(agreements: &[&[VersionStanding]], now: Instant) -> GateState {
    let mut open = false;
    let mut ends = Vec::new();
    for versions in agreements {
        let ended = versions.iter().any(|version| version.ended_at.is_some());
        let statuses: Vec<_> = versions.iter().map(|version| &version.status).collect();
        if standing::of_agreement(&statuses, ended, now) == AgreementState::InForce {
            open = true;
            ends.push(in_force_until(&statuses, ended, now));
        }
    }
    let until = if ends.iter().any(Option::is_none) { None } else { ends.into_iter().flatten().max() };
    state(Gate::Agreement, open, until)
}
