//! A version from draft to signed: each change is based on the version that was read.

use std::collections::BTreeSet;

use crate::domain::Invalid;
use crate::domain::agreement::{Agreement, AgreementTerms, AgreementVersion, Party, VersionStatus};
use crate::domain::id::{AgreementId, PersonId};
use crate::domain::permit::{Revision, RevisionStatus};
use crate::domain::person::Actor;
use crate::domain::text::{Digest, FieldName, Name, Prose, Reason};
use crate::history::Body;
use crate::policy;
use crate::store::{Scope, Tx, agreements, permits, vocabulary};

use crate::app::{App, AppError, append, check_version, permits as permit_acts};

use super::in_force::put_in_force;
use super::view::{living_permits, surroundings, view};
use super::{AgreementView, entry};

/// Loads, changes and saves one version under its vendor's gate; the act goes into the history.
async fn step(
    app: &App,
    by: &Actor,
    id: AgreementId,
    number: i32,
    act: &'static str,
    beside: Option<String>,
    change: impl FnOnce(&mut Tx, &Agreement, AgreementVersion) -> Result<AgreementVersion, AppError> + Send + 'static,
) -> Result<AgreementView, AppError> {
    let by = by.clone();
    let agreement = app
        .store
        .read({
            let id = id.clone();
            move |tx| Ok::<_, AppError>(agreements::find(tx, &id)?)
        })
        .await?;
    app.store
        .govern(Scope::Vendor(agreement.vendor.clone()), move |tx| {
            let agreement = agreements::find(tx, &id)?;
            policy::permit::check_agreement(&agreement)?;
            let before = agreements::find_version(tx, &id, number)?;
            let from = before.status.key();
            let mut version = change(tx, &agreement, before)?;
            version.version = agreements::save_version(tx, &version)?;
            let mut act = entry(&agreement, act, &by).fact("version", number).moved(from, version.status.key());
            if act.act == "approve" {
                act = act.fact("author", &version.author);
            }
            if let Some(document) = &version.document {
                act = act.fact("document", document);
            }
            if let VersionStatus::Signed { from, until } = &version.status {
                act = act.date("from", from);
                if let Some(until) = until {
                    act = act.date("until", until);
                }
            }
            append(tx, &Body::Act(act), beside)?;
            if matches!(version.status, VersionStatus::Signed { .. }) {
                put_in_force(tx, &agreement, &version, &by)?;
            }
            view(tx, agreement)
        })
        .await
}

/// Changes a draft's terms; `read` is the version counter that was read.
pub async fn edit(
    app: &App,
    by: &Actor,
    id: AgreementId,
    number: i32,
    read: i64,
    terms: AgreementTerms,
) -> Result<AgreementView, AppError> {
    let actor = by.clone();
    step(app, by, id, number, "edit", None, move |tx, _, version| {
        check_version(read, version.version)?;
        Ok(policy::agreement::edit(version, &actor, terms, &vocabulary::load(tx)?)?)
    })
    .await
}

/// Keeps the paper that will be signed and attaches it to the draft; `read` is the version counter that was read.
pub async fn attach(app: &App, by: &Actor, id: AgreementId, number: i32, read: i64, bytes: Vec<u8>) -> Result<AgreementView, AppError> {
    if bytes.is_empty() {
        return Err(Invalid::new("document", "must not be empty").into());
    }
    let digest = app.files.put(bytes).await?;
    let actor = by.clone();
    step(app, by, id, number, "attach", None, move |_, _, version| {
        check_version(read, version.version)?;
        Ok(policy::agreement::attach(version, &actor, digest)?)
    })
    .await
}

/// The document of a version.
pub async fn document(app: &App, id: AgreementId, number: i32) -> Result<Vec<u8>, AppError> {
    let version = app.store.read(move |tx| Ok::<_, AppError>(agreements::find_version(tx, &id, number)?)).await?;
    let digest = version.document.ok_or(AppError::NotFound("document"))?;
    Ok(app.files.get(&digest).await?)
}

/// Hands a draft in for approval.
pub async fn submit(app: &App, by: &Actor, id: AgreementId, number: i32) -> Result<AgreementView, AppError> {
    step(app, by, id, number, "submit", None, move |tx, agreement, version| {
        let proposed = permits::proposed(tx, &agreement.id, number)?;
        let vocabulary = vocabulary::load(tx)?;
        for revision in &proposed {
            let dataset = permit_acts::dataset(tx, &revision.terms.dataset)?;
            policy::permit::check_within(agreement.kind, &version, &revision.terms, &dataset, &vocabulary)?;
        }
        let (around, permits, now) = (surroundings(tx, agreement)?, living_permits(tx, agreement)?, tx.now());
        Ok(policy::agreement::submit(agreement, version.clone(), permits, &around.of(&version, now.date()), now)?)
    })
    .await
}

