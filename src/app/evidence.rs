//! Evidence: kept encrypted under its digest, bound to a vendor, with its dates.

use crate::domain::Invalid;
use crate::domain::evidence::{Evidence, EvidenceFacts};
use crate::domain::id::{EvidenceId, VendorId};
use crate::domain::person::Actor;
use crate::history::{Act, Body};
use crate::policy;
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
            if paper.uploaded_by == officer {
                return Err(policy::Denied::Person("Whoever handed a paper in can not accept it; ask another privacy officer.").into());
            }
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

/// A piece of evidence with its bytes.
pub async fn file(app: &App, id: EvidenceId) -> Result<(Evidence, Vec<u8>), AppError> {
    let paper = app.store.read(move |tx| Ok::<_, AppError>(evidence::find(tx, &id)?)).await?;
    let bytes = app.files.get(&paper.sha256).await?;
    Ok((paper, bytes))
}
