//! One vendor by its views. Each view reads what it shows and no other; what may be done is asked of the policy.

use actix_web::HttpRequest;
use actix_web::http::StatusCode;
use askama::Template;

use crate::app::lists::{HistoryFilter, HistoryPage};
use crate::app::vendors::{self, AgreementLine, MachineLine, PermitLine, VendorHead};
use crate::app::{App, assessments, evidence, gates, history, questionnaires};
use crate::domain::Invalid;
use crate::domain::assessment::{Assessment, AssessmentKind};
use crate::domain::evidence::Evidence;
use crate::domain::id::VendorId;
use crate::domain::permit::RevisionStatus;
use crate::domain::questionnaire;
use crate::domain::time::Instant;
use crate::domain::vendor::{Contact, Lifecycle};
use crate::http::api::Tidegate;
use crate::http::guard::Read;
use crate::http::web::error::Wire;
use crate::http::web::guard::Visitor;
use crate::http::web::page::{Frame, Section, render};
use crate::http::web::parts::{Choice, Crumb, Fact, GateLine, HistoryLineView, Tab};
use crate::http::web::shown;
use crate::http::web::words::{self, Badge, Tone};
use crate::http::web::{form::Typed, timeline};
use crate::policy::access::Permission;
use crate::policy::standing::AgreementState;
use crate::policy::vendor::{NextStep, ReviewClock, offered};

use super::{Answer, above, id_of};

type By = Visitor<Read>;

/// Entries of the history on a page, and on the overview.
const LINES: usize = 25;
const LATELY: usize = 6;

/// What stands above every view.
struct Head {
    crumbs: Vec<Crumb>,
    id: String,
    state: Badge,
    tabs: Vec<Tab>,
    /// The next act, as the one primary button.
    next: Option<Link>,
    /// Further acts; those that stop something look so.
    acts: Vec<Link>,
    may_edit: bool,
    /// Pages below the vendor's own.
    evidence: String,
    new_agreement: String,
    new_client: String,
}

/// A button that leads somewhere.
struct Link {
    href: String,
    label: &'static str,
    danger: bool,
}

#[derive(Template)]
#[template(path = "vendors/overview.html")]
struct OverviewPage {
    frame: Frame,
    head: Head,
    facts: Vec<Fact>,
    contacts: Vec<Contact>,
    gates: Vec<GateLine>,
    /// None where the role does not read the history.
    lately: Option<Vec<HistoryLineView>>,
}

#[derive(Template)]
#[template(path = "vendors/diligence.html")]
struct DiligencePage {
    frame: Frame,
    head: Head,
    rounds: Vec<RoundRow>,
    papers: Vec<PaperRow>,
    typed: Typed,
    /// The kinds of which no round runs; empty where none may be opened.
    kinds: Vec<Choice>,
    templates: Vec<Choice>,
    may_add: bool,
    /// Whether opening a round is the vendor's next step, which this page does itself.
    is_next: bool,
}

struct RoundRow {
    href: String,
    kind: &'static str,
    state: Badge,
    opened_at: Instant,
    score: Option<String>,
    until: Option<Instant>,
}

struct PaperRow {
    name: String,
    kind: &'static str,
    state: Badge,
    mandatory: bool,
    expires: Option<String>,
}

#[derive(Template)]
#[template(path = "vendors/agreements.html")]
struct AgreementsPage {
    frame: Frame,
    head: Head,
    agreements: Vec<AgreementRow>,
    permits: Vec<PermitRow>,
    may_draft: bool,
}

struct AgreementRow {
    href: String,
    reference: String,
    kind: &'static str,
    state: Badge,
    versions: usize,
    in_force: bool,
    until: Option<Instant>,
}

struct PermitRow {
    href: String,
    key: String,
    dataset: String,
    purpose: String,
    reference: String,
    state: Badge,
    last_pull: Option<Instant>,
}

#[derive(Template)]
#[template(path = "vendors/access.html")]
struct AccessPage {
    frame: Frame,
    head: Head,
    clients: Vec<ClientRow>,
    may_issue: bool,
}

struct ClientRow {
    href: String,
    name: String,
    state: Badge,
    permits: String,
    tokens: i64,
    last_pull: Option<Instant>,
}

