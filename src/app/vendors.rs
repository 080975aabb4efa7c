//! Vendors: register, edit, move along the lifecycle, and see which gates are open.

mod detail;
mod lines;

use crate::domain::Invalid;
use crate::domain::assessment::{Assessment, AssessmentStatus};
use crate::domain::id::VendorId;
use crate::domain::person::Actor;
use crate::domain::text::Reason;
use crate::domain::vendor::{Lifecycle, Vendor, VendorAct, VendorProfile};
use crate::history::{Act, Body};
use crate::policy::{self, Denied};
use crate::store::vendors::VendorFilter;
use crate::store::{Page, Scope, Tx, assessments, people, vendors};

use super::{App, AppError, append, check_version, new_id};

pub use super::gates::{GateState, of_vendor as gates};
pub use detail::{AgreementLine, Contracts, MachineLine, PermitLine, VendorHead, contracts, head, machines};
pub use lines::{CsvPage, OwnerName, RoundLine, VendorLine, VendorList, VendorListFilter, VendorListQuery, overview, overview_csv};

/// Registers a vendor, in `intake`.
pub async fn register(app: &App, by: &Actor, profile: VendorProfile) -> Result<Vendor, AppError> {
    profile.check()?;
    let (by, id) = (by.clone(), new_id::<VendorId>()?);
    app.store
        .record(move |tx| {
            let now = tx.now();
            check_owner(tx, &profile)?;
            let vendor =
                Vendor { id, profile, lifecycle: Lifecycle::Intake, lifecycle_since: now, created_at: now, updated_at: now, version: 1 };
            vendors::insert(tx, &vendor)?;
            let act = Act::new("vendor", &vendor.id, "register", &by)
                .of(&vendor.id)
                .fact("tier", vendor.profile.tier.key())
                .fact("role", vendor.profile.role.key());
            append(tx, &Body::Act(act), None)?;
            Ok(vendor)
        })
        .await
}

/// The owner must be someone who is there.
fn check_owner(tx: &mut Tx, profile: &VendorProfile) -> Result<(), AppError> {
    match people::find(tx, &profile.owner) {
        Ok(owner) if owner.disabled_at.is_none() => Ok(()),
        Ok(_) | Err(crate::store::StoreError::NotFound(_)) => {
            Err(Invalid::new("owner", "must be the id of a person who is not disabled").into())
        }
        Err(error) => Err(error.into()),
    }
}

/// Vendors by filter, newest first.
pub async fn list(app: &App, filter: VendorFilter, page: Page) -> Result<Vec<Vendor>, AppError> {
    app.store.read(move |tx| Ok(vendors::list(tx, &filter, &page)?)).await
}

/// One vendor.
pub async fn find(app: &App, id: VendorId) -> Result<Vendor, AppError> {
    app.store.read(move |tx| Ok(vendors::find(tx, &id)?)).await
}

/// Changes what is stated of a vendor; the version read must still be the one stored.
pub async fn edit(app: &App, by: &Actor, id: VendorId, version: i64, profile: VendorProfile) -> Result<Vendor, AppError> {
    profile.check()?;
    let by = by.clone();
    app.store
        .govern(Scope::Vendor(id.clone()), move |tx| {
            let mut vendor = vendors::find(tx, &id)?;
            check_version(version, vendor.version)?;
            policy::vendor::check_not_retired(&vendor)?;
            check_no_review(tx, &vendor, &profile)?;
            check_owner(tx, &profile)?;
            vendor.profile = profile;
            vendor.updated_at = tx.now();
            vendor.version = vendors::save(tx, &vendor)?;
            let act = Act::new("vendor", &vendor.id, "edit", &by)
                .of(&vendor.id)
                .fact("tier", vendor.profile.tier.key())
                .fact("role", vendor.profile.role.key());
            append(tx, &Body::Act(act), None)?;
            Ok(vendor)
        })
        .await
}

/// Owner and tier bear on who decides a round and how long it holds, so they rest while one is submitted or in review.
fn check_no_review(tx: &mut Tx, vendor: &Vendor, profile: &VendorProfile) -> Result<(), AppError> {
    if vendor.profile.owner == profile.owner && vendor.profile.tier == profile.tier {
        return Ok(());
    }
    let waits = |round: &Assessment| matches!(round.status, AssessmentStatus::Submitted { .. } | AssessmentStatus::InReview { .. });
    if assessments::list_by_vendor(tx, &vendor.id)?.iter().any(waits) {
        return Err(Denied::State("Owner and tier can not change while an assessment waits for its decision.".to_owned()).into());
    }
    Ok(())
}

/// Moves a vendor by a named act. Suspending stops every release to it from the next request on.
pub async fn act(app: &App, by: &Actor, id: VendorId, act: VendorAct, reason: Reason) -> Result<Vendor, AppError> {
    let by = by.clone();
    app.store
        .govern(Scope::Vendor(id.clone()), move |tx| {
            let before = vendors::find(tx, &id)?;
            let mut vendor = policy::vendor::act(&before, act, tx.now())?;
            vendor.version = vendors::save(tx, &vendor)?;
            let entry = Act::new("vendor", &id, act.key(), &by).of(&id).moved(before.lifecycle.key(), vendor.lifecycle.key());
            append(tx, &Body::Act(entry), Some(reason.to_string()))?;
            Ok(vendor)
        })
        .await
}
