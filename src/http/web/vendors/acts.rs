//! The acts of a vendor's lifecycle: each is asked for once more, with a reason; who comes second is told what stands now.

use actix_web::HttpRequest;
use actix_web::http::StatusCode;
use askama::Template;

use crate::app::stops::{self, StopOf};
use crate::app::{App, AppError, vendors};
use crate::domain::text::Reason;
use crate::domain::time::Instant;
use crate::domain::vendor::{Lifecycle, Vendor, VendorAct};
use crate::http::api::Tidegate;
use crate::http::guard::{ManageVendors, Stop};
use crate::http::web::form::Typed;
use crate::http::web::guard::{Sent, Visitor, wanted};
use crate::http::web::lead::see_other_saying;
use crate::http::web::page::{Frame, Section, render};
use crate::http::web::parts::Crumb;
use crate::http::web::shown;
use crate::http::web::words::{self, Badge};
use crate::policy::Denied;
use crate::policy::vendor::{offered, stops};

use super::{Answer, above, crumb, id_of};

/// What the fields are called.
pub const LABELS: &[(&str, &str)] = &[("reason", "Reason")];

#[derive(Template)]
#[template(path = "vendors/act.html")]
struct ActPage {
    frame: Frame,
    crumbs: Vec<Crumb>,
    typed: Typed,
    action: String,
    back: String,
    state: Badge,
    label: &'static str,
    does: &'static str,
    /// What stops with it; none where nothing flows.
    stops: Vec<String>,
    is_stop: bool,
    for_good: bool,
}

#[derive(Template)]
#[template(path = "vendors/elsewhere.html")]
struct ElsewherePage {
    frame: Frame,
    crumbs: Vec<Crumb>,
    name: String,
    state: Badge,
    since: Instant,
    /// The act that was wanted.
    label: &'static str,
    /// Whether it stands already where the act would have led.
    done: bool,
    /// The reason that was typed, which is not lost.
    reason: String,
    back: String,
    /// What can be done from here, by who looks.
    next: Vec<(String, &'static str)>,
}

fn path(vendor: &Vendor, act: VendorAct) -> String {
    format!("/vendors/{}/acts/{}", vendor.id, act.key())
}

async fn show<P>(request: &HttpRequest, app: &App, by: &Visitor<P>, vendor: Vendor, act: VendorAct, shown: (StatusCode, Typed)) -> Answer {
    let (status, typed) = shown;
    let is_stop = stops(act, vendor.lifecycle);
    let frame = by.frame(request, format!("{} {}", words::vendor_act(act), vendor.profile.legal_name), Section::Vendors);
    let stops = if is_stop {
        shown::stops(&by.want(request, stops::preview(app, StopOf::Vendor(vendor.id.clone())).await)?, frame.now)
    } else {
        Vec::new()
    };
    let back = format!("/vendors/{}", vendor.id);
    let page = ActPage {
        frame,
        crumbs: above().into_iter().chain([crumb(&back, vendor.profile.legal_name.to_string())]).collect(),
        typed,
        action: path(&vendor, act),
        back,
        state: Badge::from(vendor.lifecycle),
        label: words::vendor_act(act),
        does: words::vendor_act_does(act),
        stops,
        is_stop,
        for_good: act == VendorAct::Retire,
    };
    Ok(render(request, status, &page))
}

/// The page for who came second, or came to an act that does not apply where the vendor stands.
fn elsewhere<P>(request: &HttpRequest, by: &Visitor<P>, vendor: &Vendor, act: VendorAct, reason: &str) -> Answer {
    let back = format!("/vendors/{}", vendor.id);
    let role = by.current().person.role;
    let done = Lifecycle::ALL.into_iter().any(|from| act.leads(from) == Some(vendor.lifecycle));
    let page = ElsewherePage {
        frame: by.frame(request, if done { "This is done already" } else { "Not from where it stands" }, Section::Vendors),
        crumbs: above().into_iter().chain([crumb(&back, vendor.profile.legal_name.to_string())]).collect(),
        name: vendor.profile.legal_name.to_string(),
        state: Badge::from(vendor.lifecycle),
        since: vendor.lifecycle_since,
        label: words::vendor_act(act),
        done,
        reason: reason.to_owned(),
        next: offered(vendor.lifecycle, role).into_iter().map(|act| (path(vendor, act), words::vendor_act(act))).collect(),
        back,
    };
    Ok(render(request, StatusCode::CONFLICT, &page))
}

async fn ask<P>(request: HttpRequest, app: Tidegate, by: Visitor<P>, act: VendorAct) -> Answer {
    let vendor = by.want(&request, vendors::find(&app, id_of(&request, &by)?).await)?;
    if act.leads(vendor.lifecycle).is_none() {
        return elsewhere(&request, &by, &vendor, act, "");
    }
    show(&request, &app, &by, vendor, act, (StatusCode::OK, Typed::default())).await
}

async fn carry_out<P>(request: HttpRequest, app: Tidegate, sent: Sent<P>, act: VendorAct) -> Answer {
    let Sent { by, typed } = sent;
    let id = id_of(&request, &by)?;
    let mut errors = Vec::new();
    let Some(reason) = wanted::<Reason>(&typed, "reason", &mut errors) else {
        let vendor = by.want(&request, vendors::find(&app, id).await)?;
        if act.leads(vendor.lifecycle).is_none() {
            return elsewhere(&request, &by, &vendor, act, typed.value("reason"));
        }
        return show(&request, &app, &by, vendor, act, (StatusCode::UNPROCESSABLE_ENTITY, typed.refused(errors))).await;
    };
    match vendors::act(&app, &by.actor(), id.clone(), act, reason).await {
        Ok(vendor) => {
            let said = format!("{} {}", vendor.profile.legal_name, words::vendor_act_done(act));
            Ok(see_other_saying(&request, format!("/vendors/{id}"), &said))
        }
        Err(AppError::Denied(Denied::State(_)) | AppError::Stale) => {
            let vendor = by.want(&request, vendors::find(&app, id).await)?;
            elsewhere(&request, &by, &vendor, act, typed.value("reason"))
        }
        Err(error) => Err(by.refuse(&request, error)),
    }
}

macro_rules! acts {
    ($($(#[$doc:meta])* $ask:ident, $carry_out:ident, $permission:ident, $act:ident;)*) => {$(
        $(#[$doc])*
        ///
        /// Asks once more, and does nothing yet.
        pub async fn $ask(request: HttpRequest, app: Tidegate, by: Visitor<$permission>) -> Answer {
            ask(request, app, by, VendorAct::$act).await
        }

        $(#[$doc])*
        pub async fn $carry_out(request: HttpRequest, app: Tidegate, sent: Sent<$permission>) -> Answer {
            carry_out(request, app, sent, VendorAct::$act).await
        }
    )*};
}

acts! {
    /// Intake → triage.
    ask_triage, triage, ManageVendors, Triage;
    /// Triage or rejected → due diligence.
    ask_begin_due_diligence, begin_due_diligence, ManageVendors, BeginDueDiligence;
    /// Approved → active.
    ask_activate, activate, ManageVendors, Activate;
    /// Active → suspended.
    ask_suspend, suspend, Stop, Suspend;
    /// Suspended → active.
    ask_reinstate, reinstate, ManageVendors, Reinstate;
    /// Approved, active or suspended → offboarding.
    ask_offboard, offboard, Stop, Offboard;
    /// Offboarding or never approved → retired.
    ask_retire, retire, ManageVendors, Retire;
}
