//! From where a client may ask: a list of addresses and ranges, one a line.

use actix_web::HttpRequest;
use actix_web::http::StatusCode;
use askama::Template;

use crate::app::access;
use crate::app::{App, AppError};
use crate::domain::Invalid;
use crate::domain::address::{self, AddressRange};
use crate::domain::client::Client;
use crate::http::api::Tidegate;
use crate::http::guard::ManageAccess;
use crate::policy::Denied;

use super::super::answer::render;
use super::super::form::Typed;
use super::super::guard::{Sent, Visitor};
use super::super::lead::see_other_saying;
use super::super::page::{Frame, Section};
use super::super::parts::Crumb;
use super::{Answer, client_id, crumbs};

#[derive(Template)]
#[template(path = "access/addresses.html")]
struct AddressesPage {
    frame: Frame,
    crumbs: Vec<Crumb>,
    client: Client,
    typed: Typed,
    /// What somebody else did meanwhile.
    meanwhile: String,
}

impl AddressesPage {
    fn back(&self) -> String {
        format!("/clients/{}", self.client.id)
    }
}

/// The addresses of a form, one a line.
pub fn read(typed: &Typed) -> Result<Vec<AddressRange>, Invalid> {
    let lines = typed.value("addresses").lines().map(str::trim).enumerate().filter(|(_, line)| !line.is_empty());
    let read = |(at, line): (usize, &str)| {
        let named = |error: Invalid| Invalid::new("addresses", format!("{} in line {}", error.reason, at.saturating_add(1)));
        line.parse::<AddressRange>().map_err(named)
    };
    let ranges = lines.map(read).collect::<Result<Vec<_>, _>>()?;
    address::check(&ranges).map(|()| ranges)
}

/// From where a client may ask, in words.
pub fn said(client: &Client) -> String {
    if client.addresses.is_empty() { "everywhere".to_owned() } else { written(client, ", ") }
}

fn written(client: &Client, between: &str) -> String {
    client.addresses.iter().map(ToString::to_string).collect::<Vec<_>>().join(between)
}

fn filled(client: &Client) -> Typed {
    Typed::default().with("addresses", written(client, "\n")).with("read", client.version)
}

/// The form with the addresses as they are.
pub async fn ask(request: HttpRequest, app: Tidegate, by: Visitor<ManageAccess>) -> Answer {
    let id = client_id(&request, &by)?;
    let client = by.want(&request, access::find(&app, id).await)?;
    let typed = filled(&client);
    page(&request, &by, client, typed, (StatusCode::OK, String::new()))
}

fn page(
    request: &HttpRequest,
    by: &Visitor<ManageAccess>,
    client: Client,
    typed: Typed,
    (status, meanwhile): (StatusCode, String),
) -> Answer {
    if client.revoked_at.is_some() {
        let denied = Denied::State("This client is revoked; nothing of it is taken from anywhere.".to_owned());
        return Err(by.refuse(request, AppError::from(denied)));
    }
    let frame = by.frame(request, "From where may it ask?", Section::Access);
    Ok(render(request, status, &AddressesPage { frame, crumbs: crumbs(&client), client, typed, meanwhile }))
}

async fn again(request: &HttpRequest, app: &App, by: &Visitor<ManageAccess>, typed: Typed, error: Invalid) -> Answer {
    let client = by.want(request, access::find(app, client_id(request, by)?).await)?;
    page(request, by, client, typed.refused([error]), (StatusCode::UNPROCESSABLE_ENTITY, String::new()))
}

/// Saves the list.
pub async fn save(request: HttpRequest, app: Tidegate, sent: Sent<ManageAccess>) -> Answer {
    let Sent { by, typed } = sent;
    let id = client_id(&request, &by)?;
    let ranges = match read(&typed) {
        Ok(ranges) => ranges,
        Err(error) => return again(&request, &app, &by, typed, error).await,
    };
    let version = typed.value("read").parse::<i64>().unwrap_or(0);
    match access::set_addresses(&app, &by.actor(), id.clone(), version, ranges).await {
        Ok(client) => Ok(see_other_saying(&request, format!("/clients/{id}"), &format!("It may ask from {}.", said(&client)))),
        Err(AppError::Stale) => {
            let client = by.want(&request, access::find(&app, id).await)?;
            let meanwhile = format!("Somebody changed this client meanwhile: it may ask from {} now.", said(&client));
            let typed = Typed::default().with("addresses", typed.value("addresses")).with("read", client.version);
            page(&request, &by, client, typed, (StatusCode::CONFLICT, meanwhile))
        }
        Err(AppError::Invalid(error)) => again(&request, &app, &by, typed, error).await,
        Err(error) => Err(by.refuse(&request, error)),
    }
}
