//! A vendor as its page shows it: each view is one read, in the same number of statements whatever hangs on the vendor.

use std::collections::{BTreeMap, BTreeSet};

use crate::domain::agreement::Agreement;
use crate::domain::assessment::{Assessment, AssessmentKind};
use crate::domain::client::Client;
use crate::domain::id::{AgreementId, ClientId, VendorId};
use crate::domain::permit::{Permit, Revision};
use crate::domain::person::Role;
use crate::domain::text::Slug;
use crate::domain::time::Instant;
use crate::domain::vendor::Vendor;
use crate::policy::permit::standing;
use crate::policy::standing::{AgreementState, in_force_until, of_agreement};
use crate::policy::vendor::{NextStep, ReviewClock, RoundStands, Surroundings, next_step};
use crate::store::overview::{self, PulledBy, VersionStanding};
use crate::store::{Tx, agreements, assessments, clients, names, permits, stops, vendors};

use super::lines::{OwnerName, RoundLine, best};
use crate::app::{App, AppError};

/// What every view of a vendor opens with.
#[derive(Debug, Clone, PartialEq)]
pub struct VendorHead {
    pub vendor: Vendor,
    pub owner: OwnerName,
    pub review: ReviewClock,
    /// The best of its agreements.
    pub agreement: AgreementState,
    pub open_rounds: Vec<RoundLine>,
    /// Agreements, permits and clients that have not ended.
    pub agreements: usize,
    pub permits: usize,
    pub clients: usize,
    pub last_pull: Option<Instant>,
}

impl VendorHead {
    /// The security round that runs, which the vendor waits for.
    pub fn security_round(&self) -> Option<&RoundLine> {
        self.open_rounds.iter().find(|round| round.kind == AssessmentKind::Security)
    }

    /// What comes next, where the role may do it.
    pub fn next_step(&self, role: Role) -> Option<NextStep> {
        let stands = |round: &RoundLine| match round.status.as_str() {
            "submitted" | "in_review" => RoundStands::Deciding,
            _ => RoundStands::Answering,
        };
        let around = Surroundings {
            lifecycle: self.vendor.lifecycle,
            open_round: self.security_round().map(stands),
            review: self.review.state(),
            agreement: self.agreement,
            has_client: self.clients > 0,
        };
        next_step(&around, role)
    }
}

/// What every view of a vendor opens with.
pub async fn head(app: &App, id: VendorId) -> Result<VendorHead, AppError> {
    app.store
        .read(move |tx| {
            let now = tx.now();
            let vendor = vendors::find(tx, &id)?;
            let owner = vendor.profile.owner.clone();
            let name = names::people(tx, &BTreeSet::from([owner.to_string()]))?.remove(owner.as_str());
            let review = assessments::latest_decided(tx, &id, AssessmentKind::Security)?;
            let versions = overview::agreements(tx, std::slice::from_ref(&id))?.remove(&id).unwrap_or_default();
            let rounds = overview::open_rounds(tx, std::slice::from_ref(&id))?.remove(&id).unwrap_or_default();
            let living = |of_one: &&[VersionStanding]| of_one.iter().all(|version| version.ended_at.is_none());
            Ok(VendorHead {
                owner: OwnerName { id: owner, name },
                review: ReviewClock::at(review.as_ref().and_then(valid_until), now),
                agreement: best(&versions, now),
                open_rounds: rounds.into_iter().map(|round| RoundLine { id: round.id, kind: round.kind, status: round.state }).collect(),
                agreements: of_each(&versions).filter(living).count(),
                permits: permits::list_by_vendor(tx, &id)?.iter().filter(|permit| permit.ended_at.is_none()).count(),
                clients: clients::list_by_vendor(tx, &id)?.iter().filter(|client| client.revoked_at.is_none()).count(),
                last_pull: last_pull(tx, PulledBy::Vendor, std::slice::from_ref(&id))?.into_values().next(),
                vendor,
            })
        })
        .await
}

fn last_pull<T: ToString>(tx: &mut Tx, by: PulledBy, ids: &[T]) -> Result<BTreeMap<String, Instant>, AppError> {
    Ok(overview::last_pulls(tx, by, ids)?)
}

fn valid_until(round: &Assessment) -> Option<Instant> {
    round.status.decision().and_then(|decision| decision.valid_until)
}

