//! Evidence: kept encrypted under its digest, bound to a vendor, with its dates.

use crate::domain::Invalid;
use crate::domain::evidence::{Evidence, EvidenceFacts};
use crate::domain::id::{EvidenceId, PersonId, VendorId};
use crate::domain::person::Actor;
use crate::domain::vendor::Vendor;
use crate::history::{Act, Body};
use crate::policy;
use crate::store::names::{self, Names};
use crate::store::{Scope, evidence, vendors};

use super::{App, AppError, append, new_id};

/// Keeps a file with what is said of it. Mandatory papers bear on the gate, so this governs.
pub async fn add(app: &App, by: &Actor, vendor: VendorId, facts: EvidenceFacts, bytes: Vec<u8>) -> Result<Evidence, AppError> {
    if bytes.is_empty() {
        return Err(Invalid::new("file", "must not be empty").into());
    }
    facts.check(app.clock.now().date())?;
    let uploaded_by = by.person().ok_or(AppError::Unauthenticated)?.clone();
    let owner = vendor.clone();
    app.store.read(move |tx| Ok::<_, AppError>(policy::vendor::check_not_retired(&vendors::find(tx, &owner)?)?)).await?;
    let size = i64::try_from(bytes.len()).map_err(|_| Invalid::new("file", "is too large"))?;
    // The blob is written first: a row without its file must not exist, a file without a row does no harm.
    let sha256 = app.files.put(bytes).await?;
    let (by, id) = (by.clone(), new_id::<EvidenceId>()?);
    app.store
        .govern(Scope::Vendor(vendor.clone()), move |tx| {
            let paper = Evidence { id, vendor, facts, sha256, bytes: size, uploaded_by, uploaded_at: tx.now(), accepted_by: None };
            evidence::insert(tx, &paper)?;
            let mut act = Act::new("evidence", &paper.id, "add", &by)
                .of(&paper.vendor)
                .fact("type", paper.facts.kind.key())
                .fact("sha256", &paper.sha256)
                .fact("mandatory", paper.facts.mandatory)
                .date("issued", paper.facts.issued);
            if let Some(expires) = paper.facts.expires {
                act = act.date("expires", expires);
            }
            append(tx, &Body::Act(act), None)?;
            Ok(paper)
        })
        .await
}

/// Accepts a paper that was handed in since the last decision: releases rest on accepted papers only, so whoever hands
/// one in does not reopen a gate alone.
pub async fn accept(app: &App, by: &Actor, id: EvidenceId) -> Result<Evidence, AppError> {
    let officer = by.person().ok_or(AppError::Unauthenticated)?.clone();
    let (by, sought) = (by.clone(), id.clone());
    let vendor = app.store.read(move |tx| Ok::<_, AppError>(evidence::find(tx, &sought)?)).await?.vendor;
    app.store
        .govern(Scope::Vendor(vendor), move |tx| {
            let mut paper = evidence::find(tx, &id)?;
            check_acceptor(&paper, &officer)?;
            if paper.accepted_by.is_none() {
                evidence::accept(tx, &id, &officer)?;
                paper.accepted_by = Some(officer);
                let act = Act::new("evidence", &paper.id, "accept", &by).of(&paper.vendor).fact("type", paper.facts.kind.key());
                append(tx, &Body::Act(act), None)?;
            }
            Ok(paper)
        })
        .await
}

/// The evidence of a vendor, newest first.
pub async fn list(app: &App, vendor: VendorId) -> Result<Vec<Evidence>, AppError> {
    app.store
        .read(move |tx| {
            let vendor = vendors::find(tx, &vendor)?;
            Ok(evidence::list_by_vendor(tx, &vendor.id)?)
        })
        .await
}

/// A part of a vendor's evidence, as its page shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shelf {
    pub vendor: Vendor,
    /// Newest first.
    pub papers: Vec<Evidence>,
    /// Names of who handed them in and accepted them, by id.
    pub names: Names,
    /// What the next part begins after; none on the last.
    pub next: Option<EvidenceId>,
    pub total: i64,
}

/// A part of the evidence of a vendor.
pub async fn shelf(app: &App, vendor: VendorId, after: Option<EvidenceId>, limit: usize) -> Result<Shelf, AppError> {
    app.store
        .read(move |tx| {
            let vendor = vendors::find(tx, &vendor)?;
            let most = i64::try_from(limit.saturating_add(1)).unwrap_or(i64::MAX);
            let mut papers = evidence::page(tx, &vendor.id, after.as_ref(), most)?;
            let more = papers.len() > limit;
            papers.truncate(limit);
            let next = papers.last().filter(|_| more).map(|paper| paper.id.clone());
            let people = papers.iter().flat_map(|paper| std::iter::once(&paper.uploaded_by).chain(&paper.accepted_by));
            let names = names::people(tx, &people.map(ToString::to_string).collect())?;
            Ok(Shelf { total: evidence::count(tx, &vendor.id)?, vendor, papers, names, next })
        })
        .await
}

/// Whether a person may accept a paper: an officer who did not hand it in.
pub fn check_acceptor(paper: &Evidence, officer: &PersonId) -> Result<(), policy::Denied> {
    if paper.uploaded_by == *officer {
        return Err(policy::Denied::Person("Whoever handed a paper in can not accept it; ask another privacy officer."));
    }
    Ok(())
}

/// A piece of evidence with its bytes.
pub async fn file(app: &App, id: EvidenceId) -> Result<(Evidence, Vec<u8>), AppError> {
    let paper = app.store.read(move |tx| Ok::<_, AppError>(evidence::find(tx, &id)?)).await?;
    let bytes = app.files.get(&paper.sha256).await?;
    Ok((paper, bytes))
}
