//! What stands at the top of every page of an agreement: where it is on its path, and the one act that comes next.

use crate::app::agreements::{self, AgreementSheet};
use crate::domain::agreement::{AgreementVersion, VersionStatus as S};
use crate::domain::person::Actor;
use crate::http::web::page::Frame;
use crate::http::web::parts::{Crumb, Progress, Step, Tab};
use crate::http::web::words::{self, Badge, Tone};
use crate::policy::access::Permission as P;

/// An act that is offered: a link to its page, or a form of one button.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Act {
    pub label: &'static str,
    pub href: String,
    /// Whether pressing it does it; else it leads to a page that asks.
    pub does: bool,
    /// Whether it stops something.
    pub stops: bool,
}

/// The tabs of an agreement.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Open {
    Terms,
    Permits,
    Versions,
    History,
    /// A page below the agreement that is no tab.
    None,
}

/// The top of a page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Head {
    pub base: String,
    pub badge: Badge,
    /// What is said below the heading: kind, vendor, version.
    pub kind: &'static str,
    pub vendor_name: String,
    pub vendor_href: String,
    pub vendor_id: String,
    /// The version that is shown.
    pub number: i32,
    /// The version in force, where another one is shown.
    pub in_force: Option<i32>,
    pub crumbs: Vec<Crumb>,
    pub tabs: Vec<Tab>,
    pub primary: Option<Act>,
    pub others: Vec<Act>,
    /// Why nothing is offered, or what is waited for; empty where the button says it.
    pub waits: String,
    pub steps: Vec<Step>,
}

fn act(label: &'static str, href: String, does: bool) -> Act {
    Act { label, href, does, stops: false }
}

fn stop(label: &'static str, href: String) -> Act {
    Act { label, href, does: false, stops: true }
}

/// The top for one version.
pub fn head(frame: &Frame, by: &Actor, sheet: &AgreementSheet, version: &AgreementVersion, open: Open) -> Head {
    let agreement = &sheet.view.agreement;
    let base = format!("/agreements/{}", agreement.id);
    let badge = if agreement.ended_at.is_some() { Badge::new(Tone::Stopped, "Ended") } else { words::version(&version.status, frame.now) };
    let (primary, others, waits) = next(frame, by, sheet, version, &base);
    let vendor_href = format!("/vendors/{}", agreement.vendor);
    let in_force = sheet.view.versions.iter().find(|one| one.in_force_at(frame.now)).map(|one| one.number);
    let mut crumbs = vec![Crumb { href: "/agreements".to_owned(), label: "Agreements".to_owned() }];
    if open == Open::None {
        crumbs.push(Crumb { href: base.clone(), label: agreement.reference.to_string() });
    }
    Head {
        badge,
        kind: super::kind_name(&agreement.kind),
        vendor_name: sheet.vendor.profile.legal_name.to_string(),
        vendor_href,
        vendor_id: agreement.vendor.to_string(),
        number: version.number,
        in_force: in_force.filter(|number| *number != version.number),
        crumbs,
        tabs: tabs(frame, sheet, &base, open),
        primary,
        others,
        waits,
        steps: steps(frame, version),
        base,
    }
}

fn tabs(frame: &Frame, sheet: &AgreementSheet, base: &str, open: Open) -> Vec<Tab> {
    let tab = |which: Open, label: &str, below: &str, count: Option<usize>| Tab {
        href: format!("{base}{below}"),
        label: label.to_owned(),
        current: which == open,
        count: count.map(|count| u64::try_from(count).unwrap_or(u64::MAX)),
    };
    let mut tabs = vec![
        tab(Open::Terms, "Terms", "", None),
        tab(Open::Permits, "Permits", "/permits", Some(sheet.view.permits.len())),
        tab(Open::Versions, "Versions", "/versions", Some(sheet.view.versions.len())),
    ];
    if frame.may(P::ReadHistory) {
        tabs.push(tab(Open::History, "History", "/history", None));
    }
    tabs
}

type Next = (Option<Act>, Vec<Act>, String);

/// The act that comes next, the others that are offered, and what is waited for.
fn next(frame: &Frame, by: &Actor, sheet: &AgreementSheet, version: &AgreementVersion, base: &str) -> Next {
    let at = format!("{base}/versions/{}", version.number);
    let manages = frame.may(P::ManageAgreements);
    let mut others = Vec::new();
    if sheet.view.agreement.ended_at.is_some() {
        if frame.may(P::Approve) {
            others.push(stop("Destroy the key", format!("{base}/destroy-key")));
        }
        return (None, others, "It has ended: nothing is released on it any more.".to_owned());
    }
    let (primary, waits) = match &version.status {
        S::Draft if manages => {
            others.push(stop("Discard the draft", format!("{at}/discard")));
            let ready = sheet.view.missing.is_empty();
            (ready.then(|| act("Submit for approval", format!("{at}/submit"), true)), String::new())
        }
        S::Draft => (None, "A vendor manager completes this draft.".to_owned()),
        S::InReview { .. } => match agreements::why_not_approve(by, &sheet.view, version.number) {
            None => (Some(act("Review and decide", format!("{at}/review"), false)), String::new()),
            Some(why) => {
                others.push(act("See what it changes", format!("{at}/review"), false));
                (None, if frame.may(P::Approve) { why } else { "It waits for a privacy officer who wrote nothing in it.".to_owned() })
            }
        },
        S::Approved { .. } => {
            if frame.may(P::Approve) {
                others.push(act("Hand back", format!("{at}/review"), false));
            }
            let sign = manages.then(|| act("Record a signature", format!("{at}/sign"), false));
            let waits = if manages { String::new() } else { "It waits for both parties' signatures.".to_owned() };
            (sign, waits)
        }
        S::Signed { .. } => {
            let newest = sheet.view.versions.iter().all(|other| other.number <= version.number || is_given_up(other));
            if manages && newest {
                others.push(act("Amend", format!("{base}/amend"), true));
            }
            (None, String::new())
        }
        S::Superseded { .. } => (None, "A later version has taken over.".to_owned()),
        S::Terminated { .. } => (None, "This version was given up.".to_owned()),
    };
    let begun = sheet.view.versions.iter().any(|one| matches!(one.status, S::Signed { .. }));
    if begun && frame.may(P::Stop) {
        others.push(stop("End the agreement", format!("{base}/end")));
    }
    (primary, others, waits)
}

fn is_given_up(version: &AgreementVersion) -> bool {
    matches!(version.status, S::Terminated { .. })
}

/// The path of a version.
fn steps(frame: &Frame, version: &AgreementVersion) -> Vec<Step> {
    let reached = match &version.status {
        S::Draft | S::Terminated { .. } => 0,
        S::InReview { .. } => 1,
        S::Approved { .. } => 2,
        S::Signed { from, .. } if frame.now < *from => 3,
        S::Signed { .. } | S::Superseded { .. } => 4,
    };
    let step = |(at, label): (usize, &str)| {
        let progress = match at.cmp(&reached) {
            std::cmp::Ordering::Less => Progress::Done,
            std::cmp::Ordering::Equal => Progress::Current,
            std::cmp::Ordering::Greater => Progress::Later,
        };
        Step { label: label.to_owned(), progress, href: String::new() }
    };
    ["Draft", "Approval by a second person", "Signatures of both", "In force"].into_iter().enumerate().map(step).collect()
}
