//! Help for people who are no engineers: where to begin, what each word means, and the way to the first pull.

pub mod first_run;
pub mod glossary;

use actix_web::http::StatusCode;
use actix_web::{Error, HttpRequest, HttpResponse};
use askama::Template;

use crate::domain::gate::Gate;
use crate::domain::person::Role;
use crate::http::guard::ManageOwnKeys;
use crate::policy::release::{detail, reopens};

use super::answer::render;
use super::guard::Visitor;
use super::page::{Frame, Section};
use super::words;

type By = Visitor<ManageOwnKeys>;

/// A role and what it is there for.
struct RoleLine {
    name: &'static str,
    duty: &'static str,
    is_own: bool,
}

/// A gate as help explains it.
struct GateHelp {
    name: &'static str,
    said: &'static str,
    reopens: &'static str,
}

#[derive(Template)]
#[template(path = "help/start.html")]
struct StartPage {
    frame: Frame,
    roles: Vec<RoleLine>,
    gates: Vec<GateHelp>,
    terms: usize,
}

/// Where help begins.
pub async fn start(request: HttpRequest, by: By) -> Result<HttpResponse, Error> {
    let own = by.current().person.role;
    let roles = Role::ALL.into_iter().map(|role| RoleLine { name: words::role(&role), duty: words::duty(&role), is_own: role == own });
    let gates = Gate::ALL.into_iter().map(|gate| GateHelp { name: words::gate(&gate), said: detail(gate), reopens: reopens(gate) });
    let page = StartPage {
        frame: by.frame(&request, "Help", Section::Help),
        roles: roles.collect(),
        gates: gates.collect(),
        terms: glossary::terms().count(),
    };
    Ok(render(&request, StatusCode::OK, &page))
}
