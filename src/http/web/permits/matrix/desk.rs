//! What the matrix is about: a new permit, the next revision of one, or a revision that is not decided yet.

use actix_web::{Error, HttpRequest};

use crate::app::preview::{self, Matrix};
use crate::app::{App, agreements, catalogue, permits, vocabulary};
use crate::domain::agreement::{Agreement, AgreementKind, AgreementVersion, VersionStatus};
use crate::domain::dataset::Dataset;
use crate::domain::id::AgreementId;
use crate::domain::permit::{PermitTerms, Revision, RevisionStatus};
use crate::domain::text::Slug;
use crate::domain::vocabulary::Vocabulary;
use crate::http::guard::ManageAgreements;
use crate::http::web::error::Wire;
use crate::http::web::form::Typed;
use crate::http::web::guard::Visitor;
use crate::http::web::parts::{Choice, Crumb};
use crate::policy::words;

use super::super::draft;

/// Which form it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Whose {
    New(AgreementId, Slug),
    Revise(Slug),
    Rewrite(Slug, i32),
}

/// Everything that the form is filled in upon.
pub struct Desk {
    pub whose: Whose,
    pub agreement: Agreement,
    /// The version that it is written under.
    pub version: AgreementVersion,
    pub dataset: Dataset,
    pub matrix: Matrix,
    pub vocabulary: Vocabulary,
    /// Empty for a new permit.
    pub key: String,
    /// What the permit says now.
    pub standing: Option<Revision>,
    /// The revision that is rewritten, or the newest of the permit.
    pub newest: Option<Revision>,
}

/// Loads it.
pub async fn load(request: &HttpRequest, app: &App, by: &Visitor<ManageAgreements>, whose: Whose) -> Result<Desk, Error> {
    match &whose {
        Whose::New(agreement, dataset) => {
            let view = by.want(request, agreements::find(app, agreement.clone()).await)?;
            let version = by.want(request, permits::written_under(app, agreement.clone(), false).await)?;
            let dataset = by.want(request, catalogue::find(app, dataset.clone()).await)?;
            let matrix = by.want(request, preview::matrix(app, agreement.clone(), dataset.name.clone()).await)?;
            let vocabulary = by.want(request, vocabulary::load(app).await)?;
            let agreement = view.agreement;
            Ok(Desk { agreement, version, dataset, matrix, vocabulary, key: String::new(), standing: None, newest: None, whose })
        }
        Whose::Revise(key) => {
            let key = key.clone();
            of_permit(request, app, by, whose, key, None).await
        }
        Whose::Rewrite(key, number) => {
            let (key, number) = (key.clone(), *number);
            of_permit(request, app, by, whose, key, Some(number)).await
        }
    }
}

async fn of_permit(
    request: &HttpRequest,
    app: &App,
    by: &Visitor<ManageAgreements>,
    whose: Whose,
    key: Slug,
    number: Option<i32>,
) -> Result<Desk, Error> {
    let sheet = by.want(request, permits::sheet(app, key.clone()).await)?;
    let missing = || by.wire(request, Wire::NotFound);
    let (standing, _) = sheet.counting(app.clock.now());
    let newest = match number {
        Some(number) => sheet.view.revisions.iter().find(|revision| revision.number == number).cloned(),
        None => sheet.view.revisions.last().cloned(),
    };
    let newest = newest.ok_or_else(missing)?;
    let version = match number {
        Some(_) => sheet.versions.iter().find(|version| version.number == newest.agreement_version).cloned().ok_or_else(missing)?,
        None => by.want(request, permits::written_under(app, sheet.agreement.id.clone(), standing.is_some()).await)?,
    };
    let dataset = by.want(request, catalogue::find(app, newest.terms.dataset.clone()).await)?;
    let matrix = by.want(request, preview::matrix(app, sheet.agreement.id.clone(), dataset.name.clone()).await)?;
    let (agreement, vocabulary, key, newest) = (sheet.agreement, sheet.vocabulary, key.to_string(), Some(newest));
    Ok(Desk { whose, agreement, version, dataset, matrix, vocabulary, key, standing, newest })
}

impl Desk {
    /// Whether the permit is new.
    pub fn is_new(&self) -> bool {
        matches!(self.whose, Whose::New(..))
    }

    /// Whether a reason is asked for: what is in force changes.
    pub fn is_revision(&self) -> bool {
        matches!(self.whose, Whose::Revise(_))
    }