#[derive(Template)]
#[template(path = "vendors/history.html")]
struct HistoryTab {
    frame: Frame,
    head: Head,
    lines: Vec<HistoryLineView>,
    /// The outcomes to choose from, each with its address; none where all is shown.
    outcomes: Vec<Tab>,
    caption: &'static str,
    empty: &'static str,
    next: String,
    first: String,
}

/// The views, in their order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum View {
    Overview,
    Diligence,
    Agreements,
    Access,
    Releases,
    History,
}

impl View {
    const ALL: [Self; 6] = [Self::Overview, Self::Diligence, Self::Agreements, Self::Access, Self::Releases, Self::History];

    const fn key(self) -> &'static str {
        match self {
            Self::Overview => "",
            Self::Diligence => "diligence",
            Self::Agreements => "agreements",
            Self::Access => "access",
            Self::Releases => "releases",
            Self::History => "history",
        }
    }

    const fn label(self) -> &'static str {
        match self {
            Self::Overview => "Overview",
            Self::Diligence => "Due diligence",
            Self::Agreements => "Agreements and permits",
            Self::Access => "Clients and tokens",
            Self::Releases => "Releases",
            Self::History => "History",
        }
    }

    const fn needs(self) -> Permission {
        match self {
            Self::Overview | Self::Diligence | Self::Agreements | Self::Access => Permission::Read,
            Self::Releases | Self::History => Permission::ReadHistory,
        }
    }

    fn href(self, id: &VendorId) -> String {
        match self {
            Self::Overview => format!("/vendors/{id}"),
            Self::Diligence | Self::Agreements | Self::Access | Self::Releases | Self::History => {
                format!("/vendors/{id}?tab={}", self.key())
            }
        }
    }
}

/// What the URL asks for.
fn asked(request: &HttpRequest) -> Typed {
    Typed::new(serde_urlencoded::from_str(request.query_string()).unwrap_or_default())
}

/// One vendor, by the view that the URL names.
pub async fn show(request: HttpRequest, app: Tidegate, by: By) -> Answer {
    let id = id_of(&request, &by)?;
    let asked = asked(&request);
    let view = View::ALL.into_iter().find(|view| view.key() == asked.value("tab"));
    let view = view.ok_or_else(|| by.wire(&request, Wire::NotFound))?;
    if !by.may(view.needs()) {
        return Err(by.wire(&request, Wire::Role));
    }
    let stored = by.want(&request, vendors::head(&app, id).await)?;
    let frame = by.frame(&request, stored.vendor.profile.legal_name.to_string(), Section::Vendors);
    let head = head(&stored, &by, view);
    match view {
        View::Overview => overview(&request, &app, &by, stored, (frame, head)).await,
        View::Diligence => diligence(&request, &app, &by, stored, (frame, head)).await,
        View::Agreements => contracts(&request, &app, &by, stored, (frame, head)).await,
        View::Access => access(&request, &app, &by, stored, (frame, head)).await,
        View::Releases | View::History => lines(&request, &app, &by, stored, (frame, head), (view, &asked)).await,
    }
}

fn head(stored: &VendorHead, by: &By, view: View) -> Head {
    let vendor = &stored.vendor;
    let role = by.current().person.role;
    let count = |view: View| {
        let many = match view {
            View::Agreements => stored.agreements,
            View::Access => stored.clients,
            View::Overview | View::Diligence | View::Releases | View::History => return None,
        };
        u64::try_from(many).ok()
    };
    let tabs = View::ALL.into_iter().filter(|view| by.may(view.needs())).map(|of| Tab {
        href: of.href(&vendor.id),
        label: of.label().to_owned(),
        current: of == view,
        count: count(of),
    });
    let step = stored.next_step(role);
    let acts = offered(vendor.lifecycle, role).into_iter().filter(|act| step != Some(NextStep::Act(*act)));
    Head {
        crumbs: above(),
        id: vendor.id.to_string(),
        evidence: format!("/vendors/{}/evidence", vendor.id),
        new_agreement: format!("/vendors/{}/agreements/new", vendor.id),
        new_client: format!("/vendors/{}/clients/new", vendor.id),
        state: Badge::from(vendor.lifecycle),
        tabs: tabs.collect(),
        // On the view where it is done the form itself is the button.
        next: step.filter(|step| view != View::Diligence || *step != NextStep::OpenAssessment).map(|step| Link {
            href: leads(step, stored),
            label: words::next_step(step),
            danger: false,
        }),
        acts: acts
            .map(|act| Link {
                href: format!("/vendors/{}/acts/{}", vendor.id, act.key()),
                label: words::vendor_act(act),
                danger: crate::policy::vendor::stops(act, vendor.lifecycle),
            })
            .collect(),
        may_edit: by.may(Permission::ManageVendors) && vendor.lifecycle != Lifecycle::Retired,
    }
}

