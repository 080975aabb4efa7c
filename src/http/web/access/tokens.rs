//! Plain tokens for vendors without OAuth: permits are ticked, a last day is chosen, and a link is passed on.

use std::collections::BTreeSet;

use actix_web::HttpRequest;
use actix_web::http::StatusCode;
use askama::Template;

use crate::app::access::plain_tokens::{self, IssuingToken, MOST_DAYS};
use crate::app::access::{self, HandOver, Handed};
use crate::app::{App, AppError};
use crate::domain::Invalid;
use crate::domain::client::Client;
use crate::domain::text::Slug;
use crate::domain::time::Date;
use crate::http::api::Tidegate;
use crate::http::guard::ManageAccess;
use crate::policy::Denied;

use super::super::answer::render;
use super::super::form::Typed;
use super::super::guard::{Sent, Visitor, wanted};
use super::super::lead::see_other;
use super::super::page::{Frame, Section};
use super::super::parts::{Choice, Crumb};
use super::super::words;
use super::{Answer, client_id, crumbs, link};

/// How long a token lives where nothing else is chosen, in days.
const DAYS: i64 = 90;

#[derive(Template)]
#[template(path = "access/token.html")]
struct TokenPage {
    frame: Frame,
    crumbs: Vec<Crumb>,
    client: Client,
    permits: Vec<Choice>,
    typed: Typed,
    /// The last day that may be chosen, in words.
    last: String,
}

impl TokenPage {
    fn back(&self) -> String {
        format!("/clients/{}", self.client.id)
    }
}

/// The form.
pub async fn ask(request: HttpRequest, app: Tidegate, by: Visitor<ManageAccess>) -> Answer {
    let until = app.clock.now().date().plus_days(DAYS);
    page(&request, &app, &by, (StatusCode::OK, Typed::default().with("ends_on", until))).await
}

async fn page(request: &HttpRequest, app: &App, by: &Visitor<ManageAccess>, (status, typed): (StatusCode, Typed)) -> Answer {
    let client = by.want(request, access::find(app, client_id(request, by)?).await)?;
    if client.revoked_at.is_some() {
        let denied = Denied::State("This client is revoked; it gets no token.".to_owned());
        return Err(by.refuse(request, AppError::from(denied)));
    }
    let (_, keys) = by.want(request, access::issuable(app, client.vendor.clone()).await)?;
    let permits = keys.iter().filter(|key| client.may_ask(key)).map(|key| Choice::new(key.as_str(), key.as_str())).collect();
    let last = words::date(&app.clock.now().date().plus_days(MOST_DAYS - 1));
    let frame = by.frame(request, "Issue a plain token", Section::Access);
    Ok(render(request, status, &TokenPage { frame, crumbs: crumbs(&client), client, permits, typed, last }))
}

/// Issues the token and shows the link to it, this once.
pub async fn issue(request: HttpRequest, app: Tidegate, sent: Sent<ManageAccess>) -> Answer {
    let Sent { by, typed } = sent;
    let id = client_id(&request, &by)?;
    let mut errors = Vec::new();
    let day = wanted::<Date>(&typed, "ends_on", &mut errors);
    let permits: Result<BTreeSet<Slug>, Invalid> = typed.all("permits").map(str::parse).collect();
    let permits = permits.map_err(|_| errors.push(Invalid::new("permits", "must be permits of this client"))).ok();
    let (Some(day), Some(permits)) = (day, permits) else {
        return page(&request, &app, &by, (StatusCode::UNPROCESSABLE_ENTITY, typed.refused(errors))).await;
    };
    let issuing = IssuingToken { permits, expires_at: day.end(), hand_over: HandOver::Link };
    match plain_tokens::issue(&app, &by.actor(), id.clone(), issuing).await {
        Ok((_, Handed::Link { link, ends_at })) => {
            let client = by.want(&request, access::find(&app, id).await)?;
            link::token(&request, &app, &by, client, (&link, ends_at))
        }
        Ok((_, Handed::Shown(_) | Handed::Nothing)) => Ok(see_other(format!("/clients/{id}"))),
        Err(AppError::Invalid(error) | AppError::Denied(Denied::Invalid(error))) => {
            let error = if error.field == "expires_at" { Invalid::new("ends_on", error.reason) } else { error };
            page(&request, &app, &by, (StatusCode::UNPROCESSABLE_ENTITY, typed.refused([error]))).await
        }
        Err(error) => Err(by.refuse(&request, error)),
    }
}
