//! Compiles agreement, permit and live state into a [`ReleasePlan`], or names the gate that is closed.
//!
//! The plan's fields are private: nothing else can make one, so nothing is released that did not pass here.

mod limits;
mod shape;
#[cfg(test)]
mod tests;

pub use limits::{Limit, Limits, reached};
pub use shape::{Shape, SortKey};

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::Serialize;

use crate::domain::Invalid;
use crate::domain::agreement::{AgreementVersion, VersionStatus};
use crate::domain::assessment::{Assessment, Verdict};
use crate::domain::client::{Client, Token};
use crate::domain::condition::{self, Alternatives, Comparison, Operator};
use crate::domain::dataset::{Dataset, Field, LogicalType, Source};
use crate::domain::evidence::Evidence;
use crate::domain::gate::{Gate, Refusal};
use crate::domain::id::{AgreementId, VendorId};
use crate::domain::permit::{LegalBasis, Permit, Revision, RevisionStatus};
use crate::domain::text::{Digest, FieldName, Slug};
use crate::domain::time::Instant;
use crate::domain::treatment::Treatment;
use crate::domain::vendor::{Lifecycle, Vendor};
use crate::domain::vocabulary::Purpose;

use super::consent::{SubjectRule, rule};
/// Everything a decision on one permit reads, as it stood under one pair of counters.
#[derive(Debug, Clone)]
pub struct LiveState {
    pub token: Arc<Token>,
    pub client: Arc<Client>,
    pub vendor: Arc<Vendor>,
    /// The latest decided security assessment.
    pub assessment: Option<Arc<Assessment>>,
    /// The vendor's mandatory evidence.
    pub mandatory_evidence: Arc<Vec<Evidence>>,
    /// The latest signed version of the permit's agreement that has begun, if any.
    pub agreement: Option<Arc<AgreementVersion>>,
    /// When the next signed version begins, if one waits.
    pub successor_from: Option<Instant>,
    pub permit: Permit,
    /// The revision in force: of those put in force, the one whose time came last.
    pub revision: Option<Revision>,
    /// When the next revision put in force begins, if one waits.
    pub next_revision_from: Option<Instant>,
    /// Whether any consent was ever recorded for the revision's purpose in the dataset's subject domain.
    pub consent_recorded: bool,
    /// What the vocabulary says of the revision's purpose, shipped or the house's own.
    pub purpose: Option<Purpose>,
    pub dataset: Arc<Dataset>,
    pub source: Arc<Source>,
}

/// What a vendor asks for.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub struct Asked {
    /// `purpose=`: another than the permit's closes the gate `purpose`.
    pub purpose: Option<String>,
    /// `select=`: the fields wanted, in order.
    pub select: Option<Vec<String>>,
    /// Filters over released fields: field, operator, values.
    pub filter: Vec<(String, Operator, Vec<String>)>,
    /// `order=`: by what, the first first.
    pub order: Vec<Order>,
}

/// A field to order by.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize)]
pub struct Order {
    pub field: String,
    pub descending: bool,
    pub nulls_first: bool,
}

/// One released column.
#[derive(Debug, Clone, PartialEq)]
pub struct Column {
    pub field: Field,
    pub treatment: Treatment,
    /// The released type.
    pub released: LogicalType,
    /// For a keyed treatment: the label that its key is derived under from the agreement's.
    pub key: Option<String>,
}

/// What the engine may do, and nothing more. Only [`compile`] makes one.
#[derive(Debug, Clone)]
pub struct ReleasePlan {
    vendor: VendorId,
    agreement: AgreementId,
    permit: Slug,
    revision: i32,
    policy: Digest,
    purpose: Slug,
    shape: Arc<Shape>,
    subjects: SubjectRule,
    limits: Limits,
    stands_until: Instant,
}