/// Where the next step is done.
fn leads(step: NextStep, stored: &VendorHead) -> String {
    let id = &stored.vendor.id;
    match step {
        NextStep::Act(act) => format!("/vendors/{id}/acts/{}", act.key()),
        NextStep::OpenAssessment => View::Diligence.href(id),
        NextStep::GoOnWithAssessment | NextStep::DecideAssessment => {
            stored.security_round().map_or_else(|| View::Diligence.href(id), |round| format!("/assessments/{}", round.id))
        }
        NextStep::DraftAgreement => format!("/vendors/{id}/agreements/new"),
        NextStep::FinishAgreement | NextStep::ApproveAgreement => View::Agreements.href(id),
        NextStep::IssueClient => format!("/vendors/{id}/clients/new"),
    }
}

async fn overview(request: &HttpRequest, app: &App, by: &By, stored: VendorHead, (frame, head): (Frame, Head)) -> Answer {
    let id = stored.vendor.id.clone();
    let gates = by.want(request, gates::of_vendor(app, id.clone()).await)?;
    let lately = if by.may(Permission::ReadHistory) {
        let filter = HistoryFilter { vendor: Some(id.to_string()), ..HistoryFilter::default() };
        let found = by.want(request, history::lines(app, filter, HistoryPage { before: None, limit: LATELY }).await)?;
        Some(found.into_iter().map(timeline::line).collect())
    } else {
        None
    };
    let gates = shown::gates(&gates);
    let page = OverviewPage { facts: facts(&stored, &frame, by), contacts: stored.vendor.profile.contacts, frame, head, gates, lately };
    Ok(render(request, StatusCode::OK, &page))
}

fn facts(stored: &VendorHead, frame: &Frame, by: &By) -> Vec<Fact> {
    let profile = &stored.vendor.profile;
    let text = |value: Option<String>| value.unwrap_or_default();
    let countries: Vec<&str> = profile.data_locations.iter().map(words::country).collect();
    let owner = Fact::new("Owner", stored.owner.name.clone().unwrap_or_else(|| "somebody who left".to_owned()));
    let owner = if by.may(Permission::ManagePeople) { owner.at(format!("/settings/people/{}", stored.owner.id)) } else { owner };
    let pull = stored.last_pull.map(|at| format!("{} ({})", words::instant(&at), words::ago(&at, &frame.now)));
    vec![
        owner,
        Fact::new("Tier", words::tier(&profile.tier)),
        Fact::new("Why this tier", text(profile.tier_note.as_ref().map(ToString::to_string))),
        Fact::new("Role under the GDPR", words::vendor_role(&profile.role)),
        Fact::new("Review", review(stored.review)),
        Fact::new("Best agreement", words::agreement_state(stored.agreement).word).at(View::Agreements.href(&stored.vendor.id)),
        Fact::new("Last pull", text(pull)),
        Fact::new("Trade name", text(profile.trade_name.as_ref().map(ToString::to_string))),
        Fact::new("Country", words::country(&profile.country)),
        Fact::new("Address", text(profile.address.as_ref().map(ToString::to_string))),
        Fact::new("Data is kept in", countries.join(", ")),
        Fact::new("As it stands since", words::instant(&stored.vendor.lifecycle_since)),
        Fact::new("Registered", words::instant(&stored.vendor.created_at)),
    ]
}

fn review(clock: ReviewClock) -> String {
    let word = words::review_clock(clock).word;
    match clock {
        ReviewClock::Current { until } | ReviewClock::DueSoon { until } => format!("{word}, until {}", words::date(&until.date())),
        ReviewClock::Overdue { since } => format!("{word} since {}", words::date(&since.date())),
        ReviewClock::NotScheduled => word,
    }
}

