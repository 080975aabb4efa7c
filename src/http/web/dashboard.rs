//! The first page: what waits for whom comes first, then what stands and what left.

use actix_web::http::StatusCode;
use actix_web::{Error, HttpRequest, HttpResponse};
use askama::Template;

use crate::app::dashboard::{self, Counts, DayActivity, ItemNoun, Queue, WaitingFor, WorkItem};
use crate::domain::person::Role;
use crate::domain::time::Instant;
use crate::domain::vendor::{Lifecycle, VendorAct};
use crate::http::api::Tidegate;
use crate::http::guard::Read;
use crate::policy::access::Permission;
use crate::policy::work::{WorkKind, WorkState};

use super::chart::Chart;
use super::guard::Visitor;
use super::page::{Frame, Section, render};
use super::parts::Day;
use super::words::{self, Badge};

const DAYS: i64 = 30;

#[derive(Template)]
#[template(path = "dashboard/dashboard.html")]
struct DashboardPage {
    frame: Frame,
    groups: Vec<Group>,
    /// What is more than the page shows.
    beyond: Option<String>,
    /// Whether the viewer does some of this work, or only reads.
    does_work: bool,
    figures: Vec<Figure>,
    lifecycles: Vec<Standing>,
    chart: Chart,
}

#[derive(Template)]
#[template(path = "dashboard/start.html")]
struct StartPage {
    frame: Frame,
    steps: [(&'static str, &'static str); 7],
    may_register: bool,
}

/// Items of one urgency.
struct Group {
    title: &'static str,
    items: Vec<Item>,
}

