//! Two versions of an agreement's terms: every clause, with where its change leads.

use std::cmp::Ordering;
use std::collections::{BTreeMap, BTreeSet};

use crate::domain::agreement::{AgreementTerms, Assistance, AtTheEnd, AuditRight, BreachNotice};
use crate::domain::agreement::{ControllerTerms, JointTerms, SubProcessors, Transfer};
use crate::domain::id::EvidenceId;
use crate::domain::time::Date;
use crate::domain::vocabulary::Vocabulary;

use super::super::words;
use super::{Diff, Difference, Direction, moved, some};

/// The names of the vendor's evidence, for the clause that rests on it.
pub type Papers = BTreeMap<EvidenceId, String>;

/// Which way a greater value leads.
#[derive(Clone, Copy)]
enum More {
    Stronger,
    Weaker,
    /// The value ranks nothing.
    Neutral,
    /// The value is prose: only reading tells.
    Unclear,
}

impl More {
    fn of(self, change: Ordering) -> Direction {
        match (self, change) {
            (_, Ordering::Equal) | (Self::Neutral, _) => Direction::Neutral,
            (Self::Unclear, _) => Direction::Unclear,
            (Self::Stronger, Ordering::Greater) | (Self::Weaker, Ordering::Less) => Direction::Stronger,
            (Self::Stronger, Ordering::Less) | (Self::Weaker, Ordering::Greater) => Direction::Weaker,
        }
    }
}

#[derive(Default)]
struct Sheet {
    differences: Vec<Difference>,
    parts: Vec<String>,
}

impl Sheet {
    /// A clause of which a greater value leads one way. Giving a clause that was missing is stronger and taking one away
    /// weaker, but where the value ranks nothing.
    fn clause<T: Ord>(&mut self, field: &str, label: &str, was: Option<&T>, is: Option<&T>, more: More, said: impl Fn(&T) -> String) {
        let direction = match (was, is, more) {
            (Some(was), Some(is), _) => more.of(is.cmp(was)),
            (None, None, _) => return,
            (_, _, More::Neutral) => Direction::Neutral,
            (_, _, More::Unclear) => Direction::Unclear,
            (None, Some(_), More::Stronger | More::Weaker) => Direction::Stronger,
            (Some(_), None, More::Stronger | More::Weaker) => Direction::Weaker,
        };
        if was != is {
            self.push(field, label, was.map(&said), is.map(&said), direction);
        }
    }

    fn push(&mut self, field: &str, label: &str, before: Option<String>, after: Option<String>, direction: Direction) {
        self.differences.push(Difference { field: field.to_owned(), label: label.to_owned(), before, after, direction });
    }

    /// A list, item by item.
    fn list<T: Ord>(&mut self, what: &List, was: &BTreeSet<T>, is: &BTreeSet<T>, said: impl Fn(&T) -> String) {
        for gone in was.difference(is) {
            self.push(what.field, what.label, Some(said(gone)), None, what.removed);
        }
        for new in is.difference(was) {
            self.push(what.field, what.label, None, Some(said(new)), what.added);
        }
        self.parts.extend(some(is.difference(was).count(), what.one, what.many, "added"));
        self.parts.extend(some(was.difference(is).count(), what.one, what.many, "removed"));
    }
}

/// A list of the terms: its words, and where adding and removing lead.
struct List {
    field: &'static str,
    label: &'static str,
    one: &'static str,
    many: &'static str,
    added: Direction,
    removed: Direction,
}

impl List {
    const fn new(
        field: &'static str,
        label: &'static str,
        words: (&'static str, &'static str),
        added: Direction,
        removed: Direction,
    ) -> Self {
        Self { field, label, one: words.0, many: words.1, added, removed }
    }
}