async fn diligence(request: &HttpRequest, app: &App, by: &By, stored: VendorHead, (frame, head): (Frame, Head)) -> Answer {
    let id = stored.vendor.id.clone();
    let rounds = by.want(request, assessments::list(app, id.clone()).await)?;
    let papers = by.want(request, evidence::list(app, id).await)?;
    let templates = by.want(request, questionnaires::builtin().map_err(|error: Invalid| error.into()))?;
    let runs = |kind: AssessmentKind| stored.open_rounds.iter().any(|round| round.kind == kind);
    let may_open = by.may(Permission::Assess) && stored.vendor.lifecycle != Lifecycle::Retired;
    let kinds = [AssessmentKind::Security, AssessmentKind::Privacy, AssessmentKind::Legal];
    let today = frame.now.date();
    let page = DiligencePage {
        rounds: rounds.iter().map(|round| round_row(round, frame.now)).collect(),
        papers: papers.into_iter().map(|paper| paper_row(paper, today)).collect(),
        kinds: kinds
            .into_iter()
            .filter(|kind| may_open && !runs(*kind))
            .map(|kind| Choice::new(kind.key(), words::assessment_kind(kind)))
            .collect(),
        templates: templates.iter().map(|template| Choice::new(template.key.to_string(), template.title.to_string())).collect(),
        typed: first_choices(runs, templates),
        may_add: may_open,
        is_next: stored.next_step(by.current().person.role) == Some(NextStep::OpenAssessment),
        frame,
        head,
    };
    Ok(render(request, StatusCode::OK, &page))
}

/// The security round is what releases rest on, so it is offered first.
fn first_choices(runs: impl Fn(AssessmentKind) -> bool, templates: &[questionnaire::Template]) -> Typed {
    let typed = templates.first().map_or_else(Typed::default, |template| Typed::default().with("template", &template.key));
    if runs(AssessmentKind::Security) { typed } else { typed.with("kind", AssessmentKind::Security.key()) }
}

fn round_row(round: &Assessment, now: Instant) -> RoundRow {
    RoundRow {
        href: format!("/assessments/{}", round.id),
        kind: words::assessment_kind(round.kind),
        state: words::assessment(&round.status, now),
        opened_at: round.opened_at,
        score: round.score.as_ref().and_then(|score| score.points).map(|points| format!("{points:.0} of 100")),
        until: round.status.decision().and_then(|decision| decision.valid_until),
    }
}

fn paper_row(paper: Evidence, today: crate::domain::Date) -> PaperRow {
    let state = if !paper.holds_on(today) {
        Badge::new(Tone::Stopped, "Expired")
    } else if paper.accepted_by.is_some() {
        Badge::new(Tone::InForce, "Accepted")
    } else {
        Badge::new(Tone::SecondPerson, "Waits for acceptance")
    };
    PaperRow {
        name: paper.facts.name.to_string(),
        kind: words::evidence_type(paper.facts.kind),
        state,
        mandatory: paper.facts.mandatory,
        expires: paper.facts.expires.map(|day| words::date(&day)),
    }
}

async fn contracts(request: &HttpRequest, app: &App, by: &By, stored: VendorHead, (frame, head): (Frame, Head)) -> Answer {
    let found = by.want(request, vendors::contracts(app, stored.vendor.id.clone()).await)?;
    let page = AgreementsPage {
        frame,
        head,
        agreements: found.agreements.into_iter().map(agreement_row).collect(),
        permits: found.permits.into_iter().map(permit_row).collect(),
        may_draft: by.may(Permission::ManageAgreements) && stored.vendor.lifecycle != Lifecycle::Retired,
    };
    Ok(render(request, StatusCode::OK, &page))
}

fn agreement_row(line: AgreementLine) -> AgreementRow {
    AgreementRow {
        href: format!("/agreements/{}", line.agreement.id),
        reference: line.agreement.reference.to_string(),
        kind: words::agreement_kind(&line.agreement.kind),
        state: words::agreement_state(line.state),
        versions: line.versions,
        in_force: line.state == AgreementState::InForce,
        until: line.until,
    }
}

