//! Registering a vendor and changing its profile: what was typed stays, whatever is wrong with it or was changed meanwhile.

use actix_web::HttpRequest;
use actix_web::http::StatusCode;
use askama::Template;

use crate::app::{App, AppError, people, vendors};
use crate::domain::Invalid;
use crate::domain::id::VendorId;
use crate::domain::vendor::{Tier, Vendor, VendorProfile, VendorRole};
use crate::http::api::Tidegate;
use crate::http::guard::ManageVendors;
use crate::http::web::form::Typed;
use crate::http::web::guard::{Saved, Sent, Visitor};
use crate::http::web::lead::see_other_saying;
use crate::http::web::page::{Frame, Section, render};
use crate::http::web::parts::{Choice, Crumb};
use crate::http::web::words;
use crate::policy::Denied;

use super::list::tiers;
use super::profile::{self, ContactFields};
use super::{Answer, above, crumb, id_of};

type By = Visitor<ManageVendors>;

#[derive(Template)]
#[template(path = "vendors/form.html")]
struct FormPage {
    frame: Frame,
    crumbs: Vec<Crumb>,
    typed: Typed,
    /// Where the form goes, where another row is asked for, and where it is left to.
    action: String,
    more: String,
    back: String,
    submit: &'static str,
    labels: Vec<(String, String)>,
    countries: Vec<Choice>,
    roles: Vec<Choice>,
    tiers: Vec<Choice>,
    owners: Vec<Choice>,
    contacts: Vec<ContactFields>,
    locations: Vec<String>,
    /// What somebody else changed meanwhile.
    changed: Vec<Changed>,
}

impl FormPage {
    fn labels(&self) -> Vec<(&str, &str)> {
        self.labels.iter().map(|(name, label)| (name.as_str(), label.as_str())).collect()
    }
}

/// A field that says something else than what was typed.
struct Changed {
    label: String,
    stored: String,
    typed: String,
}

/// A form to be shown.
struct Shown {
    status: StatusCode,
    typed: Typed,
    /// The vendor that is changed; none where one is registered.
    vendor: Option<Vendor>,
    /// Whether somebody else changed it meanwhile.
    stale: bool,
    /// Rows of contacts and countries beyond those that were sent.
    more: (usize, usize),
}

impl Shown {
    fn new(status: StatusCode, typed: Typed, vendor: Option<Vendor>) -> Self {
        Self { status, typed, vendor, stale: false, more: (0, 0) }
    }
}

fn roles() -> Vec<Choice> {
    let hint = |role: &VendorRole| match role {
        VendorRole::Processor => "Acts on our instructions (GDPR Art. 28).",
        VendorRole::Controller => "Decides for itself what the data is for.",
        VendorRole::JointController => "Decides together with us (GDPR Art. 26).",
    };
    let all = [VendorRole::Processor, VendorRole::Controller, VendorRole::JointController];
    all.into_iter().map(|role| Choice::new(role.key(), words::vendor_role(&role)).hinted(hint(&role))).collect()
}

fn tier_choice(tier: Tier) -> Choice {
    Choice::new(tier.key(), words::tier(&tier)).hinted(format!("Assessed at least every {} days.", words::number(tier.assessment_days())))
}

async fn show(request: &HttpRequest, app: &App, by: &By, shown: Shown) -> Answer {
    let people = by.want(request, people::list(app).await)?;
    let owner_now = shown.vendor.as_ref().map(|vendor| vendor.profile.owner.clone());
    let may_own = |person: &&crate::domain::person::Person| person.disabled_at.is_none() || owner_now.as_ref() == Some(&person.id);
    let owners: Vec<Choice> = people
        .iter()
        .filter(may_own)
        .map(|person| Choice::new(person.id.to_string(), format!("{} ({})", person.name, words::role(&person.role))))
        .collect();
    let changed = match &shown.vendor {
        Some(vendor) if shown.stale => differences(&profile::filled(vendor), &shown.typed, &owners),
        Some(_) | None => Vec::new(),
    };
    let (title, action, more, back, submit) = match &shown.vendor {
        None => ("Register a vendor".to_owned(), "/vendors".to_owned(), "/vendors/new".to_owned(), "/vendors".to_owned(), "Register"),
        Some(vendor) => {
            let own = format!("/vendors/{}", vendor.id);
            (format!("Edit {}", vendor.profile.legal_name), own.clone(), format!("{own}/edit"), own, "Save")
        }
    };
    let own_crumb = shown.vendor.as_ref().map(|vendor| crumb(&back, vendor.profile.legal_name.to_string()));
    let page = FormPage {
        frame: by.frame(request, title, Section::Vendors),
        crumbs: above().into_iter().chain(own_crumb).collect(),
        labels: profile::labels(&shown.typed),
        countries: words::countries(),
        roles: roles(),
        tiers: tiers().map(tier_choice).collect(),
        owners,
        contacts: profile::contacts(&shown.typed, shown.more.0),
        locations: profile::locations(&shown.typed, shown.more.1),
        typed: shown.typed,
        action,
        more,
        back,
        submit,
        changed,
    };
    Ok(render(request, shown.status, &page))
}