/// What changes between two versions; `papers` names the evidence that either rests on, `vocabulary` what it is about.
pub fn terms(before: &AgreementTerms, after: &AgreementTerms, papers: &Papers, vocabulary: &Vocabulary) -> Diff {
    check_every_clause(after);
    let mut sheet = Sheet::default();
    scope(&mut sheet, before, after, vocabulary);
    duties(&mut sheet, before, after, papers);
    sub_processors(&mut sheet, before.sub_processors.as_ref(), after.sub_processors.as_ref());
    controllers(&mut sheet, before, after);
    let lists = ["purposes", "data_categories", "subject_categories", "instructions", "security_evidence", "starts_on", "ends_on"];
    let clauses = |direction: Direction| {
        let clause = |one: &&Difference| one.direction == direction && !lists.contains(&one.field.as_str());
        sheet.differences.iter().filter(clause).count()
    };
    let counts = [
        some(clauses(Direction::Weaker), "clause", "clauses", "weakened"),
        some(clauses(Direction::Stronger), "clause", "clauses", "strengthened"),
        some(clauses(Direction::Unclear), "clause", "clauses", "reworded"),
        some(clauses(Direction::Neutral), "detail", "details", "changed"),
    ];
    let dates = [moved("starts", before.starts_on, after.starts_on), moved("ends", before.ends_on, after.ends_on)];
    let parts = sheet.parts.into_iter().chain(counts.into_iter().flatten()).chain(dates.into_iter().flatten()).collect();
    Diff::new(parts, sheet.differences)
}

/// Does nothing, but no longer compiles when the terms have a clause that is not compared here.
const fn check_every_clause(terms: &AgreementTerms) {
    let AgreementTerms {
        subject_matter: _,
        nature: _,
        purposes: _,
        data_categories: _,
        subject_categories: _,
        starts_on: _,
        ends_on: _,
        instructions: _,
        confidentiality_attested_on: _,
        security_evidence: _,
        sub_processors: _,
        assistance: _,
        breach_notice: _,
        at_the_end: _,
        audit: _,
        retention_days: _,
        joint: _,
        controller: _,
        transfer: _,
    } = terms;
}

/// What the contract covers: whose data, which, what for, and how long.
fn scope(sheet: &mut Sheet, before: &AgreementTerms, after: &AgreementTerms, vocabulary: &Vocabulary) {
    use Direction::{Stronger, Unclear, Weaker};
    let text = ToString::to_string;
    let (was, is) = (&before.subject_matter, &after.subject_matter);
    sheet.clause("subject_matter", "Subject matter", was.as_ref(), is.as_ref(), More::Unclear, text);
    sheet.clause("nature", "Nature", before.nature.as_ref(), after.nature.as_ref(), More::Unclear, ToString::to_string);
    let list = List::new("purposes", "Purpose", ("purpose", "purposes"), Weaker, Stronger);
    sheet.list(&list, &before.purposes, &after.purposes, |key| words::purpose(vocabulary, key));
    let list = List::new("data_categories", "Data category", ("data category", "data categories"), Weaker, Stronger);
    sheet.list(&list, &before.data_categories, &after.data_categories, |key| words::category(vocabulary, key));
    let list = List::new("subject_categories", "Whose data", ("group of people", "groups of people"), Weaker, Stronger);
    sheet.list(&list, &set(&before.subject_categories), &set(&after.subject_categories), ToString::to_string);
    let list = List::new("instructions", "Documented instruction", ("instruction", "instructions"), Unclear, Unclear);
    sheet.list(&list, &set(&before.instructions), &set(&after.instructions), ToString::to_string);
    days(sheet, before, after);
}

/// The dates. A version without a first day begins when it is signed; one without a last day ends when it is ended.
fn days(sheet: &mut Sheet, before: &AgreementTerms, after: &AgreementTerms) {
    let far = |day: Option<Date>| day.map_or(i64::MAX, |day| i64::from(day.days_since_epoch()));
    if before.starts_on != after.starts_on {
        let direction = match (before.starts_on, after.starts_on) {
            (Some(was), Some(is)) => More::Stronger.of(is.cmp(&was)),
            (None, _) | (_, None) => Direction::Unclear,
        };
        sheet.push("starts_on", "First day", said(before.starts_on), said(after.starts_on), direction);
    }
    if before.ends_on != after.ends_on {
        let direction = More::Weaker.of(far(after.ends_on).cmp(&far(before.ends_on)));
        sheet.push("ends_on", "Last day", said(before.ends_on), said(after.ends_on), direction);
    }
}

