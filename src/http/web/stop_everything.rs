//! The kill switch through a browser: what stops is told first, and both acts are meant, since their words are typed.

use actix_web::http::StatusCode;
use actix_web::{Error, HttpRequest, HttpResponse};
use askama::Template;

use crate::app::kill_switch::{self, LIFT_WORDS, STOP_WORDS};
use crate::app::stops::{self, StopOf};
use crate::app::{App, AppError};
use crate::domain::kill_switch::KillSwitch;
use crate::domain::person::Actor;
use crate::domain::text::Reason;
use crate::http::api::Tidegate;
use crate::http::guard::{LiftStop, Read, Stop};
use crate::policy::access::Permission;

use super::answer::render;
use super::form::Typed;
use super::guard::{Sent, Visitor, wanted};
use super::lead::see_other_saying;
use super::page::{Frame, Section};

type Answer = Result<HttpResponse, Error>;

/// What the fields are called.
pub const LABELS: &[(&str, &str)] = &[("reason", "Reason"), ("confirm", "The words")];

const PAGE: &str = "/stop-everything";

#[derive(Template)]
#[template(path = "settings/stop_everything.html")]
struct SwitchPage {
    frame: Frame,
    typed: Typed,
    stops: Vec<String>,
    stop_words: &'static str,
    lift_words: &'static str,
    /// Whether everything is stopped.
    stopped: bool,
    may_stop: bool,
    may_lift: bool,
}

/// What would stop, or what is stopped, and what can be done about it.
pub async fn show(request: HttpRequest, app: Tidegate, by: Visitor<Read>) -> Answer {
    page(&request, &app, &by, StatusCode::OK, Typed::default()).await
}

async fn page<P>(request: &HttpRequest, app: &App, by: &Visitor<P>, status: StatusCode, typed: Typed) -> Answer {
    let preview = by.want(request, stops::preview(app, StopOf::Everything).await)?;
    let frame = by.frame(request, "Stop everything", Section::StopEverything);
    let mut stops = super::shown::stops(&preview, frame.now);
    stops.insert(0, "Every release to every vendor, from the next request on; running streams at their next piece".to_owned());
    stops.insert(1, "Every token, also the long-lived ones of vendors without OAuth: those must be issued anew afterwards".to_owned());
    let stopped = by.current().stopped.is_some();
    let page = SwitchPage {
        stopped,
        typed,
        stops,
        stop_words: STOP_WORDS,
        lift_words: LIFT_WORDS,
        may_stop: by.may(Permission::Stop) && !stopped,
        may_lift: by.may(Permission::LiftStop) && stopped,
        frame,
    };
    Ok(render(request, status, &page))
}

/// Stops everything.
pub async fn stop(request: HttpRequest, app: Tidegate, sent: Sent<Stop>) -> Answer {
    let said = "Everything is stopped: no release follows, to any vendor.";
    act(&request, &app, sent, said, async |by, reason, words| kill_switch::stop(&app, by, reason, words).await).await
}

/// Lets releases go on.
pub async fn lift(request: HttpRequest, app: Tidegate, sent: Sent<LiftStop>) -> Answer {
    let said = "Releases go on. Tokens from before stay refused.";
    act(&request, &app, sent, said, async |by, reason, words| kill_switch::lift(&app, by, reason, words).await).await
}

/// Does what is confirmed by a reason and words; what is wrong with these is said beside them.
async fn act<P>(
    request: &HttpRequest,
    app: &App,
    sent: Sent<P>,
    said: &str,
    doing: impl AsyncFnOnce(&Actor, Reason, &str) -> Result<KillSwitch, AppError>,
) -> Answer {
    let Sent { by, typed } = sent;
    let mut errors = Vec::new();
    let Some(reason) = wanted::<Reason>(&typed, "reason", &mut errors) else {
        return page(request, app, &by, StatusCode::UNPROCESSABLE_ENTITY, typed.refused(errors)).await;
    };
    match doing(&by.actor(), reason, typed.value("confirm")).await {
        Ok(_) => Ok(see_other_saying(request, PAGE, said)),
        Err(AppError::Invalid(error)) => page(request, app, &by, StatusCode::UNPROCESSABLE_ENTITY, typed.refused([error])).await,
        Err(error) => Err(by.refuse(request, error)),
    }
}