impl ReleasePlan {
    /// The vendor that receives.
    pub fn vendor(&self) -> &VendorId {
        &self.vendor
    }
    /// The agreement whose keys treat.
    pub fn agreement(&self) -> &AgreementId {
        &self.agreement
    }
    /// The permit's key.
    pub fn permit(&self) -> &Slug {
        &self.permit
    }
    /// The permit's revision.
    pub fn revision(&self) -> i32 {
        self.revision
    }
    /// SHA-256 of the canonical policy.
    pub fn policy(&self) -> &Digest {
        &self.policy
    }
    /// The purpose of the release.
    pub fn purpose(&self) -> &Slug {
        &self.purpose
    }
    /// What is asked of each person before a row about them is released.
    pub fn subjects(&self) -> &SubjectRule {
        &self.subjects
    }
    /// What the engine reads of this plan.
    pub fn shape(&self) -> &Arc<Shape> {
        &self.shape
    }
    /// The dataset released from.
    pub fn dataset(&self) -> &Arc<Dataset> {
        self.shape.dataset()
    }
    /// Where its rows live.
    pub fn source(&self) -> &Arc<Source> {
        self.shape.source()
    }
    /// Every column the permit releases, in the dataset's field order; filters may name any of them.
    pub fn columns(&self) -> &[Column] {
        self.shape.columns()
    }
    /// Indexes into [`Self::columns`] that the answer holds, in the order asked for.
    pub fn selected(&self) -> &[usize] {
        self.shape.selected()
    }
    /// The selected columns.
    pub fn answer(&self) -> impl Iterator<Item = &Column> {
        self.selected().iter().filter_map(|at| self.columns().get(*at))
    }
    /// The permit's row condition, over raw fields: all of them must hold.
    pub fn condition(&self) -> &[Alternatives] {
        self.shape.condition()
    }
    /// The vendor's filter, over released values.
    pub fn filter(&self) -> &[Comparison] {
        self.shape.filter()
    }
    /// The order asked for, over released values.
    pub fn order(&self) -> &[SortKey] {
        self.shape.order()
    }
    /// The daily quota in rows.
    pub fn daily_rows(&self) -> u64 {
        self.limits.daily_rows
    }
    /// Every quota of the permit.
    pub fn limits(&self) -> &Limits {
        &self.limits
    }
    /// The first instant at which something that this rests on begins, ends or falls due.
    pub fn stands_until(&self) -> Instant {
        self.stands_until
    }
}

/// Why nothing was compiled.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum NoPlan {
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// The request itself can't be answered: 400.
    #[error(transparent)]
    Invalid(#[from] Invalid),
}

/// The sentence for each closed gate. Vendors read these; pages show the same words.
pub fn detail(gate: Gate) -> &'static str {
    match gate {
        Gate::Token => {
            "The token is missing, expired or revoked. Ask /oauth/token for a new one; who has a plain token asks the vendor manager."
        }
        Gate::Client => "This client is revoked or not known. The vendor manager can issue a new one.",
        Gate::Vendor => "This vendor is not active. The vendor manager can say why and reinstate it.",
        Gate::DueDiligence => "The due diligence behind this release is missing or has lapsed. It must be renewed and decided.",
        Gate::Subprocessor => "A sub-processor is not cleared for this data.",
        Gate::Agreement => "No agreement that covers this release is in force.",
        Gate::Permit => "The permit is not in force: it is paused, ended, outside its dates or not yet approved.",
        Gate::Purpose => "The purpose named is not the purpose of this permit.",
        Gate::Consent => {
            "This permit rests on consent, and none is recorded for its purpose; or a person withdrew while rows were on their way."
        }
        Gate::DatasetDrift => "The dataset has changed since it was catalogued. A data steward must confirm it.",
        Gate::Quota => Limit::Rows.detail(),
    }
}

/// What opens a closed gate again: a sentence for the staff, who see it beside the one above.
pub fn reopens(gate: Gate) -> &'static str {
    match gate {
        Gate::Token => "The vendor's machine asks for a new token by itself; a plain token is issued anew by a vendor manager.",
        Gate::Client => "A vendor manager issues another client.",
        Gate::Vendor => "A vendor manager activates the vendor, or reinstates a suspended one; a retired one must be registered anew.",
        Gate::DueDiligence => {
            "An approved security assessment that has not run out, and for each mandatory type a paper that holds and is accepted."
        }
        Gate::Subprocessor => "The sub-processor is cleared for this data.",
        Gate::Agreement => "A version that a privacy officer approved and both parties signed, within its dates.",
        Gate::Permit => {
            "A privacy officer resumes a paused permit or approves a revision under the version in force; an ended permit stays ended."
        }
        Gate::Purpose => "The vendor names the permit's own purpose, or none.",
        Gate::Consent => "Consent is recorded for the purpose; then those who gave it are released. A release that was cut is begun anew.",
        Gate::DatasetDrift => "A data steward looks at what changed in the source and confirms it.",
        Gate::Quota => {
            "Midnight UTC, the next minute or the permit's hours, by the limit that was reached; or a revision that limits less, which a privacy officer approves."
        }
    }
}

fn closed(gate: Gate) -> Refusal {
    Refusal::new(gate, detail(gate))
}