/// Versions come by agreement and number.
fn of_each(versions: &[VersionStanding]) -> impl Iterator<Item = &[VersionStanding]> {
    versions.chunk_by(|one, other| one.agreement == other.agreement)
}

/// A vendor's agreements, newest first, and its permits, by key.
#[derive(Debug, Clone, PartialEq)]
pub struct Contracts {
    pub agreements: Vec<AgreementLine>,
    pub permits: Vec<PermitLine>,
}

/// An agreement in one line.
#[derive(Debug, Clone, PartialEq)]
pub struct AgreementLine {
    pub agreement: Agreement,
    pub state: AgreementState,
    /// When the version in force ends.
    pub until: Option<Instant>,
    pub versions: usize,
}

/// A permit in one line.
#[derive(Debug, Clone, PartialEq)]
pub struct PermitLine {
    pub permit: Permit,
    /// The newest revision, as it stands.
    pub newest: Option<Revision>,
    /// The agreement's reference.
    pub reference: Option<Slug>,
    pub last_pull: Option<Instant>,
}

/// A vendor's agreements and permits.
pub async fn contracts(app: &App, id: VendorId) -> Result<Contracts, AppError> {
    app.store
        .read(move |tx| {
            let now = tx.now();
            vendors::find(tx, &id)?;
            let found = agreements::list_by_vendor(tx, &id)?;
            let versions = overview::agreements(tx, std::slice::from_ref(&id))?.remove(&id).unwrap_or_default();
            let references: References = found.iter().map(|agreement| (agreement.id.clone(), agreement.reference.clone())).collect();
            let permits = permit_lines(tx, &id, &references, now)?;
            Ok(Contracts { agreements: found.into_iter().map(|one| agreement_line(one, &versions, now)).collect(), permits })
        })
        .await
}

fn agreement_line(agreement: Agreement, versions: &[VersionStanding], now: Instant) -> AgreementLine {
    let own: Vec<_> = versions.iter().filter(|version| version.agreement == agreement.id).map(|version| &version.status).collect();
    let ended = agreement.ended_at.is_some();
    AgreementLine { state: of_agreement(&own, ended, now), until: in_force_until(&own, ended, now), versions: own.len(), agreement }
}

type References = BTreeMap<AgreementId, Slug>;

fn permit_lines(tx: &mut Tx, id: &VendorId, references: &References, now: Instant) -> Result<Vec<PermitLine>, AppError> {
    let permits = permits::list_by_vendor(tx, id)?;
    let mut revisions: BTreeMap<Slug, Vec<Revision>> = BTreeMap::new();
    for revision in permits::revisions_by_vendor(tx, id)? {
        revisions.entry(revision.permit.clone()).or_default().push(revision);
    }
    let keys: Vec<&Slug> = permits.iter().map(|permit| &permit.key).collect();
    let mut pulls = last_pull(tx, PulledBy::Permit, &keys)?;
    let line = |permit: Permit| PermitLine {
        newest: standing(revisions.remove(&permit.key).unwrap_or_default(), now).pop(),
        reference: references.get(&permit.agreement).cloned(),
        last_pull: pulls.remove(permit.key.as_str()),
        permit,
    };
    Ok(permits.into_iter().map(line).collect())
}

/// A client in one line.
#[derive(Debug, Clone, PartialEq)]
pub struct MachineLine {
    pub client: Client,
    /// Tokens that are neither expired nor revoked.
    pub tokens: i64,
    pub last_pull: Option<Instant>,
}

/// A vendor's clients with what is outstanding for each.
pub async fn machines(app: &App, id: VendorId) -> Result<Vec<MachineLine>, AppError> {
    app.store
        .read(move |tx| {
            let now = tx.now();
            vendors::find(tx, &id)?;
            let found = clients::list_by_vendor(tx, &id)?;
            let mut tokens: BTreeMap<ClientId, i64> = BTreeMap::new();
            for held in stops::outstanding(tx, &id, now)? {
                let sum = tokens.entry(held.client).or_default();
                *sum = sum.saturating_add(held.tokens);
            }
            let ids: Vec<&ClientId> = found.iter().map(|client| &client.id).collect();
            let mut pulls = last_pull(tx, PulledBy::Client, &ids)?;
            let line = |client: Client| MachineLine {
                tokens: tokens.get(&client.id).copied().unwrap_or(0),
                last_pull: pulls.remove(client.id.as_str()),
                client,
            };
            Ok(found.into_iter().map(line).collect())
        })
        .await
}