/// The rules once more: evidence may have run out, or the vendor moved, since the version was submitted.
fn check_complete(tx: &mut Tx, agreement: &Agreement, version: &AgreementVersion) -> Result<(), AppError> {
    let (around, permits, today) = (surroundings(tx, agreement)?, living_permits(tx, agreement)?, tx.now().date());
    Ok(policy::agreement::check_complete(agreement, version, permits, &around.of(version, today))?)
}

/// What an officer says with an approval.
#[derive(Debug, Clone)]
pub struct Approval {
    /// The version counter that was read: sending back, editing and submitting again moves it.
    pub read: i64,
    pub comment: Option<Prose>,
    /// Direct identifiers that go out as they are, each ticked by name.
    pub confirmed: BTreeSet<FieldName>,
}

/// Approves a version and the permits written with it; direct identifiers that go out in clear are ticked.
pub async fn approve(app: &App, by: &Actor, id: AgreementId, number: i32, approval: Approval) -> Result<AgreementView, AppError> {
    let actor = by.clone();
    let Approval { read, comment, confirmed } = approval;
    let beside = comment.as_ref().map(ToString::to_string);
    step(app, by, id, number, "approve", beside, move |tx, agreement, version| {
        check_version(read, version.version)?;
        let proposed = permits::proposed(tx, &agreement.id, number)?;
        let vocabulary = vocabulary::load(tx)?;
        let mut clear = BTreeSet::new();
        for revision in &proposed {
            let dataset = permit_acts::dataset(tx, &revision.terms.dataset)?;
            policy::permit::check_within(agreement.kind, &version, &revision.terms, &dataset, &vocabulary)?;
            clear.append(&mut revision.terms.clear_identifiers(&dataset));
        }
        check_complete(tx, agreement, &version)?;
        let authors: Vec<PersonId> = proposed.iter().flat_map(|revision| revision.authors.clone()).collect();
        let now = tx.now();
        let version = policy::agreement::approve(version, &actor, &authors, comment, &clear, &confirmed, now)?;
        for revision in proposed {
            permits::save_revision(tx, &Revision { approver: version.approver.clone(), ..revision })?;
        }
        Ok(version)
    })
    .await
}

/// Sends a version under review back to its author.
pub async fn hand_back(app: &App, by: &Actor, id: AgreementId, number: i32, comment: Prose) -> Result<AgreementView, AppError> {
    let beside = Some(comment.to_string());
    step(app, by, id, number, "hand_back", beside, move |_, _, version| Ok(policy::agreement::hand_back(version, comment)?)).await
}

/// One party's signature, as it is recorded.
#[derive(Debug, Clone)]
pub struct Signing {
    /// The version counter that was read; the other party's signature moves it too.
    pub read: i64,
    pub party: Party,
    /// As typed by who signed.
    pub name: Name,
    /// SHA-256 of the document that was signed.
    pub document: Digest,
}

/// Records one party's signature; with both, permits come into force from the version's date.
pub async fn sign(app: &App, by: &Actor, id: AgreementId, number: i32, signing: Signing) -> Result<AgreementView, AppError> {
    let actor = by.clone();
    let Signing { read, party, name, document } = signing;
    step(app, by, id, number, "sign", None, move |tx, agreement, version| {
        check_version(read, version.version)?;
        check_complete(tx, agreement, &version)?;
        let now = tx.now();
        Ok(policy::agreement::sign(version, &actor, party, name, &document, now)?)
    })
    .await
}

/// Gives a draft up, with the permit revisions that were written for it.
pub async fn discard(app: &App, by: &Actor, id: AgreementId, number: i32, reason: Reason) -> Result<AgreementView, AppError> {
    step(app, by, id, number, "discard", Some(reason.to_string()), move |tx, agreement, version| {
        for revision in permits::proposed(tx, &agreement.id, number)? {
            permits::save_revision(tx, &Revision { status: RevisionStatus::Rejected, ..revision })?;
        }
        Ok(policy::agreement::discard(version, tx.now())?)
    })
    .await
}