/// The first closed gate of what a release on this permit rests on, token aside; gates in order of precedence.
pub fn first_closed(state: &LiveState, now: Instant) -> Option<Gate> {
    standing_gates(state, now).into_iter().find(|(_, open)| !open).map(|(gate, _)| gate)
}

/// Each gate beneath the token with whether it is open, in order of precedence.
pub fn standing_gates(state: &LiveState, now: Instant) -> Vec<(Gate, bool)> {
    let belongs = state.client.vendor == state.vendor.id && state.permit.vendor == state.vendor.id;
    let permit_open = belongs
        && state.client.may_ask(&state.permit.key)
        && permit_open(&state.permit, state.revision.as_ref(), state.agreement.as_deref(), &state.dataset, now);
    vec![
        (Gate::Client, state.client.revoked_at.is_none() && state.token.client == state.client.id),
        (Gate::Vendor, state.vendor.lifecycle == Lifecycle::Active),
        (Gate::DueDiligence, due_diligence_open(state.assessment.as_deref(), &state.mandatory_evidence, now)),
        (Gate::Agreement, state.agreement.as_ref().is_some_and(|version| version.in_force_at(now))),
        (Gate::Permit, permit_open),
        (Gate::Consent, consent_open(state.revision.as_ref(), state.consent_recorded)),
    ]
}

/// Whether a permit is in force by itself, whoever asks under it.
pub fn permit_open(
    permit: &Permit,
    revision: Option<&Revision>,
    agreement: Option<&AgreementVersion>,
    dataset: &Dataset,
    now: Instant,
) -> bool {
    permit.paused_at.is_none()
        && permit.ended_at.is_none()
        && revision.is_some_and(|revision| revision_open(revision, now) && within_agreement(agreement, dataset, revision))
}

/// Until consent is recorded for its purpose, nothing that rests on consent is released.
pub fn consent_open(revision: Option<&Revision>, recorded: bool) -> bool {
    recorded || revision.is_none_or(|revision| revision.terms.legal_basis != LegalBasis::Consent)
}

/// A revision stands under the agreement version it was written for: an amendment that did not take it along closes it.
fn within_agreement(agreement: Option<&AgreementVersion>, dataset: &Dataset, revision: &Revision) -> bool {
    agreement.is_none_or(|version| {
        version.number == revision.agreement_version
            && version.terms.purposes.contains(&revision.terms.purpose)
            && revision.terms.categories(dataset).is_subset(&version.terms.data_categories)
    })
}

fn revision_open(revision: &Revision, now: Instant) -> bool {
    revision.status == RevisionStatus::InForce
        && revision.policy.is_some()
        && revision.terms.starts_on.is_none_or(|day| day.start() <= now)
        && revision.terms.ends_on.is_none_or(|day| now < day.end())
}

/// Approved, not over, and every mandatory type of evidence has a paper that still holds.
pub fn due_diligence_open(assessment: Option<&Assessment>, mandatory: &[Evidence], now: Instant) -> bool {
    let approved = assessment.and_then(|round| round.status.decision()).is_some_and(|decision| {
        matches!(decision.verdict, Verdict::Approved | Verdict::ApprovedWithConditions) && decision.valid_until.is_some_and(|end| now < end)
    });
    approved && evidence_ends(mandatory).values().all(|end| end.is_none_or(|end| now < end))
}

/// For each mandatory type, the last instant any paper of it holds; `None` for one without an end.
fn evidence_ends(mandatory: &[Evidence]) -> BTreeMap<&'static str, Option<Instant>> {
    let mut ends = BTreeMap::new();
    for paper in mandatory {
        let end = paper.facts.expires.map(|day| day.end());
        ends.entry(paper.facts.kind.key())
            .and_modify(|known: &mut Option<Instant>| {
                *known = match (*known, end) {
                    (Some(known), Some(end)) => Some(known.max(end)),
                    _ => None,
                }
            })
            .or_insert(end);
    }
    ends
}

/// When an open due diligence closes by itself: the end of the approval or of a mandatory type's last paper.
pub fn due_diligence_until(assessment: Option<&Assessment>, mandatory: &[Evidence]) -> Option<Instant> {
    let approval = assessment.and_then(|round| round.status.decision()).and_then(|decision| decision.valid_until);
    approval.into_iter().chain(evidence_ends(mandatory).into_values().flatten()).min()
}

