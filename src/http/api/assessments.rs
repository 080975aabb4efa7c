//! Due diligence: rounds from draft to decision.

use actix_web::HttpRequest;
use serde::Deserialize;
use utoipa::ToSchema;

use crate::app::assessments::{self, Compared};
use crate::domain::assessment::{Assessment, AssessmentKind, Verdict};
use crate::domain::questionnaire::{Answer as Reply, Answers};
use crate::domain::text::{Prose, Slug};
use crate::http::error::Problem;
use crate::http::guard::{Allowed, Assess, Decide, Read};
use crate::http::input::{Json, segment};
use crate::policy::assessment::Deciding;
use crate::policy::comparison::DomainProgress;

use super::{Answer, Because, List, Tidegate, created, shown};

/// A round to be opened.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct OpenAssessment {
    kind: AssessmentKind,
    /// Key of a questionnaire.
    template: Slug,
}

/// Answers, in place of the ones before.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SaveAnswers {
    /// The version that was read.
    version: i64,
    #[schema(value_type = std::collections::HashMap<String, Reply>)]
    answers: Answers,
}

/// A decision.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct DecideBody {
    verdict: Verdict,
    rationale: Prose,
    /// At least one with `approved_with_conditions`.
    #[serde(default)]
    conditions: Vec<Prose>,
}

/// The rounds of a vendor, newest first.
#[utoipa::path(get, path = "/api/v1/vendors/{id}/assessments", tag = "assessments", security(("staff" = [])), params(("id" = String, Path)), responses((status = 200, body = List<Assessment>), (status = "4XX", body = Problem)))]
pub async fn list(request: HttpRequest, app: Tidegate, _by: Allowed<Read>) -> Answer {
    let id = segment(&request, "id", "vendor")?;
    shown(&request, assessments::list(&app, id).await.map(List::whole))
}

/// Open a round.
#[utoipa::path(post, path = "/api/v1/vendors/{id}/assessments", tag = "assessments", security(("staff" = [])), params(("id" = String, Path)), request_body = OpenAssessment, responses((status = 201, body = Assessment), (status = "4XX", body = Problem)))]
pub async fn open(request: HttpRequest, app: Tidegate, by: Allowed<Assess>, body: Json<OpenAssessment>) -> Answer {
    let id = segment(&request, "id", "vendor")?;
    created(&request, assessments::open(&app, by.actor(), id, body.0.kind, body.0.template).await)
}

/// One round with its questions, answers and score.
#[utoipa::path(get, path = "/api/v1/assessments/{id}", tag = "assessments", security(("staff" = [])), params(("id" = String, Path)), responses((status = 200, body = Assessment), (status = "4XX", body = Problem)))]
pub async fn find(request: HttpRequest, app: Tidegate, _by: Allowed<Read>) -> Answer {
    let id = segment(&request, "id", "assessment")?;
    shown(&request, assessments::find(&app, id).await)
}

/// Send a draft: its questions are fixed from here on.
#[utoipa::path(post, path = "/api/v1/assessments/{id}/send", tag = "assessments", security(("staff" = [])), params(("id" = String, Path)), responses((status = 200, body = Assessment), (status = "4XX", body = Problem)))]
pub async fn send(request: HttpRequest, app: Tidegate, by: Allowed<Assess>) -> Answer {
    let id = segment(&request, "id", "assessment")?;
    shown(&request, assessments::send(&app, by.actor(), id).await)
}

/// Save answers as a draft.
#[utoipa::path(put, path = "/api/v1/assessments/{id}/answers", tag = "assessments", security(("staff" = [])), params(("id" = String, Path)), request_body = SaveAnswers, responses((status = 200, body = Assessment), (status = "4XX", body = Problem)))]
pub async fn answer(request: HttpRequest, app: Tidegate, by: Allowed<Assess>, body: Json<SaveAnswers>) -> Answer {
    let id = segment(&request, "id", "assessment")?;
    shown(&request, assessments::answer(&app, by.actor(), id, body.0.version, body.0.answers).await)
}

