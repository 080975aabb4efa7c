//! Agreements: draft, submit, approve by a second person, sign, amend, end.

use std::collections::BTreeSet;

use serde::Serialize;
use utoipa::ToSchema;

use crate::domain::Invalid;
use crate::domain::agreement::{Agreement, AgreementKind, AgreementTerms, AgreementVersion, Party, Surroundings, VersionStatus};
use crate::domain::id::{AgreementId, PersonId, VendorId};
use crate::domain::permit::{Permit, Revision, RevisionStatus};
use crate::domain::person::Actor;
use crate::domain::text::{Digest, FieldName, Name, Prose, Reason, Slug};
use crate::domain::time::Instant;
use crate::history::{Act, Body};
use crate::policy::{self, Denied};
use crate::store::{Page, Scope, Tx, agreements, evidence, permits, sealed_keys, vendors};

use super::{App, AppError, append, check_version, new_id, permits as permit_acts, secrets};

/// An agreement with all that hangs on it.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct AgreementView {
    #[serde(flatten)]
    pub agreement: Agreement,
    pub versions: Vec<AgreementVersion>,
    pub permits: Vec<PermitView>,
    /// What is missing before the newest version, if it is a draft, can be submitted.
    pub missing: Vec<Invalid>,
    /// What is allowed but deserves a second look.
    pub warnings: Vec<Invalid>,
    /// Permits that the newest signed version did not take along: their gate is closed, or closes when it begins.
    pub left_behind: Vec<Slug>,
}

/// A permit with its revisions, oldest first.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct PermitView {
    #[serde(flatten)]
    pub permit: Permit,
    pub revisions: Vec<Revision>,
    /// What an approver should know of it.
    pub notices: Vec<&'static str>,
}

impl PermitView {
    /// A permit as it is shown. Rows leave in the order of their source until releases come from snapshots.
    pub fn new(permit: Permit, revisions: Vec<Revision>) -> Self {
        let notices = vec!["Linkable by order: two vendors who compare their rows could join them by position."];
        Self { permit, revisions, notices }
    }
}

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
    new.terms.check()?;
    let author = by.person().ok_or(AppError::Unauthenticated)?.clone();
    let (by, id) = (by.clone(), new_id::<AgreementId>()?);
    let key = secrets::sealed(app, &secrets::agreement_key(&id))?;
    app.store
        .record(move |tx| {
            let now = tx.now();
            let vendor = vendors::find(tx, &new.vendor)?;
            policy::vendor::check_not_retired(&vendor)?;
            let agreement =
                Agreement { id, vendor: vendor.id, reference: new.reference, kind: new.kind, created_at: now, ended_at: None, version: 1 };
            let version = AgreementVersion {
                agreement: agreement.id.clone(),
                number: 1,
                terms: new.terms,
                status: VersionStatus::Draft,
                document: None,
                authors: BTreeSet::from([author.clone()]),
                author,
                approver: None,
                comment: None,
                signatures: Vec::new(),
                created_at: now,
                version: 1,
            };
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

fn view(tx: &mut Tx, agreement: Agreement) -> Result<AgreementView, AppError> {
    let versions = agreements::versions(tx, &agreement.id)?;
    let mut views = Vec::new();
    for permit in permits::list_by_agreement(tx, &agreement.id)? {
        let revisions = permits::revisions(tx, &permit.key)?;
        views.push(PermitView::new(permit, revisions));
    }
    let missing = match versions.last() {
        Some(version) if version.status == VersionStatus::Draft => {
            let today = tx.now().date();
            let around = surroundings(tx, &agreement)?;
            version.terms.missing(agreement.kind, &around.of(version, today))
        }
        _ => Vec::new(),
    };
    let warnings = versions.last().map(|version| version.terms.warnings()).unwrap_or_default();
    let left_behind = left_behind(&versions, &views);
    Ok(AgreementView { agreement, versions, permits: views, missing, warnings, left_behind })
}

fn left_behind(versions: &[AgreementVersion], permits: &[PermitView]) -> Vec<Slug> {
    let Some(newest) = versions.iter().rev().find(|version| matches!(version.status, VersionStatus::Signed { .. })) else {
        return Vec::new();
    };
    let carried = |revision: &Revision| revision.agreement_version == newest.number && revision.in_force_at.is_some();
    let lost = |view: &&PermitView| {
        let was_in_force = view.revisions.iter().any(|revision| revision.in_force_at.is_some());
        view.permit.ended_at.is_none() && was_in_force && !view.revisions.iter().any(carried)
    };
    permits.iter().filter(lost).map(|view| view.permit.key.clone()).collect()
}

/// What the rules of an agreement look at, loaded.
struct Around {
    transfers: bool,
    holding: BTreeSet<crate::domain::id::EvidenceId>,
}

impl Around {
    fn of(&self, version: &AgreementVersion, today: crate::domain::Date) -> Surroundings<'_> {
        Surroundings { transfers: self.transfers, holding_evidence: &self.holding, has_document: version.document.is_some(), today }
    }
}

fn surroundings(tx: &mut Tx, agreement: &Agreement) -> Result<Around, AppError> {
    let vendor = vendors::find(tx, &agreement.vendor)?;
    let today = tx.now().date();
    let papers = evidence::list_by_vendor(tx, &agreement.vendor)?;
    let holding = papers.into_iter().filter(|paper| paper.holds_on(today)).map(|paper| paper.id).collect();
    Ok(Around { transfers: policy::agreement::transfers(&vendor), holding })
}

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
    step(app, by, id, number, "edit", None, move |_, _, version| {
        check_version(read, version.version)?;
        Ok(policy::agreement::edit(version, &actor, terms)?)
    })
    .await
}