struct Item {
    title: String,
    href: String,
    vendor: Option<(String, String)>,
    state: Badge,
    since: Instant,
    due: Option<Instant>,
    /// Who is to do it, where it is not the viewer alone.
    whose: &'static str,
    /// The next act and where it is done; none for those who do not do it.
    next: Option<(String, &'static str)>,
}

struct Figure {
    label: &'static str,
    value: String,
    href: String,
    hint: &'static str,
}

struct Standing {
    badge: Badge,
    many: i64,
    href: String,
}

/// The steps from nothing to the first pull, as the guided first run takes them.
const STEPS: [(&str, &str); 7] = [
    ("Invite the people", "Somebody registers and drafts, somebody else decides, somebody knows the data."),
    ("Register a vendor", "Who gets data, how much harm a failure could do, and who answers for it here."),
    ("Look into it", "Questions, evidence and a decision by a second person."),
    ("Catalogue a dataset", "Where the rows lie, and what each field is: an identifier, something sensitive, or plain."),
    ("Agree, and write a permit", "The contract, and field by field what leaves and how."),
    ("Issue a client", "The vendor collects a secret of its own, by a link that works once."),
    ("Watch the first pull", "The vendor asks, each gate is checked, and the history keeps what left."),
];

/// The dashboard, or a friendly start where nothing is here yet.
pub async fn page(request: HttpRequest, app: Tidegate, by: Visitor<Read>) -> Result<HttpResponse, Error> {
    let actor = by.actor();
    let (counts, queue, activity) =
        futures::join!(dashboard::counts(&app), dashboard::queue(&app, &actor), dashboard::activity(&app, DAYS));
    let counts = by.want(&request, counts)?;
    let frame = by.frame(&request, "Dashboard", Section::Dashboard);
    if counts.vendors.iter().all(|standing| standing.vendors == 0) {
        let frame = Frame { title: "Welcome to Tidegate".to_owned(), ..frame };
        let page = StartPage { frame, steps: STEPS, may_register: by.may(Permission::ManageVendors) };
        return Ok(render(&request, StatusCode::OK, &page));
    }
    let queue = by.want(&request, queue)?;
    let activity = by.want(&request, activity)?;
    let role = by.current().person.role;
    let page = DashboardPage {
        frame,
        beyond: beyond(&queue),
        groups: groups(queue.items, role),
        does_work: WorkKind::ALL.into_iter().any(|kind| kind.role() == role),
        figures: figures(&counts),
        lifecycles: lifecycles(&counts),
        chart: Chart::of(activity.into_iter().map(day).collect()),
    };
    Ok(render(&request, StatusCode::OK, &page))
}

fn day(activity: DayActivity) -> Day {
    let count = |many: i64| u64::try_from(many).unwrap_or(0);
    Day { date: activity.day, released: count(activity.releases), refused: count(activity.refusals) }
}

fn beyond(queue: &Queue) -> Option<String> {
    let total = queue.totals.iter().map(|kind| kind.total).fold(0_i64, i64::saturating_add);
    let shown = i64::try_from(queue.items.len()).unwrap_or(i64::MAX);
    (total > shown).then(|| format!("The {} most urgent of {} are shown.", words::number(shown), words::number(total)))
}

/// The items by urgency; what waits for the viewer comes before what waits for anyone of their role.
fn groups(items: Vec<WorkItem>, role: Role) -> Vec<Group> {
    let titles = ["Overdue", "Blocked: releases stand still", "Due soon", "Waiting for you", "Waiting"];
    let mut groups = titles.map(|title| Group { title, items: Vec::new() });
    for item in items {
        let place = match (item.state, item.waiting_for) {
            (WorkState::Overdue, _) => 0,
            (WorkState::Blocked, _) => 1,
            (WorkState::Due, _) => 2,
            (WorkState::Waiting, WaitingFor::Me) => 3,
            (WorkState::Waiting, WaitingFor::Role(_)) => 4,
        };
        if let Some(group) = groups.get_mut(place) {
            group.items.push(of(item, role));
        }
    }
    groups.into_iter().filter(|group| !group.items.is_empty()).collect()
}

fn of(item: WorkItem, role: Role) -> Item {
    let does = item.kind.role() == role;
    Item {
        href: about(&item),
        next: does.then(|| (place(&item), item.next_act)),
        vendor: item.vendor.map(|vendor| (format!("/vendors/{}", vendor.id), vendor.name)),
        state: words::work_state(item.state),
        since: item.since,
        due: item.due,
        whose: match item.waiting_for {
            WaitingFor::Me => "You",
            WaitingFor::Role(whose) => words::role(&whose),
        },
        title: item.title,
    }
}

/// The page of what an item is about.
fn about(item: &WorkItem) -> String {
    match &item.noun {
        ItemNoun::Vendor { id } => format!("/vendors/{id}"),
        ItemNoun::Assessment { id } => format!("/assessments/{id}"),
        ItemNoun::Evidence { .. } => match &item.vendor {
            Some(vendor) => format!("/vendors/{}/evidence", vendor.id),
            None => "/vendors".to_owned(),
        },
        ItemNoun::Agreement { id, .. } => format!("/agreements/{id}"),
        ItemNoun::Permit { key, .. } => format!("/permits/{key}"),
        ItemNoun::Dataset { name } => format!("/datasets/{name}"),
    }
}

/// Where its next act is done.
fn place(item: &WorkItem) -> String {
    let act = |act: VendorAct| format!("{}/acts/{}", about(item), act.key());
    match item.kind {
        WorkKind::VendorInIntake => act(VendorAct::Triage),
        WorkKind::VendorInTriage => act(VendorAct::BeginDueDiligence),
        WorkKind::VendorApproved => act(VendorAct::Activate),
        WorkKind::ReviewDue => format!("{}?tab=diligence", about(item)),
        WorkKind::AssessmentSubmitted
        | WorkKind::AssessmentInReview
        | WorkKind::AssessmentUnanswered
        | WorkKind::EvidenceEnding
        | WorkKind::AgreementComplete
        | WorkKind::AgreementInReview
        | WorkKind::AgreementUnsigned
        | WorkKind::AgreementEnding
        | WorkKind::RevisionProposed
        | WorkKind::PermitPaused => about(item),
        WorkKind::DatasetDrifted => format!("{}/source", about(item)),
    }
}

fn figures(counts: &Counts) -> Vec<Figure> {
    let active = counts.vendors.iter().find(|standing| standing.lifecycle == Lifecycle::Active).map_or(0, |standing| standing.vendors);
    let figure = |label, value: i64, href: &str, hint| Figure { label, value: words::number(value), href: href.to_owned(), hint };
    vec![
        figure("Active vendors", active, "/vendors?lifecycle=active", ""),
        figure("Agreements in force", counts.agreements_in_force, "/agreements", ""),
        figure("Permits in force", counts.permits_in_force, "/permits", ""),
        figure("Releases", counts.releases, "", "last 24 hours"),
        figure("Refusals", counts.refusals, "", "last 24 hours"),
    ]
}

fn lifecycles(counts: &Counts) -> Vec<Standing> {
    let present = counts.vendors.iter().filter(|standing| standing.vendors > 0);
    present
        .map(|standing| Standing {
            badge: Badge::from(standing.lifecycle),
            many: standing.vendors,
            href: format!("/vendors?lifecycle={}", standing.lifecycle.key()),
        })
        .collect()
}
