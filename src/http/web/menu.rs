//! The menu: the same entries on every page, and of them those that the viewer's role may read.

use crate::domain::person::Role;
use crate::policy::access::{Permission, allows};

use super::page::Section;

/// An entry of the menu.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Entry {
    pub section: Section,
    pub href: &'static str,
    pub label: &'static str,
    pub icon: &'static str,
    /// Without it the entry is not shown; none for what everyone reads.
    needs: Option<Permission>,
}

const fn entry(section: Section, href: &'static str, label: &'static str, icon: &'static str, needs: Option<Permission>) -> Entry {
    Entry { section, href, label, icon, needs }
}

const READ: Option<Permission> = Some(Permission::Read);

/// The day's work.
const WORK: [Entry; 5] = [
    entry(Section::Dashboard, "/", "Dashboard", "layout-dashboard", READ),
    entry(Section::Vendors, "/vendors", "Vendors", "building-store", READ),
    entry(Section::Assessments, "/assessments", "Assessments", "clipboard-check", READ),
    entry(Section::Agreements, "/agreements", "Agreements", "contract", READ),
    entry(Section::Permits, "/permits", "Permits", "license", READ),
];
/// What is shared, with whom, and what happened.
const DATA: [Entry; 4] = [
    entry(Section::Datasets, "/datasets", "Datasets", "database", READ),
    entry(Section::Consent, "/consent", "Consent", "users", READ),
    entry(Section::Access, "/access", "Access", "key", READ),
    entry(Section::History, "/history", "History", "history", Some(Permission::ReadHistory)),
];
/// The house itself.
const HOUSE: [Entry; 5] = [
    entry(Section::Vocabulary, "/settings/vocabulary", "Vocabulary", "book", READ),
    entry(Section::SigningKeys, "/settings/signing-keys", "Signing keys", "fingerprint", READ),
    entry(Section::StopEverything, "/stop-everything", "Stop everything", "ban", READ),
    entry(Section::Settings, "/settings", "Settings", "settings", Some(Permission::ManagePeople)),
    entry(Section::Help, "/help", "Help", "help-circle", None),
];

/// The groups of entries that a role sees, each with its heading; the first has none.
pub fn groups(role: Role) -> [(&'static str, Vec<Entry>); 3] {
    let seen = |entries: &[Entry]| entries.iter().copied().filter(|entry| entry.needs.is_none_or(|needs| allows(role, needs))).collect();
    [("", seen(&WORK)), ("Data", seen(&DATA)), ("House", seen(&HOUSE))]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn labels(role: Role) -> Vec<&'static str> {
        groups(role).into_iter().flat_map(|(_, entries)| entries).map(|entry| entry.label).collect()
    }

    #[test]
    fn each_role_sees_what_it_may_read() {
        assert_eq!(labels(Role::Administrator).len(), 14);
        assert!(!labels(Role::VendorManager).contains(&"Settings"));
        assert!(!labels(Role::DataSteward).contains(&"History"));
        assert!(labels(Role::ComplianceReviewer).contains(&"History"));
        assert!(Role::ALL.into_iter().all(|role| labels(role).contains(&"Help")));
    }
}