/// The first instant after now at which something that this rests on begins, ends or falls due.
pub fn next_turn(state: &LiveState, now: Instant) -> Option<Instant> {
    let mut turns: Vec<Instant> = vec![state.token.expires_at];
    turns.extend(state.successor_from);
    turns.extend(state.next_revision_from);
    if let Some(decision) = state.assessment.as_ref().and_then(|round| round.status.decision()) {
        turns.extend(decision.valid_until);
    }
    turns.extend(evidence_ends(&state.mandatory_evidence).into_values().flatten());
    if let Some(VersionStatus::Signed { from, until }) = state.agreement.as_ref().map(|version| &version.status) {
        turns.push(*from);
        turns.extend(*until);
    }
    if let Some(revision) = &state.revision {
        turns.extend(revision.terms.starts_on.map(|day| day.start()));
        turns.extend(revision.terms.ends_on.map(|day| day.end()));
    }
    turns.into_iter().filter(|turn| *turn > now).min()
}

/// The instant until which a decision stands. It never outlives a minute: a bound on what a wrong clock could do.
pub fn stands_until(state: &LiveState, now: Instant) -> Instant {
    next_turn(state, now).unwrap_or(now).min(now.plus_seconds(60))
}

/// Decides whether the asked release may happen and what exactly it is.
///
/// A revoked token answers `token`; a genuine one that has merely expired answers for the first closed gate beneath it,
/// else `token`.
pub fn compile(state: &LiveState, asked: &Asked, now: Instant) -> Result<ReleasePlan, NoPlan> {
    permitted(state, asked, now).map_err(NoPlan::Refused)?;
    let in_time = now < state.token.expires_at && state.token.scope.contains(&state.permit.key);
    if !in_time {
        return Err(closed(Gate::Token).into());
    }
    let (Some(revision), Some(_)) = (&state.revision, &state.agreement) else {
        return Err(closed(Gate::Permit).into());
    };
    let policy = revision.policy.clone().ok_or(closed(Gate::Permit))?;
    let columns = columns(state, revision)?;
    let selected = select(&columns, asked)?;
    let filter = asked.filter.iter().map(|(name, operator, values)| filter(&columns, name, *operator, values)).collect::<Result<_, _>>()?;
    let order = order(&columns, asked)?;
    let dataset = &state.dataset;
    let condition = revision.terms.condition.typed(|name| dataset.field(name.as_str()).map(|field| field.logical)).map_err(|_| UNFIT)?;
    Ok(ReleasePlan {
        vendor: state.vendor.id.clone(),
        agreement: state.permit.agreement.clone(),
        permit: state.permit.key.clone(),
        revision: revision.number,
        policy,
        purpose: revision.terms.purpose.clone(),
        shape: Arc::new(Shape {
            dataset: Arc::clone(dataset),
            source: Arc::clone(&state.source),
            columns,
            selected,
            condition,
            filter,
            order,
        }),
        subjects: rule(revision.terms.legal_basis, &revision.terms.purpose, state.purpose.as_ref()),
        limits: Limits::of(&revision.terms),
        stands_until: stands_until(state, now),
    })
}

/// Whether a running release under an opened plan may go on: every gate but the token's mere expiry.
pub fn still_open(state: &LiveState, opened: &ReleasePlan, now: Instant) -> Result<(), Refusal> {
    permitted(state, &Asked::default(), now)?;
    let same = state.revision.as_ref().is_some_and(|revision| revision.policy.as_ref() == Some(&opened.policy));
    if !same {
        return Err(closed(Gate::Permit));
    }
    // The catalogue may have been corrected: what was opened under the old one is not what was approved.
    let Some(revision) = &state.revision else { return Err(closed(Gate::Permit)) };
    let catalogued = columns(state, revision)? == opened.columns()
        && state.dataset.subject == opened.dataset().subject
        && state.dataset.table == opened.dataset().table
        && state.source.location == opened.source().location;
    if catalogued { Ok(()) } else { Err(closed(Gate::DatasetDrift)) }
}

fn permitted(state: &LiveState, asked: &Asked, now: Instant) -> Result<(), Refusal> {
    if state.token.revoked_at.is_some() {
        return Err(closed(Gate::Token));
    }
    for (gate, open) in standing_gates(state, now) {
        if gate == Gate::Consent {
            purpose_matches(state, asked)?;
        }
        if !open {
            return Err(closed(gate));
        }
    }
    Ok(())
}

fn purpose_matches(state: &LiveState, asked: &Asked) -> Result<(), Refusal> {
    match (&asked.purpose, &state.revision) {
        (Some(purpose), Some(revision)) if purpose != revision.terms.purpose.as_str() => {
            Err(Refusal { clause: Some("purpose"), ..closed(Gate::Purpose) })
        }
        _ => Ok(()),
    }
}