fn permit_row(line: PermitLine) -> PermitRow {
    let text =
        |of: fn(&crate::domain::permit::PermitTerms) -> String| line.newest.as_ref().map(|newest| of(&newest.terms)).unwrap_or_default();
    PermitRow {
        href: format!("/permits/{}", line.permit.key),
        dataset: text(|terms| terms.dataset.to_string()),
        purpose: text(|terms| terms.purpose.to_string()),
        reference: line.reference.map(|reference| reference.to_string()).unwrap_or_default(),
        state: words::permit(&line.permit, line.newest.as_ref().map_or(RevisionStatus::Proposed, |newest| newest.status)),
        key: line.permit.key.to_string(),
        last_pull: line.last_pull,
    }
}

async fn access(request: &HttpRequest, app: &App, by: &By, stored: VendorHead, (frame, head): (Frame, Head)) -> Answer {
    let found = by.want(request, vendors::machines(app, stored.vendor.id.clone()).await)?;
    let page = AccessPage {
        frame,
        head,
        clients: found.into_iter().map(client_row).collect(),
        may_issue: by.may(Permission::ManageAccess) && stored.vendor.lifecycle != Lifecycle::Retired,
    };
    Ok(render(request, StatusCode::OK, &page))
}

fn client_row(line: MachineLine) -> ClientRow {
    ClientRow {
        href: format!("/clients/{}", line.client.id),
        name: line.client.name.to_string(),
        state: words::client(&line.client),
        permits: match &line.client.permits {
            None => "All of the vendor's".to_owned(),
            Some(permits) => permits.iter().map(ToString::to_string).collect::<Vec<_>>().join(", "),
        },
        tokens: line.tokens,
        last_pull: line.last_pull,
    }
}

/// What releases are narrowed to; the first is what is shown when nothing was asked.
const OUTCOMES: [(&str, &str); 3] = [("released", "Released"), ("refused", "Refused"), ("cut", "Cut short")];

async fn lines(
    request: &HttpRequest,
    app: &App,
    by: &By,
    stored: VendorHead,
    (frame, head): (Frame, Head),
    (view, asked): (View, &Typed),
) -> Answer {
    let before = match asked.value("before") {
        "" => None,
        text => {
            let wrong = Invalid::new("before", "must be the position of an entry");
            Some(by.want(request, text.parse::<i64>().ok().filter(|position| *position >= 0).ok_or_else(|| wrong.into()))?)
        }
    };
    let outcome = match (view, asked.value("outcome")) {
        (View::Releases, "") => Some("released"),
        (View::Releases, text) => {
            let known = OUTCOMES.iter().find(|(key, _)| *key == text).map(|(key, _)| *key);
            Some(by.want(request, known.ok_or_else(|| Invalid::new("outcome", "must be one that the page offers").into()))?)
        }
        (View::Overview | View::Diligence | View::Agreements | View::Access | View::History, _) => None,
    };
    let filter =
        HistoryFilter { vendor: Some(stored.vendor.id.to_string()), outcome: outcome.map(str::to_owned), ..HistoryFilter::default() };
    let found = history::lines(app, filter, HistoryPage { before, limit: LINES.saturating_add(1) }).await;
    let mut found = by.want(request, found)?;
    let base = view.href(&stored.vendor.id);
    let address = |outcome: &str| if outcome.is_empty() { base.clone() } else { format!("{base}&outcome={outcome}") };
    let own = address(outcome.unwrap_or_default());
    let more = found.len() > LINES;
    found.truncate(LINES);
    let next = found.last().filter(|_| more).map(|last| format!("{own}&before={}", last.position));
    let (caption, empty) = match view {
        View::Releases => ("Releases", "Nothing of the kind happened so far."),
        View::Overview | View::Diligence | View::Agreements | View::Access | View::History => {
            ("History", "Nothing is recorded further back.")
        }
    };
    let page = HistoryTab {
        frame,
        head,
        lines: found.into_iter().map(timeline::line).collect(),
        outcomes: outcome.map(|chosen| outcome_tabs(chosen, address)).unwrap_or_default(),
        caption,
        empty,
        next: next.unwrap_or_default(),
        first: before.map(|_| own).unwrap_or_default(),
    };
    Ok(render(request, StatusCode::OK, &page))
}

fn outcome_tabs(chosen: &str, address: impl Fn(&str) -> String) -> Vec<Tab> {
    let tab = |(key, label): (&str, &str)| Tab { href: address(key), label: label.to_owned(), current: key == chosen, count: None };
    OUTCOMES.into_iter().map(tab).collect()
}
