//! A vendor's lifecycle: one function per way in, each checking where the vendor stands.

use crate::domain::assessment::Verdict;
use crate::domain::time::Instant;
use crate::domain::vendor::{Lifecycle, Vendor, VendorAct};

use super::Denied;

/// Moves a vendor by a named act.
pub fn act(vendor: &Vendor, act: VendorAct, now: Instant) -> Result<Vendor, Denied> {
    let to = act
        .leads(vendor.lifecycle)
        .ok_or_else(|| Denied::state(format!("A vendor that is '{}' can not be moved by '{}'.", vendor.lifecycle.key(), act.key())))?;
    Ok(moved(vendor, to, now))
}

/// What the decision of an assessment does to its vendor: a vendor in due diligence moves on; one past it stays
/// where it is, and a rejection closes its gate through the assessment itself.
pub fn decided(vendor: &Vendor, verdict: Verdict, now: Instant) -> Vendor {
    let to = match (vendor.lifecycle, verdict) {
        (Lifecycle::DueDiligence, Verdict::Approved) => Lifecycle::Approved,
        (Lifecycle::DueDiligence, Verdict::ApprovedWithConditions) => Lifecycle::ApprovedWithConditions,
        (Lifecycle::DueDiligence, Verdict::Rejected) => Lifecycle::Rejected,
        (stays, _) => stays,
    };
    if to == vendor.lifecycle { vendor.clone() } else { moved(vendor, to, now) }
}

/// Whether the vendor takes new assessments, agreements and clients.
pub fn check_not_retired(vendor: &Vendor) -> Result<(), Denied> {
    if vendor.lifecycle == Lifecycle::Retired {
        Err(Denied::state("This vendor is retired; register it anew to work with it again."))
    } else {
        Ok(())
    }
}

fn moved(vendor: &Vendor, to: Lifecycle, now: Instant) -> Vendor {
    Vendor { lifecycle: to, lifecycle_since: now, updated_at: now, ..vendor.clone() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use Lifecycle as L;
    use VendorAct as A;

    /// Every act from every state: what is not in this table is refused.
    const TABLE: &[(A, L, L)] = &[
        (A::Triage, L::Intake, L::Triage),
        (A::BeginDueDiligence, L::Triage, L::DueDiligence),
        (A::BeginDueDiligence, L::Rejected, L::DueDiligence),
        (A::Activate, L::Approved, L::Active),
        (A::Activate, L::ApprovedWithConditions, L::Active),
        (A::Suspend, L::Active, L::Suspended),
        (A::Reinstate, L::Suspended, L::Active),
        (A::Offboard, L::Approved, L::Offboarding),
        (A::Offboard, L::ApprovedWithConditions, L::Offboarding),
        (A::Offboard, L::Active, L::Offboarding),
        (A::Offboard, L::Suspended, L::Offboarding),
        (A::Retire, L::Offboarding, L::Retired),
        (A::Retire, L::Intake, L::Retired),
        (A::Retire, L::Triage, L::Retired),
        (A::Retire, L::DueDiligence, L::Retired),
        (A::Retire, L::Rejected, L::Retired),
    ];

    #[test]
    fn acts_lead_where_the_table_says_and_nowhere_else() {
        for act in A::ALL {
            for from in L::ALL {
                let expected = TABLE.iter().find(|row| row.0 == act && row.1 == from).map(|row| row.2);
                assert_eq!(act.leads(from), expected, "{act:?} from {from:?}");
            }
        }
    }
}