/// A steward has looked, and what this permit names is no longer there or of a type that its treatment does not fit.
const UNFIT: Refusal = Refusal::new(
    Gate::DatasetDrift,
    "This permit names a field that its dataset no longer has, or no longer has as it was. A vendor manager must revise the permit.",
);

/// The released columns in the dataset's field order. A treatment that no longer fits the catalogued type is drift.
fn columns(state: &LiveState, revision: &Revision) -> Result<Vec<Column>, Refusal> {
    let dataset = &state.dataset;
    let mut columns = Vec::new();
    for field in &dataset.fields {
        let Some(treatment) = revision.terms.fields.get(&field.name) else { continue };
        let released = treatment.released_type(field.logical).map_err(|_| UNFIT)?;
        let Some(released) = released else { continue };
        let key = key_label(treatment, field, dataset);
        columns.push(Column { field: field.clone(), treatment: treatment.clone(), released, key });
    }
    let gone = revision.terms.released().any(|(name, _)| dataset.field(name.as_str()).is_none());
    if gone { Err(UNFIT) } else { Ok(columns) }
}

/// The label of a keyed treatment's key: its kind, the version of the derivation and the domain within which one value
/// is treated alike. Kinds never share a key, so that nothing of one tells of another.
pub fn key_label(treatment: &Treatment, field: &Field, dataset: &Dataset) -> Option<String> {
    let of_field = || format!("{}.{}", dataset.name, field.name);
    let domain = |domain: &Option<Slug>| match domain {
        Some(domain) => domain.to_string(),
        None if field.name == dataset.subject.field => dataset.subject.domain.to_string(),
        None => of_field(),
    };
    let (kind, domain) = match treatment {
        Treatment::Pseudonym { domain: given, .. } => ("pseudonym", domain(given)),
        Treatment::ReversibleToken { domain: given } => ("token", domain(given)),
        Treatment::DateShift { .. } => ("shift", dataset.subject.domain.to_string()),
        Treatment::Noise { .. } => ("noise", of_field()),
        Treatment::Withhold
        | Treatment::Clear
        | Treatment::Constant { .. }
        | Treatment::Mask { .. }
        | Treatment::Truncate { .. }
        | Treatment::GeneraliseNumber { .. }
        | Treatment::GeneraliseDate { .. }
        | Treatment::Round { .. }
        | Treatment::TopBottomCode { .. }
        | Treatment::RedactText { .. }
        | Treatment::Geo { .. }
        | Treatment::GeneraliseHierarchy { .. } => return None,
    };
    Some(format!("{kind}|1|{domain}"))
}

/// The answer for an unknown field and for a withheld one: the same but for the name sent.
fn no_such_field(name: &str) -> Invalid {
    let shown: String = name.chars().take(64).filter(|c| !c.is_control()).collect();
    Invalid::new(shown, "is not a field of this release; GET /data/v1/datasets lists them")
}

fn position(columns: &[Column], name: &str) -> Result<usize, Invalid> {
    columns.iter().position(|column| column.field.name.as_str() == name).ok_or_else(|| no_such_field(name))
}

fn select(columns: &[Column], asked: &Asked) -> Result<Vec<usize>, Invalid> {
    let Some(names) = &asked.select else { return Ok((0..columns.len()).collect()) };
    let mut selected = Vec::with_capacity(names.len().min(columns.len()));
    for name in names {
        let at = position(columns, name)?;
        if selected.contains(&at) {
            return Err(Invalid::new("select", "must not name a field twice"));
        }
        selected.push(at);
    }
    if selected.is_empty() { Err(Invalid::new("select", "must name at least one field")) } else { Ok(selected) }
}

fn order(columns: &[Column], asked: &Asked) -> Result<Vec<SortKey>, Invalid> {
    let mut keys: Vec<SortKey> = Vec::new();
    for Order { field, descending, nulls_first } in &asked.order {
        let at = position(columns, field)?;
        if keys.iter().any(|key| key.at == at) {
            return Err(Invalid::new("order", "must not name a field twice"));
        }
        keys.push(SortKey { at, descending: *descending, nulls_first: *nulls_first });
    }
    Ok(keys)
}

fn filter(columns: &[Column], name: &str, operator: Operator, values: &[String]) -> Result<Comparison, Invalid> {
    let at = position(columns, name)?;
    let column = columns.get(at).ok_or_else(|| no_such_field(name))?;
    let test = condition::test(operator, values, column.released).map_err(|error| Invalid::new(name, error.reason))?;
    let field: FieldName = column.field.name.clone();
    Ok(Comparison { field, test })
}
