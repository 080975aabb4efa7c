//! Agreements: draft, submit, approve by a second person, sign, amend, end.

mod impact;
mod in_force;
mod lines;
mod versions;
mod view;

use crate::domain::agreement::{Agreement, AgreementKind, AgreementTerms, AgreementVersion, VersionStatus};
use crate::domain::id::{AgreementId, VendorId};
use crate::domain::person::Actor;
use crate::domain::text::{Reason, Slug};
use crate::history::{Act, Body};
use crate::policy::{self, Denied};
use crate::store::{Page, Scope, agreements, sealed_keys, vendors, vocabulary};

use super::{App, AppError, append, new_id, secrets};

pub use impact::{Impact, Officer, PermitFate, PermitImpact, impact};
pub use lines::{AgreementLine, AgreementList, AgreementSheet, foremost_version, overview, sheet, waits_for, why_not_approve};
pub use versions::{Approval, Signing, approve, attach, discard, document, edit, hand_back, sign, submit};
pub use view::{AgreementView, PermitView};

use view::view;

/// A new agreement.
#[derive(Debug, Clone)]
pub struct Draft {
    pub vendor: VendorId,
    pub reference: Slug,
    pub kind: AgreementKind,
    pub terms: AgreementTerms,
}

fn entry(agreement: &Agreement, act: &'static str, by: &Actor) -> Act {
    Act::new("agreement", &agreement.id, act, by).of(&agreement.vendor)
}

/// Drafts version 1 of a new agreement and makes the key its pseudonyms will be derived from.
pub async fn draft(app: &App, by: &Actor, new: Draft) -> Result<AgreementView, AppError> {
    let author = by.person().ok_or(AppError::Unauthenticated)?.clone();
    let (by, id) = (by.clone(), new_id::<AgreementId>()?);
    let key = secrets::sealed(app, &secrets::agreement_key(&id))?;
    app.store
        .record(move |tx| {
            let now = tx.now();
            let vendor = vendors::find(tx, &new.vendor)?;
            policy::vendor::check_not_retired(&vendor)?;
            new.terms.check(&vocabulary::load(tx)?, &AgreementTerms::default())?;
            let agreement =
                Agreement { id, vendor: vendor.id, reference: new.reference, kind: new.kind, created_at: now, ended_at: None, version: 1 };
            let version = AgreementVersion::begin(&agreement.id, 1, new.terms, author, now);
            agreements::insert(tx, &agreement)?;
            agreements::insert_version(tx, &version)?;
            sealed_keys::insert(tx, &key.at(now))?;
            append(tx, &Body::Act(entry(&agreement, "draft", &by).fact("version", 1).fact("type", agreement.kind.key())), None)?;
            view(tx, agreement)
        })
        .await
}

/// Agreements, newest first.
pub async fn list(app: &App, page: Page) -> Result<Vec<Agreement>, AppError> {
    app.store.read(move |tx| Ok(agreements::list(tx, &page)?)).await
}

/// The agreements of one vendor.
pub async fn list_by_vendor(app: &App, vendor: VendorId) -> Result<Vec<Agreement>, AppError> {
    app.store
        .read(move |tx| {
            let vendor = vendors::find(tx, &vendor)?;
            Ok(agreements::list_by_vendor(tx, &vendor.id)?)
        })
        .await
}

/// One agreement with its versions and permits.
pub async fn find(app: &App, id: AgreementId) -> Result<AgreementView, AppError> {
    app.store
        .read(move |tx| {
            let agreement = agreements::find(tx, &id)?;
            view(tx, agreement)
        })
        .await
}

/// The next version, as a draft that repeats the terms of the last.
pub async fn amend(app: &App, by: &Actor, id: AgreementId) -> Result<AgreementView, AppError> {
    let by = by.clone();
    let vendor = find(app, id.clone()).await?.agreement.vendor;
    app.store
        .govern(Scope::Vendor(vendor), move |tx| {
            let agreement = agreements::find(tx, &id)?;
            policy::permit::check_agreement(&agreement)?;
            let versions = agreements::versions(tx, &id)?;
            // Drafts that were given up are passed over, but their numbers stay theirs.
            let last = versions.iter().rev().find(|version| !matches!(version.status, VersionStatus::Terminated { .. }));
            let mut next = policy::agreement::amend(&agreement, last.ok_or(AppError::NotFound("version"))?, &by, tx.now())?;
            next.number = versions.last().map_or(1, |version| version.number.saturating_add(1));
            agreements::insert_version(tx, &next)?;
            append(tx, &Body::Act(entry(&agreement, "amend", &by).fact("version", next.number)), None)?;
            view(tx, agreement)
        })
        .await
}

/// Ends an agreement: every release on it is refused from the next request on.
pub async fn end(app: &App, by: &Actor, id: AgreementId, reason: Reason) -> Result<AgreementView, AppError> {
    let by = by.clone();
    let vendor = find(app, id.clone()).await?.agreement.vendor;
    app.store
        .govern(Scope::Vendor(vendor), move |tx| {
            let now = tx.now();
            let mut agreement = policy::agreement::end(agreements::find(tx, &id)?, now)?;
            agreement.version = agreements::save(tx, &agreement)?;
            let versions = agreements::versions(tx, &id)?;
            // What another version had taken over from was over before this end, and is kept as that.
            for version in policy::agreement::standing(versions.clone(), now) {
                let ended = policy::agreement::terminated(version, now);
                if !versions.contains(&ended) {
                    agreements::save_version(tx, &ended)?;
                }
            }
            append(tx, &Body::Act(entry(&agreement, "end", &by).date("at", now)), Some(reason.to_string()))?;
            view(tx, agreement)
        })
        .await
}

/// Destroys the key under an ended agreement's pseudonyms: what was released can't be linked to new releases any more.
pub async fn destroy_key(app: &App, by: &Actor, id: AgreementId, reason: Reason) -> Result<(), AppError> {
    let by = by.clone();
    app.store
        .govern(Scope::All, move |tx| {
            let agreement = agreements::find(tx, &id)?;
            if agreement.ended_at.is_none() {
                return Err(Denied::State("End the agreement first: its releases need the key.".to_owned()).into());
            }
            sealed_keys::destroy(tx, &secrets::agreement_key(&id))?;
            append(tx, &Body::Act(entry(&agreement, "destroy_key", &by)), Some(reason.to_string()))
        })
        .await
}