/// Where what is stored now differs from what was typed, in the words of the form.
fn differences(stored: &Typed, typed: &Typed, owners: &[Choice]) -> Vec<Changed> {
    let said = |name: &str, value: &str| match name {
        "owner" => owners.iter().find(|choice| choice.value == value).map_or_else(String::new, |choice| choice.label.clone()),
        "country" => words::country_called(value).map_or_else(String::new, |country| words::country(&country).to_owned()),
        "role" => VendorRole::from_key(value).map_or("", |role| words::vendor_role(&role)).to_owned(),
        "tier" => Tier::from_key(value).map_or("", |tier| words::tier(&tier)).to_owned(),
        _ => value.to_owned(),
    };
    let mut labels = profile::labels(stored);
    for label in profile::labels(typed) {
        if !labels.contains(&label) {
            labels.push(label);
        }
    }
    let differs = |(name, label): (String, String)| {
        let (is, was) = (stored.value(&name), typed.value(&name));
        (is != was).then(|| Changed { label, stored: said(&name, is), typed: said(&name, was) })
    };
    labels.into_iter().filter_map(differs).collect()
}

/// The form for a new vendor; whoever registers one answers for it unless they choose somebody else.
pub async fn new(request: HttpRequest, app: Tidegate, by: By) -> Answer {
    let owner = &by.current().person;
    let typed = Typed::default().with("owner", &owner.id);
    show(&request, &app, &by, Shown::new(StatusCode::OK, typed, None)).await
}

fn more(typed: &Typed) -> (usize, usize) {
    (usize::from(typed.has("more", "contact")), usize::from(typed.has("more", "location")))
}

/// The form for a new vendor with one more row, as it was typed so far.
pub async fn more_new(request: HttpRequest, app: Tidegate, saved: Saved<ManageVendors>) -> Answer {
    let Saved { by, typed } = saved;
    let shown = Shown { more: more(&typed), ..Shown::new(StatusCode::OK, typed, None) };
    show(&request, &app, &by, shown).await
}

/// Registers a vendor.
pub async fn register(request: HttpRequest, app: Tidegate, sent: Sent<ManageVendors>) -> Answer {
    let Sent { by, typed } = sent;
    let profile = match profile::read(&typed) {
        Ok(profile) => profile,
        Err(errors) => return show(&request, &app, &by, refused(typed, errors, None)).await,
    };
    match vendors::register(&app, &by.actor(), profile).await {
        Ok(vendor) => {
            let said = format!("{} is registered.", vendor.profile.legal_name);
            Ok(see_other_saying(&request, format!("/vendors/{}", vendor.id), &said))
        }
        Err(error) => again(&request, &app, &by, typed, None, error).await,
    }
}

fn refused(typed: Typed, errors: Vec<Invalid>, vendor: Option<Vendor>) -> Shown {
    Shown::new(StatusCode::UNPROCESSABLE_ENTITY, typed.refused(errors), vendor)
}

/// The form again with what a use case said of it, or an error page.
async fn again(request: &HttpRequest, app: &App, by: &By, typed: Typed, vendor: Option<Vendor>, error: AppError) -> Answer {
    let shown = match error {
        AppError::Taken(_) => {
            let taken = Invalid::new("legal_name", "is the name of a vendor that is here already: look for it in the list");
            Shown::new(StatusCode::CONFLICT, typed.refused([taken]), vendor)
        }
        AppError::Invalid(error) | AppError::Denied(Denied::Invalid(error)) => refused(typed, vec![error], vendor),
        AppError::Denied(Denied::State(said)) => Shown::new(StatusCode::CONFLICT, typed.refused([Invalid::new("", said)]), vendor),
        other => return Err(by.refuse(request, other)),
    };
    show(request, app, by, shown).await
}

/// The form of a vendor's profile.
pub async fn edit(request: HttpRequest, app: Tidegate, by: By) -> Answer {
    let vendor = by.want(&request, vendors::find(&app, id_of(&request, &by)?).await)?;
    let typed = profile::filled(&vendor);
    show(&request, &app, &by, Shown::new(StatusCode::OK, typed, Some(vendor))).await
}

/// The form of a vendor's profile with one more row, as it was typed so far.
pub async fn more_edit(request: HttpRequest, app: Tidegate, saved: Saved<ManageVendors>) -> Answer {
    let Saved { by, typed } = saved;
    let vendor = by.want(&request, vendors::find(&app, id_of(&request, &by)?).await)?;
    let shown = Shown { more: more(&typed), ..Shown::new(StatusCode::OK, typed, Some(vendor)) };
    show(&request, &app, &by, shown).await
}

/// Changes a vendor's profile.
pub async fn change(request: HttpRequest, app: Tidegate, sent: Sent<ManageVendors>) -> Answer {
    let Sent { by, typed } = sent;
    let id = id_of(&request, &by)?;
    match profile::read(&typed) {
        Ok(profile) => save(&request, &app, &by, id, typed, profile).await,
        Err(errors) => {
            let vendor = by.want(&request, vendors::find(&app, id).await)?;
            show(&request, &app, &by, refused(typed, errors, Some(vendor))).await
        }
    }
}

async fn save(request: &HttpRequest, app: &App, by: &By, id: VendorId, typed: Typed, profile: VendorProfile) -> Answer {
    let version = typed.value("version").parse().unwrap_or(0);
    match vendors::edit(app, &by.actor(), id.clone(), version, profile).await {
        Ok(_) => Ok(see_other_saying(request, format!("/vendors/{id}"), "The change is saved.")),
        Err(error) => {
            let vendor = by.want(request, vendors::find(app, id).await)?;
            if error != AppError::Stale {
                return again(request, app, by, typed, Some(vendor), error).await;
            }
            // What was typed stays, now based on the version that is shown beside it.
            let pairs = typed.pairs().iter().filter(|(name, _)| name != "version").cloned().collect();
            let typed = Typed::new(pairs).with("version", vendor.version);
            let shown = Shown { stale: true, ..Shown::new(StatusCode::CONFLICT, typed, Some(vendor)) };
            show(request, app, by, shown).await
        }
    }
}
