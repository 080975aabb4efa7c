//! The words that agreements, permits and questionnaires are written in.

use actix_web::HttpRequest;
use serde::Serialize;
use utoipa::ToSchema;

use crate::app::questionnaires;
use crate::domain::purpose::{CATEGORIES, CategoryTerm, PURPOSES, PurposeTerm};
use crate::domain::questionnaire::Template;
use crate::http::error::Problem;
use crate::http::guard::{Allowed, Read};

use super::{Answer, List, Tidegate, shown};

/// Purposes and data categories.
#[derive(Serialize, ToSchema)]
pub struct Vocabulary {
    purposes: &'static [PurposeTerm],
    categories: &'static [CategoryTerm],
}

/// The vocabulary of purposes and data categories.
#[utoipa::path(get, path = "/api/v1/vocabulary", tag = "vocabulary", security(("staff" = [])), responses((status = 200, body = Vocabulary), (status = "4XX", body = Problem)))]
pub async fn vocabulary(request: HttpRequest, _app: Tidegate, _by: Allowed<Read>) -> Answer {
    shown(&request, Ok(Vocabulary { purposes: PURPOSES, categories: CATEGORIES }))
}

/// The questionnaires of the house.
#[utoipa::path(get, path = "/api/v1/questionnaires", tag = "vocabulary", security(("staff" = [])), responses((status = 200, body = List<Template>), (status = "4XX", body = Problem)))]
pub async fn questionnaires(request: HttpRequest, _app: Tidegate, _by: Allowed<Read>) -> Answer {
    let templates = questionnaires::builtin().map(|templates| List::whole(templates.to_vec()));
    shown(&request, templates.map_err(Into::into))
}
