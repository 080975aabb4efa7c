//! Who looks at a page and who sends a form, as arguments of the handler: a signature names the permission it needs,
//! and a form is taken from this house's own pages only.

use std::future::Future;
use std::marker::PhantomData;
use std::pin::Pin;

use actix_web::dev::Payload;
use actix_web::http::header::{HOST, ORIGIN};
use actix_web::{Error, FromRequest, HttpRequest};

use crate::app::sessions::{self, Current};
use crate::app::{App, AppError};
use crate::domain::Invalid;
use crate::domain::person::Actor;
use crate::http::guard::{Grant, app_of};
use crate::policy::access::allows;

use super::answer::wants_part;
use super::cookie;
use super::error::{WebError, Wire};
use super::form::{self, Typed};
use super::lead::{answered, see_other};
use super::once;
use super::page::{Frame, Notice, Section, Stopped, Viewer};
use super::resume;

type Extracting<T> = Pin<Box<dyn Future<Output = Result<T, Error>>>>;

/// A member of the staff who signed in and holds a permission: only these extractors make one.
pub struct Visitor<P> {
    current: Current,
    csrf: String,
    permission: PhantomData<P>,
}

impl<P> Visitor<P> {
    /// Who it is, as the one who acts.
    pub fn actor(&self) -> Actor {
        self.current.actor()
    }

    /// The session.
    pub fn current(&self) -> &Current {
        &self.current
    }

    /// Whether the person also holds another permission, for what a page offers.
    pub fn may(&self, permission: crate::policy::access::Permission) -> bool {
        allows(self.current.person.role, permission)
    }

    /// The frame of a page for this person.
    pub fn frame(&self, request: &HttpRequest, title: impl Into<String>, section: Section) -> Frame {
        let notice = cookie::left_notice(request).map(|text| Notice { text });
        let outside = Frame::outside(request, &title.into());
        let stopped = self.current.stopped.as_ref().and_then(Stopped::of);
        Frame { section, viewer: Some(viewer(&self.current)), csrf: self.csrf.clone(), notice, stopped, ..outside }
    }

    /// What a use case said, as a page for this person.
    pub fn refuse(&self, request: &HttpRequest, error: AppError) -> Error {
        WebError::app(request, self.frame(request, "", Section::None), error).into()
    }

    /// The answer of a use case, or its error as a page for this person.
    pub fn want<T>(&self, request: &HttpRequest, answer: Result<T, AppError>) -> Result<T, Error> {
        answer.map_err(|error| self.refuse(request, error))
    }

    /// What is wrong with the request, as a page for this person.
    pub fn wire(&self, request: &HttpRequest, wire: Wire) -> Error {
        WebError::wire(request, Some(self.frame(request, "", Section::None)), wire).into()
    }
}

/// The person as pages name them.
pub fn viewer(current: &Current) -> Viewer {
    let person = &current.person;
    Viewer { id: person.id.to_string(), name: person.name.to_string(), email: person.email.to_string(), role: person.role }
}

/// Who is signed in by the request's cookie.
pub async fn signed_in(app: &App, request: &HttpRequest) -> Result<Option<Current>, AppError> {
    match cookie::session(request) {
        Some(secret) => sessions::find(app, &secret).await,
        None => Ok(None),
    }
}

fn visitor<P: Grant>(app: &App, request: &HttpRequest, current: Current) -> Result<Visitor<P>, Error> {
    let csrf = sessions::form_token(app, &current.session);
    let may = allows(current.person.role, P::PERMISSION);
    let visitor = Visitor { current, csrf, permission: PhantomData };
    if may { Ok(visitor) } else { Err(visitor.wire(request, Wire::Role)) }
}

/// Somebody who is not signed in is led to the sign-in page and back; a part of a page says that they are signed out.
fn sign_in_first(request: &HttpRequest) -> Error {
    if wants_part(request.headers()) {
        return WebError::wire(request, None, Wire::SignedOut).into();
    }
    let next = request.uri().path_and_query().map_or("/", |path| path.as_str());
    let query = serde_urlencoded::to_string([("next", next)]).unwrap_or_default();
    answered(see_other(if next == "/" { "/sign-in".to_owned() } else { format!("/sign-in?{query}") }))
}