    /// Whether purpose and legal basis can be chosen: they are what the key of a permit in force stands for.
    pub fn is_open(&self) -> bool {
        self.standing.is_none()
    }

    /// Whether the agreement asks for an instruction to be cited.
    pub fn cites(&self) -> bool {
        self.agreement.kind == AgreementKind::Processor
    }

    /// The heading of the page.
    pub fn title(&self) -> String {
        match &self.whose {
            Whose::New(_, dataset) => format!("Write a permit on {dataset}"),
            Whose::Revise(key) => format!("Revise {key}"),
            Whose::Rewrite(key, number) => format!("Edit revision {number} of {key}"),
        }
    }

    /// What the button says that saves it.
    pub fn button(&self) -> &'static str {
        if self.is_new() { "Write the permit" } else { "Save the revision" }
    }

    /// Where the form is sent.
    pub fn action(&self) -> String {
        match &self.whose {
            Whose::New(agreement, _) => format!("/agreements/{agreement}/permits/new"),
            Whose::Revise(key) => format!("/permits/{key}/revise"),
            Whose::Rewrite(key, number) => format!("/permits/{key}/revisions/{number}/edit"),
        }
    }

    /// The number of the revision that is rewritten; empty where none is.
    pub fn number(&self) -> String {
        match &self.whose {
            Whose::Rewrite(_, number) => number.to_string(),
            Whose::New(..) | Whose::Revise(_) => String::new(),
        }
    }

    /// Where one goes from here without saving.
    pub fn back(&self) -> String {
        if self.key.is_empty() { format!("/agreements/{}/permits", self.agreement.id) } else { format!("/permits/{}", self.key) }
    }

    pub fn crumbs(&self) -> Vec<Crumb> {
        let agreement = Crumb { href: format!("/agreements/{}", self.agreement.id), label: self.agreement.reference.to_string() };
        if self.key.is_empty() {
            vec![agreement, Crumb { href: self.back(), label: "Permits".to_owned() }]
        } else {
            vec![Crumb { href: "/permits".to_owned(), label: "Permits".to_owned() }, Crumb { href: self.back(), label: self.key.clone() }]
        }
    }

    /// The purposes that the version signs for.
    pub fn purposes(&self) -> Vec<Choice> {
        let signed = self.version.terms.purposes.iter();
        signed.map(|key| Choice::new(key.as_str(), words::purpose(&self.vocabulary, key))).collect()
    }

    /// The terms that the form begins with.
    fn terms(&self) -> Option<&PermitTerms> {
        match self.whose {
            Whose::New(..) => None,
            Whose::Revise(_) => self.standing.as_ref().or(self.newest.as_ref()).map(|revision| &revision.terms),
            Whose::Rewrite(..) => self.newest.as_ref().map(|revision| &revision.terms),
        }
    }

    /// The form before anyone typed.
    pub fn begins(&self) -> Typed {
        let typed = self.terms().map_or_else(Typed::default, draft::filled);
        match &self.newest {
            Some(newest) => typed.with("based_on", newest.number).with("read", newest.version),
            None => typed,
        }
    }

    /// The number of a revision that is edited rather than followed by another: it waits with a draft.
    pub fn rewritable(&self) -> Option<i32> {
        let newest = self.newest.as_ref()?;
        let waits = newest.status == RevisionStatus::Proposed && newest.agreement_version == self.version.number;
        (waits && self.version.status == VersionStatus::Draft).then_some(newest.number)
    }

    /// What was typed, based on what is there now; and what to say of that.
    pub fn rebased(&self, typed: Typed) -> (Typed, String) {
        let kept = typed.pairs().iter().filter(|(name, _)| !matches!(name.as_str(), "based_on" | "read")).cloned().collect();
        let mut rebased = Typed::new(kept);
        let mut said = "Somebody else changed this meanwhile.".to_owned();
        if let Some(newest) = &self.newest {
            rebased = rebased.with("based_on", newest.number).with("read", newest.version);
            said = if self.is_revision() {
                format!("Somebody else saved revision {} meanwhile.", newest.number)
            } else {
                format!("Somebody else changed revision {} meanwhile.", newest.number)
            };
        }
        (rebased, format!("{said} What you typed is kept below, compared with what is saved now; save it if it is still right."))
    }
}