/// Submit the answers: they are locked and scored.
#[utoipa::path(post, path = "/api/v1/assessments/{id}/submit", tag = "assessments", security(("staff" = [])), params(("id" = String, Path)), responses((status = 200, body = Assessment), (status = "4XX", body = Problem)))]
pub async fn submit(request: HttpRequest, app: Tidegate, by: Allowed<Assess>) -> Answer {
    let id = segment(&request, "id", "assessment")?;
    shown(&request, assessments::submit(&app, by.actor(), id).await)
}

/// Take submitted answers into review.
#[utoipa::path(post, path = "/api/v1/assessments/{id}/review", tag = "assessments", security(("staff" = [])), params(("id" = String, Path)), responses((status = 200, body = Assessment), (status = "4XX", body = Problem)))]
pub async fn review(request: HttpRequest, app: Tidegate, by: Allowed<Decide>) -> Answer {
    let id = segment(&request, "id", "assessment")?;
    shown(&request, assessments::review(&app, by.actor(), id).await)
}

/// Decide, as someone who does not own the vendor.
#[utoipa::path(post, path = "/api/v1/assessments/{id}/decide", tag = "assessments", security(("staff" = [])), params(("id" = String, Path)), request_body = DecideBody, responses((status = 200, body = Assessment), (status = "4XX", body = Problem)))]
pub async fn decide(request: HttpRequest, app: Tidegate, by: Allowed<Decide>, body: Json<DecideBody>) -> Answer {
    let id = segment(&request, "id", "assessment")?;
    let DecideBody { verdict, rationale, conditions } = body.0;
    shown(&request, assessments::decide(&app, by.actor(), id, Deciding { verdict, rationale, conditions }).await)
}

/// Cancel a round that is not in review.
#[utoipa::path(post, path = "/api/v1/assessments/{id}/cancel", tag = "assessments", security(("staff" = [])), params(("id" = String, Path)), request_body = Because, responses((status = 200, body = Assessment), (status = "4XX", body = Problem)))]
pub async fn cancel(request: HttpRequest, app: Tidegate, by: Allowed<Assess>, body: Json<Because>) -> Answer {
    let id = segment(&request, "id", "assessment")?;
    shown(&request, assessments::cancel(&app, by.actor(), id, body.0.reason).await)
}

/// A round beside the one of its kind that was decided before it.
#[utoipa::path(get, path = "/api/v1/assessments/{id}/comparison", tag = "assessments", security(("staff" = [])), params(("id" = String, Path)), responses((status = 200, body = Compared), (status = "4XX", body = Problem)))]
pub async fn compare(request: HttpRequest, app: Tidegate, _by: Allowed<Read>) -> Answer {
    let id = segment(&request, "id", "assessment")?;
    shown(&request, assessments::compare(&app, id).await)
}

/// How many of the questions asked are answered, by domain.
#[utoipa::path(get, path = "/api/v1/assessments/{id}/progress", tag = "assessments", security(("staff" = [])), params(("id" = String, Path)), responses((status = 200, body = List<DomainProgress>), (status = "4XX", body = Problem)))]
pub async fn progress(request: HttpRequest, app: Tidegate, _by: Allowed<Read>) -> Answer {
    let id = segment(&request, "id", "assessment")?;
    shown(&request, assessments::find(&app, id).await.map(|round| List::whole(assessments::progress(&round))))
}

/// Cancel a round in review, which is for those who decide: a rejection can't be dodged.
#[utoipa::path(post, path = "/api/v1/assessments/{id}/review/cancel", tag = "assessments", security(("staff" = [])), params(("id" = String, Path)), request_body = Because, responses((status = 200, body = Assessment), (status = "4XX", body = Problem)))]
pub async fn cancel_review(request: HttpRequest, app: Tidegate, by: Allowed<Decide>, body: Json<Because>) -> Answer {
    let id = segment(&request, "id", "assessment")?;
    shown(&request, assessments::cancel(&app, by.actor(), id, body.0.reason).await)
}