/// Keeps the paper that will be signed and attaches it to the draft.
pub async fn attach(app: &App, by: &Actor, id: AgreementId, number: i32, bytes: Vec<u8>) -> Result<AgreementView, AppError> {
    if bytes.is_empty() {
        return Err(Invalid::new("document", "must not be empty").into());
    }
    let digest = app.files.put(bytes).await?;
    let actor = by.clone();
    step(app, by, id, number, "attach", None, move |_, _, version| Ok(policy::agreement::attach(version, &actor, digest)?)).await
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
        for revision in &proposed {
            let dataset = permit_acts::dataset(tx, &revision.terms.dataset)?;
            policy::permit::check_within(agreement.kind, &version, &revision.terms, &dataset)?;
        }
        let (around, permits, now) = (surroundings(tx, agreement)?, living_permits(tx, agreement)?, tx.now());
        Ok(policy::agreement::submit(agreement, version.clone(), permits, &around.of(&version, now.date()), now)?)
    })
    .await
}

/// Permits that a version can carry: not ended, and with a revision that is in force or proposed.
fn living_permits(tx: &mut Tx, agreement: &Agreement) -> Result<usize, AppError> {
    let mut living = 0_usize;
    for permit in permits::list_by_agreement(tx, &agreement.id)? {
        let lives = |revision: &Revision| matches!(revision.status, RevisionStatus::Proposed | RevisionStatus::InForce);
        if permit.ended_at.is_none() && permits::revisions(tx, &permit.key)?.iter().any(lives) {
            living = living.saturating_add(1);
        }
    }
    Ok(living)
}

/// The rules once more: evidence may have run out, or the vendor moved, since the version was submitted.
fn check_complete(tx: &mut Tx, agreement: &Agreement, version: &AgreementVersion) -> Result<(), AppError> {
    let (around, permits, today) = (surroundings(tx, agreement)?, living_permits(tx, agreement)?, tx.now().date());
    Ok(policy::agreement::check_complete(agreement, version, permits, &around.of(version, today))?)
}

/// What an officer says with an approval.
#[derive(Debug, Clone, Default)]
pub struct Approval {
    /// The version counter that was read: sending back, editing and submitting again moves it.
    pub read: Option<i64>,
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
        if let Some(read) = read {
            check_version(read, version.version)?;
        }
        let proposed = permits::proposed(tx, &agreement.id, number)?;
        let mut clear = BTreeSet::new();
        for revision in &proposed {
            let dataset = permit_acts::dataset(tx, &revision.terms.dataset)?;
            policy::permit::check_within(agreement.kind, &version, &revision.terms, &dataset)?;
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

/// Records one party's signature; with both, permits come into force from the version's date.
pub async fn sign(
    app: &App,
    by: &Actor,
    id: AgreementId,
    number: i32,
    party: Party,
    name: Name,
    document: Digest,
) -> Result<AgreementView, AppError> {
    let actor = by.clone();
    step(app, by, id, number, "sign", None, move |tx, agreement, version| {
        check_complete(tx, agreement, &version)?;
        let now = tx.now();
        Ok(policy::agreement::sign(version, &actor, party, name, &document, now)?)
    })
    .await
}

/// Puts what was approved with a version in force, and takes the agreement's other permits along under it.
/// A permit that no longer lies within the version is not taken along, so its gate closes with the version's start.
fn put_in_force(tx: &mut Tx, agreement: &Agreement, version: &AgreementVersion, by: &Actor) -> Result<(), AppError> {
    let VersionStatus::Signed { from, .. } = &version.status else { return Ok(()) };
    let mut fresh = BTreeSet::new();
    for revision in permits::proposed(tx, &agreement.id, version.number)? {
        // What was proposed after the approval has no approver and waits for its own.
        if revision.approver.is_some() {
            fresh.insert(revision.permit.clone());
            permit_acts::put_in_force(tx, version, revision, *from, by)?;
        }
    }
    for permit in permits::list_by_agreement(tx, &agreement.id)? {
        if permit.ended_at.is_some() || fresh.contains(&permit.key) {
            continue;
        }
        take_along(tx, agreement, version, &permit, *from, by)?;
    }
    Ok(())
}

fn take_along(
    tx: &mut Tx,
    agreement: &Agreement,
    version: &AgreementVersion,
    permit: &Permit,
    from: Instant,
    by: &Actor,
) -> Result<(), AppError> {
    let revisions = permits::revisions(tx, &permit.key)?;
    let Some(standing) = revisions.iter().rev().find(|revision| revision.status == RevisionStatus::InForce) else { return Ok(()) };
    if standing.agreement_version == version.number {
        return Ok(());
    }
    let dataset = permit_acts::dataset(tx, &standing.terms.dataset)?;
    if policy::permit::check_within(agreement.kind, version, &standing.terms, &dataset).is_err() {
        return Ok(());
    }
    let number = revisions.last().map_or(1, |last| last.number.saturating_add(1));
    let next = Revision {
        permit: permit.key.clone(),
        number,
        agreement_version: version.number,
        terms: standing.terms.clone(),
        status: RevisionStatus::Proposed,
        policy: None,
        author: version.author.clone(),
        authors: version.authors.clone(),
        approver: version.approver.clone(),
        created_at: tx.now(),
        in_force_at: None,
    };
    permits::insert_revision(tx, &next)?;
    permit_acts::put_in_force(tx, version, next, from, by)
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
            for version in agreements::versions(tx, &id)? {
                let ended = policy::agreement::terminated(version.clone(), now);
                if ended != version {
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
