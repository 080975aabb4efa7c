//! The list of rounds: what waits for whoever looks comes first.

use actix_web::HttpRequest;
use actix_web::http::StatusCode;
use askama::Template;

use crate::app::assessments::{self, RoundLine, RoundQuery};
use crate::domain::assessment::AssessmentKind;
use crate::domain::id::AssessmentId;
use crate::domain::time::Instant;
use crate::http::api::Tidegate;
use crate::http::guard::Read;
use crate::http::web::answer::render;
use crate::http::web::form::Typed;
use crate::http::web::guard::Visitor;
use crate::http::web::page::{Frame, Section};
use crate::http::web::parts::Choice;
use crate::http::web::words::{self, Badge};

use super::Answer;

/// Rounds on one page of the list.
const ROUNDS: usize = 50;

/// A round in one line, in words.
struct Row {
    id: AssessmentId,
    vendor: String,
    waits_for_me: bool,
    kind: &'static str,
    badge: Badge,
    /// Empty while there is none.
    points: String,
    owner: String,
    opened_at: Instant,
}

#[derive(Template)]
#[template(path = "assessments/list.html")]
struct ListPage {
    frame: Frame,
    rows: Vec<Row>,
    search: String,
    state: String,
    kind: String,
    states: Vec<Choice>,
    kinds: Vec<Choice>,
    next: String,
    count: String,
    filtered: bool,
}

const STATES: [(&str, &str); 7] = [
    ("draft", "Draft"),
    ("sent", "Sent"),
    ("in_progress", "In progress"),
    ("submitted", "Waits for review"),
    ("in_review", "In review"),
    ("decided", "Decided"),
    ("cancelled", "Cancelled"),
];
const KINDS: [AssessmentKind; 3] = [AssessmentKind::Security, AssessmentKind::Privacy, AssessmentKind::Legal];

/// Every round, what waits for whoever looks first.
pub async fn page(request: HttpRequest, app: Tidegate, by: Visitor<Read>) -> Answer {
    let asked = asked(&request);
    let (search, state, kind) = (asked.value("q").to_owned(), asked.value("state"), asked.value("kind"));
    let known = STATES.into_iter().find(|(key, _)| *key == state).map_or("", |(key, _)| key);
    let query = RoundQuery {
        state: (!known.is_empty()).then_some(known),
        kind: AssessmentKind::from_key(kind),
        search: Some(search.clone()),
        after: Some(asked.value("after").to_owned()).filter(|after| !after.is_empty()),
        limit: ROUNDS,
    };
    let kind = query.kind.map_or("", AssessmentKind::key).to_owned();
    let found = by.want(&request, assessments::rounds(&app, &by.actor(), query).await)?;
    let next = found.next.map(|after| next_page(&[("q", &search), ("state", known), ("kind", &kind), ("after", &after)]));
    let frame = by.frame(&request, "Assessments", Section::Assessments);
    let now = frame.now;
    let page = ListPage {
        frame,
        filtered: !(search.is_empty() && known.is_empty() && kind.is_empty()),
        rows: found.rows.into_iter().map(|line| row(line, now)).collect(),
        search,
        state: known.to_owned(),
        kind,
        states: STATES.map(|(key, label)| Choice::new(key, label)).to_vec(),
        kinds: KINDS.map(|kind| Choice::new(kind.key(), words::assessment_kind(kind))).to_vec(),
        next: next.unwrap_or_default(),
        count: words::count(u64::try_from(found.total).unwrap_or(0), "assessment", "assessments"),
    };
    Ok(render(&request, StatusCode::OK, &page))
}

fn row(line: RoundLine, now: Instant) -> Row {
    let round = line.round;
    Row {
        badge: words::assessment(&round.status, now),
        points: round.score.and_then(|score| score.points).map(words::points).unwrap_or_default(),
        id: round.id,
        vendor: round.vendor_name,
        waits_for_me: line.waits_for_me,
        kind: words::assessment_kind(round.kind),
        owner: round.owner_name.unwrap_or_default(),
        opened_at: round.opened_at,
    }
}

/// What stands in the query, as far as it can be read.
fn asked(request: &HttpRequest) -> Typed {
    Typed::new(serde_urlencoded::from_str(request.query_string()).unwrap_or_default())
}

fn next_page(pairs: &[(&str, &str)]) -> String {
    let given: Vec<_> = pairs.iter().filter(|(_, value)| !value.is_empty()).collect();
    format!("/assessments?{}", serde_urlencoded::to_string(given).unwrap_or_default())
}
