//! People and roles, for administrators: invite, change, let back in, and shut out at once.

use actix_web::http::StatusCode;
use actix_web::{Error, HttpRequest, HttpResponse};
use askama::Template;

use crate::app::{App, AppError, password_links, people, second_factor};
use crate::domain::Invalid;
use crate::domain::id::PersonId;
use crate::domain::person::{Person, Role};
use crate::domain::text::{Email, Name};
use crate::http::api::Tidegate;
use crate::http::guard::ManagePeople;
use crate::policy::Denied;

use super::answer::render;
use super::error::Wire;
use super::form::Typed;
use super::guard::{Sent, Visitor, wanted};
use super::lead::see_other_saying;
use super::page::{Frame, Section};
use super::parts::Choice;
use super::words;

type By = Visitor<ManagePeople>;
type Form = Sent<ManagePeople>;
type Answer = Result<HttpResponse, Error>;

/// What the fields are called.
pub const LABELS: &[(&str, &str)] = &[("name", "Name"), ("email", "E-mail address"), ("role", "Role"), ("person", "Person")];

#[derive(Template)]
#[template(path = "settings/people.html")]
struct PeoplePage {
    frame: Frame,
    people: Vec<Person>,
}

#[derive(Template)]
#[template(path = "settings/invite.html")]
struct InvitePage {
    frame: Frame,
    typed: Typed,
    roles: Vec<Choice>,
}

#[derive(Template)]
#[template(path = "settings/person.html")]
struct PersonPage {
    frame: Frame,
    typed: Typed,
    roles: Vec<Choice>,
    person: Person,
    is_self: bool,
    factor: bool,
    /// As it is stored, where somebody else changed it meanwhile.
    other: Option<Person>,
}

#[derive(Template)]
#[template(path = "settings/link.html")]
struct LinkPage {
    frame: Frame,
    person: Person,
    link: String,
}

fn roles() -> Vec<Choice> {
    Role::ALL.into_iter().map(|role| Choice::new(role.key(), words::role(&role)).hinted(words::duty(&role))).collect()
}

/// Everybody.
pub async fn list(request: HttpRequest, app: Tidegate, by: By) -> Answer {
    let people = by.want(&request, people::list(&app).await)?;
    Ok(render(&request, StatusCode::OK, &PeoplePage { frame: by.frame(&request, "People", Section::Settings), people }))
}

/// The form for a new person.
pub async fn new(request: HttpRequest, by: By) -> Answer {
    Ok(invite_page(&request, &by, StatusCode::OK, Typed::default()))
}

fn invite_page(request: &HttpRequest, by: &By, status: StatusCode, typed: Typed) -> HttpResponse {
    render(request, status, &InvitePage { frame: by.frame(request, "Invite a person", Section::Settings), typed, roles: roles() })
}

/// Adds a person and shows their link once.
pub async fn invite(request: HttpRequest, app: Tidegate, sent: Form) -> Answer {
    let Form { by, typed } = sent;
    let mut errors = Vec::new();
    let email = wanted::<Email>(&typed, "email", &mut errors);
    let name = wanted::<Name>(&typed, "name", &mut errors);
    let role = role_of(&typed, &mut errors);
    let (Some(email), Some(name), Some(role)) = (email, name, role) else {
        return Ok(invite_page(&request, &by, StatusCode::UNPROCESSABLE_ENTITY, typed.refused(errors)));
    };
    match password_links::invite(&app, &by.actor(), email, name, role).await {
        Ok((person, link)) => {
            let frame = by.frame(&request, "Hand over this link", Section::Settings);
            Ok(render(&request, StatusCode::OK, &LinkPage { frame, person, link: password_links::address(&app, &link) }))
        }
        Err(AppError::Taken(_)) => {
            let error = Invalid::new("email", "is taken by somebody who is here already");
            Ok(invite_page(&request, &by, StatusCode::CONFLICT, typed.refused([error])))
        }
        Err(error) => Err(by.refuse(&request, error)),
    }
}

fn role_of(typed: &Typed, errors: &mut Vec<Invalid>) -> Option<Role> {
    let role = Role::from_key(typed.value("role"));
    if role.is_none() {
        errors.push(Invalid::new("role", "must be chosen"));
    }
    role
}

fn id_of(request: &HttpRequest, by: &By) -> Result<PersonId, Error> {
    request.match_info().query("id").parse().map_err(|_| by.wire(request, Wire::NotFound))
}

