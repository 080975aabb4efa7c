//! What every page has around it: who looks, where they are, and the headers that keep the page to itself.

use actix_web::HttpRequest;
use actix_web::http::header::COOKIE;

use crate::domain::kill_switch::KillSwitch;
use crate::domain::person::Role;
use crate::domain::time::Instant;
use crate::http::guard::app_of;
use crate::http::request_id;
use crate::policy::access::{Permission, allows, reads_only};

pub use super::answer::{fragment, render};
use super::menu::{self, Entry};
use super::words;

/// The entry of the menu under which a page lies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Section {
    Dashboard,
    Vendors,
    Assessments,
    Agreements,
    Permits,
    Datasets,
    Consent,
    Access,
    History,
    Vocabulary,
    SigningKeys,
    StopEverything,
    Settings,
    Help,
    /// Pages outside the menu: sign-in, errors.
    None,
}

/// How a person wants pages to look.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Theme {
    /// As the system says.
    #[default]
    Auto,
    Light,
    Dark,
}

/// The cookie that bears the theme. It is no secret and names nobody.
pub const THEME_COOKIE: &str = "theme";

impl Theme {
    /// Every theme, in the order the switch lists them.
    pub const ALL: [Self; 3] = [Self::Auto, Self::Light, Self::Dark];

    /// The name in cookie, form and mark-up.
    pub const fn key(self) -> &'static str {
        match self {
            Self::Auto => "auto",
            Self::Light => "light",
            Self::Dark => "dark",
        }
    }

    /// What the switch calls it.
    pub const fn label(self) -> &'static str {
        match self {
            Self::Auto => "As the system",
            Self::Light => "Light",
            Self::Dark => "Dark",
        }
    }

    /// Its icon.
    pub const fn icon(self) -> &'static str {
        match self {
            Self::Auto => "device-desktop",
            Self::Light => "sun",
            Self::Dark => "moon",
        }
    }

    /// Reads the name.
    pub fn from_key(key: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|theme| theme.key() == key)
    }

    /// As the request's cookie says.
    pub fn of(request: &HttpRequest) -> Self {
        cookie(request, THEME_COOKIE).and_then(|theme| Self::from_key(&theme)).unwrap_or_default()
    }
}

/// Who looks at the page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Viewer {
    pub id: String,
    pub name: String,
    pub email: String,
    pub role: Role,
}

/// What an act before this page says of itself, once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Notice {
    pub text: String,
}

/// That everything is stopped, as every page says while it lasts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stopped {
    /// Who stopped it.
    pub by: String,
    pub at: Instant,
    pub reason: String,
}

impl Stopped {
    /// In words for a page, while it lasts.
    pub fn of(last: &KillSwitch) -> Option<Self> {
        let by = last.name.clone().unwrap_or_else(|| "The operator".to_owned());
        last.lasts().then(|| Self { by, at: last.stopped_at, reason: last.reason.to_string() })
    }
}

/// The frame of a page; every page's template has one as `frame`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Frame {
    pub title: String,
    pub section: Section,
    /// None before sign-in.
    pub viewer: Option<Viewer>,
    /// For the hidden field `csrf` of every form, masked anew in every answer; empty before sign-in.
    pub csrf: String,
    /// Path and query of the page, for links back and for the sign-in that follows.
    pub path: String,
    pub theme: Theme,
    pub notice: Option<Notice>,
    pub stopped: Option<Stopped>,
    pub request_id: String,
    pub now: Instant,
}

impl Frame {
    /// The frame of a page for somebody who is not known (yet): sign-in, and errors before it.
    pub fn outside(request: &HttpRequest, title: &str) -> Self {
        let now = app_of(request).map_or(Instant::from_micros(0), |app| app.clock.now());
        Self {
            title: title.to_owned(),
            section: Section::None,
            viewer: None,
            csrf: String::new(),
            path: request.uri().path_and_query().map_or("/", |path| path.as_str()).to_owned(),
            theme: Theme::of(request),
            notice: None,
            stopped: None,
            request_id: request_id::of(request),
            now,
        }
    }

    /// Whether the viewer's role holds a permission; pages show acts by it, and handlers check it again.
    pub fn may(&self, permission: Permission) -> bool {
        self.viewer.as_ref().is_some_and(|viewer| allows(viewer.role, permission))
    }

    /// Whether the viewer reads everything and changes nothing, and is told so.
    pub fn reads_only(&self) -> bool {
        self.viewer.as_ref().is_some_and(|viewer| reads_only(viewer.role))
    }

    /// The groups of the menu.
    pub fn menu(&self) -> Vec<(&'static str, Vec<Entry>)> {
        let groups = self.viewer.as_ref().map(|viewer| menu::groups(viewer.role));
        groups.into_iter().flatten().filter(|(_, entries)| !entries.is_empty()).collect()
    }
}

impl Viewer {
    /// What the role is called.
    pub fn role_name(&self) -> &'static str {
        words::role(&self.role)
    }

    /// One or two letters that stand for the person.
    pub fn initials(&self) -> String {
        let mut firsts = self.name.split_whitespace().filter_map(|word| word.chars().next()).filter(|first| first.is_alphanumeric());
        let first = firsts.next();
        first.into_iter().chain(firsts.next_back()).flat_map(char::to_uppercase).take(2).collect()
    }
}

/// The value of a cookie, the first of that name; quotes and escapes are not read, as ours have none.
pub fn cookie(request: &HttpRequest, name: &str) -> Option<String> {
    let pairs = request.headers().get_all(COOKIE).filter_map(|value| value.to_str().ok()).flat_map(|value| value.split(';'));
    pairs.filter_map(|pair| pair.trim().split_once('=')).find(|(key, _)| *key == name).map(|(_, value)| value.to_owned())
}
