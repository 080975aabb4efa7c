//! Which role may do what: one table, read by every handler's guard and by the access test.

use crate::domain::person::Role;

/// A permission of the staff. Handlers name one in their signature.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Permission {
    /// Read vendors, assessments, agreements, permits, the catalogue, clients.
    Read,
    /// Read the sharing history.
    ReadHistory,
    /// Add and disable people, list them, issue and revoke their API keys.
    ManagePeople,
    /// Issue and revoke one's own API keys, see oneself.
    ManageOwnKeys,
    /// Register vendors, edit them, move them along their lifecycle.
    ManageVendors,
    /// Open, answer and submit assessments; hand in evidence.
    Assess,
    /// Take a submitted assessment into review and decide it.
    Decide,
    /// Draft agreements and permits, submit, record signatures, narrow, pause, end.
    ManageAgreements,
    /// Approve or return agreements and widenings.
    Approve,
    /// Register sources, catalogue datasets, class fields.
    ManageCatalogue,
    /// Add purposes and data categories to the vocabulary, retire and restore them.
    ManageVocabulary,
    /// Record what people said of the use of their data, and look one of them up.
    ManageConsent,
    /// See raw values of a dataset: a few sample rows, as those who write, class and approve need them.
    SeeSamples,
    /// Turn reversible tokens back into the values they stand for.
    RevealTokens,
    /// Issue clients, rotate their secrets.
    ManageAccess,
    /// Stop something at once: suspend a vendor, pause or end a permit, revoke a client or token, end an agreement; or
    /// everything.
    Stop,
    /// Let releases go on after everything was stopped.
    LiftStop,
    /// Rotate the keys that sign tokens, and revoke one that others may have.
    ManageKeys,
}

impl Permission {
    /// Every permission.
    pub const ALL: [Self; 18] = [
        Self::Read,
        Self::ReadHistory,
        Self::ManagePeople,
        Self::ManageOwnKeys,
        Self::ManageVendors,
        Self::Assess,
        Self::Decide,
        Self::ManageAgreements,
        Self::Approve,
        Self::ManageCatalogue,
        Self::ManageVocabulary,
        Self::ManageConsent,
        Self::SeeSamples,
        Self::RevealTokens,
        Self::ManageAccess,
        Self::Stop,
        Self::LiftStop,
        Self::ManageKeys,
    ];
}

/// Whether a role holds a permission. An administrator runs the house and decides nothing about data;
/// a compliance reviewer reads and changes nothing.
pub const fn allows(role: Role, permission: Permission) -> bool {
    use Permission as P;
    match role {
        Role::Administrator => {
            matches!(permission, P::Read | P::ReadHistory | P::ManagePeople | P::ManageOwnKeys | P::LiftStop | P::ManageKeys)
        }
        Role::VendorManager => matches!(
            permission,
            P::Read
                | P::ReadHistory
                | P::ManageOwnKeys
                | P::ManageVendors
                | P::Assess
                | P::ManageAgreements
                | P::SeeSamples
                | P::ManageAccess
                | P::Stop
        ),
        Role::PrivacyOfficer => {
            matches!(
                permission,
                P::Read
                    | P::ReadHistory
                    | P::ManageOwnKeys
                    | P::Decide
                    | P::ManageAgreements
                    | P::Approve
                    | P::ManageVocabulary
                    | P::ManageConsent
                    | P::SeeSamples
                    | P::RevealTokens
                    | P::Stop
                    | P::LiftStop
                    | P::ManageKeys
            )
        }
        Role::DataSteward => matches!(permission, P::Read | P::ManageOwnKeys | P::ManageCatalogue | P::ManageConsent | P::SeeSamples),
        Role::ComplianceReviewer => matches!(permission, P::Read | P::ReadHistory | P::ManageOwnKeys),
    }
}

/// Whether a role reads everything and changes nothing but its own account.
pub fn reads_only(role: Role) -> bool {
    let changes = |permission: &Permission| !matches!(permission, Permission::Read | Permission::ReadHistory | Permission::ManageOwnKeys);
    allows(role, Permission::Read)
        && allows(role, Permission::ReadHistory)
        && !Permission::ALL.iter().any(|permission| changes(permission) && allows(role, *permission))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reviewer_changes_nothing_and_an_administrator_decides_nothing() {
        use Permission as P;
        for permission in Permission::ALL {
            let reads = matches!(permission, P::Read | P::ReadHistory | P::ManageOwnKeys);
            assert_eq!(allows(Role::ComplianceReviewer, permission), reads, "{permission:?}");
            let runs = reads || matches!(permission, P::ManagePeople | P::LiftStop | P::ManageKeys);
            assert_eq!(allows(Role::Administrator, permission), runs, "{permission:?}");
        }
    }

    #[test]
    fn raw_values_are_for_those_who_write_class_and_approve() {
        for role in Role::ALL {
            let works_on_data = matches!(role, Role::VendorManager | Role::PrivacyOfficer | Role::DataSteward);
            assert_eq!(allows(role, Permission::SeeSamples), works_on_data, "{role:?}");
        }
    }

    #[test]
    fn tokens_are_turned_back_by_privacy_officers_alone() {
        for role in Role::ALL {
            assert_eq!(allows(role, Permission::RevealTokens), role == Role::PrivacyOfficer, "{role:?}");
        }
    }

    #[test]
    fn who_stops_everything_lifts_it_or_asks_for_it() {
        for role in Role::ALL {
            let runs_or_decides = matches!(role, Role::Administrator | Role::PrivacyOfficer);
            assert_eq!(allows(role, Permission::LiftStop), runs_or_decides, "{role:?}");
            assert_eq!(allows(role, Permission::ManageKeys), runs_or_decides, "{role:?}");
            assert_eq!(allows(role, Permission::Stop), matches!(role, Role::VendorManager | Role::PrivacyOfficer), "{role:?}");
        }
    }

    #[test]
    fn a_compliance_reviewer_alone_reads_only() {
        let readers: Vec<Role> = Role::ALL.into_iter().filter(|role| reads_only(*role)).collect();
        assert_eq!(readers, [Role::ComplianceReviewer]);
    }

    #[test]
    fn who_drafts_access_does_not_approve_it() {
        for role in Role::ALL {
            let both = allows(role, Permission::Approve) && allows(role, Permission::ManageAccess);
            assert!(!both, "{role:?} could approve what it hands out");
        }
    }
}
