//! The words of the house for purposes and data categories: those it came with and those an officer added, never removed.

use std::collections::BTreeSet;

use serde::Serialize;
use utoipa::ToSchema;

use super::Invalid;
use super::purpose::{CATEGORIES, CategoryTerm, PURPOSES, PurposeTerm};
use super::text::{Line, Name, Slug};
use super::time::Instant;

/// The most terms of each kind that a house adds: they are read whole.
pub const MOST_OWN: usize = 500;

/// What a term is one of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TermKind {
    Purpose,
    Category,
}

impl TermKind {
    /// The noun, as the history and the store name it.
    pub const fn key(self) -> &'static str {
        match self {
            Self::Purpose => "purpose",
            Self::Category => "category",
        }
    }
}

/// What purposes and categories have in common.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct Term {
    pub key: Slug,
    pub title: Name,
    /// What it covers. A shipped one has none: its title says it.
    pub description: Option<Line>,
    /// Whether the house added it.
    pub own: bool,
    /// Since when it is not offered any more. Where it is in use it stays valid.
    pub retired_at: Option<Instant>,
}

/// What an agreement is for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct Purpose {
    #[serde(flatten)]
    pub term: Term,
    /// Direct marketing: an objection is absolute (GDPR Art. 21(3)).
    pub direct_marketing: bool,
    /// Sale or sharing for advertising across contexts (CCPA § 1798.140(ad), (ah)): an opt-out counts.
    pub sale: bool,
}

/// What kind of personal data a field holds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct Category {
    #[serde(flatten)]
    pub term: Term,
    /// Special category (GDPR Art. 9).
    pub special: bool,
}

/// Every term of the house: the shipped ones in their order, then its own by title.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Vocabulary {
    purposes: Vec<Purpose>,
    categories: Vec<Category>,
}

/// A shipped key and title; a test reads that all of them can be.
fn shipped(key: &str, title: &str) -> Option<Term> {
    Some(Term { key: key.parse().ok()?, title: title.parse().ok()?, description: None, own: false, retired_at: None })
}

fn shipped_purpose(known: &PurposeTerm) -> Option<Purpose> {
    let PurposeTerm { key, title, direct_marketing, sale } = *known;
    shipped(key, title).map(|term| Purpose { term, direct_marketing, sale })
}

fn shipped_category(known: &CategoryTerm) -> Option<Category> {
    let CategoryTerm { key, title, special } = *known;
    shipped(key, title).map(|term| Category { term, special })
}

impl Vocabulary {
    /// What comes with the house, and nothing else.
    pub fn shipped() -> Self {
        Self {
            purposes: PURPOSES.iter().filter_map(shipped_purpose).collect(),
            categories: CATEGORIES.iter().filter_map(shipped_category).collect(),
        }
    }

    /// The house's whole vocabulary. A later version may ship a key that the house added before: the term is told once, as
    /// it is shipped, and what either says of it that protects people holds.
    pub fn with(own_purposes: Vec<Purpose>, own_categories: Vec<Category>) -> Self {
        let mut all = Self::shipped();
        for own in own_purposes {
            match all.purposes.iter_mut().find(|known| known.term.key == own.term.key) {
                Some(known) => {
                    known.direct_marketing |= own.direct_marketing;
                    known.sale |= own.sale;
                }
                None => all.purposes.push(own),
            }
        }
        for own in own_categories {
            match all.categories.iter_mut().find(|known| known.term.key == own.term.key) {
                Some(known) => known.special |= own.special,
                None => all.categories.push(own),
            }
        }
        all
    }

    /// Every purpose, retired ones too.
    pub fn purposes(&self) -> &[Purpose] {
        &self.purposes
    }

    /// Every category, retired ones too.
    pub fn categories(&self) -> &[Category] {
        &self.categories
    }

    /// The purposes to choose from.
    pub fn offered_purposes(&self) -> impl Iterator<Item = &Purpose> {
        self.purposes.iter().filter(|purpose| purpose.term.is_offered())
    }

    /// The categories to choose from.
    pub fn offered_categories(&self) -> impl Iterator<Item = &Category> {
        self.categories.iter().filter(|category| category.term.is_offered())
    }

    /// The purpose of that key, also a retired one.
    pub fn purpose(&self, key: &Slug) -> Option<&Purpose> {
        self.purposes.iter().find(|purpose| purpose.term.key == *key)
    }

    /// The category of that key, also a retired one.
    pub fn category(&self, key: &Slug) -> Option<&Category> {
        self.categories.iter().find(|category| category.term.key == *key)
    }

    /// The purpose of that key, also a retired one: what rests on it goes on.
    ///
    /// # Errors
    /// Where nobody knows it.
    pub fn known_purpose(&self, key: &Slug) -> Result<&Purpose, Invalid> {
        self.purpose(key).ok_or_else(|| unknown("purpose"))
    }

