//! Pausing, resuming and ending a permit: each asks why, and says first what stops.

use actix_web::HttpRequest;
use actix_web::http::StatusCode;
use askama::Template;

use crate::app::permits;
use crate::app::stops::{self, StopOf};
use crate::app::{App, AppError};
use crate::domain::text::Reason;
use crate::http::api::Tidegate;
use crate::http::guard::{Approve, Stop};
use crate::http::web::agreements::Answer;
use crate::http::web::answer::render;
use crate::http::web::form::Typed;
use crate::http::web::guard::{Sent, Visitor, wanted};
use crate::http::web::lead::see_other_saying;
use crate::http::web::page::{Frame, Section};
use crate::http::web::parts::Crumb;
use crate::http::web::shown;
use crate::policy::permit as policy;

use super::key_of;

#[derive(Template)]
#[template(path = "permits/stop.html")]
struct StopPage {
    frame: Frame,
    crumbs: Vec<Crumb>,
    typed: Typed,
    key: String,
    action: String,
    title: String,
    /// What stops; empty for what lets something go on.
    stops: Vec<String>,
    button: &'static str,
}

impl StopPage {
    fn back(&self) -> String {
        format!("/permits/{}", self.key)
    }
}

/// Which act a page is about.
#[derive(Clone, Copy, PartialEq, Eq)]
enum What {
    Pause,
    Resume,
    End,
}

impl What {
    const fn words(self) -> (&'static str, &'static str, &'static str) {
        match self {
            Self::Pause => ("Pause", "pause", "Pause the permit"),
            Self::Resume => ("Resume", "resume", "Resume the permit"),
            Self::End => ("End", "end", "End the permit"),
        }
    }
}

async fn page<P>(request: &HttpRequest, app: &App, by: &Visitor<P>, what: What, status: StatusCode, typed: Typed) -> Answer {
    let key = key_of(request, by)?;
    let permit = by.want(request, permits::find(app, key.clone()).await)?.permit;
    let can = match what {
        What::Pause => policy::pause(permit, app.clock.now()),
        What::Resume => policy::resume(permit, &by.actor()),
        What::End => policy::end(permit, app.clock.now()),
    };
    by.want(request, can.map_err(AppError::from))?;
    let stops = by.want(request, stops::preview(app, StopOf::Permit(key.clone())).await)?;
    let (verb, path, button) = what.words();
    let title = format!("{verb} {key}");
    let frame = by.frame(request, title.clone(), Section::Permits);
    let crumbs = vec![
        Crumb { href: "/permits".to_owned(), label: "Permits".to_owned() },
        Crumb { href: format!("/permits/{key}"), label: key.to_string() },
    ];
    let stops = if what == What::Resume { Vec::new() } else { shown::stops(&stops, frame.now) };
    let action = format!("/permits/{key}/{path}");
    Ok(render(request, status, &StopPage { frame, crumbs, typed, key: key.to_string(), action, title, stops, button }))
}

async fn act<P>(request: &HttpRequest, app: &App, sent: Sent<P>, what: What) -> Answer {
    let Sent { by, typed } = sent;
    let key = key_of(request, &by)?;
    let mut errors = Vec::new();
    let Some(reason) = wanted::<Reason>(&typed, "reason", &mut errors) else {
        return page(request, app, &by, what, StatusCode::UNPROCESSABLE_ENTITY, typed.refused(errors)).await;
    };
    let actor = by.actor();
    let (done, said): (Result<_, AppError>, _) = match what {
        What::Pause => (
            permits::pause(app, &actor, key.clone(), reason).await,
            "The permit is paused: every pull on it is refused until it is resumed.",
        ),
        What::Resume => (permits::resume(app, &actor, key.clone(), reason).await, "The permit goes on."),
        What::End => {
            (permits::end(app, &actor, key.clone(), reason).await, "The permit has ended: every pull on it is refused from now on.")
        }
    };
    by.want(request, done)?;
    Ok(see_other_saying(request, format!("/permits/{key}"), said))
}

/// What pausing stops.
pub async fn pausing(request: HttpRequest, app: Tidegate, by: Visitor<Stop>) -> Answer {
    page(&request, &app, &by, What::Pause, StatusCode::OK, Typed::default()).await
}

/// Pauses it.
pub async fn pause(request: HttpRequest, app: Tidegate, sent: Sent<Stop>) -> Answer {
    act(&request, &app, sent, What::Pause).await
}

/// The form that asks why it goes on.
pub async fn resuming(request: HttpRequest, app: Tidegate, by: Visitor<Approve>) -> Answer {
    page(&request, &app, &by, What::Resume, StatusCode::OK, Typed::default()).await
}

/// Lets it go on.
pub async fn resume(request: HttpRequest, app: Tidegate, sent: Sent<Approve>) -> Answer {
    act(&request, &app, sent, What::Resume).await
}

/// What ending stops.
pub async fn ending(request: HttpRequest, app: Tidegate, by: Visitor<Stop>) -> Answer {
    page(&request, &app, &by, What::End, StatusCode::OK, Typed::default()).await
}

/// Ends it for good.
pub async fn end(request: HttpRequest, app: Tidegate, sent: Sent<Stop>) -> Answer {
    act(&request, &app, sent, What::End).await
}
