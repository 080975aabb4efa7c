//! What ends an agreement: the end itself, and the destruction of the key under its pseudonyms. Both say first what stops.

use actix_web::HttpRequest;
use actix_web::http::StatusCode;
use askama::Template;

use crate::app::stops::{self, StopOf};
use crate::app::{App, agreements};
use crate::domain::Invalid;
use crate::domain::text::Reason;
use crate::http::api::Tidegate;
use crate::http::guard::{Approve, Stop};
use crate::http::web::answer::render;
use crate::http::web::form::Typed;
use crate::http::web::guard::{Sent, Visitor, wanted};
use crate::http::web::lead::see_other_saying;
use crate::http::web::page::{Frame, Section};
use crate::http::web::shown;

use super::head::{Head, Open, head};
use super::show::version_of;
use super::{Answer, id_of};

/// What the fields are called.
pub const LABELS: &[(&str, &str)] = &[("reason", "Reason"), ("reference", "Reference of the agreement")];

#[derive(Template)]
#[template(path = "agreements/stop.html")]
struct StopPage {
    frame: Frame,
    head: Head,
    typed: Typed,
    action: String,
    title: String,
    stops: Vec<String>,
    button: &'static str,
    /// The reference that must be typed, where the act can't be undone.
    typed_again: String,
}

/// Which of the two acts a page is about.
#[derive(Clone, Copy, PartialEq, Eq)]
enum What {
    End,
    DestroyKey,
}

async fn page<P>(request: &HttpRequest, app: &App, by: &Visitor<P>, what: What, status: StatusCode, typed: Typed) -> Answer {
    let id = id_of(request, by)?;
    let sheet = by.want(request, agreements::sheet(app, id.clone()).await)?;
    let version = version_of(request, by, &sheet, None)?;
    let reference = sheet.view.agreement.reference.to_string();
    let base = format!("/agreements/{id}");
    let (title, action, button, stops, typed_again) = match what {
        What::End => {
            let frame = by.frame(request, "", Section::Agreements);
            let stops = by.want(request, stops::preview(app, StopOf::Agreement(id)).await)?;
            (format!("End {reference}"), format!("{base}/end"), "End the agreement", shown::stops(&stops, frame.now), String::new())
        }
        What::DestroyKey => {
            let stops = vec![
                "Pseudonyms that were released under this agreement can't be linked to anything any more".to_owned(),
                "Nobody can undo it; backups that hold the database together with the master key still can".to_owned(),
            ];
            (format!("Destroy the key of {reference}"), format!("{base}/destroy-key"), "Destroy the key", stops, reference)
        }
    };
    let frame = by.frame(request, title.clone(), Section::Agreements);
    let head = head(&frame, &by.actor(), &sheet, version, Open::None);
    Ok(render(request, status, &StopPage { frame, head, typed, action, title, stops, button, typed_again }))
}

/// What ending it stops.
pub async fn ending(request: HttpRequest, app: Tidegate, by: Visitor<Stop>) -> Answer {
    page(&request, &app, &by, What::End, StatusCode::OK, Typed::default()).await
}

/// Ends it.
pub async fn end(request: HttpRequest, app: Tidegate, sent: Sent<Stop>) -> Answer {
    let Sent { by, typed } = sent;
    let id = id_of(&request, &by)?;
    let mut errors = Vec::new();
    let Some(reason) = wanted::<Reason>(&typed, "reason", &mut errors) else {
        return page(&request, &app, &by, What::End, StatusCode::UNPROCESSABLE_ENTITY, typed.refused(errors)).await;
    };
    by.want(&request, agreements::end(&app, &by.actor(), id.clone(), reason).await)?;
    Ok(see_other_saying(&request, format!("/agreements/{id}"), "The agreement has ended: every pull on it is refused from now on."))
}

/// What destroying the key does.
pub async fn destroying(request: HttpRequest, app: Tidegate, by: Visitor<Approve>) -> Answer {
    page(&request, &app, &by, What::DestroyKey, StatusCode::OK, Typed::default()).await
}

/// Destroys the key, where its agreement's reference was typed.
pub async fn destroy(request: HttpRequest, app: Tidegate, sent: Sent<Approve>) -> Answer {
    let Sent { by, typed } = sent;
    let id = id_of(&request, &by)?;
    let mut errors = Vec::new();
    let reason = wanted::<Reason>(&typed, "reason", &mut errors);
    let reference = by.want(&request, agreements::find(&app, id.clone()).await)?.agreement.reference;
    if typed.value("reference") != reference.as_str() {
        errors.push(Invalid::new("reference", "must be typed exactly as it stands above"));
    }
    let (Some(reason), true) = (reason, errors.is_empty()) else {
        return page(&request, &app, &by, What::DestroyKey, StatusCode::UNPROCESSABLE_ENTITY, typed.refused(errors)).await;
    };
    by.want(&request, agreements::destroy_key(&app, &by.actor(), id.clone(), reason).await)?;
    Ok(see_other_saying(&request, format!("/agreements/{id}"), "The key is destroyed: its pseudonyms link to nothing any more."))
}
