//! The house's own purposes and data categories: added, retired and restored, each on record, and none ever edited.

use crate::domain::person::Actor;
use crate::domain::text::{Line, Name, Slug};
use crate::domain::vocabulary::{Category, Purpose, Term, TermKind, Vocabulary};
use crate::history::{Act, Body};
use crate::store::{Scope, Tx, vocabulary};

use super::{App, AppError, append};

/// A term to be added.
#[derive(Debug, Clone)]
pub struct Adding {
    pub key: Slug,
    pub title: Name,
    pub description: Option<Line>,
}

impl Adding {
    fn term(self) -> Term {
        Term { key: self.key, title: self.title, description: self.description, own: true, retired_at: None }
    }
}

/// The whole vocabulary.
pub async fn load(app: &App) -> Result<Vocabulary, AppError> {
    app.store.read(|tx| Ok(vocabulary::load(tx)?)).await
}

/// Adds a purpose. What it says decides who is asked before a release, so it moves the counters that decisions stand under.
pub async fn add_purpose(app: &App, by: &Actor, new: Adding, direct_marketing: bool, sale: bool) -> Result<Purpose, AppError> {
    let by = by.clone();
    app.store
        .govern(Scope::All, move |tx| {
            vocabulary::load(tx)?.check_new(TermKind::Purpose, &new.key)?;
            let purpose = Purpose { term: new.term(), direct_marketing, sale };
            let at = tx.now();
            vocabulary::insert_purpose(tx, &purpose, at)?;
            let act = Act::new("purpose", &purpose.term.key, "add", &by).fact("direct_marketing", direct_marketing).fact("sale", sale);
            append(tx, &Body::Act(act), None)?;
            Ok(purpose)
        })
        .await
}

/// Adds a data category.
pub async fn add_category(app: &App, by: &Actor, new: Adding, special: bool) -> Result<Category, AppError> {
    let by = by.clone();
    app.store
        .govern(Scope::All, move |tx| {
            vocabulary::load(tx)?.check_new(TermKind::Category, &new.key)?;
            let category = Category { term: new.term(), special };
            let at = tx.now();
            vocabulary::insert_category(tx, &category, at)?;
            let act = Act::new("category", &category.term.key, "add", &by).fact("special", special);
            append(tx, &Body::Act(act), None)?;
            Ok(category)
        })
        .await
}

/// A term of the house's own; one that was shipped is nobody's to retire.
fn own(tx: &mut Tx, kind: TermKind, key: &Slug) -> Result<Term, AppError> {
    let all = vocabulary::load(tx)?;
    let term = match kind {
        TermKind::Purpose => all.purpose(key).map(|purpose| purpose.term.clone()),
        TermKind::Category => all.category(key).map(|category| category.term.clone()),
    };
    term.filter(|term| term.own).ok_or(AppError::NotFound(match kind {
        TermKind::Purpose => "purpose of the house's own",
        TermKind::Category => "category of the house's own",
    }))
}

/// Offers a term no more. Where it is in use it stays valid, and releases go on.
pub async fn retire(app: &App, by: &Actor, kind: TermKind, key: Slug) -> Result<Term, AppError> {
    let by = by.clone();
    app.store
        .record(move |tx| {
            let term = own(tx, kind, &key)?;
            if !term.is_offered() {
                return Ok(term);
            }
            let now = tx.now();
            vocabulary::set_retired(tx, kind, &key, Some(now))?;
            let act = match kind {
                TermKind::Purpose => Act::new("purpose", &key, "retire", &by),
                TermKind::Category => Act::new("category", &key, "retire", &by),
            };
            append(tx, &Body::Act(act), None)?;
            Ok(Term { retired_at: Some(now), ..term })
        })
        .await
}

/// Offers a retired term again.
pub async fn restore(app: &App, by: &Actor, kind: TermKind, key: Slug) -> Result<Term, AppError> {
    let by = by.clone();
    app.store
        .record(move |tx| {
            let term = own(tx, kind, &key)?;
            if term.is_offered() {
                return Ok(term);
            }
            vocabulary::set_retired(tx, kind, &key, None)?;
            let act = match kind {
                TermKind::Purpose => Act::new("purpose", &key, "restore", &by),
                TermKind::Category => Act::new("category", &key, "restore", &by),
            };
            append(tx, &Body::Act(act), None)?;
            Ok(Term { retired_at: None, ..term })
        })
        .await
}
