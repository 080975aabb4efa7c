//! The second person's decision: verdict, conditions and rationale; who may not decide is told why.

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse};
use askama::Template;

use crate::app::AppError;
use crate::app::assessments::{self, Deciding, Dossier};
use crate::domain::Invalid;
use crate::domain::assessment::{AssessmentStatus as S, Decision, Verdict};
use crate::domain::text::Prose;
use crate::http::api::Tidegate;
use crate::http::guard::{Decide, Read};
use crate::http::web::answer::render;
use crate::http::web::form::Typed;
use crate::http::web::guard::{Sent, Visitor, wanted};
use crate::http::web::lead::see_other_saying;
use crate::http::web::page::{Frame, Section};
use crate::http::web::parts::Choice;
use crate::http::web::words;
use crate::policy::Denied;
use crate::policy::assessment::{check_decider, valid_until};

use super::{Answer, Head, View, found, head, id_of, title};

/// What the fields are called.
pub const LABELS: &[(&str, &str)] = &[("verdict", "Verdict"), ("conditions", "Conditions"), ("rationale", "Rationale")];
/// Lines for conditions that are there before anything is typed.
const LINES: usize = 3;
/// The most conditions.
const MOST_CONDITIONS: usize = 50;

#[derive(Template)]
#[template(path = "assessments/decision.html")]
struct DecisionPage {
    frame: Frame,
    head: Head,
    typed: Typed,
    made: Option<Decision>,
    verdict: &'static str,
    /// Whether the approval has run out.
    lapsed: bool,
    decider: String,
    /// Whether whoever looks may decide now.
    may: bool,
    /// Why not, where the round is there to be decided.
    why_not: String,
    verdicts: Vec<Choice>,
    conditions: Vec<String>,
    tier: &'static str,
    days: i64,
    until: String,
    points: String,
}

/// The decision of a round, or the form for it.
pub async fn page(request: HttpRequest, app: Tidegate, by: Visitor<Read>) -> Answer {
    let dossier = found(&request, &app, &by).await?;
    Ok(shown(&request, &by, &dossier, StatusCode::OK, Typed::default()))
}

fn shown<P>(request: &HttpRequest, by: &Visitor<P>, dossier: &Dossier, status: StatusCode, typed: Typed) -> HttpResponse {
    let frame = by.frame(request, title(dossier), Section::Assessments);
    let made = dossier.round.status.decision().cloned();
    let in_review = matches!(dossier.round.status, S::InReview { .. });
    let checked = check_decider(&dossier.round, &dossier.vendor, &by.actor());
    let (until, tier) = (valid_until(&dossier.vendor, frame.now), dossier.vendor.profile.tier);
    let page = DecisionPage {
        head: head(dossier, by, View::Decision, &frame),
        decider: made.as_ref().and_then(|decision| dossier.names.get(decision.by.as_str()).cloned()).unwrap_or_default(),
        may: in_review && checked.is_ok(),
        why_not: match checked {
            Err(denied) if in_review => denied.to_string(),
            Ok(()) | Err(_) => String::new(),
        },
        verdict: made.as_ref().map_or("", |decision| words::verdict(decision.verdict)),
        lapsed: made.as_ref().and_then(|decision| decision.valid_until).is_some_and(|end| end <= frame.now),
        made,
        verdicts: verdicts(),
        conditions: lines(&typed),
        tier: words::tier(&tier),
        days: tier.assessment_days(),
        until: words::date(&until.date()),
        points: dossier.score.as_ref().and_then(|score| score.points).map(words::points).unwrap_or_default(),
        typed,
        frame,
    };
    render(request, status, &page)
}

fn verdicts() -> Vec<Choice> {
    let choice = |verdict: Verdict, label, hint| Choice::new(verdict.key(), label).hinted(hint);
    vec![
        choice(Verdict::Approved, "Approve", "The vendor may be activated, and the gate “due diligence” opens."),
        choice(Verdict::ApprovedWithConditions, "Approve with conditions", "As above; what must still happen is named below."),
        choice(Verdict::Rejected, "Reject", "The gate “due diligence” stays or becomes closed."),
    ]
}

/// The conditions as they were typed, and lines for more.
fn lines(typed: &Typed) -> Vec<String> {
    let mut lines: Vec<String> = typed.all("conditions").filter(|line| !line.is_empty()).map(str::to_owned).collect();
    let more = if lines.is_empty() { LINES } else { 1 };
    lines.extend(std::iter::repeat_n(String::new(), more));
    lines
}

/// Decides.
pub async fn decide(request: HttpRequest, app: Tidegate, sent: Sent<Decide>) -> Answer {
    let Sent { by, typed } = sent;
    let id = id_of(&request, &by)?;
    let refuse = async |typed: Typed, errors: Vec<Invalid>| {
        let dossier = found(&request, &app, &by).await?;
        Ok(shown(&request, &by, &dossier, StatusCode::UNPROCESSABLE_ENTITY, typed.refused(errors)))
    };
    let what = match read(&typed) {
        Ok(what) => what,
        Err(errors) => return refuse(typed, errors).await,
    };
    let verdict = what.verdict;
    match assessments::decide(&app, &by.actor(), id, what).await {
        Ok(round) => {
            let said = format!("Decided: {}.", words::verdict(verdict).to_lowercase());
            Ok(see_other_saying(&request, format!("/assessments/{}/decision", round.id), &said))
        }
        Err(AppError::Invalid(error) | AppError::Denied(Denied::Invalid(error))) => refuse(typed, vec![error]).await,
        Err(error) => Err(by.refuse(&request, error)),
    }
}

fn read(typed: &Typed) -> Result<Deciding, Vec<Invalid>> {
    let mut errors = Vec::new();
    let known = [Verdict::Approved, Verdict::ApprovedWithConditions, Verdict::Rejected];
    let verdict = known.into_iter().find(|verdict| verdict.key() == typed.value("verdict"));
    if verdict.is_none() {
        errors.push(Invalid::new("verdict", "must be chosen"));
    }
    let conditions = conditions(typed, verdict, &mut errors);
    let rationale = wanted::<Prose>(typed, "rationale", &mut errors);
    match (verdict, rationale) {
        (Some(verdict), Some(rationale)) if errors.is_empty() => Ok(Deciding { verdict, rationale, conditions }),
        _ => Err(errors),
    }
}

fn conditions(typed: &Typed, verdict: Option<Verdict>, errors: &mut Vec<Invalid>) -> Vec<Prose> {
    let given: Vec<&str> = typed.all("conditions").filter(|line| !line.is_empty()).collect();
    let read: Vec<Prose> = given.iter().filter_map(|line| line.parse().ok()).collect();
    if given.len() > MOST_CONDITIONS {
        errors.push(Invalid::new("conditions", format!("must be at most {MOST_CONDITIONS}")));
    } else if read.len() != given.len() {
        errors.push(Invalid::new("conditions", "must have at most 20\u{202f}000 characters each, and no control characters"));
    } else if verdict == Some(Verdict::ApprovedWithConditions) && read.is_empty() {
        errors.push(Invalid::new("conditions", "must name at least one, or choose “Approve”"));
    } else if matches!(verdict, Some(Verdict::Approved | Verdict::Rejected)) && !read.is_empty() {
        errors.push(Invalid::new("conditions", "must be empty with this verdict: choose “Approve with conditions”, or take them out"));
    }
    read
}
