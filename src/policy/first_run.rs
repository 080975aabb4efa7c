//! The way from an empty installation to the first pull: seven steps, and which of them is the one to do now.

use crate::domain::person::Role;

use super::access::Permission;

/// A step, in the order in which each has what it needs: a vendor is assessed before anything is agreed with it, and
/// rows are catalogued before a permit can name them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FirstStep {
    People,
    Vendor,
    DueDiligence,
    Dataset,
    Agreement,
    Access,
    Pull,
}

/// Where a step stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StepState {
    Done,
    /// The first that is not done.
    Now,
    Later,
}

/// What is there already.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Found {
    /// Roles that somebody holds who may sign in.
    pub roles: Vec<Role>,
    pub dataset: bool,
    pub vendor: bool,
    /// A review that is current.
    pub reviewed: bool,
    /// A permit in force.
    pub permit: bool,
    /// A client of an active vendor.
    pub client: bool,
    pub release: bool,
}

/// Without these three roles nobody could go the whole way: drafting, approving and cataloguing are kept apart.
pub const NEEDED: [Role; 3] = [Role::VendorManager, Role::PrivacyOfficer, Role::DataSteward];

impl FirstStep {
    /// Every step, in order.
    pub const ALL: [Self; 7] = [Self::People, Self::Vendor, Self::DueDiligence, Self::Dataset, Self::Agreement, Self::Access, Self::Pull];

    /// What its first act needs; nothing for the pull, which a vendor's machine does.
    pub const fn needs(self) -> Option<Permission> {
        match self {
            Self::People => Some(Permission::ManagePeople),
            Self::Dataset => Some(Permission::ManageCatalogue),
            Self::Vendor => Some(Permission::ManageVendors),
            Self::DueDiligence => Some(Permission::Assess),
            Self::Agreement => Some(Permission::ManageAgreements),
            Self::Access => Some(Permission::ManageAccess),
            Self::Pull => None,
        }
    }

    fn is_done(self, found: &Found) -> bool {
        match self {
            Self::People => found.missing_roles().is_empty(),
            Self::Dataset => found.dataset,
            Self::Vendor => found.vendor,
            Self::DueDiligence => found.reviewed,
            Self::Agreement => found.permit,
            Self::Access => found.client,
            Self::Pull => found.release,
        }
    }
}

impl Found {
    /// The needed roles that nobody holds.
    pub fn missing_roles(&self) -> Vec<Role> {
        NEEDED.into_iter().filter(|role| !self.roles.contains(role)).collect()
    }
}

/// Each step with where it stands. A later step may be done before an earlier one; one only is the next to do.
pub fn steps(found: &Found) -> Vec<(FirstStep, StepState)> {
    let next = FirstStep::ALL.into_iter().find(|step| !step.is_done(found));
    let state = |step: FirstStep| match step.is_done(found) {
        true => StepState::Done,
        false if next == Some(step) => StepState::Now,
        false => StepState::Later,
    };
    FirstStep::ALL.into_iter().map(|step| (step, state(step))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn states(found: &Found) -> String {
        let letter = |state| match state {
            StepState::Done => 'd',
            StepState::Now => 'n',
            StepState::Later => 'l',
        };
        steps(found).into_iter().map(|(_, state)| letter(state)).collect()
    }

    #[test]
    fn the_first_step_that_is_not_done_is_next() {
        let all = Found { roles: NEEDED.to_vec(), dataset: true, vendor: true, reviewed: true, permit: true, client: true, release: true };
        let table = [
            (Found::default(), "nllllll"),
            (Found { roles: vec![Role::VendorManager, Role::PrivacyOfficer], ..Found::default() }, "nllllll"),
            (Found { roles: NEEDED.to_vec(), ..Found::default() }, "dnlllll"),
            (Found { roles: NEEDED.to_vec(), dataset: true, ..Found::default() }, "dnldlll"),
            (Found { client: false, release: false, ..all.clone() }, "dddddnl"),
            (Found { reviewed: false, ..all.clone() }, "ddndddd"),
            (all, "ddddddd"),
        ];
        for (found, expected) in table {
            assert_eq!(states(&found), expected, "{found:?}");
        }
    }

    #[test]
    fn each_step_is_for_one_of_the_roles_that_are_needed_or_an_administrator() {
        for step in FirstStep::ALL {
            let Some(permission) = step.needs() else { continue };
            let may = |role: &Role| crate::policy::access::allows(*role, permission);
            assert!(NEEDED.iter().chain(&[Role::Administrator]).any(may), "{step:?}");
        }
    }
}