    /// Whether a purpose may be written: one that is offered, or one that stood there before.
    pub fn check_purpose(&self, key: &Slug, stood: &BTreeSet<Slug>) -> Result<(), Invalid> {
        check(self.purpose(key).map(|purpose| &purpose.term), "purpose", stood.contains(key))
    }

    /// Whether a category may be written: one that is offered, or one that stood there before.
    pub fn check_category(&self, key: &Slug, stood: &BTreeSet<Slug>) -> Result<(), Invalid> {
        check(self.category(key).map(|category| &category.term), "category", stood.contains(key))
    }

    /// Whether a new term of the house may have this key, beside those that it has.
    pub fn check_new(&self, kind: TermKind, key: &Slug) -> Result<(), Invalid> {
        let terms: Vec<&Term> = match kind {
            TermKind::Purpose => self.purposes.iter().map(|purpose| &purpose.term).collect(),
            TermKind::Category => self.categories.iter().map(|category| &category.term).collect(),
        };
        if terms.iter().any(|term| term.key == *key) {
            return Err(Invalid::new("key", "must be another one: the vocabulary has this key already, perhaps as a retired term"));
        }
        if terms.iter().filter(|term| term.own).count() >= MOST_OWN {
            return Err(Invalid::new("key", format!("can not be added: a house keeps at most {MOST_OWN} of its own, retired ones too")));
        }
        Ok(())
    }
}

impl Term {
    /// Whether it is among those to choose from.
    pub const fn is_offered(&self) -> bool {
        self.retired_at.is_none()
    }
}

fn check(term: Option<&Term>, field: &str, stood: bool) -> Result<(), Invalid> {
    match term {
        Some(term) if term.is_offered() || stood => Ok(()),
        Some(_) => Err(Invalid::new(field, "is retired: choose one that is offered, or ask a privacy officer to restore it")),
        None => Err(unknown(field)),
    }
}

fn unknown(field: &str) -> Invalid {
    Invalid::new(field, "is not in the vocabulary; GET /api/v1/vocabulary lists it")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn term(key: &str, retired: bool) -> Term {
        let retired_at = retired.then(|| Instant::from_seconds(1));
        Term { key: key.parse().unwrap(), title: "Ours".parse().unwrap(), description: None, own: true, retired_at }
    }

    fn purpose(key: &str, retired: bool) -> Purpose {
        Purpose { term: term(key, retired), direct_marketing: true, sale: true }
    }

    #[test]
    fn every_shipped_term_is_there() {
        let shipped = Vocabulary::shipped();
        assert_eq!((shipped.purposes.len(), shipped.categories.len()), (PURPOSES.len(), CATEGORIES.len()));
        let keys: BTreeSet<&str> = PURPOSES.iter().map(|term| term.key).collect();
        assert_eq!(keys.len(), PURPOSES.len(), "no key is there twice");
    }

    #[test]
    fn a_term_is_written_while_it_is_offered_and_stays_where_it_stood() {
        let all = Vocabulary::with(vec![purpose("ours", false), purpose("gone", true)], Vec::new());
        let nothing = BTreeSet::new();
        let key = |text: &str| text.parse::<Slug>().unwrap();
        assert_eq!(all.check_purpose(&key("ours"), &nothing), Ok(()));
        assert_eq!(all.check_purpose(&key("email-marketing"), &nothing), Ok(()));
        assert!(all.check_purpose(&key("gone"), &nothing).unwrap_err().reason.starts_with("is retired"));
        assert_eq!(all.check_purpose(&key("gone"), &BTreeSet::from([key("gone")])), Ok(()));
        assert!(all.check_purpose(&key("unheard-of"), &BTreeSet::from([key("unheard-of")])).is_err(), "unknown is not retired");
        assert!(all.check_category(&key("ours"), &nothing).is_err(), "a purpose is no category");
        assert!(all.offered_purposes().all(|one| one.term.key.as_str() != "gone"));
    }

    #[test]
    fn keys_are_used_once_and_terms_are_bounded() {
        let all = Vocabulary::with(vec![purpose("gone", true)], Vec::new());
        let refused = |key: &str| all.check_new(TermKind::Purpose, &key.parse().unwrap()).is_err();
        assert!(refused("email-marketing") && refused("gone") && !refused("health"), "a category's key is free for a purpose");
        let many = (0..MOST_OWN).map(|at| purpose(&format!("p{at}"), true)).collect();
        assert!(Vocabulary::with(many, Vec::new()).check_new(TermKind::Purpose, &"one-more".parse().unwrap()).is_err());
    }

    #[test]
    fn of_a_key_that_is_shipped_later_what_protects_holds() {
        let all = Vocabulary::with(vec![purpose("market-research", true)], Vec::new());
        let told = all.purpose(&"market-research".parse().unwrap()).unwrap();
        assert!(told.direct_marketing && told.sale && told.term.is_offered() && !told.term.own);
        assert_eq!(all.purposes.len(), PURPOSES.len());
    }
}