/// What went wrong before it is known who asks.
pub fn outside(request: &HttpRequest, error: AppError) -> Error {
    WebError::app(request, Frame::outside(request, ""), error).into()
}

impl<P: Grant> FromRequest for Visitor<P> {
    type Error = Error;
    type Future = Extracting<Self>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let request = request.clone();
        Box::pin(async move {
            let app = app_of(&request)?;
            let current = signed_in(&app, &request).await.map_err(|error| outside(&request, error))?;
            let current = current.ok_or_else(|| sign_in_first(&request))?;
            visitor(&app, &request, current)
        })
    }
}

/// A form that a person sent, once.
pub struct Sent<P> {
    pub by: Visitor<P>,
    pub typed: Typed,
}

/// A form that a page sends by itself as often as it likes, such as a draft that is saved while it is typed.
pub struct Saved<P> {
    pub by: Visitor<P>,
    pub typed: Typed,
}

impl<P: Grant> FromRequest for Sent<P> {
    type Error = Error;
    type Future = Extracting<Self>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let (request, payload) = (request.clone(), payload.take());
        Box::pin(async move {
            let (by, typed) = take(&request, payload).await?;
            once::begin(&request, typed.value(form::TOKEN)).await?;
            Ok(Self { by, typed })
        })
    }
}

impl<P: Grant> FromRequest for Saved<P> {
    type Error = Error;
    type Future = Extracting<Self>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let (request, payload) = (request.clone(), payload.take());
        Box::pin(async move {
            let (by, typed) = take(&request, payload).await?;
            Ok(Self { by, typed })
        })
    }
}

/// A form sent from one of our pages, by somebody who may. Nothing of a stranger's body is read before its origin
/// was found good; what was typed is handed back where the session has ended meanwhile.
async fn take<P: Grant>(request: &HttpRequest, payload: Payload) -> Result<(Visitor<P>, Typed), Error> {
    check_origin(request)?;
    let typed = form::read(request, payload).await?;
    admit(request, typed).await
}

/// Who sent a form of a page of ours, and may; what was typed goes with it.
pub async fn admit<P: Grant>(request: &HttpRequest, typed: Typed) -> Result<(Visitor<P>, Typed), Error> {
    let app = app_of(request)?;
    let current = signed_in(&app, request).await.map_err(|error| outside(request, error))?;
    let Some(current) = current else { return Err(resume::sign_in_first(request, typed)) };
    if !sessions::is_form_token(&app, &current.session, typed.value(form::TOKEN)) {
        return Err(resume::ask_again(&app, request, &current, typed));
    }
    Ok((visitor(&app, request, current)?, typed))
}

/// Refuses what another site made a browser send. Browsers say where a changing request comes from in
/// `Sec-Fetch-Site` or `Origin`; what says neither is no browser, and still needs the token of a page.
pub fn check_origin(request: &HttpRequest) -> Result<(), Error> {
    let header = |name: &str| request.headers().get(name).and_then(|value| value.to_str().ok());
    let fetch = header("sec-fetch-site").is_none_or(|site| site == "same-origin");
    let origin = request.headers().get(ORIGIN).is_none_or(|value| value.to_str().is_ok_and(|origin| is_ours(request, origin)));
    if fetch && origin { Ok(()) } else { Err(WebError::wire(request, None, Wire::Forged).into()) }
}

fn is_ours(request: &HttpRequest, origin: &str) -> bool {
    let named = request.headers().get(HOST).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let host = origin.split_once("://").map_or("", |(_, host)| host);
    let public = app_of(request).is_ok_and(|app| app.settings.public_url == origin);
    public || (!host.is_empty() && host.eq_ignore_ascii_case(named))
}

/// One value that a form must have, read as a domain type; an error is put beside the field.
pub fn wanted<T: std::str::FromStr<Err = Invalid>>(typed: &Typed, name: &str, errors: &mut Vec<Invalid>) -> Option<T> {
    match typed.value(name).parse::<T>() {
        Ok(value) => Some(value),
        Err(error) => {
            errors.push(Invalid::new(name, error.reason));
            None
        }
    }
}

/// One value that a form may have; an empty field is none.
pub fn given<T: std::str::FromStr<Err = Invalid>>(typed: &Typed, name: &str, errors: &mut Vec<Invalid>) -> Option<T> {
    if typed.value(name).is_empty() { None } else { wanted(typed, name, errors) }
}
