//! Reversible tokens turned back: a form that asks which and why, and the values below it, once and for this answer only.

use actix_web::HttpRequest;
use actix_web::http::StatusCode;
use askama::Template;

use crate::app::permits::{self, RevealedToken, Revealing};
use crate::app::{App, AppError};
use crate::domain::Invalid;
use crate::domain::text::{FieldName, Reason};
use crate::http::api::Tidegate;
use crate::http::guard::RevealTokens;
use crate::http::web::agreements::{Answer, complaints};
use crate::http::web::answer::render;
use crate::http::web::form::Typed;
use crate::http::web::guard::{Sent, Visitor, wanted};
use crate::http::web::page::{Frame, Section};
use crate::http::web::parts::{Choice, Crumb};

use super::key_of;

/// The names of the form's fields, for its complaints.
pub const LABELS: &[(&str, &str)] = &[("field", "Field"), ("tokens", "Tokens"), ("reason", "Reason")];

#[derive(Template)]
#[template(path = "permits/tokens.html")]
struct TokensPage {
    frame: Frame,
    crumbs: Vec<Crumb>,
    typed: Typed,
    key: String,
    fields: Vec<Choice>,
    revealed: Vec<RevealedToken>,
}

async fn page<P>(
    request: &HttpRequest,
    app: &App,
    by: &Visitor<P>,
    status: StatusCode,
    typed: Typed,
    revealed: Vec<RevealedToken>,
) -> Answer {
    let key = key_of(request, by)?;
    let fields = by.want(request, permits::tokenised(app, key.clone()).await)?;
    let crumbs = vec![
        Crumb { href: "/permits".to_owned(), label: "Permits".to_owned() },
        Crumb { href: format!("/permits/{key}"), label: key.to_string() },
    ];
    let frame = by.frame(request, format!("Turn tokens of {key} back"), Section::Permits);
    let fields = fields.iter().map(|field| Choice::new(field.as_str(), field.as_str())).collect();
    Ok(render(request, status, &TokensPage { frame, crumbs, typed, key: key.to_string(), fields, revealed }))
}

/// The form.
pub async fn asking(request: HttpRequest, app: Tidegate, by: Visitor<RevealTokens>) -> Answer {
    page(&request, &app, &by, StatusCode::OK, Typed::default(), Vec::new()).await
}

/// The values.
pub async fn reveal(request: HttpRequest, app: Tidegate, sent: Sent<RevealTokens>) -> Answer {
    let Sent { by, typed } = sent;
    let key = key_of(&request, &by)?;
    let mut errors = Vec::new();
    let field = wanted::<FieldName>(&typed, "field", &mut errors);
    let reason = wanted::<Reason>(&typed, "reason", &mut errors);
    let tokens: Vec<String> = typed.value("tokens").split_whitespace().map(str::to_owned).collect();
    if tokens.is_empty() {
        errors.push(Invalid::new("tokens", "must name at least one"));
    }
    let (Some(field), Some(reason), true) = (field, reason, errors.is_empty()) else {
        return page(&request, &app, &by, StatusCode::UNPROCESSABLE_ENTITY, typed.refused(errors), Vec::new()).await;
    };
    match permits::reveal(&app, &by.actor(), key, Revealing { field, tokens, reason }).await {
        Ok(revealed) => page(&request, &app, &by, StatusCode::OK, Typed::default(), revealed.tokens).await,
        Err(error) => refused(&request, &app, &by, typed, error).await,
    }
}

async fn refused(request: &HttpRequest, app: &App, by: &Visitor<RevealTokens>, typed: Typed, error: AppError) -> Answer {
    match complaints(error) {
        Ok(errors) => page(request, app, by, StatusCode::UNPROCESSABLE_ENTITY, typed.refused(errors), Vec::new()).await,
        Err(error) => Err(by.refuse(request, error)),
    }
}
