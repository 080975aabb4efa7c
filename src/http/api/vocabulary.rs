//! The words that agreements, permits and questionnaires are written in.

use actix_web::HttpRequest;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::app::questionnaires;
use crate::app::vocabulary::{self as terms, Adding};
use crate::domain::questionnaire::Template;
use crate::domain::text::{Line, Name, Slug};
use crate::domain::vocabulary::{Category, Purpose, Term, TermKind};
use crate::http::error::Problem;
use crate::http::guard::{Allowed, ManageVocabulary, Read};
use crate::http::input::{Json, segment};

use super::{Answer, List, Tidegate, created, shown};

/// The purposes and data categories that are offered.
#[derive(Serialize, ToSchema)]
pub struct Vocabulary {
    purposes: Vec<Purpose>,
    categories: Vec<Category>,
}

/// A purpose to be added.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AddPurposeBody {
    key: Slug,
    title: Name,
    #[serde(default)]
    description: Option<Line>,
    /// An objection is absolute (GDPR Art. 21(3)).
    direct_marketing: bool,
    /// An opt-out of sale or sharing counts.
    sale: bool,
}

/// A data category to be added.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AddCategoryBody {
    key: Slug,
    title: Name,
    #[serde(default)]
    description: Option<Line>,
    /// Special category (GDPR Art. 9).
    special: bool,
}

/// The vocabulary of purposes and data categories that are offered.
#[utoipa::path(get, path = "/api/v1/vocabulary", tag = "vocabulary", security(("staff" = [])), responses((status = 200, body = Vocabulary), (status = "4XX", body = Problem)))]
pub async fn vocabulary(request: HttpRequest, app: Tidegate, _by: Allowed<Read>) -> Answer {
    let offered = terms::load(&app).await.map(|all| Vocabulary {
        purposes: all.offered_purposes().cloned().collect(),
        categories: all.offered_categories().cloned().collect(),
    });
    shown(&request, offered)
}

/// Every purpose: those that come with the house and its own, retired ones too.
#[utoipa::path(get, path = "/api/v1/vocabulary/purposes", tag = "vocabulary", security(("staff" = [])), responses((status = 200, body = List<Purpose>), (status = "4XX", body = Problem)))]
pub async fn purposes(request: HttpRequest, app: Tidegate, _by: Allowed<Read>) -> Answer {
    shown(&request, terms::load(&app).await.map(|all| List::whole(all.purposes().to_vec())))
}

/// Add a purpose of the house's own. It is never edited.
#[utoipa::path(post, path = "/api/v1/vocabulary/purposes", tag = "vocabulary", security(("staff" = [])), request_body = AddPurposeBody, responses((status = 201, body = Purpose), (status = "4XX", body = Problem)))]
pub async fn add_purpose(request: HttpRequest, app: Tidegate, by: Allowed<ManageVocabulary>, body: Json<AddPurposeBody>) -> Answer {
    let AddPurposeBody { key, title, description, direct_marketing, sale } = body.0;
    created(&request, terms::add_purpose(&app, by.actor(), Adding { key, title, description }, direct_marketing, sale).await)
}

/// Retire a purpose of the house's own: it is not offered any more, and stays valid where it is used.
#[utoipa::path(post, path = "/api/v1/vocabulary/purposes/{key}/retire", tag = "vocabulary", security(("staff" = [])), params(("key" = String, Path)), responses((status = 200, body = Term), (status = "4XX", body = Problem)))]
pub async fn retire_purpose(request: HttpRequest, app: Tidegate, by: Allowed<ManageVocabulary>) -> Answer {
    let key = segment(&request, "key", "purpose")?;
    shown(&request, terms::retire(&app, by.actor(), TermKind::Purpose, key).await)
}

/// Offer a retired purpose again.
#[utoipa::path(post, path = "/api/v1/vocabulary/purposes/{key}/restore", tag = "vocabulary", security(("staff" = [])), params(("key" = String, Path)), responses((status = 200, body = Term), (status = "4XX", body = Problem)))]
pub async fn restore_purpose(request: HttpRequest, app: Tidegate, by: Allowed<ManageVocabulary>) -> Answer {
    let key = segment(&request, "key", "purpose")?;
    shown(&request, terms::restore(&app, by.actor(), TermKind::Purpose, key).await)
}

/// Every data category: those that come with the house and its own, retired ones too.
#[utoipa::path(get, path = "/api/v1/vocabulary/categories", tag = "vocabulary", security(("staff" = [])), responses((status = 200, body = List<Category>), (status = "4XX", body = Problem)))]
pub async fn categories(request: HttpRequest, app: Tidegate, _by: Allowed<Read>) -> Answer {
    shown(&request, terms::load(&app).await.map(|all| List::whole(all.categories().to_vec())))
}

/// Add a data category of the house's own. It is never edited.
#[utoipa::path(post, path = "/api/v1/vocabulary/categories", tag = "vocabulary", security(("staff" = [])), request_body = AddCategoryBody, responses((status = 201, body = Category), (status = "4XX", body = Problem)))]
pub async fn add_category(request: HttpRequest, app: Tidegate, by: Allowed<ManageVocabulary>, body: Json<AddCategoryBody>) -> Answer {
    let AddCategoryBody { key, title, description, special } = body.0;
    created(&request, terms::add_category(&app, by.actor(), Adding { key, title, description }, special).await)
}

/// Retire a data category of the house's own: it is not offered any more, and stays valid where it is used.
#[utoipa::path(post, path = "/api/v1/vocabulary/categories/{key}/retire", tag = "vocabulary", security(("staff" = [])), params(("key" = String, Path)), responses((status = 200, body = Term), (status = "4XX", body = Problem)))]
pub async fn retire_category(request: HttpRequest, app: Tidegate, by: Allowed<ManageVocabulary>) -> Answer {
    let key = segment(&request, "key", "data category")?;
    shown(&request, terms::retire(&app, by.actor(), TermKind::Category, key).await)
}

/// Offer a retired data category again.
#[utoipa::path(post, path = "/api/v1/vocabulary/categories/{key}/restore", tag = "vocabulary", security(("staff" = [])), params(("key" = String, Path)), responses((status = 200, body = Term), (status = "4XX", body = Problem)))]
pub async fn restore_category(request: HttpRequest, app: Tidegate, by: Allowed<ManageVocabulary>) -> Answer {
    let key = segment(&request, "key", "data category")?;
    shown(&request, terms::restore(&app, by.actor(), TermKind::Category, key).await)
}

/// The questionnaires of the house.
#[utoipa::path(get, path = "/api/v1/questionnaires", tag = "vocabulary", security(("staff" = [])), responses((status = 200, body = List<Template>), (status = "4XX", body = Problem)))]
pub async fn questionnaires(request: HttpRequest, _app: Tidegate, _by: Allowed<Read>) -> Answer {
    let templates = questionnaires::builtin().map(|templates| List::whole(templates.to_vec()));
    shown(&request, templates.map_err(Into::into))
}
