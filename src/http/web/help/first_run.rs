//! The guided first run: seven steps from an empty installation to the first pull, told from what is there now.

use actix_web::http::StatusCode;
use actix_web::{Error, HttpRequest, HttpResponse};
use askama::Template;

use crate::app::first_run::{self, FirstStep, StepState};
use crate::http::api::Tidegate;
use crate::http::guard::Read;
use crate::http::web::answer::render;
use crate::http::web::guard::Visitor;
use crate::http::web::page::{Frame, Section};
use crate::http::web::parts::{Progress, Step};
use crate::http::web::words::{self, Badge, Tone};

/// What a step says, whoever reads it.
struct Said {
    title: &'static str,
    todo: &'static str,
    law: &'static str,
    /// Who does it.
    who: &'static str,
    label: &'static str,
    href: &'static str,
}

/// A step as the page shows it.
struct StepView {
    number: usize,
    said: Said,
    progress: Progress,
    badge: Badge,
    /// Whether the viewer's role may do it.
    may: bool,
    /// What is still missing, where that is known.
    missing: String,
}

#[derive(Template)]
#[template(path = "help/first_run.html")]
struct FirstRunPage {
    frame: Frame,
    path: Vec<Step>,
    steps: Vec<StepView>,
    done: usize,
}

/// The steps, each with where it stands.
pub async fn page(request: HttpRequest, app: Tidegate, by: Visitor<Read>) -> Result<HttpResponse, Error> {
    let found = by.want(&request, first_run::found(&app).await)?;
    let missing = found.missing_roles();
    let steps: Vec<StepView> = (1..)
        .zip(first_run::steps(&found))
        .map(|(number, (step, state))| StepView {
            number,
            said: said(step),
            progress: progress(state),
            badge: badge(state),
            may: step.needs().is_some_and(|permission| by.may(permission)),
            missing: match step {
                FirstStep::People if !missing.is_empty() => roles_in_words(&missing),
                FirstStep::People
                | FirstStep::Dataset
                | FirstStep::Vendor
                | FirstStep::DueDiligence
                | FirstStep::Agreement
                | FirstStep::Access
                | FirstStep::Pull => String::new(),
            },
        })
        .collect();
    let path = steps.iter().map(|step| Step {
        label: step.said.title.to_owned(),
        progress: step.progress,
        href: format!("#step-{}", step.number),
    });
    let page = FirstRunPage {
        frame: by.frame(&request, "The way to the first pull", Section::Help),
        path: path.collect(),
        done: steps.iter().filter(|step| step.progress == Progress::Done).count(),
        steps,
    };
    Ok(render(&request, StatusCode::OK, &page))
}

fn roles_in_words(roles: &[crate::domain::person::Role]) -> String {
    let names: Vec<String> = roles.iter().map(|role| words::role(role).to_lowercase()).collect();
    format!("Still missing: {}.", names.join(", "))
}

fn progress(state: StepState) -> Progress {
    match state {
        StepState::Done => Progress::Done,
        StepState::Now => Progress::Current,
        StepState::Later => Progress::Later,
    }
}

fn badge(state: StepState) -> Badge {
    match state {
        StepState::Done => Badge::new(Tone::InForce, "Done"),
        StepState::Now => Badge::new(Tone::Progress, "Now"),
        StepState::Later => Badge::new(Tone::Draft, "Later"),
    }
}

fn said(step: FirstStep) -> Said {
    match step {
        FirstStep::People => Said {
            title: "Invite the people",
            todo: "At least three roles are needed: a vendor manager who drafts, a privacy officer who decides, and a data steward who knows the tables. Nobody can approve what they wrote, so one person can't do it all.",
            law: "The law asks for measures in the organisation as well as in the machines, and that you can show them (Art. 24 and 32 GDPR). Two pairs of eyes on every decision are such a measure.",
            who: "Administrators invite people.",
            label: "Invite a person",
            href: "/settings/people/new",
        },
        FirstStep::Dataset => Said {
            title: "Catalogue a dataset",
            todo: "Choose a file or table, say of each field how far it leads to a person, and which field stands for the person. Nothing is released by this. A permit can only name fields that are known here.",
            law: "You can only protect what you know. A record of what is held, and of which kinds, is a duty (Art. 30 GDPR), and deciding field by field is how data is kept to what is needed (Art. 5(1)(c)).",
            who: "Data stewards keep the catalogue.",
            label: "Catalogue a dataset",
            href: "/datasets/new",
        },
        FirstStep::Vendor => Said {
            title: "Register a vendor",
            todo: "Say who it is, where it sits, how much harm a failure could do, and whether it works for you or for ends of its own. The last answer decides which kind of agreement is needed.",
            law: "A vendor that works on your instructions is a processor (Art. 4(8) and 28 GDPR). One that decides itself is a controller (Art. 4(7)), alone or together with you (Art. 26).",
            who: "Vendor managers register vendors.",
            label: "Register a vendor",
            href: "/vendors/new",
        },
        FirstStep::DueDiligence => Said {
            title: "Look into it",
            todo: "Due diligence: open an assessment on the vendor's page, send the questions, fill in the answers and attach the evidence. Then a privacy officer reviews and decides. A decision lapses after a time and is made anew.",
            law: "You may only use processors that give sufficient guarantees (Art. 28(1) GDPR), and you must be able to show that you looked (Art. 5(2)).",
            who: "Vendor managers collect the answers; privacy officers decide.",
            label: "Choose the vendor",
            href: "/vendors",
        },
        FirstStep::Agreement => Said {
            title: "Agree, and write a permit",
            todo: "Draft the agreement from the vendor's page and write a permit under it: dataset, purpose, legal basis, what happens to each field, which rows, how many a day. A privacy officer approves both; then record the two signatures.",
            law: "The contract must say what is done with which data, for how long and why, and bind the vendor to your instructions (Art. 28(3) GDPR). The permit is that instruction, in a form that a machine keeps.",
            who: "Vendor managers draft and record signatures; privacy officers approve.",
            label: "Choose the vendor",
            href: "/vendors",
        },
        FirstStep::Access => Said {
            title: "Issue a client",
            todo: "Activate the vendor and issue it a client. You get an activation link: pass it on in a way that only the vendor's engineers can read. It works once and shows them the secret, which you never see; a client with keys of its own needs none.",
            law: "Whoever gets data must be who they say they are, and their access must end when its reason ends (Art. 32 GDPR). Each client can be revoked at once, alone.",
            who: "Vendor managers activate vendors and issue clients.",
            label: "Choose the vendor",
            href: "/vendors",
        },
        FirstStep::Pull => Said {
            title: "Watch the first pull",
            todo: "The vendor's machine fetches a token and asks for rows. The page behind the link shows the vendor its secret, once, with a settings file and lines of code to try it with; the client's page here shows the lines, too. What leaves, or is refused, stands in the history a moment later.",
            law: "You answer for what was passed on, to whom and why (Art. 5(2) GDPR). People may ask who received their data (Art. 15(1)(c)); the history is what you answer from.",
            who: "The vendor's machine does this; compliance reviewers see it in the history.",
            label: "Read the history",
            href: "/history",
        },
    }
}