fn said(day: Option<Date>) -> Option<String> {
    day.map(|day| day.to_string())
}

/// What the vendor owes: confidentiality, security, help, notice, the end, audits, retention.
fn duties(sheet: &mut Sheet, before: &AgreementTerms, after: &AgreementTerms, papers: &Papers) {
    let (was, is) = (before.confidentiality_attested_on, after.confidentiality_attested_on);
    let field = "confidentiality_attested_on";
    sheet.clause(field, "Confidentiality attested on", was.as_ref(), is.as_ref(), More::Stronger, ToString::to_string);
    let list = List::new(
        "security_evidence",
        "Security rests on",
        ("piece of evidence", "pieces of evidence"),
        Direction::Stronger,
        Direction::Weaker,
    );
    let name = |id: &EvidenceId| papers.get(id).cloned().unwrap_or_else(|| id.to_string());
    sheet.list(&list, &set(&before.security_evidence), &set(&after.security_evidence), name);
    assistance(sheet, before.assistance.as_ref(), after.assistance.as_ref());
    breach_notice(sheet, before.breach_notice.as_ref(), after.breach_notice.as_ref());
    at_the_end(sheet, before.at_the_end.as_ref(), after.at_the_end.as_ref());
    audit(sheet, before.audit.as_ref(), after.audit.as_ref());
    let (was, is) = (before.retention_days, after.retention_days);
    sheet.clause("retention_days", "May keep what it got for", was.as_ref(), is.as_ref(), More::Weaker, |days| words::days(*days));
}

fn assistance(sheet: &mut Sheet, was: Option<&Assistance>, is: Option<&Assistance>) {
    let (old, new) = (was.map(|one| &one.days), is.map(|one| &one.days));
    sheet.clause("assistance.days", "Helps with people's rights within", old, new, More::Weaker, |days| words::days(*days));
    let (old, new) = (was.map(|one| &one.channel), is.map(|one| &one.channel));
    sheet.clause("assistance.channel", "Helps with people's rights through", old, new, More::Neutral, ToString::to_string);
}

fn breach_notice(sheet: &mut Sheet, was: Option<&BreachNotice>, is: Option<&BreachNotice>) {
    let (old, new) = (was.map(|one| &one.hours), is.map(|one| &one.hours));
    let hours = |hours: &u32| words::counted((*hours).into(), "hour", "hours");
    sheet.clause("breach_notice.hours", "Tells of a breach within", old, new, More::Weaker, hours);
    let (old, new) = (was.map(|one| &one.contact), is.map(|one| &one.contact));
    sheet.clause("breach_notice.contact", "Tells of a breach to", old, new, More::Neutral, ToString::to_string);
}

fn at_the_end(sheet: &mut Sheet, was: Option<&AtTheEnd>, is: Option<&AtTheEnd>) {
    let way = |one: &AtTheEnd| words::end_way(one.way).to_owned();
    let (old, new) = (was.map(way), is.map(way));
    sheet.clause("at_the_end.way", "At the end", old.as_ref(), new.as_ref(), More::Unclear, String::clone);
    let (old, new) = (was.map(|one| &one.deadline_days), is.map(|one| &one.deadline_days));
    sheet.clause("at_the_end.deadline_days", "At the end, within", old, new, More::Weaker, |days| words::days(*days));
}

fn audit(sheet: &mut Sheet, was: Option<&AuditRight>, is: Option<&AuditRight>) {
    let (old, new) = (was.map(|one| &one.every_months), is.map(|one| &one.every_months));
    let months = |months: &u32| words::counted((*months).into(), "month", "months");
    sheet.clause("audit.every_months", "May be audited every", old, new, More::Weaker, months);
    let (old, new) = (was.and_then(|one| one.last_on.as_ref()), is.and_then(|one| one.last_on.as_ref()));
    sheet.clause("audit.last_on", "Last audited on", old, new, More::Neutral, ToString::to_string);
}

