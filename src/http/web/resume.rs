//! What was typed survives the end of a session: it travels through the sign-in page and is shown before it is sent.

use actix_web::http::StatusCode;
use actix_web::{Error, HttpRequest, HttpResponse};
use askama::Template;

use crate::app::App;
use crate::app::sessions::{self, Current};
use crate::http::routes;

use super::answer::render;
use super::error::{WebError, Wire};
use super::form::{self, Typed};
use super::guard::viewer;
use super::lead::answered;
use super::page::Frame;

/// The field of the sign-in form that holds where the typed form was to go.
pub const PATH: &str = "again";
/// What stands before the names of the typed form's fields.
const MARK: &str = "again.";

/// A form to be sent after all.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Kept {
    pub path: String,
    pub pairs: Vec<(String, String)>,
}

impl Kept {
    /// What was typed, without what must be typed anew: secrets, and the token of the page.
    fn of(path: &str, typed: &Typed) -> Self {
        let keep = |name: &str| name != form::TOKEN && !name.contains("password") && name != "code";
        let pairs = typed.pairs().iter().filter(|(name, _)| keep(name)).cloned().collect();
        Self { path: path.to_owned(), pairs }
    }

    /// What a sign-in form carries along, if it does. Only a form of this house is sent on.
    pub fn carried(typed: &Typed) -> Option<Self> {
        let path = typed.value(PATH).to_owned();
        let pairs = typed.pairs().iter().filter_map(|(name, value)| Some((name.strip_prefix(MARK)?.to_owned(), value.clone()))).collect();
        routes::is_form(&path).then_some(Self { path, pairs })
    }

    /// The hidden fields by which a sign-in form carries it along.
    pub fn hidden(&self) -> Vec<(String, String)> {
        let path = (PATH.to_owned(), self.path.clone());
        std::iter::once(path).chain(self.pairs.iter().map(|(name, value)| (format!("{MARK}{name}"), value.clone()))).collect()
    }

    /// What is shown of it: the fields that hold something.
    pub fn shown(&self) -> Vec<(String, String)> {
        let told = |name: &str| name.replace(['_', '.', '-'], " ");
        self.pairs.iter().filter(|(_, value)| !value.trim().is_empty()).map(|(name, value)| (told(name), value.clone())).collect()
    }
}

#[derive(Template)]
#[template(path = "sign_in/again.html")]
struct AgainPage {
    frame: Frame,
    kept: Kept,
}

/// The sign-in page, carrying what was typed.
pub fn sign_in_first(request: &HttpRequest, typed: Typed) -> Error {
    if super::answer::wants_part(request.headers()) {
        return WebError::wire(request, None, Wire::SignedOut).into();
    }
    let kept = Kept::of(request.path(), &typed);
    answered(super::sign_in::ask(request, StatusCode::UNAUTHORIZED, Some(kept)))
}

/// A page that shows what was typed and sends it on: for a form that stood on a page of an earlier session.
pub fn ask_again(app: &App, request: &HttpRequest, current: &Current, typed: Typed) -> Error {
    if super::answer::wants_part(request.headers()) {
        return WebError::wire(request, None, Wire::SignedOut).into();
    }
    answered(send_on(app, request, current, Kept::of(request.path(), &typed), StatusCode::FORBIDDEN))
}

/// The page that shows what was typed before it is sent on.
pub fn send_on(app: &App, request: &HttpRequest, current: &Current, kept: Kept, status: StatusCode) -> HttpResponse {
    let mut frame = Frame::outside(request, "Send what you typed?");
    frame.viewer = Some(viewer(current));
    frame.csrf = sessions::form_token(app, &current.session);
    render(request, status, &AgainPage { frame, kept })
}