fn filled(person: &Person) -> Typed {
    Typed::default().with("name", &person.name).with("role", person.role.key()).with("version", person.version)
}

async fn person_page(request: &HttpRequest, app: &App, by: &By, person: Person, shown: (StatusCode, Typed, Option<Person>)) -> Answer {
    let (status, typed, other) = shown;
    let factor = by.want(request, second_factor::state(app, person.id.clone()).await)?.since.is_some();
    let is_self = by.current().person.id == person.id;
    let frame = by.frame(request, person.name.to_string(), Section::Settings);
    Ok(render(request, status, &PersonPage { frame, typed, roles: roles(), person, is_self, factor, other }))
}

/// One person.
pub async fn show(request: HttpRequest, app: Tidegate, by: By) -> Answer {
    let id = id_of(&request, &by)?;
    let person = by.want(&request, people::find(&app, id).await)?;
    let typed = filled(&person);
    person_page(&request, &app, &by, person, (StatusCode::OK, typed, None)).await
}

/// Changes name and role.
pub async fn change(request: HttpRequest, app: Tidegate, sent: Form) -> Answer {
    let Form { by, typed } = sent;
    let id = id_of(&request, &by)?;
    let mut errors = Vec::new();
    let name = wanted::<Name>(&typed, "name", &mut errors);
    let role = role_of(&typed, &mut errors);
    let version = typed.value("version").parse::<i64>().unwrap_or(0);
    let person = by.want(&request, people::find(&app, id.clone()).await)?;
    let (Some(name), Some(role)) = (name, role) else {
        return person_page(&request, &app, &by, person, (StatusCode::UNPROCESSABLE_ENTITY, typed.refused(errors), None)).await;
    };
    match people::change(&app, &by.actor(), id, version, name, role).await {
        Ok(_) => Ok(see_other_saying(&request, "/settings/people", "The change is saved and holds from now on.")),
        Err(AppError::Stale) => {
            // What was typed stays, now based on the version that is shown beside it.
            let typed =
                Typed::default().with("name", typed.value("name")).with("role", typed.value("role")).with("version", person.version);
            person_page(&request, &app, &by, person.clone(), (StatusCode::CONFLICT, typed, Some(person))).await
        }
        Err(AppError::Invalid(error) | AppError::Denied(Denied::Invalid(error))) => {
            person_page(&request, &app, &by, person, (StatusCode::UNPROCESSABLE_ENTITY, typed.refused([error]), None)).await
        }
        Err(error) => Err(by.refuse(&request, error)),
    }
}

/// Shuts a person out.
pub async fn disable(request: HttpRequest, app: Tidegate, sent: Form) -> Answer {
    let id = id_of(&request, &sent.by)?;
    let person = sent.by.want(&request, people::disable(&app, &sent.by.actor(), id).await)?;
    let said = format!("{} is shut out: sessions, password and API keys are refused from now on.", person.name);
    Ok(see_other_saying(&request, "/settings/people", &said))
}

/// Lets a person in again.
pub async fn enable(request: HttpRequest, app: Tidegate, sent: Form) -> Answer {
    let id = id_of(&request, &sent.by)?;
    let person = sent.by.want(&request, people::enable(&app, &sent.by.actor(), id).await)?;
    Ok(see_other_saying(&request, "/settings/people", &format!("{} may sign in again.", person.name)))
}

/// Makes a new link for somebody who can't sign in, and shows it once.
pub async fn link(request: HttpRequest, app: Tidegate, sent: Form) -> Answer {
    let id = id_of(&request, &sent.by)?;
    let (person, link) = sent.by.want(&request, password_links::reset(&app, &sent.by.actor(), id).await)?;
    let frame = sent.by.frame(&request, "Hand over this link", Section::Settings);
    Ok(render(&request, StatusCode::OK, &LinkPage { frame, person, link: password_links::address(&app, &link) }))
}

/// Takes a lost phone's second factor away.
pub async fn remove_factor(request: HttpRequest, app: Tidegate, sent: Form) -> Answer {
    let id = id_of(&request, &sent.by)?;
    sent.by.want(&request, second_factor::remove_of(&app, &sent.by.actor(), id.clone()).await)?;
    Ok(see_other_saying(&request, format!("/settings/people/{id}"), "Their second factor is removed."))
}