/// Fewer sub-processors, announced earlier, are stronger; between a list and a general leave the list is.
fn sub_processors(sheet: &mut Sheet, was: Option<&SubProcessors>, is: Option<&SubProcessors>) {
    use SubProcessors::{Forbidden, General, Specific};
    if was == is {
        return;
    }
    let direction = match (was, is) {
        (None, None) => Direction::Neutral,
        (Some(Forbidden), _) => Direction::Weaker,
        (_, Some(Forbidden)) => Direction::Stronger,
        (None, Some(_)) | (Some(_), None) => Direction::Unclear,
        (Some(General { .. }), Some(Specific { .. })) => Direction::Stronger,
        (Some(Specific { .. }), Some(General { .. })) => Direction::Weaker,
        (Some(General { notice_days: n, objection_days: o }), Some(General { notice_days, objection_days })) => {
            match (notice_days.cmp(n), objection_days.cmp(o)) {
                (Ordering::Less, Ordering::Greater) | (Ordering::Greater, Ordering::Less) => Direction::Unclear,
                (notice, objection) => More::Stronger.of(notice.then(objection)),
            }
        }
        (Some(Specific { named: was }), Some(Specific { named: is })) => {
            let (was, is) = (set(was), set(is));
            match (is.is_subset(&was), was.is_subset(&is)) {
                (true, true) => Direction::Neutral,
                (true, false) => Direction::Stronger,
                (false, true) => Direction::Weaker,
                (false, false) => Direction::Unclear,
            }
        }
    };
    sheet.push("sub_processors", "Sub-processors", was.map(words::sub_processors), is.map(words::sub_processors), direction);
}

/// What joint controllers and controllers promise each other, and what a transfer rests on.
fn controllers(sheet: &mut Sheet, before: &AgreementTerms, after: &AgreementTerms) {
    let (was, is) = (before.joint.as_ref(), after.joint.as_ref());
    let part = |one: Option<&JointTerms>| one.map(|one| one.responsibilities.to_string());
    prose(sheet, "joint.responsibilities", "Who answers whom", (part(was), part(is)));
    let part = |one: Option<&JointTerms>| one.map(|one| one.contact_point.to_string());
    detail(sheet, "joint.contact_point", "Contact point", (part(was), part(is)));
    let part = |one: Option<&JointTerms>| one.map(|one| one.essence_published_at.to_string());
    detail(sheet, "joint.essence_published_at", "Essence published at", (part(was), part(is)));
    let (was, is) = (before.controller.as_ref(), after.controller.as_ref());
    let part = |one: Option<&ControllerTerms>| one.map(|one| one.purpose_limits.to_string());
    prose(sheet, "controller.purpose_limits", "Purpose limits", (part(was), part(is)));
    let part = |one: Option<&ControllerTerms>| one.map(|one| one.notice.to_string());
    prose(sheet, "controller.notice", "Notice to the people concerned", (part(was), part(is)));
    // Saying that it is not promised gives no more than saying nothing.
    let (old, new) = (was.is_some_and(|one| one.no_onward_sharing), is.is_some_and(|one| one.no_onward_sharing));
    let onward = |promised: &bool| if *promised { "promised".to_owned() } else { "not promised".to_owned() };
    sheet.clause("controller.no_onward_sharing", "No onward sharing", Some(&old), Some(&new), More::Stronger, onward);
    let (was, is) = (before.transfer.as_ref(), after.transfer.as_ref());
    let part = |one: Option<&Transfer>| one.map(|one| words::transfer(one.mechanism).to_owned());
    prose(sheet, "transfer.mechanism", "Transfer rests on", (part(was), part(is)));
    let part = |one: Option<&Transfer>| one.map(|one| one.assessment_reference.to_string());
    detail(sheet, "transfer.assessment_reference", "Transfer assessment", (part(was), part(is)));
}

fn prose(sheet: &mut Sheet, field: &str, label: &str, (was, is): (Option<String>, Option<String>)) {
    sheet.clause(field, label, was.as_ref(), is.as_ref(), More::Unclear, String::clone);
}

fn detail(sheet: &mut Sheet, field: &str, label: &str, (was, is): (Option<String>, Option<String>)) {
    sheet.clause(field, label, was.as_ref(), is.as_ref(), More::Neutral, String::clone);
}

fn set<T: Ord + Clone>(items: &[T]) -> BTreeSet<T> {
    items.iter().cloned().collect()
}
